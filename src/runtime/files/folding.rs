//! What names a disk takes for one.

use std::path::Path;

use super::disk::{Disk, System};
use super::fault::{PartError, failed};
use super::hold::{Found, found, removed};
use crate::node::files::Folding;

/// Finds out what the disk below a folder makes no difference of, by a file that is there for a moment.
///
/// # Errors
/// The system's.
pub fn folding(folder: &Path) -> Result<Folding, PartError> {
    folding_on(&System, folder)
}

fn folding_on(disk: &impl Disk, folder: &Path) -> Result<Folding, PartError> {
    let process = std::process::id();
    let probe = folder.join(format!(".p2pt-\u{e9}-{process}"));
    removed(disk, &probe)?;
    drop(disk.make(&probe).map_err(failed("make", &probe))?);
    let is_there = |name: String| found(disk, &folder.join(name)).map(|found| found != Found::Nothing);
    let seen = is_there(format!(".P2PT-\u{e9}-{process}"))
        .and_then(|case| Ok(Folding { case, accents: is_there(format!(".p2pt-e\u{301}-{process}"))? }));
    removed(disk, &probe)?;
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, Metadata};
    use std::io;

    /// The system's disk, which takes each of these for the other.
    struct Folded(&'static str, &'static str);

    impl Folded {
        fn name(&self, path: &Path) -> std::path::PathBuf {
            let name = path.file_name().unwrap().to_str().unwrap().replace(self.0, self.1);
            path.with_file_name(name)
        }
    }

    impl Disk for Folded {
        fn look(&self, path: &Path) -> io::Result<Metadata> {
            System.look(&self.name(path))
        }

        fn open(&self, path: &Path) -> io::Result<File> {
            System.open(&self.name(path))
        }

        fn make(&self, path: &Path) -> io::Result<File> {
            System.make(&self.name(path))
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            System.remove(&self.name(path))
        }

        fn rename(&self, _: &Path, _: &Path, _: bool) -> io::Result<()> {
            unreachable!("nothing is renamed")
        }

        fn make_folder(&self, _: &Path) -> io::Result<()> {
            unreachable!("no folder is made")
        }

        fn copy(&self, _: &Path, _: &Path) -> io::Result<()> {
            unreachable!("nothing is copied")
        }
    }

    #[test]
    fn what_a_disk_folds_is_found_out_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let on = |disk: &Folded| folding_on(disk, folder.path()).unwrap();
        assert_eq!(on(&Folded("x", "x")), Folding::default());
        assert_eq!(on(&Folded("P2PT", "p2pt")), Folding { case: true, accents: false });
        assert_eq!(on(&Folded("e\u{301}", "\u{e9}")), Folding { case: false, accents: true });
        // Whatever this machine's disk is.
        folding(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(folding(&folder.path().join("none")).is_err());
    }
}
