//! What goes wrong with files.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The system says no: a full disk, say. What was fetched so far is kept.
    #[error("{error}")]
    Io {
        /// What was done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What came back.
        error: io::Error,
    },
    /// Another process fetches it.
    #[error("another process fetches it")]
    Busy(PathBuf),
    /// There is something at its place already.
    #[error("it is there already")]
    Exists(PathBuf),
    /// What should be a folder is none.
    #[error("something that is no folder is there")]
    NoFolder(PathBuf),
}

/// The system's error as one of ours.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PartError + use<> {
    let path = path.to_path_buf();
    move |error| PartError::Io { doing, path, error }
}
