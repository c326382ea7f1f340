//! The session itself: what it is made of, and what its owner may ask of it.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, Path, Rng, SessionId};
use crate::crypto::{FarIdentity, Opened, ProfileKind, SessionKeys};
use crate::flow::{Lifetime, MessageId, Order, Priority, ReceiveLimits, SendFlow};
use crate::wire::{AckForm, Address, Chunk, FIHello, Header};

use super::config::{Role, SessionConfig, SessionParams};
use super::critical::Critical;
use super::ecn::EcnReports;
use super::event::{CloseReason, FlowError, FlowId, SessionEvent};
use super::fragments::Reassembly;
use super::inbound::Inbound;
use super::liveness::Liveness;
use super::mobility::Mobility;
use super::outbound::Outbound;
use super::pmtud::PathMtu;
use super::rtt::{ForwardDelay, Rtt, Timestamps};
use super::stats::{Counters, SessionStats};

/// By how much packet numbers of profile `flash` grow in 2^28 packets. A fragment that fills a packet must still fit into
/// one when it is sent again with a longer number.
const NUMBER_GROWTH: usize = 3;
/// Between two Close chunks (section 3.5.5).
pub(super) const CLOSE_PERIOD: Duration = Duration::from_secs(5);
/// How long S_NEARCLOSE waits for the far end's agreement.
const NEAR_CLOSE: Duration = Duration::from_secs(90);
/// How long S_FARCLOSE_LINGER answers repeated Closes.
const FAR_CLOSE_LINGER: Duration = Duration::from_secs(19);
/// The window that an accepted flow starts with, if it may have so much: a sender in slow start shall not run into it
/// before it has grown.
const ACCEPTED_WINDOW: usize = 512 << 10;
/// Bytes of chunks that wait for the next packet, beyond which Pings go unanswered.
pub(super) const MAX_PENDING_CHUNKS: usize = 8192;

/// A session with one peer, from the moment that its keys are known (RFC 7016 section 3.5).
///
/// A sans-IO machine. `handle` comes in two forms, [`Session::receive`] and [`Session::handle_timeout`]; after either,
/// and after any call that may have something to send, drain [`Session::poll_transmit`] and [`Session::poll_event`].
#[derive(Debug)]
pub struct Session {
    pub(super) role: Role,
    pub(super) keys: SessionKeys,
    pub(super) near_id: SessionId,
    pub(super) far_id: SessionId,
    pub(super) path: Path,
    pub(super) far: FarIdentity,
    pub(super) far_certificate: Vec<u8>,
    pub(super) config: SessionConfig,
    pub(super) rng: Rng,
    pub(super) state: State,
    pub(super) confirmed: bool,
    pub(super) timestamps: Timestamps,
    pub(super) rtt: Rtt,
    pub(super) forward: ForwardDelay,
    pub(super) critical: Critical,
    pub(super) liveness: Liveness,
    pub(super) mobility: Mobility,
    pub(super) mtu: PathMtu,
    pub(super) ecn: EcnReports,
    pub(super) outbound: Outbound,
    pub(super) inbound: Inbound,
    pub(super) reassembly: Reassembly,
    /// Encoded chunks for DESTADDR other than data and acknowledgements, and the length of each.
    pub(super) chunks: Vec<u8>,
    pub(super) chunk_lens: VecDeque<usize>,
    pub(super) ping_pending: bool,
    pub(super) next_packet_id: u64,
    pub(super) events: VecDeque<SessionEvent>,
    pub(super) counters: Counters,
    /// Kept for their capacity.
    pub(super) opened: Vec<Opened>,
    pub(super) packets: Vec<Range<usize>>,
}

/// Section 3.5, from S_OPEN on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    NearClose { until: Instant, next: Instant },
    FarCloseLinger { until: Instant },
    Closed,
}

impl Session {
    /// A session that keying has just opened.
    #[must_use]
    pub fn new(now: Instant, rng: Rng, params: SessionParams) -> Self {
        let SessionParams { role, keys, near_id, far_id, path, far, far_certificate, confirmed, config } = params;
        let mtu = PathMtu::new(now, config.max_datagram);
        let space = keys.sealer.max_plain(mtu.current()).saturating_sub(Header::MAX_LEN);
        let rtt = Rtt::default();
        let extra = if role == Role::Responder { rtt.mrto() } else { Duration::ZERO };
        Self {
            role,
            near_id,
            far_id,
            path,
            far,
            far_certificate,
            rng,
            state: State::Open,
            confirmed,
            timestamps: Timestamps::default(),
            rtt,
            forward: ForwardDelay::default(),
            critical: Critical::new(config.critical.clone(), near_id),
            liveness: Liveness::new(now, config.keepalive, config.give_up, extra),
            mobility: Mobility::default(),
            mtu,
            ecn: EcnReports::new(config.ecn),
            outbound: Outbound::new(now, &config, space),
            inbound: Inbound::new(&config),
            reassembly: Reassembly::default(),
            chunks: Vec::new(),
            chunk_lens: VecDeque::new(),
            // The far end holds a session back until a packet opens: it gets one at once.
            ping_pending: confirmed,
            next_packet_id: 0,
            events: VecDeque::new(),
            counters: Counters::default(),
            opened: Vec::new(),
            packets: Vec::new(),
            keys,
            config,
        }
    }

    /// The session ID of packets to us.
    #[must_use]
    pub fn near_id(&self) -> SessionId {
        self.near_id
    }

    /// The session ID of packets to the far end.
    #[must_use]
    pub fn far_id(&self) -> SessionId {
        self.far_id
    }

    /// Our part in the keying.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Who the far end is.
    #[must_use]
    pub fn far(&self) -> &FarIdentity {
        &self.far
    }

    /// The far end's certificate.
    #[must_use]
    pub fn far_certificate(&self) -> &[u8] {
        &self.far_certificate
    }

    /// DESTADDR.
    #[must_use]
    pub fn path(&self) -> Path {
        self.path
    }

    /// Our session nonce (RFC 7425 section 4.6.5).
    #[must_use]
    pub fn near_nonce(&self) -> &[u8; 32] {
        &self.keys.near_nonce
    }

    /// The far end's session nonce.
    #[must_use]
    pub fn far_nonce(&self) -> &[u8; 32] {
        &self.keys.far_nonce
    }

    /// Whether the far end has proved to be there. Until then the session sends nothing.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// When an authentic packet came last; when the session began, if none did.
    #[must_use]
    pub fn last_heard(&self) -> Instant {
        self.liveness.last_heard()
    }

    /// S_OPEN: flows exist only in this state.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// S_CLOSED and nothing left to send: the session can be dropped.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.state == State::Closed && self.chunks.is_empty()
    }

    /// Whether no flow exists in either direction. A session may be closed when that lasts (section 3.5.5).
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.outbound.is_empty() && self.inbound.is_empty()
    }

    /// How long packets to the far end have waited in queues of late, beyond the shortest time of the last minutes; `None` before it
    /// was measured.
    #[must_use]
    pub fn queueing(&self) -> Option<Duration> {
        self.forward.wait()
    }

    /// Whether somebody else bounds what is on its way in this session and others by how long packets wait: then the
    /// window begins wider, and light loss does not cut it.
    pub fn set_bounded(&mut self, bounded: bool) {
        self.outbound.set_bounded(bounded);
    }

    /// A look at the path and the counters.
    #[must_use]
    pub fn stats(&self, now: Instant) -> SessionStats {
        SessionStats {
            srtt: self.rtt.smoothed(),
            base_rtt: self.outbound.base_rtt(),
            cwnd: self.outbound.window(),
            outstanding: self.outbound.outstanding(),
            path: self.path,
            mtu: self.mtu.current(),
            silence: now - self.liveness.last_heard(),
            counters: self.counters.clone(),
        }
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    // Sending flows.

    /// Opens a flow to the far end, in answer to its flow `return_of` if there is one. Nothing is sent before the first
    /// write (or [`Session::begin_flow`]).
    ///
    /// # Errors
    /// If the session is not open, the answered flow is gone, or the metadata is too long.
    pub fn open_flow(
        &mut self,
        _now: Instant,
        metadata: &[u8],
        return_of: Option<FlowId>,
        priority: Priority,
    ) -> Result<FlowId, FlowError> {
        self.check_open()?;
        if return_of.is_some_and(|flow| !self.inbound.is_flow_open(flow)) {
            return Err(FlowError::AnsweredFlowClosed);
        }
        self.outbound.open(metadata, return_of, priority)
    }

    /// Lets each flow queue at least so many bytes from now on, up to [`SessionConfig::max_send_buffer`]: for an owner that
    /// writes much at once and cannot keep what is refused.
    pub fn reserve_send_buffer(&mut self, bytes: usize) {
        self.outbound.grow_send_buffer(bytes);
    }

    /// Makes the far end see the flow without any data.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn begin_flow(&mut self, flow: FlowId) -> Result<(), FlowError> {
        self.send_side(flow, SendFlow::begin)
    }

    /// Queues a message.
    ///
    /// # Errors
    /// If there is no such flow, or it does not take the message.
    pub fn write(
        &mut self,
        now: Instant,
        flow: FlowId,
        data: Bytes,
        lifetime: Lifetime,
    ) -> Result<MessageId, FlowError> {
        self.send_side(flow, |flow| flow.write(now, data, lifetime))?.map_err(FlowError::Write)
    }

    /// Gives a message up.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn abandon(&mut self, flow: FlowId, message: MessageId) -> Result<(), FlowError> {
        self.send_side(flow, |flow| flow.abandon(message))
    }

    /// Says that no more will be written; what is queued will still be delivered.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn close_flow(&mut self, flow: FlowId) -> Result<(), FlowError> {
        self.send_side(flow, SendFlow::close)
    }

    /// Gives a flow another priority.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn set_priority(&mut self, flow: FlowId, priority: Priority) -> Result<(), FlowError> {
        self.send_side(flow, |flow| flow.set_priority(priority))
    }

    /// Bytes of a flow that are queued and not acknowledged.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn buffered(&self, flow: FlowId) -> Result<usize, FlowError> {
        self.outbound.flow(flow.0).map(SendFlow::buffered).ok_or(FlowError::NoSuchFlow)
    }

    fn send_side<T>(&mut self, flow: FlowId, call: impl FnOnce(&mut SendFlow) -> T) -> Result<T, FlowError> {
        self.check_open()?;
        self.outbound.with(flow, &mut self.events, call)
    }

    fn check_open(&self) -> Result<(), FlowError> {
        if self.is_open() { Ok(()) } else { Err(FlowError::SessionClosed) }
    }

    // Receiving flows.

    /// Takes a flow that the far end opened; its window starts with `capacity` bytes or less and may grow to that.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn accept_flow(&mut self, flow: FlowId, order: Order, capacity: usize) -> Result<(), FlowError> {
        let start = ACCEPTED_WINDOW.min(capacity);
        let limits = ReceiveLimits { capacity: start, max_capacity: capacity, ..self.config.receive };
        self.inbound.with(flow, &mut self.events, |flow| {
            flow.accept(order, limits);
            false
        })
    }

    /// Refuses a flow, now or later; the far end is told `code`.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn reject_flow(&mut self, flow: FlowId, code: u64) -> Result<(), FlowError> {
        self.inbound.with(flow, &mut self.events, |flow| {
            flow.reject(code);
            true
        })
    }

    /// `bytes` of delivered messages are done with, which makes room for more.
    ///
    /// # Errors
    /// If there is no such flow, or no longer.
    pub fn consume(&mut self, flow: FlowId, bytes: usize) -> Result<(), FlowError> {
        self.inbound.with(flow, &mut self.events, |flow| flow.consume(bytes))
    }

    /// Acknowledges a flow now, rather than with what is sent next or after a fifth of a second: for far ends that wait for it.
    ///
    /// # Errors
    /// If there is no such flow, or no longer.
    pub fn acknowledge(&mut self, flow: FlowId) -> Result<(), FlowError> {
        self.inbound.with(flow, &mut self.events, |_| true)
    }

    /// Holds a flow's messages back and lets its window close.
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn suspend_flow(&mut self, flow: FlowId) -> Result<(), FlowError> {
        self.inbound.with(flow, &mut self.events, |flow| {
            flow.suspend();
            false
        })
    }

    /// Ends [`Session::suspend_flow`].
    ///
    /// # Errors
    /// If there is no such flow.
    pub fn resume_flow(&mut self, flow: FlowId) -> Result<(), FlowError> {
        self.inbound.with(flow, &mut self.events, crate::flow::RecvFlow::resume)
    }

    // The session as a whole.

    /// Pings the far end whenever either direction was silent for `period`; never, if there is none.
    pub fn set_keepalive(&mut self, period: Option<Duration>) {
        self.liveness.set_keepalive(period);
    }

    /// How long the far end may leave a question unanswered until it counts as gone.
    pub fn set_give_up(&mut self, after: Duration) {
        self.liveness.set_give_up(after);
    }

    /// Sends a Ping at once: to have the far end notice a new address of ours, or to see whether it lives.
    pub fn ping(&mut self) {
        self.ping_pending |= self.is_open();
    }

    /// Tells the far end of somebody who wants to reach it (section 2.3.3). `false` if that does not fit into a packet
    /// or too much is waiting already.
    pub fn send_fihello(&mut self, epd: &[u8], reply: Address, tag: &[u8]) -> bool {
        self.is_open() && self.queue_chunk(&Chunk::FIHello(FIHello { epd, reply, tag }))
    }

    /// Closes in good order: the far end is told until it agrees. All flows end now; whoever wants everything delivered
    /// closes the flows and waits first.
    pub fn close(&mut self, now: Instant) {
        if !self.is_open() {
            return;
        }
        if self.confirmed {
            self.leave_open(State::NearClose { until: now + NEAR_CLOSE, next: now });
        } else {
            self.finish(CloseReason::Near);
        }
    }

    /// Closes abruptly: the far end is told once.
    pub fn abort(&mut self, _now: Instant) {
        if self.state != State::Closed {
            self.finish_and_tell(CloseReason::Aborted);
        }
    }

    // For the other files of this floor.

    /// Queues a chunk for DESTADDR; `false` if it does not fit into a packet or too much waits.
    pub(super) fn queue_chunk(&mut self, chunk: &Chunk<'_>) -> bool {
        let len = chunk.encoded_len();
        if len > self.space() || self.chunks.len() + len > MAX_PENDING_CHUNKS {
            return false;
        }
        chunk.encode(&mut self.chunks);
        self.chunk_lens.push_back(len);
        true
    }

    /// Bytes for chunks in a packet with the longest header.
    pub(super) fn space(&self) -> usize {
        let growth = if self.far.kind == ProfileKind::Flash { NUMBER_GROWTH } else { 0 };
        self.keys.sealer.max_plain(self.mtu.current()).saturating_sub(Header::MAX_LEN + growth)
    }

    /// rtmfp-cpp reads only ranges completely, and whoever speaks `flash` may be it.
    pub(super) fn ack_form(&self) -> AckForm {
        if self.far.kind == ProfileKind::Flash { AckForm::Range } else { AckForm::Compact }
    }

    /// Leaves S_OPEN: all flows end.
    pub(super) fn leave_open(&mut self, state: State) {
        self.outbound.clear();
        self.inbound.clear();
        self.chunks.clear();
        self.chunk_lens.clear();
        self.ping_pending = false;
        self.state = state;
    }

    /// The far end asks to close (section 3.5.5).
    pub(super) fn on_close(&mut self, now: Instant) {
        if self.is_open() {
            self.leave_open(State::FarCloseLinger { until: now + FAR_CLOSE_LINGER });
            self.events.push_back(SessionEvent::Closed(CloseReason::Far));
        }
        if self.chunks.is_empty() {
            self.queue_chunk(&Chunk::SessionCloseAck);
        }
    }

    /// The far end agrees to close, or has closed abruptly (section 3.5.5).
    pub(super) fn on_close_ack(&mut self) {
        match self.state {
            State::Open => self.finish(CloseReason::FarAborted),
            State::NearClose { .. } => self.finish(CloseReason::Near),
            State::FarCloseLinger { .. } | State::Closed => self.leave_open(State::Closed),
        }
    }

    /// Moves to S_CLOSED, and says why unless that was said when S_OPEN was left.
    pub(super) fn finish(&mut self, reason: CloseReason) {
        if !matches!(self.state, State::FarCloseLinger { .. } | State::Closed) {
            self.events.push_back(SessionEvent::Closed(reason));
        }
        self.leave_open(State::Closed);
    }

    /// The same, with a Session Close Acknowledgement as the last word.
    pub(super) fn finish_and_tell(&mut self, reason: CloseReason) {
        self.finish(reason);
        if self.confirmed {
            self.queue_chunk(&Chunk::SessionCloseAck);
        }
    }
}
