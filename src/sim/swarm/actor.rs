//! What lives in a swarm.

use bytes::Bytes;

use crate::base::{Instant, PeerId};
use crate::group::{Hint, Lane, Link, Output, Unreachable};
use crate::node::{Member, MemberEvent};
use crate::wire::Address;

/// What a swarm runs: a member, or somebody who pretends to be one.
pub trait Actor {
    /// What it wants or tells; asked until there is nothing.
    fn poll(&mut self, now: Instant) -> Option<Output<MemberEvent>>;
    /// When it wants to be told the time.
    fn deadline(&self) -> Option<Instant>;
    /// Told the time.
    fn handle_timeout(&mut self, now: Instant);
    /// Somebody may be a member.
    fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint);
    /// A connection is there.
    fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link);
    /// A connection is gone.
    fn peer_down(&mut self, now: Instant, peer: PeerId);
    /// A peer that it wanted is not reached.
    fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable);
    /// A message came.
    fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &Bytes);
    /// So many bytes may be sent to a neighbour on this lane now.
    fn writable(&mut self, now: Instant, peer: PeerId, lane: Lane, room: usize);
    /// It learnt its own addresses.
    fn set_addresses(&mut self, now: Instant, addresses: Vec<Address>);
}

impl Actor for Member {
    fn poll(&mut self, now: Instant) -> Option<Output<MemberEvent>> {
        Self::poll(self, now)
    }

    fn deadline(&self) -> Option<Instant> {
        Self::deadline(self)
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint) {
        Self::hint(self, now, peer, addresses, hint);
    }

    fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link) {
        Self::peer_up(self, now, peer, link);
    }

    fn peer_down(&mut self, now: Instant, peer: PeerId) {
        Self::peer_down(self, now, peer);
    }

    fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable) {
        Self::unreachable(self, now, peer, why);
    }

    fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &Bytes) {
        Self::message(self, now, peer, lane, message);
    }

    fn writable(&mut self, now: Instant, peer: PeerId, lane: Lane, room: usize) {
        Self::writable(self, now, peer, lane, room);
    }

    fn set_addresses(&mut self, now: Instant, addresses: Vec<Address>) {
        self.membership_mut().set_addresses(now, addresses);
    }
}
