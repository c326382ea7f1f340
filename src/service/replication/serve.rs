//! What is given to whom.

use std::time::Duration;

use bytes::Bytes;

use super::neighbour::{Flying, Given, MAX_QUEUE, Neighbour};
use super::service::Replication;
use super::types::{HEADROOM, MAX_OBJECT, ReplicationError, ReplicationEvent, RequestId};
use crate::base::{Instant, PeerId};
use crate::group::{Lane, Outgoing};
use crate::wire::vlu;

/// Requests that the owner was told of and has not answered, at most.
const MAX_GIVEN: usize = 64;
/// How long a request waits before its sender is told to ask others who have the object, and how many those must be.
const BUSY: Duration = Duration::from_millis(20);
const ENOUGH: u32 = 2;
/// How many of a neighbour's requests are compared.
const LOOK: usize = 4;
/// How long an object may be on its way; then its place is given to another.
const LANDS_WITHIN: Duration = Duration::from_secs(30);
/// How long nothing may be confirmed, and four times the shortest time; then the way is open to others.
const STALLED: Duration = Duration::from_secs(2);
/// Which part of the way is open to a neighbour that has not confirmed anything yet.
const NEW: usize = 8;
/// How many milliseconds of waiting a copy that another neighbour has is worth, and that whoever asks has all that we have.
const COPY: i64 = 300;
const NEED: f64 = 3_000.0;
/// How many objects a neighbour may be ahead of what it gives back before others come first.
const CREDIT: u64 = 64;

/// Where a request stands among the others, the least first: whether its sender takes only, what it is worth, bytes that are
/// on their way to its sender, and that were sent to it.
type Rank = (bool, i64, usize, u64);

impl Replication {
    /// A neighbour asks for objects.
    pub(super) fn requested(&mut self, now: Instant, peer: PeerId, list: Vec<u64>) {
        let mut late = false;
        for index in list {
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
            let given = |given: &Given| given.peer == peer && given.index == index && !given.cancelled;
            if neighbour.queue.iter().any(|&(asked, _)| asked == index)
                || neighbour.flying.contains_key(&index)
                || self.given.values().any(given)
            {
                self.strike(peer, "the same request twice");
                continue;
            }
            let is_full = neighbour.queue.len() >= MAX_QUEUE;
            if is_full || !self.have.contains(index) {
                if neighbour.pending.deny.len() < MAX_QUEUE {
                    neighbour.pending.deny.push(index);
                }
                neighbour.flush_within(now, Duration::ZERO);
                self.stats.denied += 1;
                self.stats.limited += u64::from(is_full);
                if is_full {
                    self.strike(peer, "more requests than are answered");
                } else if !self.had.contains(index) {
                    self.strike(peer, "requests for what nobody promised");
                } else if !std::mem::replace(&mut late, true) {
                    // It may not have heard yet that it is gone: a message counts once.
                    self.strike(peer, "requests for what is not there any more");
                }
                continue;
            }
            neighbour.queue.push_back((index, now));
        }
    }

    /// A neighbour does not want objects any more.
    pub(super) fn were_cancelled(&mut self, peer: PeerId, list: Vec<u64>) {
        let mut wasted = false;
        for index in list {
            wasted |= self.was_cancelled(peer, index);
        }
        if wasted {
            // Another answer came first, or nothing is wanted any more: not all the time, without taking anything.
            self.strike(peer, "requests that were taken back");
        }
    }

    /// A neighbour does not want an object any more. Whether anything was done for it.
    fn was_cancelled(&mut self, peer: PeerId, index: u64) -> bool {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return false };
        neighbour.queue.retain(|&(asked, _)| asked != index);
        if self.shown.get(&index).is_some_and(|&(to, _)| to == peer) {
            self.show_to_others(index, peer);
        }
        let flying = self.land(peer, index);
        if let Some(flying) = flying {
            self.take_back(peer, flying.name);
        }
        let mut wasted = flying.is_some();
        for given in self.given.values_mut().filter(|given| given.peer == peer && given.index == index) {
            wasted |= !std::mem::replace(&mut given.cancelled, true);
        }
        wasted
    }

    /// An object is not on its way any more.
    fn land(&mut self, peer: PeerId, index: u64) -> Option<Flying> {
        let neighbour = self.neighbours.get_mut(&peer)?;
        let flying = neighbour.landed(index)?;
        if !neighbour.stalled {
            self.pipe.flying -= flying.bytes;
        }
        Some(flying)
    }

    /// Whoever has not confirmed anything for long takes no room from others, and gets nothing before it does.
    pub(super) fn set_aside(&mut self, now: Instant) {
        let mut stalled = Vec::new();
        for (&peer, neighbour) in self.neighbours.iter_mut().filter(|(_, neighbour)| !neighbour.stalled) {
            let patience = STALLED + neighbour.swiftest.unwrap_or_default() * 4;
            if neighbour.flying.values().any(|flying| now.since(flying.at) > patience) {
                neighbour.stalled = true;
                self.pipe.flying -= neighbour.flying_bytes;
                stalled.push(peer);
            }
        }
        for peer in stalled {
            let shown = self.shown.iter().filter(|(_, (to, _))| *to == peer).map(|(&index, _)| index);
            for index in shown.collect::<Vec<_>>() {
                self.show_to_others(index, peer);
            }
        }
    }

    /// A neighbour has received an object.
    pub(super) fn confirmed(&mut self, now: Instant, peer: PeerId, index: u64) {
        let Some(flying) = self.land(peer, index) else { return };
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if std::mem::take(&mut neighbour.stalled) {
            self.pipe.flying += neighbour.flying_bytes;
        }
        neighbour.strikes = neighbour.strikes.saturating_sub(1);
        (neighbour.idle, neighbour.idle_at) = (false, None);
        let taken = now.since(flying.at);
        let least = *neighbour.swiftest.insert(neighbour.swiftest.map_or(taken, |least| least.min(taken)));
        let waited = neighbour.wait.unwrap_or(taken.saturating_sub(least));
        self.pipe.confirmed(now, flying.bytes, taken, waited);
        self.are_out(&std::iter::once(index..=index).collect());
    }

    /// Tells those who have waited for what others have, too, that they had better ask those.
    pub(super) fn put_off(&mut self, now: Instant) {
        let mut late: Vec<(PeerId, u64)> = Vec::new();
        for (&peer, near) in &self.neighbours {
            let waited = near.queue.iter().filter(|&&(_, since)| now.since(since) >= BUSY);
            late.extend(waited.map(|&(index, _)| (peer, index)));
        }
        late.retain(|&(_, index)| self.copies(index) >= ENOUGH);
        for (peer, index) in late {
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { continue };
            if neighbour.pending.busy.len() >= MAX_QUEUE {
                continue;
            }
            neighbour.queue.retain(|&(asked, _)| asked != index);
            neighbour.pending.busy.push(index);
            neighbour.flush_within(now, Duration::ZERO);
        }
    }

    /// Frees the place of what never landed.
    pub(super) fn expire_flying(&mut self, now: Instant) {
        let mut over = Vec::new();
        for (&peer, neighbour) in &self.neighbours {
            let late = neighbour.flying.iter().filter(|(_, of)| now.since(of.at) > LANDS_WITHIN);
            over.extend(late.map(|(&index, flying)| (peer, index, flying.name)));
        }
        let mut silent = Vec::new();
        for (peer, index, name) in over {
            self.land(peer, index);
            silent.push((peer, name));
        }
        for (peer, name) in silent {
            self.take_back(peer, name);
            self.strike(peer, "objects that are never confirmed");
        }
    }

    /// Gives objects to those who ask, as far as there is room on the way to them.
    pub(super) fn serve(&mut self, now: Instant) {
        self.up_wait = None;
        while self.given.len() < MAX_GIVEN {
            if !self.pipe.has_place(now, self.given.len(), self.usual) {
                self.up_wait = self.pipe.rest(now);
                return;
            }
            let Some((peer, at)) = self.next_to_give(now) else { return };
            self.up_wait = self.up.wait(now);
            if self.up_wait.is_some() {
                return;
            }
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
            let Some((index, _)) = neighbour.queue.remove(at) else { return };
            if !self.have.contains(index) {
                neighbour.pending.deny.push(index);
                neighbour.flush_within(now, Duration::ZERO);
                continue;
            }
            self.names += 1;
            let request = RequestId(self.names);
            self.given.insert(request, Given { peer, index, reserved: self.usual, cancelled: false });
            // What the limit allows is taken now, or the owner would be asked for more than may be sent.
            self.up.take(now, self.usual);
            self.tell(ReplicationEvent::Request { index, request, peer });
        }
    }

    /// Whose request comes next, and which: the rarest of those who give, then of the others.
    fn next_to_give(&self, now: Instant) -> Option<(PeerId, usize)> {
        let asking = |near: &&Neighbour| !near.queue.is_empty() && near.room > 0 && !near.banned && !near.stalled;
        let count = self.neighbours.values().filter(asking).count();
        let ours = self.have.len().max(1);
        let mut best: Option<(Rank, (PeerId, usize))> = None;
        for (&peer, near) in self.neighbours.iter().filter(|(_, near)| asking(near)) {
            if count == 1 && near.swiftest.is_some() {
                return Some((peer, 0));
            }
            // A neighbour that confirms nothing does not keep the others waiting.
            let share = if count == 1 || near.swiftest.is_some() { 2 } else { NEW };
            if near.flying_bytes > 0 && near.flying_bytes * share > self.pipe.cap() {
                continue;
            }
            let takes = self.takes_only(near);
            let need = (near.count.min(ours) as f64 / ours as f64 * NEED) as i64;
            for (at, &(index, since)) in near.queue.iter().take(LOOK).enumerate() {
                let waited = now.since(since).as_millis() as i64;
                let merit = i64::from(self.copies(index)) * COPY + need - waited;
                let rank = (takes, merit, near.flying_bytes, near.sent);
                if best.is_none_or(|(least, _)| rank < least) {
                    best = Some((rank, (peer, at)));
                }
            }
        }
        best.map(|(_, choice)| choice)
    }

    /// Whether a neighbour takes from us and could give, but does not.
    fn takes_only(&self, near: &Neighbour) -> bool {
        let credit = CREDIT * self.usual as u64;
        // Each eighth object goes to anybody, who may turn out to give.
        near.sent > near.received + credit && !near.asked.is_empty() && !self.names.is_multiple_of(8)
    }

    /// How many neighbours have an object, or are about to.
    fn copies(&self, index: u64) -> u32 {
        let has = |near: &&Neighbour| near.have.contains(index) || near.flying.contains_key(&index);
        self.neighbours.values().filter(has).count() as u32
    }

    /// Answers a request.
    ///
    /// # Errors
    /// [`ReplicationError::TooLong`]; then it is denied.
    pub fn write_requested_object(
        &mut self,
        now: Instant,
        request: RequestId,
        object: Bytes,
    ) -> Result<(), ReplicationError> {
        let mut buffer = Vec::with_capacity(HEADROOM + object.len());
        buffer.resize(HEADROOM, 0);
        buffer.extend_from_slice(&object);
        self.write_requested_buffer(now, request, buffer)
    }

    /// The same for an object behind [`HEADROOM`] bytes that mean nothing: so it need not be copied.
    ///
    /// # Errors
    /// [`ReplicationError::TooLong`]; then it is denied.
    ///
    /// # Panics
    /// If the buffer is shorter than [`HEADROOM`].
    pub fn write_requested_buffer(
        &mut self,
        now: Instant,
        request: RequestId,
        mut buffer: Vec<u8>,
    ) -> Result<(), ReplicationError> {
        let len = buffer.len() - HEADROOM;
        if len > MAX_OBJECT {
            self.deny_requested_object(now, request);
            return Err(ReplicationError::TooLong);
        }
        let Some(Given { peer, index, reserved, cancelled }) = self.given.remove(&request) else { return Ok(()) };
        self.stirred = true;
        let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|_| !cancelled) else {
            self.up.settle(reserved, 0);
            return Ok(());
        };
        self.up.settle(reserved, len);
        let mut prefix = Vec::with_capacity(HEADROOM);
        vlu::put(&mut prefix, index);
        let start = HEADROOM - prefix.len();
        buffer[start..HEADROOM].copy_from_slice(&prefix);
        let message = Bytes::from(buffer).slice(start..);
        let bytes = message.len();
        let name = request.0;
        neighbour.flying.insert(index, Flying { at: now, bytes, name });
        neighbour.flying_bytes += bytes;
        neighbour.room = neighbour.room.saturating_sub(bytes);
        neighbour.sent += len as u64;
        if !neighbour.stalled {
            self.pipe.flying += bytes;
        }
        self.usual = (self.usual * 7 + len.max(64)) / 8;
        self.stats.sent += 1;
        self.stats.sent_bytes += len as u64;
        self.send(Outgoing { id: Some(name), ..Outgoing::new(peer, Lane::Objects, message) });
        Ok(())
    }

    /// Does not give what was asked for.
    pub fn deny_requested_object(&mut self, now: Instant, request: RequestId) {
        let Some(Given { peer, index, reserved, cancelled }) = self.given.remove(&request) else { return };
        self.stirred = true;
        self.up.settle(reserved, 0);
        self.stats.denied += 1;
        if let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|_| !cancelled) {
            neighbour.pending.deny.push(index);
            neighbour.flush_within(now, Duration::ZERO);
        }
    }
}
