//! What goes in and out of a sending flow.

use crate::base::Instant;

use super::priority::Priority;

/// The user metadata of a flow must not be longer (RFC 7016 section 2.3.11.1.1).
pub const MAX_METADATA: usize = 512;

/// A message of one sending flow, by the order of writing, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// When a message stops being worth its bandwidth. The default is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetime {
    /// Abandon it if no part of it has been sent by then.
    pub start_by: Option<Instant>,
    /// Abandon it if it has not been acknowledged whole by then.
    pub finish_by: Option<Instant>,
}

impl Lifetime {
    /// Deliver it however long it takes.
    pub const UNLIMITED: Self = Self { start_by: None, finish_by: None };
}

/// Settings of a sending flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendOptions {
    /// Its place among the session's flows.
    pub priority: Priority,
    /// Bytes for chunks in a packet that holds nothing but them, with the longest header: what a fragment must fit.
    pub packet_space: usize,
    /// Unacknowledged bytes, with an allowance for each message, at which [`WriteError::Full`] begins.
    pub send_buffer: usize,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self { priority: Priority::default(), packet_space: 1100, send_buffer: 1 << 20 }
    }
}

/// Why a sending flow cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// More metadata than [`MAX_METADATA`].
    #[error("flow metadata is longer than {MAX_METADATA} bytes")]
    MetadataTooLong,
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The send buffer is full; [`SendEvent::Writable`] will say when to come again.
    #[error("the flow's send buffer is full")]
    Full,
    /// The flow was closed, by the user or by the far end's exception.
    #[error("the flow is closed")]
    Closed,
    /// A message cannot be longer than 4 GiB.
    #[error("the message is longer than a message can be")]
    TooLong,
}

/// What one call of `assemble` put into a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assembled {
    /// Bytes appended.
    pub bytes: usize,
    /// User Data and Next User Data chunks appended.
    pub fragments: usize,
    /// Whether the packet's header shall carry the time-critical flag.
    pub time_critical: bool,
    /// Where a fragment that was ready did not fit, the bytes that its chunk takes. More than a whole packet holds only if the
    /// packet size has shrunk since the fragment was first sent: then it needs packet fragments (section 2.3.1).
    pub needs: Option<usize>,
}

/// What an acknowledgement did to a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AckOutcome {
    /// By how much the outstanding bytes fell (section 3.6.2.4).
    pub acked_bytes: usize,
    /// Highest transmission sequence number among the newly acknowledged; 0 if none.
    pub max_tsn: u64,
    /// Fragments among them that had been found lost by negative acknowledgements or time, and then came all the same.
    pub late: u32,
}

/// What negative acknowledgements did to a flow (section 3.6.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Naks {
    /// Whether any fragment in flight got a negative acknowledgement by this packet.
    pub any: bool,
    /// Fragments found lost now.
    pub lost_fragments: usize,
    /// Their encoded bytes, which are no longer outstanding.
    pub lost_bytes: usize,
    /// The newest transmission among them; 0 if none.
    pub newest_lost: u64,
}

/// What the user of a sending flow is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendEvent {
    /// After [`WriteError::Full`], or a write that filled the buffer: half of it is free again.
    Writable,
    /// The far end has all of the message.
    Delivered(MessageId),
    /// The message was given up: by the user, by its lifetime, or by an exception. The far end may have it all the same.
    Abandoned(MessageId),
    /// The far end rejected the flow, which is closed by that.
    Exception(u64),
    /// Closed, and everything up to the end acknowledged (F_COMPLETE_LINGER).
    Complete,
    /// F_CLOSED: the flow's context and identifier are free.
    Gone,
}
