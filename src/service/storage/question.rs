//! Questions of ours to the group, until they are answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::record::{SignedRecord, Version};
use super::types::{Record, StorageEvent, StoreId};
use crate::base::{Instant, PeerId};
use crate::group::{GroupAddress, Letter};

/// How often a question is asked, at most.
pub(super) const ATTEMPTS: u32 = 3;
/// Parts in a hundred of its time after which a question is asked again, first and second.
const FIRST_PATIENCE: u32 = 15;
const SECOND_PATIENCE: u32 = 45;
/// How often we sign a value anew because a newer one was there.
pub(super) const MAX_RENEWALS: u32 = 2;
/// Values of single holders that one question can ask for.
const MAX_FETCHES: usize = 16;

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: StoreId,
    pub(super) letter: Letter,
    pub(super) first_hops: Vec<PeerId>,
    pub(super) attempts: u32,
    pub(super) started: Instant,
    /// When to ask again, or to give up.
    pub(super) again: Instant,
    patience: Duration,
    /// When what has come is enough.
    finish: Option<Instant>,
    /// Holders that have answered, and how many there are in all, once the first asked has said.
    answered: BTreeSet<GroupAddress>,
    expected: Option<usize>,
    /// Whether we have asked those that we take for holders ourselves.
    has_looked: bool,
    pub(super) what: What,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum What {
    /// To hold a record.
    Put {
        /// It.
        record: Box<SignedRecord>,
        /// How often we can sign it anew; 0 if we are not its author.
        renewals: u32,
        /// Why a holder refused it.
        refusal: Option<&'static str>,
    },
    /// For the values of a key.
    Get {
        /// It.
        key: Vec<u8>,
        /// The newest of each author; zeros for content.
        found: BTreeMap<[u8; 32], SignedRecord>,
        /// Records that holders still have to send: how many of them.
        missing: BTreeMap<GroupAddress, u64>,
        /// Holders and authors whose value was asked for by itself.
        fetches: BTreeSet<(GroupAddress, [u8; 32])>,
    },
}

impl Question {
    pub(super) fn new(now: Instant, id: StoreId, letter: Letter, patience: Duration, what: What) -> Self {
        Self {
            id,
            letter,
            first_hops: Vec::new(),
            attempts: 1,
            started: now,
            again: now + patience * FIRST_PATIENCE / 100,
            patience,
            finish: None,
            answered: BTreeSet::new(),
            expected: None,
            has_looked: false,
            what,
        }
    }

    /// Whether it is time to ask again; then it is counted as asked.
    pub(super) fn asks_again(&mut self, now: Instant) -> bool {
        if self.again > now || self.attempts >= ATTEMPTS {
            return false;
        }
        self.attempts += 1;
        let part = if self.attempts == ATTEMPTS { 100 } else { SECOND_PATIENCE };
        self.again = self.started + self.patience * part / 100;
        true
    }

    /// A holder has answered, if it is one; the first that was asked says how many there are in all, others 0.
    pub(super) fn answer(&mut self, now: Instant, holder: Option<GroupAddress>, total: u64) {
        // Far more than there are holders, but no more than that.
        if self.answered.len() < 64 {
            self.answered.extend(holder);
        }
        if total > 0 {
            self.expected = Some(usize::try_from(total).unwrap_or(usize::MAX).min(64));
        }
        if self.finish.is_none() {
            self.wait(now);
        }
    }

    /// Waits for more, twice as long as it took so far and a bit.
    fn wait(&mut self, now: Instant) {
        self.finish = Some(now + (now - self.started).min(Duration::from_secs(2)) * 2 + Duration::from_millis(300));
    }

    /// What a holder has: the values that we want of it.
    pub(super) fn missing_of(
        &mut self,
        now: Instant,
        holder: GroupAddress,
        versions: &[([u8; 32], u64, [u8; 8])],
    ) -> Vec<[u8; 32]> {
        let What::Get { found, fetches, .. } = &mut self.what else { return Vec::new() };
        let mut wanted = Vec::new();
        for (author, sequence, tie) in versions {
            let version = found.get(author).map(SignedRecord::version);
            let is_newer = version.is_none_or(|version| short(version) < (*sequence, *tie));
            if is_newer && fetches.len() < MAX_FETCHES && fetches.insert((holder, *author)) {
                wanted.push(*author);
            }
        }
        if !wanted.is_empty() {
            self.wait(now);
        }
        wanted
    }

    /// A checked record came, one of `count` that the holder has.
    pub(super) fn value(&mut self, holder: GroupAddress, count: u64, record: Option<SignedRecord>) {
        let What::Get { key, found, missing, fetches } = &mut self.what else { return };
        let left = missing.entry(holder).or_insert(count.min(64));
        *left = left.saturating_sub(u64::from(record.is_some()));
        if missing.len() > 64 {
            missing.pop_last();
        }
        let Some(record) = record.filter(|record| record.key() == &key[..]) else { return };
        let author = record.author().map_or([0; 32], |author| author.0);
        fetches.retain(|(_, of)| *of != author);
        let is_newer = found.get(&author).is_none_or(|old| old.version() < record.version());
        if is_newer && (found.len() < 64 || found.contains_key(&author)) {
            found.insert(author, record);
        }
    }

    /// Whether everything has come that is needed: all answers, or those of most holders if a value is there.
    fn is_complete(&self) -> bool {
        let Some(expected) = self.expected else { return false };
        let is_whole = self.answered.len() >= expected;
        match &self.what {
            What::Put { .. } => is_whole,
            What::Get { found, missing, fetches, .. } => {
                let is_most = self.answered.len() > expected / 2 && !found.is_empty();
                (is_whole || is_most) && missing.values().all(|left| *left == 0) && fetches.is_empty()
            }
        }
    }

    /// When to look at it again.
    pub(super) fn deadline(&self) -> Instant {
        self.finish.map_or(self.again, |finish| finish.min(self.again))
    }

    /// What is told in the end, once enough has come; `now_ms` since 1970.
    pub(super) fn outcome(&mut self, now: Instant, now_ms: u64) -> Option<StorageEvent> {
        let is_over = self.again <= now && self.attempts >= ATTEMPTS;
        let is_enough = self.is_complete() || self.finish.is_some_and(|finish| finish <= now);
        if !is_over && !is_enough {
            return None;
        }
        let (id, holders) = (self.id, self.answered.len());
        match &self.what {
            What::Put { refusal, .. } => match (*refusal, holders) {
                (_, 1..) => Some(StorageEvent::Stored { id, copies: holders }),
                (Some(reason), 0) => Some(StorageEvent::Refused { id, reason }),
                (None, 0) => is_over.then_some(StorageEvent::TimedOut { id }),
            },
            What::Get { found, .. } => {
                if holders == 0 {
                    return is_over.then_some(StorageEvent::TimedOut { id });
                }
                // Nothing from a few is no answer yet: somebody else may have it.
                let most = self.expected.is_some_and(|expected| holders + 2 >= expected) || self.attempts > 1;
                if found.is_empty() && !self.is_complete() && !most && !is_over {
                    self.finish = None;
                    return None;
                }
                let lives = |record: &&SignedRecord| record.expiry() > now_ms;
                let records = found.values().filter(lives).map(SignedRecord::to_record);
                let records: Vec<Record> = records.filter(|record| record.value.is_some()).collect();
                Some(StorageEvent::Found { id, records, holders })
            }
        }
    }

    /// Of those that should hold what we look for, who is left to be asked by ourselves: once, where nothing was found or
    /// fewer than `due` were asked. The member that was asked first may lie, or know nobody.
    pub(super) fn look_closer(&mut self, now: Instant, due: Vec<GroupAddress>) -> Vec<GroupAddress> {
        let What::Get { found, .. } = &self.what else { return Vec::new() };
        let is_thin = found.is_empty() || self.expected.is_none_or(|expected| expected < due.len());
        if self.has_looked || !is_thin {
            return Vec::new();
        }
        self.has_looked = true;
        let left: Vec<GroupAddress> = due.into_iter().filter(|member| !self.answered.contains(member)).collect();
        if !left.is_empty() {
            self.expected = Some(self.answered.len() + left.len());
            self.wait(now);
        }
        left
    }

    /// The neighbour over which answers find us.
    pub(super) fn gateway(&self) -> Option<GroupAddress> {
        self.first_hops.last().map(|peer| GroupAddress::of(*peer))
    }

    /// A holder refuses a record of ours.
    pub(super) fn refuse(&mut self, reason: &'static str) {
        if let What::Put { refusal, .. } = &mut self.what {
            *refusal = Some(reason);
        }
    }
}

/// A version as it stands in HOLDS and OFFER.
pub(super) fn short((sequence, signature): Version) -> (u64, [u8; 8]) {
    (sequence, std::array::from_fn(|at| signature[at]))
}
