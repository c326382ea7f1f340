//! Nodes, a rendezvous and NATs in virtual time: registration, introduction, checks, restarts.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use p2pt::base::{Instant, Interface, Path, PeerId, Received, Rng, Transmit};
use p2pt::crypto::{FlashPeer, Identity, IdentityKind, Keyring, Plain, Policy, Profile};
use p2pt::endpoint::EndpointConfig;
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::node::{Dial, DialError, Node, NodeConfig, NodeEvent, PeerHandle, Registration};
use p2pt::service::rendezvous::{CheckReport, ProbeSockets, ProbeTarget, ServerConfig, Verdict};
use p2pt::sim::{Host, HostId, Link, Machine, Nat, NetworkId, World};

#[allow(unreachable_pub)]
#[path = "support/home.rs"]
mod home;
use home::home;

/// A node and what it told; perhaps a second one beside it, on a socket of its own.
struct Peer {
    node: Node,
    events: Vec<NodeEvent>,
    second: Option<Box<Self>>,
}

/// The socket of a second node.
const SECOND: Interface = Interface(1);

impl Peer {
    fn drain(&mut self, now: Instant) {
        self.events.extend(std::iter::from_fn(|| self.node.poll_event(now)));
    }

    fn heard(&self, wanted: impl Fn(&NodeEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }
}

impl Machine for Peer {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        if let (Some(second), SECOND) = (&mut self.second, received.path.interface) {
            let path = Path { interface: Interface(0), ..received.path };
            return second.handle(now, Received { path, ..received });
        }
        self.node.handle(now, received);
        self.drain(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.node.handle_timeout(now);
        self.drain(now);
        if let Some(second) = &mut self.second {
            second.handle_timeout(now);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let second = self.second.as_ref().and_then(|second| second.deadline());
        [self.node.deadline(), second].into_iter().flatten().min()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let transmit = self.node.poll_transmit(now);
        self.drain(now);
        transmit.or_else(|| {
            let transmit = self.second.as_mut()?.poll_transmit(now)?;
            Some(Transmit { path: Path { interface: SECOND, ..transmit.path }, ..transmit })
        })
    }
}

const SERVER: &str = "192.0.2.1";
const SERVER_TOO: &str = "192.0.2.2";
const URI: &str = "rtmfp://rendezvous.test:1935";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn server_address() -> SocketAddr {
    SocketAddr::new(ip(SERVER), 1935)
}

fn wide_link() -> Link {
    Link::IDEAL.delay(Duration::from_millis(10))
}

struct Stage {
    world: World<Peer>,
    wide: NetworkId,
    hosts: u8,
}

impl Stage {
    fn new(seed: u64, config: ServerConfig) -> (Self, HostId) {
        let mut world = World::new(seed);
        let wide = world.add_network();
        let mut stage = Self { world, wide, hosts: 0 };
        let host = Host::at(wide, ip(SERVER))
            .links(wide_link(), wide_link())
            .also_at(wide, ip(SERVER_TOO))
            .links(wide_link(), wide_link())
            .socket(Interface(2), 1936)
            .socket(Interface(3), 1937);
        let mut peer = stage.peer(true);
        peer.node.serve_rendezvous(config);
        let server = stage.world.add_host(&host, peer);
        (stage, server)
    }

    fn peer(&mut self, server: bool) -> Peer {
        let profile = Arc::new(Plain::new(&mut self.world.rng(), server));
        self.peer_with(server, profile)
    }

    fn peer_with(&mut self, server: bool, profile: Arc<dyn Profile>) -> Peer {
        let endpoint = EndpointConfig {
            raise_unmatched_ihellos: server,
            raise_unmatched_rhellos: server,
            ..EndpointConfig::default()
        };
        let config = NodeConfig { profile, endpoint };
        Peer { node: Node::new(Instant::ZERO, self.world.rng(), config), events: Vec::new(), second: None }
    }

    /// Another rendezvous, of one address.
    fn add_server(&mut self, address: &str) -> SocketAddr {
        let address = ip(address);
        let host = Host::at(self.wide, address).links(wide_link(), wide_link()).socket(Interface(2), 1936);
        let mut peer = self.peer(true);
        peer.node.serve_rendezvous(of_one_address());
        self.world.add_host(&host, peer);
        SocketAddr::new(address, 1935)
    }

    /// A host with a peer, behind a NAT or on the wide network.
    fn add(&mut self, nat: Option<Nat>) -> HostId {
        let peer = self.peer(false);
        self.add_peer(nat, peer)
    }

    fn add_peer(&mut self, nat: Option<Nat>, peer: Peer) -> HostId {
        self.hosts += 1;
        let (network, address) = home(&mut self.world, self.wide, self.hosts, nat);
        let host = Host::at(network, address).links(wide_link(), wide_link()).port(5000).socket(SECOND, 5001);
        let host = self.world.add_host(&host, peer);
        let own = vec![SocketAddr::new(address, 5000)];
        self.world.command(host, |peer, now| peer.node.set_local_addresses(now, own));
        host
    }

    fn register(&mut self, host: HostId, key: Option<&str>) {
        let registration = Registration {
            servers: vec![server_address()],
            uri: URI.to_owned(),
            pin: None,
            developer_key: key.map(str::to_owned),
        };
        self.world.command(host, |peer, now| peer.node.register(now, registration));
    }

    fn dial(&mut self, host: HostId, peer: PeerId) {
        let dial = Dial {
            peer,
            candidates: Vec::new(),
            rendezvous: vec![server_address()],
            multicast: Vec::new(),
            timeout: Duration::from_secs(30),
        };
        self.world.command(host, |peer, now| peer.node.dial(now, &dial));
    }

    /// Two peers on the wide network and who they are.
    fn two(&mut self) -> [(HostId, Arc<Plain>); 2] {
        [1, 2].map(|number| {
            self.hosts += 1;
            let host = Host::at(self.wide, IpAddr::from([198, 51, 100, number])).links(wide_link(), wide_link());
            let profile = Arc::new(Plain::new(&mut self.world.rng(), false));
            let peer = self.peer_with(false, profile.clone());
            (self.world.add_host(&host.port(5000), peer), profile)
        })
    }

    /// Dials a peer where it is.
    fn dial_directly(&mut self, from: HostId, to: HostId) {
        let dial = Dial {
            peer: self.id(to),
            candidates: vec![SocketAddr::new(self.world.address_of(to), 5000)],
            rendezvous: Vec::new(),
            multicast: Vec::new(),
            timeout: Duration::from_secs(30),
        };
        self.world.command(from, |peer, now| peer.node.dial(now, &dial));
    }

    /// The peers that a host has dialled, or that it was told of and has let in.
    fn peers_of(&mut self, host: HostId) -> Vec<PeerHandle> {
        let mut peers: Vec<PeerHandle> = self.world.host(host).events.iter().filter_map(peer_of).collect();
        // Who came in may have been dialled as well.
        peers.dedup();
        self.world.command(host, |peer, _| peers.iter().for_each(|&known| peer.node.accept(known)));
        peers
    }

    /// Says something on a new flow; whether the far end, which takes everything, hears it.
    fn say(&mut self, from: HostId, to: PeerHandle, host: HostId, words: &'static str) -> bool {
        let flow = self.world.command(from, |peer, now| {
            let flow = peer.node.open_flow(now, to, words.as_bytes(), None, Priority::Normal)?;
            peer.node.write(now, to, flow, words.as_bytes().into(), Lifetime::default())
        });
        if flow.is_err() {
            return false;
        }
        let opened = |event: &NodeEvent| match event {
            NodeEvent::FlowOpened { peer, flow, metadata, .. } if metadata == words.as_bytes() => Some((*peer, *flow)),
            _ => None,
        };
        self.wait(host, Duration::from_secs(5), |event| opened(event).is_some());
        let Some((peer, flow)) = self.world.host(host).events.iter().find_map(opened) else { return false };
        self.world.command(host, |far, _| far.node.accept_flow(peer, flow, Order::Original)).expect("it just opened");
        let heard = |event: &NodeEvent| matches!(event, NodeEvent::Message { data, .. } if data == words);
        self.wait(host, Duration::from_secs(5), heard)
    }

    fn id(&self, host: HostId) -> PeerId {
        self.world.host(host).node.peer_id()
    }

    fn wait(&mut self, host: HostId, limit: Duration, wanted: impl Fn(&NodeEvent) -> bool) -> bool {
        self.world.wait_for(limit, |world| world.host(host).heard(&wanted))
    }
}

fn peer_of(event: &NodeEvent) -> Option<PeerHandle> {
    match event {
        NodeEvent::Dialled { peer, .. } | NodeEvent::Incoming { peer, .. } => Some(*peer),
        _ => None,
    }
}

fn closed(event: &NodeEvent) -> bool {
    matches!(event, NodeEvent::PeerClosed { .. })
}

fn dialled(event: &NodeEvent) -> bool {
    matches!(event, NodeEvent::Dialled { .. })
}

fn registered(event: &NodeEvent) -> bool {
    matches!(event, NodeEvent::Registered { .. })
}

fn open() -> ServerConfig {
    ServerConfig::default()
}

fn of_one_address() -> ServerConfig {
    let probes = ProbeSockets { other_port: Some((Interface(2), 1936)), other_address: None };
    ServerConfig { probes, ..open() }
}

fn reported(events: &[NodeEvent]) -> Option<CheckReport> {
    events.iter().find_map(|event| match event {
        NodeEvent::Checked { report, .. } => Some(report.clone()),
        _ => None,
    })
}

#[test]
fn a_peer_is_found_through_the_rendezvous_in_three_round_trips() {
    let (mut stage, _) = Stage::new(1, open());
    let (alice, bob) = (stage.add(None), stage.add(None));
    stage.register(bob, None);
    // Two round trips for the session, one for each command: 40 ms each.
    assert!(stage.wait(bob, Duration::from_millis(161), registered));
    let observed = stage.world.host(bob).events.iter().find_map(|event| match event {
        NodeEvent::Registered { observed, .. } => *observed,
        _ => None,
    });
    assert_eq!(observed, Some("198.51.100.2:5000".parse().unwrap()));
    let begun = stage.world.command(alice, |_, now| now);
    stage.dial(alice, stage.id(bob));
    assert!(stage.wait(alice, Duration::from_secs(2), |event| matches!(event, NodeEvent::Dialled { .. })));
    let took = stage.world.command(alice, |_, now| now - begun);
    // One round trip to the rendezvous and two to the peer, 40 ms each.
    assert!(took <= Duration::from_millis(121), "{took:?}");
}

#[test]
fn thirteen_of_sixteen_pairs_of_nats_connect_and_the_others_are_told_why() {
    let kinds = [
        ("none", None),
        ("cone", Some(Nat::FULL_CONE)),
        ("port", Some(Nat::PORT_RESTRICTED)),
        ("symmetric", Some(Nat::SYMMETRIC)),
    ];
    for (row, (near, near_nat)) in kinds.iter().enumerate() {
        for (column, (far, far_nat)) in kinds.iter().enumerate() {
            let (mut stage, _) = Stage::new((row * 4 + column) as u64, open());
            let (alice, bob) = (stage.add(*near_nat), stage.add(*far_nat));
            stage.register(bob, None);
            assert!(stage.wait(bob, Duration::from_secs(2), registered), "{far} does not register");
            stage.dial(alice, stage.id(bob));
            let reached = stage.wait(alice, Duration::from_secs(2), |event| matches!(event, NodeEvent::Dialled { .. }));
            let hopeless =
                matches!((*near, *far), ("symmetric", "symmetric") | ("symmetric", "port") | ("port", "symmetric"));
            assert_eq!(reached, !hopeless, "{near} to {far}");
            if hopeless {
                let failed =
                    |event: &NodeEvent| matches!(event, NodeEvent::DialFailed { error: DialError::Unreachable, .. });
                assert!(stage.wait(alice, Duration::from_secs(15), failed), "{near} to {far} is not told");
            }
        }
    }
}

#[test]
fn who_is_registered_can_be_found_at_once() {
    for seed in 100..200 {
        let (mut stage, server) = Stage::new(seed, open());
        let (alice, bob) = (stage.add(None), stage.add(None));
        for host in [bob, server] {
            stage.world.set_links(host, wide_link().loss(0.1), wide_link().loss(0.1));
        }
        stage.register(bob, None);
        assert!(stage.wait(bob, Duration::from_secs(10), registered), "seed {seed}");
        let known = stage.world.host(server).node.rendezvous_metrics().map(|metrics| metrics.registered);
        assert_eq!(known, Some(1), "seed {seed}: it was told too early");
        stage.dial(alice, stage.id(bob));
        assert!(stage.wait(alice, Duration::from_secs(10), dialled), "seed {seed}");
    }
}

#[test]
fn who_registers_while_it_is_looked_for_is_found_soon() {
    for wait in [0, 40, 90, 120, 500, 2_000] {
        let (mut stage, _) = Stage::new(wait, open());
        let (alice, bob) = (stage.add(None), stage.add(None));
        stage.dial(alice, stage.id(bob));
        stage.world.run_for(Duration::from_millis(wait));
        stage.register(bob, None);
        assert!(stage.wait(bob, Duration::from_secs(1), registered));
        // It is asked for twice a second; then come three round trips.
        assert!(stage.wait(alice, Duration::from_millis(621), dialled), "after {wait} ms");
    }
}

#[test]
fn an_unknown_peer_is_reported_after_three_seconds() {
    let (mut stage, _) = Stage::new(3, open());
    let alice = stage.add(Some(Nat::PORT_RESTRICTED));
    stage.dial(alice, PeerId([9; 32]));
    let not_found = |event: &NodeEvent| matches!(event, NodeEvent::DialFailed { error: DialError::NotFound, .. });
    assert!(!stage.wait(alice, Duration::from_millis(2_900), not_found));
    assert!(stage.wait(alice, Duration::from_millis(500), not_found));
}

#[test]
fn a_silent_rendezvous_is_reported() {
    let (mut stage, server) = Stage::new(4, open());
    let alice = stage.add(None);
    stage.world.remove_host(server);
    stage.dial(alice, PeerId([9; 32]));
    let silent =
        |event: &NodeEvent| matches!(event, NodeEvent::DialFailed { error: DialError::RendezvousUnreachable, .. });
    assert!(stage.wait(alice, Duration::from_secs(11), silent));
}

#[test]
fn a_wrong_developer_key_is_refused_with_words_and_a_dialler_needs_none() {
    let keys = Some(BTreeSet::from(["right".to_owned()]));
    let (mut stage, server) = Stage::new(5, ServerConfig { developer_keys: keys, ..open() });
    let (alice, bob, carol) = (stage.add(None), stage.add(None), stage.add(None));
    stage.register(carol, Some("wrong"));
    let refused = |event: &NodeEvent| matches!(event, NodeEvent::RegistrationRefused { refusal, .. } if refusal.description.contains("developer key"));
    assert!(stage.wait(carol, Duration::from_secs(2), refused));
    stage.register(bob, Some("right"));
    assert!(stage.wait(bob, Duration::from_secs(2), registered));
    stage.dial(alice, stage.id(bob));
    assert!(stage.wait(alice, Duration::from_secs(2), |event| matches!(event, NodeEvent::Dialled { .. })));
    assert_eq!(stage.world.host(server).node.rendezvous_metrics().unwrap().refused_key, 1);
}

#[test]
fn after_a_restart_every_client_is_registered_again_within_a_period_and_five_seconds() {
    for seed in 0..20 {
        let (mut stage, server) = Stage::new(seed, open());
        let clients: Vec<HostId> = (0..5).map(|_| stage.add(None)).collect();
        for &client in &clients {
            stage.register(client, None);
        }
        let apart = Duration::from_millis(3_000 + seed * 617);
        stage.world.run_for(apart);
        for &client in &clients {
            assert!(stage.world.host(client).heard(registered), "seed {seed}");
            stage.world.host_mut(client).events.clear();
        }
        let mut fresh = stage.peer(true);
        fresh.node.serve_rendezvous(open());
        *stage.world.host_mut(server) = fresh;
        stage.world.run_for(Duration::from_secs(15));
        let back = clients.iter().filter(|&&client| stage.world.host(client).heard(registered)).count();
        assert_eq!(back, clients.len(), "seed {seed}");
        assert_eq!(stage.world.host(server).node.rendezvous_metrics().unwrap().registered, 5, "seed {seed}");
    }
}

#[test]
fn a_check_names_the_nat() {
    use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};
    let probes = ProbeSockets {
        other_port: Some((Interface(2), 1936)),
        other_address: Some((Interface(3), SocketAddr::new(ip(SERVER_TOO), 1937))),
    };
    let expected = [
        (None, All, All),
        (Some(Nat::FULL_CONE), All, All),
        (Some(Nat::RESTRICTED_CONE), All, Address),
        (Some(Nat::PORT_RESTRICTED), All, Port),
        (Some(Nat::SYMMETRIC), Port, Port),
    ];
    for (number, (nat, mapping, filtering)) in expected.into_iter().enumerate() {
        let (mut stage, _) = Stage::new(number as u64, ServerConfig { probes: probes.clone(), ..open() });
        let alice = stage.add(nat);
        stage.world.command(alice, |peer, now| peer.node.check(now, vec![server_address()], URI.to_owned(), None));
        assert!(stage.wait(alice, Duration::from_secs(5), |event| matches!(event, NodeEvent::Checked { .. })));
        let report = reported(&stage.world.host(alice).events).unwrap();
        assert_eq!((report.mapping(), report.filtering()), (mapping, filtering), "{nat:?}: {report:?}");
    }
}

#[test]
fn two_rendezvous_of_one_address_each_name_the_filtering() {
    use Verdict::EndpointIndependentOrUnknown as Open;
    use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};
    let expected = [
        (None, Open, true, All),
        (Some(Nat::FULL_CONE), Open, true, All),
        (Some(Nat::RESTRICTED_CONE), Open, false, Address),
        (Some(Nat::PORT_RESTRICTED), Port, false, Port),
        (Some(Nat::SYMMETRIC), Port, false, Port),
    ];
    for (number, (nat, alone, arrives, filtering)) in expected.into_iter().enumerate() {
        let (mut stage, _) = Stage::new(number as u64, of_one_address());
        let other = stage.add_server("192.0.2.9");
        let (alice, asker) = (stage.add(nat), stage.peer(false));
        stage.world.command(alice, |peer, now| peer.node.check(now, vec![server_address()], URI.to_owned(), None));
        assert!(stage.wait(alice, Duration::from_secs(5), |event| matches!(event, NodeEvent::Checked { .. })));
        let report = reported(&stage.world.host(alice).events).unwrap();
        assert_eq!(report.filtering(), alone, "{nat:?}: {report:?}");

        let target = ProbeTarget { peer: stage.id(alice), port: report.observed.port() };
        let there = Registration { servers: vec![other], uri: URI.to_owned(), pin: None, developer_key: None };
        stage.world.command(alice, |peer, now| {
            let second = peer.second.insert(Box::new(asker));
            second.node.check_target(now, there, target);
        });
        let second = |world: &World<Peer>| reported(&world.host(alice).second.as_ref().unwrap().events);
        assert!(stage.world.wait_for(Duration::from_secs(3), |world| second(world).is_some()), "{nat:?}");
        let told = second(&stage.world).unwrap();
        assert_eq!(told.observed.ip(), report.observed.ip());
        assert_eq!(told.target_reached, Some(arrives), "{nat:?}: {told:?}");
        assert_eq!(report.filtering().with_other_address(arrives), filtering, "{nat:?}");
    }
}

#[test]
fn a_pinned_rendezvous_with_another_identity_is_not_trusted() {
    let (mut stage, _) = Stage::new(8, open());
    let bob = stage.add(None);
    let registration = Registration {
        servers: vec![server_address()],
        uri: URI.to_owned(),
        pin: Some(PeerId([1; 32])),
        developer_key: None,
    };
    stage.world.command(bob, |peer, now| peer.node.register(now, registration));
    let imposter = |event: &NodeEvent| matches!(event, NodeEvent::RendezvousImposter { .. });
    assert!(stage.wait(bob, Duration::from_secs(11), imposter));
    assert!(!stage.world.host(bob).heard(registered));
}

/// Connects alice to bob and returns the handle that each has for the other.
fn connected(seed: u64) -> (Stage, HostId, HostId) {
    let (mut stage, _) = Stage::new(seed, open());
    let (alice, bob) = (stage.add(None), stage.add(Some(Nat::PORT_RESTRICTED)));
    stage.register(bob, None);
    assert!(stage.wait(bob, Duration::from_secs(2), registered));
    stage.dial(alice, stage.id(bob));
    assert!(stage.wait(alice, Duration::from_secs(2), |event| matches!(event, NodeEvent::Dialled { .. })));
    (stage, alice, bob)
}

#[test]
fn an_accepted_peer_is_heard_and_a_refused_one_is_told_so_and_nothing_else() {
    for accept in [true, false] {
        let (mut stage, alice, bob) = connected(9);
        let to_bob = stage.world.host(alice).events.iter().find_map(|event| match event {
            NodeEvent::Dialled { peer, .. } => Some(*peer),
            _ => None,
        });
        let to_bob = to_bob.unwrap();
        stage.world.command(alice, |peer, now| {
            let flow = peer.node.open_flow(now, to_bob, b"test", None, Priority::Normal).unwrap();
            peer.node.write(now, to_bob, flow, b"hello".as_slice().into(), Lifetime::default()).unwrap();
        });
        stage.world.run_for(Duration::from_millis(500));
        let incoming = stage.world.host(bob).events.iter().find_map(|event| match event {
            NodeEvent::Incoming { peer, far, .. } => Some((*peer, far.peer_id)),
            _ => None,
        });
        let (to_alice, who) = incoming.expect("bob hears of alice");
        assert_eq!(who, stage.id(alice));
        assert!(!stage.world.host(bob).heard(|event| matches!(event, NodeEvent::FlowOpened { .. })));
        if accept {
            stage.world.command(bob, |peer, _| peer.node.accept(to_alice));
            stage.world.command(bob, |peer, now| peer.drain(now));
            let flow = stage.world.host(bob).events.iter().find_map(|event| match event {
                NodeEvent::FlowOpened { flow, metadata, .. } if metadata == &b"test"[..] => Some(*flow),
                _ => None,
            });
            let flow = flow.expect("the flow that was held back");
            stage.world.command(bob, |peer, _| peer.node.accept_flow(to_alice, flow, Order::Original)).unwrap();
            stage.world.run_for(Duration::from_millis(500));
            let hello = |event: &NodeEvent| matches!(event, NodeEvent::Message { data, .. } if data == "hello");
            assert!(stage.world.host(bob).heard(hello));
        } else {
            stage.world.command(bob, |peer, now| peer.node.refuse(now, to_alice));
            let told = |event: &NodeEvent| matches!(event, NodeEvent::FlowException { code: 10, .. });
            assert!(stage.wait(alice, Duration::from_secs(2), told));
            let closed = |event: &NodeEvent| matches!(event, NodeEvent::PeerClosed { .. });
            assert!(stage.wait(alice, Duration::from_secs(4), closed));
            assert!(!stage.world.host(bob).heard(|event| matches!(event, NodeEvent::Message { .. })));
        }
    }
}

#[test]
fn an_ephemeral_copy_of_a_listed_peer_gets_one_refusal_and_no_flow() {
    let (mut stage, _) = Stage::new(11, open());
    let policy = Policy { flash: true, ..Policy::default() };
    let identity = Identity::generate(&mut stage.world.rng(), IdentityKind::default());
    let keyring = stage.peer_with(false, Arc::new(Keyring::new(identity, policy)));
    let near = stage.add_peer(None, keyring);
    // Two of one seed: a listed peer whose certificate has no key in it, and whoever copied that certificate.
    let ephemeral = || FlashPeer::server(&mut Rng::for_simulation(15));
    let listed = BTreeSet::from([ephemeral().peer_id()]);
    let copy = stage.peer_with(false, Arc::new(ephemeral()));
    let far = stage.add_peer(None, copy);
    let at = SocketAddr::new(stage.world.address_of(near), 5000);
    let dial = Dial {
        peer: stage.id(near),
        candidates: vec![at],
        rendezvous: Vec::new(),
        multicast: Vec::new(),
        timeout: Duration::from_secs(30),
    };
    stage.world.command(far, |peer, now| peer.node.dial(now, &dial));
    assert!(stage.wait(far, Duration::from_secs(2), |event| matches!(event, NodeEvent::Dialled { .. })));
    let to_near = stage.world.host(far).events.iter().find_map(|event| match event {
        NodeEvent::Dialled { peer, .. } => Some(*peer),
        _ => None,
    });
    let to_near = to_near.unwrap();
    stage.world.command(far, |peer, now| {
        let flow = peer.node.open_flow(now, to_near, b"test", None, Priority::Normal).unwrap();
        peer.node.write(now, to_near, flow, b"let me in".as_slice().into(), Lifetime::default()).unwrap();
    });
    stage.world.run_for(Duration::from_millis(500));
    let incoming = stage.world.host(near).events.iter().find_map(|event| match event {
        NodeEvent::Incoming { peer, far, .. } => Some((*peer, *far)),
        _ => None,
    });
    let (to_far, who) = incoming.expect("it comes in, as somebody");
    assert!(listed.contains(&who.peer_id), "it shows a listed certificate");
    // What `--allow` asks.
    assert!(who.proven_id().is_none_or(|id| !listed.contains(&id)));
    stage.world.command(near, |peer, now| peer.node.refuse(now, to_far));
    stage.world.run_for(Duration::from_secs(10));
    let heard = &stage.world.host(far).events;
    let refusals = heard.iter().filter(|event| matches!(event, NodeEvent::FlowException { code: 10, .. })).count();
    assert_eq!(refusals, 1, "{heard:?}");
    assert!(stage.world.host(far).heard(|event| matches!(event, NodeEvent::PeerClosed { .. })));
    let of_flows = |event: &NodeEvent| matches!(event, NodeEvent::FlowOpened { .. } | NodeEvent::Message { .. });
    assert!(!stage.world.host(near).heard(of_flows) && !stage.world.host(far).heard(of_flows));
    assert_eq!(stage.world.host(near).node.endpoint().session_count(), 0);
}

#[test]
fn the_pipe_outlives_its_rendezvous() {
    let (mut stage, alice, bob) = connected(10);
    let hosts: Vec<HostId> = stage.world.hosts().map(|(id, _)| id).collect();
    let server = hosts.into_iter().find(|&host| host != alice && host != bob).unwrap();
    stage.world.remove_host(server);
    stage.world.run_for(Duration::from_secs(60));
    let closed = |event: &NodeEvent| matches!(event, NodeEvent::PeerClosed { .. });
    assert!(!stage.world.host(alice).heard(closed) && !stage.world.host(bob).heard(closed));
}

#[test]
fn a_peer_that_begins_anew_keeps_its_name_unless_something_was_said() {
    for seed in 0..40 {
        let (alice_dialled, said) = (seed % 2 == 0, seed % 4 < 2);
        let (mut stage, _) = Stage::new(seed, open());
        let [(alice, _), (bob, profile)] = stage.two();
        let [from, to] = if alice_dialled { [alice, bob] } else { [bob, alice] };
        stage.dial_directly(from, to);
        stage.world.run_for(Duration::from_secs(1 + seed / 4 * 3));
        let [peers, _] = [alice, bob].map(|host| stage.peers_of(host));
        let [old] = peers[..] else { panic!("seed {seed}: {peers:?}") };
        if said {
            assert!(stage.say(alice, old, bob, "early"), "seed {seed}");
        }
        let fresh = stage.peer_with(false, profile);
        *stage.world.host_mut(bob) = fresh;
        stage.dial_directly(bob, alice);
        assert!(stage.wait(bob, Duration::from_secs(5), dialled), "seed {seed}");
        stage.world.run_for(Duration::from_secs(20));
        let peers = stage.peers_of(alice);
        assert_eq!(stage.world.host(alice).heard(closed), said, "seed {seed}");
        assert_eq!(peers.len(), if said { 2 } else { 1 }, "seed {seed}");
        let [theirs] = stage.peers_of(bob)[..] else { panic!("seed {seed}") };
        let ours = peers[peers.len() - 1];
        assert_eq!(stage.world.host(alice).node.far(ours).map(|far| far.peer_id), Some(stage.id(bob)));
        assert!(stage.say(alice, ours, bob, "to the new one"), "seed {seed}");
        assert!(stage.say(bob, theirs, alice, "from the new one"), "seed {seed}");
        stage.world.command(alice, |peer, now| peer.node.close_peer(now, ours));
        assert!(stage.wait(bob, Duration::from_secs(5), closed), "seed {seed}");
        stage.world.run_for(Duration::from_secs(60));
        assert!(stage.world.host(alice).node.is_idle() && stage.world.host(alice).node.far(ours).is_none());
    }
}

/// Both are told of a session within five seconds. It may be replaced a moment later, but whom they dialled they have reached.
#[test]
fn who_dials_a_peer_that_dials_back_has_reached_it_once_and_for_all() {
    for seed in 0..1000 {
        let (mut stage, _) = Stage::new(seed, open());
        let [(alice, _), (bob, _)] = stage.two();
        let mut chance = stage.world.rng();
        let link = Link::IDEAL.delay(Duration::from_millis(5 + chance.below(40))).jitter(Duration::from_millis(30));
        for host in [alice, bob] {
            stage.world.set_links(host, link.loss(0.1), link.loss(0.1));
        }
        stage.dial_directly(alice, bob);
        stage.world.run_for(Duration::from_millis(chance.below(200)));
        stage.dial_directly(bob, alice);
        for host in [alice, bob] {
            assert!(stage.wait(host, Duration::from_secs(5), dialled), "seed {seed}");
        }
        stage.world.run_for(Duration::from_secs(10));
        for (host, other) in [(alice, bob), (bob, alice)] {
            assert!(!stage.world.host(host).heard(closed), "seed {seed}");
            let [peer] = stage.peers_of(host)[..] else { panic!("seed {seed}: {:?}", stage.world.host(host).events) };
            assert!(stage.say(host, peer, other, if host == alice { "hello" } else { "and hello" }), "seed {seed}");
        }
    }
}

/// 15 % of all packets between any two of the three are lost, either way. The rendezvous is asked again and again, and
/// what it says brings the peer's addresses back into play.
#[test]
fn a_peer_is_found_through_the_rendezvous_in_spite_of_loss() {
    let kinds = [None, Some(Nat::FULL_CONE), Some(Nat::PORT_RESTRICTED)];
    let mut failed = Vec::new();
    for seed in 0..10_000 {
        let (mut stage, server) = Stage::new(seed, open());
        let (near, far) = (kinds[(seed % 3) as usize], kinds[(seed / 3 % 3) as usize]);
        let (alice, bob) = (stage.add(near), stage.add(far));
        stage.register(bob, None);
        assert!(stage.wait(bob, Duration::from_secs(2), registered), "seed {seed}");
        let link = wide_link().loss(1.0 - 0.85_f64.sqrt());
        for host in [alice, bob, server] {
            stage.world.set_links(host, link, link);
        }
        stage.dial(alice, stage.id(bob));
        if !stage.wait(alice, Duration::from_secs(30), dialled) {
            failed.push((seed, stage.world.host(alice).events.clone()));
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
