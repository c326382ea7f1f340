//! How messages are told apart on standard input and output.

use bytes::{Bytes, BytesMut};

/// Bytes of an MPEG transport stream packet.
const TS_PACKET: usize = 188;
/// Transport stream packets in one message: what fits a packet of an ordinary path.
const TS_PER_MESSAGE: usize = 7;
/// A longer message is an error of the input.
const MAX_MESSAGE: usize = 16 << 20;

/// A way to tell messages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Lines.
    Line,
    /// Records that end in a zero byte.
    Nul,
    /// MPEG transport stream packets, seven to a message.
    Ts,
    /// A four-byte big-endian length before each.
    U32,
}

/// Why input can't be cut into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// Longer than any message may be.
    #[error("a message of more than {MAX_MESSAGE} bytes")]
    TooLong,
    /// Less than a message is left.
    #[error("the input ends in the middle of a message")]
    Truncated,
}

impl Framing {
    /// The framing of this name in the table of flags.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "nul" => Self::Nul,
            "ts" => Self::Ts,
            "u32" => Self::U32,
            _ => Self::Line,
        }
    }

    /// Takes the next whole message out of `input`. At the end of input, what is left counts as one where that makes
    /// sense.
    ///
    /// # Errors
    /// [`FramingError`]: no more messages can be told apart.
    pub fn take(self, input: &mut BytesMut, ended: bool) -> Result<Option<Bytes>, FramingError> {
        let message = match self {
            Self::Line => take_record(input, b'\n', ended),
            Self::Nul => take_record(input, 0, ended),
            Self::Ts => {
                let whole = input.len() / TS_PACKET;
                let packets = if whole >= TS_PER_MESSAGE {
                    TS_PER_MESSAGE
                } else if ended {
                    whole
                } else {
                    0
                };
                if packets == 0 && ended && !input.is_empty() {
                    return Err(FramingError::Truncated);
                }
                (packets > 0).then(|| input.split_to(packets * TS_PACKET).freeze())
            }
            Self::U32 => {
                let Some(length) = input.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize) else {
                    return if ended && !input.is_empty() { Err(FramingError::Truncated) } else { Ok(None) };
                };
                if length > MAX_MESSAGE {
                    return Err(FramingError::TooLong);
                }
                if input.len() < 4 + length {
                    return if ended { Err(FramingError::Truncated) } else { Ok(None) };
                }
                let _ = input.split_to(4);
                Some(input.split_to(length).freeze())
            }
        };
        if message.is_none() && input.len() > MAX_MESSAGE {
            return Err(FramingError::TooLong);
        }
        Ok(message)
    }

    /// Appends a message as it is written out.
    pub fn put(self, output: &mut Vec<u8>, message: &[u8]) {
        if self == Self::U32 {
            output.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
        output.extend_from_slice(message);
        match self {
            Self::Line => output.push(b'\n'),
            Self::Nul => output.push(0),
            Self::Ts | Self::U32 => {}
        }
    }
}

fn take_record(input: &mut BytesMut, end: u8, ended: bool) -> Option<Bytes> {
    match input.iter().position(|&byte| byte == end) {
        Some(at) => {
            let message = input.split_to(at).freeze();
            let _ = input.split_to(1);
            Some(message)
        }
        None if ended && !input.is_empty() => Some(input.split().freeze()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(framing: Framing, input: &[u8]) -> Result<Vec<Bytes>, FramingError> {
        let mut messages = Vec::new();
        let mut buffer = BytesMut::new();
        // A byte at a time: where the pieces of the input end makes no difference.
        for byte in input {
            buffer.extend_from_slice(&[*byte]);
            messages.extend(framing.take(&mut buffer, false)?);
        }
        while let Some(message) = framing.take(&mut buffer, true)? {
            messages.push(message);
        }
        Ok(messages)
    }

    #[test]
    fn records_come_out_as_they_went_in() {
        type Case = (Framing, &'static [u8], &'static [&'static [u8]]);
        let cases: [Case; 4] = [
            (Framing::Line, b"one\n\nthree", &[b"one", b"", b"three"]),
            (Framing::Nul, b"a\nb\0c\0", &[b"a\nb", b"c"]),
            (Framing::U32, b"\0\0\0\x02hi\0\0\0\0", &[b"hi", b""]),
            (Framing::Line, b"", &[]),
        ];
        for (framing, input, messages) in cases {
            assert_eq!(cut(framing, input).unwrap(), messages, "{framing:?}");
        }
        let mut written = Vec::new();
        for message in cut(Framing::U32, b"\0\0\0\x02hi\0\0\0\0").unwrap() {
            Framing::U32.put(&mut written, &message);
        }
        assert_eq!(written, b"\0\0\0\x02hi\0\0\0\0");
    }

    #[test]
    fn transport_stream_packets_travel_by_seven_and_a_torn_one_is_an_error() {
        let input = vec![0x47; 188 * 10];
        let lengths: Vec<usize> = cut(Framing::Ts, &input).unwrap().iter().map(Bytes::len).collect();
        assert_eq!(lengths, [188 * 7, 188 * 3]);
        assert_eq!(cut(Framing::Ts, &input[..100]), Err(FramingError::Truncated));
        assert_eq!(cut(Framing::U32, b"\0\0\0\x05hi"), Err(FramingError::Truncated));
        assert_eq!(cut(Framing::U32, b"\xff\0\0\0"), Err(FramingError::TooLong));
    }
}
