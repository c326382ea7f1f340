//! What befalls single members: dialled, not reached, left, forgotten.

use std::time::Duration;

use super::core::{Dial, Hold, Membership, Reason};
use super::limits::{
    BLOCKED_HOLD, LEAST_UNPROVEN, LONGEST_HOLD, MAX_HINTED, MAX_HOLDS, MAX_INTRODUCERS, MAX_UNPROVEN, NEAR, NEAR_KEPT,
    REFUSED_HOLD, UNPROVEN_STEP,
};
use super::links::Peering;
use super::lost::backoff;
use super::settings::MembershipEvent;
use crate::base::{Instant, PeerId};
use crate::group::address::GroupAddress;
use crate::group::contract::{Output, Unreachable};
use crate::group::known::Known;
use crate::wire::Address;

impl Membership {
    /// A peer that we asked to be connected to was not reached.
    pub fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable) {
        let Some(dial) = self.dials.remove(&peer) else { return };
        match why {
            Unreachable::Blocked => {
                self.stats.blocked += 1;
                self.hold(now, peer, BLOCKED_HOLD);
                // Others reach it: it is a member, if it was lost before.
                if let Some(gone) = self.lost.remove(peer) {
                    let address = GroupAddress::of(peer);
                    self.make_room(address);
                    self.view.insert_known(Known { heard: now, addresses: gone.addresses, ..Known::new(peer) });
                }
            }
            Unreachable::Gone => {
                self.stats.gone += 1;
                if dial.reason == Reason::Probe {
                    self.lost.failed(now, peer);
                } else {
                    self.bury(now, GroupAddress::of(peer));
                }
            }
        }
        self.settle_soon(now);
    }

    /// Asks for a session with a peer.
    pub(super) fn dial(&mut self, now: Instant, peer: PeerId, reason: Reason) {
        let address = GroupAddress::of(peer);
        let (addresses, mut introducers): (Vec<Address>, Vec<PeerId>) = match self.view.known_at(address) {
            Some(known) => (known.addresses.iter().collect(), self.reporters_of(known)),
            None => (self.lost.get(peer).map_or_else(Vec::new, |gone| gone.addresses.iter().collect()), Vec::new()),
        };
        // Who sits next to it probably knows it.
        for near in self.nearest_neighbours(address) {
            if introducers.len() < MAX_INTRODUCERS && !introducers.contains(&near) {
                introducers.push(near);
            }
        }
        self.stats.dials += 1;
        self.dials.insert(peer, Dial { since: now, reason });
        self.outputs.push_back(Output::Connect { peer, addresses, introducers });
    }

    pub(super) fn dial_on_hint(&mut self, now: Instant, peer: PeerId) {
        let hinted = self.dials.values().filter(|dial| dial.reason == Reason::Hint).count();
        let held = self.is_held(now, peer);
        if !held && hinted < MAX_HINTED && self.links.get(peer).is_none() && !self.dials.contains_key(&peer) {
            self.dial(now, peer, Reason::Hint);
        }
    }

    fn reporters_of(&self, known: &Known) -> Vec<PeerId> {
        let marks = known.reporters.iter().rev().filter(|mark| **mark != 0);
        let mut peers = Vec::new();
        for mark in marks {
            let link = self.links.iter().find(|link| link.mark == *mark && link.complete());
            if let Some(link) = link.filter(|link| !peers.contains(&link.peer)) {
                peers.push(link.peer);
            }
        }
        peers
    }

    /// The neighbours next to a place, by turns on both sides.
    fn nearest_neighbours(&self, address: GroupAddress) -> Vec<PeerId> {
        let up = self.view.neighbours().filter(|neighbour| neighbour.address > address);
        let down = self.view.neighbours().rev().filter(|neighbour| neighbour.address < address);
        let (mut up, mut down) = (up.map(|neighbour| neighbour.peer), down.map(|neighbour| neighbour.peer));
        let mut near = Vec::new();
        for _ in 0..MAX_INTRODUCERS {
            near.extend(up.next());
            near.extend(down.next());
        }
        near
    }

    /// Whether a place is among the three nearest on one side of us, as far as neighbours go.
    pub(super) fn is_near_neighbourhood(&self, address: GroupAddress) -> bool {
        let me = self.view.address();
        let between = |from: GroupAddress, to: GroupAddress| {
            let arc = to.clockwise_from(from);
            self.view.neighbours().filter(|neighbour| neighbour.address.clockwise_from(from) < arc).count()
        };
        between(me, address) < NEAR || between(address, me).saturating_sub(1) < NEAR
    }

    /// Does not dial a peer for a while: `first`, twice as long each time.
    pub(super) fn hold(&mut self, now: Instant, peer: PeerId, first: Duration) {
        if self.holds.len() >= MAX_HOLDS
            && !self.holds.contains_key(&peer)
            && let Some(oldest) = self.holds.iter().min_by_key(|(_, hold)| hold.until).map(|(peer, _)| *peer)
        {
            self.holds.remove(&oldest);
        }
        let before = self.holds.get(&peer).filter(|hold| !hold.parted);
        let times = before.map_or(0, |hold| hold.times.saturating_add(1));
        self.holds.insert(peer, Hold { until: now + backoff(first, times), times, parted: false });
    }

    /// Does not dial a neighbour again with which we agreed to part, unless it becomes one of the near ones.
    pub(super) fn part(&mut self, now: Instant, peer: PeerId) {
        if self.holds.len() < MAX_HOLDS {
            self.holds.insert(peer, Hold { until: now + LONGEST_HOLD, times: 0, parted: true });
        }
    }

    /// Whether openings to a peer are held back.
    pub(super) fn is_held(&self, now: Instant, peer: PeerId) -> bool {
        self.holds.get(&peer).is_some_and(|hold| hold.until > now && !hold.parted)
    }

    /// Whether we agreed to part with a peer, lately.
    pub(super) fn has_parted(&self, now: Instant, peer: PeerId) -> bool {
        self.holds.get(&peer).is_some_and(|hold| hold.until > now && hold.parted)
    }

    /// Ends our use of a session.
    pub(super) fn hang_up(&mut self, now: Instant, peer: PeerId) {
        if self.lose_link(peer).is_some() {
            self.outputs.push_back(Output::Disconnect { peer });
            self.settle_soon(now);
        }
    }

    /// A session is no more: its far end is no neighbour.
    pub(super) fn lose_link(&mut self, peer: PeerId) -> Option<Peering> {
        let link = self.links.remove(peer)?;
        if link.complete() {
            self.view.remove_neighbour(peer);
            self.outputs.push_back(Output::Event(MembershipEvent::NeighborDisconnect { peer }));
        }
        if link.credit < MAX_UNPROVEN / 2 {
            // Its word was bad too often: what only it told of goes with it.
            let only = [link.mark, 0, 0];
            let told = self.view.known().iter().filter(|known| known.reporters == only && !known.proven);
            let told: Vec<GroupAddress> = told.map(|known| known.address).collect();
            told.into_iter().for_each(|address| self.forget(address));
        }
        Some(link)
    }

    /// A member is not there any more: it leaves the heard list. It is remembered if it ever was
    /// proven, or if our owner told of it; mere hearsay is not believed again for a while.
    pub(super) fn bury(&mut self, now: Instant, address: GroupAddress) {
        let Some(known) = self.view.remove_known(address) else { return };
        self.blame(known.reporters[0]);
        if known.proven || known.reporters[0] == 0 {
            let limit = self.lost_limit();
            let failures = known.failures.saturating_add(1);
            self.lost.insert(now, known.peer, known.addresses, failures, limit);
            self.plan_probe(now);
        } else {
            self.hold(now, known.peer, REFUSED_HOLD);
        }
    }

    /// A member leaves the heard list without a trace.
    pub(super) fn forget(&mut self, address: GroupAddress) {
        if let Some(known) = self.view.remove_known(address) {
            self.release(known.reporters[0]);
        }
    }

    /// Nobody answers any more for a member that this neighbour told of.
    fn release(&mut self, mark: u16) {
        if let Some(link) = self.links.marked(mark) {
            link.claims = link.claims.saturating_sub(1);
        }
    }

    /// A neighbour's word proved false.
    fn blame(&mut self, mark: u16) {
        self.release(mark);
        if let Some(link) = self.links.marked(mark) {
            link.credit = link.credit.saturating_sub(UNPROVEN_STEP).max(LEAST_UNPROVEN);
        }
    }

    /// A neighbour's word proved true.
    pub(super) fn reward(&mut self, mark: u16) {
        self.release(mark);
        if let Some(link) = self.links.marked(mark) {
            link.credit = (link.credit + UNPROVEN_STEP).min(MAX_UNPROVEN);
        }
    }

    /// Forgets somebody if the heard list is full: the stalest of a few drawn by lot, neither neighbours nor those near us
    /// on the ring. Whether it was full.
    pub(super) fn make_room(&mut self, address: GroupAddress) -> bool {
        let (count, limit) = (self.view.known().len(), self.member_limit());
        if count < limit || self.view.known_at(address).is_some() {
            return false;
        }
        let at = self.view.place(self.view.address());
        let middle = count.saturating_sub(2 * NEAR_KEPT);
        let drawn: Vec<usize> =
            (0..8).map(|_| (at + NEAR_KEPT + self.rng.below(middle as u64) as usize) % count).collect();
        let victims = drawn.into_iter().map(|at| &self.view.known()[at]);
        let free = |known: &&Known| self.links.get(known.peer).is_none() && !self.dials.contains_key(&known.peer);
        let victim = victims.filter(free).min_by_key(|known| known.heard).map(|known| known.address);
        if let Some(victim) = victim {
            self.stats.evicted += 1;
            self.forget(victim);
        }
        true
    }

    /// A name for a link that no other has.
    pub(super) fn next_mark(&mut self) -> u16 {
        loop {
            self.last_mark = self.last_mark.wrapping_add(1).max(1);
            if self.links.marked(self.last_mark).is_none() {
                return self.last_mark;
            }
        }
    }
}
