//! What a command that waits for the network owes: a word at once, a line when it is ready, and leave when told to.

use crate::samples::{Waiting, waiting};
use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running, binary};
use p2pt::base::PeerId;
use p2pt::cli::address::{Address, Rendezvous};
use p2pt::cli::table::commands;
use p2pt::cli::table::row::Json;
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Starts it, and waits until it has said something on standard error.
fn started(command: &mut Command) -> (std::process::Child, BufReader<std::process::ChildStderr>, String, Duration) {
    let start = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    (child, stderr, first, start.elapsed())
}

#[test]
fn something_is_said_within_a_tenth_of_a_second() {
    let home = Home::new();
    home.run(["peer-id"]);
    for call in waiting() {
        // Again until it is quick: the machine may be busy with other tests, the command may not dawdle.
        let mut times = Vec::new();
        while times.len() < 100 && times.iter().all(|took| *took >= Duration::from_millis(100)) {
            let (mut child, _, first, took) = started(&mut home.p2pt(&call.line));
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!first.trim().is_empty(), "{:?}", call.line);
            times.push(took);
        }
        let quickest = times.iter().min().unwrap();
        assert!(*quickest < Duration::from_millis(100), "{:?}: {quickest:?} at best", call.line);
    }
}

#[test]
fn it_leaves_when_told_to_and_at_once_when_told_twice() {
    let home = Home::new();
    for call in waiting() {
        for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            for twice in [false, true] {
                let running = Running::start(&mut home.p2pt(&call.line));
                std::thread::sleep(Duration::from_millis(300));
                let sent = Instant::now();
                running.signal(signal);
                if twice {
                    running.signal(signal);
                }
                let ended = running.end(PATIENCE);
                assert_eq!((ended.status, ended.stdout.len()), (status, 0), "{:?}: {}", call.line, ended.stderr);
                assert!(sent.elapsed() < Duration::from_millis(1_500), "{:?}: {:?}", call.line, sent.elapsed());
            }
        }
    }
}

#[test]
fn a_status_line_is_printed_when_asked_for() {
    let home = Home::new();
    for call in waiting() {
        home.run(["peer-id"]);
        let ready = home.path().join("ready");
        let told = [&call.line[..], if call.ready { &["--ready-file"] } else { &[] }].concat();
        let mut command = home.p2pt(told);
        let running = Running::start(if call.ready { command.arg(&ready) } else { &mut command });
        running.await_that("a first word", |running| !running.said().is_empty() && (!call.ready || ready.exists()));
        for _ in 0..3 {
            let before = running.said().lines().count();
            running.signal(Signal::USR1);
            running.await_that("a status line", |running| running.said().lines().count() > before);
        }
        running.signal(Signal::TERM);
        assert_eq!(running.end(PATIENCE).status, 143, "{:?}", call.line);
        let _ = fs::remove_file(ready);
    }
}

#[test]
fn ready_is_told_with_the_address_to_dial() {
    let home = Home::new();
    for call in waiting().into_iter().filter(|call| call.ready) {
        let by_descriptor = home.path().join("descriptor");
        let line = format!(
            "exec '{}' {} --ready-fd 3 3>'{}'",
            binary().display(),
            call.line.join(" "),
            by_descriptor.display()
        );
        let mut shell = Command::new("sh");
        home.clean(&mut shell);
        let by_fd = Running::start(shell.args(["-c", &line]));
        is_address(&call, &awaited(&by_descriptor));
        by_fd.signal(Signal::TERM);
        assert_eq!(by_fd.end(PATIENCE).status, 143);
        // The next command shall not be taken for ready by what this one has said.
        fs::remove_file(&by_descriptor).unwrap();

        let by_name = home.path().join("name");
        let with_file = [&call.line[..], &["--ready-file", by_name.to_str().unwrap()]].concat();
        let by_file = Running::start(&mut home.p2pt(with_file));
        is_address(&call, &awaited(&by_name));
        drop(by_file);
        fs::remove_file(by_name).unwrap();
    }
}

/// The line that comes to the file.
fn awaited(path: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    panic!("{} never came", path.display());
}

fn is_address(call: &Waiting, line: &str) {
    assert_eq!(line.lines().count(), 1, "{line:?}");
    if call.line[0] == "rendezvous" {
        let rendezvous = Rendezvous::parse(line).unwrap().expect("a server");
        assert!(rendezvous.id.is_some(), "whoever has the address pins the service: {line}");
        assert_ne!(rendezvous.host.port, 0);
    } else if matches!(call.line[0], "group" | "multicast") {
        line.trim_end().parse::<PeerId>().unwrap_or_else(|why| panic!("{line}: {why}"));
    } else {
        line.parse::<Address>().unwrap_or_else(|why| panic!("{line}: {why}"));
    }
}

#[test]
fn events_stay_events_however_much_is_said() {
    let (home, schema) = (Home::new(), Schema::of_events());
    home.run(["peer-id"]);
    for call in waiting() {
        let (_, row) = commands().into_iter().find(|(words, _)| words[0] == call.line[0]).unwrap();
        let running = Running::start(&mut home.p2pt([&call.line[..], &["--json", "-vvv"]].concat()));
        running.await_that("an event", |running| match row.streams.json {
            Json::Stdout => running.wrote().contains('\n'),
            _ => running.said().contains('\n'),
        });
        running.signal(Signal::TERM);
        let ended = running.end(PATIENCE);
        let events = match row.streams.json {
            Json::Stdout => schema.lines(&ended.text()),
            _ => {
                assert!(ended.stdout.is_empty(), "standard output is for data");
                schema.lines(&ended.stderr)
            }
        };
        assert!(!events.is_empty(), "{:?}: {}", call.line, ended.stderr);
    }
}

#[test]
fn quiet_is_quiet_and_a_missing_terminal_is_no_hindrance() {
    let home = Home::new();
    home.run(["peer-id"]);
    for call in waiting() {
        // setsid takes the controlling terminal away, if there is one.
        let mut command = Command::new("setsid");
        home.clean(&mut command);
        command.arg(binary()).args(&call.line).arg("-q").stdin(Stdio::null());
        let running = Running::start(&mut command);
        std::thread::sleep(Duration::from_millis(400));
        running.signal(Signal::TERM);
        let ended = running.end(PATIENCE);
        assert_eq!((ended.status, ended.stderr.as_str()), (143, ""), "{:?}", call.line);
    }
}
