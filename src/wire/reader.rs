//! Taking fixed and length-prefixed fields off the front of a slice.

use super::error::DecodeError;
use super::vlu;

/// Takes `len` bytes.
pub(crate) fn take<'a>(from: &mut &'a [u8], len: usize) -> Result<&'a [u8], DecodeError> {
    let (head, rest) = from.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    *from = rest;
    Ok(head)
}

/// Takes an array of known length.
pub(crate) fn take_array<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (head, rest) = from.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
    *from = rest;
    Ok(*head)
}

/// Takes one byte.
pub(crate) fn take_u8(from: &mut &[u8]) -> Result<u8, DecodeError> {
    take_array::<1>(from).map(|[byte]| byte)
}

/// Takes a big-endian 16-bit number.
pub(crate) fn take_u16(from: &mut &[u8]) -> Result<u16, DecodeError> {
    take_array(from).map(u16::from_be_bytes)
}

/// Takes a big-endian 32-bit number.
pub(crate) fn take_u32(from: &mut &[u8]) -> Result<u32, DecodeError> {
    take_array(from).map(u32::from_be_bytes)
}

/// Takes a field that a VLU with its length precedes.
pub(crate) fn take_counted<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let len = vlu::take(from)?;
    take(from, usize::try_from(len).map_err(|_| DecodeError::Truncated)?)
}

/// The same of a field of `longest` bytes at most.
pub(crate) fn take_counted_to<'a>(from: &mut &'a [u8], longest: usize) -> Result<&'a [u8], DecodeError> {
    let field = take_counted(from)?;
    if field.len() > longest { Err(DecodeError::TooLarge) } else { Ok(field) }
}

/// Takes everything that is left.
pub(crate) fn take_rest<'a>(from: &mut &'a [u8]) -> &'a [u8] {
    std::mem::take(from)
}

/// Appends a field with a VLU of its length before it.
pub(crate) fn put_counted(out: &mut Vec<u8>, field: &[u8]) {
    vlu::put(out, field.len() as u64);
    out.extend_from_slice(field);
}

/// Bytes that [`put_counted`] appends.
pub(crate) fn counted_len(field: &[u8]) -> usize {
    vlu::len(field.len() as u64) + field.len()
}
