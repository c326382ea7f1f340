//! Groups at the rendezvous (flash-groups sections 2.5 and 2.6): who has joined which, and who is told of whom.
//!
//! A client opens one flow per group, in return to the server's control flow, and joins by its only message; it leaves by
//! closing the flow. On a flow in return to that one the server names members, one in each message. A newcomer gets its
//! neighbours on the ring, three on each side, and they get the newcomer, so that whoever is less blocked gets through.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::base::PeerId;
use crate::group::{GroupAddress, GroupId};
use crate::wire::{OptionIter, WireOption, put_option};

/// Metadata of the flows about a group.
pub const GROUP_METADATA: &[u8] = b"GC";
/// Neighbours on each side that a newcomer is told of.
const EACH_SIDE: usize = 3;
/// Message types.
const JOIN: u8 = 0x01;
const MEMBER: u8 = 0x0b;
/// Options of a join: the group's ID, or bytes whose SHA-256 it is.
const ID: u64 = 0x15;
const HASHED: u64 = 0x10;

/// The message that joins a group.
#[must_use]
pub fn encode_join(group: GroupId) -> Vec<u8> {
    let mut message = vec![JOIN];
    put_option(&mut message, ID, &group.0);
    message
}

/// Which group a message joins.
#[must_use]
pub fn decode_join(message: &[u8]) -> Option<GroupId> {
    let options = message.strip_prefix(&[JOIN])?;
    match OptionIter(options).next()?.ok()? {
        WireOption::Option { kind: ID, value } => value.try_into().ok().map(GroupId),
        WireOption::Option { kind: HASHED, value } => Some(GroupId(Sha256::digest(value).into())),
        _ => None,
    }
}

/// The message that names a member.
#[must_use]
pub fn encode_member(peer: PeerId) -> Vec<u8> {
    [&[MEMBER][..], &peer.0].concat()
}

/// Which member a message names.
#[must_use]
pub fn decode_member(message: &[u8]) -> Option<PeerId> {
    message.strip_prefix(&[MEMBER])?.try_into().ok().map(PeerId)
}

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
    use proptest::prelude::*;

    fn member(byte: u8) -> Joined {
        Joined { peer: PeerId([byte; 32]), session: u64::from(byte), flow: 3 }
    }

    #[test]
    fn the_join_recorded_from_flash() {
        let id: PeerId = "bc4a4494cef529d7e8b8e9cc3d9c8e1da0766aacfd7bcf9a6c5684ea4d3e75fb".parse().unwrap();
        let message = encode_join(GroupId(id.0));
        assert_eq!(message[..3], [1, 0x21, 0x15]);
        assert_eq!(decode_join(&message), Some(GroupId(id.0)));
        // The older form, which the server hashes once: SHA-256 of "abc".
        let hashed: PeerId = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap();
        assert_eq!(decode_join(b"\x01\x04\x10abc"), Some(GroupId(hashed.0)));
        for bad in [&b"\x01"[..], b"\x02\x04\x10abc", b"\x01\x04\x15abc", b"\x01\x04\x11abc", b"\x01\x00", b""] {
            assert_eq!(decode_join(bad), None, "{bad:?}");
        }
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

    proptest! {
        #[test]
        fn members_survive_the_wire_and_noise_is_none(id in any::<[u8; 32]>(), noise in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode_member(&encode_member(PeerId(id))), Some(PeerId(id)));
            prop_assert_eq!(decode_join(&encode_join(GroupId(id))), Some(GroupId(id)));
            if let Some(peer) = decode_member(&noise) {
                prop_assert_eq!(encode_member(peer), noise.clone());
            }
            let _ = decode_join(&noise);
        }
    }
}
