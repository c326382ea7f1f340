//! The packet checksum of RFC 7425 section 4.7.

/// The one's complement of the one's complement sum of big-endian words. Unlike in RFC 1071, a last odd byte is the low
/// half of its word, as rtmfp-cpp and Flash Player have it.
pub(super) fn checksum(data: &[u8]) -> u16 {
    let (words, odd) = data.as_chunks::<2>();
    let sum: u64 = words.iter().map(|&word| u64::from(u16::from_be_bytes(word))).sum();
    let mut sum = sum + odd.first().map_or(0, |&byte| u64::from(byte));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
