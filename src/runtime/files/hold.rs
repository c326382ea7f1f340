//! Who has a file that is being fetched: whoever holds the lock on its state file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::disk::Disk;
use super::fault::{PartError, failed};

/// How often a name is looked at anew, since somebody else made or removed the file meanwhile.
const TRIES: usize = 100;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A file that may be one that we left: nobody else's, and under no other name, or others could read and write what is put
    /// into it.
    Own,
    Other,
}

/// What there is under a name.
pub(super) fn found(disk: &impl Disk, path: &Path) -> Result<Found, PartError> {
    let found = match disk.look(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        found => found.map_err(failed("look at", path))?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if found.nlink() != 1 || found.uid() != rustix::process::geteuid().as_raw() {
            return Ok(Found::Other);
        }
    }
    Ok(if found.is_file() { Found::Own } else { Found::Other })
}

/// The state file, opened and locked. If there is none of ours, it is made with `make`, and nothing is held without.
pub(super) fn held(disk: &impl Disk, state: &Path, make: bool) -> Result<Option<File>, PartError> {
    for _ in 0..TRIES {
        let (opened, again) = match (found(disk, state)?, make) {
            (Found::Own, _) => (disk.open(state).map_err(|error| ("open", error)), io::ErrorKind::NotFound),
            (_, false) => return Ok(None),
            (Found::Nothing, true) => (disk.make(state).map_err(|error| ("make", error)), io::ErrorKind::AlreadyExists),
            (Found::Other, true) => {
                removed(disk, state)?;
                continue;
            }
        };
        let file = match opened {
            Err((_, error)) if error.kind() == again => continue,
            Err((doing, error)) => return Err(failed(doing, state)(error)),
            Ok(file) => locked(file, state)?,
        };
        // Whoever held it before may have been done with it, and removed it, since it was opened.
        if is_at(disk, &file, state)? {
            return Ok(Some(file));
        }
    }
    Err(PartError::Busy(state.to_path_buf()))
}

/// Removes a file, if it is there.
pub(super) fn removed(disk: &impl Disk, path: &Path) -> Result<(), PartError> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn locked(file: File, path: &Path) -> Result<File, PartError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PartError::Busy(path.to_path_buf())),
        // A file system without locks: two fetches of one file are then nobody's fault but the user's.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Whether an open file still has this name.
#[cfg(unix)]
fn is_at(disk: &impl Disk, file: &File, path: &Path) -> Result<bool, PartError> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata().map_err(failed("look at", path))?;
    match disk.look(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => {
            found.map(|found| (found.dev(), found.ino()) == (ours.dev(), ours.ino())).map_err(failed("look at", path))
        }
    }
}

/// Whether an open file still has this name: where open files cannot be removed, if anything has.
#[cfg(not(unix))]
fn is_at(disk: &impl Disk, _: &File, path: &Path) -> Result<bool, PartError> {
    Ok(found(disk, path)? == Found::Own)
}
