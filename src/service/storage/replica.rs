//! Who should hold what: copies move when members come and go.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::letter::{MAX_OFFER, Offer};
use super::question::short;
use super::record::Slot;
use super::shelf::Shelf;
use crate::base::{Instant, Rng, TokenBucket};
use crate::group::{GroupAddress, View};

/// Members that hold a record: those nearest to its key.
///
/// When 20 of 60 members leave in one moment, chance takes all holders of 0.99 % of the values if there are four, of 0.08 % if
/// six, of 0.005 % if eight; in a hundred simulated groups 85, 19 and 2 of 10,000 values were lost, and 197, 322 and 478 kB
/// were moved to make 100 values of 1 kB whole again. While the twenty leave one each 2 s (`p2pt simulate storage`, 40 seeds)
/// the lane carries 1.5, 2.0 and 2.6 kB/s a member, and four holders let a question in 16,000 go without its value, six and
/// eight none: six is the least that loses nothing then, and eight costs a third more for what happens to one value in a thousand.
pub(super) const HOLDERS: usize = 6;
/// Members more that may keep it, so that it does not move to and fro.
const SLACK: usize = 2;
/// Records looked at in one go.
const BATCH: usize = 256;
/// Between two goes of one pass.
const STEP: Duration = Duration::from_millis(20);
/// From a change to the pass that it causes: others notice it too.
const CALM: Duration = Duration::from_millis(300);
/// Between passes without a change.
const PERIOD: Duration = Duration::from_secs(30);
/// How many passes until what others hold is asked anew.
const RENEWAL: u32 = 10;
/// How long what we need not hold stays, in ms.
const SPARE_LIFE: u64 = 60_000;
/// Copies that wait to be sent at most.
const MAX_COPIES: usize = 8192;
/// Bytes of copies a second, and at once; each counts [`COPY_COST`] more.
const COPY_RATE: (u64, u64) = (2 << 20, 512 << 10);
const COPY_COST: u64 = 8 << 10;
/// Offers that were not answered, at most.
const MAX_OFFERS: usize = 256;
/// Slots asked for and not come, at most, and how long they count as coming.
const MAX_COMING: usize = 8192;
const COMING: Duration = Duration::from_secs(3);

/// Keeps copies where they should be.
#[derive(Debug)]
pub(super) struct Replica {
    rng: Rng,
    /// When the next pass begins, and where the one at work is.
    pass: Option<Instant>,
    cursor: Option<(Option<Slot>, Instant)>,
    passes: u32,
    offers: BTreeMap<GroupAddress, Vec<Offer>>,
    /// Offers without an answer, by their numbers.
    offered: BTreeMap<u64, (GroupAddress, Vec<Slot>)>,
    number: u64,
    copies: VecDeque<(Slot, GroupAddress)>,
    budget: TokenBucket,
    next_copy: Option<Instant>,
    coming: BTreeMap<Slot, Instant>,
}

impl Replica {
    pub(super) const fn new(rng: Rng) -> Self {
        Self {
            rng,
            pass: None,
            cursor: None,
            passes: 0,
            offers: BTreeMap::new(),
            offered: BTreeMap::new(),
            number: 0,
            copies: VecDeque::new(),
            budget: TokenBucket::new(COPY_RATE.0, COPY_RATE.1),
            next_copy: None,
            coming: BTreeMap::new(),
        }
    }

    /// The members that should hold what belongs at `target`, ourselves among them perhaps.
    pub(super) fn holders(view: &View, target: GroupAddress, more: usize) -> Vec<GroupAddress> {
        view.nearest(target, HOLDERS + more).into_iter().map(GroupAddress::of).collect()
    }

    /// Somebody came or went.
    pub(super) fn changed(&mut self, now: Instant) {
        let soon = now + CALM + Duration::from_micros(self.rng.below(300_000));
        if self.pass.is_none_or(|pass| pass > soon) {
            self.pass = Some(soon);
        }
    }

    /// There is something to keep: passes begin.
    pub(super) fn wake(&mut self, now: Instant) {
        if self.pass.is_none() && self.cursor.is_none() {
            self.pass = Some(now + PERIOD + Duration::from_micros(self.rng.below(5_000_000)));
        }
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let cursor = self.cursor.map(|(_, at)| at);
        [self.pass, cursor, self.next_copy].into_iter().flatten().min()
    }

    /// Looks through a batch of records; the offers that come of it, each for one member.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        now_ms: u64,
        view: &View,
        shelf: &mut Shelf,
    ) -> Vec<(GroupAddress, u64, Vec<Offer>)> {
        if self.cursor.is_none() && self.pass.is_some_and(|pass| pass <= now) {
            self.pass = None;
            self.cursor = Some((None, now));
            self.passes += 1;
            self.offered.clear();
            self.coming.retain(|_, until| *until > now);
            shelf.drop_spare(now_ms.saturating_sub(SPARE_LIFE));
        }
        let Some((after, at)) = self.cursor else { return Vec::new() };
        if at > now {
            return Vec::new();
        }
        let batch = shelf.slots_after(after, BATCH);
        for &slot in &batch {
            self.look(now_ms, view, shelf, slot);
        }
        let full: Vec<GroupAddress> = self
            .offers
            .iter()
            .filter(|(_, offers)| batch.len() < BATCH || offers.len() + BATCH > MAX_OFFER)
            .map(|(to, _)| *to)
            .collect();
        self.cursor = batch.last().filter(|_| batch.len() == BATCH).map(|last| (Some(*last), now + STEP));
        if self.cursor.is_none() && self.pass.is_none() && shelf.size().0 > 0 {
            self.pass = Some(now + PERIOD + Duration::from_micros(self.rng.below(5_000_000)));
        }
        full.into_iter()
            .filter_map(|to| {
                let offers = self.offers.remove(&to)?;
                self.number += 1;
                let slots = offers.iter().map(|(slot, ..)| *slot).collect();
                self.offered.insert(self.number, (to, slots));
                Some((to, self.number, offers))
            })
            .collect()
    }

    /// Who lacks a record, as far as we know, and is ours to be offered it.
    fn look(&mut self, now_ms: u64, view: &View, shelf: &mut Shelf, slot: Slot) {
        let everybody = self.passes.is_multiple_of(RENEWAL);
        let Some(held) = shelf.get_mut(slot) else { return };
        let near = Self::holders(view, held.target, SLACK);
        let me = view.address();
        let due = &near[..near.len().min(HOLDERS)];
        if everybody {
            held.known.clear();
        }
        held.known.retain(|member| near.contains(member));
        let is_ours = due.contains(&me);
        for member in due.iter().filter(|member| **member != me && !held.known.contains(member)) {
            // The nearest two see to it; who has to hand over, and now and then everybody, too.
            let rank = due.iter().filter(|other| *other != member).position(|other| *other == me);
            if !everybody && is_ours && rank.is_none_or(|rank| rank >= 2) {
                continue;
            }
            if self.offered.len() >= MAX_OFFERS {
                break;
            }
            let (sequence, tie) = short(held.record.version());
            let offers = self.offers.entry(*member).or_default();
            if offers.len() < MAX_OFFER {
                offers.push((slot, sequence, tie));
            }
        }
        let enough = held.known.iter().filter(|member| due.contains(member)).count() >= 2.min(due.len());
        shelf.set_spare(slot, !near.contains(&me) && enough, now_ms);
    }

    /// A member says which of the records that we offered it wants, and which are on their way to it.
    pub(super) fn wanted(
        &mut self,
        now: Instant,
        shelf: &mut Shelf,
        (member, number): (GroupAddress, u64),
        wanted: &[Slot],
        coming: &[Slot],
    ) {
        if self.offered.get(&number).is_none_or(|(to, _)| *to != member) {
            return;
        }
        let Some((_, offered)) = self.offered.remove(&number) else { return };
        for slot in offered {
            if wanted.contains(&slot) {
                if self.copies.len() < MAX_COPIES {
                    self.copies.push_back((slot, member));
                }
            } else if !coming.contains(&slot) {
                know(shelf, slot, member);
            }
        }
        self.next_copy = self.next_copy.or((!self.copies.is_empty()).then_some(now));
    }

    /// The next copy that may be sent now, and to whom.
    pub(super) fn next_copy(&mut self, now: Instant, shelf: &mut Shelf) -> Option<(Slot, GroupAddress)> {
        loop {
            let &(slot, member) = self.copies.front()?;
            let Some(held) = shelf.get(slot) else {
                self.copies.pop_front();
                continue;
            };
            if !self.budget.take(now, held.record.bytes().len() as u64 + COPY_COST) {
                self.next_copy = Some(now + STEP);
                return None;
            }
            self.copies.pop_front();
            know(shelf, slot, member);
            return Some((slot, member));
        }
    }

    /// Nothing more can be copied now.
    pub(super) fn copied(&mut self, now: Instant) {
        self.next_copy = (!self.copies.is_empty()).then_some(now + STEP);
    }

    /// Which of the offered records we want, and which others are sending.
    pub(super) fn choose(&mut self, now: Instant, shelf: &Shelf, offers: &[Offer]) -> (Vec<Slot>, Vec<Slot>) {
        let (mut wanted, mut coming) = (Vec::new(), Vec::new());
        for &(slot, sequence, tie) in offers {
            if shelf.version(slot).is_some_and(|version| short(version) >= (sequence, tie)) {
                continue;
            }
            if self.coming.get(&slot).is_some_and(|until| *until > now) {
                coming.push(slot);
                continue;
            }
            if self.coming.len() >= MAX_COMING {
                self.coming.pop_first();
            }
            self.coming.insert(slot, now + COMING);
            wanted.push(slot);
        }
        (wanted, coming)
    }

    /// A record came.
    pub(super) fn came(&mut self, slot: Slot) {
        self.coming.remove(&slot);
    }

    /// Entries of all tables.
    pub(super) fn entries(&self) -> usize {
        self.offers.values().map(Vec::len).sum::<usize>()
            + self.offered.values().map(|(_, slots)| slots.len()).sum::<usize>()
            + self.copies.len()
            + self.coming.len()
    }
}

/// Notes that a member holds a record.
pub(super) fn know(shelf: &mut Shelf, slot: Slot, member: GroupAddress) {
    if let Some(held) = shelf.get_mut(slot)
        && !held.known.contains(&member)
        && held.known.len() < 2 * HOLDERS
    {
        held.known.push(member);
    }
}

/// Notes that a copy did not reach a member.
pub(super) fn unknow(shelf: &mut Shelf, slot: Slot, member: GroupAddress) {
    if let Some(held) = shelf.get_mut(slot) {
        held.known.retain(|known| *known != member);
    }
}
