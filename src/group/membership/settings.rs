//! What goes into a membership, and what it tells.

use crate::base::PeerId;
use crate::group::spec::Groupspec;
use crate::group::view::ReceiveMode;

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
    /// The arc of addresses that we cover changed: see [`crate::group::View::coverage`].
    LocalCoverage,
}
