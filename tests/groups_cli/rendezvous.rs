//! Groups through a rendezvous, which may go away.

use crate::member::{Club, Member};
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
}
