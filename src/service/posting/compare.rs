//! Comparing with a neighbour what both hold: digests of spans of time first, then lists of the spans that differ.

use std::collections::BTreeSet;
use std::time::Duration;

use super::format::{Message, Run, Span};
use super::machine::Posting;
use super::store::{Key, runs};
use crate::base::{Instant, PeerId};

/// Parts into which a span that differs is cut.
const PARTS: usize = 16;
/// Posts that are listed rather than compared further.
const FEW: u64 = 48;
/// Posts in a list, and announced because a comparison shows them missing.
const MANY: usize = 1024;
/// Spans of one message that are looked at.
const MAX_SPANS: usize = 64;
/// When to compare with some neighbour: this much after the last time, and up to twice.
const PERIOD: Duration = Duration::from_secs(5);
/// Posts younger than this are on their way, and not compared while nothing is wrong.
const ON_THEIR_WAY: Duration = Duration::from_secs(3);
/// Fewer outstanding posts than this, and the next are asked for.
const ALMOST_ALL: usize = 128;

impl Posting {
    /// Begins the comparisons that are due.
    pub(super) fn compare_due(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let mut with: BTreeSet<PeerId> = BTreeSet::new();
        for (&peer, neighbour) in &mut self.neighbours {
            if due(neighbour.compare_at) {
                neighbour.compare_at = None;
                with.insert(peer);
            }
        }
        let everything = u64::MAX;
        with.iter().for_each(|peer| self.compare_with(now, *peer, everything));
        if due(self.compare_at) {
            self.compare_at = Some(now + PERIOD + Duration::from_millis(self.rng.below(PERIOD.as_millis() as u64)));
            let some = self.rng.below(self.neighbours.len() as u64) as usize;
            if let Some(peer) = self.neighbours.keys().nth(some).copied().filter(|peer| !with.contains(peer)) {
                let settled = self.config.clock.unix_millis(now).saturating_sub(ON_THEIR_WAY.as_millis() as u64);
                self.compare_with(now, peer, settled);
            }
        }
    }

    fn compare_with(&mut self, now: Instant, peer: PeerId, to: u64) {
        let span = self.store.span(self.compared_from(now), to);
        if let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|neighbour| !neighbour.banned) {
            neighbour.has_more = false;
            neighbour.control(&Message::Compare(vec![span]));
        }
    }

    /// What is about to be forgotten is not compared.
    fn compared_from(&self, now: Instant) -> u64 {
        let margin = (self.config.retention / 8).min(Duration::from_secs(10));
        self.kept_from(now).saturating_add(margin.as_millis() as u64)
    }

    /// A neighbour compares.
    pub(super) fn compared(&mut self, now: Instant, peer: PeerId, spans: &[Span]) {
        let (kept, from) = (self.kept_from(now), self.compared_from(now));
        let mut parts = Vec::new();
        for span in spans.iter().take(MAX_SPANS) {
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
            // What a span costs is known afterwards, so each one pays for the one before.
            if !neighbour.scans.take(now, neighbour.owed) {
                self.stats.limited += 1;
                break;
            }
            let ours = self.store.span(span.from, span.to);
            neighbour.owed = 16 + 3 * ours.count;
            if ours == *span {
                continue;
            }
            if span.from < kept && span.to > from {
                // It keeps more than we do: only what both keep is compared.
                parts.push(self.store.span(from, span.to));
            } else if span.count == 0 {
                let keys = self.store.keys(span.from, span.to, MANY);
                self.offer(peer, keys);
            } else if ours.count <= FEW {
                self.list(peer, *span);
            } else {
                let cut = self.store.split(span.from, span.to, PARTS);
                if cut.len() == 1 {
                    self.list(peer, *span);
                } else {
                    parts.extend(cut);
                }
            }
        }
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            for parts in parts.chunks(MAX_SPANS) {
                neighbour.control(&Message::Compare(parts.to_vec()));
            }
        }
    }

    fn list(&mut self, peer: PeerId, Span { from, to, .. }: Span) {
        let runs = runs(self.store.keys(from, to, MANY));
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.control(&Message::List { from, to, runs });
        }
    }

    /// Tells a neighbour what it lacks: a list of no span, which is answered by no list.
    fn offer(&mut self, peer: PeerId, keys: Vec<Key>) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if !keys.is_empty() && !neighbour.control(&Message::List { from: 0, to: 0, runs: runs(keys) }) {
            self.stats.limited += 1;
        }
    }

    /// A neighbour lists what it holds of a span.
    pub(super) fn listed(&mut self, now: Instant, peer: PeerId, (from, to): (u64, u64), theirs: &[Run]) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if !neighbour.scans.take(now, (MANY + theirs.len()) as u64) {
            self.stats.limited += 1;
            return;
        }
        let ours = self.store.keys(from, to, MANY);
        let has = |(stream, sequence): Key| {
            // Runs are sorted as we write them; one that is not is searched in vain, and told what it has.
            let at = theirs.partition_point(|run| (run.stream, run.first) <= (stream, sequence));
            at > 0 && theirs[at - 1].stream == stream && sequence - theirs[at - 1].first < theirs[at - 1].count
        };
        let lacks = ours.into_iter().filter(|key| !has(*key)).collect();
        self.offer(peer, lacks);
        self.note_missing(now, peer, theirs, true);
    }

    /// When almost all of what a neighbour announced is here, and it had more, it is compared with again.
    pub(super) fn go_on_comparing(&mut self, now: Instant, peer: PeerId) {
        let few = self.missing.of_peer(peer) < ALMOST_ALL;
        if let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|neighbour| neighbour.has_more && few) {
            neighbour.has_more = false;
            neighbour.compare_at = Some(now);
        }
    }
}
