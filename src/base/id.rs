//! Identifiers and their text forms.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A peer's name: the SHA-256 fingerprint of its certificate (RFC 7425 section 4.3.2), 64 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerId(pub [u8; 32]);

/// Peers are kept in sorted lists, and fingerprints differ early: eight bytes decide without a call.
impl Ord for PeerId {
    fn cmp(&self, other: &Self) -> Ordering {
        let head = |id: &Self| id.0.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
        head(self).cmp(&head(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for PeerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A 32-bit session identifier (RFC 7016 section 2.2.2), chosen by whoever receives under it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

impl SessionId {
    /// The pseudo-session of startup packets; never an open session's.
    pub const STARTUP: Self = Self(0);
}

/// Why a text is not the hex form that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseHexError {
    /// Wrong number of digits.
    #[error("{found} characters where {wanted} hex digits are wanted")]
    Length {
        /// Digits that the value has.
        wanted: usize,
        /// Characters that the text has.
        found: usize,
    },
    /// A character that is no hex digit.
    #[error("character {} is not a hex digit", .position + 1)]
    Digit {
        /// Index of the character, from 0.
        position: usize,
    },
}

/// Lower-case hex of `bytes`.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|&b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char]).collect()
}

/// Bytes of a hex text of even length, either case.
///
/// # Errors
/// [`ParseHexError`] says how many digits are missing or which character is wrong.
pub fn from_hex(text: &str) -> Result<Vec<u8>, ParseHexError> {
    let digits = text
        .chars()
        .enumerate()
        .map(|(position, c)| c.to_digit(16).map(|d| d as u8).ok_or(ParseHexError::Digit { position }))
        .collect::<Result<Vec<u8>, _>>()?;
    if digits.len() % 2 == 1 {
        return Err(ParseHexError::Length { wanted: digits.len() + 1, found: digits.len() });
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

impl FromStr for PeerId {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        let found = text.chars().count();
        if found != 64 {
            return Err(ParseHexError::Length { wanted: 64, found });
        }
        let bytes = from_hex(text)?;
        let mut id = [0; 32];
        id.copy_from_slice(&bytes);
        Ok(Self(id))
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", to_hex(&self.0[..4]))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_id_text_round_trips_and_errors_point_at_the_place() {
        let text = "bdecc8b874f176cbc07f7d86764dd4dc0f7fc9035b0bea74711fbd7bfb314575";
        assert_eq!(text.parse::<PeerId>().unwrap().to_string(), text);
        assert_eq!(text[1..].parse::<PeerId>(), Err(ParseHexError::Length { wanted: 64, found: 63 }));
        let wrong = text.replacen('b', "g", 1);
        assert_eq!(wrong.parse::<PeerId>(), Err(ParseHexError::Digit { position: 0 }));
    }
}
