//! The terms of a swarm, and what it counts.

use std::time::Duration;

use crate::group::Lane;

/// One of a swarm's members. Never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

/// Bits per second of an access line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub u64);

impl Rate {
    /// No limit.
    pub const UNLIMITED: Self = Self(0);

    /// How long `bytes` take.
    #[must_use]
    pub const fn time(self, bytes: u64) -> Duration {
        match bytes.saturating_mul(8_000_000).checked_div(self.0) {
            Some(micros) => Duration::from_micros(micros),
            None => Duration::ZERO,
        }
    }
}

/// What lies between members.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// One-way delay of an access line: drawn evenly from this range.
    pub access: (Duration, Duration),
    /// One-way delay between the two places that are furthest apart.
    pub across: Duration,
    /// Share of messages that are late by a retransmission.
    pub loss: f64,
    /// Every uplink.
    pub up: Rate,
    /// Every downlink.
    pub down: Rate,
    /// Shares of members behind symmetric and behind port-restricted NATs.
    pub nats: (f64, f64),
    /// After how long a member that fell silent is missed.
    pub liveness: Duration,
    /// After how long a connection to somebody who is gone fails.
    pub gone_after: Duration,
    /// After how long a connection that no packet gets through for fails.
    pub blocked_after: Duration,
    /// Bytes of headers on each message.
    pub overhead: u64,
}

impl Default for Terms {
    /// Round trips of 10 to 150 ms, 1 % loss, no limits of rate, no NATs.
    fn default() -> Self {
        Self {
            access: (Duration::from_micros(2_500), Duration::from_millis(10)),
            across: Duration::from_millis(55),
            loss: 0.01,
            up: Rate::UNLIMITED,
            down: Rate::UNLIMITED,
            nats: (0.0, 0.0),
            liveness: Duration::from_secs(10),
            gone_after: Duration::from_secs(3),
            blocked_after: Duration::from_secs(2),
            overhead: 70,
        }
    }
}

/// What a swarm carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages sent and their bytes, by lane in the order of [`Lane::ALL`].
    pub lanes: [(u64, u64); Lane::KINDS],
    /// Messages delivered.
    pub delivered: u64,
    /// Messages whose receiver was gone or cut off.
    pub lost: u64,
    /// Messages given up because their time was over.
    pub abandoned: u64,
    /// Sessions opened.
    pub sessions: u64,
}

impl Counters {
    pub(super) fn count(&mut self, lane: Lane, bytes: u64) {
        let (messages, sum) = &mut self.lanes[lane.kind()];
        *messages += 1;
        *sum += bytes;
    }

    /// Messages sent on all lanes.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.lanes.iter().map(|(messages, _)| messages).sum()
    }

    /// Bytes sent on all lanes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lanes.iter().map(|(_, bytes)| bytes).sum()
    }
}
