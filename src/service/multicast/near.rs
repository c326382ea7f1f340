//! What is known of a neighbour as far as one stream goes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::message::FragmentsMap;
use super::own::Standing;
use super::tree::{TREES, Trees, slice_of};
use crate::base::{Instant, PeerId, TokenBucket};

/// Round-trip time where none was measured.
const UNKNOWN_RTT: Duration = Duration::from_millis(100);

/// Bytes that one neighbour is given because it asks, a second and at once.
const SERVED: (u64, u64) = (8 << 20, 32 << 20);

/// The neighbours.
pub(super) type Nears = BTreeMap<PeerId, Near>;

/// A neighbour.
#[derive(Debug)]
pub(super) struct Near {
    pub(super) rtt: Duration,
    /// Since which fragment the newest title holds that went between us.
    pub(super) titled: Option<u64>,
    /// It was told what the stream is, with the known message.
    pub(super) told: bool,
    /// How it stands, as far as it said.
    pub(super) standing: Standing,
    /// What it wants us to push.
    pub(super) wants: Trees,
    /// What we push to it.
    pub(super) pushed: Trees,
    /// What we want it to push.
    pub(super) asked: Trees,
    /// What it said that it pushes.
    pub(super) given: Trees,
    /// Until when not to ask it again for each.
    pub(super) refused: [Instant; TREES],
    /// What it has, as it said last.
    pub(super) map: Option<FragmentsMap>,
    /// The newest fragment when it was told last what we have.
    pub(super) mapped: u64,
    /// Fragments that it was asked for and has not sent.
    pub(super) pulls: usize,
    /// How often it did not send what it seemed to have; less with what it sends.
    pub(super) failures: u32,
    /// When it asked us to take part, as nobody else does.
    pub(super) depends: Option<Instant>,
    /// It told us of the stream, when we knew of it from so many others.
    pub(super) herald: Option<usize>,
    /// It was asked to take part.
    pub(super) relays: bool,
    /// What it may have by asking.
    pub(super) served: TokenBucket,
}

impl Near {
    pub(super) fn new(rtt: Duration) -> Self {
        let none = Trees::default();
        let mut near = Self {
            rtt: UNKNOWN_RTT,
            titled: None,
            told: false,
            standing: Standing::default(),
            wants: none,
            pushed: none,
            asked: none,
            given: none,
            refused: [Instant::ZERO; TREES],
            map: None,
            mapped: 0,
            pulls: 0,
            failures: 0,
            depends: None,
            herald: None,
            relays: false,
            served: TokenBucket::new(SERVED.0, SERVED.1),
        };
        near.measured(rtt);
        near
    }

    /// Its round-trip time is this, if any.
    pub(super) fn measured(&mut self, rtt: Duration) {
        if !rtt.is_zero() {
            self.rtt = rtt;
        }
    }

    /// How long after the publisher we would have what it pushes; more with each hop, so that nobody is behind itself.
    pub(super) fn cost(&self, tree: usize) -> Option<Duration> {
        Some(self.standing.lags[tree]? + (self.rtt / 2).max(Duration::from_millis(1)))
    }

    /// Whether the stream can be had from it.
    pub(super) fn is_source(&self) -> bool {
        self.standing.takes_part && self.standing.lags.iter().any(Option::is_some)
    }

    /// Whether it said that it has a fragment.
    pub(super) fn has(&self, id: u64) -> bool {
        self.map.as_ref().is_some_and(|map| map.has(id))
    }

    /// Whether it should have a fragment, of which we have known for so long.
    pub(super) fn should_have(&self, id: u64, known: Duration, our_lag: Option<Duration>) -> bool {
        let lag = self.standing.lags[slice_of(id)];
        self.has(id) || lag.is_some_and(|lag| our_lag.is_none_or(|ours| lag < ours || lag < ours + known))
    }
}
