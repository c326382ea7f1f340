//! The tree of a file that is to be shared.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use super::medium::Medium;
use super::trust::{Stamp, Trust};
use crate::node::files::{Cv, Shape, Tree, leaf};

/// More threads than that only wait for the disk.
const MAX_THREADS: usize = 8;

/// A file that was hashed.
#[derive(Debug, Clone)]
pub struct Hashed {
    /// Its tree.
    pub tree: Tree,
    /// When it was as it was hashed.
    pub(super) stamp: Option<Stamp>,
    pub(super) trust: Trust,
}

/// Hashes a file, with as many threads as the machine has processors.
///
/// # Errors
/// The system's, and [`io::ErrorKind::InvalidData`] if the file changed meanwhile or is too large.
pub fn hash_file(path: &Path) -> io::Result<Hashed> {
    hash_with(path, &|_| true)
}

/// Hashes a file. `progress` hears how many bytes have been hashed, from any thread, and says whether to go on.
///
/// # Errors
/// As [`hash_file`], and [`io::ErrorKind::Interrupted`] if `progress` says no.
pub fn hash_with(path: &Path, progress: &(dyn Fn(u64) -> bool + Sync)) -> io::Result<Hashed> {
    let now = SystemTime::now();
    let before = std::fs::metadata(path)?;
    let shape = Shape::new(before.len()).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    let pieces = shape.pieces();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let threads = threads.min(usize::try_from(pieces).unwrap_or(MAX_THREADS)).max(1);
    let next = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let leaves: Mutex<Vec<Cv>> = Mutex::new(vec![[0; 32]; usize::try_from(pieces).expect("fewer than 2^31 pieces")]);
    let work = || -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; usize::try_from(shape.piece_size().min(shape.size())).expect("at most 1 MiB")];
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces || stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let data = &mut buffer[..shape.len(piece)];
            file.read_all_at(shape.range(piece).start, data).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => changed(),
                _ => error,
            })?;
            let value = leaf(shape, piece, data);
            leaves.lock().unwrap_or_else(PoisonError::into_inner)[piece as usize] = value;
            let hashed = done.fetch_add(data.len() as u64, Ordering::Relaxed) + data.len() as u64;
            if !progress(hashed) {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
            }
        }
    };
    let result = thread::scope(|scope| {
        let run = || work().inspect_err(|_| stop.store(true, Ordering::Relaxed));
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mine = run();
        others.into_iter().fold(mine, |result, other| {
            result.and(other.join().unwrap_or_else(|_| Err(io::Error::other("a thread that hashes has ended"))))
        })
    });
    result?;
    let after = std::fs::metadata(path)?;
    if Stamp::of(&after) != Stamp::of(&before) {
        return Err(changed());
    }
    let stamp = Stamp::of(&after);
    let tree = Tree::of_leaves(shape, &leaves.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(Hashed { tree, stamp, trust: Trust::of_all(stamp, pieces, now) })
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file was changed while it was read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_hashes_to_its_blake3() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for len in [0, 1, 16 << 10, (16 << 10) + 1, 3_000_001] {
            let data: Vec<u8> = (0..len).map(|at: u32| (at % 251) as u8).collect();
            std::fs::write(&path, &data).unwrap();
            let tree = hash_file(&path).unwrap().tree;
            assert_eq!(tree.root(), *blake3::hash(&data).as_bytes());
        }
        let stopped = hash_with(&path, &|_| false).unwrap_err();
        assert_eq!(stopped.kind(), io::ErrorKind::Interrupted);
        assert_eq!(hash_file(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
