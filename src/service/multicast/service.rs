//! The service: what its owner and its neighbours tell it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::hearing::{AIR, Heard, read};
use super::media::{Head, Unit};
use super::message::{MAX_NAME, StreamKey, StreamMessage};
use super::near::Near;
use super::outbox::Outbox;
use super::own::OwnMessage;
use super::play::Play;
use super::press::Press;
use super::proof::Title;
use super::stream::{Context, FORGOTTEN, Fault, Stream, tag_of};
use super::types::{
    LiveStream, MulticastConfig, MulticastInfo, PlayId, StreamError, StreamEvent, StreamSettings, Wanted,
};
use crate::base::{Instant, PeerId, Rng, TokenBucket, WallClock};
use crate::group::{GrantKind, Lane, Output, View, verify_grant};

/// Streams of a group that are known, and of one publisher.
const MAX_STREAMS: usize = 64;
const MAX_OF_ONE: usize = 8;
/// Streams that are over and remembered, so that a late title does not bring them back.
const MAX_OVER: usize = 256;
/// Signatures that one neighbour can make us verify, a second and at once.
const VERIFICATIONS: (u64, u64) = (500, 4_000);
/// Messages that cannot be read, or have no business here, of one neighbour a second and at once.
const FAULTS: (u64, u64) = (2, 200);
/// A stream of which nothing signed came for so long is silent: another takes its place where it is played,
const SILENT: Duration = Duration::from_secs(10);
/// if it is the same publisher's, after this.
const SILENT_SELF: Duration = Duration::from_secs(5);
/// How often is looked after what is not urgent.
const LOOK: Duration = Duration::from_millis(500);

/// A neighbour.
#[derive(Debug)]
struct Peer {
    rtt: Duration,
    /// It broke the rules, and is not heard any more.
    banned: bool,
    verifications: TokenBucket,
    faults: TokenBucket,
}

impl Peer {
    fn new(rtt: Duration) -> Self {
        let bucket = |(rate, burst)| TokenBucket::new(rate, burst);
        Self { rtt, banned: false, verifications: bucket(VERIFICATIONS), faults: bucket(FAULTS) }
    }
}

/// Below this a window has no room for what is asked for; what neighbours tell is not taken for less, either.
const SHORTEST_WINDOW: Duration = Duration::from_millis(50);

/// The multicast service of one membership.
#[derive(Debug)]
pub struct Multicast {
    config: MulticastConfig,
    rng: Rng,
    out: Outbox,
    streams: BTreeMap<StreamKey, Stream>,
    /// In the order in which they were heard of.
    order: Vec<StreamKey>,
    /// Streams of ours of which nothing was written yet.
    unwritten: BTreeMap<StreamKey, (Press, StreamSettings)>,
    over: BTreeMap<StreamKey, Instant>,
    peers: BTreeMap<PeerId, Peer>,
    plays: BTreeMap<PlayId, Play>,
    next_play: u64,
    relaying: (usize, Duration),
    /// Whether the group has an IP multicast address of its own.
    casting: bool,
    look_at: Option<Instant>,
    /// Of messages that belong to no stream that we know.
    faults: MulticastInfo,
}

impl Multicast {
    /// No streams.
    #[must_use]
    pub fn new(_now: Instant, rng: Rng, config: MulticastConfig) -> Self {
        Self {
            config,
            rng,
            out: Outbox::default(),
            streams: BTreeMap::new(),
            order: Vec::new(),
            unwritten: BTreeMap::new(),
            over: BTreeMap::new(),
            peers: BTreeMap::new(),
            plays: BTreeMap::new(),
            next_play: 1,
            relaying: (StreamSettings::FLASH.push_limit, StreamSettings::FLASH.relay_margin),
            casting: false,
            look_at: None,
            faults: MulticastInfo::default(),
        }
    }

    /// Publishes a stream of this name. It is announced with its first unit.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn publish(&mut self, now: Instant, name: &str, settings: StreamSettings) -> Result<StreamKey, StreamError> {
        if name.len() > MAX_NAME {
            return Err(StreamError::Name);
        }
        let settings = StreamSettings { window: settings.window.max(SHORTEST_WINDOW), ..settings };
        let author = &self.config.author;
        if let Some(key) = &self.config.publishing_key {
            let grant = self.config.grant.as_ref().ok_or(StreamError::NoGrant)?;
            let time = self.config.clock.unix_millis(now);
            verify_grant(grant, key, GrantKind::Publishing, self.config.group, author.peer_id(), time)
                .map_err(|_| StreamError::NoGrant)?;
        }
        let ours = self.streams.values().filter(|stream| stream.press.is_some()).count() + self.unwritten.len();
        if ours >= MAX_OF_ONE || self.streams.len() >= MAX_STREAMS {
            return Err(StreamError::TooMany);
        }
        let random = self.rng.bytes();
        let grant = self.config.grant.clone();
        let press = Press::new(author, self.config.group, name, random, grant, settings);
        let key = press.key;
        self.unwritten.insert(key, (press, settings));
        Ok(key)
    }

    /// The next unit of a stream of ours; `head` is what must precede it where a player begins with it.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn write(&mut self, now: Instant, key: StreamKey, unit: &Unit, head: &Head) -> Result<(), StreamError> {
        if let Some((mut press, settings)) = self.unwritten.remove(&key) {
            let title = match press.write(now, unit, head) {
                Ok(title) => title.unwrap_or_default(),
                Err(error) => {
                    self.unwritten.insert(key, (press, settings));
                    return Err(error);
                }
            };
            let decoded = Title::decode(&title, self.config.group).map_err(|_| StreamError::TooLong)?;
            self.enter(now, decoded, title, Some((press, settings)));
            self.with(now, key, |stream, context| {
                stream.spread_title(context);
                stream.take_part(context, true);
            });
            self.choose(now);
        } else {
            let stream = self.streams.get_mut(&key).filter(|stream| stream.end.is_none());
            let press = stream.and_then(|stream| stream.press.as_mut()).ok_or(StreamError::Unknown)?;
            if let Some(bytes) = press.write(now, unit, head)?
                && let Ok(title) = Title::decode(&bytes, self.config.group)
            {
                self.with(now, key, |stream, context| stream.retitle(context, None, title, bytes));
            }
        }
        self.with(now, key, |stream, context| stream.handle_timeout(context));
        self.settle(now, key);
        Ok(())
    }

    /// A stream of ours ends in good order, with what was written.
    pub fn unpublish(&mut self, now: Instant, key: StreamKey) {
        self.unwritten.remove(&key);
        self.with(now, key, |stream, context| {
            for pressed in stream.press.as_mut().map(|press| press.end(now)).unwrap_or_default() {
                stream.publish(context, pressed);
            }
            stream.tell_end(context);
        });
        self.settle(now, key);
    }

    /// Plays a stream, as soon as there is one that is wanted.
    pub fn play(&mut self, now: Instant, wanted: Wanted) -> PlayId {
        let id = PlayId(self.next_play);
        self.next_play += 1;
        self.plays.insert(id, Play::new(id, wanted));
        self.choose(now);
        id
    }

    /// Plays no longer.
    pub fn stop(&mut self, now: Instant, play: PlayId) {
        if let Some(key) = self.plays.remove(&play).and_then(|play| play.key()) {
            self.settle(now, key);
        }
    }

    /// The settings that a member has for itself, of all streams: to how many neighbours a fragment is pushed at most, and for
    /// how long fragments are kept beyond the window.
    pub fn set_relaying(&mut self, push_limit: usize, margin: Duration) {
        self.relaying = (push_limit, margin);
    }

    /// The streams that we know of.
    pub fn streams(&self) -> impl Iterator<Item = LiveStream> + '_ {
        self.streams.values().map(Stream::live)
    }

    /// What is counted of a stream.
    #[must_use]
    pub fn info(&self, now: Instant, key: StreamKey) -> Option<MulticastInfo> {
        self.streams.get(&key).map(|stream| stream.counts.info(now))
    }

    /// What is counted beside the streams that we know: of all that, only what was malformed, forged or limited.
    #[must_use]
    pub const fn faults(&self) -> MulticastInfo {
        self.faults
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.config.clock = clock;
    }

    /// A neighbour is there.
    pub fn peer_up(&mut self, now: Instant, view: &View, peer: PeerId) {
        let rtt = view.neighbour(peer).map_or(Duration::ZERO, |neighbour| neighbour.rtt);
        self.peers.insert(peer, Peer::new(rtt));
        for key in self.order.clone() {
            self.with(now, key, |stream, context| stream.peer_up(context, peer, rtt));
        }
    }

    /// It is gone.
    pub fn peer_down(&mut self, now: Instant, _view: &View, peer: PeerId) {
        self.peers.remove(&peer);
        for key in self.order.clone() {
            self.with(now, key, |stream, context| stream.peer_down(context, peer));
        }
        self.out.peer_down(peer);
    }

    /// A neighbour's message came.
    pub fn message(&mut self, now: Instant, _view: &View, peer: PeerId, lane: Lane, message: &Bytes) {
        if self.peers.get(&peer).is_none_or(|peer| peer.banned) {
            return;
        }
        let (key, outcome) = match lane {
            Lane::Manifests => match OwnMessage::decode(message) {
                Ok(OwnMessage::Title(title)) => (None, self.title(now, peer, &title)),
                Ok(own) => {
                    let key = key_of(&own);
                    (key, self.own_message(now, peer, key, own, message.len()))
                }
                // There may be others in later versions.
                Err(crate::wire::DecodeError::UnknownType(_)) => (None, Ok(())),
                Err(_) => (None, Err(Fault::Malformed)),
            },
            Lane::Stream(tag) => match (StreamMessage::decode(message), self.tagged(tag)) {
                (Ok(told), Some(key)) => {
                    let outcome = self.with(now, key, |stream, context| {
                        stream.counts.received_control.add(now, message.len());
                        stream.stream_message(context, peer, told)
                    });
                    (Some(key), outcome.unwrap_or(Ok(())))
                }
                (Ok(_), None) => (None, Ok(())),
                (Err(_), key) => (key, Err(Fault::Malformed)),
            },
            Lane::Fragments(tag) => {
                let key = self.tagged(tag);
                let outcome =
                    key.and_then(|key| self.with(now, key, |stream, context| stream.fragment(context, peer, message)));
                (key, outcome.unwrap_or(Err(Fault::Limited)))
            }
            _ => (None, Ok(())),
        };
        if let Err(fault) = outcome {
            self.fault(now, key, peer, fault);
        }
        if let Some(key) = key {
            self.settle(now, key);
        }
    }

    fn own_message(
        &mut self,
        now: Instant,
        peer: PeerId,
        key: Option<StreamKey>,
        message: OwnMessage,
        len: usize,
    ) -> Result<(), Fault> {
        let Some(key) = key else { return Err(Fault::Malformed) };
        if matches!(message, OwnMessage::Manifest(_)) {
            self.may_verify(now, peer)?;
        }
        let outcome = self.with(now, key, |stream, context| {
            stream.counts.received_control.add(now, len);
            stream.own_message(context, peer, message)
        });
        outcome.unwrap_or(Ok(()))
    }

    fn may_verify(&mut self, now: Instant, peer: PeerId) -> Result<(), Fault> {
        let may = self.peers.get_mut(&peer).is_some_and(|peer| peer.verifications.take(now, 1));
        if may { Ok(()) } else { Err(Fault::Limited) }
    }

    fn tagged(&self, tag: u64) -> Option<StreamKey> {
        let mut low = [0; 32];
        low[..8].copy_from_slice(&tag.to_be_bytes());
        let (key, _) = self.streams.range(StreamKey(low)..).next()?;
        (tag_of(*key) == tag).then_some(*key)
    }

    /// A neighbour has a stream's title.
    fn title(&mut self, now: Instant, peer: PeerId, bytes: &Bytes) -> Result<(), Fault> {
        self.may_verify(now, peer)?;
        let group = self.config.group;
        let title = Title::decode(bytes, group).map_err(|_| Fault::Malformed)?;
        let (key, since) = (title.key, title.since);
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.titled_by(peer, since);
            if since <= stream.title.since || stream.press.is_some() {
                return Ok(());
            }
        } else if self.over.contains_key(&key) || self.unwritten.contains_key(&key) {
            return Ok(());
        }
        if !title.is_signed(group) {
            return Err(Fault::Hostile("passed on a title that its publisher did not sign"));
        }
        if let Some(publishing) = &self.config.publishing_key {
            let time = self.config.clock.unix_millis(now);
            let grant = verify_grant(&title.grant, publishing, GrantKind::Publishing, group, title.publisher, time);
            // It may have been valid until a moment ago.
            grant.map_err(|_| Fault::Malformed)?;
        }
        if self.streams.contains_key(&key) {
            self.with(now, key, |stream, context| stream.retitle(context, Some(peer), title, bytes.clone()));
            return Ok(());
        }
        let of_one = self.streams.values().filter(|stream| stream.title.publisher == title.publisher).count();
        if self.streams.len() >= MAX_STREAMS || of_one >= MAX_OF_ONE || self.tagged(tag_of(key)).is_some() {
            return Err(Fault::Limited);
        }
        let (name, publisher) = (title.name.clone(), title.publisher);
        self.enter(now, title, bytes.clone(), None);
        self.with(now, key, |stream, context| {
            stream.titled_by(peer, since);
            stream.spread_title(context);
        });
        self.out.tell(StreamEvent::PublishNotify { key, name, publisher });
        self.choose(now);
        Ok(())
    }

    /// A stream is there.
    fn enter(&mut self, now: Instant, title: Title, bytes: Bytes, ours: Option<(Press, StreamSettings)>) {
        let key = title.key;
        let (press, settings) = ours.unzip();
        let mut context = Context {
            now,
            group: self.config.group,
            out: &mut self.out,
            rng: &mut self.rng,
            push_limit: 0,
            margin: Duration::ZERO,
            casting: self.casting,
        };
        let mut stream = Stream::new(&mut context, title, bytes, press);
        if let Some(settings) = settings {
            stream.set_settings(settings);
        }
        let peers = self.peers.iter().filter(|(id, peer)| !peer.banned && **id != AIR);
        stream.nears = peers.map(|(id, peer)| (*id, Near::new(peer.rtt))).collect();
        self.streams.insert(key, stream);
        self.order.push(key);
        self.look_at.get_or_insert(now + LOOK);
    }

    /// Does something with a stream.
    fn with<T>(
        &mut self,
        now: Instant,
        key: StreamKey,
        what: impl FnOnce(&mut Stream, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let stream = self.streams.get_mut(&key)?;
        let settings = stream.settings();
        let (push_limit, margin) =
            if stream.press.is_some() { (settings.push_limit, settings.relay_margin) } else { self.relaying };
        let group = self.config.group;
        let casting = self.casting;
        let (out, rng) = (&mut self.out, &mut self.rng);
        let mut context = Context { now, group, out, rng, push_limit, margin, casting };
        Some(what(stream, &mut context))
    }

    /// A neighbour did something wrong.
    fn fault(&mut self, now: Instant, key: Option<StreamKey>, peer: PeerId, fault: Fault) {
        let stream = key.and_then(|key| self.streams.get_mut(&key));
        let info = stream.map_or(&mut self.faults, |stream| &mut stream.counts.info);
        let reason = match fault {
            Fault::Malformed => {
                info.malformed += 1;
                let often = self.peers.get_mut(&peer).is_some_and(|peer| !peer.faults.take(now, 1));
                often.then_some("sent too much that nobody can read")
            }
            Fault::Limited => {
                info.limited += 1;
                None
            }
            Fault::Hostile(reason) => Some(reason),
        };
        if let Some(reason) = reason {
            self.ban(now, peer, reason);
        }
    }

    fn ban(&mut self, now: Instant, peer: PeerId, reason: &'static str) {
        let Some(known) = self.peers.get_mut(&peer).filter(|known| !known.banned) else { return };
        known.banned = true;
        for key in self.order.clone() {
            self.with(now, key, |stream, context| stream.peer_down(context, peer));
        }
        self.out.peer_down(peer);
        self.out.tell(StreamEvent::Misbehaved { peer, reason });
    }

    /// After something happened to a stream: shows what is due, and sees whether it is still needed.
    fn settle(&mut self, now: Instant, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        let (mut from, mut latency, mut ended) = (None, None, false);
        stream.players = 0;
        for play in self.plays.values_mut().filter(|play| play.key() == Some(key)) {
            let source = stream.source();
            let lost = play.pump(now, &source, |event| self.out.tell(event));
            if play.key() == Some(key) {
                let needs = play.needs_from();
                from = Some(from.map_or(needs, |from: u64| from.min(needs)));
                latency = latency.max(Some(play.patience(&source)));
                stream.players += 1;
            } else {
                ended = true;
            }
            stream.counts.info.lost += lost;
        }
        stream.needed(from, latency);
        let forgers = std::mem::take(&mut stream.forgers);
        let takes_part = stream.press.is_some() || stream.players > 0 || stream.is_needed(now);
        self.with(now, key, |stream, context| {
            stream.take_part(context, takes_part);
            stream.tell_ended(context);
        });
        for peer in forgers.into_iter().filter(|peer| *peer != AIR) {
            self.ban(now, peer, "altered a fragment");
        }
        if ended {
            self.choose(now);
        }
    }

    /// Every play gets the stream that it wants, if there is one.
    fn choose(&mut self, now: Instant) {
        let mut begun = Vec::new();
        for play in self.plays.values_mut() {
            let current = play.key().and_then(|key| self.streams.get(&key));
            let silence = current.map(|stream| stream.silence(now));
            if silence.is_some_and(|silence| silence < SILENT_SELF) {
                continue;
            }
            let may_replace = |other: &Stream| match (current, silence) {
                (Some(current), Some(silence)) => {
                    let same = current.title.publisher == other.title.publisher;
                    current.key() != other.key() && (silence >= SILENT || same)
                }
                _ => true,
            };
            let fits = |stream: &&Stream| {
                stream.end.is_none()
                    && stream.title.name == play.wanted.name
                    && play.wanted.publisher.is_none_or(|publisher| publisher == stream.title.publisher)
                    && !play.is_over(stream.key())
                    && !play.is_left(stream.key(), stream.heard)
                    && stream.silence(now) < SILENT_SELF
                    && may_replace(stream)
            };
            let mut fitting = self.order.iter().filter_map(|key| self.streams.get(key)).filter(fits);
            // Of several of one publisher, the others are those that it left without a word.
            let chosen = fitting
                .next()
                .map(|first| fitting.rfind(|other| other.title.publisher == first.title.publisher).unwrap_or(first));
            if let Some(stream) = chosen {
                begun.extend([play.key(), Some(stream.key())].into_iter().flatten());
                play.begin(now, stream.key());
                let (play, key, publisher) = (play.id(), stream.key(), stream.title.publisher);
                self.out.tell(StreamEvent::Reset { play, key, publisher });
            }
        }
        for key in begun {
            self.settle(now, key);
        }
        if !self.plays.is_empty() {
            self.look_at.get_or_insert(now + LOOK);
        }
    }

    /// Something was heard on the group's own IP multicast address. Whoever said it is a member; which one, nobody knows, so
    /// nobody is left for what is wrong with it.
    pub fn heard_cast(&mut self, now: Instant, message: &Bytes) {
        let (key, outcome) = match read(message) {
            Some(Heard::Own(OwnMessage::Title(title))) => (None, self.title(now, AIR, &title)),
            Some(Heard::Own(own)) => {
                let key = key_of(&own);
                (key, self.own_message(now, AIR, key, own, message.len()))
            }
            Some(Heard::Fragment(tag, fragment)) => {
                let key = self.tagged(tag);
                let ours = key.and_then(|key| self.streams.get(&key)).is_some_and(|stream| stream.press.is_some());
                let take = |key| self.with(now, key, |stream, context| stream.fragment(context, AIR, &fragment));
                (key, key.filter(|_| !ours).and_then(take).unwrap_or(Ok(())))
            }
            None => (None, Err(Fault::Malformed)),
        };
        if let Err(fault) = outcome {
            let info = key
                .and_then(|key| self.streams.get_mut(&key))
                .map_or(&mut self.faults, |stream| &mut stream.counts.info);
            match fault {
                Fault::Malformed => info.malformed += 1,
                Fault::Limited => info.limited += 1,
                // It was counted where it was found.
                Fault::Hostile(_) => {}
            }
        }
        if let Some(key) = key {
            self.settle(now, key);
        }
    }

    /// Whether the group has such an address, to which streams are sent.
    pub fn set_casting(&mut self, casting: bool) {
        self.casting = casting;
        self.peers.remove(&AIR);
        if casting {
            self.peers.insert(AIR, Peer::new(Duration::ZERO));
        }
    }

    /// So many bytes may be sent to a neighbour on this lane now.
    pub fn writable(&mut self, _now: Instant, peer: PeerId, lane: Lane, room: usize) {
        self.out.writable(peer, lane, room);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant, view: &View) {
        let due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if due(self.look_at) {
            self.look(now, view);
        }
        for key in self.order.clone() {
            let plays = self.plays.values().any(|play| play.key() == Some(key) && due(play.deadline()));
            let works = self.streams.get(&key).is_some_and(|stream| due(stream.deadline()));
            if works {
                self.with(now, key, |stream, context| stream.handle_timeout(context));
            }
            if works || plays {
                self.settle(now, key);
            }
        }
    }

    /// Looks after what is not urgent.
    fn look(&mut self, now: Instant, view: &View) {
        for neighbour in view.neighbours() {
            if let Some(peer) = self.peers.get_mut(&neighbour.peer) {
                peer.rtt = neighbour.rtt;
            }
            for stream in self.streams.values_mut() {
                if let Some(near) = stream.nears.get_mut(&neighbour.peer) {
                    near.measured(neighbour.rtt);
                }
            }
        }
        self.choose(now);
        for key in self.order.clone() {
            let Some(stream) = self.streams.get(&key) else { continue };
            let keep = stream.settings().window + self.relaying.1 + SILENT;
            let silence = now.since(stream.heard);
            let is_over = if stream.end.is_some() { silence > keep } else { silence > FORGOTTEN };
            if is_over && (stream.press.is_none() || stream.end.is_some()) {
                self.forget(now, key);
            }
        }
        self.over.retain(|_, since| now.since(*since) < FORGOTTEN);
        self.look_at = (!self.streams.is_empty() || !self.plays.is_empty()).then_some(now + LOOK);
    }

    /// A stream is no more.
    fn forget(&mut self, now: Instant, key: StreamKey) {
        self.with(now, key, |stream, context| {
            stream.take_part(context, false);
            stream.tell_unpublished(context);
        });
        self.plays.values_mut().filter(|play| play.key() == Some(key)).for_each(Play::cease);
        self.streams.remove(&key);
        self.order.retain(|other| *other != key);
        if self.over.len() >= MAX_OVER {
            let oldest = self.over.iter().min_by_key(|(_, since)| **since).map(|(key, _)| *key);
            oldest.map(|key| self.over.remove(&key));
        }
        self.over.insert(key, now);
    }

    /// When to call [`Multicast::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let streams = self.streams.values().filter_map(Stream::deadline);
        let plays = self.plays.values().filter_map(Play::deadline);
        streams.chain(plays).chain(self.look_at).min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<StreamEvent>> {
        self.out.poll()
    }
}

/// The stream that a message is about.
fn key_of(message: &OwnMessage) -> Option<StreamKey> {
    match message {
        OwnMessage::Title(_) => None,
        OwnMessage::Manifest(bytes) => bytes.first_chunk().map(|key| StreamKey(*key)),
        OwnMessage::Follow { key, .. }
        | OwnMessage::Missing { key, .. }
        | OwnMessage::Standing { key, .. }
        | OwnMessage::Relay { key }
        | OwnMessage::Granted { key, .. } => Some(*key),
    }
}
