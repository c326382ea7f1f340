//! What a node keeps of each peer, registration and client; what it does with them stands in the files that are named
//! after them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::event::{PeerHandle, RegistrationId};
use crate::base::{Instant, Path, PeerId, Rng};
use crate::endpoint::{OpeningId, SessionHandle};
use crate::group::GroupId;
use crate::service::rendezvous::{self, Server, ServerConfig};
use crate::session::FlowId;

/// Whose a session is.
#[derive(Debug)]
pub(super) enum Role {
    Peer(Peer),
    /// Groups', or somebody's of whom it has not shown yet what he wants.
    Member,
    Registration(RegistrationId),
    Client,
}

/// Whether a peer may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Undecided,
    Accepted,
    Refused,
}

/// A peer's session.
#[derive(Debug)]
pub(super) struct Peer {
    /// The owner's name for it: that of its first session, if another one took its place.
    pub(super) name: PeerHandle,
    pub(super) admission: Admission,
    pub(super) held: Vec<(FlowId, Bytes, Option<FlowId>)>,
    /// Whether the owner has opened a flow or heard of one. What was said on it would be lost with the session.
    pub(super) used: bool,
    /// Whether it may introduce others.
    pub(super) introduces: bool,
}

impl Peer {
    pub(super) const fn new(name: PeerHandle, admission: Admission) -> Self {
        Self { name, admission, held: Vec::new(), used: false, introduces: false }
    }
}

/// A registration and its session.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) client: rendezvous::Client,
    pub(super) servers: Vec<SocketAddr>,
    pub(super) pin: Option<PeerId>,
    pub(super) opening: Option<OpeningId>,
    pub(super) session: Option<SessionHandle>,
    pub(super) control: Option<FlowId>,
    /// The server's flow in return to our control flow.
    pub(super) answers: Option<FlowId>,
    /// Our flows about groups, and the server's in return to them.
    pub(super) groups: BTreeMap<GroupId, FlowId>,
    pub(super) members: BTreeMap<FlowId, GroupId>,
}

/// The service and what connects it to sessions.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) server: Server,
    pub(super) clients: BTreeMap<u64, Client>,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: SessionHandle,
    pub(super) answers: Option<FlowId>,
    /// Our flows in return to the client's flows about groups.
    pub(super) groups: BTreeMap<u64, FlowId>,
}

impl Service {
    pub(super) fn new(config: ServerConfig, rng: Rng) -> Self {
        Self { server: Server::new(config, rng), clients: BTreeMap::new() }
    }

    pub(super) fn client_up(
        &mut self,
        now: Instant,
        session: SessionHandle,
        peer: PeerId,
        nonce: [u8; 32],
        path: Path,
    ) {
        self.clients.insert(key(session), Client { session, answers: None, groups: BTreeMap::new() });
        self.server.peer_up(now, key(session), peer, nonce, path);
    }
}

/// The service's name for a session.
pub(super) fn key(session: SessionHandle) -> u64 {
    session.as_u64()
}
