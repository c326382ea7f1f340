//! Whether packets from an address that the socket in question never sent to get in: what one rendezvous of one address
//! cannot tell.
//!
//! To ask a second rendezvous is to send to it, and a NAT may let it in for that. So a second socket asks, under an identity
//! of its own, and has the first one probed before that one sends there.

use super::ask::{answer, fresh_host};
use super::finding::Finding;
use crate::base::PeerId;
use crate::cli::address::Rendezvous;
use crate::node::Registration;
use crate::node::rendezvous::{ProbeTarget, Verdict};
use crate::runtime::Host;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long the second rendezvous may take, so that one that does not answer leaves time to say so.
const LONGEST: Duration = Duration::from_secs(5);

/// Where a socket has sent to, as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Trail {
    sent_to: Vec<IpAddr>,
    lost: bool,
}

impl Trail {
    /// The socket asked a rendezvous at these addresses, and came to this finding.
    pub(super) fn follow(&mut self, addresses: &[SocketAddr], finding: &Finding) {
        self.sent_to.extend(addresses.iter().map(SocketAddr::ip));
        // Redirected, it may have sent to further addresses that nobody tells us.
        self.lost |= !finding.server.is_some_and(|server| addresses.contains(&server));
    }

    /// Those to which it never sent, of the same family as `external`.
    fn untrodden(&self, addresses: &[SocketAddr], external: SocketAddr) -> Vec<SocketAddr> {
        let fresh = |address: &&SocketAddr| {
            address.is_ipv4() == external.is_ipv4() && !self.sent_to.contains(&address.ip()) && !self.lost
        };
        addresses.iter().filter(fresh).copied().collect()
    }
}

/// A finding that leaves open whether other addresses get in, where a rendezvous at these may know.
pub(super) fn incomplete<'a>(
    findings: &'a mut [Finding],
    trail: &Trail,
    addresses: &[SocketAddr],
) -> Option<&'a mut Finding> {
    let known = |finding: &Finding| finding.other_address_reached.map(|_| finding.external.is_ipv4());
    let known: Vec<bool> = findings.iter().filter_map(known).collect();
    let open = |finding: &&mut Finding| {
        matches!(finding.filtering, Verdict::EndpointIndependentOrUnknown | Verdict::Unknown)
            && !known.contains(&finding.external.is_ipv4())
            && !trail.untrodden(addresses, finding.external).is_empty()
    };
    findings.iter_mut().find(open)
}

/// A further rendezvous, and who shall ask it.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// Whom the probes select: the host whose socket is in question.
    pub(super) peer: PeerId,
    /// That socket as it is seen outside.
    pub(super) external: SocketAddr,
    pub(super) server: &'a Rendezvous,
    pub(super) addresses: &'a [SocketAddr],
    pub(super) flash: bool,
}

impl Question<'_> {
    /// Whether probes of the rendezvous arrive at a socket that never sent there. `None` if that cannot be told: it does not
    /// answer, is too old to understand, is at an address that is no news to the NAT, or sees the two sockets at different
    /// addresses.
    pub(super) async fn ask(&self, trail: &Trail, deadline: Instant) -> Option<bool> {
        let servers = trail.untrodden(self.addresses, self.external);
        let host = fresh_host(self.flash).ok()?;
        let left = deadline.saturating_duration_since(Instant::now());
        let told = tokio::time::timeout((left / 2).min(LONGEST), self.answered(&host, &servers)).await;
        host.shut_down().await;
        told.ok().flatten()
    }

    async fn answered(&self, host: &Host, servers: &[SocketAddr]) -> Option<bool> {
        let uri = self.server.public_uri();
        let registration = Registration { servers: servers.to_vec(), uri, pin: self.server.id, developer_key: None };
        let target = ProbeTarget { peer: self.peer, port: self.external.port() };
        let id = host.with_node(|node, now| node.check_target(now, registration, target));
        let (report, stats) = answer(host, self.server, id).await.ok()?;
        // Whoever it redirected us to may be somebody to whom the socket in question has sent.
        let direct = servers.contains(&stats?.path.remote);
        // The rendezvous probes the address from which it sees the asker; a NAT of several may give each socket another.
        let same_place = report.observed.ip() == self.external.ip();
        report.target_reached.filter(|_| direct && same_place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_an_address_that_was_never_sent_to_tells_anything() {
        let (external, here) = (address("198.51.100.7:1"), address("192.0.2.1:1935"));
        let [same, other, other_family] = ["192.0.2.1:1936", "192.0.2.2:1935", "[2001:db8::2]:1935"].map(address);
        let mut trail = Trail::default();
        let mut finding = Finding { server: Some(here), ..super::super::finding::tests::open() };
        trail.follow(&[here], &finding);
        assert_eq!(trail.untrodden(&[same, other, other_family], external), [other]);
        let found = |server| incomplete(&mut [finding.clone()], &trail, &[server]).is_some();
        assert_eq!([same, other, other_family].map(found), [false, true, false]);
        finding.server = Some(other_family);
        trail.follow(&[here], &finding);
        assert_eq!(trail.untrodden(&[other], external), [], "redirected, who knows through where");
    }
}
