//! Places that cannot be written to, or are taken; files that change under whoever shares them.

use crate::support::schema::Schema;
use crate::support::{Ended, Home, Running, binary, skip};
use crate::swarm::{LONG, Seed, bytes, fetch, made};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

/// Told before anybody is looked for: no member needs to be there.
fn nobody_there() -> String {
    format!("rtmfp:#G:010200/b3={}/film", "0".repeat(64))
}

/// Runs a script in `home` with the program as `$0` and the address as `$1`, by way of another program.
fn scripted(home: &Home, through: &[&str], script: &str, address: &str) -> Ended {
    let mut command = Command::new(through[0]);
    command.args(&through[1..]).args(["sh", "-c", script]).arg(binary()).arg(address);
    home.clean(command.current_dir(home.path()));
    Running::start(&mut command).end(LONG)
}

#[test]
fn a_disk_that_is_read_only_is_told_before_anybody_is_looked_for() {
    let test = "a_disk_that_is_read_only_is_told_before_anybody_is_looked_for";
    let home = Home::new();
    fs::create_dir(home.path().join("disk")).unwrap();
    let mounted = "mount -t tmpfs -o ro none disk";
    let tried = Command::new("unshare").args(["-m", "sh", "-c", mounted]).current_dir(home.path()).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return skip::skip_always_allowed(test, "only root may mount");
    }
    let list = nobody_there().replace("/b3=", "/b3list=");
    for (address, place) in [(nobody_there(), "disk"), (nobody_there(), "disk/other"), (list, "disk")] {
        let script = format!("{mounted} && exec \"$0\" replicate-file fetch -o {place} \"$1\"");
        let ended = scripted(&home, &["unshare", "-m"], &script, &address);
        assert_eq!(ended.status, 9, "{}", ended.stderr);
        assert!(ended.stderr.contains("write into disk: Read-only file system"), "{}", ended.stderr);
        assert!(ended.stderr.contains("that can be written to with -o"), "{}", ended.stderr);
        assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    }
}

#[test]
fn a_folder_that_others_own_is_told() {
    let (source, content) = (Home::new(), bytes(200_000, 21));
    let seed = Seed::start(&[], &[made(&source, "photos/in/film", &content).parent().unwrap().parent().unwrap()]);
    let home = Home::new();
    let inner = home.path().join("photos/in");
    fs::create_dir_all(&inner).unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere, unless that is taken from it.
    let through: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
        false => &["env"],
    };
    let ended = scripted(&home, through, "exec \"$0\" replicate-file fetch -o photos/in \"$1\"", &nobody_there());
    assert_eq!(ended.status, 9, "{}", ended.stderr);
    assert!(ended.stderr.contains("write into photos/in: Permission denied"), "{}", ended.stderr);
    // Deeper in, it shows when the file is made.
    let script = "exec \"$0\" replicate-file fetch --timeout 20s \"$1\"";
    let ended = scripted(&home, through, script, &seed.address());
    assert_eq!(ended.status, 9, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("make photos/in/.film.p2pt-state: Permission denied")
            && ended.stderr.contains("where you may write with -o"),
        "{}",
        ended.stderr
    );
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(fetch(&home, &[], &seed.address()).end(LONG).status, 0);
    assert!(fs::read(inner.join("film")).unwrap() == content);
}

#[test]
fn no_folder_is_overwritten_and_no_file_made_one() {
    let home = Home::new();
    fs::create_dir_all(home.path().join("film/film")).unwrap();
    made(&home, "file", b"mine");
    let list = nobody_there().replace("/b3=", "/b3list=");
    for (options, address, says) in [
        (&["--force"][..], nobody_there(), "no folder is overwritten"),
        (&["--force", "-o", "film"], nobody_there(), "no folder is overwritten"),
        (&["--force", "-o", "file"], list, "something that is no folder is there"),
    ] {
        let ended = fetch(&home, options, &address).end(LONG);
        assert_eq!(ended.status, 11, "{options:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(says) && !ended.stderr.contains("with --force"), "{}", ended.stderr);
        assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    }
    assert_eq!(fs::read(home.path().join("file")).unwrap(), b"mine");
}

#[test]
fn a_second_fetch_to_the_same_place_is_told_who_is_there() {
    let (source, content) = (Home::new(), bytes(6_000_000, 22));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let home = Home::new();
    let state = home.path().join(".film.p2pt-state");
    let first = fetch(&home, &["--down", "16Mbit/s"], &seed.address());
    first.await_that("some pieces", |_| fs::metadata(&state).is_ok_and(|about| about.len() > 1_000));
    for options in [&[][..], &["--force"]] {
        let second = fetch(&home, options, &seed.address()).end(LONG);
        assert_eq!(second.status, 10, "{}", second.stderr);
        assert!(
            second.stderr.contains("another process fetches the same file") && second.stderr.contains("with -o"),
            "{}",
            second.stderr
        );
    }
    let ended = first.end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(fs::read(home.path().join("film")).unwrap() == content);
}

#[test]
fn what_is_there_under_one_name_is_not_fetched_for_another() {
    let (source, content) = (Home::new(), bytes(3_000_000, 23));
    for name in ["f/a", "f/b", "f/c/d"] {
        made(&source, name, &content);
    }
    let seed = Seed::start(&[], &[&source.path().join("f")]);
    let home = Home::new();
    made(&home, "f/b", &content);
    let ended = fetch(&home, &["--json"], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    for name in ["f/a", "f/b", "f/c/d"] {
        assert!(fs::read(home.path().join(name)).unwrap() == content, "{name}");
    }
    let events = Schema::of_events().lines(&ended.stderr);
    let fetched = events.iter().find(|event| event["event"] == "fetched").unwrap();
    assert!(fetched["received"].as_u64().unwrap() < 1_000 && fetched["bytes"] == 9_000_000, "{fetched}");
}

#[test]
fn who_shares_notices_by_itself_what_has_changed_and_ends_when_nothing_is_left() {
    let source = Home::new();
    let (one, other) = (made(&source, "one", &bytes(300_000, 24)), made(&source, "other", &bytes(300_000, 25)));
    let seed = Seed::start(&["--json"], &[&one, &other]);
    let withdrawn = |running: &Running| {
        let events = Schema::of_events().lines(&running.said());
        events.iter().filter(|event| event["event"] == "withdrawn").count()
    };
    fs::File::options().write(true).open(&one).unwrap().set_len(1_000).unwrap();
    seed.running.await_that("what it says of the one", |running| withdrawn(running) == 1);
    // The other is still given.
    let home = Home::new();
    let fetcher = fetch(&home, &[], &seed.address());
    fetcher.await_that("the other", |_| home.path().join("shared/other").exists());
    fs::remove_file(&other).unwrap();
    let ended = seed.running.end(LONG);
    assert_eq!(ended.status, 6, "{}", ended.stderr);
    let said = Schema::of_events().lines(&ended.stderr);
    let why: Vec<&str> = said.iter().filter_map(|event| event["why"].as_str()).collect();
    assert!(why.len() == 2 && why[0].contains("changed since") && why[1].contains("No such file"), "{why:?}");
    drop(fetcher);
}
