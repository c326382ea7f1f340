//! `p2pt rendezvous`: the service that introduces peers.

mod report;
mod settings;

use super::address::{HostPort, Rendezvous};
use super::call::Call;
use super::failure::Failure;
use super::key::{self, Whose};
use super::net;
use super::output::{Event, quoted};
use super::status::Status;
use crate::base::{Interface, PeerId};
use crate::node::rendezvous::{KeepaliveTimers, Limits, ProbeSockets, ServerConfig};
use crate::node::{EndpointConfig, NodeConfig, NodeEvent};
use crate::node::{Identity, Keyring, Policy};
use crate::runtime::interfaces::{self, LocalAddress};
use crate::runtime::{Host, HostConfig};
use report::Report;
use settings::Settings;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A client that answers none of three pings, one a second, is gone.
const GIVE_UP: Duration = Duration::from_secs(4);
/// How often the counts are told.
const METRICS_EVERY: Duration = Duration::from_secs(5);
/// How often a terminal's line is brought up to date.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs the service until a signal ends it.
///
/// # Errors
/// The identity or the address cannot be used, a name not be found, or standard output not be written.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let settings = Settings::read(&call)?;
    let (keyed, _lock) = key::hold(&call, Whose::Rendezvous)?;
    let identity = match &settings.hostname {
        Some(name) => {
            keyed.identity.with_hostname(name).map_err(|why| Failure::usage(format_args!("--hostname: {why}")))?
        }
        None => keyed.identity,
    };
    net::block_on(serve(&call, settings, identity))
}

async fn serve(call: &Call, settings: Settings, identity: Identity) -> Result<(), Failure> {
    let mut redirect_to = Vec::new();
    for (host, port) in &settings.redirect_to {
        redirect_to.extend(net::lookup(host, *port, Status::LocalIo).await?);
    }
    let host = start(&settings, identity)?;
    let probes = probe_sockets(&settings, host.bound());
    host.with_node(|node, _| {
        node.serve_rendezvous(ServerConfig {
            developer_keys: settings.developer_keys.clone(),
            keepalive: KeepaliveTimers { server: settings.keepalive, ..KeepaliveTimers::default() },
            redirect_to,
            limits: Limits::default(),
            probes,
        });
    });
    let own = interfaces::list().unwrap_or_default();
    let address = address(&settings, host.bound()[0], &own, host.peer_id());
    welcome(call, &settings, &host, &address)?;
    let result = watch(call, &host).await;
    host.shut_down().await;
    result
}

fn start(settings: &Settings, identity: Identity) -> Result<Host, Failure> {
    let ip = settings.listen.ip();
    let mut bind = vec![settings.listen, SocketAddr::new(ip, 0)];
    if let Some(other) = settings.probe_from {
        let other = SocketAddr::new(other, 0);
        // Tried alone first, so that a failure names the right address.
        drop(std::net::UdpSocket::bind(other).map_err(|error| net::socket_failure(other, error))?);
        bind.push(other);
    }
    let profile = Arc::new(Keyring::new(identity, Policy { flash: settings.flash, ..Policy::default() }));
    let endpoint = endpoint_config(settings.keepalive);
    net::start(
        HostConfig { bind, lan: false, cast: Vec::new(), node: NodeConfig { profile, endpoint } },
        settings.listen,
    )
}

/// Many clients that come back all at once after a restart, each with one small flow.
fn endpoint_config(keepalive: Duration) -> EndpointConfig {
    let mut config = EndpointConfig {
        max_sessions: 2 * Limits::default().clients,
        max_unconfirmed: 16 << 10,
        max_unconfirmed_per_prefix: 1 << 10,
        keyings_per_second: 256,
        answer_bytes_per_second: 1 << 20,
        raise_unmatched_ihellos: true,
        raise_unmatched_rhellos: true,
        ..EndpointConfig::default()
    };
    config.session.keepalive = Some(keepalive);
    config.session.give_up = GIVE_UP;
    config.session.max_receiving_flows = 8;
    config.session.new_flows_per_second = 8;
    config.session.send_buffer = 64 << 10;
    config.session.max_send_buffer = 64 << 10;
    config
}

/// The sockets that clients have no reason to send to, as they were bound after the main one.
fn probe_sockets(settings: &Settings, bound: &[SocketAddr]) -> ProbeSockets {
    let other_address = settings.probe_from.and_then(|_| bound.get(2));
    ProbeSockets {
        other_port: bound.get(1).map(|address| (Interface(1), address.port())),
        other_address: other_address.map(|&address| (Interface(2), address)),
    }
}

/// The address to give to peers.
fn address(settings: &Settings, bound: SocketAddr, own: &[LocalAddress], id: PeerId) -> Rendezvous {
    let host = match &settings.advertise {
        Some((host, port)) => HostPort { host: host.clone(), port: port.unwrap_or(bound.port()) },
        None => HostPort { host: best_of(bound, own).to_string(), port: bound.port() },
    };
    Rendezvous { host, developer_key: None, id: Some(id) }
}

/// Under which of this machine's addresses most others will reach a socket.
fn best_of(bound: SocketAddr, own: &[LocalAddress]) -> IpAddr {
    let all = interfaces::reachable(own, bound, bound.is_ipv6());
    let rank = |ip: &IpAddr| match ip {
        ip if ip.is_loopback() => 4,
        IpAddr::V4(v4) if !v4.is_private() => 0,
        IpAddr::V6(v6) if !v6.is_unique_local() => 1,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    };
    let best = all.iter().map(SocketAddr::ip).min_by_key(rank);
    best.unwrap_or(if bound.is_ipv4() { [127, 0, 0, 1].into() } else { IpAddr::V6(std::net::Ipv6Addr::LOCALHOST) })
}

fn is_private(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| match ip {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    })
}

/// Tells the address to whoever needs it.
fn welcome(call: &Call, settings: &Settings, host: &Host, address: &Rendezvous) -> Result<(), Failure> {
    let out = &call.out;
    out.say(format_args!("listening on {}: {address}", host.bound()[0]));
    let (does, shown) = match settings.developer_keys {
        Some(_) => ("for peers, with one of the developer keys in place of KEY", keyed(address)),
        None => ("for peers", address.to_string()),
    };
    out.counterpart(does, format_args!("export P2PT_RENDEZVOUS={}", quoted(&shown)));
    if settings.listen.ip().is_unspecified() && settings.advertise.is_none() && is_private(&address.host.host) {
        out.say("this is an address of the local network; peers elsewhere need --advertise HOST and, behind a NAT, a forwarded port");
    }
    if let Some(name) = &settings.hostname {
        out.say(format_args!("also answers to the host name {name:?}"));
    }
    if let Some(advice) = host.advice() {
        tracing::info!("{advice}");
    }
    out.event(
        Event::new("ready")
            .with("address", address.to_string())
            .with("peer_id", host.peer_id().to_string())
            .with("listen", host.bound()[0].to_string()),
    )?;
    out.ready(address)
}

fn keyed(address: &Rendezvous) -> String {
    Rendezvous { developer_key: Some("KEY".to_owned().into()), ..address.clone() }.to_string()
}

/// Tells what happens until a signal ends it.
async fn watch(call: &Call, host: &Host) -> Result<(), Failure> {
    let (mut signals, mut asking) = (call.signals.clone(), call.signals.clone());
    let mut report = Report::new(&call.out)?;
    let mut metrics = tokio::time::interval(METRICS_EVERY);
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = signals.stopped() => break,
            () = asking.status_wanted() => {
                report.metrics(host);
                call.out.say(report.line(host));
            }
            notice = host.notice() => match notice {
                Some(NodeEvent::Rendezvous(event)) => report.event(&event),
                Some(_) => {}
                None => return Err(Failure::new(Status::LocalIo, "go on", "the sockets were closed")),
            },
            _ = metrics.tick() => report.metrics(host),
            _ = look.tick() => report.show(host),
            failure = report.failed() => return Err(failure),
        }
    }
    // What happened before the signal is told, too.
    loop {
        tokio::select! {
            biased;
            notice = host.notice() => match notice {
                Some(NodeEvent::Rendezvous(event)) => report.event(&event),
                Some(_) => {}
                None => break,
            },
            () = std::future::ready(()) => break,
        }
    }
    report.metrics(host);
    report.end();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(ips: &[&str]) -> Vec<LocalAddress> {
        ips.iter().map(|ip| LocalAddress { index: 1, ip: ip.parse().unwrap(), prefix: 24 }).collect()
    }

    #[test]
    fn the_address_that_most_can_reach_is_shown() {
        let best = |bound: &str, ips: &[&str]| best_of(bound.parse().unwrap(), &own(ips)).to_string();
        assert_eq!(best("127.0.0.1:7", &["192.168.1.2"]), "127.0.0.1");
        assert_eq!(best("[::]:7", &["127.0.0.1", "192.168.1.2", "198.51.100.3"]), "198.51.100.3");
        assert_eq!(best("[::]:7", &["127.0.0.1", "192.168.1.2", "2001:db8::1"]), "2001:db8::1");
        assert_eq!(best("[::]:7", &["127.0.0.1", "fd00::1", "192.168.1.2"]), "192.168.1.2");
        assert_eq!(best("0.0.0.0:7", &["127.0.0.1", "2001:db8::1"]), "127.0.0.1");
        assert_eq!(best("[::]:7", &["::1"]), "::1");
    }
}
