//! What an endpoint is asked and what it tells.

use std::time::Duration;

use crate::base::{Path, PeerId};
use crate::crypto::Refusal;
use crate::session::SessionEvent;

/// A session of an endpoint. Small, and never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHandle {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl SessionHandle {
    /// The handle as a number, as unique as itself.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }
}

/// What an opening insists on, beyond its endpoint discriminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpeningTerms {
    /// The identity that must answer. It does not stand in the IHello.
    pub pin: Option<PeerId>,
    /// When to fail, in place of the endpoint's setting.
    pub timeout: Option<Duration>,
}

/// An attempt to open a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpeningId(pub(crate) u64);

/// Why no session opened: the most telling of the reasons that were seen until time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenFailure {
    /// The dialled peer ID is our own.
    #[error("that is this endpoint's own identity")]
    OwnIdentity,
    /// More openings at once than allowed.
    #[error("too many openings at once")]
    TooMany,
    /// Nobody answered at all.
    #[error("no answer")]
    NoAnswer,
    /// Somebody said that the peer is not known there. A hint, not a proof.
    #[error("the peer is not known there")]
    UnknownPeer,
    /// Addresses of the peer came, but nobody answered at them.
    #[error("addresses came, but nobody answers there")]
    Unreachable,
    /// The right identity answered, but not our keying.
    #[error("the peer answers, but keying does not get through")]
    KeyingUnanswered,
    /// Only other identities answered.
    #[error("only other identities answered")]
    WrongIdentity,
    /// Whoever answered has a certificate that we do not accept.
    #[error("certificate not accepted: {0}")]
    CertificateRefused(Refusal),
    /// An answer to our keying came, but it was not genuine.
    #[error("keying failed: {0}")]
    KeyingRefused(Refusal),
}

/// What an endpoint does with an FIHello (RFC 7016 section 3.5.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardAnswer {
    /// Nothing.
    #[default]
    Ignore,
    /// RHello to the reply address; Implied Redirect if the RHello has more than 148 bytes.
    RHello,
    /// Implied Redirect to the reply address.
    ImpliedRedirect,
}

/// How far a session is trusted with making us send to strangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardTrust {
    /// Our own rendezvous: at most 100 FIHellos a second.
    Rendezvous,
    /// A proven member of a group: at most 10.
    #[default]
    Member,
}

/// What happened at an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum EndpointEvent {
    /// The wanted session is there. Mostly it is a new one, with us as the initiator; but it may also be the far end's
    /// that came meanwhile, or an older one that is alive (RFC 7016 sections 3.5.1.1.1 and 3.5.1.3).
    Opened {
        /// What was asked for.
        opening: OpeningId,
        /// The session.
        session: SessionHandle,
    },
    /// The wanted session did not come about.
    OpenFailed {
        /// What was asked for.
        opening: OpeningId,
        /// Why.
        reason: OpenFailure,
    },
    /// A peer opened a session to us, and has proved that it holds its keys.
    Incoming {
        /// The session.
        session: SessionHandle,
    },
    /// A session closes because another one with the same peer takes its place. Its own closing event follows.
    Replaced {
        /// The one that closes.
        old: SessionHandle,
        /// The one that stays.
        new: SessionHandle,
    },
    /// Something happened in a session.
    Session(SessionHandle, SessionEvent),
    /// An IHello that does not select us (raised if the configuration asks for it).
    UnmatchedIHello {
        /// Where it came from.
        path: Path,
        /// Whom it is for.
        epd: Vec<u8>,
        /// To be returned in the answer.
        tag: Vec<u8>,
        /// Bytes of the datagram, which limit the answer.
        datagram: usize,
    },
    /// A group's beacon came by IP multicast from one of our links (raised if such are asked for).
    Beacon {
        /// Where it came from.
        path: Path,
        /// The beacon.
        beacon: Vec<u8>,
    },
    /// An RHello that answers no opening: of a probe (raised if the configuration asks for it).
    UnmatchedRHello {
        /// Where it came from.
        path: Path,
        /// The tag of the IHello that it answers.
        tag: Vec<u8>,
        /// The responder's certificate, unproven.
        certificate: Vec<u8>,
    },
    /// A Redirect came for an opening.
    Redirected {
        /// The opening.
        opening: OpeningId,
        /// Where it came from.
        from: Path,
        /// How many of its addresses are candidates now.
        taken: usize,
        /// Whether it was the hint of a rendezvous that it does not know the peer.
        unknown_peer: bool,
    },
}
