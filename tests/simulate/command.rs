//! `p2pt simulate`.

use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running};
use rustix::process::Signal;
use std::fs;

#[test]
fn a_file_is_run_and_drawn_and_its_events_are_as_the_schema_says() {
    let home = Home::new();
    let file = home.path().join("mine.txt");
    fs::write(&file, "scenario = bridged\nmembers = 4  # few\nduration = 3s\nsettle = 2s\ntail = 3s\n").unwrap();
    let picture = home.path().join("mine.svg");
    let line = ["simulate", file.to_str().unwrap(), "--seed", "7", "--set", "joins=50"];
    let told = home.run(line.iter().chain(&["--plot", picture.to_str().unwrap(), "--json"]));
    assert_eq!((told.status, told.stderr.as_str()), (0, ""));
    let events = Schema::of_events().lines(&told.text());
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["scenario"], &events[0]["seed"], &events[0]["members"]),
        (&"mine".into(), &7.into(), &4.into())
    );
    assert_eq!(events[0]["posts"]["missed"], 0);

    let table = home.run(line);
    let digest = events[0]["digest"].as_str().unwrap();
    assert!(table.text().contains(&format!("digest      {digest}")), "{}", table.text());
    assert!(table.text().lines().all(|line| line.len() < 100), "{}", table.text());

    let picture = fs::read_to_string(picture).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for part in ["Time to delivery", "Links on the way", "Extra copies", "Neighbours", "The ring"] {
        assert!(picture.contains(part), "{part}");
    }
}

#[test]
fn what_is_listed_can_be_run_and_what_is_not_is_not_found() {
    let home = Home::new();
    let listed = home.run(["simulate", "--list"]).text();
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"posting") && names.contains(&"crowd"), "{listed}");
    for name in names {
        let settings = home.run(["simulate", "--list", name]);
        assert!(settings.status == 0 && settings.text().contains("members = "), "{name}");
    }
    let unknown = home.run(["simulate", "no-such-scenario"]);
    assert_eq!(unknown.status, 12, "{}", unknown.stderr);
    for wrong in [["--set", "members=none"], ["--set", "loss"], ["--set", "loss=2"], ["--set", "engine=steam"]] {
        let ended = home.run(["simulate"].iter().chain(&wrong));
        assert_eq!((ended.status, ended.stdout.len()), (2, 0), "{wrong:?}: {}", ended.stderr);
    }
}

#[test]
fn a_signal_ends_it_at_once_without_a_table() {
    let home = Home::new();
    let running = Running::start(&mut home.p2pt(["simulate", "posting", "--for", "1h", "-v"]));
    running.await_that("the beginning", |running| running.said().contains("begins"));
    running.signal(Signal::INT);
    let ended = running.end(PATIENCE);
    assert_eq!((ended.status, ended.stdout.len()), (130, 0), "{}", ended.stderr);
}

#[test]
fn a_ladder_is_run_rung_by_rung_and_drawn_beside_one_server() {
    let home = Home::new();
    let picture = home.path().join("copies.svg");
    let settings = ["ladder=2,4", "file=400000", "settle=2s", "joins=50"];
    let sets = settings.iter().flat_map(|setting| ["--set", setting]);
    let line: Vec<&str> = ["simulate", "replicate"].into_iter().chain(sets).collect();
    let told = home.run(line.iter().chain(&["--plot", picture.to_str().unwrap(), "--json"]));
    assert_eq!((told.status, told.stderr.as_str()), (0, ""));
    let events = Schema::of_events().lines(&told.text());
    assert_eq!(events.len(), 2);
    for (event, fetchers) in events.iter().zip([2, 4]) {
        let replicated = &event["replicated"];
        assert_eq!((&replicated["fetchers"], &replicated["done"]), (&fetchers.into(), &fetchers.into()));
    }
    let table = home.run(&line).text();
    assert!(table.lines().all(|line| line.len() < 100) && table.contains("one server"), "{table}");
    assert!(events.iter().all(|event| table.contains(&event["digest"].as_str().unwrap()[..16])), "{table}");
    let picture = fs::read_to_string(picture).unwrap();
    for part in ["Until the last one has it all", "one server", "Copies that left the seed", "of the least possible"] {
        assert!(picture.contains(part), "{part}");
    }
    for wrong in ["ladder=0", "ladder=many", "ladder=9000000"] {
        assert_eq!(home.run(["simulate", "replicate", "--set", wrong]).status, 2, "{wrong}");
    }
    assert_eq!(home.run(["simulate", "posting", "--set", "ladder=2"]).status, 2, "nothing is fetched there");
}
