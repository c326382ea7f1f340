//! `p2pt demo`: a rendezvous and two peers in one process, on real sockets of the loopback interface.

use super::call::Call;
use super::failure::Failure;
use super::net;
use super::output::{Event, Output};
use super::status::Status;
use super::table::row::Json;
use super::units::{show_duration, show_size};
use crate::base::{Rng, to_hex};
use crate::node::rendezvous::ServerConfig;
use crate::node::{Dial, DialError, EndpointConfig, NodeConfig, NodeEvent, Order, Priority, Registration};
use crate::node::{Identity, IdentityKind, Keyring, Policy};
use crate::runtime::{Host, HostConfig, Item, Peer, RecvStream, Within};
use bytes::Bytes;
use indicatif::ProgressBar;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a message.
const MESSAGE: usize = 64 << 10;
/// How long any step may make no headway.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was seen.
struct Findings {
    rendezvous: SocketAddr,
    registering: Duration,
    connecting: Duration,
    piping: Duration,
    sent: Tally,
    received: Tally,
}

/// How many bytes, and which.
#[derive(PartialEq, Eq)]
struct Tally {
    bytes: u64,
    hash: [u8; 32],
}

/// Shows that it works, or fails.
///
/// # Errors
/// 3 if something stands still, 6 if what arrives is not what was sent, 9 if the system refuses a socket.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let size = call.size("size").expect("the table has a default");
    let mut signals = call.signals.clone();
    let findings = net::block_on(async {
        tokio::select! {
            findings = show(&call.out, size) => findings.map(Some),
            // The signal's own status is what the command ends with.
            _ = signals.stopped() => Ok(None),
        }
    })?;
    match findings {
        Some(findings) => report(&call.out, size, &findings),
        None => Ok(()),
    }
}

async fn show(out: &Output, size: u64) -> Result<Findings, Failure> {
    let mut rng = net::rng()?;
    let service = host(&mut rng, true)?;
    let rendezvous = service.bound()[0];
    service.with_node(|node, _| node.serve_rendezvous(ServerConfig::default()));
    let (near, far) = (host(&mut rng, false)?, host(&mut rng, false)?);
    out.say(format_args!("a rendezvous on {rendezvous} and two peers, on this machine"));

    let started = Instant::now();
    far.register(Registration {
        servers: vec![rendezvous],
        uri: format!("rtmfp://{rendezvous}"),
        pin: Some(service.peer_id()),
        developer_key: None,
    });
    in_time("register at the rendezvous", registered(&far)).await??;
    let registering = started.elapsed();
    out.say(format_args!("peer {} is registered", far.peer_id()));

    let started = Instant::now();
    let (there, here) = in_time("reach the peer through the rendezvous", meet(&near, &far, rendezvous)).await??;
    let connecting = started.elapsed();
    out.say(format_args!("peer {} has reached it", near.peer_id()));

    let bar = out.bar(Some(size));
    let started = Instant::now();
    let (sent, received) = pipe(&there, &here, size, rng.fork(), &bar).await?;
    let piping = started.elapsed();
    bar.finish_and_clear();
    near.shut_down().await;
    far.shut_down().await;
    service.shut_down().await;
    Ok(Findings { rendezvous, registering, connecting, piping, sent, received })
}

fn host(rng: &mut Rng, server: bool) -> Result<Host, Failure> {
    let identity = Identity::generate(rng, IdentityKind { server, flash: false });
    let profile = Arc::new(Keyring::new(identity, Policy::default()));
    let endpoint = EndpointConfig {
        raise_unmatched_ihellos: server,
        raise_unmatched_rhellos: server,
        ..EndpointConfig::default()
    };
    let listen = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    net::start(
        HostConfig { bind: vec![listen], lan: false, cast: Vec::new(), node: NodeConfig { profile, endpoint } },
        listen,
    )
}

async fn registered(host: &Host) -> Result<(), Failure> {
    loop {
        match host.notice().await {
            Some(NodeEvent::Registered { .. }) => return Ok(()),
            Some(_) => {}
            None => return Err(Failure::new(Status::LocalIo, "go on", "the sockets were closed")),
        }
    }
}

async fn meet(near: &Host, far: &Host, rendezvous: SocketAddr) -> Result<(Peer, Peer), Failure> {
    let dial = Dial {
        peer: far.peer_id(),
        candidates: Vec::new(),
        rendezvous: vec![rendezvous],
        multicast: Vec::new(),
        timeout: PATIENCE,
    };
    let tried = "reach the peer through the rendezvous";
    let (there, here) = tokio::join!(near.dial(&dial), far.incoming());
    let there = there.map_err(|error| {
        let status = match error {
            DialError::Unreachable => Status::Unreachable,
            DialError::WrongIdentity => Status::Mismatch,
            _ => Status::TimedOut,
        };
        Failure::new(status, tried, error).next("see whether a firewall stops UDP on the loopback interface")
    })?;
    let here = here.ok_or_else(|| Failure::new(Status::LocalIo, tried, "the sockets were closed"))?;
    Ok((there, here.accept()))
}

/// Sends `size` bytes that nobody can guess from one peer to the other, both of which say what they saw.
async fn pipe(from: &Peer, to: &Peer, size: u64, mut rng: Rng, bar: &ProgressBar) -> Result<(Tally, Tally), Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::new(Status::Failed, "pipe the data", error);
    let send = async {
        let mut flow = from.open_flow(b"p2pt demo", Priority::Normal).map_err(|error| broken(&error))?;
        let mut left = size;
        let mut hash = Sha256::new();
        while left > 0 {
            let mut message = vec![0; MESSAGE.min(usize::try_from(left).unwrap_or(MESSAGE))];
            rng.fill(&mut message);
            hash.update(&message);
            left -= message.len() as u64;
            let written = flow.write(Bytes::from(message), Within::UNLIMITED);
            in_time("pipe the data", written).await?.map_err(|error| broken(&error))?;
        }
        in_time("see the end of the data acknowledged", flow.finish()).await?.map_err(|error| broken(&error))?;
        Ok(Tally { bytes: size, hash: hash.finalize().into() })
    };
    let receive = async {
        let mut flow = in_time("see the data come", to.accept_flow(Order::Original)).await?;
        let flow = flow.as_mut().map_err(|error| broken(error))?;
        drain(flow, bar).await
    };
    tokio::try_join!(send, receive)
}

async fn drain(flow: &mut RecvStream, bar: &ProgressBar) -> Result<Tally, Failure> {
    let mut bytes = 0;
    let mut hash = Sha256::new();
    loop {
        let item = in_time("receive the data", flow.next()).await?;
        match item.map_err(|error| Failure::new(Status::Failed, "receive the data", error))? {
            Some(Item::Message { data, .. }) => {
                hash.update(&data);
                bytes += data.len() as u64;
                bar.set_position(bytes);
            }
            Some(Item::Lost { .. }) => {
                return Err(Failure::new(Status::Integrity, "receive the data", "a message was lost"));
            }
            None => return Ok(Tally { bytes, hash: hash.finalize().into() }),
        }
    }
}

async fn in_time<T>(tried: &str, step: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, step).await.map_err(|_| {
        Failure::new(Status::TimedOut, tried, format_args!("nothing happened for {}", show_duration(PATIENCE)))
            .next("see whether a firewall stops UDP on the loopback interface")
    })
}

/// Prints the table, or the event; fails if it does not hold.
fn report(out: &Output, size: u64, found: &Findings) -> Result<(), Failure> {
    let verified = found.sent == found.received && found.received.bytes == size;
    let seconds = found.piping.as_secs_f64();
    let rate = if seconds > 0.0 { size as f64 / seconds } else { 0.0 };
    let millis = |span: Duration| (span.as_secs_f64() * 1e5).round() / 100.0;
    if out.json() == Some(Json::Stdout) {
        out.event(
            Event::new("demo")
                .with("sent", found.sent.bytes)
                .with("received", found.received.bytes)
                .with("sha256", to_hex(&found.received.hash))
                .with("verified", verified)
                .with("register_ms", millis(found.registering))
                .with("connect_ms", millis(found.connecting))
                .with("seconds", seconds)
                .with("bytes_per_second", rate),
        )?;
    } else {
        let verdict = if verified { "SHA-256" } else { "NO: what arrived is not what was sent; SHA-256" };
        let lines = [
            ("rendezvous", format!("{}, real UDP sockets", found.rendezvous)),
            ("registered", format!("in {} ms", millis(found.registering))),
            ("connected", format!("in {} ms, introduced by the rendezvous", millis(found.connecting))),
            ("sent", show_size(found.sent.bytes)),
            ("received", show_size(found.received.bytes)),
            ("verified", format!("{verdict} {}", to_hex(&found.received.hash))),
            ("speed", format!("{:.0} MB/s, {:.2} s", rate / 1e6, seconds)),
        ];
        for (what, how) in lines {
            out.line(format_args!("{what:<11} {how}"))?;
        }
    }
    if verified {
        return Ok(());
    }
    Err(Failure::new(Status::Integrity, "verify the data", "what arrived is not what was sent"))
}
