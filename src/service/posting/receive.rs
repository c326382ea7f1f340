//! What neighbours send, and what it does.

use bytes::Bytes;
use std::time::Duration;

use super::format::{LinkState, Message, Run};
use super::machine::{FIRST_EAGER, Posting};
use super::signed::Signed;
use super::store::{Held, Key, Origin};
use super::types::{PostId, PostingEvent, Verdict};
use crate::base::{Instant, PeerId};
use crate::group::{GrantError, Output};

/// Posts that one message may name.
const MAX_NAMED: usize = 2048;
/// A neighbour that shows this many missing posts at once may have more of them.
const MANY: usize = 256;
/// How long a link is left as it is after it was pruned.
const PRUNE_PAUSE: Duration = Duration::from_secs(1);
/// A post that was announced longer ago than this says nothing about the tree.
const FRESH: Duration = Duration::from_secs(3);

impl Posting {
    /// A message came on the lane of posts.
    pub fn message(&mut self, now: Instant, peer: PeerId, message: &[u8]) {
        let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|neighbour| !neighbour.banned) else { return };
        if !neighbour.bytes.take(now, message.len() as u64) {
            self.stats.limited += 1;
            return;
        }
        let decoded = Message::decode(message);
        let is_post = matches!(decoded, Ok(Some(Message::Post { .. })));
        let counter = if is_post { &mut self.stats.data.1 } else { &mut self.stats.control.1 };
        *counter += message.len() as u64;
        match decoded {
            Err(_) => self.stats.malformed += 1,
            Ok(None) => {}
            Ok(Some(Message::Post { hops, signed })) => self.received(now, peer, hops, signed),
            Ok(Some(Message::Have(runs))) => self.note_missing(now, peer, &runs, false),
            Ok(Some(Message::Want(runs))) => self.wanted(now, peer, &runs),
            Ok(Some(Message::Link(state))) => self.linked(now, peer, state),
            Ok(Some(Message::Answer(answers))) => self.answered(peer, &answers),
            Ok(Some(Message::Compare(spans))) => self.compared(now, peer, &spans),
            Ok(Some(Message::List { from, to, runs })) => self.listed(now, peer, (from, to), &runs),
        }
        self.settle(now);
    }

    fn received(&mut self, now: Instant, peer: PeerId, hops: u64, bytes: &[u8]) {
        let group = self.config.group;
        let parsed = Signed::parse(bytes).and_then(|post| post.envelope().map(|envelope| (post, envelope)));
        let Some((post, envelope)) = parsed else {
            self.stats.malformed += 1;
            return self.misbehaved(now, peer, "sent a post that is none");
        };
        if envelope.beat {
            return self.beat(now, peer, hops, &post, bytes);
        }
        let key = (post.stream(), post.sequence);
        // The poster itself is told what becomes of its post.
        let direct = (hops == 0).then(|| post.id(group));
        if self.streams.seen(key) {
            self.stats.duplicates += 1;
            self.answer(peer, direct, Verdict::Accepted);
            return self.duplicate(now, peer, key);
        }
        if let Some(verdict) = self.untimely(now, post.time) {
            self.stats.untimely += 1;
            self.missing.remove(key);
            return self.answer(peer, direct, verdict);
        }
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if !neighbour.verifications.take(now, 1) {
            self.stats.limited += 1;
            self.missing.announced(now, key, peer, now + Duration::from_millis(500), false);
            return;
        }
        if !post.is_signed(group) {
            self.stats.malformed += 1;
            self.answer(peer, direct, Verdict::Malformed);
            return self.misbehaved(now, peer, "sent a post with a wrong signature");
        }
        if let Err(error) = self.check_grant(now, &post) {
            self.stats.unauthorized += 1;
            self.missing.remove(key);
            self.answer(peer, direct, Verdict::NoGrant);
            // One may have run out on the way.
            if direct.is_none() && error != GrantError::Expired {
                self.misbehaved(now, peer, "passed on a post without a grant");
            }
            return;
        }
        self.answer(peer, direct, Verdict::Accepted);
        self.accepted(now, peer, key, &post, hops, bytes);
    }

    fn accepted(&mut self, now: Instant, peer: PeerId, key: Key, post: &Signed<'_>, hops: u64, bytes: &[u8]) {
        self.stats.received += 1;
        self.stir(now);
        let entry = self.missing.remove(key);
        let old = entry.as_ref().is_some_and(|entry| entry.compared);
        let announcers = self.shape(now, peer, key, entry);
        let held = Held {
            signed: Bytes::copy_from_slice(bytes),
            author: post.author,
            time: post.time,
            hops: hops.saturating_add(1),
            origin: Origin::Neighbour(peer),
            since: now,
        };
        let (ready, gap) = self.streams.arrived(now, key, post.time);
        self.keep(key, held);
        ready.into_iter().for_each(|sequence| self.hand_out((key.0, sequence)));
        // Who has this one should have the earlier ones too.
        for sequence in gap.into_iter().flat_map(|gap| gap.rev().take(64)) {
            let earlier = (key.0, sequence);
            if !self.streams.seen(earlier) && !self.missing.contains(earlier) {
                self.missing.announced(now, earlier, peer, now + self.patience(), false);
            }
        }
        self.relay(now, key, &announcers, !old);
        self.go_on_comparing(now, peer);
    }

    /// Learns from how a post came; says who else has it.
    fn shape(&mut self, now: Instant, peer: PeerId, key: Key, entry: Option<super::missing::Entry>) -> Vec<PeerId> {
        let Some(entry) = entry else {
            self.lag.pushed(Duration::ZERO);
            self.pushed_by(peer);
            return vec![peer];
        };
        let mut was_asked = false;
        let live = !entry.compared && now.since(entry.heard) < FRESH;
        let mut announcers = entry.announcers;
        if !announcers.contains(&peer) {
            announcers.push(peer);
        }
        for asked in &announcers {
            if let Some(neighbour) = self.neighbours.get_mut(asked)
                && neighbour.in_flight.remove(&key)
                && *asked == peer
            {
                neighbour.answered = Some(now);
                was_asked = true;
            }
        }
        let lag = now.since(entry.heard);
        if was_asked {
            self.lag.asked(key, entry.heard);
            if live {
                self.graft(now, peer);
                self.parent_missed(now, peer);
            }
        } else if live {
            self.lag.pushed(lag);
            self.pushed_by(peer);
        }
        announcers
    }

    /// A neighbour has brought, because it was asked, what nobody pushed: it shall push from now on. One at a time, for
    /// what is on its way does not know of it yet.
    fn graft(&mut self, now: Instant, peer: PeerId) {
        let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|neighbour| !neighbour.eager) else { return };
        let pause = neighbour.rtt.max(Duration::from_millis(100));
        if self.last_graft.is_none_or(|last| now.since(last) >= pause) {
            self.last_graft = Some(now);
            neighbour.link(now, LinkState::Eager);
        }
    }

    /// A copy of a post that is here: one of the two links is not needed.
    fn duplicate(&mut self, now: Instant, peer: PeerId, key: Key) {
        self.has_ours(peer, key);
        self.missing.remove(key);
        let by_itself = self.lag.came_after_all(now, key);
        let tree = self.in_tree(peer);
        let few = self.neighbours.len() <= FIRST_EAGER && self.tree.root.is_none();
        self.pushed_by(peer);
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if neighbour.in_flight.remove(&key) {
            neighbour.answered = Some(now);
            return;
        }
        let (settled, eager) = (neighbour.changed.map(|at| at + neighbour.rtt), neighbour.eager);
        let again = neighbour.pruned.is_none_or(|at| now.since(at) > PRUNE_PAUSE);
        let Some(&Held { origin: Origin::Neighbour(first), since, .. }) = self.store.get(key) else { return };
        // What was on its way when the link changed says nothing about it.
        let settled = by_itself || settled.is_none_or(|settled| since >= settled);
        // Who was asked too early need not push.
        let spare = if tree && !self.in_tree(first) { first } else { peer };
        let is_eager = self.neighbours.get(&spare).is_some_and(|neighbour| neighbour.eager);
        let prune =
            if spare != peer { is_eager && settled } else { !tree && if eager { settled && !few } else { again } };
        if let Some(neighbour) = self.neighbours.get_mut(&spare).filter(|_| prune) {
            neighbour.link(now, LinkState::Lazy);
        }
    }

    /// Notes which of these posts are missing here. What a comparison brought up, nobody is going to push.
    pub(super) fn note_missing(&mut self, now: Instant, peer: PeerId, runs: &[Run], compared: bool) {
        if !self.may_name(now, peer, runs) {
            return;
        }
        let due = if compared { now } else { now + self.patience() };
        let mut new = 0;
        for (at, key) in named(runs).enumerate() {
            if at >= MAX_NAMED {
                self.stats.limited += 1;
                new += MANY;
                break;
            }
            if self.streams.seen(key) {
                self.has_ours(peer, key);
                continue;
            }
            new += 1;
            if !self.missing.announced(now, key, peer, due, compared) {
                self.stats.limited += 1;
                new += MANY;
                break;
            }
        }
        if let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|_| new >= MANY) {
            neighbour.has_more = true;
        }
    }

    /// Whether a neighbour may have us look for as many posts as it names: few bytes name thousands. If not, it is compared with
    /// later.
    fn may_name(&mut self, now: Instant, peer: PeerId, runs: &[Run]) -> bool {
        let named = runs.iter().fold(1, |sum: u64, run| sum.saturating_add(run.count)).min(MAX_NAMED as u64);
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return false };
        let may = neighbour.scans.take(now, named);
        if !may {
            neighbour.has_more = true;
            self.stats.limited += 1;
        }
        may
    }

    /// How long the push of an announced post is waited for.
    fn patience(&self) -> Duration {
        self.lag.wait(self.median_rtt)
    }

    fn wanted(&mut self, now: Instant, peer: PeerId, runs: &[Run]) {
        if !self.may_name(now, peer, runs) {
            return;
        }
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        for key in named(runs).take(MAX_NAMED) {
            if self.store.get(key).is_some() && !neighbour.serve(key) {
                self.stats.limited += 1;
            }
        }
    }

    fn linked(&mut self, now: Instant, peer: PeerId, state: LinkState) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if neighbour.eager != (state != LinkState::Lazy) {
            neighbour.eager = !neighbour.eager;
            neighbour.changed = Some(now);
        }
        neighbour.child = state == LinkState::Parent;
        if state == LinkState::Lazy {
            self.parent_lost(now, peer);
        }
    }

    fn answered(&mut self, peer: PeerId, answers: &[(Verdict, PostId)]) {
        for &(verdict, id) in answers {
            if self.own.contains_key(&id) {
                self.outputs.push_back(Output::Event(PostingEvent::Answered { id, by: peer, verdict }));
            }
        }
    }

    /// A neighbour that has a post of ours from others has accepted it, too.
    fn has_ours(&mut self, peer: PeerId, key: Key) {
        if let Some(&Held { origin: Origin::Ours(id), .. }) = self.store.get(key) {
            self.answered(peer, &[(Verdict::Accepted, id)]);
        }
    }

    fn answer(&mut self, peer: PeerId, id: Option<PostId>, verdict: Verdict) {
        if let (Some(id), Some(neighbour)) = (id, self.neighbours.get_mut(&peer)) {
            neighbour.answer(verdict, id);
        }
    }

    /// A neighbour broke the rules: it is heard no more, and whoever decides about neighbours is told.
    pub(super) fn misbehaved(&mut self, now: Instant, peer: PeerId, reason: &'static str) {
        let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|neighbour| !neighbour.banned) else { return };
        neighbour.ban();
        self.missing.peer_down(now, peer);
        self.parent_lost(now, peer);
        self.outputs.push_back(Output::Event(PostingEvent::Misbehaved { peer, reason }));
    }
}

fn named(runs: &[Run]) -> impl Iterator<Item = Key> {
    runs.iter().flat_map(|run| run.sequences().map(|sequence| (run.stream, sequence)))
}
