//! The words between a membership, the services on it, and whoever carries their messages: peers and messages, never
//! sessions.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, PeerId};
use crate::wire::Address;

/// What a message to a neighbour belongs to. Each lane is a flow of its own, so that none waits for another; `node` knows
/// their signatures and priorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// The known group protocol: handshake, reports (flash-groups section 3).
    Control,
    /// Posts, ours.
    Posts,
    /// Directed routing, ours.
    Routes,
    /// Distributed storage, ours.
    Records,
    /// Replicated objects themselves, ours.
    Objects,
    /// Who has, wants and asks for which objects, ours: short, and never behind an object.
    Asks,
    /// Titles and manifests of streams, ours.
    Manifests,
    /// What is told of one stream, in the known messages (flash-groups section 5). The number is the first eight bytes of the
    /// stream's key.
    Stream(u64),
    /// A stream's fragments, in the known messages; each is worth something for itself, and for a while.
    Fragments(u64),
}

impl Lane {
    /// How many kinds of lanes there are.
    pub const KINDS: usize = 9;
    /// A lane of each kind.
    pub const ALL: [Self; Self::KINDS] = [
        Self::Control,
        Self::Posts,
        Self::Routes,
        Self::Records,
        Self::Objects,
        Self::Asks,
        Self::Manifests,
        Self::Stream(0),
        Self::Fragments(0),
    ];

    /// The place of its kind in [`Lane::ALL`].
    #[must_use]
    pub const fn kind(self) -> usize {
        match self {
            Self::Control => 0,
            Self::Posts => 1,
            Self::Routes => 2,
            Self::Records => 3,
            Self::Objects => 4,
            Self::Asks => 5,
            Self::Manifests => 6,
            Self::Stream(_) => 7,
            Self::Fragments(_) => 8,
        }
    }

    /// Bytes that may be sent on the lane before anything was said of its room, and that are sent ahead at most later on.
    #[must_use]
    pub const fn room(self) -> usize {
        match self {
            Self::Objects | Self::Fragments(_) => OBJECTS_ROOM,
            _ => FIRST_ROOM,
        }
    }
}

/// Bytes that may be sent on a lane before anything was said of its room.
pub const FIRST_ROOM: usize = 256 << 10;
/// The same of [`Lane::Objects`], whose messages are up to a mebibyte long, and of [`Lane::Fragments`], of which a second's worth
/// may be on its way.
pub const OBJECTS_ROOM: usize = 4 << 20;

/// A message for a neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The neighbour.
    pub peer: PeerId,
    /// The lane.
    pub lane: Lane,
    /// The message.
    pub data: Bytes,
    /// Not to be begun after this.
    pub start_by: Option<Instant>,
    /// Worthless after this.
    pub finish_by: Option<Instant>,
    /// The sender's name for it, if it wants to be told its fate. Unique among the messages of the lane.
    pub id: Option<u64>,
}

impl Outgoing {
    /// A message that keeps trying.
    #[must_use]
    pub const fn new(peer: PeerId, lane: Lane, data: Bytes) -> Self {
        Self { peer, lane, data, start_by: None, finish_by: None, id: None }
    }
}

/// What a membership or service wants, or tells. Drained with `poll`.
#[derive(Debug, Clone, PartialEq)]
pub enum Output<E> {
    /// Open a session with this peer; `peer_up` or `unreachable` answers.
    Connect {
        /// Whom.
        peer: PeerId,
        /// Where it may be: hearsay.
        addresses: Vec<Address>,
        /// Who may introduce us besides the group's rendezvous: neighbours that know it.
        introducers: Vec<PeerId>,
    },
    /// End the group's use of the session with this peer, or stop trying to reach it.
    Disconnect {
        /// Whom.
        peer: PeerId,
    },
    /// Send a message.
    Send(Outgoing),
    /// Give up a message that was given an `id`.
    Cancel {
        /// The neighbour.
        peer: PeerId,
        /// The lane.
        lane: Lane,
        /// Its `id`.
        id: u64,
    },
    /// Nothing more is sent on this lane: its flow may end. A message that is sent on it later opens it anew.
    Finish {
        /// The neighbour.
        peer: PeerId,
        /// The lane.
        lane: Lane,
    },
    /// Say something to all members that hear the group's IP multicast address, if it has one: nobody confirms it.
    Cast(Bytes),
    /// Something happened.
    Event(E),
}

impl<E> Output<E> {
    /// The same with another kind of event.
    pub fn map<F>(self, event: impl FnOnce(E) -> F) -> Output<F> {
        match self {
            Self::Connect { peer, addresses, introducers } => Output::Connect { peer, addresses, introducers },
            Self::Disconnect { peer } => Output::Disconnect { peer },
            Self::Send(outgoing) => Output::Send(outgoing),
            Self::Cancel { peer, lane, id } => Output::Cancel { peer, lane, id },
            Self::Finish { peer, lane } => Output::Finish { peer, lane },
            Self::Cast(message) => Output::Cast(message),
            Self::Event(told) => Output::Event(event(told)),
        }
    }
}

/// An open session with a peer, as far as groups care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Where the peer is, as seen here.
    pub remote: SocketAddr,
    /// Our session nonce (RFC 7425 section 4.6.5), by which the peer's token is checked.
    pub near_nonce: [u8; 32],
    /// The peer's, by which ours is made.
    pub far_nonce: [u8; 32],
    /// Whether we opened the session.
    pub initiator: bool,
    /// Round-trip time, once measured.
    pub rtt: Option<Duration>,
}

/// Why a peer was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// Nobody knows it, or it does not answer anybody: it may be gone.
    Gone,
    /// Others reach it, but no packet gets through between us: two symmetric NATs, say.
    Blocked,
}

/// Where a hint of a member comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// The rendezvous, which wants us to connect to it (flash-groups section 2.6), or the user's `add_neighbor`.
    Neighbor,
    /// A beacon on the LAN, a bootstrap peer, or the user's `add_member_hint`: connect only if the topology needs it.
    Member,
    /// Remembered from an earlier time; it may be gone.
    Remembered,
}
