//! Which indices of the group belong to which file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Indices that a file owns.
pub const SPAN: u64 = 1 << 31;
/// Which of them is the head.
pub const HEAD: u64 = SPAN - 1;
/// Which of them says that all is there: an object without bytes, that proves nothing.
pub const ALL: u64 = SPAN - 2;
/// Bits of the hash that say where.
const PLACE_BITS: u32 = 22;

/// The first index of a file that is alone.
#[must_use]
pub fn base_of(hash: &[u8; 32]) -> u64 {
    place_of(hash) * SPAN
}

fn place_of(hash: &[u8; 32]) -> u64 {
    u64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) >> (32 - PLACE_BITS))
}

/// Where the files of one address lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Space {
    bases: BTreeMap<[u8; 32], u64>,
    owners: BTreeMap<u64, [u8; 32]>,
}

impl Space {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a file its indices, which are the next free ones if another has them; the first of them.
    ///
    /// # Panics
    /// With 2^22 files.
    pub fn add(&mut self, hash: [u8; 32]) -> u64 {
        if let Some(base) = self.bases.get(&hash) {
            return *base;
        }
        assert!(self.bases.len() < 1 << PLACE_BITS, "a list has fewer files");
        let mut place = place_of(&hash);
        while self.owners.contains_key(&(place * SPAN)) {
            place = (place + 1) % (1 << PLACE_BITS);
        }
        self.bases.insert(hash, place * SPAN);
        self.owners.insert(place * SPAN, hash);
        place * SPAN
    }

    /// The first index of a file.
    #[must_use]
    pub fn base(&self, hash: &[u8; 32]) -> Option<u64> {
        self.bases.get(hash).copied()
    }

    /// Whose an index is, and which of the file's: a piece, or [`HEAD`].
    #[must_use]
    pub fn owner(&self, index: u64) -> Option<([u8; 32], u64)> {
        let base = index - index % SPAN;
        self.owners.get(&base).map(|hash| (*hash, index - base))
    }

    /// All indices that belong to files, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.owners.keys().map(|base| *base..*base + SPAN)
    }

    /// All files.
    #[must_use]
    pub fn files(&self) -> BTreeSet<[u8; 32]> {
        self.bases.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bits_say_where_and_who_comes_late_takes_the_next() {
        let mut first = [0; 32];
        (first[0], first[1], first[2]) = (0xff, 0xff, 0xfc);
        let mut second = first;
        second[31] = 1;
        assert_eq!(base_of(&first), ((1 << 22) - 1) << 31);
        let mut space = Space::new();
        assert_eq!(space.add(first), base_of(&first));
        assert_eq!(space.add(second), 0, "around the end");
        assert_eq!(space.add(first), base_of(&first));
        assert_eq!(space.owner(HEAD), Some((second, HEAD)));
        assert_eq!(space.owner(base_of(&first) + 7), Some((first, 7)));
        assert_eq!(space.owner(SPAN), None);
        assert_eq!(base_of(&[0xff; 32]) + SPAN, 1 << 53);
    }
}
