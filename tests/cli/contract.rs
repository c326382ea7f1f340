//! What every command owes to whoever calls it.

use crate::samples::sample;
use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running, skip};
use p2pt::cli::table::row::{Json, Kind, Row};
use p2pt::cli::table::{commands, shared};
use rustix::process::Signal;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Calls `body` with each command's words, row, and a line for it.
fn each(mut body: impl FnMut(&[&str], &'static Row)) {
    let all = commands();
    assert!(all.len() >= 8);
    for (words, row) in all {
        body(&words, row);
    }
}

/// Those commands that have a sample: words and arguments in one line, and whether it prints.
fn samples(home: &Home) -> Vec<(Vec<String>, bool, &'static Row)> {
    let all: Vec<_> = commands()
        .into_iter()
        .filter_map(|(words, row)| {
            let sample = sample(&words, home)?;
            let line = words.iter().map(|word| (*word).to_owned()).chain(sample.args).collect();
            Some((line, sample.prints, row))
        })
        .collect();
    assert!(all.len() >= 4);
    all
}

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

#[test]
fn help_goes_to_standard_output_and_begins_with_what_it_is_for() {
    let home = Home::new();
    each(|words, row| {
        for flag in ["-h", "--help"] {
            let help = home.run(with(words, &[flag]));
            assert_eq!((help.status, help.stderr.as_str()), (0, ""), "{words:?} {flag}");
            let text = help.text();
            assert!(text.to_lowercase().starts_with(&row.summary.to_lowercase()), "{words:?} {flag}: {text}");
            assert!(text.find("Examples:").unwrap() < text.find("Usage:").unwrap(), "{words:?} {flag}: {text}");
            for shown in row.all_flags().chain(shared::GLOBAL) {
                assert!(text.contains(&format!("--{}", shown.long)), "{words:?} {flag}: --{}", shown.long);
            }
            assert!(!text.contains('\x1b'), "{words:?} {flag}: colours in a pipe");
        }
        let statuses = home.run(with(words, &["--help"])).text();
        for status in row.all_statuses() {
            assert!(statuses.contains(&format!("{:>3}  {}", status.code(), status.meaning())), "{words:?}");
        }
        let version = home.run(with(words, &["--version"]));
        assert_eq!(version.status, 0);
        assert!(version.text().trim_end().ends_with(env!("CARGO_PKG_VERSION")), "{words:?}");
    });
}

#[test]
fn usage_errors_exit_2_and_say_why_on_standard_error() {
    let home = Home::new();
    for line in [vec!["no-such-command"], vec!["conect"], vec!["--no-such-option"], vec![]] {
        let wrong = home.run(&line);
        assert_eq!((wrong.status, wrong.stdout.len()), (2, 0), "{line:?}");
        assert!(!wrong.stderr.trim().is_empty(), "{line:?}");
    }
    assert!(home.run(["conect"]).stderr.contains("connect"), "a near word is suggested");
    each(|words, row| {
        let wrong = home.run(with(words, &["--no-such-option"]));
        assert_eq!((wrong.status, wrong.stdout.len()), (2, 0), "{words:?}");
        assert!(wrong.stderr.contains("--no-such-option"), "{words:?}: {}", wrong.stderr);
        for flag in row.all_flags() {
            let option = format!("--{}", flag.long);
            let (value, reason) = match flag.kind {
                Kind::Duration | Kind::Size | Kind::Rate => ("30", "a bare number: say the unit, as in 30"),
                Kind::Number(..) => ("many", "wanted a whole number"),
                Kind::Socket => ("here", "wanted ADDR:PORT"),
                Kind::HostPort => ("here", "wanted HOST:PORT"),
                Kind::Choice(_) => ("none-of-these", "possible values"),
                Kind::Switch | Kind::Count | Kind::Text | Kind::Path => continue,
            };
            let wrong = home.run(with(words, &[&option, value]));
            assert_eq!((wrong.status, wrong.stdout.len()), (2, 0), "{words:?} {option} {value}");
            assert!(wrong.stderr.contains(reason) && wrong.stderr.contains(&option), "{}", wrong.stderr);
        }
    });
}

#[test]
fn standard_output_is_the_same_however_much_is_said() {
    let home = Home::new();
    for (line, prints, _) in samples(&home) {
        let plain = home.run(&line);
        assert_eq!(plain.status, 0, "{line:?}: {}", plain.stderr);
        let again = home.run(&line);
        assert_eq!(!plain.stdout.is_empty(), prints, "{line:?}");
        for more in [&["-vvv"][..], &["-q"], &["--no-progress", "-v"]] {
            let mut other = home.p2pt(more.iter().map(|s| (*s).to_owned()).chain(line.clone()));
            let other = Running::start(other.env("P2PT_LOG", "trace")).end(PATIENCE);
            assert_eq!((other.status, &other.stdout), (0, &again.stdout), "{line:?} {more:?}");
            assert!(more != ["-q"] || other.stderr.is_empty(), "{line:?} -q: {}", other.stderr);
        }
    }
}

#[test]
fn json_lines_are_as_the_schema_says() {
    let (home, schema) = (Home::new(), Schema::of_events());
    for (line, _, row) in samples(&home) {
        let mut json = line.clone();
        json.push("--json".into());
        let ended = home.run(&json);
        match row.streams.json {
            Json::None => assert_eq!(ended.status, 2, "{line:?} has no --json"),
            Json::Stdout => {
                assert_eq!(ended.status, 0, "{}", ended.stderr);
                assert!(!schema.lines(&ended.text()).is_empty(), "{line:?}");
            }
            Json::Stderr => {
                assert_eq!(ended.status, 0, "{}", ended.stderr);
                assert!(!schema.lines(&ended.stderr).is_empty(), "{line:?}");
            }
        }
    }
}

#[test]
fn failures_are_events_too() {
    let (home, schema) = (Home::new(), Schema::of_events());
    let ended = home.run(["peer-id", "--json", "--key", "/nonexistent/folder/key"]);
    assert_eq!(ended.status, 9);
    let events = schema.lines(&ended.text());
    assert_eq!(events[0]["event"], "error");
    assert_eq!(events[0]["status"], 9);
    assert!(ended.stderr.contains("next: "), "{}", ended.stderr);
}

#[test]
fn the_schema_refuses_what_it_does_not_know() {
    let schema = Schema::of_events();
    let good = r#"{"v":1,"ts":"2026-11-22T13:08:44.480Z","event":"note","text":"x"}"#;
    assert_eq!(schema.lines(good).len(), 1);
    for (was, is) in
        [(r#""v":1"#, r#""v":2"#), ("note", "nonsense"), ("text", "txt"), ("2026", "26"), (r#":"x""#, ":7")]
    {
        let value = serde_json::from_str(&good.replacen(was, is, 1)).unwrap();
        assert!(schema.check(&value).is_err(), "{is}");
    }
}

#[test]
fn a_reader_that_leaves_ends_it_with_141_and_no_word() {
    let home = Home::new();
    home.run(["peer-id"]);
    let mut lines: Vec<Vec<String>> =
        samples(&home).into_iter().filter(|(_, prints, _)| *prints).map(|(line, ..)| line).collect();
    each(|words, _| lines.push(with(words, &["--help"]).into_iter().map(str::to_owned).collect()));
    lines.push(vec!["--version".into()]);
    lines.push(vec!["peer-id".into(), "--json".into()]);
    for line in lines {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = Running::start(home.p2pt(&line).stdout(writer)).end(PATIENCE);
        assert_eq!((ended.status, ended.stderr.as_str()), (141, ""), "{line:?}");
    }
}

#[test]
fn a_full_disk_is_status_9_and_said() {
    let home = Home::new();
    for (line, ..) in samples(&home).into_iter().filter(|(_, prints, _)| *prints) {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = Running::start(home.p2pt(&line).stdout(full)).end(PATIENCE);
        assert_eq!(ended.status, 9, "{line:?}");
        assert!(ended.stderr.contains("standard output"), "{line:?}: {}", ended.stderr);
    }
}

#[test]
fn signals_end_it_politely_and_twice_at_once() {
    let home = Home::new();
    home.run(["peer-id"]);
    for (line, ..) in samples(&home).into_iter().filter(|(_, prints, _)| *prints) {
        for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            for twice in [false, true] {
                // Nobody reads, and the pipe is full: the command stands still in the middle of its work.
                let (reader, mut writer) = std::io::pipe().unwrap();
                fill(&mut writer);
                let running = Running::start(home.p2pt(&line).stdout(writer));
                // The last one that a handler is made for.
                wait_until_handled(&running, Signal::USR1);
                running.signal(Signal::USR1);
                running.signal(signal);
                if twice {
                    std::thread::sleep(Duration::from_millis(200));
                    running.signal(signal);
                }
                let sent = std::time::Instant::now();
                let ended = running.end(PATIENCE);
                assert_eq!(ended.status, status, "{line:?}: {}", ended.stderr);
                let limit = Duration::from_millis(if twice { 500 } else { 1_500 });
                assert!(sent.elapsed() < limit, "{line:?}: left after {:?}", sent.elapsed());
                assert!(ended.stderr.contains("once more"), "{line:?}: {}", ended.stderr);
                drop(reader);
            }
        }
    }
}

/// Writes until no more goes in.
fn fill(pipe: &mut std::io::PipeWriter) {
    rustix::io::ioctl_fionbio(&*pipe, true).unwrap();
    while pipe.write(&[0; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&*pipe, false).unwrap();
}

/// Waits until the process has a handler for `signal`, as /proc tells.
fn wait_until_handled(running: &Running, signal: Signal) {
    let bit = 1_u64 << (signal.as_raw() - 1);
    for _ in 0..5_000 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
        if u64::from_str_radix(&caught, 16).unwrap() & bit != 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no handler for signal {}", signal.as_raw());
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    if !skip::has("script", "colours_are_for_terminals_that_want_them") {
        return;
    }
    let home = Home::new();
    let line = format!("{} peer-id --key /nonexistent/key", crate::support::binary().display());
    let on_terminal = |settings: &[(&str, &str)]| {
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]);
        home.clean(&mut command);
        command.envs(settings.iter().copied()).stdin(Stdio::null());
        let ended = Running::start(&mut command).end(PATIENCE);
        String::from_utf8_lossy(&ended.stdout).into_owned()
    };
    assert!(on_terminal(&[]).contains("\x1b["), "a terminal gets colours");
    assert!(!on_terminal(&[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(!on_terminal(&[("TERM", "dumb")]).contains('\x1b'));
    assert!(on_terminal(&[("NO_COLOR", "")]).contains("\x1b["), "an empty NO_COLOR says nothing");
    assert!(!home.run(["peer-id", "--key", "/nonexistent/key"]).stderr.contains('\x1b'));
}

#[test]
fn a_link_is_its_command() {
    let home = Home::new();
    let id = home.run(["peer-id"]).text();
    let link = home.path().join("p2pt-peer-id");
    std::os::unix::fs::symlink(crate::support::binary(), &link).unwrap();
    let mut command = Command::new(&link);
    home.clean(&mut command);
    assert_eq!(Running::start(&mut command).end(PATIENCE).text(), id);
}

#[test]
fn options_may_stand_before_and_after_operands_and_the_log_obeys_its_variable() {
    let home = Home::new();
    for line in [&["-v", "completions", "bash"][..], &["completions", "-v", "bash"], &["completions", "bash", "-v"]] {
        assert_eq!(home.run(line).status, 0, "{line:?}");
    }
    assert_eq!(home.run(["completions", "-v", "-q", "bash"]).status, 2);
    let mut wrong = home.p2pt(["peer-id"]);
    let wrong = Running::start(wrong.env("P2PT_LOG", "=/=")).end(PATIENCE);
    assert_eq!(wrong.status, 0);
    assert!(wrong.stderr.contains("P2PT_LOG"), "{}", wrong.stderr);
}
