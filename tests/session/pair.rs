//! Two sessions that keyed each other, on two hosts of the virtual world.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use p2pt::base::{Instant, Path, Received, Rng, SessionId, Transmit};
use p2pt::crypto::{FlashPeer, Identity, IdentityKind, Keyring, Plain, Policy, Profile, SessionKeys};
use p2pt::flow::{Lifetime, Order, Priority, WriteError};
use p2pt::session::{FlowError, FlowId, Role, Session, SessionConfig, SessionEvent, SessionParams};
use p2pt::sim::{Host, HostId, Link, Machine, World};
use p2pt::wire::{IIKeying, RIKeying};

pub(crate) const NEAR: &str = "192.0.2.1";
pub(crate) const FAR: &str = "192.0.2.2";
pub(crate) const PORT: u16 = 1935;

/// Which profile protects the pair.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keys {
    Plain,
    Strong,
    Flash,
}

/// What a host runs: a session and its user.
pub(crate) struct End {
    pub(crate) session: Session,
    /// Everything that was told, but for messages.
    pub(crate) events: Vec<SessionEvent>,
    /// Messages of each receiving flow.
    pub(crate) messages: BTreeMap<FlowId, Vec<Bytes>>,
    /// Bytes of each receiving flow, checked against [`pattern`] if `verify`.
    pub(crate) received: BTreeMap<FlowId, u64>,
    pub(crate) verify: bool,
    pub(crate) order: Order,
    pub(crate) capacity: usize,
    /// Whether the user takes flows and reads.
    pub(crate) accepts: bool,
    pub(crate) reads: bool,
    feeds: Vec<Feed>,
}

/// Bytes that the user still has to write.
struct Feed {
    flow: FlowId,
    at: u64,
    end: u64,
    message: usize,
    close: bool,
}

/// The byte at an offset of a test stream.
pub(crate) fn pattern(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl End {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            events: Vec::new(),
            messages: BTreeMap::new(),
            received: BTreeMap::new(),
            verify: true,
            order: Order::Original,
            capacity: 16 << 20,
            accepts: true,
            reads: true,
            feeds: Vec::new(),
        }
    }

    /// Opens a flow and writes `bytes` of the pattern into it in messages of `message` bytes, as it takes them.
    pub(crate) fn feed(&mut self, now: Instant, priority: Priority, bytes: u64, message: usize, close: bool) -> FlowId {
        let flow = self.session.open_flow(now, b"test", None, priority).unwrap();
        self.feeds.push(Feed { flow, at: 0, end: bytes, message, close });
        self.work(now);
        flow
    }

    pub(crate) fn write(&mut self, now: Instant, flow: FlowId, data: &[u8]) {
        self.session.write(now, flow, Bytes::copy_from_slice(data), Lifetime::UNLIMITED).unwrap();
        self.work(now);
    }

    pub(crate) fn total_received(&self) -> u64 {
        self.received.values().sum()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&SessionEvent) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }

    /// Lets the user act on what happened.
    pub(crate) fn work(&mut self, now: Instant) {
        while let Some(event) = self.session.poll_event() {
            match event {
                SessionEvent::FlowOpened { flow, .. } if self.accepts => {
                    self.session.accept_flow(flow, self.order, self.capacity).unwrap();
                    self.events.push(event);
                }
                SessionEvent::Message { flow, data, .. } => {
                    let at = self.received.entry(flow).or_default();
                    if self.verify {
                        for (offset, &byte) in (*at..).zip(data.iter()) {
                            assert_eq!(byte, pattern(offset), "byte {offset} of {flow:?}");
                        }
                    }
                    *at += data.len() as u64;
                    if self.reads {
                        let _ = self.session.consume(flow, data.len());
                    }
                    if !self.verify {
                        self.messages.entry(flow).or_default().push(data);
                    }
                }
                event => self.events.push(event),
            }
        }
        let mut feeds = std::mem::take(&mut self.feeds);
        feeds.retain_mut(|feed| {
            while feed.at < feed.end {
                let len = (feed.end - feed.at).min(feed.message as u64);
                let data: Bytes = (feed.at..feed.at + len).map(pattern).collect();
                match self.session.write(now, feed.flow, data, Lifetime::UNLIMITED) {
                    Ok(_) => feed.at += len,
                    Err(FlowError::Write(WriteError::Full)) => return true,
                    Err(_) => return false,
                }
            }
            if feed.close {
                let _ = self.session.close_flow(feed.flow);
            }
            false
        });
        self.feeds = feeds;
    }
}

impl Machine for End {
    fn handle(&mut self, now: Instant, mut received: Received<'_>) {
        self.session.receive(now, &mut received);
        self.work(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        self.work(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.session.deadline()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.session.poll_transmit(now)
    }
}

/// The keys of an initiator and a responder that met.
pub(crate) fn keys(kind: Keys, rng: &mut Rng) -> (SessionKeys, SessionKeys, [Box<dyn Profile>; 2]) {
    let mut profile = || -> Box<dyn Profile> {
        match kind {
            Keys::Plain => Box::new(Plain::new(rng, false)),
            Keys::Flash => Box::new(FlashPeer::client(rng)),
            Keys::Strong => {
                let identity = Identity::generate(rng, IdentityKind::default());
                Box::new(Keyring::new(identity, Policy::default()))
            }
        }
    };
    let [near, far] = [profile(), profile()];
    let mut initiation = near.initiate(rng, far.certificate()).unwrap();
    let isp = IIKeying::signed_parameters(SessionId(1), b"cookie", near.certificate(), initiation.skic());
    let signature = initiation.sign(&isp);
    let response = far.respond(rng, &IIKeying::new(&isp, &signature).unwrap(), SessionId(2)).unwrap();
    let rsp = RIKeying::signed_parameters(SessionId(2), &response.skrc);
    let near_keys = initiation.complete(&[&isp], &RIKeying::new(&rsp, &response.signature).unwrap()).unwrap();
    (near_keys, response.keys, [near, far])
}

/// The session of one side of `profiles`, 0 being the initiator.
pub(crate) fn session(
    now: Instant,
    rng: &mut Rng,
    keys: SessionKeys,
    profiles: &[Box<dyn Profile>; 2],
    side: usize,
    config: &SessionConfig,
) -> Session {
    Session::new(now, rng.fork(), params(keys, profiles, side, config))
}

/// What that session is made with.
pub(crate) fn params(
    keys: SessionKeys,
    profiles: &[Box<dyn Profile>; 2],
    side: usize,
    config: &SessionConfig,
) -> SessionParams {
    let remote: IpAddr = [FAR, NEAR][side].parse().unwrap();
    let certificate = profiles[1 - side].certificate();
    let ids = [SessionId(1), SessionId(2)];
    SessionParams {
        role: [Role::Initiator, Role::Responder][side],
        keys,
        near_id: ids[side],
        far_id: ids[1 - side],
        path: Path::to(SocketAddr::new(remote, PORT)),
        far: profiles[side].examine(certificate).unwrap(),
        far_certificate: certificate.to_vec(),
        confirmed: side == 0,
        config: config.clone(),
    }
}

/// The pair in its world: `near` is the initiator.
pub(crate) struct Pair {
    pub(crate) world: World<End>,
    pub(crate) near: HostId,
    pub(crate) far: HostId,
}

/// How to make a pair.
pub(crate) struct Setup {
    pub(crate) seed: u64,
    /// From near to far.
    pub(crate) up: Link,
    /// From far to near.
    pub(crate) down: Link,
    pub(crate) keys: Keys,
    pub(crate) near: SessionConfig,
    pub(crate) far: SessionConfig,
    pub(crate) gro: Option<Duration>,
}

impl Setup {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        let [near, far] = [SessionConfig::default(), SessionConfig::default()];
        Self { seed, up: link, down: link, keys: Keys::Plain, near, far, gro: None }
    }

    pub(crate) fn build(self) -> Pair {
        let mut world = World::new(self.seed);
        let mut rng = world.rng();
        let (near_keys, far_keys, profiles) = keys(self.keys, &mut rng);
        let now = world.now();
        let near = session(now, &mut rng, near_keys, &profiles, 0, &self.near);
        let far = session(now, &mut rng, far_keys, &profiles, 1, &self.far);
        let host = |address: &str, up, down| {
            let host = Host::at(world.internet(), address.parse().unwrap()).links(up, down);
            match self.gro {
                Some(window) => host.gro(window),
                None => host,
            }
        };
        let near_host = host(NEAR, self.up, self.down);
        let far_host = host(FAR, Link::IDEAL, Link::IDEAL);
        let near = world.add_host(&near_host, End::new(near));
        let far = world.add_host(&far_host, End::new(far));
        Pair { world, near, far }
    }
}

impl Pair {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        Setup::new(seed, link).build()
    }

    /// A pair that has exchanged its first packets.
    pub(crate) fn connected(seed: u64, link: Link) -> Self {
        let mut pair = Self::new(seed, link);
        pair.connect();
        pair
    }

    pub(crate) fn connect(&mut self) {
        let far = self.far;
        let connected = self.world.wait_for(Duration::from_secs(20), |world| world.host(far).session.is_confirmed());
        assert!(connected, "the far end confirms within 20 s");
    }

    pub(crate) fn near(&self) -> &End {
        self.world.host(self.near)
    }

    pub(crate) fn far(&self) -> &End {
        self.world.host(self.far)
    }

    /// Lets near send `bytes` and waits until far has them all; how long that took.
    pub(crate) fn transfer(&mut self, bytes: u64, limit: Duration) -> Option<Duration> {
        let start = self.world.now();
        let (near, far) = (self.near, self.far);
        let before = self.far().total_received();
        self.world.command(near, |end, now| end.feed(now, Priority::Bulk, bytes, 16 << 10, true));
        let done = self.world.wait_for(limit, |world| world.host(far).total_received() - before == bytes);
        done.then(|| self.world.now() - start)
    }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
