//! What routing takes and tells.

use std::time::Duration;

use bytes::Bytes;

use crate::base::{PeerId, WallClock};
use crate::crypto::Identity;
use crate::group::{GroupAddress, GroupId};

/// The longest body of a routed message, in bytes.
pub const MAX_BODY: usize = 64 << 10;

/// A routed message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u64);

/// How routing begins.
#[derive(Debug, Clone)]
pub struct RoutingConfig {
    /// The group.
    pub group: GroupId,
    /// Who signs our messages.
    pub author: Identity,
    /// The time of day.
    pub clock: WallClock,
    /// How long to wait for an acknowledgement that was asked for.
    pub ack_timeout: Duration,
}

/// NetGroupSendMode: which neighbour on the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendMode {
    /// The next one in increasing direction.
    NextIncreasing,
    /// The next one in decreasing direction.
    NextDecreasing,
}

/// NetGroupSendResult.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendResult {
    /// It is on its way, or for ourselves.
    Sent,
    /// There is no neighbour to give it to.
    NoRoute,
    /// It is too long, or no lane has room.
    Error,
}

/// A routed message that arrived here (NetGroup.SendTo.Notify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// Who wrote it, proven by its signature; `None` on one-hop messages, whose sender is `from`.
    pub author: Option<PeerId>,
    /// The neighbour that it came from; ourselves if we sent it.
    pub from: GroupAddress,
    /// Whether it came from this node itself or ends here: `fromLocal` of NetGroup.
    pub from_local: bool,
    /// The address it is for, if it was routed to one.
    pub target: Option<GroupAddress>,
    /// The body.
    pub body: Bytes,
    /// Links that it passed.
    pub hops: u32,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutingEvent {
    /// A message for us.
    Notify(Routed),
    /// A message of ours arrived: its receiver says so, signed.
    Delivered {
        /// Which.
        id: RouteId,
        /// The receiver.
        by: PeerId,
        /// Links that it passed.
        hops: u32,
    },
    /// No acknowledgement came in time, or there is no route.
    Undelivered {
        /// Which.
        id: RouteId,
        /// Whether a member on the way said that it knows no way.
        no_route: bool,
    },
    /// A neighbour breaks the rules: leave it.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// What it did.
        reason: &'static str,
    },
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoutingStats {
    /// Bytes sent and received.
    pub bytes: (u64, u64),
    /// Messages passed on.
    pub forwarded: u64,
    /// Messages that arrived here.
    pub delivered: u64,
    /// Dropped for a bad form or signature.
    pub malformed: u64,
    /// Dropped because they had been here, or went too far.
    pub looped: u64,
    /// Dropped because they are too old or from the future.
    pub stale: u64,
    /// Dropped because a neighbour sent too many, or has no room.
    pub limited: u64,
}
