//! Members that were lost: remembered, held back for a while, probed.

use std::time::Duration;

use super::limits::{LATELY, LONELY_PROBE, LONGEST_HOLD, PROBE, RARE_PROBE, REFUSED_HOLD};
use crate::base::{Instant, PeerId, Rng};
use crate::group::known::Packed;

/// A lost member.
#[derive(Debug, Clone)]
pub(super) struct Gone {
    pub(super) peer: PeerId,
    pub(super) addresses: Packed,
    /// When it was lost, or last not reached.
    pub(super) at: Instant,
    /// Until when we believe nobody who says that it lives.
    pub(super) hold: Instant,
    pub(super) failures: u8,
}

/// The lost members, the one lost last at the end.
#[derive(Debug, Default)]
pub(super) struct Lost(Vec<Gone>);

/// A pause that doubles with each failure.
pub(super) fn backoff(first: Duration, failures: u8) -> Duration {
    (first * (1 << failures.min(10))).min(LONGEST_HOLD)
}

impl Lost {
    /// Remembers a member, instead of the one lost first if there are `limit`.
    pub(super) fn insert(&mut self, now: Instant, peer: PeerId, addresses: Packed, failures: u8, limit: usize) {
        self.remove(peer);
        while self.0.len() >= limit.max(1) {
            self.0.remove(0);
        }
        let hold = now + backoff(REFUSED_HOLD, failures);
        self.0.push(Gone { peer, addresses, at: now, hold, failures });
    }

    /// Remembers a member of an earlier time; anybody who says that it lives is believed.
    pub(super) fn insert_old(&mut self, peer: PeerId, addresses: Packed, limit: usize) {
        if self.get(peer).is_none() && self.0.len() < limit {
            let at = Instant::ZERO;
            self.0.insert(0, Gone { peer, addresses, at, hold: at, failures: 0 });
        }
    }

    pub(super) fn get(&self, peer: PeerId) -> Option<&Gone> {
        self.0.iter().find(|gone| gone.peer == peer)
    }

    pub(super) fn remove(&mut self, peer: PeerId) -> Option<Gone> {
        let at = self.0.iter().position(|gone| gone.peer == peer)?;
        Some(self.0.remove(at))
    }

    /// A probe found nobody.
    pub(super) fn failed(&mut self, now: Instant, peer: PeerId) {
        if let Some(gone) = self.0.iter_mut().find(|gone| gone.peer == peer) {
            gone.failures = gone.failures.saturating_add(1);
            gone.hold = now + backoff(REFUSED_HOLD, gone.failures);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, the one lost last first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Gone> {
        self.0.iter().rev()
    }

    /// Up to `count` to be probed, each an own draw: the first among those lost last, the others among all.
    pub(super) fn draw(&self, rng: &mut Rng, count: usize, busy: impl Fn(PeerId) -> bool) -> Vec<PeerId> {
        let free: Vec<PeerId> = self.iter().map(|gone| gone.peer).filter(|peer| !busy(*peer)).collect();
        let mut drawn: Vec<PeerId> = Vec::new();
        for draw in 0..count.min(free.len()) {
            let among = if draw == 0 { free.len().min(8) } else { free.len() };
            let start = rng.below(among as u64) as usize;
            let next = free.iter().cycle().skip(start).take(free.len()).find(|peer| !drawn.contains(peer));
            drawn.extend(next);
        }
        drawn
    }

    /// When to probe next.
    pub(super) fn pause(&self, now: Instant, rng: &mut Rng, lonely: bool) -> Duration {
        let lately = self.0.last().is_some_and(|gone| now - gone.at < LATELY);
        let base = match (lonely, lately) {
            (true, true) => LONELY_PROBE,
            (true, false) | (false, true) => PROBE,
            (false, false) => RARE_PROBE,
        };
        base + Duration::from_micros(rng.below(base.as_micros() as u64 / 4))
    }
}
