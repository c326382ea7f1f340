//! The receiving end of a flow (RFC 7016 section 3.6.3).

use std::time::Duration;

use bytes::Bytes;

use crate::base::Instant;
use crate::wire;

use super::recv_types::{AckReasons, Fit, Order, Receipt, ReceiveLimits, RecvEvent};

/// A receiving flow.
#[derive(Debug)]
pub struct RecvFlow {
    id: u64,
    metadata: Bytes,
}

impl RecvFlow {
    /// The flow that `chunk` starts; `chunk` itself is still to be given to [`Self::on_data`]. `is_open` tells whether the sending
    /// flow with that identifier exists and is F_OPEN. What section 3.6.3.1 wants rejected is rejected; see [`Self::is_open`].
    ///
    /// Until [`Self::accept`], messages are held back.
    pub fn open(chunk: &wire::UserData<'_>, limits: ReceiveLimits, is_open: impl FnOnce(u64) -> bool) -> Self {
        let _ = (limits, is_open);
        Self { id: chunk.flow, metadata: Bytes::new() }
    }

    /// Its identifier.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The metadata that names it; empty if it had none and was rejected.
    #[must_use]
    pub const fn metadata(&self) -> &Bytes {
        &self.metadata
    }

    /// The sending flow that it answers.
    #[must_use]
    pub const fn return_of(&self) -> Option<u64> {
        None
    }

    /// RF_OPEN: neither rejected nor complete.
    #[must_use]
    pub fn is_open(&self) -> bool {
        true
    }

    /// RF_CLOSED, and everything delivered: the context can be dropped.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        false
    }

    /// The user takes the flow: messages may be polled from now on.
    pub fn accept(&mut self, _order: Order, _limits: ReceiveLimits) {}

    /// The user refuses the flow, now or later; `code` goes to the sender with every acknowledgement, which wants to go at once.
    pub fn reject(&mut self, _code: u64) {}

    /// Holds messages back, and lets the window close, until [`Self::resume`].
    pub fn suspend(&mut self) {}

    /// Delivers again. Answers whether the sender should hear of the window at once.
    #[must_use]
    pub fn resume(&mut self) -> bool {
        false
    }

    /// The user has done with `bytes` bytes of delivered messages, in whatever portions. Answers whether the sender should hear of
    /// the window at once: then [`Self::should_ack`] is set, and the session sets ACK_NOW.
    #[must_use]
    pub fn consume(&mut self, _bytes: usize) -> bool {
        false
    }

    /// Tells it the round trip time, which paces the growth of the window.
    pub fn set_rtt(&mut self, _rtt: Duration) {}

    /// Takes in a User Data chunk, or what a Next User Data chunk stands for.
    pub fn on_data(&mut self, _now: Instant, _chunk: &wire::UserData<'_>) -> Receipt {
        Receipt { reasons: AckReasons::NONE }
    }

    /// A Buffer Probe has come: SHOULD_ACK is set, and the session sets ACK_NOW if the answer is true (section 3.6.3.6).
    #[must_use]
    pub fn on_buffer_probe(&mut self) -> bool {
        true
    }

    /// SHOULD_ACK: whether there is something to acknowledge.
    #[must_use]
    pub fn should_ack(&self) -> bool {
        false
    }

    /// Appends an acknowledgement, behind a Flow Exception Report if the flow is rejected, without letting `out` grow above
    /// `limit`. Answers whether it did; if not, `out` is as before.
    pub fn put_ack(&mut self, _out: &mut Vec<u8>, _limit: usize, _form: wire::AckForm, _fit: Fit) -> bool {
        false
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Lets the linger run out.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// What happened, oldest first; messages not before [`Self::accept`], nor while suspended.
    pub fn poll(&mut self) -> Option<RecvEvent> {
        None
    }
}
