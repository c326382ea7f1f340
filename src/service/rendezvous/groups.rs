//! Groups at the rendezvous (flash-groups sections 2.5 and 2.6): who has joined which, and who is told of whom.
//!
//! A client opens one flow per group, in return to the server's control flow, and joins by its only message; it leaves by
//! closing the flow. On a flow in return to that one the server names members, one in each message. A newcomer gets its
//! neighbours on the ring, three on each side, and they get the newcomer, so that whoever is less blocked gets through.

use std::collections::BTreeMap;

use crate::base::PeerId;
use crate::group::{GroupAddress, GroupId};

/// Neighbours on each side that a newcomer is told of.
const EACH_SIDE: usize = 3;

/// A member, as the server knows it: who, and on which flow it joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) peer: PeerId,
    pub(super) session: u64,
    pub(super) flow: u64,
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<GroupId, BTreeMap<GroupAddress, Joined>>,
    memberships: usize,
}

impl Groups {
    /// How many groups have members here.
    pub(super) fn count(&self) -> usize {
        self.groups.len()
    }

    /// How many members they have in all.
    pub(super) const fn memberships(&self) -> usize {
        self.memberships
    }

    /// A client joins; who its neighbours on the ring are. It takes the place of an older session of the same peer.
    pub(super) fn join(&mut self, group: GroupId, newcomer: Joined) -> Vec<Joined> {
        let ring = self.groups.entry(group).or_default();
        let address = GroupAddress::of(newcomer.peer);
        self.memberships += usize::from(ring.insert(address, newcomer).is_none());
        let after = ring.range(address..).chain(ring.range(..address)).skip(1).take(EACH_SIDE);
        let before = ring.range(..address).rev().chain(ring.range(address..).rev()).take(EACH_SIDE);
        let mut near: Vec<Joined> = Vec::new();
        for (_, member) in after.chain(before) {
            if member.peer != newcomer.peer && !near.contains(member) {
                near.push(*member);
            }
        }
        near
    }

    /// A client leaves, if it has not begun anew meanwhile.
    pub(super) fn leave(&mut self, group: GroupId, peer: PeerId, session: u64) {
        let Some(ring) = self.groups.get_mut(&group) else { return };
        let address = GroupAddress::of(peer);
        if ring.get(&address).is_some_and(|member| member.session == session) {
            ring.remove(&address);
            self.memberships -= 1;
        }
        if ring.is_empty() {
            self.groups.remove(&group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(byte: u8) -> Joined {
        Joined { peer: PeerId([byte; 32]), session: u64::from(byte), flow: 3 }
    }

    #[test]
    fn a_newcomer_meets_three_on_each_side_and_nobody_twice() {
        let (mut groups, group) = (Groups::default(), GroupId([1; 32]));
        let mut here: Vec<Joined> = Vec::new();
        for byte in 0..40 {
            let mut expected: Vec<(GroupAddress, Joined)> =
                here.iter().map(|member| (GroupAddress::of(member.peer), *member)).collect();
            let address = GroupAddress::of(member(byte).peer);
            expected.sort_by_key(|(other, _)| other.clockwise_from(address));
            let near = groups.join(group, member(byte));
            let sides = expected.iter().take(3).chain(expected.iter().rev().take(3));
            assert_eq!(near.len(), here.len().min(6));
            assert!(sides.clone().all(|(_, member)| near.contains(member)));
            here.push(member(byte));
        }
        assert_eq!((groups.count(), groups.memberships()), (1, 40));
        // The same peer in a newer session; the end of the older one changes nothing.
        groups.join(group, Joined { session: 99, ..member(5) });
        groups.leave(group, member(5).peer, member(5).session);
        assert_eq!(groups.memberships(), 40);
        groups.leave(group, member(5).peer, 99);
        (0..40).for_each(|byte| groups.leave(group, member(byte).peer, u64::from(byte)));
        assert_eq!((groups.count(), groups.memberships()), (0, 0));
    }
}
