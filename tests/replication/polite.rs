//! A polite swarm beside another transfer in the same uplink: it leaves that nearly all, and takes everything when it is alone.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use p2pt::base::{Instant, Path, PeerId, Received, Rng, Transmit, WallClock};
use p2pt::crypto::{Identity, IdentityKind, Plain, Profile, epd};
use p2pt::endpoint::{Endpoint, EndpointConfig, EndpointEvent, SessionHandle};
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::group::{Groupspec, GroupspecBuilder};
use p2pt::node::replication::{ReplicationConfig, ReplicationEvent};
use p2pt::node::{GroupConfig, GroupHandle, MemberConfig, MemberEvent, Node, NodeConfig, NodeEvent};
use p2pt::session::{FlowId, SessionEvent};
use p2pt::sim::{Host, HostId, Link, Machine, Nat, World};
use p2pt::wire::{Address, Origin};

const S: Duration = Duration::from_secs(1);
const PIECE: usize = 32 << 10;
const PIECES: u64 = 4_000;
/// Bytes a second of the uplink.
const UP: f64 = 1_250_000.0;

/// A member of a group, and its objects.
struct Holder {
    node: Node,
    group: GroupHandle,
}

/// One end of a transfer that knows nothing of groups.
struct Bulk {
    endpoint: Endpoint,
    sending: Option<(SessionHandle, FlowId)>,
    received: u64,
}

enum Someone {
    Holder(Box<Holder>),
    Bulk(Box<Bulk>),
}

impl Holder {
    fn new(rng: &mut Rng, profile: Plain, at: SocketAddr, known: Option<(PeerId, SocketAddr)>, polite: bool) -> Self {
        let now = Instant::ZERO;
        let me = profile.peer_id();
        let author = Identity::generate(rng, IdentityKind::default());
        let config = NodeConfig { profile: Arc::new(profile), endpoint: EndpointConfig::default() };
        let mut node = Node::new(now, rng.fork(), config);
        node.set_groups_only(true);
        node.set_local_addresses(now, vec![at]);
        let clock = WallClock { at_zero: Duration::from_secs(1_800_000_000) };
        let replication = ReplicationConfig { polite, ..ReplicationConfig::default() };
        let member = MemberConfig { replication, ..MemberConfig::new(spec(), me, author, clock) };
        let address = |socket| Address { origin: Origin::Unknown, socket };
        let bootstrap = known.map(|(peer, at)| (peer, vec![address(at)])).into_iter().collect();
        let group = node.join_group(now, GroupConfig { bootstrap, ..GroupConfig::new(member) });
        Self { node, group }
    }

    fn hear(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.node.poll_event(now) {
            let NodeEvent::Group { group, event: MemberEvent::Replication(event) } = event else { continue };
            moved = true;
            self.node.with_group(now, group, |member, now| match event {
                ReplicationEvent::Request { request, .. } => {
                    member.write_requested_object(now, request, Bytes::from(vec![0; PIECE])).expect("it is short");
                }
                ReplicationEvent::FetchResult { index, .. } => {
                    member.add_have_objects(now, index..index + 1).expect("a good index");
                }
                ReplicationEvent::Misbehaved { reason, .. } => panic!("{reason}"),
                _ => {}
            });
        }
        moved
    }

    fn sent(&self) -> u64 {
        self.node.group(self.group).and_then(|member| member.replication()).map_or(0, |of| of.stats().sent_bytes)
    }
}

impl Bulk {
    fn new(rng: &mut Rng, profile: Plain) -> Self {
        let endpoint = Endpoint::new(Instant::ZERO, rng.fork(), Arc::new(profile), EndpointConfig::default());
        Self { endpoint, sending: None, received: 0 }
    }

    fn hear(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.endpoint.poll_event() {
            moved = true;
            match event {
                EndpointEvent::Opened { session: handle, .. } => {
                    let session = self.endpoint.session_mut(handle).expect("it just opened");
                    let flow = session.open_flow(now, b"bulk", None, Priority::default()).expect("it is open");
                    self.sending = Some((handle, flow));
                }
                EndpointEvent::Session(handle, SessionEvent::FlowOpened { flow, .. }) => {
                    let session = self.endpoint.session_mut(handle).expect("it just told");
                    session.accept_flow(flow, Order::Original, 4 << 20).expect("it just opened");
                }
                EndpointEvent::Session(handle, SessionEvent::Message { flow, data, .. }) => {
                    self.received += data.len() as u64;
                    let session = self.endpoint.session_mut(handle).expect("it just told");
                    session.consume(flow, data.len()).expect("it just came");
                }
                _ => {}
            }
        }
        if let Some((handle, flow)) = self.sending
            && let Some(session) = self.endpoint.session_mut(handle)
        {
            while session.write(now, flow, Bytes::from(vec![0; 8_192]), Lifetime::UNLIMITED).is_ok() {
                moved = true;
            }
        }
        moved
    }
}

impl Machine for Someone {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        match self {
            Self::Holder(holder) => holder.node.handle(now, received),
            Self::Bulk(bulk) => bulk.endpoint.handle(now, received),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Holder(holder) => holder.node.handle_timeout(now),
            Self::Bulk(bulk) => bulk.endpoint.handle_timeout(now),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Holder(holder) => holder.node.deadline(),
            Self::Bulk(bulk) => bulk.endpoint.deadline(),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        loop {
            let (moved, transmit) = match self {
                Self::Holder(holder) => (holder.hear(now), holder.node.poll_transmit(now)),
                Self::Bulk(bulk) => (bulk.hear(now), bulk.endpoint.poll_transmit(now)),
            };
            if transmit.is_some() || !moved {
                return transmit;
            }
        }
    }
}

fn spec() -> Groupspec {
    let builder = GroupspecBuilder::new("polite").unique([7; 32]).object_replication();
    builder.server_channel().build().expect("a good groupspec")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

struct Stage {
    world: World<Someone>,
    seed: HostId,
    sender: HostId,
    receiver: HostId,
    far: (PeerId, SocketAddr),
}

impl Stage {
    /// A seed and somebody who sends, behind one uplink; two who fetch, and somebody who receives, elsewhere.
    fn new(polite: bool) -> Self {
        let mut world = World::new(7);
        let mut rng = world.rng();
        let internet = world.internet();
        let nat = world.add_nat(internet, ip("203.0.113.1"), Nat::FULL_CONE);
        let line = Link::IDEAL.rate(UP as u64 * 8).queue(250_000).delay(Duration::from_millis(20));
        world.set_links(nat, line, Link::IDEAL.rate(50_000_000).queue(500_000).delay(Duration::from_millis(20)));
        let inside = world.inside(nat);
        let mut known = None;
        let mut fetchers = Vec::new();
        for n in 1..=2 {
            let at = SocketAddr::new(ip(&format!("198.51.100.{n}")), 1935);
            let profile = Plain::new(&mut rng, false);
            let peer = profile.peer_id();
            let holder = Holder::new(&mut rng, profile, at, known, polite);
            known = Some((peer, at));
            fetchers.push(world.add_host(&Host::at(internet, at.ip()), Someone::Holder(Box::new(holder))));
        }
        let profile = Plain::new(&mut rng, false);
        let holder = Holder::new(&mut rng, profile, "192.168.1.2:1935".parse().expect("good"), known, polite);
        let seed = world.add_host(&Host::at(inside, ip("192.168.1.2")), Someone::Holder(Box::new(holder)));
        let bulk = |world: &mut World<Someone>, rng: &mut Rng, network, at: IpAddr| {
            let profile = Plain::new(rng, false);
            let peer = profile.peer_id();
            let bulk = Bulk::new(rng, profile);
            (world.add_host(&Host::at(network, at), Someone::Bulk(Box::new(bulk))), peer)
        };
        let there = SocketAddr::new(ip("192.0.2.1"), 1935);
        let (receiver, peer) = bulk(&mut world, &mut rng, internet, there.ip());
        let (sender, _) = bulk(&mut world, &mut rng, inside, ip("192.168.1.3"));
        world.run_for(5 * S);
        let act = |world: &mut World<Someone>, host, wants: bool| {
            world.command(host, |someone, now| {
                let Someone::Holder(holder) = someone else { panic!("a holder") };
                holder.node.with_group(now, holder.group, |member, now| match wants {
                    true => member.add_want_objects(now, 0..PIECES).expect("a good range"),
                    false => member.add_have_objects(now, 0..PIECES).expect("a good range"),
                });
            });
        };
        act(&mut world, seed, false);
        fetchers.into_iter().for_each(|host| act(&mut world, host, true));
        Self { world, seed, sender, receiver, far: (peer, there) }
    }

    fn begin(&mut self) {
        let (peer, at) = self.far;
        self.world.command(self.sender, |someone, now| {
            let Someone::Bulk(bulk) = someone else { panic!("a sender") };
            bulk.endpoint.connect(now, &epd::fingerprint(peer), &[Path::to(at)]);
        });
    }

    fn end(&mut self) {
        self.world.remove_host(self.sender);
    }

    /// What both carry in so many seconds, in parts of the uplink: the swarm, and the transfer.
    fn shares(&mut self, seconds: u32) -> (f64, f64) {
        let read = |world: &World<Someone>, host| match world.host(host) {
            Someone::Holder(holder) => holder.sent(),
            Someone::Bulk(bulk) => bulk.received,
        };
        let hosts = [self.seed, self.receiver];
        let before = hosts.map(|host| read(&self.world, host));
        self.world.run_for(S * seconds);
        let after = hosts.map(|host| read(&self.world, host));
        let share = |at: usize| (after[at] - before[at]) as f64 / f64::from(seconds) / UP;
        (share(0), share(1))
    }
}

#[test]
fn a_polite_swarm_leaves_another_transfer_nearly_all_and_takes_everything_alone() {
    let mut stage = Stage::new(true);
    stage.shares(4);
    let alone = stage.shares(5);
    stage.begin();
    stage.shares(5);
    let beside = stage.shares(8);
    stage.end();
    stage.shares(5);
    let again = stage.shares(5);
    println!("alone {alone:?}, beside {beside:?}, again {again:?}");
    assert!(alone.0 > 0.85, "alone it takes {:.2} of the uplink", alone.0);
    assert!(beside.1 > 0.8, "the other transfer has {:.2} of the uplink, the swarm {:.2}", beside.1, beside.0);
    assert!(beside.0 > 0.0, "the swarm goes on");
    assert!(again.0 > 0.85, "alone again it takes {:.2} of the uplink", again.0);
}

#[test]
fn a_swarm_that_is_not_polite_takes_its_part() {
    let mut stage = Stage::new(false);
    stage.shares(4);
    stage.begin();
    stage.shares(5);
    let beside = stage.shares(8);
    println!("beside {beside:?}");
    assert!(beside.0 > 0.25 && beside.1 > 0.1, "{beside:?}");
}
