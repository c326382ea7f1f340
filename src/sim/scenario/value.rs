//! What a scenario is.

use std::time::Duration;

use super::super::swarm::{Rate, Terms};

/// What carries the members' messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// [`Swarm`](crate::sim::swarm::Swarm): whole messages.
    Swarm,
    /// [`World`](crate::sim::World): sessions and packets.
    World,
}

/// In which way a hostile member is hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hostility {
    /// Takes part in the overlay, and passes nothing on.
    Silent,
    /// Passes on, and makes up, what nobody signed.
    Forging,
    /// Sends what it heard again and again.
    Replaying,
    /// Gives to one neighbour what was for another.
    Misrouting,
    /// Sends as much nonsense as it can.
    Flooding,
}

impl Hostility {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Silent, Self::Forging, Self::Replaying, Self::Misrouting, Self::Flooding];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Forging => "forging",
            Self::Replaying => "replaying",
            Self::Misrouting => "misrouting",
            Self::Flooding => "flooding",
        }
    }
}

/// Who is there, what they do, and what befalls them. Times are counted from the moment at which all have joined and
/// settled, unless they say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What carries the messages.
    pub engine: Engine,
    /// How many members join.
    pub members: u32,
    /// From which all chance comes.
    pub seed: u64,
    /// How many join in a second.
    pub joins: f64,
    /// How long they may settle after the last has joined.
    pub settle: Duration,
    /// How long things are done.
    pub duration: Duration,
    /// How long what was done may take effect.
    pub tail: Duration,
    /// The shortest and the longest round trip between two members.
    pub rtt: (Duration, Duration),
    /// Share of packets, or of messages, that are lost and sent again.
    pub loss: f64,
    /// Every uplink.
    pub up: Rate,
    /// Every downlink.
    pub down: Rate,
    /// Share of members behind symmetric NATs.
    pub symmetric: f64,
    /// Share of members behind port-restricted NATs.
    pub restricted: f64,
    /// Posts a second, in all.
    pub posts: f64,
    /// Bytes of a post.
    pub size: u32,
    /// How many members post, in turn; 0: all.
    pub posters: u32,
    /// Messages routed a second, in all, each to the member nearest to a random address.
    pub routes: f64,
    /// Values stored at the beginning.
    pub values: u32,
    /// How many times a second somebody asks for one of them.
    pub gets: f64,
    /// Bytes of a file that some have and all others fetch; 0: none.
    pub file: u64,
    /// Bytes of its pieces; 0: as many as a file of its size has.
    pub piece: u64,
    /// How many have the file, those who join first.
    pub seeds: u32,
    /// Numbers of those who fetch it, each a run of its own; none: one run of as many as there are members.
    pub ladder: Vec<u32>,
    /// Share of those who fetch it that give wrong pieces to others.
    pub poisoning: f64,
    /// How many members publish a stream, those who join first.
    pub streams: u32,
    /// Each of them.
    pub stream: Rate,
    /// Units of each in a second.
    pub units: f64,
    /// How often one can begin with a unit.
    pub key: Duration,
    /// How long after its publication everything is played.
    pub latency: Duration,
    /// Share of members that are killed and replaced in a minute.
    pub churn: f64,
    /// Share of members that are killed, one after the other, and not replaced.
    pub leaving: f64,
    /// When whoever joined first leaves.
    pub creator_leaves: Option<Duration>,
    /// When the network falls apart into two halves.
    pub partition: Option<Duration>,
    /// For how long.
    pub partition_for: Duration,
    /// When the rendezvous dies.
    pub rendezvous_dies: Option<Duration>,
    /// Share of members that are hostile.
    pub hostile: f64,
    /// In which ways, in turn.
    pub hostility: Vec<Hostility>,
}

impl Scenario {
    /// A hundred members for half a minute, who do nothing: round trips of 10 to 150 ms, 1 % loss.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            engine: Engine::Swarm,
            members: 100,
            seed: 1,
            joins: 20.0,
            settle: Duration::from_secs(10),
            duration: Duration::from_secs(30),
            tail: Duration::from_secs(10),
            rtt: (Duration::from_millis(10), Duration::from_millis(150)),
            loss: 0.01,
            up: Rate::UNLIMITED,
            down: Rate::UNLIMITED,
            symmetric: 0.0,
            restricted: 0.0,
            posts: 0.0,
            size: 100,
            posters: 0,
            routes: 0.0,
            values: 0,
            gets: 0.0,
            file: 0,
            piece: 0,
            seeds: 1,
            ladder: Vec::new(),
            poisoning: 0.0,
            streams: 0,
            stream: Rate(2_000_000),
            units: 25.0,
            key: Duration::from_secs(1),
            latency: Duration::from_secs(2),
            churn: 0.0,
            leaving: 0.0,
            creator_leaves: None,
            partition: None,
            partition_for: Duration::from_secs(60),
            rendezvous_dies: None,
            hostile: 0.0,
            hostility: Hostility::ALL.to_vec(),
        }
    }

    /// Bytes of a piece of the file: a 1,024th of it, rounded up to a power of two from 16 KiB to 1 MiB, unless it is said.
    #[must_use]
    pub const fn piece_size(&self) -> u64 {
        match (self.piece, self.file.div_ceil(1_024).next_power_of_two()) {
            (0, small) if small < 16 << 10 => 16 << 10,
            (0, large) if large > 1 << 20 => 1 << 20,
            (0, piece) | (piece, _) => piece,
        }
    }

    /// With each so many-th unit of a stream one can begin.
    #[must_use]
    pub fn units_to_key(&self) -> u64 {
        (self.units * self.key.as_secs_f64()).round().max(1.0) as u64
    }

    /// The runs that it consists of: itself, or one for each number of those who fetch the file.
    #[must_use]
    pub fn rungs(&self) -> Vec<Self> {
        let rung =
            |&fetchers: &u32| Self { members: fetchers.saturating_add(self.seeds), ladder: Vec::new(), ..self.clone() };
        if self.ladder.is_empty() { vec![self.clone()] } else { self.ladder.iter().map(rung).collect() }
    }

    /// What is wrong with it, if it cannot be run.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let share = |name: &str, value: f64| match value {
            0.0..=1.0 => Ok(()),
            _ => Err(format!("{name} is a share: from 0 to 1")),
        };
        share("loss", self.loss)?;
        share("symmetric", self.symmetric)?;
        share("restricted", self.restricted)?;
        share("symmetric and restricted together", self.symmetric + self.restricted)?;
        share("leaving", self.leaving)?;
        share("hostile", self.hostile)?;
        share("poisoning", self.poisoning)?;
        if !(1..=1_000_000).contains(&self.members) {
            return Err("members are 1 to 1000000".into());
        }
        let rates = [("joins", self.joins), ("posts", self.posts), ("routes", self.routes), ("gets", self.gets)];
        for (name, rate) in rates {
            if !(0.0..=1e6).contains(&rate) {
                return Err(format!("{name} are 0 to 1000000 a second"));
            }
        }
        match self {
            _ if self.joins <= 0.0 => Err("with joins = 0 nobody ever comes".into()),
            _ if !(0.0..=60.0).contains(&self.churn) => Err("churn is 0 to 60 a minute".into()),
            _ if self.rtt.0 > self.rtt.1 || self.rtt.1 > Duration::from_secs(10) => {
                Err("rtt is the shortest and the longest, 10 s at most".into())
            }
            _ if self.duration.max(self.tail).max(self.settle) > Duration::from_secs(24 * 3600) => {
                Err("a scenario lasts a day at most".into())
            }
            _ if self.size as usize > crate::node::posting::MAX_BODY || self.size < 16 => {
                Err("size is 16 to 65536 bytes".into())
            }
            _ if !self.ladder.is_empty() => match (self.file, self.ladder.len()) {
                (0, _) => Err("a ladder is of those who fetch a file, and there is none".into()),
                (_, 17..) => Err("a ladder has 16 rungs at most".into()),
                _ if self.ladder.contains(&0) => Err("a file is fetched by one at least".into()),
                _ => self.rungs().iter().try_for_each(Self::check),
            },
            _ if self.file > 1 << 40 => Err("a file has 1 TiB at most".into()),
            _ if self.piece > 1 << 20 => Err("a piece has 1 MiB at most".into()),
            _ if self.streams > 0 && !(0.1..=1e3).contains(&self.units) => Err("units are 0.1 to 1000 a second".into()),
            _ if self.streams > 0 && self.stream.0 == 0 => Err("a stream has a rate".into()),
            _ if self.streams > self.members.min(64) => Err("64 streams at most, each by a member".into()),
            _ if self.hostile > 0.0 && self.hostility.is_empty() => Err("hostility names no kind".into()),
            _ if self.engine == Engine::World && self.members > 20_000 => {
                Err("the world engine carries 20000 members at most".into())
            }
            _ => Ok(()),
        }
    }

    /// The terms of a swarm with these round trips, losses and rates.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let (shortest, longest) = self.rtt;
        let rest = (longest - shortest) / 2;
        // The same shares as in the default terms: most of it is distance.
        Terms {
            access: (shortest / 4, shortest / 4 + rest * 3 / 28),
            across: rest * 11 / 14,
            loss: self.loss,
            up: self.up,
            down: self.down,
            ..Terms::default()
        }
    }
}

/// Whether the `at`-th of many is one of this share of them, which is spread evenly and leaves out the first.
pub(super) fn is_one_of(share: f64, at: usize) -> bool {
    let upto = |count: usize| (count as f64 * share + 1e-9).floor();
    upto(at + 1) > upto(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_terms_are_the_default_round_trips() {
        assert_eq!(Scenario::new("x").terms(), Terms::default());
    }

    #[test]
    fn a_share_is_spread_evenly() {
        let chosen: Vec<usize> = (0..10).filter(|&at| is_one_of(0.4, at)).collect();
        assert_eq!(chosen, [2, 4, 7, 9]);
        assert_eq!((0..99).filter(|&at| is_one_of(1.0 / 3.0, at)).count(), 33);
        assert!((0..100).all(|at| is_one_of(1.0, at) && !is_one_of(0.0, at)));
    }
}
