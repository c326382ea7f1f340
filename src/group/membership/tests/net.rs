//! Members and delays between them, in virtual time: just enough to tell stories.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::base::{Instant, PeerId, Rng};
use crate::group::{
    Groupspec, Hint, Link, Membership, MembershipConfig, MembershipEvent, Output, ReceiveMode, Unreachable,
};

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What the network does.
#[derive(Debug)]
enum Event {
    Open { one: usize, other: usize },
    Fail { asker: usize, wanted: PeerId, why: Unreachable },
    Message { from: usize, to: usize, data: Bytes },
    Down { at: usize, gone: usize },
}

/// Members in a world with even delays.
pub(super) struct Net {
    pub(super) now: Instant,
    pub(super) members: Vec<Option<Membership>>,
    ids: Vec<PeerId>,
    by_id: BTreeMap<PeerId, usize>,
    queue: BTreeMap<(Instant, u64), Event>,
    serial: u64,
    /// Both directions of each open session, and when its last message arrives.
    links: BTreeMap<(usize, usize), Instant>,
    island: Vec<u32>,
    /// Pairs that cannot connect.
    pub(super) blocked: BTreeSet<(usize, usize)>,
    pub(super) delay: Duration,
    /// How long a connection to nobody takes to fail, and a death to be noticed.
    pub(super) gone_after: Duration,
    pub(super) events: Vec<(Instant, usize, MembershipEvent)>,
    pub(super) bytes: u64,
    pub(super) digest: Sha256,
    /// Messages of these go to `spoken` instead of a membership.
    pub(super) puppets: BTreeSet<usize>,
    pub(super) spoken: Vec<(usize, usize, Bytes)>,
    /// When members want to be told the time.
    wakes: BTreeSet<(Instant, usize)>,
    wake_of: Vec<Instant>,
    pub(super) rng: Rng,
}

impl Net {
    pub(super) fn new(seed: u64, delay: Duration) -> Self {
        Self {
            now: Instant::from_micros(1_000_000_000),
            members: Vec::new(),
            ids: Vec::new(),
            by_id: BTreeMap::new(),
            queue: BTreeMap::new(),
            serial: 0,
            links: BTreeMap::new(),
            island: Vec::new(),
            blocked: BTreeSet::new(),
            delay,
            gone_after: ms(3000),
            events: Vec::new(),
            bytes: 0,
            digest: Sha256::new(),
            puppets: BTreeSet::new(),
            spoken: Vec::new(),
            wakes: BTreeSet::new(),
            wake_of: Vec::new(),
            rng: Rng::for_simulation(seed),
        }
    }

    pub(super) fn spec() -> Groupspec {
        Groupspec::parse("G:0101010c090e7a646620696e666f00").unwrap()
    }

    pub(super) fn id(&self, member: usize) -> PeerId {
        self.ids[member]
    }

    pub(super) fn find(&self, peer: PeerId) -> usize {
        self.by_id[&peer]
    }

    pub(super) fn is_up(&self, member: usize) -> bool {
        self.members[member].is_some()
    }

    pub(super) fn get(&self, member: usize) -> &Membership {
        self.members[member].as_ref().unwrap()
    }

    pub(super) fn living(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|&member| self.is_up(member)).collect()
    }

    /// A new member; `peer` or a drawn ID.
    pub(super) fn add(&mut self) -> usize {
        let peer = PeerId(self.rng.bytes());
        let config = MembershipConfig { spec: Self::spec(), me: peer, mode: ReceiveMode::Nearest };
        let membership = Membership::new(self.now, self.rng.fork(), config);
        self.ids.push(peer);
        self.by_id.insert(peer, self.members.len());
        self.members.push(Some(membership));
        self.island.push(0);
        self.wake_of.push(Instant::FAR_FUTURE);
        self.plan_wake(self.members.len() - 1);
        self.members.len() - 1
    }

    /// Somebody whom the test speaks for.
    pub(super) fn add_puppet(&mut self) -> usize {
        let puppet = self.add();
        self.members[puppet] = None;
        self.plan_wake(puppet);
        self.puppets.insert(puppet);
        puppet
    }

    pub(super) fn command<R>(&mut self, member: usize, command: impl FnOnce(&mut Membership, Instant) -> R) -> R {
        let now = self.now;
        let answer = command(self.members[member].as_mut().unwrap(), now);
        self.drain(member);
        answer
    }

    pub(super) fn hint(&mut self, member: usize, other: usize, hint: Hint) {
        let peer = self.id(other);
        self.command(member, |membership, now| membership.hint(now, peer, &[], hint));
    }

    /// A new member that knows a random living one.
    pub(super) fn join(&mut self) -> usize {
        let living = self.living();
        let new = self.add();
        if !living.is_empty() {
            let known = living[self.rng.below(living.len() as u64) as usize];
            self.hint(new, known, Hint::Neighbor);
        }
        new
    }

    /// Takes a member out; politely, or unnoticed for a while.
    pub(super) fn remove(&mut self, member: usize, politely: bool) {
        if politely {
            self.command(member, |membership, now| membership.leave(now));
        }
        self.members[member] = None;
        self.plan_wake(member);
        let cut: Vec<(usize, usize)> = self.links.keys().filter(|(one, _)| *one == member).copied().collect();
        for (_, other) in cut {
            self.cut(member, other);
        }
    }

    /// The session between two dies, and both notice after a while.
    pub(super) fn cut(&mut self, one: usize, other: usize) {
        let at = self.now + self.gone_after;
        self.links.remove(&(one, other));
        self.links.remove(&(other, one));
        self.push(at, Event::Down { at: one, gone: other });
        self.push(at, Event::Down { at: other, gone: one });
    }

    pub(super) fn set_island(&mut self, member: usize, island: u32) {
        self.island[member] = island;
        let apart = |(one, other): &&(usize, usize)| *one == member && self.island[*other] != island;
        let cut: Vec<(usize, usize)> = self.links.keys().filter(apart).copied().collect();
        cut.into_iter().for_each(|(_, other)| self.cut(member, other));
    }

    pub(super) fn island(&self, member: usize) -> u32 {
        self.island[member]
    }

    fn push(&mut self, at: Instant, event: Event) {
        self.serial += 1;
        self.queue.insert((at, self.serial), event);
    }

    /// Opens a session between two, whoever wants it.
    pub(super) fn connect(&mut self, one: usize, other: usize) {
        self.push(self.now + self.delay * 4, Event::Open { one, other });
    }

    pub(super) fn say(&mut self, from: usize, to: usize, data: Vec<u8>) {
        let Some(last) = self.links.get_mut(&(from, to)) else { return };
        *last = (self.now + self.delay).max(*last);
        let at = *last;
        self.push(at, Event::Message { from, to, data: data.into() });
    }

    pub(super) fn nonce(near: usize, far: usize) -> [u8; 32] {
        Sha256::digest([near.to_be_bytes(), far.to_be_bytes()].concat()).into()
    }

    fn drain(&mut self, member: usize) {
        while let Some(output) = self.members[member].as_mut().and_then(Membership::poll) {
            match output {
                Output::Connect { peer, .. } => match self.by_id.get(&peer).copied() {
                    Some(other) if self.blocked.contains(&(member.min(other), member.max(other))) => {
                        let why = Unreachable::Blocked;
                        self.push(self.now + self.gone_after, Event::Fail { asker: member, wanted: peer, why });
                    }
                    Some(other) if self.reachable(other) && self.island[other] == self.island[member] => {
                        self.connect(member, other);
                    }
                    _ => {
                        let why = Unreachable::Gone;
                        self.push(self.now + self.gone_after, Event::Fail { asker: member, wanted: peer, why });
                    }
                },
                Output::Disconnect { peer } => {
                    let Some(other) = self.by_id.get(&peer).copied() else { continue };
                    if self.links.remove(&(member, other)).is_some() {
                        let last = self.links.remove(&(other, member));
                        let at = last.map_or(self.now, |last| last.max(self.now)) + self.delay;
                        self.push(at, Event::Down { at: other, gone: member });
                    }
                }
                Output::Send(outgoing) => {
                    self.bytes += outgoing.data.len() as u64;
                    let to = self.by_id[&outgoing.peer];
                    self.say(member, to, outgoing.data.to_vec());
                }
                Output::Cancel { .. } | Output::Finish { .. } | Output::Cast(_) => {}
                Output::Event(event) => self.events.push((self.now, member, event)),
            }
        }
        self.plan_wake(member);
    }

    fn plan_wake(&mut self, member: usize) {
        let wake = self.members[member].as_ref().and_then(Membership::deadline).unwrap_or(Instant::FAR_FUTURE);
        let old = std::mem::replace(&mut self.wake_of[member], wake);
        self.wakes.remove(&(old, member));
        if wake != Instant::FAR_FUTURE {
            self.wakes.insert((wake, member));
        }
    }

    fn reachable(&self, member: usize) -> bool {
        self.is_up(member) || self.puppets.contains(&member)
    }

    pub(super) fn run(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub(super) fn run_until(&mut self, end: Instant) {
        loop {
            let due = self.wakes.first().copied();
            let next = self.queue.first_key_value().map(|(key, _)| *key);
            let due_at = due.map_or(Instant::FAR_FUTURE, |(at, _)| at);
            let next_at = next.map_or(Instant::FAR_FUTURE, |(at, _)| at);
            if due_at.min(next_at) > end {
                break;
            }
            self.now = self.now.max(due_at.min(next_at));
            if next_at <= due_at {
                let event = self.queue.remove(&next.unwrap()).unwrap();
                self.happen(event);
            } else if let Some((_, member)) = due {
                self.command(member, |membership, now| membership.handle_timeout(now));
            }
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Open { one, other } => {
                if !self.reachable(one) || !self.reachable(other) || self.island[one] != self.island[other] {
                    if self.is_up(one) {
                        let peer = self.id(other);
                        self.command(one, |member, now| member.unreachable(now, peer, Unreachable::Gone));
                    }
                    return;
                }
                if self.links.contains_key(&(one, other)) {
                    return;
                }
                self.links.insert((one, other), now);
                self.links.insert((other, one), now);
                for (near, far, initiator) in [(other, one, false), (one, other, true)] {
                    let link = Link {
                        remote: SocketAddr::from(([10, 1, (far >> 8) as u8, far as u8], 1935)),
                        near_nonce: Self::nonce(near, far),
                        far_nonce: Self::nonce(far, near),
                        initiator,
                        rtt: Some(self.delay * 2),
                    };
                    let peer = self.id(far);
                    if self.is_up(near) {
                        self.command(near, |member, now| member.peer_up(now, peer, link));
                    }
                }
            }
            Event::Fail { asker, wanted, why } => {
                if self.is_up(asker) {
                    self.command(asker, |member, now| member.unreachable(now, wanted, why));
                }
            }
            Event::Message { from, to, data } => {
                if !self.links.contains_key(&(from, to)) {
                    return;
                }
                self.digest.update(now.as_micros().to_be_bytes());
                self.digest.update(&data);
                if self.puppets.contains(&to) {
                    self.spoken.push((from, to, data));
                } else if self.is_up(to) {
                    let peer = self.id(from);
                    self.command(to, |member, now| member.message(now, peer, &data));
                }
            }
            Event::Down { at, gone } => {
                if self.is_up(at) && !self.links.contains_key(&(at, gone)) {
                    let peer = self.id(gone);
                    self.command(at, |member, now| member.peer_down(now, peer));
                }
            }
        }
    }

    /// Neighbours of a member.
    pub(super) fn neighbours(&self, member: usize) -> Vec<usize> {
        self.get(member).view().neighbours().map(|neighbour| self.find(neighbour.peer)).collect()
    }

    /// Members that lack one of their `width` true successors or predecessors among `living` as a neighbour.
    pub(super) fn gaps(&self, living: &[usize], width: usize) -> Vec<(usize, usize)> {
        let mut ring: Vec<(crate::group::GroupAddress, usize)> =
            living.iter().map(|&member| (self.get(member).view().address(), member)).collect();
        ring.sort_unstable();
        let mut gaps = Vec::new();
        for at in 0..ring.len() {
            for step in 1..=width.min(ring.len() - 1) {
                let (one, other) = (ring[at].1, ring[(at + step) % ring.len()].1);
                let has = |one: usize, other| self.get(one).view().neighbour(self.id(other)).is_some();
                if one != other && !(has(one, other) && has(other, one)) {
                    gaps.push((one, other));
                }
            }
        }
        gaps
    }

    /// Runs until there are no gaps, for `limit` at most; how long it took.
    pub(super) fn until_closed(&mut self, width: usize, limit: Duration) -> Option<Duration> {
        let start = self.now;
        while self.now - start <= limit {
            if self.gaps(&self.living(), width).is_empty() {
                return Some(self.now - start);
            }
            self.run(ms(50));
        }
        None
    }
}
