//! Sealing and opening the packets of an open session, in batches and in place.

use std::fmt::Debug;
use std::ops::Range;

use crate::base::SessionId;

/// Protects outgoing packets.
///
/// A packet's plaintext lies somewhere in a buffer with [`Sealer::head`] free bytes before it; sealing turns
/// `start - head() .. start - head() + sealed_len(len)` into the datagram. So packets are assembled where they will be
/// sent from, a GSO batch end to end.
pub trait Sealer: Send + Debug {
    /// Bytes of a datagram before its plaintext, for the next [`Sealer::max_batch`] packets.
    fn head(&self) -> usize;

    /// The longest plaintext whose datagram has at most `datagram` bytes, for the next [`Sealer::max_batch`] packets.
    fn max_plain(&self, datagram: usize) -> usize;

    /// Bytes of the datagram for a plaintext of `plain` bytes, head included, for the next [`Sealer::max_batch`]
    /// packets.
    fn sealed_len(&self, plain: usize) -> usize;

    /// How many packets can be sealed before the answers above change. 0: never again; the session has to close.
    fn max_batch(&self) -> usize;

    /// Seals the plaintexts at `packets`, in this order, for the far end's session `id`. At most
    /// [`Sealer::max_batch`] of them; their datagrams lie within `buf` and do not overlap.
    fn seal_batch(&mut self, id: SessionId, buf: &mut [u8], packets: &[Range<usize>]);

    /// The datagram for one plaintext: for packets that stand alone. [`Sealer::max_batch`] must not be 0.
    fn seal(&mut self, id: SessionId, plain: &[u8]) -> Vec<u8> {
        let place = self.head()..self.head() + plain.len();
        let mut datagram = vec![0; self.sealed_len(plain.len())];
        datagram[place.clone()].copy_from_slice(plain);
        self.seal_batch(id, &mut datagram, std::slice::from_ref(&place));
        datagram
    }
}

/// Opens incoming packets.
pub trait Opener: Send + Debug {
    /// Opens in place the datagrams in `data`, `segment` bytes each but for the last, which came for our session
    /// `id`; appends one entry per datagram to `out`, in order.
    fn open_batch(&mut self, id: SessionId, data: &mut [u8], segment: usize, out: &mut Vec<Opened>);
}

/// What became of one datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where its plaintext is in the data that was handed in; empty if it did not open.
    pub plain: Range<usize>,
    /// The number that the sender gave it, where the profile numbers packets.
    pub number: Option<u64>,
    /// Whether it is authentic and its number is the highest so far. Only such a packet may start a check of a new
    /// address; without authentication none does.
    pub newest: bool,
    /// Whether it opened, or why not.
    pub result: Result<(), OpenError>,
}

impl Opened {
    pub(super) fn failed(at: usize, number: Option<u64>, error: OpenError) -> Self {
        Self { plain: at..at, number, newest: false, result: Err(error) }
    }
}

/// Why a packet is dropped. Counted by reason; none of them closes a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum OpenError {
    /// Shorter than any packet.
    #[error("too short")]
    TooShort,
    /// Not a multiple of the cipher's block.
    #[error("not whole cipher blocks")]
    NotWholeBlocks,
    /// The authenticator is not the right one: other keys, or altered.
    #[error("not authentic")]
    NotAuthentic,
    /// The checksum is wrong.
    #[error("bad checksum")]
    BadChecksum,
    /// The sequence number cannot be read.
    #[error("bad sequence number")]
    BadSequenceNumber,
    /// A packet with this number came before.
    #[error("replayed")]
    Replayed,
    /// Its number is so low that nobody remembers whether it came before.
    #[error("below the replay window")]
    BelowWindow,
    /// Its number belongs to a key epoch that is over or too far ahead.
    #[error("of another key epoch")]
    OtherEpoch,
}

/// The session a datagram is for (RFC 7016 section 2.2.2); `None` for less than four bytes.
#[must_use]
pub fn session_id_of(datagram: &[u8]) -> Option<SessionId> {
    let (scrambled, rest) = datagram.split_first_chunk()?;
    Some(SessionId(u32::from_be_bytes(*scrambled) ^ mask(rest)))
}

/// Writes the scrambled session ID into the first four bytes of a datagram whose rest is complete.
pub(super) fn scramble(id: SessionId, datagram: &mut [u8]) {
    let (scrambled, rest) = datagram.split_first_chunk_mut().expect("a datagram begins with its session ID");
    *scrambled = (id.0 ^ mask(rest)).to_be_bytes();
}

/// The exclusive or of the two words after the session ID; bytes that are not there count as zero.
fn mask(rest: &[u8]) -> u32 {
    let mut words = [0; 8];
    let len = rest.len().min(8);
    words[..len].copy_from_slice(&rest[..len]);
    let words = u64::from_be_bytes(words);
    (words >> 32) as u32 ^ words as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_survive_scrambling_at_every_length() {
        for len in 4..14u8 {
            let mut datagram: Vec<u8> = (0..len).map(|n| n.wrapping_mul(37)).collect();
            scramble(SessionId(0x1122_3344), &mut datagram);
            assert_eq!(session_id_of(&datagram), Some(SessionId(0x1122_3344)));
        }
        assert_eq!(session_id_of(&[1, 2, 3]), None);
    }
}
