//! Members of a group, message by message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::crypto::{Identity, IdentityKind};
use crate::group::{FIRST_ROOM, GroupId, Outgoing, Output};
use crate::service::posting::{Post, PostError, PostId, Posting, PostingConfig, PostingEvent, PostingStats, Verdict};

pub(super) const GROUP: GroupId = GroupId([9; 32]);
/// The time of day when worlds begin.
pub(super) const BEGIN: Duration = Duration::from_secs(1_800_000_000);

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn identity(seed: u64) -> Identity {
    Identity::generate(&mut Rng::for_simulation(seed), IdentityKind::default())
}

pub(super) fn config(author: Identity) -> PostingConfig {
    PostingConfig {
        group: GROUP,
        author,
        posting_key: None,
        grant: None,
        clock: WallClock { at_zero: BEGIN },
        retention: Duration::from_secs(300),
    }
}

/// How a member behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Honest,
    /// Takes part in everything but sends no posts of others.
    Silent,
    /// Changes every post that it passes on.
    Forging,
    /// Sends everything thrice, and each post again a second later.
    Replaying,
    /// Sends mutated messages besides.
    Flooding,
}

pub(super) struct Node {
    pub(super) posting: Posting,
    pub(super) peer: PeerId,
    pub(super) manner: Manner,
    pub(super) up: bool,
    timer: Option<Instant>,
    pub(super) got: Vec<(Instant, Post)>,
    pub(super) answers: Vec<(PostId, PeerId, Verdict)>,
    pub(super) banned: BTreeSet<PeerId>,
}

enum Happening {
    Timer(usize),
    Message(usize, usize, Bytes),
    Room(usize, usize, usize),
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
    /// Bytes on their way.
    unsent: BTreeMap<(usize, usize), usize>,
    /// When the last message arrives: flows keep their order.
    arrives: BTreeMap<(usize, usize), Instant>,
    /// Of how many messages one is lost, and comes two round trips later.
    pub(super) loss: u64,
    /// What was posted, by whom and when.
    pub(super) posted: BTreeMap<PostId, (usize, Instant)>,
    pub(super) bytes: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: Rng::for_simulation(seed),
            nodes: Vec::new(),
            by_peer: BTreeMap::new(),
            queue: BTreeMap::new(),
            count: 0,
            links: BTreeMap::new(),
            unsent: BTreeMap::new(),
            arrives: BTreeMap::new(),
            loss: 100,
            posted: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// `members` honest members, each linked to about `degree` others with latencies of 10 to 150 ms.
    pub(super) fn of(seed: u64, members: usize, degree: usize) -> Self {
        let mut world = Self::new(seed);
        (0..members).for_each(|_| {
            world.add(Manner::Honest);
        });
        for node in 0..members {
            world.link_some(node, degree);
        }
        world
    }

    pub(super) fn add(&mut self, manner: Manner) -> usize {
        let identity = identity(self.nodes.len() as u64 + 1);
        self.add_with(manner, config(identity))
    }

    pub(super) fn add_with(&mut self, manner: Manner, config: PostingConfig) -> usize {
        let at = self.nodes.len();
        let peer = config.author.peer_id();
        let posting = Posting::new(self.now, self.rng.fork(), config);
        let (got, answers, banned) = (Vec::new(), Vec::new(), BTreeSet::new());
        self.nodes.push(Node { posting, peer, manner, up: true, timer: None, got, answers, banned });
        self.by_peer.insert(peer, at);
        at
    }

    /// Links a member to random others until it has `degree` links, or there is nobody else.
    pub(super) fn link_some(&mut self, node: usize, degree: usize) {
        let others: Vec<usize> =
            (0..self.nodes.len()).filter(|other| *other != node && self.nodes[*other].up).collect();
        for _ in 0..10 * degree {
            if self.degree(node) >= degree.min(others.len()) {
                break;
            }
            let other = others[self.rng.below(others.len() as u64) as usize];
            let latency = Duration::from_micros(10_000 + self.rng.below(140_000));
            self.link(node, other, latency);
        }
    }

    pub(super) fn degree(&self, node: usize) -> usize {
        self.links.range((node, 0)..(node + 1, 0)).count()
    }

    pub(super) fn link(&mut self, a: usize, b: usize, latency: Duration) {
        if a == b || self.links.contains_key(&(a, b)) || self.nodes[a].banned.contains(&self.nodes[b].peer) {
            return;
        }
        for (a, b) in [(a, b), (b, a)] {
            self.links.insert((a, b), latency);
            self.unsent.remove(&(a, b));
            self.arrives.remove(&(a, b));
            let peer = self.nodes[b].peer;
            self.nodes[a].posting.peer_up(self.now, peer, latency * 2);
            self.drain(a);
        }
    }

    pub(super) fn unlink(&mut self, a: usize, b: usize) {
        for (a, b) in [(a, b), (b, a)] {
            if self.links.remove(&(a, b)).is_some() {
                let peer = self.nodes[b].peer;
                self.nodes[a].posting.peer_down(self.now, peer);
                self.drain(a);
            }
        }
    }

    /// A member is gone without a word; its neighbours notice at once.
    pub(super) fn kill(&mut self, node: usize) {
        self.nodes[node].up = false;
        let others: Vec<usize> = self.links.range((node, 0)..(node + 1, 0)).map(|((_, other), _)| *other).collect();
        others.into_iter().for_each(|other| self.unlink(node, other));
    }

    pub(super) fn post(&mut self, node: usize, body: impl Into<Bytes>) -> PostId {
        self.try_post(node, body).expect("there is room")
    }

    pub(super) fn try_post(&mut self, node: usize, body: impl Into<Bytes>) -> Result<PostId, PostError> {
        let id = self.nodes[node].posting.post(self.now, None, body.into())?;
        self.posted.insert(id, (node, self.now));
        self.drain(node);
        Ok(id)
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            match happening {
                Happening::Timer(node) => {
                    if self.nodes[node].timer == Some(at) && self.nodes[node].up {
                        self.nodes[node].timer = None;
                        self.nodes[node].posting.handle_timeout(at);
                        self.drain(node);
                    }
                }
                Happening::Message(from, to, message) => {
                    if self.links.contains_key(&(from, to)) {
                        let peer = self.nodes[from].peer;
                        self.nodes[to].posting.message(at, peer, &message);
                        self.drain(to);
                    }
                }
                Happening::Room(from, to, bytes) => {
                    if self.links.contains_key(&(from, to)) {
                        let unsent = self.unsent.entry((from, to)).or_default();
                        *unsent = unsent.saturating_sub(bytes);
                        let room = FIRST_ROOM.saturating_sub(*unsent);
                        let peer = self.nodes[to].peer;
                        self.nodes[from].posting.writable(at, peer, room);
                        self.drain(from);
                    }
                }
            }
        }
        self.now = end;
    }

    fn happens(&mut self, at: Instant, happening: Happening) {
        self.count += 1;
        self.queue.insert((at, self.count), happening);
    }

    pub(super) fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].posting.poll() {
            match output {
                Output::Send(outgoing) => self.send(node, outgoing),
                Output::Event(PostingEvent::Notify(post)) => self.nodes[node].got.push((self.now, post)),
                Output::Event(PostingEvent::Answered { id, by, verdict }) => {
                    self.nodes[node].answers.push((id, by, verdict));
                }
                Output::Event(PostingEvent::Misbehaved { peer, .. }) => {
                    self.nodes[node].banned.insert(peer);
                    let other = self.by_peer[&peer];
                    self.unlink(node, other);
                }
                other => panic!("{other:?}"),
            }
        }
        let deadline = self.nodes[node].posting.deadline();
        if let Some(deadline) = deadline
            && self.nodes[node].timer.is_none_or(|timer| timer > deadline)
            && self.nodes[node].up
        {
            let at = deadline.max(self.now);
            self.nodes[node].timer = Some(at);
            self.happens(at, Happening::Timer(node));
        }
    }

    fn send(&mut self, from: usize, Outgoing { peer, data, .. }: Outgoing) {
        let to = self.by_peer[&peer];
        if !self.links.contains_key(&(from, to)) {
            return;
        }
        let unsent = self.unsent.entry((from, to)).or_default();
        *unsent += data.len();
        assert!(*unsent <= FIRST_ROOM, "more than there is room for");
        let is_relayed = data.first() == Some(&1) && data.get(1) != Some(&0);
        match self.nodes[from].manner {
            Manner::Silent if is_relayed => {}
            Manner::Forging if is_relayed => {
                let mut forged = data.to_vec();
                let at = forged.len() - 70;
                forged[at] ^= 1;
                self.carry(from, to, forged.into(), Duration::ZERO);
            }
            Manner::Replaying => {
                (0..3).for_each(|_| self.carry(from, to, data.clone(), Duration::ZERO));
                self.carry(from, to, data.clone(), ms(1000));
            }
            Manner::Flooding => {
                let mut mutated = data.to_vec();
                for _ in 0..4 {
                    let at = self.rng.below(mutated.len() as u64) as usize;
                    mutated[at] = self.rng.u32() as u8;
                }
                self.carry(from, to, data.clone(), Duration::ZERO);
                self.carry(from, to, mutated.into(), Duration::ZERO);
            }
            _ => self.carry(from, to, data.clone(), Duration::ZERO),
        }
        let latency = self.links[&(from, to)];
        self.happens(self.now + 2 * latency, Happening::Room(from, to, data.len()));
    }

    fn carry(&mut self, from: usize, to: usize, message: Bytes, delay: Duration) {
        self.bytes += message.len() as u64;
        let latency = self.links[&(from, to)];
        let lost = self.loss > 0 && self.rng.below(self.loss) == 0;
        let arrives = self.now + delay + if lost { 5 * latency } else { latency };
        let arrives = arrives.max(self.arrives.get(&(from, to)).copied().unwrap_or_default());
        self.arrives.insert((from, to), arrives);
        self.happens(arrives, Happening::Message(from, to, message));
    }

    /// What all members together counted.
    pub(super) fn stats(&self) -> PostingStats {
        let mut sum = PostingStats::default();
        for stats in self.nodes.iter().map(|node| node.posting.stats()) {
            sum.received += stats.received;
            sum.duplicates += stats.duplicates;
            sum.data = (sum.data.0 + stats.data.0, sum.data.1 + stats.data.1);
            sum.control = (sum.control.0 + stats.control.0, sum.control.1 + stats.control.1);
            sum.malformed += stats.malformed;
            sum.limited += stats.limited;
        }
        sum
    }

    /// Judges the posts of `ids` by what the members `who` got.
    pub(super) fn report(&self, ids: &[PostId], who: &[usize]) -> Report {
        let mut times = Vec::new();
        let mut report = Report::default();
        let wanted: BTreeSet<PostId> = ids.iter().copied().collect();
        for &node in who {
            let mut got = BTreeSet::new();
            for (at, post) in self.nodes[node].got.iter().filter(|(_, post)| wanted.contains(&post.id)) {
                if !got.insert(post.id) {
                    report.doubled += 1;
                }
                times.push(at.since(self.posted[&post.id].1));
                report.hops = report.hops.max(post.hops);
            }
            report.missed += ids.iter().filter(|id| self.posted[id].0 != node && !got.contains(id)).count();
        }
        times.sort_unstable();
        if !times.is_empty() {
            report.p50 = times[times.len() / 2];
            report.p99 = times[times.len() * 99 / 100];
            report.last = times[times.len() - 1];
        }
        report
    }
}

/// How posts arrived.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) missed: usize,
    pub(super) doubled: usize,
    pub(super) hops: u32,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) last: Duration,
}
