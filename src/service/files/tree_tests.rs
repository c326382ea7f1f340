use super::super::{Refused, head, piece, read_head, read_piece};
use super::*;
use bytes::Bytes;
use proptest::prelude::*;

/// The input of BLAKE3's published test vectors: bytes 0 to 250, over and over.
fn input(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

fn shape(len: usize) -> Shape {
    Shape::new(len as u64).unwrap()
}

fn part(data: &[u8], piece: u64) -> &[u8] {
    let range = shape(data.len()).range(piece);
    &data[range.start as usize..range.end as usize]
}

fn whole(data: &[u8]) -> Tree {
    let shape = shape(data.len());
    let leaves: Vec<Cv> = (0..shape.pieces()).map(|index| leaf(shape, index, part(data, index))).collect();
    Tree::of_leaves(shape, &leaves)
}

/// Sizes around every boundary of chunks, pieces and trees.
fn boundaries() -> Vec<usize> {
    const K: usize = 1024;
    let mut sizes = vec![0, 1];
    for pieces in [1, 2, 3, 4, 5, 7, 8, 9, 511, 512] {
        sizes.extend([16 * K * pieces - 1, 16 * K * pieces, 16 * K * pieces + 1, 16 * K * pieces + K]);
    }
    sizes.extend([K - 1, K, K + 1, 8192 * K + K, 8192 * K + 32 * K]);
    sizes
}

#[test]
fn published_vectors() {
    // https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json, field "hash", first 32 bytes.
    let vectors = [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
        (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
        (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
        (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
        (2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
        (16384, "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4"),
        (31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"),
        (102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
    ];
    for (len, hash) in vectors {
        assert_eq!(crate::base::to_hex(&whole(&input(len)).root()), hash, "{len} bytes");
    }
}

#[test]
fn the_root_is_the_hash_and_every_piece_proves_itself() {
    for len in boundaries() {
        let data = input(len);
        let full = whole(&data);
        assert_eq!(full.root(), *blake3::hash(&data).as_bytes(), "{len}");
        let mut far = Tree::new(full.root(), full.shape());
        let mut kept = Vec::new();
        let pieces = full.shape().pieces();
        // Every piece, in an order that is neither ascending nor descending.
        for index in (0..pieces).map(|index| index * 509 % pieces) {
            let object = piece(&full, index, part(&data, index)).unwrap();
            let (learnt, got) = read_piece(&mut far, index, &object).unwrap();
            assert_eq!(got, part(&data, index));
            kept.push(learnt);
            assert_eq!(piece(&far, index, &got), Some(object), "what came can be given on");
        }
        let head = read_head(full.root(), &head(&full, part(&data, full.shape().last())).unwrap()).unwrap();
        assert_eq!((head.tree.shape().size(), head.learnt.piece), (len as u64, full.shape().last()));
        assert_eq!(head.data, part(&data, full.shape().last()));
        let mut again = Tree::new(full.root(), full.shape());
        for learnt in &kept {
            assert_eq!(again.missing(learnt.piece), learnt.siblings.len());
            assert!(again.recall(learnt));
        }
        assert_eq!(again, far);
    }
}

fn flipped(object: &Bytes, bit: usize) -> Bytes {
    let mut bytes = object.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes.into()
}

#[test]
fn any_flipped_bit_of_a_proof_and_many_of_the_data_are_refused() {
    for len in [16 << 10, 40_000, 100_000] {
        let data = input(len);
        let full = whole(&data);
        for index in 0..full.shape().pieces() {
            let object = piece(&full, index, part(&data, index)).unwrap();
            let proof = object.len() - full.shape().len(index);
            for bit in (0..8 * proof).chain((8 * proof..8 * object.len()).step_by(509)) {
                let mut far = Tree::new(full.root(), full.shape());
                assert_eq!(read_piece(&mut far, index, &flipped(&object, bit)).unwrap_err(), Refused);
                assert_eq!(far, Tree::new(full.root(), full.shape()), "and nothing is learnt");
            }
        }
        let object = head(&full, part(&data, full.shape().last())).unwrap();
        for bit in (0..8 * 128).chain((1024..8 * object.len()).step_by(509)) {
            assert_eq!(read_head(full.root(), &flipped(&object, bit)), Err(Refused), "bit {bit} of {len}");
        }
    }
}

#[test]
fn a_head_lies_neither_about_the_size_nor_about_memory() {
    let data = input(100_000);
    let full = whole(&data);
    let last = part(&data, full.shape().last());
    for size in [99_999, 100_001, 0, 1 << 40, crate::service::files::MAX_SIZE, u64::MAX] {
        let mut object = Vec::new();
        crate::wire::vlu::put(&mut object, size);
        full.proof(full.shape().last()).unwrap().iter().for_each(|sibling| object.extend_from_slice(sibling));
        object.extend_from_slice(last);
        assert_eq!(read_head(full.root(), &object.into()), Err(Refused), "{size}");
    }
}

#[test]
fn a_piece_passes_for_no_other() {
    let data = vec![7; 100_000];
    let full = whole(&data);
    let object = piece(&full, 1, part(&data, 1)).unwrap();
    let mut far = Tree::new(full.root(), full.shape());
    assert_eq!(read_piece(&mut far, 0, &object), Err(Refused), "equal bytes at another place");
    assert_eq!(read_piece(&mut far, 700, &object), Err(Refused), "no such piece");
    assert!(read_piece(&mut far, 1, &object).is_ok());
}

proptest! {
    #[test]
    fn any_object_is_refused_or_true(bytes: Vec<u8>, len in 0usize..70_000, index in 0u64..6) {
        let bytes = Bytes::from(bytes);
        let full = whole(&input(len));
        let mut far = Tree::new(full.root(), full.shape());
        if let Ok((_, got)) = read_piece(&mut far, index, &bytes) {
            let data = input(len);
            prop_assert_eq!(&got[..], part(&data, index));
        }
        if let Ok(head) = read_head(full.root(), &bytes) {
            prop_assert_eq!(head.tree.shape(), full.shape());
        }
    }
}
