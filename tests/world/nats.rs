//! Peers behind NATs, introduced by somebody who can be reached (RFC 7016 section 3.5.1.4 to 3.5.1.6).

use crate::load::Load;
use crate::peer::Peer;
use crate::seeds::for_each_seed;
use crate::stage::{MS, ip, socket};
use p2pt::base::Rng;
use p2pt::endpoint::{EndpointConfig, EndpointEvent, OpenFailure};
use p2pt::sim::{Dependence, Host, HostId, Link, Nat, World};
use std::time::Duration;

const INTRODUCER: &str = "198.51.100.1";

/// How long peers try, where nothing is lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// Two peers behind these NATs, outermost first, and an introducer whom both have dialled.
struct Scene {
    world: World<Peer>,
    peers: [HostId; 2],
}

impl Scene {
    fn new(seed: u64, nats: [&[Nat]; 2], link: Link, patience: Duration) -> Self {
        let mut world = World::new(seed);
        world.forbid_repeated_nonces();
        let mut rng = world.rng();
        let config = EndpointConfig { raise_unmatched_ihellos: true, ..EndpointConfig::default() };
        let mut introducer = Peer::plain(&mut rng, config);
        introducer.introduces = true;
        let introducer_id = introducer.id;
        world.add_host(&Host::at(world.internet(), ip(INTRODUCER)), introducer);
        let peers = [0, 1].map(|side: usize| {
            let mut network = world.internet();
            let mut address = ip(["203.0.113.1", "203.0.113.2"][side]);
            for &nat in nats[side] {
                let id = world.add_nat(network, address, nat);
                network = world.inside(id);
                address = ip("192.168.1.2");
            }
            let config = EndpointConfig { open_timeout: patience, ..EndpointConfig::default() };
            let mut peer = Peer::plain(&mut rng, config);
            peer.introduced = true;
            let peer = world.add_host(&Host::at(network, address).links(link, link), peer);
            world.command(peer, |peer, now| peer.dial(now, introducer_id, socket(INTRODUCER)));
            peer
        });
        let registered = |world: &World<Peer>| peers.iter().all(|&peer| world.host(peer).opened().next().is_some());
        assert!(world.wait_for(Duration::from_secs(60), registered), "the introducer cannot be reached");
        world.run_for(Duration::from_secs(1));
        let mut scene = Self { world, peers };
        let load = Load::new(seed, 3, 2_000);
        scene.world.host_mut(peers[0]).load = Some(load);
        scene.world.host_mut(peers[1]).expect = Some(load);
        scene
    }

    fn dial(&mut self, from: usize) {
        let id = self.world.host(self.peers[1 - from]).id;
        self.world.command(self.peers[from], |peer, now| peer.dial(now, id, socket(INTRODUCER)));
    }

    /// Whether the first one has a session with the second in time, over which the load then goes.
    fn connects(&mut self, limit: Duration) -> bool {
        let [near, far] = self.peers;
        let connected = self.world.wait_for(limit, |world| world.host(near).opened().count() == 2);
        if connected {
            let sends = self.world.host(near).load.is_some();
            let done = |world: &World<Peer>| !sends || world.host(near).is_done() && world.host(far).is_done();
            assert!(self.world.wait_for(Duration::from_secs(30), done), "stuck: {:?}", self.world.counters());
        }
        connected
    }
}

/// No NAT, and the classic kinds.
const KINDS: [&[Nat]; 5] =
    [&[], &[Nat::FULL_CONE], &[Nat::RESTRICTED_CONE], &[Nat::PORT_RESTRICTED], &[Nat::SYMMETRIC]];

/// Holes can be punched unless one NAT gives the peer a new mapping and the other lets only the known port in.
fn possible(near: usize, far: usize) -> bool {
    near.max(far) < 4 || near.min(far) < 3
}

fn link(rng: &mut Rng) -> Link {
    Link::IDEAL.delay(Duration::from_millis(5 + rng.below(30))).jitter(5 * MS)
}

#[test]
fn pairs_of_nats_connect_within_two_seconds_where_it_is_possible() {
    for_each_seed("pairs_of_nats", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link = link(&mut rng);
        let mut last = [0; 32];
        let pairs = (0..KINDS.len()).flat_map(|near| (0..KINDS.len()).map(move |far| (near, far)));
        // The impossible ones are as slow as their patience is long.
        for (near, far) in pairs.filter(|&(near, far)| possible(near, far)) {
            let mut scene = Scene::new(seed, [KINDS[near], KINDS[far]], link, PATIENCE);
            scene.dial(0);
            assert!(scene.connects(Duration::from_secs(2)), "{near} with {far}");
            last = scene.world.digest();
        }
        last
    });
}

#[test]
fn pairs_that_cannot_connect_say_that_addresses_came_but_nobody_answers() {
    for_each_seed("pairs_that_cannot", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link = link(&mut rng);
        let (near, far) = [(3, 4), (4, 3), (4, 4)][(seed % 3) as usize];
        let mut scene = Scene::new(seed, [KINDS[near], KINDS[far]], link, PATIENCE);
        scene.dial(0);
        assert!(!scene.connects(Duration::from_secs(20)), "{near} with {far}");
        let failed = |event: &EndpointEvent| match event {
            EndpointEvent::OpenFailed { reason, .. } => Some(*reason),
            _ => None,
        };
        let log = &scene.world.host(scene.peers[0]).log;
        let reasons: Vec<_> = log.iter().filter_map(|(_, event)| failed(event)).collect();
        assert_eq!(reasons, [OpenFailure::Unreachable]);
        scene.world.digest()
    });
}

/// An address that a Redirect told is asked five times at most, so that an opening can fail by bad luck: then the
/// application dials again.
#[test]
fn pairs_of_nats_connect_in_spite_of_loss() {
    for_each_seed("in_spite_of_loss", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link = link(&mut rng).loss(rng.unit() * 0.15);
        let (near, far) = loop {
            let pair = (rng.below(5) as usize, rng.below(5) as usize);
            if possible(pair.0, pair.1) {
                break pair;
            }
        };
        let mut scene = Scene::new(seed, [KINDS[near], KINDS[far]], link, Duration::from_secs(30));
        let connected = (0..3).any(|_| {
            scene.dial(0);
            scene.connects(Duration::from_secs(31))
        });
        assert!(connected, "{near} with {far}");
        scene.world.digest()
    });
}

/// A NAT inside another is as strict as the stricter. One that maps by address but filters nobody meets those that filter
/// by address alone.
#[test]
fn nested_and_mixed_nats_connect() {
    use Dependence::{AddressDependent, EndpointIndependent};
    const ODD: &[Nat] = &[Nat { mapping: AddressDependent, filtering: EndpointIndependent, ..Nat::FULL_CONE }];
    const NEST: &[Nat] = &[Nat::PORT_RESTRICTED, Nat::RESTRICTED_CONE];
    const ADDRESS: &[Nat] = &[Nat::RESTRICTED_CONE];
    let cases = [[NEST, NEST], [NEST, &[]], [&[], NEST], [ODD, ADDRESS], [ADDRESS, ODD], [ODD, ODD]];
    for_each_seed("nested_and_mixed", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let mut scene = Scene::new(seed, cases[(seed % 6) as usize], link(&mut rng), PATIENCE);
        scene.dial(0);
        assert!(scene.connects(Duration::from_secs(2)));
        scene.world.digest()
    });
}

/// Nothing is said for minutes: keepalives hold the mappings of both sides open, however short-lived they are.
#[test]
fn an_idle_session_keeps_its_mappings_open() {
    const SHORT: &[Nat] = &[Nat { timeout: Duration::from_secs(15), ..Nat::PORT_RESTRICTED }];
    for_each_seed("keeps_its_mappings", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let mut scene = Scene::new(seed, [SHORT, SHORT], link(&mut rng), PATIENCE);
        let [near, far] = scene.peers;
        let load = scene.world.host_mut(near).load.take();
        scene.dial(0);
        assert!(scene.connects(Duration::from_secs(2)));
        scene.world.run_for(Duration::from_secs(60 + seed % 60));
        scene.world.host_mut(near).load = load;
        let id = scene.world.host(far).id;
        scene.world.command(near, |peer, now| {
            let session = peer.endpoint.sessions_of(id).next().expect("the session is still there");
            peer.begin(now, session);
        });
        let done = scene.world.wait_for(Duration::from_secs(1), |world| world.host(far).is_done());
        assert!(done, "{:?}", scene.world.counters());
        scene.world.digest()
    });
}

#[test]
fn both_may_dial_at_once_through_their_nats() {
    for_each_seed("both_may_dial", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link = link(&mut rng);
        let kind = KINDS[1 + (seed % 3) as usize];
        let mut scene = Scene::new(seed, [kind, kind], link, PATIENCE);
        // The session that remains may be the one that the other opened: no load, which is the first one's.
        let peers = scene.peers;
        scene.world.host_mut(peers[0]).load = None;
        scene.dial(0);
        scene.world.run_for(Duration::from_millis(rng.below(300)));
        scene.dial(1);
        scene.world.run_for(Duration::from_secs(20));
        let ids = peers.map(|peer| scene.world.host(peer).id);
        for side in [0, 1] {
            let peer = scene.world.host(peers[side]);
            assert_eq!(peer.endpoint.sessions_of(ids[1 - side]).count(), 1, "{:?}", peer.log);
        }
        scene.world.digest()
    });
}
