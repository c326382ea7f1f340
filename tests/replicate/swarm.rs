//! One who shares, and some who fetch.

use crate::support::schema::Schema;
use crate::support::{Home, Running};
use rustix::process::Signal;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// More than a swarm of a few on a busy machine needs.
pub const LONG: Duration = Duration::from_secs(60);

/// Bytes that are different at every place and for every seed.
pub fn bytes(len: usize, seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed) << 32 | 0x9e37_79b9;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..len.div_ceil(4)).flat_map(|_| word().to_le_bytes()).take(len).collect()
}

/// Whether `P2PT_LONG` asks for what takes minutes.
pub fn long() -> bool {
    std::env::var_os("P2PT_LONG").is_some_and(|wanted| wanted == "1")
}

/// A process that shares.
pub struct Seed {
    pub home: Home,
    pub running: Running,
}

impl Seed {
    pub fn start(options: &[&str], paths: &[&Path]) -> Self {
        Self::start_within(LONG, options, paths)
    }

    /// The same for what takes long to hash.
    pub fn start_within(patience: Duration, options: &[&str], paths: &[&Path]) -> Self {
        let home = Home::new();
        let ready = home.path().join("ready");
        let mut command = home.p2pt(["replicate-file", "share", "--ready-file"]);
        command.arg(&ready).args(options).args(paths);
        let running = Running::start(&mut command);
        let deadline = Instant::now() + patience;
        while !ready.exists() {
            assert!(Instant::now() < deadline, "no address came; it said: {}", running.said());
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { home, running }
    }

    pub fn address(&self) -> String {
        fs::read_to_string(self.home.path().join("ready")).unwrap().trim().to_owned()
    }
}

/// A process that fetches in a folder of its own.
pub fn fetch(home: &Home, options: &[&str], address: &str) -> Running {
    let mut command = home.p2pt(["replicate-file", "fetch", "--timeout", "20s"]);
    Running::start(command.args(options).arg(address).current_dir(home.path()))
}

pub fn made(folder: &Home, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn three_fetch_a_file_from_one_and_from_each_other() {
    let (source, content) = (Home::new(), bytes(12_000_001, 1));
    let file = made(&source, "film é.bin", &content);
    let seed = Seed::start(&["--until-copies", "3", "--json"], &[&file]);
    let address = seed.address();
    assert!(address.contains("/b3=") && address.ends_with("/film%20%C3%A9.bin"), "{address}");
    let homes = [Home::new(), Home::new(), Home::new()];
    let fetchers: Vec<Running> = homes.iter().map(|home| fetch(home, &["--json"], &address)).collect();
    let schema = Schema::of_events();
    for (fetcher, home) in fetchers.into_iter().zip(&homes) {
        let ended = fetcher.end(LONG);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(fs::read(home.path().join("film é.bin")).unwrap() == content, "every byte");
        let events = schema.lines(&ended.stderr);
        let fetched = events.iter().find(|event| event["event"] == "fetched").expect("it says so");
        assert_eq!(fetched["bytes"], content.len());
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("p2pt-")), "{left:?}");
    }
    let ended = seed.running.end(LONG);
    assert_eq!((ended.status, ended.stdout.len()), (0, 0), "it leaves after three copies: {}", ended.stderr);
    let copied = schema.lines(&ended.stderr).into_iter().filter(|event| event["event"] == "copied").count();
    assert_eq!(copied, 3);
}

#[test]
fn a_folder_comes_with_all_that_is_in_it() {
    let source = Home::new();
    let files: [(&str, Vec<u8>); 6] = [
        ("photos/a.jpg", bytes(300_000, 1)),
        ("photos/b/c/d.raw", bytes(2_000_000, 2)),
        ("photos/b/empty", vec![]),
        ("photos/b/same", bytes(300_000, 1)),
        ("photos/one", vec![7]),
        ("photos/z", bytes(16_384, 3)),
    ];
    files.iter().for_each(|(name, content)| drop(made(&source, name, content)));
    std::os::unix::fs::symlink("/etc/passwd", source.path().join("photos/link")).unwrap();
    let seed = Seed::start(&[], &[&source.path().join("photos")]);
    assert!(seed.address().contains("/b3list=") && seed.address().ends_with("/photos"), "{}", seed.address());
    assert!(seed.running.said().contains("photos/link"), "what is not shared is said");
    let home = Home::new();
    let ended = fetch(&home, &[], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("6 files") && ended.stderr.contains("b/c/d.raw"), "{}", ended.stderr);
    for (name, content) in &files {
        assert!(fs::read(home.path().join(name)).unwrap() == *content, "{name}");
    }
    assert!(!home.path().join("photos/link").exists());
    // Again: all of it is there. One file changed: it is not overwritten, unless that is asked for.
    let ended = fetch(&home, &[], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    fs::write(home.path().join("photos/one"), "mine").unwrap();
    assert_eq!(fetch(&home, &[], &seed.address()).end(LONG).status, 11);
    assert_eq!(fs::read(home.path().join("photos/one")).unwrap(), b"mine");
    assert_eq!(fetch(&home, &["--force"], &seed.address()).end(LONG).status, 0);
    assert_eq!(fs::read(home.path().join("photos/one")).unwrap(), [7]);
}

#[test]
fn a_link_in_the_folder_is_not_followed() {
    let source = Home::new();
    let file = made(&source, "f/in/x", b"x");
    let seed = Seed::start(&[], &[file.parent().unwrap().parent().unwrap()]);
    let (home, elsewhere) = (Home::new(), Home::new());
    fs::create_dir(home.path().join("f")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), home.path().join("f/in")).unwrap();
    let ended = fetch(&home, &["--force"], &seed.address()).end(LONG);
    assert_eq!(ended.status, 11, "{}", ended.stderr);
    assert!(!elsewhere.path().join("x").exists());
}

#[test]
fn a_file_streams_in_order_and_begins_soon() {
    let (source, content) = (Home::new(), bytes(30_000_000, 5));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    let begun = Instant::now();
    let mut command = home.p2pt(["replicate-file", "fetch", "-o", "-", "--timeout", "20s", &seed.address()]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut from = child.stdout.take().unwrap();
    let mut got = vec![0; 1];
    from.read_exact(&mut got).unwrap();
    let first = begun.elapsed();
    from.read_to_end(&mut got).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(got == content, "every byte, in order");
    assert!(first < Duration::from_secs(2), "the first byte came after {first:?}");
    // A reader that has enough ends it.
    let mut child = command.spawn().unwrap();
    let mut some = vec![0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

#[test]
fn a_fetch_that_is_killed_goes_on_where_it_was() {
    let (source, content) = (Home::new(), bytes(8_000_000, 6));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    let part = home.path().join(".film.p2pt-part");
    let state = home.path().join(".film.p2pt-state");
    // At different places each time: once so much of the state is written.
    for least in [1_000, 4_000, 7_000, 10_000] {
        let fetcher = fetch(&home, &["--down", "16Mbit/s"], &seed.address());
        fetcher.await_that("some pieces", |_| fs::metadata(&state).is_ok_and(|about| about.len() > least));
        fetcher.signal(Signal::KILL);
        assert_eq!(fetcher.end(LONG).status, 137);
        assert!(part.exists() && !home.path().join("film").exists());
    }
    let ended = fetch(&home, &["--json"], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(fs::read(home.path().join("film")).unwrap() == content);
    assert!(!part.exists() && !state.exists());
    let events = Schema::of_events().lines(&ended.stderr);
    let fetched = events.iter().find(|event| event["event"] == "fetched").unwrap();
    // 10,000 bytes of state are at least 80 pieces of 16 KiB.
    assert!(fetched["received"].as_u64().unwrap() < 8_000_000 - 80 * 16_384, "{fetched}");
}

#[test]
fn a_disk_that_takes_no_more_is_told_and_the_fetch_goes_on_later() {
    let (source, content) = (Home::new(), bytes(8_000_000, 10));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    // No file may have more than 4,096,000 bytes: the system refuses what is written beyond.
    let limited = "trap '' XFSZ; ulimit -f 8000; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited]).arg(crate::support::binary());
    command.args(["replicate-file", "fetch", &seed.address()]).current_dir(home.path());
    home.clean(&mut command);
    let ended = Running::start(&mut command).end(LONG);
    assert_eq!(ended.status, 9, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(".film.p2pt-part") && ended.stderr.contains("same command again"),
        "{}",
        ended.stderr
    );
    assert!(!home.path().join("film").exists());
    let ended = fetch(&home, &[], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("going on with") && fs::read(home.path().join("film")).unwrap() == content);
}

#[test]
fn an_interrupted_fetch_says_that_it_can_go_on() {
    let (source, content) = (Home::new(), bytes(8_000_000, 8));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    let state = home.path().join(".film.p2pt-state");
    let fetcher = fetch(&home, &["--down", "8Mbit/s"], &seed.address());
    fetcher.await_that("some pieces", |_| fs::metadata(&state).is_ok_and(|about| about.len() > 1_000));
    fetcher.signal(Signal::INT);
    let ended = fetcher.end(LONG);
    assert_eq!(ended.status, 7, "{}", ended.stderr);
    assert!(ended.stderr.contains("same command again"), "{}", ended.stderr);
}

#[test]
fn nothing_is_overwritten_unasked() {
    let (source, content) = (Home::new(), bytes(100_000, 9));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    made(&home, "film", b"mine");
    let ended = fetch(&home, &[], &seed.address()).end(LONG);
    assert_eq!(ended.status, 11, "{}", ended.stderr);
    assert!(ended.stderr.contains("--force") && ended.took < Duration::from_secs(2), "before anything is waited for");
    assert_eq!(fs::read(home.path().join("film")).unwrap(), b"mine");
    assert_eq!(fetch(&home, &["-o", "other"], &seed.address()).end(LONG).status, 0);
    assert_eq!(fetch(&home, &["--force"], &seed.address()).end(LONG).status, 0);
    assert!(fs::read(home.path().join("film")).unwrap() == content);
    // What is the same is there.
    let ended = fetch(&home, &[], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
}

#[test]
fn wrong_calls_are_told_apart() {
    let home = Home::new();
    let run = |args: &[&str]| home.run([&["replicate-file"], args].concat());
    assert_eq!(run(&["fetch", "rtmfp:#G:010300"]).status, 2, "a group is no file");
    assert_eq!(run(&["fetch", "rtmfp:#G:010200/b3=00"]).status, 2);
    let hash = "0".repeat(64);
    let list = format!("rtmfp:#G:010200/b3list={hash}/x");
    assert_eq!(run(&["fetch", "-o", "-", &list]).status, 2, "a list is no stream");
    let away = format!("rtmfp:#G:010200/b3={hash}/..%2Fx");
    assert_eq!(run(&["fetch", &away]).status, 2, "a name that leads elsewhere");
    assert_eq!(run(&["share", "/nonexistent"]).status, 12);
    assert_eq!(run(&["share", "--group", "rtmfp:#G:010300", "/etc/passwd"]).status, 2, "no replication in it");
    assert_eq!(home.run(["replicate", "share", "--for", "3", "x"]).status, 2, "the alias, and a bare number");
}
