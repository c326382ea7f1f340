//! User Data and Next User Data (RFC 7016 sections 2.3.11 and 2.3.12).

use super::error::DecodeError;
use super::frame::{CHUNK_HEADER_LEN, kind, put_chunk_header};
use super::option::take_option_list;
use super::reader::take_u8;
use super::vlu;

const OPTIONS_PRESENT: u8 = 0x80;
const FRAGMENT_SHIFT: u8 = 4;
const ABANDON: u8 = 0x02;
const FINAL: u8 = 0x01;

/// Option types of User Data chunks (section 2.3.11.1).
pub mod flow_option {
    /// User's Per-Flow Metadata.
    pub const METADATA: u64 = 0x00;
    /// Return Flow Association: a VLU, the flow that this one answers.
    pub const RETURN_FLOW: u64 = 0x0a;
    /// Options of this type and above are ignored where they are not understood; others then reject the flow.
    pub const FIRST_IGNORABLE: u64 = 0x2000;
}

/// How a fragment takes part in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum FragmentControl {
    /// It is the whole message.
    #[default]
    Whole = 0,
    /// It is the first of several.
    Begin = 1,
    /// It is the last of several.
    End = 2,
    /// It is neither the first nor the last.
    Middle = 3,
}

impl FragmentControl {
    /// The control of a fragment, by what it begins and ends.
    #[must_use]
    pub const fn new(first: bool, last: bool) -> Self {
        match (first, last) {
            (true, true) => Self::Whole,
            (true, false) => Self::Begin,
            (false, true) => Self::End,
            (false, false) => Self::Middle,
        }
    }

    /// Whether a message begins with it.
    #[must_use]
    pub const fn is_first(self) -> bool {
        matches!(self, Self::Whole | Self::Begin)
    }

    /// Whether a message ends with it.
    #[must_use]
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Whole | Self::End)
    }
}

/// A fragment of a flow's message. Decoded ones hold: `sequence` is not 0, `forward_sequence` is below it, or equal to it if
/// abandoned; an abandoned one has no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserData<'a> {
    /// The flow.
    pub flow: u64,
    /// Sequence number of this fragment.
    pub sequence: u64,
    /// Nothing up to here will be sent again.
    pub forward_sequence: u64,
    /// Its part in the message.
    pub fragment: FragmentControl,
    /// Whether the sender gave it up; then `data` means nothing.
    pub abandoned: bool,
    /// Whether it is the flow's last.
    pub is_final: bool,
    /// Well-formed options, without the Marker behind them, if the chunk has a list.
    pub options: Option<&'a [u8]>,
    /// The user's bytes.
    pub data: &'a [u8],
}

/// A fragment that continues the User Data or Next User Data chunk before it: same flow, next sequence number, same forward
/// sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextUserData<'a> {
    /// Its part in the message.
    pub fragment: FragmentControl,
    /// Whether the sender gave it up; then `data` means nothing.
    pub abandoned: bool,
    /// Whether it is the flow's last.
    pub is_final: bool,
    /// Well-formed options, without the Marker behind them, if the chunk has a list.
    pub options: Option<&'a [u8]>,
    /// The user's bytes.
    pub data: &'a [u8],
}

impl<'a> UserData<'a> {
    /// What `next`, the chunk right behind this one, stands for; `None` beyond the last sequence number.
    #[must_use]
    pub fn followed_by<'b>(&self, next: &NextUserData<'b>) -> Option<UserData<'b>> {
        let NextUserData { fragment, abandoned, is_final, options, data } = *next;
        Some(UserData {
            flow: self.flow,
            sequence: self.sequence.checked_add(1)?,
            forward_sequence: self.forward_sequence,
            fragment,
            abandoned,
            is_final,
            options,
            data,
        })
    }

    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        let flags = take_u8(&mut payload)?;
        let flow = vlu::take(&mut payload)?;
        let sequence = vlu::take(&mut payload)?;
        let offset = vlu::take(&mut payload)?;
        let abandoned = flags & ABANDON != 0;
        let forward_sequence = sequence.checked_sub(offset).ok_or(DecodeError::Forbidden)?;
        if sequence == 0 || (offset == 0 && !abandoned) {
            return Err(DecodeError::Forbidden);
        }
        let NextUserData { fragment, abandoned, is_final, options, data } = NextUserData::decode_body(flags, payload)?;
        Ok(Self { flow, sequence, forward_sequence, fragment, abandoned, is_final, options, data })
    }

    pub(super) fn payload_len(&self) -> usize {
        body_len(self.options, self.data.len()) + head_len(self)
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        out.push(flags_of(self.fragment, self.abandoned, self.is_final, self.options.is_some()));
        put_numbers(out, self);
        put_body(out, self.options, self.data);
    }
}

impl<'a> NextUserData<'a> {
    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        let flags = take_u8(&mut payload)?;
        Self::decode_body(flags, payload)
    }

    fn decode_body(flags: u8, mut body: &'a [u8]) -> Result<Self, DecodeError> {
        let options = if flags & OPTIONS_PRESENT == 0 { None } else { Some(take_option_list(&mut body)?) };
        let fragment = match flags >> FRAGMENT_SHIFT & 3 {
            0 => FragmentControl::Whole,
            1 => FragmentControl::Begin,
            2 => FragmentControl::End,
            _ => FragmentControl::Middle,
        };
        let abandoned = flags & ABANDON != 0;
        let data = if abandoned { &[] } else { body };
        Ok(Self { fragment, abandoned, is_final: flags & FINAL != 0, options, data })
    }

    pub(super) fn payload_len(&self) -> usize {
        1 + body_len(self.options, self.data.len())
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        out.push(flags_of(self.fragment, self.abandoned, self.is_final, self.options.is_some()));
        put_body(out, self.options, self.data);
    }
}

const fn flags_of(fragment: FragmentControl, abandoned: bool, is_final: bool, options: bool) -> u8 {
    (if options { OPTIONS_PRESENT } else { 0 })
        | (fragment as u8) << FRAGMENT_SHIFT
        | (if abandoned { ABANDON } else { 0 })
        | (if is_final { FINAL } else { 0 })
}

fn put_numbers(out: &mut Vec<u8>, chunk: &UserData<'_>) {
    vlu::put(out, chunk.flow);
    vlu::put(out, chunk.sequence);
    vlu::put(out, chunk.sequence.saturating_sub(chunk.forward_sequence));
}

const fn head_len(chunk: &UserData<'_>) -> usize {
    1 + vlu::len(chunk.flow)
        + vlu::len(chunk.sequence)
        + vlu::len(chunk.sequence.saturating_sub(chunk.forward_sequence))
}

fn put_body(out: &mut Vec<u8>, options: Option<&[u8]>, data: &[u8]) {
    if let Some(options) = options {
        out.extend_from_slice(options);
        out.push(0);
    }
    out.extend_from_slice(data);
}

fn body_len(options: Option<&[u8]>, data: usize) -> usize {
    options.map_or(0, |options| options.len() + 1) + data
}

/// Appends a User Data chunk, without allocating if `out` has room; `options` goes in as it is, with a Marker behind it. A payload
/// above 65,535 bytes is not appended.
pub fn put_user_data(out: &mut Vec<u8>, chunk: &UserData<'_>) {
    if put_chunk_header(out, kind::USER_DATA, chunk.payload_len()) {
        chunk.put_payload(out);
    }
}

/// Appends a Next User Data chunk, likewise.
pub fn put_next_user_data(out: &mut Vec<u8>, chunk: &NextUserData<'_>) {
    if put_chunk_header(out, kind::NEXT_USER_DATA, chunk.payload_len()) {
        chunk.put_payload(out);
    }
}

/// Bytes that [`put_user_data`] appends, chunk header included.
#[must_use]
pub fn user_data_len(chunk: &UserData<'_>) -> usize {
    CHUNK_HEADER_LEN + chunk.payload_len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(payload: &[u8]) -> Result<UserData<'_>, DecodeError> {
        UserData::decode(payload)
    }

    #[test]
    fn an_opening_chunk_has_its_options_and_data_apart() {
        // Flow 2, sequence 1, offset 1; metadata "TC" 04 00, return of flow 5, Marker; "payload".
        let payload = b"\x80\x02\x01\x01\x05\x00TC\x04\x00\x02\x0a\x05\x00payload";
        let chunk = decode(payload).unwrap();
        assert_eq!((chunk.flow, chunk.sequence, chunk.forward_sequence), (2, 1, 0));
        assert_eq!(chunk.options, Some(&b"\x05\x00TC\x04\x00\x02\x0a\x05"[..]));
        assert_eq!(chunk.data, b"payload");
        let mut out = Vec::new();
        put_user_data(&mut out, &chunk);
        assert_eq!(out[3..], payload[..]);
        assert_eq!(out.len(), user_data_len(&chunk));
    }

    #[test]
    fn what_the_rfc_forbids_is_refused() {
        // An offset beyond the sequence number.
        assert_eq!(decode(&[0x00, 2, 5, 6]), Err(DecodeError::Forbidden));
        // An offset of 0 without abandonment.
        assert_eq!(decode(&[0x00, 2, 5, 0]), Err(DecodeError::Forbidden));
        assert_eq!(decode(&[0x02, 2, 5, 0]).unwrap().forward_sequence, 5);
        // Sequence number 0.
        assert_eq!(decode(&[0x02, 2, 0, 0]), Err(DecodeError::Forbidden));
        // Options without a Marker.
        assert_eq!(decode(&[0x80, 2, 5, 1, 0x02, 0x0a, 0x05]), Err(DecodeError::Truncated));
    }

    #[test]
    fn data_of_an_abandoned_fragment_is_not_seen() {
        assert_eq!(decode(&[0x03, 2, 5, 1, 9, 9, 9]).unwrap().data, b"");
        assert_eq!(NextUserData::decode(&[0x02, 9]).unwrap().data, b"");
    }

    #[test]
    fn reserved_flags_are_ignored() {
        assert_eq!(decode(&[0x4c, 2, 5, 1, 9]), decode(&[0x00, 2, 5, 1, 9]));
    }

    #[test]
    fn nothing_follows_the_last_sequence_number() {
        let mut chunk = decode(&[0x00, 2, 5, 1]).unwrap();
        let next = NextUserData::decode(&[0x31, 7]).unwrap();
        let followed = chunk.followed_by(&next).unwrap();
        assert_eq!((followed.flow, followed.sequence, followed.forward_sequence), (2, 6, 4));
        assert_eq!((followed.fragment, followed.is_final), (FragmentControl::Middle, true));
        chunk.sequence = u64::MAX;
        assert_eq!(chunk.followed_by(&next), None);
    }

    #[test]
    fn the_hot_path_does_not_grow_a_buffer_that_has_room() {
        let data = [7; 1000];
        let chunk = UserData { data: &data, ..decode(&[0x00, 2, 5, 1]).unwrap() };
        let mut out = Vec::with_capacity(user_data_len(&chunk));
        let (capacity, place) = (out.capacity(), out.as_ptr());
        put_user_data(&mut out, &chunk);
        assert_eq!((out.len(), out.capacity(), out.as_ptr()), (capacity, capacity, place));
    }
}
