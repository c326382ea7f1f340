//! What somebody else may have left beside a target.

use super::tests::{Source, paths};
use super::*;
use crate::node::files::MAX_SIZE;
use std::fs;
use std::io::Write as _;

/// What a state file begins with.
fn header(root: [u8; 32], size: u64) -> Vec<u8> {
    [MARK, &root, &size.to_be_bytes()].concat()
}

fn put(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_size_that_is_only_claimed_is_not_believed_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    let source = Source::new(100_000);
    let root = source.tree.root();
    for size in [0, 1, 99_999, 131_072, MAX_SIZE, MAX_SIZE + 1, 1 << 52, u64::MAX] {
        put(&paths.part, &[]);
        put(&paths.state, &header(root, size));
        let resumed = Part::resume(&paths, root).unwrap();
        assert_eq!(resumed.is_some(), size <= MAX_SIZE, "{size}");
        let proven = resumed.is_some_and(|part| part.holds(part.tree().shape().last()));
        assert!(!proven, "{size}");
    }
    // Pieces that are the same whatever follows do not prove it either.
    let mut part = Part::create(&paths, root, source.tree.shape()).unwrap();
    source.give(0, &mut part).unwrap();
    drop(part);
    let mut state = fs::read(&paths.state).unwrap();
    state[..HEADER].copy_from_slice(&header(root, 110_000));
    put(&paths.state, &state);
    let resumed = Part::resume(&paths, root).unwrap().unwrap();
    assert_eq!((resumed.count(), resumed.tree().shape().size()), (1, 110_000));
    assert!(!resumed.holds(resumed.tree().shape().last()));
}

#[cfg(unix)]
#[test]
fn files_that_have_another_name_too_are_not_written_into() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    let source = Source::new(100_000);
    let (root, shape) = (source.tree.root(), source.tree.shape());
    for linked in [&paths.part, &paths.state] {
        let mut part = Part::create(&paths, root, shape).unwrap();
        source.give(6, &mut part).unwrap();
        drop(part);
        let victim = folder.path().join("victim");
        fs::hard_link(linked, &victim).unwrap();
        let before = fs::read(&victim).unwrap();
        assert!(Part::resume(&paths, root).unwrap().is_none(), "{}", linked.display());
        let mut part = Part::create(&paths, root, shape).unwrap();
        (0..7).for_each(|number| source.give(number, &mut part).unwrap());
        assert_eq!(fs::read(&victim).unwrap(), before, "{}", linked.display());
        drop(part);
        [&paths.part, &paths.state].into_iter().for_each(|path| fs::remove_file(path).unwrap());
        fs::remove_file(&victim).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn what_is_neither_file_nor_ours_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    let source = Source::new(100);
    let root = source.tree.root();
    put(&paths.part, &[0; 100]);
    let fifo = std::process::Command::new("mkfifo").arg(&paths.state).status().unwrap();
    assert!(fifo.success());
    // Whoever opened it would wait for ever.
    assert!(Part::resume(&paths, root).unwrap().is_none());
    let mut part = Part::create(&paths, root, source.tree.shape()).unwrap();
    source.give(0, &mut part).unwrap();
    part.finish(false).unwrap();
    assert_eq!(fs::read(&paths.target).unwrap(), source.data);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&paths.target).unwrap().permissions());
    let plain = folder.path().join("plain");
    put(&plain, b"");
    let usual = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&plain).unwrap().permissions());
    assert_eq!(mode, usual, "as any file that is made here, and never executable");
    assert_eq!(mode & 0o7111, 0);
    fs::create_dir(&paths.state).unwrap();
    assert!(Part::resume(&paths, root).unwrap().is_none());
    let made = Part::create(&paths, root, source.tree.shape());
    assert!(matches!(made, Err(PartError::Io { doing: "remove", .. })), "a folder is not removed");
}
