//! The routing service.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::letter::{self, Ack, Message, name, no_route_name};
use super::seen::Seen;
use super::types::{MAX_BODY, RouteId, Routed, RoutingConfig, RoutingEvent, RoutingStats, SendMode, SendResult};
use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::group::{Arrival, Goal, GroupAddress, Lane, Letter, Output, Received, Relay, View};

/// Message types of the lane, beside the relay's.
const TO_NEAREST: u8 = 0x10;
const TO_NEIGHBOR: u8 = 0x11;

/// Messages whose acknowledgement is awaited at once, at most.
const MAX_AWAITED: usize = 1024;
/// How often a message is sent, at most, until its acknowledgement comes.
const ATTEMPTS: u32 = 3;
/// Parts in a hundred of the time that it waits in all, after each sending.
const PATIENCE: [u32; ATTEMPTS as usize] = [15, 30, 55];
/// Messages are dropped when they are older.
const MAX_AGE: Duration = Duration::from_secs(300);
/// Messages are dropped when they are further ahead.
const MAX_AHEAD: Duration = Duration::from_secs(600);

/// The routing service of one membership.
#[derive(Debug)]
pub struct Routing {
    config: RoutingConfig,
    relay: Relay,
    instance: [u8; 8],
    sequence: u64,
    ids: u64,
    awaited: BTreeMap<[u8; 32], Awaited>,
    seen: Seen,
    outputs: VecDeque<Output<RoutingEvent>>,
    stats: RoutingStats,
}

/// A message of ours whose acknowledgement is awaited.
#[derive(Debug)]
struct Awaited {
    id: RouteId,
    letter: Letter,
    first_hops: Vec<PeerId>,
    attempts: u32,
    again: Instant,
    no_route: bool,
}

impl Routing {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(_now: Instant, mut rng: Rng, config: RoutingConfig) -> Self {
        Self {
            config,
            relay: Relay::new(Lane::Routes),
            instance: rng.bytes(),
            sequence: 0,
            ids: 0,
            awaited: BTreeMap::new(),
            seen: Seen::default(),
            outputs: VecDeque::new(),
            stats: RoutingStats::default(),
        }
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.config.clock = clock;
    }

    /// One hop towards `target`, as NetGroup's `sendToNearest`: to the neighbour nearest to it, or to ourselves.
    pub fn send_to_nearest(&mut self, _now: Instant, view: &View, target: GroupAddress, body: Bytes) -> SendResult {
        if body.len() > MAX_BODY {
            return SendResult::Error;
        }
        let goal = Goal { target, exact: false, any_mode: false };
        let ours = (view.address(), None, view.mode());
        let theirs = view.neighbours().map(|near| (near.address, Some(near.peer), near.mode));
        let takers = std::iter::once(ours).chain(theirs).filter(|(address, _, mode)| goal.is_taken_by(*address, *mode));
        match takers.min_by_key(|(address, ..)| address.distance(target)) {
            None => SendResult::NoRoute,
            Some((_, None, _)) => {
                self.notify(Routed {
                    author: None,
                    from: view.address(),
                    from_local: true,
                    target: Some(target),
                    body,
                    hops: 0,
                });
                SendResult::Sent
            }
            Some((_, Some(peer), _)) => self.send(peer, &[&[TO_NEAREST][..], &target.0, &body].concat()),
        }
    }

    /// One hop along the ring, as NetGroup's `sendToNeighbor`.
    pub fn send_to_neighbor(&mut self, _now: Instant, view: &View, mode: SendMode, body: Bytes) -> SendResult {
        let next = match mode {
            SendMode::NextIncreasing => view.next_increasing(),
            SendMode::NextDecreasing => view.next_decreasing(),
        };
        match next {
            _ if body.len() > MAX_BODY => SendResult::Error,
            None => SendResult::NoRoute,
            Some(next) => self.send(next.peer, &[&[TO_NEIGHBOR][..], &body].concat()),
        }
    }

    /// To every neighbour, as NetGroup's `sendToAllNeighbors`: sent if it goes to one at least.
    pub fn send_to_all_neighbors(&mut self, _now: Instant, view: &View, body: Bytes) -> SendResult {
        if body.len() > MAX_BODY {
            return SendResult::Error;
        }
        let message = Bytes::from([&[TO_NEIGHBOR][..], &body].concat());
        let sent = view.neighbours().filter(|near| self.relay.send(near.peer, message.clone())).count();
        match sent {
            0 if view.neighbours().len() == 0 => SendResult::NoRoute,
            0 => SendResult::Error,
            _ => SendResult::Sent,
        }
    }

    /// All the way to the member nearest to `target`. With `ack`, [`RoutingEvent::Delivered`] or
    /// [`RoutingEvent::Undelivered`] follows if it was sent.
    pub fn route_to_nearest(
        &mut self,
        now: Instant,
        view: &View,
        target: GroupAddress,
        body: Bytes,
        ack: bool,
    ) -> (RouteId, SendResult) {
        self.ids += 1;
        let id = RouteId(self.ids);
        if body.len() > MAX_BODY || (ack && self.awaited.len() >= MAX_AWAITED) {
            return (id, SendResult::Error);
        }
        self.sequence += 1;
        let time = self.config.clock.unix_millis(now);
        let way = (self.config.group, target, view.address());
        let message = Message::sign(&self.config.author, way, (self.instance, self.sequence, time), ack, body);
        let goal = Goal { target, exact: false, any_mode: false };
        let letter = Letter { sure: ack, answerable: ack, ..Letter::new(goal, message.encode()) };
        let name = name(&letter.payload);
        let refused = self.relay.counts().1;
        let first = self.relay.pass(now, view, letter.clone(), &[]);
        if ack {
            let again = now + self.config.ack_timeout * PATIENCE[0] / 100;
            let first_hops = first.into_iter().collect();
            self.awaited.insert(name, Awaited { id, letter, first_hops, attempts: 1, again, no_route: false });
        }
        let mut result = SendResult::Sent;
        while let Some(arrival) = self.relay.arrived() {
            match arrival {
                Arrival::Here(letter) => self.arrived(now, view, letter),
                Arrival::Lost(_) => {
                    self.awaited.remove(&name);
                    let is_full = self.relay.counts().1 > refused;
                    result = if is_full { SendResult::Error } else { SendResult::NoRoute };
                }
            }
        }
        (id, result)
    }

    /// A neighbour is gone.
    pub fn peer_down(&mut self, now: Instant, view: &View, peer: PeerId) {
        self.relay.peer_down(now, view, peer);
        self.drain(now, view);
    }

    /// A message came on the lane of routes.
    pub fn message(&mut self, now: Instant, view: &View, peer: PeerId, message: &[u8]) {
        match self.relay.receive(now, peer, message) {
            Received::Done => {}
            Received::Limited => self.stats.limited += 1,
            Received::TooFar => self.stats.looped += 1,
            Received::Malformed => self.blame(peer, "a routed message of a wrong form"),
            Received::Letter(letter) => match self.examine(now, &letter) {
                Ok(true) => {
                    self.relay.pass(now, view, letter, &[]);
                    self.drain(now, view);
                }
                Ok(false) => {}
                Err(reason) => self.blame(peer, reason),
            },
            Received::Own(kind @ (TO_NEAREST | TO_NEIGHBOR), rest) => {
                let (target, body) = match rest.split_first_chunk::<32>() {
                    Some((target, body)) if kind == TO_NEAREST => (Some(GroupAddress(*target)), body),
                    _ if kind == TO_NEIGHBOR => (None, rest),
                    _ => return self.blame(peer, "a routed message of a wrong form"),
                };
                if body.len() > MAX_BODY {
                    return self.blame(peer, "a routed message that is too long");
                }
                let body = Bytes::copy_from_slice(body);
                let from = GroupAddress::of(peer);
                self.notify(Routed { author: None, from, from_local: false, target, body, hops: 1 });
            }
            Received::Own(..) => {}
        }
    }

    /// So many bytes may be sent to a neighbour now.
    pub fn writable(&mut self, _now: Instant, peer: PeerId, room: usize) {
        self.relay.writable(peer, room);
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> RoutingStats {
        let (forwarded, refused) = self.relay.counts();
        RoutingStats { bytes: self.relay.bytes(), forwarded, limited: self.stats.limited + refused, ..self.stats }
    }

    /// Bytes kept for letters on their way, ours that wait for an acknowledgement included.
    #[must_use]
    pub fn working_bytes(&self) -> usize {
        let awaited: usize = self.awaited.values().map(|awaited| awaited.letter.payload.len()).sum();
        self.relay.held_bytes() + awaited
    }

    /// Bytes that wait for room on a lane.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.relay.waiting_bytes()
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant, view: &View) {
        self.relay.handle_timeout(now, view);
        let due: Vec<[u8; 32]> =
            self.awaited.iter().filter(|(_, awaited)| awaited.again <= now).map(|(name, _)| *name).collect();
        for name in due {
            self.send_again(now, view, name);
        }
        self.drain(now, view);
    }

    /// When to call [`Routing::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let again = self.awaited.values().map(|awaited| awaited.again);
        again.chain(self.relay.deadline()).min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<RoutingEvent>> {
        self.relay.poll().map(Output::Send).or_else(|| self.outputs.pop_front())
    }

    fn send(&mut self, peer: PeerId, message: &[u8]) -> SendResult {
        let sent = self.relay.send(peer, Bytes::copy_from_slice(message));
        if sent { SendResult::Sent } else { SendResult::Error }
    }

    fn notify(&mut self, routed: Routed) {
        self.stats.delivered += 1;
        self.outputs.push_back(Output::Event(RoutingEvent::Notify(routed)));
    }

    /// Counts what a neighbour did wrong, and tells of it.
    fn blame(&mut self, peer: PeerId, reason: &'static str) {
        self.stats.malformed += 1;
        self.outputs.push_back(Output::Event(RoutingEvent::Misbehaved { peer, reason }));
    }

    /// Whether a letter may go on; an error is the neighbour's fault, who should have looked.
    fn examine(&mut self, now: Instant, letter: &Letter) -> Result<bool, &'static str> {
        match letter.payload.first() {
            Some(&letter::MESSAGE) => {
                let message = Message::decode(&letter.payload).map_err(|_| "a routed message of a wrong form")?;
                let here = self.config.clock.unix_millis(now);
                let is_timely = message.time.saturating_add(MAX_AGE.as_millis() as u64) >= here
                    && message.time <= here.saturating_add(MAX_AHEAD.as_millis() as u64);
                self.stats.stale += u64::from(!is_timely);
                let author = message.author(self.config.group, letter.goal.target);
                author.ok_or("a routed message whose signature does not hold")?;
                Ok(is_timely)
            }
            Some(&letter::ACK) => {
                let ack = Ack::decode(&letter.payload).map_err(|_| "an acknowledgement of a wrong form")?;
                let receiver = ack.receiver(self.config.group, letter.goal.target);
                receiver.map(|_| true).ok_or("an acknowledgement whose signature does not hold")
            }
            Some(&letter::NO_ROUTE) => {
                no_route_name(&letter.payload).map(|_| true).map_err(|_| "a routed message of a wrong form")
            }
            _ => Ok(false),
        }
    }

    /// Takes what has arrived, and what got lost here.
    fn drain(&mut self, now: Instant, view: &View) {
        while let Some(arrival) = self.relay.arrived() {
            match arrival {
                Arrival::Here(letter) => self.arrived(now, view, letter),
                Arrival::Lost(letter) => self.lost(now, view, &letter),
            }
        }
    }

    fn arrived(&mut self, now: Instant, view: &View, letter: Letter) {
        match letter.payload.first() {
            Some(&letter::MESSAGE) => self.message_arrived(now, view, &letter),
            Some(&letter::ACK) => {
                let Ok(ack) = Ack::decode(&letter.payload) else { return };
                let Some(by) = ack.receiver(self.config.group, view.address()) else { return };
                if let Some(awaited) = self.awaited.remove(&ack.name) {
                    let hops = u32::try_from(ack.hops).unwrap_or(u32::MAX);
                    self.outputs.push_back(Output::Event(RoutingEvent::Delivered { id: awaited.id, by, hops }));
                }
            }
            Some(&letter::NO_ROUTE) => {
                let Ok(name) = no_route_name(&letter.payload) else { return };
                if let Some(awaited) = self.awaited.get_mut(&name) {
                    awaited.no_route = true;
                    self.send_again(now, view, name);
                }
            }
            _ => {}
        }
    }

    fn message_arrived(&mut self, now: Instant, view: &View, letter: &Letter) {
        let Ok(message) = Message::decode(&letter.payload) else { return };
        let target = letter.goal.target;
        let Some(author) = message.author(self.config.group, target) else { return };
        if self.seen.enter(now, MAX_AGE + MAX_AHEAD, author, message.instance, message.sequence) {
            self.notify(Routed {
                author: Some(author),
                from: letter.from.map_or(view.address(), GroupAddress::of),
                from_local: true,
                target: Some(target),
                body: message.body.clone(),
                hops: letter.hops,
            });
        } else {
            self.stats.looped += 1;
        }
        if !message.ack {
            return;
        }
        let name = name(&letter.payload);
        if letter.from.is_none() {
            if let Some(awaited) = self.awaited.remove(&name) {
                let by = self.config.author.peer_id();
                self.outputs.push_back(Output::Event(RoutingEvent::Delivered { id: awaited.id, by, hops: 0 }));
            }
            return;
        }
        let way = (self.config.group, view.address(), message.reply);
        let ack = Ack::sign(&self.config.author, way, name, u64::from(letter.hops));
        self.relay.pass(now, view, Letter::to(message.reply, letter.gateway, ack.encode()), &[]);
    }

    /// Nobody here knows a way for a letter: its author may try another.
    fn lost(&mut self, now: Instant, view: &View, letter: &Letter) {
        let Ok(message) = Message::decode(&letter.payload) else { return };
        let name = name(&letter.payload);
        if letter.from.is_none() {
            if let Some(awaited) = self.awaited.get_mut(&name) {
                awaited.no_route = true;
                // Not at once: whatever is the matter here is no better yet.
                awaited.again = awaited.again.max(now + Duration::from_millis(200));
            }
        } else if message.ack {
            let payload = [&[letter::NO_ROUTE][..], &name].concat();
            self.relay.pass(now, view, Letter::to(message.reply, letter.gateway, payload.into()), &[]);
        }
    }

    /// No acknowledgement came yet: tries another first hop, or gives up.
    fn send_again(&mut self, now: Instant, view: &View, name: [u8; 32]) {
        let Some(awaited) = self.awaited.get_mut(&name) else { return };
        if awaited.attempts >= ATTEMPTS {
            if let Some(Awaited { id, no_route, .. }) = self.awaited.remove(&name) {
                self.outputs.push_back(Output::Event(RoutingEvent::Undelivered { id, no_route }));
            }
            return;
        }
        let part = PATIENCE.get(awaited.attempts as usize).copied().unwrap_or(100);
        awaited.attempts += 1;
        awaited.again = now + self.config.ack_timeout * part / 100;
        let first = self.relay.pass(now, view, awaited.letter.clone(), &awaited.first_hops);
        awaited.first_hops.extend(first);
    }
}
