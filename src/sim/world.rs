//! The world: machines on hosts, and the time that they share.

use super::fabric::{Fabric, Happening};
use super::host::{Alarm, Host, Inbound, NatId, NetworkId, Port};
use super::link::{Link, LinkStats};
use super::nat::Nat;
use super::nonces::Nonces;
use super::packet::{Counters, Fate, HostId, Packet};
use super::queue::Queue;
use crate::base::{Instant, Interface, Received, Rng, Transmit};
use std::net::IpAddr;
use std::time::Duration;

/// What the world runs: a sans-IO machine.
pub trait Machine {
    /// Takes what one receive brought.
    fn handle(&mut self, now: Instant, received: Received<'_>);

    /// Told that its deadline has come.
    fn handle_timeout(&mut self, now: Instant);

    /// When it wants to be told the time.
    fn deadline(&self) -> Option<Instant>;

    /// What it has to send; asked until there is nothing.
    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit>;
}

impl<M: Machine + ?Sized> Machine for Box<M> {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        (**self).handle(now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        (**self).handle_timeout(now);
    }

    fn deadline(&self) -> Option<Instant> {
        (**self).deadline()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        (**self).poll_transmit(now)
    }
}

/// A network of hosts in virtual time. Everything that happens follows from the seed and the calls: the same calls
/// give the same traffic to the byte, and [`digest`](Self::digest) tells whether they did.
pub struct World<M> {
    fabric: Fabric,
    machines: Vec<Option<M>>,
    alarms: Vec<Alarm>,
    script: Queue<Action<M>>,
    checks: Vec<Check<M>>,
}

type Action<M> = Box<dyn FnOnce(&mut World<M>)>;
type Check<M> = Box<dyn FnMut(Instant, HostId, &M)>;

/// A machine that wants to be woken more often than this without time passing hangs, and so would the world.
const SPINS: u32 = 10_000;

impl<M: Machine> World<M> {
    /// An empty world: the public network, time zero.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let fabric = Fabric::new(seed);
        Self { fabric, machines: Vec::new(), alarms: Vec::new(), script: Queue::new(), checks: Vec::new() }
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.fabric.now
    }

    /// Chance for a part of the test, from the world's seed.
    pub fn rng(&mut self) -> Rng {
        self.fabric.fork_rng()
    }

    /// The network of public addresses.
    #[must_use]
    pub const fn internet(&self) -> NetworkId {
        Fabric::internet()
    }

    /// A network without a way out.
    pub fn add_network(&mut self) -> NetworkId {
        self.fabric.add_network(None)
    }

    /// A NAT with this outside address in `network`, by ideal links; a new network is inside it.
    pub fn add_nat(&mut self, network: NetworkId, outside: IpAddr, nat: Nat) -> NatId {
        self.fabric.add_nat(network, outside, nat, Link::IDEAL, Link::IDEAL)
    }

    /// The network inside a NAT.
    #[must_use]
    pub fn inside(&self, nat: NatId) -> NetworkId {
        self.fabric.inside(nat)
    }

    /// Puts a machine into the world.
    ///
    /// # Panics
    /// If somebody in its network has the address already.
    pub fn add_host(&mut self, host: &Host, machine: M) -> HostId {
        let id = self.fabric.add_host(host);
        self.machines.push(Some(machine));
        self.alarms.push(Alarm::default());
        self.poke(id);
        id
    }

    /// Takes a machine out, without a farewell. What is under way to it is lost.
    ///
    /// # Panics
    /// If it was taken out before.
    pub fn remove_host(&mut self, host: HostId) -> M {
        self.fabric.remove_host(host);
        self.machines[host.index()].take().expect("the host is in the world")
    }

    /// All hosts that are in the world.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &M)> {
        let all = self.machines.iter().enumerate();
        all.filter_map(|(index, machine)| Some((HostId(index as u32), machine.as_ref()?)))
    }

    /// A host's machine.
    ///
    /// # Panics
    /// If it was taken out.
    #[must_use]
    pub fn host(&self, host: HostId) -> &M {
        self.machines[host.index()].as_ref().expect("the host is in the world")
    }

    /// A host's machine, to command it; [`poke`](Self::poke) has to follow.
    ///
    /// # Panics
    /// If it was taken out.
    pub fn host_mut(&mut self, host: HostId) -> &mut M {
        self.machines[host.index()].as_mut().expect("the host is in the world")
    }

    /// Commands a machine and pokes it.
    pub fn command<R>(&mut self, host: HostId, command: impl FnOnce(&mut M, Instant) -> R) -> R {
        let now = self.now();
        let answer = command(self.host_mut(host), now);
        self.poke(host);
        answer
    }

    /// Sends what a machine has to send and sees to its deadline.
    pub fn poke(&mut self, host: HostId) {
        let now = self.fabric.now;
        let Some(machine) = self.machines[host.index()].as_mut() else { return };
        while let Some(transmit) = machine.poll_transmit(now) {
            self.fabric.send(host, transmit);
        }
        for check in &mut self.checks {
            check(now, host, machine);
        }
        let alarm = &mut self.alarms[host.index()];
        if let Some(deadline) = machine.deadline()
            && alarm.set.is_none_or(|set| deadline < set)
            && deadline != Instant::FAR_FUTURE
        {
            let at = deadline.max(now);
            alarm.set = Some(at);
            self.fabric.wake_at(host, at);
        }
    }

    /// Does something at a moment to come.
    pub fn at(&mut self, when: Instant, action: impl FnOnce(&mut Self) + 'static) {
        self.script.push(when.max(self.now()), Box::new(action));
    }

    /// Calls `check` with each machine each time that something has happened to it: for invariants.
    pub fn check(&mut self, check: impl FnMut(Instant, HostId, &M) + 'static) {
        self.checks.push(Box::new(check));
    }

    /// Calls `observer` for each thing that happens to a datagram.
    pub fn observe(&mut self, observer: impl FnMut(Instant, Fate, &Packet) + 'static) {
        self.fabric.record.observers.push(Box::new(observer));
    }

    /// Panics from now on when a host uses a packet number twice in a session. For worlds whose peers are of profile `strong`
    /// or `plain`.
    pub fn forbid_repeated_nonces(&mut self) {
        let mut nonces = Nonces::new();
        self.observe(move |now, fate, packet| {
            if let Fate::Sent(host) = fate
                && let Err(repeated) = nonces.sent(host, &packet.data)
            {
                panic!("at {now:?} {repeated}");
            }
        });
    }

    /// Puts a datagram into a network as if somebody had sent it: for forgers and strangers.
    pub fn inject(&mut self, network: NetworkId, packet: Packet) {
        self.fabric.inject(network, packet);
    }

    /// Gives a host or NAT other links, from it and to it.
    pub fn set_links(&mut self, port: impl Into<Port>, up: Link, down: Link) {
        self.fabric.adjust(port.into(), |attachment| {
            attachment.up.configure(up);
            attachment.down.configure(down);
        });
    }

    /// Cuts the links of a host or NAT, or mends them.
    pub fn set_up(&mut self, port: impl Into<Port>, up: bool) {
        self.fabric.adjust(port.into(), |attachment| {
            attachment.up.set_up(up);
            attachment.down.set_up(up);
        });
    }

    /// Moves a host or NAT to another island of its network: only who is on the same island is reached. All are on
    /// island 0 at first, and so is the inside of every NAT.
    pub fn set_island(&mut self, port: impl Into<Port>, island: u32) {
        self.fabric.adjust(port.into(), |attachment| attachment.island = island);
    }

    /// Gives a host or NAT another address in its network. A NAT forgets its mappings.
    pub fn set_address(&mut self, port: impl Into<Port>, address: IpAddr) {
        self.fabric.replug(port.into(), |attachment| attachment.address = address);
    }

    /// Moves a host or NAT to another network. A NAT forgets its mappings.
    pub fn set_network(&mut self, port: impl Into<Port>, network: NetworkId, address: IpAddr) {
        self.fabric.replug(port.into(), |attachment| {
            attachment.network = network;
            attachment.address = address;
        });
    }

    /// Makes a NAT forget its mappings.
    pub fn restart_nat(&mut self, nat: NatId) {
        self.fabric.replug(Port::Nat(nat), |_| ());
    }

    /// Gives a host's socket another port.
    pub fn set_socket_port(&mut self, host: HostId, interface: Interface, port: u16) {
        self.fabric.set_socket_port(host, interface, port);
    }

    /// The network that a host or a NAT's outside is in.
    #[must_use]
    pub fn network_of(&self, port: impl Into<Port>) -> NetworkId {
        self.fabric.attachment(port.into()).network
    }

    /// The address of a host, or a NAT's outside address.
    #[must_use]
    pub fn address_of(&self, port: impl Into<Port>) -> IpAddr {
        self.fabric.attachment(port.into()).address
    }

    /// What the links of a host or NAT carried: from it, and to it.
    #[must_use]
    pub fn link_stats(&self, port: impl Into<Port>) -> (LinkStats, LinkStats) {
        self.fabric.attachment(port.into()).stats()
    }

    /// What happened to all datagrams so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.fabric.record.counters
    }

    /// SHA-256 of all traffic so far: each datagram sent with its bytes, each delivered, when, by whom and between
    /// which addresses.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.fabric.record.digest()
    }

    /// Runs until that moment, with all that happens at it.
    pub fn run_until(&mut self, end: Instant) {
        while self.step(end) {}
        self.fabric.now = self.now().max(end);
    }

    /// Runs for so long.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now() + time);
    }

    /// Runs until `condition` holds, and at most for `limit`; whether it held.
    pub fn wait_for(&mut self, limit: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now() + limit;
        loop {
            if condition(self) {
                return true;
            }
            if !self.step(end) {
                self.fabric.now = self.now().max(end);
                return false;
            }
        }
    }

    /// One thing more, if it happens by `end`.
    fn step(&mut self, end: Instant) -> bool {
        let network = self.fabric.next_time().unwrap_or(Instant::FAR_FUTURE);
        let script = self.script.next_time().unwrap_or(Instant::FAR_FUTURE);
        let next = network.min(script);
        if next > end || next == Instant::FAR_FUTURE {
            return false;
        }
        if script <= network {
            let (at, action) = self.script.pop().expect("it has a next time");
            self.fabric.now = at;
            action(self);
            return true;
        }
        match self.fabric.step() {
            Happening::Receive(host, inbox) => self.receive(host, inbox),
            Happening::Wake(host) => self.wake(host),
            Happening::Nothing => {}
        }
        true
    }

    fn receive(&mut self, host: HostId, inbox: Vec<Inbound>) {
        let now = self.now();
        let Some(machine) = self.machines[host.index()].as_mut() else { return };
        for mut inbound in inbox {
            let Inbound { path, ecn, segment, ref mut data, .. } = inbound;
            machine.handle(now, Received { path, ecn, segment, data });
        }
        self.poke(host);
    }

    fn wake(&mut self, host: HostId) {
        let now = self.now();
        let alarm = &mut self.alarms[host.index()];
        // An earlier alarm was set after this one was queued: it has seen to everything.
        if alarm.set != Some(now) {
            return;
        }
        alarm.set = None;
        let Some(machine) = self.machines[host.index()].as_mut() else { return };
        if machine.deadline().is_some_and(|deadline| deadline <= now) {
            machine.handle_timeout(now);
            let spins = machine.deadline().is_some_and(|deadline| deadline <= now);
            alarm.spins = if spins { alarm.spins + 1 } else { 0 };
            assert!(alarm.spins < SPINS, "{host:?} wants to be woken at {now:?} for ever");
        }
        self.poke(host);
    }
}
