//! The connectivity check: what a NAT or firewall in front of a client lets through (terms of RFC 4787).
//!
//! The server sends the client IHellos from sockets that the client never sent to; an answer shows that such packets
//! arrive (filtering). Then it introduces those sockets, as it would introduce a peer; the source of the client's
//! RHello shows whether the NAT keeps one address for all destinations (mapping).
//!
//! A server of one address cannot tell whether other addresses get in: the client had to send to that address to ask. But
//! another socket of the client can ask a second server to probe the first socket ([`ProbeTarget`]), which never sent there.
//! A NAT that lets an address in to all sockets of a host as soon as one of them sent there, which RFC 4787 section 5 does
//! not describe, passes for one that lets in everybody.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::{Instant, Interface, Path, PeerId};

/// When unsolicited probes go out, after the start.
const PROBES: [u64; 3] = [0, 250, 500];
/// When the other port, and then the other address, are introduced.
const INTRODUCTIONS: [[u64; 2]; 2] = [[1_000, 1_250], [1_500, 1_750]];
/// When the check ends at the latest.
const END: u64 = 2_600;
/// When it ends if another socket than the asker's is probed: nothing is introduced then.
const TARGET_END: u64 = 1_500;
/// The lowest port that is probed on request. A NAT gives ports below to nobody who did not have one inside (RFC 4787
/// section 4.2.1), and on them stand services, which have not asked for our packets.
const LOWEST_TARGET: u16 = 1_024;

/// Sockets of the server that clients have no reason to send to.
#[derive(Debug, Clone, Default)]
pub struct ProbeSockets {
    /// A socket on the main address with another port.
    pub other_port: Option<(Interface, u16)>,
    /// A socket on another address, and that address as clients reach it.
    pub other_address: Option<(Interface, SocketAddr)>,
}

/// Another socket of the one who asks for a check, to be probed in place of its own. It is looked for at the address from
/// which the asker is seen, and nowhere else, so that nobody can have others probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeTarget {
    /// Whom the probes select.
    pub peer: PeerId,
    /// The port at which it is seen outside.
    pub port: u16,
}

impl ProbeTarget {
    /// Where to probe if `asker` asks for it; `None` if nobody would learn anything there or should have to bear it.
    pub(super) fn seen_from(self, asker: SocketAddr) -> Option<SocketAddr> {
        (self.port >= LOWEST_TARGET && self.port != asker.port()).then_some(SocketAddr::new(asker.ip(), self.port))
    }
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
    /// Whether a packet from the server's address arrived unasked at the socket that the client named instead of its own.
    /// `None` also from a server that does not know this question.
    pub target_reached: Option<bool>,
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

    /// What this filtering becomes once it is known whether packets arrive from an address that was never sent to. That one
    /// did is proof; that none did tells only together with the server's other port, whose packets did arrive.
    #[must_use]
    pub const fn with_other_address(self, reached: bool) -> Self {
        match (self, reached) {
            (_, true) => Self::EndpointIndependent,
            (Self::EndpointIndependentOrUnknown, false) => Self::AddressDependent,
            (_, false) => self,
        }
    }
}

impl CheckReport {
    /// Nothing but the address.
    pub(super) const fn of_nothing(observed: SocketAddr) -> Self {
        Self {
            observed,
            other_port_reached: None,
            other_address_reached: None,
            other_port_mapped: None,
            other_address_mapped: None,
            target_reached: None,
        }
    }

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
    local: Option<IpAddr>,
    introduced: bool,
    reached: bool,
    mapped: Option<SocketAddr>,
}

impl Vantage {
    const fn new(interface: Interface, local: Option<IpAddr>) -> Self {
        Self { interface, local, introduced: false, reached: false, mapped: None }
    }

    /// Whether unasked packets arrive; not known as long as the client never answered at all.
    fn verdict(&self) -> Option<bool> {
        self.mapped.map(|_| self.reached)
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Probe(usize),
    Introduce(usize, SocketAddr),
}

/// One check in progress.
#[derive(Debug)]
pub(super) struct Check {
    tag: Vec<u8>,
    transaction: f64,
    client: Path,
    probed: SocketAddr,
    target: Option<ProbeTarget>,
    vantages: [Option<Vantage>; 2],
    plan: VecDeque<(Instant, Act)>,
    end: Instant,
}

impl Check {
    pub(super) fn new(now: Instant, tag: Vec<u8>, transaction: f64, client: Path, sockets: &ProbeSockets) -> Self {
        let same_family = |address: &SocketAddr| address.is_ipv4() == client.remote.is_ipv4();
        let other_port = sockets
            .other_port
            .and_then(|(interface, port)| Some((interface, SocketAddr::new(client.local?, port))))
            .filter(|(_, address)| same_family(address));
        let other_address =
            sockets.other_address.filter(|(_, address)| same_family(address) && Some(address.ip()) != client.local);
        let sockets = [other_port, other_address];
        let at = |ms: u64| now + Duration::from_millis(ms);
        let mut plan: Vec<(Instant, Act)> = Vec::new();
        for (index, socket) in sockets.iter().enumerate() {
            let Some((_, address)) = *socket else { continue };
            plan.extend(PROBES.iter().map(|&ms| (at(ms), Act::Probe(index))));
            plan.extend(INTRODUCTIONS[index].iter().map(|&ms| (at(ms), Act::Introduce(index, address))));
        }
        plan.sort_by_key(|&(when, _)| when);
        let end = if plan.is_empty() { now } else { at(END) };
        let vantages = sockets.map(|s| s.map(|(interface, address)| Vantage::new(interface, Some(address.ip()))));
        Self { tag, transaction, client, probed: client.remote, target: None, vantages, plan: plan.into(), end }
    }

    /// Instead probes `target`, which is at `probed`, from the socket that the client asks.
    pub(super) fn targeted(self, now: Instant, target: ProbeTarget, probed: SocketAddr) -> Self {
        let at = |ms: u64| now + Duration::from_millis(ms);
        let vantages = [Some(Vantage::new(self.client.interface, self.client.local)), None];
        let plan = PROBES.iter().map(|&ms| (at(ms), Act::Probe(0))).collect();
        Self { probed, target: Some(target), vantages, plan, end: at(TARGET_END), ..self }
    }

    /// Whom the probes select, if it is not the client.
    pub(super) fn selected(&self) -> Option<PeerId> {
        self.target.map(|target| target.peer)
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
            let (Act::Probe(index) | Act::Introduce(index, _)) = act;
            let Some(vantage) = self.vantages[index].as_mut().filter(|v| v.mapped.is_none()) else { continue };
            return Some(match act {
                Act::Probe(_) => CheckStep::Probe {
                    path: Path { interface: vantage.interface, local: vantage.local, remote: self.probed },
                },
                Act::Introduce(_, reply) => {
                    vantage.introduced = true;
                    CheckStep::Introduce { reply }
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
        if self.target.is_some() {
            let target_reached = port.as_ref().map(|vantage| vantage.reached);
            return CheckReport { target_reached, ..CheckReport::of_nothing(self.client.remote) };
        }
        CheckReport {
            observed: self.client.remote,
            other_port_reached: port.as_ref().and_then(Vantage::verdict),
            other_address_reached: address.as_ref().and_then(Vantage::verdict),
            other_port_mapped: port.as_ref().and_then(|v| v.mapped),
            other_address_mapped: address.as_ref().and_then(|v| v.mapped),
            target_reached: None,
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
    fn a_second_server_tells_whether_other_addresses_get_in() {
        use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};
        use Verdict::{EndpointIndependentOrUnknown as Open, Unknown};
        for (alone, reached, not) in [(Open, All, Address), (Port, All, Port), (Unknown, All, Unknown)] {
            assert_eq!((alone.with_other_address(true), alone.with_other_address(false)), (reached, not));
        }
    }

    #[test]
    fn the_socket_that_the_client_names_is_probed_instead_of_its_own() {
        let client = path(0, "198.51.100.7:4000");
        let target = ProbeTarget { peer: PeerId([9; 32]), port: 4_001 };
        let probed = target.seen_from(client.remote).unwrap();
        for reached in [true, false] {
            let check = Check::new(Instant::ZERO, vec![1; 16], 2.0, client, &both());
            let mut check = check.targeted(Instant::ZERO, target, probed);
            assert_eq!(check.selected(), Some(target.peer));
            let (mut now, mut probes) = (Instant::ZERO, 0);
            let report = loop {
                match check.step(now) {
                    Some(CheckStep::Done(report)) => break report,
                    Some(CheckStep::Introduce { .. }) => panic!("nobody asked for an introduction"),
                    Some(CheckStep::Probe { path: probe }) => {
                        assert_eq!(probe, Path { remote: probed, ..client });
                        probes += 1;
                        if reached {
                            check.answered(probe);
                        }
                    }
                    None => now = check.deadline(),
                }
            };
            assert_eq!(report, CheckReport { target_reached: Some(reached), ..CheckReport::of_nothing(client.remote) });
            assert_eq!(probes, if reached { 1 } else { PROBES.len() });
        }
    }

    #[test]
    fn nobody_has_services_or_others_probed() {
        let asker: SocketAddr = "198.51.100.7:4000".parse().unwrap();
        let seen = |port| ProbeTarget { peer: PeerId([9; 32]), port }.seen_from(asker);
        assert_eq!([0, 53, 1_023, 4_000].map(seen), [None; 4]);
        assert_eq!(seen(1_024), Some("198.51.100.7:1024".parse().unwrap()), "always at the asker's own address");
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
