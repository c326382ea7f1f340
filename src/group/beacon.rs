//! Beacons: how members on one link learn of each other without a server (ours; security.md, "IP multicast").
//!
//! A beacon is the value of one option, of type 70, in the endpoint discriminator of an IHello that goes to the discovery
//! groups and that nobody answers:
//!
//! ```text
//! random (16) ‖ mark (8) ‖ sealed
//! mark   = the first 8 bytes of HMAC-SHA-256(K, "p2pt/1 beacon" 00 ‖ random)
//! sealed = AES-128-GCM(HKDF-Expand(K, "p2pt/1 beacon peer" 00 ‖ random, 16), nonce 0, aad = random ‖ mark,
//!                      peer ID (32) ‖ whatever later versions add)
//! K      = HKDF-Extract-SHA-256("p2pt/1 group" 00, T)
//! ```
//!
//! It tells holders of the groupspec who is there, and nobody else of which group; where, its source address tells. It
//! proves little, since it can be replayed: whoever follows it meets the membership handshake.

use crate::base::{PeerId, Rng};
use crate::crypto::mac::equal;
use crate::crypto::{GroupKey, SEAL_LEN};

const MARK_LABEL: &str = "p2pt/1 beacon";
const SEAL_LABEL: &str = "p2pt/1 beacon peer";
/// Bytes of the mark.
const MARK: usize = 8;
/// Bytes of a beacon at least.
pub const BEACON_LEN: usize = 16 + MARK + 32 + SEAL_LEN;

/// Makes and reads the beacons of one group.
#[derive(Debug)]
pub struct Beacons(GroupKey);

impl Beacons {
    /// Those of the group whose groupspec has this secret ([`super::Groupspec::secret`]).
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(GroupKey::new(secret))
    }

    /// A beacon that says that `peer` is here.
    #[must_use]
    pub fn make(&self, rng: &mut Rng, peer: PeerId) -> Vec<u8> {
        let random: [u8; 16] = rng.bytes();
        let head = [&random[..], &self.mark(&random)].concat();
        let sealed = self.0.seal(SEAL_LABEL, &random, &head, &peer.0);
        [head, sealed].concat()
    }

    /// Who says in this beacon that he is here, if it is one of this group.
    #[must_use]
    pub fn read(&self, beacon: &[u8]) -> Option<PeerId> {
        let (head, sealed) = beacon.split_at_checked(16 + MARK)?;
        let (random, mark) = head.split_first_chunk::<16>()?;
        if !equal(mark, &self.mark(random)) {
            return None;
        }
        let message = self.0.open(SEAL_LABEL, random, head, sealed)?;
        message.first_chunk::<32>().map(|id| PeerId(*id))
    }

    fn mark(&self, random: &[u8; 16]) -> [u8; MARK] {
        let [a, b, c, d, e, f, g, h, ..] = self.0.mac(MARK_LABEL, &[random]);
        [a, b, c, d, e, f, g, h]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_beacon_is_read_by_its_group_and_nobody_else() {
        let mut rng = crate::base::Rng::for_simulation(1);
        let (ours, others) = (Beacons::new(b"G:0101"), Beacons::new(b"G:0102"));
        let peer = PeerId([9; 32]);
        let beacon = ours.make(&mut rng, peer);
        assert_eq!(beacon.len(), BEACON_LEN);
        assert_eq!(ours.read(&beacon), Some(peer));
        assert_eq!(others.read(&beacon), None);
        assert!(!beacon.windows(8).any(|window| window == &peer.0[..8]), "the peer ID does not show");
        assert_ne!(beacon[..24], ours.make(&mut rng, peer)[..24], "and two have nothing in common");
        for at in 0..beacon.len() {
            let mut forged = beacon.clone();
            forged[at] ^= 1;
            assert_eq!(ours.read(&forged), None, "byte {at}");
            assert_eq!(ours.read(&beacon[..at]), None);
        }
    }

    proptest! {
        #[test]
        fn noise_is_none(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Beacons::new(b"G:0101").read(&noise), None);
        }
    }
}
