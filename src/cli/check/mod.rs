//! `p2pt check`: what stands between here and a rendezvous, and what it means for peers.

mod finding;
mod words;

use super::address::{Rendezvous, Stdin, rendezvous};
use super::call::Call;
use super::failure::Failure;
use super::net;
use super::output::{Event, Output};
use super::status::Status;
use super::table::row::Json;
use super::units::show_duration;
use crate::node::{EndpointConfig, NodeConfig, NodeEvent, RegistrationId};
use crate::node::{Identity, IdentityKind, Keyring, Policy};
use crate::runtime::{Host, HostConfig};
use finding::Finding;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Attempts without an answer after which a rendezvous counts as unreachable; each takes 5 s.
const ATTEMPTS: u32 = 2;
/// How often the round trip is looked at while the check goes on.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Asks each rendezvous, and says what comes of it.
///
/// # Errors
/// 8 if one does not answer, 5 if it is not the one of the address, 3 if the check does not end in time.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let servers = servers(&call)?;
    let timeout = call.duration("timeout").expect("the table has a default");
    let mut signals = call.signals.clone();
    let findings = net::block_on(async {
        tokio::select! {
            findings = ask_all(&call, &servers, timeout) => findings,
            // The signal's own status is what the command ends with.
            _ = signals.stopped() => Ok(Vec::new()),
        }
    })?;
    report(&call.out, &findings)
}

/// The servers that the command line or the environment names.
fn servers(call: &Call) -> Result<Vec<Rendezvous>, Failure> {
    let texts = call.texts("URL");
    let none = || {
        Failure::usage("no rendezvous to ask")
            .next("name one, as in p2pt check rtmfp://HOST, or set P2PT_RENDEZVOUS; p2pt rendezvous runs one")
    };
    if texts.is_empty() {
        return rendezvous(None, Stdin::Free)?.map(|server| vec![server]).ok_or_else(none);
    }
    texts.iter().map(|text| rendezvous(Some(text), Stdin::Free)?.ok_or_else(none)).collect()
}

async fn ask_all(call: &Call, servers: &[Rendezvous], timeout: Duration) -> Result<Vec<Finding>, Failure> {
    let names: Vec<String> = servers.iter().map(Rendezvous::public_uri).collect();
    call.out.say(format_args!("asking {}", names.join(" and ")));
    let host = fresh_host(call.switch("flash"))?;
    let deadline = Instant::now() + timeout;
    let mut findings: Vec<Finding> = Vec::new();
    for server in servers {
        // From the same socket one after the other, so that what they see can be compared.
        findings.push(ask(&host, server, deadline, timeout).await?);
    }
    host.shut_down().await;
    finding::compare(&mut findings);
    Ok(findings)
}

/// A host that nobody knows.
fn fresh_host(flash: bool) -> Result<Host, Failure> {
    let identity = Identity::generate(&mut net::rng()?, IdentityKind::default());
    let profile = Arc::new(Keyring::new(identity, Policy { flash, ..Policy::default() }));
    let node = NodeConfig { profile, endpoint: EndpointConfig::default() };
    net::start(HostConfig::new(node), SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0))
}

/// Asks one rendezvous.
async fn ask(host: &Host, server: &Rendezvous, deadline: Instant, timeout: Duration) -> Result<Finding, Failure> {
    let addresses = net::lookup(&server.host.host, server.host.port, Status::Rendezvous).await?;
    let id = host.with_node(|node, now| node.check(now, addresses, server.public_uri(), server.id));
    let result = tokio::time::timeout_at(deadline.into(), answer(host, server, id)).await;
    let session = host.with_node(|node, now| node.registration_stats(now, id));
    host.unregister(id);
    result.unwrap_or_else(|_| {
        let waited = show_duration(timeout);
        Err(match session {
            Some(_) => Failure::new(
                Status::TimedOut,
                format!("check {}", server.public_uri()),
                format_args!("it is there, but sent no findings in {waited}"),
            )
            .next("try again with a longer --timeout"),
            None => unreachable(server, format_args!("no answer in {waited}")),
        })
    })
}

/// The rendezvous does not answer.
fn unreachable(server: &Rendezvous, came: impl std::fmt::Display) -> Failure {
    let came = format_args!("{came}: the service is down, or UDP does not get through").to_string();
    Failure::new(Status::Rendezvous, format!("reach {}", server.public_uri()), came)
        .next("see whether it runs there (p2pt rendezvous prints its address), and whether a firewall stops UDP")
}

async fn answer(host: &Host, server: &Rendezvous, id: RegistrationId) -> Result<Finding, Failure> {
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
                return Ok(Finding::new(server, report, stats.as_ref(), host.local_addresses()));
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

/// Prints the findings, a line each, or an event for each rendezvous.
fn report(out: &Output, findings: &[Finding]) -> Result<(), Failure> {
    for (number, finding) in findings.iter().enumerate() {
        if out.json() == Some(Json::Stdout) {
            out.event(event(finding))?;
            continue;
        }
        if number > 0 {
            out.line("")?;
        }
        for (what, how) in finding.lines() {
            out.line(format_args!("{what:<11} {how}"))?;
        }
    }
    Ok(())
}

fn event(finding: &Finding) -> Event {
    let local: Vec<String> = finding.local.iter().map(ToString::to_string).collect();
    Event::new("check")
        .with("rendezvous", finding.rendezvous.clone())
        .with("authenticated", finding.authenticated)
        .with("rtt_ms", finding.rtt.map(|rtt| (rtt.as_secs_f64() * 1e5).round() / 100.0))
        .with("external", finding.external.to_string())
        .with("local", local)
        .with("nat", finding.is_translated())
        .with("nat_mapping", finding.mapping.as_str())
        .with("nat_filtering", finding.filtering.as_str())
        .with("meaning", finding.meaning())
}
