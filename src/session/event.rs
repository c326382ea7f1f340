//! What a session tells its owner.

use bytes::Bytes;

use crate::base::Path;
use crate::flow::MessageId;
use crate::wire::Address;

/// A flow of a session. The two directions have numbers of their own: ours are those that
/// `Session::open_flow` gave, the far end's those of [`SessionEvent::FlowOpened`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

/// An event of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The first packet opened in a session that was not confirmed: the far end is who it says it is, and there.
    Confirmed,
    /// The far end opened a flow. Its messages wait for `accept_flow` or `reject_flow`.
    FlowOpened {
        /// The receiving flow.
        flow: FlowId,
        /// What it is for.
        metadata: Bytes,
        /// Our sending flow that it answers.
        return_of: Option<FlowId>,
    },
    /// A whole message came.
    Message {
        /// The receiving flow.
        flow: FlowId,
        /// Sequence number of its first fragment.
        sequence: u64,
        /// Its bytes; say when they are done with by `consume`.
        data: Bytes,
    },
    /// Messages that were abandoned and will not come.
    Lost {
        /// The receiving flow.
        flow: FlowId,
        /// First sequence number of the gap.
        first: u64,
        /// Last sequence number of the gap.
        last: u64,
    },
    /// The far end finished a flow, and everything of it was delivered; or the implementation had to reject it.
    FlowFinished {
        /// The receiving flow.
        flow: FlowId,
        /// Whether all came; `false` if the flow was rejected.
        complete: bool,
    },
    /// The far end rejected our sending flow, which is closed.
    FlowException {
        /// The sending flow.
        flow: FlowId,
        /// Why; the application's.
        code: u64,
    },
    /// A sending flow that refused to queue more takes more now.
    Writable {
        /// The sending flow.
        flow: FlowId,
    },
    /// The far end has all of a message.
    Delivered {
        /// The sending flow.
        flow: FlowId,
        /// The message.
        id: MessageId,
    },
    /// A message was given up.
    Abandoned {
        /// The sending flow.
        flow: FlowId,
        /// The message.
        id: MessageId,
    },
    /// A sending flow was closed and everything of it acknowledged.
    FlowComplete {
        /// The sending flow.
        flow: FlowId,
    },
    /// The far end introduces somebody who wants to reach us (section 2.3.3).
    FIHello {
        /// The endpoint discriminator that was asked for.
        epd: Vec<u8>,
        /// Who asks: where the RHello shall go.
        reply: Address,
        /// The tag of the IHello.
        tag: Vec<u8>,
    },
    /// The far end has moved, and answered from there.
    PathChanged {
        /// DESTADDR until now.
        from: Path,
        /// DESTADDR from now on.
        to: Path,
    },
    /// The session is over for its users; all flows are gone. It may live on for a while to answer the far end.
    Closed(CloseReason),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum CloseReason {
    /// We closed it, and the far end agreed or was given time to.
    #[error("closed by this end")]
    Near,
    /// The far end closed it.
    #[error("closed by the far end")]
    Far,
    /// The far end closed abruptly.
    #[error("broken off by the far end")]
    FarAborted,
    /// We closed it abruptly.
    #[error("aborted by this end")]
    Aborted,
    /// The far end is silent.
    #[error("the far end does not answer")]
    Unresponsive,
    /// The keys have no packet numbers left.
    #[error("packet numbers used up")]
    Exhausted,
}

/// Why a call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The session is closed or closing.
    #[error("the session is closed")]
    SessionClosed,
    /// There is no such flow, or no longer.
    #[error("no such flow")]
    NoSuchFlow,
    /// The flow to be answered is not open any more (section 3.6.2.1).
    #[error("the flow to be answered is closed")]
    AnsweredFlowClosed,
    /// The metadata is too long.
    #[error(transparent)]
    Open(#[from] crate::flow::OpenError),
    /// The message was not taken.
    #[error(transparent)]
    Write(#[from] crate::flow::WriteError),
}
