//! A host's place in the world: its network cards and its sockets.

use super::link::{Link, LinkStats, Wire};
use super::packet::{Cause, HostId, Packet};
use crate::base::{Ecn, Instant, Interface, Path, Rng};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A network: the public one, or one behind a NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(pub(super) u32);

/// A NAT of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NatId(pub(super) u32);

/// Something that hangs on a network by a pair of links: a host's network card, or a NAT's outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// The network card of a host, counted from 0.
    Card(HostId, usize),
    /// The outside of a NAT.
    Nat(NatId),
}

impl From<HostId> for Port {
    fn from(host: HostId) -> Self {
        Self::Card(host, 0)
    }
}

impl From<NatId> for Port {
    fn from(nat: NatId) -> Self {
        Self::Nat(nat)
    }
}

/// Where a host stands and what it listens to; to be given to [`World::add_host`](super::World::add_host).
///
/// It has one socket at first: [`Interface`] 0, at port 1935 of all its addresses.
#[derive(Debug, Clone)]
pub struct Host {
    pub(super) cards: Vec<CardConfig>,
    pub(super) sockets: Vec<Socket>,
    pub(super) gro: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(super) struct CardConfig {
    pub(super) network: NetworkId,
    pub(super) address: IpAddr,
    pub(super) up: Link,
    pub(super) down: Link,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Socket {
    pub(super) interface: Interface,
    /// `None` is any of the host's; a multicast group is listened to, and nothing is sent from it.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

impl Host {
    /// A host with one network card, of this address in this network, on ideal links.
    #[must_use]
    pub fn at(network: NetworkId, address: IpAddr) -> Self {
        let main = Socket { interface: Interface(0), address: None, port: 1935 };
        Self { cards: Vec::new(), sockets: vec![main], gro: None }.also_at(network, address)
    }

    /// With another network card.
    #[must_use]
    pub fn also_at(mut self, network: NetworkId, address: IpAddr) -> Self {
        self.cards.push(CardConfig { network, address, up: Link::IDEAL, down: Link::IDEAL });
        self
    }

    /// With these links, from and to the host, at the network card named last.
    #[must_use]
    pub fn links(mut self, up: Link, down: Link) -> Self {
        let card = self.cards.last_mut().expect("a host is made with a card");
        (card.up, card.down) = (up, down);
        self
    }

    /// With the main socket at this port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.sockets[0].port = port;
        self
    }

    /// With another socket, at `port` of all addresses.
    #[must_use]
    pub fn socket(mut self, interface: Interface, port: u16) -> Self {
        self.sockets.push(Socket { interface, address: None, port });
        self
    }

    /// With a receive-only socket that hears an IP multicast group.
    #[must_use]
    pub fn join(mut self, interface: Interface, group: SocketAddr) -> Self {
        self.sockets.push(Socket { interface, address: Some(group.ip()), port: group.port() });
        self
    }

    /// Collecting what arrives within `window` into batches of one path, as a kernel's GRO does.
    #[must_use]
    pub const fn gro(mut self, window: Duration) -> Self {
        self.gro = Some(window);
        self
    }
}

/// Where a host or NAT hangs on a network.
#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) network: NetworkId,
    pub(super) address: IpAddr,
    pub(super) up: Wire,
    pub(super) down: Wire,
    pub(super) island: u32,
}

impl Attachment {
    pub(super) fn new(network: NetworkId, address: IpAddr, up: Link, down: Link, rng: &mut Rng) -> Self {
        Self { network, address, up: Wire::new(up, rng.fork()), down: Wire::new(down, rng.fork()), island: 0 }
    }

    pub(super) const fn stats(&self) -> (LinkStats, LinkStats) {
        (self.up.stats(), self.down.stats())
    }
}

/// What one receive hands to a machine.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) path: Path,
    pub(super) ecn: Ecn,
    pub(super) segment: usize,
    pub(super) data: Vec<u8>,
    /// Whether a shorter datagram has closed the batch.
    full: bool,
}

/// A GRO receive brings so much at most, in datagrams and bytes.
const BATCH: (usize, usize) = (64, 65_535);

impl Inbound {
    pub(super) fn single(path: Path, packet: Packet) -> Self {
        Self { path, ecn: packet.ecn, segment: packet.data.len().max(1), data: packet.data, full: false }
    }

    /// Takes one more datagram in if a kernel would.
    fn absorb(&mut self, path: Path, packet: &Packet) -> bool {
        let len = packet.data.len();
        let fits = self.data.len() / self.segment < BATCH.0 && self.data.len() + len <= BATCH.1;
        if self.full || !fits || len == 0 || len > self.segment || path != self.path || packet.ecn != self.ecn {
            return false;
        }
        self.data.extend_from_slice(&packet.data);
        self.full = len < self.segment;
        true
    }
}

/// The network side of a host.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) cards: Vec<Attachment>,
    sockets: Vec<Socket>,
    pub(super) gro: Option<Duration>,
    inbox: Vec<Inbound>,
}

impl Station {
    pub(super) fn new(config: &Host, rng: &mut Rng) -> Self {
        let cards = config.cards.iter().map(|c| Attachment::new(c.network, c.address, c.up, c.down, rng)).collect();
        Self { cards, sockets: config.sockets.clone(), gro: config.gro, inbox: Vec::new() }
    }

    /// Gives a socket another port.
    pub(super) fn set_port(&mut self, interface: Interface, port: u16) {
        for socket in self.sockets.iter_mut().filter(|socket| socket.interface == interface) {
            socket.port = port;
        }
    }

    /// The multicast groups that it listens to.
    pub(super) fn groups(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().filter_map(|socket| {
            let group = socket.address.filter(IpAddr::is_multicast)?;
            Some(SocketAddr::new(group, socket.port))
        })
    }

    /// The port to send from through `interface`.
    pub(super) fn source_port(&self, interface: Interface) -> Result<u16, Cause> {
        let sends = |socket: &&Socket| socket.interface == interface && socket.address.is_none();
        self.sockets.iter().find(sends).map(|socket| socket.port).ok_or(Cause::NoSocket)
    }

    /// The path by which a packet has come in at `card`, if a socket takes it.
    pub(super) fn accept(&self, card: usize, packet: &Packet) -> Result<Path, Cause> {
        let to = packet.destination;
        let multicast = to.ip().is_multicast();
        if !multicast && self.cards.get(card).is_none_or(|card| card.address != to.ip()) {
            return Err(Cause::NoRoute);
        }
        let hears = |socket: &&Socket| socket.port == to.port() && (socket.address == multicast.then(|| to.ip()));
        let socket = self.sockets.iter().find(hears).ok_or(Cause::NoSocket)?;
        Ok(Path { interface: socket.interface, local: Some(to.ip()), remote: packet.source })
    }

    /// Keeps a datagram for the next batch; whether it is the first.
    pub(super) fn collect(&mut self, path: Path, packet: Packet) -> bool {
        // Of one path only the newest batch can grow, or datagrams would overtake each other.
        if let Some(batch) = self.inbox.iter_mut().rev().find(|batch| batch.path == path)
            && batch.absorb(path, &packet)
        {
            return false;
        }
        self.inbox.push(Inbound::single(path, packet));
        self.inbox.len() == 1
    }

    pub(super) fn take_inbox(&mut self) -> Vec<Inbound> {
        std::mem::take(&mut self.inbox)
    }

    /// The card from which a datagram to `remote` leaves.
    pub(super) fn card_for(
        &self,
        local: Option<IpAddr>,
        remote: IpAddr,
        on_link: impl Fn(NetworkId) -> bool,
    ) -> Option<usize> {
        let fits = |card: &Attachment| card.address.is_ipv4() == remote.is_ipv4();
        // An address that is gone is no wish: the runtime sends again without it.
        if let Some(card) =
            local.and_then(|local| self.cards.iter().position(|card| card.address == local && fits(card)))
        {
            return Some(card);
        }
        let direct = self.cards.iter().position(|card| fits(card) && on_link(card.network));
        direct.or_else(|| self.cards.iter().position(fits))
    }

    /// The card's own time: nothing is received at a card that was taken away.
    pub(super) fn card_mut(&mut self, card: usize) -> Option<&mut Attachment> {
        self.cards.get_mut(card)
    }
}

/// When a machine was last asked for its deadline, and how often it wanted to be woken at this very moment.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// The earliest wake that is queued.
    pub(super) set: Option<Instant>,
    /// Wakes in a row without time passing.
    pub(super) spins: u32,
}
