//! The sending end of a flow (RFC 7016 section 3.6.2).

use std::time::Duration;

use bytes::Bytes;

use crate::base::Instant;
use crate::wire;

use super::priority::Priority;
use super::send_types::{
    AckOutcome, Assembled, Lifetime, MAX_METADATA, MessageId, Naks, OpenError, SendEvent, SendOptions, WriteError,
};

/// A sending flow.
#[derive(Debug)]
pub struct SendFlow {
    id: u64,
    options: SendOptions,
}

impl SendFlow {
    /// A new flow, in answer to the far end's flow `return_of` if there is one. The far end hears of it with its first chunk.
    ///
    /// # Errors
    /// If `metadata` is longer than [`MAX_METADATA`].
    pub fn open(id: u64, metadata: &[u8], _return_of: Option<u64>, options: SendOptions) -> Result<Self, OpenError> {
        if metadata.len() > MAX_METADATA {
            return Err(OpenError::MetadataTooLong);
        }
        Ok(Self { id, options })
    }

    /// Its identifier.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Its priority.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.options.priority
    }

    /// Gives it another place among the session's flows.
    pub fn set_priority(&mut self, priority: Priority) {
        self.options.priority = priority;
    }

    /// Follows the path's packet size: the space for chunks in a packet that holds nothing else. Counts for what has not been
    /// sent yet.
    pub fn set_packet_space(&mut self, bytes: usize) {
        self.options.packet_space = bytes;
    }

    /// Sets how much may be queued.
    pub fn set_send_buffer(&mut self, bytes: usize) {
        self.options.send_buffer = bytes;
    }

    /// F_OPEN: the user may write, and a flow of the far end may be in return of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        true
    }

    /// F_CLOSED: the context and the identifier are free.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        false
    }

    /// Begins the flow without data, by a fragment that is abandoned from the start (section 3.6.2.1). The far end's user sees
    /// a gap of one sequence number. No effect once anything was queued.
    pub fn begin(&mut self) {}

    /// Queues a message.
    ///
    /// # Errors
    /// See [`WriteError`]; the message was not taken.
    pub fn write(&mut self, _now: Instant, _data: Bytes, _lifetime: Lifetime) -> Result<MessageId, WriteError> {
        Err(WriteError::Closed)
    }

    /// Gives up a message that has not been acknowledged whole; nothing else happens.
    pub fn abandon(&mut self, _message: MessageId) {}

    /// Says that nothing more will be written. What is queued will still be delivered.
    pub fn close(&mut self) {}

    /// Bytes queued and not acknowledged.
    #[must_use]
    pub fn buffered(&self) -> usize {
        0
    }

    /// F_OUTSTANDING_BYTES: encoded sizes of the chunks in flight.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        0
    }

    /// Whether it has something to send that the far end's window admits.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        false
    }

    /// Appends as many chunks as are ready to a packet, without letting `out` grow above `limit` bytes. `tsn` is the session's next
    /// transmission sequence number and goes up by one for each.
    pub fn assemble(&mut self, _now: Instant, _out: &mut Vec<u8>, _limit: usize, _tsn: &mut u64) -> Assembled {
        Assembled::default()
    }

    /// Takes in an acknowledgement.
    pub fn on_ack(&mut self, _now: Instant, _ack: &wire::Ack<'_>) -> AckOutcome {
        AckOutcome::default()
    }

    /// To be called for every flow, once after all acknowledgements of a packet that has any: counts negative acknowledgements
    /// and finds losses. `max_tsn_ack` is the highest transmission sequence number acknowledged in the session.
    pub fn on_naks(&mut self, _max_tsn_ack: u64) -> Naks {
        Naks::default()
    }

    /// TIMEOUT_ALARM has fired: everything in flight is lost. Answers whether anything was.
    pub fn on_timeout(&mut self) -> bool {
        false
    }

    /// Takes in a Flow Exception Report.
    pub fn on_exception(&mut self, _code: u64) {}

    /// Whether to send a Buffer Probe now (section 3.6.2.9.1); if so, the next one is scheduled.
    pub fn take_buffer_probe(&mut self, _now: Instant, _erto: Duration) -> bool {
        false
    }

    /// When to call [`Self::handle_timeout`] and [`Self::take_buffer_probe`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Lets lifetimes and the linger run out.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// What happened, oldest first.
    pub fn poll(&mut self) -> Option<SendEvent> {
        None
    }
}
