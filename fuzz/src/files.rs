//! Files as objects: lists, heads and pieces.

use std::sync::OnceLock;

use bytes::Bytes;
use p2pt::service::files::{List, Shape, Tree, check_path, head, leaf, piece, read_head, read_piece, safe_name};

/// A file of three pieces.
fn file() -> &'static (Vec<u8>, Tree) {
    static FILE: OnceLock<(Vec<u8>, Tree)> = OnceLock::new();
    FILE.get_or_init(|| {
        let data: Vec<u8> = (0..40_000_u32).map(|at| (at % 251) as u8).collect();
        let shape = Shape::new(data.len() as u64).unwrap();
        let leaves: Vec<_> =
            (0..shape.pieces()).map(|number| leaf(shape, number, part(&data, shape, number))).collect();
        (data, Tree::of_leaves(shape, &leaves))
    })
}

fn part(data: &[u8], shape: Shape, number: u64) -> &[u8] {
    let range = shape.range(number);
    &data[range.start as usize..range.end as usize]
}

/// Lists, and names in them.
pub fn list_of_files(data: &[u8]) {
    if let Ok(list) = List::parse(data) {
        assert_eq!(list.encode(), data);
        assert!(list.files().iter().all(|file| check_path(&file.name).is_ok()));
    }
    let name = String::from_utf8_lossy(data);
    assert_eq!(check_path(&safe_name(&name)), Ok(()));
}

/// Heads and pieces: made up, and true ones with some bytes changed.
pub fn object_of_file(data: &[u8]) {
    let (bytes, tree) = file();
    let shape = tree.shape();
    let mut far = Tree::new(tree.root(), shape);
    let made_up = Bytes::copy_from_slice(data);
    for number in 0..4 {
        assert!(read_piece(&mut far, number, &made_up).is_err());
    }
    assert!(read_head(tree.root(), &made_up).is_err());
    let Some(&[first, high, low, change]) = data.first_chunk::<4>() else { return };
    let number = u64::from(first) % 3;
    let last = part(bytes, shape, shape.last());
    let whole = if first & 0x80 == 0 { piece(tree, number, part(bytes, shape, number)) } else { head(tree, last) };
    let mut object = whole.expect("all of the tree is known").to_vec();
    let at = usize::from(u16::from_be_bytes([high, low])) % object.len();
    object[at] ^= change;
    let object = Bytes::from(object);
    let taken = if first & 0x80 == 0 {
        read_piece(&mut far, number, &object).is_ok()
    } else {
        read_head(tree.root(), &object).is_ok()
    };
    assert_eq!(taken, change == 0);
}
