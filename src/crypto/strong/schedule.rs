//! From a shared secret to the keys of packets: HKDF-SHA-256 with a label for each use.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// Packets per key epoch, as a power of two: RFC 9001's limit for AES-GCM packets of any size.
pub(super) const EPOCH_BITS: u32 = 23;

/// What both ends know and nobody else. Erased when dropped.
pub(super) struct Secret(Hkdf<Sha256>);

/// The two directions and the two nonces.
pub(super) struct Schedule {
    pub(super) initiator_to_responder: EpochSecret,
    pub(super) responder_to_initiator: EpochSecret,
    pub(super) initiator_nonce: Zeroizing<[u8; 32]>,
    pub(super) responder_nonce: Zeroizing<[u8; 32]>,
}

/// The secret of one direction's epoch, from which its keys and the next epoch's secret follow.
#[derive(ZeroizeOnDrop)]
pub(super) struct EpochSecret([u8; 32]);

/// Key and IV of an epoch.
#[derive(ZeroizeOnDrop)]
pub(super) struct EpochKey {
    pub(super) key: [u8; 16],
    pub(super) iv: [u8; 12],
}

impl Schedule {
    /// All keys of a session from its transcript hash and the X25519 secret.
    pub(super) fn new(transcript: &[u8; 32], shared: &[u8; 32]) -> Self {
        let secret = Secret(Hkdf::new(Some(transcript), shared));
        let exporter = secret.derive::<32>("exporter");
        let exporter = Secret(from_key(&exporter));
        Self {
            initiator_to_responder: EpochSecret(*secret.derive("i2r")),
            responder_to_initiator: EpochSecret(*secret.derive("r2i")),
            initiator_nonce: exporter.derive("nonce initiator"),
            responder_nonce: exporter.derive("nonce responder"),
        }
    }
}

impl EpochSecret {
    /// The keys of this epoch.
    pub(super) fn key(&self) -> EpochKey {
        let secret = Secret(from_key(&self.0));
        EpochKey { key: *secret.derive("key"), iv: *secret.derive("iv") }
    }

    /// Goes on to the next epoch; this one's secret is erased.
    pub(super) fn advance(&mut self) {
        let mut next = *Secret(from_key(&self.0)).derive("next");
        self.0.zeroize();
        self.0 = next;
        next.zeroize();
    }
}

impl Secret {
    fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        let mut out = Zeroizing::new([0; N]);
        self.0
            .expand_multi_info(&[b"p2pt/strong/1 ", label.as_bytes()], out.as_mut_slice())
            .expect("HKDF yields up to 8,160 bytes");
        out
    }
}

fn from_key(key: &[u8; 32]) -> Hkdf<Sha256> {
    Hkdf::from_prk(key).expect("32 bytes are what HKDF-SHA-256 expands from")
}
