//! What is known of a neighbour, and what it is to be told.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use super::budget::Budget;
use super::message::{MAX_MESSAGE, Record, Span};
use crate::base::{Instant, PeerId, RangeSet};
use crate::group::Lane;

/// Ranges that a neighbour may say to have.
pub(super) const MAX_RANGES: usize = 65_536;
/// Ranges that it may say to want.
pub(super) const MAX_WANTED: usize = 256;
/// Requests of a neighbour that wait, at most.
pub(super) const MAX_QUEUE: usize = 256;
/// Objects asked of a neighbour at once, at most.
pub(super) const MAX_WINDOW: f64 = 128.0;
/// How long a request may wait for its answer without asking what of that could have been saved elsewhere.
const ANSWERS_WITHIN: Duration = Duration::from_millis(150);
/// How many requests should wait with a neighbour.
const WAITING: Range<f64> = 0.5..1.0;
/// Requests in a row that a neighbour may not answer in time before it is asked only for what nobody else has.
pub(super) const MAX_OVERDUE: u32 = 3;
/// Requests that were given up and may yet be answered, remembered of each neighbour.
const MAX_LATE: usize = 256;
/// For how long what it will not give soon is not asked of a neighbour, if others have it, and if nobody else has.
const PUT_OFF: [Duration; 2] = [Duration::from_millis(1_500), Duration::from_millis(300)];
/// Indices or ranges in a record: ten bytes for each number at most.
const RECORD: usize = MAX_MESSAGE / 24;

/// A request of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// Bytes that were taken from the limit for it.
    pub(super) reserved: usize,
}

/// An object on its way to a neighbour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flying {
    pub(super) at: Instant,
    pub(super) bytes: usize,
    pub(super) name: u64,
}

/// What a neighbour is to be told.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) have: RangeSet,
    pub(super) gone: RangeSet,
    pub(super) want: bool,
    pub(super) request: Vec<u64>,
    pub(super) cancel: Vec<u64>,
    pub(super) deny: Vec<u64>,
    pub(super) busy: Vec<u64>,
    pub(super) got: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) have: RangeSet,
    pub(super) want: RangeSet,
    /// How many it has.
    pub(super) count: u64,
    pub(super) pending: Pending,
    pub(super) flush_at: Option<Instant>,
    /// Bytes that the lane of asks takes now.
    pub(super) asks_room: usize,

    /// What we asked it for.
    pub(super) asked: BTreeMap<u64, Asked>,
    late: VecDeque<u64>,
    /// What it had better not be asked for, and until when.
    put_off: BTreeMap<u64, Instant>,
    /// How many objects may be asked of it at once, once it has given a good one.
    pub(super) window: f64,
    /// It has given one that the owner found good.
    pub(super) proven: bool,
    /// How long an answer takes, on the whole.
    pub(super) response: Duration,
    /// How long one took at least.
    least: Option<Duration>,

    /// What it asked us for and waits, and since when.
    pub(super) queue: VecDeque<(u64, Instant)>,
    pub(super) flying: BTreeMap<u64, Flying>,
    pub(super) flying_bytes: usize,
    /// It has not confirmed anything for long; what is on its way to it does not count.
    pub(super) stalled: bool,
    /// The shortest time in which it confirmed an object.
    pub(super) swiftest: Option<Duration>,
    /// How long packets to it wait on the way, if somebody measures it.
    pub(super) wait: Option<Duration>,
    /// Bytes that the lane of objects takes now.
    pub(super) room: usize,
    /// Objects of which only it knows that we have them.
    pub(super) shown: usize,
    /// It did not take what it was shown, and has not taken anything since.
    pub(super) idle: bool,
    /// Since when, about.
    pub(super) idle_at: Option<Instant>,

    /// Bytes sent to it, and received from it.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// How often it did what should not happen; good deeds undo it.
    pub(super) strikes: u32,
    /// Requests that it did not answer in time, in a row.
    pub(super) overdue: u32,
    /// Work that it may cause.
    pub(super) budget: Budget,
    /// It was told of as misbehaving.
    pub(super) banned: bool,
}

/// A request that the owner was told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    pub(super) peer: PeerId,
    pub(super) index: u64,
    /// Bytes that were taken from the limit for it.
    pub(super) reserved: usize,
    /// It is not wanted any more.
    pub(super) cancelled: bool,
}

impl Neighbour {
    pub(super) fn new(rtt: Duration) -> Self {
        Self {
            have: RangeSet::new(),
            want: RangeSet::new(),
            count: 0,
            pending: Pending::default(),
            flush_at: None,
            asks_room: Lane::Asks.room(),
            asked: BTreeMap::new(),
            late: VecDeque::new(),
            put_off: BTreeMap::new(),
            window: 2.0,
            proven: false,
            response: rtt.max(Duration::from_millis(1)) * 2,
            least: None,
            queue: VecDeque::new(),
            flying: BTreeMap::new(),
            flying_bytes: 0,
            stalled: false,
            swiftest: None,
            wait: None,
            room: Lane::Objects.room(),
            shown: 0,
            idle: false,
            idle_at: None,
            sent: 0,
            received: 0,
            strikes: 0,
            overdue: 0,
            budget: Budget::new(),
            banned: false,
        }
    }

    /// Whether it is one of those who are shown what nobody else has.
    pub(super) fn is_shown_things(&self) -> bool {
        !self.want.is_empty() && !self.banned && !self.idle
    }

    /// It shall be told within `within`.
    pub(super) fn flush_within(&mut self, now: Instant, within: Duration) {
        let at = now + within;
        self.flush_at = Some(self.flush_at.map_or(at, |set| set.min(at)));
    }

    /// A request of ours is given up; an answer may come nevertheless.
    pub(super) fn give_up(&mut self, index: u64) -> Option<Asked> {
        let asked = self.asked.remove(&index);
        if self.late.len() >= MAX_LATE {
            self.late.pop_front();
        }
        self.late.push_back(index);
        asked
    }

    /// It will not give this soon. The request that it will not answer.
    pub(super) fn puts_off(&mut self, now: Instant, index: u64, alone: bool) -> Option<Asked> {
        let asked = self.asked.remove(&index)?;
        if self.put_off.len() >= MAX_LATE {
            self.put_off.retain(|_, until| *until > now);
        }
        if self.put_off.len() < MAX_LATE {
            self.put_off.insert(index, now + PUT_OFF[usize::from(alone)]);
        }
        Some(asked)
    }

    /// Whether it may be asked for this now, if it has it.
    pub(super) fn would_give(&self, now: Instant, index: u64) -> bool {
        self.put_off.get(&index).is_none_or(|&until| until <= now)
    }

    /// Whether this answer was once asked for.
    pub(super) fn was_late(&mut self, index: u64) -> bool {
        let at = self.late.iter().position(|&late| late == index);
        at.and_then(|at| self.late.remove(at)).is_some()
    }

    /// It answered a request of that time.
    pub(super) fn answered(&mut self, now: Instant, at: Instant, bytes: usize) {
        let taken = now.since(at).max(Duration::from_micros(100));
        self.response = (self.response * 7 + taken) / 8;
        let least = *self.least.insert(self.least.map_or(taken, |least| least.min(taken)));
        // So many requests wait with it instead of being on their way: enough to keep it busy, and no more, for they could
        // go elsewhere (as TCP Vegas has it with packets). What does not wait for long does no harm.
        let waiting = self.window * (1.0 - least.as_secs_f64() / taken.as_secs_f64());
        if taken < ANSWERS_WITHIN / 2 || waiting < WAITING.start {
            self.window += 0.5;
        } else if taken < ANSWERS_WITHIN {
            self.window += 0.5 / self.window;
        } else if waiting > WAITING.end {
            self.window -= 0.25;
        }
        self.window = self.window.clamp(1.0, MAX_WINDOW);
        self.overdue = 0;
        self.strikes = self.strikes.saturating_sub(1);
        self.received += bytes as u64;
    }

    /// Whether it has given nothing good yet, or did not answer in time.
    pub(super) const fn is_on_trial(&self) -> bool {
        !self.proven || self.overdue > 0
    }

    /// Whether it has not answered for so long that it is asked only for what nobody else says to have.
    pub(super) const fn is_last_resort(&self) -> bool {
        self.overdue >= MAX_OVERDUE
    }

    /// Whether one more object may be asked of it. Who has given nothing good yet, or did not answer in time, is tried with
    /// one at a time.
    pub(super) fn may_be_asked(&self) -> bool {
        let window = if self.is_on_trial() { 1.0 } else { self.window };
        (self.asked.len() as f64) < window && self.asks_room > 0 && !self.banned
    }

    /// How long a request waits for its answer before it goes elsewhere.
    pub(super) fn patience(&self) -> Duration {
        let doubled = 1 << self.overdue.min(4);
        (self.response * 4 + Duration::from_secs(4)).min(Duration::from_secs(30)) * doubled
    }

    /// An object was confirmed, or is not on its way any more.
    pub(super) fn landed(&mut self, index: u64) -> Option<Flying> {
        let landed = self.flying.remove(&index)?;
        self.flying_bytes -= landed.bytes;
        Some(landed)
    }

    /// What it is to be told as records, a message each; `want` are the ranges that we want.
    pub(super) fn told(&mut self, want: &RangeSet) -> Vec<Vec<u8>> {
        let Pending { have, gone, want: wants, request, cancel, deny, busy, got } = std::mem::take(&mut self.pending);
        let mut records = Vec::new();
        // First of all, so that what is withdrawn is not taken for a broken promise.
        let gone: Vec<Span> = gone.iter().collect();
        records.extend(gone.chunks(RECORD).map(|part| Record::Gone(part.to_vec())));
        let mut list = |indices: Vec<u64>, make: fn(Vec<u64>) -> Record| {
            records.extend(indices.chunks(RECORD).map(|part| make(part.to_vec())));
        };
        list(cancel, Record::Cancel);
        list(request, Record::Request);
        list(got, Record::Got);
        list(deny, Record::Deny);
        list(busy, Record::Busy);
        if wants {
            records.push(Record::Want(hull(want)));
        }
        let have: Vec<Span> = have.iter().collect();
        records.extend(have.chunks(RECORD).map(|part| Record::Have(part.to_vec())));
        let mut messages: Vec<Vec<u8>> = Vec::new();
        for record in records {
            let mut bytes = Vec::new();
            record.put(&mut bytes);
            match messages.last_mut().filter(|last| last.len() + bytes.len() <= MAX_MESSAGE) {
                Some(last) => last.extend(bytes),
                None => messages.push(bytes),
            }
        }
        messages
    }
}

/// The ranges as they are if they are few, or some larger ones that hold them.
fn hull(ranges: &RangeSet) -> Vec<Span> {
    let spans: Vec<Span> = ranges.iter().collect();
    let each = spans.len().div_ceil(MAX_WANTED).max(1);
    spans.chunks(each).map(|part| *part[0].start()..=*part[part.len() - 1].end()).collect()
}
