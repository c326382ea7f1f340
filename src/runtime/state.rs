//! What a host keeps between the node's events and whoever waits for them: queues and wakers, one set per flow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;

use super::driver::{Machine, Shared};
use super::interfaces::LocalAddress;
use crate::base::{Instant, Path, Received, Transmit};
use crate::crypto::FarIdentity;
use crate::node::{
    CloseReason, DialError, DialId, FlowId, GroupHandle, MemberEvent, MessageId, Node, NodeEvent, PeerHandle,
};

/// Notices that wait for a reader; the oldest go first.
const MAX_NOTICES: usize = 1024;
/// Bytes of a group's events that wait for a reader; what comes beyond is counted instead.
const MAX_NEWS: usize = 64 << 20;
/// Moves and given-up messages that wait for a reader; the oldest go first.
const MAX_HISTORY: usize = 4096;

/// A node's way to its driver. The driver ends with the last of these.
pub(super) struct Core {
    shared: Arc<Shared<State>>,
}

impl Core {
    pub(super) fn new(shared: Arc<Shared<State>>) -> Arc<Self> {
        Arc::new(Self { shared })
    }
}

impl std::ops::Deref for Core {
    type Target = Shared<State>;

    fn deref(&self) -> &Shared<State> {
        &self.shared
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shared.command(|state, now| state.node.shut_down(now));
        self.shared.stop();
    }
}

/// The node and what is waited for.
pub(super) struct State {
    pub(super) node: Node,
    pub(super) peers: BTreeMap<PeerHandle, PeerState>,
    /// Peers that nobody holds any more and that are not closed yet.
    pub(super) leaving: BTreeSet<PeerHandle>,
    pub(super) dials: BTreeMap<DialId, DialState>,
    pub(super) incoming: VecDeque<PeerHandle>,
    pub(super) notices: VecDeque<NodeEvent>,
    pub(super) groups: BTreeMap<GroupHandle, GroupState>,
    pub(super) waiters: Waiters,
    pub(super) local: Vec<SocketAddr>,
    pub(super) stopped: bool,
}

/// An attempt that somebody waits for.
#[derive(Default)]
pub(super) struct DialState {
    pub(super) result: Option<Result<PeerHandle, DialError>>,
    pub(super) waiter: Option<Waker>,
}

/// A peer that somebody holds.
pub(super) struct PeerState {
    pub(super) far: FarIdentity,
    pub(super) path: Option<Path>,
    pub(super) sends: BTreeMap<FlowId, SendState>,
    pub(super) receives: BTreeMap<FlowId, ReceiveState>,
    /// Flows that the peer opened and nobody took yet.
    pub(super) opened: VecDeque<FlowId>,
    pub(super) moves: VecDeque<(Path, Path)>,
    pub(super) closed: Option<CloseReason>,
    pub(super) waiters: Waiters,
}

/// A sending flow.
#[derive(Default)]
pub(super) struct SendState {
    pub(super) waiter: Option<Waker>,
    pub(super) answer_waiter: Option<Waker>,
    /// Flows with which the peer answers this one and that nobody took yet.
    pub(super) answers: VecDeque<FlowId>,
    /// Lengths of messages whose fate is open, from the message `first` on; `None` once it is known.
    in_flight: VecDeque<Option<usize>>,
    first: u64,
    pub(super) acknowledged: u64,
    pub(super) abandoned: VecDeque<MessageId>,
    pub(super) end: Option<SendEnd>,
}

/// How a sending flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendEnd {
    Complete,
    Rejected(u64),
}

/// A receiving flow.
pub(super) struct ReceiveState {
    pub(super) metadata: Bytes,
    pub(super) return_of: Option<FlowId>,
    pub(super) queue: VecDeque<Arrival>,
    pub(super) finished: Option<bool>,
    pub(super) waiter: Option<Waker>,
}

/// What a receiving flow brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arrival {
    Message { sequence: u64, data: Bytes },
    Lost { span: u64 },
}

/// What a group tells, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupItem {
    /// Something happened.
    Event(MemberEvent),
    /// The reader was too slow: so many events were dropped here.
    Lost(u64),
}

/// What a group told and nobody read yet.
#[derive(Default)]
pub(super) struct GroupState {
    news: VecDeque<(GroupItem, usize)>,
    bytes: usize,
    pub(super) left: bool,
    pub(super) waiters: Waiters,
}

impl GroupState {
    fn push(&mut self, event: MemberEvent) {
        let size = event.size();
        if self.bytes + size <= MAX_NEWS {
            self.bytes += size;
            self.news.push_back((GroupItem::Event(event), size));
        } else if let Some((GroupItem::Lost(count), _)) = self.news.back_mut() {
            *count += 1;
        } else {
            self.news.push_back((GroupItem::Lost(1), 0));
        }
        self.waiters.wake();
    }

    pub(super) fn pop(&mut self) -> Option<GroupItem> {
        let (item, size) = self.news.pop_front()?;
        self.bytes -= size;
        Some(item)
    }
}

/// Tasks that wait for something to change.
#[derive(Default)]
pub(super) struct Waiters(Vec<Waker>);

impl Waiters {
    pub(super) fn add(&mut self, cx: &Context<'_>) {
        if !self.0.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.0.push(cx.waker().clone());
        }
    }

    fn wake(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

/// Wakes the one task that waits, if any.
fn wake(waiter: &mut Option<Waker>) {
    if let Some(waiter) = waiter.take() {
        waiter.wake();
    }
}

impl SendState {
    /// Takes note of a message of `len` bytes, the next in order.
    pub(super) fn wrote(&mut self, id: MessageId, len: usize) {
        if self.in_flight.is_empty() {
            self.first = id.0;
        }
        self.in_flight.push_back(Some(len));
    }

    fn settle(&mut self, id: MessageId) -> Option<usize> {
        let index = usize::try_from(id.0.checked_sub(self.first)?).ok()?;
        let len = self.in_flight.get_mut(index)?.take();
        while let Some(None) = self.in_flight.front() {
            self.in_flight.pop_front();
            self.first += 1;
        }
        len
    }
}

impl PeerState {
    fn new(far: FarIdentity, path: Option<Path>) -> Self {
        Self {
            far,
            path,
            sends: BTreeMap::new(),
            receives: BTreeMap::new(),
            opened: VecDeque::new(),
            moves: VecDeque::new(),
            closed: None,
            waiters: Waiters::default(),
        }
    }

    fn wake_all(&mut self) {
        self.waiters.wake();
        for flow in self.sends.values_mut() {
            wake(&mut flow.waiter);
            wake(&mut flow.answer_waiter);
        }
        self.receives.values_mut().for_each(|flow| wake(&mut flow.waiter));
    }
}

impl State {
    pub(super) fn new(node: Node) -> Self {
        Self {
            node,
            peers: BTreeMap::new(),
            leaving: BTreeSet::new(),
            dials: BTreeMap::new(),
            incoming: VecDeque::new(),
            notices: VecDeque::new(),
            groups: BTreeMap::new(),
            waiters: Waiters::default(),
            local: Vec::new(),
            stopped: false,
        }
    }

    /// Whether no session is left to be closed.
    pub(super) fn is_quiet(&self) -> bool {
        self.leaving.is_empty() && self.peers.values().all(|peer| peer.closed.is_some())
    }

    /// Nobody holds the peer any more.
    pub(super) fn let_go(&mut self, now: Instant, peer: PeerHandle) {
        if let Some(state) = self.peers.remove(&peer)
            && state.closed.is_none()
        {
            self.leaving.insert(peer);
            self.node.close_peer(now, peer);
        }
    }

    fn take(&mut self, event: NodeEvent) {
        match event {
            NodeEvent::Dialled { dial, peer } => self.dialled(dial, peer),
            NodeEvent::DialFailed { dial, error } => {
                if let Some(state) = self.dials.get_mut(&dial) {
                    state.result = Some(Err(error));
                    wake(&mut state.waiter);
                }
            }
            NodeEvent::Incoming { peer, far, path } => {
                self.peers.insert(peer, PeerState::new(far, Some(path)));
                self.incoming.push_back(peer);
                self.waiters.wake();
            }
            NodeEvent::FlowOpened { peer, flow, metadata, return_of } => {
                self.opened(peer, flow, metadata, return_of);
            }
            NodeEvent::Message { peer, flow, sequence, data } => {
                self.arrived(peer, flow, Arrival::Message { sequence, data });
            }
            NodeEvent::Lost { peer, flow, span } => self.arrived(peer, flow, Arrival::Lost { span }),
            NodeEvent::FlowFinished { peer, flow, complete } => {
                if let Some(state) = self.receiving(peer, flow) {
                    state.finished = Some(complete);
                    wake(&mut state.waiter);
                }
            }
            NodeEvent::FlowException { peer, flow, code } => {
                self.sending(peer, flow, |state| state.end = Some(SendEnd::Rejected(code)));
            }
            NodeEvent::FlowClosed { peer, flow } => {
                self.sending(peer, flow, |state| state.end = state.end.or(Some(SendEnd::Complete)));
            }
            NodeEvent::Writable { peer, flow } => self.sending(peer, flow, |_| ()),
            NodeEvent::Delivered { peer, flow, id } => {
                // Nobody is woken for this: who writes waits for room, who finishes for the end.
                if let Some(state) = self.sent(peer, flow) {
                    state.acknowledged += state.settle(id).unwrap_or(0) as u64;
                }
            }
            NodeEvent::Abandoned { peer, flow, id } => {
                if let Some(state) = self.sent(peer, flow) {
                    state.settle(id);
                    if state.abandoned.len() == MAX_HISTORY {
                        state.abandoned.pop_front();
                    }
                    state.abandoned.push_back(id);
                }
            }
            NodeEvent::PathChanged { peer, from, to } => {
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.path = Some(to);
                    if state.moves.len() == MAX_HISTORY {
                        state.moves.pop_front();
                    }
                    state.moves.push_back((from, to));
                    state.waiters.wake();
                }
            }
            NodeEvent::PeerClosed { peer, reason } => self.closed(peer, reason),
            NodeEvent::Group { group, event } => {
                if let Some(state) = self.groups.get_mut(&group) {
                    state.push(event);
                }
            }
            NodeEvent::GroupLeft { group } => {
                if let Some(state) = self.groups.get_mut(&group) {
                    state.left = true;
                    state.waiters.wake();
                }
            }
            notice => {
                if self.notices.len() == MAX_NOTICES {
                    self.notices.pop_front();
                }
                self.notices.push_back(notice);
                self.waiters.wake();
            }
        }
    }

    fn dialled(&mut self, dial: DialId, peer: PeerHandle) {
        let Some(far) = self.node.far(peer) else { return };
        self.peers.entry(peer).or_insert_with(|| PeerState::new(far, None));
        if let Some(state) = self.dials.get_mut(&dial) {
            state.result = Some(Ok(peer));
            wake(&mut state.waiter);
        }
    }

    fn opened(&mut self, peer: PeerHandle, flow: FlowId, metadata: Bytes, return_of: Option<FlowId>) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        let receive = ReceiveState { metadata, return_of, queue: VecDeque::new(), finished: None, waiter: None };
        state.receives.insert(flow, receive);
        match return_of.and_then(|of| state.sends.get_mut(&of)) {
            Some(asked) => {
                asked.answers.push_back(flow);
                wake(&mut asked.answer_waiter);
            }
            None => {
                state.opened.push_back(flow);
                state.waiters.wake();
            }
        }
    }

    fn arrived(&mut self, peer: PeerHandle, flow: FlowId, arrival: Arrival) {
        if let Some(state) = self.receiving(peer, flow) {
            state.queue.push_back(arrival);
            wake(&mut state.waiter);
        }
    }

    fn closed(&mut self, peer: PeerHandle, reason: CloseReason) {
        self.leaving.remove(&peer);
        self.incoming.retain(|waiting| *waiting != peer);
        if let Some(state) = self.peers.get_mut(&peer) {
            state.closed = Some(reason);
            state.wake_all();
        }
        self.waiters.wake();
    }

    fn receiving(&mut self, peer: PeerHandle, flow: FlowId) -> Option<&mut ReceiveState> {
        self.peers.get_mut(&peer)?.receives.get_mut(&flow)
    }

    fn sent(&mut self, peer: PeerHandle, flow: FlowId) -> Option<&mut SendState> {
        self.peers.get_mut(&peer)?.sends.get_mut(&flow)
    }

    fn sending(&mut self, peer: PeerHandle, flow: FlowId, change: impl FnOnce(&mut SendState)) {
        if let Some(state) = self.sent(peer, flow) {
            change(state);
            wake(&mut state.waiter);
            if state.end.is_some() {
                wake(&mut state.answer_waiter);
            }
        }
    }
}

impl Machine for State {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        self.node.handle(now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.node.handle_timeout(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.node.poll_transmit(now)
    }

    fn deliver(&mut self, now: Instant) {
        while let Some(event) = self.node.poll_event(now) {
            self.take(event);
        }
    }

    fn unreachable(&mut self, now: Instant, remote: SocketAddr) {
        self.node.unreachable(now, remote);
    }

    fn interfaces(&mut self, now: Instant, own: &[LocalAddress], reachable: Vec<SocketAddr>, changed: bool) {
        self.local.clone_from(&reachable);
        // Where a system reports no mask, that does not make the whole world a neighbour.
        let links = own.iter().filter(|address| address.prefix > 0);
        self.node.set_on_link(links.map(|address| (address.ip, address.prefix)).collect());
        self.node.set_local_addresses(now, reachable);
        if changed {
            self.node.interface_changed(now);
        }
    }

    fn stopped(&mut self) {
        self.stopped = true;
        self.peers.values_mut().for_each(PeerState::wake_all);
        self.dials.values_mut().for_each(|dial| wake(&mut dial.waiter));
        self.groups.values_mut().for_each(|group| group.waiters.wake());
        self.waiters.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::routing::{Routed, RoutingEvent};

    fn event(len: usize) -> MemberEvent {
        let routed = Routed {
            author: None,
            from: "00".repeat(32).parse().expect("64 digits"),
            from_local: false,
            target: None,
            body: Bytes::from(vec![0; len]),
            hops: 1,
        };
        MemberEvent::Routing(RoutingEvent::Notify(routed))
    }

    #[test]
    fn a_slow_reader_of_a_group_is_told_how_much_it_missed_and_where() {
        let mut group = GroupState::default();
        (0..70).for_each(|_| group.push(event(1 << 20)));
        let mut read = Vec::new();
        for _ in 0..10 {
            read.push(group.pop().expect("there is more"));
        }
        group.push(event(1));
        read.extend(std::iter::from_fn(|| group.pop()));
        let lost = read.iter().position(|item| matches!(item, GroupItem::Lost(_))).expect("not all fit");
        assert_eq!(read[lost], GroupItem::Lost(7), "63 MiB and a little for each fit");
        assert_eq!((lost, read.len(), group.bytes), (63, 65, 0));
        assert_eq!(read[64], GroupItem::Event(event(1)), "what comes when there is room again stands behind the gap");
    }
}
