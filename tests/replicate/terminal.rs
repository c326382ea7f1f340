//! What a person sees who fetches in a terminal.

use crate::support::{Ended, Home, Running, binary, skip};
use crate::swarm::{LONG, Seed, bytes, made};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs a command line in a terminal of its own, and types.
fn in_terminal(home: &Home, line: &str, typed: &str) -> Ended {
    let mut command = Command::new("script");
    command.args(["-qec", line, "/dev/null"]).current_dir(home.path());
    home.clean(&mut command);
    command.stdin(Stdio::piped());
    let mut running = Running::start(&mut command);
    let mut keys = running.child.stdin.take().unwrap();
    running.await_that("the question", |running| running.wrote().contains("Fetch them?"));
    keys.write_all(typed.as_bytes()).unwrap();
    // Kept open: at its end the terminal would be gone.
    let ended = running.end(LONG);
    drop(keys);
    ended
}

#[test]
fn a_folder_is_shown_asked_for_and_followed_file_by_file() {
    let test = "a_folder_is_shown_asked_for_and_followed_file_by_file";
    if !skip::has("script", test) {
        return;
    }
    let source = Home::new();
    for (name, len) in [("photos/one.raw", 3_000_000), ("photos/two.raw", 2_000_000), ("photos/empty", 0)] {
        made(&source, name, &bytes(len, len as u32));
    }
    let seed = Seed::start(&[], &[&source.path().join("photos")]);
    let home = Home::new();
    let line = format!("'{}' replicate-file fetch --down 16Mbit/s '{}'", binary().display(), seed.address());
    let ended = in_terminal(&home, &line, "n\n");
    assert_eq!(ended.status, 10, "{}", ended.text());
    assert!(ended.text().contains("you said no") && !home.path().join("photos").exists(), "{}", ended.text());
    let ended = in_terminal(&home, &line, "y\n");
    let (status, shown) = (ended.status, ended.text());
    assert_eq!(status, 0, "{shown}");
    for wanted in ["3 files, 4.8 MiB, will come into photos", "  one.raw  2.9 MiB", "  empty  0 B"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    // The bars: each file with its name, its bytes of all, the rate and the time left; all of them, with who is there.
    let bars: Vec<&str> = shown.split("\u{1b}[2K").filter(|line| line.contains("iB/s, ")).collect();
    let is_told = |wanted: &[&str]| bars.iter().any(|bar| wanted.iter().all(|part| bar.contains(part)));
    for (size, name) in [("/2.86 MiB  one.raw, ", "one.raw"), ("/1.91 MiB  two.raw, ", "two.raw")] {
        assert!(is_told(&[size, " MiB/s, ", "s left"]), "{name}: {bars:?}");
    }
    assert!(is_told(&["/4.77 MiB  ", " MiB/s, ", "s left, 1 peer, 0 % from others"]), "{bars:?}");
    assert!(shown.contains("all there: 4.8 MiB in photos, after "), "{shown}");
    assert_eq!(std::fs::read(home.path().join("photos/one.raw")).unwrap(), bytes(3_000_000, 3_000_000));
}
