//! Positions on the ring.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::base::{ParseHexError, PeerId, to_hex};

/// A position on the ring of 2^256 addresses (flash-groups section 4.1). As text 64 hex digits; ordered as a big-endian
/// number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupAddress(pub [u8; 32]);

impl GroupAddress {
    /// Where a peer sits, in every group: SHA-256 of `21 0f` and its peer ID.
    #[must_use]
    pub fn of(peer: PeerId) -> Self {
        Self(Sha256::new().chain_update([0x21, 0x0f]).chain_update(peer.0).finalize().into())
    }

    /// Where a key sits: SHA-256 of its bytes.
    #[must_use]
    pub fn of_key(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// How far it is from `from` to here in increasing direction.
    #[must_use]
    pub fn clockwise_from(self, from: Self) -> Self {
        let mut borrow = false;
        let mut difference = [0; 32];
        for at in (0..32).rev() {
            let (step, under) = self.0[at].overflowing_sub(from.0[at]);
            let (step, again) = step.overflowing_sub(u8::from(borrow));
            borrow = under || again;
            difference[at] = step;
        }
        Self(difference)
    }

    /// How far it is to `other` by the shorter way.
    #[must_use]
    pub fn distance(self, other: Self) -> Self {
        self.clockwise_from(other).min(other.clockwise_from(self))
    }

    /// The position `offset` further in increasing direction.
    #[must_use]
    pub fn plus(self, offset: Self) -> Self {
        let mut carry = false;
        let mut sum = [0; 32];
        for at in (0..32).rev() {
            let (step, over) = self.0[at].overflowing_add(offset.0[at]);
            let (step, again) = step.overflowing_add(u8::from(carry));
            carry = over || again;
            sum[at] = step;
        }
        Self(sum)
    }

    /// The position `offset` further in decreasing direction.
    #[must_use]
    pub fn minus(self, offset: Self) -> Self {
        self.clockwise_from(offset)
    }

    /// The position halfway from here to `to` in increasing direction, rounded down.
    #[must_use]
    pub fn midpoint(self, to: Self) -> Self {
        let arc = to.clockwise_from(self);
        let half = std::array::from_fn(|at| arc.0[at] >> 1 | if at > 0 { arc.0[at - 1] << 7 } else { 0 });
        self.plus(Self(half))
    }

    /// The part of the ring that is 2^-`exponent` of it, for `exponent` from 1 to 255.
    #[must_use]
    pub fn fraction(exponent: u8) -> Self {
        let bit = 256 - usize::from(exponent.max(1));
        let mut part = [0; 32];
        part[31 - bit / 8] = 1 << (bit % 8);
        Self(part)
    }

    /// The highest 64 bits.
    #[must_use]
    pub const fn top64(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Members are kept by their place, and places differ early: eight bytes decide without a call.
impl Ord for GroupAddress {
    fn cmp(&self, other: &Self) -> Ordering {
        self.top64().cmp(&other.top64()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for GroupAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for GroupAddress {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        text.parse().map(|PeerId(bytes)| Self(bytes))
    }
}

impl fmt::Display for GroupAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for GroupAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}…", to_hex(&self.0[..4]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> PeerId {
        text.parse().unwrap()
    }

    fn number(value: u8) -> GroupAddress {
        let mut bytes = [0; 32];
        bytes[31] = value;
        GroupAddress(bytes)
    }

    #[test]
    fn the_vector_of_section_4_1() {
        let address = GroupAddress::of(peer("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
        assert_eq!(address.to_string(), "b899a498e581c1b05a163df2329c20db35411de8eeeed68e12ecdc2ba9e15ebc");
    }

    #[test]
    fn the_ring_closes() {
        let last = GroupAddress([0xff; 32]);
        assert_eq!(number(1).clockwise_from(last), number(2));
        assert_eq!(number(1).distance(last), number(2));
        assert_eq!(last.plus(number(2)), number(1));
        assert_eq!(last.midpoint(number(3)), number(1));
        assert_eq!(GroupAddress::fraction(1).0[0], 0x80);
        assert_eq!(GroupAddress::fraction(255), number(2));
        assert_eq!(GroupAddress::fraction(1).plus(GroupAddress::fraction(1)), number(0));
    }
}
