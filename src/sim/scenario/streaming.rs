//! Streams on their way to everybody.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::super::swarm::MemberId;
use super::ground::Ground;
use super::people::People;
use super::report::Streamed;
use super::samples::Samples;
use super::value::Scenario;
use crate::base::{Instant, PeerId};
use crate::node::multicast::media::{Head, Unit, unit_kind};
use crate::node::multicast::{MulticastInfo, PlayId, Shown, StreamEvent, StreamKey, StreamSettings, Wanted};

/// So many times as long as others is a unit with which one can begin.
const KEY: f64 = 5.0;
/// Bytes of a unit at least: its number.
const LEAST: usize = 8;

/// A stream.
struct Published {
    by: MemberId,
    publisher: PeerId,
    key: StreamKey,
    /// The units, and when each was published.
    units: Vec<(Bytes, Instant)>,
}

/// A stream at one who plays it.
struct Playing {
    stream: usize,
    /// Whether it was there before the first unit.
    from_begin: bool,
    joined: Instant,
    /// The unit with which it began, and when that was shown.
    first: Option<(usize, Instant)>,
    next: usize,
    shown: u64,
    ended: bool,
}

/// All streams of a run.
pub(super) struct Streaming {
    published: Vec<Published>,
    playing: BTreeMap<(MemberId, PlayId), Playing>,
    head: Head,
    /// Microseconds from publication to complete and verified arrival.
    delay: Samples,
    wrong: u64,
    lost: u64,
    /// Bytes that had been carried when it began, and until it ended.
    carried: (u64, Option<u64>),
    began: Instant,
    ended: Instant,
}

impl Streaming {
    /// Whoever joined first publishes; all others will play.
    pub(super) fn begin(scenario: &Scenario, ground: &mut impl Ground, people: &People) -> Self {
        let settings = StreamSettings::for_latency(scenario.latency);
        let carried = ground.traffic().bytes;
        let began = ground.now();
        let head = Head { header: Bytes::from_static(b"header"), tables: Bytes::from_static(b"tables") };
        let mut published = Vec::new();
        for number in 0..scenario.streams {
            let by = MemberId(number);
            let publish = |member: &mut crate::node::Member, now| member.publish(now, &name(number as usize), settings);
            if let Some(key) = ground.command(by, publish).and_then(Result::ok) {
                published.push(Published { by, publisher: people.get(by).author, key, units: Vec::new() });
            }
        }
        let mut streaming = Self {
            published,
            playing: BTreeMap::new(),
            head,
            delay: Samples::default(),
            wrong: 0,
            lost: 0,
            carried: (carried, None),
            began,
            ended: began,
        };
        let mut players: Vec<MemberId> = people.honest().collect();
        players.sort_unstable();
        players.into_iter().for_each(|id| streaming.play(ground, id));
        streaming
    }

    /// Lets somebody play all streams but its own.
    pub(super) fn play(&mut self, ground: &mut impl Ground, id: MemberId) {
        for (stream, published) in self.published.iter().enumerate().filter(|(_, published)| published.by != id) {
            let wanted = Wanted { name: name(stream), publisher: Some(published.publisher), latency: None };
            let joined = ground.now();
            let play = ground.command(id, |member, now| member.play(now, wanted));
            let from_begin = published.units.is_empty();
            let playing = Playing { stream, from_begin, joined, first: None, next: 0, shown: 0, ended: false };
            if let Some(Ok(play)) = play {
                self.playing.insert((id, play), playing);
            }
        }
    }

    /// Publishes the next unit of a stream.
    pub(super) fn write(&mut self, scenario: &Scenario, ground: &mut impl Ground, stream: usize) {
        let Some(published) = self.published.get_mut(stream) else { return };
        let number = published.units.len();
        let period = scenario.units_to_key();
        let is_key = (number as u64).is_multiple_of(period);
        let usual = scenario.stream.0 as f64 / 8.0 * scenario.key.as_secs_f64() / (period as f64 - 1.0 + KEY);
        let len = if is_key { usual * KEY } else { usual };
        let mut data = vec![number as u8; (len as usize).max(LEAST)];
        data[..LEAST].copy_from_slice(&(number as u64).to_be_bytes());
        let data = Bytes::from(data);
        published.units.push((data.clone(), ground.now()));
        let timestamp = (number as f64 * 1e3 / scenario.units) as u32;
        let unit = Unit { kind: unit_kind::MPEG_TS, timestamp, key: is_key, data };
        let (key, head) = (published.key, self.head.clone());
        ground.command(published.by, |member, now| member.write_unit(now, key, &unit, &head));
        self.ended = ground.now();
    }

    /// The streams end.
    pub(super) fn end(&mut self, ground: &mut impl Ground) {
        self.carried.1 = Some(ground.traffic().bytes);
        for published in &self.published {
            let key = published.key;
            ground.command(published.by, |member, now| member.unpublish(now, key));
        }
    }

    pub(super) fn happened(&mut self, now: Instant, id: MemberId, event: &StreamEvent) {
        match event {
            StreamEvent::Show { play, shown } => self.shown(now, (id, *play), shown),
            StreamEvent::Lost { fragments, .. } => self.lost += fragments,
            StreamEvent::End { play, .. } => {
                if let Some(playing) = self.playing.get_mut(&(id, *play)) {
                    playing.ended = true;
                }
            }
            _ => {}
        }
    }

    fn shown(&mut self, now: Instant, who: (MemberId, PlayId), shown: &Shown) {
        let Some(playing) = self.playing.get_mut(&who) else { return };
        let number = shown.unit.data.first_chunk().map_or(usize::MAX, |number| u64::from_be_bytes(*number) as usize);
        let Some((data, at)) = self.published[playing.stream].units.get(number) else {
            self.wrong += 1;
            return;
        };
        let begins = playing.first.is_none();
        let fits = !begins || shown.unit.key && shown.head == self.head;
        if *data != shown.unit.data || number < playing.next || !fits {
            self.wrong += 1;
            return;
        }
        playing.first = playing.first.or(Some((number, now)));
        playing.next = number + 1;
        playing.shown += 1;
        // Whoever came later got what was there by asking for it.
        if playing.from_begin || *at > playing.joined + Duration::from_secs(2) {
            self.delay.add(shown.ready.since(*at).as_micros() as u64);
        }
    }

    pub(super) fn report(mut self, scenario: &Scenario, ground: &impl Ground, people: &People) -> Streamed {
        self.delay.sort();
        let there = |id: MemberId| people.is_there(id) && !people.get(id).hostile;
        let stayed = self.playing.iter().filter(|((id, _), playing)| there(*id) && playing.from_begin);
        let (mut plays, mut due, mut shown) = (0, 0, 0);
        for (_, playing) in stayed {
            plays += 1;
            due += self.published[playing.stream].units.len() as u64;
            shown += playing.shown;
        }
        let late = self.playing.iter().filter(|((id, _), playing)| there(*id) && !playing.from_begin);
        let (mut newcomers, mut late_due, mut late_shown) = (0, 0, 0);
        for (_, playing) in late.clone() {
            newcomers += 1;
            if let Some((first, _)) = playing.first {
                late_due += (self.published[playing.stream].units.len() - first) as u64;
                late_shown += playing.shown;
            }
        }
        let begins = late
            .filter_map(|(_, playing)| Some((playing, playing.first?.1)))
            .map(|(playing, at)| at.since(playing.joined + scenario.latency).as_micros() as u64)
            .collect();
        let here: Vec<MemberId> = people.honest().collect();
        let infos = |id: MemberId, key: StreamKey| ground.member(id)?.multicast()?.info(ground.now(), key);
        let keys = || self.published.iter().map(|published| published.key);
        let sum = |of: fn(&MulticastInfo) -> u64| -> u64 {
            here.iter().flat_map(|&id| keys().filter_map(move |key| infos(id, key))).map(|info| of(&info)).sum()
        };
        let bytes: usize = self.published.iter().flat_map(|published| &published.units).map(|unit| unit.0.len()).sum();
        let carried = self.carried.1.unwrap_or_else(|| ground.traffic().bytes) - self.carried.0;
        let by_publishers: u64 = self
            .published
            .iter()
            .filter_map(|published| infos(published.by, published.key))
            .map(|info| info.bytes_pushed_to_peers + info.bytes_requested_by_peers)
            .sum();
        let copies = (people.living().len().saturating_sub(1) * bytes).max(1);
        let pulled = sum(|info| info.fragments_requested_from_peers);
        let pushed = sum(|info| info.fragments_pushed_from_peers);
        Streamed {
            streams: self.published.len(),
            took: self.ended.since(self.began),
            plays,
            due,
            shown,
            newcomers,
            late: (late_due, late_shown),
            ended: self.playing.iter().filter(|((id, _), playing)| there(*id) && playing.ended).count(),
            begins,
            wrong: self.wrong,
            lost: self.lost,
            upload: carried as f64 / copies as f64,
            published: by_publishers as f64 / bytes.max(1) as f64,
            pulled: pulled as f64 / (pulled + pushed).max(1) as f64,
            duplicates: sum(|info| info.duplicates),
            forged: sum(|info| info.forged),
            delay: self.delay,
        }
    }
}

fn name(stream: usize) -> String {
    format!("stream {stream}")
}
