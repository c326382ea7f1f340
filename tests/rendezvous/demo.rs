//! `p2pt demo`.

use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running};
use crate::wait_for_text;
use rustix::process::Signal;
use std::fs;

#[test]
fn everything_arrives_as_it_was_and_nothing_is_kept() {
    let home = Home::new();
    let ended = home.run(["demo", "--json", "--size", "4MiB"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let events = Schema::of_events().lines(&ended.text());
    assert_eq!((events.len(), &events[0]["verified"]), (1, &true.into()));
    assert_eq!((&events[0]["sent"], &events[0]["received"]), (&4_194_304.into(), &4_194_304.into()));
    assert!(events[0]["bytes_per_second"].as_f64() > Some(0.0));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn the_table_says_what_was_seen_whatever_the_size() {
    let home = Home::new();
    for (size, shown) in [("0B", "0 B"), ("1B", "1 B"), ("65537B", "64 KiB"), ("1MiB", "1 MiB")] {
        let ended = home.run(["demo", "-q", "--size", size]);
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{size}");
        let text = ended.text();
        let value = |what: &str| {
            let line = text.lines().find(|line| line.starts_with(what));
            line.unwrap_or_else(|| panic!("no {what}: {text}"))[what.len()..].trim()
        };
        assert_eq!((value("sent"), value("received")), (shown, shown), "{size}");
        assert!(value("verified").starts_with("SHA-256 "), "{text}");
        assert!(value("speed").contains("MB/s") && value("connected").contains("ms"), "{text}");
    }
}

#[test]
fn it_can_be_stopped() {
    let home = Home::new();
    let said = home.path().join("said");
    let running = Running::start(home.p2pt(["demo", "--size", "1TiB"]).stderr(fs::File::create(&said).unwrap()));
    wait_for_text(&said, "has reached it");
    running.signal(Signal::INT);
    let ended = running.end(PATIENCE);
    assert_eq!((ended.status, ended.stdout.len()), (130, 0));
}
