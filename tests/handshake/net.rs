//! A small network in virtual time, in which a test may look into every datagram, hold it back, alter it or forge one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pt::base::{Ecn, Instant, Interface, Path, PeerId, Received, Rng, SessionId};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Plain, Policy, Profile, epd, session_id_of, startup};
use p2pt::endpoint::{Endpoint, EndpointConfig, EndpointEvent, OpenFailure, OpeningId, SessionHandle};
use p2pt::session::SessionEvent;
use p2pt::wire::{Chunk, Chunks, Header, Mode};

/// One way from anywhere to anywhere.
pub(crate) const DELAY: Duration = Duration::from_millis(20);

pub(crate) type NodeId = usize;
type Filter = Box<dyn FnMut(Instant, &mut Datagram) -> Fate>;

/// What becomes of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    Drop,
    Delay(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) data: Vec<u8>,
}

/// What a datagram is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    IHello,
    RHello,
    Redirect,
    IIKeying,
    RIKeying,
    CookieChange,
    Fragment,
    Session,
}

pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) events: Vec<EndpointEvent>,
}

pub(crate) struct Net {
    pub(crate) now: Instant,
    pub(crate) nodes: Vec<Node>,
    pub(crate) log: Vec<(Instant, Kind, Datagram)>,
    pub(crate) filter: Filter,
    pub(crate) rng: Rng,
    queue: BTreeMap<(Instant, u64), Datagram>,
    sent: u64,
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::from_micros(1_000_000),
            nodes: Vec::new(),
            log: Vec::new(),
            filter: Box::new(|_, _| Fate::Pass),
            rng: Rng::for_simulation(seed),
            queue: BTreeMap::new(),
            sent: 0,
        }
    }

    /// A peer of profile `strong` at `address`.
    pub(crate) fn add(&mut self, address: &str) -> NodeId {
        let profile = strong(&mut self.rng, IdentityKind::default());
        self.add_with(address, profile, EndpointConfig::default())
    }

    pub(crate) fn add_with(&mut self, address: &str, profile: Arc<dyn Profile>, config: EndpointConfig) -> NodeId {
        let endpoint = Endpoint::new(self.now, self.rng.fork(), profile, config);
        self.nodes.push(Node { endpoint, addresses: vec![address.parse().unwrap()], events: Vec::new() });
        self.nodes.len() - 1
    }

    /// A new process with the same identity at the same address; the old one leaves without a word.
    pub(crate) fn restart(&mut self, node: NodeId, profile: Arc<dyn Profile>) {
        self.nodes[node].endpoint = Endpoint::new(self.now, self.rng.fork(), profile, EndpointConfig::default());
        self.nodes[node].events.clear();
    }

    pub(crate) fn peer(&self, node: NodeId) -> PeerId {
        self.nodes[node].endpoint.profile().peer_id()
    }

    pub(crate) fn address(&self, node: NodeId) -> SocketAddr {
        self.nodes[node].addresses[0]
    }

    /// Dials a peer by its ID, at its first address.
    pub(crate) fn dial(&mut self, from: NodeId, to: NodeId) -> OpeningId {
        let at = self.address(to);
        self.dial_at(from, to, &[at])
    }

    pub(crate) fn dial_at(&mut self, from: NodeId, to: NodeId, at: &[SocketAddr]) -> OpeningId {
        let wanted = epd::fingerprint(self.peer(to));
        let paths: Vec<Path> = at.iter().map(|address| Path::to(*address)).collect();
        self.command(from, |endpoint, now| endpoint.connect(now, &wanted, &paths))
    }

    /// Commands an endpoint and sends what it has to send.
    pub(crate) fn command<R>(&mut self, node: NodeId, act: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        let result = act(&mut self.nodes[node].endpoint, self.now);
        self.poke(node);
        result
    }

    fn poke(&mut self, node: NodeId) {
        while let Some(transmit) = self.nodes[node].endpoint.poll_transmit(self.now) {
            // The interface of a path is the index of the address that it is sent from.
            let from = self.nodes[node].addresses[usize::from(transmit.path.interface.0)];
            for data in transmit.datagrams() {
                self.send(Datagram { from, to: transmit.path.remote, data: data.to_vec() });
            }
        }
        while let Some(event) = self.nodes[node].endpoint.poll_event() {
            self.nodes[node].events.push(event);
        }
    }

    /// Sends a datagram through the filter.
    pub(crate) fn send(&mut self, mut datagram: Datagram) {
        self.log.push((self.now, kind_of(&datagram.data), datagram.clone()));
        match (self.filter)(self.now, &mut datagram) {
            Fate::Pass => self.inject(DELAY, datagram),
            Fate::Delay(extra) => self.inject(DELAY + extra, datagram),
            Fate::Drop => {}
        }
    }

    /// Lets a datagram arrive after a while, unseen by the filter.
    pub(crate) fn inject(&mut self, after: Duration, datagram: Datagram) {
        self.sent += 1;
        self.queue.insert((self.now + after, self.sent), datagram);
    }

    /// Hands a datagram to a node at once.
    pub(crate) fn deliver(&mut self, node: NodeId, interface: Interface, from: SocketAddr, data: &[u8]) {
        let mut data = data.to_vec();
        let local = Some(self.nodes[node].addresses[0].ip());
        let path = Path { interface, local, remote: from };
        let segment = data.len().max(1);
        let received = Received { path, ecn: Ecn::NotEct, segment, data: &mut data };
        self.nodes[node].endpoint.handle(self.now, received);
        self.poke(node);
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until `done`, at most for `limit`; whether it was done, and how long it took.
    pub(crate) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> Option<Duration> {
        let start = self.now;
        loop {
            if done(self) {
                return Some(self.now - start);
            }
            if !self.step(start + limit) {
                self.now = start + limit;
                return None;
            }
        }
    }

    fn step(&mut self, end: Instant) -> bool {
        let arrival = self.queue.first_key_value().map(|((at, _), _)| *at);
        let timers = self.nodes.iter().enumerate().filter_map(|(n, node)| Some((node.endpoint.deadline()?, n)));
        let timer = timers.min();
        match (arrival, timer) {
            (Some(at), timer) if at <= end && timer.is_none_or(|(due, _)| at <= due) => {
                self.now = self.now.max(at);
                let (_, datagram) = self.queue.pop_first().unwrap();
                let interface =
                    |node: &Node| node.addresses.iter().position(|address| *address == datagram.to).map(|at| at as u16);
                if let Some((node, at)) =
                    self.nodes.iter().enumerate().find_map(|(n, node)| Some((n, interface(node)?)))
                {
                    self.deliver(node, Interface(at), datagram.from, &datagram.data);
                }
                true
            }
            (_, Some((due, node))) if due <= end => {
                self.now = self.now.max(due);
                self.nodes[node].endpoint.handle_timeout(self.now);
                self.poke(node);
                true
            }
            _ => false,
        }
    }

    /// The sessions that a node's owner knows as open.
    pub(crate) fn sessions(&self, node: NodeId) -> Vec<SessionHandle> {
        self.nodes[node].endpoint.sessions().collect()
    }

    /// Whether both have exactly one session, the same one.
    pub(crate) fn are_joined(&self, a: NodeId, b: NodeId) -> bool {
        let [of_a, of_b] = [a, b].map(|node| self.sessions(node));
        let ([a_session], [b_session]) = (&of_a[..], &of_b[..]) else { return false };
        let session = |node: NodeId, handle| self.nodes[node].endpoint.session(handle).unwrap();
        session(a, *a_session).near_nonce() == session(b, *b_session).far_nonce()
            && session(a, *a_session).far_nonce() == session(b, *b_session).near_nonce()
    }

    pub(crate) fn opened(&self, node: NodeId) -> Vec<SessionHandle> {
        let opened = |event: &EndpointEvent| match event {
            EndpointEvent::Opened { session, .. } => Some(*session),
            _ => None,
        };
        self.nodes[node].events.iter().filter_map(opened).collect()
    }

    pub(crate) fn incoming(&self, node: NodeId) -> usize {
        self.nodes[node].events.iter().filter(|event| matches!(event, EndpointEvent::Incoming { .. })).count()
    }

    pub(crate) fn closed(&self, node: NodeId) -> usize {
        let is_closed = |event: &&EndpointEvent| matches!(event, EndpointEvent::Session(_, SessionEvent::Closed(_)));
        self.nodes[node].events.iter().filter(is_closed).count()
    }

    pub(crate) fn failure(&self, node: NodeId) -> Option<OpenFailure> {
        self.nodes[node].events.iter().find_map(|event| match event {
            EndpointEvent::OpenFailed { reason, .. } => Some(*reason),
            _ => None,
        })
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.log.iter().filter(|(_, k, _)| *k == kind).count()
    }

    /// The first datagram of a kind that was sent.
    pub(crate) fn first(&self, kind: Kind) -> Datagram {
        self.log.iter().find(|(_, k, _)| *k == kind).map(|(_, _, datagram)| datagram.clone()).expect("one was sent")
    }
}

pub(crate) fn strong(rng: &mut Rng, kind: IdentityKind) -> Arc<dyn Profile> {
    Arc::new(Keyring::new(Identity::generate(rng, kind), Policy::default()))
}

/// Two profiles of which the first has the smaller certificate.
pub(crate) fn plain_pair(rng: &mut Rng) -> [Arc<dyn Profile>; 2] {
    let mut pair = [Plain::new(rng, false), Plain::new(rng, false)];
    pair.sort_by(|a, b| a.certificate().cmp(b.certificate()));
    pair.map(|plain| Arc::new(plain) as Arc<dyn Profile>)
}

pub(crate) fn kind_of(datagram: &[u8]) -> Kind {
    let Some(packet) = open(datagram) else { return Kind::Session };
    match chunk_of(&packet) {
        Some(Chunk::IHello(_)) => Kind::IHello,
        Some(Chunk::RHello(_)) => Kind::RHello,
        Some(Chunk::Redirect(_)) => Kind::Redirect,
        Some(Chunk::IIKeying(_)) => Kind::IIKeying,
        Some(Chunk::RIKeying(_)) => Kind::RIKeying,
        Some(Chunk::RHelloCookieChange(_)) => Kind::CookieChange,
        Some(Chunk::PacketFragment(_)) => Kind::Fragment,
        _ => Kind::Session,
    }
}

/// The plain packet of a startup datagram.
pub(crate) fn open(datagram: &[u8]) -> Option<Vec<u8>> {
    let mut copy = datagram.to_vec();
    let range = startup::open(&mut copy).ok()?;
    Some(copy[range].to_vec())
}

/// The first chunk of a startup packet.
pub(crate) fn chunk_of(packet: &[u8]) -> Option<Chunk<'_>> {
    let (header, rest) = Header::decode(packet).ok()?;
    (header.mode == Mode::Startup).then_some(())?;
    Chunk::decode(Chunks::new(rest).next()?).ok()
}

/// A startup datagram with these chunks.
pub(crate) fn startup_datagram(id: SessionId, chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut packet = Vec::new();
    Header::new(Mode::Startup).encode(&mut packet);
    for chunk in chunks {
        chunk.encode(&mut packet);
    }
    startup::seal(id, &packet)
}

/// A startup datagram whose first chunk, encoded, is altered: for the same session ID, with a good checksum.
pub(crate) fn altered(datagram: &[u8], alter: impl FnOnce(Chunk<'_>, &mut Vec<u8>)) -> Vec<u8> {
    let packet = open(datagram).expect("a startup datagram");
    let mut forged = Vec::new();
    Header::new(Mode::Startup).encode(&mut forged);
    alter(chunk_of(&packet).expect("it has a chunk"), &mut forged);
    startup::seal(session_id_of(datagram).expect("it has an ID"), &forged)
}

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
