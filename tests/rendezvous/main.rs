//! `p2pt rendezvous` as a process on loopback, clients of the library that register there, and the commands that need
//! one: `check` and `demo`.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod check;
mod demo;
mod service;

use p2pt::base::Rng;
use p2pt::cli::address::Rendezvous;
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy};
use p2pt::node::{Dial, EndpointConfig, NodeConfig, NodeEvent, Registration};
use p2pt::runtime::{Host, HostConfig, Peer};
use rustix::process::Signal;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Home, PATIENCE, Running};

/// A rendezvous that is ready.
struct Service {
    running: Running,
    address: Rendezvous,
}

impl Service {
    /// Starts one on a port of loopback, and waits for the line that says that it is ready.
    fn start(home: &Home, listen: &str, more: &[&str]) -> Self {
        Self::start_with(home, listen, more, |_| ())
    }

    /// The same, with something else changed.
    fn start_with(home: &Home, listen: &str, more: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let ready = home.path().join("ready");
        let _ = fs::remove_file(&ready);
        let line = ["rendezvous", "--listen", listen, "--ready-file", ready.to_str().unwrap()];
        let mut command = home.p2pt(line.iter().chain(more));
        change(&mut command);
        let running = Running::start(&mut command);
        let text = wait_for(&ready);
        let address = Rendezvous::parse(&text).unwrap().expect("a server");
        Self { running, address }
    }

    fn socket(&self) -> SocketAddr {
        format!("{}", self.address.host).parse().unwrap()
    }

    fn registration(&self, key: Option<&str>) -> Registration {
        Registration {
            servers: vec![self.socket()],
            uri: self.address.public_uri(),
            pin: self.address.id,
            developer_key: key.map(str::to_owned),
        }
    }

    fn end(self, signal: Signal) -> support::Ended {
        self.running.signal(signal);
        self.running.end(PATIENCE)
    }
}

fn wait_for(file: &PathBuf) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::read_to_string(file) {
            Ok(text) => return text,
            Err(_) => assert!(Instant::now() < deadline, "{} is not written", file.display()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a file that grows has this in it.
fn wait_for_text(file: &PathBuf, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !wait_for(file).contains(text) {
        assert!(Instant::now() < deadline, "no {text:?} in {}", wait_for(file));
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn host() -> Host {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let identity = Identity::generate(&mut Rng::from_seed(seed), IdentityKind::default());
    let profile = Arc::new(Keyring::new(identity, Policy::default()));
    let node = NodeConfig { profile, endpoint: EndpointConfig::default() };
    Host::start(HostConfig { bind: vec!["127.0.0.1:0".parse().unwrap()], lan: false, cast: Vec::new(), node }).unwrap()
}

/// The first notice that `wanted` takes.
async fn notice<T>(host: &Host, within: Duration, mut wanted: impl FnMut(&NodeEvent) -> Option<T>) -> T {
    let search = async {
        loop {
            let notice = host.notice().await.expect("the host runs");
            if let Some(found) = wanted(&notice) {
                return found;
            }
        }
    };
    tokio::time::timeout(within, search).await.expect("the notice comes in time")
}

fn registered(event: &NodeEvent) -> Option<Option<SocketAddr>> {
    match event {
        NodeEvent::Registered { observed, .. } => Some(*observed),
        _ => None,
    }
}

fn dial(peer: &Host, service: &Service) -> Dial {
    Dial {
        peer: peer.peer_id(),
        candidates: Vec::new(),
        rendezvous: vec![service.socket()],
        multicast: Vec::new(),
        timeout: PATIENCE,
    }
}

/// A session through the rendezvous: the dialler's end and the other.
async fn meet(near: &Host, far: &Host, service: &Service) -> (Peer, Peer) {
    let to = dial(far, service);
    let (peer, incoming) = tokio::join!(near.dial(&to), far.incoming());
    let (peer, other) = (peer.expect("it is reached"), incoming.expect("the host runs").accept());
    assert_eq!((peer.far().peer_id, other.far().peer_id), (far.peer_id(), near.peer_id()));
    (peer, other)
}
