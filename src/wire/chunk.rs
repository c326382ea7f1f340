//! Any chunk, as a value (RFC 7016 section 2.3).

use super::ack::Ack;
use super::data::{NextUserData, UserData};
use super::error::DecodeError;
use super::fragment::PacketFragment;
use super::frame::{CHUNK_HEADER_LEN, RawChunk, kind, put_chunk_header};
use super::header::Mode;
use super::reader::take_u8;
use super::startup::{FIHello, IHello, IIKeying, RHello, RHelloCookieChange, RIKeying, Redirect};
use super::vlu;

/// A chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// To be ignored.
    Padding,
    /// Initiator Hello.
    IHello(IHello<'a>),
    /// Forwarded Initiator Hello.
    FIHello(FIHello<'a>),
    /// Responder Hello.
    RHello(RHello<'a>),
    /// Responder Redirect.
    Redirect(Redirect<'a>),
    /// RHello Cookie Change.
    RHelloCookieChange(RHelloCookieChange<'a>),
    /// Initiator Initial Keying.
    IIKeying(IIKeying<'a>),
    /// Responder Initial Keying.
    RIKeying(RIKeying<'a>),
    /// Ping, with the message to be echoed.
    Ping(&'a [u8]),
    /// Ping Reply, with the echo.
    PingReply(&'a [u8]),
    /// User Data.
    UserData(UserData<'a>),
    /// Next User Data.
    NextUserData(NextUserData<'a>),
    /// Data Acknowledgement Bitmap.
    BitmapAck(Ack<'a>),
    /// Data Acknowledgement Ranges.
    RangeAck(Ack<'a>),
    /// Buffer Probe.
    BufferProbe {
        /// The flow whose acknowledgement is wanted.
        flow: u64,
    },
    /// Flow Exception Report.
    FlowException {
        /// The flow that is not wanted.
        flow: u64,
        /// The application's code; 0 if RTMFP itself rejected.
        code: u64,
    },
    /// Session Close Request.
    SessionClose,
    /// Session Close Acknowledgement.
    SessionCloseAck,
    /// Packet Fragment.
    PacketFragment(PacketFragment<'a>),
    /// ECN Report.
    EcnReport {
        /// Low 8 bits of the count of packets received with Congestion Experienced.
        ce_count: u8,
    },
    /// Of a type that is not known; to be ignored.
    Unknown {
        /// The type code.
        kind: u8,
    },
}

impl<'a> Chunk<'a> {
    /// The chunk in `raw`.
    ///
    /// # Errors
    /// If the payload breaks the syntax of its type. Section 2.3: such a chunk counts as absent, and parsing goes on with the next.
    pub fn decode(raw: RawChunk<'a>) -> Result<Self, DecodeError> {
        let mut payload = raw.payload;
        Ok(match raw.kind {
            kind::PADDING | kind::PADDING_FF => Self::Padding,
            kind::IHELLO => Self::IHello(IHello::decode(payload)?),
            kind::FIHELLO => Self::FIHello(FIHello::decode(payload)?),
            kind::RHELLO => Self::RHello(RHello::decode(payload)?),
            kind::REDIRECT => Self::Redirect(Redirect::decode(payload)?),
            kind::RHELLO_COOKIE_CHANGE => Self::RHelloCookieChange(RHelloCookieChange::decode(payload)?),
            kind::IIKEYING => Self::IIKeying(IIKeying::decode(payload)?),
            kind::RIKEYING => Self::RIKeying(RIKeying::decode(payload)?),
            kind::PING => Self::Ping(payload),
            kind::PING_REPLY => Self::PingReply(payload),
            kind::USER_DATA => Self::UserData(UserData::decode(payload)?),
            kind::NEXT_USER_DATA => Self::NextUserData(NextUserData::decode(payload)?),
            kind::BITMAP_ACK => Self::BitmapAck(Ack::decode_bitmap(payload)?),
            kind::RANGE_ACK => Self::RangeAck(Ack::decode_ranges(payload)?),
            kind::BUFFER_PROBE => Self::BufferProbe { flow: vlu::take(&mut payload)? },
            kind::FLOW_EXCEPTION => {
                Self::FlowException { flow: vlu::take(&mut payload)?, code: vlu::take(&mut payload)? }
            }
            kind::SESSION_CLOSE => Self::SessionClose,
            kind::SESSION_CLOSE_ACK => Self::SessionCloseAck,
            kind::PACKET_FRAGMENT => Self::PacketFragment(PacketFragment::decode(payload)?),
            kind::ECN_REPORT => Self::EcnReport { ce_count: take_u8(&mut payload)? },
            kind => Self::Unknown { kind },
        })
    }

    /// Appends the chunk, header included. A payload above 65,535 bytes has no encoding and is not appended: whoever builds a chunk
    /// of far-end fields compares [`Self::encoded_len`] with the room in the packet first.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if !put_chunk_header(out, self.kind(), self.payload_len()) {
            return;
        }
        match self {
            Self::IHello(chunk) => chunk.put_payload(out),
            Self::FIHello(chunk) => chunk.put_payload(out),
            Self::RHello(chunk) => chunk.put_payload(out),
            Self::Redirect(chunk) => chunk.put_payload(out),
            Self::RHelloCookieChange(chunk) => chunk.put_payload(out),
            Self::IIKeying(chunk) => chunk.put_payload(out),
            Self::RIKeying(chunk) => chunk.put_payload(out),
            Self::Ping(message) | Self::PingReply(message) => out.extend_from_slice(message),
            Self::UserData(chunk) => chunk.put_payload(out),
            Self::NextUserData(chunk) => chunk.put_payload(out),
            Self::BitmapAck(ack) | Self::RangeAck(ack) => ack.put_payload(out),
            Self::BufferProbe { flow } => vlu::put(out, *flow),
            Self::FlowException { flow, code } => {
                vlu::put(out, *flow);
                vlu::put(out, *code);
            }
            Self::PacketFragment(chunk) => chunk.put_payload(out),
            Self::EcnReport { ce_count } => out.push(*ce_count),
            Self::Padding | Self::SessionClose | Self::SessionCloseAck | Self::Unknown { .. } => {}
        }
    }

    /// Bytes that [`Self::encode`] appends if the payload has at most 65,535 bytes, header included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        CHUNK_HEADER_LEN + self.payload_len()
    }

    /// The type code.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Padding => kind::PADDING,
            Self::IHello(_) => kind::IHELLO,
            Self::FIHello(_) => kind::FIHELLO,
            Self::RHello(_) => kind::RHELLO,
            Self::Redirect(_) => kind::REDIRECT,
            Self::RHelloCookieChange(_) => kind::RHELLO_COOKIE_CHANGE,
            Self::IIKeying(_) => kind::IIKEYING,
            Self::RIKeying(_) => kind::RIKEYING,
            Self::Ping(_) => kind::PING,
            Self::PingReply(_) => kind::PING_REPLY,
            Self::UserData(_) => kind::USER_DATA,
            Self::NextUserData(_) => kind::NEXT_USER_DATA,
            Self::BitmapAck(_) => kind::BITMAP_ACK,
            Self::RangeAck(_) => kind::RANGE_ACK,
            Self::BufferProbe { .. } => kind::BUFFER_PROBE,
            Self::FlowException { .. } => kind::FLOW_EXCEPTION,
            Self::SessionClose => kind::SESSION_CLOSE,
            Self::SessionCloseAck => kind::SESSION_CLOSE_ACK,
            Self::PacketFragment(_) => kind::PACKET_FRAGMENT,
            Self::EcnReport { .. } => kind::ECN_REPORT,
            Self::Unknown { kind } => *kind,
        }
    }

    /// Whether the chunk belongs in startup packets (mode 3) and not in a session's (section 2.2.4). Packet fragments, padding and
    /// chunks of unknown type go in both.
    #[must_use]
    pub const fn is_allowed_in(&self, mode: Mode) -> bool {
        let startup = matches!(mode, Mode::Startup);
        match self {
            Self::Padding | Self::PacketFragment(_) | Self::Unknown { .. } => true,
            Self::IHello(_)
            | Self::RHello(_)
            | Self::Redirect(_)
            | Self::RHelloCookieChange(_)
            | Self::IIKeying(_)
            | Self::RIKeying(_) => startup,
            _ => !startup,
        }
    }

    fn payload_len(&self) -> usize {
        match self {
            Self::IHello(chunk) => chunk.payload_len(),
            Self::FIHello(chunk) => chunk.payload_len(),
            Self::RHello(chunk) => chunk.payload_len(),
            Self::Redirect(chunk) => chunk.payload_len(),
            Self::RHelloCookieChange(chunk) => chunk.payload_len(),
            Self::IIKeying(chunk) => chunk.payload_len(),
            Self::RIKeying(chunk) => chunk.payload_len(),
            Self::Ping(message) | Self::PingReply(message) => message.len(),
            Self::UserData(chunk) => chunk.payload_len(),
            Self::NextUserData(chunk) => chunk.payload_len(),
            Self::BitmapAck(ack) | Self::RangeAck(ack) => ack.payload_len(),
            Self::BufferProbe { flow } => vlu::len(*flow),
            Self::FlowException { flow, code } => vlu::len(*flow) + vlu::len(*code),
            Self::PacketFragment(chunk) => chunk.payload_len(),
            Self::EcnReport { .. } => 1,
            Self::Padding | Self::SessionClose | Self::SessionCloseAck | Self::Unknown { .. } => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SessionId;
    use crate::wire::{Address, Addresses, Chunks, FragmentControl, Origin};
    use proptest::prelude::*;
    use std::net::IpAddr;

    /// What chunks of every type are made of.
    #[derive(Debug, Clone)]
    struct Parts {
        fields: [Vec<u8>; 4],
        numbers: [u64; 3],
        flags: [bool; 4],
        addresses: Vec<Address>,
    }

    fn parts() -> impl Strategy<Value = Parts> {
        let field = || proptest::collection::vec(any::<u8>(), 0..200);
        let number = || (0u32..64, any::<u64>()).prop_map(|(shift, bits)| bits >> shift);
        let address =
            (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| Address::new(Origin::Observed, (ip, port).into()));
        (
            [field(), field(), field(), field()],
            [number(), number(), number()],
            any::<[bool; 4]>(),
            proptest::collection::vec(address, 1..5),
        )
            .prop_map(|(fields, numbers, flags, addresses)| Parts { fields, numbers, flags, addresses })
    }

    /// A chunk of every type, made of `parts`, for `check`.
    fn with_every_chunk(parts: &Parts, mut check: impl FnMut(Chunk<'_>)) {
        let [a, b, c, d] = parts.fields.each_ref().map(|field| &field[..]);
        let [x, y, z] = parts.numbers;
        let [abandoned, is_final, first, last] = parts.flags;
        let id = SessionId(x as u32);
        let isp = IIKeying::signed_parameters(id, a, b, c);
        let rsp = RIKeying::signed_parameters(id, a);
        let mut options = Vec::new();
        crate::wire::put_option(&mut options, z, b);
        let sequence = y.max(1);
        let offset = (z % sequence).max(1);
        let next = NextUserData {
            fragment: FragmentControl::new(first, last),
            abandoned,
            is_final,
            options: first.then_some(&options[..]),
            data: if abandoned { &[] } else { c },
        };
        let before = UserData {
            flow: x,
            sequence: sequence - 1,
            forward_sequence: sequence - offset,
            fragment: FragmentControl::Whole,
            abandoned: false,
            is_final: false,
            options: None,
            data: &[],
        };
        let chunks = [
            Chunk::Padding,
            Chunk::IHello(IHello { epd: a, tag: b }),
            Chunk::FIHello(FIHello { epd: a, reply: parts.addresses[0], tag: b }),
            Chunk::RHello(RHello { tag: a, cookie: b, certificate: c }),
            Chunk::Redirect(Redirect { tag: a, destinations: Addresses::from(&parts.addresses[1..]) }),
            Chunk::RHelloCookieChange(RHelloCookieChange { old: a, new: b }),
            Chunk::IIKeying(IIKeying::new(&isp, d).unwrap()),
            Chunk::RIKeying(RIKeying::new(&rsp, d).unwrap()),
            Chunk::Ping(a),
            Chunk::PingReply(a),
            Chunk::UserData(before.followed_by(&next).unwrap()),
            Chunk::NextUserData(next),
            Chunk::BufferProbe { flow: x },
            Chunk::FlowException { flow: x, code: y },
            Chunk::SessionClose,
            Chunk::SessionCloseAck,
            Chunk::EcnReport { ce_count: x as u8 },
            Chunk::Unknown { kind: 0xee },
        ];
        chunks.into_iter().for_each(&mut check);
        if !d.is_empty() {
            check(Chunk::PacketFragment(PacketFragment { more: last, packet_id: x, index: y, bytes: d }));
        }
    }

    proptest! {
        #[test]
        fn every_chunk_round_trips_and_survives_truncation(parts in parts()) {
            with_every_chunk(&parts, |chunk| {
                let mut out = Vec::new();
                chunk.encode(&mut out);
                assert_eq!(out.len(), chunk.encoded_len());
                let mut read = Chunks::new(&out);
                let raw = read.next().unwrap();
                assert_eq!(read.next(), None);
                assert_eq!(Chunk::decode(raw), Ok(chunk));
                for cut in 0..raw.payload.len() {
                    let cut = RawChunk { payload: &raw.payload[..cut], ..raw };
                    if let Ok(shorter) = Chunk::decode(cut) {
                        assert_ne!(shorter, chunk);
                    }
                }
            });
        }

        #[test]
        fn what_decodes_from_any_bytes_encodes_to_the_same_value(
            kinds in proptest::sample::select(vec![
                0x01, 0x0c, 0x0f, 0x10, 0x11, 0x18, 0x30, 0x38, 0x41, 0x4c, 0x50, 0x51, 0x5e, 0x70, 0x71, 0x78, 0x79,
                0x7f, 0xec,
            ]),
            payload in proptest::collection::vec(prop_oneof![4 => 0u8..12, 1 => any::<u8>()], 0..60),
        ) {
            let Ok(chunk) = Chunk::decode(RawChunk { kind: kinds, payload: &payload }) else { return Ok(()) };
            let mut out = Vec::new();
            chunk.encode(&mut out);
            prop_assert_eq!(out.len(), chunk.encoded_len());
            let raw = Chunks::new(&out).next().unwrap();
            prop_assert_eq!(raw.kind, kinds);
            prop_assert_eq!(Chunk::decode(raw), Ok(chunk));
        }
    }

    #[test]
    fn startup_chunks_and_session_chunks_keep_to_their_modes() {
        let hello = Chunk::IHello(IHello { epd: &[], tag: &[] });
        assert!(hello.is_allowed_in(Mode::Startup) && !hello.is_allowed_in(Mode::Initiator));
        let forwarded = FIHello { epd: &[], reply: Address::new(Origin::Observed, ([1, 2, 3, 4], 5).into()), tag: &[] };
        for chunk in [Chunk::Ping(&[]), Chunk::FIHello(forwarded), Chunk::SessionClose] {
            assert!(!chunk.is_allowed_in(Mode::Startup) && chunk.is_allowed_in(Mode::Responder));
        }
    }

    #[test]
    fn a_payload_that_the_length_field_cannot_say_is_not_written() {
        let message = vec![0; 65_536];
        let mut out = Vec::new();
        Chunk::Ping(&message).encode(&mut out);
        assert!(out.is_empty());
        Chunk::Ping(&message[1..]).encode(&mut out);
        assert_eq!(out.len(), 65_538);
    }
}
