//! Finds the peer that an address names.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::outcome::dial_failed;
use crate::base::PeerId;
use crate::cli::address::{Address, HostPort, Rendezvous};
use crate::cli::call::Call;
use crate::cli::failure::{Failure, describe};
use crate::cli::key::{self, Whose};
use crate::cli::status::Status;
use crate::node::rendezvous::{CheckReport, Verdict};
use crate::node::{Dial, DialError, EndpointConfig, Identity, Keyring, NodeConfig, NodeEvent, Policy};
use crate::runtime::multicast::{GROUP_V4, GROUP_V6};
use crate::runtime::{Host, HostConfig, Peer};

/// How long the rendezvous may take to say what stands between us and the peer.
const DIAGNOSIS: Duration = Duration::from_secs(5);

/// A host of our own, and the ways to a peer.
pub(super) struct Reach {
    pub(super) host: Host,
    peer: PeerId,
    candidates: Vec<SocketAddr>,
    rendezvous: Vec<SocketAddr>,
    uri: String,
    pin: Option<PeerId>,
}

impl Reach {
    pub(super) async fn start(
        call: &Call,
        address: &Address,
        peer: PeerId,
        direct: &[HostPort],
    ) -> Result<Self, Failure> {
        let identity = key::load(call, Whose::User)?.identity;
        let through = address.rendezvous.as_ref();
        let place = through.map_or_else(|| "this LAN".to_owned(), |server| server.host.to_string());
        call.out.say(format_args!("looking for {peer} through {place}"));
        let mut candidates = Vec::new();
        for host in direct {
            candidates.extend(look_up(host).await?);
        }
        let rendezvous = match through {
            Some(server) => look_up(&server.host).await?,
            None => Vec::new(),
        };
        let host = start_host(call, identity, false)?;
        let uri = through.map(Rendezvous::public_uri).unwrap_or_default();
        Ok(Self { host, peer, candidates, rendezvous, uri, pin: through.and_then(|server| server.id) })
    }

    /// Reaches the peer, or says why not.
    pub(super) async fn dial(&mut self, call: &Call, timeout: Duration) -> Result<Peer, Failure> {
        let multicast = if self.rendezvous.is_empty() { vec![GROUP_V4, GROUP_V6] } else { Vec::new() };
        let dial = Dial {
            peer: self.peer,
            candidates: self.candidates.clone(),
            rendezvous: self.rendezvous.clone(),
            multicast,
            timeout,
        };
        let (mut signals, begun) = (call.signals.clone(), std::time::Instant::now());
        let told = async {
            loop {
                signals.status_wanted().await;
                call.out.say(format_args!("looking for the peer since {:.0} s", begun.elapsed().as_secs_f64()));
            }
        };
        let dialled = tokio::select! {
            dialled = self.host.dial(&dial) => dialled,
            () = told => unreachable!("status lines go on for ever"),
        };
        match dialled {
            Ok(peer) => Ok(peer),
            Err(error) => {
                let through = if self.uri.is_empty() {
                    "no peer on this LAN".to_owned()
                } else {
                    format!("the rendezvous {}", self.uri)
                };
                let failure = dial_failed(error, &through);
                if error == DialError::Unreachable && !self.uri.is_empty() {
                    call.out.say("the peer's addresses are known, but nothing gets through; asking why");
                    let report = self.diagnose().await;
                    return Err(explain(failure, report.as_ref()));
                }
                Err(failure)
            }
        }
    }

    /// What the rendezvous finds out about our NAT.
    async fn diagnose(&self) -> Option<CheckReport> {
        let (servers, uri, pin) = (self.rendezvous.clone(), self.uri.clone(), self.pin);
        let asked = self.host.with_node(|node, now| node.check(now, servers, uri, pin));
        let answer = async {
            while let Some(notice) = self.host.notice().await {
                match notice {
                    NodeEvent::Checked { registration, report } if registration == asked => return Some(report),
                    _ => {}
                }
            }
            None
        };
        tokio::time::timeout(DIAGNOSIS, answer).await.ok().flatten()
    }

    pub(super) async fn shut_down(self) {
        self.host.shut_down().await;
    }
}

/// The failure, with the cause as far as one side can see it.
fn explain(failure: Failure, report: Option<&CheckReport>) -> Failure {
    let Some(report) = report else {
        return failure.next("see with p2pt check on both sides what the NATs do");
    };
    let symmetric = report.mapping() == Verdict::AddressAndPortDependent;
    let strict = report.filtering() == Verdict::AddressAndPortDependent;
    let cause = if symmetric {
        "our NAT is symmetric (a new port for each destination), and the peer's lets in only ports it has sent to"
    } else if strict {
        "our NAT is port-restricted (it lets in only ports we have sent to), and the peer's is symmetric (a new port for each destination)"
    } else {
        "our NAT lets peers in; a firewall on the way, or at the peer, drops the packets"
    };
    Failure { came: format!("{}: {cause}", failure.came), ..failure }
        .next("use another network on one side, or let the NAT forward a UDP port (--bind ADDR:PORT)")
}

/// A host under this identity.
pub(super) fn start_host(call: &Call, identity: Identity, lan: bool) -> Result<Host, Failure> {
    let policy = Policy { flash: call.switch("flash"), ..Policy::default() };
    let node = NodeConfig { profile: Arc::new(Keyring::new(identity, policy)), endpoint: EndpointConfig::default() };
    let bind = call.socket("bind").map_or_else(Vec::new, |address| vec![address]);
    let mut config = HostConfig::new(node);
    config.lan = lan;
    if !bind.is_empty() {
        config.bind.clone_from(&bind);
    }
    let host = Host::start(config).map_err(|error| {
        let shown = bind.first().map_or_else(|| "a UDP socket".to_owned(), |address| format!("UDP address {address}"));
        Failure::io(format!("open {shown}"), error).next("choose another with --bind, or port 0 for any free one")
    })?;
    if let Some(advice) = host.advice() {
        tracing::info!("{advice}");
    }
    Ok(host)
}

/// The addresses of a host.
pub(super) async fn look_up(host: &HostPort) -> Result<Vec<SocketAddr>, Failure> {
    let found = tokio::net::lookup_host((host.host.as_str(), host.port)).await;
    let found: Vec<SocketAddr> = found
        .map_err(|error| {
            Failure::new(Status::Rendezvous, format!("look up {}", host.host), describe(&error))
                .next("check the spelling of the name, and the network")
        })?
        .collect();
    if found.is_empty() {
        return Err(Failure::new(Status::Rendezvous, format!("look up {}", host.host), "it has no address"));
    }
    Ok(found)
}
