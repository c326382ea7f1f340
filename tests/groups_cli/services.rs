//! Routing and storage, and what members see of each other.

use crate::member::{Club, Member, mesh};
use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running, skip};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::process::Stdio;

#[test]
fn what_one_member_puts_another_gets_and_nobody_else_can_overwrite_it() {
    let club = Club::new(&[]);
    let members = mesh(&club, 3, &["--recv-only"]);
    let address = club.address();
    assert_eq!(members[0].run(&["store", "put", &address, "motd", "from the first"]).status, 0);
    let got = members[1].run(&["store", "get", &address, "motd"]);
    assert_eq!((got.status, got.text().as_str()), (0, "from the first"), "{}", got.stderr);
    // Alone: joins, asks, leaves.
    let got = club.run(&["store", "get", &address, "motd"]);
    assert_eq!((got.status, got.text().as_str()), (0, "from the first"), "{}", got.stderr);
    // A later one of the same author takes its place; another author has a slot of its own.
    assert_eq!(members[0].run(&["store", "put", &address, "motd", "newer"]).status, 0);
    assert_eq!(members[1].run(&["store", "get", &address, "motd"]).text(), "newer");
    assert_eq!(club.run(&["store", "put", &address, "motd", "another's"]).status, 0);
    let both = members[2].run(&["store", "get", &address, "motd"]);
    assert_eq!((both.status, both.stdout.len()), (10, 0), "{}", both.stderr);
    let first = members[0].run(&["peer-id"]).text();
    assert!(both.stderr.contains(first.trim()) && both.stderr.contains("--from"), "{}", both.stderr);
    let chosen = members[2].run(&["store", "get", "--from", first.trim(), &address, "motd"]);
    assert_eq!(chosen.text(), "newer", "{}", chosen.stderr);
    let events = Schema::of_events().lines(&members[2].run(&["store", "get", "--json", &address, "motd"]).text());
    assert_eq!(events.len(), 2);
    // Taken back, and never there.
    assert_eq!(members[0].run(&["store", "put", "--remove", &address, "motd"]).status, 0);
    assert_eq!(members[1].run(&["store", "get", &address, "motd"]).text(), "another's");
    assert_eq!(members[1].run(&["store", "get", &address, "no such key"]).status, 12);
}

#[test]
fn a_value_with_control_characters_is_shown_on_a_terminal_and_left_alone_in_a_pipe() {
    if !skip::has("script", "a_value_with_control_characters_is_shown_on_a_terminal_and_left_alone_in_a_pipe") {
        return;
    }
    let club = Club::new(&[]);
    let members = mesh(&club, 2, &["--recv-only"]);
    let address = club.address();
    let put = members[0].run(&["store", "put", &address, "key", "a\x1b[2Jb"]);
    assert_eq!((put.status, put.stderr.as_str()), (0, "held by 2 members\n"));
    assert_eq!(members[0].run(&["store", "get", &address, "key"]).text(), "a\x1b[2Jb");
    let mut command = std::process::Command::new("script");
    let line = format!("{} store get {address} key", crate::support::binary().display());
    members[0].home.clean(command.args(["-qec", &line, "/dev/null"]));
    let shown = Running::start(command.stdin(Stdio::null())).end(PATIENCE);
    assert!(shown.text().starts_with("a\\x1b[2Jb") && !shown.text().contains('\x1b'), "{:?}", shown.text());
}

#[test]
fn bytes_are_stored_under_their_digest() {
    let club = Club::new(&[]);
    let members = mesh(&club, 2, &["--recv-only"]);
    let file = club.home.path().join("bytes");
    let bytes: Vec<u8> = (0..40_000_u32).map(|at| ((at * at) >> 3) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let mut command = members[0].home.p2pt(["store", "put", "--content", &club.address()]);
    let put = Running::start(command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()))).end(PATIENCE);
    assert_eq!(put.status, 0, "{}", put.stderr);
    let got = members[1].run(&["store", "get", "--content", &club.address(), put.text().trim()]);
    assert_eq!((got.status, got.stdout == bytes), (0, true), "{}", got.stderr);
}

#[test]
fn a_message_goes_once_around_the_ring() {
    let club = Club::new(&[]);
    let members = mesh(&club, 5, &["--recv-only"]);
    let listeners: Vec<Running> = members
        .iter()
        .map(|member| Running::start(&mut member.home.p2pt(["route", "--listen", "--json", &club.address()])))
        .collect();
    listeners
        .iter()
        .for_each(|listener| listener.await_that("listening", |running| running.said().contains("listening")));
    // Who is next to whom, by their places.
    let ring: BTreeMap<String, usize> =
        members.iter().enumerate().map(|(at, member)| (text(&member.info(&club), "address"), at)).collect();
    let order: Vec<usize> = ring.values().copied().collect();
    for (at, &sender) in order.iter().enumerate() {
        let message = format!("step {at}");
        let sent = members[sender].run(&["route", "--to-next", &club.address(), &message]);
        assert_eq!(sent.status, 0, "{}", sent.stderr);
        let next = order[(at + 1) % order.len()];
        listeners[next].await_that("the next one has it", |running| running.wrote().contains(&message));
        let back = members[next].run(&["route", "--to-previous", &club.address(), &format!("back {at}")]);
        assert_eq!(back.status, 0, "{}", back.stderr);
        listeners[sender].await_that("and the one before", |running| running.wrote().contains(&format!("back {at}")));
    }
    // To a place: its owner says so.
    let target = members[3].info(&club);
    let acked = members[0].run(&[
        "route",
        "--to-nearest",
        &text(&target, "peer_id"),
        "--ack",
        "--json",
        &club.address(),
        "to three",
    ]);
    let event = &Schema::of_events().lines(&acked.text())[0];
    assert_eq!((acked.status, text(event, "result")), (0, "delivered".to_owned()), "{}", acked.stderr);
    assert_eq!(text(event, "by"), members[3].run(&["peer-id"]).text().trim(), "its author signs");
    listeners[3].await_that("the message", |running| running.wrote().contains("to three"));
    let all = club.run(&["route", "--to-neighbors", &club.address(), "to everybody"]);
    assert_eq!(all.status, 0, "{}", all.stderr);
    listeners.iter().for_each(|listener| listener.await_that("it", |running| running.wrote().contains("to everybody")));
    for listener in listeners {
        listener.signal(Signal::TERM);
        let ended = listener.end(PATIENCE);
        assert_eq!(ended.status, 143);
        for event in Schema::of_events().lines(&ended.text()) {
            assert_eq!(event["event"], "NetGroup.SendTo.Notify");
        }
    }
}

fn text(value: &serde_json::Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

#[test]
fn a_script_that_routes_many_lines_loses_none() {
    let club = Club::new(&[]);
    let member = club.join(&["--recv-only"]);
    let listener = Running::start(&mut member.home.p2pt(["route", "--listen", &club.address()]));
    listener.await_that("listening", |running| running.said().contains("listening"));
    // Alone: joins, sends, and leaves when the neighbour has it all.
    let one = club.run(&["route", "--to-next", &club.address(), "one"]);
    assert_eq!(one.status, 0, "{}", one.stderr);
    listener.await_that("the message", |running| running.wrote() == "one\n");
    // More than a neighbour takes at once.
    let lines: String = (0..2_300).map(|number| format!("line {number}\n")).collect();
    let file = club.home.path().join("lines");
    std::fs::write(&file, &lines).unwrap();
    let mut command = club.home.p2pt(["route", "--to-next", &club.address()]);
    let sent = Running::start(command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()))).end(PATIENCE);
    assert_eq!(sent.status, 0, "{}", sent.stderr);
    listener.await_that("all lines", |running| running.wrote().lines().count() >= 2_301);
    assert!(listener.wrote() == format!("one\n{lines}"), "in order, each once; {}", listener.said());
}

#[test]
fn ten_members_are_a_full_mesh_and_seen_so() {
    let club = Club::new(&[]);
    let members = mesh(&club, 10, &["--recv-only"]);
    for member in &members {
        let info = member.info(&club);
        assert_eq!((info["neighbor_count"].as_u64(), info["full_mesh"].as_bool()), (Some(9), Some(true)), "{info}");
        assert_eq!(info["known_members"].as_u64(), Some(10));
    }
    let shown = members[0].run(&["group", "info", &club.address()]);
    assert!(shown.text().contains("9, a full mesh"), "{}", shown.text());
    let listed = members[0].run(&["group", "members", "--json", &club.address()]);
    let events = Schema::of_events().lines(&listed.text());
    assert_eq!(events.len(), 10);
    let mut ids: Vec<String> = events.iter().map(|event| text(event, "peer_id")).collect();
    ids.sort();
    let mut expected: Vec<String> = members.iter().map(|member| text(&member.info(&club), "peer_id")).collect();
    expected.sort();
    assert_eq!(ids, expected);
}

#[test]
fn events_have_netgroups_names() {
    let (club, schema) = (Club::new(&[]), Schema::of_events());
    let watcher = club.join(&["--recv-only", "--json"]);
    let mut other = club.join(&["--nick", "Ada"]);
    other.post("hello\ttabs and ünïcode");
    watcher.running.await_that("the post", |running| running.wrote().contains("Posting.Notify"));
    assert_eq!(other.run(&["route", "--to-next", &club.address(), "routed"]).status, 0);
    watcher.running.await_that("the message", |running| running.wrote().contains("SendTo.Notify"));
    other.running.signal(Signal::TERM);
    watcher.running.await_that("the farewell", |running| running.wrote().contains("Neighbor.Disconnect"));
    watcher.running.signal(Signal::TERM);
    let ended = watcher.running.end(PATIENCE);
    assert_eq!(ended.status, 143);
    let events = schema.lines(&ended.text());
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!(named("NetGroup.Connect.Success").len(), 1);
    assert_eq!((named("NetGroup.Neighbor.Connect").len(), named("NetGroup.Neighbor.Disconnect").len()), (1, 1));
    assert!(!named("NetGroup.LocalCoverage.Notify").is_empty());
    let post = named("NetGroup.Posting.Notify")[0];
    assert_eq!((text(post, "message"), text(post, "nick")), ("hello\ttabs and ünïcode".to_owned(), "Ada".to_owned()));
    assert_eq!(text(named("NetGroup.SendTo.Notify")[0], "message"), "routed");
}

#[test]
fn posts_through_the_socket_are_echoed_like_typed_ones() {
    let (club, schema) = (Club::new(&[]), Schema::of_events());
    let mut echoing = club.join(&["--echo", "--nick", "Ada"]);
    let silent = club.join(&["--recv-only"]);
    let mut events = Member::start(Home::new(), &club, &["--echo", "--json"]);
    [&echoing, &silent, &events].iter().for_each(|member| member.await_neighbours(&club, 2));
    echoing.post("typed");
    echoing.await_lines(1);
    for (member, text) in [(&echoing, "by a script"), (&silent, "from the silent one"), (&events, "to the log")] {
        assert_eq!(member.run(&["post", "--nick", "script", &club.address(), text]).status, 0);
        [&echoing, &events].iter().for_each(|member| {
            member.running.await_that("the post", |running| running.wrote().contains(text));
        });
    }
    assert_eq!(echoing.printed(), ["typed", "by a script", "from the silent one", "to the log"]);
    assert_eq!(silent.printed().len(), 3, "without --echo one's own are not printed");
    events.input.take();
    let told = schema.lines(&events.running.wrote());
    let echoed: Vec<_> = told.iter().filter(|event| event["event"] == "echo").collect();
    assert_eq!(echoed.len(), 1);
    assert_eq!((text(echoed[0], "message"), text(echoed[0], "nick")), ("to the log".to_owned(), "script".to_owned()));
    assert_eq!(text(echoed[0], "author"), events.run(&["peer-id"]).text().trim());
    // What is refused was not posted, and is not echoed.
    let closed = Club::new(&["--posting-password"]);
    let reader = closed.join(&["--echo"]);
    assert_eq!(reader.run(&["post", &closed.address(), "refused"]).status, 10);
    assert!(reader.printed().is_empty());
}

#[test]
fn nobody_there_is_status_12_and_said() {
    let club = Club::new(&[]);
    for words in [&["post"][..], &["group", "members"], &["store", "get"]] {
        let address = club.address();
        let mut line = [words, &["--timeout", "600ms", &address]].concat();
        if words[0] != "group" {
            line.push("x");
        }
        let ended = club.run(&line);
        assert_eq!(ended.status, 12, "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("no member was found") && ended.stderr.contains("next: "), "{}", ended.stderr);
    }
}

#[test]
fn the_end_of_input_ends_posting_and_with_send_only_the_membership() {
    let club = Club::new(&[]);
    let reader = club.join(&["--recv-only", "--nul"]);
    let mut stays = club.join(&["--echo"]);
    stays.await_neighbours(&club, 1);
    stays.post("one");
    drop(stays.input.take());
    reader.running.await_that("the post", |running| running.wrote().contains("one\0"));
    stays.await_lines(1);
    let file = club.home.path().join("posts");
    std::fs::write(&file, "two\r\nthree\nlast without an end").unwrap();
    let home = Home::new();
    let mut command = home.p2pt(["group", "join", "--send-only", &club.address()]);
    let sent = Running::start(command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()))).end(PATIENCE);
    assert_eq!((sent.status, sent.stdout.len()), (0, 0), "{}", sent.stderr);
    stays.await_lines(4);
    assert_eq!(stays.printed(), ["one", "two", "three", "last without an end"]);
    // A newline inside is shown as one line, unless NUL divides.
    let mut command = home.p2pt(["post", "--raw", &club.address()]);
    std::fs::write(&file, "a\nb\n").unwrap();
    let raw = Running::start(command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()))).end(PATIENCE);
    assert_eq!(raw.status, 0, "{}", raw.stderr);
    stays.await_lines(5);
    assert_eq!(stays.printed()[4], "a\\nb\\n");
    reader.running.await_that("the letter", |running| running.wrote().ends_with("a\nb\n\0"));
    // The group by environment: then a lone operand is the message.
    let mut command = home.p2pt(["post", "by environment"]);
    let posted = Running::start(command.env("P2PT_GROUP", club.address())).end(PATIENCE);
    assert_eq!(posted.status, 0, "{}", posted.stderr);
    stays.await_lines(6);
    assert_eq!(stays.printed()[5], "by environment");
}
