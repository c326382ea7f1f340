//! Who is told what we have, and when.
//!
//! What came from the group is told to everybody. What nobody else seems to have is shown to one neighbour each, a few
//! ahead of what it asks for, so that our uplink carries everything once before it carries anything twice; when all of
//! it has gone out, everybody is told.

use std::time::Duration;

use super::message::Span;
use super::neighbour::Neighbour;
use super::service::{AT_ONCE, BY_AND_BY, LATER, Replication, SOON};
use crate::base::{Instant, PeerId, RangeSet};

/// How long a neighbour that was shown an object may take to get it, before another is shown it.
const SHOWN_FOR: Duration = Duration::from_secs(10);
/// The same until it asks for it.
const ASKED_WITHIN: Duration = Duration::from_secs(3);
/// How long somebody who did not take what it was shown is not shown anything.
const IDLES: Duration = Duration::from_secs(10);
/// Objects shown to one neighbour at once, at most.
const MAX_SHOWN: usize = 1_024;

impl Replication {
    /// Whether a neighbour says that it has all that we have, and have not told to all, of which we are an origin: it did not get it from us. What it
    /// says of what we have shown to nobody is not relied on, so that one that gives nothing does not make us believe that
    /// everything is out; if it is another origin, it is shown once by each of us.
    fn boasts(&self, near: &Neighbour) -> bool {
        self.want.is_empty() && near.have.common(&self.quiet).len() == self.quiet.len()
    }

    /// We have these, from the group or from elsewhere.
    pub(super) fn announce(&mut self, now: Instant, span: Span, fetched: bool) {
        if fetched {
            return self.tell_have(now, &span);
        }
        self.hidden.insert_range(span.clone());
        self.quiet.insert_range(span.clone());
        let believed = self.neighbours.values().filter(|near| !self.boasts(near));
        let theirs: Vec<RangeSet> = believed.map(|near| near.have.within(span.clone()).collect()).collect();
        for had in &theirs {
            self.hidden.remove_all(had);
        }
    }

    /// Tells everybody of these: soon who lacks any of them and waits for nothing.
    fn tell_have(&mut self, now: Instant, span: &Span) {
        for neighbour in self.neighbours.values_mut() {
            neighbour.pending.have.insert_range(span.clone());
            let has = neighbour.have.within(span.clone()).next().is_some_and(|known| known == *span);
            // Whoever waits for something of ours does not ask for more at once.
            let waits = !neighbour.queue.is_empty() || !neighbour.flying.is_empty();
            let within = match (has, waits) {
                (true, _) => LATER,
                (false, true) => BY_AND_BY,
                (false, false) => SOON,
            };
            neighbour.flush_within(now, within);
        }
    }

    /// A neighbour says that it has these, too.
    pub(super) fn are_said_to_be_out(&mut self, peer: PeerId, mut said: RangeSet) {
        if self.neighbours.get(&peer).is_some_and(|near| self.boasts(near)) {
            said.remove_all(&self.hidden);
        }
        self.are_out(&said);
    }

    /// Others have these, too.
    pub(super) fn are_out(&mut self, indices: &RangeSet) {
        self.hidden.remove_all(indices);
        for span in indices.iter() {
            let shown: Vec<u64> = self.shown.range(span).map(|(&index, _)| index).collect();
            for index in shown {
                self.unshow(index);
            }
        }
    }

    fn unshow(&mut self, index: u64) {
        if let Some((peer, _)) = self.shown.remove(&index)
            && let Some(neighbour) = self.neighbours.get_mut(&peer)
        {
            neighbour.shown -= 1;
        }
    }

    /// A neighbour went with what it had; what only it may have had is rare again.
    pub(super) fn hide_again(&mut self, peer: PeerId, had: &RangeSet) {
        let shown: Vec<u64> = self.shown.iter().filter(|(_, (to, _))| *to == peer).map(|(&index, _)| index).collect();
        for index in shown {
            self.shown.remove(&index);
            self.hidden.insert(index);
        }
        let quiet = self.quiet.common(had);
        self.hidden.add_all(&quiet);
        let believed = self.neighbours.values().filter(|near| !self.boasts(near));
        let theirs: Vec<RangeSet> = believed.map(|near| near.have.common(&quiet)).collect();
        for had in &theirs {
            self.hidden.remove_all(had);
        }
        // What is shown to somebody else stays so.
        self.shown.keys().for_each(|&index| self.hidden.remove_range(index..=index));
    }

    /// What was shown and not asked for, or not taken, is shown to others.
    pub(super) fn hide_unasked(&mut self, now: Instant) {
        let late: Vec<(u64, PeerId)> = self
            .shown
            .iter()
            .filter_map(|(&index, &(peer, at))| {
                let asked = self.neighbours.get(&peer).is_some_and(|near| {
                    near.queue.iter().any(|&(asked, _)| asked == index) || near.flying.contains_key(&index)
                });
                let is_late = now.since(at) > if asked { SHOWN_FOR } else { ASKED_WITHIN };
                is_late.then_some((index, peer))
            })
            .collect();
        for (index, peer) in late {
            self.show_to_others(index, peer);
        }
    }

    /// A neighbour did not take what it was shown.
    pub(super) fn show_to_others(&mut self, index: u64, peer: PeerId) {
        self.unshow(index);
        self.hidden.insert(index);
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.idle = true;
        }
    }

    /// Who did not take what it was shown may do so later: after a while, or as soon as nobody else is there to be shown anything.
    fn wake_idle(&mut self, now: Instant) {
        let none = !self.neighbours.values().any(Neighbour::is_shown_things);
        for near in self.neighbours.values_mut().filter(|near| near.idle) {
            let since = *near.idle_at.get_or_insert(now);
            if none || now.since(since) > IDLES {
                (near.idle, near.idle_at) = (false, None);
            }
        }
    }

    /// Shows neighbours what nobody else has, as much as keeps us busy; tells everybody, if there is nothing left to show.
    pub(super) fn show_hidden(&mut self, now: Instant) {
        if self.quiet.is_empty() {
            return;
        }
        self.wake_idle(now);
        let wanting = self.neighbours.values().filter(|near| near.is_shown_things()).count();
        let busy = 2 * self.pipe.cap() / self.usual.max(1);
        let each = busy.div_ceil(wanting.max(1)).clamp(2, MAX_SHOWN);
        let mut left = false;
        for (&peer, near) in &mut self.neighbours {
            if !near.is_shown_things() {
                continue;
            }
            while near.shown < each {
                let wanted = near.want.iter().find_map(|span| self.hidden.within(span).next());
                let Some(index) = wanted.map(|span| *span.start()) else { break };
                self.hidden.remove_range(index..=index);
                self.shown.insert(index, (peer, now));
                near.shown += 1;
                near.pending.have.insert(index);
                near.flush_within(now, AT_ONCE);
            }
            left |= near.shown > 0 || near.shown >= each;
        }
        if left || !self.shown.is_empty() {
            return;
        }
        let mut known = std::mem::replace(&mut self.quiet, self.hidden.clone());
        self.hidden.iter().for_each(|span| known.remove_range(span));
        known.iter().for_each(|span| self.tell_have(now, &span));
    }
}
