//! What goes in and out of a receiving flow.

use std::ops::BitOr;

use bytes::Bytes;

/// How messages reach the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// In the order in which they were queued, each gap reported in its place.
    #[default]
    Original,
    /// Each as soon as it is whole.
    AsReceived,
}

/// What a receiving flow may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiveLimits {
    /// The window it starts with, in bytes; 0 closes it.
    pub capacity: usize,
    /// How far the window may grow with the path.
    pub max_capacity: usize,
    /// A longer message makes the flow rejected.
    pub max_message: usize,
}

impl Default for ReceiveLimits {
    fn default() -> Self {
        Self { capacity: 64 << 10, max_capacity: 16 << 20, max_message: 16 << 20 }
    }
}

/// Why an acknowledgement should go out at once (RFC 7016 sections 3.6.3.2 and 3.6.3.4.1): a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AckReasons(u16);

impl AckReasons {
    /// The chunk starts a new flow.
    pub const NEW_FLOW: Self = Self(1);
    /// The flow is not open: rejected, or complete.
    pub const NOT_OPEN: Self = Self(1 << 1);
    /// The last acknowledgement announced fewer than two blocks.
    pub const SMALL_WINDOW: Self = Self(1 << 2);
    /// The chunk is abandoned.
    pub const ABANDONED: Self = Self(1 << 3);
    /// There was a gap before the chunk.
    pub const GAP_BEFORE: Self = Self(1 << 4);
    /// There is a gap after the chunk.
    pub const GAP_AFTER: Self = Self(1 << 5);
    /// The sequence number had been seen before.
    pub const DUPLICATE: Self = Self(1 << 6);
    /// The flow's last sequence number, for the first time.
    pub const FINAL: Self = Self(1 << 7);
    /// Fewer than 1,024 bytes of the buffer are free.
    pub const NEARLY_FULL: Self = Self(1 << 8);
    /// The flow has just become complete.
    pub const COMPLETE: Self = Self(1 << 9);
    /// The flow has just been rejected.
    pub const REJECTED: Self = Self(1 << 10);
    /// The chunk lay beyond what the flow may keep and was dropped.
    pub const BEYOND_WINDOW: Self = Self(1 << 11);

    /// No reason.
    pub const NONE: Self = Self(0);

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are among them.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for AckReasons {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a User Data chunk did. The flow has something to acknowledge in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Receipt {
    /// Why not to wait with the acknowledgement.
    pub reasons: AckReasons,
}

impl Receipt {
    /// Whether to set the session's ACK_NOW.
    #[must_use]
    pub const fn ack_now(self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Whether an acknowledgement may be cut to the space there is (section 3.6.3.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is the first of a packet that is sent for its sake.
    Truncated,
    /// It is added to a packet that goes anyway: all of it or nothing.
    Whole,
}

/// What the user of a receiving flow is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecvEvent {
    /// A complete message.
    Message {
        /// Sequence number of its first fragment.
        sequence: u64,
        /// How many fragments it came in.
        fragments: u64,
        /// Its bytes.
        data: Bytes,
    },
    /// Sequence numbers that will never become a message: one or more messages were abandoned.
    Lost {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The implementation rejected a flow that the user had been told of.
    Rejected,
    /// All messages of the flow have been delivered.
    Complete,
    /// RF_CLOSED: the flow's context can be dropped, its identifier may come again.
    Gone,
}
