//! Members on sessions and packets: nodes in a [`World`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::host::{Host, NatId, Port};
use super::super::link::Link;
use super::super::nat::Nat as NatKind;
use super::super::packet::HostId;
use super::super::swarm::{Actor as _, MemberId, Nat, Rate};
use super::super::world::{Machine, World};
use super::ground::{Ground, Happened, Inbox, Newcomer, Traffic, member_config};
use super::hostile::Player;
use super::keeper::Keeper;
use super::rogue::Rogue;
use super::value::Scenario;
use crate::base::{Instant, PeerId, Received, Rng, Transmit};
use crate::crypto::{Plain, Profile as _};
use crate::endpoint::EndpointConfig;
use crate::group::{Groupspec, Hint};
use crate::node::rendezvous::ServerConfig;
use crate::node::{
    GroupConfig, GroupHandle, Member, MemberConfig, MemberEvent, Node, NodeConfig, NodeEvent, Registration,
};
use crate::wire::{Address, Origin};

/// A node, and what happens in its group.
struct Resident {
    node: Node,
    id: MemberId,
    inbox: Inbox,
    keeper: Option<Keeper>,
    /// What is in place of a group, if it is hostile.
    rogue: Option<Box<Rogue>>,
}

impl Resident {
    /// Takes what the node tells. Answers whether a hostile one did anything about it.
    fn hear(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.node.poll_event(now) {
            match (&mut self.rogue, event) {
                (Some(rogue), event) => {
                    moved = true;
                    rogue.hear(now, &mut self.node, event);
                }
                (None, NodeEvent::Group { group, event: MemberEvent::Replication(event) }) => {
                    let Some(keeper) = &mut self.keeper else { continue };
                    let done = self.node.with_group(now, group, |member, now| keeper.happened(now, member, &event));
                    moved = true;
                    if done == Some(true) {
                        self.inbox.borrow_mut().push((now, self.id, MemberEvent::Replication(event)));
                    }
                }
                (None, NodeEvent::Group { event, .. }) => self.inbox.borrow_mut().push((now, self.id, event)),
                (None, _) => {}
            }
        }
        moved | self.rogue.as_mut().is_some_and(|rogue| rogue.drive(now, &mut self.node))
    }
}

impl Machine for Resident {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        self.node.handle(now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.node.handle_timeout(now);
        if let Some(rogue) = &mut self.rogue {
            rogue.handle_timeout(now);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let rogue = self.rogue.as_ref().and_then(|rogue| rogue.deadline());
        self.node.deadline().into_iter().chain(rogue).min()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        loop {
            let moved = self.hear(now);
            if let Some(transmit) = self.node.poll_transmit(now) {
                return Some(transmit);
            }
            if !moved {
                return None;
            }
        }
    }
}

struct Seat {
    host: HostId,
    port: Port,
    /// `None` for a hostile one.
    group: Option<GroupHandle>,
    /// By which it is reached, if nothing is in between.
    address: SocketAddr,
    peer: PeerId,
    access: Duration,
    nat: Nat,
    there: bool,
}

/// Members in a [`World`].
pub(super) struct OnPackets {
    world: World<Resident>,
    scenario: Scenario,
    spec: Groupspec,
    inbox: Inbox,
    rng: Rng,
    seats: Vec<Seat>,
    rendezvous: Option<(HostId, PeerId)>,
}

const RENDEZVOUS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1935);
/// One way from the rendezvous to the middle of the network.
const RENDEZVOUS_DISTANCE: Duration = Duration::from_millis(10);
/// Bytes of UDP and IPv4 headers.
const HEADERS: u64 = 28;

fn node(now: Instant, rng: Rng, profile: Plain, serves: bool) -> Node {
    let endpoint = EndpointConfig {
        raise_unmatched_ihellos: serves,
        raise_unmatched_rhellos: serves,
        ..EndpointConfig::default()
    };
    Node::new(now, rng, NodeConfig { profile: Arc::new(profile), endpoint })
}

/// Public addresses in networks of their own.
fn address_of(number: usize) -> Ipv4Addr {
    let octet = |value: usize, first: usize, count: usize| (first + value % count) as u8;
    Ipv4Addr::new(octet(number, 20, 80), octet(number / 80, 1, 250), octet(number * 7, 1, 250), octet(number, 1, 250))
}

impl OnPackets {
    pub(super) fn new(scenario: &Scenario, spec: Groupspec) -> Self {
        let mut world = World::new(scenario.seed);
        let mut rng = world.rng();
        let inbox = Inbox::default();
        let profile = Plain::new(&mut rng, true);
        let peer = profile.peer_id();
        let mut node = node(world.now(), rng.fork(), profile, true);
        node.serve_rendezvous(ServerConfig::default());
        let link = Link::IDEAL.delay(RENDEZVOUS_DISTANCE);
        let host = Host::at(world.internet(), RENDEZVOUS.ip()).links(link, link);
        let resident = Resident { node, id: MemberId(u32::MAX), inbox: Rc::clone(&inbox), keeper: None, rogue: None };
        let rendezvous = Some((world.add_host(&host, resident), peer));
        Self { world, scenario: scenario.clone(), spec, inbox, rng, seats: Vec::new(), rendezvous }
    }

    fn link(&self, access: Duration, rate: Rate) -> Link {
        // Each packet passes an uplink and a downlink.
        let link = Link::IDEAL.delay(access).loss(self.scenario.loss / 2.0);
        match rate {
            Rate::UNLIMITED => link,
            Rate(bits) => link.rate(bits).queue((bits / 8 / 5).max(30_000) as usize),
        }
    }

    /// Lets a node register, and join the group.
    fn join_group(
        &self,
        node: &mut Node,
        member: MemberConfig,
        own: SocketAddr,
        bootstrap: Vec<(PeerId, Vec<Address>)>,
    ) -> GroupHandle {
        let now = self.world.now();
        node.set_groups_only(true);
        node.set_local_addresses(now, vec![own]);
        let mut config = GroupConfig { bootstrap, rendezvous: vec![RENDEZVOUS], ..GroupConfig::new(member) };
        if let Some((_, pin)) = self.rendezvous {
            let uri = format!("rtmfp://{RENDEZVOUS}");
            let known = Registration { servers: vec![RENDEZVOUS], uri, pin: Some(pin), developer_key: None };
            config.registrations = vec![node.register(now, known)];
        }
        node.join_group(now, config)
    }

    fn seat(&self, id: MemberId) -> &Seat {
        &self.seats[id.0 as usize]
    }
}

impl Ground for OnPackets {
    fn now(&self) -> Instant {
        self.world.now()
    }

    fn run_until(&mut self, end: Instant) {
        self.world.run_until(end);
    }

    fn join(&mut self, newcomer: Newcomer) -> (MemberId, PeerId) {
        let Newcomer { identity, mut rng, nat, hostility, keeper, guides } = newcomer;
        let (now, id) = (self.world.now(), MemberId(self.seats.len() as u32));
        let profile = Plain::new(&mut rng, false);
        let peer = profile.peer_id();
        let hostility = hostility.map(|kind| (kind, rng.fork(), rng.fork()));
        let mut node = node(now, rng, profile, false);
        let outside = IpAddr::from(address_of(self.seats.len()));
        let inside = IpAddr::from([192, 168, 1, 2]);
        let own = SocketAddr::new(if nat == Nat::None { outside } else { inside }, 1935);
        let address = |socket| Address { origin: Origin::Unknown, socket };
        let guide = |id: MemberId| (self.seat(id).peer, vec![address(self.seat(id).address)]);
        let bootstrap: Vec<_> = guides.into_iter().map(guide).collect();
        let member = member_config(&self.spec, peer, identity);
        let (group, rogue) = match hostility {
            None => (Some(self.join_group(&mut node, member, own, bootstrap)), None),
            Some((kind, chance, rng)) => {
                let mut player = Player::new(Member::new(now, rng, member), keeper.clone(), Some((kind, chance)));
                player.set_addresses(now, vec![Address { origin: Origin::Local, socket: own }]);
                bootstrap.iter().for_each(|(peer, at)| player.hint(now, *peer, at, Hint::Member));
                (None, Some(Box::new(Rogue::new(player, RENDEZVOUS))))
            }
        };

        let (shortest, longest) = self.scenario.rtt;
        let access = shortest / 4 + (longest - shortest).mul_f64(self.rng.unit() / 4.0);
        let (up, down) = (self.link(access, self.scenario.up), self.link(access, self.scenario.down));
        let resident = Resident { node, id, inbox: Rc::clone(&self.inbox), keeper: Some(keeper), rogue };
        let internet = self.world.internet();
        let (host, port) = match nat {
            Nat::None => {
                let host = self.world.add_host(&Host::at(internet, outside).links(up, down), resident);
                (host, Port::from(host))
            }
            Nat::PortRestricted | Nat::Symmetric => {
                let kind = if nat == Nat::Symmetric { NatKind::SYMMETRIC } else { NatKind::PORT_RESTRICTED };
                let nat: NatId = self.world.add_nat(internet, outside, kind);
                let home = self.world.inside(nat);
                (self.world.add_host(&Host::at(home, inside).links(up, down), resident), Port::from(nat))
            }
        };
        let address = SocketAddr::new(outside, own.port());
        self.seats.push(Seat { host, port, group, address, peer, access, nat, there: true });
        (id, peer)
    }

    fn kill(&mut self, id: MemberId) {
        let seat = &mut self.seats[id.0 as usize];
        if std::mem::take(&mut seat.there) {
            self.world.remove_host(seat.host);
        }
    }

    fn leave(&mut self, id: MemberId) {
        let seat = &mut self.seats[id.0 as usize];
        if std::mem::take(&mut seat.there) {
            let (host, group) = (seat.host, seat.group);
            self.world.command(host, |resident, now| {
                if let Some(group) = group {
                    resident.node.leave_group(now, group);
                }
                resident.rogue = None;
                resident.node.shut_down(now);
            });
            self.world.at(self.world.now() + Duration::from_secs(5), move |world| drop(world.remove_host(host)));
        }
    }

    fn set_island(&mut self, id: MemberId, island: u32) {
        let port = self.seat(id).port;
        self.world.set_island(port, island);
    }

    fn end_rendezvous(&mut self) {
        if let Some((host, _)) = self.rendezvous.take() {
            self.world.remove_host(host);
        }
    }

    fn command<R>(&mut self, id: MemberId, command: impl FnOnce(&mut Member, Instant) -> R) -> Option<R> {
        let Seat { host, group, there, .. } = *self.seat(id);
        if !there {
            return None;
        }
        self.world.command(host, |resident, now| match (&mut resident.rogue, group) {
            (Some(rogue), _) => Some(command(&mut rogue.player_mut().member, now)),
            (None, group) => resident.node.with_group(now, group?, command),
        })
    }

    fn member(&self, id: MemberId) -> Option<&Member> {
        let seat = self.seat(id);
        let resident = seat.there.then(|| self.world.host(seat.host))?;
        match (&resident.rogue, seat.group) {
            (Some(rogue), _) => Some(&rogue.player().member),
            (None, group) => resident.node.group(group?),
        }
    }

    fn keeper(&self, id: MemberId) -> Option<&Keeper> {
        let seat = self.seat(id);
        seat.there.then(|| self.world.host(seat.host).keeper.as_ref()).flatten()
    }

    fn delay(&self, from: MemberId, to: MemberId) -> Duration {
        self.seat(from).access + self.seat(to).access
    }

    fn reachable(&self, one: MemberId, other: MemberId) -> bool {
        use Nat::{PortRestricted, Symmetric};
        let nats = (self.seat(one).nat, self.seat(other).nat);
        !matches!(nats, (Symmetric, Symmetric | PortRestricted) | (PortRestricted, Symmetric))
    }

    fn traffic(&self) -> Traffic {
        let counters = self.world.counters();
        Traffic { lanes: None, messages: counters.sent, bytes: counters.sent_bytes + counters.sent * HEADERS }
    }

    fn digest(&self) -> [u8; 32] {
        self.world.digest()
    }

    fn take_events(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.inbox.borrow_mut())
    }
}
