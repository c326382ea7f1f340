//! A reader of standard output that stands still: nothing else does, and what is lost is told.

use crate::member::{Club, Member};
use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running};
use rustix::process::Signal;
use std::io::Read as _;
use std::process::Stdio;

/// Resident memory, in KiB.
fn resident(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a number");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A member with these options, whose standard output is a pipe that nobody reads yet.
fn unread(club: &Club, home: &Home, options: &[&str]) -> (Running, std::io::PipeReader) {
    let ready = home.path().join("ready");
    let (reader, writer) = std::io::pipe().unwrap();
    let address = club.address();
    let line = [&["group", "join", "--recv-only", "--ready-file", ready.to_str().unwrap(), &address], options].concat();
    let running = Running::start(home.p2pt(line).stdout(writer));
    running.await_that("ready", |_| ready.exists());
    (running, reader)
}

#[test]
fn a_member_whose_output_is_not_read_serves_the_group_and_tells_what_it_dropped() {
    let (club, home) = (Club::new(&[]), Home::new());
    let (stalled, mut output) = unread(&club, &home, &["--json"]);
    let other = club.join(&["--recv-only"]);
    other.await_neighbours(&club, 1);
    let before = resident(&stalled);
    // More than is kept for a reader that stands still.
    let posts = 320;
    let file = club.home.path().join("posts");
    let lines: String = (0..posts).map(|number| format!("{number:05} {}\n", "x".repeat(60_000))).collect();
    std::fs::write(&file, lines).unwrap();
    let writer = Home::new();
    let mut command = writer.p2pt(["post", &club.address()]);
    let posted = Running::start(command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()))).end(4 * PATIENCE);
    assert_eq!(posted.status, 0, "{}", posted.stderr);
    other.await_lines(posts);
    stalled.await_that("the loss", |running| running.said().contains("what comes now is dropped"));
    // It answers, and it passes posts on: the stalled one is asked, and heard by the other.
    assert_eq!(home.run(["post", &club.address(), "through the stalled one"]).status, 0);
    other.await_lines(posts + 1);
    let info = home.run(["group", "info", "--json", &club.address()]);
    assert_eq!(info.status, 0, "{}", info.stderr);
    // 16 MiB for the reader, and as much again for posts that are kept for others.
    let grown = resident(&stalled).saturating_sub(before) >> 10;
    println!("{grown} MiB more");
    assert!(grown < 100, "{grown} MiB");
    // The reader comes back: it gets what was kept, then is told what was not, then what comes.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text).unwrap()
    });
    stalled.await_that("that it is read", |_| {
        let ended = writer.run(["post", &club.address(), "read again"]);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        stalled.said().contains("were dropped")
    });
    stalled.signal(Signal::TERM);
    assert_eq!(stalled.end(PATIENCE).status, 143);
    let events = Schema::of_events().lines(&reader.join().unwrap());
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    // A reader that was slow again is told of each gap.
    let lost = events.iter().filter(|event| event["event"] == "lost");
    let missing: u64 = lost.map(|event| event["messages"].as_u64().expect("a number")).sum();
    let missing = missing as usize;
    assert!(missing > 0 && named("NetGroup.Posting.Notify") > 200, "{missing} lost");
    assert!(named("NetGroup.Posting.Notify") + missing > posts, "none is missing unsaid");
}

#[test]
fn a_stalled_member_still_leaves_within_a_second() {
    let (club, home) = (Club::new(&[]), Home::new());
    let (stalled, output) = unread(&club, &home, &[]);
    let mut other: Member = club.join(&[]);
    other.await_neighbours(&club, 1);
    for _ in 0..4 {
        other.post(&"x".repeat(60_000));
    }
    stalled.await_that("posts", |_| {
        let info: serde_json::Value =
            serde_json::from_str(&home.run(["group", "info", "--json", &club.address()]).text()).unwrap();
        info["posts_received"].as_u64() >= Some(4)
    });
    stalled.signal(Signal::INT);
    let ended = stalled.end(PATIENCE);
    assert_eq!(ended.status, 130, "{}", ended.stderr);
    other.running.await_that("the farewell", |running| running.said().contains("the last neighbour is gone"));
    drop(output);
}
