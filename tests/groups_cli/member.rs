//! Members for the tests: `group join` processes, each with a home of its own.

use crate::support::{Home, PATIENCE, Running};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

/// A group that only this test knows.
pub struct Club {
    pub home: Home,
}

impl Club {
    /// A new group, made with these options; its address is in the file `group`.
    pub fn new(options: &[&str]) -> Self {
        let home = Home::new();
        let file = home.path().join("spec").display().to_string();
        let made = home.run([&["group", "new", "-o", &file], options].concat());
        assert_eq!(made.status, 0, "{}", made.stderr);
        let spec = fs::read_to_string(&file).unwrap();
        fs::write(home.path().join("group"), format!("rtmfp:#{spec}")).unwrap();
        Self { home }
    }

    /// How commands name the group.
    pub fn address(&self) -> String {
        format!("@{}", self.home.path().join("group").display())
    }

    /// Joins, with a home of its own.
    pub fn join(&self, options: &[&str]) -> Member {
        Member::start(Home::new(), self, options)
    }

    /// Runs a command to its end with the club's own home, where no member runs.
    pub fn run(&self, words: &[&str]) -> crate::support::Ended {
        self.home.run(words)
    }
}

/// A `group join` that runs.
pub struct Member {
    pub home: Home,
    pub running: Running,
    pub input: Option<ChildStdin>,
}

impl Member {
    pub fn start(home: Home, club: &Club, options: &[&str]) -> Self {
        let ready = home.path().join("ready");
        let _ = fs::remove_file(&ready);
        let address = club.address();
        let line = [&["group", "join", &address, "--ready-file", ready.to_str().unwrap()], options].concat();
        let mut running = Running::start(home.p2pt(line).stdin(Stdio::piped()));
        running.await_that("ready", |_| ready.exists());
        let input = running.child.stdin.take();
        Self { home, running, input }
    }

    /// Posts a line through its standard input.
    pub fn post(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").unwrap();
    }

    /// Runs another command of the same user.
    pub fn run(&self, words: &[&str]) -> crate::support::Ended {
        self.home.run(words)
    }

    /// What `group info` says.
    pub fn info(&self, club: &Club) -> Value {
        let told = self.run(&["group", "info", "--json", &club.address()]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        serde_json::from_str(&told.text()).unwrap()
    }

    /// Waits until it has so many neighbours, or more.
    pub fn await_neighbours(&self, club: &Club, wanted: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let info = self.info(club);
            if info["neighbor_count"].as_u64() >= Some(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "{wanted} neighbours never came: {info}; {}", self.running.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The lines that it has printed.
    pub fn printed(&self) -> Vec<String> {
        self.running.wrote().lines().map(str::to_owned).collect()
    }

    /// Waits until it has printed so many lines.
    pub fn await_lines(&self, count: usize) {
        self.running.await_that(&format!("{count} lines"), |running| running.wrote().lines().count() >= count);
    }
}

/// A few members that all know each other.
pub fn mesh(club: &Club, count: usize, options: &[&str]) -> Vec<Member> {
    let members: Vec<Member> = (0..count).map(|_| club.join(options)).collect();
    let wanted = (count as u64 - 1).min(9);
    members.iter().for_each(|member| member.await_neighbours(club, wanted));
    members
}
