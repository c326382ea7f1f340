//! Signatures. One function makes them all, and each use has a label of its own, so that none can pass for another.

use std::fmt::{self, Debug};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::base::Rng;

/// What a signature is for. The label, with a zero byte, is signed before everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// By the initiator, in IIKeying of profile `strong`.
    Initiator,
    /// By the responder, in RIKeying of profile `strong`.
    Responder,
    /// By the author, on a group post.
    Post,
    /// By a posting or publishing key, on a grant.
    Grant,
    /// By the publisher, on a manifest of a stream.
    Stream,
    /// By the author, on a stored value.
    Store,
    /// By the author, on a routed message.
    Route,
    /// By the receiver, on the acknowledgement of a routed message.
    Ack,
}

impl Label {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::Initiator => b"p2pt/strong/1 initiator\0",
            Self::Responder => b"p2pt/strong/1 responder\0",
            Self::Post => b"p2pt/1 post\0",
            Self::Grant => b"p2pt/1 grant\0",
            Self::Stream => b"p2pt/1 stream\0",
            Self::Store => b"p2pt/1 store\0",
            Self::Route => b"p2pt/1 route\0",
            Self::Ack => b"p2pt/1 ack\0",
        }
    }

    fn message(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut message = self.text().to_vec();
        parts.iter().for_each(|part| message.extend_from_slice(part));
        message
    }
}

/// An Ed25519 signing key, erased when dropped.
#[derive(Clone)]
pub struct SignKey(SigningKey);

impl SignKey {
    /// A new key.
    #[must_use]
    pub fn generate(rng: &mut Rng) -> Self {
        let seed = zeroize::Zeroizing::new(rng.bytes());
        Self::from_seed(&seed)
    }

    /// The key that grows from this seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed. A secret.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `parts`, end to end, for the use that `label` names.
    #[must_use]
    pub fn sign(&self, label: Label, parts: &[&[u8]]) -> [u8; 64] {
        self.0.sign(&label.message(parts)).to_bytes()
    }
}

impl Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignKey({})", crate::base::to_hex(&self.public()[..4]))
    }
}

/// Whether `signature` by the owner of `key` stands under `parts` for the use that `label` names. Strict: the key is
/// sound, the signature has exactly 64 bytes and the one canonical form.
#[must_use]
pub fn verify(key: &[u8; 32], label: Label, parts: &[&[u8]], signature: &[u8]) -> bool {
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    is_sound(key)
        && VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(&label.message(parts), &signature).is_ok())
}

/// Whether an Ed25519 public key is in canonical form, on the curve and not of small order.
pub(super) fn is_sound(key: &[u8; 32]) -> bool {
    is_canonical(key) && VerifyingKey::from_bytes(key).is_ok_and(|key| !key.is_weak())
}

/// Whether the encoded coordinate is below 2^255 − 19. (The other non-canonical form, x = 0 with a sign, belongs to points
/// of small order.)
fn is_canonical(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y[31] &= 0x7f;
    y[31] != 0x7f || y[1..31].iter().any(|&byte| byte != 0xff) || y[0] < 0xed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_serves_one_label_one_message_and_one_length() {
        let key = SignKey::from_seed(&[7; 32]);
        let public = key.public();
        let signature = key.sign(Label::Initiator, &[b"one", b"two"]);
        assert!(verify(&public, Label::Initiator, &[b"onetwo"], &signature));
        let others =
            [Label::Responder, Label::Post, Label::Grant, Label::Stream, Label::Store, Label::Route, Label::Ack];
        for label in others {
            assert!(!verify(&public, label, &[b"onetwo"], &signature), "{label:?}");
        }
        assert!(!verify(&public, Label::Initiator, &[b"onetwO"], &signature));
        assert!(!verify(&public, Label::Initiator, &[b"onetwo"], &signature[..63]));
        let longer = [signature.as_slice(), &[0]].concat();
        assert!(!verify(&public, Label::Initiator, &[b"onetwo"], &longer));
    }

    #[test]
    fn a_signature_with_the_group_order_added_is_refused() {
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = SignKey::from_seed(&[7; 32]);
        let mut signature = key.sign(Label::Initiator, &[b"message"]);
        let mut carry = 0;
        for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert!(!verify(&key.public(), Label::Initiator, &[b"message"], &signature));
    }

    #[test]
    fn keys_of_small_order_and_in_other_forms_are_unsound() {
        assert!(is_sound(&SignKey::from_seed(&[7; 32]).public()));
        let p = {
            let mut p = [0xff; 32];
            (p[0], p[31]) = (0xed, 0x7f);
            p
        };
        let one = std::array::from_fn(|at| u8::from(at == 0));
        let of_order_8: [u8; 32] =
            crate::base::from_hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
                .expect("hex")
                .try_into()
                .expect("32 bytes");
        for (name, key) in [("zero", [0; 32]), ("one", one), ("p", p), ("order 8", of_order_8)] {
            assert!(!is_sound(&key), "{name}");
            let mut signed = key;
            signed[31] |= 0x80;
            assert!(!is_sound(&signed), "{name} with a sign");
        }
        for above in 1..19 {
            let mut key = p;
            key[0] += above;
            assert!(!is_canonical(&key), "p + {above}");
        }
        let mut below = p;
        below[0] -= 1;
        assert!(is_canonical(&below));
    }
}
