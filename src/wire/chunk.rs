//! Any chunk, as a value (RFC 7016 section 2.3).

use super::ack::Ack;
use super::data::{NextUserData, UserData};
use super::error::DecodeError;
use super::fragment::PacketFragment;
use super::frame::{CHUNK_HEADER_LEN, RawChunk, kind, put_chunk_header};
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
    pub const fn is_allowed_in(&self, mode: super::header::Mode) -> bool {
        let startup = matches!(mode, super::header::Mode::Startup);
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
