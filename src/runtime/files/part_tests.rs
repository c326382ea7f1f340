use super::*;
use crate::node::files::{piece, read_piece};
use std::fs;
use std::sync::{Arc, Mutex};

/// A medium in memory, with room for so many bytes, which writes three bytes fewer than it could.
#[derive(Clone, Default)]
struct Faulty {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: Arc<Mutex<Option<usize>>>,
    broken: Arc<Mutex<bool>>,
    /// After so many doings, of whatever medium shares this, one fails so.
    fuse: Arc<Mutex<Option<(usize, i32)>>>,
}

impl Faulty {
    fn burn(&self) -> io::Result<()> {
        let mut fuse = self.fuse.lock().unwrap();
        match fuse.as_mut() {
            Some((0, code)) => {
                let code = *code;
                *fuse = None;
                Err(io::Error::from_raw_os_error(code))
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Medium for Faulty {
    fn write_some(&mut self, at: u64, data: &[u8]) -> io::Result<usize> {
        self.burn()?;
        if *self.broken.lock().unwrap() {
            return Err(io::Error::from_raw_os_error(5));
        }
        let mut short = if data.len() > 3 { data.len() - 3 } else { data.len() };
        if let Some(room) = self.room.lock().unwrap().as_mut() {
            short = short.min(*room);
            *room -= short;
            if short == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let (mut bytes, at) = (self.bytes.lock().unwrap(), at as usize);
        if bytes.len() < at + short {
            bytes.resize(at + short, 0);
        }
        bytes[at..at + short].copy_from_slice(&data[..short]);
        Ok(short)
    }

    fn read_some(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.burn()?;
        let bytes = self.bytes.lock().unwrap();
        let from = bytes.get(at as usize..).unwrap_or_default();
        let len = from.len().min(into.len()).min(7000);
        into[..len].copy_from_slice(&from[..len]);
        Ok(len)
    }

    fn resize(&mut self, len: u64) -> io::Result<()> {
        self.burn()?;
        self.bytes.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.burn()?;
        Ok(())
    }
}

pub(in super::super) struct Source {
    pub(in super::super) data: Vec<u8>,
    pub(in super::super) tree: Tree,
}

impl Source {
    pub(in super::super) fn new(len: u32) -> Self {
        let data: Vec<u8> = (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let shape = Shape::new(u64::from(len)).unwrap();
        let range = |piece| shape.range(piece).start as usize..shape.range(piece).end as usize;
        let leaves: Vec<Cv> = (0..shape.pieces()).map(|piece| leaf(shape, piece, &data[range(piece)])).collect();
        Self { data, tree: Tree::of_leaves(shape, &leaves) }
    }

    pub(in super::super) fn give<M: Medium>(&self, number: u64, to: &mut Part<M>) -> Result<(), PartError> {
        let range = self.tree.shape().range(number);
        let object = piece(&self.tree, number, &self.data[range.start as usize..range.end as usize]).unwrap();
        let (learnt, data) = read_piece(to.tree_mut(), number, &object).unwrap();
        to.keep(&learnt, &data)
    }
}

pub(in super::super) fn paths(folder: &Path) -> Paths {
    Paths::of(&folder.join("file")).unwrap()
}

fn in_memory(source: &Source) -> (Faulty, Faulty, Part<Faulty>) {
    let (data, log) = (Faulty::default(), Faulty::default());
    let shape = source.tree.shape();
    let part = Part::begin(paths(Path::new("")), data.clone(), log.clone(), source.tree.root(), shape).unwrap();
    (data, log, part)
}

fn again(source: &Source, data: &Faulty, log: &Faulty) -> Option<Part<Faulty>> {
    let len = log.bytes.lock().unwrap().len() as u64;
    Part::read(paths(Path::new("")), data.clone(), log.clone(), len, source.tree.root()).unwrap()
}

#[test]
fn a_fetch_that_ends_at_any_byte_is_resumed() {
    let source = Source::new(200_000);
    let (data, log, mut part) = in_memory(&source);
    let mut after = vec![(HEADER, 0)];
    for number in [5, 0, 12, 1, 7] {
        source.give(number, &mut part).unwrap();
        after.push((log.bytes.lock().unwrap().len(), part.count()));
    }
    let whole = log.bytes.lock().unwrap().clone();
    for cut in (0..=whole.len()).rev() {
        *log.bytes.lock().unwrap() = whole[..cut].to_vec();
        let resumed = again(&source, &data, &log);
        let wanted = after.iter().rev().find(|(len, _)| *len <= cut).map(|(_, count)| *count);
        assert_eq!(resumed.as_ref().map(Part::count), wanted, "cut after {cut} bytes");
        let Some(mut resumed) = resumed else { continue };
        for number in 0..source.tree.shape().pieces() {
            source.give(number, &mut resumed).unwrap();
        }
        assert!(resumed.is_whole());
        assert_eq!(again(&source, &data, &log).unwrap().count(), 13, "and its log is whole again");
        assert_eq!(data.bytes.lock().unwrap()[..], source.data[..]);
    }
}

#[test]
fn pieces_that_are_said_to_be_there_are_looked_at() {
    let source = Source::new(200_000);
    let (data, log, mut part) = in_memory(&source);
    (0..13).for_each(|number| source.give(number, &mut part).unwrap());
    assert_eq!((part.count(), part.bytes()), (13, 200_000));
    data.bytes.lock().unwrap()[20_000] ^= 1;
    data.bytes.lock().unwrap().truncate(190_000);
    let mut resumed = again(&source, &data, &log).unwrap();
    let missing: Vec<u64> = (0..13).filter(|number| !resumed.holds(*number)).collect();
    assert_eq!(missing, [1, 11, 12], "one was changed, the end was cut off");
    missing.into_iter().for_each(|number| source.give(number, &mut resumed).unwrap());
    assert_eq!(data.bytes.lock().unwrap()[..], source.data[..]);
}

#[test]
fn a_state_file_proves_nothing_that_is_not_true() {
    let source = Source::new(200_000);
    let (data, log, mut part) = in_memory(&source);
    (0..13).for_each(|number| source.give(number, &mut part).unwrap());
    let whole = log.bytes.lock().unwrap().clone();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        *log.bytes.lock().unwrap() = bytes;
        match again(&source, &data, &log) {
            // The size is believed only as far as a record proves something with it.
            Some(resumed) => assert!(resumed.count() < 13 || at < HEADER, "byte {at}"),
            None => assert!(at < HEADER),
        }
    }
    let other = Source::new(100);
    assert!(again(&other, &data, &log).is_none(), "another file");
}

#[test]
fn a_full_disk_is_told_and_what_was_kept_stays() {
    let source = Source::new(200_000);
    for room in [0, 10, 16_000, 16_384, 40_000, 199_999] {
        let (data, log, mut part) = in_memory(&source);
        *data.room.lock().unwrap() = Some(room);
        let failed = (0..13).find_map(|number| source.give(number, &mut part).err()).expect("it is full");
        let PartError::Io { doing, error, .. } = failed else { panic!("{failed}") };
        assert_eq!((doing, error.kind()), ("write", io::ErrorKind::StorageFull));
        let kept = part.count();
        assert_eq!(kept, room as u64 / 16_384);
        assert_eq!(again(&source, &data, &log).unwrap().count(), kept);
        *data.room.lock().unwrap() = None;
        (0..13).for_each(|number| source.give(number, &mut part).unwrap());
        assert!(part.is_whole(), "once there is room it goes on");
    }
}

#[test]
fn a_full_disk_under_the_state_file_is_told_too() {
    let source = Source::new(200_000);
    for room in 0..400 {
        let (data, log, mut part) = in_memory(&source);
        *log.room.lock().unwrap() = Some(room);
        assert!((0..13).any(|number| source.give(number, &mut part).is_err()), "{room}");
        let kept = part.count();
        assert_eq!(again(&source, &data, &log).unwrap().count(), kept);
        *log.room.lock().unwrap() = None;
        let mut resumed = again(&source, &data, &log).unwrap();
        (0..13).for_each(|number| source.give(number, &mut resumed).unwrap());
        assert_eq!(again(&source, &data, &log).unwrap().count(), 13);
        // The process that met the full disk may go on, too.
        (0..13).for_each(|number| source.give(number, &mut part).unwrap());
        assert!(part.is_whole());
    }
}

/// Fetches all, once resumed in the middle, and gives all on.
fn story(source: &Source, data: &Faulty, log: &Faulty) -> Result<(), PartError> {
    let (root, shape) = (source.tree.root(), source.tree.shape());
    let resumed = |len| Part::read(paths(Path::new("")), data.clone(), log.clone(), len, root);
    let len = log.bytes.lock().unwrap().len() as u64;
    let mut part = match resumed(len)? {
        Some(part) => part,
        None => Part::begin(paths(Path::new("")), data.clone(), log.clone(), root, shape)?,
    };
    (0..4).try_for_each(|number| source.give(number, &mut part))?;
    let len = log.bytes.lock().unwrap().len() as u64;
    let mut part = resumed(len)?.expect("it was begun");
    (0..shape.pieces()).try_for_each(|number| source.give(number, &mut part))?;
    for number in 0..shape.pieces() {
        let mut read = Vec::new();
        part.get(number, &mut read)?;
        assert!(read == source.data[shape.range(number).start as usize..shape.range(number).end as usize]);
    }
    part.data.sync().map_err(failed("write", Path::new("")))
}

#[test]
fn whatever_fails_is_told_and_nothing_is_lost_by_it() {
    let source = Source::new(100_000);
    for (code, kind) in [(28, io::ErrorKind::StorageFull), (5, io::Error::from_raw_os_error(5).kind())] {
        let mut failures = 0;
        for doing in 0.. {
            let fuse = Arc::new(Mutex::new(Some((doing, code))));
            let (data, log) = (
                Faulty { fuse: fuse.clone(), ..Faulty::default() },
                Faulty { fuse: fuse.clone(), ..Faulty::default() },
            );
            let ended = story(&source, &data, &log);
            if fuse.lock().unwrap().is_some() {
                ended.unwrap();
                break;
            }
            // A piece that could not be read when the fetch was resumed is fetched again: that is all.
            if let Err(failed) = ended {
                let PartError::Io { error, .. } = failed else { panic!("{failed}") };
                assert_eq!(error.kind(), kind, "at {doing}");
                failures += 1;
            }
            story(&source, &data, &log).unwrap();
            assert!(data.bytes.lock().unwrap()[..] == source.data[..], "at {doing}");
        }
        assert!(failures > 40, "only {failures} of all failed");
    }
}

#[test]
fn a_broken_disk_is_told() {
    let source = Source::new(20_000);
    let (data, _, mut part) = in_memory(&source);
    *data.broken.lock().unwrap() = true;
    let PartError::Io { error, .. } = source.give(0, &mut part).unwrap_err() else { panic!("the system's error") };
    assert_eq!(error.raw_os_error(), Some(5), "EIO");
    assert_eq!(part.count(), 0);
}

#[test]
fn files_appear_whole_and_replace_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    let source = Source::new(100_000);
    let (root, shape) = (source.tree.root(), source.tree.shape());
    assert!(Part::resume(&paths, root).unwrap().is_none());
    let mut part = Part::create(&paths, root, shape).unwrap();
    assert!(matches!(Part::create(&paths, root, shape), Err(PartError::Busy(_))));
    assert!(matches!(Part::resume(&paths, root), Err(PartError::Busy(_))));
    (0..3).for_each(|number| source.give(number, &mut part).unwrap());
    drop(part);
    assert!(!paths.target.exists());
    let mut part = Part::resume(&paths, root).unwrap().unwrap();
    assert_eq!(part.count(), 3);
    (3..7).for_each(|number| source.give(number, &mut part).unwrap());
    fs::write(&paths.target, "mine").unwrap();
    assert!(matches!(part.finish(false), Err(PartError::Exists(_))));
    assert_eq!(fs::read(&paths.target).unwrap(), b"mine");
    part.finish(true).unwrap();
    assert_eq!(fs::read(&paths.target).unwrap(), source.data);
    let mut read = vec![7];
    part.get(6, &mut read).unwrap();
    assert_eq!(read[1..], source.data[6 * 16_384..], "it can still be read");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["file"]);
}

#[cfg(unix)]
#[test]
fn links_in_the_place_of_our_files_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    std::os::unix::fs::symlink(&victim, &paths.part).unwrap();
    std::os::unix::fs::symlink(&victim, &paths.state).unwrap();
    std::os::unix::fs::symlink(&victim, &paths.target).unwrap();
    let source = Source::new(100);
    let mut part = Part::create(&paths, source.tree.root(), source.tree.shape()).unwrap();
    source.give(0, &mut part).unwrap();
    assert!(matches!(part.finish(false), Err(PartError::Exists(_))));
    part.finish(true).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    assert_eq!(fs::read(&paths.target).unwrap(), source.data);
}
