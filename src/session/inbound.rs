//! What the session receives of the far end's flows, and when it acknowledges (RFC 7016 section 3.6.3, as far as it
//! concerns all receiving flows together).

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Instant, TokenBucket};
use crate::flow::{Fit, ReceiveLimits, RecvEvent, RecvFlow};
use crate::wire::{AckForm, UserData};

use super::config::SessionConfig;
use super::event::{FlowError, FlowId, SessionEvent};
use super::rtt::ACK_DELAY;
use super::stats::DropReason;

/// Packets with user data after which an acknowledgement goes out (section 3.6.3.4.1).
const PACKETS_PER_ACK: u32 = 2;

/// The receiving half of a session.
#[derive(Debug)]
pub(super) struct Inbound {
    /// Sorted by identifier.
    flows: Vec<RecvFlow>,
    /// ACK_NOW.
    ack_now: bool,
    /// DELACK_ALARM.
    delayed: Option<Instant>,
    /// RX_DATA_PACKETS.
    data_packets: u32,
    packet_has_data: bool,
    /// Some flow may have something to acknowledge.
    pending: bool,
    new_flows: TokenBucket,
    max_flows: usize,
    limits: ReceiveLimits,
    rtt: Option<Duration>,
}

impl Inbound {
    pub(super) fn new(config: &SessionConfig) -> Self {
        let rate = u64::from(config.new_flows_per_second);
        Self {
            flows: Vec::new(),
            ack_now: false,
            delayed: None,
            data_packets: 0,
            packet_has_data: false,
            pending: false,
            new_flows: TokenBucket::new(rate, rate),
            max_flows: config.max_receiving_flows,
            limits: config.receive,
            rtt: None,
        }
    }

    fn index(&self, id: u64) -> Result<usize, usize> {
        self.flows.binary_search_by_key(&id, RecvFlow::id)
    }

    /// Whether a flow of the far end exists and is RF_OPEN.
    pub(super) fn is_flow_open(&self, id: FlowId) -> bool {
        self.index(id.0).is_ok_and(|at| self.flows[at].is_open())
    }

    /// Runs `call` on a flow, which says whether the far end should hear of it at once; passes on what happened by it.
    pub(super) fn with(
        &mut self,
        id: FlowId,
        events: &mut VecDeque<SessionEvent>,
        call: impl FnOnce(&mut RecvFlow) -> bool,
    ) -> Result<(), FlowError> {
        let at = self.index(id.0).map_err(|_| FlowError::NoSuchFlow)?;
        let flow = &mut self.flows[at];
        let at_once = call(flow);
        drain(flow, events);
        self.ack_now |= at_once;
        self.pending |= flow.should_ack();
        Ok(())
    }

    /// Takes a User Data chunk, or what a Next User Data chunk stands for. `is_open` tells of our sending flows.
    pub(super) fn on_data(
        &mut self,
        now: Instant,
        chunk: &UserData<'_>,
        is_open: impl FnOnce(u64) -> bool,
        events: &mut VecDeque<SessionEvent>,
    ) -> Result<(), DropReason> {
        let at = match self.index(chunk.flow) {
            Ok(at) if !self.flows[at].is_gone() => at,
            found => {
                let (Ok(at) | Err(at)) = found;
                if self.flows.len() >= self.max_flows || !self.new_flows.take(now, 1) {
                    return Err(DropReason::TooManyFlows);
                }
                if found.is_ok() {
                    self.flows.remove(at);
                }
                let mut flow = RecvFlow::open(chunk, self.limits, is_open);
                if let Some(rtt) = self.rtt {
                    flow.set_rtt(rtt);
                }
                if flow.is_open() {
                    events.push_back(SessionEvent::FlowOpened {
                        flow: FlowId(flow.id()),
                        metadata: flow.metadata().clone(),
                        return_of: flow.return_of().map(FlowId),
                    });
                }
                if self.flows.is_empty() {
                    // Mostly there is one, and at a rendezvous there are 100,000 sessions.
                    self.flows.reserve_exact(1);
                }
                self.flows.insert(at, flow);
                at
            }
        };
        let flow = &mut self.flows[at];
        let receipt = flow.on_data(now, chunk);
        self.packet_has_data = true;
        self.pending = true;
        self.ack_now |= receipt.ack_now();
        drain(flow, events);
        Ok(())
    }

    /// Section 3.6.3.6; a probe of an unknown flow is ignored.
    pub(super) fn on_buffer_probe(&mut self, flow: u64) {
        if let Ok(at) = self.index(flow) {
            self.ack_now |= self.flows[at].on_buffer_probe();
            self.pending = true;
        }
    }

    /// All chunks of a packet were read.
    pub(super) fn finish_packet(&mut self, now: Instant) {
        if !std::mem::take(&mut self.packet_has_data) {
            return;
        }
        self.data_packets += 1;
        if self.data_packets >= PACKETS_PER_ACK {
            self.ack_now = true;
        }
        if self.delayed.is_none() {
            self.delayed = Some(now + ACK_DELAY);
        }
    }

    /// The round trip was measured anew; it paces the growth of windows.
    pub(super) fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = Some(rtt);
        for flow in &mut self.flows {
            flow.set_rtt(rtt);
        }
    }

    /// Whether an acknowledgement has to go now (section 3.6.3.4.5).
    pub(super) fn must_ack(&self) -> bool {
        self.ack_now && self.pending
    }

    /// Whether there is anything to acknowledge.
    pub(super) fn has_acks(&self) -> bool {
        self.pending
    }

    /// Appends acknowledgements up to `limit`; the first may be cut to fit if `obligatory`. Whether any went in.
    pub(super) fn put_acks(&mut self, out: &mut Vec<u8>, limit: usize, form: AckForm, obligatory: bool) -> bool {
        let mut any = false;
        let mut left = false;
        for flow in self.flows.iter_mut().filter(|flow| flow.should_ack()) {
            let fit = if obligatory && !any { Fit::Truncated } else { Fit::Whole };
            if flow.put_ack(out, limit, form, fit) {
                any = true;
            } else {
                left = true;
            }
        }
        self.pending = left;
        if !left {
            self.ack_now = false;
            self.data_packets = 0;
            self.delayed = None;
        }
        any
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let flows = self.flows.iter().filter_map(RecvFlow::deadline).min();
        [self.delayed, flows].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, events: &mut VecDeque<SessionEvent>) {
        if self.delayed.is_some_and(|delayed| delayed <= now) {
            self.delayed = None;
            self.ack_now = true;
        }
        for flow in &mut self.flows {
            if flow.deadline().is_some_and(|deadline| deadline <= now) {
                flow.handle_timeout(now);
                drain(flow, events);
            }
        }
        self.flows.retain(|flow| !flow.is_gone());
    }

    /// Ends all flows: they exist only in S_OPEN.
    pub(super) fn clear(&mut self) {
        self.flows.clear();
        self.ack_now = false;
        self.delayed = None;
        self.pending = false;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }
}

fn drain(flow: &mut RecvFlow, events: &mut VecDeque<SessionEvent>) {
    let id = FlowId(flow.id());
    while let Some(event) = flow.poll() {
        events.push_back(match event {
            RecvEvent::Message { sequence, data, .. } => SessionEvent::Message { flow: id, sequence, data },
            RecvEvent::Lost { first, last } => SessionEvent::Lost { flow: id, first, last },
            RecvEvent::Complete => SessionEvent::FlowFinished { flow: id, complete: true },
            RecvEvent::Rejected => SessionEvent::FlowFinished { flow: id, complete: false },
            RecvEvent::Gone => continue,
        });
    }
}
