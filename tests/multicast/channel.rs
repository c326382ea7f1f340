//! Publishers and players for the tests, each with a home of its own.

use crate::support::schema::Schema;
use crate::support::{Ended, Home, PATIENCE, Running, root};
use p2pt::node::multicast::media::{Format, Head, Splitter, Unit};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::process::{ChildStdin, Stdio};
use std::time::Duration;

/// How long anything may take that has a stream to its end.
pub const LONG: Duration = Duration::from_secs(60);

/// Whether the long form was asked for.
pub fn long() -> bool {
    std::env::var_os("P2PT_LONG").is_some_and(|wanted| wanted == "1")
}

/// A sample of what ffmpeg makes.
pub fn sample(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/vectors/media").join(name)).unwrap()
}

/// A group that only this test knows, and the stream in it.
pub struct Channel {
    pub home: Home,
}

impl Channel {
    pub fn new(options: &[&str]) -> Self {
        let home = Home::new();
        let file = home.path().join("spec").display().to_string();
        let made = home.run([&["group", "new", "-o", &file], options].concat());
        assert_eq!(made.status, 0, "{}", made.stderr);
        let spec = fs::read_to_string(&file).unwrap();
        fs::write(home.path().join("group"), format!("rtmfp:#{spec}")).unwrap();
        Self { home }
    }

    pub fn address(&self) -> String {
        format!("@{}", self.home.path().join("group").display())
    }

    /// Publishes what is written to it.
    pub fn publish(&self, options: &[&str]) -> Publisher {
        Publisher::start(Home::new(), self, options)
    }

    /// Plays.
    pub fn play(&self, options: &[&str]) -> Player {
        let player = Player::start(self, options);
        player.running.await_that("ready", |_| player.is_ready());
        player
    }

    /// So many players that begin at the same time.
    pub fn players(&self, count: usize, options: &[&str]) -> Vec<Player> {
        let players: Vec<Player> = (0..count).map(|_| Player::start(self, options)).collect();
        for player in &players {
            player.running.await_that("ready", |_| player.is_ready());
        }
        players
    }
}

/// The events that a process told on standard error.
pub fn events(said: &str) -> Vec<Value> {
    // The last line may not be whole yet.
    let whole = said.rfind('\n').map_or("", |end| &said[..=end]);
    Schema::of_events().lines(whole)
}

/// How many of them have this name.
pub fn count(said: &str, name: &str) -> usize {
    said.matches(&format!("\"event\":\"{name}\"")).count()
}

/// The last event of this name.
pub fn last(said: &str, name: &str) -> Option<Value> {
    events(said).into_iter().rfind(|event| event["event"] == name)
}

pub struct Publisher {
    pub home: Home,
    pub running: Running,
    input: Option<ChildStdin>,
}

impl Publisher {
    pub fn start(home: Home, channel: &Channel, options: &[&str]) -> Self {
        let ready = home.path().join("ready");
        let _ = fs::remove_file(&ready);
        let address = channel.address();
        let line = [
            &["multicast", "publish", "--json", "--ready-file", ready.to_str().unwrap()],
            options,
            &[&address, "film"],
        ];
        let mut running = Running::start(home.p2pt(line.concat()).stdin(Stdio::piped()));
        running.await_that("ready", |_| ready.exists());
        let input = running.child.stdin.take();
        Self { home, running, input }
    }

    /// Whose streams it publishes.
    pub fn id(&self) -> String {
        self.home.run(["peer-id"]).text().trim().to_owned()
    }

    /// Waits until it has met so many others.
    pub fn await_neighbours(&self, wanted: usize) {
        self.running.await_that(&format!("{wanted} neighbours"), |running| {
            count(&running.said(), "NetGroup.Neighbor.Connect") >= wanted
        });
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    /// Hands its input over.
    pub fn take_input(&mut self) -> ChildStdin {
        self.input.take().expect("the input is open")
    }

    /// Ends the stream.
    pub fn finish(mut self) -> Ended {
        drop(self.input.take());
        let ended = self.running.end(LONG);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        ended
    }
}

pub struct Player {
    pub home: Home,
    pub running: Running,
}

impl Player {
    fn start(channel: &Channel, options: &[&str]) -> Self {
        let home = Home::new();
        let ready = home.path().join("ready").display().to_string();
        let address = channel.address();
        let line = [&["multicast", "play", "--json", "--ready-file", &ready], options, &[&address, "film"]].concat();
        let running = Running::start(&mut home.p2pt(line));
        Self { home, running }
    }

    fn is_ready(&self) -> bool {
        self.home.path().join("ready").exists()
    }

    /// Waits until it plays.
    pub fn await_stream(&self) {
        self.running.await_that("the stream", |running| count(&running.said(), "NetStream.MulticastStream.Reset") > 0);
    }

    /// Plays to the orderly end, without a loss.
    pub fn finish(self) -> Ended {
        let ended = self.running.end(LONG);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let played = last(&ended.stderr, "played").expect("it was told");
        assert_eq!((&played["lost"], &played["unread"]), (&0.into(), &0.into()), "{}", ended.stderr);
        ended
    }
}

/// At which of the places where one can begin something began that was played, or at the very beginning, which is 0. What
/// precedes it has to be what a decoder needs; of a transport stream, the tables as they were then.
pub fn began(played: &[u8], stream: &[u8], format: Format) -> Option<usize> {
    if played == stream {
        return Some(0);
    }
    let mut splitter = Splitter::new(format);
    splitter.push(stream);
    let mut units: Vec<(Unit, Head)> = Vec::new();
    while let Some(unit) = splitter.next(true).expect("a good stream") {
        units.push((unit, splitter.head()));
    }
    let mut at = units[0].1.header.len();
    let mut keys = Vec::new();
    for (unit, head) in &units {
        if unit.key {
            keys.push((at, head));
        }
        at += unit.data.len() + if format == Format::Flv { 15 } else { 0 };
    }
    let fits = |(at, head): &(usize, &Head)| {
        let Some((before, rest)) = played.split_at_checked(head.header.len() + head.tables.len()) else { return false };
        let tables = &before[head.header.len()..];
        // Packets of the same tables; they are numbered.
        let same = |(one, other): (&[u8], &[u8])| one[..3] == other[..3] && one[4..] == other[4..];
        let packets = tables.chunks(188).zip(head.tables.chunks(188));
        let fits = match format {
            Format::MpegTs => packets.into_iter().all(same),
            _ => tables == head.tables,
        };
        before.starts_with(&head.header) && fits && rest == &stream[*at..]
    };
    keys.iter().position(fits).map(|place| place + 1)
}

/// Waits a moment, as a source does that has nothing to say.
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Waits for a process that should have ended.
pub fn ended(running: Running) -> Ended {
    running.end(PATIENCE)
}
