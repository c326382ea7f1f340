//! What is asked of whom.

use std::time::Duration;

use bytes::Bytes;

use super::message::{Span, index};
use super::neighbour::{Asked, MAX_RANGES, Neighbour};
use super::service::Replication;
use super::types::{MAX_OBJECT, ReplicationEvent};
use crate::base::{Instant, PeerId, RangeSet};

/// Wanted objects that somebody has, of which is known how many have them.
const MAX_TRACKED: usize = 262_144;
/// Objects that are asked for at once, at most.
const MAX_FLIGHT: usize = 2_048;
/// Bytes that they usually bring, at most.
const MAX_FLIGHT_BYTES: usize = 16 << 20;
/// Objects whose bytes the owner is looking at, at most.
const MAX_CHECKING: usize = 1_024;
/// How far is looked for something that a neighbour has.
const LOOK: usize = 512;
/// How long somebody who has given nothing yet may take before another is asked, too.
const INSTEAD: Duration = Duration::from_millis(500);
/// Neighbours that are asked for the same object at once, at the end.
const MAX_ASKERS: usize = 3;

impl Replication {
    /// Counts who has these of what we want.
    pub(super) fn track_known(&mut self, span: &Span) {
        let known: Vec<Span> =
            self.neighbours.values().flat_map(|neighbour| neighbour.have.within(span.clone())).collect();
        for span in known {
            self.track(&span);
        }
    }

    /// Counts anew who has these of what we want. How many were looked at.
    fn track(&mut self, span: &Span) -> usize {
        let wanted: Vec<Span> = self.want.within(span.clone()).collect();
        let mut seen = wanted.len();
        for index in wanted.into_iter().flatten() {
            seen += 1;
            if self.fetch.tracked.contains_key(&index) {
                continue;
            }
            if self.fetch.tracked.len() >= MAX_TRACKED {
                self.fetch.overflowed = true;
                break;
            }
            let count = self.neighbours.values().filter(|neighbour| neighbour.have.contains(index)).count();
            self.fetch.set_count(index, count as u32);
        }
        seen
    }

    /// One neighbour fewer has these. How many were counted.
    pub(super) fn untrack(&mut self, lost: &RangeSet) -> usize {
        let mut seen = 0;
        for span in lost.iter() {
            let known: Vec<(u64, u32)> =
                self.fetch.tracked.range(span).map(|(&index, &count)| (index, count)).collect();
            seen += 1 + known.len();
            known.into_iter().for_each(|(index, count)| self.fetch.set_count(index, count.saturating_sub(1)));
        }
        seen
    }

    /// A neighbour says what it has. How many indices were looked at.
    pub(super) fn peer_has(&mut self, peer: PeerId, said: &RangeSet) -> usize {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return 0 };
        let mut new = said.clone();
        new.remove_all(&neighbour.have);
        neighbour.have.add_all(&new);
        neighbour.count = neighbour.count.saturating_add(new.len());
        if neighbour.have.range_count() > MAX_RANGES {
            self.blame(peer, "more ranges of objects than anybody has");
            return 0;
        }
        let mut seen = 0;
        for span in new.iter() {
            // Those that are counted already have one more; the others are counted with it.
            let known: Vec<(u64, u32)> =
                self.fetch.tracked.range(span.clone()).map(|(&index, &count)| (index, count)).collect();
            seen += known.len();
            known.into_iter().for_each(|(index, count)| self.fetch.set_count(index, count + 1));
            seen += self.track(&span);
        }
        self.are_said_to_be_out(peer, new);
        seen
    }

    /// A neighbour says what it has no more: what it was asked for of that is asked for elsewhere. How many indices were
    /// looked at.
    pub(super) fn peer_withdraws(&mut self, peer: PeerId, said: &RangeSet) -> usize {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return 0 };
        let asked: Vec<u64> = neighbour.asked.keys().copied().filter(|&index| said.contains(index)).collect();
        let given_up: Vec<(u64, usize)> =
            asked.into_iter().filter_map(|index| Some((index, neighbour.give_up(index)?.reserved))).collect();
        let seen = self.peer_lost(peer, said);
        let Some(&(_, _)) = given_up.first() else { return seen };
        for (index, reserved) in given_up {
            self.not_coming(index, peer, reserved);
        }
        // Once for all of them: somebody may stop giving.
        self.strike(peer, "objects that were promised and not given");
        seen
    }

    /// A neighbour does not have these any more. How many indices were looked at.
    fn peer_lost(&mut self, peer: PeerId, said: &RangeSet) -> usize {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return 0 };
        let lost = neighbour.have.common(said);
        neighbour.have.remove_all(&lost);
        neighbour.count -= lost.len().min(neighbour.count);
        if neighbour.have.range_count() > MAX_RANGES {
            self.blame(peer, "more ranges of objects than anybody has");
            return 0;
        }
        self.untrack(&lost)
    }

    /// These are not wanted any more.
    pub(super) fn stop_wanting(&mut self, span: Span) {
        self.want.remove_range(span.clone());
        self.fetch.forget(&span);
        let flying: Vec<u64> = self.fetch.flight.range(span).map(|(&index, _)| index).collect();
        flying.into_iter().for_each(|index| self.withdraw(index, None));
    }

    /// Takes back all requests for an object; `came` is when it came from somebody else. Who is on trial and takes long may still answer then: or it
    /// would never be seen that it does not.
    fn withdraw(&mut self, index: u64, came: Option<Instant>) {
        for peer in self.fetch.flight.remove(&index).into_iter().flatten() {
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { continue };
            let late = |asked: &Asked| came.is_some_and(|now| now.since(asked.at) > INSTEAD);
            if neighbour.is_on_trial() && neighbour.asked.get(&index).is_some_and(late) {
                continue;
            }
            let reserved = neighbour.give_up(index).map_or(0, |asked| asked.reserved);
            match neighbour.pending.request.iter().position(|&asked| asked == index) {
                Some(at) => drop(neighbour.pending.request.remove(at)),
                None => neighbour.pending.cancel.push(index),
            }
            neighbour.flush_at = Some(neighbour.flush_at.map_or(Instant::ZERO, |at| at.min(Instant::ZERO)));
            self.stats.cancelled += 1;
            self.down.settle(reserved, 0);
        }
    }

    /// A neighbour does not give an object that it was asked for.
    pub(super) fn not_coming(&mut self, index: u64, peer: PeerId, reserved: usize) {
        if self.ask_others(index, peer, reserved) {
            self.stats.failed += 1;
            self.tell(ReplicationEvent::FetchFailed { index });
        }
    }

    /// A request is none any more: others may be asked. Whether it had been one.
    fn ask_others(&mut self, index: u64, peer: PeerId, reserved: usize) -> bool {
        self.down.settle(reserved, 0);
        let Some(asked) = self.fetch.flight.get_mut(&index) else { return false };
        asked.retain(|&other| other != peer);
        if asked.is_empty() {
            self.fetch.flight.remove(&index);
            if let Some(&count) = self.fetch.tracked.get(&index) {
                self.fetch.set_count(index, count);
            }
        }
        true
    }

    /// A neighbour has better things to do than to give an object that others have, too.
    pub(super) fn was_put_off(&mut self, now: Instant, peer: PeerId, index: u64) {
        let alone = self.fetch.tracked.get(&index).is_none_or(|&count| count <= 1);
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let Some(asked) = neighbour.puts_off(now, index, alone) else { return };
        self.ask_others(index, peer, asked.reserved);
    }

    /// A neighbour denies objects.
    pub(super) fn were_denied(&mut self, peer: PeerId, list: Vec<u64>) {
        let mut any = false;
        for index in list {
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
            let Some(asked) = neighbour.asked.remove(&index) else { continue };
            // Whoever says once more that it has it may be asked once more.
            self.peer_lost(peer, &std::iter::once(index..=index).collect());
            self.not_coming(index, peer, asked.reserved);
            any = true;
        }
        // Once for all of them: somebody may stop giving.
        if any {
            self.strike(peer, "objects that were promised and not given");
        }
    }

    /// Looks who takes too long.
    pub(super) fn give_up_overdue(&mut self, now: Instant) {
        let mut overdue = Vec::new();
        for (&peer, neighbour) in &mut self.neighbours {
            let patience = neighbour.patience();
            let late: Vec<u64> = neighbour
                .asked
                .iter()
                .filter(|(_, asked)| now.since(asked.at) > patience)
                .map(|(&index, _)| index)
                .collect();
            if late.is_empty() {
                continue;
            }
            neighbour.overdue += 1;
            neighbour.window = 1.0;
            for index in late {
                let reserved = neighbour.give_up(index).map_or(0, |asked| asked.reserved);
                neighbour.pending.cancel.push(index);
                neighbour.flush_within(now, Duration::ZERO);
                overdue.push((peer, index, reserved));
            }
        }
        let mut late = Vec::new();
        for (peer, index, reserved) in overdue {
            self.not_coming(index, peer, reserved);
            late.push(peer);
        }
        // Once for all that is late: somebody may have stood still.
        late.dedup();
        late.into_iter().for_each(|peer| self.strike(peer, "objects that were promised and not given"));
    }

    /// Asks for what is wanted, as far as neighbours have room for requests.
    pub(super) fn ask(&mut self, now: Instant) {
        self.fetch.wait = None;
        if self.want.is_empty() {
            return;
        }
        if self.fetch.overflowed && self.fetch.tracked.len() < MAX_TRACKED / 2 {
            self.fetch.overflowed = false;
            let wanted: Vec<Span> = self.want.iter().collect();
            wanted.iter().for_each(|span| self.track_known(span));
        }
        let ready = self.neighbours.iter().filter(|(_, near)| !near.have.is_empty() && near.may_be_asked());
        let mut ready: Vec<(usize, Duration, PeerId)> =
            ready.map(|(&peer, near)| (near.asked.len(), near.response, peer)).collect();
        // Whoever has least to do for us comes first, then the quickest.
        ready.sort_unstable();
        let most = (MAX_FLIGHT_BYTES / self.usual.max(1)).clamp(2, MAX_FLIGHT);
        while !ready.is_empty() {
            let mut still = Vec::new();
            for &(_, _, peer) in &ready {
                if self.fetch.flight.len() >= most || self.fetch.checking.len() >= MAX_CHECKING {
                    return;
                }
                if let Some(at) = self.down.wait(now) {
                    self.fetch.wait = Some(at);
                    return;
                }
                let Some(index) = self.choose(now, peer) else { continue };
                self.ask_for(now, peer, index);
                let near = &self.neighbours[&peer];
                if near.may_be_asked() {
                    still.push((near.asked.len(), near.response, peer));
                }
            }
            ready = still;
        }
    }

    fn ask_for(&mut self, now: Instant, peer: PeerId, index: u64) {
        if let Some(&count) = self.fetch.tracked.get(&index) {
            let place = self.fetch.place(index, count);
            self.fetch.order.remove(&place);
        }
        self.fetch.flight.entry(index).or_default().push(peer);
        self.down.take(now, self.usual);
        self.stats.asked += 1;
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.asked.insert(index, Asked { at: now, reserved: self.usual });
            neighbour.pending.request.push(index);
            neighbour.flush_within(now, Duration::ZERO);
        }
        self.tell(ReplicationEvent::FetchSendNotify { index });
    }

    /// What to ask a neighbour for.
    fn choose(&self, now: Instant, peer: PeerId) -> Option<u64> {
        let near = self.neighbours.get(&peer)?;
        let is_last = near.is_last_resort();
        let has = |index: u64| {
            near.have.contains(index) && near.would_give(now, index) && !(is_last && self.has_other_holder(peer, index))
        };
        if let Some(index) = self.ask_instead(now, near) {
            return Some(index);
        }
        let first = self.fetch.order.iter().take(LOOK).find(|&&(_, _, index)| has(index));
        if let Some(&(_, _, index)) = first {
            return Some(index);
        }
        if self.fetch.order.len() > LOOK {
            // It has little of what there is: its own are looked through.
            let free = |index: &u64| !self.fetch.flight.contains_key(index) && self.fetch.tracked.contains_key(index);
            let own = near.have.iter().flat_map(|span| self.want.within(span)).flatten().take(LOOK);
            if let Some(index) = own.into_iter().filter(|&index| has(index)).find(free) {
                return Some(index);
            }
        }
        if is_last { None } else { self.ask_again(now, peer) }
    }

    /// Whether anybody else has an object who does not leave requests without an answer.
    fn has_other_holder(&self, peer: PeerId, index: u64) -> bool {
        let reliable = self.neighbours.iter().filter(|&(&other, near)| other != peer && !near.is_last_resort());
        reliable.into_iter().any(|(_, near)| near.have.contains(index))
    }

    /// What to ask a neighbour that gives for, though it was asked for: of those who have given nothing yet, or did not answer in time, and who take
    /// their time. They are asked for one at a time; whoever shows us what nobody else has is not to wait for that.
    fn ask_instead(&self, now: Instant, near: &Neighbour) -> Option<u64> {
        if near.is_on_trial() {
            return None;
        }
        let patience = (near.response * 2).max(INSTEAD);
        let on_trial = self.neighbours.iter().filter(|(_, other)| other.is_on_trial());
        let late = on_trial.flat_map(|(peer, other)| other.asked.iter().map(move |asked| (peer, asked)));
        late.filter(|(_, (_, asked))| now.since(asked.at) > patience)
            .find(|(peer, (index, _))| {
                near.have.contains(**index) && self.fetch.flight.get(index).is_some_and(|asked| asked[..] == [**peer])
            })
            .map(|(_, (&index, _))| index)
    }

    /// At the end, when everything that is left was asked for: what to ask a second neighbour for.
    fn ask_again(&self, now: Instant, peer: PeerId) -> Option<u64> {
        let near = self.neighbours.get(&peer)?;
        let has = |index: u64| near.have.contains(index) && near.would_give(now, index);
        // One at a time, of those who have nothing else to do for us.
        let is_end =
            near.asked.is_empty() && self.fetch.order.is_empty() && self.want.len() <= self.fetch.flight.len() as u64;
        if !is_end {
            return None;
        }
        let waits = |index: u64, asked: &[PeerId]| {
            let since = asked.iter().filter_map(|peer| Some(self.neighbours.get(peer)?.asked.get(&index)?.at)).max();
            since.map(|at| now.since(at))
        };
        let open = self
            .fetch
            .flight
            .iter()
            .filter(|(index, asked)| has(**index) && asked.len() < MAX_ASKERS && !asked.contains(&peer));
        let longest = open.filter_map(|(&index, asked)| Some((waits(index, asked)?, index))).max()?;
        (longest.0 > near.response.max(Duration::from_millis(50))).then_some(longest.1)
    }

    /// An object came.
    pub(super) fn object(&mut self, now: Instant, peer: PeerId, message: &Bytes) {
        let mut object = &message[..];
        let Ok(index) = index(&mut object) else { return self.malformed_object(peer) };
        if object.len() > MAX_OBJECT {
            return self.malformed_object(peer);
        }
        self.stats.received_bytes += object.len() as u64;
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        match neighbour.asked.remove(&index) {
            Some(asked) => {
                neighbour.answered(now, asked.at, object.len());
                self.down.settle(asked.reserved, object.len());
            }
            None if neighbour.was_late(index) => {
                neighbour.received += object.len() as u64;
                self.down.take(now, object.len());
            }
            None => {
                self.stats.unsolicited += 1;
                self.down.take(now, object.len());
                return self.strike(peer, "objects that nobody asked for");
            }
        }
        neighbour.pending.got.push(index);
        neighbour.flush_within(now, Duration::ZERO);
        self.usual = (self.usual * 7 + object.len().max(64)) / 8;
        if !self.want.contains(index) {
            self.stats.duplicates += 1;
            return;
        }
        if let Some(asked) = self.fetch.flight.get_mut(&index) {
            asked.retain(|&other| other != peer);
        }
        self.want.remove_range(index..=index);
        self.fetch.forget(&(index..=index));
        self.withdraw(index, Some(now));
        self.fetch.checking.insert(index, peer);
        self.stats.received += 1;
        self.tell(ReplicationEvent::FetchResult { index, object: message.slice_ref(object), from: peer });
    }

    fn malformed_object(&mut self, peer: PeerId) {
        self.stats.malformed += 1;
        self.blame(peer, "an object of a wrong form");
    }
}
