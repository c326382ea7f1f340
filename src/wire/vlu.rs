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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip_and_every_truncation_fails(shift in 0u32..64, bits: u64) {
            let value = bits >> shift;
            let mut out = Vec::new();
            put(&mut out, value);
            prop_assert_eq!(out.len(), len(value));
            prop_assert!(out.len() <= MAX_LEN);
            let mut rest = &out[..];
            prop_assert_eq!(take(&mut rest), Ok(value));
            prop_assert!(rest.is_empty());
            for cut in 0..out.len() {
                let mut rest = &out[..cut];
                prop_assert_eq!(take(&mut rest), Err(DecodeError::Truncated));
                prop_assert_eq!(rest.len(), cut);
            }
        }

        #[test]
        fn agrees_with_arithmetic_that_cannot_overflow(groups in proptest::collection::vec(0u8..128, 1..18)) {
            let wide = groups.iter().fold(0u128, |value, &digit| value << 7 | u128::from(digit));
            let mut bytes: Vec<u8> = groups.iter().map(|digit| digit | 0x80).collect();
            *bytes.last_mut().unwrap() &= 0x7f;
            bytes.push(0x55);
            let mut rest = &bytes[..];
            prop_assert_eq!(take(&mut rest), Ok(u64::try_from(wide).unwrap_or(u64::MAX)));
            prop_assert_eq!(rest, [0x55]);
        }
    }

    #[test]
    fn needless_leading_zero_groups_are_accepted() {
        assert_eq!(take(&mut &[0x80, 0x80, 0x05][..]), Ok(5));
    }
}
