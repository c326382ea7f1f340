//! The publisher's part: units are cut into fragments, and signed.

use std::time::Duration;

use bytes::Bytes;

use super::fragment::{Begin, Fragment, MAX_REMAINING};
use super::media::{Head, Unit};
use super::message::StreamKey;
use super::proof::{FragmentDigest, MAX_FRAGMENTS, sign_manifest, sign_title};
use super::types::{StreamError, StreamSettings};
use crate::base::Instant;
use crate::crypto::Identity;
use crate::group::GroupId;
use crate::wire::DecodeError;

/// Fragments a second that are aimed at.
const FRAGMENTS: u64 = 275;
/// Bytes of a fragment: so that one fills a packet, at most, and at most where a unit has too many of them.
const SHORTEST: usize = 1_100;
const LONGEST: usize = 16 << 10;
const LONGEST_OF_ALL: usize = 64 << 10;
/// Bytes of a unit at most.
const MAX_UNIT: usize = LONGEST_OF_ALL * (MAX_REMAINING as usize + 1);
/// For how long fragments are gathered before they are signed, at most.
const GATHER: Duration = Duration::from_millis(40);
/// How often the rate of the stream is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// A manifest of nothing says after so long in silence that the publisher is there.
const BEAT: Duration = Duration::from_secs(2);

/// A fragment that is not signed yet.
#[derive(Debug)]
struct Cut {
    message: Bytes,
    digest: FragmentDigest,
    key: bool,
}

/// A manifest and its fragments, from the first ID on.
#[derive(Debug)]
pub(super) struct Pressed {
    pub(super) manifest: Bytes,
    pub(super) first: u64,
    pub(super) messages: Vec<Bytes>,
}

/// Makes the messages of a stream.
#[derive(Debug)]
pub(super) struct Press {
    identity: Identity,
    group: GroupId,
    pub(super) key: StreamKey,
    pub(super) name: String,
    random: [u8; 32],
    grant: Option<Bytes>,
    settings: StreamSettings,
    gather: Duration,
    /// When its first unit was written.
    begun: Option<Instant>,
    head: Head,
    cut: Vec<Cut>,
    /// ID of the first fragment that is not signed.
    next: u64,
    due: Option<Instant>,
    /// Bytes a second, and what has come since it was looked at.
    rate: u64,
    looked: Instant,
    bytes: u64,
}

impl Press {
    pub(super) fn new(
        identity: &Identity,
        group: GroupId,
        name: &str,
        random: [u8; 32],
        grant: Option<Bytes>,
        settings: StreamSettings,
    ) -> Self {
        Self {
            identity: identity.clone(),
            group,
            key: StreamKey::of(group, identity.peer_id(), &random),
            name: name.to_owned(),
            random,
            grant,
            gather: (settings.window / 8).min(GATHER),
            settings,
            begun: None,
            head: Head::default(),
            cut: Vec::new(),
            next: 1,
            due: None,
            rate: 0,
            looked: Instant::ZERO,
            bytes: 0,
        }
    }

    /// ID of the next fragment.
    fn id(&self) -> u64 {
        self.next + self.cut.len() as u64
    }

    /// When to press, though nothing more came.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Cuts a unit. A title that precedes it, if the head is another than before.
    ///
    /// # Errors
    /// [`StreamError::TooLong`]; nothing was cut.
    pub(super) fn write(&mut self, now: Instant, unit: &Unit, head: &Head) -> Result<Option<Bytes>, StreamError> {
        if unit.data.len() > MAX_UNIT {
            return Err(StreamError::TooLong);
        }
        let mut title = None;
        if self.begun.is_none() || self.head != *head {
            title = Some(self.title(head).map_err(|_| StreamError::TooLong)?);
            self.head = head.clone();
        }
        if self.begun.is_none() {
            (self.begun, self.looked) = (Some(now), now);
        }
        let len = self.fragment_len(now, unit.data.len());
        let count = unit.data.len().div_ceil(len).max(1);
        for (at, remaining) in (0..count).zip((0..count).rev()) {
            let begin = (at == 0).then_some(Begin { kind: unit.kind, timestamp: unit.timestamp });
            let data = &unit.data[at * len..unit.data.len().min((at + 1) * len)];
            let remaining = u8::try_from(remaining).unwrap_or(MAX_REMAINING);
            let mut message = Vec::with_capacity(data.len() + 24);
            Fragment { id: self.id(), begin, remaining, data }.put(&mut message);
            let digest = FragmentDigest::of(&message);
            self.cut.push(Cut { message: message.into(), digest, key: at == 0 && unit.key });
        }
        let due = if self.cut.len() >= MAX_FRAGMENTS { now } else { now + self.gather };
        // What silence had put off does not count.
        self.due = Some(if count == self.cut.len() { due } else { self.due.map_or(due, |before| before.min(due)) });
        Ok(title)
    }

    /// Bytes of each fragment of a unit.
    fn fragment_len(&mut self, now: Instant, unit: usize) -> usize {
        self.bytes += unit as u64;
        let passed = now.since(self.looked);
        if passed >= LOOK {
            let rate = (self.bytes as f64 / passed.as_secs_f64()) as u64;
            // Up at once, down slowly: what comes in bursts is seldom slow.
            self.rate = rate.max(self.rate - self.rate / 8);
            (self.looked, self.bytes) = (now, 0);
        }
        // What has come since counts as soon as it is more than that.
        let least = if self.rate == 0 { LOOK / 2 } else { LOOK };
        let burst = self.bytes as f64 / now.since(self.looked).max(least).as_secs_f64();
        let rate = self.rate.max(burst as u64);
        let len = usize::try_from(rate / FRAGMENTS).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
        len.max(unit.div_ceil(MAX_REMAINING as usize + 1))
    }

    fn title(&self, head: &Head) -> Result<Bytes, DecodeError> {
        let what = (&self.name[..], self.id(), head, &self.settings);
        sign_title(&self.identity, self.group, &self.random, what, self.grant.as_deref())
    }

    /// The next manifest that is due, with its fragments.
    pub(super) fn press(&mut self, now: Instant) -> Option<Pressed> {
        self.due.filter(|due| *due <= now)?;
        Some(self.sign(now, false))
    }

    /// What is left of the stream; the last manifest says that it ends there.
    pub(super) fn end(&mut self, now: Instant) -> Vec<Pressed> {
        let mut all = Vec::new();
        while self.cut.len() > MAX_FRAGMENTS {
            all.push(self.sign(now, false));
        }
        all.push(self.sign(now, true));
        self.due = None;
        all
    }

    fn sign(&mut self, now: Instant, end: bool) -> Pressed {
        let rest = self.cut.split_off(self.cut.len().min(MAX_FRAGMENTS));
        let cut = std::mem::replace(&mut self.cut, rest);
        let marks: Vec<(FragmentDigest, bool)> = cut.iter().map(|cut| (cut.digest, cut.key)).collect();
        let at = self.begun.map_or(0, |begun| now.since(begun).as_micros() as u64);
        let first = self.next;
        let manifest = sign_manifest(&self.identity, self.group, self.key, (at, first), &marks, end);
        self.next += cut.len() as u64;
        self.due = match self.cut.len() {
            0 => Some(now + BEAT),
            MAX_FRAGMENTS.. => Some(now),
            _ => Some(now + self.gather),
        };
        Pressed { manifest, first, messages: cut.into_iter().map(|cut| cut.message).collect() }
    }
}
