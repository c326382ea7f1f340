//! Secrets of groups: no command tells a groupspec, a posting password or an identity.

use crate::member::Club;
use crate::support::{PATIENCE, Running};
use rustix::process::Signal;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn no_group_command_tells_a_groupspec_or_a_password() {
    let club = Club::new(&["--posting-password"]);
    let spec = fs::read_to_string(club.home.path().join("spec")).unwrap().trim().to_owned();
    let file = club.home.path().join("spec.posting-password").display().to_string();
    let password = fs::read_to_string(&file).unwrap().trim().to_owned();
    club.run(&["peer-id"]);
    let identity = fs::read(club.home.identity()).unwrap();
    let seed: String = identity[identity.len() - 32..].iter().map(|byte| format!("{byte:02x}")).collect();
    // The random bytes are behind the name.
    let canaries = [&spec[60..100], &password, &password.replace('-', ""), &seed[..24]].map(str::to_owned);
    let member = club.join(&["--recv-only"]);
    let address = club.address();
    let with = ["--posting-password-file", &file, &address];
    let lines: Vec<Vec<&str>> = vec![
        vec!["group", "show", &address],
        vec!["group", "show", "--json", &address],
        [&["group", "join", "--json", "--echo", "--nick", "n"][..], &with].concat(),
        [&["group", "join"][..], &with].concat(),
        vec!["group", "members", &address],
        vec!["group", "info", "--json", &address],
        [&["post", "--json"][..], &with, &["text"]].concat(),
        [&["store", "put", "--json"][..], &with, &["key", "value"]].concat(),
        vec!["store", "get", &address, "key"],
        vec!["route", "--to-next", "--ack", &address, "wrong"],
        vec!["route", "--to-next", &address, "text"],
        vec!["route", "--listen", "--json", &address],
        vec!["group", "join", &address, "one operand too many"],
    ];
    for mut line in lines {
        line.push("-vvv");
        let mut command = club.home.p2pt(&line);
        let mut running = Running::start(command.env("P2PT_LOG", "trace").stdin(Stdio::piped()));
        let told = fs::read(format!("/proc/{}/cmdline", running.child.id())).unwrap_or_default();
        drop(running.child.stdin.take());
        std::thread::sleep(Duration::from_millis(400));
        if running.child.try_wait().unwrap().is_none() {
            running.signal(Signal::TERM);
        }
        let ended = running.end(PATIENCE);
        let said = [
            String::from_utf8_lossy(&ended.stdout).into_owned(),
            ended.stderr,
            String::from_utf8_lossy(&told).into_owned(),
        ];
        for text in said {
            let found = canaries.iter().find(|canary| text.contains(canary.as_str()));
            assert!(found.is_none(), "{line:?} tells {found:?}: {text}");
        }
    }
    // What is remembered for next time names the group by a hash.
    drop(member);
    let remembered = club.home.path().join("state/p2pt/groups");
    let files: Vec<_> = fs::read_dir(&remembered).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for path in files {
        let text = format!("{}{}", path.display(), fs::read_to_string(&path).unwrap());
        assert!(!canaries.iter().any(|canary| text.contains(canary)), "{text}");
    }
}

#[test]
fn a_new_groupspec_stands_on_standard_output_alone() {
    let club = Club::new(&[]);
    for options in [&[][..], &["--json"], &["-vvv"]] {
        let made = club.run(&[&["group", "new", "--name", "n"], options].concat());
        assert_eq!(made.status, 0);
        assert!(made.text().contains("G:") && !made.stderr.contains("G:"), "{}", made.stderr);
    }
    let file = club.home.path().join("kept").display().to_string();
    let made = club.run(&["group", "new", "--posting-password", "--json", "-o", &file]);
    let password = fs::read_to_string(format!("{file}.posting-password")).unwrap();
    for text in [made.text(), made.stderr] {
        assert!(!text.contains("G:") && !text.contains(password.trim()), "{text}");
    }
}
