//! What the session sends of its flows: budget, priorities, acknowledgements, loss and timeouts (RFC 7016 sections 3.5.2
//! and 3.6.2, as far as it concerns all sending flows together).

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Instant;
use crate::flow::{Priority, SendEvent, SendFlow, SendOptions};
use crate::wire::Ack;

use super::config::SessionConfig;
use super::congestion::{BaseRtt, Controller, DelayDetector, Feedback, Pacer, TimeCritical};
use super::event::{FlowError, FlowId, SessionEvent};
use super::reordering::Reordering;
use super::rtt::{ACK_DELAY, Rtt};
use super::stats::Counters;
use super::transmissions::Transmissions;

/// rtmfp-cpp's first flow ID, too; receivers give them no meaning (section 3.6.2.1).
const FIRST_FLOW_ID: u64 = 2;
/// Tail probes in a row before only ERTO is left.
const MAX_TAIL_PROBES: u32 = 2;
/// What timers and the far end's scheduling may add to a round trip.
const TAIL_SLACK: Duration = Duration::from_millis(10);

/// The sending half of a session.
#[derive(Debug)]
pub(super) struct Outbound {
    /// Sorted by identifier.
    flows: Vec<SendFlow>,
    next_flow: u64,
    control: Box<dyn Controller>,
    pacer: Pacer,
    detector: DelayDetector,
    base: BaseRtt,
    sent: Transmissions,
    reordering: Reordering,
    next_tsn: u64,
    newest_acked: u64,
    outstanding: usize,
    packet: Packet,
    /// TIMEOUT_ALARM (section 3.6.2.6).
    timeout: Option<Instant>,
    tail: Option<Instant>,
    tail_probes: u32,
    /// Packets that may leave whatever the budget says.
    credit: u32,
    last_sent: Instant,
    limited: bool,
    pacer_wake: Option<Instant>,
    /// Flows with something to send, the most urgent first; filled once a batch.
    ready: Vec<(Priority, usize)>,
    turn: usize,
    space: usize,
    send_buffer: usize,
    max_send_buffer: usize,
    /// Somebody else bounds what is on its way.
    bounded: bool,
}

/// What the acknowledgements of the packet at hand have said so far.
#[derive(Debug, Default)]
struct Packet {
    pre_ack_outstanding: usize,
    acked: usize,
    acks: bool,
    newest: u64,
    /// Fragments that had been found lost.
    late: u32,
}

/// What the session knows beyond the acknowledgements when a packet has been read.
#[derive(Debug)]
pub(super) struct Context {
    /// A round trip by timestamps, if the packet brought one.
    pub(super) sample: Option<Duration>,
    /// Time-critical notification.
    pub(super) critical: TimeCritical,
    /// The far end reported more Congestion Experienced.
    pub(super) ecn: bool,
}

/// What went into a packet.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// Bytes of user data chunks.
    pub(super) bytes: usize,
    /// Whether any of it is time-critical.
    pub(super) time_critical: bool,
    /// Bytes of a chunk that no packet of the present size can hold.
    pub(super) oversize: Option<usize>,
}

impl Outbound {
    pub(super) fn new(now: Instant, config: &SessionConfig, space: usize) -> Self {
        Self {
            flows: Vec::new(),
            next_flow: FIRST_FLOW_ID,
            control: config.congestion.controller(space),
            pacer: Pacer::new(now, space),
            detector: DelayDetector::new(now, config.congestion_delay),
            base: BaseRtt::default(),
            sent: Transmissions::default(),
            reordering: Reordering::default(),
            next_tsn: 1,
            newest_acked: 0,
            outstanding: 0,
            packet: Packet::default(),
            timeout: None,
            tail: None,
            tail_probes: 0,
            credit: 0,
            last_sent: now,
            limited: false,
            pacer_wake: None,
            ready: Vec::new(),
            turn: 0,
            space,
            send_buffer: config.send_buffer,
            max_send_buffer: config.max_send_buffer,
            bounded: false,
        }
    }

    // Flows.

    pub(super) fn open(
        &mut self,
        metadata: &[u8],
        return_of: Option<FlowId>,
        priority: Priority,
    ) -> Result<FlowId, FlowError> {
        let id = self.next_flow;
        let options = SendOptions { priority, packet_space: self.space, send_buffer: self.send_buffer };
        let flow = SendFlow::open(id, metadata, return_of.map(|flow| flow.0), options)?;
        if self.flows.is_empty() {
            // Mostly there is one, and at a rendezvous there are 100,000 sessions.
            self.flows.reserve_exact(1);
        }
        self.flows.push(flow);
        self.next_flow += 1;
        Ok(FlowId(id))
    }

    pub(super) fn flow(&self, id: u64) -> Option<&SendFlow> {
        self.index(id).map(|at| &self.flows[at])
    }

    pub(super) fn flow_mut(&mut self, id: FlowId) -> Result<&mut SendFlow, FlowError> {
        self.index(id.0).map(|at| &mut self.flows[at]).ok_or(FlowError::NoSuchFlow)
    }

    fn index(&self, id: u64) -> Option<usize> {
        self.flows.binary_search_by_key(&id, SendFlow::id).ok()
    }

    /// Runs `call` on a flow and passes on what happened by it.
    pub(super) fn with<T>(
        &mut self,
        id: FlowId,
        events: &mut VecDeque<SessionEvent>,
        call: impl FnOnce(&mut SendFlow) -> T,
    ) -> Result<T, FlowError> {
        let flow = self.flow_mut(id)?;
        let before = flow.outstanding();
        let result = call(flow);
        let after = flow.outstanding();
        drain(flow, events);
        self.outstanding = self.outstanding + after - before;
        Ok(result)
    }

    /// Ends all flows: they exist only in S_OPEN.
    pub(super) fn clear(&mut self) {
        self.flows.clear();
        self.sent.clear();
        self.outstanding = 0;
        self.timeout = None;
        self.tail = None;
        self.pacer_wake = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// See [`Controller::set_bounded`].
    pub(super) fn set_bounded(&mut self, bounded: bool) {
        if bounded != self.bounded {
            self.bounded = bounded;
            self.control.set_bounded(bounded);
        }
    }

    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }

    pub(super) fn window(&self) -> usize {
        self.control.window()
    }

    /// Bytes that the budget admits now.
    pub(super) fn expected(&self) -> usize {
        self.control.window().saturating_sub(self.outstanding)
    }

    /// Whether the packet at hand has acknowledgements.
    pub(super) fn packet_has_acks(&self) -> bool {
        self.packet.acks
    }

    pub(super) fn base_rtt(&self) -> Option<Duration> {
        self.base.get()
    }

    // Packets out.

    /// Looks for flows that have something to send; before a batch is assembled.
    pub(super) fn begin_batch(&mut self) {
        self.ready.clear();
        let count = self.flows.len();
        for offset in 0..count {
            let at = (self.turn + offset) % count;
            let flow = &self.flows[at];
            if flow.is_ready() {
                self.ready.push((flow.priority(), at));
            }
        }
        if self.ready.len() > 1 {
            self.ready.sort_by_key(|&(priority, _)| std::cmp::Reverse(priority));
        }
        self.turn = self.turn.wrapping_add(1) % count.max(1);
        self.limited = false;
        self.pacer_wake = None;
    }

    /// Whether there is user data to send and the budget to send it.
    pub(super) fn may_send(&mut self, now: Instant) -> bool {
        if self.ready.is_empty() {
            return false;
        }
        if self.credit > 0 {
            return true;
        }
        if self.outstanding >= self.control.window() {
            self.limited = true;
            return false;
        }
        if self.pacer.allowance(now) < self.space {
            self.limited = true;
            self.pacer_wake = Some(self.pacer.ready_at());
            return false;
        }
        true
    }

    /// Appends user data chunks up to `limit`, of the most urgent flows first, those of one priority in turn.
    /// `wire_bytes` is what pacing counts the packet as.
    pub(super) fn fill(&mut self, now: Instant, out: &mut Vec<u8>, limit: usize, wire_bytes: usize) -> Filled {
        let mut filled = Filled::default();
        let mut at = 0;
        while let Some(&(priority, index)) = self.ready.get(at) {
            let flow = &mut self.flows[index];
            let assembled = flow.assemble(now, out, limit, &mut self.next_tsn);
            filled.bytes += assembled.bytes;
            filled.time_critical |= assembled.time_critical;
            if assembled.needs.is_some_and(|needs| needs > self.space) {
                filled.oversize = assembled.needs;
            }
            if !flow.is_ready() {
                self.ready.remove(at);
                continue;
            }
            // The packet is full for this flow. The next packet begins with another of the same priority.
            let peers = self.ready[at..].iter().take_while(|entry| entry.0 == priority).count();
            if assembled.fragments > 0 {
                self.ready[at..at + peers].rotate_left(1);
                break;
            }
            at += 1;
        }
        self.outstanding += filled.bytes;
        if filled.bytes > 0 {
            self.credit = self.credit.saturating_sub(1);
            self.pacer.spend(wire_bytes);
        }
        filled
    }

    /// The next transmission sequence number; taken before a batch, it names the batch's first.
    pub(super) fn next_tsn(&self) -> u64 {
        self.next_tsn
    }

    /// A batch with `bytes` of user data chunks, whose first number is `first`, leaves.
    pub(super) fn on_batch_sent(&mut self, now: Instant, first: u64, bytes: usize, rtt: &Rtt) {
        self.control.on_sent(bytes);
        self.sent.on_sent(now, first, bytes);
        self.last_sent = now;
        self.timeout = Some(now + rtt.erto());
        self.arm_tail(now, rtt);
    }

    fn arm_tail(&mut self, now: Instant, rtt: &Rtt) {
        self.tail = None;
        let Some(srtt) = rtt.smoothed() else { return };
        if self.outstanding == 0 || self.tail_probes >= MAX_TAIL_PROBES {
            return;
        }
        // RFC 8985 section 7.2: two round trips, and the delay that a lone packet's acknowledgement may have.
        let lone = self.outstanding <= self.space;
        let wait = (srtt * 2 + TAIL_SLACK + if lone { ACK_DELAY } else { Duration::ZERO }) * (1 << self.tail_probes);
        let at = now + wait;
        if self.timeout.is_none_or(|timeout| at < timeout) {
            self.tail = Some(at);
        }
    }

    // Packets in.

    /// A packet is about to be read.
    pub(super) fn begin_packet(&mut self) {
        self.packet = Packet { pre_ack_outstanding: self.outstanding, ..Packet::default() };
    }

    /// Section 3.6.2.4.
    pub(super) fn on_ack(&mut self, now: Instant, ack: &Ack<'_>, events: &mut VecDeque<SessionEvent>) {
        self.packet.acks = true;
        let Some(at) = self.index(ack.flow) else { return };
        let flow = &mut self.flows[at];
        let before = flow.outstanding();
        let outcome = flow.on_ack(now, ack);
        self.outstanding = self.outstanding + flow.outstanding() - before;
        self.packet.acked += outcome.acked_bytes;
        self.packet.newest = self.packet.newest.max(outcome.max_tsn);
        self.packet.late += outcome.late;
        drain(flow, events);
    }

    /// Section 3.6.2.10.
    pub(super) fn on_exception(&mut self, flow: u64, code: u64, events: &mut VecDeque<SessionEvent>) {
        // An exception for a flow that is no more is late, and no error.
        let _ = self.with(FlowId(flow), events, |flow| flow.on_exception(code));
    }

    /// All chunks of a packet were read: finds losses (section 3.6.2.5) and adjusts the budget (appendix A.2).
    /// Whether anything was newly acknowledged.
    pub(super) fn finish_packet(
        &mut self,
        now: Instant,
        rtt: &Rtt,
        context: &Context,
        counters: &mut Counters,
    ) -> bool {
        let srtt = rtt.smoothed();
        let delayed = match (context.sample, srtt) {
            (Some(sample), Some(srtt)) => self.detector.on_sample(now, sample, srtt),
            _ => false,
        };
        let marked = context.ecn || delayed;
        if !self.packet.acks && !marked {
            return false;
        }
        let mut naks = false;
        let mut lost = 0;
        let mut lost_newest = 0;
        let mut sample = None;
        let mut lost_below = 0;
        if self.packet.newest > self.newest_acked {
            self.newest_acked = self.packet.newest;
            let window = self.reordering.window(srtt.unwrap_or_default());
            let acked = self.sent.on_acked(now, self.newest_acked, window);
            sample = acked.rtt;
            if let Some(rtt) = sample {
                self.base.on_sample(now, rtt);
                // Half of it, for it was not measured under every load.
                let shortest = self.base.get().unwrap_or_default() / 2;
                self.flows.iter_mut().for_each(|flow| flow.set_min_rtt(shortest));
            }
            lost_below = acked.lost_below;
        }
        if self.packet.acks {
            for flow in &mut self.flows {
                let counted = if self.reordering.is_seen() {
                    flow.count_naks(self.newest_acked)
                } else {
                    flow.on_naks(self.newest_acked)
                };
                for found in [counted, flow.lose_sent_before(lost_below)] {
                    naks |= found.any;
                    lost += found.lost_bytes;
                    lost_newest = lost_newest.max(found.newest_lost);
                }
            }
        }
        self.reordering.on_feedback(self.newest_acked, self.next_tsn, self.packet.late, lost > 0);
        self.outstanding -= lost;
        self.sent.on_lost(lost);
        counters.bytes_lost += lost as u64;
        counters.bytes_acked += self.packet.acked as u64;
        let feedback = Feedback {
            now,
            acked: self.packet.acked,
            lost,
            lost_newest,
            acks: self.packet.acks,
            naks,
            marked,
            pre_ack_outstanding: self.packet.pre_ack_outstanding,
            outstanding: self.outstanding,
            newest_acked: self.newest_acked,
            next_tsn: self.next_tsn,
            rtt: sample,
            srtt,
            base_rtt: self.base.get(),
            limited: self.limited,
            paced: self.pacer.is_active(),
            critical: context.critical,
        };
        self.control.on_feedback(&feedback);
        let trouble = lost > 0 || naks;
        let before = self.packet.pre_ack_outstanding;
        self.detector.on_feedback(now, trouble, srtt, before, self.space, &mut *self.control);
        self.pacer.set(now, self.control.window(), srtt, self.control.pacing_gain(), self.space);
        self.grow_send_buffer(2 * self.control.window());
        if self.packet.acks {
            if self.packet.acked > 0 {
                self.tail_probes = 0;
            }
            if self.timeout.is_some() {
                self.timeout = Some(now + rtt.erto());
            }
            self.arm_tail(now, rtt);
        }
        self.packet.acked > 0
    }

    pub(super) fn grow_send_buffer(&mut self, wanted: usize) {
        if wanted <= self.send_buffer || self.send_buffer >= self.max_send_buffer {
            return;
        }
        self.send_buffer = wanted.max(2 * self.send_buffer).min(self.max_send_buffer);
        for flow in &mut self.flows {
            flow.set_send_buffer(self.send_buffer);
        }
    }

    // Time.

    /// When [`Self::handle_timeout`] has something to do, or paced data may leave.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let flows = self.flows.iter().filter_map(SendFlow::deadline).min();
        [self.timeout, self.tail, self.pacer_wake, flows].into_iter().flatten().min()
    }

    /// Lets alarms fire; flows that want a Buffer Probe are appended to `probes`. Whether there was a timeout with loss.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        rtt: &mut Rtt,
        probes: &mut Vec<u64>,
        counters: &mut Counters,
        events: &mut VecDeque<SessionEvent>,
    ) -> bool {
        if self.pacer_wake.is_some_and(|wake| wake <= now) {
            self.pacer_wake = None;
        }
        for flow in &mut self.flows {
            if flow.deadline().is_none_or(|deadline| deadline > now) {
                continue;
            }
            let before = flow.outstanding();
            flow.handle_timeout(now);
            self.outstanding = self.outstanding + flow.outstanding() - before;
            if flow.take_buffer_probe(now, rtt.erto()) {
                probes.push(flow.id());
            }
            drain(flow, events);
        }
        self.flows.retain(|flow| !flow.is_gone());
        let mut was_loss = false;
        if self.timeout.is_some_and(|timeout| timeout <= now) {
            was_loss = self.on_timeout(now, rtt, counters);
        } else if self.tail.is_some_and(|tail| tail <= now) {
            self.probe_tail(now, rtt, counters);
        }
        was_loss
    }

    /// TIMEOUT_ALARM (section 3.6.2.6).
    fn on_timeout(&mut self, now: Instant, rtt: &mut Rtt, counters: &mut Counters) -> bool {
        self.timeout = None;
        self.tail = None;
        self.tail_probes = 0;
        let mut was_loss = false;
        for flow in &mut self.flows {
            was_loss |= flow.on_timeout();
        }
        if was_loss {
            rtt.back_off();
            counters.timeouts += 1;
            counters.bytes_lost += self.outstanding as u64;
            self.sent.on_lost(self.outstanding);
        }
        self.outstanding = 0;
        self.sent.clear();
        let before = self.control.window();
        self.control.on_timeout(was_loss);
        if !was_loss && self.control.window() < before {
            // Silent for longer, it keeps less.
            self.timeout = Some(now + rtt.erto());
        }
        self.detector.reset();
        self.pacer.set(now, self.control.window(), rtt.smoothed(), self.control.pacing_gain(), self.space);
        was_loss
    }

    /// Sends one packet beyond the budget, the newest one again if there is nothing new, so that its acknowledgement
    /// shows what is missing before ERTO. Departs from section 3.6.2.6, after RFC 8985 section 7.
    fn probe_tail(&mut self, now: Instant, rtt: &Rtt, counters: &mut Counters) {
        self.tail_probes += 1;
        counters.tail_probes += 1;
        self.credit = 1;
        if !self.flows.iter().any(SendFlow::is_ready)
            && let Some(flow) = self.flows.iter_mut().max_by_key(|flow| flow.newest_in_flight())
        {
            let recalled = flow.recall_newest();
            self.outstanding -= recalled;
            self.sent.on_lost(recalled);
        }
        self.arm_tail(now, rtt);
    }

    /// Something was heard after a silence: what had been sent into it need not wait for the rest of its backoff.
    pub(super) fn hasten(&mut self, now: Instant, rtt: &Rtt) {
        if let Some(timeout) = &mut self.timeout {
            *timeout = (*timeout).min((self.last_sent + rtt.mrto()).max(now));
        }
    }

    /// Bytes for chunks in a packet.
    pub(super) const fn space(&self) -> usize {
        self.space
    }

    /// Follows the packet size: bytes for chunks in one.
    pub(super) fn set_space(&mut self, space: usize) {
        self.space = space;
        self.control.set_segment(space);
        for flow in &mut self.flows {
            flow.set_packet_space(space);
        }
    }

    /// Everything known of the path is void.
    pub(super) fn on_new_path(&mut self, now: Instant, config: &SessionConfig) {
        for flow in &mut self.flows {
            // What is on its way to the old address arrives no more, and would keep the new window full.
            flow.on_timeout();
        }
        self.sent.on_lost(self.outstanding);
        self.outstanding = 0;
        self.control = config.congestion.controller(self.space);
        self.control.set_bounded(self.bounded);
        self.pacer = Pacer::new(now, self.space);
        self.detector.reset();
        self.base.clear();
        self.sent.clear();
        self.reordering = Reordering::default();
        self.tail = None;
    }
}

fn drain(flow: &mut SendFlow, events: &mut VecDeque<SessionEvent>) {
    let id = FlowId(flow.id());
    while let Some(event) = flow.poll() {
        events.push_back(match event {
            SendEvent::Writable => SessionEvent::Writable { flow: id },
            SendEvent::Delivered(message) => SessionEvent::Delivered { flow: id, id: message },
            SendEvent::Abandoned(message) => SessionEvent::Abandoned { flow: id, id: message },
            SendEvent::Exception(code) => SessionEvent::FlowException { flow: id, code },
            SendEvent::Complete => SessionEvent::FlowComplete { flow: id },
            SendEvent::Gone => continue,
        });
    }
}
