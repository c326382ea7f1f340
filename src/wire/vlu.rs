//! Variable length unsigned integers (RFC 7016 section 2.1.2): base 128, most significant group first, high bit = more follow.

use super::error::DecodeError;

/// Longest encoding that [`put`] makes.
pub const MAX_LEN: usize = 10;

/// Bytes that [`put`] appends for `value`.
#[must_use]
pub const fn len(value: u64) -> usize {
    if value < 0x80 { 1 } else { (63 - value.leading_zeros() as usize) / 7 + 1 }
}

/// Appends the shortest encoding of `value`.
pub fn put(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    for group in (1..len(value)).rev() {
        out.push((value >> (7 * group)) as u8 | 0x80);
    }
    out.push(value as u8 & 0x7f);
}

/// Takes a VLU off the front of `from`. Needless leading zero groups are accepted; a value above 2^64 − 1 counts as 2^64 − 1. On
/// an error `from` is as before.
///
/// # Errors
/// [`DecodeError::Truncated`] if the bytes end before the last group.
pub fn take(from: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0u64;
    for (at, &byte) in from.iter().enumerate() {
        let digit = u64::from(byte & 0x7f);
        value = if value > u64::MAX >> 7 { u64::MAX } else { value << 7 | digit };
        if byte & 0x80 == 0 {
            *from = from.get(at + 1..).expect("at is an index of from");
            return Ok(value);
        }
    }
    Err(DecodeError::Truncated)
}
