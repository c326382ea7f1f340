//! The network without the machines: takes datagrams from hosts and carries them through links, networks and NATs.

use super::host::{Attachment, Host, Inbound, NatId, NetworkId, Port, Station};
use super::link::Link;
use super::nat::{Nat, Translator};
use super::packet::{Cause, Fate, HostId, Packet, Record};
use super::queue::Queue;
use crate::base::{Ecn, Instant, Interface, Rng, Transmit};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// Everything between the machines.
pub(super) struct Fabric {
    pub(super) now: Instant,
    pub(super) record: Record,
    queue: Queue<Event>,
    rng: Rng,
    stations: Vec<Option<Station>>,
    networks: Vec<Network>,
    nats: Vec<Gateway>,
}

/// What concerns a machine.
#[derive(Debug)]
pub(super) enum Happening {
    /// A host receives these, one after the other.
    Receive(HostId, Vec<Inbound>),
    /// An alarm that a host set has come.
    Wake(HostId),
    /// Only the network was concerned.
    Nothing,
}

#[derive(Debug, Default)]
struct Network {
    owners: BTreeMap<IpAddr, Port>,
    groups: BTreeMap<SocketAddr, BTreeSet<Port>>,
    gateway: Option<NatId>,
}

#[derive(Debug)]
struct Gateway {
    translator: Translator,
    outside: Attachment,
    inside: NetworkId,
}

#[derive(Debug)]
enum Event {
    /// A packet is at the heart of a network, sent by somebody on this island.
    Network(NetworkId, u32, Box<Packet>),
    /// A packet has come down the link to a host or NAT.
    Port(Port, Box<Packet>),
    /// A host's batch is handed over.
    Flush(HostId),
    Wake(HostId),
}

impl Fabric {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            record: Record::new(),
            queue: Queue::new(),
            rng: Rng::for_simulation(seed),
            stations: Vec::new(),
            networks: vec![Network::default()],
            nats: Vec::new(),
        }
    }

    pub(super) const fn internet() -> NetworkId {
        NetworkId(0)
    }

    pub(super) fn fork_rng(&mut self) -> Rng {
        self.rng.fork()
    }

    pub(super) fn add_network(&mut self, gateway: Option<NatId>) -> NetworkId {
        self.networks.push(Network { gateway, ..Network::default() });
        NetworkId(self.networks.len() as u32 - 1)
    }

    pub(super) fn add_nat(&mut self, network: NetworkId, outside: IpAddr, nat: Nat, up: Link, down: Link) -> NatId {
        let id = NatId(self.nats.len() as u32);
        let inside = self.add_network(Some(id));
        let translator = Translator::new(nat, outside, self.rng.fork());
        let outside = Attachment::new(network, outside, up, down, &mut self.rng);
        self.nats.push(Gateway { translator, outside, inside });
        self.plug(Port::Nat(id));
        id
    }

    pub(super) fn inside(&self, nat: NatId) -> NetworkId {
        self.nats[nat.0 as usize].inside
    }

    pub(super) fn add_host(&mut self, config: &Host) -> HostId {
        let id = HostId(self.stations.len() as u32);
        let station = Station::new(config, &mut self.rng);
        let cards = station.cards.len();
        self.stations.push(Some(station));
        (0..cards).for_each(|card| self.plug(Port::Card(id, card)));
        id
    }

    pub(super) fn remove_host(&mut self, host: HostId) {
        let cards = self.station(host).map_or(0, |station| station.cards.len());
        (0..cards).for_each(|card| self.unplug(Port::Card(host, card)));
        self.stations[host.index()] = None;
    }

    pub(super) fn station(&self, host: HostId) -> Option<&Station> {
        self.stations.get(host.index())?.as_ref()
    }

    pub(super) fn set_socket_port(&mut self, host: HostId, interface: Interface, port: u16) {
        if let Some(station) = self.station_mut(host) {
            station.set_port(interface, port);
        }
    }

    /// Changes something about a port while it is off its network.
    pub(super) fn replug(&mut self, port: Port, change: impl FnOnce(&mut Attachment)) {
        self.unplug(port);
        change(self.attachment_mut(port).expect("the port exists"));
        if let Port::Nat(nat) = port {
            let gateway = &mut self.nats[nat.0 as usize];
            gateway.translator.restart(gateway.outside.address);
        }
        self.plug(port);
    }

    /// Changes something about a port that its network need not know.
    pub(super) fn adjust(&mut self, port: Port, change: impl FnOnce(&mut Attachment)) {
        change(self.attachment_mut(port).expect("the port exists"));
    }

    pub(super) fn attachment(&self, port: Port) -> &Attachment {
        let attachment = match port {
            Port::Card(host, card) => self.station(host).and_then(|station| station.cards.get(card)),
            Port::Nat(nat) => self.nats.get(nat.0 as usize).map(|gateway| &gateway.outside),
        };
        attachment.expect("the port exists")
    }

    pub(super) fn wake_at(&mut self, host: HostId, at: Instant) {
        self.queue.push(at.max(self.now), Event::Wake(host));
    }

    pub(super) fn next_time(&self) -> Option<Instant> {
        self.queue.next_time()
    }

    /// Takes what a host sends.
    pub(super) fn send(&mut self, host: HostId, transmit: Transmit) {
        let source = self.source_of(host, &transmit);
        let Transmit { path, ecn, segment, data } = transmit;
        if data.len() <= segment {
            return self.send_one(host, source, Packet { source: path.remote, destination: path.remote, ecn, data });
        }
        for datagram in data.chunks(segment) {
            let packet = Packet { source: path.remote, destination: path.remote, ecn, data: datagram.to_vec() };
            self.send_one(host, source, packet);
        }
    }

    /// Puts a packet into a network, from nowhere.
    pub(super) fn inject(&mut self, network: NetworkId, packet: Packet) {
        self.queue.push(self.now, Event::Network(network, 0, Box::new(packet)));
    }

    /// Takes the next event, which moves time on.
    pub(super) fn step(&mut self) -> Happening {
        let Some((at, event)) = self.queue.pop() else { return Happening::Nothing };
        self.now = at;
        match event {
            Event::Network(network, island, packet) => self.at_network(network, island, packet),
            Event::Port(Port::Nat(nat), packet) => self.at_nat(nat, packet),
            Event::Port(Port::Card(host, card), packet) => return self.at_host(host, card, *packet),
            Event::Flush(host) => {
                if let Some(station) = self.station_mut(host) {
                    return Happening::Receive(host, station.take_inbox());
                }
            }
            Event::Wake(host) => return Happening::Wake(host),
        }
        Happening::Nothing
    }

    fn source_of(&self, host: HostId, transmit: &Transmit) -> Result<(usize, SocketAddr), Cause> {
        let station = self.station(host).ok_or(Cause::NoRoute)?;
        let port = station.source_port(transmit.path.interface)?;
        let remote = transmit.path.remote.ip();
        let on_link = |network: NetworkId| self.networks[network.0 as usize].owners.contains_key(&remote);
        let card = station.card_for(transmit.path.local, remote, on_link).ok_or(Cause::NoRoute)?;
        Ok((card, SocketAddr::new(station.cards[card].address, port)))
    }

    fn send_one(&mut self, host: HostId, source: Result<(usize, SocketAddr), Cause>, mut packet: Packet) {
        if let Ok((_, address)) = source {
            packet.source = address;
        }
        self.record.note(self.now, Fate::Sent(host), &packet);
        match source {
            Ok((card, _)) => self.through(Port::Card(host, card), Direction::Up, Box::new(packet)),
            Err(cause) => self.lose(cause, &packet),
        }
    }

    /// Sends a packet through one of the two links of a port.
    fn through(&mut self, port: Port, direction: Direction, mut packet: Box<Packet>) {
        let (now, len) = (self.now, packet.wire_len());
        let Some(attachment) = self.attachment_mut(port) else { return self.lose(Cause::NoRoute, &packet) };
        let (network, island) = (attachment.network, attachment.island);
        let wire = match direction {
            Direction::Up => &mut attachment.up,
            Direction::Down => &mut attachment.down,
        };
        let passage = match wire.pass(now, len, packet.ecn) {
            Ok(passage) => passage,
            Err(cause) => return self.lose(cause, &packet),
        };
        let then = |packet| match direction {
            Direction::Up => Event::Network(network, island, packet),
            Direction::Down => Event::Port(port, packet),
        };
        if passage.marked {
            packet.ecn = Ecn::Ce;
            self.record.note(now, Fate::Marked, &packet);
        }
        if let Some(again) = passage.again {
            self.record.note(now, Fate::Duplicated, &packet);
            self.queue.push(again, then(packet.clone()));
        }
        if let Some(bit) = passage.flip
            && !packet.data.is_empty()
        {
            let bit = bit % (packet.data.len() as u64 * 8);
            packet.data[(bit / 8) as usize] ^= 1 << (bit % 8);
            self.record.note(now, Fate::Corrupted, &packet);
        }
        self.queue.push(passage.at, then(packet));
    }

    fn at_network(&mut self, id: NetworkId, island: u32, packet: Box<Packet>) {
        let network = &self.networks[id.0 as usize];
        let to = packet.destination;
        if to.ip().is_multicast() {
            let members: Vec<Port> = network.groups.get(&to).into_iter().flatten().copied().collect();
            for port in members {
                self.deliver(port, island, packet.clone());
            }
            return;
        }
        match (network.owners.get(&to.ip()).copied(), network.gateway) {
            (Some(port), _) => self.deliver(port, island, packet),
            (None, Some(_)) if island != 0 => self.lose(Cause::Partition, &packet),
            (None, Some(nat)) => self.leave(nat, packet),
            (None, None) => self.lose(Cause::NoRoute, &packet),
        }
    }

    fn deliver(&mut self, port: Port, island: u32, packet: Box<Packet>) {
        if self.attachment_mut(port).is_some_and(|attachment| attachment.island != island) {
            return self.lose(Cause::Partition, &packet);
        }
        self.through(port, Direction::Down, packet);
    }

    /// From inside a NAT to its outside, or back in again.
    fn leave(&mut self, id: NatId, mut packet: Box<Packet>) {
        let now = self.now;
        let nat = &mut self.nats[id.0 as usize].translator;
        let back = packet.destination.ip() == nat.outside();
        if back && !nat.config().hairpinning {
            return self.lose(Cause::NatHairpin, &packet);
        }
        match nat.outbound(now, packet.source, packet.destination) {
            Ok(source) => packet.source = source,
            Err(cause) => return self.lose(cause, &packet),
        }
        if back { self.at_nat(id, packet) } else { self.through(Port::Nat(id), Direction::Up, packet) }
    }

    fn at_nat(&mut self, id: NatId, mut packet: Box<Packet>) {
        let now = self.now;
        let Gateway { translator, inside, .. } = &mut self.nats[id.0 as usize];
        let inside = *inside;
        if packet.destination.ip() != translator.outside() {
            return self.lose(Cause::NoRoute, &packet);
        }
        match translator.inbound(now, packet.destination.port(), packet.source) {
            Ok(destination) => packet.destination = destination,
            Err(cause) => return self.lose(cause, &packet),
        }
        match self.networks[inside.0 as usize].owners.get(&packet.destination.ip()).copied() {
            Some(port) => self.deliver(port, 0, packet),
            None => self.lose(Cause::NoRoute, &packet),
        }
    }

    fn at_host(&mut self, host: HostId, card: usize, packet: Packet) -> Happening {
        let path = match self.station(host).map_or(Err(Cause::NoRoute), |station| station.accept(card, &packet)) {
            Ok(path) => path,
            Err(cause) => {
                self.lose(cause, &packet);
                return Happening::Nothing;
            }
        };
        self.record.note(self.now, Fate::Delivered(host), &packet);
        let station = self.station_mut(host).expect("it just accepted");
        let Some(window) = station.gro else {
            return Happening::Receive(host, vec![Inbound::single(path, packet)]);
        };
        if station.collect(path, packet) {
            self.queue.push(self.now + window, Event::Flush(host));
        }
        Happening::Nothing
    }

    fn lose(&mut self, cause: Cause, packet: &Packet) {
        self.record.note(self.now, Fate::Dropped(cause), packet);
    }

    fn station_mut(&mut self, host: HostId) -> Option<&mut Station> {
        self.stations.get_mut(host.index())?.as_mut()
    }

    fn attachment_mut(&mut self, port: Port) -> Option<&mut Attachment> {
        match port {
            Port::Card(host, card) => self.station_mut(host)?.card_mut(card),
            Port::Nat(nat) => self.nats.get_mut(nat.0 as usize).map(|gateway| &mut gateway.outside),
        }
    }

    fn groups_of(&self, port: Port) -> Vec<SocketAddr> {
        match port {
            Port::Card(host, _) => self.station(host).map(|s| s.groups().collect()).unwrap_or_default(),
            Port::Nat(_) => Vec::new(),
        }
    }

    fn plug(&mut self, port: Port) {
        let groups = self.groups_of(port);
        let Some(&mut Attachment { network, address, .. }) = self.attachment_mut(port) else { return };
        let network = &mut self.networks[network.0 as usize];
        let other = network.owners.insert(address, port);
        assert!(other.is_none_or(|other| other == port), "{address} is {other:?}'s already");
        for group in groups.into_iter().filter(|group| group.is_ipv4() == address.is_ipv4()) {
            network.groups.entry(group).or_default().insert(port);
        }
    }

    fn unplug(&mut self, port: Port) {
        let groups = self.groups_of(port);
        let Some(&mut Attachment { network, address, .. }) = self.attachment_mut(port) else { return };
        let network = &mut self.networks[network.0 as usize];
        if network.owners.get(&address) == Some(&port) {
            network.owners.remove(&address);
        }
        for group in groups {
            if let Some(members) = network.groups.get_mut(&group) {
                members.remove(&port);
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Up,
    Down,
}
