//! One membership.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::address::GroupAddress;
use super::contract::{Hint, Link, Output, Unreachable};
use super::spec::Groupspec;
use super::view::{ReceiveMode, View};
use crate::base::{Instant, PeerId, Rng};
use crate::wire::Address;

/// How a membership begins.
#[derive(Debug, Clone)]
pub struct MembershipConfig {
    /// The group.
    pub spec: Groupspec,
    /// Our peer ID.
    pub me: PeerId,
    /// For what we take routed messages.
    pub mode: ReceiveMode,
}

/// What happens in a membership (NetGroup's events, flash-groups section 7.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipEvent {
    /// A member became a neighbour: handshake complete, both ways.
    NeighborConnect {
        /// Who.
        peer: PeerId,
    },
    /// A neighbour is none any more.
    NeighborDisconnect {
        /// Who.
        peer: PeerId,
    },
    /// The arc of addresses that we cover changed: see [`View::coverage`].
    LocalCoverage,
}

/// A membership in one group: finds members, keeps neighbours, gossips about both. Time and messages go in, [`Output`]s
/// come out.
#[derive(Debug)]
pub struct Membership {
    spec: Groupspec,
    view: View,
    outputs: VecDeque<Output<MembershipEvent>>,
}

impl Membership {
    /// A membership that knows nobody yet.
    #[must_use]
    pub fn new(_now: Instant, _rng: Rng, config: MembershipConfig) -> Self {
        let view = View::new(config.me, config.mode);
        Self { spec: config.spec, view, outputs: VecDeque::new() }
    }

    /// The group.
    #[must_use]
    pub const fn spec(&self) -> &Groupspec {
        &self.spec
    }

    /// What we see of it.
    #[must_use]
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// How many members there are, estimated from how densely the ring is filled near us (section 4.2); ourselves
    /// included.
    #[must_use]
    pub fn estimated_members(&self) -> f64 {
        1.0
    }

    /// How many neighbours the topology wants now: floor(log2 N) + 13 (section 4.3).
    #[must_use]
    pub fn target_neighbours(&self) -> usize {
        13
    }

    /// Addresses under which others may reach us: our rendezvous (origin 3), observed (2), our own (1).
    pub fn set_addresses(&mut self, _now: Instant, _addresses: Vec<Address>) {}

    /// Sets what we take, and tells the neighbours.
    pub fn set_mode(&mut self, _now: Instant, mode: ReceiveMode) {
        self.view.set_mode(mode);
    }

    /// Somebody may be a member.
    pub fn hint(&mut self, _now: Instant, _peer: PeerId, _addresses: &[Address], _hint: Hint) {}

    /// A session with a peer is open: one that we asked for, or one on which the peer has opened a control flow of this
    /// group.
    pub fn peer_up(&mut self, _now: Instant, _peer: PeerId, _link: Link) {}

    /// The session is over, or the peer's control flow is.
    pub fn peer_down(&mut self, _now: Instant, _peer: PeerId) {}

    /// A peer that we asked to be connected to was not reached.
    pub fn unreachable(&mut self, _now: Instant, _peer: PeerId, _why: Unreachable) {}

    /// A message came on the control lane.
    pub fn message(&mut self, _now: Instant, _peer: PeerId, _message: &[u8]) {}

    /// A round-trip time was measured.
    pub fn rtt(&mut self, _peer: PeerId, _rtt: Duration) {}

    /// A peer misbehaved towards a service: it is left, and not taken again for a while.
    pub fn ban(&mut self, _now: Instant, _peer: PeerId) {}

    /// Members to remember for next time, those heard of last first: who, and where they were.
    #[must_use]
    pub fn remembered(&self) -> Vec<(PeerId, Vec<Address>)> {
        Vec::new()
    }

    /// Leaves: closes what there is to close.
    pub fn leave(&mut self, _now: Instant) {}

    /// Time passed.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When to call [`Membership::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<MembershipEvent>> {
        self.outputs.pop_front()
    }
}

/// Whether `message` is the first of a control flow (INIT), and of which group: its ID, for whoever has to find the
/// membership that it is for.
#[must_use]
pub fn init_group(_message: &Bytes) -> Option<super::GroupId> {
    let _ = GroupAddress::of_key(&[]);
    None
}
