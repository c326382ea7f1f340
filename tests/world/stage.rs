//! The usual stage: two peers on the public network, and what has to hold whatever happens to them.

use crate::load::Load;
use crate::peer::Peer;
use p2pt::base::{Instant, PeerId};
use p2pt::endpoint::{EndpointConfig, EndpointEvent};
use p2pt::session::SessionEvent;
use p2pt::sim::{Fate, Host, HostId, Link, World};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const NEAR: &str = "192.0.2.1";
pub(crate) const FAR: &str = "192.0.2.2";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn socket(text: &str) -> SocketAddr {
    SocketAddr::new(ip(text), 1935)
}

/// Two peers, each with a link of this kind in both directions.
pub(crate) struct Pair {
    pub(crate) world: World<Peer>,
    pub(crate) near: HostId,
    pub(crate) far: HostId,
}

impl Pair {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        Self::with(seed, link, link, &EndpointConfig::default())
    }

    /// The link is the near one's, up and down; the far one's is ideal.
    pub(crate) fn with(seed: u64, up: Link, down: Link, config: &EndpointConfig) -> Self {
        let mut world = World::new(seed);
        let mut rng = world.rng();
        // Clones of a configuration share the time-critical board, which is one endpoint's.
        let peers = [(NEAR, up, down), (FAR, Link::IDEAL, Link::IDEAL)].map(|(address, up, down)| {
            let host = Host::at(world.internet(), ip(address)).links(up, down);
            // Every other world hands datagrams over in batches.
            let host = if seed % 2 == 1 { host.gro(MS / 2) } else { host };
            let peer = Peer::plain(&mut rng, fresh(config));
            world.add_host(&host, peer)
        });
        watch(&mut world);
        Self { world, near: peers[0], far: peers[1] }
    }

    /// What each sends to the other.
    pub(crate) fn loads(&mut self, from_near: Option<Load>, from_far: Option<Load>) {
        let [near, far] = [self.near, self.far];
        (self.world.host_mut(near).load, self.world.host_mut(far).expect) = (from_near, from_near);
        (self.world.host_mut(far).load, self.world.host_mut(near).expect) = (from_far, from_far);
    }

    /// The near one dials the far one.
    pub(crate) fn dial(&mut self) {
        let id = self.id(self.far);
        self.world.command(self.near, |peer, now| peer.dial(now, id, socket(FAR)));
    }

    pub(crate) fn id(&self, host: HostId) -> PeerId {
        self.world.host(host).id
    }

    /// Runs until both have a session; fails after `limit`.
    pub(crate) fn wait_open(&mut self, limit: Duration) {
        let (near, far) = (self.near, self.far);
        let open = |world: &World<Peer>| [near, far].iter().all(|&host| world.host(host).opened().next().is_some());
        assert!(self.world.wait_for(limit, open), "no session: {:?}", self.logs());
    }

    /// Runs until all loads are through; fails after `limit`.
    pub(crate) fn wait_done(&mut self, limit: Duration) {
        let (near, far) = (self.near, self.far);
        let done = |world: &World<Peer>| [near, far].iter().all(|&host| world.host(host).is_done());
        assert!(
            self.world.wait_for(limit, done),
            "stuck: {:?} received {} and {}; {:?}",
            self.world.counters(),
            self.world.host(near).received(),
            self.world.host(far).received(),
            self.logs()
        );
    }

    /// The near one closes; both have to notice, and nothing may be left.
    pub(crate) fn close(&mut self) {
        let (near, far) = (self.near, self.far);
        self.world.command(near, |peer, now| {
            let open: Vec<_> = peer.endpoint.sessions().collect();
            open.into_iter().for_each(|session| peer.endpoint.session_mut(session).expect("listed").close(now));
        });
        let gone = |world: &World<Peer>| [near, far].iter().all(|&host| world.host(host).endpoint.session_count() == 0);
        assert!(self.world.wait_for(Duration::from_secs(150), gone), "sessions are left: {:?}", self.logs());
        for host in [near, far] {
            let closed = |(_, event): &&(Instant, EndpointEvent)| {
                matches!(event, EndpointEvent::Session(_, SessionEvent::Closed(_)))
            };
            assert_eq!(self.world.host(host).log.iter().filter(closed).count(), 1, "{:?}", self.logs());
        }
    }

    /// The near one pings, as it does when it has noticed a change of its interfaces.
    pub(crate) fn ping(&mut self) {
        self.world.command(self.near, |peer, _| {
            let open: Vec<_> = peer.endpoint.sessions().collect();
            open.into_iter().for_each(|session| peer.endpoint.session_mut(session).expect("listed").ping());
        });
    }

    /// Bytes that the far one was delivered.
    pub(crate) fn received_bytes(&self) -> usize {
        self.world.host(self.far).harvest.values().map(|harvest| harvest.bytes).sum()
    }

    pub(crate) fn logs(&self) -> [&Vec<(Instant, EndpointEvent)>; 2] {
        [self.near, self.far].map(|host| &self.world.host(host).log)
    }
}

/// The configuration, with a time-critical board of its own.
pub(crate) fn fresh(config: &EndpointConfig) -> EndpointConfig {
    let mut config = config.clone();
    config.session.critical = Default::default();
    config
}

/// Data on its way is bounded: what a session takes for outstanding by the window that the far end gave (256 KiB), and what
/// really is in the network by that and what was sent again. And no packet number is used twice with one key.
pub(crate) fn watch(world: &mut World<Peer>) {
    world.forbid_repeated_nonces();
    world.check(|now, host, peer: &Peer| {
        for handle in peer.endpoint.sessions() {
            let stats = peer.endpoint.session(handle).expect("listed").stats(now);
            let bound = peer.window + peer.window / 4;
            assert!(stats.outstanding <= bound, "{host:?} has {} bytes outstanding", stats.outstanding);
        }
    });
    let under_way = Rc::new(Cell::new(0_i64));
    world.observe(move |now, fate, packet| {
        let bytes = packet.data.len() as i64;
        let change = match fate {
            Fate::Sent(_) | Fate::Duplicated => bytes,
            Fate::Delivered(_) | Fate::Dropped(_) => -bytes,
            Fate::Corrupted | Fate::Marked => 0,
        };
        under_way.set(under_way.get() + change);
        assert!((0..4 << 20).contains(&under_way.get()), "{} bytes under way at {now:?}", under_way.get());
    });
}
