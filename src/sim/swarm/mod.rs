//! The message-level simulator: members of groups, and between them nothing but delay, rates and who can reach whom.
//!
//! [`Swarm`] runs the same [`Member`](crate::node::Member)s that a node carries over sessions, a hundred thousand of them
//! in one process. What a session is made of is left out: a connection takes as long as a handshake would, messages of a
//! lane keep their order, loss costs a round trip, a member that is killed is missed after a while. [`World`](super::World)
//! is for the rest.
//!
//! The same seed and the same calls give the same messages: [`Swarm::digest`] tells whether they did.

mod nature;
mod plan;

pub use nature::{Nat, Nature};
pub use plan::{Counters, Rate, Terms};

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::queue::Queue;
use crate::base::{Instant, PeerId, Rng};
use crate::group::{GroupAddress, Hint, Lane, Link, Outgoing, Output, Unreachable};
use crate::node::{Member, MemberEvent};
use crate::wire::{Address, Origin};

/// What a swarm runs: a member, or somebody who pretends to be one.
pub trait Actor {
    /// What it wants or tells; asked until there is nothing.
    fn poll(&mut self, now: Instant) -> Option<Output<MemberEvent>>;
    /// When it wants to be told the time.
    fn deadline(&self) -> Option<Instant>;
    /// Told the time.
    fn handle_timeout(&mut self, now: Instant);
    /// Somebody may be a member.
    fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint);
    /// A connection is there.
    fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link);
    /// A connection is gone.
    fn peer_down(&mut self, now: Instant, peer: PeerId);
    /// A peer that it wanted is not reached.
    fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable);
    /// A message came.
    fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &[u8]);
    /// It learnt its own addresses.
    fn set_addresses(&mut self, now: Instant, addresses: Vec<Address>);
}

impl Actor for Member {
    fn poll(&mut self, now: Instant) -> Option<Output<MemberEvent>> {
        Self::poll(self, now)
    }

    fn deadline(&self) -> Option<Instant> {
        Self::deadline(self)
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint) {
        Self::hint(self, now, peer, addresses, hint);
    }

    fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link) {
        Self::peer_up(self, now, peer, link);
    }

    fn peer_down(&mut self, now: Instant, peer: PeerId) {
        Self::peer_down(self, now, peer);
    }

    fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable) {
        Self::unreachable(self, now, peer, why);
    }

    fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &[u8]) {
        Self::message(self, now, peer, lane, message);
    }

    fn set_addresses(&mut self, now: Instant, addresses: Vec<Address>) {
        self.membership_mut().set_addresses(now, addresses);
    }
}

/// One of a swarm's members. Never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

struct Slot<A> {
    peer: PeerId,
    nature: Nature,
    /// `None` once it has left.
    actor: Option<A>,
    island: u32,
    links: BTreeMap<MemberId, LinkState>,
    /// When its uplink has sent, and its downlink received, what they were given.
    up_free: Instant,
    down_free: Instant,
    wake: Option<Instant>,
    sent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Opening,
    /// Messages in flight arrive no earlier than this.
    Up(Instant),
}

#[derive(Debug)]
enum Event {
    Wake(MemberId),
    Open {
        initiator: MemberId,
        responder: MemberId,
    },
    Fail {
        asker: MemberId,
        wanted: PeerId,
        why: Unreachable,
    },
    /// At the far end of the delay, before the downlink.
    Arrive {
        from: MemberId,
        to: MemberId,
        lane: Lane,
        data: Bytes,
    },
    Deliver {
        from: MemberId,
        to: MemberId,
        lane: Lane,
        data: Bytes,
    },
    Down {
        at: MemberId,
        gone: MemberId,
    },
    Tell {
        to: MemberId,
        about: MemberId,
    },
}

type Observer = Box<dyn FnMut(Instant, MemberId, &MemberEvent)>;
type Action<A> = Box<dyn FnOnce(&mut Swarm<A>)>;

/// Members and what is between them, in virtual time.
pub struct Swarm<A = Member> {
    now: Instant,
    rng: Rng,
    terms: Terms,
    slots: Vec<Slot<A>>,
    by_peer: BTreeMap<PeerId, MemberId>,
    /// Who is registered at the rendezvous, around the ring.
    ring: BTreeMap<GroupAddress, MemberId>,
    rendezvous: bool,
    queue: Queue<Event>,
    script: Queue<Action<A>>,
    observers: Vec<Observer>,
    counters: Counters,
    digest: Sha256,
}

impl<A: Actor> Swarm<A> {
    /// An empty swarm at time zero, with a rendezvous.
    #[must_use]
    pub fn new(seed: u64, terms: Terms) -> Self {
        Self {
            now: Instant::ZERO,
            rng: Rng::for_simulation(seed),
            terms,
            slots: Vec::new(),
            by_peer: BTreeMap::new(),
            ring: BTreeMap::new(),
            rendezvous: true,
            queue: Queue::new(),
            script: Queue::new(),
            observers: Vec::new(),
            counters: Counters::default(),
            digest: Sha256::new(),
        }
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Chance, from the swarm's seed.
    pub fn rng(&mut self) -> Rng {
        self.rng.fork()
    }

    /// Where a member is and how it is connected, drawn by the swarm's terms.
    pub fn nature(&mut self) -> Nature {
        Nature::draw(&mut self.rng, &self.terms)
    }

    /// Lets a member join: the rendezvous, while there is one, introduces it to its neighbours on the ring.
    pub fn join(&mut self, peer: PeerId, nature: Nature, mut actor: A) -> MemberId {
        let id = MemberId(self.slots.len() as u32);
        actor.set_addresses(self.now, vec![address_of(id)]);
        self.slots.push(Slot {
            peer,
            nature,
            actor: Some(actor),
            island: 0,
            links: BTreeMap::new(),
            up_free: self.now,
            down_free: self.now,
            wake: None,
            sent: 0,
        });
        self.by_peer.insert(peer, id);
        if self.rendezvous {
            self.register(id);
        }
        self.drive(id);
        id
    }

    fn register(&mut self, id: MemberId) {
        let place = GroupAddress::of(self.slot(id).peer);
        let above = self.ring.range(place..).chain(self.ring.range(..place)).map(|(_, &id)| id).take(3);
        let below = self.ring.range(..place).rev().chain(self.ring.range(place..).rev()).map(|(_, &id)| id).take(3);
        let mut near: Vec<MemberId> = above.chain(below).collect();
        near.sort_unstable();
        near.dedup();
        self.ring.insert(place, id);
        let within = self.slot(id).nature.access * 2 + RENDEZVOUS_DISTANCE * 2;
        for other in near {
            self.queue.push(self.now + within, Event::Tell { to: id, about: other });
            self.queue.push(self.now + within, Event::Tell { to: other, about: id });
        }
    }

    /// Takes a member out without farewell, as `kill -9` does: its neighbours miss it after a while.
    pub fn kill(&mut self, id: MemberId) -> Option<A> {
        let at = self.now + self.terms.liveness;
        self.remove(id, at)
    }

    /// Takes a member out that has said farewell: its neighbours learn of it as fast as packets go.
    pub fn leave(&mut self, id: MemberId) -> Option<A> {
        self.drive(id);
        let at = self.now + self.slot(id).nature.access;
        self.remove(id, at)
    }

    fn remove(&mut self, id: MemberId, noticed: Instant) -> Option<A> {
        let slot = &mut self.slots[id.0 as usize];
        let actor = slot.actor.take()?;
        let links = std::mem::take(&mut slot.links);
        self.ring.remove(&GroupAddress::of(slot.peer));
        for (other, state) in links {
            if matches!(state, LinkState::Up(_)) {
                self.queue.push(noticed, Event::Down { at: other, gone: id });
            }
        }
        Some(actor)
    }

    /// Ends the rendezvous, or brings it back, to which all who live then come again.
    pub fn set_rendezvous(&mut self, there: bool) {
        self.rendezvous = there;
        self.ring.clear();
        if there {
            let living: Vec<MemberId> = self.members().map(|(id, _)| id).collect();
            living.into_iter().for_each(|id| self.register(id));
        }
    }

    /// Puts a member on an island: only who is on the same one is reached. All are on island 0 at first.
    pub fn set_island(&mut self, id: MemberId, island: u32) {
        self.slots[id.0 as usize].island = island;
        let cut: Vec<MemberId> = self.slot(id).links.keys().copied().collect();
        let noticed = self.now + self.terms.liveness;
        for other in cut {
            if self.slot(other).island != island {
                self.queue.push(noticed, Event::Down { at: id, gone: other });
                self.queue.push(noticed, Event::Down { at: other, gone: id });
            }
        }
    }

    /// Everybody who is there.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &A)> {
        let all = self.slots.iter().enumerate();
        all.filter_map(|(index, slot)| Some((MemberId(index as u32), slot.actor.as_ref()?)))
    }

    /// A member that is there.
    #[must_use]
    pub fn member(&self, id: MemberId) -> Option<&A> {
        self.slot(id).actor.as_ref()
    }

    /// A member's peer ID.
    #[must_use]
    pub fn peer_id(&self, id: MemberId) -> PeerId {
        self.slot(id).peer
    }

    /// Who has this peer ID.
    #[must_use]
    pub fn find(&self, peer: PeerId) -> Option<MemberId> {
        self.by_peer.get(&peer).copied()
    }

    /// Bytes that a member has sent.
    #[must_use]
    pub fn sent(&self, id: MemberId) -> u64 {
        self.slot(id).sent
    }

    /// Commands a member, if it is there.
    pub fn command<R>(&mut self, id: MemberId, command: impl FnOnce(&mut A, Instant) -> R) -> Option<R> {
        let now = self.now;
        let answer = self.slots[id.0 as usize].actor.as_mut().map(|actor| command(actor, now));
        self.drive(id);
        answer
    }

    /// Does something at a moment to come.
    pub fn at(&mut self, when: Instant, action: impl FnOnce(&mut Self) + 'static) {
        self.script.push(when.max(self.now), Box::new(action));
    }

    /// Calls `observer` for each event of each member.
    pub fn observe(&mut self, observer: impl FnMut(Instant, MemberId, &MemberEvent) + 'static) {
        self.observers.push(Box::new(observer));
    }

    /// What was carried so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// SHA-256 of all messages delivered so far: when, from whom, to whom, what.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// The time that a message takes from one to another, without waiting in queues.
    #[must_use]
    pub fn delay(&self, from: MemberId, to: MemberId) -> Duration {
        self.slot(from).nature.delay_to(&self.slot(to).nature, &self.terms)
    }

    /// Runs until that moment, with all that happens at it.
    pub fn run_until(&mut self, end: Instant) {
        while self.step(end) {}
        self.now = self.now.max(end);
    }

    /// Runs for so long.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    fn step(&mut self, end: Instant) -> bool {
        let event = self.queue.next_time().unwrap_or(Instant::FAR_FUTURE);
        let script = self.script.next_time().unwrap_or(Instant::FAR_FUTURE);
        let next = event.min(script);
        if next > end || next == Instant::FAR_FUTURE {
            return false;
        }
        self.now = self.now.max(next);
        if script <= event {
            let (_, action) = self.script.pop().expect("it has a next time");
            action(self);
        } else {
            let (_, event) = self.queue.pop().expect("it has a next time");
            self.happen(event);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Wake(id) => {
                let slot = &mut self.slots[id.0 as usize];
                // An earlier one was set after this one was queued: it has seen to everything.
                if slot.wake != Some(now) {
                    return;
                }
                slot.wake = None;
                if let Some(actor) = &mut slot.actor
                    && actor.deadline().is_some_and(|deadline| deadline <= now)
                {
                    actor.handle_timeout(now);
                }
                self.drive(id);
            }
            Event::Open { initiator, responder } => self.open(initiator, responder),
            Event::Fail { asker, wanted, why } => {
                if let Some(wanted) = self.find(wanted) {
                    self.slots[asker.0 as usize].links.remove(&wanted);
                }
                self.tell(asker, |actor| actor.unreachable(now, wanted, why));
            }
            Event::Arrive { from, to, lane, data } => {
                let slot = &mut self.slots[to.0 as usize];
                let bytes = data.len() as u64 + self.terms.overhead;
                slot.down_free = slot.down_free.max(now) + slot.nature.down.time(bytes);
                let at = slot.down_free;
                self.queue.push(at, Event::Deliver { from, to, lane, data });
            }
            Event::Deliver { from, to, lane, data } => {
                let up = matches!(self.slot(to).links.get(&from), Some(LinkState::Up(_)));
                if !up || self.slot(from).island != self.slot(to).island {
                    self.counters.lost += 1;
                    return;
                }
                self.counters.delivered += 1;
                self.digest.update(now.as_micros().to_be_bytes());
                self.digest.update([from.0.to_be_bytes(), to.0.to_be_bytes()].concat());
                self.digest.update(&data);
                let peer = self.slot(from).peer;
                self.tell(to, |actor| actor.message(now, peer, lane, &data));
            }
            Event::Down { at, gone } => {
                let slot = &mut self.slots[at.0 as usize];
                if matches!(slot.links.get(&gone), Some(LinkState::Up(_))) {
                    slot.links.remove(&gone);
                    let peer = self.slot(gone).peer;
                    self.tell(at, |actor| actor.peer_down(now, peer));
                }
            }
            Event::Tell { to, about } => {
                if self.slot(about).actor.is_some() && self.slot(about).island == self.slot(to).island {
                    let (peer, address) = (self.slot(about).peer, address_of(about));
                    self.tell(to, |actor| actor.hint(now, peer, &[address], Hint::Neighbor));
                }
            }
        }
    }

    fn tell(&mut self, id: MemberId, tell: impl FnOnce(&mut A)) {
        if let Some(actor) = &mut self.slots[id.0 as usize].actor {
            tell(actor);
            self.drive(id);
        }
    }

    /// Does what a member wants, and sees to its deadline.
    fn drive(&mut self, id: MemberId) {
        let now = self.now;
        while let Some(output) = self.slots[id.0 as usize].actor.as_mut().and_then(|actor| actor.poll(now)) {
            match output {
                Output::Connect { peer, addresses, introducers } => self.connect(id, peer, &addresses, &introducers),
                Output::Disconnect { peer } => self.disconnect(id, peer),
                Output::Send(outgoing) => self.send(id, outgoing),
                Output::Cancel { .. } => {}
                Output::Event(event) => self.observers.iter_mut().for_each(|observer| observer(now, id, &event)),
            }
        }
        let slot = &mut self.slots[id.0 as usize];
        let deadline = slot.actor.as_ref().and_then(Actor::deadline).filter(|&at| at != Instant::FAR_FUTURE);
        if let Some(deadline) = deadline
            && slot.wake.is_none_or(|set| deadline < set)
        {
            let at = deadline.max(now);
            slot.wake = Some(at);
            self.queue.push(at, Event::Wake(id));
        }
    }

    fn connect(&mut self, asker: MemberId, wanted: PeerId, addresses: &[Address], introducers: &[PeerId]) {
        let gone = |swarm: &mut Self| {
            let at = swarm.now + swarm.terms.gone_after;
            swarm.queue.push(at, Event::Fail { asker, wanted, why: Unreachable::Gone });
        };
        let Some(target) = self.find(wanted).filter(|&id| id != asker) else { return gone(self) };
        match self.slot(asker).links.get(&target) {
            Some(LinkState::Up(_)) => {
                self.queue.push(self.now, Event::Open { initiator: asker, responder: target });
                return;
            }
            Some(LinkState::Opening) => return,
            None => {}
        }
        let (near, far) = (self.slot(asker), self.slot(target));
        let linked = |via: PeerId| self.find(via).is_some_and(|via| far.links.contains_key(&via));
        let introduced =
            self.ring.contains_key(&GroupAddress::of(wanted)) || introducers.iter().any(|&via| linked(via));
        let direct = far.nature.nat == Nat::None && !addresses.is_empty();
        if far.actor.is_none() || near.island != far.island || !(introduced || direct) {
            return gone(self);
        }
        if near.nature.blocked(&far.nature) {
            let at = self.now + self.terms.blocked_after;
            self.queue.push(at, Event::Fail { asker, wanted, why: Unreachable::Blocked });
        } else {
            // Two round trips, and the way over whoever introduces.
            let detour = if direct { Duration::ZERO } else { RENDEZVOUS_DISTANCE };
            let at = self.now + self.delay(asker, target) * 4 + detour;
            self.queue.push(at, Event::Open { initiator: asker, responder: target });
        }
        self.slots[asker.0 as usize].links.insert(target, LinkState::Opening);
    }

    fn open(&mut self, initiator: MemberId, responder: MemberId) {
        let up = |swarm: &Self| matches!(swarm.slot(initiator).links.get(&responder), Some(LinkState::Up(_)));
        let cut = self.slot(initiator).island != self.slot(responder).island;
        if self.slot(initiator).actor.is_none() || !self.slot(initiator).links.contains_key(&responder) {
            return;
        }
        if self.slot(responder).actor.is_none() || cut {
            let wanted = self.slot(responder).peer;
            return self.happen(Event::Fail { asker: initiator, wanted, why: Unreachable::Gone });
        }
        let fresh = !up(self);
        let state = LinkState::Up(self.now);
        if fresh {
            self.slots[initiator.0 as usize].links.insert(responder, state);
            self.slots[responder.0 as usize].links.insert(initiator, state);
            self.counters.sessions += 1;
        }
        let (one, other) = (nonce(initiator, responder, self.now), nonce(responder, initiator, self.now));
        let rtt = Some(self.delay(initiator, responder) * 2);
        let link = |remote: MemberId, near_nonce, far_nonce, initiator| Link {
            remote: address_of(remote).socket,
            near_nonce,
            far_nonce,
            initiator,
            rtt,
        };
        let now = self.now;
        let (near, far) = (self.slot(initiator).peer, self.slot(responder).peer);
        if fresh {
            self.tell(responder, |actor| actor.peer_up(now, near, link(initiator, other, one, false)));
        }
        self.tell(initiator, |actor| actor.peer_up(now, far, link(responder, one, other, true)));
    }

    fn disconnect(&mut self, id: MemberId, peer: PeerId) {
        let Some(other) = self.find(peer) else { return };
        if let Some(LinkState::Up(arrived)) = self.slots[id.0 as usize].links.remove(&other) {
            let at = (self.now + self.delay(id, other)).max(arrived);
            self.queue.push(at, Event::Down { at: other, gone: id });
        }
    }

    fn send(&mut self, from: MemberId, outgoing: Outgoing) {
        let Outgoing { peer, lane, data, start_by, finish_by, .. } = outgoing;
        let Some(to) = self.find(peer) else { return };
        let bytes = data.len() as u64 + self.terms.overhead;
        let delay = self.delay(from, to);
        // A lost packet costs a round trip and a bit.
        let lost = self.rng.unit() < self.terms.loss;
        let again = if lost { delay * 3 } else { Duration::ZERO };
        let slot = &mut self.slots[from.0 as usize];
        let begins = slot.up_free.max(self.now);
        let ends = begins + slot.nature.up.time(bytes);
        let late = start_by.is_some_and(|by| begins > by) || finish_by.is_some_and(|by| ends + delay > by);
        let Some(LinkState::Up(arrived)) = slot.links.get_mut(&to) else { return };
        if late {
            self.counters.abandoned += 1;
            return;
        }
        slot.up_free = ends;
        slot.sent += bytes;
        self.counters.count(lane, bytes);
        let mut arrives = ends + delay + again;
        // Messages of a pair keep their order.
        arrives = arrives.max(*arrived);
        *arrived = arrives;
        let event = match self.slot(to).nature.down {
            Rate::UNLIMITED => Event::Deliver { from, to, lane, data },
            _ => Event::Arrive { from, to, lane, data },
        };
        self.queue.push(arrives, event);
    }

    fn slot(&self, id: MemberId) -> &Slot<A> {
        &self.slots[id.0 as usize]
    }
}

/// One way from a member's access to the rendezvous.
const RENDEZVOUS_DISTANCE: Duration = Duration::from_millis(20);

/// An address that no two members share.
fn address_of(id: MemberId) -> Address {
    let [_, b, c, d] = id.0.to_be_bytes();
    let high = (id.0 >> 24) as u16;
    Address::new(Origin::Observed, SocketAddr::new(Ipv4Addr::new(10, b, c, d).into(), 1935 + high))
}

/// A session nonce that is the same at both ends and in no other session.
fn nonce(near: MemberId, far: MemberId, now: Instant) -> [u8; 32] {
    let session = [near.0.to_be_bytes(), far.0.to_be_bytes()].concat();
    Sha256::new().chain_update(session).chain_update(now.as_micros().to_be_bytes()).finalize().into()
}
