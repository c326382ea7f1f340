//! TC messages: what Flash communication carries in its flows (RFC 7425 section 5.1).

use super::amf0::{self, Decoder, Value};
use super::error::DecodeError;
use super::reader::{take_array, take_rest, take_u8, take_u16, take_u32};
use super::vlu;

/// Longest payload of a message: RTMP's limit.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// Types of messages.
pub mod message_kind {
    /// User control: an event.
    pub const USER_CONTROL: u8 = 4;
    /// Audio.
    pub const AUDIO: u8 = 8;
    /// Video.
    pub const VIDEO: u8 = 9;
    /// Data behind a format byte.
    pub const DATA_EX: u8 = 15;
    /// A command behind a format byte.
    pub const COMMAND_EX: u8 = 17;
    /// Data in AMF 0.
    pub const DATA: u8 = 18;
    /// A command in AMF 0.
    pub const COMMAND: u8 = 20;
}

/// A message; one message of the flow each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcMessage<'a> {
    /// Its type, see [`message_kind`].
    pub kind: u8,
    /// Milliseconds.
    pub timestamp: u32,
    /// What its type makes of it.
    pub payload: &'a [u8],
}

impl<'a> TcMessage<'a> {
    /// Bytes before the payload.
    pub const HEADER_LEN: usize = 5;

    /// The message that `bytes` are.
    ///
    /// # Errors
    /// If they are fewer than the header's five, or the payload is longer than [`MAX_PAYLOAD`].
    pub fn decode(mut bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let message =
            Self { kind: take_u8(&mut bytes)?, timestamp: take_u32(&mut bytes)?, payload: take_rest(&mut bytes) };
        if message.payload.len() > MAX_PAYLOAD { Err(DecodeError::TooLarge) } else { Ok(message) }
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_header(out, self.kind, self.timestamp);
        out.extend_from_slice(self.payload);
    }
}

fn put_header(out: &mut Vec<u8>, kind: u8, timestamp: u32) {
    out.push(kind);
    out.extend_from_slice(&timestamp.to_be_bytes());
}

/// The event of a user control message ([`message_kind::USER_CONTROL`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserControl {
    /// The stream begins.
    StreamBegin {
        /// The stream.
        stream: u32,
    },
    /// The stream has ended.
    StreamEof {
        /// The stream.
        stream: u32,
    },
    /// The stream has no more data for now.
    StreamDry {
        /// The stream.
        stream: u32,
    },
    /// How much the receiver buffers.
    SetBufferLength {
        /// The stream.
        stream: u32,
        /// Milliseconds.
        millis: u32,
    },
    /// The stream is a recorded one.
    StreamIsRecorded {
        /// The stream.
        stream: u32,
    },
    /// Flow synchronisation (RFC 7425 section 5.2): wait until it was read on so many flows.
    FlowSync {
        /// Which synchronisation.
        id: u32,
        /// Flows that carry it.
        count: u32,
    },
    /// Keepalive periods (RFC 7425 section 5.3.4).
    SetKeepalive {
        /// For the session with the server, in milliseconds.
        server: u32,
        /// For sessions with peers, in milliseconds.
        peer: u32,
    },
    /// Another event.
    Unknown {
        /// Its type.
        event: u16,
    },
}

mod event {
    pub(super) const STREAM_BEGIN: u16 = 0;
    pub(super) const STREAM_EOF: u16 = 1;
    pub(super) const STREAM_DRY: u16 = 2;
    pub(super) const SET_BUFFER_LENGTH: u16 = 3;
    pub(super) const STREAM_IS_RECORDED: u16 = 4;
    pub(super) const FLOW_SYNC: u16 = 34;
    pub(super) const SET_KEEPALIVE: u16 = 41;
}

impl UserControl {
    /// The event in the payload of a user control message; bytes behind its parameters are ignored.
    ///
    /// # Errors
    /// If parameters are missing.
    pub fn decode(mut payload: &[u8]) -> Result<Self, DecodeError> {
        let from = &mut payload;
        Ok(match take_u16(from)? {
            event::STREAM_BEGIN => Self::StreamBegin { stream: take_u32(from)? },
            event::STREAM_EOF => Self::StreamEof { stream: take_u32(from)? },
            event::STREAM_DRY => Self::StreamDry { stream: take_u32(from)? },
            event::SET_BUFFER_LENGTH => Self::SetBufferLength { stream: take_u32(from)?, millis: take_u32(from)? },
            event::STREAM_IS_RECORDED => Self::StreamIsRecorded { stream: take_u32(from)? },
            event::FLOW_SYNC => Self::FlowSync { id: take_u32(from)?, count: take_u32(from)? },
            event::SET_KEEPALIVE => Self::SetKeepalive { server: take_u32(from)?, peer: take_u32(from)? },
            event => Self::Unknown { event },
        })
    }

    /// Appends the whole message, with timestamp 0.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (event, parameters) = match *self {
            Self::StreamBegin { stream } => (event::STREAM_BEGIN, [Some(stream), None]),
            Self::StreamEof { stream } => (event::STREAM_EOF, [Some(stream), None]),
            Self::StreamDry { stream } => (event::STREAM_DRY, [Some(stream), None]),
            Self::SetBufferLength { stream, millis } => (event::SET_BUFFER_LENGTH, [Some(stream), Some(millis)]),
            Self::StreamIsRecorded { stream } => (event::STREAM_IS_RECORDED, [Some(stream), None]),
            Self::FlowSync { id, count } => (event::FLOW_SYNC, [Some(id), Some(count)]),
            Self::SetKeepalive { server, peer } => (event::SET_KEEPALIVE, [Some(server), Some(peer)]),
            Self::Unknown { event } => (event, [None, None]),
        };
        put_header(out, message_kind::USER_CONTROL, 0);
        out.extend_from_slice(&event.to_be_bytes());
        for parameter in parameters.into_iter().flatten() {
            out.extend_from_slice(&parameter.to_be_bytes());
        }
    }
}

/// A remote call, or the answer to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What is called; `_result` and `_error` answer.
    pub name: String,
    /// Matches the answer to the call; 0 where none is wanted.
    pub transaction: f64,
    /// The command object, usually [`Value::Null`], and the arguments.
    pub arguments: Vec<Value>,
}

impl Command {
    /// A command with null for its command object, and `arguments`.
    #[must_use]
    pub fn new(name: &str, transaction: f64, arguments: impl IntoIterator<Item = Value>) -> Self {
        let arguments = std::iter::once(Value::Null).chain(arguments).collect();
        Self { name: name.to_owned(), transaction, arguments }
    }

    /// The command in `message`; `None` if it is of another type.
    ///
    /// # Errors
    /// If it is one and is malformed.
    pub fn decode(message: &TcMessage<'_>) -> Option<Result<Self, DecodeError>> {
        match message.kind {
            message_kind::COMMAND => Some(Self::decode_payload(message.payload)),
            message_kind::COMMAND_EX => Some(Self::decode_extended(message.payload)),
            _ => None,
        }
    }

    fn decode_extended(mut payload: &[u8]) -> Result<Self, DecodeError> {
        match take_u8(&mut payload)? {
            0 => Self::decode_payload(payload),
            format => Err(DecodeError::UnknownType(format)),
        }
    }

    fn decode_payload(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut values = Decoder::new(payload);
        let name = values.next().ok_or(DecodeError::Truncated)??;
        let transaction = values.next().ok_or(DecodeError::Truncated)??;
        Ok(Self {
            name: name.as_str().ok_or(DecodeError::Forbidden)?.to_owned(),
            transaction: transaction.as_number().ok_or(DecodeError::Forbidden)?,
            arguments: values.collect::<Result<_, _>>()?,
        })
    }

    /// The texts among the arguments, wherever they stand: some senders leave out the command object.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().filter_map(Value::as_str)
    }

    /// Appends the whole message, as [`message_kind::COMMAND`] with timestamp 0.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_header(out, message_kind::COMMAND, 0);
        self.put_payload(out);
    }

    /// Appends the whole message, as [`message_kind::COMMAND_EX`] with timestamp 0.
    pub fn encode_extended(&self, out: &mut Vec<u8>) {
        put_header(out, message_kind::COMMAND_EX, 0);
        out.push(0);
        self.put_payload(out);
    }

    fn put_payload(&self, out: &mut Vec<u8>) {
        amf0::Value::from(self.name.as_str()).encode(out);
        amf0::Value::from(self.transaction).encode(out);
        for argument in &self.arguments {
            argument.encode(out);
        }
    }
}

/// Metadata of a flow that carries TC messages (RFC 7425 section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcMetadata {
    /// The stream; 0 is the connection itself.
    pub stream: u32,
    /// Whether messages shall be taken as they arrive, rather than in their order.
    pub network_order: bool,
}

impl TcMetadata {
    const SIGNATURE: [u8; 2] = *b"TC";
    const STREAM_PRESENT: u8 = 0x04;
    const NETWORK_ORDER: u8 = 0x01;

    /// The metadata of a connection's control flow.
    pub const CONTROL: Self = Self { stream: 0, network_order: false };

    /// The metadata in `bytes`; other flags and bytes behind it are ignored.
    ///
    /// # Errors
    /// If it is another kind of flow, or names no stream below 2^32.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let signature: [u8; 2] = take_array(&mut bytes)?;
        let flags = take_u8(&mut bytes)?;
        if signature != Self::SIGNATURE || flags & Self::STREAM_PRESENT == 0 {
            return Err(DecodeError::Forbidden);
        }
        let stream = u32::try_from(vlu::take(&mut bytes)?).map_err(|_| DecodeError::TooLarge)?;
        Ok(Self { stream, network_order: flags & Self::NETWORK_ORDER != 0 })
    }

    /// Appends the metadata.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&Self::SIGNATURE);
        out.push(Self::STREAM_PRESENT | if self.network_order { Self::NETWORK_ORDER } else { 0 });
        vlu::put(out, u64::from(self.stream));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_too_few(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let Ok(message) = TcMessage::decode(&bytes) else {
                prop_assert!(bytes.len() < TcMessage::HEADER_LEN);
                return Ok(());
            };
            let mut out = Vec::new();
            message.encode(&mut out);
            prop_assert_eq!(&out, &bytes);
            for kind in [message_kind::COMMAND, message_kind::COMMAND_EX] {
                let _ = Command::decode(&TcMessage { kind, ..message });
            }
            let _ = UserControl::decode(message.payload);
        }

        #[test]
        fn events_round_trip_and_lack_no_parameter(event in 0u16..50, x: u32, y: u32) {
            let mut payload = event.to_be_bytes().to_vec();
            payload.extend(x.to_be_bytes());
            payload.extend(y.to_be_bytes());
            let control = UserControl::decode(&payload).unwrap();
            let mut out = Vec::new();
            control.encode(&mut out);
            let message = TcMessage::decode(&out).unwrap();
            prop_assert_eq!(message.kind, message_kind::USER_CONTROL);
            prop_assert_eq!(UserControl::decode(message.payload), Ok(control));
            for cut in 0..message.payload.len() {
                prop_assert!(UserControl::decode(&message.payload[..cut]).is_err());
            }
        }

        #[test]
        fn metadata_round_trips_and_every_truncation_fails(stream: u32, network_order: bool) {
            let metadata = TcMetadata { stream, network_order };
            let mut out = Vec::new();
            metadata.encode(&mut out);
            for cut in 0..out.len() {
                prop_assert!(TcMetadata::decode(&out[..cut]).is_err());
            }
            out.push(9);
            out[2] |= 0x80;
            prop_assert_eq!(TcMetadata::decode(&out), Ok(metadata));
        }

        #[test]
        fn any_metadata_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let _ = TcMetadata::decode(&bytes);
            let _ = TcMetadata::decode(&[b"TC\x04", &bytes[..]].concat());
        }
    }

    #[test]
    fn a_command_needs_a_name_and_a_transaction() {
        let payload = |values: &[Value]| {
            let mut out = Vec::new();
            values.iter().for_each(|value| value.encode(&mut out));
            out
        };
        let decode = |payload: &[u8]| {
            Command::decode(&TcMessage { kind: message_kind::COMMAND, timestamp: 0, payload }).unwrap()
        };
        assert_eq!(decode(&payload(&["connect".into()])), Err(DecodeError::Truncated));
        assert_eq!(decode(&payload(&[1.0.into(), 1.0.into()])), Err(DecodeError::Forbidden));
        assert_eq!(decode(&payload(&["connect".into(), "1".into()])), Err(DecodeError::Forbidden));
        let command = decode(&payload(&["connect".into(), 1.0.into()])).unwrap();
        assert_eq!((command.name.as_str(), command.arguments.len()), ("connect", 0));
    }

    #[test]
    fn texts_are_found_where_the_command_object_is_left_out() {
        let command = Command { arguments: vec!["192.0.2.1:5".into()], ..Command::new("setPeerInfo", 0.0, []) };
        assert_eq!(command.texts().collect::<Vec<_>>(), ["192.0.2.1:5"]);
    }

    #[test]
    fn other_types_are_no_command_and_other_formats_an_error() {
        assert_eq!(Command::decode(&TcMessage { kind: message_kind::AUDIO, timestamp: 0, payload: &[] }), None);
        let extended = TcMessage { kind: message_kind::COMMAND_EX, timestamp: 0, payload: &[3] };
        assert_eq!(Command::decode(&extended), Some(Err(DecodeError::UnknownType(3))));
    }

    #[test]
    fn a_payload_beyond_rtmp_s_limit_is_refused() {
        let bytes = vec![0; TcMessage::HEADER_LEN + MAX_PAYLOAD + 1];
        assert_eq!(TcMessage::decode(&bytes), Err(DecodeError::TooLarge));
        assert!(TcMessage::decode(&bytes[1..]).is_ok());
    }
}
