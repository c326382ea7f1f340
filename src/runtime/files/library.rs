//! The files that are shared or fetched here, by the indices of their objects.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use super::fault::{PartError, failed};
use super::hash::Hashed;
use super::medium::Medium;
use super::part::{Part, prove};
use super::trust::{Stamp, Trust};
use crate::node::files::{HEAD, MAX_BEFORE, Shape, Space, Tree, begin_head, begin_piece, leaf, read_piece};

/// Files, and where their objects lie.
#[derive(Debug, Default)]
pub struct Library {
    space: Space,
    shelves: BTreeMap<[u8; 32], Shelf>,
    /// Up to where it was looked whether files have changed.
    looked: Option<[u8; 32]>,
}

#[derive(Debug)]
enum Shelf {
    /// A whole file in its place. Opened for each piece, since there may be many.
    Whole { path: PathBuf, tree: Tree, trust: Trust, stamp: Option<Stamp> },
    /// A file being fetched.
    Part(Box<Part>),
    /// Pieces in memory: a list, or the window of a stream.
    Memory { tree: Box<Tree>, pieces: BTreeMap<u64, Bytes> },
}

/// What became of an object that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is a piece, which was not there before.
    Kept {
        /// Of which file.
        hash: [u8; 32],
        /// Which.
        piece: u64,
        /// How many bytes of data.
        bytes: usize,
        /// The file is whole now.
        whole: bool,
    },
    /// It proves nothing: its sender lies.
    Refused,
    /// It was there already, or belongs to nothing that is fetched.
    Needless,
}

impl Library {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a file its indices before anything of it is here.
    pub fn reserve(&mut self, hash: [u8; 32]) -> u64 {
        self.space.add(hash)
    }

    /// Shares a whole file from its place.
    pub fn share(&mut self, path: PathBuf, hashed: Hashed) {
        let Hashed { tree, stamp, trust } = hashed;
        self.put(tree.root(), Shelf::Whole { path, tree, trust, stamp });
    }

    /// Fetches a file to the disk.
    pub fn fetch(&mut self, part: Part) {
        self.put(part.tree().root(), Shelf::Part(Box::new(part)));
    }

    /// Keeps pieces in memory, of which there are none yet.
    pub fn remember(&mut self, tree: Tree) {
        self.put(tree.root(), Shelf::Memory { tree: Box::new(tree), pieces: BTreeMap::new() });
    }

    /// Shares bytes from memory; their hash.
    ///
    /// # Panics
    /// If they are more than a file may have.
    pub fn share_bytes(&mut self, data: &Bytes) -> [u8; 32] {
        let shape = Shape::new(data.len() as u64).expect("memory is smaller than the largest file");
        let part = |piece| data.slice(shape.range(piece).start as usize..shape.range(piece).end as usize);
        let pieces: BTreeMap<u64, Bytes> = (0..shape.pieces()).map(|piece| (piece, part(piece))).collect();
        let leaves: Vec<_> = pieces.iter().map(|(piece, data)| leaf(shape, *piece, data)).collect();
        let tree = Tree::of_leaves(shape, &leaves);
        let hash = tree.root();
        self.put(hash, Shelf::Memory { tree: Box::new(tree), pieces });
        hash
    }

    /// The hashes of all files of which something may be here.
    #[must_use]
    pub fn files(&self) -> Vec<[u8; 32]> {
        self.shelves.keys().copied().collect()
    }

    fn put(&mut self, hash: [u8; 32], shelf: Shelf) {
        self.space.add(hash);
        self.shelves.insert(hash, shelf);
    }

    /// The first index of a file.
    #[must_use]
    pub fn base(&self, hash: &[u8; 32]) -> Option<u64> {
        self.space.base(hash)
    }

    /// Whose an index is, and which of its own: a piece, or [`HEAD`].
    #[must_use]
    pub fn owner(&self, index: u64) -> Option<([u8; 32], u64)> {
        self.space.owner(index)
    }

    /// The indices of a file's objects that can be given.
    #[must_use]
    pub fn given(&self, hash: &[u8; 32]) -> Vec<Range<u64>> {
        let mut all = self.ranges(hash, true);
        if let (Some(shelf), Some(base)) = (self.shelves.get(hash), self.base(hash))
            && shelf.holds(shelf.tree().shape().last())
        {
            all.push(base + HEAD..base + HEAD + 1);
        }
        all
    }

    /// The indices of a file's pieces that are missing.
    #[must_use]
    pub fn missing(&self, hash: &[u8; 32]) -> Vec<Range<u64>> {
        self.ranges(hash, false)
    }

    fn ranges(&self, hash: &[u8; 32], held: bool) -> Vec<Range<u64>> {
        let (Some(shelf), Some(base)) = (self.shelves.get(hash), self.base(hash)) else { return Vec::new() };
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for piece in (0..shelf.tree().shape().pieces()).filter(|piece| shelf.holds(*piece) == held) {
            match ranges.last_mut() {
                Some(range) if range.end == base + piece => range.end += 1,
                _ => ranges.push(base + piece..base + piece + 1),
            }
        }
        ranges
    }

    /// The object with this index, behind so many bytes that mean nothing; `None` if it is not there.
    ///
    /// # Errors
    /// If it should be there: the file was changed, or cannot be read. It is not to be announced any more.
    pub fn object_behind(&mut self, room: usize, index: u64) -> Result<Option<Vec<u8>>, PartError> {
        let Some((hash, number)) = self.space.owner(index) else { return Ok(None) };
        let Some(shelf) = self.shelves.get_mut(&hash) else { return Ok(None) };
        let last = shelf.tree().shape().last();
        let piece = if number == HEAD { last } else { number };
        if !shelf.holds(piece) {
            return Ok(None);
        }
        let tree = shelf.tree();
        let mut object = Vec::with_capacity(room + MAX_BEFORE + tree.shape().len(piece));
        object.resize(room, 0);
        let is_proven =
            if number == HEAD { begin_head(tree, &mut object) } else { begin_piece(tree, piece, &mut object) };
        if !is_proven {
            return Ok(None);
        }
        shelf.read(piece, &mut object)?;
        Ok(Some(object))
    }

    /// The object with this index; `None` if it is not there.
    ///
    /// # Errors
    /// As [`Library::object_behind`].
    pub fn object(&mut self, index: u64) -> Result<Option<Bytes>, PartError> {
        Ok(self.object_behind(0, index)?.map(Bytes::from))
    }

    /// Takes a piece that came.
    ///
    /// # Errors
    /// If it is right, but could not be written.
    pub fn accept(&mut self, index: u64, object: &Bytes) -> Result<Accepted, PartError> {
        let Some((hash, piece)) = self.space.owner(index) else { return Ok(Accepted::Needless) };
        let Some(shelf) = self.shelves.get_mut(&hash) else { return Ok(Accepted::Needless) };
        if piece >= shelf.tree().shape().pieces() || shelf.holds(piece) {
            return Ok(Accepted::Needless);
        }
        let bytes = match shelf {
            Shelf::Whole { .. } => return Ok(Accepted::Needless),
            Shelf::Part(part) => {
                let Ok((learnt, data)) = read_piece(part.tree_mut(), piece, object) else {
                    return Ok(Accepted::Refused);
                };
                part.keep(&learnt, &data)?;
                data.len()
            }
            Shelf::Memory { tree, pieces } => {
                let Ok((_, data)) = read_piece(tree, piece, object) else { return Ok(Accepted::Refused) };
                let bytes = data.len();
                pieces.insert(piece, data);
                bytes
            }
        };
        Ok(Accepted::Kept { hash, piece, bytes, whole: shelf.is_whole() })
    }

    /// The part of a file that is being fetched.
    #[must_use]
    pub fn part(&self, hash: &[u8; 32]) -> Option<&Part> {
        match self.shelves.get(hash)? {
            Shelf::Part(part) => Some(part),
            _ => None,
        }
    }

    /// Puts a whole file in its place, from where it is shared further.
    ///
    /// # Errors
    /// As [`Part::finish`].
    pub fn finish(&mut self, hash: &[u8; 32], force: bool) -> Result<(), PartError> {
        let Some(Shelf::Part(part)) = self.shelves.get_mut(hash) else { return Ok(()) };
        part.finish(force)?;
        let (path, tree) = (part.paths().target.clone(), part.tree().clone());
        let trust = part.trust().clone();
        let stamp = std::fs::metadata(&path).ok().and_then(|about| Stamp::of(&about));
        self.shelves.insert(*hash, Shelf::Whole { path, tree, trust, stamp });
        Ok(())
    }

    /// A piece that is held in memory.
    #[must_use]
    pub fn held(&self, hash: &[u8; 32], piece: u64) -> Option<Bytes> {
        match self.shelves.get(hash)? {
            Shelf::Memory { pieces, .. } => pieces.get(&piece).cloned(),
            _ => None,
        }
    }

    /// Forgets a piece that is held in memory.
    pub fn forget(&mut self, hash: &[u8; 32], piece: u64) {
        if let Some(Shelf::Memory { pieces, .. }) = self.shelves.get_mut(hash) {
            pieces.remove(&piece);
        }
    }

    /// Whole files that are not, by their length and time, what they were when they were hashed, or that are gone; looks at so many at most, the next time at
    /// the next ones. They are not to be announced any more.
    pub fn changed(&mut self, most: usize) -> Vec<([u8; 32], PartError)> {
        let from = self.looked.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = Vec::new();
        let mut next = None;
        for (hash, shelf) in self.shelves.range((from, Bound::Unbounded)).take(most) {
            next = Some(*hash);
            let Shelf::Whole { path, stamp, .. } = shelf else { continue };
            match std::fs::metadata(path).map(|about| Stamp::of(&about)) {
                Ok(now) if now.zip(*stamp).is_some_and(|(now, stamp)| !now.is_alike(&stamp)) => {
                    found.push((*hash, changed(path)));
                }
                Ok(_) => {}
                Err(error) => found.push((*hash, failed("read", path)(error))),
            }
        }
        self.looked = next;
        found
    }

    /// Whether any file on the disk can be given.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.shelves.values().any(|shelf| !matches!(shelf, Shelf::Memory { .. }))
    }

    /// Forgets a file that cannot be given any more.
    pub fn drop_file(&mut self, hash: &[u8; 32]) {
        self.shelves.remove(hash);
    }
}

/// What is wrong with a file that was shared.
const CHANGED: &str = "the file was changed since it was hashed";

fn changed(path: &Path) -> PartError {
    failed("read", path)(io::Error::new(io::ErrorKind::InvalidData, CHANGED))
}

impl Shelf {
    fn tree(&self) -> &Tree {
        match self {
            Self::Whole { tree, .. } => tree,
            Self::Part(part) => part.tree(),
            Self::Memory { tree, .. } => tree,
        }
    }

    fn holds(&self, piece: u64) -> bool {
        match self {
            Self::Whole { tree, .. } => piece < tree.shape().pieces(),
            Self::Part(part) => part.holds(piece),
            Self::Memory { pieces, .. } => pieces.contains_key(&piece),
        }
    }

    fn is_whole(&self) -> bool {
        match self {
            Self::Whole { .. } => true,
            Self::Part(part) => part.is_whole(),
            Self::Memory { tree, pieces } => pieces.len() as u64 == tree.shape().pieces(),
        }
    }

    /// Appends a piece that is held.
    fn read(&mut self, piece: u64, to: &mut Vec<u8>) -> Result<(), PartError> {
        match self {
            Self::Part(part) => part.get(piece, to),
            Self::Memory { pieces, .. } => {
                to.extend_from_slice(&pieces[&piece]);
                Ok(())
            }
            Self::Whole { path, tree, trust, .. } => {
                let (shape, start) = (tree.shape(), to.len());
                let read = File::open(&path).and_then(|mut file| {
                    let now = SystemTime::now();
                    file.append_from(shape.range(piece).start, shape.len(piece), to)?;
                    if trust.has(file.stamp(), piece) {
                        return Ok(());
                    }
                    prove(tree, piece, &to[start..], CHANGED)?;
                    trust.add_settled(piece, now);
                    Ok(())
                });
                read.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => changed(path),
                    _ => failed("read", path)(error),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::files;
    use crate::runtime::files::{Paths, hash_file};

    /// Bytes that are different at every place.
    fn data(len: u32) -> Vec<u8> {
        (0..len).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).take(len as usize).collect()
    }

    #[test]
    fn a_file_goes_from_one_library_to_another_and_on() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        std::fs::write(&from, data(100_000)).unwrap();
        // Longer ago than the time of files is coarse.
        File::options().write(true).open(&from).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let hashed = hash_file(&from).unwrap();
        let (hash, shape) = (hashed.tree.root(), hashed.tree.shape());
        let mut seed = Library::new();
        seed.share(from.clone(), hashed);
        let base = seed.base(&hash).unwrap();
        assert_eq!(seed.given(&hash), [base..base + 7, base + HEAD..base + HEAD + 1]);

        let head = seed.object(base + HEAD).unwrap().unwrap();
        assert_eq!(files::read_head(hash, &head).unwrap().tree.shape(), shape);
        let to = Paths::of(&folder.path().join("to")).unwrap();
        let mut fetcher = Library::new();
        fetcher.fetch(Part::create(&to, hash, shape).unwrap());
        for index in [base + 3, base, base + 6, base + 5, base + 1, base + 4, base + 2] {
            let object = seed.object(index).unwrap().unwrap();
            let mut wrong = object.to_vec();
            wrong[700] ^= 1;
            assert_eq!(fetcher.accept(index, &wrong.into()).unwrap(), Accepted::Refused);
            let kept = fetcher.accept(index, &object).unwrap();
            let (piece, whole) = (index - base, index == base + 2);
            assert_eq!(kept, Accepted::Kept { hash, piece, bytes: shape.len(piece), whole });
            assert_eq!(fetcher.accept(index, &object).unwrap(), Accepted::Needless);
            assert_eq!(fetcher.object(index).unwrap(), Some(object), "what is there is given on");
        }
        assert!(fetcher.missing(&hash).is_empty());
        fetcher.finish(&hash, false).unwrap();
        assert_eq!(std::fs::read(&to.target).unwrap(), data(100_000));
        assert_eq!(fetcher.object(base + HEAD).unwrap(), Some(head));
        assert!(seed.changed(9).is_empty() && fetcher.changed(9).is_empty());

        std::fs::write(&from, vec![0; 100_000]).unwrap();
        assert!(seed.object(base).is_err(), "nothing wrong is ever given");
    }

    #[test]
    fn a_change_of_a_shared_file_is_found_out_though_its_times_are_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        let put = |bytes: &[u8]| {
            std::fs::write(&from, bytes).unwrap();
            File::options().write(true).open(&from).unwrap().set_modified(long_ago).unwrap();
        };
        let (right, mut wrong) = (data(100_000), data(100_000));
        wrong[70_000] ^= 1;
        put(&right);
        let hashed = hash_file(&from).unwrap();
        let mut seed = Library::new();
        let hash = hashed.tree.root();
        seed.share(from.clone(), hashed);
        let base = seed.base(&hash).unwrap();
        // Within a step of the disk's clock, perhaps, and again and again.
        for _ in 0..20 {
            assert!(seed.object(base + 4).unwrap().is_some());
            put(&wrong);
            let PartError::Io { error, .. } = seed.object(base + 4).unwrap_err() else { panic!("the system's") };
            assert_eq!(error.to_string(), CHANGED);
            assert!(seed.object(base).unwrap().is_some(), "what is right is given");
            put(&right);
        }
        assert!(seed.changed(9).is_empty(), "all looks as it was");
        std::fs::write(&from, &right[..90_000]).unwrap();
        let PartError::Io { error, .. } = seed.object(base + 6).unwrap_err() else { panic!("the system's") };
        assert_eq!(error.to_string(), CHANGED, "it is shorter");
    }

    #[test]
    fn files_that_change_and_files_that_go_are_found_in_turn() {
        let folder = tempfile::tempdir().unwrap();
        let mut seed = Library::new();
        let mut hashes = Vec::new();
        for number in 0..10_u8 {
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, [number; 100]).unwrap();
            let hashed = hash_file(&path).unwrap();
            hashes.push(hashed.tree.root());
            seed.share(path, hashed);
        }
        seed.share_bytes(&Bytes::from_static(b"a list"));
        std::fs::write(folder.path().join("3"), "shorter").unwrap();
        std::fs::remove_file(folder.path().join("7")).unwrap();
        let found: Vec<_> = (0..3).flat_map(|_| seed.changed(4)).collect();
        let told = |hash: &[u8; 32]| found.iter().find(|(found, _)| found == hash).map(|(_, why)| why.to_string());
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(told(&hashes[3]).as_deref(), Some(CHANGED));
        assert!(told(&hashes[7]).unwrap().contains("No such file"));
        hashes.iter().for_each(|hash| seed.drop_file(hash));
        assert!(!seed.has_files() && !seed.files().is_empty());
    }

    #[test]
    fn bytes_in_memory_are_a_file_too() {
        let bytes = Bytes::from(data(50_000));
        let hash = *blake3::hash(&bytes).as_bytes();
        let mut seed = Library::new();
        assert_eq!(seed.share_bytes(&bytes), hash);
        let base = seed.base(&hash).unwrap();
        let mut far = Library::new();
        far.remember(Tree::new(hash, Shape::new(50_000).unwrap()));
        for piece in 0..4 {
            let object = seed.object(base + piece).unwrap().unwrap();
            far.accept(base + piece, &object).unwrap();
        }
        let joined: Vec<u8> = (0..4).flat_map(|piece| far.held(&hash, piece).unwrap()).collect();
        assert_eq!(joined, bytes);
        far.forget(&hash, 1);
        assert_eq!(far.object(base + 1).unwrap(), None);
    }
}
