//! The service: what its owner and its neighbours tell it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::message::{MAX_MESSAGE, Record, Span, decode};
use super::neighbour::{Given, MAX_WANTED, Neighbour};
use super::pipe::{Limit, Pipe};
use super::types::{
    MAX_INDEX, ReplicationConfig, ReplicationError, ReplicationEvent, ReplicationStats, RequestId, Strategy,
};
use super::wanted::Fetch;
use crate::base::{Instant, PeerId, RangeSet, Rng};
use crate::group::{Lane, Outgoing, Output};

/// How long what they wait for is gathered.
pub(super) const AT_ONCE: Duration = Duration::from_millis(5);
/// How long what neighbours need to know soon is.
pub(super) const SOON: Duration = Duration::from_millis(20);
/// How long what they need to know before they have what they wait for is.
pub(super) const BY_AND_BY: Duration = Duration::from_millis(100);
/// How long what they need not know soon is.
pub(super) const LATER: Duration = Duration::from_millis(500);
/// How often it is looked whether anything takes too long.
const TICK: Duration = Duration::from_millis(100);
/// Doings that no honest neighbour reaches, until one is left.
pub(super) const MAX_STRIKES: u32 = 32;

/// The replication service of one membership.
#[derive(Debug)]
pub struct Replication {
    pub(super) have: RangeSet,
    pub(super) want: RangeSet,
    /// What we have and not everybody was told of.
    pub(super) quiet: RangeSet,
    /// What we have and nobody was told of.
    pub(super) hidden: RangeSet,
    /// What we had: some may be asked for still.
    pub(super) had: RangeSet,
    /// What only one neighbour was told of, and when.
    pub(super) shown: BTreeMap<u64, (PeerId, Instant)>,
    pub(super) neighbours: BTreeMap<PeerId, Neighbour>,
    pub(super) fetch: Fetch,
    pub(super) given: BTreeMap<RequestId, Given>,
    pub(super) names: u64,
    pub(super) pipe: Pipe,
    pub(super) up: Limit,
    /// When more may be sent, within the limit.
    pub(super) up_wait: Option<Instant>,
    pub(super) down: Limit,
    /// What an object has, on the whole, in bytes.
    pub(super) usual: usize,
    pub(super) stats: ReplicationStats,
    outputs: VecDeque<Output<ReplicationEvent>>,
    tick_at: Option<Instant>,
    /// Something happened after which there may be something to do.
    pub(super) stirred: bool,
}

fn span(indices: &Range<u64>) -> Result<Option<Span>, ReplicationError> {
    match indices.end.checked_sub(1) {
        _ if indices.is_empty() => Ok(None),
        Some(last) if last <= MAX_INDEX => Ok(Some(indices.start..=last)),
        _ => Err(ReplicationError::Range),
    }
}

impl Replication {
    /// Nothing had, nothing wanted.
    #[must_use]
    pub fn new(now: Instant, mut rng: Rng, config: ReplicationConfig) -> Self {
        let mut up = Limit::new(None);
        let mut down = Limit::new(None);
        up.set(now, config.up);
        down.set(now, config.down);
        Self {
            have: RangeSet::new(),
            want: RangeSet::new(),
            quiet: RangeSet::new(),
            hidden: RangeSet::new(),
            had: RangeSet::new(),
            shown: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            fetch: Fetch::new(config.strategy, rng.u64()),
            given: BTreeMap::new(),
            names: 0,
            pipe: Pipe::new(config.polite),
            up,
            up_wait: None,
            down,
            usual: 32 << 10,
            stats: ReplicationStats::default(),
            outputs: VecDeque::new(),
            tick_at: None,
            stirred: false,
        }
    }

    /// We have these, and give them to whom asks; they are not wanted any more.
    ///
    /// # Errors
    /// [`ReplicationError::Range`].
    pub fn add_have_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        let Some(span) = span(&indices)? else { return Ok(()) };
        self.stop_wanting(span.clone());
        let givers = self.fetch.take_checked(&span);
        let fetched = givers.len() as u64 == span.end() - span.start() + 1;
        givers.into_iter().for_each(|peer| self.proved(peer));
        self.have.insert_range(span.clone());
        self.had.remove_range(span.clone());
        self.announce(now, span, fetched);
        self.stirred = true;
        Ok(())
    }

    /// We do not have these any more.
    ///
    /// # Errors
    /// [`ReplicationError::Range`].
    pub fn remove_have_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        let Some(span) = span(&indices)? else { return Ok(()) };
        let ours: RangeSet = self.have.within(span.clone()).collect();
        self.had.add_all(&ours);
        for ranges in [&mut self.have, &mut self.quiet, &mut self.hidden] {
            ranges.remove_range(span.clone());
        }
        for neighbour in self.neighbours.values_mut() {
            neighbour.pending.have.remove_range(span.clone());
            neighbour.pending.gone.insert_range(span.clone());
            neighbour.flush_within(now, SOON);
        }
        self.stirred = true;
        Ok(())
    }

    /// We want these, but for those that we have.
    ///
    /// # Errors
    /// [`ReplicationError::Range`].
    pub fn add_want_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        let Some(span) = span(&indices)? else { return Ok(()) };
        self.want.insert_range(span.clone());
        let had: Vec<Span> = self.have.within(span.clone()).collect();
        had.into_iter().for_each(|had| self.want.remove_range(had));
        self.track_known(&span);
        self.tell_want(now);
        Ok(())
    }

    /// We do not want these any more.
    ///
    /// # Errors
    /// [`ReplicationError::Range`].
    pub fn remove_want_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        let Some(span) = span(&indices)? else { return Ok(()) };
        self.stop_wanting(span);
        self.tell_want(now);
        Ok(())
    }

    fn tell_want(&mut self, now: Instant) {
        for neighbour in self.neighbours.values_mut() {
            neighbour.pending.want = true;
            neighbour.flush_within(now, AT_ONCE);
        }
        self.stirred = true;
    }

    /// Which object is asked for first from now on.
    pub fn set_strategy(&mut self, _now: Instant, strategy: Strategy) {
        self.fetch.set_strategy(strategy);
    }

    /// Bytes of objects sent and received in a second at most from now on.
    pub fn set_limits(&mut self, now: Instant, up: Option<u64>, down: Option<u64>) {
        self.up.set(now, up);
        self.down.set(now, down);
        self.stirred = true;
    }

    /// Whether others' traffic goes first.
    #[must_use]
    pub fn is_polite(&self) -> bool {
        self.pipe.is_polite()
    }

    /// Whether others' traffic goes first from now on.
    pub fn set_polite(&mut self, polite: bool) {
        self.pipe.set_polite(polite);
    }

    /// An object that came is what it should be. `add_have_objects` says so, too.
    pub fn good(&mut self, _now: Instant, index: u64) {
        if let Some(peer) = self.fetch.checking.remove(&index) {
            self.proved(peer);
        }
    }

    /// A neighbour gave what it should.
    fn proved(&mut self, peer: PeerId) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            self.stirred |= !std::mem::replace(&mut neighbour.proven, true);
        }
    }

    /// An object that came from this neighbour is not what it should be: it is wanted again, and the neighbour left.
    pub fn bad(&mut self, _now: Instant, index: u64, from: PeerId) {
        self.fetch.checking.remove(&index);
        self.stats.bad += 1;
        self.blame(from, "an object that was not what it should be");
        if !self.have.contains(index) {
            self.want.insert(index);
            self.track_known(&(index..=index));
        }
        self.stirred = true;
    }

    /// A neighbour came.
    pub fn peer_up(&mut self, now: Instant, peer: PeerId, rtt: Duration) {
        let mut neighbour = Neighbour::new(rtt);
        for span in self.have.iter() {
            neighbour.pending.have.insert_range(span);
        }
        for span in self.quiet.iter() {
            neighbour.pending.have.remove_range(span);
        }
        neighbour.pending.want = !self.want.is_empty();
        if neighbour.pending.want || !neighbour.pending.have.is_empty() {
            neighbour.flush_within(now, Duration::ZERO);
        }
        self.neighbours.insert(peer, neighbour);
        self.stirred = true;
    }

    /// A neighbour went.
    pub fn peer_down(&mut self, _now: Instant, peer: PeerId) {
        let Some(neighbour) = self.neighbours.remove(&peer) else { return };
        for (&index, asked) in &neighbour.asked {
            self.not_coming(index, peer, asked.reserved);
        }
        self.untrack(&neighbour.have);
        if !neighbour.stalled {
            self.pipe.flying -= neighbour.flying_bytes;
        }
        self.given.retain(|_, given| given.peer != peer);
        self.hide_again(peer, &neighbour.have);
        self.stirred = true;
    }

    /// A message came on one of the two lanes.
    pub fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &Bytes) {
        if self.neighbours.get(&peer).is_none_or(|neighbour| neighbour.banned) {
            return;
        }
        self.stirred = true;
        if lane == Lane::Objects {
            return self.object(now, peer, message);
        }
        if message.len() > MAX_MESSAGE {
            return self.malformed(peer);
        }
        let Ok(records) = decode(message) else { return self.malformed(peer) };
        if !self.charge(now, peer, 4) {
            return;
        }
        for record in records {
            let work = self.work_of(peer, &record);
            if !self.charge(now, peer, work) {
                return;
            }
            match record {
                Record::Have(spans) => {
                    let counted = self.peer_has(peer, &spans.into_iter().collect());
                    self.charge(now, peer, counted);
                }
                Record::Gone(spans) => {
                    let counted = self.peer_withdraws(peer, &spans.into_iter().collect());
                    self.charge(now, peer, counted);
                }
                Record::Want(spans) => {
                    let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
                    if spans.len() > MAX_WANTED {
                        return self.blame(peer, "more ranges of objects than anybody wants");
                    }
                    neighbour.want = spans.into_iter().collect();
                }
                Record::Request(list) => self.requested(now, peer, list),
                Record::Deny(list) => self.were_denied(peer, list),
                Record::Busy(list) => list.into_iter().for_each(|index| self.was_put_off(now, peer, index)),
                Record::Cancel(list) => self.were_cancelled(peer, list),
                Record::Got(list) => list.into_iter().for_each(|index| self.confirmed(now, peer, index)),
            }
        }
    }

    fn malformed(&mut self, peer: PeerId) {
        self.stats.malformed += 1;
        self.blame(peer, "a message about objects of a wrong form");
    }

    /// So many bytes may be sent to a neighbour on this lane now.
    pub fn writable(&mut self, _now: Instant, peer: PeerId, lane: Lane, room: usize) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            match lane {
                Lane::Objects => neighbour.room = room,
                _ => neighbour.asks_room = room,
            }
            self.stirred = true;
        }
    }

    /// Packets to a neighbour wait so long on the way, beyond the shortest time that they take. Who is not told of it goes by
    /// the times in which neighbours confirm objects.
    pub fn queue_to(&mut self, peer: PeerId, wait: Duration) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.wait = Some(wait);
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.stirred = true;
        if self.tick_at.is_some_and(|at| at <= now) {
            self.tick_at = None;
            self.give_up_overdue(now);
            self.put_off(now);
            self.expire_flying(now);
            self.set_aside(now);
            self.hide_unasked(now);
        }
    }

    /// When to call [`Replication::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let flushes =
            self.neighbours.values().filter(|near| near.asks_room > 0 && !near.banned).filter_map(|near| near.flush_at);
        flushes.chain(self.tick_at).chain(self.fetch.wait).chain(self.up_wait).min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Output<ReplicationEvent>> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if std::mem::take(&mut self.stirred) {
            self.show_hidden(now);
            self.ask(now);
            self.serve(now);
            self.flush(now);
            if self.tick_at.is_none() && self.is_waiting() {
                self.tick_at = Some(now + TICK);
            }
        }
        self.outputs.pop_front()
    }

    /// Whether [`Replication::poll`] has anything to do.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.stirred || !self.outputs.is_empty()
    }

    fn is_waiting(&self) -> bool {
        !self.shown.is_empty()
            || !self.fetch.flight.is_empty()
            || self.neighbours.values().any(|near| near.flying_bytes > 0 || !near.queue.is_empty())
    }

    /// What was counted.
    #[must_use]
    pub const fn stats(&self) -> ReplicationStats {
        self.stats
    }

    /// What we have.
    #[must_use]
    pub const fn have(&self) -> &RangeSet {
        &self.have
    }

    /// What we want and did not get yet.
    #[must_use]
    pub const fn want(&self) -> &RangeSet {
        &self.want
    }

    /// Neighbours that have said to have any of these.
    pub fn holders(&self, indices: Range<u64>) -> impl Iterator<Item = PeerId> + '_ {
        let span = indices.start..=indices.end.saturating_sub(1);
        let holds = move |neighbour: &Neighbour| neighbour.have.within(span.clone()).next().is_some();
        self.neighbours.iter().filter(move |(_, neighbour)| holds(neighbour)).map(|(&peer, _)| peer)
    }

    /// Bytes sent to a neighbour and received from it.
    #[must_use]
    pub fn exchanged(&self, peer: PeerId) -> (u64, u64) {
        self.neighbours.get(&peer).map_or((0, 0), |neighbour| (neighbour.sent, neighbour.received))
    }

    pub(super) fn tell(&mut self, event: ReplicationEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn send(&mut self, outgoing: Outgoing) {
        self.outputs.push_back(Output::Send(outgoing));
    }

    pub(super) fn take_back(&mut self, peer: PeerId, id: u64) {
        self.outputs.push_back(Output::Cancel { peer, lane: Lane::Objects, id });
    }

    /// Tells of a neighbour that is to be left, once.
    pub(super) fn blame(&mut self, peer: PeerId, reason: &'static str) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if !std::mem::replace(&mut neighbour.banned, true) {
            self.tell(ReplicationEvent::Misbehaved { peer, reason });
        }
    }

    /// A neighbour did what happens, but not so often.
    pub(super) fn strike(&mut self, peer: PeerId, reason: &'static str) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        neighbour.strikes += 1;
        if neighbour.strikes >= MAX_STRIKES {
            self.blame(peer, reason);
        }
    }

    /// Sends what neighbours are to be told by now.
    fn flush(&mut self, now: Instant) {
        for (&peer, neighbour) in &mut self.neighbours {
            if neighbour.flush_at.is_none_or(|at| at > now) || neighbour.asks_room == 0 || neighbour.banned {
                continue;
            }
            neighbour.flush_at = None;
            for message in neighbour.told(&self.want) {
                neighbour.asks_room = neighbour.asks_room.saturating_sub(message.len());
                self.outputs.push_back(Output::Send(Outgoing::new(peer, Lane::Asks, Bytes::from(message))));
            }
        }
    }
}
