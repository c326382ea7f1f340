//! BLAKE3's tree above the pieces of a file: what is known of it, and what that proves.

use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::shape::Shape;

/// What BLAKE3 gives for a subtree; for a file of one piece, its hash.
pub type Cv = [u8; 32];
/// Siblings in a proof at most.
pub const MAX_DEPTH: usize = 31;

/// What a piece hashes to: a chaining value, or the file's hash if it is the only one.
///
/// # Panics
/// If there is no such piece, or the data has another length.
#[must_use]
pub fn leaf(shape: Shape, piece: u64, data: &[u8]) -> Cv {
    assert_eq!(data.len(), shape.len(piece), "the length of the piece");
    if shape.pieces() == 1 {
        return *blake3::hash(data).as_bytes();
    }
    Hasher::new().set_input_offset(shape.range(piece).start).update(data).finalize_non_root()
}

/// A step on the way from a leaf to the root. Nodes are numbered in order: leaf i is 2i, and a parent stands between its children's leaves.
struct Step {
    parent: usize,
    sibling: usize,
    /// The sibling is on the left.
    left: bool,
}

/// The way from a leaf to the root.
fn path(pieces: u64, piece: u64) -> impl DoubleEndedIterator<Item = Step> {
    let mut steps = Vec::with_capacity(MAX_DEPTH);
    let (mut start, mut count) = (0, pieces);
    while count > 1 {
        let left = left_pieces(count);
        let middle = start + left;
        let parent = number(start, count);
        if piece < middle {
            steps.push(Step { parent, sibling: number(middle, count - left), left: false });
            count = left;
        } else {
            steps.push(Step { parent, sibling: number(start, left), left: true });
            (start, count) = (middle, count - left);
        }
    }
    steps.into_iter().rev()
}

/// The largest power of two that is less than `count`, which is at least 2.
fn left_pieces(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The number of the node over `count` pieces from `start`.
fn number(start: u64, count: u64) -> usize {
    let number = if count == 1 { 2 * start } else { 2 * (start + left_pieces(count)) - 1 };
    usize::try_from(number).expect("fewer than 2^32 nodes")
}

/// How many siblings the proof of a piece has.
pub(super) fn depth(pieces: u64, piece: u64) -> usize {
    path(pieces, piece).count()
}

/// What is to be kept of a proven piece, so that [`Tree::recall`] knows it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// The piece.
    pub piece: u64,
    /// What it hashes to.
    pub leaf: Cv,
    /// Siblings that were not known before, from the leaf's level up.
    pub siblings: Vec<Cv>,
}

/// What is known of the tree of one file. All of it is proven.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree {
    shape: Shape,
    root: [u8; 32],
    nodes: Vec<Cv>,
    known: Vec<u64>,
}

impl Tree {
    /// Of a file of which only hash and size are known.
    #[must_use]
    pub fn new(root: [u8; 32], shape: Shape) -> Self {
        let count = usize::try_from(2 * shape.pieces() - 1).expect("fewer than 2^32 nodes");
        let nodes = vec![[0; 32]; count];
        let mut tree = Self { shape, root, nodes, known: vec![0; count.div_ceil(64)] };
        if count == 1 {
            tree.set(0, root);
        }
        tree
    }

    /// Of a file all of whose pieces are known by their [`leaf`].
    ///
    /// # Panics
    /// If there are more or fewer than pieces.
    #[must_use]
    pub fn of_leaves(shape: Shape, leaves: &[Cv]) -> Self {
        assert_eq!(leaves.len() as u64, shape.pieces(), "one for each piece");
        let mut tree = Self::new([0; 32], shape);
        tree.root = if let [only] = leaves { *only } else { tree.build(leaves, 0, leaves.len() as u64, true) };
        if leaves.len() == 1 {
            tree.set(0, tree.root);
        }
        tree
    }

    fn build(&mut self, leaves: &[Cv], start: u64, count: u64, top: bool) -> Cv {
        let value = if count == 1 {
            leaves[start as usize]
        } else {
            let left = left_pieces(count);
            let (a, b) =
                (self.build(leaves, start, left, false), self.build(leaves, start + left, count - left, false));
            if top { root_of(&a, &b) } else { parent_of(&a, &b) }
        };
        self.set(number(start, count), value);
        value
    }

    /// The file's hash.
    #[must_use]
    pub const fn root(&self) -> [u8; 32] {
        self.root
    }

    /// The file's size.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// What a piece has to hash to, if that is known.
    #[must_use]
    pub fn leaf(&self, piece: u64) -> Option<Cv> {
        self.get(2 * usize::try_from(piece).ok()?)
    }

    /// The proof of a piece, if all of it is known.
    #[must_use]
    pub fn proof(&self, piece: u64) -> Option<Vec<Cv>> {
        path(self.shape.pieces(), piece).map(|step| self.get(step.sibling)).collect()
    }

    /// Checks a piece by its leaf and proof, and remembers what they show; `None` if they show nothing.
    pub fn learn(&mut self, piece: u64, leaf: Cv, proof: &[Cv]) -> Option<Learnt> {
        let pieces = self.shape.pieces();
        if piece >= pieces || proof.len() != depth(pieces, piece) {
            return None;
        }
        let mut value = leaf;
        let mut found = vec![(2 * piece as usize, leaf)];
        let mut missing = Vec::new();
        let steps = path(pieces, piece);
        for (step, sibling) in steps.zip(proof) {
            let (a, b) = if step.left { (sibling, &value) } else { (&value, sibling) };
            value = if step.parent == number(0, pieces) { root_of(a, b) } else { parent_of(a, b) };
            if self.get(step.sibling).is_none() {
                missing.push(*sibling);
            }
            found.push((step.sibling, *sibling));
            found.push((step.parent, value));
        }
        if value != self.root {
            return None;
        }
        for (number, value) in found {
            self.set(number, value);
        }
        Some(Learnt { piece, leaf, siblings: missing })
    }

    /// Learns again, in the same order, what [`Tree::learn`] gave: the number of siblings that this takes is
    /// [`Tree::missing`]. Whether it is true.
    pub fn recall(&mut self, learnt: &Learnt) -> bool {
        if learnt.piece >= self.shape.pieces() {
            return false;
        }
        let mut kept = learnt.siblings.iter();
        let steps = path(self.shape.pieces(), learnt.piece);
        let proof: Option<Vec<Cv>> =
            steps.map(|step| self.get(step.sibling).or_else(|| kept.next().copied())).collect();
        kept.next().is_none() && proof.is_some_and(|proof| self.learn(learnt.piece, learnt.leaf, &proof).is_some())
    }

    /// How many siblings of a piece's proof are not known.
    #[must_use]
    pub fn missing(&self, piece: u64) -> usize {
        if piece >= self.shape.pieces() {
            return 0;
        }
        path(self.shape.pieces(), piece).filter(|step| self.get(step.sibling).is_none()).count()
    }

    fn get(&self, number: usize) -> Option<Cv> {
        let known = self.known.get(number / 64)? >> (number % 64) & 1 == 1;
        known.then(|| self.nodes[number])
    }

    fn set(&mut self, number: usize, value: Cv) {
        self.nodes[number] = value;
        self.known[number / 64] |= 1 << (number % 64);
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("shape", &self.shape).finish_non_exhaustive()
    }
}

fn parent_of(a: &Cv, b: &Cv) -> Cv {
    merge_subtrees_non_root(a, b, Mode::Hash)
}

fn root_of(a: &Cv, b: &Cv) -> [u8; 32] {
    *merge_subtrees_root(a, b, Mode::Hash).as_bytes()
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
