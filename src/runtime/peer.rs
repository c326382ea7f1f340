//! A peer, as its user holds it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::state::{Core, SendState};
use super::stream::{Closed, Hold, RecvStream, SendStream, closed};
use crate::base::Path;
use crate::crypto::FarIdentity;
use crate::node::{FlowError, FlowId, Order, PeerHandle, Priority, SessionStats};

/// A peer with which a session is open.
///
/// Clones and flows share the session; it is closed when the last of them is dropped.
#[derive(Clone)]
pub struct Peer {
    hold: Arc<Hold>,
    far: FarIdentity,
}

impl Peer {
    pub(super) fn new(core: &Arc<Core>, handle: PeerHandle) -> Option<Self> {
        let far = core.look(|state| state.peers.get(&handle).map(|peer| peer.far))?;
        Some(Self { hold: Arc::new(Hold { core: Arc::clone(core), handle }), far })
    }

    /// Who it is.
    #[must_use]
    pub fn far(&self) -> FarIdentity {
        self.far
    }

    /// The name by which the node knows it, for [`super::Host::with_node`].
    #[must_use]
    pub fn handle(&self) -> PeerHandle {
        self.hold.handle
    }

    /// Opens a flow. `metadata` says what it is for, in at most 512 bytes.
    ///
    /// # Errors
    /// The session is over, or the metadata too long.
    pub fn open_flow(&self, metadata: &[u8], priority: Priority) -> Result<SendStream, FlowError> {
        self.open(metadata, None, priority)
    }

    /// Opens a flow that answers one of the peer's.
    ///
    /// # Errors
    /// The session is over, the metadata too long, or the answered flow closed.
    pub fn open_answer(&self, to: &RecvStream, metadata: &[u8], priority: Priority) -> Result<SendStream, FlowError> {
        debug_assert_eq!(to.peer().handle, self.hold.handle);
        self.open(metadata, Some(to.id()), priority)
    }

    fn open(&self, metadata: &[u8], return_of: Option<FlowId>, priority: Priority) -> Result<SendStream, FlowError> {
        let handle = self.hold.handle;
        let flow = self.hold.core.command(|state, now| {
            let flow = state.node.open_flow(now, handle, metadata, return_of, priority)?;
            if let Some(peer) = state.peers.get_mut(&handle) {
                peer.sends.insert(flow, SendState::default());
            }
            Ok::<FlowId, FlowError>(flow)
        })?;
        Ok(SendStream::new(Arc::clone(&self.hold), flow))
    }

    /// Waits for a flow that the peer opens, other than answers to flows of ours that are still held (see
    /// [`SendStream::answer`]).
    ///
    /// # Errors
    /// The session is over.
    pub async fn accept_flow(&self, order: Order) -> Result<RecvStream, Closed> {
        let handle = self.hold.handle;
        let flow = poll_fn(|cx| {
            self.hold.core.attempt(|state, _| {
                let over = closed(state, handle);
                let Some(peer) = state.peers.get_mut(&handle) else {
                    return (Poll::Ready(Err(Closed::Host)), false);
                };
                match (peer.opened.pop_front(), over) {
                    (Some(flow), _) => {
                        let _ = state.node.accept_flow(handle, flow, order);
                        (Poll::Ready(Ok(flow)), true)
                    }
                    (None, Some(closed)) => (Poll::Ready(Err(closed)), false),
                    (None, None) => {
                        peer.waiters.add(cx);
                        (Poll::Pending, false)
                    }
                }
            })
        });
        Ok(RecvStream::new(Arc::clone(&self.hold), flow.await?))
    }

    /// Waits until the session is over, and says why.
    pub async fn closed(&self) -> Closed {
        let handle = self.hold.handle;
        poll_fn(|cx| {
            self.hold.core.look(|state| match closed(state, handle) {
                Some(closed) => Poll::Ready(closed),
                None => {
                    if let Some(peer) = state.peers.get_mut(&handle) {
                        peer.waiters.add(cx);
                    }
                    Poll::Pending
                }
            })
        })
        .await
    }

    /// Closes the session in order and waits until it is. Finish the flows first: what is under way is dropped.
    pub async fn close(&self) -> Closed {
        let handle = self.hold.handle;
        self.hold.core.command(|state, now| state.node.close_peer(now, handle));
        self.closed().await
    }

    /// Ends the session at once.
    pub fn abort(&self) {
        let handle = self.hold.handle;
        self.hold.core.command(|state, now| state.node.abort_peer(now, handle));
    }

    /// Waits until the peer has moved to another address: from where to where.
    ///
    /// # Errors
    /// The session is over.
    pub async fn moved(&self) -> Result<(Path, Path), Closed> {
        let handle = self.hold.handle;
        poll_fn(|cx| {
            self.hold.core.look(|state| {
                let over = closed(state, handle);
                let Some(peer) = state.peers.get_mut(&handle) else { return Poll::Ready(Err(Closed::Host)) };
                match (peer.moves.pop_front(), over) {
                    (Some(move_), _) => Poll::Ready(Ok(move_)),
                    (None, Some(closed)) => Poll::Ready(Err(closed)),
                    (None, None) => {
                        peer.waiters.add(cx);
                        Poll::Pending
                    }
                }
            })
        })
        .await
    }

    /// What the session counts; `None` when it is over.
    #[must_use]
    pub fn stats(&self) -> Option<SessionStats> {
        self.hold.core.attempt(|state, now| (state.node.stats(now, self.hold.handle), false))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("handle", &self.hold.handle).field("far", &self.far).finish_non_exhaustive()
    }
}

/// A peer that wants to come in. Dropping it refuses.
pub struct Incoming {
    peer: Option<Peer>,
    path: Option<Path>,
}

impl Incoming {
    pub(super) fn new(core: &Arc<Core>, handle: PeerHandle) -> Option<Self> {
        let path = core.look(|state| state.peers.get(&handle).and_then(|peer| peer.path));
        Some(Self { peer: Some(Peer::new(core, handle)?), path })
    }

    /// Who it is.
    #[must_use]
    pub fn far(&self) -> FarIdentity {
        self.peer.as_ref().map(Peer::far).expect("held until accepted or refused, which take self")
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> Option<Path> {
        self.path
    }

    /// Lets it in.
    #[must_use]
    pub fn accept(mut self) -> Peer {
        let peer = self.peer.take().expect("held until accepted or refused, which take self");
        peer.hold.core.command(|state, _| state.node.accept(peer.handle()));
        peer
    }

    /// Tells it that it is not wanted.
    pub fn refuse(self) {}
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(peer) = &self.peer {
            peer.hold.core.command(|state, now| {
                // Not let go, which would close the session before the peer is told.
                state.peers.remove(&peer.handle());
                state.node.refuse(now, peer.handle());
            });
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("peer", &self.peer).field("path", &self.path).finish()
    }
}
