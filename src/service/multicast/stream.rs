//! One stream: who has it, what is here of it, and what is told and asked of whom.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::hearing::Hearing;
use super::media::Head;
use super::message::{MediaInfos, StreamKey, StreamMessage};
use super::near::{Near, Nears};
use super::outbox::Outbox;
use super::own::{OwnMessage, Standing};
use super::pace::Pace;
use super::parents::Parents;
use super::play::Source;
use super::press::Press;
use super::proof::Title;
use super::pull::Pulls;
use super::rate::Counts;
use super::tree::{MANIFESTS, SLICES, Trees};
use super::types::{LiveStream, StreamEvent, StreamSettings};
use super::window::Window;
use crate::base::{Instant, PeerId, Rng, TokenBucket};
use crate::group::{GroupId, Lane};

/// How often a stream in which we take part is looked at.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// Option 04: after so long in silence a stream is forgotten.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(300);
/// Who asked us to take part depends on us for so long.
pub(super) const DEPENDENCE: Duration = Duration::from_secs(10);
/// Who knows nobody that has it asks others to take part after this.
const ALONE: Duration = Duration::from_millis(300);
/// Titles a second that are taken, and at once; and how many heads are kept.
const TITLES: (u64, u64) = (1, 10);
const MAX_HEADS: usize = 8;
/// Who follows the manifests counts as so many of those to whom fragments are pushed.
const FOLLOWERS: usize = 2;

/// What is heard on IP multicast lags about so much behind the publisher.
const HEARD: Duration = Duration::from_millis(2);
/// Bytes that a publisher gives at once to those who ask.
pub(super) const MAX_GIFTS: u64 = 4 << 20;

/// What a neighbour did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be read.
    Malformed,
    /// Too much of it.
    Limited,
    /// Nobody does that by mistake.
    Hostile(&'static str),
}

/// With what a stream works.
pub(super) struct Context<'a> {
    pub(super) now: Instant,
    pub(super) group: GroupId,
    pub(super) out: &'a mut Outbox,
    pub(super) rng: &'a mut Rng,
    pub(super) push_limit: usize,
    pub(super) margin: Duration,
    /// Whether the group has an IP multicast address of its own.
    pub(super) casting: bool,
}

/// A stream is young for so long at least, and as long as its window is.
const YOUNG: Duration = Duration::from_secs(1);

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) title: Title,
    pub(super) title_bytes: Bytes,
    pub(super) titles: TokenBucket,
    pub(super) heads: Vec<(u64, Head)>,
    /// Told by the publisher.
    settings: StreamSettings,
    pub(super) press: Option<Press>,
    pub(super) window: Window,
    pub(super) pace: Pace,
    pub(super) nears: Nears,
    pub(super) parents: Parents,
    pub(super) pulls: Pulls,
    pub(super) wishes: BTreeMap<u64, Vec<PeerId>>,
    pub(super) counts: Counts,
    /// Behind the last fragment, if the publisher said so.
    pub(super) end: Option<u64>,
    /// When something that is signed came, and when a manifest last.
    pub(super) heard: Instant,
    pub(super) manifest_at: Instant,
    /// When we began to take part.
    pub(super) joined: Instant,
    /// What the newest manifest says of when it was signed.
    pub(super) newest_at: u64,
    /// When everybody was last given a manifest, on the publisher's clock.
    pub(super) life_told: u64,
    pub(super) newest_manifest: Option<Bytes>,
    /// How many play it here.
    pub(super) players: usize,
    pub(super) takes_part: bool,
    /// The first fragment that interests us.
    pub(super) start: Option<u64>,
    /// The longest that anybody waits here.
    pub(super) latency: Duration,
    /// How long after its manifest a fragment comes that is pushed: mean, and mean deviation, in seconds.
    pub(super) late: (f64, f64),
    pub(super) standing: Standing,
    pub(super) standing_at: Instant,
    pub(super) tick_at: Option<Instant>,
    pub(super) map_at: Instant,
    pub(super) map_turn: Option<PeerId>,
    pub(super) asked_missing: Instant,
    /// When to ask neighbours to take part, unless somebody does.
    pub(super) relay_at: Instant,
    /// Bytes that a publisher may still give to those who ask.
    pub(super) gifts: u64,
    /// Our owner knows that it has ended.
    pub(super) told_ended: bool,
    /// How well it is heard on the group's own IP multicast address.
    pub(super) hearing: Hearing,
    /// Two of its manifests, both signed, contradict each other.
    pub(super) contradicts: bool,
    /// Whose fragments turned out to be none of the publisher's.
    pub(super) forgers: Vec<PeerId>,
}

impl Stream {
    pub(super) fn new(context: &mut Context<'_>, title: Title, title_bytes: Bytes, press: Option<Press>) -> Self {
        let now = context.now;
        let parents = Parents::new(now, context.rng);
        let settings = sane(title.settings);
        let heads = vec![(title.since, title.head.clone())];
        Self {
            title,
            title_bytes,
            titles: TokenBucket::new(TITLES.0, TITLES.1),
            heads,
            settings,
            press,
            window: Window::default(),
            pace: Pace::default(),
            nears: Nears::new(),
            parents,
            pulls: Pulls::default(),
            wishes: BTreeMap::new(),
            counts: Counts::default(),
            end: None,
            heard: now,
            manifest_at: now,
            joined: now,
            newest_at: 0,
            life_told: 0,
            newest_manifest: None,
            players: 0,
            takes_part: false,
            start: None,
            latency: Duration::ZERO,
            late: (0.0, 0.05),
            standing: Standing::default(),
            standing_at: now,
            tick_at: None,
            map_at: now,
            map_turn: None,
            asked_missing: now,
            relay_at: now,
            gifts: MAX_GIFTS,
            told_ended: false,
            hearing: Hearing::default(),
            contradicts: false,
            forgers: Vec::new(),
        }
    }

    pub(super) const fn key(&self) -> StreamKey {
        self.title.key
    }

    /// The first eight bytes of the key.
    pub(super) fn tag(&self) -> u64 {
        tag_of(self.title.key)
    }

    pub(super) const fn settings(&self) -> StreamSettings {
        self.settings
    }

    /// The stream is ours, with these settings.
    pub(super) fn set_settings(&mut self, settings: StreamSettings) {
        self.settings = settings;
    }

    /// Whether somebody has nobody else from whom to get it.
    pub(super) fn is_needed(&self, now: Instant) -> bool {
        self.nears.values().any(|near| near.depends.is_some_and(|since| now.since(since) < DEPENDENCE))
    }

    /// How long nothing came of it, as far as something should have: who takes no part hears of it once a minute.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        if self.takes_part { now.since(self.heard.max(self.joined)) } else { Duration::ZERO }
    }

    pub(super) fn live(&self) -> LiveStream {
        LiveStream {
            key: self.key(),
            name: self.title.name.clone(),
            publisher: self.title.publisher,
            settings: self.settings(),
            is_ours: self.press.is_some(),
            neighbours: self.nears.values().filter(|near| near.standing.takes_part).count(),
            newest: self.window.newest(),
            heard: self.heard,
        }
    }

    pub(super) fn source(&self) -> Source<'_> {
        Source {
            window: &self.window,
            pace: &self.pace,
            heads: &self.heads,
            end: self.end,
            latency: self.settings().window,
            start: self.start.unwrap_or(u64::MAX),
            is_young: self.is_young(self.newest_at),
        }
    }

    /// Whether a stream of this age, in microseconds, is still to be had from its beginning: who comes in its first moments
    /// begins with them, not with what happens to be its newest.
    pub(super) fn is_young(&self, age: u64) -> bool {
        Duration::from_micros(age) < self.settings().window.max(YOUNG)
    }

    /// Whether the first fragment that interests us is one with which a player can begin, or that was so.
    pub(super) fn begins_well(&self) -> bool {
        let is_key = |start| start < self.window.low() || self.window.mark(start).is_some_and(|mark| mark.key);
        self.start.is_some_and(is_key)
    }

    /// Those who play here need nothing below `from`, and wait for so long at most.
    pub(super) fn needed(&mut self, from: Option<u64>, latency: Option<Duration>) {
        self.latency = latency.unwrap_or_else(|| self.settings().window);
        if let Some(from) = from.filter(|from| *from > 0) {
            self.pulls.forget_below(from, &mut self.nears);
        }
    }

    /// When something is to be done.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let press = self.press.as_ref().and_then(Press::due);
        let pulls = self.takes_part.then(|| self.pulls.deadline()).flatten();
        [press, pulls, self.tick_at].into_iter().flatten().min()
    }

    /// A neighbour is there.
    pub(super) fn peer_up(&mut self, context: &mut Context<'_>, peer: PeerId, rtt: Duration) {
        self.nears.insert(peer, Near::new(rtt));
        self.tell_title(context, peer);
        if let Some(manifest) = self.newest_manifest.clone() {
            self.own(context, peer, &OwnMessage::Manifest(manifest));
        }
        if self.takes_part {
            let standing = OwnMessage::Standing { key: self.key(), standing: self.standing };
            self.own(context, peer, &standing);
        }
    }

    /// It is gone.
    pub(super) fn peer_down(&mut self, context: &mut Context<'_>, peer: PeerId) {
        self.lost(context.now, peer, Trees::ALL);
        self.pulls.peer_down(context.now, peer);
        self.nears.remove(&peer);
    }

    /// A neighbour does not push along these trees.
    pub(super) fn lost(&mut self, now: Instant, peer: PeerId, trees: Trees) {
        for slice in trees.iter().filter(|tree| *tree < SLICES) {
            if self.parents.of(slice) == Some(peer) {
                self.pulls.hurry_slice(slice, now + TICK);
            }
        }
        self.parents.lost(now, peer, trees, &self.nears);
        self.soon(now);
    }

    fn tell_title(&mut self, context: &mut Context<'_>, peer: PeerId) {
        let since = self.title.since;
        let Some(near) = self.nears.get_mut(&peer) else { return };
        if near.titled.is_none_or(|titled| titled < since) {
            near.titled = Some(since);
            self.own(context, peer, &OwnMessage::Title(self.title_bytes.clone()));
        }
    }

    /// Sends one of our own messages.
    pub(super) fn own(&mut self, context: &mut Context<'_>, peer: PeerId, message: &OwnMessage) {
        let bytes = message.encode();
        self.counts.sent_control.add(context.now, bytes.len());
        if !context.out.send(peer, Lane::Manifests, bytes) {
            self.counts.info.limited += 1;
        }
    }

    /// Sends a known message; before the first one, what the stream is.
    pub(super) fn known(&mut self, context: &mut Context<'_>, peer: PeerId, message: &StreamMessage) {
        self.introduce(context, peer);
        self.send_known(context, peer, message);
    }

    /// Tells a neighbour in the known way what the stream is, once.
    pub(super) fn introduce(&mut self, context: &mut Context<'_>, peer: PeerId) {
        let told = self.nears.get_mut(&peer).map(|near| std::mem::replace(&mut near.told, true));
        if told == Some(false) {
            let infos = StreamMessage::Infos(self.infos());
            self.send_known(context, peer, &infos);
        }
    }

    fn send_known(&mut self, context: &mut Context<'_>, peer: PeerId, message: &StreamMessage) {
        let bytes = Bytes::from(message.encode());
        self.counts.sent_control.add(context.now, bytes.len());
        if !context.out.send(peer, Lane::Stream(self.tag()), bytes) {
            self.counts.info.limited += 1;
        }
    }

    fn infos(&self) -> MediaInfos {
        let settings = self.settings();
        MediaInfos {
            name: self.title.name.clone(),
            key: self.key(),
            always: true,
            send_to_all: settings.send_to_all,
            window: settings.window,
            idle: Some(FORGOTTEN),
            update: settings.update,
            fetch: settings.fetch,
        }
    }

    /// A newer title of the stream came, whose signature is right.
    pub(super) fn retitle(&mut self, context: &mut Context<'_>, from: Option<PeerId>, title: Title, bytes: Bytes) {
        if title.since > self.title.since && (from.is_none() || self.titles.take(context.now, 1)) {
            self.heads.push((title.since, title.head.clone()));
            if self.heads.len() > MAX_HEADS {
                self.heads.remove(0);
            }
            (self.title, self.title_bytes) = (title, bytes);
            self.heard = context.now;
        }
        self.spread_title(context);
    }

    /// Everybody gets the title who has not got it.
    pub(super) fn spread_title(&mut self, context: &mut Context<'_>) {
        let peers: Vec<PeerId> = self.nears.keys().copied().collect();
        peers.into_iter().for_each(|peer| self.tell_title(context, peer));
    }

    /// A neighbour has this title, of this stream.
    pub(super) fn titled_by(&mut self, peer: PeerId, since: u64) {
        let heralds = self.nears.values().filter(|near| near.herald.is_some()).count();
        if let Some(near) = self.nears.get_mut(&peer) {
            near.titled = near.titled.max(Some(since));
            near.herald.get_or_insert(heralds);
        }
    }

    /// The stream ended: our owner is told once.
    pub(super) fn tell_ended(&mut self, context: &mut Context<'_>) {
        if self.end.is_some() {
            self.tell_unpublished(context);
        }
    }

    /// It is no more: our owner is told once, of those of others.
    pub(super) fn tell_unpublished(&mut self, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.told_ended, true) && self.press.is_none() {
            let (key, name, publisher) = (self.key(), self.title.name.clone(), self.title.publisher);
            context.out.tell(StreamEvent::UnpublishNotify { key, name, publisher });
        }
    }

    /// Tells those who take part in a stream of ours that it has ended, in the known way.
    pub(super) fn tell_end(&mut self, context: &mut Context<'_>) {
        let Some(end) = self.end.filter(|_| self.press.is_some()) else { return };
        let takes = self.nears.iter().filter(|(_, near)| near.standing.takes_part);
        let peers: Vec<PeerId> = takes.map(|(peer, _)| *peer).collect();
        peers.into_iter().for_each(|peer| self.known(context, peer, &StreamMessage::End(end)));
    }

    /// Takes part in it, or no longer.
    pub(super) fn take_part(&mut self, context: &mut Context<'_>, takes_part: bool) {
        if takes_part == self.takes_part {
            return;
        }
        self.takes_part = takes_part;
        if takes_part {
            self.start = None;
            self.tick_at = Some(context.now);
            self.relay_at = context.now + ALONE;
            (self.joined, self.manifest_at) = (context.now, context.now);
            self.map_at = context.now + self.settings().update;
            return;
        }
        let tag = self.tag();
        self.tell_standing(context);
        self.tick_at = None;
        self.parents = Parents::new(context.now, context.rng);
        self.pulls = Pulls::default();
        self.window = Window::default();
        self.wishes.clear();
        for (peer, near) in &mut self.nears {
            (near.told, near.pulls, near.mapped, near.relays) = (false, 0, 0, false);
            (near.wants, near.pushed, near.asked, near.given) = Default::default();
            context.out.finish(*peer, Lane::Stream(tag));
            context.out.finish(*peer, Lane::Fragments(tag));
        }
    }

    /// Looks after everything soon.
    pub(super) fn soon(&mut self, now: Instant) {
        if self.takes_part {
            self.tick_at = self.tick_at.map(|at| at.min(now));
        }
    }

    /// How we stand.
    pub(super) fn stand(&mut self, now: Instant, push_limit: usize) -> Standing {
        if !self.takes_part {
            return Standing::default();
        }
        let publishes = self.press.is_some();
        let hears = self.hearing.is_good(now);
        let lags = std::array::from_fn(|tree| {
            if publishes {
                Some(Duration::ZERO)
            } else if hears {
                Some(HEARD)
            } else {
                self.parents.lag(tree, &self.nears)
            }
        });
        let lags = lags.map(|lag| lag.map(|lag| Duration::from_millis(lag.as_micros().div_ceil(1000) as u64)));
        let free = std::array::from_fn(|tree| {
            let free = places(tree, push_limit).saturating_sub(self.pushed_along(tree).count());
            u8::try_from(free).unwrap_or(u8::MAX)
        });
        Standing { takes_part: true, publishes, newest: self.window.high().saturating_sub(1), lags, free }
    }

    pub(super) fn pushed_along(&self, tree: usize) -> impl Iterator<Item = &PeerId> {
        self.nears.iter().filter(move |(_, near)| near.pushed.has(tree)).map(|(peer, _)| peer)
    }

    /// Tells all neighbours how we stand.
    pub(super) fn tell_standing(&mut self, context: &mut Context<'_>) {
        self.standing = self.stand(context.now, context.push_limit);
        self.standing_at = context.now;
        let message = OwnMessage::Standing { key: self.key(), standing: self.standing };
        let peers: Vec<PeerId> = self.nears.keys().copied().collect();
        peers.into_iter().for_each(|peer| self.own(context, peer, &message));
    }
}

/// By which a stream's lanes are known.
pub(super) fn tag_of(key: StreamKey) -> u64 {
    u64::from_be_bytes(*key.0.first_chunk().expect("a key has 32 bytes"))
}

/// To how many neighbours we push along a tree.
pub(super) fn places(tree: usize, push_limit: usize) -> usize {
    if tree == MANIFESTS { FOLLOWERS * push_limit } else { push_limit }
}

/// What a publisher told, as far as it can be meant.
fn sane(settings: StreamSettings) -> StreamSettings {
    let ms = Duration::from_millis;
    StreamSettings {
        window: settings.window.clamp(ms(50), ms(120_000)),
        fetch: settings.fetch.clamp(ms(5), ms(60_000)),
        update: settings.update.clamp(ms(20), ms(60_000)),
        ..settings
    }
}
