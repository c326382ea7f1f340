//! The objects of a file, as they travel.

use bytes::Bytes;

use super::shape::Shape;
use super::tree::{Cv, Learnt, MAX_DEPTH, Tree, depth, leaf};
use crate::wire::vlu;

/// An object proves nothing: whoever sent it made it up, or has another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the object does not belong to the file")]
pub struct Refused;

/// Bytes of an object at most before its data: a number, and a proof.
pub const MAX_BEFORE: usize = vlu::MAX_LEN + 32 * MAX_DEPTH;

/// What a head shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The tree, with the last piece's proof in it.
    pub tree: Tree,
    /// What was learnt of the last piece.
    pub learnt: Learnt,
    /// The last piece.
    pub data: Bytes,
}

/// What precedes a piece's data in its object, appended; whether its proof is known.
#[must_use]
pub fn begin_piece(tree: &Tree, piece: u64, out: &mut Vec<u8>) -> bool {
    let Some(proof) = tree.proof(piece) else { return false };
    proof.iter().for_each(|sibling| out.extend_from_slice(sibling));
    true
}

/// What precedes the last piece's data in the head, appended; whether its proof is known.
#[must_use]
pub fn begin_head(tree: &Tree, out: &mut Vec<u8>) -> bool {
    vlu::put(out, tree.shape().size());
    begin_piece(tree, tree.shape().last(), out)
}

/// The object of a piece; `None` if its proof is not known.
///
/// # Panics
/// If there is no such piece, or the data has another length.
#[must_use]
pub fn piece(tree: &Tree, piece: u64, data: &[u8]) -> Option<Bytes> {
    assert_eq!(data.len(), tree.shape().len(piece), "the length of the piece");
    let mut out = Vec::with_capacity(MAX_BEFORE + data.len());
    if !begin_piece(tree, piece, &mut out) {
        return None;
    }
    out.extend_from_slice(data);
    Some(out.into())
}

/// The head of a file, from its last piece; `None` if the proof of that is not known.
///
/// # Panics
/// If the data has another length.
#[must_use]
pub fn head(tree: &Tree, data: &[u8]) -> Option<Bytes> {
    let shape = tree.shape();
    assert_eq!(data.len(), shape.len(shape.last()), "the length of the last piece");
    let mut out = Vec::with_capacity(MAX_BEFORE + data.len());
    if !begin_head(tree, &mut out) {
        return None;
    }
    out.extend_from_slice(data);
    Some(out.into())
}

/// Checks the object of a piece; the data in it, and what to keep of the proof.
///
/// # Errors
/// [`Refused`].
pub fn read_piece(tree: &mut Tree, piece: u64, object: &Bytes) -> Result<(Learnt, Bytes), Refused> {
    let shape = tree.shape();
    if piece >= shape.pieces() {
        return Err(Refused);
    }
    let at = 32 * depth(shape.pieces(), piece);
    if object.len() != at + shape.len(piece) {
        return Err(Refused);
    }
    let proof: Vec<Cv> = object[..at].as_chunks().0.to_vec();
    let data = object.slice(at..);
    let learnt = tree.learn(piece, leaf(shape, piece, &data), &proof).ok_or(Refused)?;
    Ok((learnt, data))
}

/// Checks the head of the file with this hash.
///
/// # Errors
/// [`Refused`].
pub fn read_head(root: [u8; 32], object: &Bytes) -> Result<Head, Refused> {
    let mut rest = &object[..];
    let size = vlu::take(&mut rest).map_err(|_| Refused)?;
    let shape = Shape::new(size).map_err(|_| Refused)?;
    let last = shape.last();
    // Before anything is allocated for it.
    if rest.len() != 32 * depth(shape.pieces(), last) + shape.len(last) {
        return Err(Refused);
    }
    let rest = object.slice_ref(rest);
    // A tree is large if the size says so; what is no proof costs none.
    if !proves(root, shape, &rest) {
        return Err(Refused);
    }
    let mut tree = Tree::new(root, shape);
    let (learnt, data) = read_piece(&mut tree, last, &rest)?;
    Ok(Head { tree, learnt, data })
}

/// Whether a last piece leads to the root: all its siblings are on the left.
fn proves(root: [u8; 32], shape: Shape, object: &[u8]) -> bool {
    use blake3::hazmat::{Mode, merge_subtrees_non_root, merge_subtrees_root};
    let at = 32 * depth(shape.pieces(), shape.last());
    let (proof, data) = object.split_at(at);
    let proof = proof.as_chunks::<32>().0;
    let mut value = leaf(shape, shape.last(), data);
    for (number, sibling) in proof.iter().enumerate() {
        value = if number + 1 == proof.len() {
            *merge_subtrees_root(sibling, &value, Mode::Hash).as_bytes()
        } else {
            merge_subtrees_non_root(sibling, &value, Mode::Hash)
        };
    }
    value == root
}
