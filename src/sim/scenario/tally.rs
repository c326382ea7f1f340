//! What is seen while a scenario runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::super::swarm::MemberId;
use super::ground::{Ground, Happened};
use super::people::People;
use super::report::{Posts, Routes, Stored};
use super::samples::Samples;
use crate::base::{Instant, PeerId};
use crate::group::GroupAddress;
use crate::node::MemberEvent;
use crate::node::multicast::StreamEvent;
use crate::node::posting::{Post, PostId, PostingEvent, PostingStats, Verdict};
use crate::node::replication::ReplicationEvent;
use crate::node::routing::{Routed, RoutingEvent};
use crate::node::storage::{StorageEvent, StoreId};

/// Members as bits.
#[derive(Default)]
struct Set(Vec<u64>);

impl Set {
    fn insert(&mut self, id: MemberId) -> bool {
        let (word, bit) = (id.0 as usize / 64, id.0 % 64);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let fresh = self.0[word] >> bit & 1 == 0;
        self.0[word] |= 1 << bit;
        fresh
    }

    fn contains(&self, id: MemberId) -> bool {
        self.0.get(id.0 as usize / 64).is_some_and(|word| word >> (id.0 % 64) & 1 == 1)
    }

    fn iter(&self) -> impl Iterator<Item = MemberId> + '_ {
        let bits =
            |(at, &word): (usize, &u64)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| (at, bit));
        self.0.iter().enumerate().flat_map(bits).map(|(at, bit)| MemberId((at * 64 + bit) as u32))
    }
}

struct Sent {
    at: Instant,
    author: MemberId,
    side: u32,
    /// To whom it is due, if they stay.
    due: Set,
    got: Set,
}

struct Route {
    at: Instant,
    target: GroupAddress,
    arrived: bool,
}

struct Value {
    author: PeerId,
    held: bool,
}

/// When the network was in two.
#[derive(Clone, Copy, Default)]
pub(super) struct Cut {
    pub(super) from: Option<Instant>,
    pub(super) mended: Option<Instant>,
}

/// What was seen so far.
#[derive(Default)]
pub(super) struct Tally {
    posts: Vec<Sent>,
    by_post: BTreeMap<PostId, usize>,
    pub(super) posted: Posts,
    routes: Vec<Route>,
    pub(super) routed: Routes,
    values: Vec<Value>,
    puts: BTreeMap<(MemberId, StoreId), usize>,
    gets: BTreeMap<(MemberId, StoreId), (usize, Instant)>,
    pub(super) stored: Stored,
    pub(super) cut: Cut,
    /// When the last post from before the mending reached the other half.
    pub(super) crossed: Option<Instant>,
    pub(super) wronged: u64,
    /// Of those who left.
    past: Copies,
    warm: Option<Copies>,
}

/// Posts received for the first time, and again.
#[derive(Clone, Copy, Default)]
pub(super) struct Copies {
    pub(super) first: u64,
    pub(super) again: u64,
}

impl Copies {
    fn add(&mut self, stats: &PostingStats) {
        self.first += stats.received;
        self.again += stats.duplicates;
    }
}

/// The body of the `number`-th post or routed message.
pub(super) fn body(number: usize, size: usize) -> Bytes {
    let mut body = (number as u64).to_be_bytes().to_vec();
    body.resize(size.max(8), (number % 251) as u8);
    body.into()
}

/// The key and the value of the `number`-th record.
pub(super) fn record(number: usize) -> (Vec<u8>, Bytes) {
    (format!("value {number}").into_bytes(), body(number, 64))
}

impl Tally {
    pub(super) fn posted<G: Ground>(&mut self, ground: &G, people: &People, author: MemberId, id: PostId) {
        let mut due = Set::default();
        for other in people.honest().filter(|&other| other != author) {
            if ground.member(other).is_some_and(|member| member.view().neighbours().len() > 0) {
                due.insert(other);
            }
        }
        self.by_post.insert(id, self.posts.len());
        let side = people.get(author).side;
        self.posts.push(Sent { at: ground.now(), author, side, due, got: Set::default() });
        self.posted.sent += 1;
    }

    /// The number of the next post.
    pub(super) const fn next_post(&self) -> usize {
        self.posts.len()
    }

    /// The number of the next routed message, which is for `target`.
    pub(super) fn routed(&mut self, at: Instant, target: GroupAddress) -> usize {
        self.routes.push(Route { at, target, arrived: false });
        self.routed.sent += 1;
        self.routes.len() - 1
    }

    /// The number of the next value, which `author` puts.
    pub(super) fn value(&mut self, author: PeerId) -> usize {
        self.values.push(Value { author, held: false });
        self.stored.put += 1;
        self.values.len() - 1
    }

    pub(super) fn put(&mut self, by: MemberId, id: StoreId, number: usize) {
        self.puts.insert((by, id), number);
    }

    pub(super) fn asked(&mut self, now: Instant, by: MemberId, id: StoreId, number: usize) {
        self.gets.insert((by, id), (number, now));
        self.stored.asked += 1;
    }

    /// Values of which it is known that somebody holds them.
    pub(super) fn held(&self) -> Vec<usize> {
        let held = self.values.iter().enumerate().filter(|(_, value)| value.held);
        held.map(|(number, _)| number).collect()
    }

    /// Somebody is about to leave.
    pub(super) fn leaving(&mut self, stats: &PostingStats) {
        self.past.add(stats);
    }

    pub(super) fn copies<G: Ground>(&self, ground: &G, people: &People) -> Copies {
        let mut sum = self.past;
        people.honest().filter_map(|id| ground.member(id)).for_each(|member| sum.add(&member.posting().stats()));
        sum
    }

    /// Redundancy counts from now on.
    pub(super) fn warmed_up<G: Ground>(&mut self, ground: &G, people: &People) {
        self.warm = Some(self.copies(ground, people));
    }

    pub(super) fn happened(&mut self, people: &People, (now, id, event): Happened) {
        if people.get(id).hostile {
            return;
        }
        match event {
            MemberEvent::Membership(_) => {}
            MemberEvent::Posting(event) => match event {
                PostingEvent::Notify(post) => self.got_post(people, now, id, &post),
                PostingEvent::Answered { verdict, .. } => {
                    self.posted.denied += u64::from(verdict != Verdict::Accepted);
                }
                PostingEvent::Misbehaved { peer, .. } => self.blamed(people, peer),
            },
            MemberEvent::Routing(event) => match event {
                RoutingEvent::Notify(routed) => self.got_route(people, now, id, &routed),
                RoutingEvent::Delivered { .. } => self.routed.acknowledged += 1,
                RoutingEvent::Misbehaved { peer, .. } => self.blamed(people, peer),
                RoutingEvent::Undelivered { .. } => {}
            },
            MemberEvent::Storage(event) => self.got_record(people, now, id, event),
            MemberEvent::Replication(ReplicationEvent::Misbehaved { peer, .. }) => self.blamed(people, peer),
            MemberEvent::Multicast(StreamEvent::Misbehaved { peer, .. }) => self.blamed(people, peer),
            MemberEvent::Replication(_) | MemberEvent::Multicast(_) => {}
        }
    }

    fn blamed(&mut self, people: &People, peer: PeerId) {
        self.wronged += u64::from(people.find(peer).is_some_and(|id| !people.get(id).hostile));
    }

    fn got_post(&mut self, people: &People, now: Instant, id: MemberId, post: &Post) {
        let number = self.by_post.get(&post.id).copied();
        let Some((number, sent)) = number.and_then(|number| Some((number, self.posts.get_mut(number)?))) else {
            self.posted.forged += 1;
            return;
        };
        if post.body != body(number, post.body.len()) {
            self.posted.forged += 1;
        }
        if id == sent.author || !sent.got.insert(id) {
            self.posted.twice += 1;
            return;
        }
        if !sent.due.contains(id) {
            self.posted.caught_up += 1;
            return;
        }
        // A side is kept when the network is whole again.
        let during = |from: Instant| sent.at + GRACE >= from && self.cut.mended.is_none_or(|mended| sent.at < mended);
        if sent.side != people.get(id).side && self.cut.from.is_some_and(during) {
            self.crossed = self.crossed.max(Some(now));
        } else {
            self.posted.delay.add(now.since(sent.at).as_micros() as u64);
        }
        self.posted.hops.add(post.hops.into());
    }

    fn got_route(&mut self, people: &People, now: Instant, id: MemberId, routed: &Routed) {
        let number = routed.body.first_chunk().map(|number| u64::from_be_bytes(*number) as usize);
        let Some(route) = number.and_then(|number| self.routes.get_mut(number)) else { return };
        if routed.target != Some(route.target) || std::mem::replace(&mut route.arrived, true) {
            return;
        }
        if people.nearest(route.target) == Some(id) {
            self.routed.found += 1;
        } else {
            self.routed.astray += 1;
        }
        self.routed.hops.add(routed.hops.into());
        self.routed.delay.add(now.since(route.at).as_micros() as u64);
    }

    fn got_record(&mut self, people: &People, now: Instant, id: MemberId, event: StorageEvent) {
        match event {
            StorageEvent::Stored { id: question, copies } => {
                let Some(number) = self.puts.get(&(id, question)) else { return };
                let value = &mut self.values[*number];
                if copies > 0 && !std::mem::replace(&mut value.held, true) {
                    self.stored.held += 1;
                    self.stored.copies.add(copies as u64);
                }
            }
            StorageEvent::Found { id: question, records, .. } => {
                let Some((number, at)) = self.gets.remove(&(id, question)) else { return };
                let (key, value) = record(number);
                let author = self.values[number].author;
                let right = |found: &crate::node::storage::Record| {
                    found.author == Some(author) && found.key == key && found.value.as_ref() == Some(&value)
                };
                match records.iter().any(right) {
                    true => self.stored.found += 1,
                    false if records.is_empty() => self.stored.not_found += 1,
                    false => self.stored.wrong += 1,
                }
                self.stored.wrong += records.iter().filter(|found| !right(found)).count() as u64;
                self.stored.delay.add(now.since(at).as_micros() as u64);
            }
            StorageEvent::Misbehaved { peer, .. } => self.blamed(people, peer),
            StorageEvent::Refused { .. } | StorageEvent::TimedOut { .. } => {}
        }
    }

    /// Sums up, when all is over.
    pub(super) fn finish<G: Ground>(&mut self, ground: &G, people: &People) {
        for sent in &self.posts {
            // A post that died with its author is nobody's any more.
            let dead = !people.is_there(sent.author) && sent.got.iter().next().is_none();
            for id in sent.due.iter().filter(|&id| people.is_there(id) && !dead) {
                if sent.got.contains(id) {
                    self.posted.delivered += 1;
                } else {
                    self.posted.missed += 1;
                }
            }
        }
        let (end, warm) = (self.copies(ground, people), self.warm.unwrap_or_default());
        let first = end.first.saturating_sub(warm.first).max(1);
        self.posted.redundancy = end.again.saturating_sub(warm.again) as f64 / first as f64;
        self.routed.lost = self.routes.iter().filter(|route| !route.arrived).count() as u64;
        self.routed.lost -= self.routed.refused.min(self.routed.lost);
        // Whoever was killed got no answer, and expects none.
        let orphans = self.puts.iter().filter(|((by, _), number)| !self.values[**number].held && !people.is_there(*by));
        self.stored.abandoned = orphans.count() as u64;
        let left: BTreeSet<_> = self.gets.keys().map(|(by, _)| *by).filter(|&by| people.is_there(by)).collect();
        let unanswered = self.gets.keys().filter(|(by, _)| left.contains(by)).count() as u64;
        self.stored.asked -= self.gets.len() as u64 - unanswered;
        self.stored.unanswered = unanswered;
        let posts = [&mut self.posted.hops, &mut self.posted.delay];
        let routes = [&mut self.routed.hops, &mut self.routed.delay];
        let stored = [&mut self.stored.copies, &mut self.stored.delay];
        posts.into_iter().chain(routes).chain(stored).for_each(Samples::sort);
    }
}

/// How long before a cut what was posted may still be on its way.
const GRACE: Duration = Duration::from_secs(2);
