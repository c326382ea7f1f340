//! Peers: who may come in, and what they and we say on flows.

use std::time::Duration;

use bytes::Bytes;

use super::event::{NodeEvent, PeerHandle};
use super::parts::{Admission, Peer, Role};
use super::{Node, REFUSED};
use crate::base::Instant;
use crate::endpoint::{ForwardAnswer, ForwardTrust, SessionHandle};
use crate::flow::{Lifetime, MessageId, Order, Priority};
use crate::session::{FlowError, FlowId, Session, SessionEvent, SessionStats};

/// How long a refused peer may take to open the flow whose rejection tells it so.
const HEAR_REFUSAL: Duration = Duration::from_secs(5);
/// How far the receive window of a peer's flow may grow.
const MAX_RECEIVE_WINDOW: usize = 16 << 20;
/// How long the rejection may take to arrive.
const SAY_REFUSAL: Duration = Duration::from_secs(1);

impl Node {
    /// Lets an incoming peer in: its flows become events.
    pub fn accept(&mut self, peer: PeerHandle) {
        let session = self.session_of(peer);
        let Some(Role::Peer(state)) = self.roles.get_mut(&session) else { return };
        state.admission = Admission::Accepted;
        state.used |= !state.held.is_empty();
        for (flow, metadata, return_of) in std::mem::take(&mut state.held) {
            self.events.push_back(NodeEvent::FlowOpened { peer, flow, metadata, return_of });
        }
    }

    /// Turns an incoming peer away. It is told by the rejection (code [`REFUSED`]) of the first flow that it opens, and
    /// learns nothing else.
    pub fn refuse(&mut self, now: Instant, peer: PeerHandle) {
        let session = self.session_of(peer);
        let Some(Role::Peer(state)) = self.roles.get_mut(&session) else { return };
        state.admission = Admission::Refused;
        let held = std::mem::take(&mut state.held);
        self.close_soon(now, session, HEAR_REFUSAL);
        for (flow, ..) in held {
            self.reject_as_refused(now, session, flow);
        }
        self.work(now);
    }

    fn reject_as_refused(&mut self, now: Instant, handle: SessionHandle, flow: FlowId) {
        if let Some(session) = self.endpoint.session_mut(handle) {
            let _ = session.reject_flow(flow, REFUSED);
        }
        self.close_soon(now, handle, SAY_REFUSAL);
    }

    /// The session that a peer has now.
    pub(super) fn session_of(&self, peer: PeerHandle) -> SessionHandle {
        self.moved.get(&peer).copied().unwrap_or(peer)
    }

    /// Notes that a session is a dialled peer's, and answers the peer's name.
    pub(super) fn welcome(&mut self, session: SessionHandle) -> PeerHandle {
        if let Some(Role::Peer(state)) = self.roles.get(&session) {
            // We may have refused it before.
            self.closing.remove(&session);
            return state.name;
        }
        self.roles.insert(session, Role::Peer(Peer::new(session, Admission::Accepted)));
        session
    }

    /// A session takes the place of another one with the same peer: both ends had dialled at once, or the far end began
    /// anew. If nothing was said in the old one yet, the peer keeps its name and its admission, and the owner need not
    /// know. Otherwise the old peer closes and the new one comes in like any other: what was under way is lost, and
    /// whoever said it has to know.
    pub(super) fn replaced(&mut self, old: SessionHandle, new: SessionHandle) {
        let is_fresh = matches!(self.roles.get(&old), Some(Role::Peer(state)) if !state.used);
        if !is_fresh || self.roles.contains_key(&new) {
            return;
        }
        let Some(Role::Peer(mut state)) = self.roles.remove(&old) else { return };
        // Nobody has heard of these, and they ended with the old session.
        state.held.clear();
        if state.introduces {
            self.endpoint.set_forwarding(new, ForwardAnswer::RHello, ForwardTrust::Rendezvous);
        }
        if let Some(at) = self.closing.remove(&old) {
            self.closing.insert(new, at);
        }
        self.moved.insert(state.name, new);
        self.roles.insert(new, Role::Peer(state));
    }

    pub(super) fn peer_event(&mut self, now: Instant, session: SessionHandle, event: SessionEvent) {
        let Some(Role::Peer(state)) = self.roles.get_mut(&session) else { return };
        let peer = state.name;
        let event = match event {
            SessionEvent::FlowOpened { flow, metadata, return_of } => match state.admission {
                Admission::Accepted => {
                    state.used = true;
                    NodeEvent::FlowOpened { peer, flow, metadata, return_of }
                }
                Admission::Undecided => return state.held.push((flow, metadata, return_of)),
                Admission::Refused => return self.reject_as_refused(now, session, flow),
            },
            SessionEvent::Message { flow, sequence, data } => NodeEvent::Message { peer, flow, sequence, data },
            SessionEvent::Lost { flow, first, last } => NodeEvent::Lost { peer, flow, span: last - first + 1 },
            SessionEvent::FlowFinished { flow, complete } => NodeEvent::FlowFinished { peer, flow, complete },
            SessionEvent::FlowException { flow, code } => NodeEvent::FlowException { peer, flow, code },
            SessionEvent::Writable { flow } => NodeEvent::Writable { peer, flow },
            SessionEvent::Delivered { flow, id } => NodeEvent::Delivered { peer, flow, id },
            SessionEvent::Abandoned { flow, id } => NodeEvent::Abandoned { peer, flow, id },
            SessionEvent::FlowComplete { flow } => NodeEvent::FlowClosed { peer, flow },
            SessionEvent::PathChanged { from, to } => NodeEvent::PathChanged { peer, from, to },
            SessionEvent::Closed(reason) => {
                let admission = state.admission;
                self.roles.remove(&session);
                self.closing.remove(&session);
                self.moved.remove(&peer);
                if admission == Admission::Refused {
                    return;
                }
                NodeEvent::PeerClosed { peer, reason }
            }
            SessionEvent::Confirmed | SessionEvent::FIHello { .. } => return,
        };
        self.events.push_back(event);
    }

    /// Opens a sending flow to a peer, in answer to the peer's flow `return_of` if there is one.
    ///
    /// # Errors
    /// [`FlowError`] if the session is over, or the answered flow is.
    pub fn open_flow(
        &mut self,
        now: Instant,
        peer: PeerHandle,
        metadata: &[u8],
        return_of: Option<FlowId>,
        priority: Priority,
    ) -> Result<FlowId, FlowError> {
        let handle = self.session_of(peer);
        let session = self.endpoint.session_mut(handle).ok_or(FlowError::SessionClosed)?;
        let flow = session.open_flow(now, metadata, return_of, priority)?;
        if let Some(Role::Peer(state)) = self.roles.get_mut(&handle) {
            state.used = true;
        }
        Ok(flow)
    }

    /// Queues a message on a sending flow.
    ///
    /// # Errors
    /// [`FlowError`]; if the flow is full, [`NodeEvent::Writable`] says when to try again.
    pub fn write(
        &mut self,
        now: Instant,
        peer: PeerHandle,
        flow: FlowId,
        message: Bytes,
        lifetime: Lifetime,
    ) -> Result<MessageId, FlowError> {
        let session = self.session_mut(peer)?;
        session.write(now, flow, message, lifetime)
    }

    /// Gives up a queued message.
    ///
    /// # Errors
    /// [`FlowError`] if there is no such flow.
    pub fn abandon(&mut self, peer: PeerHandle, flow: FlowId, message: MessageId) -> Result<(), FlowError> {
        let session = self.session_mut(peer)?;
        session.abandon(flow, message)
    }

    /// Ends a sending flow; [`NodeEvent::FlowClosed`] says when all of it is acknowledged.
    ///
    /// # Errors
    /// [`FlowError`] if there is no such flow.
    pub fn close_flow(&mut self, peer: PeerHandle, flow: FlowId) -> Result<(), FlowError> {
        let session = self.session_mut(peer)?;
        session.close_flow(flow)
    }

    /// Takes a receiving flow: its messages become events.
    ///
    /// # Errors
    /// [`FlowError`] if there is no such flow.
    pub fn accept_flow(&mut self, peer: PeerHandle, flow: FlowId, order: Order) -> Result<(), FlowError> {
        let session = self.session_mut(peer)?;
        session.accept_flow(flow, order, MAX_RECEIVE_WINDOW)
    }

    /// Rejects a receiving flow, now or later.
    ///
    /// # Errors
    /// [`FlowError`] if there is no such flow.
    pub fn reject_flow(&mut self, peer: PeerHandle, flow: FlowId, code: u64) -> Result<(), FlowError> {
        let session = self.session_mut(peer)?;
        session.reject_flow(flow, code)
    }

    /// Says that `bytes` of delivered messages are dealt with, so that the far end may send as many more.
    pub fn consume(&mut self, peer: PeerHandle, flow: FlowId, bytes: usize) {
        if let Ok(session) = self.session_mut(peer) {
            let _ = session.consume(flow, bytes);
        }
    }

    /// Lets a peer introduce others to us, as a rendezvous may: whoever it forwards gets an answer from us (RFC 7016
    /// section 3.5.1.1.2).
    pub fn answer_forwarded(&mut self, peer: PeerHandle) {
        let session = self.session_of(peer);
        self.endpoint.set_forwarding(session, ForwardAnswer::RHello, ForwardTrust::Rendezvous);
        if let Some(Role::Peer(state)) = self.roles.get_mut(&session) {
            state.introduces = true;
        }
    }

    /// The far end's session nonce (RFC 7425 section 4.6.5), over which passwords are proven.
    #[must_use]
    pub fn far_nonce(&self, peer: PeerHandle) -> Option<[u8; 32]> {
        self.endpoint.session(self.session_of(peer)).map(|session| *session.far_nonce())
    }

    /// Closes a peer's session in order. If groups use it too, they keep it, and the peer is closed for its owner only.
    pub fn close_peer(&mut self, now: Instant, peer: PeerHandle) {
        let session = self.session_of(peer);
        if !self.left_to_groups(session) {
            self.close_session(now, session);
        }
        self.work(now);
    }

    /// Closes a peer's session at once: the far end is told, but nobody waits for it.
    pub fn abort_peer(&mut self, now: Instant, peer: PeerHandle) {
        if let Ok(session) = self.session_mut(peer) {
            session.abort(now);
        }
        self.work(now);
    }

    /// What a peer's session measures and counts.
    #[must_use]
    pub fn stats(&self, now: Instant, peer: PeerHandle) -> Option<SessionStats> {
        self.endpoint.session(self.session_of(peer)).map(|session| session.stats(now))
    }

    fn session_mut(&mut self, peer: PeerHandle) -> Result<&mut Session, FlowError> {
        let session = self.session_of(peer);
        self.endpoint.session_mut(session).ok_or(FlowError::SessionClosed)
    }
}
