//! Files as objects: lists, heads and pieces; and what is kept of them on the disk.

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use bytes::Bytes;
use p2pt::runtime::files::{Medium, Part, Paths};
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

/// A file in memory.
struct Memory(Vec<u8>);

impl Medium for Memory {
    fn write_some(&mut self, at: u64, data: &[u8]) -> io::Result<usize> {
        let end = at as usize + data.len();
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        self.0[at as usize..end].copy_from_slice(data);
        Ok(data.len())
    }

    fn read_some(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = self.0.get(usize::try_from(at).unwrap_or(usize::MAX)..).unwrap_or_default();
        let len = from.len().min(into.len());
        into[..len].copy_from_slice(&from[..len]);
        Ok(len)
    }

    fn resize(&mut self, len: u64) -> io::Result<()> {
        self.0.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn paths() -> Paths {
    Paths::of(Path::new("file")).expect("a name")
}

/// The state file of a fetch that has all pieces.
fn whole_state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let (data, tree) = file();
        let header = [&b"p2pt part 1\0"[..], &tree.root(), &40_000_u64.to_be_bytes()].concat();
        let log = Memory(header.clone());
        let mut part = Part::read(paths(), Memory(Vec::new()), log, header.len() as u64, tree.root())
            .expect("memory")
            .expect("a header");
        let mut state = header;
        for number in [2, 0, 1] {
            let object = piece(tree, number, self::part(data, tree.shape(), number)).expect("all of the tree is known");
            let (learnt, data) = read_piece(part.tree_mut(), number, &object).expect("a true piece");
            part.keep(&learnt, &data).expect("memory");
            state.extend_from_slice(&(number as u32).to_be_bytes());
            state.extend_from_slice(&learnt.leaf);
            learnt.siblings.iter().for_each(|sibling| state.extend_from_slice(sibling));
        }
        state
    })
}

/// A state file and a part file that somebody changed: what is held is right, and the rest can be fetched.
pub fn state_of_fetch(data: &[u8]) {
    let (bytes, tree) = file();
    let Some((&[how, high, low, change], more)) = data.split_first_chunk::<4>() else { return };
    let (mut state, mut content) = (whole_state().to_vec(), bytes.clone());
    let at = usize::from(u16::from_be_bytes([high, low])) % state.len();
    match how % 4 {
        0 => state.truncate(at),
        1 => state[at] ^= change,
        2 => drop(state.splice(at..at, more.iter().copied())),
        _ => {
            state.truncate(at);
            state.extend_from_slice(more);
        }
    }
    if how & 0x40 != 0 {
        content[at * 100 % bytes.len()] ^= change;
    }
    if how & 0x80 != 0 {
        content.truncate(at * 100 % bytes.len());
    }
    // A larger claim costs more memory than is worth it here.
    if state.len() < 52 || state[44..48] != [0; 4] {
        return;
    }
    let len = state.len() as u64;
    let read = Part::read(paths(), Memory(content), Memory(state), len, tree.root()).expect("memory");
    let Some(mut part) = read else { return };
    let shape = part.tree().shape();
    for number in (0..shape.pieces().min(4)).filter(|&number| part.holds(number)).collect::<Vec<_>>() {
        let mut held = Vec::new();
        part.get(number, &mut held).expect("what is held is right");
        assert_eq!(held, self::part(bytes, tree.shape(), number), "piece {number}");
    }
    if part.holds(shape.last()) {
        assert_eq!(shape, tree.shape(), "the last piece proves the size");
    }
    if shape == tree.shape() && at.is_multiple_of(8) {
        for number in 0..3 {
            let object = piece(tree, number, self::part(bytes, shape, number)).expect("all of the tree is known");
            let (learnt, data) = read_piece(part.tree_mut(), number, &object).expect("a true piece");
            part.keep(&learnt, &data).expect("memory");
        }
        assert!(part.is_whole());
    }
}
