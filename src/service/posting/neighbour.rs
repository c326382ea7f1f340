//! What is known of a neighbour, what waits to be sent to it, and what it may ask of us.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::format::{LinkState, Message, Run};
use super::store::{Key, runs};
use super::types::{PostId, Verdict};
use crate::base::{Instant, TokenBucket};
use crate::group::FIRST_ROOM;

/// Signatures that one neighbour can make us verify, a second and at once.
const VERIFICATIONS: (u64, u64) = (2_000, 8_000);
/// Bytes that are taken from one neighbour, a second and at once.
const BYTES: (u64, u64) = (32 << 20, 64 << 20);
/// Bytes of posts that one neighbour is given because it asked, a second and at once.
const SERVED: (u64, u64) = (16 << 20, 64 << 20);
/// Posts that are looked at because a neighbour compares, announces or asks, a second and at once.
const SCANS: (u64, u64) = (500_000, 4_000_000);
/// Announcements are sent together when the last ones went less than this ago.
const HAVE_INTERVAL: Duration = Duration::from_millis(40);
/// Announcements that wait; those beyond are left to the next comparison.
const MAX_HAVES: usize = 8192;
/// Posts asked of us that wait for room.
const MAX_ASKED: usize = 1024;
/// Small messages that wait for room.
const MAX_CONTROL: usize = 512;
/// Posts in one message of announcements or questions.
const MAX_KEYS: usize = 512;
/// So long a post of ours waits for room at one neighbour,
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// and for one where it waited in vain not again until so long after that began.
const NEXT_WAIT: Duration = Duration::from_secs(60);
/// Round-trip time where none was measured.
const UNKNOWN_RTT: Duration = Duration::from_millis(100);

/// When the last beat came from a neighbour.
#[derive(Debug, Clone, Copy)]
pub(super) struct BeatCopy {
    /// After the first copy from anybody.
    pub(super) offset: Duration,
    /// Links that it says it crossed before the one to us.
    pub(super) hops: u64,
}

/// A neighbour.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) rtt: Duration,
    /// Bytes that may be sent now.
    pub(super) room: usize,
    /// Posts are pushed between us; otherwise they are announced.
    pub(super) eager: bool,
    /// It broke the rules, and is not heard any more.
    pub(super) banned: bool,
    /// When the link last became eager or lazy.
    pub(super) changed: Option<Instant>,
    /// When it was told last to announce instead of pushing.
    pub(super) pruned: Option<Instant>,
    pub(super) verifications: TokenBucket,
    pub(super) bytes: TokenBucket,
    pub(super) scans: TokenBucket,
    /// What its last comparison cost in scans.
    pub(super) owed: u64,
    served: TokenBucket,
    control: VecDeque<Bytes>,
    have: VecDeque<Key>,
    have_due: Option<Instant>,
    last_have: Option<Instant>,
    want: Vec<Key>,
    asked: VecDeque<Key>,
    answers: Vec<(Verdict, PostId)>,
    /// When to try again to serve it, after it had its share.
    serve_at: Option<Instant>,
    /// What is due waits for room.
    blocked: bool,
    /// Since when a post of ours waits, or waited in vain, for room.
    short_since: Option<Instant>,
    /// What it was asked for and has not sent.
    pub(super) in_flight: BTreeSet<Key>,
    /// When it last sent what it was asked for.
    pub(super) answered: Option<Instant>,
    /// We are its parent in the tree.
    pub(super) child: bool,
    pub(super) beat: Option<BeatCopy>,
    /// Posts that it should have pushed but others brought.
    pub(super) misses: u32,
    /// No parent for us until then.
    pub(super) distrusted: Option<Instant>,
    /// When to compare with it what we hold.
    pub(super) compare_at: Option<Instant>,
    /// It has more than it could announce at once.
    pub(super) has_more: bool,
}

/// What a neighbour is to be sent.
pub(super) enum Due {
    /// A message.
    Message(Bytes),
    /// A post.
    Post(Key),
}

impl Neighbour {
    pub(super) fn new(rtt: Duration) -> Self {
        let bucket = |(rate, burst)| TokenBucket::new(rate, burst);
        Self {
            rtt: if rtt.is_zero() { UNKNOWN_RTT } else { rtt },
            room: FIRST_ROOM,
            eager: false,
            banned: false,
            changed: None,
            pruned: None,
            verifications: bucket(VERIFICATIONS),
            bytes: bucket(BYTES),
            scans: bucket(SCANS),
            owed: 0,
            served: bucket(SERVED),
            control: VecDeque::new(),
            have: VecDeque::new(),
            have_due: None,
            last_have: None,
            want: Vec::new(),
            asked: VecDeque::new(),
            answers: Vec::new(),
            serve_at: None,
            blocked: false,
            short_since: None,
            in_flight: BTreeSet::new(),
            answered: None,
            child: false,
            beat: None,
            misses: 0,
            distrusted: None,
            compare_at: None,
            has_more: false,
        }
    }

    /// It gets no more, and nothing that waits.
    pub(super) fn ban(&mut self) {
        *self = Self { banned: true, ..Self::new(self.rtt) };
    }

    /// Queues a small message. Whether there was room.
    pub(super) fn control(&mut self, message: &Message<'_>) -> bool {
        let fits = self.control.len() < MAX_CONTROL;
        if fits {
            self.control.push_back(message.encode().into());
        }
        fits
    }

    /// Tells it how posts travel between us from now on.
    pub(super) fn link(&mut self, now: Instant, state: LinkState) {
        self.eager = state != LinkState::Lazy;
        self.changed = Some(now);
        if state == LinkState::Lazy {
            self.pruned = Some(now);
        }
        self.control(&Message::Link(state));
    }

    /// Queues an announcement. Whether there was room.
    pub(super) fn have(&mut self, now: Instant, key: Key) -> bool {
        if self.have.len() >= MAX_HAVES {
            return false;
        }
        self.have.push_back(key);
        self.have_due.get_or_insert_with(|| self.last_have.map_or(now, |last| now.max(last + HAVE_INTERVAL)));
        true
    }

    /// Queues a question.
    pub(super) fn want(&mut self, key: Key) {
        self.in_flight.insert(key);
        self.want.push(key);
    }

    /// Queues a post that it asked for. Whether there was room.
    pub(super) fn serve(&mut self, key: Key) -> bool {
        if self.asked.contains(&key) {
            return true;
        }
        let fits = self.asked.len() < MAX_ASKED;
        if fits {
            self.asked.push_back(key);
        }
        fits
    }

    /// Queues an answer to a post of its own.
    pub(super) fn answer(&mut self, verdict: Verdict, id: PostId) {
        if self.answers.len() < MAX_ASKED {
            self.answers.push((verdict, id));
        }
    }

    /// Whether much waits for room already, so that nothing more is to be pushed.
    pub(super) fn is_behind(&self) -> bool {
        !self.asked.is_empty() || self.control.len() > 4
    }

    /// Whether a post of ours waits until there is room for it here, for whoever gets posts by push should get all; but a
    /// neighbour that takes none for a while keeps nobody waiting.
    pub(super) fn is_waited_for(&mut self, now: Instant, roomy: bool) -> bool {
        match self.short_since {
            None if roomy => false,
            None => {
                self.short_since = Some(now);
                true
            }
            Some(since) if now.since(since) >= NEXT_WAIT => {
                self.short_since = None;
                false
            }
            Some(since) if now.since(since) >= LONGEST_WAIT => false,
            Some(_) if roomy => {
                self.short_since = None;
                false
            }
            Some(_) => true,
        }
    }

    /// Whether there is something to send now, room permitting.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let small =
            !self.control.is_empty() || !self.asked.is_empty() || !self.want.is_empty() || !self.answers.is_empty();
        (small || self.have_due.is_some_and(|due| due <= now)) && !self.banned
    }

    /// When something is to be sent.
    pub(super) fn deadline(&self) -> Option<Instant> {
        // What waits for room has no deadline: `writable` brings it on.
        let have = self.have_due.filter(|_| !self.blocked);
        [have, self.serve_at, self.compare_at].into_iter().flatten().min()
    }

    /// So many bytes may be sent now.
    pub(super) fn writable(&mut self, room: usize) {
        self.room = room;
        self.blocked = false;
    }

    /// The next thing to send, if something is due and there is room for it. `len` says how many bytes a post takes, 0 if
    /// it is gone.
    pub(super) fn next_due(&mut self, now: Instant, len: impl Fn(Key) -> usize) -> Option<Due> {
        if self.banned {
            return None;
        }
        if !self.answers.is_empty() && self.control.len() < MAX_CONTROL {
            let answers = std::mem::take(&mut self.answers);
            self.control.push_back(Message::Answer(answers).encode().into());
        }
        if !self.want.is_empty() && self.control.len() < MAX_CONTROL {
            let rest = self.want.split_off(self.want.len().min(MAX_KEYS));
            let want = std::mem::replace(&mut self.want, rest);
            self.control.push_back(Message::Want(runs(want)).encode().into());
        }
        self.serve_at = None;
        if let Some(message) = self.control.front() {
            self.blocked = message.len() > self.room;
            return (!self.blocked).then(|| Due::Message(self.control.pop_front().expect("just seen")));
        }
        while let Some(&key) = self.asked.front() {
            let bytes = len(key);
            if bytes == 0 {
                self.asked.pop_front();
                continue;
            }
            self.blocked = bytes > self.room;
            if self.blocked {
                return None;
            }
            if !self.served.take(now, bytes as u64) {
                self.serve_at = Some(now + Duration::from_millis(50));
                break;
            }
            self.asked.pop_front();
            return Some(Due::Post(key));
        }
        let fit = self.room.saturating_sub(1) / Run::MAX_LEN;
        if self.have_due.is_some_and(|due| due <= now) {
            self.blocked = fit == 0;
            if self.blocked {
                return None;
            }
            let rest = self.have.split_off(self.have.len().min(MAX_KEYS).min(fit));
            let have = std::mem::replace(&mut self.have, rest);
            self.last_have = Some(now);
            self.have_due = (!self.have.is_empty()).then_some(now + Duration::from_millis(1));
            return Some(Due::Message(Message::Have(runs(have.into())).encode().into()));
        }
        None
    }

    /// How much is remembered of it, in entries.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.control.len() + self.have.len() + self.want.len() + self.asked.len() + self.answers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_room_wakes_nobody() {
        let (now, later) = (Instant::ZERO, Instant::from_micros(1_000_000));
        let post = |_| 60_000;
        for blocked_by_control in [false, true] {
            let mut neighbour = Neighbour::new(Duration::from_millis(40));
            neighbour.room = 20;
            if blocked_by_control {
                neighbour.serve_at = Some(now);
                neighbour.control.push_back(vec![0; 100].into());
            }
            assert!(neighbour.serve(([1; 12], 1)) && neighbour.have(now, ([1; 12], 2)));
            let mut sent = 0;
            while neighbour.next_due(later, post).is_some() {
                sent += 1;
            }
            assert_eq!(sent, 0);
            assert_eq!(neighbour.deadline().filter(|&at| at <= later), None);
            neighbour.room = 100_000;
            while neighbour.next_due(later, post).is_some() {
                sent += 1;
            }
            assert_eq!(sent, if blocked_by_control { 3 } else { 2 });
        }
    }
}
