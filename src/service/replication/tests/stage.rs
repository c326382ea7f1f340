//! Honest members with an uplink each, and rogues without one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, PeerId, Rng};
use crate::group::{Lane, Outgoing, Output};
use crate::service::replication::message::{MAX_MESSAGE, Record, Span, decode};
use crate::service::replication::neighbour::{MAX_QUEUE, MAX_RANGES};
use crate::service::replication::{
    MAX_OBJECT, Replication, ReplicationConfig, ReplicationEvent, ReplicationStats, Strategy,
};
use crate::wire::vlu;

/// Bytes of an object.
pub(super) const LEN: usize = 16 << 10;
/// Objects of the file.
pub(super) const COUNT: u64 = 200;
/// Bytes a second that an honest member sends.
pub(super) const RATE: u64 = 2_000_000;
/// How long everything takes to arrive.
const DELAY: Duration = Duration::from_millis(15);
/// How often a rogue does something unasked.
pub(super) const TURN: Duration = Duration::from_millis(50);

/// The right bytes of an object.
pub(super) fn object(index: u64) -> Bytes {
    index.to_be_bytes().repeat(LEN / 8).into()
}

/// What a rogue says: to whom, on which lane.
pub(super) type Said = Vec<(PeerId, Lane, Vec<u8>)>;

/// Somebody who does not do what should be done.
pub(super) trait Rogue {
    /// A neighbour said something.
    fn hears(&mut self, now: Instant, from: PeerId, lane: Lane, message: &[u8]) -> Said;
    /// Time passed, [`TURN`] of it; these are its neighbours.
    fn turn(&mut self, now: Instant, near: &[PeerId]) -> Said;
    /// Whether it comes again under another name once all have left it.
    fn returns(&mut self) -> bool {
        false
    }
}

/// A message of these records.
pub(super) fn asks(records: &[Record]) -> Vec<u8> {
    let mut message = Vec::new();
    records.iter().for_each(|record| record.put(&mut message));
    message
}

/// A message with an object.
pub(super) fn gives(index: u64, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    vlu::put(&mut message, index);
    message.extend_from_slice(bytes);
    message
}

/// All objects of the file.
pub(super) fn all() -> Vec<Span> {
    vec![0..=COUNT - 1]
}

/// What a neighbour of a rogue asks it for.
pub(super) fn requested(lane: Lane, message: &[u8]) -> Vec<u64> {
    let records = if lane == Lane::Asks { decode(message).unwrap_or_default() } else { Vec::new() };
    let lists = records.into_iter().filter_map(|record| match record {
        Record::Request(list) => Some(list),
        _ => None,
    });
    lists.flatten().collect()
}

struct Honest {
    service: Replication,
    near: BTreeSet<PeerId>,
    uplink: VecDeque<Outgoing>,
    sending: bool,
    done: Option<Instant>,
    wants: u64,
}

impl Honest {
    fn tell_room(&mut self, now: Instant, peer: PeerId) {
        let waiting = self.uplink.iter().filter(|out| out.peer == peer).map(|out| out.data.len());
        let room = Lane::Objects.room().saturating_sub(waiting.sum());
        self.service.writable(now, peer, Lane::Objects, room);
    }
}

enum Event {
    Comes { from: PeerId, to: PeerId, lane: Lane, data: Bytes },
    Sent(PeerId, PeerId),
    Turn,
}

/// Who is there.
pub(super) struct Stage {
    pub(super) now: Instant,
    honest: BTreeMap<PeerId, Honest>,
    rogues: BTreeMap<PeerId, Box<dyn Rogue>>,
    events: BTreeMap<(Instant, u64), Event>,
    count: u64,
    names: u8,
    /// Who was left by whom, and why.
    pub(super) blamed: Vec<(PeerId, PeerId, &'static str)>,
    /// Objects that the owners found to be wrong.
    pub(super) bad: u64,
    /// Every rogue that there was.
    pub(super) hostile: BTreeSet<PeerId>,
}

fn honest_name(number: usize) -> PeerId {
    PeerId([100 + number as u8; 32])
}

impl Stage {
    /// Some who have everything, and some who want it, all neighbours of each other.
    pub(super) fn new(seeds: usize, fetchers: usize, strategy: Strategy) -> Self {
        let now = Instant::from_micros(1_000_000);
        let mut rng = Rng::for_simulation((seeds * 100 + fetchers) as u64);
        let config = ReplicationConfig { strategy, ..ReplicationConfig::default() };
        let (rogues, mut events, blamed, hostile) = Default::default();
        let honest = (0..seeds + fetchers).map(|number| {
            let service = Replication::new(now, rng.fork(), config);
            let (near, uplink) = Default::default();
            let wants = if number < seeds { 0 } else { COUNT };
            (honest_name(number), Honest { service, near, uplink, sending: false, done: None, wants })
        });
        let honest: BTreeMap<PeerId, Honest> = honest.collect();
        BTreeMap::insert(&mut events, (now, 0), Event::Turn);
        let mut stage = Self { now, honest, rogues, events, count: 0, names: 0, blamed, bad: 0, hostile };
        let names: Vec<PeerId> = stage.honest.keys().copied().collect();
        for (at, &one) in names.iter().enumerate() {
            names[at + 1..].iter().for_each(|&other| stage.connect(one, other));
        }
        for member in stage.honest.values_mut() {
            match member.wants {
                0 => member.service.add_have_objects(now, 0..COUNT).unwrap(),
                _ => member.service.add_want_objects(now, 0..COUNT).unwrap(),
            }
        }
        stage
    }

    /// Somebody hostile joins, under a name of its own that comes before all honest ones.
    pub(super) fn join(&mut self, rogue: Box<dyn Rogue>) -> PeerId {
        self.names += 1;
        assert!(self.names < 100, "names of rogues end there");
        let name = PeerId([self.names; 32]);
        self.hostile.insert(name);
        self.rogues.insert(name, rogue);
        let names: Vec<PeerId> = self.honest.keys().copied().collect();
        names.into_iter().for_each(|other| self.connect(name, other));
        name
    }

    /// What the honest ones have counted, in sum.
    pub(super) fn counted(&self, of: impl Fn(&ReplicationStats) -> u64) -> u64 {
        self.honest.values().map(|member| of(&member.service.stats())).sum()
    }

    fn connect(&mut self, one: PeerId, other: PeerId) {
        for (near, far) in [(one, other), (other, one)] {
            if let Some(member) = self.honest.get_mut(&near) {
                member.service.peer_up(self.now, far, DELAY * 2);
                member.near.insert(far);
            }
        }
    }

    fn part(&mut self, one: PeerId, other: PeerId) {
        for (near, far) in [(one, other), (other, one)] {
            if let Some(member) = self.honest.get_mut(&near)
                && member.near.remove(&far)
            {
                member.service.peer_down(self.now, far);
                member.uplink.retain(|outgoing| outgoing.peer != far);
            }
        }
    }

    fn after(&mut self, time: Duration, event: Event) {
        self.count += 1;
        self.events.insert((self.now + time, self.count), event);
    }

    fn say(&mut self, from: PeerId, said: Said) {
        for (to, lane, data) in said {
            self.after(DELAY, Event::Comes { from, to, lane, data: data.into() });
        }
    }

    fn send_next(&mut self, name: PeerId) {
        let Some(member) = self.honest.get_mut(&name).filter(|member| !member.sending) else { return };
        let Some(Outgoing { peer, lane, data, .. }) = member.uplink.pop_front() else { return };
        member.sending = true;
        let time = Duration::from_secs_f64(data.len() as f64 / RATE as f64);
        self.after(time, Event::Sent(name, peer));
        self.after(time + DELAY, Event::Comes { from: name, to: peer, lane, data });
    }

    fn drain(&mut self, name: PeerId) {
        let now = self.now;
        let mut parted = Vec::new();
        let mut quick = Vec::new();
        let Some(member) = self.honest.get_mut(&name) else { return };
        while let Some(output) = member.service.poll(now) {
            match output {
                Output::Send(outgoing) if outgoing.lane == Lane::Objects => member.uplink.push_back(outgoing),
                Output::Send(Outgoing { peer, lane, data, .. }) => {
                    assert!(data.len() <= MAX_MESSAGE, "a message of {} bytes", data.len());
                    quick.push((peer, lane, data.to_vec()));
                }
                Output::Cancel { id, peer, .. } => {
                    member.uplink.retain(|out| (out.peer, out.id) != (peer, Some(id)));
                    member.tell_room(now, peer);
                }
                Output::Event(ReplicationEvent::Request { index, request, .. }) => {
                    member.service.write_requested_object(now, request, object(index)).unwrap();
                }
                Output::Event(ReplicationEvent::FetchResult { index, object: bytes, from }) => {
                    if bytes == object(index) {
                        member.service.add_have_objects(now, index..index + 1).unwrap();
                        if member.done.is_none() && member.service.have().len() == member.wants {
                            member.done = Some(now);
                        }
                    } else {
                        self.bad += 1;
                        member.service.bad(now, index, from);
                    }
                }
                Output::Event(ReplicationEvent::Misbehaved { peer, reason }) => {
                    self.blamed.push((name, peer, reason));
                    parted.push(peer);
                }
                _ => {}
            }
        }
        limits_hold(&member.service);
        self.say(name, quick);
        self.send_next(name);
        for peer in parted {
            self.part(name, peer);
            let left = self.honest.values().all(|member| member.wants == 0 || !member.near.contains(&peer));
            if left
                && let Some(mut rogue) = self.rogues.remove(&peer)
                && rogue.returns()
            {
                let names: Vec<PeerId> = self.honest.keys().copied().collect();
                names.into_iter().for_each(|other| self.part(other, peer));
                self.join(rogue);
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Comes { from, to, lane, data } => {
                if let Some(member) = self.honest.get_mut(&to) {
                    if member.near.contains(&from) {
                        member.service.message(now, from, lane, &data);
                    }
                } else if let Some(rogue) = self.rogues.get_mut(&to) {
                    let said = rogue.hears(now, from, lane, &data);
                    self.say(to, said);
                }
            }
            Event::Sent(name, peer) => {
                if let Some(member) = self.honest.get_mut(&name) {
                    member.sending = false;
                    member.tell_room(now, peer);
                }
                self.send_next(name);
            }
            Event::Turn => {
                let names: Vec<PeerId> = self.rogues.keys().copied().collect();
                for name in names {
                    let honest = self.honest.iter();
                    let near: Vec<PeerId> =
                        honest.filter(|(_, member)| member.near.contains(&name)).map(|(&peer, _)| peer).collect();
                    if let Some(rogue) = self.rogues.get_mut(&name) {
                        let said = rogue.turn(now, &near);
                        self.say(name, said);
                    }
                }
                self.after(TURN, Event::Turn);
            }
        }
    }

    /// Runs until all have everything, for so long at most; how long it took.
    pub(super) fn finish(&mut self, most: Duration) -> Option<Duration> {
        let (begun, end) = (self.now, self.now + most);
        loop {
            let names: Vec<PeerId> = self.honest.keys().copied().collect();
            for name in names {
                if self.honest[&name].service.has_work() {
                    self.drain(name);
                }
            }
            if self.honest.values().all(|member| member.wants == 0 || member.done.is_some()) {
                return Some(self.now.since(begun));
            }
            let event = self.events.first_key_value().map(|(&(at, _), _)| at);
            let deadline = self.honest.values().filter_map(|member| member.service.deadline()).min();
            let next = event.into_iter().chain(deadline).min().filter(|&next| next <= end)?;
            self.now = self.now.max(next);
            if event.is_some_and(|at| at <= next) {
                let (_, event) = self.events.pop_first().unwrap();
                self.happen(event);
            } else {
                let now = self.now;
                let due =
                    self.honest.values_mut().filter(|member| member.service.deadline().is_some_and(|at| at <= now));
                due.for_each(|member| member.service.handle_timeout(now));
            }
        }
    }
}

/// No table is larger than documented, whatever was said.
pub(super) fn limits_hold(service: &Replication) {
    let mut flying = 0;
    let mut shown = 0;
    for near in service.neighbours.values() {
        let most = if near.banned { MAX_RANGES + MAX_MESSAGE } else { MAX_RANGES };
        assert!(near.have.range_count() <= most, "{} ranges", near.have.range_count());
        assert!(near.want.range_count() <= 256, "{} ranges wanted", near.want.range_count());
        assert!(near.queue.len() <= MAX_QUEUE && near.asked.len() <= 128);
        assert_eq!(near.flying.values().map(|flying| flying.bytes).sum::<usize>(), near.flying_bytes);
        let pending = &near.pending;
        let lists = [&pending.request, &pending.cancel, &pending.deny, &pending.got, &pending.busy];
        assert!(lists.iter().all(|list| list.len() <= 4 * MAX_QUEUE), "{:?}", lists.map(Vec::len));
        assert!(near.shown <= 1_024);
        shown += near.shown;
        flying += near.flying_bytes;
    }
    assert_eq!(shown, service.shown.len());
    assert!(service.pipe.flying <= flying, "{} bytes fly, and {flying} are known", service.pipe.flying);
    assert!(service.pipe.flying <= (16 << 20) + 64 * MAX_OBJECT);
    assert!(service.given.len() <= 64 && service.fetch.checking.len() <= 1_024);
    assert!(service.fetch.tracked.len() <= 262_144 && service.fetch.flight.len() <= 2_048);
    assert!(service.fetch.order.len() <= service.fetch.tracked.len());
}
