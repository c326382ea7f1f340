//! The file that an identity lives in, and the lock that says who is reachable under it.
//!
//! A key file is made whole or not at all: written under another name (0600, `O_EXCL`, `O_NOFOLLOW`), synced, then linked to its
//! own. Racers read what the winner linked. It is refused if others own or can read it, or if it is a symbolic link. The
//! lock is `flock`, never a PID file: it goes with the process, however that ends.

pub use crate::crypto::{Identity, IdentityKind};

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use system::{check_access, folder_lock, holder, lock_of, no_follow, only_for_owner, own_folder};
use zeroize::Zeroizing;

/// More than any identity needs; what is larger is no key file.
const MAX_LEN: u64 = 64 * 1024;

/// Where an identity is kept. What it holds is for the caller to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    /// Whether the folder is ours alone: made 0700 if missing, and refused if others can write to it.
    own_folder: bool,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Neither `XDG_DATA_HOME` nor `HOME` says where the user's files are.
    #[error("neither XDG_DATA_HOME nor HOME is set")]
    NoHome,
    /// The system said no.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A symbolic link.
    #[error("{} is a symbolic link", .0.display())]
    Symlink(PathBuf),
    /// A folder, a pipe, a device.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Too large to be a key file.
    #[error("{} is too large for an identity", .0.display())]
    TooLarge(PathBuf),
    /// Another user's.
    #[error("{} belongs to another user (uid {owner})", .path.display())]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others may read it, or write to it.
    #[error("others have access to {} (mode {mode:04o})", .path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Another process is reachable under this identity.
    #[error("{} is in use by {}", .path.display(), .holder.as_deref().unwrap_or("another process"))]
    Held {
        /// The file.
        path: PathBuf,
        /// The process, where the system tells.
        holder: Option<String>,
    },
}

/// What a key file holds: erased when dropped.
pub type Secret = Zeroizing<Vec<u8>>;

/// Being reachable under an identity, until dropped or until the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl KeyFile {
    /// The file that the user named.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path, own_folder: false }
    }

    /// `name` in the user's own folder for p2pt.
    ///
    /// # Errors
    /// [`KeyFileError::NoHome`].
    pub fn of_user(name: &str) -> Result<Self, KeyFileError> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = if cfg!(windows) { variable("APPDATA") } else { variable("XDG_DATA_HOME") };
        let data =
            data.or_else(|| variable("HOME").map(|home| home.join(".local/share"))).ok_or(KeyFileError::NoHome)?;
        Ok(Self { path: data.join("p2pt").join(name), own_folder: true })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, or should not be trusted.
    pub fn read(&self) -> Result<Option<Secret>, KeyFileError> {
        match self.open(false)? {
            Some(file) => self.contents(file).map(Some),
            None => Ok(None),
        }
    }

    /// What it holds, made by `make` if there is none. Also whether it was made here: of several that come at once, one
    /// makes it, and all get the same.
    ///
    /// # Errors
    /// It can be neither read nor made, or should not be trusted.
    pub fn read_or_make(&self, make: impl FnOnce() -> Secret) -> Result<(Secret, bool), KeyFileError> {
        if let Some(found) = self.read()? {
            return Ok((found, false));
        }
        let made = self.publish(&make(), &mut |_| ())?;
        let found = self.read()?.ok_or_else(|| self.io(io::ErrorKind::NotFound.into()))?;
        Ok((found, made))
    }

    /// Locks it for being reachable, and reads it.
    ///
    /// # Errors
    /// [`KeyFileError::Held`] says who holds it; else as [`KeyFile::read`].
    pub fn hold(&self) -> Result<(Secret, Lock), KeyFileError> {
        let file = self.open(true)?.ok_or_else(|| self.io(io::ErrorKind::NotFound.into()))?;
        match lock_of(&file, &self.path).and_then(|lock| lock.try_lock().map(|()| lock)) {
            Ok(lock) => Ok((self.contents(file)?, Lock { _file: lock })),
            Err(TryLockError::WouldBlock) => Err(KeyFileError::Held { path: self.path.clone(), holder: holder(&file) }),
            Err(TryLockError::Error(error)) => Err(self.io(error)),
        }
    }

    /// Puts `secret` in its place. What was there is kept beside it, as `NAME.SUFFIX`, whose path is returned.
    ///
    /// # Errors
    /// What was there should not be trusted, or the system said no; then it is still in its place.
    pub fn replace(&self, secret: &Secret, suffix: &str) -> Result<Option<PathBuf>, KeyFileError> {
        self.replace_in_steps(secret, suffix, &mut |_| ())
    }

    fn replace_in_steps(
        &self,
        secret: &Secret,
        suffix: &str,
        step: &mut dyn FnMut(Step),
    ) -> Result<Option<PathBuf>, KeyFileError> {
        let folder = self.folder()?;
        // Two at once would each keep the same old one and lose the other's new one.
        let _turn = folder_lock(&folder).map_err(|error| self.io(error))?;
        if self.open(false)?.is_none() {
            self.publish(secret, step)?;
            return Ok(None);
        }
        let unfinished = Unfinished::write(&folder, &self.path, secret, step)?;
        let kept = self.keep(suffix)?;
        step(Step::Kept);
        fs::rename(&unfinished.path, &self.path).map_err(|error| self.io(error))?;
        step(Step::Linked);
        sync_folder(&folder);
        Ok(Some(kept))
    }

    /// Gives the file a second name that is free.
    fn keep(&self, suffix: &str) -> Result<PathBuf, KeyFileError> {
        for number in 1.. {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{suffix}"));
            if number > 1 {
                name.push(format!("-{number}"));
            }
            let kept = PathBuf::from(name);
            match fs::hard_link(&self.path, &kept) {
                Ok(()) => return Ok(kept),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(KeyFileError::Io { path: kept, error }),
            }
        }
        unreachable!("the numbers do not end")
    }

    /// Makes the file; false if another was faster.
    fn publish(&self, secret: &Secret, step: &mut dyn FnMut(Step)) -> Result<bool, KeyFileError> {
        let folder = self.folder()?;
        step(Step::FolderMade);
        let unfinished = Unfinished::write(&folder, &self.path, secret, step)?;
        let won = match fs::hard_link(&unfinished.path, &self.path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(self.io(error)),
        };
        step(Step::Linked);
        drop(unfinished);
        step(Step::Tidied);
        sync_folder(&folder);
        Ok(won)
    }

    /// The folder that the file is in; if it is our own, made where missing, and refused if others can write to it.
    fn folder(&self) -> Result<PathBuf, KeyFileError> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new(".")).to_owned();
        if self.own_folder {
            own_folder(&folder)?;
        }
        Ok(folder)
    }

    /// The file, checked; `None` if there is none.
    fn open(&self, for_lock: bool) -> Result<Option<File>, KeyFileError> {
        let mut options = OpenOptions::new();
        options.read(true).write(for_lock);
        no_follow(&mut options);
        let file = match options.open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) if fs::symlink_metadata(&self.path).is_ok_and(|meta| meta.is_symlink()) => {
                return Err(KeyFileError::Symlink(self.path.clone()));
            }
            Err(error) => return Err(self.io(error)),
        };
        let meta = file.metadata().map_err(|error| self.io(error))?;
        if !meta.is_file() {
            return Err(KeyFileError::NotAFile(self.path.clone()));
        }
        check_access(&self.path, &meta, 0o077)?;
        Ok(Some(file))
    }

    fn contents(&self, file: File) -> Result<Secret, KeyFileError> {
        // Grown once, so that no copy of a secret stays behind.
        let mut secret = Zeroizing::new(Vec::with_capacity(MAX_LEN as usize + 1));
        file.take(MAX_LEN + 1).read_to_end(&mut secret).map_err(|error| self.io(error))?;
        if secret.len() as u64 > MAX_LEN {
            return Err(KeyFileError::TooLarge(self.path.clone()));
        }
        Ok(secret)
    }

    fn io(&self, error: io::Error) -> KeyFileError {
        KeyFileError::Io { path: self.path.clone(), error }
    }
}

/// The moments between which a process may be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    FolderMade,
    Created,
    HalfWritten,
    Written,
    Synced,
    Kept,
    Linked,
    Tidied,
}

/// A file on its way to its name; removed when dropped.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn write(folder: &Path, name: &Path, secret: &Secret, step: &mut dyn FnMut(Step)) -> Result<Self, KeyFileError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| KeyFileError::Io { path: name.to_owned(), error: io::Error::other(error) })?;
        let stem = name.file_name().unwrap_or_default().to_string_lossy();
        let path = folder.join(format!(".{stem}.{:016x}", u64::from_ne_bytes(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        no_follow(&mut options);
        only_for_owner(&mut options);
        let failed = |error| KeyFileError::Io { path: path.clone(), error };
        let mut file = options.open(&path).map_err(failed)?;
        let unfinished = Self { path: path.clone() };
        step(Step::Created);
        let (head, tail) = secret.split_at(secret.len() / 2);
        file.write_all(head).map_err(failed)?;
        step(Step::HalfWritten);
        file.write_all(tail).map_err(failed)?;
        step(Step::Written);
        file.sync_all().map_err(failed)?;
        step(Step::Synced);
        Ok(unfinished)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename it is not there any more, and that is as good.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the name last through a power failure, on systems that sync folders. That it cannot is no reason to fail: the
/// file itself is synced.
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(unix)]
mod system {
    //! Modes, owners and locks as Unix has them.

    use super::{File, KeyFileError, OpenOptions, Path, TryLockError, fs, io};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

    pub(super) fn no_follow(options: &mut OpenOptions) {
        // NONBLOCK: a pipe put in the file's place must not keep us waiting.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }

    pub(super) fn only_for_owner(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn own_folder(folder: &Path) -> Result<(), KeyFileError> {
        let failed = |error| KeyFileError::Io { path: folder.to_owned(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        check_access(folder, &fs::metadata(folder).map_err(failed)?, 0o022)
    }

    pub(super) fn check_access(path: &Path, meta: &fs::Metadata, forbidden: u32) -> Result<(), KeyFileError> {
        let (owner, mode) = (meta.uid(), meta.mode() & 0o7777);
        if owner != rustix::process::geteuid().as_raw() {
            return Err(KeyFileError::Owner { path: path.to_owned(), owner });
        }
        if mode & forbidden != 0 {
            return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
        }
        Ok(())
    }

    pub(super) fn lock_of(file: &File, _path: &Path) -> Result<File, TryLockError> {
        file.try_clone().map_err(TryLockError::Error)
    }

    pub(super) fn folder_lock(folder: &Path) -> io::Result<File> {
        let folder = File::open(folder)?;
        folder.lock()?;
        Ok(folder)
    }

    /// The process that holds a lock on `file`, from the kernel's list.
    #[cfg(target_os = "linux")]
    pub(super) fn holder(file: &File) -> Option<String> {
        let inode = file.metadata().ok()?.ino().to_string();
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let pid = locks.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let at = fields.iter().position(|field| *field == "FLOCK")?;
            let its_inode = fields.get(at + 4)?.rsplit(':').next()?;
            (its_inode == inode).then(|| fields[at + 3].to_owned())
        })?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Some(format!("process {pid} ({})", name.trim()))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn holder(_file: &File) -> Option<String> {
        None
    }
}

#[cfg(not(unix))]
mod system {
    //! What other systems offer. Untested there.

    use super::{File, KeyFileError, OpenOptions, Path, TryLockError, fs, io};

    pub(super) fn no_follow(_options: &mut OpenOptions) {}

    pub(super) fn only_for_owner(_options: &mut OpenOptions) {}

    pub(super) fn own_folder(folder: &Path) -> Result<(), KeyFileError> {
        fs::create_dir_all(folder).map_err(|error| KeyFileError::Io { path: folder.to_owned(), error })
    }

    pub(super) fn check_access(_path: &Path, _meta: &fs::Metadata, _forbidden: u32) -> Result<(), KeyFileError> {
        Ok(())
    }

    /// A file beside, since locks there keep others from reading.
    pub(super) fn lock_of(_file: &File, path: &Path) -> Result<File, TryLockError> {
        File::create(path.with_extension("lock")).map_err(TryLockError::Error)
    }

    pub(super) fn folder_lock(folder: &Path) -> io::Result<File> {
        let lock = File::create(folder.join(".lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    pub(super) fn holder(_file: &File) -> Option<String> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests;
