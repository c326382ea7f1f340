//! What all holders of a groupspec share besides sessions: a key for what is said on the LAN.

use hkdf::Hkdf;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::mac::hmac;

/// K = HKDF-Extract-SHA-256(salt `p2pt/1 group` 00, T), where T is a groupspec's secret text. Erased when dropped. Each
/// use has a label of its own.
#[derive(ZeroizeOnDrop)]
pub struct GroupKey([u8; 32]);

/// Bytes that [`GroupKey::seal`] adds.
pub const SEAL_LEN: usize = 16;

impl GroupKey {
    /// The key of the group with this secret.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        // Extract of RFC 5869 is this HMAC.
        Self(hmac(b"p2pt/1 group\0", &[secret]))
    }

    /// HMAC-SHA-256 under K of the label, a zero byte and `parts`.
    #[must_use]
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let parts: Vec<&[u8]> = [label.as_bytes(), &[0]].into_iter().chain(parts.iter().copied()).collect();
        hmac(&self.0, &parts)
    }

    /// AES-128-GCM under a key for this one message: HKDF-Expand(K, label ‖ 00 ‖ `random`), nonce zero. `random` must
    /// never be used again with this label.
    #[must_use]
    pub fn seal(&self, label: &str, random: &[u8; 16], associated: &[u8], message: &[u8]) -> Vec<u8> {
        let mut sealed = message.to_vec();
        self.one_time(label, random)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::from(associated), &mut sealed)
            .expect("short messages can be sealed");
        sealed
    }

    /// What was sealed, if it is genuine.
    #[must_use]
    pub fn open(&self, label: &str, random: &[u8; 16], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut message = sealed.to_vec();
        let key = self.one_time(label, random);
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let len = key.open_in_place(nonce, Aad::from(associated), &mut message).ok()?.len();
        message.truncate(len);
        Some(message)
    }

    fn one_time(&self, label: &str, random: &[u8; 16]) -> LessSafeKey {
        self.derive(label, &[random])
    }

    /// The key HKDF-Expand(K, label ‖ 00 ‖ `parts`).
    pub(super) fn derive(&self, label: &str, parts: &[&[u8]]) -> LessSafeKey {
        let mut key = Zeroizing::new([0; 16]);
        let info: Vec<&[u8]> = [label.as_bytes(), &[0]].into_iter().chain(parts.iter().copied()).collect();
        Hkdf::<Sha256>::from_prk(&self.0)
            .expect("32 bytes are what HKDF-SHA-256 expands from")
            .expand_multi_info(&info, key.as_mut_slice())
            .expect("HKDF yields up to 8,160 bytes");
        LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_slice()).expect("AES-128 takes 16 bytes"))
    }
}

impl std::fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_label_chance_and_context_open() {
        let (key, random) = (GroupKey::new(b"G:0101"), [7; 16]);
        let sealed = key.seal("a", &random, b"context", b"message");
        assert_eq!(sealed.len(), 7 + SEAL_LEN);
        assert_eq!(key.open("a", &random, b"context", &sealed).as_deref(), Some(&b"message"[..]));
        assert_eq!(key.open("b", &random, b"context", &sealed), None);
        assert_eq!(key.open("a", &[8; 16], b"context", &sealed), None);
        assert_eq!(key.open("a", &random, b"contexT", &sealed), None);
        assert_eq!(key.open("a", &random, b"context", &sealed[..7]), None);
        assert_eq!(GroupKey::new(b"G:0102").open("a", &random, b"context", &sealed), None);
        assert_ne!(key.mac("a", &[b"x"]), key.mac("ax", &[]));
    }
}
