//! What goes wrong, or is made to: names, links, files that change, addresses that nobody knows.

use crate::support::{Home, Running};
use crate::swarm::{LONG, Seed, bytes, fetch, made};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What a command may take beyond the time that it is given; the machine may be busy.
const GRACE: Duration = Duration::from_secs(10);

fn fetch_for(home: &Home, time: &str, address: &str) -> crate::support::Ended {
    let mut command = home.p2pt(["replicate-file", "fetch", "--timeout", time, address]);
    Running::start(command.current_dir(home.path())).end(LONG)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name != "data" && name != "state").collect();
    names.sort();
    names
}

#[test]
fn a_hash_that_nobody_has_and_a_group_where_nobody_is_are_told_in_time() {
    let source = Home::new();
    let seed = Seed::start(&[], &[&made(&source, "film", &bytes(50_000, 1))]);
    let address = seed.address();
    let (before, hash) = address.split_once("/b3=").unwrap();
    let other = if hash.starts_with('0') { "1" } else { "0" };
    let unknown = format!("{before}/b3={other}{}", &hash[1..]);
    let home = Home::new();
    let ended = fetch_for(&home, "2s", &unknown);
    assert_eq!(ended.status, 12, "{}", ended.stderr);
    assert!(ended.stderr.contains("no member has it"), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2) + GRACE, "{:?}", ended.took);
    // A digit of the group's secret is another: it is another group, and that is all that can be known of it.
    let secret = before.find("210e").expect("32 random bytes") + 4;
    let digit = if before[secret..].starts_with('0') { "1" } else { "0" };
    let elsewhere = format!("{}{digit}{}/b3={hash}", &before[..secret], &before[secret + 1..]);
    let ended = fetch_for(&home, "2s", &elsewhere);
    assert_eq!(ended.status, 12, "{}", ended.stderr);
    assert!(ended.stderr.contains("no member was found within 2s"), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2) + GRACE, "{:?}", ended.took);
    assert!(names(home.path()).is_empty(), "nothing is left behind: {:?}", names(home.path()));
}

#[test]
fn a_file_that_changes_while_it_is_shared_is_not_given_any_more_and_nobody_is_blamed() {
    let (source, content) = (Home::new(), bytes(3_000_000, 2));
    let file = made(&source, "film", &content);
    let other = made(&source, "other", &bytes(40_000, 3));
    let seed = Seed::start(&[], &[&file, &other]);
    let mut changed = content.clone();
    changed[2_000_000] ^= 1;
    fs::write(&file, &changed).unwrap();
    let home = Home::new();
    let ended = fetch_for(&home, "3s", &seed.address());
    assert_eq!(ended.status, 7, "what is there is kept: {}", ended.stderr);
    let said = seed.running.said();
    assert!(
        said.contains("not shared any more") && said.contains("the file was changed since it was hashed"),
        "{said}"
    );
    assert!(!ended.stderr.contains("is left"), "the sharer told no lies: {}", ended.stderr);
    let found = walk(home.path());
    let whole = |name: &str| found.iter().any(|path| path.file_name().unwrap() == name);
    assert!(whole("other") && !whole("film"), "what is right comes, what is not does not: {found:?}");
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_link_that_is_put_in_the_way_during_a_fetch_leads_nowhere() {
    let (source, content) = (Home::new(), bytes(2_000_000, 4));
    made(&source, "photos/in/film", &content);
    let seed = Seed::start(&["--up", "8Mbit/s"], &[&source.path().join("photos")]);
    let (home, elsewhere) = (Home::new(), Home::new());
    let fetcher = fetch(&home, &[], &seed.address());
    let inner = home.path().join("photos/in");
    fetcher.await_that("some pieces", |_| {
        fs::metadata(inner.join(".film.p2pt-state")).is_ok_and(|about| about.len() > 500)
    });
    fs::rename(&inner, home.path().join("photos/away")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &inner).unwrap();
    let ended = fetcher.end(LONG);
    assert_eq!(ended.status, 11, "{}", ended.stderr);
    assert!(ended.stderr.contains("something that is no folder is there"), "{}", ended.stderr);
    assert!(names(elsewhere.path()).is_empty(), "{:?}", names(elsewhere.path()));
}

#[test]
fn a_state_file_with_another_size_makes_nobody_a_liar() {
    let (source, content) = (Home::new(), bytes(300_000, 5));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    let hash = blake3::hash(&content);
    for size in [0_u64, 290_000, 1 << 42] {
        let state = [&b"p2pt part 1\0"[..], hash.as_bytes(), &size.to_be_bytes()].concat();
        fs::write(home.path().join(".film.p2pt-state"), state).unwrap();
        fs::write(home.path().join(".film.p2pt-part"), b"").unwrap();
        let ended = fetch_for(&home, "20s", &seed.address());
        assert_eq!(ended.status, 0, "{size}: {}", ended.stderr);
        assert!(!ended.stderr.contains("is left"), "{size}: {}", ended.stderr);
        assert!(fs::read(home.path().join("film")).unwrap() == content);
        fs::remove_file(home.path().join("film")).unwrap();
    }
}
