//! Which posts were seen, and in which order they are handed out.
//!
//! A post is entered once it is verified, and never forgotten while it may come again: when the table has no room, the
//! stream that was silent for longest goes, and posts as old as its newest are refused from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::format::StreamName;
use super::store::Key;
use crate::base::{Instant, RangeSet};

/// Streams that are remembered.
const MAX_STREAMS: usize = 16_384;
/// Ranges of one stream; beyond, its lowest gap counts as seen.
const MAX_RANGES: usize = 1024;
/// Ranges of all streams; beyond, a stream has at most [`FEW_RANGES`].
const MAX_ALL_RANGES: usize = 131_072;
const FEW_RANGES: usize = 8;
/// Posts of one stream that wait for an earlier one; beyond, it is waited for no longer.
const MAX_WAITING: usize = 4096;
/// How long a missing post of a known stream holds back the later ones.
pub(super) const GAP_WAIT: Duration = Duration::from_secs(5);
/// How long the first post that is seen of a stream waits to hear whether there were earlier ones.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(1000);

#[derive(Debug)]
struct Stream {
    seen: RangeSet,
    /// All below were handed out or are waited for no longer.
    next: u64,
    waiting: BTreeSet<u64>,
    /// Since when there is a gap, and until when it is waited for.
    gap: Option<(Instant, Instant)>,
    /// The time of its newest post, in milliseconds since 1970.
    newest: u64,
}

/// All streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: BTreeMap<StreamName, Stream>,
    by_newest: BTreeSet<(u64, StreamName)>,
    gaps: BTreeSet<(Instant, StreamName)>,
    ranges: usize,
    /// Posts of this time or older may have been seen and forgotten.
    forgotten: Option<u64>,
}

impl Streams {
    pub(super) fn seen(&self, (stream, sequence): Key) -> bool {
        self.streams.get(&stream).is_some_and(|stream| stream.seen.contains(sequence))
    }

    /// Whether a post of this time may have been seen although nothing is known of it.
    pub(super) fn may_be_forgotten(&self, time: u64) -> bool {
        self.forgotten.is_some_and(|forgotten| time <= forgotten)
    }

    /// Notes a post that is not to be handed out: ours.
    pub(super) fn enter_own(&mut self, key: Key, time: u64) {
        self.enter(key, time);
        if let Some(stream) = self.streams.get_mut(&key.0) {
            stream.next = stream.next.max(key.1 + 1);
        }
    }

    /// Notes a post, and says which of its stream are to be handed out now, in order. `gap` says which must come first,
    /// if it has to wait.
    pub(super) fn arrived(&mut self, now: Instant, key: Key, time: u64) -> (Vec<u64>, Option<std::ops::Range<u64>>) {
        let (name, sequence) = key;
        let known = self.enter(key, time);
        let Some(stream) = self.streams.get_mut(&name) else { return (vec![sequence], None) };
        if sequence < stream.next {
            return (vec![sequence], None);
        }
        stream.waiting.insert(sequence);
        let mut out = stream.ready();
        if stream.waiting.len() > MAX_WAITING {
            out.extend(stream.skip());
        }
        let missing = stream.waiting.contains(&sequence).then_some(stream.next..sequence).filter(|_| known);
        self.watch(now, name, if known { GAP_WAIT } else { FIRST_WAIT });
        (out, missing)
    }

    /// When [`Streams::overdue`] has something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.gaps.first().map(|(at, _)| *at)
    }

    /// A stream whose gap was waited for long enough, since when it is waited for, and the sequence numbers of the gap.
    pub(super) fn overdue(&self, now: Instant) -> Option<(StreamName, Instant, std::ops::Range<u64>)> {
        let &(at, name) = self.gaps.first()?;
        let stream = self.streams.get(&name).filter(|_| at <= now)?;
        let (since, _) = stream.gap?;
        Some((name, since, stream.next..*stream.waiting.first()?))
    }

    /// Waits until `until` for the gap of a stream.
    pub(super) fn wait(&mut self, name: StreamName, until: Instant) {
        if let Some(stream) = self.streams.get_mut(&name)
            && let Some((_, end)) = &mut stream.gap
        {
            self.gaps.remove(&(*end, name));
            *end = until;
            self.gaps.insert((until, name));
        }
    }

    /// Waits no longer for the gap of a stream: what is to be handed out now.
    pub(super) fn skip(&mut self, now: Instant, name: StreamName) -> Vec<u64> {
        let Some(stream) = self.streams.get_mut(&name) else { return Vec::new() };
        let out = stream.skip();
        self.unwatch(name);
        self.watch(now, name, GAP_WAIT);
        out
    }

    /// Whether a post waits to be handed out.
    pub(super) fn is_waiting(&self, (name, sequence): Key) -> bool {
        self.streams.get(&name).is_some_and(|stream| stream.waiting.contains(&sequence))
    }

    /// Forgets streams whose newest post is older than `time`, for such posts are refused anyway.
    pub(super) fn forget(&mut self, time: u64) {
        while let Some(&(newest, name)) = self.by_newest.first()
            && newest < time
        {
            self.remove(name);
        }
    }

    /// Streams, and ranges of them.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.streams.len(), self.ranges)
    }

    /// Whether the stream was known before.
    fn enter(&mut self, (name, sequence): Key, time: u64) -> bool {
        let known = self.streams.contains_key(&name);
        if !known
            && self.streams.len() >= MAX_STREAMS
            && let Some(&(newest, oldest)) = self.by_newest.first()
        {
            self.forgotten = self.forgotten.max(Some(newest));
            self.remove(oldest);
        }
        let stream = self.streams.entry(name).or_insert_with(|| Stream {
            seen: RangeSet::new(),
            next: 1,
            waiting: BTreeSet::new(),
            gap: None,
            newest: time,
        });
        let before = stream.seen.range_count();
        stream.seen.insert(sequence);
        let limit = if self.ranges > MAX_ALL_RANGES { FEW_RANGES } else { MAX_RANGES };
        while stream.seen.range_count() > limit {
            let lowest: Vec<_> = stream.seen.iter().take(2).collect();
            let (low, high) = (*lowest[0].end(), *lowest[1].start());
            stream.seen.insert_range(low..=high);
        }
        self.ranges = self.ranges + stream.seen.range_count() - before;
        self.by_newest.remove(&(stream.newest, name));
        stream.newest = stream.newest.max(time);
        self.by_newest.insert((stream.newest, name));
        known
    }

    fn watch(&mut self, now: Instant, name: StreamName, wait: Duration) {
        let Some(stream) = self.streams.get_mut(&name) else { return };
        match (stream.waiting.is_empty(), stream.gap) {
            (true, Some(_)) => self.unwatch(name),
            (false, None) => {
                stream.gap = Some((now, now + wait));
                self.gaps.insert((now + wait, name));
            }
            _ => {}
        }
    }

    fn unwatch(&mut self, name: StreamName) {
        if let Some(stream) = self.streams.get_mut(&name)
            && let Some((_, end)) = stream.gap.take()
        {
            self.gaps.remove(&(end, name));
        }
    }

    fn remove(&mut self, name: StreamName) {
        self.unwatch(name);
        if let Some(stream) = self.streams.remove(&name) {
            self.by_newest.remove(&(stream.newest, name));
            self.ranges -= stream.seen.range_count();
        }
    }
}

impl Stream {
    /// What follows without a gap.
    fn ready(&mut self) -> Vec<u64> {
        let mut out = Vec::new();
        while self.waiting.remove(&self.next) {
            out.push(self.next);
            self.next += 1;
        }
        out
    }

    /// What follows the gap.
    fn skip(&mut self) -> Vec<u64> {
        if let Some(&first) = self.waiting.first() {
            self.next = first;
        }
        self.ready()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: StreamName = [7; 12];

    #[test]
    fn posts_leave_in_order_and_late_ones_at_once() {
        let mut streams = Streams::default();
        let at = |ms: u64| Instant::from_micros(ms * 1000);
        assert_eq!(streams.arrived(at(0), (NAME, 1), 5), (vec![1], None));
        assert_eq!(streams.arrived(at(0), (NAME, 4), 5), (vec![], Some(2..4)));
        assert_eq!(streams.arrived(at(9), (NAME, 3), 5), (vec![], Some(2..3)));
        assert_eq!(streams.deadline(), Some(at(5000)));
        assert_eq!(streams.overdue(at(4999)), None);
        assert_eq!(streams.overdue(at(5000)), Some((NAME, at(0), 2..3)));
        assert_eq!(streams.skip(at(5000), NAME), [3, 4]);
        assert_eq!(streams.deadline(), None);
        assert_eq!(streams.arrived(at(6000), (NAME, 2), 5), (vec![2], None));
        assert!(streams.seen((NAME, 2)) && !streams.seen((NAME, 5)));
    }

    #[test]
    fn the_gap_is_closed_by_what_was_missing() {
        let mut streams = Streams::default();
        assert_eq!(streams.arrived(Instant::ZERO, (NAME, 2), 5), (vec![], None));
        assert_eq!(streams.deadline(), Some(Instant::ZERO + FIRST_WAIT));
        assert_eq!(streams.arrived(Instant::ZERO, (NAME, 1), 5), (vec![1, 2], None));
        assert_eq!(streams.deadline(), None);
    }

    #[test]
    fn the_table_keeps_its_limits_and_what_it_forgets_is_refused() {
        let mut streams = Streams::default();
        for sparse in 1..5000 {
            streams.arrived(Instant::ZERO, (NAME, sparse * 2), 5);
        }
        assert!(streams.size().1 <= MAX_RANGES);
        for stream in 0..MAX_STREAMS as u64 + 10 {
            let mut name = [0; 12];
            name[..8].copy_from_slice(&stream.to_be_bytes());
            streams.arrived(Instant::ZERO, (name, 1), 100 + stream);
        }
        assert_eq!(streams.size().0, MAX_STREAMS);
        assert!(streams.may_be_forgotten(5) && !streams.may_be_forgotten(200));
        streams.forget(u64::MAX);
        assert_eq!((streams.size(), streams.gaps.len(), streams.by_newest.len()), ((0, 0), 0, 0));
    }
}
