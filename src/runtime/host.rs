//! A node on real sockets.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::clock::{Clock, seeded_rng};
use super::driver::{Driver, Shared};
use super::group::Group;
use super::interfaces::Watcher;
use super::multicast::{GROUP_V4, GROUP_V6, Listener};
use super::peer::{Incoming, Peer};
use super::state::{Core, DialState, State};
use super::udp::UdpSocket;
use crate::base::{Instant, Interface, PeerId};
use crate::node::{
    Dial, DialError, DialId, GroupConfig, IpMulticast, Node, NodeConfig, NodeEvent, Registration, RegistrationId,
};

/// How long [`Host::shut_down`] waits for peers to agree.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where and as whom a host runs.
#[derive(Debug)]
pub struct HostConfig {
    /// Addresses to bind. The first is the main one, the others are further ports or addresses of the same node.
    pub bind: Vec<SocketAddr>,
    /// Whether peers on the same links may find this host without a server.
    pub lan: bool,
    /// IP multicast addresses of groups that the node is going to join ([`GroupConfig::cast`]).
    pub cast: Vec<IpMulticast>,
    /// The node.
    pub node: NodeConfig,
}

impl HostConfig {
    /// Any free port, IPv4 and IPv6, not to be found on the LAN.
    #[must_use]
    pub fn new(node: NodeConfig) -> Self {
        Self { bind: vec![SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0)], lan: false, cast: Vec::new(), node }
    }
}

/// A running node. Clones are the same one; it ends with the last of them and of its peers.
#[derive(Clone)]
pub struct Host {
    core: Arc<Core>,
    peer_id: PeerId,
    bound: Arc<[SocketAddr]>,
    advice: Option<Arc<str>>,
}

impl Host {
    /// Binds sockets and starts to drive a node, as a task of the current tokio runtime.
    ///
    /// # Errors
    /// What the operating system says when it refuses a socket.
    pub fn start(config: HostConfig) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for (number, address) in config.bind.iter().enumerate() {
            let number = u16::try_from(number).ok().filter(|&number| number < Interface::CAST.0);
            let number = number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "too many addresses"))?;
            sockets.push(UdpSocket::bind(*address, Interface(number))?);
        }
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no address to bind"));
        }
        let advice = sockets.iter().filter_map(UdpSocket::enlarge_buffers).next();
        if let Some(advice) = &advice {
            tracing::warn!("{advice}");
        }
        let watcher = Watcher::start()?;
        let addresses = watcher.current().to_vec();
        let mut listeners = match config.lan {
            true => listen(&addresses)?,
            false => Vec::new(),
        };
        for cast in &config.cast {
            match Listener::to_cast(cast, &addresses) {
                Ok(listener) => listeners.push(listener),
                Err(error) => {
                    tracing::warn!("{cast} cannot be heard here ({error}): streams come from other members alone");
                }
            }
        }
        let clock = Clock::start();
        let node = Node::new(clock.now(), seeded_rng()?, config.node);
        let peer_id = node.peer_id();
        let bound = sockets.iter().map(UdpSocket::local_addr).collect();
        let shared = Arc::new(Shared::new(clock, State::new(node)));
        let driver = Driver::new(Arc::clone(&shared), sockets, listeners, addresses);
        tokio::spawn(driver.run(watcher));
        Ok(Self { core: Core::new(shared), peer_id, bound, advice: advice.map(Into::into) })
    }

    /// The node's own name.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// What the sockets are bound to, in the order of [`HostConfig::bind`], with the ports that were free.
    #[must_use]
    pub fn bound(&self) -> &[SocketAddr] {
        &self.bound
    }

    /// What to tell the user who wants speed: the kernel keeps the sockets' buffers small.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// Addresses under which others may reach the main socket, as far as this machine knows.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.core.look(|state| state.local.clone())
    }

    /// Reaches a peer. Dropping the future gives up.
    ///
    /// # Errors
    /// Why it was not reached.
    pub async fn dial(&self, dial: &Dial) -> Result<Peer, DialError> {
        self.dial_with(|node, now| node.dial(now, dial)).await
    }

    /// Reaches a server by its host name or ancillary data ([`Node::dial_server`]). Dropping the future gives up.
    ///
    /// # Errors
    /// Why it was not reached.
    pub async fn dial_server(
        &self,
        epd: &[u8],
        candidates: &[SocketAddr],
        timeout: Duration,
    ) -> Result<Peer, DialError> {
        self.dial_with(|node, now| node.dial_server(now, epd, candidates, timeout)).await
    }

    async fn dial_with(&self, begin: impl FnOnce(&mut Node, Instant) -> DialId) -> Result<Peer, DialError> {
        let id = self.core.command(|state, now| {
            let id = begin(&mut state.node, now);
            state.dials.insert(id, DialState::default());
            id
        });
        let attempt = Attempt { core: &self.core, id };
        let peer = poll_fn(|cx| {
            self.core.look(|state| {
                let stopped = state.stopped;
                match state.dials.get_mut(&id) {
                    Some(DialState { result: Some(result), .. }) => Poll::Ready(*result),
                    Some(dial) if !stopped => {
                        dial.waiter = Some(cx.waker().clone());
                        Poll::Pending
                    }
                    _ => Poll::Ready(Err(DialError::TimedOut)),
                }
            })
        })
        .await;
        let peer = peer.and_then(|handle| Peer::new(&self.core, handle).ok_or(DialError::TimedOut));
        drop(attempt);
        peer
    }

    /// Waits for a peer that wants to come in; `None` once the host has been shut down.
    pub async fn incoming(&self) -> Option<Incoming> {
        loop {
            let handle = poll_fn(|cx| {
                self.core.look(|state| match state.incoming.pop_front() {
                    Some(handle) => Poll::Ready(Some(handle)),
                    None if state.stopped => Poll::Ready(None),
                    None => {
                        state.waiters.add(cx);
                        Poll::Pending
                    }
                })
            });
            if let Some(incoming) = Incoming::new(&self.core, handle.await?) {
                return Some(incoming);
            }
        }
    }

    /// Registers with a rendezvous, so that others can be introduced. What comes of it is told by [`Host::notice`].
    pub fn register(&self, registration: Registration) -> RegistrationId {
        self.core.command(|state, now| state.node.register(now, registration))
    }

    /// Leaves a rendezvous.
    pub fn unregister(&self, registration: RegistrationId) {
        self.core.command(|state, now| state.node.unregister(now, registration));
    }

    /// Joins a group. [`Node::set_groups_only`] is for hosts that do nothing else.
    pub fn join_group(&self, config: GroupConfig) -> Group {
        Group::join(&self.core, config)
    }

    /// Waits for news that concern no peer: registrations, checks, the rendezvous service that runs here. `None` once
    /// the host has been shut down.
    pub async fn notice(&self) -> Option<NodeEvent> {
        poll_fn(|cx| {
            self.core.look(|state| match state.notices.pop_front() {
                Some(notice) => Poll::Ready(Some(notice)),
                None if state.stopped => Poll::Ready(None),
                None => {
                    state.waiters.add(cx);
                    Poll::Pending
                }
            })
        })
        .await
    }

    /// Does something with the node itself, after which its output is sent.
    pub fn with_node<R>(&self, run: impl FnOnce(&mut Node, Instant) -> R) -> R {
        self.core.command(|state, now| run(&mut state.node, now))
    }

    /// Closes all sessions in order, waits a second at most for peers to agree, and stops.
    pub async fn shut_down(&self) {
        self.core.command(|state, now| state.node.shut_down(now));
        let quiet = poll_fn(|cx| {
            self.core.look(|state| {
                if state.is_quiet() || state.stopped {
                    return Poll::Ready(());
                }
                state.waiters.add(cx);
                Poll::Pending
            })
        });
        let _ = tokio::time::timeout(FAREWELL, quiet).await;
        self.core.stop();
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("peer_id", &self.peer_id).field("bound", &self.bound).finish_non_exhaustive()
    }
}

/// An attempt that ends when nobody waits for it any more.
struct Attempt<'a> {
    core: &'a Core,
    id: DialId,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.core.command(|state, now| {
            if let Some(dial) = state.dials.remove(&self.id)
                && dial.result.is_none()
            {
                state.node.cancel_dial(now, self.id);
            }
        });
    }
}

/// Listens on the discovery groups of both IP versions, or on the one that the machine has.
fn listen(addresses: &[super::interfaces::LocalAddress]) -> io::Result<Vec<Listener>> {
    let (v4, v6) = (Listener::start(GROUP_V4, addresses), Listener::start(GROUP_V6, addresses));
    match (v4, v6) {
        (Err(error), Err(_)) => Err(error),
        (v4, v6) => Ok(v4.into_iter().chain(v6).collect()),
    }
}
