use super::super::part::Part;
use super::super::part::tests::{Source, paths};
use super::*;
use std::cell::Cell;
use std::fs::{self, File, Metadata};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's folders, of which one doing fails.
struct Failing {
    /// After so many doings one fails so.
    fuse: Cell<Option<(usize, i32)>>,
    /// What that was.
    failed: Cell<Option<&'static str>>,
}

impl Failing {
    fn burn(&self, doing: &'static str) -> io::Result<()> {
        match self.fuse.get() {
            Some((0, code)) => {
                self.fuse.set(None);
                self.failed.set(Some(doing));
                Err(io::Error::from_raw_os_error(code))
            }
            Some((left, code)) => {
                self.fuse.set(Some((left - 1, code)));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Disk for Failing {
    fn look(&self, path: &Path) -> io::Result<Metadata> {
        self.burn("look").and_then(|()| System.look(path))
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.burn("open").and_then(|()| System.open(path))
    }

    fn make(&self, path: &Path) -> io::Result<File> {
        self.burn("make").and_then(|()| System.make(path))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.burn("remove").and_then(|()| System.remove(path))
    }

    fn rename(&self, from: &Path, to: &Path, force: bool) -> io::Result<()> {
        self.burn("rename").and_then(|()| System.rename(from, to, force))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.burn("folder").and_then(|()| System.make_folder(path))
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        System.copy(from, to)?;
        // Once some of it is written.
        self.burn("copy")
    }
}

/// Fetches all into a new folder, resumed in the middle, and once more beside it. `kept` counts the pieces.
fn story(disk: &Failing, source: &Source, folder: &Path, force: bool, kept: &mut u64) -> Result<(), PartError> {
    let below = folder.join("new/a/b");
    let (paths, twice) = (paths(&below), below.join("twice"));
    make_folders_on(disk, &folder.join("new"), &paths.target)?;
    if !paths.target.exists() || force {
        let (root, shape) = (source.tree.root(), source.tree.shape());
        let mut part = match Part::resume_on(disk, &paths, root)? {
            Some(part) => part,
            None => Part::create_on(disk, &paths, root, shape)?,
        };
        assert!(part.count() >= *kept, "{} pieces are left of {kept}", part.count());
        for number in (0..4).filter(|number| !part.holds(*number)).collect::<Vec<_>>() {
            source.give(number, &mut part)?;
        }
        *kept = part.count();
        drop(part);
        let mut part = Part::resume_on(disk, &paths, root)?.expect("it was begun");
        assert!(part.count() >= *kept);
        (0..shape.pieces()).try_for_each(|number| source.give(number, &mut part))?;
        *kept = part.count();
        part.finish_on(disk, force)?;
    }
    if twice.exists() { Ok(()) } else { copy_on(disk, &paths.target, &twice, force) }
}

#[test]
fn whatever_fails_with_names_is_told_and_nothing_is_lost_by_it() {
    let source = Source::new(100_000);
    // ENOSPC, EIO, EACCES, EROFS.
    for code in [28, 5, 13, 30] {
        let mut all = std::collections::BTreeMap::<&str, usize>::new();
        for (doing, force) in (0..).flat_map(|doing| [(doing, false), (doing, true)]) {
            let folder = tempfile::tempdir().unwrap();
            let below = folder.path().join("new/a/b");
            let disk = Failing { fuse: Cell::new(Some((doing, code))), failed: Cell::default() };
            let mut kept = 0;
            let ended = story(&disk, &source, folder.path(), force, &mut kept);
            let Some(failed) = disk.failed.get() else {
                ended.unwrap();
                break;
            };
            *all.entry(failed).or_default() += 1;
            match ended {
                // All is in its place: what stays behind does no harm.
                Ok(()) => assert_eq!(failed, "remove", "at {doing}"),
                Err(PartError::Io { doing: told, path, error }) => {
                    assert_eq!(error.raw_os_error(), Some(code), "{told} {}", path.display());
                    assert!(path.starts_with(folder.path()) && !told.is_empty());
                }
                Err(other) => panic!("{other} at {doing}, {failed}"),
            }
            let whole = |name| fs::read(below.join(name)).ok().is_none_or(|found| found == source.data);
            assert!(whole("file") && whole("twice"), "whole or not there, at {doing}");
            story(&disk, &source, folder.path(), false, &mut kept).unwrap();
            let right = |name| fs::read(below.join(name)).unwrap() == source.data;
            assert!(right("file") && right("twice"), "at {doing}, {failed}");
            let left = fs::read_dir(&below).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let left: Vec<String> = left.filter(|name| name != "file" && name != "twice").collect();
            assert!(left.is_empty() || failed == "remove" && left == [".file.p2pt-state"], "{left:?} at {doing}");
        }
        let wanted = ["copy", "folder", "look", "make", "open", "remove", "rename"];
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), wanted, "each was made to fail: {all:?}");
    }
}

#[test]
fn of_all_who_fetch_to_one_place_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::new(40_000);
    let (root, shape) = (source.tree.root(), source.tree.shape());
    let (inside, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        for _ in 0..50 {
            let paths = paths(folder.path());
            let part = match Part::resume(&paths, root) {
                Ok(None) => Part::create(&paths, root, shape),
                found => found.map(|found| found.expect("there is one")),
            };
            let mut part = match part {
                Err(PartError::Busy(_)) => continue,
                part => part.unwrap(),
            };
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "nobody else has it");
            (0..shape.pieces()).for_each(|number| source.give(number, &mut part).unwrap());
            std::thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            part.finish(true).unwrap();
            assert!(fs::read(&paths.target).unwrap() == source.data);
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| (0..4).map(|_| scope.spawn(work)).for_each(drop));
    assert!(done.into_inner() > 3);
}

#[test]
fn a_folder_is_made_below_what_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("x/y");
    make_folders(&new, &new.join("a/b/file")).unwrap();
    assert!(new.join("a/b").is_dir());
    make_folders(&new, &new.join("a/b/file")).unwrap();
    fs::write(new.join("a/c"), "mine").unwrap();
    let in_the_way = make_folders(&new, &new.join("a/c/file")).unwrap_err();
    assert!(matches!(in_the_way, PartError::NoFolder(path) if path == new.join("a/c")));
    assert!(matches!(make_folders(&new.join("a/c"), &new.join("a/c/file")), Err(PartError::Io { .. })));
    make_folders(Path::new(""), Path::new("file")).unwrap();
    make_folders(Path::new("."), Path::new("./file")).unwrap();
}
