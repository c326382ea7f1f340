//! Where files go: the folders above them, and copies.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::disk::{Disk, System};
use super::fault::{PartError, failed};
use super::hold::removed;
use super::part::Paths;

/// Makes the folders between `folder` and `target`, and `folder` itself. What is there below `folder` has to be a folder: a link could lead anywhere.
///
/// # Errors
/// [`PartError::NoFolder`], or the system's.
pub fn make_folders(folder: &Path, target: &Path) -> Result<(), PartError> {
    make_folders_on(&System, folder, target)
}

pub(super) fn make_folders_on(disk: &impl Disk, folder: &Path, target: &Path) -> Result<(), PartError> {
    make_all(disk, folder)?;
    let below = target.parent().and_then(|parent| parent.strip_prefix(folder).ok()).unwrap_or(Path::new(""));
    let mut path = folder.to_path_buf();
    for part in below.components() {
        path.push(part);
        match disk.make_folder(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !disk.look(&path).map_err(failed("look at", &path))?.is_dir() {
                    return Err(PartError::NoFolder(path));
                }
            }
            made => made.map_err(failed("make the folder", &path))?,
        }
    }
    Ok(())
}

/// Makes a folder and those above it; links in the way are the user's own.
fn make_all(disk: &impl Disk, folder: &Path) -> Result<(), PartError> {
    let mut path = PathBuf::new();
    for part in folder.components() {
        path.push(part);
        if !matches!(part, Component::Normal(_)) || path.is_dir() {
            continue;
        }
        match disk.make_folder(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            made => made.map_err(failed("make the folder", &path))?,
        }
    }
    Ok(())
}

/// A copy that appears whole or not at all; what is there is replaced only with `force`.
///
/// # Errors
/// [`PartError::Exists`], or the system's.
pub fn copy_whole(from: &Path, to: &Path, force: bool) -> Result<(), PartError> {
    copy_on(&System, from, to, force)
}

pub(super) fn copy_on(disk: &impl Disk, from: &Path, to: &Path, force: bool) -> Result<(), PartError> {
    let Some(Paths { part, .. }) = Paths::of(to) else { return Err(PartError::Exists(to.to_path_buf())) };
    removed(disk, &part)?;
    disk.copy(from, &part).map_err(|error| {
        // Not half of it: it may have taken the last room there was.
        let _ = disk.remove(&part);
        failed("write", &part)(error)
    })?;
    disk.rename(&part, to, force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => PartError::Exists(to.to_path_buf()),
        _ => failed("rename", &part)(error),
    })
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
