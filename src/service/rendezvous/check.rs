//! The connectivity check: what a NAT or firewall in front of a client lets through (terms of RFC 4787).
//!
//! The server sends the client IHellos from sockets that the client never sent to; an answer shows that such packets
//! arrive (filtering). Then it introduces those sockets, as it would introduce a peer; the source of the client's
//! RHello shows whether the NAT keeps one address for all destinations (mapping).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{Instant, Interface, Path};

/// When unsolicited probes go out, after the start.
const PROBES: [u64; 3] = [0, 250, 500];
/// When the other port, and then the other address, are introduced.
const INTRODUCTIONS: [[u64; 2]; 2] = [[1_000, 1_250], [1_500, 1_750]];
/// When the check ends at the latest.
const END: u64 = 2_600;

/// Sockets of the server that clients have no reason to send to.
#[derive(Debug, Clone, Default)]
pub struct ProbeSockets {
    /// A socket on the main address with another port.
    pub other_port: Option<(Interface, u16)>,
    /// A socket on another address, and that address as clients reach it.
    pub other_address: Option<(Interface, SocketAddr)>,
}

/// What a check found. `None`: the server has no socket to tell it from, or no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// The client's address as the server sees it.
    pub observed: SocketAddr,
    /// Whether a packet from another port of the server arrived unasked.
    pub other_port_reached: Option<bool>,
    /// Whether a packet from another address arrived unasked.
    pub other_address_reached: Option<bool>,
    /// The client's address as the server's other port sees it.
    pub other_port_mapped: Option<SocketAddr>,
    /// The client's address as the server's other address sees it.
    pub other_address_mapped: Option<SocketAddr>,
}

/// A behaviour in the terms of RFC 4787 sections 4.1 and 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same for all far ends.
    EndpointIndependent,
    /// Differs by the far address.
    AddressDependent,
    /// Differs by the far address and port.
    AddressAndPortDependent,
    /// Not by the port; whether by the address, one address can't tell.
    EndpointIndependentOrUnknown,
    /// Nothing came back that would tell.
    Unknown,
}

impl Verdict {
    /// The words of RFC 4787.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address and port-dependent",
            Self::EndpointIndependentOrUnknown => "endpoint-independent or not known",
            Self::Unknown => "not known",
        }
    }
}

impl CheckReport {
    /// How the NAT chooses the outer address.
    #[must_use]
    pub fn mapping(&self) -> Verdict {
        match (self.other_port_mapped, self.other_address_mapped) {
            (Some(port), _) if port != self.observed => Verdict::AddressAndPortDependent,
            (Some(_), Some(address)) if address == self.observed => Verdict::EndpointIndependent,
            (Some(_), Some(_)) => Verdict::AddressDependent,
            (None, Some(address)) if address == self.observed => Verdict::EndpointIndependent,
            (None, Some(_)) => Verdict::AddressAndPortDependent,
            (Some(_), None) => Verdict::EndpointIndependentOrUnknown,
            (None, None) => Verdict::Unknown,
        }
    }

    /// From whom packets get in unasked.
    #[must_use]
    pub const fn filtering(&self) -> Verdict {
        match (self.other_port_reached, self.other_address_reached) {
            (_, Some(true)) => Verdict::EndpointIndependent,
            (Some(true), Some(false)) => Verdict::AddressDependent,
            (Some(true), None) => Verdict::EndpointIndependentOrUnknown,
            (Some(false), _) => Verdict::AddressAndPortDependent,
            (None, _) => Verdict::Unknown,
        }
    }
}

/// What the server shall do for a check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CheckStep {
    /// Send an IHello this way.
    Probe { path: Path },
    /// Forward an IHello that is to be answered to this address.
    Introduce { reply: SocketAddr },
    /// The check is over.
    Done(CheckReport),
}

#[derive(Debug)]
struct Vantage {
    interface: Interface,
    address: SocketAddr,
    introduced: bool,
    reached: bool,
    mapped: Option<SocketAddr>,
}

impl Vantage {
    /// Whether unasked packets arrive; not known as long as the client never answered at all.
    fn verdict(&self) -> Option<bool> {
        self.mapped.map(|_| self.reached)
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Probe(usize),
    Introduce(usize),
}

/// One check in progress.
#[derive(Debug)]
pub(super) struct Check {
    tag: Vec<u8>,
    transaction: f64,
    client: Path,
    vantages: [Option<Vantage>; 2],
    plan: VecDeque<(Instant, Act)>,
    end: Instant,
}

impl Check {
    pub(super) fn new(now: Instant, tag: Vec<u8>, transaction: f64, client: Path, sockets: &ProbeSockets) -> Self {
        let vantage =
            |interface, address| Vantage { interface, address, introduced: false, reached: false, mapped: None };
        let same_family = |address: &SocketAddr| address.is_ipv4() == client.remote.is_ipv4();
        let other_port = sockets
            .other_port
            .and_then(|(interface, port)| Some(vantage(interface, SocketAddr::new(client.local?, port))))
            .filter(|v| same_family(&v.address));
        let other_address = sockets
            .other_address
            .filter(|(_, address)| same_family(address) && Some(address.ip()) != client.local)
            .map(|(interface, address)| vantage(interface, address));
        let vantages = [other_port, other_address];
        let at = |ms: u64| now + Duration::from_millis(ms);
        let mut plan: Vec<(Instant, Act)> = Vec::new();
        for (index, _) in vantages.iter().enumerate().filter(|(_, v)| v.is_some()) {
            plan.extend(PROBES.iter().map(|&ms| (at(ms), Act::Probe(index))));
            plan.extend(INTRODUCTIONS[index].iter().map(|&ms| (at(ms), Act::Introduce(index))));
        }
        plan.sort_by_key(|&(when, _)| when);
        let end = if plan.is_empty() { now } else { at(END) };
        Self { tag, transaction, client, vantages, plan: plan.into(), end }
    }

    pub(super) fn tag(&self) -> &[u8] {
        &self.tag
    }

    pub(super) const fn transaction(&self) -> f64 {
        self.transaction
    }

    pub(super) fn deadline(&self) -> Instant {
        if self.is_answered() { Instant::ZERO } else { self.plan.front().map_or(self.end, |&(at, _)| at.min(self.end)) }
    }

    /// The client's RHello came this way.
    pub(super) fn answered(&mut self, path: Path) {
        for vantage in self.vantages.iter_mut().flatten().filter(|v| v.interface == path.interface) {
            vantage.mapped.get_or_insert(path.remote);
            vantage.reached |= !vantage.introduced;
        }
    }

    pub(super) fn step(&mut self, now: Instant) -> Option<CheckStep> {
        if self.is_answered() || now >= self.end {
            return Some(CheckStep::Done(self.report()));
        }
        while self.plan.front().is_some_and(|&(at, _)| at <= now) {
            let (_, act) = self.plan.pop_front()?;
            let (Act::Probe(index) | Act::Introduce(index)) = act;
            let Some(vantage) = self.vantages[index].as_mut().filter(|v| v.mapped.is_none()) else { continue };
            return Some(match act {
                Act::Probe(_) => {
                    let local = Some(vantage.address.ip());
                    CheckStep::Probe { path: Path { interface: vantage.interface, local, remote: self.client.remote } }
                }
                Act::Introduce(_) => {
                    vantage.introduced = true;
                    CheckStep::Introduce { reply: vantage.address }
                }
            });
        }
        None
    }

    fn is_answered(&self) -> bool {
        self.vantages.iter().flatten().all(|vantage| vantage.mapped.is_some())
    }

    fn report(&self) -> CheckReport {
        let [port, address] = &self.vantages;
        CheckReport {
            observed: self.client.remote,
            other_port_reached: port.as_ref().and_then(Vantage::verdict),
            other_address_reached: address.as_ref().and_then(Vantage::verdict),
            other_port_mapped: port.as_ref().and_then(|v| v.mapped),
            other_address_mapped: address.as_ref().and_then(|v| v.mapped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(interface: u16, remote: &str) -> Path {
        Path { interface: Interface(interface), local: Some([192, 0, 2, 1].into()), remote: remote.parse().unwrap() }
    }

    /// Runs a check against a NAT described by who gets in unasked and what the other sockets see.
    fn run(lets_in: [bool; 2], mapped: [&str; 2], sockets: &ProbeSockets) -> CheckReport {
        let client = path(0, "198.51.100.7:4000");
        let mut now = Instant::ZERO;
        let mut check = Check::new(now, vec![1; 16], 2.0, client, sockets);
        loop {
            match check.step(now) {
                Some(CheckStep::Done(report)) => return report,
                Some(CheckStep::Probe { path: probe }) => {
                    let index = usize::from(probe.interface.0) - 1;
                    assert_eq!(probe.remote, client.remote);
                    if lets_in[index] {
                        check.answered(path(probe.interface.0, mapped[index]));
                    }
                }
                Some(CheckStep::Introduce { reply }) => {
                    let index = usize::from(reply.ip() != client.local.unwrap());
                    check.answered(path(index as u16 + 1, mapped[index]));
                }
                None => now = check.deadline(),
            }
        }
    }

    fn both() -> ProbeSockets {
        ProbeSockets {
            other_port: Some((Interface(1), 1936)),
            other_address: Some((Interface(2), "192.0.2.2:1937".parse().unwrap())),
        }
    }

    #[test]
    fn the_four_kinds_of_nat_are_told_apart() {
        let (same, other) = ("198.51.100.7:4000", "198.51.100.7:4001");
        let verdicts = |lets_in, mapped| {
            let report = run(lets_in, mapped, &both());
            (report.mapping(), report.filtering())
        };
        use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};
        assert_eq!(verdicts([true, true], [same, same]), (All, All));
        assert_eq!(verdicts([true, false], [same, same]), (All, Address));
        assert_eq!(verdicts([false, false], [same, same]), (All, Port));
        assert_eq!(verdicts([false, false], [other, other]), (Port, Port));
        assert_eq!(verdicts([true, false], [same, other]), (Address, Address));
    }

    #[test]
    fn a_server_of_one_address_does_not_claim_to_know() {
        let same = "198.51.100.7:4000";
        let one = ProbeSockets { other_address: None, ..both() };
        let report = run([true, true], [same, same], &one);
        assert_eq!(report.filtering().as_str(), "endpoint-independent or not known");
        let report = run([false, false], [same, same], &one);
        assert_eq!(report.filtering(), Verdict::AddressAndPortDependent);
        let none = run([true, true], [same, same], &ProbeSockets::default());
        assert_eq!((none.mapping(), none.filtering()), (Verdict::Unknown, Verdict::Unknown));
    }

    #[test]
    fn a_silent_client_ends_the_check_with_nothing_known() {
        let mut check = Check::new(Instant::ZERO, vec![1; 16], 2.0, path(0, "198.51.100.7:4000"), &both());
        let mut steps = 0;
        let report = loop {
            let now = check.deadline();
            match check.step(now) {
                Some(CheckStep::Done(report)) => break report,
                _ => steps += 1,
            }
            assert!(steps < 40);
        };
        assert_eq!((report.mapping(), report.filtering()), (Verdict::Unknown, Verdict::Unknown));
    }
}
