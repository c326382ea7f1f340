//! What a node tells its owner.

use std::net::SocketAddr;

use bytes::Bytes;

use super::member::MemberEvent;
use crate::base::{Path, PeerId};
use crate::crypto::FarIdentity;
use crate::endpoint::SessionHandle;
use crate::flow::MessageId;
use crate::service::rendezvous::{CheckReport, Refusal, ServerEvent};
use crate::session::{CloseReason, FlowId};

/// A peer's session, by a small name that is never used again. If another session with the peer takes its place before
/// any flow was opened, it has the same name.
pub type PeerHandle = SessionHandle;

/// An attempt to reach a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialId(pub(super) u64);

/// A registration at, or a question to, a rendezvous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(pub(super) u64);

/// A group that the node is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupHandle(pub(super) u64);

/// Why a peer was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// No rendezvous answered, and there was no other way to ask.
    #[error("no answer from the rendezvous")]
    RendezvousUnreachable,
    /// The rendezvous says that the peer is not registered there, and nobody else answered either.
    #[error("the rendezvous does not know this peer")]
    NotFound,
    /// Addresses of the peer came, but none of them could be keyed with.
    #[error("the peer's addresses are known, but no packet gets through")]
    Unreachable,
    /// Somebody answered, but nobody with the right identity.
    #[error("whoever answers is not the peer that was asked for")]
    WrongIdentity,
    /// Nobody answered in time.
    #[error("no answer in time")]
    TimedOut,
    /// The peer is this node itself.
    #[error("that is this node's own peer ID")]
    Itself,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeEvent {
    /// A dialled peer was reached.
    Dialled {
        /// The attempt.
        dial: DialId,
        /// The peer.
        peer: PeerHandle,
    },
    /// A dialled peer was not reached.
    DialFailed {
        /// The attempt.
        dial: DialId,
        /// Why.
        error: DialError,
    },
    /// A peer wants to come in. Nothing of its flows is read until `accept`.
    Incoming {
        /// The peer.
        peer: PeerHandle,
        /// Who it is.
        far: FarIdentity,
        /// Where it is.
        path: Path,
    },
    /// Registered: others can be introduced to us.
    Registered {
        /// Which registration.
        registration: RegistrationId,
        /// Our address as the rendezvous sees it, if it says so.
        observed: Option<SocketAddr>,
    },
    /// The rendezvous refused us; the registration is over.
    RegistrationRefused {
        /// Which registration.
        registration: RegistrationId,
        /// Its words.
        refusal: Refusal,
    },
    /// The rendezvous has another identity than the pinned one; the registration is over.
    RendezvousImposter {
        /// Which registration.
        registration: RegistrationId,
        /// Who answered.
        found: PeerId,
    },
    /// The rendezvous does not answer; attempts go on.
    RendezvousUnreachable {
        /// Which registration.
        registration: RegistrationId,
    },
    /// The rendezvous went away; attempts go on.
    RegistrationLost {
        /// Which registration.
        registration: RegistrationId,
    },
    /// What a connectivity check found.
    Checked {
        /// Which question.
        registration: RegistrationId,
        /// The finding.
        report: CheckReport,
    },
    /// A peer opened a flow to us; nothing of it is delivered until it is accepted.
    FlowOpened {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// Its metadata.
        metadata: Bytes,
        /// Our sending flow that it answers.
        return_of: Option<FlowId>,
    },
    /// A message arrived.
    Message {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// Sequence number of the message's first fragment.
        sequence: u64,
        /// The message.
        data: Bytes,
    },
    /// Messages were given up by their sender and will not come.
    Lost {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// How many sequence numbers the gap spans; a message takes at least one.
        span: u64,
    },
    /// Nothing more will come on a receiving flow.
    FlowFinished {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// Whether all that was sent arrived; otherwise the flow broke off.
        complete: bool,
    },
    /// The peer rejected a sending flow of ours.
    FlowException {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// The peer's code.
        code: u64,
    },
    /// A sending flow that was full has room again.
    Writable {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
    },
    /// A message was acknowledged whole.
    Delivered {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// The message.
        id: MessageId,
    },
    /// A message was given up, because its time was over.
    Abandoned {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
        /// The message.
        id: MessageId,
    },
    /// A sending flow that was closed is acknowledged to its end.
    FlowClosed {
        /// The peer.
        peer: PeerHandle,
        /// The flow.
        flow: FlowId,
    },
    /// The peer moved to another address, and proved it.
    PathChanged {
        /// The peer.
        peer: PeerHandle,
        /// Where it was.
        from: Path,
        /// Where it is.
        to: Path,
    },
    /// The session is over; its handle means nothing any more.
    PeerClosed {
        /// The peer.
        peer: PeerHandle,
        /// Why.
        reason: CloseReason,
    },
    /// Something happened in a group.
    Group {
        /// The group.
        group: GroupHandle,
        /// What.
        event: MemberEvent,
    },
    /// A group was left; nothing of it is left.
    GroupLeft {
        /// The group.
        group: GroupHandle,
    },
    /// The rendezvous service that this node runs has something to say.
    Rendezvous(ServerEvent),
}
