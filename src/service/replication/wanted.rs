//! Which objects are wanted, how rare they are, and who was asked for them.

use std::collections::{BTreeMap, BTreeSet};

use super::message::Span;
use super::types::Strategy;
use crate::base::{Instant, PeerId};

/// Where an object stands among those to be asked for: how rare, by lot, index.
pub(super) type Place = (u32, u64, u64);

/// What is wanted, and who was asked.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) strategy: Strategy,
    pub(super) salt: u64,
    /// Wanted objects that neighbours have, and how many.
    pub(super) tracked: BTreeMap<u64, u32>,
    /// Those of them that nobody was asked for.
    pub(super) order: BTreeSet<Place>,
    /// Some were left out of the table.
    pub(super) overflowed: bool,
    /// Who was asked.
    pub(super) flight: BTreeMap<u64, Vec<PeerId>>,
    /// What came, and the owner has not judged.
    pub(super) checking: BTreeMap<u64, PeerId>,
    /// When more may be asked for, within the limit of what we receive.
    pub(super) wait: Option<Instant>,
}

impl Fetch {
    pub(super) const fn new(strategy: Strategy, salt: u64) -> Self {
        Self {
            strategy,
            salt,
            tracked: BTreeMap::new(),
            order: BTreeSet::new(),
            overflowed: false,
            flight: BTreeMap::new(),
            checking: BTreeMap::new(),
            wait: None,
        }
    }

    pub(super) fn place(&self, index: u64, count: u32) -> Place {
        match self.strategy {
            Strategy::LowestFirst => (0, 0, index),
            Strategy::RarestFirst => {
                let mixed = (index ^ self.salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (count, (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9), index)
            }
        }
    }

    pub(super) fn set_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
        let free = self.tracked.iter().filter(|(index, _)| !self.flight.contains_key(index));
        self.order = free.map(|(&index, &count)| self.place(index, count)).collect();
    }

    /// So many have it now.
    pub(super) fn set_count(&mut self, index: u64, count: u32) {
        if let Some(&before) = self.tracked.get(&index) {
            let place = self.place(index, before);
            self.order.remove(&place);
        }
        if count == 0 {
            self.tracked.remove(&index);
            return;
        }
        self.tracked.insert(index, count);
        if !self.flight.contains_key(&index) {
            let place = self.place(index, count);
            self.order.insert(place);
        }
    }

    /// Forgets what is tracked of these.
    pub(super) fn forget(&mut self, span: &Span) {
        let known: Vec<(u64, u32)> = self.tracked.range(span.clone()).map(|(&index, &count)| (index, count)).collect();
        for (index, count) in known {
            self.tracked.remove(&index);
            let place = self.place(index, count);
            self.order.remove(&place);
        }
    }

    /// Forgets that the owner was looking at these; from whom they had come.
    pub(super) fn take_checked(&mut self, span: &Span) -> Vec<PeerId> {
        let checked: Vec<u64> = self.checking.range(span.clone()).map(|(&index, _)| index).collect();
        checked.iter().filter_map(|index| self.checking.remove(index)).collect()
    }
}
