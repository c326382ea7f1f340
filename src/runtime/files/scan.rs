//! What there is to share at a place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::node::files::{MAX_FILES, safe_name};

/// A file to be shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The name in the list, made safe.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
}

/// Why nothing can be shared.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The system says no.
    #[error("{1}")]
    Io(PathBuf, io::Error),
    /// Neither file nor folder.
    #[error("neither a file nor a folder")]
    Special(PathBuf),
    /// More files than a list takes.
    #[error("more than 100,000 files")]
    TooMany,
    /// Two files would have this name.
    #[error("two files would be called {0:?}")]
    Twice(String),
}

/// The files at these places: a file is itself, a folder all files in it, under its name if there are several places. Links in folders are passed over, and so
/// is what is no file; `passed` hears of them. In the order of their names.
///
/// # Errors
/// [`ScanError`].
pub fn scan(places: &[PathBuf], passed: &mut dyn FnMut(&Path)) -> Result<Vec<Found>, ScanError> {
    let mut found = Vec::new();
    for place in places {
        let about = fs::metadata(place).map_err(|error| ScanError::Io(place.clone(), error))?;
        let name = own_name(place);
        if about.is_file() {
            found.push(Found { name, path: place.clone(), size: about.len() });
        } else if about.is_dir() {
            let prefix = if places.len() == 1 { String::new() } else { format!("{name}/") };
            folder(place, &prefix, &mut found, passed)?;
        } else {
            return Err(ScanError::Special(place.clone()));
        }
    }
    found.sort();
    match found.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(ScanError::Twice(pair[0].name.clone())),
        None => Ok(found),
    }
}

/// What a place is called: the last part of its path, safe.
#[must_use]
pub fn own_name(place: &Path) -> String {
    let whole = fs::canonicalize(place);
    let name = place.file_name().or_else(|| whole.as_ref().ok()?.file_name());
    safe_name(&name.map(|name| name.to_string_lossy()).unwrap_or_default())
}

fn folder(place: &Path, prefix: &str, found: &mut Vec<Found>, passed: &mut dyn FnMut(&Path)) -> Result<(), ScanError> {
    let failed = |error| ScanError::Io(place.to_path_buf(), error);
    for entry in fs::read_dir(place).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let raw = entry.file_name().to_string_lossy().into_owned();
        let ours = raw.ends_with(".p2pt-part") || raw.ends_with(".p2pt-state");
        let name = format!("{prefix}{}", safe_name(&raw));
        if kind.is_dir() {
            folder(&path, &format!("{name}/"), found, passed)?;
        } else if kind.is_file() && !ours {
            let size = entry.metadata().map_err(failed)?.len();
            found.push(Found { name, path, size });
        } else {
            passed(&path);
        }
        if found.len() > MAX_FILES {
            return Err(ScanError::TooMany);
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_are_passed_over_and_names_made_safe() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("photos");
        fs::create_dir_all(place.join("a")).unwrap();
        fs::write(place.join("a/b\nc"), "1").unwrap();
        fs::write(place.join("z"), "22").unwrap();
        fs::write(place.join(".z.p2pt-part"), "2").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place.join("link")).unwrap();
        let mut passed = Vec::new();
        let found = scan(std::slice::from_ref(&place), &mut |path| passed.push(path.to_path_buf())).unwrap();
        let names: Vec<(&str, u64)> = found.iter().map(|file| (file.name.as_str(), file.size)).collect();
        assert_eq!(names, [("a/b_c", 1), ("z", 2)]);
        passed.sort();
        assert_eq!(passed, [place.join(".z.p2pt-part"), place.join("link")]);
        let both = scan(&[place.clone(), place.join("z")], &mut |_| ()).unwrap();
        assert_eq!(both.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["photos/a/b_c", "photos/z", "z"]);
        fs::write(place.join("a/b_c"), "1").unwrap();
        assert!(matches!(scan(&[place], &mut |_| ()), Err(ScanError::Twice(_))));
        assert!(matches!(scan(&["/dev/null".into()], &mut |_| ()), Err(ScanError::Special(_))));
    }
}
