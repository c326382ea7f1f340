//! What a member sees of its group: its neighbours and the members that it heard of, by their place on the ring.

use std::time::Duration;

use super::address::GroupAddress;
use super::known::Known;
use crate::base::PeerId;

/// Members up to which nobody estimates how many there are: everybody is everybody's neighbour.
const FULL_MESH: usize = 10;
/// Neighbours that the topology wants besides the long links (section 4.3): six nearest, six fastest, one at random.
const SHORT_LINKS: usize = 13;

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
///
/// Both lists are sorted and packed: there are at most some hundreds of entries, and there may be 100,000 views in one
/// simulation.
#[derive(Debug, Clone)]
pub struct View {
    me: PeerId,
    address: GroupAddress,
    mode: ReceiveMode,
    neighbours: Vec<Neighbour>,
    members: Vec<Known>,
}

impl View {
    /// Nobody but us.
    #[must_use]
    pub fn new(me: PeerId, mode: ReceiveMode) -> Self {
        let address = GroupAddress::of(me);
        Self { me, address, mode, neighbours: Vec::new(), members: Vec::new() }
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
        self.neighbours.iter()
    }

    /// Whether this peer is a neighbour, and how it is.
    #[must_use]
    pub fn neighbour(&self, peer: PeerId) -> Option<&Neighbour> {
        self.neighbour_at(GroupAddress::of(peer))
    }

    /// All members that we know of, neighbours included, without ourselves, in increasing order of their places.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = (GroupAddress, PeerId)> + ExactSizeIterator + '_ {
        self.members.iter().map(|known| (known.address, known.peer))
    }

    /// The next neighbour in increasing direction; around the ring, the only neighbour is next on both sides.
    #[must_use]
    pub fn next_increasing(&self) -> Option<&Neighbour> {
        let at = self.neighbours.partition_point(|neighbour| neighbour.address < self.address);
        self.neighbours.get(at).or(self.neighbours.first())
    }

    /// The next neighbour in decreasing direction.
    #[must_use]
    pub fn next_decreasing(&self) -> Option<&Neighbour> {
        let at = self.neighbours.partition_point(|neighbour| neighbour.address < self.address);
        self.neighbours[..at].last().or(self.neighbours.last())
    }

    /// The arc of addresses, in increasing direction, to which we are nearest as far as we see: from halfway to the
    /// previous known member to halfway to the next one. `None` while we know nobody.
    #[must_use]
    pub fn coverage(&self) -> Option<(GroupAddress, GroupAddress)> {
        let at = self.place(self.address);
        let next = self.members.get(at).or(self.members.first())?.address;
        let previous = self.members[..at].last().or(self.members.last())?.address;
        Some((previous.midpoint(self.address), self.address.midpoint(next)))
    }

    /// The `count` members nearest to `target` among those that we know of and ourselves, the nearest first.
    #[must_use]
    pub fn nearest(&self, target: GroupAddress, count: usize) -> Vec<PeerId> {
        let (below, above) = self.members.split_at(self.place(target));
        let up = above.iter().chain(below).take(count);
        let down = below.iter().rev().chain(above.iter().rev()).take(count);
        let mut near: Vec<(GroupAddress, PeerId)> =
            up.chain(down).map(|known| (known.address.distance(target), known.peer)).collect();
        near.push((self.address.distance(target), self.me));
        near.sort_unstable();
        near.dedup();
        near.truncate(count);
        near.into_iter().map(|(_, peer)| peer).collect()
    }

    /// How many members there are by the known rule (section 4.2): of fewer than four known ones, the number of known
    /// ones; otherwise from the density between our second predecessor and our second successor. The rule counts
    /// ourselves in the second case only.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        let count = self.members.len();
        if count < 4 {
            return count as f64;
        }
        let at = self.place(self.address);
        let (from, to) = (self.members[(at + count - 2) % count].address, self.members[(at + 1) % count].address);
        estimate_between(from, to).unwrap_or(count as f64)
    }

    /// How many members there are, ourselves included: counted while few are known, then estimated.
    #[must_use]
    pub fn members_estimated(&self) -> f64 {
        let counted = 1.0 + self.members.len() as f64;
        if self.members.len() <= FULL_MESH { counted } else { self.estimate() }
    }

    /// How many neighbours the topology wants: [`target_for`] the estimate of the known rule.
    #[must_use]
    pub fn target_neighbours(&self) -> usize {
        target_for(self.estimate())
    }

    /// Says what we take from now on.
    pub(super) fn set_mode(&mut self, mode: ReceiveMode) {
        self.mode = mode;
    }

    /// Adds or renews a neighbour, who is a member too.
    pub fn insert_neighbour(&mut self, neighbour: Neighbour) {
        self.insert_member(neighbour.peer);
        if let Some(known) = self.known_at_mut(neighbour.address) {
            known.linked = true;
        }
        match self.neighbours.binary_search_by_key(&neighbour.address, |other| other.address) {
            Ok(at) => self.neighbours[at] = neighbour,
            Err(at) => self.neighbours.insert(at, neighbour),
        }
    }

    /// A neighbour is none any more; it stays a member until [`View::remove_member`].
    pub fn remove_neighbour(&mut self, peer: PeerId) {
        let address = GroupAddress::of(peer);
        if let Ok(at) = self.neighbours.binary_search_by_key(&address, |neighbour| neighbour.address) {
            self.neighbours.remove(at);
        }
        if let Some(known) = self.known_at_mut(address) {
            known.linked = false;
        }
    }

    /// Adds a member that was heard of. Whether it is new.
    pub fn insert_member(&mut self, peer: PeerId) -> bool {
        self.insert_known(Known::new(peer))
    }

    /// Forgets a member.
    pub fn remove_member(&mut self, peer: PeerId) {
        self.remove_known(GroupAddress::of(peer));
        self.remove_neighbour(peer);
    }

    /// The neighbour at this place.
    pub(super) fn neighbour_at(&self, address: GroupAddress) -> Option<&Neighbour> {
        let at = self.neighbours.binary_search_by_key(&address, |neighbour| neighbour.address).ok()?;
        Some(&self.neighbours[at])
    }

    /// The neighbour at this place, to change its figures.
    pub(super) fn neighbour_at_mut(&mut self, address: GroupAddress) -> Option<&mut Neighbour> {
        let at = self.neighbours.binary_search_by_key(&address, |neighbour| neighbour.address).ok()?;
        Some(&mut self.neighbours[at])
    }

    /// The members, in increasing order of their places.
    pub(super) fn known(&self) -> &[Known] {
        &self.members
    }

    /// How many members it has room for.
    #[cfg(test)]
    pub(super) fn known_capacity(&self) -> usize {
        self.members.capacity()
    }

    /// The index of the first member at or after a place; their number if there is none.
    pub(super) fn place(&self, address: GroupAddress) -> usize {
        self.members.partition_point(|known| known.address < address)
    }

    /// The member at this place.
    pub(super) fn known_at(&self, address: GroupAddress) -> Option<&Known> {
        self.members.get(self.place(address)).filter(|known| known.address == address)
    }

    /// The member at this place, to change what is known of it.
    pub(super) fn known_at_mut(&mut self, address: GroupAddress) -> Option<&mut Known> {
        let at = self.place(address);
        self.members.get_mut(at).filter(|known| known.address == address)
    }

    /// Adds a member unless it is there. Whether it is new.
    pub(super) fn insert_known(&mut self, known: Known) -> bool {
        let at = self.place(known.address);
        if known.peer == self.me || self.members.get(at).is_some_and(|other| other.address == known.address) {
            return false;
        }
        if self.members.len() == self.members.capacity() {
            // Not twice the room: an eighth more.
            self.members.reserve_exact(4 + self.members.len() / 8);
        }
        self.members.insert(at, known);
        true
    }

    /// Takes a member out of the list.
    pub(super) fn remove_known(&mut self, address: GroupAddress) -> Option<Known> {
        let at = self.place(address);
        (self.members.get(at)?.address == address).then(|| self.members.remove(at))
    }
}

/// How many members there are if four gaps lie between these two places (section 4.2), ourselves included; `None` if they
/// are the same, where the rule is undefined.
#[must_use]
pub fn estimate_between(second_predecessor: GroupAddress, second_successor: GroupAddress) -> Option<f64> {
    let gaps = second_successor.top64().wrapping_sub(second_predecessor.top64());
    (gaps != 0).then(|| 2f64.powi(66) / gaps as f64 + 1.0)
}

/// How many neighbours the topology wants among so many members: floor(log2 N) + 13 (section 4.3).
#[must_use]
pub fn target_for(members: f64) -> usize {
    SHORT_LINKS + members.max(1.0).log2() as usize
}
