//! What a rendezvous can bear: memory of idle clients, and introductions a second. Profile `strong`, sans-IO, without
//! sockets; the clients are real nodes, forgotten once they are registered and silent.
//!
//! A small crowd as a rule; the whole one with `P2PT_LONG=1 cargo test --release --test capacity -- --nocapture`, which
//! prints the figures. One test, because memory is the whole process's.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pt::base::{Ecn, Instant, Interface, Path, PeerId, Received, Rng, SessionId, Transmit};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy, epd, startup};
use p2pt::endpoint::EndpointConfig;
use p2pt::node::{Node, NodeConfig, NodeEvent, Registration};
use p2pt::service::rendezvous::{Limits, ServerConfig};
use p2pt::wire::{Chunk, Header, IHello, Mode};

/// So many idle clients have room in a GiB.
const CLIENTS_PER_GIB: usize = 100_000;
/// So many introductions does one processor make in a second; an unoptimized build a tenth of that.
const INTRODUCTIONS: f64 = if cfg!(debug_assertions) { 2_000.0 } else { 20_000.0 };
/// Clients that are there at the same time: they are no part of what is measured.
const GROUP: u32 = 250;

fn is_long() -> bool {
    std::env::var_os("P2PT_LONG").is_some()
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// Time that this thread has had a processor for.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn keyring(rng: &mut Rng, server: bool) -> Arc<Keyring> {
    Arc::new(Keyring::new(Identity::generate(rng, IdentityKind { server, flash: false }), Policy::default()))
}

fn server_address() -> SocketAddr {
    ([192, 0, 2, 1], 1935).into()
}

/// Where the client of this number is: each has a prefix of its own.
fn client_address(number: u32) -> SocketAddr {
    let [_, a, b, c] = number.to_be_bytes();
    ([16 + a, b, c, 7], 40_000).into()
}

struct Crowd {
    now: Instant,
    rng: Rng,
    server: Node,
    registered: Vec<PeerId>,
}

impl Crowd {
    fn new() -> Self {
        let mut rng = Rng::for_simulation(100);
        let now = Instant::from_micros(1_000_000);
        let mut endpoint = EndpointConfig {
            max_sessions: 2 * Limits::default().clients,
            max_unconfirmed: 16 << 10,
            keyings_per_second: 256,
            raise_unmatched_ihellos: true,
            raise_unmatched_rhellos: true,
            ..EndpointConfig::default()
        };
        // Those who are forgotten here would not answer.
        endpoint.session.keepalive = None;
        let profile = keyring(&mut rng, true);
        let mut server = Node::new(now, rng.fork(), NodeConfig { profile, endpoint });
        server.serve_rendezvous(ServerConfig::default());
        Self { now, rng, server, registered: Vec::new() }
    }

    /// Registers a group of clients, lets them be silent for a while, and forgets them.
    fn welcome(&mut self) {
        let first = self.registered.len() as u32;
        let mut clients: Vec<Node> = Vec::new();
        let mut places = HashMap::new();
        for number in 0..GROUP {
            let profile = keyring(&mut self.rng, false);
            let config = NodeConfig { profile, endpoint: EndpointConfig::default() };
            let mut client = Node::new(self.now, self.rng.fork(), config);
            let local = |host: u8| ([192, 168, 0, host], 40_000).into();
            client.set_local_addresses(self.now, vec![local(1), local(2), client_address(first + number)]);
            let registration = Registration {
                servers: vec![server_address()],
                uri: "rtmfp://rendezvous.test".to_owned(),
                pin: Some(self.server.peer_id()),
                developer_key: None,
            };
            client.register(self.now, registration);
            places.insert(client_address(first + number), clients.len());
            clients.push(client);
        }
        for millisecond in 0..600 {
            if millisecond == 500 {
                // A keepalive's worth of pings.
                clients.iter_mut().for_each(|client| client.interface_changed(self.now));
            }
            self.exchange(first, &mut clients, &places);
            self.now += Duration::from_millis(1);
        }
        for client in &mut clients {
            let done = std::iter::from_fn(|| client.poll_event(self.now));
            assert!(done.into_iter().any(|event| matches!(event, NodeEvent::Registered { .. })), "it registers");
            self.registered.push(client.peer_id());
        }
        while self.server.poll_event(self.now).is_some() {}
    }

    fn exchange(&mut self, first: u32, clients: &mut [Node], places: &HashMap<SocketAddr, usize>) {
        for (number, client) in (first..).zip(clients.iter_mut()) {
            if client.deadline().is_some_and(|deadline| deadline <= self.now) {
                client.handle_timeout(self.now);
            }
            while let Some(transmit) = client.poll_transmit(self.now) {
                for datagram in transmit.datagrams() {
                    deliver(&mut self.server, self.now, client_address(number), &mut datagram.to_vec());
                }
            }
        }
        if self.server.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.server.handle_timeout(self.now);
        }
        while let Some(transmit) = self.server.poll_transmit(self.now) {
            let place = places.get(&transmit.path.remote).expect("the server sends to those who are there");
            for datagram in transmit.datagrams() {
                deliver(&mut clients[*place], self.now, server_address(), &mut datagram.to_vec());
            }
        }
    }

    /// IHellos of strangers for registered peers, padded as ours are.
    fn requests(&mut self, count: usize) -> Vec<(SocketAddr, Vec<u8>)> {
        let requests = (0..count).map(|_| {
            let wanted = self.registered[self.rng.below(self.registered.len() as u64) as usize];
            let tag: [u8; 16] = self.rng.bytes();
            let mut packet = Vec::new();
            Header::new(Mode::Startup).encode(&mut packet);
            Chunk::IHello(IHello { epd: &epd::fingerprint(wanted), tag: &tag }).encode(&mut packet);
            packet.resize(142, 0xff);
            let from = client_address((1 << 22) + self.rng.below(1 << 20) as u32);
            (from, startup::seal(SessionId::STARTUP, &packet))
        });
        requests.collect()
    }

    /// Has `count` introductions made and says how many a second of processor time.
    fn introduce(&mut self, count: usize) -> f64 {
        let requests = self.requests(count.min(20_000));
        let before = self.server.rendezvous_metrics().unwrap().introductions;
        let (mut redirects, mut forwarded) = (0, 0);
        let start = processor();
        for (from, request) in requests.iter().cycle().take(count) {
            self.now += Duration::from_micros(20);
            deliver(&mut self.server, self.now, *from, &mut request.clone());
            while let Some(Transmit { path, .. }) = self.server.poll_transmit(self.now) {
                if path.remote == *from { redirects += 1 } else { forwarded += 1 }
            }
            assert!(self.server.poll_event(self.now).is_none());
            std::hint::black_box(self.server.deadline());
        }
        let took = processor() - start;
        let made = self.server.rendezvous_metrics().unwrap().introductions - before;
        assert_eq!((made, redirects), (count as u64, count), "each is answered");
        // Now and then a session has something of its own to say besides.
        assert!((count..count + count / 1000 + 1).contains(&forwarded), "each is forwarded: {forwarded}");
        count as f64 / took.as_secs_f64()
    }
}

fn deliver(node: &mut Node, now: Instant, from: SocketAddr, data: &mut [u8]) {
    let path = Path { interface: Interface::MAIN, local: None, remote: from };
    node.handle(now, Received { path, ecn: Ecn::NotEct, segment: data.len().max(1), data });
}

#[test]
fn a_rendezvous_has_room_for_a_hundred_thousand_clients_in_a_gib_and_introduces_twenty_thousand_a_second() {
    let (clients, introductions) = if is_long() { (100_000, 1_000_000) } else { (3_000, 10_000) };
    let mut crowd = Crowd::new();
    // The first ones pay for what all share, and for the clients' own memory.
    for _ in 0..4 {
        crowd.welcome();
    }
    let (before, counted) = (resident(), crowd.registered.len());
    while crowd.registered.len() < clients {
        crowd.welcome();
    }
    let bytes = resident().saturating_sub(before) as f64 / (crowd.registered.len() - counted) as f64;
    let metrics = crowd.server.rendezvous_metrics().unwrap();
    assert_eq!(metrics.registered, crowd.registered.len() as u64);
    assert_eq!(crowd.server.endpoint().session_count(), crowd.registered.len());
    let per_gib = f64::from(1 << 30) / bytes;
    println!("{} clients: {bytes:.0} bytes each, {per_gib:.0} per GiB", crowd.registered.len());
    let rate = crowd.introduce(introductions);
    println!("{introductions} introductions: {rate:.0} a second of one processor");
    assert!(per_gib >= CLIENTS_PER_GIB as f64, "{bytes:.0} bytes for a client");
    assert!(rate >= INTRODUCTIONS, "{rate:.0} introductions a second");
}
