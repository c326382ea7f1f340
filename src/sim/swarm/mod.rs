//! The message-level simulator: members of groups, and between them nothing but delay, rates and who can reach whom.
//!
//! [`Swarm`] runs the same [`Member`]s that a node carries over sessions, a hundred thousand of them
//! in one process. What a session is made of is left out: a connection takes as long as a handshake would, messages of a
//! pair keep their order, loss costs a round trip, a member that is killed is missed after a while, and what is sent while
//! a link is cut comes through if it is mended before that. [`World`](super::World) is for the rest.
//!
//! The same seed and the same calls give the same messages: [`Swarm::digest`] tells whether they did.

mod actor;
mod links;
mod nature;
mod plan;
#[cfg(test)]
mod tests;

pub use actor::Actor;
pub use nature::{Nat, Nature};
pub use plan::{Counters, MemberId, Rate, Terms};

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::queue::Queue;
use crate::base::{Instant, PeerId, Rng};
use crate::group::{GroupAddress, Hint, Lane, Link, Outgoing, Output, Unreachable};
use crate::node::{Member, MemberEvent};
use crate::wire::{Address, Origin};
use links::{LinkState, Links, Session};

struct Slot<A> {
    peer: PeerId,
    nature: Nature,
    /// `None` once it has left.
    actor: Option<Box<A>>,
    island: u32,
    registered: bool,
    links: Links,
    /// When its uplink has sent, and its downlink received, what they were given.
    up_free: Instant,
    down_free: Instant,
    wake: Option<Instant>,
    spins: u32,
    sent: u64,
}

#[derive(Debug)]
enum Event {
    Wake(MemberId),
    Open {
        initiator: MemberId,
        responder: MemberId,
        number: u32,
    },
    /// Somebody asked for a connection that was there already.
    Again {
        at: MemberId,
        peer: MemberId,
    },
    Fail {
        asker: MemberId,
        wanted: PeerId,
        number: u32,
        why: Unreachable,
    },
    /// At the far end of the delay, before the downlink.
    Arrive(Box<Letter>),
    Deliver(Box<Letter>),
    /// A cut pair is together again: what was held back goes through.
    Mend {
        from: MemberId,
        to: MemberId,
    },
    /// What was sent on a lane has left the uplink.
    Room {
        from: MemberId,
        to: MemberId,
        lane: Lane,
    },
    /// The far end has said farewell, or was silent for too long.
    Down {
        at: MemberId,
        gone: MemberId,
        opened: (Instant, MemberId),
        silent: bool,
    },
    Register(MemberId),
    Tell {
        to: MemberId,
        about: MemberId,
    },
}

#[derive(Debug)]
struct Letter {
    from: MemberId,
    to: MemberId,
    lane: Lane,
    data: Bytes,
}

type Observer = Box<dyn FnMut(Instant, MemberId, &MemberEvent)>;
type Action<A> = Box<dyn FnOnce(&mut Swarm<A>)>;

/// Members and what is between them, in virtual time.
pub struct Swarm<A = Member> {
    now: Instant,
    rng: Rng,
    terms: Terms,
    slots: Vec<Slot<A>>,
    /// Only looked up in, never gone through: its order means nothing.
    by_peer: HashMap<PeerId, MemberId, BuildHasherDefault<PeerHasher>>,
    /// Who is registered at the rendezvous, around the ring.
    ring: BTreeMap<GroupAddress, MemberId>,
    rendezvous: bool,
    queue: Queue<Event>,
    script: Queue<Action<A>>,
    /// What is on its way between those who are cut off from each other: from, to.
    held: BTreeMap<(MemberId, MemberId), Vec<(Lane, Bytes)>>,
    openings: u32,
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
            by_peer: HashMap::default(),
            ring: BTreeMap::new(),
            rendezvous: true,
            queue: Queue::new(),
            script: Queue::new(),
            held: BTreeMap::new(),
            openings: 0,
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

    /// Lets a member join: the rendezvous, while there is one, introduces it to its neighbours on the ring, and them to
    /// it.
    pub fn join(&mut self, peer: PeerId, nature: Nature, mut actor: A) -> MemberId {
        let id = MemberId(self.slots.len() as u32);
        actor.set_addresses(self.now, vec![address_of(id)]);
        let within = (nature.access + RENDEZVOUS_DISTANCE) * 6;
        self.slots.push(Slot {
            peer,
            nature,
            actor: Some(Box::new(actor)),
            island: RENDEZVOUS_ISLAND,
            registered: false,
            links: Links::default(),
            up_free: self.now,
            down_free: self.now,
            wake: None,
            spins: 0,
            sent: 0,
        });
        self.by_peer.insert(peer, id);
        // A handshake of two round trips, and one to register.
        self.queue.push(self.now + within, Event::Register(id));
        self.drive(id);
        id
    }

    fn register(&mut self, id: MemberId) {
        let slot = self.slot(id);
        if !self.rendezvous || slot.registered || slot.actor.is_none() || slot.island != RENDEZVOUS_ISLAND {
            return;
        }
        let place = GroupAddress::of(slot.peer);
        let above = self.ring.range(place..).chain(self.ring.range(..place)).map(|(_, &id)| id).take(3);
        let below = self.ring.range(..place).rev().chain(self.ring.range(place..).rev()).map(|(_, &id)| id).take(3);
        let mut near: Vec<MemberId> = above.chain(below).collect();
        near.sort_unstable();
        near.dedup();
        self.ring.insert(place, id);
        self.slots[id.0 as usize].registered = true;
        for other in near {
            for (to, about) in [(id, other), (other, id)] {
                let within = self.slot(to).nature.access + RENDEZVOUS_DISTANCE;
                self.queue.push(self.now + within, Event::Tell { to, about });
            }
        }
    }

    fn unregister(&mut self, id: MemberId) {
        let slot = &mut self.slots[id.0 as usize];
        if std::mem::take(&mut slot.registered) {
            self.ring.remove(&GroupAddress::of(slot.peer));
        }
    }

    /// Takes a member out without farewell, as `kill -9` does: its neighbours miss it after a while.
    pub fn kill(&mut self, id: MemberId) -> Option<A> {
        let noticed = self.now + self.terms.liveness;
        self.remove(id, |_| noticed, true)
    }

    /// Takes a member out that has said farewell: its neighbours learn of it as fast as packets go.
    pub fn leave(&mut self, id: MemberId) -> Option<A> {
        self.drive(id);
        let at = self.now + self.slot(id).nature.access;
        self.remove(id, |session| session.arrived.max(at), false)
    }

    fn remove(&mut self, id: MemberId, noticed: impl Fn(&Session) -> Instant, silent: bool) -> Option<A> {
        let actor = self.slots[id.0 as usize].actor.take()?;
        self.unregister(id);
        let links = std::mem::take(&mut self.slots[id.0 as usize].links);
        for (other, session) in links.sessions() {
            let down = Event::Down { at: other, gone: id, opened: session.opened, silent };
            self.queue.push(noticed(session), down);
            self.held.remove(&(other, id));
        }
        Some(*actor)
    }

    /// Ends the rendezvous, or brings it back, to which all who live come again within seconds.
    pub fn set_rendezvous(&mut self, there: bool) {
        self.rendezvous = there;
        for index in 0..self.slots.len() {
            let id = MemberId(index as u32);
            self.unregister(id);
            if there && self.slots[index].actor.is_some() {
                self.register_again(id);
            }
        }
    }

    fn register_again(&mut self, id: MemberId) {
        let at = self.now + REGISTER_AGAIN.mul_f64(self.rng.unit());
        self.queue.push(at, Event::Register(id));
    }

    /// Puts a member on an island: only who is on the same one is reached. All, and the rendezvous, are on island 0 at first.
    pub fn set_island(&mut self, id: MemberId, island: u32) {
        if std::mem::replace(&mut self.slots[id.0 as usize].island, island) == island {
            return;
        }
        let noticed = self.now + self.terms.liveness;
        let sessions: Vec<_> = self.slot(id).links.sessions().map(|(other, s)| (other, s.opened)).collect();
        for (other, opened) in sessions {
            if self.slot(other).island != island {
                self.queue.push(noticed, Event::Down { at: id, gone: other, opened, silent: true });
                self.queue.push(noticed, Event::Down { at: other, gone: id, opened, silent: true });
            } else {
                let within = self.now + self.delay(id, other) * 3;
                for (from, to) in [(id, other), (other, id)] {
                    if self.held.contains_key(&(from, to)) {
                        self.queue.push(within, Event::Mend { from, to });
                    }
                }
            }
        }
        if island == RENDEZVOUS_ISLAND {
            self.register_again(id);
        } else {
            self.unregister(id);
        }
    }

    /// Everybody who is there.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &A)> {
        let all = self.slots.iter().enumerate();
        all.filter_map(|(index, slot)| Some((MemberId(index as u32), slot.actor.as_deref()?)))
    }

    /// A member that is there.
    #[must_use]
    pub fn member(&self, id: MemberId) -> Option<&A> {
        self.slot(id).actor.as_deref()
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

    /// Whether both could ever be connected directly: they are not behind NATs that keep them apart.
    #[must_use]
    pub fn reachable(&self, one: MemberId, other: MemberId) -> bool {
        !self.slot(one).nature.blocked(&self.slot(other).nature)
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

    /// One thing more, if it happens by `end`; whether it did.
    pub fn step(&mut self, end: Instant) -> bool {
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
            Event::Wake(id) => self.wake(id),
            Event::Open { initiator, responder, number } => self.open(initiator, responder, number),
            Event::Again { at, peer } => self.tell_up(at, peer),
            Event::Fail { asker, wanted, number, why } => {
                let known = self.find(wanted).filter(|&id| id != asker);
                let links = &mut self.slots[asker.0 as usize].links;
                // Meanwhile it may have been reached the other way round, or asked for again.
                if let Some(wanted) = known {
                    if links.opening(wanted) != Some(number) {
                        return;
                    }
                    links.remove(wanted);
                }
                self.tell(asker, |actor| actor.unreachable(now, wanted, why));
            }
            Event::Arrive(letter) => {
                let slot = &mut self.slots[letter.to.0 as usize];
                let bytes = letter.data.len() as u64 + self.terms.overhead;
                slot.down_free = slot.down_free.max(now) + slot.nature.down.time(bytes);
                let at = slot.down_free;
                self.queue.push(at, Event::Deliver(letter));
            }
            Event::Deliver(letter) => {
                let Letter { from, to, lane, data } = *letter;
                if self.slot(to).links.session(from).is_none() {
                    self.counters.lost += 1;
                    return;
                }
                let cut = self.slot(from).island != self.slot(to).island;
                if let Some(held) = self.held.get_mut(&(from, to)) {
                    held.push((lane, data));
                } else if cut {
                    self.held.insert((from, to), vec![(lane, data)]);
                } else {
                    self.deliver(from, to, lane, &data);
                }
            }
            Event::Mend { from, to } => {
                if self.slot(from).island == self.slot(to).island {
                    for (lane, data) in self.held.remove(&(from, to)).into_iter().flatten() {
                        self.deliver(from, to, lane, &data);
                    }
                }
            }
            Event::Room { from, to, lane } => {
                let peer = self.slot(to).peer;
                if let Some(session) = self.slots[from.0 as usize].links.session_mut(to) {
                    session.refill(lane);
                    self.tell(from, |actor| actor.writable(now, peer, lane, lane.room()));
                }
            }
            Event::Down { at, gone, opened, silent } => {
                let here = self.slot(at);
                let back = self.slot(gone).actor.is_some() && self.slot(gone).island == here.island;
                if here.links.session(gone).is_some_and(|session| session.opened == opened) && !(silent && back) {
                    self.slots[at.0 as usize].links.remove(gone);
                    self.held.remove(&(gone, at));
                    let peer = self.slot(gone).peer;
                    self.tell(at, |actor| actor.peer_down(now, peer));
                }
            }
            Event::Register(id) => self.register(id),
            Event::Tell { to, about } => {
                if self.slot(about).registered && self.slot(to).registered {
                    let (peer, address) = (self.slot(about).peer, address_of(about));
                    self.tell(to, |actor| actor.hint(now, peer, &[address], Hint::Neighbor));
                }
            }
        }
    }

    fn wake(&mut self, id: MemberId) {
        let now = self.now;
        let slot = &mut self.slots[id.0 as usize];
        // An earlier one was set after this one was queued: it has seen to everything.
        if slot.wake != Some(now) {
            return;
        }
        slot.wake = None;
        let Some(actor) = &mut slot.actor else { return };
        if actor.deadline().is_some_and(|deadline| deadline <= now) {
            actor.handle_timeout(now);
            let again = actor.deadline().is_some_and(|deadline| deadline <= now);
            slot.spins = if again { slot.spins + 1 } else { 0 };
            assert!(slot.spins < SPINS, "{id:?} wants to be woken at {now:?} for ever");
        }
        self.drive(id);
    }

    fn deliver(&mut self, from: MemberId, to: MemberId, lane: Lane, data: &Bytes) {
        let now = self.now;
        self.counters.delivered += 1;
        let mut head = [0; 17];
        head[..8].copy_from_slice(&now.as_micros().to_be_bytes());
        head[8..12].copy_from_slice(&from.0.to_be_bytes());
        head[12..16].copy_from_slice(&to.0.to_be_bytes());
        head[16] = lane.kind() as u8;
        self.digest.update(head);
        self.digest.update(data);
        let peer = self.slot(from).peer;
        self.tell(to, |actor| actor.message(now, peer, lane, data));
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
                Output::Cancel { .. } | Output::Finish { .. } | Output::Cast(_) => {}
                Output::Event(event) => self.observers.iter_mut().for_each(|observer| observer(now, id, &event)),
            }
        }
        let slot = &mut self.slots[id.0 as usize];
        let deadline = slot.actor.as_ref().and_then(|actor| actor.deadline()).filter(|&at| at != Instant::FAR_FUTURE);
        if let Some(deadline) = deadline
            && slot.wake.is_none_or(|set| deadline < set)
        {
            let at = deadline.max(now);
            // Said again: the one that waits for this very moment serves.
            if slot.wake != Some(at) {
                slot.wake = Some(at);
                self.queue.push(at, Event::Wake(id));
            }
        }
    }

    fn connect(&mut self, asker: MemberId, wanted: PeerId, addresses: &[Address], introducers: &[PeerId]) {
        self.openings = self.openings.wrapping_add(1);
        let number = self.openings;
        let fail = |why| Event::Fail { asker, wanted, number, why };
        let gone = (self.now + self.terms.gone_after, fail(Unreachable::Gone));
        let Some(target) = self.find(wanted).filter(|&id| id != asker) else {
            return self.queue.push(gone.0, gone.1);
        };
        match self.slot(asker).links.get(target) {
            Some(LinkState::Up(_)) => return self.queue.push(self.now, Event::Again { at: asker, peer: target }),
            Some(LinkState::Opening(_)) => return,
            None => {}
        }
        let (near, far) = (self.slot(asker), self.slot(target));
        let linked = |via: PeerId| self.find(via).is_some_and(|via| far.links.session(via).is_some());
        let introduced = near.registered && far.registered || introducers.iter().any(|&via| linked(via));
        let direct = far.nature.nat == Nat::None && !addresses.is_empty();
        let (at, event) = if far.actor.is_none() || near.island != far.island || !(introduced || direct) {
            gone
        } else if near.nature.blocked(&far.nature) {
            (self.now + self.terms.blocked_after, fail(Unreachable::Blocked))
        } else {
            // Two round trips, and the way over whoever introduces.
            let detour = if direct { Duration::ZERO } else { RENDEZVOUS_DISTANCE };
            let opened = self.now + self.delay(asker, target) * 4 + detour;
            (opened, Event::Open { initiator: asker, responder: target, number })
        };
        self.queue.push(at, event);
        self.slots[asker.0 as usize].links.insert(target, LinkState::Opening(number));
    }

    fn open(&mut self, initiator: MemberId, responder: MemberId, number: u32) {
        let (near, far) = (self.slot(initiator), self.slot(responder));
        if near.actor.is_none() || near.links.opening(responder) != Some(number) {
            return;
        }
        if far.actor.is_none() || near.island != far.island {
            let wanted = far.peer;
            return self.happen(Event::Fail { asker: initiator, wanted, number, why: Unreachable::Gone });
        }
        let session = Session::new((self.now, initiator));
        self.slots[initiator.0 as usize].links.insert(responder, LinkState::Up(session.clone()));
        self.slots[responder.0 as usize].links.insert(initiator, LinkState::Up(session));
        self.counters.sessions += 1;
        self.tell_up(responder, initiator);
        self.tell_up(initiator, responder);
    }

    /// Tells a member of a connection that it has.
    fn tell_up(&mut self, at: MemberId, peer: MemberId) {
        let Some(session) = self.slot(at).links.session(peer) else { return };
        let link = Link {
            remote: address_of(peer).socket,
            near_nonce: nonce(session.opened, at),
            far_nonce: nonce(session.opened, peer),
            initiator: session.opened.1 == at,
            rtt: Some(self.delay(at, peer) * 2),
        };
        let (now, peer) = (self.now, self.slot(peer).peer);
        self.tell(at, |actor| actor.peer_up(now, peer, link));
    }

    fn disconnect(&mut self, id: MemberId, peer: PeerId) {
        let Some(other) = self.find(peer) else { return };
        if let Some(LinkState::Up(session)) = self.slots[id.0 as usize].links.remove(other) {
            self.held.remove(&(other, id));
            let at = (self.now + self.delay(id, other)).max(session.arrived);
            self.queue.push(at, Event::Down { at: other, gone: id, opened: session.opened, silent: false });
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
        let Some(session) = slot.links.session_mut(to) else { return };
        if late {
            self.counters.abandoned += 1;
            return;
        }
        // Messages of a pair keep their order.
        let arrives = (ends + delay + again).max(session.arrived);
        session.arrived = arrives;
        let spent = session.take(lane, data.len());
        slot.up_free = ends;
        slot.sent += bytes;
        self.counters.count(lane, bytes);
        if spent {
            self.queue.push(ends, Event::Room { from, to, lane });
        }
        let letter = Box::new(Letter { from, to, lane, data });
        let event = match self.slot(to).nature.down {
            Rate::UNLIMITED => Event::Deliver(letter),
            _ => Event::Arrive(letter),
        };
        self.queue.push(arrives, event);
    }

    fn slot(&self, id: MemberId) -> &Slot<A> {
        &self.slots[id.0 as usize]
    }
}

/// One way from a member's access to the rendezvous.
const RENDEZVOUS_DISTANCE: Duration = Duration::from_millis(20);
/// Where the rendezvous is.
const RENDEZVOUS_ISLAND: u32 = 0;
/// Within which time those who had lost the rendezvous are there again.
const REGISTER_AGAIN: Duration = Duration::from_secs(5);
/// A member that wants to be woken more often than this without time passing hangs, and so would the swarm.
const SPINS: u32 = 10_000;

/// An address that no two members share.
pub(super) fn address_of(id: MemberId) -> Address {
    let [_, b, c, d] = id.0.to_be_bytes();
    let high = (id.0 >> 24) as u16;
    Address::new(Origin::Observed, SocketAddr::new(Ipv4Addr::new(10, b, c, d).into(), 1935 + high))
}

/// The session nonce of one of its ends: known to both ends, and of no other session.
fn nonce(opened: (Instant, MemberId), end: MemberId) -> [u8; 32] {
    let mut nonce = [0; 32];
    nonce[..8].copy_from_slice(&opened.0.as_micros().to_be_bytes());
    nonce[8..12].copy_from_slice(&opened.1.0.to_be_bytes());
    nonce[12..16].copy_from_slice(&end.0.to_be_bytes());
    nonce
}

/// Peer IDs are digests: eight bytes of one are hash enough.
#[derive(Default)]
struct PeerHasher(u64);

impl Hasher for PeerHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (head, _) = bytes.split_at(bytes.len().min(8));
        self.0 ^= head.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
