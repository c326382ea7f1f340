//! Members of a group, message by message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::crypto::{Identity, IdentityKind};
use crate::group::{GroupAddress, GroupId, Lane, Neighbour, Outgoing, Output, ReceiveMode, View};
use crate::service::multicast::media::{Head, Unit, unit_kind};
use crate::service::multicast::{
    Multicast, MulticastConfig, MulticastInfo, PlayId, Shown, StreamError, StreamEvent, StreamKey, StreamSettings,
    Wanted,
};

pub(super) const GROUP: GroupId = GroupId([9; 32]);
/// The time of day when worlds begin.
pub(super) const BEGIN: Duration = Duration::from_secs(1_800_000_000);

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn identity(seed: u64) -> Identity {
    Identity::generate(&mut Rng::for_simulation(seed), IdentityKind::default())
}

pub(super) fn config(author: Identity) -> MulticastConfig {
    MulticastConfig { group: GROUP, author, publishing_key: None, grant: None, clock: WallClock { at_zero: BEGIN } }
}

/// Plays whatever has this name.
pub(super) fn named(name: &str) -> Wanted {
    Wanted { name: name.to_owned(), publisher: None, latency: None }
}

/// A message on its way, and what a hostile member makes of it: any number of others.
pub(super) type Manner = Box<dyn FnMut(&mut Rng, Lane, &Bytes) -> Vec<Bytes>>;

pub(super) struct Node {
    pub(super) multicast: Multicast,
    pub(super) peer: PeerId,
    pub(super) up: bool,
    view: View,
    manner: Option<Manner>,
    timer: Option<Instant>,
    pub(super) events: Vec<(Instant, StreamEvent)>,
    pub(super) banned: BTreeMap<PeerId, &'static str>,
    /// Bytes that it sent, of fragments and of everything else.
    pub(super) sent: (u64, u64),
}

impl Node {
    /// What was shown, and when.
    pub(super) fn shown(&self) -> impl DoubleEndedIterator<Item = (Instant, &Shown)> {
        self.events.iter().filter_map(|(at, event)| match event {
            StreamEvent::Show { shown, .. } => Some((*at, shown)),
            _ => None,
        })
    }

    /// The numbers of the units that were shown, as [`World::feed`] writes them.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.shown().map(|(_, shown)| number_of(&shown.unit)).collect()
    }

    pub(super) fn lost(&self) -> u64 {
        self.events
            .iter()
            .map(|(_, event)| if let StreamEvent::Lost { fragments, .. } = event { *fragments } else { 0 })
            .sum()
    }

    pub(super) fn count(&self, of: impl Fn(&StreamEvent) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| of(event)).count()
    }
}

enum Happening {
    Timer(usize),
    Message(usize, usize, Lane, Bytes),
    Room(usize, usize, Lane, usize),
    Cast(usize, Bytes),
}

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) rng: Rng,
    pub(super) nodes: Vec<Node>,
    by_peer: BTreeMap<PeerId, usize>,
    queue: BTreeMap<(Instant, u64), Happening>,
    count: u64,
    /// One-way latency of each link, both ways.
    pub(super) links: BTreeMap<(usize, usize), Duration>,
    unsent: BTreeMap<(usize, usize, Lane), usize>,
    arrives: BTreeMap<(usize, usize, Lane), Instant>,
    /// Of how many messages one is lost, and comes two round trips later.
    pub(super) loss: u64,
    /// Who hears the group's IP multicast address, and of how many datagrams each of them misses one; 0: none.
    air: (Vec<usize>, u64),
    /// When each unit was written.
    pub(super) written: BTreeMap<u64, Instant>,
    units: u64,
}

/// A unit with a number and that many bytes.
pub(super) fn unit(number: u64, len: usize, key: bool) -> Unit {
    let mut data = number.to_be_bytes().to_vec();
    data.extend((0..len.saturating_sub(8)).map(|at| (at as u64 ^ number) as u8));
    Unit { kind: unit_kind::MPEG_TS, timestamp: number as u32, key, data: data.into() }
}

pub(super) fn number_of(unit: &Unit) -> u64 {
    u64::from_be_bytes(*unit.data.first_chunk().expect("a number"))
}

pub(super) fn head() -> Head {
    Head { header: Bytes::from_static(b"header"), tables: Bytes::from_static(b"tables") }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let (nodes, by_peer, queue, links, unsent, arrives, written) = Default::default();
        let (now, rng) = (Instant::ZERO, Rng::for_simulation(seed));
        let air = (Vec::new(), 0);
        Self { now, rng, nodes, by_peer, queue, count: 0, links, unsent, arrives, loss: 100, air, written, units: 0 }
    }

    /// So many members, each linked to about `degree` others with round trips of 20 to 160 ms.
    pub(super) fn of(seed: u64, members: usize, degree: usize) -> Self {
        let mut world = Self::new(seed);
        (0..members).for_each(|_| {
            world.add();
        });
        (0..members).for_each(|node| world.link_some(node, degree));
        world
    }

    pub(super) fn add(&mut self) -> usize {
        let identity = identity(self.nodes.len() as u64 + 1);
        self.add_with(config(identity))
    }

    pub(super) fn add_with(&mut self, config: MulticastConfig) -> usize {
        let at = self.nodes.len();
        let peer = config.author.peer_id();
        let multicast = Multicast::new(self.now, self.rng.fork(), config);
        let view = View::new(peer, ReceiveMode::default());
        let (events, banned) = Default::default();
        self.nodes.push(Node {
            multicast,
            peer,
            up: true,
            view,
            manner: None,
            timer: None,
            events,
            banned,
            sent: (0, 0),
        });
        self.by_peer.insert(peer, at);
        at
    }

    /// What this member sends becomes something else.
    pub(super) fn corrupt(&mut self, node: usize, manner: impl FnMut(&mut Rng, Lane, &Bytes) -> Vec<Bytes> + 'static) {
        self.nodes[node].manner = Some(Box::new(manner));
    }

    pub(super) fn link_some(&mut self, node: usize, degree: usize) {
        let others: Vec<usize> =
            (0..self.nodes.len()).filter(|other| *other != node && self.nodes[*other].up).collect();
        for _ in 0..10 * degree {
            if self.degree(node) >= degree.min(others.len()) {
                break;
            }
            let other = others[self.rng.below(others.len() as u64) as usize];
            let latency = Duration::from_micros(10_000 + self.rng.below(70_000));
            self.link(node, other, latency);
        }
    }

    pub(super) fn degree(&self, node: usize) -> usize {
        self.links.range((node, 0)..(node + 1, 0)).count()
    }

    pub(super) fn link(&mut self, a: usize, b: usize, latency: Duration) {
        let refuses = |a: usize, b: usize| self.nodes[a].banned.contains_key(&self.nodes[b].peer);
        if a == b || self.links.contains_key(&(a, b)) || refuses(a, b) || refuses(b, a) {
            return;
        }
        for (a, b) in [(a, b), (b, a)] {
            self.links.insert((a, b), latency);
            self.forget_way(a, b);
            let peer = self.nodes[b].peer;
            let neighbour =
                Neighbour { peer, address: GroupAddress::of(peer), rtt: latency * 2, mode: ReceiveMode::default() };
            let node = &mut self.nodes[a];
            node.view.insert_neighbour(neighbour);
            node.multicast.peer_up(self.now, &node.view, peer);
        }
        self.drain(a);
        self.drain(b);
    }

    fn forget_way(&mut self, a: usize, b: usize) {
        self.unsent.retain(|(from, to, _), _| (*from, *to) != (a, b));
        self.arrives.retain(|(from, to, _), _| (*from, *to) != (a, b));
    }

    pub(super) fn unlink(&mut self, a: usize, b: usize) {
        for (a, b) in [(a, b), (b, a)] {
            if self.links.remove(&(a, b)).is_some() {
                let peer = self.nodes[b].peer;
                let node = &mut self.nodes[a];
                node.view.remove_member(peer);
                node.multicast.peer_down(self.now, &node.view, peer);
            }
        }
        self.drain(a);
        self.drain(b);
    }

    /// A member is gone without a word; its neighbours notice at once.
    pub(super) fn kill(&mut self, node: usize) {
        self.nodes[node].up = false;
        let others: Vec<usize> = self.links.range((node, 0)..(node + 1, 0)).map(|((_, other), _)| *other).collect();
        others.into_iter().for_each(|other| self.unlink(node, other));
    }

    pub(super) fn publish(&mut self, node: usize, name: &str, settings: StreamSettings) -> StreamKey {
        self.nodes[node].multicast.publish(self.now, name, settings).expect("it may")
    }

    pub(super) fn write(&mut self, node: usize, key: StreamKey, unit: &Unit) -> Result<(), StreamError> {
        let result = self.nodes[node].multicast.write(self.now, key, unit, &head());
        self.drain(node);
        result
    }

    /// Writes a unit with the next number.
    pub(super) fn feed(&mut self, node: usize, key: StreamKey, len: usize, is_key: bool) -> u64 {
        let number = self.units;
        self.units += 1;
        self.written.insert(number, self.now);
        self.write(node, key, &unit(number, len, is_key)).expect("it is ours");
        number
    }

    /// Writes 25 units a second for so long, of `rate` bytes a second, with a larger one each second, which is a key.
    pub(super) fn stream(&mut self, node: usize, key: StreamKey, rate: usize, time: Duration) {
        let end = self.now + time;
        let mut count = 0;
        while self.now < end {
            let is_key = count % 25 == 0;
            self.feed(node, key, if is_key { rate / 5 } else { rate / 30 }, is_key);
            count += 1;
            self.run(ms(40).min(end - self.now));
        }
    }

    pub(super) fn unpublish(&mut self, node: usize, key: StreamKey) {
        self.nodes[node].multicast.unpublish(self.now, key);
        self.drain(node);
    }

    pub(super) fn play(&mut self, node: usize, wanted: Wanted) -> PlayId {
        let play = self.nodes[node].multicast.play(self.now, wanted);
        self.drain(node);
        play
    }

    pub(super) fn info(&self, node: usize, key: StreamKey) -> MulticastInfo {
        self.nodes[node].multicast.info(self.now, key).unwrap_or_default()
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            match happening {
                Happening::Timer(at) => {
                    let node = &mut self.nodes[at];
                    if node.timer == Some(self.now) && node.up {
                        node.timer = None;
                        node.multicast.handle_timeout(self.now, &node.view);
                        self.drain(at);
                    }
                }
                Happening::Message(from, to, lane, message) => {
                    if self.links.contains_key(&(from, to)) {
                        let peer = self.nodes[from].peer;
                        let node = &mut self.nodes[to];
                        node.multicast.message(at, &node.view, peer, lane, &message);
                        self.drain(to);
                    }
                }
                Happening::Cast(to, message) => {
                    self.nodes[to].multicast.heard_cast(at, &message);
                    self.drain(to);
                }
                Happening::Room(from, to, lane, bytes) => {
                    if self.links.contains_key(&(from, to)) {
                        let unsent = self.unsent.entry((from, to, lane)).or_default();
                        *unsent = unsent.saturating_sub(bytes);
                        let room = lane.room().saturating_sub(*unsent);
                        let peer = self.nodes[to].peer;
                        self.nodes[from].multicast.writable(at, peer, lane, room);
                        self.drain(from);
                    }
                }
            }
        }
        self.now = end;
    }

    /// These hear the group's own IP multicast address from now on, but for each `loss`-th datagram.
    pub(super) fn put_on_air(&mut self, nodes: &[usize], loss: u64) {
        (0..self.nodes.len()).for_each(|node| self.nodes[node].multicast.set_casting(nodes.contains(&node)));
        self.air = (nodes.to_vec(), loss);
    }

    /// Says something on that address.
    pub(super) fn say(&mut self, from: usize, message: &Bytes) {
        let hearers: Vec<usize> = self.air.0.iter().copied().filter(|to| *to != from && self.nodes[*to].up).collect();
        for to in hearers {
            if self.air.1 == 0 || self.rng.below(self.air.1) > 0 {
                self.happens(self.now + ms(1), Happening::Cast(to, message.clone()));
            }
        }
    }

    fn happens(&mut self, at: Instant, happening: Happening) {
        self.count += 1;
        self.queue.insert((at, self.count), happening);
    }

    pub(super) fn drain(&mut self, node: usize) {
        let mut left = BTreeSet::new();
        while let Some(output) = self.nodes[node].multicast.poll() {
            match output {
                Output::Send(outgoing) => self.send(node, outgoing),
                Output::Finish { .. } => {}
                Output::Cast(message) => self.say(node, &message),
                Output::Event(event) => {
                    if let StreamEvent::Misbehaved { peer, reason } = event {
                        self.nodes[node].banned.insert(peer, reason);
                        left.insert(self.by_peer[&peer]);
                    }
                    self.nodes[node].events.push((self.now, event));
                }
                other => panic!("{other:?}"),
            }
        }
        if let Some(deadline) = self.nodes[node].multicast.deadline()
            && self.nodes[node].timer.is_none_or(|timer| timer > deadline)
            && self.nodes[node].up
        {
            let at = deadline.max(self.now);
            self.nodes[node].timer = Some(at);
            self.happens(at, Happening::Timer(node));
        }
        left.into_iter().for_each(|other| self.unlink(node, other));
    }

    fn send(&mut self, from: usize, Outgoing { peer, lane, data, .. }: Outgoing) {
        let Some(&latency) = self.by_peer.get(&peer).and_then(|to| self.links.get(&(from, *to))) else { return };
        let to = self.by_peer[&peer];
        let unsent = self.unsent.entry((from, to, lane)).or_default();
        *unsent += data.len();
        assert!(*unsent <= lane.room(), "more than there is room for");
        self.happens(self.now + 2 * latency, Happening::Room(from, to, lane, data.len()));
        let messages = match &mut self.nodes[from].manner {
            Some(manner) => manner(&mut self.rng, lane, &data),
            None => vec![data],
        };
        messages.into_iter().for_each(|message| self.carry(from, to, lane, message));
    }

    pub(super) fn carry(&mut self, from: usize, to: usize, lane: Lane, message: Bytes) {
        let sent = &mut self.nodes[from].sent;
        let is_data = matches!(lane, Lane::Fragments(_));
        *(if is_data { &mut sent.0 } else { &mut sent.1 }) += message.len() as u64;
        let latency = self.links[&(from, to)];
        let lost = self.loss > 0 && self.rng.below(self.loss) == 0;
        let mut arrives = self.now + if lost { 5 * latency } else { latency };
        if !is_data {
            // Flows keep their order, but for fragments.
            let last = self.arrives.entry((from, to, lane)).or_default();
            arrives = arrives.max(*last);
            *last = arrives;
        }
        self.happens(arrives, Happening::Message(from, to, lane, message));
    }
}
