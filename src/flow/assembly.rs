//! Putting a flow's fragments into one packet (RFC 7016 section 3.6.2.3).

use crate::wire::{
    CHUNK_HEADER_LEN, FragmentControl, NextUserData, UserData, put_next_user_data, put_user_data, user_data_len,
};

use super::flight::{Flight, Fragment};
use super::outbox::Outbox;

/// A message is not split for the rest of a packet if that takes fewer bytes of it than this: our choice.
const SMALLEST_PIECE: usize = 128;
/// Header of a Next User Data chunk: the chunk header and the flags.
const NEXT_HEAD: usize = CHUNK_HEADER_LEN + 1;
/// Leaves room for the head within the chunk's 16-bit length.
const LONGEST_PIECE: usize = 64_000;

/// One packet's share of a flow.
pub(super) struct Assembly<'a> {
    pub(super) flow: u64,
    /// The FSN, the same for all chunks of the packet.
    pub(super) forward_sequence: u64,
    /// STARTUP_OPTIONS, for the first chunk.
    pub(super) startup: &'a [u8],
    /// What a fragment, sent again, must fit.
    pub(super) packet_space: usize,
    /// Sequence number of the last chunk put.
    pub(super) previous: Option<u64>,
    /// Length of `out` before the first chunk.
    pub(super) start: usize,
    pub(super) out: &'a mut Vec<u8>,
    /// What `out` may grow to.
    pub(super) limit: usize,
}

/// What became of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It is in the packet, as a chunk of `size` bytes.
    Done { sequence: u64, size: usize, is_final: bool },
    /// It needs a chunk of so many bytes.
    NoSpace { needs: usize },
}

impl<'a> Assembly<'a> {
    /// Puts a fragment that has its number already.
    pub(super) fn put_again(&mut self, flight: &Flight, outbox: &Outbox, sequence: u64) -> Put {
        let Some(fragment) = flight.get(sequence) else {
            return Put::NoSpace { needs: 0 };
        };
        let data = if fragment.abandoned { &[] } else { outbox.bytes(fragment) };
        let needs = self.head_len(sequence) + data.len();
        if needs > self.room() {
            return Put::NoSpace { needs };
        }
        self.put(sequence, fragment, data, fragment.is_final)
    }

    /// Cuts a fragment from the outbox and puts it. If `is_tail`, the end of the last message is the end of the flow.
    pub(super) fn put_new(&mut self, flight: &mut Flight, outbox: &mut Outbox, is_tail: bool) -> Put {
        let sequence = flight.next_sequence();
        let head = self.head_len(sequence);
        let uncut = outbox.uncut().unwrap_or_default();
        let most = self.longest_piece(sequence);
        let wanted = uncut.min(most);
        let Some(len) = self.room().checked_sub(head).map(|room| room.min(wanted)) else {
            return Put::NoSpace { needs: head + wanted };
        };
        if len < wanted.min(SMALLEST_PIECE) {
            return Put::NoSpace { needs: head + wanted };
        }
        let is_final = is_tail && len == uncut && outbox.cursor_is_lasting_tail();
        let Some(fragment) = outbox.cut(len, sequence) else {
            return Put::NoSpace { needs: head + wanted };
        };
        flight.push(fragment.with_final(is_final));
        self.put(sequence, &fragment, outbox.bytes(&fragment), is_final)
    }

    fn put(&mut self, sequence: u64, fragment: &Fragment, data: &[u8], is_final: bool) -> Put {
        let before = self.out.len();
        let abandoned = fragment.abandoned;
        // An abandoned whole message at the end of the flow must not look like an end without a message; the far end does not look
        // at this field otherwise.
        let control = match fragment.control {
            FragmentControl::Whole if abandoned && is_final && fragment.message.is_some() => FragmentControl::End,
            control => control,
        };
        if self.is_next(sequence) {
            let chunk = NextUserData { fragment: control, abandoned, is_final, options: None, data };
            put_next_user_data(self.out, &chunk);
        } else {
            put_user_data(self.out, &UserData { fragment: control, abandoned, is_final, data, ..self.head(sequence) });
        }
        self.previous = Some(sequence);
        Put::Done { sequence, size: self.out.len() - before, is_final }
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    fn is_next(&self, sequence: u64) -> bool {
        self.previous.is_some_and(|previous| previous + 1 == sequence)
    }

    /// Bytes of the chunk for `sequence` before its data.
    fn head_len(&self, sequence: u64) -> usize {
        if self.is_next(sequence) { NEXT_HEAD } else { user_data_len(&self.head(sequence)) }
    }

    /// The most data that a fragment can carry so that it can be sent again, alone in a packet: its number does not change by
    /// then, its FSN offset cannot grow, and startup options that are not there now will not come.
    fn longest_piece(&self, sequence: u64) -> usize {
        let alone = UserData { options: self.startup_options(), ..self.head(sequence) };
        self.packet_space.saturating_sub(user_data_len(&alone)).clamp(SMALLEST_PIECE, LONGEST_PIECE)
    }

    fn startup_options(&self) -> Option<&'a [u8]> {
        Some(self.startup).filter(|startup| !startup.is_empty())
    }

    fn head(&self, sequence: u64) -> UserData<'a> {
        UserData {
            flow: self.flow,
            sequence,
            forward_sequence: self.forward_sequence,
            fragment: FragmentControl::Whole,
            abandoned: false,
            is_final: false,
            options: if self.previous.is_none() { self.startup_options() } else { None },
            data: &[],
        }
    }
}
