//! p2pt and the programs of RFC 7016's author, over loopback, in profile `flash` with HMAC and sequence numbers required.
//! Runs where `P2PT_RTMFP_CPP` names the folder of those programs.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use p2pt::base::{PeerId, Rng};
use p2pt::cli::address::Rendezvous;
use p2pt::crypto::mac::hmac;
use p2pt::crypto::{Group, Identity, IdentityKind, Keyring, Policy, ProfileKind, epd};
use p2pt::node::{Dial, EndpointConfig, NodeConfig, Order, Priority};
use p2pt::runtime::{Host, HostConfig, Item, Peer, RecvStream, SendError, SendStream, Within};
use p2pt::wire::put_option;
use p2pt::wire::redirector::{RedirectorCommand, RedirectorReport, SIGNATURE};
use support::{Home, Running};

/// fcclient's messages: it writes this many of this length, then reports their fate.
const FCCLIENT: (usize, usize) = (120, 4096);

/// Longer than any of the programs needs; fcclient ends by itself after 30 s.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of the programs, or a loud word that the test is skipped.
fn programs(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("P2PT_RTMFP_CPP").filter(|folder| !folder.is_empty());
    if folder.is_none() {
        support::skip::skip_always_allowed(test, "P2PT_RTMFP_CPP does not name a folder with rtmfp-cpp's programs");
    }
    folder.map(PathBuf::from)
}

/// One of the programs, its output read line by line. Killed when dropped.
struct Program {
    name: String,
    child: Child,
    said: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Program {
    fn start(folder: &std::path::Path, name: &str, args: &[&str]) -> Self {
        // Line by line, else what it says stays in its buffer.
        let mut command = Command::new("stdbuf");
        command.arg("-oL").arg(folder.join(name)).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (out, lines) = (child.stdout.take().expect("it is piped"), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                lines.0.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
                lines.1.notify_all();
            }
        });
        Self { name: name.to_owned(), child, said }
    }

    /// Waits for a line that contains `what`, and answers it.
    fn says(&self, what: &str) -> String {
        self.says_times(what, 1)
    }

    /// Waits for so many lines that contain `what`, and answers the last.
    fn says_times(&self, what: &str, times: usize) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.said.0.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().filter(|line| line.contains(what)).nth(times - 1) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} never said {times} x {what:?}, only:\n{}", self.name, lines.join("\n"));
            lines = self.said.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    fn count(&self, what: &str) -> usize {
        self.said.0.lock().unwrap().iter().filter(|line| line.contains(what)).count()
    }

    /// The address to which it says it is bound.
    fn bound(&self) -> SocketAddr {
        let line = self.says("bound to ");
        line.rsplit("bound to ").next().and_then(|at| at.trim().parse().ok()).expect("an address")
    }

    /// The fingerprint that it says it has.
    fn fingerprint(&self) -> PeerId {
        let line = self.says("my fingerprint: ");
        let hex = line.split_whitespace().nth(2).expect("a fingerprint");
        let bytes: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        PeerId(bytes.try_into().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("{} said:\n{}", self.name, self.said.0.lock().unwrap().join("\n"));
        }
    }
}

/// A host that talks to other makes in one group only. Static keys are in group 14, so it can have them only with that.
fn host(group: Group, server: bool) -> Host {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("randomness");
    let kind = IdentityKind { server, flash: server && group == Group::Modp2048 };
    let identity = Identity::generate(&mut Rng::from_seed(seed), kind);
    let policy = Policy { flash: true, flash_groups: vec![group], ..Policy::default() };
    let node = NodeConfig { profile: Arc::new(Keyring::new(identity, policy)), endpoint: EndpointConfig::default() };
    let bind = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    Host::start(HostConfig { bind, lan: false, cast: Vec::new(), node }).expect("a socket")
}

fn hex(peer: PeerId) -> String {
    peer.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for what a program says without holding up the hosts.
async fn blocking<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(wait).await.expect("it does not panic")
}

async fn within<T>(seconds: u64, what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), what).await.expect("it ends in time")
}

async fn message(flow: &mut RecvStream) -> Option<Bytes> {
    match flow.next().await.expect("the session lives") {
        Some(Item::Message { data, .. }) => Some(data),
        Some(Item::Lost { .. }) => panic!("nothing may be lost"),
        None => None,
    }
}

/// Sizes and contents of the messages to be echoed, the same for the same seed: mostly small ones, some of many fragments,
/// and both ends of what is asked for, 1 B and 1 MB.
struct Messages {
    rng: Rng,
    number: usize,
}

impl Messages {
    const COUNT: usize = 10_000;

    fn new(seed: u64) -> Self {
        Self { rng: Rng::for_simulation(seed), number: 0 }
    }

    fn size(&mut self) -> usize {
        let draw = u64::from_be_bytes(self.rng.bytes());
        let up_to = match self.number {
            1 => return 1,
            2 => return 1_000_000,
            n if n.is_multiple_of(2_500) => 1_000_000,
            n if n.is_multiple_of(100) => 50_000,
            n if n.is_multiple_of(10) => 5_000,
            _ => 500,
        };
        1 + (draw % up_to) as usize
    }
}

impl Iterator for Messages {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.number += 1;
        let size = self.size();
        let mut data = vec![0; size];
        self.rng.fill(&mut data);
        (self.number <= Self::COUNT).then(|| Bytes::from(data))
    }
}

/// Has everything echoed by whom `peer` is, and compares.
async fn echo_all(peer: &Peer, seed: u64) -> usize {
    println!("messages of seed {seed}");
    let mut flow = peer.open_flow(b"p2pt", Priority::Normal).unwrap();
    let answers = flow.answers();
    let write = async {
        for data in Messages::new(seed) {
            flow.write(data, Within::UNLIMITED).await.expect("echoserver takes it");
        }
    };
    let read = async {
        let mut echo = answers.next(Order::Original).await.expect("echoserver answers");
        let mut bytes = 0;
        for (number, expected) in Messages::new(seed).enumerate() {
            let data = message(&mut echo).await.unwrap_or_else(|| panic!("the echo ended before message {number}"));
            assert!(data == expected, "message {number} of {} bytes came back otherwise", expected.len());
            bytes += data.len();
        }
        (echo, bytes)
    };
    let ((), (mut echo, bytes)) = tokio::join!(write, read);
    flow.finish().await.expect("all is acknowledged");
    assert_eq!(message(&mut echo).await, None, "echoserver ends its flow after ours");
    bytes
}

fn is_flash(peer: &Peer) {
    assert_eq!(peer.far().kind, ProfileKind::Flash);
}

async fn echoserver_echoes(group: Group, test: &str) {
    let Some(folder) = programs(test) else { return };
    within(240, async {
        // By ancillary data: it has an ephemeral key, so nothing proves who it is.
        let server = Arc::new(Program::start(&folder, "echoserver", &["-B", "127.0.0.1:0"]));
        let program = Arc::clone(&server);
        let at = blocking(move || program.bound()).await;
        let near = host(group, false);
        let peer = near.dial_server(&epd::ancillary("rtmfp:"), &[at], PATIENCE).await.expect("echoserver answers");
        is_flash(&peer);
        assert_eq!((peer.far().peer_id, peer.far().authenticated), (server.fingerprint(), false));
        let began = Instant::now();
        let bytes = echo_all(&peer, 2016).await;
        println!("{test}: ancillary, {} messages, {bytes} bytes in {:.1?}", Messages::COUNT, began.elapsed());
        // A fingerprint is no proof with a key that it does not cover.
        let dial =
            |peer, timeout| Dial { peer, candidates: vec![at], rendezvous: Vec::new(), multicast: Vec::new(), timeout };
        let other = host(group, false);
        let unproven = other.dial(&dial(server.fingerprint(), Duration::from_secs(2))).await;
        assert!(unproven.is_err(), "{unproven:?}");

        // By fingerprint, with a static key.
        let server = Arc::new(Program::start(&folder, "echoserver", &["-B", "127.0.0.1:0", "-N"]));
        let program = Arc::clone(&server);
        let at = blocking(move || program.bound()).await;
        let near = host(group, false);
        let to = Dial { candidates: vec![at], ..dial(server.fingerprint(), PATIENCE) };
        let peer = near.dial(&to).await.expect("echoserver answers");
        is_flash(&peer);
        assert_eq!((peer.far().peer_id, peer.far().authenticated), (server.fingerprint(), true));
        let began = Instant::now();
        let bytes = echo_all(&peer, 7016).await;
        println!("{test}: fingerprint, {} messages, {bytes} bytes in {:.1?}", Messages::COUNT, began.elapsed());
        near.shut_down().await;
    })
    .await;
}

#[tokio::test]
async fn echoserver_echoes_ten_thousand_messages_in_group_14() {
    echoserver_echoes(Group::Modp2048, "echoserver_echoes_ten_thousand_messages_in_group_14").await;
}

#[tokio::test]
async fn echoserver_echoes_ten_thousand_messages_in_group_16() {
    echoserver_echoes(Group::Modp4096, "echoserver_echoes_ten_thousand_messages_in_group_16").await;
}

/// Lets fcclient in, takes its flows and answers each message with itself, until `client` has reported the fate of all.
async fn serve_fcclient(far: &Host, client: Arc<Program>) {
    let peer = far.incoming().await.expect("the host runs").accept();
    is_flash(&peer);
    let mut total = 0;
    let mut echoes = Vec::new();
    while total < FCCLIENT.0 {
        let mut flow = peer.accept_flow(Order::Original).await.expect("the session lives");
        assert_eq!(flow.metadata(), &b"metadata"[..]);
        let mut echo = peer.open_answer(&flow, b"echo", Priority::Normal).unwrap();
        while let Some(data) = message(&mut flow).await {
            assert_eq!(data.len(), FCCLIENT.1);
            total += 1;
            // It has no use for echoes, and says so with an exception sooner or later.
            let echoed = echo.write(data, Within::UNLIMITED).await;
            assert!(matches!(echoed, Ok(_) | Err(SendError::Rejected(_))), "{echoed:?}");
        }
        echoes.push(echo);
    }
    assert_eq!(total, FCCLIENT.0);
    let program = Arc::clone(&client);
    blocking(move || program.says_times("(0)", FCCLIENT.0)).await;
    assert_eq!(client.count("(0)"), FCCLIENT.0, "each is reported once, as delivered");
}

async fn fcclient_is_served(group: Group, test: &str) {
    let Some(folder) = programs(test) else { return };
    within(120, async {
        for by in ["ancillary data", "fingerprint"] {
            let far = host(group, true);
            let port = far.bound()[0].port().to_string();
            let fingerprint = hex(far.peer_id());
            let mut args = vec!["-4", "-v"];
            if by == "fingerprint" {
                args.extend(["-X", "-f", &fingerprint]);
            }
            args.extend(["127.0.0.1", &port]);
            let client = Arc::new(Program::start(&folder, "fcclient", &args));
            serve_fcclient(&far, Arc::clone(&client)).await;
            println!("{test}: by {by}, {} messages of {} bytes, all delivered", FCCLIENT.0, FCCLIENT.1);
            far.shut_down().await;
        }
    })
    .await;
}

#[tokio::test]
async fn fcclient_dials_and_is_served_in_group_14() {
    fcclient_is_served(Group::Modp2048, "fcclient_dials_and_is_served_in_group_14").await;
}

#[tokio::test]
async fn fcclient_dials_and_is_served_in_group_16() {
    fcclient_is_served(Group::Modp4096, "fcclient_dials_and_is_served_in_group_16").await;
}

/// A registration at a redirector, kept by its flows.
struct Registered {
    _flows: (SendStream, RecvStream),
    seen: SocketAddr,
}

/// Registers a host at the redirector `name`.
async fn register(near: &Host, at: SocketAddr, name: &str, user: &str, password: &str) -> Registered {
    let mut wanted = Vec::new();
    put_option(&mut wanted, 0, name.as_bytes());
    let peer = near.dial_server(&wanted, &[at], PATIENCE).await.expect("the redirector answers");
    is_flash(&peer);
    let nonce = near.with_node(|node, _| {
        node.answer_forwarded(peer.handle());
        node.far_nonce(peer.handle()).expect("the session lives")
    });
    let mut flow = peer.open_flow(SIGNATURE, Priority::High).unwrap();
    let commands = [
        RedirectorCommand::SimpleAuth { mac: hmac(password.as_bytes(), &[&nonce]), key_id: user.as_bytes() },
        RedirectorCommand::Settings { include_reflexive: true, additional: Vec::new() },
        RedirectorCommand::LoadFactor(0),
    ];
    for command in commands {
        let mut message = Vec::new();
        command.encode(&mut message);
        flow.write(message.into(), Within::UNLIMITED).await.expect("the redirector takes it");
    }
    let mut reports = flow.answer(Order::Original).await.expect("the redirector accepts the registration");
    assert_eq!(reports.metadata(), SIGNATURE);
    let report = message(&mut reports).await.expect("it reports our address");
    let Ok(RedirectorReport::ReflexiveAddress(seen)) = RedirectorReport::decode(&report) else {
        panic!("not an address: {report:02x?}");
    };
    Registered { _flows: (flow, reports), seen: seen.socket }
}

#[tokio::test]
async fn a_peer_registered_at_redirector_is_reached_through_it() {
    let test = "a_peer_registered_at_redirector_is_reached_through_it";
    let Some(folder) = programs(test) else { return };
    within(120, async {
        let args = ["-B", "127.0.0.1:0", "-n", "redirector.test", "-l", "alice:secret", "-v", "-v"];
        let redirector = Arc::new(Program::start(&folder, "redirector", &args));
        let program = Arc::clone(&redirector);
        let at = blocking(move || program.bound()).await;
        let port = at.port().to_string();
        for (group, by) in [(Group::Modp4096, "ancillary data"), (Group::Modp2048, "fingerprint")] {
            let far = host(group, true);
            let registered = register(&far, at, "redirector.test", "alice", "secret").await;
            let seen = registered.seen;
            assert_eq!(seen, far.bound()[0]);
            let fingerprint = hex(far.peer_id());
            let mut args = vec!["-4", "-v"];
            if by == "fingerprint" {
                args.extend(["-X", "-f", &fingerprint]);
            }
            args.extend(["127.0.0.1", &port]);
            let client = Arc::new(Program::start(&folder, "fcclient", &args));
            serve_fcclient(&far, client).await;
            println!("{test}: {group:?}, by {by}, seen at {seen}, {} messages delivered", FCCLIENT.0);
            drop(registered);
            far.shut_down().await;
        }
    })
    .await;
}

#[test]
fn echoserver_registered_at_our_rendezvous_is_reached_through_it() {
    let test = "echoserver_registered_at_our_rendezvous_is_reached_through_it";
    let Some(folder) = programs(test) else { return };
    let home = Home::new();
    let (ready, keys) = (home.path().join("ready"), home.path().join("keys"));
    std::fs::write(&keys, "secret\n").unwrap();
    let mut line = vec!["rendezvous", "--flash", "--hostname", "p2pt.test", "--listen", "127.0.0.1:0"];
    line.extend(["--developer-keys", keys.to_str().unwrap(), "--ready-file", ready.to_str().unwrap()]);
    let _service = Running::start(&mut home.p2pt(&line));
    let deadline = Instant::now() + PATIENCE;
    let at = loop {
        match std::fs::read_to_string(&ready).map(|text| Rendezvous::parse(&text)) {
            Ok(Ok(Some(address))) => break address.host.to_string(),
            _ => assert!(Instant::now() < deadline, "the rendezvous is never ready"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let port = at.rsplit(':').next().unwrap();
    let registered = |password: &str| {
        let (known, place) = (format!("alice:{password}"), format!("p2pt.test@{at}"));
        Program::start(&folder, "echoserver", &["-B", "127.0.0.1:0", "-v", "-l", &known, "-L", &place])
    };
    // 4: the password is wrong.
    let refused = registered("guess");
    refused.says("redirector p2pt.test status 4");
    let server = registered("secret");
    let seen = server.says("reports reflexive address");
    assert!(seen.contains(&server.bound().to_string()), "{seen}");

    let client =
        Program::start(&folder, "fcclient", &["-4", "-v", "-X", "-f", &hex(server.fingerprint()), "127.0.0.1", port]);
    client.says_times("(0)", FCCLIENT.0);
    assert_eq!(client.count("(0)"), FCCLIENT.0);
    server.says_times("onMessage", FCCLIENT.0);
    println!("{test}: {seen}; {} messages delivered", FCCLIENT.0);
}
