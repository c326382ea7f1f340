//! What one member says to all who hear a group's IP multicast address (ours; security.md, "IP multicast"):
//!
//! ```text
//! random (16) ‖ number (8) ‖ AES-128-GCM(k, nonce = 0000 ‖ number, aad = random ‖ number, message)
//! k = HKDF-Expand(K, "p2pt/1 ipmc" 00 ‖ group ID ‖ random, 16), K of [`GroupKey`]
//! ```
//!
//! `random` is a sender's for as long as it runs, and no other's: a number is used once with it. All holders of the
//! groupspec can read and say anything: this hides, and does not prove who spoke.

use ring::aead::{Aad, LessSafeKey, Nonce};

use super::group_key::{GroupKey, SEAL_LEN};
use super::window::Window;
use crate::base::Rng;

const LABEL: &str = "p2pt/1 ipmc";
/// Bytes before the sealed message.
const HEAD: usize = 16 + 8;
/// Bytes that sealing adds to a message.
pub const CAST_LEN: usize = HEAD + SEAL_LEN;
/// So many numbers back something may still come.
const WINDOW: u32 = 4_096;

/// Seals what one member says.
#[derive(Debug)]
pub struct CastSealer {
    key: LessSafeKey,
    random: [u8; 16],
    next: u64,
}

impl CastSealer {
    /// For a member of this group.
    #[must_use]
    pub fn new(key: &GroupKey, group: &[u8; 32], rng: &mut Rng) -> Self {
        let random = rng.bytes();
        Self { key: key.derive(LABEL, &[group, &random]), random, next: 0 }
    }

    /// By which its datagrams are known ([`cast_sender`]).
    #[must_use]
    pub const fn random(&self) -> [u8; 16] {
        self.random
    }

    /// A datagram with the message that `parts` are.
    pub fn seal(&mut self, parts: &[&[u8]]) -> Vec<u8> {
        let number = self.next;
        self.next += 1;
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut datagram = Vec::with_capacity(CAST_LEN + len);
        datagram.extend_from_slice(&self.random);
        datagram.extend_from_slice(&number.to_be_bytes());
        parts.iter().for_each(|part| datagram.extend_from_slice(part));
        let (head, message) = datagram.split_at_mut(HEAD);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(number), Aad::from(&*head), message)
            .expect("short messages can be sealed");
        datagram.extend_from_slice(tag.as_ref());
        datagram
    }
}

/// Who sent a datagram, by its own account.
#[must_use]
pub fn cast_sender(datagram: &[u8]) -> Option<[u8; 16]> {
    if datagram.len() < CAST_LEN { None } else { datagram.first_chunk().copied() }
}

/// Opens what one sender says.
#[derive(Debug)]
pub struct CastOpener {
    key: LessSafeKey,
    window: Window,
}

impl CastOpener {
    /// For the sender with this `random`, in this group.
    #[must_use]
    pub fn new(key: &GroupKey, group: &[u8; 32], random: &[u8; 16]) -> Self {
        Self { key: key.derive(LABEL, &[group, random]), window: Window::new(WINDOW) }
    }

    /// The message and its number, if it is genuine and did not come before.
    #[must_use]
    pub fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Option<(u64, &'a [u8])> {
        let (head, sealed) = datagram.split_at_mut_checked(HEAD)?;
        let number = u64::from_be_bytes(*head.last_chunk()?);
        self.window.check(number).ok()?;
        let message = self.key.open_in_place(nonce(number), Aad::from(&*head), sealed).ok()?;
        self.window.mark(number);
        Some((number, message))
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: [u8; 32] = [9; 32];

    fn ends(secret: &[u8], group: &[u8; 32]) -> (CastSealer, CastOpener) {
        let key = GroupKey::new(secret);
        let sealer = CastSealer::new(&key, group, &mut Rng::for_simulation(1));
        let opener = CastOpener::new(&key, group, &sealer.random);
        (sealer, opener)
    }

    #[test]
    fn members_read_what_others_do_not() {
        let (mut sealer, mut opener) = ends(b"G:0101", &GROUP);
        let datagram = sealer.seal(&[b"one ", b"message"]);
        assert_eq!(datagram.len(), 11 + CAST_LEN);
        assert_eq!(cast_sender(&datagram), Some(sealer.random));
        assert!(!datagram.windows(4).any(|window| window == b"mess"));
        for (secret, group) in [(&b"G:0102"[..], GROUP), (b"G:0101", [8; 32])] {
            assert_eq!(ends(secret, &group).1.open(&mut datagram.clone()), None);
        }
        for at in 0..datagram.len() {
            let mut altered = datagram.clone();
            altered[at] ^= 1;
            // The sender's own name is what the key is found by.
            assert!(at < 16 || opener.open(&mut altered).is_none(), "byte {at}");
            assert_eq!(opener.open(&mut datagram[..at].to_vec()), None);
        }
        assert_eq!(opener.open(&mut datagram.clone()), Some((0, &b"one message"[..])));
    }

    #[test]
    fn a_replay_is_none() {
        let (mut sealer, mut opener) = ends(b"G:0101", &GROUP);
        let datagrams: Vec<Vec<u8>> = (0..3).map(|_| sealer.seal(&[b"x"])).collect();
        let mut numbers = Vec::new();
        for at in [0, 2, 0, 1, 1, 2] {
            numbers.push(opener.open(&mut datagrams[at].clone()).map(|(number, _)| number));
        }
        assert_eq!(numbers, [Some(0), Some(2), None, Some(1), None, None]);
    }

    #[test]
    fn who_begins_anew_uses_no_key_again() {
        let key = GroupKey::new(b"G:0101");
        let mut rng = Rng::for_simulation(1);
        let [mut first, mut second] = [(); 2].map(|()| CastSealer::new(&key, &GROUP, &mut rng));
        assert_ne!(first.random, second.random);
        let (one, other) = (first.seal(&[b"the same"]), second.seal(&[b"the same"]));
        assert_ne!(one[HEAD..], other[HEAD..], "the number is the same, the key is not");
    }
}
