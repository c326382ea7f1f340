//! A ring of members in virtual time, each with one service over an ideal view of the group: messages take a latency, members
//! can be unable to connect to each other, and can die unnoticed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pt::base::{Instant, PeerId, Rng};
use p2pt::group::{FIRST_ROOM, GroupAddress, Neighbour, Output, ReceiveMode, View};
use p2pt::service::routing::{Routing, RoutingEvent};
use p2pt::service::storage::{Storage, StorageEvent};

/// What a member does.
pub trait Service {
    /// What it tells.
    type Event;

    fn message(&mut self, now: Instant, view: &View, peer: PeerId, message: &[u8]);
    fn writable(&mut self, now: Instant, peer: PeerId, room: usize);
    fn handle_timeout(&mut self, now: Instant, view: &View);
    fn deadline(&self) -> Option<Instant>;
    fn peer_down(&mut self, now: Instant, view: &View, peer: PeerId);
    fn view_changed(&mut self, now: Instant, view: &View);
    fn poll(&mut self) -> Option<Output<Self::Event>>;
}

/// A service does all this by itself; what it does when its sight changes is its own.
macro_rules! service {
    ($service:ty, $event:ty, $view_changed:expr) => {
        impl Service for $service {
            type Event = $event;

            fn message(&mut self, now: Instant, view: &View, peer: PeerId, message: &[u8]) {
                self.message(now, view, peer, message);
            }

            fn writable(&mut self, now: Instant, peer: PeerId, room: usize) {
                self.writable(now, peer, room);
            }

            fn handle_timeout(&mut self, now: Instant, view: &View) {
                self.handle_timeout(now, view);
            }

            fn deadline(&self) -> Option<Instant> {
                self.deadline()
            }

            fn peer_down(&mut self, now: Instant, view: &View, peer: PeerId) {
                self.peer_down(now, view, peer);
            }

            fn view_changed(&mut self, now: Instant, view: &View) {
                $view_changed(self, now, view);
            }

            fn poll(&mut self) -> Option<Output<$event>> {
                self.poll()
            }
        }
    };
}

service!(Routing, RoutingEvent, |_, _, _| ());
service!(Storage, StorageEvent, Self::view_changed);

pub struct Member<S> {
    pub peer: PeerId,
    pub view: View,
    pub service: S,
    pub is_alive: bool,
    deadline: Option<Instant>,
}

pub struct Ring<S: Service> {
    pub now: Instant,
    pub members: Vec<Member<S>>,
    pub events: Vec<(usize, Instant, S::Event)>,
    /// Bytes sent by everybody.
    pub bytes: u64,
    index: BTreeMap<PeerId, usize>,
    believed: BTreeSet<usize>,
    dead: Vec<usize>,
    blocked: BTreeSet<(usize, usize)>,
    queue: BTreeMap<(Instant, u64), (usize, usize, bytes::Bytes)>,
    timers: BTreeSet<(Instant, usize)>,
    serial: u64,
    seed: u64,
}

/// Peer IDs by chance.
pub fn peers(count: usize, rng: &mut Rng) -> Vec<PeerId> {
    (0..count).map(|_| PeerId(rng.bytes())).collect()
}

/// Half a round trip between two members, always the same: 5 to 75 ms.
pub fn latency(seed: u64, a: usize, b: usize) -> Duration {
    let mixed = (seed ^ ((a.min(b) as u64) << 32 | a.max(b) as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
    Duration::from_micros(5_000 + mixed % 70_000)
}

/// The links of an ideal group: three nearest each side, six of low latency, one random, long links at halves, quarters and so on.
/// Up to ten members are a full mesh. Blocked pairs have none: the next nearest take their place.
pub fn links(
    peers: &[PeerId],
    alive: &BTreeSet<usize>,
    blocked: &BTreeSet<(usize, usize)>,
    seed: u64,
) -> Vec<BTreeSet<usize>> {
    let mut rng = Rng::for_simulation(seed);
    let mut ring: Vec<(GroupAddress, usize)> = alive.iter().map(|&at| (GroupAddress::of(peers[at]), at)).collect();
    ring.sort_unstable();
    let count = ring.len();
    let mut links = vec![BTreeSet::new(); peers.len()];
    let is_open = |a: usize, b: usize| a != b && !blocked.contains(&(a.min(b), a.max(b)));
    for (place, &(address, at)) in ring.iter().enumerate() {
        let mut wanted = BTreeSet::new();
        let step = |by: usize| ring[(place + by) % count].1;
        if count <= 10 {
            wanted.extend((1..count).map(step).filter(|&other| is_open(at, other)));
        } else {
            wanted.extend((1..count).map(step).filter(|&other| is_open(at, other)).take(3));
            wanted.extend((1..count).rev().map(step).filter(|&other| is_open(at, other)).take(3));
            let mut some: Vec<usize> = (0..40).map(|_| ring[rng.below(count as u64) as usize].1).collect();
            some.sort_by_key(|&other| (latency(seed, at, other), other));
            some.dedup();
            wanted.extend(some.into_iter().filter(|&other| is_open(at, other)).take(6));
            wanted.insert(ring[rng.below(count as u64) as usize].1);
            for exponent in 1..=(count.ilog2() as u8) {
                let goal = address.plus(GroupAddress::fraction(exponent));
                let next = ring.partition_point(|(other, _)| *other < goal);
                let near = [ring[next % count], ring[(next + count - 1) % count]];
                wanted.extend(near.iter().min_by_key(|(other, _)| other.distance(goal)).map(|(_, other)| *other));
            }
        }
        for other in wanted.into_iter().filter(|&other| is_open(at, other)) {
            links[at].insert(other);
            links[other].insert(at);
        }
    }
    links
}

/// Views of an ideal group: neighbours by `links`, and knowledge of the eight next members each side.
pub fn views(peers: &[PeerId], alive: &BTreeSet<usize>, links: &[BTreeSet<usize>], seed: u64) -> Vec<View> {
    let mut ring: Vec<(GroupAddress, usize)> = alive.iter().map(|&at| (GroupAddress::of(peers[at]), at)).collect();
    ring.sort_unstable();
    let mut views: Vec<View> = peers.iter().map(|&peer| View::new(peer, ReceiveMode::Nearest)).collect();
    for (place, &(_, at)) in ring.iter().enumerate() {
        for by in (1..=8).chain(ring.len().saturating_sub(8)..ring.len()) {
            views[at].insert_member(peers[ring[(place + by) % ring.len()].1]);
        }
        for &other in &links[at] {
            let rtt = latency(seed, at, other) * 2;
            let (peer, mode) = (peers[other], ReceiveMode::Nearest);
            views[at].insert_neighbour(Neighbour { peer, address: GroupAddress::of(peer), rtt, mode });
        }
    }
    views
}

impl<S: Service> Ring<S> {
    /// `count` members with services from `make`, and the pairs in `blocked` without a link.
    pub fn new(
        count: usize,
        seed: u64,
        blocked: BTreeSet<(usize, usize)>,
        mut make: impl FnMut(usize, PeerId, &mut Rng) -> S,
    ) -> Self {
        let mut rng = Rng::for_simulation(seed);
        let peers = peers(count, &mut rng);
        let believed: BTreeSet<usize> = (0..count).collect();
        let views = views(&peers, &believed, &links(&peers, &believed, &blocked, seed), seed);
        let members: Vec<Member<S>> = std::iter::zip(&peers, views)
            .enumerate()
            .map(|(at, (&peer, view))| {
                let service = make(at, peer, &mut rng);
                Member { peer, view, service, is_alive: true, deadline: None }
            })
            .collect();
        let index = peers.iter().enumerate().map(|(at, peer)| (*peer, at)).collect();
        let mut ring = Self {
            now: Instant::ZERO,
            members,
            events: Vec::new(),
            bytes: 0,
            index,
            believed,
            dead: Vec::new(),
            blocked,
            queue: BTreeMap::new(),
            timers: BTreeSet::new(),
            serial: 0,
            seed,
        };
        (0..count).for_each(|at| ring.pump(at));
        ring
    }

    /// Who is nearest to `target` among those alive.
    pub fn nearest(&self, target: GroupAddress) -> usize {
        let alive = self.members.iter().enumerate().filter(|(_, member)| member.is_alive);
        alive.min_by_key(|(_, member)| member.view.address().distance(target)).expect("somebody is alive").0
    }

    /// Does something at a member.
    pub fn at<R>(&mut self, at: usize, action: impl FnOnce(&mut S, Instant, &View) -> R) -> R {
        let member = &mut self.members[at];
        let result = action(&mut member.service, self.now, &member.view);
        self.pump(at);
        result
    }

    /// A member is gone without a word. The others notice with [`Ring::notice`].
    pub fn kill(&mut self, at: usize) {
        self.members[at].is_alive = false;
        self.dead.push(at);
    }

    /// Everybody notices who is dead, and the links become those of an ideal group again.
    pub fn notice(&mut self) {
        self.dead.clear();
        self.believed.retain(|&at| self.members[at].is_alive);
        self.relink();
    }

    /// Everybody notices that whoever died first of those not noticed yet is dead.
    pub fn notice_first(&mut self) {
        if !self.dead.is_empty() {
            let first = self.dead.remove(0);
            self.believed.remove(&first);
            self.relink();
        }
    }

    fn relink(&mut self) {
        let peers: Vec<PeerId> = self.members.iter().map(|member| member.peer).collect();
        let links = links(&peers, &self.believed, &self.blocked, self.seed);
        let mut views = views(&peers, &self.believed, &links, self.seed);
        for at in self.believed.clone() {
            let view = std::mem::replace(&mut views[at], View::new(peers[at], ReceiveMode::Nearest));
            let old = std::mem::replace(&mut self.members[at].view, view);
            let gone: Vec<PeerId> = old.neighbours().map(|neighbour| neighbour.peer).collect();
            let changed = gone.len() != self.members[at].view.neighbours().len();
            let gone: Vec<PeerId> =
                gone.into_iter().filter(|peer| self.members[at].view.neighbour(*peer).is_none()).collect();
            if self.members[at].is_alive && (changed || !gone.is_empty()) {
                self.at(at, |service, now, view| {
                    gone.iter().for_each(|peer| service.peer_down(now, view, *peer));
                    service.view_changed(now, view);
                });
            }
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let message = self.queue.first_key_value().map(|((at, _), _)| *at);
            let timer = self.timers.first().map(|(at, _)| *at);
            let next = [message, timer].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if message == Some(next) {
                let (_, (from, to, data)) = self.queue.pop_first().expect("it was looked at");
                self.deliver(from, to, &data);
            } else if let Some((_, at)) = self.timers.pop_first() {
                self.members[at].deadline = None;
                if self.members[at].is_alive {
                    self.at(at, |service, now, view| service.handle_timeout(now, view));
                }
            }
        }
        self.now = end;
    }

    fn deliver(&mut self, from: usize, to: usize, data: &[u8]) {
        let (sender, receiver) = (self.members[from].peer, self.members[to].peer);
        if !self.members[to].is_alive {
            return;
        }
        if self.members[from].is_alive {
            self.at(from, |service, now, _| service.writable(now, receiver, FIRST_ROOM));
        }
        if self.members[to].view.neighbour(sender).is_some() {
            self.at(to, |service, now, view| service.message(now, view, sender, data));
        }
    }

    fn pump(&mut self, at: usize) {
        let member = &mut self.members[at];
        while let Some(output) = member.service.poll() {
            match output {
                Output::Send(outgoing) => {
                    let to = self.index[&outgoing.peer];
                    self.bytes += outgoing.data.len() as u64;
                    self.serial += 1;
                    let when = self.now + latency(self.seed, at, to);
                    self.queue.insert((when, self.serial), (at, to, outgoing.data));
                }
                Output::Event(event) => self.events.push((at, self.now, event)),
                other => panic!("a service on the ring neither connects nor cancels: {:?}", other.map(|_| ())),
            }
        }
        let deadline = member.service.deadline();
        if deadline != member.deadline {
            if let Some(old) = member.deadline {
                self.timers.remove(&(old, at));
            }
            member.deadline = deadline;
            self.timers.extend(deadline.map(|deadline| (deadline.max(self.now), at)));
            member.deadline = deadline.map(|deadline| deadline.max(self.now));
        }
    }
}

/// The value below which `percent` of `values` lie.
pub fn percentile(values: &mut [u32], percent: usize) -> u32 {
    values.sort_unstable();
    values.get((values.len() * percent / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(0)
}
