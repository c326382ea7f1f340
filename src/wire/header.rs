//! The common header of an RTMFP packet (RFC 7016 section 2.2.4).

use super::error::DecodeError;
use super::reader::{take_u8, take_u16};

const TIME_CRITICAL: u8 = 0x80;
const TIME_CRITICAL_REVERSE: u8 = 0x40;
const TIMESTAMP: u8 = 0x08;
const TIMESTAMP_ECHO: u8 = 0x04;

/// The mode of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Sent by the session's original initiator.
    Initiator = 1,
    /// Sent by the session's original responder.
    Responder = 2,
    /// Session startup.
    Startup = 3,
}

/// The common header; reserved bits are sent as 0 and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The packet's mode.
    pub mode: Mode,
    /// Time Critical Forward Notification: real-time user data inside.
    pub time_critical: bool,
    /// Time Critical Reverse Notification: the sender receives time critical packets on other sessions.
    pub time_critical_reverse: bool,
    /// Low 16 bits of the sender's 250 Hz clock.
    pub timestamp: Option<u16>,
    /// What the sender makes of our own timestamp, advanced by the time that it held it.
    pub timestamp_echo: Option<u16>,
}

impl Header {
    /// Bytes of the longest header.
    pub const MAX_LEN: usize = 5;

    /// A header with nothing but a mode.
    #[must_use]
    pub const fn new(mode: Mode) -> Self {
        Self { mode, time_critical: false, time_critical_reverse: false, timestamp: None, timestamp_echo: None }
    }

    /// Bytes that [`Self::encode`] appends.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        1 + 2 * self.timestamp.is_some() as usize + 2 * self.timestamp_echo.is_some() as usize
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = self.mode as u8;
        for (set, flag) in [
            (self.time_critical, TIME_CRITICAL),
            (self.time_critical_reverse, TIME_CRITICAL_REVERSE),
            (self.timestamp.is_some(), TIMESTAMP),
            (self.timestamp_echo.is_some(), TIMESTAMP_ECHO),
        ] {
            if set {
                flags |= flag;
            }
        }
        out.push(flags);
        for stamp in [self.timestamp, self.timestamp_echo].into_iter().flatten() {
            out.extend_from_slice(&stamp.to_be_bytes());
        }
    }

    /// Sets [`Self::time_critical`] in an encoded packet.
    pub fn mark_time_critical(packet: &mut [u8]) {
        if let Some(flags) = packet.first_mut() {
            *flags |= TIME_CRITICAL;
        }
    }

    /// The header of `packet`, and the chunks and padding behind it.
    ///
    /// # Errors
    /// If the packet ends inside the header, or its mode is 0.
    pub fn decode(packet: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut rest = packet;
        let flags = take_u8(&mut rest)?;
        let mode = match flags & 3 {
            1 => Mode::Initiator,
            2 => Mode::Responder,
            3 => Mode::Startup,
            _ => return Err(DecodeError::Mode),
        };
        let mut stamp = |flag| if flags & flag == 0 { Ok(None) } else { take_u16(&mut rest).map(Some) };
        let (timestamp, timestamp_echo) = (stamp(TIMESTAMP)?, stamp(TIMESTAMP_ECHO)?);
        let header = Self {
            mode,
            time_critical: flags & TIME_CRITICAL != 0,
            time_critical_reverse: flags & TIME_CRITICAL_REVERSE != 0,
            timestamp,
            timestamp_echo,
        };
        Ok((header, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip_whatever_the_reserved_bits(flags: u8, body in proptest::collection::vec(any::<u8>(), 0..8)) {
            let mut packet = vec![flags];
            packet.extend(&body);
            let needed = usize::from(flags & TIMESTAMP != 0) * 2 + usize::from(flags & TIMESTAMP_ECHO != 0) * 2;
            match Header::decode(&packet) {
                Ok((header, rest)) => {
                    prop_assert_eq!(rest, &body[needed..]);
                    let mut out = Vec::new();
                    header.encode(&mut out);
                    prop_assert_eq!(out.len(), header.encoded_len());
                    prop_assert!(out.len() <= Header::MAX_LEN);
                    packet[0] &= !0x30;
                    prop_assert_eq!(&out[..], &packet[..=needed]);
                }
                Err(DecodeError::Mode) => prop_assert_eq!(flags & 3, 0),
                Err(error) => {
                    prop_assert_eq!(error, DecodeError::Truncated);
                    prop_assert!(body.len() < needed);
                }
            }
        }
    }

    #[test]
    fn an_empty_packet_has_no_header() {
        assert_eq!(Header::decode(&[]), Err(DecodeError::Truncated));
    }
}
