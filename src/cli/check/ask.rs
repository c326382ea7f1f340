//! One question to one rendezvous.

use crate::cli::address::Rendezvous;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::status::Status;
use crate::node::rendezvous::CheckReport;
use crate::node::{EndpointConfig, Identity, IdentityKind, Keyring, NodeConfig, NodeEvent, Policy};
use crate::node::{RegistrationId, SessionStats};
use crate::runtime::{Host, HostConfig};
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Attempts without an answer after which a rendezvous counts as unreachable; each takes 5 s.
const ATTEMPTS: u32 = 2;
/// How often the round trip is looked at while the check goes on.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A host that nobody knows.
pub(super) fn fresh_host(flash: bool) -> Result<Host, Failure> {
    let identity = Identity::generate(&mut net::rng()?, IdentityKind::default());
    let profile = Arc::new(Keyring::new(identity, Policy { flash, ..Policy::default() }));
    let node = NodeConfig { profile, endpoint: EndpointConfig::default() };
    net::start(HostConfig::new(node), SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0))
}

/// The rendezvous does not answer.
pub(super) fn unreachable(server: &Rendezvous, came: impl std::fmt::Display) -> Failure {
    let came = format_args!("{came}: the service is down, or UDP does not get through").to_string();
    Failure::new(Status::Rendezvous, format!("reach {}", server.public_uri()), came)
        .next("see whether it runs there (p2pt rendezvous prints its address), and whether a firewall stops UDP")
}

/// What a rendezvous reports, and the session in which it did.
pub(super) type Answer = (CheckReport, Option<SessionStats>);

/// Waits for what a rendezvous reports.
///
/// # Errors
/// 8 if it does not answer or refuses, 5 if it is not the one of the address.
pub(super) async fn answer(host: &Host, server: &Rendezvous, id: RegistrationId) -> Result<Answer, Failure> {
    let tried = || format!("check {}", server.public_uri());
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut stats = None;
    let mut unanswered = 0;
    loop {
        let notice = tokio::select! {
            notice = host.notice() => notice,
            _ = look.tick() => {
                stats = host.with_node(|node, now| node.registration_stats(now, id)).or(stats);
                continue;
            }
        };
        stats = host.with_node(|node, now| node.registration_stats(now, id)).or(stats);
        match notice {
            Some(NodeEvent::Checked { registration, report }) if registration == id => {
                return Ok((report, stats));
            }
            Some(NodeEvent::RendezvousImposter { registration, .. }) if registration == id => {
                return Err(Failure::new(
                    Status::Mismatch,
                    tried(),
                    "whoever answers there is not the one that ?id= names",
                )
                .next("ask whoever runs it for its address; do not leave ?id= away to get around this"));
            }
            Some(NodeEvent::RegistrationRefused { registration, refusal }) if registration == id => {
                return Err(Failure::new(Status::Rendezvous, tried(), refusal));
            }
            Some(NodeEvent::RendezvousUnreachable { registration }) if registration == id => {
                unanswered += 1;
                if unanswered == ATTEMPTS {
                    return Err(unreachable(server, "no answer"));
                }
            }
            Some(_) => {}
            None => return Err(Failure::new(Status::LocalIo, tried(), "the sockets were closed")),
        }
    }
}
