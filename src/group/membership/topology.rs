//! The best list: which members ought to be the neighbours of whoever sits at a place (flash-groups section 4.3, its
//! intent).
//!
//! Departure: long links are looked for at 1/4, 1/8, 1/16 … of the ring on either side, not at 1/2, 1/4, 1/8 … in increasing
//! direction only. A link then serves both its ends, and with a third fewer of them messages take as few hops. What is
//! missing on the other side comes next, while there are fewer neighbours than there ought to be.

use super::limits::NEAR;
use crate::group::address::GroupAddress;
use crate::group::known::Known;

/// What the list is made from.
pub(super) struct Choice<'a, E, W, L> {
    /// The members, in increasing order of their places.
    pub(super) members: &'a [Known],
    /// Whose list it is. Not in it itself.
    pub(super) centre: GroupAddress,
    /// How many there ought to be.
    pub(super) target: usize,
    /// Those of lowest latency.
    pub(super) fast: &'a [GroupAddress],
    /// One at random.
    pub(super) random: Option<GroupAddress>,
    /// Decides where several would do.
    pub(super) lot: u64,
    /// Who may be in it at all.
    pub(super) eligible: E,
    /// Who of these may be in it for another reason than being near: not those who asked to be left.
    pub(super) willing: W,
    /// Who is connected already, and therefore preferred where several would do; nobody is dropped for a better one.
    pub(super) linked: L,
}

/// A best list: indices of members, the near ones first, then the long links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct BestList {
    /// All of it.
    pub(super) all: Vec<usize>,
    /// How many of these are there for being near.
    pub(super) near: usize,
    /// How many are there for being near or for being a long link: without one of these, ways get longer.
    pub(super) needed: usize,
}

impl<E, W, L> Choice<'_, E, W, L>
where
    E: Fn(&Known) -> bool,
    W: Fn(&Known) -> bool,
    L: Fn(&Known) -> bool,
{
    /// The list.
    pub(super) fn list(&self) -> BestList {
        let mut list = Taken { all: Vec::with_capacity(self.target), is_in: vec![false; self.members.len()] };
        self.near(&mut list);
        let near = list.all.len();
        self.long_links(&mut list, false);
        let needed = list.all.len();
        for wanted in self.fast.iter().chain(&self.random) {
            let at = self.place(*wanted);
            if self.members.get(at).is_some_and(|known| known.address == *wanted && self.may_be_far(known)) {
                list.add(at);
            }
        }
        self.long_links(&mut list, true);
        self.fill(&mut list);
        BestList { all: list.all, near, needed }
    }

    fn may(&self, known: &Known) -> bool {
        known.address != self.centre && (self.eligible)(known)
    }

    fn may_be_far(&self, known: &Known) -> bool {
        self.may(known) && (self.willing)(known)
    }

    fn place(&self, address: GroupAddress) -> usize {
        self.members.partition_point(|known| known.address < address)
    }

    /// The nearest on each side, by turns.
    fn near(&self, list: &mut Taken) {
        let (start, count) = (self.place(self.centre), self.members.len());
        let mut up = (0..count).map(|step| (start + step) % count).filter(|&at| self.may(&self.members[at]));
        let mut down = (1..=count).map(|step| (start + count - step) % count).filter(|&at| self.may(&self.members[at]));
        for _ in 0..NEAR {
            up.next().into_iter().chain(down.next()).for_each(|at| list.add(at));
        }
    }

    /// One between 1/4 and 1/2 of the ring away, one between 1/8 and 1/4, and so on. On either side: so one link serves both
    /// its ends, and members have hardly more of them than they need. With `on_each_side`, one on each.
    fn long_links(&self, list: &mut Taken, on_each_side: bool) {
        let count = self.members.len();
        let place = self.place(self.centre);
        let itself = usize::from(self.members.get(place).is_some_and(|known| known.address == self.centre));
        let mut outer = [self.place(self.centre.plus(GroupAddress::fraction(1))); 2];
        for exponent in 2..=64 {
            if list.all.len() >= self.target || list.all.len() >= count {
                return;
            }
            let step = GroupAddress::fraction(exponent);
            let inner = [self.place(self.centre.plus(step)), self.place(self.centre.minus(step))];
            let up = self.arc(inner[0], outer[0], step);
            let down = self.arc(outer[1], inner[1], step);
            outer = inner;
            if on_each_side {
                self.one_of(list, exponent, up);
                self.one_of(list, exponent, down);
            } else {
                self.one_of(list, exponent, up.chain(down));
            }
            // Nobody is nearer, besides the centre itself.
            let wraps = self.centre.minus(step) > self.centre.plus(step);
            if inner[0] + usize::from(wraps) * count <= inner[1] + itself {
                return;
            }
        }
    }

    /// The members from index `from` to `to`, of which the first is at least `step` away from the centre, if there is one.
    fn arc(&self, from: usize, to: usize, step: GroupAddress) -> impl Iterator<Item = usize> + Clone {
        let count = self.members.len();
        let length = match (to + count - from) % count {
            // Nobody is in it, or everybody.
            0 if self.members[from % count].address.distance(self.centre) >= step => count,
            length => length,
        };
        (0..length).map(move |step| (from + step) % count)
    }

    /// One of these, unless there is one: who is connected, or whom the lot chooses.
    fn one_of(&self, list: &mut Taken, exponent: u8, arc: impl Iterator<Item = usize> + Clone) {
        let mut linked = arc.clone().filter(|&at| (self.linked)(&self.members[at]));
        if let Some(at) = linked.find(|&at| self.may_be_far(&self.members[at])) {
            return list.add(at);
        }
        let free: Vec<usize> = arc.filter(|&at| self.may_be_far(&self.members[at])).collect();
        if !free.is_empty() && !free.iter().any(|&at| list.is_in[at]) {
            list.add(free[(self.lot.rotate_left(u32::from(exponent) * 7) % free.len() as u64) as usize]);
        }
    }

    /// Others up to the target, connected ones first, then from the centre on.
    fn fill(&self, list: &mut Taken) {
        let (start, count) = (self.place(self.centre), self.members.len());
        for linked in [true, false] {
            for step in 0..count {
                if list.all.len() >= self.target {
                    return;
                }
                let at = (start + step) % count;
                if !list.is_in[at] && (self.linked)(&self.members[at]) == linked && self.may_be_far(&self.members[at]) {
                    list.add(at);
                }
            }
        }
    }
}

struct Taken {
    all: Vec<usize>,
    is_in: Vec<bool>,
}

impl Taken {
    fn add(&mut self, at: usize) {
        if !std::mem::replace(&mut self.is_in[at], true) {
            self.all.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PeerId;
    use proptest::prelude::*;

    fn members(count: u64) -> Vec<Known> {
        let mut all: Vec<Known> = (0..count)
            .map(|i| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&i.to_be_bytes());
                Known::new(PeerId(id))
            })
            .collect();
        all.sort_by_key(|known| known.address);
        all
    }

    fn best(members: &[Known], centre: GroupAddress, target: usize, linked: &[usize]) -> BestList {
        let linked: Vec<GroupAddress> = linked.iter().map(|at| members[*at].address).collect();
        let choice = Choice {
            members,
            centre,
            target,
            fast: &[],
            random: None,
            lot: 7,
            eligible: |_: &Known| true,
            willing: |_: &Known| true,
            linked: |known: &Known| linked.contains(&known.address),
        };
        choice.list()
    }

    #[test]
    fn everybody_is_in_it_while_there_are_few() {
        for count in 0..=13 {
            let members = members(count);
            let mut list = best(&members, GroupAddress([0x55; 32]), 13, &[]).all;
            list.sort_unstable();
            assert_eq!(list, (0..members.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn three_nearest_each_side_and_an_even_spread() {
        let members = members(1000);
        let centre = GroupAddress([0x55; 32]);
        let list = best(&members, centre, 22, &[]);
        let start = members.partition_point(|known| known.address < centre);
        let mut near = list.all[..list.near].to_vec();
        near.sort_unstable();
        assert_eq!(near, [start - 3, start - 2, start - 1, start, start + 1, start + 2]);
        assert_eq!(list.all.len(), 22);
        assert!(list.needed < 22);
        for exponent in 2..=7 {
            let (from, to) = (GroupAddress::fraction(exponent), GroupAddress::fraction(exponent - 1));
            let inside = list.all[..list.needed].iter().filter(|&&at| {
                let distance = members[at].address.distance(centre);
                distance >= from && distance < to
            });
            assert!(inside.count() > 0, "no long link of 1/2^{exponent}");
        }
    }

    #[test]
    fn who_is_connected_is_not_dropped_for_a_better_one() {
        let members = members(300);
        let centre = GroupAddress([0x10; 32]);
        let far = members.partition_point(|known| known.address < GroupAddress([0xc0; 32]));
        assert!(best(&members, centre, 21, &[far]).all.contains(&far));
    }

    proptest! {
        #[test]
        fn nobody_twice_and_never_the_centre(count in 1u64..60, target in 1usize..40, at: prop::sample::Index) {
            let members = members(count);
            let centre = members[at.index(members.len())].address;
            let list = best(&members, centre, target, &[0]);
            let mut once = list.all.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), list.all.len());
            prop_assert!(list.all.iter().all(|&at| members[at].address != centre));
            prop_assert!(list.all.len() <= target.max(6));
            prop_assert!(list.all.len() >= target.min(members.len() - 1));
        }
    }
}
