//! The scenarios that are known by name.

use std::time::Duration;

use super::super::swarm::Rate;
use super::value::{Engine, Scenario};

/// A scenario that is known by name.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    make: fn(Scenario) -> Scenario,
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// All of them.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "posting",
        about: "100 members, 10 posts a second from all of them",
        make: |base| Scenario { posts: 10.0, ..base },
    },
    BuiltIn {
        name: "churn",
        about: "100 members post while 30 % of them are replaced each minute, and the creator leaves",
        make: |base| Scenario {
            posts: 4.0,
            churn: 0.3,
            creator_leaves: Some(s(5)),
            duration: s(120),
            tail: s(30),
            ..base
        },
    },
    BuiltIn {
        name: "partition",
        about: "60 members post while the network is in two halves for a minute, and after",
        make: |base| Scenario { members: 60, posts: 3.0, partition: Some(s(15)), duration: s(90), tail: s(45), ..base },
    },
    BuiltIn {
        name: "hostile",
        about: "60 members post, a third are silent, forge, replay, misroute or flood",
        make: |base| Scenario { members: 60, posts: 4.0, hostile: 1.0 / 3.0, tail: s(20), ..base },
    },
    BuiltIn {
        name: "routing",
        about: "1,000 members route messages to the members nearest to random addresses",
        make: |base| Scenario { members: 1_000, joins: 100.0, routes: 50.0, ..base },
    },
    BuiltIn {
        name: "storage",
        about: "60 members store values and ask for them, while a third are killed, one each 2 seconds",
        make: |base| Scenario { members: 60, values: 30, gets: 20.0, leaving: 1.0 / 3.0, duration: s(40), ..base },
    },
    BuiltIn {
        name: "replicate",
        about: "one member gives a file of 10 MB to 100 others, each with 10 Mbit/s up and 50 down; nothing is lost but in full queues",
        make: |base| Scenario {
            members: 101,
            file: 10_000_000,
            // What is lost by chance besides is no part of the least possible time.
            loss: 0.0,
            up: Rate(10_000_000),
            down: Rate(50_000_000),
            settle: s(20),
            duration: s(120),
            tail: s(0),
            ..base
        },
    },
    BuiltIn {
        name: "multicast",
        about: "2 Mbit/s from one member to 100 others, of whom 10 % are replaced each minute",
        make: |base| Scenario {
            members: 101,
            streams: 1,
            rtt: (Duration::from_millis(20), Duration::from_millis(160)),
            up: Rate(10_000_000),
            down: Rate(50_000_000),
            churn: 0.1,
            duration: s(60),
            ..base
        },
    },
    BuiltIn {
        name: "conference",
        about: "8 members, each of whom publishes 64 kbit/s and plays the other seven",
        make: |base| Scenario {
            members: 8,
            streams: 8,
            stream: Rate(64_000),
            units: 50.0,
            key: Duration::from_millis(20),
            latency: Duration::from_millis(400),
            ..base
        },
    },
    BuiltIn {
        name: "bridged",
        about: "5 members, two behind symmetric NATs that cannot connect to each other, post, route and store",
        make: |base| Scenario {
            members: 5,
            symmetric: 0.4,
            posts: 2.0,
            routes: 5.0,
            values: 5,
            gets: 2.0,
            engine: Engine::Swarm,
            ..base
        },
    },
    BuiltIn {
        name: "crowd",
        about: "100,000 members route messages; some gigabytes of memory",
        make: |base| Scenario {
            members: 100_000,
            joins: 5_000.0,
            routes: 200.0,
            settle: s(30),
            duration: s(30),
            ..base
        },
    },
];

/// The scenario of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<Scenario> {
    let known = BUILT_IN.iter().find(|known| known.name == name)?;
    Some((known.make)(Scenario::new(name)))
}
