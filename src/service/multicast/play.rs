//! Somebody plays a stream here: what is shown when, and what is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::fragment::Fragment;
use super::media::{Head, Unit};
use super::message::StreamKey;
use super::pace::Pace;
use super::types::{PlayId, Shown, StreamEvent, Wanted};
use super::window::Window;
use crate::base::Instant;

/// What came before a player did may come so late after it.
const INDULGENCE: Duration = Duration::from_secs(2);
/// Streams that are over, and not played again.
const MAX_OVER: usize = 64;

/// What is played of a stream.
#[derive(Debug)]
struct At {
    key: StreamKey,
    /// The next fragment; 0 before anything is known.
    next: u64,
    /// What interested us first when it began, or has since.
    start: u64,
    /// Something was shown.
    begun: bool,
    /// Fragments before this one may be late, until then.
    indulged: (u64, Instant),
}

/// What a stream is, as far as playing goes.
pub(super) struct Source<'a> {
    pub(super) window: &'a Window,
    pub(super) pace: &'a Pace,
    /// Heads, each with the first fragment for which it holds, ascending.
    pub(super) heads: &'a [(u64, Head)],
    /// Behind the last fragment, if it is known that there is a last one.
    pub(super) end: Option<u64>,
    /// The publisher's window.
    pub(super) latency: Duration,
    /// The first fragment in which we are interested; none before there is any.
    pub(super) start: u64,
    /// It is so young that one begins there, not at the newest place.
    pub(super) is_young: bool,
}

/// What comes next.
enum Next {
    /// This, with the fragments up to that one.
    Show(Box<Shown>, u64),
    /// Nothing before then, or before something comes.
    Wait(Option<Instant>),
    /// So many fragments did not come; go on with this one.
    Skip(u64, u64),
}

/// One playing.
#[derive(Debug)]
pub(super) struct Play {
    id: PlayId,
    pub(super) wanted: Wanted,
    at: Option<At>,
    over: BTreeSet<StreamKey>,
    /// Streams that were left because they fell silent, and when.
    left: BTreeMap<StreamKey, Instant>,
    /// When to look again.
    wake: Option<Instant>,
}

impl Play {
    pub(super) const fn new(id: PlayId, wanted: Wanted) -> Self {
        Self { id, wanted, at: None, over: BTreeSet::new(), left: BTreeMap::new(), wake: None }
    }

    pub(super) const fn id(&self) -> PlayId {
        self.id
    }

    /// Which stream is played.
    pub(super) fn key(&self) -> Option<StreamKey> {
        self.at.as_ref().map(|at| at.key)
    }

    /// Whether a stream was played to its end.
    pub(super) fn is_over(&self, key: StreamKey) -> bool {
        self.over.contains(&key)
    }

    /// Whether a stream was left because it was silent, and was not heard of since.
    pub(super) fn is_left(&self, key: StreamKey, heard: Instant) -> bool {
        self.left.get(&key).is_some_and(|left| heard <= *left)
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.wake
    }

    /// Plays this stream from now on; `high` is behind what is known of it.
    pub(super) fn begin(&mut self, now: Instant, key: StreamKey) {
        if let Some(silent) = self.key() {
            if self.left.len() >= MAX_OVER {
                self.left.pop_first();
            }
            self.left.insert(silent, now);
        }
        self.at = Some(At { key, next: 0, start: u64::MAX, begun: false, indulged: (0, now) });
        self.wake = None;
    }

    /// Plays nothing any more.
    pub(super) fn cease(&mut self) {
        (self.at, self.wake) = (None, None);
    }

    /// Below this it needs nothing.
    pub(super) fn needs_from(&self) -> u64 {
        self.at.as_ref().map_or(0, |at| at.next)
    }

    /// How long after its publication everything must be here. Whoever wants it at once waits for what is missing as long as
    /// the publisher says.
    pub(super) fn patience(&self, source: &Source<'_>) -> Duration {
        self.wanted.latency.filter(|latency| !latency.is_zero()).unwrap_or(source.latency)
    }

    /// Tells what is due; so many fragments were lost.
    pub(super) fn pump(&mut self, now: Instant, source: &Source<'_>, mut tell: impl FnMut(StreamEvent)) -> u64 {
        let patience = self.patience(source);
        let at_once = self.wanted.latency == Some(Duration::ZERO);
        let Some(at) = &mut self.at else { return 0 };
        let play = self.id;
        let mut lost = 0;
        if !at.begun && at.start > source.start {
            // More of what came before has become known.
            (at.next, at.start) = (0, source.start);
        }
        if at.next == 0 {
            let Some(start) = at.start(source) else { return 0 };
            at.next = start;
            // Who wants everything at once does not want what is old.
            let indulgence = if at_once { patience } else { INDULGENCE };
            at.indulged = (source.window.high(), now + indulgence);
        }
        let tell_lost = |fragments: u64, tell: &mut dyn FnMut(StreamEvent)| {
            if fragments > 0 {
                tell(StreamEvent::Lost { play, fragments });
            }
        };
        let mut untold = 0;
        self.wake = loop {
            if source.end.is_some_and(|end| at.next >= end) {
                tell_lost(untold, &mut tell);
                let key = at.key;
                self.at = None;
                if self.over.len() >= MAX_OVER {
                    self.over.pop_first();
                }
                self.over.insert(key);
                tell(StreamEvent::End { play, key });
                self.wake = None;
                return lost;
            }
            match at.next(now, source, patience, at_once) {
                Next::Wait(wake) => break wake,
                Next::Skip(missed, next) => {
                    // Whoever has not begun misses nothing.
                    let missed = if at.begun { missed } else { 0 };
                    (lost, untold) = (lost + missed, untold + missed);
                    at.next = next;
                }
                Next::Show(shown, last) => {
                    tell_lost(std::mem::take(&mut untold), &mut tell);
                    (at.begun, at.next) = (true, last + 1);
                    tell(StreamEvent::Show { play, shown: *shown });
                }
            }
        };
        tell_lost(untold, &mut tell);
        lost
    }
}

impl At {
    /// Where to begin: at the newest fragment with which one can.
    fn start(&self, source: &Source<'_>) -> Option<u64> {
        let window = source.window;
        if source.is_young && source.start < u64::MAX {
            return Some(source.start);
        }
        let known = window.mark_from(0).map(|(id, _)| id).or(source.end)?;
        let begin = window.newest_key().unwrap_or(known);
        Some(if source.start < window.high() { begin.max(source.start) } else { begin })
    }

    /// When what a manifest of that time vouches for must be here.
    fn due(&self, id: u64, at: u64, source: &Source<'_>, latency: Duration) -> Instant {
        let due = source.pace.due(at, latency).unwrap_or(Instant::ZERO);
        let (before, until) = self.indulged;
        if id < before { due.max(until) } else { due }
    }

    fn next(&self, now: Instant, source: &Source<'_>, patience: Duration, at_once: bool) -> Next {
        let (window, first) = (source.window, self.next);
        if first < window.low() {
            let until = source.pace.due(0, patience).unwrap_or(now).max(self.indulged.1);
            if !self.begun && window.is_whole() && now < until {
                // What it began with is still on its way.
                return Next::Wait(Some(until));
            }
            return Next::Skip(window.low() - first, window.low());
        }
        // The first of a unit's fragments that are missing, and the last that the unit has.
        let mut last = first;
        let mut parts: Vec<&Bytes> = Vec::new();
        let mut id = first;
        let mut ready = Instant::ZERO;
        let missing = loop {
            let Some((message, came)) = window.get(id) else { break true };
            let Ok(fragment) = Fragment::decode(message) else { return Next::Skip(0, id + 1) };
            if id == first {
                if fragment.begin.is_none() || !self.may_begin(id, window) {
                    return Next::Skip(0, id + 1);
                }
                last = first + u64::from(fragment.remaining);
            } else if fragment.begin.is_some() || u64::from(fragment.remaining) != last - id {
                // The publisher has cut it wrong.
                return Next::Skip(0, id);
            }
            parts.push(message);
            ready = ready.max(came);
            if id == last {
                break false;
            }
            id += 1;
        };
        // What is known of the unit's end, or of the next thing of which anything is known.
        let Some((marked, mark)) = window.mark_from(last) else { return Next::Wait(None) };
        let wait_for = self.due(marked.min(last), mark.at, source, patience);
        if missing {
            if now < wait_for {
                return Next::Wait(Some(wait_for));
            }
            let missed = (first..=last).filter(|id| !window.has(*id)).count() as u64;
            return Next::Skip(missed, last + 1);
        }
        // What is complete is not shown before its time, unless at once.
        let due = source.pace.due(mark.at, patience).unwrap_or(now);
        if now < due && !at_once {
            return Next::Wait(Some(due));
        }
        self.unit(first, last, &parts, ready, source).map_or(Next::Skip(0, last + 1), |shown| Next::Show(shown, last))
    }

    /// Whether a player that has shown nothing yet can begin there.
    fn may_begin(&self, id: u64, window: &Window) -> bool {
        self.begun || id == 1 || window.mark(id).is_some_and(|mark| mark.key)
    }

    fn unit(&self, first: u64, last: u64, parts: &[&Bytes], ready: Instant, source: &Source<'_>) -> Option<Box<Shown>> {
        let fragments: Vec<Fragment<'_>> =
            parts.iter().map(|part| Fragment::decode(part)).collect::<Result<_, _>>().ok()?;
        let begin = fragments.first()?.begin?;
        let data = match (&fragments[..], parts) {
            // A unit of one fragment is not copied.
            ([only], [message]) => message.slice_ref(only.data),
            _ => fragments.iter().map(|fragment| fragment.data).collect::<Vec<_>>().concat().into(),
        };
        let key = source.window.mark(first).is_some_and(|mark| mark.key);
        let head = source.heads.iter().rev().find(|(since, _)| *since <= first).or(source.heads.first());
        let head = head.map(|(_, head)| head.clone()).unwrap_or_default();
        debug_assert_eq!(last - first + 1, parts.len() as u64);
        let unit = Unit { kind: begin.kind, timestamp: begin.timestamp, key, data };
        Some(Box::new(Shown { unit, is_first: first == 1, head, ready }))
    }
}
