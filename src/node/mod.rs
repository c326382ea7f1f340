//! Floor 8: everything below as one sans-IO object.
//!
//! A [`Node`] is one endpoint with one identity. It dials peers ([`Node::dial`]), lets them in ([`NodeEvent::Incoming`],
//! [`Node::accept`], [`Node::refuse`]), stays registered at rendezvous services ([`Node::register`]) or is one
//! ([`Node::serve_rendezvous`]). Here, and only here, a service's message meets a flow and a priority.
//!
//! Datagrams and time go in ([`Node::handle`], [`Node::handle_timeout`]); datagrams and events come out
//! ([`Node::poll_transmit`], [`Node::poll_event`]), to be drained to `None`. [`Node::deadline`] says when time alone is
//! to be handed in.

mod dial;
mod event;
mod groups;
mod member;
mod parts;
mod peers;
mod registry;
mod serving;
mod watched;

pub use crate::crypto::{FarIdentity, Identity, IdentityKind, Keyring, Policy};
pub use crate::endpoint::EndpointConfig;
pub use crate::flow::{Lifetime, MessageId, Order, Priority, WriteError};
pub use crate::group::{IpMulticast, Lane};
pub use crate::service::{files, multicast, posting, rendezvous, replication, routing, storage};
pub use crate::session::{CloseReason, FlowError, FlowId, SessionStats};
pub use crate::wire::{Address, Origin};
pub use dial::Dial;
pub use event::{DialError, DialId, GroupHandle, NodeEvent, PeerHandle, RegistrationId};
pub use groups::{GroupConfig, GroupStats};
pub use member::{Member, MemberConfig, MemberEvent};
pub use registry::Registration;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Instant, Interface, Path, PeerId, Received, Rng, Transmit};
use crate::crypto::{Profile, epd};
use crate::endpoint::{Endpoint, EndpointEvent, OpeningId, SessionHandle};
use crate::service::rendezvous::ServerConfig;
use crate::session::SessionEvent;
use dial::Attempt;
use groups::parts::Groups;
use parts::{Admission, Peer, Registered, Role, Service};

/// The exception code with which flows of a refused peer are rejected (exit status 10 of the command line).
pub const REFUSED: u64 = 10;

/// What a node is made with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Who it is and what it accepts.
    pub profile: Arc<dyn Profile>,
    /// Settings of its endpoint.
    pub endpoint: EndpointConfig,
}

/// One endpoint with its services.
pub struct Node {
    endpoint: Endpoint,
    profile: Arc<dyn Profile>,
    rng: Rng,
    next_id: u64,
    local_addresses: Vec<SocketAddr>,
    attempts: BTreeMap<OpeningId, Attempt>,
    registrations: BTreeMap<RegistrationId, Registered>,
    roles: BTreeMap<SessionHandle, Role>,
    /// Peers whose session is not the one that they are named after.
    moved: BTreeMap<PeerHandle, SessionHandle>,
    service: Option<Service>,
    closing: BTreeMap<SessionHandle, Instant>,
    groups: Groups,
    groups_only: bool,
    /// Keepalive and patience of sessions that are not only groups'.
    patience: (Option<Duration>, Duration),
    /// Whether unmatched IHellos are raised when there are no groups.
    raises_unmatched: bool,
    events: VecDeque<NodeEvent>,
}

impl Node {
    /// A node without peers.
    #[must_use]
    pub fn new(now: Instant, mut rng: Rng, config: NodeConfig) -> Self {
        let patience = (config.endpoint.session.keepalive, config.endpoint.session.give_up);
        let raises_unmatched = config.endpoint.raise_unmatched_ihellos;
        let endpoint = Endpoint::new(now, rng.fork(), Arc::clone(&config.profile), config.endpoint);
        Self {
            endpoint,
            profile: config.profile,
            rng,
            next_id: 0,
            local_addresses: Vec::new(),
            attempts: BTreeMap::new(),
            registrations: BTreeMap::new(),
            roles: BTreeMap::new(),
            moved: BTreeMap::new(),
            service: None,
            closing: BTreeMap::new(),
            groups: Groups::default(),
            groups_only: false,
            patience,
            raises_unmatched,
            events: VecDeque::new(),
        }
    }

    /// Its peer ID.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.profile.peer_id()
    }

    /// The endpoint, for its counts.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Datagrams came.
    pub fn handle(&mut self, now: Instant, received: Received<'_>) {
        if received.path.interface == Interface::CAST {
            return self.heard_cast(now, received);
        }
        self.endpoint.handle(now, received);
        self.work(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        for registered in self.registrations.values_mut() {
            registered.client.handle_timeout(now);
        }
        if let Some(service) = &mut self.service {
            service.server.handle_timeout(now);
        }
        self.groups_timeout(now);
        self.close_due(now);
        self.give_up_due(now);
        for (&opening, attempt) in &mut self.attempts {
            if attempt.looks_again(now) {
                self.endpoint.look_again(now, opening);
            }
        }
        self.work(now);
    }

    /// When to call [`Node::handle_timeout`] if nothing comes before.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let registrations = self.registrations.values().filter_map(|registered| registered.client.deadline()).min();
        let service = self.service.as_ref().and_then(|service| service.server.deadline());
        let closing = self.closing.values().min().copied();
        let attempts = self.attempts.values().map(Attempt::deadline).min();
        let parts = [self.endpoint.deadline(), registrations, service, closing, attempts, self.groups.deadline()];
        parts.into_iter().flatten().min()
    }

    /// Datagrams to send; drain to `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        loop {
            if let Some(transmit) = self.next_cast().or_else(|| self.endpoint.poll_transmit(now)) {
                return Some(transmit);
            }
            // Sessions tell what happened to them while they look for something to send; that may lead to more.
            if !self.work(now) && !self.lose_ended(now) {
                return None;
            }
        }
    }

    /// What happened; drain to `None`.
    pub fn poll_event(&mut self, now: Instant) -> Option<NodeEvent> {
        if self.events.is_empty() {
            // What the owner's last calls caused in a session waits there.
            self.work(now);
        }
        self.events.pop_front()
    }

    /// Tells the node its own addresses, with its port: rendezvous services hand them to whoever looks for it.
    pub fn set_local_addresses(&mut self, now: Instant, addresses: Vec<SocketAddr>) {
        for registered in self.registrations.values_mut() {
            registered.client.set_addresses(&addresses);
        }
        self.local_addresses = addresses;
        self.refresh_addresses(now);
        self.work(now);
    }

    /// Tells the node the networks that the machine's links lead to, with the bits of their prefixes: only from there are
    /// questions by IP multicast answered.
    pub fn set_on_link(&mut self, networks: Vec<(IpAddr, u8)>) {
        self.endpoint.set_on_link(networks);
    }

    /// The interfaces of this machine changed: all peers are pinged, so that they notice where we are now.
    pub fn interface_changed(&mut self, now: Instant) {
        let sessions: Vec<SessionHandle> = self.roles.keys().copied().collect();
        for session in sessions {
            if let Some(session) = self.endpoint.session_mut(session) {
                session.ping();
            }
        }
        self.work(now);
    }

    /// The network says that `remote` can't be reached. Only a hint, since anybody can forge it: sessions there are pinged.
    pub fn unreachable(&mut self, now: Instant, remote: SocketAddr) {
        let sessions: Vec<SessionHandle> = self.roles.keys().copied().filter(|_| self.service.is_none()).collect();
        for handle in sessions {
            if self.endpoint.session(handle).is_some_and(|session| session.path().remote == remote)
                && let Some(session) = self.endpoint.session_mut(handle)
            {
                session.ping();
            }
        }
        self.work(now);
    }

    /// Begins to look for a peer.
    pub fn dial(&mut self, now: Instant, dial: &Dial) -> DialId {
        let id = DialId(self.new_id());
        let ways = dial.candidates.iter().chain(&dial.rendezvous).chain(&dial.multicast);
        let candidates: Vec<Path> = ways.map(|&remote| Path::to(remote)).collect();
        let opening = self.endpoint.connect(now, &epd::fingerprint(dial.peer), &candidates);
        self.attempts.insert(opening, Attempt::new(now, id, opening, dial));
        self.work(now);
        id
    }

    /// Begins to look for a server that an endpoint discriminator selects, by host name or ancillary data, at these
    /// addresses or where they redirect to. Whoever answers is taken: look at [`Node::far`].
    pub fn dial_server(&mut self, now: Instant, epd: &[u8], candidates: &[SocketAddr], timeout: Duration) -> DialId {
        let id = DialId(self.new_id());
        let candidates: Vec<Path> = candidates.iter().map(|&remote| Path::to(remote)).collect();
        let opening = self.endpoint.connect(now, epd, &candidates);
        self.attempts.insert(opening, Attempt::at_server(now, id, opening, timeout));
        self.work(now);
        id
    }

    /// Stops looking.
    pub fn cancel_dial(&mut self, now: Instant, dial: DialId) {
        let found = self.attempts.values().find(|attempt| attempt.id == dial).map(|attempt| attempt.opening);
        if let Some(opening) = found {
            self.attempts.remove(&opening);
            self.endpoint.cancel(now, opening);
        }
        self.work(now);
    }

    /// Runs the rendezvous service from now on. The endpoint's configuration must raise unmatched hellos.
    pub fn serve_rendezvous(&mut self, config: ServerConfig) {
        let rng = self.rng.fork();
        self.endpoint.answer_only_fingerprints(!config.redirect_to.is_empty());
        self.service = Some(Service::new(config, rng));
    }

    /// Closes everything in order.
    pub fn shut_down(&mut self, now: Instant) {
        for registered in self.registrations.values_mut() {
            registered.client.stop();
        }
        let openings: Vec<OpeningId> = std::mem::take(&mut self.attempts).into_keys().collect();
        for opening in openings {
            self.endpoint.cancel(now, opening);
        }
        self.leave_groups(now);
        let sessions: Vec<SessionHandle> = self.roles.keys().copied().collect();
        for session in sessions {
            self.close_session(now, session);
        }
        self.work(now);
    }

    /// Whether any session is still there.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.roles.is_empty() && self.attempts.is_empty()
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Carries events up and outputs down until nothing moves. Answers whether anything did.
    fn work(&mut self, now: Instant) -> bool {
        let mut any = false;
        loop {
            let mut moved = false;
            while let Some(event) = self.endpoint.poll_event() {
                moved = true;
                self.endpoint_event(now, event);
            }
            moved |= self.drive_registrations(now);
            moved |= self.drive_service(now);
            moved |= self.drive_groups(now);
            if !moved {
                return any;
            }
            any = true;
        }
    }

    fn endpoint_event(&mut self, now: Instant, event: EndpointEvent) {
        match event {
            EndpointEvent::Opened { opening, session } => self.opened(now, opening, session),
            EndpointEvent::OpenFailed { opening, reason } => {
                if let Some(attempt) = self.attempts.remove(&opening) {
                    let error = attempt.verdict(reason);
                    self.events.push_back(NodeEvent::DialFailed { dial: attempt.id, error });
                } else if !self.reach_failed(now, opening, reason) {
                    self.registration_failed(opening, reason);
                }
            }
            EndpointEvent::Incoming { session } => self.incoming(now, session),
            EndpointEvent::Session(session, event) => self.session_event(now, session, event),
            EndpointEvent::UnmatchedIHello { path, epd, tag, datagram } => {
                if let Some(service) = &mut self.service {
                    service.server.ihello(now, path, &epd, &tag, datagram);
                } else {
                    self.introduce(now, path, &epd, &tag, datagram);
                }
            }
            EndpointEvent::Beacon { path, beacon } => self.on_beacon(now, path, &beacon),
            EndpointEvent::UnmatchedRHello { path, tag, .. } => {
                if let Some(service) = &mut self.service {
                    service.server.rhello(path, &tag);
                }
            }
            EndpointEvent::Redirected { opening, taken, unknown_peer, .. } => {
                if self.reach_redirected(now, opening, taken, unknown_peer) {
                } else if let Some(attempt) = self.attempts.get_mut(&opening) {
                    if unknown_peer {
                        attempt.hinted(now);
                    } else if taken > 0 {
                        attempt.redirected(now);
                    }
                }
            }
            EndpointEvent::Replaced { old, new } => {
                self.replaced(old, new);
                self.link_replaced(now, old, new);
            }
        }
    }

    fn opened(&mut self, now: Instant, opening: OpeningId, session: SessionHandle) {
        if let Some(attempt) = self.attempts.remove(&opening) {
            // The session may be one that came in meanwhile: whoever we dial is welcome.
            let peer = self.welcome(session);
            if self.groups.uses(session) {
                self.watch_patiently(session);
            }
            self.events.push_back(NodeEvent::Dialled { dial: attempt.id, peer });
            self.accept(peer);
        } else if !self.reached(now, opening, session) {
            self.registration_opened(now, opening, session);
        }
    }

    fn incoming(&mut self, now: Instant, handle: SessionHandle) {
        let Some(session) = self.endpoint.session(handle) else { return };
        let (far, path, nonce) = (*session.far(), session.path(), *session.near_nonce());
        if let Some(service) = &mut self.service {
            service.client_up(now, handle, far.peer_id, nonce, path);
            self.roles.insert(handle, Role::Client);
        } else if self.groups.is_member() && !self.roles.contains_key(&handle) {
            self.incoming_member(now, handle);
        } else if let Entry::Vacant(unknown) = self.roles.entry(handle) {
            unknown.insert(Role::Peer(Peer::new(handle, Admission::Undecided)));
            self.events.push_back(NodeEvent::Incoming { peer: handle, far, path });
        }
    }

    fn session_event(&mut self, now: Instant, session: SessionHandle, event: SessionEvent) {
        if self.group_event(now, session, &event) {
            return;
        }
        match self.roles.get(&session) {
            Some(Role::Member) => self.member_event(session, event),
            Some(Role::Peer(_)) => self.peer_event(now, session, event),
            Some(Role::Registration(_)) => self.registration_event(now, session, event),
            Some(Role::Client) => self.client_event(now, session, event),
            None => {}
        }
    }

    /// Closes a session in order.
    fn close_session(&mut self, now: Instant, session: SessionHandle) {
        self.closing.remove(&session);
        if let Some(session) = self.endpoint.session_mut(session) {
            session.close(now);
        }
    }

    /// Closes a session in order once what was sent last had time to arrive.
    fn close_soon(&mut self, now: Instant, session: SessionHandle, within: Duration) {
        let at = now + within;
        let due = self.closing.entry(session).or_insert(at);
        *due = at.min(*due);
    }

    fn close_due(&mut self, now: Instant) {
        let due: Vec<SessionHandle> =
            self.closing.iter().filter(|&(_, &at)| at <= now).map(|(&session, _)| session).collect();
        for session in due {
            self.closing.remove(&session);
            if !self.left_to_groups(session) {
                self.close_session(now, session);
            }
        }
    }

    fn give_up_due(&mut self, now: Instant) {
        let due: Vec<OpeningId> =
            self.attempts.iter().filter(|(_, attempt)| attempt.is_over(now)).map(|(&id, _)| id).collect();
        for opening in due {
            let reason = self.endpoint.cancel(now, opening);
            if let Some(attempt) = self.attempts.remove(&opening) {
                let error = attempt.verdict(reason);
                self.events.push_back(NodeEvent::DialFailed { dial: attempt.id, error });
            }
        }
    }

    /// Who is at the other end.
    #[must_use]
    pub fn far(&self, peer: PeerHandle) -> Option<FarIdentity> {
        self.endpoint.session(self.session_of(peer)).map(|session| *session.far())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("peer_id", &self.peer_id()).field("sessions", &self.roles.len()).finish()
    }
}
