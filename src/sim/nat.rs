//! Network address translators, by the words of RFC 4787.

use super::packet::Cause;
use crate::base::{Instant, Rng};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How a NAT behaves (RFC 4787 sections 4 to 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat {
    /// What a mapping is reused for (section 4.1).
    pub mapping: Dependence,
    /// Who may send to a mapping (section 5).
    pub filtering: Dependence,
    /// Which port a mapping gets (section 4.2).
    pub ports: Ports,
    /// Whether inside hosts reach each other by their outside addresses (section 6).
    pub hairpinning: bool,
    /// How long a mapping, or a permission to send to it, lives without traffic from inside (section 4.3).
    pub timeout: Duration,
    /// Whether traffic from outside keeps them alive too (section 4.3, REQ-6).
    pub inbound_refresh: bool,
}

/// What a behaviour depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependence {
    /// On the inside address and port alone.
    EndpointIndependent,
    /// On the far address as well.
    AddressDependent,
    /// On the far address and port as well.
    AddressAndPortDependent,
}

/// Which outside port a mapping gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// The inside port, or the next free one.
    Preserve,
    /// One after the other.
    Sequential,
    /// Any.
    Random,
}

impl Nat {
    /// "Full cone": maps and filters independently of the far end.
    pub const FULL_CONE: Self = Self {
        mapping: Dependence::EndpointIndependent,
        filtering: Dependence::EndpointIndependent,
        ports: Ports::Preserve,
        hairpinning: true,
        timeout: Duration::from_secs(120),
        inbound_refresh: false,
    };

    /// "Restricted cone": filters by address.
    pub const RESTRICTED_CONE: Self = Self { filtering: Dependence::AddressDependent, ..Self::FULL_CONE };

    /// "Port-restricted cone": filters by address and port, and turns nothing round.
    pub const PORT_RESTRICTED: Self =
        Self { filtering: Dependence::AddressAndPortDependent, hairpinning: false, ..Self::FULL_CONE };

    /// "Symmetric": another port for each far end, and only that far end gets in by it.
    pub const SYMMETRIC: Self =
        Self { mapping: Dependence::AddressAndPortDependent, ports: Ports::Random, ..Self::PORT_RESTRICTED };
}

/// A NAT at work.
#[derive(Debug)]
pub(super) struct Translator {
    config: Nat,
    outside: IpAddr,
    rng: Rng,
    next_port: u16,
    /// From inside address and far end, as far as mappings depend on it, to outside port.
    ports: BTreeMap<(SocketAddr, Far), u16>,
    mappings: BTreeMap<u16, Mapping>,
}

type Far = Option<(IpAddr, Option<u16>)>;

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    far: Far,
    used: Instant,
    /// When each far end, as far as filtering depends on it, was last sent to.
    permitted: BTreeMap<Far, Instant>,
}

/// The first port that is handed out; lower ones are for servers.
const LOWEST_PORT: u16 = 1_024;

impl Translator {
    pub(super) fn new(config: Nat, outside: IpAddr, rng: Rng) -> Self {
        Self { config, outside, rng, next_port: LOWEST_PORT, ports: BTreeMap::new(), mappings: BTreeMap::new() }
    }

    pub(super) const fn config(&self) -> Nat {
        self.config
    }

    pub(super) const fn outside(&self) -> IpAddr {
        self.outside
    }

    /// Forgets all mappings, as after a restart, and perhaps has another outside address.
    pub(super) fn restart(&mut self, outside: IpAddr) {
        self.outside = outside;
        self.ports.clear();
        self.mappings.clear();
    }

    /// The source address outside of what `inside` sends to `remote`.
    pub(super) fn outbound(
        &mut self,
        now: Instant,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, Cause> {
        if self.outside.is_ipv4() != remote.is_ipv4() {
            return Err(Cause::NoRoute);
        }
        let far = self.config.mapping.of(remote);
        let port = match self.ports.get(&(inside, far)) {
            Some(&port) if self.alive(port, now) => port,
            _ => self.map(now, inside, far)?,
        };
        let permit = self.config.filtering.of(remote);
        let mapping = self.mappings.get_mut(&port).expect("just found or made");
        mapping.used = now;
        mapping.permitted.insert(permit, now);
        Ok(SocketAddr::new(self.outside, port))
    }

    /// The inside address of what `remote` sends to `port` outside.
    pub(super) fn inbound(&mut self, now: Instant, port: u16, remote: SocketAddr) -> Result<SocketAddr, Cause> {
        let Nat { timeout, filtering, inbound_refresh, .. } = self.config;
        let mapping = self.mappings.get_mut(&port).ok_or(Cause::NatUnmapped)?;
        if now.since(mapping.used) > timeout {
            return Err(Cause::NatUnmapped);
        }
        let permit = mapping.permitted.get_mut(&filtering.of(remote)).ok_or(Cause::NatFiltered)?;
        if now.since(*permit) > timeout {
            return Err(Cause::NatFiltered);
        }
        if inbound_refresh {
            *permit = now;
            mapping.used = now;
        }
        Ok(mapping.inside)
    }

    fn map(&mut self, now: Instant, inside: SocketAddr, far: Far) -> Result<u16, Cause> {
        let first = match self.config.ports {
            Ports::Preserve => inside.port().max(1),
            Ports::Sequential => self.next_port,
            Ports::Random => {
                let span = u64::from(u16::MAX - LOWEST_PORT) + 1;
                LOWEST_PORT + self.rng.below(span) as u16
            }
        };
        let port = (first..=u16::MAX)
            .chain(LOWEST_PORT..first)
            .find(|&port| !self.alive(port, now))
            .ok_or(Cause::NatExhausted)?;
        self.next_port = port.checked_add(1).unwrap_or(LOWEST_PORT);
        let mapping = Mapping { inside, far, used: now, permitted: BTreeMap::new() };
        if let Some(old) = self.mappings.insert(port, mapping) {
            // Its owner may have another mapping by now.
            if self.ports.get(&(old.inside, old.far)) == Some(&port) {
                self.ports.remove(&(old.inside, old.far));
            }
        }
        self.ports.insert((inside, far), port);
        Ok(port)
    }

    fn alive(&self, port: u16, now: Instant) -> bool {
        self.mappings.get(&port).is_some_and(|mapping| now.since(mapping.used) <= self.config.timeout)
    }
}

impl Dependence {
    fn of(self, remote: SocketAddr) -> Far {
        match self {
            Self::EndpointIndependent => None,
            Self::AddressDependent => Some((remote.ip(), None)),
            Self::AddressAndPortDependent => Some((remote.ip(), Some(remote.port()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Dependence::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

    const INSIDE: &str = "192.168.1.2:1935";
    const KINDS: [Dependence; 3] = [EndpointIndependent, AddressDependent, AddressAndPortDependent];

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn translator(mapping: Dependence, filtering: Dependence, ports: Ports) -> Translator {
        let config = Nat { mapping, filtering, ports, ..Nat::FULL_CONE };
        Translator::new(config, "203.0.113.1".parse().unwrap(), Rng::for_simulation(7))
    }

    /// RFC 4787 sections 4.1 and 5 as a table: from one inside socket to X1:y1, then who may answer, and which later
    /// destination has the same outside port.
    #[test]
    fn nine_kinds_map_and_filter_as_the_rfc_says() {
        let [here, same_address, elsewhere] = ["198.51.100.1:1", "198.51.100.1:2", "198.51.100.2:1"].map(address);
        for (m, mapping) in KINDS.into_iter().enumerate() {
            for (f, filtering) in KINDS.into_iter().enumerate() {
                let mut nat = translator(mapping, filtering, Ports::Random);
                let out = nat.outbound(Instant::ZERO, address(INSIDE), here).unwrap();
                let enters = |nat: &mut Translator, from| nat.inbound(Instant::ZERO, out.port(), from).is_ok();
                let entered = [here, same_address, elsewhere].map(|from| enters(&mut nat, from));
                assert_eq!(entered, [true, f < 2, f < 1], "{mapping:?} {filtering:?}");
                let reused = [here, same_address, elsewhere]
                    .map(|to| nat.outbound(Instant::ZERO, address(INSIDE), to).unwrap() == out);
                assert_eq!(reused, [true, m < 2, m < 1], "{mapping:?} {filtering:?}");
            }
        }
    }

    #[test]
    fn ports_are_preserved_where_free_and_never_shared() {
        let far = address("198.51.100.1:1");
        let mut nat = translator(EndpointIndependent, EndpointIndependent, Ports::Preserve);
        let first = nat.outbound(Instant::ZERO, address(INSIDE), far).unwrap();
        let second = nat.outbound(Instant::ZERO, address("192.168.1.3:1935"), far).unwrap();
        assert_eq!((first.port(), second.port()), (1935, 1936));
        assert_eq!(nat.inbound(Instant::ZERO, 1936, far), Ok(address("192.168.1.3:1935")));
        let mut sequential = translator(AddressAndPortDependent, AddressAndPortDependent, Ports::Sequential);
        let ports: Vec<u16> = (1..4)
            .map(|n| sequential.outbound(Instant::ZERO, address(INSIDE), SocketAddr::new(far.ip(), n)).unwrap().port())
            .collect();
        assert_eq!(ports, [1_024, 1_025, 1_026]);
    }

    #[test]
    fn a_mapping_dies_without_traffic_from_inside_unless_traffic_from_outside_counts() {
        let far = address("198.51.100.1:1");
        let second = |n: u64| Instant::from_micros(n * 1_000_000);
        for (inbound_refresh, alive) in [(false, false), (true, true)] {
            let config = Nat { timeout: Duration::from_secs(30), inbound_refresh, ..Nat::PORT_RESTRICTED };
            let mut nat = Translator::new(config, "203.0.113.1".parse().unwrap(), Rng::for_simulation(1));
            nat.outbound(second(0), address(INSIDE), far).unwrap();
            assert!(nat.inbound(second(29), 1935, far).is_ok());
            assert_eq!(nat.inbound(second(58), 1935, far).is_ok(), alive);
        }
    }

    #[test]
    fn a_dead_mapping_gives_its_port_back() {
        let far = address("198.51.100.1:1");
        let mut nat = translator(EndpointIndependent, EndpointIndependent, Ports::Preserve);
        nat.outbound(Instant::ZERO, address(INSIDE), far).unwrap();
        let later = Instant::ZERO + Duration::from_secs(500);
        let other = address("192.168.1.9:1935");
        assert_eq!(nat.outbound(later, other, far).unwrap().port(), 1935);
        assert_eq!(nat.inbound(later, 1935, far), Ok(other));
        assert_eq!(nat.outbound(later, address(INSIDE), far).unwrap().port(), 1936);
    }

    #[test]
    fn a_restart_forgets_everything() {
        let far = address("198.51.100.1:1");
        let mut nat = translator(EndpointIndependent, EndpointIndependent, Ports::Preserve);
        nat.outbound(Instant::ZERO, address(INSIDE), far).unwrap();
        nat.restart("203.0.113.9".parse().unwrap());
        assert_eq!(nat.inbound(Instant::ZERO, 1935, far), Err(Cause::NatUnmapped));
        assert_eq!(nat.outbound(Instant::ZERO, address(INSIDE), far), Ok(address("203.0.113.9:1935")));
    }
}
