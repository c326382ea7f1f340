//! A file that is being fetched.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, System};
use super::fault::{PartError, failed};
use super::hold::{Found, found, held, removed};
use super::medium::Medium;
use super::trust::Trust;
use crate::node::files::{Cv, Learnt, Shape, Tree, leaf};

const MARK: &[u8] = b"p2pt part 1\0";
const HEADER: usize = MARK.len() + 32 + 8;

/// The files of one that is being fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Where it will be.
    pub target: PathBuf,
    /// Where its pieces are.
    pub part: PathBuf,
    /// What says which are there.
    pub state: PathBuf,
}

impl Paths {
    /// Of the file that will be at `target`; `None` if that has no name.
    #[must_use]
    pub fn of(target: &Path) -> Option<Self> {
        let name = target.file_name()?;
        let beside = |ending: &str| {
            let mut own = std::ffi::OsString::from(".");
            own.push(name);
            own.push(ending);
            target.with_file_name(own)
        };
        Some(Self { target: target.into(), part: beside(".p2pt-part"), state: beside(".p2pt-state") })
    }
}

/// A file that is being fetched: pieces, and what is known of them.
#[derive(Debug)]
pub struct Part<M = File> {
    paths: Paths,
    data: M,
    log: M,
    /// The log's length up to the last whole record.
    logged: u64,
    tree: Tree,
    have: Vec<bool>,
    count: u64,
    trust: Trust,
}

impl Part<File> {
    /// What an earlier fetch of the same file left here, with its pieces verified; `None` if there is nothing of use.
    ///
    /// # Errors
    /// [`PartError::Busy`], or the system's.
    pub fn resume(paths: &Paths, root: [u8; 32]) -> Result<Option<Self>, PartError> {
        Self::resume_on(&System, paths, root)
    }

    pub(super) fn resume_on(disk: &impl Disk, paths: &Paths, root: [u8; 32]) -> Result<Option<Self>, PartError> {
        if found(disk, &paths.part)? != Found::Own {
            return Ok(None);
        }
        let Some(log) = held(disk, &paths.state, false)? else { return Ok(None) };
        let data = disk.open(&paths.part).map_err(failed("open", &paths.part))?;
        let len = log.metadata().map_err(failed("look at", &paths.state))?.len();
        Self::read(paths.clone(), data, log, len, root)
    }

    /// Begins anew; what another fetch left is gone.
    ///
    /// # Errors
    /// [`PartError::Busy`], or the system's.
    pub fn create(paths: &Paths, root: [u8; 32], shape: Shape) -> Result<Self, PartError> {
        Self::create_on(&System, paths, root, shape)
    }

    pub(super) fn create_on(disk: &impl Disk, paths: &Paths, root: [u8; 32], shape: Shape) -> Result<Self, PartError> {
        // Never removed where it is ours: somebody else may be about to lock it.
        let mut log = held(disk, &paths.state, true)?.expect("it is made");
        log.resize(0).map_err(failed("write", &paths.state))?;
        removed(disk, &paths.part)?;
        let data = disk.make(&paths.part).map_err(failed("make", &paths.part))?;
        Self::begin(paths.clone(), data, log, root, shape)
    }

    /// Puts the whole file in its place; what is there is replaced only with `force`. It can still be read.
    ///
    /// # Errors
    /// [`PartError::Exists`], or the system's; the part file stays then.
    ///
    /// # Panics
    /// If pieces are missing.
    pub fn finish(&mut self, force: bool) -> Result<(), PartError> {
        self.finish_on(&System, force)
    }

    pub(super) fn finish_on(&mut self, disk: &impl Disk, force: bool) -> Result<(), PartError> {
        assert!(self.is_whole(), "every piece is there");
        let (part, target) = (&self.paths.part, &self.paths.target);
        let _ = self.trust.has(self.data.stamp(), 0);
        self.data.resize(self.tree.shape().size()).map_err(failed("write", part))?;
        let before = self.data.stamp();
        self.trust.moved(before);
        self.data.sync().map_err(failed("write", part))?;
        disk.rename(part, target, force).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => PartError::Exists(target.clone()),
            _ => failed("rename", part)(error),
        })?;
        // Another name is no change.
        let renamed = self.data.stamp();
        if before.zip(renamed).is_some_and(|(before, renamed)| renamed.is_alike(&before)) {
            self.trust.moved(renamed);
        }
        // What is renamed stands; a state file that stays behind does no harm.
        let _ = disk.remove(&self.paths.state);
        Ok(())
    }

    /// What waits until all that was written is on the disk, on whatever thread, so that [`Part::finish`] need not.
    ///
    /// # Errors
    /// The system's.
    pub fn settler(&self) -> Result<impl FnOnce() -> Result<(), PartError> + Send + use<>, PartError> {
        let path = self.paths.part.clone();
        let data = self.data.try_clone().map_err(failed("open", &path))?;
        Ok(move || data.sync_all().map_err(failed("write", &path)))
    }
}

impl<M: Medium> Part<M> {
    /// Begins, with two empty files.
    pub(super) fn begin(paths: Paths, data: M, mut log: M, root: [u8; 32], shape: Shape) -> Result<Self, PartError> {
        let mut header = MARK.to_vec();
        header.extend_from_slice(&root);
        header.extend_from_slice(&shape.size().to_be_bytes());
        log.write_all_at(0, &header).map_err(failed("write", &paths.state))?;
        let have = vec![false; usize::try_from(shape.pieces()).expect("fewer than 2^31 pieces")];
        Ok(Self {
            paths,
            data,
            log,
            logged: HEADER as u64,
            tree: Tree::new(root, shape),
            have,
            count: 0,
            trust: Trust::default(),
        })
    }

    /// Reads what is there of the file with this hash; `len` is the length of the log. The size is believed: it is proven
    /// once [`Part::holds`] the last piece.
    ///
    /// # Errors
    /// The system's.
    pub fn read(paths: Paths, data: M, mut log: M, len: u64, root: [u8; 32]) -> Result<Option<Self>, PartError> {
        let mut header = [0; HEADER];
        let read = if len < HEADER as u64 { Ok(()) } else { log.read_all_at(0, &mut header) };
        read.map_err(failed("read", &paths.state))?;
        let size = u64::from_be_bytes(*header.last_chunk().expect("the header ends with the size"));
        let ours = header.starts_with(MARK) && header[MARK.len()..][..32] == root;
        let Some(shape) = Shape::new(size).ok().filter(|_| ours) else { return Ok(None) };
        let mut tree = Tree::new(root, shape);
        let mut claimed = vec![false; usize::try_from(shape.pieces()).expect("fewer than 2^31 pieces")];
        let mut at = HEADER as u64;
        while let Some((learnt, end)) = record(&mut log, at, len, &tree).map_err(failed("read", &paths.state))? {
            if !tree.recall(&learnt) {
                break;
            }
            claimed[learnt.piece as usize] = true;
            at = end;
        }
        // A record without an end goes, so that the next one can be read.
        log.resize(at).map_err(failed("write", &paths.state))?;
        let have = vec![false; claimed.len()];
        let mut part = Self { paths, data, log, logged: at, tree, have, count: 0, trust: Trust::default() };
        let mut buffer = vec![0; usize::try_from(shape.piece_size()).expect("at most 1 MiB")];
        for piece in (0..shape.pieces()).filter(|piece| claimed[*piece as usize]) {
            let data = &mut buffer[..shape.len(piece)];
            match part.data.read_all_at(shape.range(piece).start, data) {
                Ok(()) if part.tree.leaf(piece) == Some(leaf(shape, piece, data)) => part.has(piece),
                Ok(()) => {}
                // The file is shorter than it was, or cannot be read there: what is missing is fetched again.
                Err(_) => {}
            }
        }
        Ok(Some(part))
    }

    /// Keeps a piece that was proven. One that is there already is passed over.
    ///
    /// # Errors
    /// The system's: nothing is lost that was kept before, and the piece may be tried again.
    pub fn keep(&mut self, learnt: &Learnt, data: &[u8]) -> Result<(), PartError> {
        let at = self.tree.shape().range(learnt.piece).start;
        if self.have[learnt.piece as usize] {
            return Ok(());
        }
        let before = self.data.stamp();
        let _ = self.trust.has(before, learnt.piece);
        self.data.write_all_at(at, data).map_err(failed("write", &self.paths.part))?;
        let after = self.data.stamp();
        self.trust.moved(after);
        self.trust.add(learnt.piece);
        let mut bytes = u32::try_from(learnt.piece).expect("fewer than 2^31 pieces").to_be_bytes().to_vec();
        bytes.extend_from_slice(&learnt.leaf);
        learnt.siblings.iter().for_each(|sibling| bytes.extend_from_slice(sibling));
        self.log.write_all_at(self.logged, &bytes).map_err(failed("write", &self.paths.state))?;
        self.logged += bytes.len() as u64;
        self.has(learnt.piece);
        Ok(())
    }

    fn has(&mut self, piece: u64) {
        if !std::mem::replace(&mut self.have[piece as usize], true) {
            self.count += 1;
        }
    }

    /// Appends the bytes of a piece that is there; checked, since whoever gets them will check them.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::InvalidData`] if somebody else changed the file.
    pub fn get(&mut self, piece: u64, to: &mut Vec<u8>) -> Result<(), PartError> {
        let (shape, start) = (self.tree.shape(), to.len());
        let read = self.data.append_from(shape.range(piece).start, shape.len(piece), to);
        let stamp = self.data.stamp();
        read.and_then(|()| {
            // Nobody else has to do with it: what we wrote or read once is trusted though it is written to all the time.
            if self.trust.has(stamp, piece) {
                return Ok(());
            }
            prove(&self.tree, piece, &to[start..], "somebody else changed the file")?;
            self.trust.add(piece);
            Ok(())
        })
        .map_err(failed("read", &self.paths.part))
    }

    /// Whether a piece is there.
    #[must_use]
    pub fn holds(&self, piece: u64) -> bool {
        self.have.get(usize::try_from(piece).unwrap_or(usize::MAX)).is_some_and(|have| *have)
    }

    /// How many pieces are there.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that are there.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let shape = self.tree.shape();
        let last = if self.holds(shape.last()) { shape.piece_size() - shape.len(shape.last()) as u64 } else { 0 };
        self.count * shape.piece_size() - last
    }

    /// Whether every piece is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.count == self.tree.shape().pieces()
    }

    /// What is known of its tree.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// To prove pieces by.
    pub const fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }

    /// The pieces of it that need not be hashed again.
    pub(super) const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Where it is.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }
}

/// The record at this place and where it ends; `None` if none is whole.
fn record(log: &mut impl Medium, at: u64, len: u64, tree: &Tree) -> io::Result<Option<(Learnt, u64)>> {
    if at + 36 > len {
        return Ok(None);
    }
    let mut start = [0; 36];
    log.read_all_at(at, &mut start)?;
    let (number, leaf) = start.split_at(4);
    let piece = u64::from(u32::from_be_bytes(number.try_into().expect("four bytes")));
    let mut rest = vec![0; 32 * tree.missing(piece)];
    let end = at + 36 + rest.len() as u64;
    if end > len {
        return Ok(None);
    }
    log.read_all_at(at + 36, &mut rest)?;
    let siblings: Vec<Cv> = rest.as_chunks().0.to_vec();
    Ok(Some((Learnt { piece, leaf: leaf.try_into().expect("32 bytes"), siblings }, end)))
}

/// Hashes a piece that was read; `otherwise` is what is wrong if it is another.
pub(super) fn prove(tree: &Tree, piece: u64, data: &[u8], otherwise: &'static str) -> io::Result<()> {
    if tree.leaf(piece) == Some(leaf(tree.shape(), piece, data)) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, otherwise))
}

#[cfg(test)]
#[path = "part_tests.rs"]
pub(super) mod tests;

#[cfg(test)]
#[path = "part_hostile_tests.rs"]
mod hostile_tests;
