//! The sending end of a flow (RFC 7016 section 3.6.2).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Instant;
use crate::wire;
use crate::wire::flow_option;

use super::assembly::{Assembly, Put};
use super::flight::{Flight, Fragment};
use super::outbox::Outbox;
use super::priority::Priority;
use super::probe::Probe;
use super::send_types::{
    AckOutcome, Assembled, Lifetime, MAX_METADATA, MessageId, Naks, OpenError, SendEvent, SendOptions, WriteError,
};

/// The receive window until the far end has told it (section 3.6.2).
const INITIAL_WINDOW: usize = 65536;
/// How long a complete flow keeps its identifier (section 3.6.2.11).
const LINGER: Duration = Duration::from_secs(130);

/// A sending flow.
///
/// Messages are cut into fragments when these are first sent, so a changed packet size counts for all that has not been sent. Each
/// message takes at least one sequence number, even if no part of it is ever sent.
#[derive(Debug)]
pub struct SendFlow {
    id: u64,
    options: SendOptions,
    state: State,
    /// STARTUP_OPTIONS, encoded; empty once the flow has been acknowledged.
    startup: Vec<u8>,
    outbox: Outbox,
    flight: Flight,
    /// RX_BUFFER_SIZE.
    window: usize,
    /// F_FINAL_SN.
    final_sequence: Option<u64>,
    /// EXCEPTION.
    exception: bool,
    /// Highest cumulative acknowledgement so far.
    cumulative: u64,
    probe: Probe,
    events: VecDeque<SendEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    CompleteLinger { until: Instant },
    Closed,
}

impl SendFlow {
    /// A new flow, in answer to the far end's flow `return_of` if there is one. The far end hears of it with its first chunk.
    ///
    /// # Errors
    /// If `metadata` is longer than [`MAX_METADATA`].
    pub fn open(id: u64, metadata: &[u8], return_of: Option<u64>, options: SendOptions) -> Result<Self, OpenError> {
        if metadata.len() > MAX_METADATA {
            return Err(OpenError::MetadataTooLong);
        }
        let mut startup = Vec::new();
        wire::put_option(&mut startup, flow_option::METADATA, metadata);
        if let Some(flow) = return_of {
            let mut value = Vec::new();
            wire::vlu::put(&mut value, flow);
            wire::put_option(&mut startup, flow_option::RETURN_FLOW, &value);
        }
        Ok(Self {
            id,
            options,
            state: State::Open,
            startup,
            outbox: Outbox::new(),
            flight: Flight::new(),
            window: INITIAL_WINDOW,
            final_sequence: None,
            exception: false,
            cumulative: 0,
            probe: Probe::default(),
            events: VecDeque::new(),
        })
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

    /// Tells it the shortest round trip time that the path has shown. What was sent again later than that before its
    /// acknowledgement came is taken to be acknowledged for an earlier copy, and then causes no negative acknowledgements: on a path that
    /// reorders, one late packet would else make all that was sent after it seem lost. Zero, as it is at first, turns this off.
    pub fn set_min_rtt(&mut self, shortest: Duration) {
        self.flight.set_shortest_round(shortest);
    }

    /// Sets how much may be queued.
    pub fn set_send_buffer(&mut self, bytes: usize) {
        self.options.send_buffer = bytes;
        self.tell_room();
    }

    /// F_OPEN: the user may write, and a flow of the far end may be in return of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// F_CLOSED: the context and the identifier are free.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether the far end has acknowledged anything of it.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.startup.is_empty()
    }

    /// Begins the flow without data, by a fragment that is abandoned from the start (section 3.6.2.1). The far end's user sees
    /// a gap of one sequence number. No effect once anything was queued.
    pub fn begin(&mut self) {
        if self.is_open() && self.flight.next_sequence() == 1 && !self.outbox.has_uncut() {
            self.flight.push(Fragment::abandoned());
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// See [`WriteError`]; the message was not taken.
    pub fn write(&mut self, now: Instant, data: Bytes, lifetime: Lifetime) -> Result<MessageId, WriteError> {
        if !self.is_open() {
            return Err(WriteError::Closed);
        }
        if u32::try_from(data.len()).is_err() {
            return Err(WriteError::TooLong);
        }
        if self.outbox.is_full(self.options.send_buffer) {
            return Err(WriteError::Full);
        }
        let id = self.outbox.push(data, lifetime);
        self.outbox.is_full(self.options.send_buffer);
        self.expire(now);
        Ok(id)
    }

    /// Gives up a message, unless all of it has been acknowledged.
    pub fn abandon(&mut self, message: MessageId) {
        let Some((first, count)) = self.outbox.abandon(message) else {
            return;
        };
        for sequence in first..first + u64::from(count) {
            self.flight.abandon(sequence);
        }
        self.events.push_back(SendEvent::Abandoned(message));
        self.number_what_will_not_be_sent();
        self.tell_room();
    }

    /// Says that nothing more will be written. What is queued will still be delivered.
    ///
    /// The last fragment carries the final flag if it has not been sent and will not be abandoned by time; otherwise an abandoned
    /// fragment is added for it, so that the far end can tell the end of the flow from a lost last message.
    pub fn close(&mut self) {
        if self.is_open() {
            self.state = State::Closing;
            self.number_what_will_not_be_sent();
        }
    }

    /// Bytes queued and not acknowledged.
    #[must_use]
    pub const fn buffered(&self) -> usize {
        self.outbox.buffered()
    }

    /// F_OUTSTANDING_BYTES: encoded sizes of the chunks in flight.
    #[must_use]
    pub const fn outstanding(&self) -> usize {
        self.flight.outstanding()
    }

    /// The far end's latest buffer advertisement.
    #[must_use]
    pub const fn window(&self) -> usize {
        self.window
    }

    /// Whether it has something to send, whatever the far end's window.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.flight.has_eligible() || self.outbox.has_uncut()
    }

    /// Whether it has something to send that the far end's window admits.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.window_admits() && self.has_work()
    }

    /// Appends as many chunks as are ready to a packet, without letting `out` grow above `limit` bytes; to be called once for a
    /// packet. `tsn` is the session's next transmission sequence number and goes up by one for each.
    pub fn assemble(&mut self, now: Instant, out: &mut Vec<u8>, limit: usize, tsn: &mut u64) -> Assembled {
        self.expire(now);
        let mut result = Assembled::default();
        if !self.is_ready() {
            return result;
        }
        self.flight.trim(self.outbox.has_uncut());
        let startup = std::mem::take(&mut self.startup);
        let mut assembly = Assembly {
            flow: self.id,
            forward_sequence: self.flight.forward_sequence(),
            startup: &startup,
            packet_space: self.options.packet_space,
            previous: None,
            start: out.len(),
            out,
            limit,
        };
        while self.exception || self.window > self.flight.outstanding() {
            let put = match self.flight.first_eligible() {
                Some(sequence) => assembly.put_again(&self.flight, &self.outbox, sequence),
                None if self.outbox.has_uncut() => {
                    let is_tail = self.state == State::Closing && self.final_sequence.is_none();
                    let put = assembly.put_new(&mut self.flight, &mut self.outbox, is_tail);
                    if let Put::Done { sequence, is_final: true, .. } = put {
                        self.final_sequence = Some(sequence);
                    }
                    put
                }
                None => break,
            };
            match put {
                Put::Done { sequence, size, .. } => {
                    self.flight.sent(now, sequence, *tsn, size);
                    *tsn += 1;
                    result.fragments += 1;
                    self.number_what_will_not_be_sent();
                }
                Put::NoSpace { needs } => {
                    result.needs = Some(needs);
                    break;
                }
            }
        }
        result.bytes = assembly.out.len() - assembly.start;
        self.startup = startup;
        result.time_critical = result.fragments > 0 && self.options.priority.is_time_critical();
        result
    }

    /// Takes in an acknowledgement.
    ///
    /// Departs from section 3.6.2.4 in two points: a fragment that was taken for lost is removed too, and an acknowledgement that
    /// others have overtaken does not set the window. See also [`Self::set_min_rtt`].
    pub fn on_ack(&mut self, now: Instant, ack: &wire::Ack<'_>) -> AckOutcome {
        self.startup = Vec::new();
        if ack.cumulative >= self.cumulative {
            let window = usize::try_from(ack.buffer_available).unwrap_or(usize::MAX);
            self.probe.on_window(now, self.window, window);
            self.window = window;
        }
        let before = self.flight.outstanding();
        let mut max_tsn = 0;
        let (outbox, events) = (&mut self.outbox, &mut self.events);
        let mut each = |fragment: &Fragment, tsn: Option<u64>| {
            max_tsn = max_tsn.max(tsn.unwrap_or(0));
            events.extend(outbox.acked(fragment).map(SendEvent::Delivered));
        };
        self.flight.ack_up_to(now, ack.cumulative, &mut each);
        for range in ack.ranges() {
            if *range.start() >= self.flight.next_sequence() {
                break;
            }
            self.flight.ack_range(now, range, &mut each);
        }
        self.cumulative = self.cumulative.max(ack.cumulative.min(self.flight.next_sequence() - 1));
        self.settle(now);
        self.tell_room();
        let late = self.flight.take_late();
        AckOutcome { acked_bytes: before - self.flight.outstanding(), max_tsn, late }
    }

    /// To be called for every flow, once after all acknowledgements of a packet that has any: counts negative acknowledgements
    /// and finds losses. `max_tsn_ack` is the highest transmission sequence number acknowledged in the session.
    pub fn on_naks(&mut self, max_tsn_ack: u64) -> Naks {
        self.flight.on_naks(max_tsn_ack, true)
    }

    /// The same on a path where packets overtake each other: nothing is lost by the number of negative acknowledgements.
    pub fn count_naks(&mut self, max_tsn_ack: u64) -> Naks {
        self.flight.on_naks(max_tsn_ack, false)
    }

    /// Loss by time (RFC 8985): everything in flight with a transmission sequence number below `tsn` is lost, however many
    /// negative acknowledgements it has.
    pub fn lose_sent_before(&mut self, tsn: u64) -> Naks {
        self.flight.lose_sent_before(tsn)
    }

    /// The transmission sequence number of what was sent last of all that is in flight.
    #[must_use]
    pub fn newest_in_flight(&self) -> Option<u64> {
        self.flight.newest_in_flight()
    }

    /// Takes back what was sent last, so that it is sent again at once; its encoded bytes, which are no longer outstanding.
    pub fn recall_newest(&mut self) -> usize {
        self.flight.recall_newest()
    }

    /// TIMEOUT_ALARM has fired: everything in flight is lost (section 3.6.2.6). Answers whether anything was.
    pub fn on_timeout(&mut self) -> bool {
        self.flight.on_timeout()
    }

    /// Takes in a Flow Exception Report (section 3.6.2.10).
    pub fn on_exception(&mut self, code: u64) {
        if self.is_open() {
            self.events.push_back(SendEvent::Exception(code));
            self.close();
        }
        if !std::mem::replace(&mut self.exception, true) {
            for message in self.outbox.ids() {
                self.abandon(message);
            }
        }
    }

    /// Whether to send a Buffer Probe now (section 3.6.2.9.1); if so, the next one is scheduled.
    pub fn take_buffer_probe(&mut self, now: Instant, erto: Duration) -> bool {
        self.is_suspended() && self.probe.take(now, erto)
    }

    /// When to call [`Self::handle_timeout`] and [`Self::take_buffer_probe`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let linger = match self.state {
            State::CompleteLinger { until } => Some(until),
            _ => None,
        };
        let probe = self.probe.at().filter(|_| self.is_suspended());
        [linger, probe, self.outbox.deadline()].into_iter().flatten().min()
    }

    /// Lets lifetimes and the linger run out.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire(now);
        if let State::CompleteLinger { until } = self.state
            && until <= now
        {
            self.state = State::Closed;
            self.events.push_back(SendEvent::Gone);
        }
    }

    /// What happened, oldest first.
    pub fn poll(&mut self) -> Option<SendEvent> {
        self.events.pop_front()
    }

    /// Section 3.6.2.3: the window, or an exception, which makes it meaningless.
    const fn window_admits(&self) -> bool {
        self.exception || self.window > self.flight.outstanding()
    }

    /// Section 3.6.2.9.1; a flow that has nothing in its queue need not ask for a window.
    fn is_suspended(&self) -> bool {
        self.window == 0 && !self.exception && (!self.flight.is_empty() || self.outbox.has_uncut())
    }

    fn expire(&mut self, now: Instant) {
        while let Some(message) = self.outbox.expired(now) {
            self.abandon(message);
        }
    }

    /// Gives their sequence numbers to messages, or remainders, that were abandoned before they were cut, and to the end of the
    /// flow if all that goes before has its own.
    fn number_what_will_not_be_sent(&mut self) {
        while self.outbox.skip_abandoned() {
            self.flight.push(Fragment::abandoned());
        }
        if self.state == State::Closing && self.final_sequence.is_none() && !self.outbox.has_uncut() {
            self.final_sequence = Some(self.flight.push(Fragment::abandoned().with_final(true)));
        }
    }

    /// Looks whether the flow is complete, or whether the far end still has to be told of a gap.
    fn settle(&mut self, now: Instant) {
        if !self.flight.is_empty() || self.outbox.has_uncut() || !matches!(self.state, State::Open | State::Closing) {
            return;
        }
        if self.cumulative + 1 < self.flight.next_sequence() {
            // An FSN that was sent before has been lost with its chunk, whose earlier copy then arrived.
            self.flight.revive_last();
        } else if self.state == State::Closing {
            self.state = State::CompleteLinger { until: now + LINGER };
            self.events.push_back(SendEvent::Complete);
        }
    }

    fn tell_room(&mut self) {
        if self.outbox.take_room(self.options.send_buffer) {
            self.events.push_back(SendEvent::Writable);
        }
    }
}
