//! `p2pt check`: what stands between here and a rendezvous, and what it means for peers.

mod ask;
mod elsewhere;
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
use crate::runtime::Host;
use ask::{Answer, answer, fresh_host, unreachable};
use elsewhere::{Question, Trail};
use finding::Finding;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

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
    let flash = call.switch("flash");
    let host = fresh_host(flash)?;
    let deadline = Instant::now() + timeout;
    let mut trail = Trail::default();
    let mut findings: Vec<Finding> = Vec::new();
    for server in servers {
        let addresses = net::lookup(&server.host.host, server.host.port, Status::Rendezvous).await?;
        if let Some(open) = elsewhere::incomplete(&mut findings, &trail, &addresses) {
            // First of all: once the host's own socket has asked there, the NAT lets the answer in.
            let (peer, external) = (host.peer_id(), open.external);
            let question = Question { peer, external, server, addresses: &addresses, flash };
            open.other_address_reached = question.ask(&trail, deadline).await;
        }
        // From the same socket one after the other, so that what they see can be compared.
        let finding = examine(&host, server, &addresses, (deadline, timeout)).await?;
        trail.follow(&addresses, &finding);
        findings.push(finding);
    }
    host.shut_down().await;
    finding::compare(&mut findings);
    Ok(findings)
}

/// Asks one rendezvous, until a deadline that this time leads to.
async fn examine(
    host: &Host,
    server: &Rendezvous,
    addresses: &[SocketAddr],
    (deadline, timeout): (Instant, Duration),
) -> Result<Finding, Failure> {
    let id = host.with_node(|node, now| node.check(now, addresses.to_vec(), server.public_uri(), server.id));
    let result = tokio::time::timeout_at(deadline.into(), answer(host, server, id)).await;
    let session = host.with_node(|node, now| node.registration_stats(now, id));
    host.unregister(id);
    let found = |(report, stats): Answer| Finding::new(server, report, stats.as_ref(), host.local_addresses());
    result.map(|answer| answer.map(found)).unwrap_or_else(|_| {
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
