//! What is done with names in folders, so that tests can make it fail.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// The system's folders, or what fails like them. Each fails with the system's error.
pub(super) trait Disk {
    /// What has this name itself, be it a link.
    fn look(&self, path: &Path) -> io::Result<Metadata>;

    /// Opens what is there to be read and written; a link is not followed.
    fn open(&self, path: &Path) -> io::Result<File>;

    /// Makes a file where nothing is yet.
    fn make(&self, path: &Path) -> io::Result<File>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Renames a file; what is there is replaced only with `force`, and otherwise [`io::ErrorKind::AlreadyExists`].
    fn rename(&self, from: &Path, to: &Path, force: bool) -> io::Result<()>;

    /// Makes a folder in a folder.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Copies what is in a file to another.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The system's.
pub(super) struct System;

impl Disk for System {
    fn look(&self, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NOFOLLOW.bits() as i32);
        options.open(path)
    }

    fn make(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path, force: bool) -> io::Result<()> {
        if force { fs::rename(from, to) } else { rename_new(from, to) }
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::copy(from, to).map(|_| ())
    }
}

/// Renames where nothing is there yet.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {}
            result => return result.map_err(io::Error::from),
        }
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // No links there either: what is left is to look first.
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}
