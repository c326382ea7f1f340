//! The receiving end of a flow (RFC 7016 section 3.6.3).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, RangeSet};
use crate::wire;
use crate::wire::{AckHead, FragmentControl, OptionIter, UserData, WireOption, flow_option};

use super::reassembly::{Reassembly, TooLong};
use super::recv_types::{AckReasons, Fit, Order, Receipt, ReceiveLimits, RecvEvent};
use super::send_types::MAX_METADATA;
use super::window::{OVERHEAD, Window};

/// How long a complete flow keeps acknowledging (section 3.6.3.8).
const LINGER: Duration = Duration::from_secs(120);
/// Disjoint ranges of sequence numbers that are remembered: our choice. An acknowledgement can list about a third of them.
const MAX_RANGES: usize = 2048;
/// An advertisement of fewer blocks makes every acknowledgement urgent (section 3.6.3.4.1).
const SMALL_WINDOW: u64 = 2;
/// So does less free space than this.
const NEARLY_FULL: usize = 1024;
/// Code of a rejection by the implementation (section 2.3.16).
const AUTOMATIC: u64 = 0;

/// A receiving flow.
///
/// What it holds is bounded: by the window, twice over, because a sender may exceed it by chunk headers and by what was under way;
/// and by the number of gaps. What lies beyond is dropped and not acknowledged.
#[derive(Debug)]
pub struct RecvFlow {
    id: u64,
    metadata: Bytes,
    return_of: Option<u64>,
    state: State,
    /// EXCEPTION_CODE, if rejected.
    exception: Option<u64>,
    is_new: bool,
    accepted: bool,
    suspended: bool,
    /// SEQUENCE_SET; 0 is always in it.
    seen: RangeSet,
    /// RF_FINAL_SN.
    final_sequence: Option<u64>,
    buffer: Reassembly,
    window: Window,
    should_ack: bool,
    events: VecDeque<RecvEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Rejected,
    CompleteLinger { until: Instant },
    Closed,
}

impl RecvFlow {
    /// The flow that `chunk` starts; `chunk` itself is still to be given to [`Self::on_data`]. `is_open` tells whether the sending
    /// flow with that identifier exists and is F_OPEN. What section 3.6.3.1 wants rejected is rejected, and metadata above
    /// [`MAX_METADATA`]; see [`Self::is_open`].
    ///
    /// Until [`Self::accept`], messages are held back.
    pub fn open(chunk: &UserData<'_>, limits: ReceiveLimits, is_open: impl FnOnce(u64) -> bool) -> Self {
        let startup = StartupOptions::read(chunk.options);
        let mut flow = Self {
            id: chunk.flow,
            metadata: startup.metadata.map(Bytes::copy_from_slice).unwrap_or_default(),
            return_of: startup.return_of,
            state: State::Open,
            exception: None,
            is_new: true,
            accepted: false,
            suspended: false,
            seen: RangeSet::new(),
            final_sequence: None,
            buffer: Reassembly::new(limits.max_message),
            window: Window::new(limits),
            should_ack: false,
            events: VecDeque::new(),
        };
        flow.seen.insert(0);
        if startup.metadata.is_none_or(|metadata| metadata.len() > MAX_METADATA)
            || startup.unknown
            || startup.return_of.is_some_and(|id| !is_open(id))
        {
            flow.metadata = Bytes::new();
            flow.reject(AUTOMATIC);
        }
        flow
    }

    /// Its identifier.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The metadata that names it; empty if it was rejected when it began.
    #[must_use]
    pub const fn metadata(&self) -> &Bytes {
        &self.metadata
    }

    /// The sending flow that it answers.
    #[must_use]
    pub const fn return_of(&self) -> Option<u64> {
        self.return_of
    }

    /// RF_OPEN: neither rejected nor complete.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// The code with which it was rejected.
    #[must_use]
    pub const fn exception(&self) -> Option<u64> {
        self.exception
    }

    /// RF_CLOSED, and everything delivered: the context can be dropped.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.state == State::Closed && self.events.is_empty()
    }

    /// The user takes the flow: messages may be polled from now on.
    pub fn accept(&mut self, order: Order, limits: ReceiveLimits) {
        if self.exception.is_some() {
            return;
        }
        self.accepted = true;
        self.window.set_limits(limits);
        self.buffering(|buffer, events| buffer.configure(order, limits.max_message, events));
    }

    /// The user refuses the flow, now or later; `code` goes to the sender with every acknowledgement, which wants to go at once
    /// (section 3.6.3.7).
    pub fn reject(&mut self, code: u64) {
        self.buffer.clear();
        self.window.forget_unread();
        self.events.clear();
        if self.state == State::Open {
            self.state = State::Rejected;
            self.exception = Some(code);
            self.should_ack = true;
        } else {
            // Complete: there is nothing left to refuse but the messages.
            (self.accepted, self.suspended) = (true, false);
        }
    }

    /// Holds messages back, and lets the window close, until [`Self::resume`].
    pub fn suspend(&mut self) {
        self.suspended = true;
    }

    /// Delivers again. Answers like [`Self::consume`].
    #[must_use]
    pub fn resume(&mut self) -> bool {
        self.suspended = false;
        let reopens = self.window.announced() == Some(0) && self.blocks() > 0;
        self.should_ack |= reopens && self.is_open();
        self.tell_window() || reopens && self.is_open()
    }

    /// The user has done with `bytes` bytes of delivered messages, in whatever portions. Answers whether the sender should hear of
    /// the window at once: then [`Self::should_ack`] is set, and the session sets ACK_NOW.
    #[must_use]
    pub fn consume(&mut self, bytes: usize) -> bool {
        self.window.consume(bytes);
        self.tell_window()
    }

    /// Tells it the round trip time, which paces the growth of the window.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.window.set_round(rtt);
    }

    /// BUFFER_CAPACITY, as far as it has grown.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.window.capacity()
    }

    /// BUFFERED_SIZE: bytes held, with an allowance for fragments and messages; what the user has not consumed counts too.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.window.unread() + self.buffer.stored()
    }

    /// Takes in a User Data chunk, or what a Next User Data chunk stands for (section 3.6.3.2).
    pub fn on_data(&mut self, now: Instant, chunk: &UserData<'_>) -> Receipt {
        let mut reasons = AckReasons::NONE;
        self.should_ack = true;
        if std::mem::take(&mut self.is_new) {
            reasons = reasons | AckReasons::NEW_FLOW;
        }
        if self.is_open() && chunk.options.is_some() && StartupOptions::read(chunk.options).unknown {
            reasons = reasons | self.reject_unasked();
        }
        if !self.is_open() {
            reasons = reasons | AckReasons::NOT_OPEN;
        }
        if self.window.announced().is_some_and(|blocks| blocks < SMALL_WINDOW) {
            reasons = reasons | AckReasons::SMALL_WINDOW;
        }
        if chunk.abandoned {
            reasons = reasons | AckReasons::ABANDONED;
        }
        if self.has_gaps() {
            reasons = reasons | AckReasons::GAP_BEFORE;
        }
        self.window.tick(now);
        reasons = reasons | self.store(chunk);
        if self.has_gaps() {
            reasons = reasons | AckReasons::GAP_AFTER;
        }
        if self.window.capacity() < self.buffered() + NEARLY_FULL {
            reasons = reasons | AckReasons::NEARLY_FULL;
        }
        reasons = reasons | self.settle(now);
        Receipt { reasons }
    }

    /// A Buffer Probe has come: SHOULD_ACK is set, and the session sets ACK_NOW if the answer is true (section 3.6.3.6).
    #[must_use]
    pub fn on_buffer_probe(&mut self) -> bool {
        let answers = self.state != State::Closed;
        self.should_ack |= answers;
        answers
    }

    /// SHOULD_ACK: whether there is something to acknowledge.
    #[must_use]
    pub const fn should_ack(&self) -> bool {
        self.should_ack
    }

    /// Appends an acknowledgement, behind a Flow Exception Report if the flow was rejected, without letting `out` grow above
    /// `limit`. Answers whether it did; if not, `out` is as before.
    ///
    /// Departs from section 3.6.3.4.3: the exception is repeated while the flow lingers, because a flow may be rejected by the
    /// very packet that completes it.
    pub fn put_ack(&mut self, out: &mut Vec<u8>, limit: usize, form: wire::AckForm, fit: Fit) -> bool {
        let start = out.len();
        if let Some(code) = self.exception {
            wire::Chunk::FlowException { flow: self.id, code }.encode(out);
        }
        let room = match fit {
            Fit::Truncated => limit.saturating_sub(out.len()),
            Fit::Whole => usize::MAX,
        };
        let blocks = self.blocks();
        let head = AckHead { flow: self.id, buffer_blocks: blocks, cumulative: self.cumulative() };
        let len = wire::encode_ack(out, head, self.seen.iter().skip(1), form, room);
        if len == 0 || out.len() > limit {
            out.truncate(start);
            return false;
        }
        self.should_ack = false;
        self.window.announce(blocks);
        true
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::CompleteLinger { until } => Some(until),
            _ => None,
        }
    }

    /// Lets the linger run out.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline().is_some_and(|until| until <= now) {
            self.state = State::Closed;
            self.should_ack = false;
            self.events.push_back(RecvEvent::Gone);
        }
    }

    /// What happened, oldest first; messages not before [`Self::accept`], nor while suspended.
    pub fn poll(&mut self) -> Option<RecvEvent> {
        let held = self.exception.is_none() && (!self.accepted || self.suspended);
        if held { None } else { self.events.pop_front() }
    }

    /// CSN.
    fn cumulative(&self) -> u64 {
        self.seen.iter().next().map_or(0, |first| *first.end())
    }

    fn has_gaps(&self) -> bool {
        self.seen.range_count() > 1
    }

    /// Steps 9 to 13 of section 3.6.3.2. The FSN comes first, so that it may make room; the outcome is the same.
    fn store(&mut self, chunk: &UserData<'_>) -> AckReasons {
        let sequence = chunk.sequence;
        let duplicate = self.seen.contains(sequence);
        // Nothing but the end of the flow; an abandoned last message is never marked as whole by a sender of ours.
        let is_end_mark = chunk.abandoned && chunk.is_final && chunk.fragment == FragmentControl::Whole;
        let forward = chunk.forward_sequence.min(if is_end_mark { sequence - 1 } else { sequence });
        if forward > self.cumulative() {
            self.seen.insert_range(0..=forward);
            if self.is_open() {
                self.buffering(|buffer, events| buffer.skip_to(forward, events));
            }
        }
        if duplicate {
            return AckReasons::DUPLICATE;
        }
        let mut reasons = AckReasons::NONE;
        if !self.seen.contains(sequence) {
            if !self.admits(chunk) {
                return AckReasons::BEYOND_WINDOW;
            }
            self.seen.insert(sequence);
            if self.is_open() {
                let rejected = self.buffering(|buffer, events| {
                    if chunk.abandoned {
                        buffer.abandon(sequence, is_end_mark, events)
                    } else {
                        buffer.insert(sequence, chunk.fragment, chunk.data, events)
                    }
                });
                reasons = reasons | rejected;
            }
        }
        if chunk.is_final && self.final_sequence.is_none() {
            self.final_sequence = Some(sequence);
            reasons = reasons | AckReasons::FINAL;
        }
        reasons
    }

    /// Whether a new sequence number, and its data, can be kept. What is next in order is taken even into a full buffer, as long as
    /// the user reads: only it can empty the buffer.
    fn admits(&self, chunk: &UserData<'_>) -> bool {
        let sequence = chunk.sequence;
        if self.final_sequence.is_some_and(|last| sequence > last) {
            return false;
        }
        if self.seen.range_count() >= MAX_RANGES && !self.joins_a_range(sequence) {
            return false;
        }
        if !self.is_open() || chunk.abandoned && sequence == self.buffer.next() {
            return true;
        }
        let capacity = self.window.capacity();
        if sequence == self.buffer.next() && self.window.unread() < capacity {
            return true;
        }
        let most = capacity.saturating_mul(2);
        let span = (most / OVERHEAD) as u64;
        sequence - self.buffer.next() < span && self.buffered() + chunk.data.len() <= most
    }

    fn joins_a_range(&self, sequence: u64) -> bool {
        [sequence.checked_sub(1), sequence.checked_add(1)]
            .into_iter()
            .flatten()
            .any(|beside| self.seen.contains(beside))
    }

    /// Looks whether the flow has become complete (section 3.6.3.8).
    fn settle(&mut self, now: Instant) -> AckReasons {
        let complete = self.final_sequence.is_some_and(|last| self.cumulative() >= last);
        if !complete || !matches!(self.state, State::Open | State::Rejected) {
            return AckReasons::NONE;
        }
        if self.is_open() {
            self.buffer.finish(&mut self.events);
            self.events.push_back(RecvEvent::Complete);
        }
        self.state = State::CompleteLinger { until: now + LINGER };
        AckReasons::COMPLETE
    }

    /// Works on the buffer, and counts the messages that come out of it as unread.
    fn buffering(
        &mut self,
        work: impl FnOnce(&mut Reassembly, &mut VecDeque<RecvEvent>) -> Result<(), TooLong>,
    ) -> AckReasons {
        let before = self.events.len();
        let done = work(&mut self.buffer, &mut self.events);
        for event in self.events.range(before..) {
            if let RecvEvent::Message { data, .. } = event {
                self.window.delivered(data.len());
            }
        }
        match done {
            Ok(()) => AckReasons::NONE,
            Err(TooLong) => self.reject_unasked(),
        }
    }

    /// The implementation rejects the flow, after the user has been told of it.
    fn reject_unasked(&mut self) -> AckReasons {
        if !self.is_open() {
            return AckReasons::NONE;
        }
        self.reject(AUTOMATIC);
        self.events.push_back(RecvEvent::Rejected);
        AckReasons::REJECTED
    }

    fn blocks(&self) -> u64 {
        let blocks = self.window.blocks(self.buffer.stored(), self.suspended);
        if self.seen.range_count() >= MAX_RANGES { blocks.min(1) } else { blocks }
    }

    fn tell_window(&mut self) -> bool {
        let tell = matches!(self.state, State::Open) && self.window.is_worth_announcing(self.blocks());
        self.should_ack |= tell;
        tell
    }
}

/// What the option list of a User Data chunk says (section 2.3.11.1).
#[derive(Debug, Default)]
struct StartupOptions<'a> {
    metadata: Option<&'a [u8]>,
    return_of: Option<u64>,
    /// Something that cannot be ignored was not understood.
    unknown: bool,
}

impl<'a> StartupOptions<'a> {
    fn read(options: Option<&'a [u8]>) -> Self {
        let mut read = Self::default();
        for option in OptionIter(options.unwrap_or_default()) {
            match option {
                Ok(WireOption::Option { kind: flow_option::METADATA, value }) => read.metadata = Some(value),
                Ok(WireOption::Option { kind: flow_option::RETURN_FLOW, mut value }) => {
                    match wire::vlu::take(&mut value) {
                        Ok(flow) => read.return_of = Some(flow),
                        Err(_) => read.unknown = true,
                    }
                }
                Ok(WireOption::Option { kind, .. }) => read.unknown |= kind < flow_option::FIRST_IGNORABLE,
                Ok(WireOption::Marker) | Err(_) => break,
            }
        }
        read
    }
}
