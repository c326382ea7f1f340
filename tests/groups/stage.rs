//! The stage: a wide network with a rendezvous, members on it, behind NATs or on a LAN.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pt::base::{Instant, Interface, PeerId, WallClock};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Plain, Policy, Profile};
use p2pt::endpoint::EndpointConfig;
use p2pt::group::{Groupspec, GroupspecBuilder};
use p2pt::node::rendezvous::ServerConfig;
use p2pt::node::{GroupConfig, MemberConfig, Registration};
use p2pt::sim::{Host, HostId, Link, Nat, NetworkId, Participant, World};
use p2pt::wire::{Address, Origin};

use crate::home::home;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const S: Duration = Duration::from_secs(1);
/// Where beacons go.
pub(crate) const LAN: &str = "239.255.112.50:19350";
const SERVER: &str = "192.0.2.1";
const URI: &str = "rtmfp://rendezvous.test:1935";
const PORT: u16 = 5000;
/// The time of day: 2027-01-15 at the beginning.
const CLOCK: WallClock = WallClock { at_zero: Duration::from_secs(1_800_000_000) };

/// How a member finds others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    pub(crate) nat: Option<Nat>,
    pub(crate) register: bool,
    pub(crate) lan: bool,
    pub(crate) bootstrap: Vec<(PeerId, SocketAddr)>,
}

impl Ways {
    pub(crate) fn registered() -> Self {
        Self { register: true, ..Self::default() }
    }
}

pub(crate) struct Stage {
    pub(crate) world: World<Participant>,
    pub(crate) wide: NetworkId,
    pub(crate) members: Vec<HostId>,
    pub(crate) strong: bool,
    pub(crate) link: Link,
    hosts: u8,
}

/// The group of the stories.
pub(crate) fn spec() -> Groupspec {
    let builder = GroupspecBuilder::new("stories").unique([7; 32]);
    builder.posting().routing().server_channel().build().expect("a good groupspec")
}

/// One whose members publish streams.
pub(crate) fn live_spec() -> Groupspec {
    GroupspecBuilder::new("live stories")
        .unique([9; 32])
        .multicast()
        .server_channel()
        .build()
        .expect("a good groupspec")
}

/// Another one.
pub(crate) fn other_spec() -> Groupspec {
    GroupspecBuilder::new("more stories").unique([8; 32]).server_channel().build().expect("a good groupspec")
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        println!("seed {seed}");
        let mut world = World::new(seed);
        let wide = world.add_network();
        Self { world, wide, members: Vec::new(), strong: false, link: Link::IDEAL.delay(10 * MS), hosts: 0 }
    }

    fn profile(&mut self, server: bool) -> Arc<dyn Profile> {
        let mut rng = self.world.rng();
        if self.strong {
            let kind = IdentityKind { server, ..IdentityKind::default() };
            Arc::new(Keyring::new(Identity::generate(&mut rng, kind), Policy::default()))
        } else {
            Arc::new(Plain::new(&mut rng, server))
        }
    }

    pub(crate) fn add_server(&mut self) -> HostId {
        let profile = self.profile(true);
        let endpoint = EndpointConfig { raise_unmatched_ihellos: true, ..EndpointConfig::default() };
        let mut server = Participant::new(Instant::ZERO, self.world.rng(), profile, endpoint);
        server.node.serve_rendezvous(ServerConfig::default());
        let host = Host::at(self.wide, SERVER.parse().unwrap()).links(self.link, self.link);
        self.world.add_host(&host, server)
    }

    /// A host that has not joined yet.
    pub(crate) fn add(&mut self, nat: Option<Nat>) -> HostId {
        self.hosts += 1;
        let (network, address) = home(&mut self.world, self.wide, self.hosts, nat);
        let profile = self.profile(false);
        let peer = Participant::new(self.world.now(), self.world.rng(), profile, EndpointConfig::default());
        let host = Host::at(network, address).links(self.link, self.link).port(PORT);
        let host = host.join(Interface::DISCOVERY, LAN.parse().unwrap());
        let host = self.world.add_host(&host, peer);
        self.world.command(host, |peer, now| {
            peer.node.set_on_link(vec![(address, 24)]);
            peer.node.set_local_addresses(now, vec![SocketAddr::new(address, PORT)]);
        });
        host
    }

    pub(crate) fn config(&mut self, host: HostId, ways: &Ways) -> GroupConfig {
        self.config_of(host, spec(), ways)
    }

    pub(crate) fn config_of(&mut self, host: HostId, spec: Groupspec, ways: &Ways) -> GroupConfig {
        let author = Identity::generate(&mut self.world.rng(), IdentityKind::default());
        let member = MemberConfig::new(spec, self.id(host), author, CLOCK);
        let mut config = GroupConfig::new(member);
        if ways.register {
            let servers = vec![SocketAddr::new(SERVER.parse().unwrap(), 1935)];
            let registration = Registration { servers, uri: URI.to_owned(), pin: None, developer_key: None };
            config.registrations.push(self.world.command(host, |peer, now| peer.node.register(now, registration)));
        }
        if ways.lan {
            config.lan.push(LAN.parse().unwrap());
        }
        let address = |socket| Address { origin: Origin::Unknown, socket };
        config.bootstrap = ways.bootstrap.iter().map(|&(peer, at)| (peer, vec![address(at)])).collect();
        config
    }

    /// A host that joins now.
    pub(crate) fn join(&mut self, ways: &Ways) -> HostId {
        let host = self.add(ways.nat);
        self.join_as(host, ways);
        host
    }

    pub(crate) fn join_as(&mut self, host: HostId, ways: &Ways) {
        let config = self.config(host, ways);
        self.world.command(host, |peer, now| peer.join(now, config));
        self.members.push(host);
    }

    /// Takes a host out without a farewell.
    pub(crate) fn kill(&mut self, host: HostId) {
        self.members.retain(|member| *member != host);
        self.world.remove_host(host);
    }

    pub(crate) fn id(&self, host: HostId) -> PeerId {
        self.world.host(host).id()
    }

    /// Where a host on the wide network is.
    pub(crate) fn at(&self, host: HostId) -> SocketAddr {
        SocketAddr::new(self.world.address_of(host), PORT)
    }

    pub(crate) fn are_neighbours(&self, one: HostId, other: HostId) -> bool {
        are_neighbours(&self.world, one, other) && are_neighbours(&self.world, other, one)
    }

    /// Runs until all members are neighbours of all others; how long that took.
    ///
    /// # Panics
    /// If they are not within `limit`.
    pub(crate) fn wait_mesh(&mut self, limit: Duration) -> Duration {
        let begun = self.world.now();
        let members = self.members.clone();
        let mesh = |world: &World<Participant>| {
            let pairs = members.iter().flat_map(|one| members.iter().map(move |other| (*one, *other)));
            pairs.filter(|(one, other)| one != other).all(|(one, other)| are_neighbours(world, one, other))
        };
        assert!(self.world.wait_for(limit, mesh), "no mesh: {:?}", self.picture());
        self.world.now() - begun
    }

    /// How many neighbours each has.
    pub(crate) fn picture(&self) -> Vec<usize> {
        let count = |&host: &HostId| self.world.host(host).view().map_or(0, |view| view.neighbours().len());
        self.members.iter().map(count).collect()
    }
}

fn are_neighbours(world: &World<Participant>, one: HostId, other: HostId) -> bool {
    world.host(one).view().is_some_and(|view| view.neighbour(world.host(other).id()).is_some())
}
