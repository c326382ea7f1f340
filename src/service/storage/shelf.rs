//! What is held.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{SignedRecord, Slot, Version, slot};
use crate::base::PeerId;
use crate::group::GroupAddress;

/// Authors under one key at most.
pub(super) const MAX_AUTHORS: usize = 64;
/// What a record costs besides its bytes.
const OVERHEAD: usize = 512;

/// A record on the shelf.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) record: SignedRecord,
    pub(super) target: GroupAddress,
    /// When it may be forgotten, in ms since 1970: not before what it took the place of would have ended.
    until: u64,
    /// Members that hold it too, as far as we know; bounded by the holders that there should be.
    pub(super) known: Vec<GroupAddress>,
    /// Since when we need not hold it, in ms since 1970.
    spare_since: Option<u64>,
}

/// What became of a record that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is held now.
    New,
    /// It was held already.
    Same,
    /// A newer one is held.
    Newer,
    /// There is no room.
    Full,
    /// Its time is over.
    Ended,
}

/// The records held, within a capacity.
#[derive(Debug)]
pub(super) struct Shelf {
    slots: BTreeMap<Slot, Held>,
    by_target: BTreeSet<(GroupAddress, Slot)>,
    by_end: BTreeSet<(u64, Slot)>,
    /// What need not be held, that longest first.
    spare: BTreeSet<(u64, Slot)>,
    authors: BTreeMap<[u8; 32], usize>,
    bytes: usize,
    capacity: usize,
}

impl Shelf {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            slots: BTreeMap::new(),
            by_target: BTreeSet::new(),
            by_end: BTreeSet::new(),
            spare: BTreeSet::new(),
            authors: BTreeMap::new(),
            bytes: 0,
            capacity,
        }
    }

    /// Takes a checked record, if there is room and nothing newer.
    pub(super) fn put(&mut self, record: SignedRecord, now: u64) -> Placed {
        let slot = record.slot();
        let old = self.slots.get(&slot);
        match old.map(|old| old.record.version().cmp(&record.version())) {
            Some(std::cmp::Ordering::Equal) => return Placed::Same,
            Some(std::cmp::Ordering::Greater) => return Placed::Newer,
            _ => {}
        }
        if record.expiry() <= now && old.is_none() {
            return Placed::Ended;
        }
        let freed = old.map_or(0, |old| cost(&old.record));
        let until = old.map_or(0, |old| old.until).max(record.expiry());
        let is_new_slot = old.is_none();
        let (target, author) = (record.target(), owner(&record));
        let share = if record.author().is_some() { self.capacity / 4 } else { self.capacity / 2 };
        let of_author = self.authors.get(&author).copied().unwrap_or(0) - freed;
        if of_author + cost(&record) > share || (is_new_slot && self.of_target(target).count() >= MAX_AUTHORS) {
            return Placed::Full;
        }
        while self.bytes - freed + cost(&record) > self.capacity {
            let Some(&(_, oldest)) = self.spare.iter().find(|(_, other)| *other != slot) else { return Placed::Full };
            self.remove(oldest);
        }
        self.remove(slot);
        self.bytes += cost(&record);
        *self.authors.entry(author).or_default() += cost(&record);
        self.by_target.insert((target, slot));
        self.by_end.insert((until, slot));
        self.slots.insert(slot, Held { record, target, until, known: Vec::new(), spare_since: None });
        Placed::New
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        let Some(held) = self.slots.remove(&slot) else { return };
        self.by_target.remove(&(held.target, slot));
        self.by_end.remove(&(held.until, slot));
        if let Some(since) = held.spare_since {
            self.spare.remove(&(since, slot));
        }
        self.bytes -= cost(&held.record);
        let author = owner(&held.record);
        if let Some(bytes) = self.authors.get_mut(&author) {
            *bytes -= cost(&held.record);
            if *bytes == 0 {
                self.authors.remove(&author);
            }
        }
    }

    /// Says whether a record need not be held; keeps since when.
    pub(super) fn set_spare(&mut self, slot: Slot, is_spare: bool, now: u64) {
        let Some(held) = self.slots.get_mut(&slot) else { return };
        match held.spare_since {
            Some(since) if !is_spare => {
                held.spare_since = None;
                self.spare.remove(&(since, slot));
            }
            None if is_spare => {
                held.spare_since = Some(now);
                self.spare.insert((now, slot));
            }
            _ => {}
        }
    }

    /// Forgets what need not have been held since `before`.
    pub(super) fn drop_spare(&mut self, before: u64) {
        while let Some(&(_, slot)) = self.spare.first().filter(|(since, _)| *since <= before) {
            self.remove(slot);
        }
    }

    /// Forgets what has ended.
    pub(super) fn sweep(&mut self, now: u64) {
        while let Some(&(_, slot)) = self.by_end.first().filter(|(end, _)| *end <= now) {
            self.remove(slot);
        }
    }

    /// When the next one ends, in ms since 1970.
    pub(super) fn next_end(&self) -> Option<u64> {
        self.by_end.first().map(|(end, _)| *end)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Held> {
        self.slots.get(&slot)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Held> {
        self.slots.get_mut(&slot)
    }

    pub(super) fn version(&self, slot: Slot) -> Option<Version> {
        self.slots.get(&slot).map(|held| held.record.version())
    }

    /// The records under `key`.
    pub(super) fn under<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a SignedRecord> {
        self.of_target(GroupAddress::of_key(key)).map(|held| &held.record).filter(move |record| record.key() == key)
    }

    /// The record of one author under `key`; zeros for content.
    pub(super) fn of_author(&self, key: &[u8], author: [u8; 32]) -> Option<&SignedRecord> {
        let author = Some(PeerId(author)).filter(|author| author.0 != [0; 32]);
        self.slots.get(&slot(key, author)).map(|held| &held.record)
    }

    /// Up to `count` slots after `after`.
    pub(super) fn slots_after(&self, after: Option<Slot>, count: usize) -> Vec<Slot> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.slots.range((from, Unbounded)).take(count).map(|(slot, _)| *slot).collect()
    }

    /// Records and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.slots.len(), self.bytes)
    }

    fn of_target(&self, target: GroupAddress) -> impl Iterator<Item = &Held> {
        let range = (target, [0; 16])..=(target, [0xff; 16]);
        self.by_target.range(range).filter_map(|(_, slot)| self.slots.get(slot))
    }
}

/// Whose share a record takes of.
fn owner(record: &SignedRecord) -> [u8; 32] {
    record.author().map_or([0; 32], |author| author.0)
}

fn cost(record: &SignedRecord) -> usize {
    record.bytes().len() + OVERHEAD
}
