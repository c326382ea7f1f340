//! What a member sees of its group: its neighbours and the members that it heard of, by their place on the ring.

use std::collections::BTreeMap;
use std::time::Duration;

use super::address::GroupAddress;
use crate::base::PeerId;

/// For which addresses a member takes routed messages (flash-groups section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReceiveMode {
    /// Only for its own.
    Exact,
    /// For those that it is nearest to.
    #[default]
    Nearest,
}

/// A member with which the group handshake is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Who.
    pub peer: PeerId,
    /// Where on the ring.
    pub address: GroupAddress,
    /// Round-trip time, as last measured.
    pub rtt: Duration,
    /// What it takes.
    pub mode: ReceiveMode,
}

/// A member's sight of the group. [`super::Membership`] keeps it; services read it.
#[derive(Debug, Clone)]
pub struct View {
    me: PeerId,
    address: GroupAddress,
    mode: ReceiveMode,
    neighbours: BTreeMap<GroupAddress, Neighbour>,
    members: BTreeMap<GroupAddress, PeerId>,
}

impl View {
    /// Nobody but us.
    #[must_use]
    pub fn new(me: PeerId, mode: ReceiveMode) -> Self {
        let address = GroupAddress::of(me);
        Self { me, address, mode, neighbours: BTreeMap::new(), members: BTreeMap::new() }
    }

    /// Our peer ID.
    #[must_use]
    pub const fn me(&self) -> PeerId {
        self.me
    }

    /// Our place.
    #[must_use]
    pub const fn address(&self) -> GroupAddress {
        self.address
    }

    /// What we take.
    #[must_use]
    pub const fn mode(&self) -> ReceiveMode {
        self.mode
    }

    /// The neighbours, in increasing order of their places.
    pub fn neighbours(&self) -> impl DoubleEndedIterator<Item = &Neighbour> + ExactSizeIterator {
        self.neighbours.values()
    }

    /// Whether this peer is a neighbour, and how it is.
    #[must_use]
    pub fn neighbour(&self, peer: PeerId) -> Option<&Neighbour> {
        self.neighbours.get(&GroupAddress::of(peer))
    }

    /// All members that we know of, neighbours included, without ourselves, in increasing order of their places.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = (GroupAddress, PeerId)> + ExactSizeIterator + '_ {
        self.members.iter().map(|(&address, &peer)| (address, peer))
    }

    /// The next neighbour in increasing direction; around the ring, the only neighbour is next on both sides.
    #[must_use]
    pub fn next_increasing(&self) -> Option<&Neighbour> {
        self.neighbours.range(self.address..).chain(&self.neighbours).map(|(_, neighbour)| neighbour).next()
    }

    /// The next neighbour in decreasing direction.
    #[must_use]
    pub fn next_decreasing(&self) -> Option<&Neighbour> {
        let below = self.neighbours.range(..self.address).rev();
        below.chain(self.neighbours.iter().rev()).map(|(_, neighbour)| neighbour).next()
    }

    /// The arc of addresses, in increasing direction, to which we are nearest as far as we see: from halfway to the
    /// previous known member to halfway to the next one. `None` while we know nobody.
    #[must_use]
    pub fn coverage(&self) -> Option<(GroupAddress, GroupAddress)> {
        let next = self.members.range(self.address..).chain(&self.members).next()?.0;
        let previous = self.members.range(..self.address).rev().chain(self.members.iter().rev()).next()?.0;
        Some((previous.midpoint(self.address), self.address.midpoint(*next)))
    }

    /// The `count` members nearest to `target` among those that we know of and ourselves, the nearest first.
    #[must_use]
    pub fn nearest(&self, target: GroupAddress, count: usize) -> Vec<PeerId> {
        let above = self.members.range(target..).chain(self.members.range(..target)).take(count);
        let below = self.members.range(..target).rev().chain(self.members.range(target..).rev()).take(count);
        let mut near: Vec<(GroupAddress, PeerId)> =
            above.chain(below).map(|(&address, &peer)| (address.distance(target), peer)).collect();
        near.push((self.address.distance(target), self.me));
        near.sort_unstable();
        near.dedup();
        near.truncate(count);
        near.into_iter().map(|(_, peer)| peer).collect()
    }

    /// Says what we take from now on.
    pub(super) fn set_mode(&mut self, mode: ReceiveMode) {
        self.mode = mode;
    }

    /// Adds or renews a neighbour, who is a member too.
    pub fn insert_neighbour(&mut self, neighbour: Neighbour) {
        self.insert_member(neighbour.peer);
        self.neighbours.insert(neighbour.address, neighbour);
    }

    /// A neighbour is none any more; it stays a member until [`View::remove_member`].
    pub fn remove_neighbour(&mut self, peer: PeerId) {
        self.neighbours.remove(&GroupAddress::of(peer));
    }

    /// Adds a member that was heard of. Whether it is new.
    pub fn insert_member(&mut self, peer: PeerId) -> bool {
        peer != self.me && self.members.insert(GroupAddress::of(peer), peer).is_none()
    }

    /// Forgets a member.
    pub fn remove_member(&mut self, peer: PeerId) {
        self.members.remove(&GroupAddress::of(peer));
        self.remove_neighbour(peer);
    }
}
