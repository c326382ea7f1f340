//! Who is, or was, in a scenario.

use std::collections::BTreeMap;

use super::super::swarm::{MemberId, Nat};
use crate::base::{PeerId, Rng};
use crate::group::GroupAddress;

/// Somebody who joined.
pub(super) struct Person {
    pub(super) author: PeerId,
    pub(super) place: GroupAddress,
    pub(super) hostile: bool,
    pub(super) nat: Nat,
    /// On which side of the cut, if there is one.
    pub(super) side: u32,
    /// Where it stands among the living.
    living: Option<usize>,
}

/// All of them, by their number.
#[derive(Default)]
pub(super) struct People {
    all: Vec<Person>,
    living: Vec<MemberId>,
    ring: BTreeMap<GroupAddress, MemberId>,
}

impl People {
    pub(super) fn join(&mut self, id: MemberId, peer: PeerId, author: PeerId, hostile: bool, nat: Nat) {
        assert_eq!(id.0 as usize, self.all.len(), "engines number members as they come");
        let place = GroupAddress::of(peer);
        let living = Some(self.living.len());
        self.all.push(Person { author, place, hostile, nat, side: 0, living });
        self.living.push(id);
        self.ring.insert(place, id);
    }

    pub(super) fn leave(&mut self, id: MemberId) {
        let person = &mut self.all[id.0 as usize];
        let Some(at) = person.living.take() else { return };
        self.ring.remove(&person.place);
        self.living.swap_remove(at);
        if let Some(&moved) = self.living.get(at) {
            self.all[moved.0 as usize].living = Some(at);
        }
    }

    pub(super) fn get(&self, id: MemberId) -> &Person {
        &self.all[id.0 as usize]
    }

    pub(super) fn set_side(&mut self, id: MemberId, side: u32) {
        self.all[id.0 as usize].side = side;
    }

    /// How many ever joined.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_there(&self, id: MemberId) -> bool {
        self.get(id).living.is_some()
    }

    /// Those who are there, in no order that means anything.
    pub(super) fn living(&self) -> &[MemberId] {
        &self.living
    }

    /// Those who are there and honest.
    pub(super) fn honest(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.living.iter().copied().filter(|&id| !self.get(id).hostile)
    }

    /// Those who are there, around the ring.
    pub(super) fn ring(&self) -> impl DoubleEndedIterator<Item = (GroupAddress, MemberId)> + '_ {
        self.ring.iter().map(|(&place, &id)| (place, id))
    }

    /// Whoever has this peer ID and is there.
    pub(super) fn find(&self, peer: PeerId) -> Option<MemberId> {
        self.ring.get(&GroupAddress::of(peer)).copied()
    }

    /// The member nearest to an address.
    pub(super) fn nearest(&self, target: GroupAddress) -> Option<MemberId> {
        let above = self.ring.range(target..).chain(&self.ring).next();
        let below = self.ring.range(..target).rev().chain(self.ring.iter().rev()).next();
        let near = above.into_iter().chain(below);
        near.min_by_key(|(place, _)| place.distance(target)).map(|(_, &id)| id)
    }

    /// An honest one who is there, by chance.
    pub(super) fn somebody(&self, rng: &mut Rng) -> Option<MemberId> {
        let draw = |_| self.living.get(rng.below(self.living.len() as u64) as usize).copied();
        (0..100).filter_map(draw).find(|&id| !self.get(id).hostile)
    }
    /// Up to so many who are there, honest, on this side and at a public address, by chance.
    pub(super) fn guides(&self, rng: &mut Rng, side: u32, count: usize) -> Vec<MemberId> {
        let fits = |person: &Person| !person.hostile && person.side == side && person.nat == Nat::None;
        let mut guides: Vec<MemberId> = self.living.iter().copied().filter(|&id| fits(self.get(id))).collect();
        let count = count.min(guides.len());
        for at in 0..count {
            let other = at + rng.below((guides.len() - at) as u64) as usize;
            guides.swap(at, other);
        }
        guides.truncate(count);
        guides
    }
}
