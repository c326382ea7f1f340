//! Flows, as their users hold them: one direction each, messages in and messages out.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::state::{Arrival, Core, ReceiveState, SendEnd, SendState, State};
use crate::base::Instant;
use crate::node::{CloseReason, FlowError, FlowId, Lifetime, MessageId, Order, PeerHandle, WriteError};

/// A peer's session, open as long as somebody holds it.
pub(super) struct Hold {
    pub(super) core: Arc<Core>,
    pub(super) handle: PeerHandle,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.core.command(|state, now| state.let_go(now, self.handle));
    }
}

/// Why nothing more comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The session ended.
    #[error(transparent)]
    Session(#[from] CloseReason),
    /// The host was shut down.
    #[error("this host has been shut down")]
    Host,
}

/// Why a message was not sent, or an end not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer does not want this flow.
    #[error("the peer rejected the flow with code {0}")]
    Rejected(u64),
    /// The flow was finished.
    #[error("the flow is finished")]
    Finished,
    /// The message is longer than a message can be.
    #[error("the message is longer than a message can be")]
    TooLong,
    /// There is no session any more.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why a receiving flow ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// The flow was given up at this end.
    #[error("the flow was given up")]
    GivenUp,
    /// There is no session any more.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// How long a message is worth sending, from when it is written. The default is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Within {
    /// Give it up if no part of it has been sent in this time.
    pub start: Option<Duration>,
    /// Give it up if it has not been acknowledged whole in this time.
    pub finish: Option<Duration>,
}

impl Within {
    /// Deliver it however long it takes.
    pub const UNLIMITED: Self = Self { start: None, finish: None };

    fn lifetime(self, now: Instant) -> Lifetime {
        Lifetime { start_by: self.start.map(|start| now + start), finish_by: self.finish.map(|finish| now + finish) }
    }
}

/// What a receiving flow brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A message.
    Message {
        /// Sequence number of its first fragment.
        sequence: u64,
        /// Its bytes.
        data: Bytes,
    },
    /// The sender gave up at least one message.
    Lost {
        /// How many sequence numbers the gap spans; a message takes at least one.
        span: u64,
    },
}

/// A flow to a peer.
///
/// Dropping it finishes it: what was written is still sent, if the session lives. To know that it arrived, await
/// [`SendStream::finish`].
pub struct SendStream {
    peer: Arc<Hold>,
    flow: FlowId,
    finished: bool,
}

impl SendStream {
    pub(super) fn new(peer: Arc<Hold>, flow: FlowId) -> Self {
        Self { peer, flow, finished: false }
    }

    /// The flow's number, by which the peer may answer it.
    #[must_use]
    pub fn id(&self) -> FlowId {
        self.flow
    }

    /// Hands over a message, once there is room for it.
    ///
    /// # Errors
    /// The flow or the session ended.
    pub async fn write(&mut self, data: Bytes, within: Within) -> Result<MessageId, SendError> {
        poll_fn(|cx| self.poll_write(cx, &data, within)).await
    }

    /// Hands over `data` if there is room, as [`SendStream::write`] does.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        data: &Bytes,
        within: Within,
    ) -> Poll<Result<MessageId, SendError>> {
        let (handle, flow) = (self.peer.handle, self.flow);
        self.peer.core.attempt(|state, now| {
            if let Some(error) = ended(state, handle, flow) {
                return (Poll::Ready(Err(error)), false);
            }
            let result = state.node.write(now, handle, flow, data.clone(), within.lifetime(now));
            let Some(send) = sending(state, handle, flow) else {
                return (Poll::Ready(Err(SendError::Finished)), false);
            };
            match result {
                Ok(id) => {
                    send.wrote(id, data.len());
                    (Poll::Ready(Ok(id)), true)
                }
                Err(FlowError::Write(WriteError::Full)) => {
                    send.waiter = Some(cx.waker().clone());
                    (Poll::Pending, false)
                }
                Err(FlowError::Write(WriteError::TooLong)) => (Poll::Ready(Err(SendError::TooLong)), false),
                Err(_) => (Poll::Ready(Err(SendError::Finished)), false),
            }
        })
    }

    /// Gives up a message, if it is not delivered yet.
    pub fn abandon(&mut self, message: MessageId) {
        let (handle, flow) = (self.peer.handle, self.flow);
        self.peer.core.command(|state, _| {
            let _ = state.node.abandon(handle, flow, message);
        });
    }

    /// Bytes of messages that the peer has acknowledged whole.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.peer.core.look(|state| sending(state, self.peer.handle, self.flow).map_or(0, |send| send.acknowledged))
    }

    /// Messages given up since the last call, because their time was over.
    pub fn take_abandoned(&mut self) -> Vec<MessageId> {
        self.peer.core.look(|state| {
            let send = sending(state, self.peer.handle, self.flow);
            send.map_or_else(Vec::new, |send| send.abandoned.drain(..).collect())
        })
    }

    /// Ends the flow after what was written, without waiting.
    pub fn close(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            let (handle, flow) = (self.peer.handle, self.flow);
            self.peer.core.command(|state, _| {
                let _ = state.node.close_flow(handle, flow);
            });
        }
    }

    /// Ends the flow after what was written, and waits until the peer has acknowledged all of it.
    ///
    /// # Errors
    /// The peer rejected the flow, or the session ended first.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        self.close();
        self.ended().await
    }

    /// Waits until the flow has ended: with `Ok` when it was finished and acknowledged.
    ///
    /// # Errors
    /// The peer rejected the flow, or the session ended first.
    pub async fn ended(&mut self) -> Result<(), SendError> {
        let (handle, flow) = (self.peer.handle, self.flow);
        poll_fn(|cx| {
            self.peer.core.look(|state| match ended(state, handle, flow) {
                Some(SendError::Finished) => Poll::Ready(Ok(())),
                Some(error) => Poll::Ready(Err(error)),
                None => wait_for_change(state, handle, flow, cx),
            })
        })
        .await
    }

    /// A handle to the flows with which the peer answers this one, to be awaited beside it. This must outlive them.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers { peer: Arc::clone(&self.peer), flow: self.flow }
    }

    /// Waits for a flow with which the peer answers this one; `None` when none can come any more.
    pub async fn answer(&mut self, order: Order) -> Option<RecvStream> {
        self.answers().next(order).await
    }
}

/// The flows with which a peer answers one of ours.
pub struct Answers {
    peer: Arc<Hold>,
    flow: FlowId,
}

impl Answers {
    /// Waits for the next; `None` when none can come any more.
    pub async fn next(&self, order: Order) -> Option<RecvStream> {
        let (handle, flow) = (self.peer.handle, self.flow);
        let found = poll_fn(|cx| {
            self.peer.core.attempt(|state, _| {
                let over = matches!(ended(state, handle, flow), Some(SendError::Rejected(_) | SendError::Closed(_)));
                let Some(send) = sending(state, handle, flow) else { return (Poll::Ready(None), false) };
                match send.answers.pop_front() {
                    Some(answer) => {
                        let _ = state.node.accept_flow(handle, answer, order);
                        (Poll::Ready(Some(answer)), true)
                    }
                    None if over => (Poll::Ready(None), false),
                    None => {
                        send.answer_waiter = Some(cx.waker().clone());
                        (Poll::Pending, false)
                    }
                }
            })
        });
        found.await.map(|found| RecvStream::new(Arc::clone(&self.peer), found))
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("peer", &self.peer.handle).field("flow", &self.flow).finish_non_exhaustive()
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        let (handle, flow) = (self.peer.handle, self.flow);
        let finished = self.finished;
        self.peer.core.command(|state, _| {
            if !finished {
                let _ = state.node.close_flow(handle, flow);
            }
            if let Some(peer) = state.peers.get_mut(&handle) {
                peer.sends.remove(&flow);
            }
        });
    }
}

impl fmt::Debug for SendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendStream").field("peer", &self.peer.handle).field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// A flow from a peer. Dropping it before its end tells the peer that nobody reads.
pub struct RecvStream {
    peer: Arc<Hold>,
    flow: FlowId,
    metadata: Bytes,
    return_of: Option<FlowId>,
    over: bool,
}

impl RecvStream {
    /// The code that a peer is told when its flow is dropped here.
    pub const DROPPED: u64 = 0;

    pub(super) fn new(peer: Arc<Hold>, flow: FlowId) -> Self {
        let (metadata, return_of) = peer.core.look(|state| match receiving(state, peer.handle, flow) {
            Some(receive) => (receive.metadata.clone(), receive.return_of),
            None => (Bytes::new(), None),
        });
        Self { peer, flow, metadata, return_of, over: false }
    }

    /// The flow's number, in the peer's count.
    #[must_use]
    pub fn id(&self) -> FlowId {
        self.flow
    }

    /// What the peer says that it is for.
    #[must_use]
    pub fn metadata(&self) -> &Bytes {
        &self.metadata
    }

    /// Our flow that it answers.
    #[must_use]
    pub fn return_of(&self) -> Option<FlowId> {
        self.return_of
    }

    /// Waits for what comes next; `None` when all of the flow has come.
    ///
    /// # Errors
    /// The session ended before the flow did.
    pub async fn next(&mut self) -> Result<Option<Item>, ReceiveError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Takes what comes next, as [`RecvStream::next`] does.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Item>, ReceiveError>> {
        let (handle, flow) = (self.peer.handle, self.flow);
        let result = self.peer.core.attempt(|state, _| {
            let over = closed(state, handle);
            let Some(receive) = receiving(state, handle, flow) else {
                return (Poll::Ready(Err(over.map_or(ReceiveError::GivenUp, ReceiveError::Closed))), false);
            };
            match receive.queue.pop_front() {
                Some(Arrival::Message { sequence, data }) => {
                    state.node.consume(handle, flow, data.len());
                    (Poll::Ready(Ok(Some(Item::Message { sequence, data }))), true)
                }
                Some(Arrival::Lost { span }) => (Poll::Ready(Ok(Some(Item::Lost { span }))), false),
                None => {
                    let poll = match (receive.finished, over) {
                        (Some(true), _) => Poll::Ready(Ok(None)),
                        (Some(false), None) => Poll::Ready(Err(ReceiveError::GivenUp)),
                        (_, Some(closed)) => Poll::Ready(Err(closed.into())),
                        (None, None) => {
                            receive.waiter = Some(cx.waker().clone());
                            Poll::Pending
                        }
                    };
                    (poll, false)
                }
            }
        });
        self.over |= matches!(result, Poll::Ready(Ok(None) | Err(_)));
        result
    }

    /// Tells the peer that its flow is not wanted, and why in the application's own code.
    pub fn reject(mut self, code: u64) {
        self.over = true;
        let (handle, flow) = (self.peer.handle, self.flow);
        self.peer.core.command(|state, _| {
            let _ = state.node.reject_flow(handle, flow, code);
        });
    }

    pub(super) fn peer(&self) -> &Arc<Hold> {
        &self.peer
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        let (handle, flow, over) = (self.peer.handle, self.flow, self.over);
        self.peer.core.command(|state, _| {
            if let Some(peer) = state.peers.get_mut(&handle) {
                peer.receives.remove(&flow);
            }
            if !over {
                let _ = state.node.reject_flow(handle, flow, Self::DROPPED);
            }
        });
    }
}

impl fmt::Debug for RecvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream").field("peer", &self.peer.handle).field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// Why the peer's session is over, if it is.
pub(super) fn closed(state: &State, handle: PeerHandle) -> Option<Closed> {
    match state.peers.get(&handle).map(|peer| peer.closed) {
        Some(Some(reason)) => Some(Closed::Session(reason)),
        Some(None) if !state.stopped => None,
        _ => Some(Closed::Host),
    }
}

fn sending(state: &mut State, handle: PeerHandle, flow: FlowId) -> Option<&mut SendState> {
    state.peers.get_mut(&handle)?.sends.get_mut(&flow)
}

fn receiving(state: &mut State, handle: PeerHandle, flow: FlowId) -> Option<&mut ReceiveState> {
    state.peers.get_mut(&handle)?.receives.get_mut(&flow)
}

/// How the sending flow ended, if it did; complete is [`SendError::Finished`].
fn ended(state: &State, handle: PeerHandle, flow: FlowId) -> Option<SendError> {
    let end = state.peers.get(&handle).and_then(|peer| peer.sends.get(&flow)).and_then(|send| send.end);
    match end {
        Some(SendEnd::Complete) => Some(SendError::Finished),
        Some(SendEnd::Rejected(code)) => Some(SendError::Rejected(code)),
        None => closed(state, handle).map(SendError::Closed),
    }
}

fn wait_for_change<T>(state: &mut State, handle: PeerHandle, flow: FlowId, cx: &Context<'_>) -> Poll<T> {
    if let Some(send) = sending(state, handle, flow) {
        send.waiter = Some(cx.waker().clone());
    }
    Poll::Pending
}
