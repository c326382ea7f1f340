//! What a scenario showed.

use std::time::Duration;

use super::ground::Traffic;
use super::samples::Samples;
use super::value::Scenario;

/// What a scenario showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was run.
    pub scenario: Scenario,
    /// Members that ever joined, and those that are there at the end.
    pub members: (usize, usize),
    /// How much time went by in the simulation.
    pub time: Duration,
    /// The median round trip between two members.
    pub median_rtt: Duration,
    /// Posts, if there were any.
    pub posts: Option<Posts>,
    /// Routed messages, if there were any.
    pub routes: Option<Routes>,
    /// Stored values, if there were any.
    pub storage: Option<Stored>,
    /// The file, if there was one.
    pub replicated: Option<Replicated>,
    /// Streams, if there were any.
    pub streamed: Option<Streamed>,
    /// How the halves found together, if there was a partition.
    pub healing: Option<Healing>,
    /// Neighbours at the end.
    pub neighbours: Neighbours,
    /// What was carried.
    pub traffic: Traffic,
    /// Honest members that were called misbehaving.
    pub wronged: u64,
    /// SHA-256 of all traffic: the same for the same scenario and seed.
    pub digest: [u8; 32],
    /// Second by second.
    pub seconds: Vec<Second>,
    /// The overlay at the end, if it is small.
    pub ring: Option<Vec<Place>>,
}

/// What became of posts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Posts {
    /// Posts made.
    pub sent: u64,
    /// Posts that the service of their author refused.
    pub refused: u64,
    /// Deliveries to whom they were due: members that were connected when it was posted, and stayed to the end.
    pub delivered: u64,
    /// Deliveries that were due and did not happen.
    pub missed: u64,
    /// Deliveries beyond the first, and to the author.
    pub twice: u64,
    /// Deliveries of what nobody posted.
    pub forged: u64,
    /// Deliveries to members that came only after the post.
    pub caught_up: u64,
    /// Answers of neighbours that said no.
    pub denied: u64,
    /// Hops of each delivery.
    pub hops: Samples,
    /// Microseconds from post to delivery, without those that a partition kept apart.
    pub delay: Samples,
    /// Extra copies per delivery, once warmed up.
    pub redundancy: f64,
}

/// What became of routed messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    /// Messages sent.
    pub sent: u64,
    /// Messages for which there was no route, or no room, at once.
    pub refused: u64,
    /// Messages that arrived at the member nearest to their address.
    pub found: u64,
    /// Messages that arrived at another.
    pub astray: u64,
    /// Messages that arrived nowhere.
    pub lost: u64,
    /// Messages of which the sender learnt that they arrived.
    pub acknowledged: u64,
    /// Links that each passed.
    pub hops: Samples,
    /// Microseconds to arrival.
    pub delay: Samples,
}

/// What became of stored values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    /// Values put.
    pub put: u64,
    /// Values of which somebody confirmed to hold a copy.
    pub held: u64,
    /// Values that were put by a member that left before it had its answer: they may be held or not.
    pub abandoned: u64,
    /// Questions for values that were held.
    pub asked: u64,
    /// Answers with the right value.
    pub found: u64,
    /// Answers without it.
    pub not_found: u64,
    /// Answers with something else.
    pub wrong: u64,
    /// Questions that nobody answered, or not by the end.
    pub unanswered: u64,
    /// Copies of each value, as confirmed.
    pub copies: Samples,
    /// Microseconds from question to answer.
    pub delay: Samples,
}

/// What became of a file that was replicated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replicated {
    /// Bytes of the file, and of its pieces.
    pub file: (u64, u64),
    /// Who had it, and who fetched it without giving wrong pieces.
    pub members: (usize, usize),
    /// Those of them who have it at the end.
    pub done: usize,
    /// Microseconds until each of them had it.
    pub delay: Samples,
    /// When the last of them had it.
    pub last: Option<Duration>,
    /// When it could have had it at best: the most of F / uplink of a seed, F / downlink, N·F / all uplinks, F being the
    /// file's bytes on the wire.
    pub least: Duration,
    /// How long one server with the uplink of a seed would have taken.
    pub server: Duration,
    /// Copies that left the seeds.
    pub seeded: f64,
    /// Pieces that came twice.
    pub duplicates: u64,
    /// Wrong pieces, each found when it came.
    pub bad: u64,
    /// Pieces that were denied, or did not come in time.
    pub failed: u64,
    /// Requests withdrawn.
    pub cancelled: u64,
}

impl Replicated {
    /// What the last took, of what is possible.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        Some(self.last?.as_secs_f64() / self.least.as_secs_f64())
    }
}

/// What became of streams.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Streamed {
    /// Streams.
    pub streams: usize,
    /// How long they lasted.
    pub took: Duration,
    /// Streams at those who played them from the beginning and stayed.
    pub plays: usize,
    /// Units that these were due.
    pub due: u64,
    /// Units that they were shown.
    pub shown: u64,
    /// Streams at those who came later and stayed.
    pub newcomers: usize,
    /// Units that these were due from the one with which they began, and those that they were shown.
    pub late: (u64, u64),
    /// Streams of which somebody was told that they ended in good order.
    pub ended: usize,
    /// Microseconds from the joining of those who came later to the first unit that they were shown, less the latency.
    pub begins: Samples,
    /// Units that were not what was published, in their order, beginning with one with which one can begin.
    pub wrong: u64,
    /// Fragments that were told to be lost.
    pub lost: u64,
    /// Bytes sent by all, headers and everything included, for each byte that a player was due.
    pub upload: f64,
    /// Bytes of fragments sent by publishers, for each byte published.
    pub published: f64,
    /// Share of fragments that were asked for.
    pub pulled: f64,
    /// Fragments that came twice.
    pub duplicates: u64,
    /// Fragments that were not the publisher's.
    pub forged: u64,
    /// Microseconds from the publication of a unit to its complete and verified arrival.
    pub delay: Samples,
}

impl Streamed {
    /// The share of units that who stayed was shown.
    #[must_use]
    pub fn continuity(&self) -> f64 {
        self.shown as f64 / self.due.max(1) as f64
    }
}

/// How the halves of a partition found together again; both are counted from the moment at which the network was whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Healing {
    /// When everybody had the right neighbours on the ring again.
    pub ring: Option<Duration>,
    /// When the last post of one half had reached the last member of the other.
    pub posts: Option<Duration>,
}

/// Neighbours of the honest members.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Neighbours {
    /// The fewest.
    pub min: usize,
    /// The median.
    pub median: usize,
    /// The most.
    pub max: usize,
    /// What the topology wants for so many members: floor(log2 N) + 13, or all the others if they are fewer.
    pub target: usize,
    /// Share of members within 50 % of it.
    pub within: f64,
    /// The median of what members estimate their number to be.
    pub estimate: f64,
}

/// One second of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Second {
    /// When it ended.
    pub at: Duration,
    /// Members then.
    pub members: usize,
    /// Neighbours then: fewest, median, most.
    pub neighbours: (usize, usize, usize),
    /// Posts received for the first time, and again, in it.
    pub copies: (u64, u64),
    /// Bytes carried in it.
    pub bytes: u64,
}

/// A member's place in the picture of a small overlay.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where on the ring, from 0 to 1.
    pub at: f64,
    /// Whether it is hostile.
    pub hostile: bool,
    /// Whether it is behind a symmetric NAT.
    pub symmetric: bool,
    /// Its neighbours, by their index.
    pub neighbours: Vec<usize>,
}

impl Report {
    /// Bytes that a member sent in a second, on the whole.
    #[must_use]
    pub fn bytes_per_member_second(&self) -> f64 {
        self.per_member_second(self.traffic.bytes)
    }

    /// The same of any number of bytes.
    #[must_use]
    pub fn per_member_second(&self, bytes: u64) -> f64 {
        let member_seconds: usize = self.seconds.iter().map(|second| second.members).sum();
        if member_seconds == 0 { 0.0 } else { bytes as f64 / member_seconds as f64 }
    }
}
