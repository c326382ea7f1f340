//! What one rendezvous found, and how it is told.

use super::words;
use crate::cli::address::Rendezvous;
use crate::node::SessionStats;
use crate::node::rendezvous::{CheckReport, Verdict};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A check that came to its end.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// Which rendezvous, without its key.
    pub(super) rendezvous: String,
    /// Where it was asked.
    pub(super) server: Option<SocketAddr>,
    /// Whether its address named who it has to be.
    pub(super) authenticated: bool,
    pub(super) rtt: Option<Duration>,
    pub(super) external: SocketAddr,
    pub(super) local: Vec<SocketAddr>,
    pub(super) mapping: Verdict,
    pub(super) filtering: Verdict,
    /// Whether packets of a rendezvous that was not asked yet got in.
    pub(super) other_address_reached: Option<bool>,
}

impl Finding {
    pub(super) fn new(
        server: &Rendezvous,
        report: CheckReport,
        stats: Option<&SessionStats>,
        local: Vec<SocketAddr>,
    ) -> Self {
        Self {
            rendezvous: server.public_uri(),
            server: stats.map(|stats| stats.path.remote),
            authenticated: server.id.is_some(),
            rtt: stats.and_then(|stats| stats.base_rtt.or(stats.srtt)),
            external: report.observed,
            local,
            mapping: report.mapping(),
            filtering: report.filtering(),
            other_address_reached: None,
        }
    }

    /// Whether our address is another one outside.
    pub(super) fn is_translated(&self) -> bool {
        is_translated(self.external, &self.local)
    }

    /// Which peers can be reached.
    pub(super) fn meaning(&self) -> String {
        words::meaning(self.is_translated(), self.mapping, self.filtering)
    }

    /// What to print.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let who = match self.authenticated {
            true => "it is who its address says",
            false => "not authenticated: its address has no ?id=",
        };
        let outside = if self.is_translated() { "through a NAT" } else { "no NAT" };
        let local: Vec<String> = self.local.iter().map(ToString::to_string).collect();
        let mut lines = vec![("rendezvous", format!("{}, {who}", self.rendezvous))];
        if let Some(rtt) = self.rtt {
            lines.push(("round trip", format!("{:.1} ms", rtt.as_secs_f64() * 1e3)));
        }
        lines.push(("external", format!("{}, {outside}", self.external)));
        lines.push(("local", local.join(", ")));
        lines.push(("mapping", self.mapping.as_str().to_owned()));
        lines.push(("filtering", self.filtering.as_str().to_owned()));
        lines.push(("meaning", self.meaning()));
        lines
    }
}

fn is_translated(external: SocketAddr, local: &[SocketAddr]) -> bool {
    // A loopback address is nobody's outer one, and is left out of the local ones.
    !external.ip().is_loopback() && !local.contains(&external)
}

/// Completes what each rendezvous could not tell alone: whether another address sees us as the same, and whether packets
/// from there get in.
pub(super) fn compare(findings: &mut [Finding]) {
    compare_mappings(findings);
    compare_filtering(findings);
}

fn compare_filtering(findings: &mut [Finding]) {
    // One socket and one NAT for each family of addresses: what a rendezvous told counts for all of them.
    let known = |finding: &Finding| {
        let reached = match finding.filtering {
            Verdict::EndpointIndependent => Some(true),
            Verdict::AddressDependent => Some(false),
            _ => finding.other_address_reached,
        };
        reached.map(|reached| (finding.external.is_ipv4(), reached))
    };
    let known: Vec<(bool, bool)> = findings.iter().filter_map(known).collect();
    for finding in findings {
        let mut told = known.iter().filter(|(family, _)| *family == finding.external.is_ipv4()).map(|(_, told)| *told);
        // A packet that came is proof; one that did not may have been lost.
        if let Some(reached) = told.next().map(|first| first || told.any(|other| other)) {
            finding.filtering = finding.filtering.with_other_address(reached);
        }
    }
}

fn compare_mappings(findings: &mut [Finding]) {
    let seen: Vec<(Option<IpAddr>, SocketAddr)> =
        findings.iter().map(|finding| (finding.server.map(|server| server.ip()), finding.external)).collect();
    for (near, finding) in findings.iter_mut().enumerate() {
        if !matches!(finding.mapping, Verdict::EndpointIndependentOrUnknown | Verdict::Unknown) {
            continue;
        }
        let comparable = |(far, (ip, external)): (usize, &(Option<IpAddr>, SocketAddr))| {
            let other = far != near && ip.is_some() && *ip != seen[near].0;
            (other && external.is_ipv4() == finding.external.is_ipv4()).then_some(*external)
        };
        let others: Vec<SocketAddr> = seen.iter().enumerate().filter_map(comparable).collect();
        if others.iter().any(|external| *external != finding.external) {
            finding.mapping = Verdict::AddressDependent;
        } else if !others.is_empty() {
            finding.mapping = Verdict::EndpointIndependent;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a rendezvous of one address finds behind most NATs.
    pub(in crate::cli::check) fn open() -> Finding {
        let filtering = Verdict::EndpointIndependentOrUnknown;
        Finding { filtering, ..finding("192.0.2.1:1935", "198.51.100.7:1", filtering) }
    }

    fn finding(server: &str, external: &str, mapping: Verdict) -> Finding {
        Finding {
            rendezvous: "rtmfp://example.org:1935".into(),
            server: Some(server.parse().unwrap()),
            authenticated: true,
            rtt: None,
            external: external.parse().unwrap(),
            local: vec!["192.168.1.2:7".parse().unwrap()],
            mapping,
            filtering: Verdict::Unknown,
            other_address_reached: None,
        }
    }

    fn mappings(servers: [&str; 2], seen: [&str; 2], alone: Verdict) -> [Verdict; 2] {
        let mut both = [finding(servers[0], seen[0], alone), finding(servers[1], seen[1], alone)];
        compare(&mut both);
        both.map(|finding| finding.mapping)
    }

    #[test]
    fn a_second_rendezvous_completes_the_mapping() {
        use Verdict::{AddressDependent, EndpointIndependent, EndpointIndependentOrUnknown as Open, Unknown};
        let apart = ["192.0.2.1:1935", "192.0.2.2:1935"];
        assert_eq!(mappings(apart, ["198.51.100.7:1", "198.51.100.7:1"], Open), [EndpointIndependent; 2]);
        assert_eq!(mappings(apart, ["198.51.100.7:1", "198.51.100.7:2"], Open), [AddressDependent; 2]);
        assert_eq!(mappings(apart, ["198.51.100.7:1", "[2001:db8::7]:1"], Open), [Open; 2], "nothing to compare");
        let together = ["192.0.2.1:1935", "192.0.2.1:1936"];
        assert_eq!(mappings(together, ["198.51.100.7:1", "198.51.100.7:1"], Unknown), [Unknown; 2]);
        let known = Verdict::AddressAndPortDependent;
        assert_eq!(mappings(apart, ["198.51.100.7:1", "198.51.100.7:1"], known), [known; 2], "what is known stays");
    }

    #[test]
    fn a_second_rendezvous_completes_the_filtering() {
        use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};
        use Verdict::{EndpointIndependentOrUnknown as Open, Unknown};
        let compared = |first, reached, second| {
            let one = Finding { filtering: first, other_address_reached: reached, ..open() };
            let mut both = [one, Finding { filtering: second, ..open() }];
            compare(&mut both);
            both.map(|finding| finding.filtering)
        };
        assert_eq!(compared(Open, Some(true), Open), [All; 2]);
        assert_eq!(compared(Open, Some(false), Open), [Address; 2]);
        assert_eq!(compared(Unknown, Some(true), Unknown), [All; 2]);
        assert_eq!(compared(Unknown, Some(false), Unknown), [Unknown; 2], "it may be the port that matters");
        assert_eq!(compared(Open, None, Open), [Open; 2], "too old a rendezvous, or an address that is no news");
        assert_eq!(compared(Open, None, Address), [Address; 2], "the second has two addresses");
        assert_eq!(compared(Port, None, Port), [Port; 2]);
        let mut families = [Finding { other_address_reached: Some(true), ..open() }, open()];
        families[1].external = "[2001:db8::7]:1".parse().unwrap();
        compare(&mut families);
        assert_eq!(families.map(|finding| finding.filtering), [All, Open], "another family, another firewall");
    }

    #[test]
    fn an_address_that_is_our_own_was_not_translated() {
        let outside = finding("192.0.2.1:1935", "192.168.1.2:7", Verdict::Unknown);
        assert!(!outside.is_translated());
        assert!(finding("192.0.2.1:1935", "192.168.1.2:8", Verdict::Unknown).is_translated());
        assert!(!finding("127.0.0.1:1935", "127.0.0.1:8", Verdict::Unknown).is_translated());
    }
}
