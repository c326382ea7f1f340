//! Beats, which give the tree its shape.

use std::time::Duration;

use bytes::Bytes;

use super::format::{LinkState, Message};
use super::machine::Posting;
use super::neighbour::{BeatCopy, Neighbour};
use super::signed::{Signed, sign_beat};
use super::tree::{Beat, Root};
use crate::base::{Instant, PeerId};
use crate::group::{Lane, Outgoing, Output};

/// Whoever has fewer neighbours needs no tree.
const MIN_NEIGHBOURS: usize = 2;
/// What a link more on the beat's way weighs against its coming earlier: a way of few links breaks less often, and what each
/// member on it takes to pass a post on is no part of the beat's time when nobody is busy.
const HOP: Duration = Duration::from_millis(5);
/// A copy that says it crossed more links than this weighs no more.
const MAX_HOPS: u64 = 20;
/// How much worse the parent that we have may be than another.
const LOYALTY: Duration = Duration::from_millis(15);
/// A parent that missed this many posts in a row is left.
const MAX_MISSES: u32 = 3;
/// And not taken again for this long.
const DISTRUST: Duration = Duration::from_secs(120);

impl BeatCopy {
    /// How bad the way is that it came.
    fn weight(self) -> Duration {
        self.offset + HOP * u32::try_from(self.hops.min(MAX_HOPS)).unwrap_or(u32::MAX)
    }
}

impl Posting {
    /// A post came or went.
    pub(super) fn stir(&mut self, now: Instant) {
        let may = self.neighbours.len() >= MIN_NEIGHBOURS
            && (self.config.posting_key.is_none() || self.config.grant.is_some());
        let me = may.then(|| self.config.author.peer_id());
        self.tree.stir(now, me);
    }

    /// A beat came.
    pub(super) fn beat(&mut self, now: Instant, peer: PeerId, hops: u64, post: &Signed<'_>, bytes: &[u8]) {
        if self.untimely(now, post.time).is_some() {
            self.stats.untimely += 1;
            return;
        }
        let stream = post.stream();
        match self.tree.judge(now, post.author, stream, post.sequence, post.time) {
            Beat::Ignored => {}
            Beat::Copy => {
                let first = self.tree.root.map_or(now, |root| root.at);
                if let Some(neighbour) = self.neighbours.get_mut(&peer) {
                    let copy = BeatCopy { offset: now.since(first), hops };
                    neighbour.beat.get_or_insert(copy);
                }
            }
            Beat::Next => {
                let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
                if !neighbour.verifications.take(now, 1) {
                    self.stats.limited += 1;
                    return;
                }
                if !post.is_signed(self.config.group) {
                    self.stats.malformed += 1;
                    return self.misbehaved(now, peer, "sent a post with a wrong signature");
                }
                if self.check_grant(now, post).is_err() {
                    self.stats.unauthorized += 1;
                    return;
                }
                let (author, sequence, time) = (post.author, post.sequence, post.time);
                self.follow(now, Some((peer, hops)), Root { author, stream, sequence, time, at: now, mine: false });
                self.spread(Some(peer), hops.saturating_add(1), bytes);
            }
        }
    }

    /// Does what is due for the tree.
    pub(super) fn tree_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.tree.elect_at) {
            self.tree.elect_at = None;
            if self.tree.is_rootless(now) && self.tree.is_active(now) {
                self.beat_ourselves(now);
            }
        }
        if due(self.tree.beat_at) {
            self.tree.beat_at = None;
            if self.tree.is_active(now) {
                self.beat_ourselves(now);
            }
        }
        if due(self.tree.decide_at) {
            self.tree.decided(now);
            self.choose_parent(now);
        }
        if due(self.tree.cut_at) {
            self.tree.cut_at = None;
            let parent = self.tree.parent;
            let rest = self
                .neighbours
                .iter_mut()
                .filter(|(peer, neighbour)| neighbour.eager && !neighbour.child && Some(**peer) != parent);
            rest.for_each(|(_, neighbour)| neighbour.link(now, LinkState::Lazy));
        }
    }

    fn beat_ourselves(&mut self, now: Instant) {
        self.tree.sequence += 1;
        let (instance, sequence) = (self.tree.instance, self.tree.sequence);
        let time = self.config.clock.unix_millis(now);
        let config = &self.config;
        let bytes = sign_beat(&config.author, config.group, (instance, sequence, time), config.grant.as_deref());
        let Some(post) = Signed::parse(&bytes) else { return };
        let root = Root { author: post.author, stream: post.stream(), sequence, time, at: now, mine: true };
        self.follow(now, None, root);
        self.spread(None, 0, &bytes);
    }

    fn follow(&mut self, now: Instant, from: Option<(PeerId, u64)>, root: Root) {
        self.tree.follow(root);
        for (peer, neighbour) in &mut self.neighbours {
            let first = from.filter(|(from, _)| from == peer);
            neighbour.beat = first.map(|(_, hops)| BeatCopy { offset: Duration::ZERO, hops });
            neighbour.distrusted = neighbour.distrusted.filter(|until| now < *until);
        }
    }

    /// Passes a beat on to everybody.
    fn spread(&mut self, from: Option<PeerId>, hops: u64, signed: &[u8]) {
        let message: Bytes = Message::Post { hops, signed }.encode().into();
        for (&peer, neighbour) in &mut self.neighbours {
            if Some(peer) != from && !neighbour.banned && neighbour.room >= message.len() {
                neighbour.room -= message.len();
                self.stats.control.0 += message.len() as u64;
                self.outputs.push_back(Output::Send(Outgoing::new(peer, Lane::Posts, message.clone())));
            }
        }
    }

    fn choose_parent(&mut self, now: Instant) {
        // Whose copy comes later than its way to us takes may have it from us.
        let sound = |neighbour: &Neighbour| {
            let copy = neighbour.beat.filter(|copy| copy.offset <= neighbour.rtt * 2 / 5);
            copy.filter(|_| !neighbour.banned && neighbour.distrusted.is_none())
        };
        let root_is_us = self.tree.root.is_some_and(|root| root.mine);
        let copies = self.neighbours.iter().filter_map(|(peer, neighbour)| Some((sound(neighbour)?.weight(), *peer)));
        let best = copies.min().filter(|_| !root_is_us);
        let old = self.tree.parent;
        let kept = old.and_then(|old| Some((sound(self.neighbours.get(&old)?)?.weight(), old)));
        let chosen = match (best, kept) {
            (Some((best, _)), Some((weight, old))) if weight <= best + LOYALTY => Some(old),
            (best, _) => best.map(|(_, peer)| peer),
        };
        self.tree.parent = chosen;
        // The old one goes on pushing until the new one does, and is then told by a duplicate or the next cut.
        if let Some(parent) = chosen.and_then(|parent| self.neighbours.get_mut(&parent))
            && (chosen != old || !parent.eager)
        {
            parent.misses = 0;
            parent.link(now, LinkState::Parent);
        }
    }

    /// A neighbour is gone or pushes no more: if it was the parent, another one is chosen.
    pub(super) fn parent_lost(&mut self, now: Instant, peer: PeerId) {
        if self.tree.parent == Some(peer) {
            self.tree.parent = None;
            if let Some(neighbour) = self.neighbours.get_mut(&peer) {
                neighbour.beat = None;
            }
            self.choose_parent(now);
        }
    }

    /// A post that the parent should have pushed came from somebody else, who was asked for it.
    pub(super) fn parent_missed(&mut self, now: Instant, by: PeerId) {
        let Some(parent) = self.tree.parent.filter(|parent| *parent != by) else { return };
        let Some(neighbour) = self.neighbours.get_mut(&parent) else { return };
        neighbour.misses += 1;
        if neighbour.misses >= MAX_MISSES {
            neighbour.distrusted = Some(now + DISTRUST);
            neighbour.misses = 0;
            if !neighbour.child {
                neighbour.link(now, LinkState::Lazy);
            }
            self.parent_lost(now, parent);
        }
    }

    /// A neighbour pushes what it should.
    pub(super) fn pushed_by(&mut self, peer: PeerId) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.misses = 0;
        }
    }

    /// Whether the link to a neighbour is one of the tree.
    pub(super) fn in_tree(&self, peer: PeerId) -> bool {
        self.tree.parent == Some(peer) || self.neighbours.get(&peer).is_some_and(|neighbour| neighbour.child)
    }
}
