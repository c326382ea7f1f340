//! What nobody pushed is asked for, before it is too late.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::near::Nears;
use super::tree::{TREES, slice_of};
use crate::base::{Instant, PeerId};

/// Fragments asked for and not come, at most; and of one neighbour.
const MAX_FLYING: usize = 256;
const MAX_OF_ONE: usize = 32;
/// Who was asked has at least so long to send.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long after nobody was found, or all were busy, to look again.
const AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Missing {
    /// When it was first known to be somewhere.
    known: Instant,
    /// When to ask, or to ask somebody else.
    due: Instant,
    /// Who was asked last.
    asked: Option<PeerId>,
}

/// What is missing.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    missing: BTreeMap<u64, Missing>,
    due: BTreeSet<(Instant, u64)>,
    flying: usize,
}

impl Pulls {
    /// A fragment should come; if it does not until then, ask.
    pub(super) fn expect(&mut self, now: Instant, id: u64, due: Instant) {
        if let Entry::Vacant(vacant) = self.missing.entry(id) {
            vacant.insert(Missing { known: now, due, asked: None });
            self.due.insert((due, id));
        }
    }

    /// Later ones than this came already: ask by then, if nobody was asked.
    pub(super) fn hurry(&mut self, id: u64, by: Instant) {
        if let Some(missing) = self.missing.get_mut(&id).filter(|missing| missing.asked.is_none() && missing.due > by) {
            self.due.remove(&(missing.due, id));
            missing.due = by;
            self.due.insert((by, id));
        }
    }

    /// A fragment came, or is of no use any more; since when it was known, and who was asked for it.
    pub(super) fn remove(&mut self, id: u64, nears: &mut Nears) -> Option<(Instant, Option<PeerId>)> {
        let missing = self.missing.remove(&id)?;
        self.due.remove(&(missing.due, id));
        self.landed(missing.asked, nears);
        Some((missing.known, missing.asked))
    }

    fn landed(&mut self, asked: Option<PeerId>, nears: &mut Nears) {
        if let Some(asked) = asked {
            self.flying -= 1;
            if let Some(near) = nears.get_mut(&asked) {
                near.pulls = near.pulls.saturating_sub(1);
            }
        }
    }

    /// Nothing below this is of use any more.
    pub(super) fn forget_below(&mut self, id: u64, nears: &mut Nears) {
        while let Some((&first, _)) = self.missing.first_key_value().filter(|(first, _)| **first < id) {
            self.remove(first, nears);
        }
    }

    /// A neighbour is gone: what it was asked for is asked of others.
    pub(super) fn peer_down(&mut self, now: Instant, peer: PeerId) {
        let asked = self.missing.iter_mut().filter(|(_, missing)| missing.asked == Some(peer));
        for (&id, missing) in asked {
            self.due.remove(&(missing.due, id));
            (missing.asked, missing.due) = (None, now);
            self.due.insert((now, id));
            self.flying -= 1;
        }
    }

    /// Nobody pushes along this tree any more: what is missing of it is asked for at once.
    pub(super) fn hurry_slice(&mut self, slice: usize, by: Instant) {
        let ids: Vec<u64> = self.missing.keys().copied().filter(|id| slice_of(*id) == slice).collect();
        ids.into_iter().for_each(|id| self.hurry(id, by));
    }

    /// When to ask again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// What to ask of whom now.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        nears: &mut Nears,
        lags: &[Option<Duration>; TREES],
    ) -> Vec<(PeerId, u64)> {
        let mut asks = Vec::new();
        while let Some(&(due, id)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, id));
            let Some(missing) = self.missing.get_mut(&id) else { continue };
            let before = missing.asked.take();
            let known = now.since(missing.known);
            if let Some(near) = before.and_then(|before| nears.get_mut(&before)) {
                near.failures += 1;
                near.pulls = near.pulls.saturating_sub(1);
            }
            self.flying -= usize::from(before.is_some());
            let lag = lags[slice_of(id)];
            let holders = nears.iter().filter(|(peer, near)| {
                near.standing.takes_part
                    && near.pulls < MAX_OF_ONE
                    && Some(**peer) != before
                    && near.should_have(id, known, lag)
            });
            // Others than the publisher, who serves all; those that keep their word; those with little to do.
            let rank = |(peer, near): (&PeerId, &super::near::Near)| {
                let cost = (near.standing.publishes, near.failures / 8, !near.has(id), near.pulls / 4, near.rtt);
                (cost, *peer)
            };
            let chosen = if self.flying < MAX_FLYING { holders.map(rank).min() } else { None };
            let wait = match chosen.and_then(|(_, peer)| Some((peer, nears.get_mut(&peer)?))) {
                Some((peer, near)) => {
                    near.pulls += 1;
                    self.flying += 1;
                    missing.asked = Some(peer);
                    asks.push((peer, id));
                    (2 * near.rtt).max(PATIENCE)
                }
                None => AGAIN,
            };
            missing.due = now + wait;
            self.due.insert((missing.due, id));
        }
        asks
    }
}
