//! The machine: what callers and time make it do, and what it keeps.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::format::{LinkState, Message};
use super::lag::Lag;
use super::missing::Missing;
use super::neighbour::{Due, Neighbour};
use super::signed::{Signed, sign_post};
use super::store::{Held, Key, Origin, Store};
use super::streams::{GAP_WAIT, Streams};
use super::tree::Tree;
use super::types::{MAX_BODY, Post, PostError, PostId, PostingConfig, PostingEvent, PostingStats, Verdict};
use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::group::{GrantKind, Lane, Outgoing, Output, verify_grant};

/// How far ahead of our clock a post's time may be.
pub(super) const MAX_AHEAD: Duration = Duration::from_secs(600);
/// Neighbours to which posts are pushed before the tree has a shape.
pub(super) const FIRST_EAGER: usize = 4;
/// Posts of ours that wait for the first neighbour.
const MAX_UNSENT: usize = 1024;
/// Bytes of them.
const MAX_UNSENT_BYTES: usize = 8 << 20;
/// A post of ours is held for so long before a newer one takes its room: the newer one waits. Members that did not get it by
/// push ask for it within that time.
pub(super) const HELD_AT_LEAST: Duration = Duration::from_secs(5);
/// Posts of ours whose answers are expected.
const MAX_OWN: usize = 8192;
/// Bytes that a post of ours has at most besides its body.
const MAX_HEAD: usize = 512;
/// Questions that may be outstanding at one neighbour.
const MAX_IN_FLIGHT: usize = 256;

/// The posting service of one membership.
#[derive(Debug)]
pub struct Posting {
    pub(super) config: PostingConfig,
    pub(super) rng: Rng,
    instance: [u8; 8],
    sequence: u64,
    pub(super) outputs: VecDeque<Output<PostingEvent>>,
    pub(super) neighbours: BTreeMap<PeerId, Neighbour>,
    pub(super) store: Store,
    pub(super) streams: Streams,
    pub(super) missing: Missing,
    /// Our posts, and when they were posted, for the answers to them.
    pub(super) own: BTreeMap<PostId, Instant>,
    /// Our posts that nobody could be sent.
    unsent: Vec<Key>,
    pub(super) lag: Lag,
    pub(super) median_rtt: Duration,
    pub(super) tree: Tree,
    /// When a link was last made eager because a post was late.
    pub(super) last_graft: Option<Instant>,
    /// When to compare with some neighbour what we hold.
    pub(super) compare_at: Option<Instant>,
    /// We have compared with somebody what we hold.
    pub(super) compared: bool,
    /// Grants that were verified.
    pub(super) grants: BTreeMap<PeerId, Bytes>,
    pub(super) stats: PostingStats,
}

impl Posting {
    /// Nothing posted yet.
    #[must_use]
    pub fn new(_now: Instant, mut rng: Rng, config: PostingConfig) -> Self {
        let (instance, beats) = (rng.bytes(), rng.bytes());
        Self {
            config,
            rng,
            instance,
            sequence: 0,
            outputs: VecDeque::new(),
            neighbours: BTreeMap::new(),
            store: Store::default(),
            streams: Streams::default(),
            missing: Missing::default(),
            own: BTreeMap::new(),
            unsent: Vec::new(),
            lag: Lag::default(),
            median_rtt: Duration::ZERO,
            tree: Tree::new(beats),
            last_graft: None,
            compare_at: None,
            compared: false,
            grants: BTreeMap::new(),
            stats: PostingStats::default(),
        }
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.config.clock = clock;
    }

    /// Posts under our identity. Goes out as soon as there is a neighbour.
    ///
    /// # Errors
    /// [`PostError`].
    pub fn post(&mut self, now: Instant, nick: Option<&str>, body: Bytes) -> Result<PostId, PostError> {
        if body.len() > MAX_BODY {
            return Err(PostError::TooLong);
        }
        self.check_room(now, self.config.author.peer_id(), body.len() + MAX_HEAD)?;
        let config = &self.config;
        let time = config.clock.unix_millis(now);
        let (group, sequence) = (config.group, self.sequence + 1);
        let grant = config.grant.as_deref();
        let signed = sign_post(&config.author, group, self.instance, sequence, time, nick, &body, grant);
        let post = Signed::parse(&signed).ok_or(PostError::Malformed)?;
        self.check_own(now, &post)?;
        self.sequence = sequence;
        Ok(self.send_out(now, &signed, &post))
    }

    /// A post that somebody on this machine signed, with [`sign_post`]: it goes out as if it were ours. One that went out
    /// before is not sent again.
    ///
    /// # Errors
    /// [`PostError`] if it is not fit to go out.
    pub fn inject(&mut self, now: Instant, signed: Bytes) -> Result<PostId, PostError> {
        let group = self.config.group;
        let post = Signed::parse(&signed).ok_or(PostError::Malformed)?;
        let envelope = post.envelope().filter(|envelope| !envelope.beat);
        if envelope.is_none() || !post.is_signed(group) {
            return Err(PostError::Malformed);
        }
        self.check_own(now, &post)?;
        if self.streams.seen((post.stream(), post.sequence)) {
            return Ok(post.id(group));
        }
        self.check_room(now, post.author, signed.len())?;
        Ok(self.send_out(now, &signed, &post))
    }

    /// Whether others will take a post of ours.
    fn check_own(&mut self, now: Instant, post: &Signed<'_>) -> Result<(), PostError> {
        self.check_grant(now, post).map_err(|_| PostError::NoGrant)?;
        if self.untimely(now, post.time).is_some() { Err(PostError::Untimely) } else { Ok(()) }
    }

    fn send_out(&mut self, now: Instant, signed: &Bytes, post: &Signed<'_>) -> PostId {
        let (id, key) = (post.id(self.config.group), (post.stream(), post.sequence));
        self.streams.enter_own(key, post.time);
        if self.own.len() >= MAX_OWN
            && let Some(oldest) = self.own.iter().min_by_key(|(_, since)| **since).map(|(id, _)| *id)
        {
            self.own.remove(&oldest);
        }
        self.own.insert(id, now);
        let signed = signed.clone();
        let origin = Origin::Ours(id);
        self.keep(key, Held { author: post.author, time: post.time, hops: 0, origin, since: now, signed });
        self.stir(now);
        if !self.relay(now, key, &[], true) {
            self.unsent.push(key);
        }
        self.settle(now);
        id
    }

    /// A neighbour is there.
    pub fn peer_up(&mut self, now: Instant, peer: PeerId, rtt: Duration) {
        self.peer_down(now, peer);
        let eager = self.neighbours.values().filter(|neighbour| neighbour.eager).count();
        let mut neighbour = Neighbour::new(rtt);
        if eager < FIRST_EAGER {
            neighbour.link(now, LinkState::Eager);
        }
        // The first one is compared with at once; by the time of the others little is missing.
        let wait = if self.compared { Duration::from_millis(1000 + self.rng.below(2000)) } else { Duration::ZERO };
        neighbour.compare_at = Some(now + wait);
        self.compared = true;
        self.compare_at.get_or_insert(now + Duration::from_millis(5000 + self.rng.below(5000)));
        self.neighbours.insert(peer, neighbour);
        self.median_rtt = self.middle_rtt();
        for key in std::mem::take(&mut self.unsent) {
            if self.store.get(key).is_some() && !self.relay(now, key, &[], true) {
                self.unsent.push(key);
            }
        }
        self.settle(now);
    }

    /// A neighbour is gone.
    pub fn peer_down(&mut self, now: Instant, peer: PeerId) {
        if self.neighbours.remove(&peer).is_some() {
            self.median_rtt = self.middle_rtt();
            self.missing.peer_down(now, peer);
            self.parent_lost(now, peer);
            self.stay_linked(now);
            self.settle(now);
        }
    }

    /// Who has lost all eager links makes some again.
    fn stay_linked(&mut self, now: Instant) {
        let mut all: Vec<&mut Neighbour> = self.neighbours.values_mut().filter(|neighbour| !neighbour.banned).collect();
        if !all.iter().any(|neighbour| neighbour.eager) {
            all.sort_by_key(|neighbour| neighbour.rtt);
            all.into_iter().take(FIRST_EAGER).for_each(|neighbour| neighbour.link(now, LinkState::Eager));
        }
    }

    /// So many bytes may be sent to a neighbour now.
    pub fn writable(&mut self, now: Instant, peer: PeerId, room: usize) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.writable(room);
            self.flush(now, peer);
        }
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> PostingStats {
        self.stats
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire(now);
        self.compare_due(now);
        self.tree_timeout(now);
        while let Some((stream, since, gap)) = self.streams.overdue(now) {
            // What somebody has may still come.
            let known = self.missing.any((stream, gap.start), (stream, gap.end - 1));
            if known && now < since + GAP_WAIT {
                self.streams.wait(stream, (now + Duration::from_millis(500)).min(since + GAP_WAIT));
                continue;
            }
            for sequence in self.streams.skip(now, stream) {
                self.hand_out((stream, sequence));
            }
        }
        self.settle(now);
    }

    /// When to call [`Posting::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let neighbours = self.neighbours.values().filter_map(Neighbour::deadline).min();
        let compare = self.compare_at.filter(|_| !self.neighbours.is_empty());
        [neighbours, compare, self.missing.deadline(), self.streams.deadline(), self.tree.deadline(), self.expiry()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<PostingEvent>> {
        self.outputs.pop_front()
    }

    /// Why a post's time is none to take it at, if so: it is older than what is kept, or ahead.
    pub(super) fn untimely(&self, now: Instant, time: u64) -> Option<Verdict> {
        let clock = self.config.clock.unix_millis(now);
        if time > clock.saturating_add(MAX_AHEAD.as_millis() as u64) {
            return Some(Verdict::InFuture);
        }
        let old = time < self.kept_from(now) || self.streams.may_be_forgotten(time);
        old.then_some(Verdict::TooOld)
    }

    /// The time from which on posts are kept.
    pub(super) fn kept_from(&self, now: Instant) -> u64 {
        self.config.clock.unix_millis(now).saturating_sub(self.config.retention.as_millis() as u64)
    }

    pub(super) fn check_grant(&mut self, now: Instant, post: &Signed<'_>) -> Result<(), crate::group::GrantError> {
        /// Authors whose grants are remembered.
        const MAX_GRANTS: usize = 4096;
        let Some(key) = &self.config.posting_key else { return Ok(()) };
        let clock = self.config.clock.unix_millis(now);
        let known = self.grants.get(&post.author).is_some_and(|grant| *grant == post.grant);
        // Bytes 2 to 10 of a grant are its end.
        let lasts = post.grant.get(2..10).is_some_and(|end| end > &clock.to_be_bytes()[..]);
        if known && lasts {
            return Ok(());
        }
        verify_grant(post.grant, key, GrantKind::Posting, self.config.group, post.author, clock)?;
        if self.grants.len() >= MAX_GRANTS {
            self.grants.pop_first();
        }
        self.grants.insert(post.author, Bytes::copy_from_slice(post.grant));
        Ok(())
    }

    /// Whether a post of ours may go out now.
    fn check_room(&mut self, now: Instant, author: PeerId, len: usize) -> Result<(), PostError> {
        // Every member holds as much of an author: what none holds any more cannot be asked for.
        if self.store.crowded(author, len).is_some_and(|since| now.since(since) < HELD_AT_LEAST) {
            return Err(PostError::Full);
        }
        let mut all = self.neighbours.values_mut().filter(|neighbour| !neighbour.banned).peekable();
        let fits = if all.peek().is_some() {
            let (mut any, mut waits) = (false, false);
            for neighbour in all {
                let roomy = neighbour.room >= len + 8 && !neighbour.is_behind();
                any |= roomy;
                waits |= neighbour.eager && neighbour.is_waited_for(now, roomy);
            }
            any && !waits
        } else {
            let bytes: usize =
                self.unsent.iter().filter_map(|key| self.store.get(*key)).map(|held| held.signed.len()).sum();
            self.unsent.len() < MAX_UNSENT && bytes + len <= MAX_UNSENT_BYTES
        };
        if fits { Ok(()) } else { Err(PostError::Full) }
    }

    /// Holds a post. What has to go for it is handed out before, if it waited for that.
    pub(super) fn keep(&mut self, key: Key, held: Held) {
        let (author, since) = (held.author, held.since);
        self.store.insert(key, held);
        while let Some(surplus) = self.store.surplus(author) {
            self.drop_post(since, surplus);
        }
    }

    fn drop_post(&mut self, now: Instant, key: Key) {
        while self.streams.is_waiting(key) {
            for sequence in self.streams.skip(now, key.0) {
                self.hand_out((key.0, sequence));
            }
        }
        self.store.remove(key);
    }

    /// When the oldest post is as old as posts may be.
    fn expiry(&self) -> Option<Instant> {
        let (time, _) = self.store.oldest()?;
        let end = Duration::from_millis(time).saturating_add(self.config.retention);
        // A second later, so that many go at once.
        Some(Instant::ZERO + end.saturating_sub(self.config.clock.at_zero) + Duration::from_secs(1))
    }

    fn expire(&mut self, now: Instant) {
        let from = self.kept_from(now);
        if self.expiry().is_none_or(|at| at > now) {
            return;
        }
        while let Some((_, key)) = self.store.oldest().filter(|(time, _)| *time < from) {
            self.drop_post(now, key);
        }
        self.streams.forget(from);
        let retention = self.config.retention;
        self.own.retain(|_, since| now.since(*since) < retention);
    }

    /// Tells the user of a post.
    pub(super) fn hand_out(&mut self, key: Key) {
        let Some(held) = self.store.get(key).filter(|held| matches!(held.origin, Origin::Neighbour(_))) else { return };
        let Some(signed) = Signed::parse(&held.signed) else { return };
        let Some(envelope) = signed.envelope() else { return };
        let post = Post {
            id: signed.id(self.config.group),
            author: signed.author,
            instance: signed.instance,
            sequence: signed.sequence,
            time: signed.time,
            nick: envelope.nick.map(str::to_owned),
            body: held.signed.slice_ref(envelope.content),
            hops: u32::try_from(held.hops).unwrap_or(u32::MAX),
        };
        self.outputs.push_back(Output::Event(PostingEvent::Notify(post)));
    }

    /// Passes a post on: pushed along the tree if `push`, announced to the others. Whether there was anybody to pass it
    /// to.
    pub(super) fn relay(&mut self, now: Instant, key: Key, have_it: &[PeerId], push: bool) -> bool {
        let Some(held) = self.store.get(key) else { return true };
        let message: Bytes = Message::Post { hops: held.hops, signed: &held.signed }.encode().into();
        let mut passed = false;
        for (&peer, neighbour) in &mut self.neighbours {
            if neighbour.banned || have_it.contains(&peer) {
                continue;
            }
            passed = true;
            if push && neighbour.eager && neighbour.room >= message.len() && !neighbour.is_behind() {
                neighbour.room -= message.len();
                self.stats.data.0 += message.len() as u64;
                self.outputs.push_back(Output::Send(Outgoing::new(peer, Lane::Posts, message.clone())));
            } else if !neighbour.have(now, key) {
                self.stats.limited += 1;
            }
        }
        passed
    }

    /// Asks for what is due and sends what may be sent: the end of everything that the machine does.
    pub(super) fn settle(&mut self, now: Instant) {
        self.ask_due(now);
        let due = self.neighbours.iter().filter(|(_, neighbour)| neighbour.is_due(now));
        let due: Vec<PeerId> = due.map(|(peer, _)| *peer).collect();
        due.into_iter().for_each(|peer| self.flush(now, peer));
    }

    fn flush(&mut self, now: Instant, peer: PeerId) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let store = &self.store;
        let len = |key| store.get(key).map_or(0, |held| held.signed.len() + 11);
        while let Some(due) = neighbour.next_due(now, len) {
            let (data, counter) = match due {
                Due::Message(message) => (message, &mut self.stats.control.0),
                Due::Post(key) => {
                    let Some(held) = store.get(key) else { continue };
                    let post = Message::Post { hops: held.hops, signed: &held.signed };
                    (post.encode().into(), &mut self.stats.data.0)
                }
            };
            *counter += data.len() as u64;
            neighbour.room = neighbour.room.saturating_sub(data.len());
            self.outputs.push_back(Output::Send(Outgoing::new(peer, Lane::Posts, data)));
        }
    }

    /// The median round-trip time to the neighbours.
    fn middle_rtt(&self) -> Duration {
        let mut rtts: Vec<Duration> = self.neighbours.values().map(|neighbour| neighbour.rtt).collect();
        rtts.sort_unstable();
        rtts.get(rtts.len() / 2).copied().unwrap_or_default()
    }

    fn ask_due(&mut self, now: Instant) {
        while let Some((key, peer)) = self.missing.next_due(now) {
            let before = self.missing.asked(key).and_then(|(asked, _)| self.neighbours.get_mut(&asked));
            if let Some(before) = before
                && before.in_flight.contains(&key)
            {
                // Who is busy sending other things that we asked for is not given up.
                let patience = 2 * before.rtt + Duration::from_millis(200);
                if before.answered.is_some_and(|at| now.since(at) < patience) && before.in_flight.len() > 1 {
                    self.missing.postpone(key, now + patience);
                    continue;
                }
                before.in_flight.remove(&key);
            }
            let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|neighbour| !neighbour.banned) else {
                self.missing.peer_down(now, peer);
                continue;
            };
            if neighbour.in_flight.len() >= MAX_IN_FLIGHT {
                self.missing.postpone(key, now + Duration::from_millis(20) + neighbour.rtt / 2);
                continue;
            }
            if self.missing.ask(now, key, 2 * neighbour.rtt + Duration::from_millis(50)) {
                neighbour.want(key);
            }
        }
    }
}
