//! The trees along which a stream is passed on: one for each slice of its fragments, and one for its manifests.

/// Slices of a stream: fragments whose ID modulo this is the same.
pub(super) const SLICES: usize = 8;
/// The tree of the manifests; those before it are the slices'.
pub(super) const MANIFESTS: usize = SLICES;
/// How many trees there are.
pub(super) const TREES: usize = SLICES + 1;

/// The slice that a fragment belongs to.
pub(super) const fn slice_of(id: u64) -> usize {
    (id % SLICES as u64) as usize
}

/// Some of the trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Trees(u16);

impl Trees {
    pub(super) const ALL: Self = Self((1 << TREES) - 1);

    /// The slices of a mask, and perhaps the manifests.
    pub(super) fn of(slices: u8, manifests: bool) -> Self {
        Self(u16::from(slices) | u16::from(manifests) << MANIFESTS)
    }

    pub(super) const fn slices(self) -> u8 {
        self.0 as u8
    }

    pub(super) const fn has(self, tree: usize) -> bool {
        self.0 >> tree & 1 == 1
    }

    pub(super) const fn set(&mut self, tree: usize, has: bool) {
        self.0 = self.0 & !(1 << tree) | (has as u16) << tree;
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..TREES).filter(move |tree| self.has(*tree))
    }
}
