//! Groups through a rendezvous, which may go away.

use crate::member::{Club, Member};
use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running};
use rustix::process::Signal;
use std::fs;

/// A rendezvous on loopback, and its address.
fn rendezvous(home: &Home, options: &[&str]) -> (Running, String) {
    let ready = home.path().join("rendezvous");
    let line = ["rendezvous", "--listen", "127.0.0.1:0", "--ready-file", ready.to_str().unwrap()];
    let running = Running::start(&mut home.p2pt([&line[..], options].concat()));
    running.await_that("the rendezvous", |_| ready.exists());
    (running, fs::read_to_string(ready).unwrap().trim().to_owned())
}

/// A group whose members meet only through this rendezvous.
fn club(address: &str) -> Club {
    let club = Club::new(&["--posting", "--routing", "--server-channel"]);
    let spec = fs::read_to_string(club.home.path().join("spec")).unwrap();
    fs::write(club.home.path().join("group"), format!("{address}#{spec}")).unwrap();
    club
}

#[test]
fn members_meet_through_a_rendezvous_and_outlive_it() {
    let home = Home::new();
    let (service, address) = rendezvous(&home, &[]);
    let club = club(&address);
    let mut members: Vec<Member> = (0..5).map(|_| club.join(&[])).collect();
    members.iter().for_each(|member| member.await_neighbours(&club, 4));
    let alone = club.run(&["post", &club.address(), "from outside"]);
    assert_eq!(alone.status, 0, "{}", alone.stderr);
    members.iter().for_each(|member| member.await_lines(1));
    service.signal(Signal::KILL);
    assert_eq!(service.end(PATIENCE).status, 137);
    members[2].post("without it");
    for (at, member) in members.iter().enumerate().filter(|(at, _)| *at != 2) {
        member.await_lines(2);
        assert_eq!(member.printed(), ["from outside", "without it"], "member {at}");
    }
}

#[test]
fn a_rendezvous_that_refuses_or_is_another_is_told() {
    let home = Home::new();
    let keys = home.path().join("keys");
    fs::write(&keys, "right\n").unwrap();
    let (_service, address) = rendezvous(&home, &["--developer-keys", keys.to_str().unwrap()]);
    let refused = club(&address);
    let ended = refused.run(&["post", &refused.address(), "x"]);
    assert_eq!(ended.status, 8, "{}", ended.stderr);
    assert!(ended.stderr.contains("key"), "{}", ended.stderr);
    let (place, id) = address.split_once("?id=").unwrap();
    let other = format!("{place}/right?id={}", "0".repeat(id.len()));
    let imposter = club(&other);
    let ended = imposter.run(&["group", "members", &imposter.address()]);
    assert_eq!(ended.status, 5, "{}", ended.stderr);
    // Events have NetGroup's names, and what comes after them says how it ends.
    for (club, name, status) in [(&refused, "NetGroup.Connect.Rejected", 8), (&imposter, "NetGroup.Connect.Failed", 5)]
    {
        let ended = club.run(&["group", "join", "--recv-only", "--json", &club.address()]);
        assert_eq!(ended.status, status, "{}", ended.stderr);
        assert_eq!(names(&ended.text()), [name, "error"]);
    }
}

fn names(lines: &str) -> Vec<String> {
    let events = Schema::of_events().lines(lines);
    events.iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn who_cannot_join_is_told_by_netgroups_event_too() {
    let club = Club::new(&["--posting-password"]);
    let other = Club::new(&["--posting-password"]);
    let wrong = other.home.path().join("spec.posting-password").display().to_string();
    let address = club.address();
    let spec = fs::read_to_string(club.home.path().join("spec")).unwrap();
    let nowhere = format!("rtmfp://no-such-host.invalid#{}", spec.trim());
    for (name, status, words) in [
        ("NetGroup.Connect.Rejected", 10, &["--posting-password-file", &wrong, &address][..]),
        ("NetGroup.Connect.Failed", 9, &["--recv-only", "--bind", "192.0.2.1:0", &address]),
        ("NetGroup.Connect.Failed", 8, &["--recv-only", &nowhere]),
    ] {
        let ended = club.run(&[&["group", "join", "--json"], words].concat());
        assert_eq!(ended.status, status, "{}", ended.stderr);
        assert_eq!(names(&ended.text()), [name, "error"], "{words:?}");
    }
}

#[test]
fn joined_is_who_was_taken_in_and_a_silent_rendezvous_is_said_once() {
    let home = Home::new();
    // A port at which nobody answers: it is ours, and never read.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let club = club(&format!("rtmfp://{}", silent.local_addr().unwrap()));
    let ready = home.path().join("ready");
    let line = ["group", "join", "--recv-only", "--json", "--ready-file", ready.to_str().unwrap(), &club.address()]
        .map(str::to_owned);
    let waiting = Running::start(&mut home.p2pt(line));
    waiting.await_that("what it waits for", |running| running.said().contains("waiting for a member (the rendezvous"));
    waiting.await_that("the silence", |running| running.wrote().contains("rendezvous_unreachable"));
    waiting.await_that("what it waits for now", |running| running.said().contains("(the rendezvous does not answer)"));
    assert!(!ready.exists(), "it is not ready");
    waiting.signal(Signal::TERM);
    let ended = waiting.end(PATIENCE);
    assert_eq!((ended.status, names(&ended.text())), (143, vec!["rendezvous_unreachable".to_owned()]));
    assert_eq!(ended.stderr.matches("trying on").count(), 1, "{}", ended.stderr);
    let alone = home.run(["post", "--timeout", "600ms", &club.address(), "x"]);
    assert_eq!(alone.status, 8, "{}", alone.stderr);
    assert!(alone.stderr.contains("has not answered yet") && alone.stderr.contains("p2pt check"), "{}", alone.stderr);
    // With one that answers.
    let (_service, address) = rendezvous(&home, &[]);
    let spec = fs::read_to_string(club.home.path().join("spec")).unwrap();
    fs::write(club.home.path().join("group"), format!("{address}#{spec}")).unwrap();
    let member = club.join(&["--recv-only", "--json"]);
    member.running.await_that("it", |running| running.wrote().lines().count() >= 2);
    assert_eq!(names(&member.running.wrote()), ["registered", "NetGroup.Connect.Success"]);
    member.running.await_that("where it is seen", |running| running.said().contains("which sees us at 127.0.0.1:"));
}
