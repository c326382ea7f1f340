//! The server's side: who is registered, who may be, and who is introduced to whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::check::{Check, CheckReport, CheckStep, ProbeSockets, ProbeTarget};
use super::groups::{Groups, Joined};
use super::messages::{self, Command, KeepaliveTimers};
use super::registrar::{self, Language};
use super::{CONTROL_METADATA, NOT_REGISTERED};
use crate::base::{Instant, Path, PeerId, PrefixBuckets, Rng, source_prefix, to_hex};
use crate::crypto::epd::{self, Epd};
use crate::group::GroupId;
use crate::group::message::{JOIN_METADATA, Join, Member};
use crate::wire::redirector::{RedirectorCommand, RedirectorReport, SIGNATURE};
use crate::wire::{Address, Origin};

/// How long a session may exist without a `connect`.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Addresses of its own that a client may report; more are ignored (security.md, "What a stranger can make us do").
const MAX_REPORTED: usize = 7;
/// Connectivity checks at once.
const MAX_CHECKS: usize = 256;
/// Exception code of a flow that speaks no language of this service.
const UNKNOWN_FLOW: u64 = 0;
/// Exception code of a redirector flow whose password is missing or wrong.
const BAD_PASSWORD: u64 = 0x0a;

/// The owner's name for a session; the server gives it no meaning.
pub type SessionKey = u64;

/// What the server allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Clients at once.
    pub clients: usize,
    /// Clients at once from one /24 or /56.
    pub clients_per_prefix: usize,
    /// Introductions a second from one /24 or /56.
    pub introductions_per_prefix: u64,
    /// Groups joined a second from one /24 or /56.
    pub joins_per_prefix: u64,
    /// Groups that one client may be in.
    pub groups_per_client: usize,
    /// Memberships of all clients in all groups.
    pub memberships: usize,
    /// Checks a second of other sockets than the asker's own, from one /24 or /56; each sends at most three packets there.
    pub targets_per_prefix: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 200_000,
            clients_per_prefix: 1_024,
            introductions_per_prefix: 200,
            joins_per_prefix: 50,
            groups_per_client: 64,
            memberships: 400_000,
            targets_per_prefix: 2,
        }
    }
}

/// How the service behaves.
#[derive(Debug, Clone, Default)]
pub struct ServerConfig {
    /// Keys of which a client must show one to register; `None` lets everybody register.
    pub developer_keys: Option<BTreeSet<String>>,
    /// Keepalive periods announced to clients (RFC 7425 section 5.3.4).
    pub keepalive: KeepaliveTimers,
    /// Other servers: new clients are sent there (RFC 7016 section 3.5.1.4), and so is who looks for an unknown peer.
    pub redirect_to: Vec<SocketAddr>,
    /// What is allowed.
    pub limits: Limits,
    /// Sockets to probe clients from.
    pub probes: ProbeSockets,
}

/// Counts since the start, but for `clients`, `registered`, `groups` and `memberships`, which are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Sessions open.
    pub clients: u64,
    /// Clients that can be introduced.
    pub registered: u64,
    /// Introductions made.
    pub introductions: u64,
    /// Requests for peers that are not registered.
    pub unknown: u64,
    /// Initiators sent to other servers.
    pub redirected: u64,
    /// Clients refused for a wrong or missing developer key.
    pub refused_key: u64,
    /// Clients and introductions refused by a limit.
    pub limited: u64,
    /// Connectivity checks run.
    pub checks: u64,
    /// Messages that made no sense.
    pub malformed: u64,
    /// Groups that somebody is in.
    pub groups: u64,
    /// Their members in all.
    pub memberships: u64,
}

/// What the operator may want to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// A client can be introduced from now on.
    Registered {
        /// Who.
        peer: PeerId,
        /// Where it was seen.
        observed: SocketAddr,
    },
    /// A registered client left or died.
    Gone {
        /// Who.
        peer: PeerId,
    },
    /// A client was refused.
    Refused {
        /// Who.
        peer: PeerId,
        /// Why, in words for the log.
        reason: &'static str,
    },
}

/// What the owner shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerOutput {
    /// Accept this receiving flow and open one in return to it, for what is to be sent.
    Accept {
        /// The session.
        session: SessionKey,
        /// The client's flow.
        flow: u64,
        /// Metadata of the flow to open.
        metadata: &'static [u8],
    },
    /// Reject this receiving flow.
    Reject {
        /// The session.
        session: SessionKey,
        /// The flow.
        flow: u64,
        /// The exception code to give.
        code: u64,
    },
    /// Send on the flow opened in return.
    Send {
        /// The session.
        session: SessionKey,
        /// The message.
        message: Vec<u8>,
    },
    /// Send on the flow that was opened in return to this flow about a group.
    Tell {
        /// The session.
        session: SessionKey,
        /// The client's flow.
        flow: u64,
        /// The message.
        message: Vec<u8>,
    },
    /// Close the session in order, once what was sent is out.
    Close {
        /// The session.
        session: SessionKey,
    },
    /// Answer an IHello with a Redirect.
    Redirect {
        /// Where the IHello came from.
        path: Path,
        /// Its tag.
        tag: Vec<u8>,
        /// Where to go.
        destinations: Vec<Address>,
        /// Bytes of the datagram that asked, which limit the answer.
        request: usize,
    },
    /// Forward an IHello into a session.
    Forward {
        /// The session of the peer that is looked for.
        session: SessionKey,
        /// The endpoint discriminator, as it came.
        epd: Vec<u8>,
        /// Whom to answer.
        reply: Address,
        /// Its tag.
        tag: Vec<u8>,
    },
    /// Send an IHello from one of our sockets.
    Probe {
        /// The socket, its address and the target.
        path: Path,
        /// Endpoint discriminator.
        epd: Vec<u8>,
        /// Tag, by which the answer is known.
        tag: Vec<u8>,
    },
    /// Something happened.
    Event(ServerEvent),
}

#[derive(Debug)]
struct Client {
    peer: PeerId,
    path: Path,
    near_nonce: [u8; 32],
    flow: Option<(u64, Language)>,
    /// Its flows about groups, and which group each has joined.
    groups: BTreeMap<u64, Option<GroupId>>,
    reflexive: bool,
    proven: bool,
    connected: bool,
    registered: bool,
    reported: Vec<SocketAddr>,
    connect_by: Option<Instant>,
}

/// The rendezvous server, sans-IO: told of sessions, flows, messages and stray hellos, it says what to do.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    rng: Rng,
    clients: BTreeMap<SessionKey, Client>,
    by_peer: BTreeMap<PeerId, SessionKey>,
    per_prefix: BTreeMap<u64, usize>,
    waiting: BTreeSet<(Instant, SessionKey)>,
    checks: BTreeMap<SessionKey, Check>,
    introductions: PrefixBuckets,
    joins: PrefixBuckets,
    groups: Groups,
    targets: PrefixBuckets,
    rotation: usize,
    metrics: Metrics,
    outputs: VecDeque<ServerOutput>,
}

impl Server {
    /// A server without clients.
    #[must_use]
    pub fn new(config: ServerConfig, mut rng: Rng) -> Self {
        let (rate, targets) = (config.limits.introductions_per_prefix, config.limits.targets_per_prefix);
        let joins = config.limits.joins_per_prefix;
        Self {
            joins: PrefixBuckets::new(rng.u64(), 1024, joins, joins.saturating_mul(4)),
            introductions: PrefixBuckets::new(rng.u64(), 4096, rate, rate.saturating_mul(2)),
            targets: PrefixBuckets::new(rng.u64(), 4096, targets, targets.saturating_mul(8)),
            config,
            rng,
            clients: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            per_prefix: BTreeMap::new(),
            waiting: BTreeSet::new(),
            checks: BTreeMap::new(),
            groups: Groups::default(),
            rotation: 0,
            metrics: Metrics::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The counts.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics {
            clients: self.clients.len() as u64,
            registered: self.by_peer.len() as u64,
            groups: self.groups.count() as u64,
            memberships: self.groups.memberships() as u64,
            ..self.metrics
        }
    }

    /// Whether initiators that look for any server are to be sent elsewhere.
    #[must_use]
    pub fn redirects_newcomers(&self) -> bool {
        !self.config.redirect_to.is_empty()
    }

    /// A session opened. `near_nonce` is the session's own (RFC 7016 section 3.5), over which passwords are proven.
    pub fn peer_up(&mut self, now: Instant, session: SessionKey, peer: PeerId, near_nonce: [u8; 32], path: Path) {
        let prefix = source_prefix(path.remote.ip());
        let here = self.per_prefix.entry(prefix).or_default();
        *here += 1;
        let too_many =
            *here > self.config.limits.clients_per_prefix || self.clients.len() >= self.config.limits.clients;
        let connect_by = now + CONNECT_WITHIN;
        self.waiting.insert((connect_by, session));
        let client = Client {
            peer,
            path,
            near_nonce,
            flow: None,
            groups: BTreeMap::new(),
            reflexive: true,
            proven: false,
            connected: false,
            registered: false,
            reported: Vec::new(),
            connect_by: Some(connect_by),
        };
        self.clients.insert(session, client);
        if too_many {
            self.metrics.limited += 1;
            self.refuse(session, "too many clients here");
        }
    }

    /// A session ended.
    pub fn peer_down(&mut self, session: SessionKey) {
        let Some(client) = self.clients.remove(&session) else { return };
        self.checks.remove(&session);
        for group in client.groups.values().flatten() {
            self.groups.leave(*group, client.peer, session);
        }
        if let Some(at) = client.connect_by {
            self.waiting.remove(&(at, session));
        }
        let prefix = source_prefix(client.path.remote.ip());
        if let Some(count) = self.per_prefix.get_mut(&prefix) {
            *count -= 1;
            if *count == 0 {
                self.per_prefix.remove(&prefix);
            }
        }
        if self.by_peer.get(&client.peer) == Some(&session) {
            self.by_peer.remove(&client.peer);
            self.outputs.push_back(ServerOutput::Event(ServerEvent::Gone { peer: client.peer }));
        }
    }

    /// A client's address changed, verified by the session.
    pub fn path_changed(&mut self, session: SessionKey, path: Path) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let (old, new) = (source_prefix(client.path.remote.ip()), source_prefix(path.remote.ip()));
        client.path = path;
        if old != new {
            *self.per_prefix.entry(new).or_default() += 1;
            if let Some(count) = self.per_prefix.get_mut(&old) {
                *count -= 1;
                if *count == 0 {
                    self.per_prefix.remove(&old);
                }
            }
        }
    }

    /// A client opened a flow.
    pub fn flow_opened(&mut self, session: SessionKey, flow: u64, metadata: &[u8]) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        if metadata == JOIN_METADATA {
            // Only who has shown what it takes to be registered may join.
            let may = client.connected || client.registered;
            if !may || client.groups.len() >= self.config.limits.groups_per_client {
                self.metrics.limited += u64::from(may);
                return self.outputs.push_back(ServerOutput::Reject { session, flow, code: UNKNOWN_FLOW });
            }
            client.groups.insert(flow, None);
            return self.outputs.push_back(ServerOutput::Accept { session, flow, metadata: JOIN_METADATA });
        }
        let language = match metadata {
            CONTROL_METADATA => Some(Language::Control),
            _ if registrar::is_redirector(metadata) => Some(Language::Redirector),
            _ => None,
        };
        match language.filter(|_| client.flow.is_none()) {
            Some(language) => {
                client.flow = Some((flow, language));
                let metadata = match language {
                    Language::Control => CONTROL_METADATA,
                    Language::Redirector => SIGNATURE,
                };
                self.outputs.push_back(ServerOutput::Accept { session, flow, metadata });
            }
            None => self.outputs.push_back(ServerOutput::Reject { session, flow, code: UNKNOWN_FLOW }),
        }
    }

    /// A client closed a flow. Closing the control flow ends the connection (RFC 7425 section 5.3), closing one about a
    /// group leaves it.
    pub fn flow_finished(&mut self, session: SessionKey, flow: u64) {
        if let Some(client) = self.clients.get_mut(&session)
            && let Some(group) = client.groups.remove(&flow)
        {
            let peer = client.peer;
            return group.into_iter().for_each(|group| self.groups.leave(group, peer, session));
        }
        if self.clients.get(&session).is_some_and(|client| client.flow.is_some_and(|(id, _)| id == flow)) {
            self.outputs.push_back(ServerOutput::Close { session });
        }
    }

    /// A message came on a client's control flow.
    pub fn message(&mut self, now: Instant, session: SessionKey, flow: u64, message: &[u8]) {
        let Some(client) = self.clients.get(&session) else { return };
        if client.groups.contains_key(&flow) {
            return self.group_message(now, session, flow, message);
        }
        match client.flow {
            Some((id, Language::Control)) if id == flow => {}
            Some((id, Language::Redirector)) if id == flow => return self.redirector_message(session, message),
            _ => return,
        }
        match messages::decode(message) {
            Ok(Command::Connect { transaction, app, .. }) => self.connect(session, transaction, &app),
            Ok(Command::SetPeerInfo { addresses }) => self.set_peer_info(session, &addresses),
            Ok(Command::ConnectivityCheck { transaction, target }) => {
                self.start_check(now, session, transaction, target);
            }
            Ok(_) => {}
            Err(_) => self.metrics.malformed += 1,
        }
    }

    /// An IHello came that does not select this endpoint, or one that looks for any server while newcomers are
    /// redirected. `request` is the size of its datagram.
    pub fn ihello(&mut self, now: Instant, path: Path, epd: &[u8], tag: &[u8], request: usize) {
        if !self.introductions.take(now, path.remote.ip(), 1) {
            self.metrics.limited += 1;
            return;
        }
        match Epd::parse(epd).and_then(|wanted| wanted.peer_id()) {
            Some(peer) => match self.by_peer.get(&peer).copied() {
                Some(session) => self.introduce(path, epd, tag, session, request),
                None if self.redirects_newcomers() => self.redirect_elsewhere(path, tag, request),
                None => {
                    self.metrics.unknown += 1;
                    let hint = vec![Address { origin: Origin::Unknown, socket: NOT_REGISTERED }];
                    self.outputs.push_back(ServerOutput::Redirect {
                        path,
                        tag: tag.to_vec(),
                        destinations: hint,
                        request,
                    });
                }
            },
            None if self.redirects_newcomers() => self.redirect_elsewhere(path, tag, request),
            None => {}
        }
    }

    /// An RHello came that belongs to no opening of ours: the answer to a probe.
    pub fn rhello(&mut self, path: Path, tag: &[u8]) {
        for check in self.checks.values_mut().filter(|check| check.tag() == tag) {
            check.answered(path);
        }
    }

    /// When to call [`Server::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let connects = self.waiting.first().map(|&(at, _)| at);
        let checks = self.checks.values().map(Check::deadline).min();
        [connects, checks].into_iter().flatten().min()
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, session)) = self.waiting.first().filter(|&&(at, _)| at <= now) {
            self.waiting.remove(&(at, session));
            if let Some(client) = self.clients.get_mut(&session) {
                client.connect_by = None;
            }
            if !self.checks.contains_key(&session) {
                self.outputs.push_back(ServerOutput::Close { session });
            }
        }
        let due: Vec<SessionKey> =
            self.checks.iter().filter(|(_, check)| check.deadline() <= now).map(|(&session, _)| session).collect();
        for session in due {
            self.step_check(now, session);
        }
    }

    /// What to do next; drain to `None`.
    pub fn poll(&mut self) -> Option<ServerOutput> {
        self.outputs.pop_front()
    }

    fn connect(&mut self, session: SessionKey, transaction: f64, app: &str) {
        let reason = match &self.config.developer_keys {
            Some(_) if app.is_empty() => Some("this rendezvous asks for a developer key, and none was given"),
            Some(keys) if !keys.contains(app) => Some("this rendezvous does not know the developer key that was given"),
            _ => None,
        };
        let Some(client) = self.clients.get_mut(&session) else { return };
        if let Some(at) = client.connect_by.take() {
            self.waiting.remove(&(at, session));
        }
        if let Some(reason) = reason {
            self.metrics.refused_key += 1;
            self.send(session, &Command::rejected(transaction, reason));
            self.refuse(session, reason);
            return;
        }
        client.connected = true;
        let observed = client.path.remote;
        self.send(session, &Command::Success { transaction, observed: Some(observed) });
        self.send(session, &Command::SetKeepalive(self.config.keepalive));
    }

    fn set_peer_info(&mut self, session: SessionKey, addresses: &[SocketAddr]) {
        let Some(client) = self.clients.get_mut(&session).filter(|client| client.connected) else { return };
        client.reported = addresses.iter().copied().filter(is_usable).take(MAX_REPORTED).collect();
        self.register(session);
    }

    fn register(&mut self, session: SessionKey) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let (peer, observed) = (client.peer, client.path.remote);
        let first_time = !std::mem::replace(&mut client.registered, true);
        let replaced = self.by_peer.insert(peer, session).filter(|&old| old != session);
        if let Some(old) = replaced {
            self.outputs.push_back(ServerOutput::Close { session: old });
        }
        if first_time {
            self.outputs.push_back(ServerOutput::Event(ServerEvent::Registered { peer, observed }));
        }
    }

    /// A message in the redirector's language, which programs of other makes register in.
    fn redirector_message(&mut self, session: SessionKey, message: &[u8]) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let Ok(command) = RedirectorCommand::decode(message) else {
            self.metrics.malformed += 1;
            return self.outputs.push_back(ServerOutput::Close { session });
        };
        if let RedirectorCommand::SimpleAuth { mac, .. } = &command {
            let keys = self.config.developer_keys.iter().flatten();
            client.proven |= keys.into_iter().any(|key| registrar::proves(key, &client.near_nonce, mac));
            return;
        }
        if self.config.developer_keys.is_some() && !client.proven {
            self.metrics.refused_key += 1;
            if let Some((flow, _)) = client.flow {
                self.outputs.push_back(ServerOutput::Reject { session, flow, code: BAD_PASSWORD });
            }
            return self.refuse(session, "no valid password for the redirector");
        }
        if let Some(at) = client.connect_by.take() {
            self.waiting.remove(&(at, session));
            let observed = Address { origin: Origin::Observed, socket: client.path.remote };
            let mut report = Vec::new();
            RedirectorReport::ReflexiveAddress(observed).encode(&mut report);
            self.outputs.push_back(ServerOutput::Send { session, message: report });
        }
        if let RedirectorCommand::Settings { include_reflexive, additional } = command {
            let additional = additional.iter().map(|address| address.socket);
            client.reported = additional.filter(is_usable).take(MAX_REPORTED).collect();
            client.reflexive = include_reflexive;
            self.register(session);
        }
    }

    fn introduce(&mut self, path: Path, epd: &[u8], tag: &[u8], session: SessionKey, request: usize) {
        let Some(client) = self.clients.get(&session) else { return };
        self.metrics.introductions += 1;
        let observed = Address { origin: Origin::Observed, socket: client.path.remote };
        let reported = client.reported.iter().map(|&socket| Address { origin: Origin::Local, socket });
        let observed_first = Some(observed).filter(|_| client.reflexive).into_iter();
        let destinations = observed_first.chain(reported.filter(|a| a.socket != client.path.remote)).collect();
        self.outputs.push_back(ServerOutput::Redirect { path, tag: tag.to_vec(), destinations, request });
        let reply = Address { origin: Origin::Observed, socket: path.remote };
        self.outputs.push_back(ServerOutput::Forward { session, epd: epd.to_vec(), reply, tag: tag.to_vec() });
    }

    /// A message on a flow about a group: the first one joins.
    fn group_message(&mut self, now: Instant, session: SessionKey, flow: u64, message: &[u8]) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let (peer, source) = (client.peer, client.path.remote.ip());
        let (Some(joined @ None), Ok(group)) = (client.groups.get_mut(&flow), Join::decode(message)) else {
            self.metrics.malformed += 1;
            return;
        };
        let full = self.groups.memberships() >= self.config.limits.memberships;
        if full || !self.joins.take(now, source, 1) {
            self.metrics.limited += 1;
            client.groups.remove(&flow);
            return self.outputs.push_back(ServerOutput::Reject { session, flow, code: UNKNOWN_FLOW });
        }
        let group = group.group();
        *joined = Some(group);
        let newcomer = Joined { peer, session, flow };
        for near in self.groups.join(group, newcomer) {
            for (told, of) in [(newcomer, near), (near, newcomer)] {
                let message = Member(of.peer).encode();
                self.outputs.push_back(ServerOutput::Tell { session: told.session, flow: told.flow, message });
            }
        }
    }

    fn redirect_elsewhere(&mut self, path: Path, tag: &[u8], request: usize) {
        self.metrics.redirected += 1;
        let servers = &self.config.redirect_to;
        self.rotation = (self.rotation + 1) % servers.len().max(1);
        let rotated = servers.iter().cycle().skip(self.rotation).take(servers.len().min(8));
        let destinations = rotated.map(|&socket| Address { origin: Origin::Unknown, socket }).collect();
        self.outputs.push_back(ServerOutput::Redirect { path, tag: tag.to_vec(), destinations, request });
    }

    fn start_check(&mut self, now: Instant, session: SessionKey, transaction: f64, target: Option<ProbeTarget>) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        if let Some(at) = client.connect_by.take() {
            // A mere check needs no `connect`; the check's own end closes the session.
            self.waiting.remove(&(at, session));
        }
        if self.checks.len() >= MAX_CHECKS || self.checks.contains_key(&session) {
            self.metrics.limited += 1;
            return;
        }
        let asker = client.path.remote;
        let mut check = Check::new(now, self.rng.bytes::<16>().to_vec(), transaction, client.path, &self.config.probes);
        if let Some(target) = target {
            let probed = target.seen_from(asker).filter(|_| self.targets.take(now, asker.ip(), 1));
            let Some(probed) = probed else {
                // Answered all the same, so that nobody waits for what will not come.
                self.metrics.limited += 1;
                let report = CheckReport::of_nothing(asker);
                return self.send(session, &Command::CheckResult { transaction, report });
            };
            check = check.targeted(now, target, probed);
        }
        self.metrics.checks += 1;
        self.checks.insert(session, check);
        self.step_check(now, session);
    }

    fn step_check(&mut self, now: Instant, session: SessionKey) {
        let (Some(check), Some(client)) = (self.checks.get_mut(&session), self.clients.get(&session)) else { return };
        let (epd, tag) = (epd::fingerprint(check.selected().unwrap_or(client.peer)), check.tag().to_vec());
        let mut finished = None;
        while let Some(step) = check.step(now) {
            match step {
                CheckStep::Probe { path } => {
                    let (epd, tag) = (epd.clone(), tag.clone());
                    self.outputs.push_back(ServerOutput::Probe { path, epd, tag });
                }
                CheckStep::Introduce { reply } => {
                    let reply = Address { origin: Origin::Observed, socket: reply };
                    let (epd, tag) = (epd.clone(), tag.clone());
                    self.outputs.push_back(ServerOutput::Forward { session, epd, reply, tag });
                }
                CheckStep::Done(report) => {
                    finished = Some(Command::CheckResult { transaction: check.transaction(), report });
                    break;
                }
            }
        }
        if let Some(result) = finished {
            self.checks.remove(&session);
            self.send(session, &result);
        }
    }

    fn refuse(&mut self, session: SessionKey, reason: &'static str) {
        if let Some(client) = self.clients.get(&session) {
            self.outputs.push_back(ServerOutput::Event(ServerEvent::Refused { peer: client.peer, reason }));
        }
        self.outputs.push_back(ServerOutput::Close { session });
    }

    fn send(&mut self, session: SessionKey, command: &Command) {
        self.outputs.push_back(ServerOutput::Send { session, message: messages::encode(command) });
    }
}

/// Whether somebody else could be sent there: a port, and no multicast, broadcast or unspecified address.
fn is_usable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

impl std::fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Registered { peer, observed } => write!(f, "{} registered from {observed}", to_hex(&peer.0)),
            Self::Gone { peer } => write!(f, "{} is gone", to_hex(&peer.0)),
            Self::Refused { peer, reason } => write!(f, "{} refused: {reason}", to_hex(&peer.0)),
        }
    }
}
