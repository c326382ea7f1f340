//! Hosts on real sockets: what the simulator cannot show.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use p2pt::base::{PeerId, Rng};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy};
use p2pt::node::{Dial, DialError, EndpointConfig, NodeConfig, Order, Priority};
use p2pt::runtime::multicast::{GROUP_V4, GROUP_V6};
use p2pt::runtime::{Closed, Host, HostConfig, Item, Peer, ReceiveError, RecvStream, SendError, Within};
use sha2::{Digest, Sha256};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn start(bind: SocketAddr, lan: bool) -> Host {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("randomness");
    let identity = Identity::generate(&mut Rng::from_seed(seed), IdentityKind::default());
    let profile = Arc::new(Keyring::new(identity, Policy::default()));
    let node = NodeConfig { profile, endpoint: EndpointConfig::default() };
    Host::start(HostConfig { bind: vec![bind], lan, cast: Vec::new(), node }).expect("a socket")
}

fn dial(peer: PeerId, candidates: Vec<SocketAddr>) -> Dial {
    let timeout = Duration::from_secs(10);
    Dial { peer, candidates, rendezvous: Vec::new(), multicast: Vec::new(), timeout }
}

/// A session between two hosts: the dialler's end and the listener's.
async fn meet(near: &Host, far: &Host) -> (Peer, Peer) {
    let to = dial(far.peer_id(), vec![far.bound()[0]]);
    let (there, here) = tokio::join!(near.dial(&to), far.incoming());
    let incoming = here.expect("the host runs");
    assert_eq!(incoming.far().peer_id, near.peer_id());
    (there.expect("the peer answers"), incoming.accept())
}

async fn message(flow: &mut RecvStream) -> Option<Bytes> {
    match flow.next().await.expect("the session lives") {
        Some(Item::Message { data, .. }) => Some(data),
        Some(Item::Lost { .. }) => panic!("nothing may be lost"),
        None => None,
    }
}

/// Everything here is over in seconds; a test that hangs says where.
async fn within<T>(seconds: u64, what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), what).await.expect("it ends in time")
}

#[tokio::test]
async fn two_hosts_exchange_messages_on_a_flow_and_its_answer() {
    within(20, async {
        let (near, far) = (start(LOOPBACK, false), start(LOOPBACK, false));
        let (there, here) = meet(&near, &far).await;
        assert_eq!(there.far().peer_id, far.peer_id());
        let mut questions = there.open_flow(b"questions", Priority::Normal).unwrap();
        questions.write(Bytes::from_static(b"who are you?"), Within::UNLIMITED).await.unwrap();

        let mut asked = here.accept_flow(Order::Original).await.unwrap();
        assert_eq!((&asked.metadata()[..], asked.return_of()), (&b"questions"[..], None));
        assert_eq!(message(&mut asked).await.unwrap(), "who are you?");
        let mut replies = here.open_answer(&asked, b"answers", Priority::Normal).unwrap();
        replies.write(Bytes::from_static(b"a peer"), Within::UNLIMITED).await.unwrap();

        let mut answers = questions.answer(Order::Original).await.expect("an answer");
        assert_eq!((&answers.metadata()[..], answers.return_of()), (&b"answers"[..], Some(questions.id())));
        assert_eq!(message(&mut answers).await.unwrap(), "a peer");

        // One direction ends, the other goes on: half-close.
        questions.finish().await.unwrap();
        assert_eq!(message(&mut asked).await, None);
        replies.write(Bytes::from_static(b"still here"), Within::UNLIMITED).await.unwrap();
        assert_eq!(message(&mut answers).await.unwrap(), "still here");
        replies.finish().await.unwrap();
        assert_eq!(message(&mut answers).await, None);
        assert_eq!(questions.acknowledged(), 12);

        there.close().await;
        assert!(matches!(here.closed().await, Closed::Session(_)));
    })
    .await;
}

#[tokio::test]
async fn a_hundred_megabytes_arrive_as_they_were() {
    within(120, async {
        let (near, far) = (start("[::]:0".parse().unwrap(), false), start(LOOPBACK, false));
        let (there, here) = meet(&near, &far).await;
        const MESSAGES: usize = 1600;
        let sender = async {
            let mut flow = there.open_flow(b"bulk", Priority::Bulk).unwrap();
            let mut rng = Rng::for_simulation(7);
            let mut hash = Sha256::new();
            for number in 0..MESSAGES {
                let mut data = vec![0; 65_000 + number % 997];
                rng.fill(&mut data);
                hash.update(&data);
                flow.write(Bytes::from(data), Within::UNLIMITED).await.unwrap();
            }
            flow.finish().await.unwrap();
            hash.finalize()
        };
        let receiver = async {
            let mut flow = here.accept_flow(Order::Original).await.unwrap();
            let mut hash = Sha256::new();
            let mut bytes = 0;
            while let Some(data) = message(&mut flow).await {
                bytes += data.len();
                hash.update(&data);
            }
            assert!(bytes > 100_000_000, "{bytes} bytes");
            hash.finalize()
        };
        let (sent, received) = tokio::join!(sender, receiver);
        assert_eq!(sent, received);
        let stats = there.stats().expect("the session lives");
        assert!(stats.counters.bytes_acked > 100_000_000);
    })
    .await;
}

#[tokio::test]
async fn both_ends_may_write_at_once_over_ipv6() {
    let v6: SocketAddr = "[::1]:0".parse().unwrap();
    if std::net::UdpSocket::bind(v6).is_err() {
        println!("SKIPPED: this machine has no IPv6");
        return;
    }
    within(60, async {
        let (near, far) = (start(v6, false), start(v6, false));
        let (there, here) = meet(&near, &far).await;
        let one = async |peer: &Peer| {
            let write = async {
                let mut flow = peer.open_flow(b"", Priority::Normal).unwrap();
                for number in 0..2000_u32 {
                    let data = Bytes::from(number.to_be_bytes().repeat(1000));
                    flow.write(data, Within::UNLIMITED).await.unwrap();
                }
                flow.finish().await.unwrap();
            };
            let read = async {
                let mut flow = peer.accept_flow(Order::Original).await.unwrap();
                for number in 0..2000_u32 {
                    assert_eq!(message(&mut flow).await.unwrap(), number.to_be_bytes().repeat(1000));
                }
                assert_eq!(message(&mut flow).await, None);
            };
            tokio::join!(write, read);
        };
        tokio::join!(one(&there), one(&here));
    })
    .await;
}

#[tokio::test]
async fn a_refused_peer_learns_it_from_its_first_flow_and_nothing_else() {
    within(20, async {
        let (near, far) = (start(LOOPBACK, false), start(LOOPBACK, false));
        let to = dial(far.peer_id(), vec![far.bound()[0]]);
        let (there, here) = tokio::join!(near.dial(&to), far.incoming());
        here.unwrap().refuse();
        let there = there.unwrap();
        let mut flow = there.open_flow(b"let me in", Priority::Normal).unwrap();
        flow.write(Bytes::from_static(b"hello"), Within::UNLIMITED).await.unwrap();
        assert_eq!(flow.ended().await, Err(SendError::Rejected(p2pt::node::REFUSED)));
        there.closed().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_drops_a_flow_tells_the_other_end() {
    within(20, async {
        let (near, far) = (start(LOOPBACK, false), start(LOOPBACK, false));
        let (there, here) = meet(&near, &far).await;
        let mut flow = there.open_flow(b"", Priority::Normal).unwrap();
        flow.write(Bytes::from_static(b"one"), Within::UNLIMITED).await.unwrap();
        drop(here.accept_flow(Order::Original).await.unwrap());
        assert_eq!(flow.ended().await, Err(SendError::Rejected(RecvStream::DROPPED)));
        let again = flow.write(Bytes::from_static(b"two"), Within::UNLIMITED).await;
        assert_eq!(again, Err(SendError::Rejected(RecvStream::DROPPED)));

        let mut flow = there.open_flow(b"", Priority::Normal).unwrap();
        flow.write(Bytes::from_static(b"three"), Within::UNLIMITED).await.unwrap();
        let mut read = here.accept_flow(Order::Original).await.unwrap();
        drop(flow);
        assert_eq!(message(&mut read).await.unwrap(), "three");
        assert_eq!(message(&mut read).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_shuts_down_says_goodbye() {
    within(20, async {
        let (near, far) = (start(LOOPBACK, false), start(LOOPBACK, false));
        let (there, here) = meet(&near, &far).await;
        let mut flow = there.open_flow(b"", Priority::Normal).unwrap();
        flow.write(Bytes::from_static(b"one"), Within::UNLIMITED).await.unwrap();
        let mut read = here.accept_flow(Order::Original).await.unwrap();
        message(&mut read).await.unwrap();
        let asked = Instant::now();
        near.shut_down().await;
        assert!(asked.elapsed() < Duration::from_millis(900), "the far end agreed, so no wait for it to");
        assert!(matches!(read.next().await, Err(ReceiveError::Closed(Closed::Session(_)))));
        assert!(matches!(here.closed().await, Closed::Session(_)));
        assert!(near.incoming().await.is_none() && near.notice().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn nobody_at_the_address_is_a_time_out_and_dropping_a_dial_gives_up() {
    within(20, async {
        let near = start(LOOPBACK, false);
        let nobody = std::net::UdpSocket::bind(LOOPBACK).unwrap();
        let mut to = dial(PeerId([7; 32]), vec![nobody.local_addr().unwrap()]);
        to.timeout = Duration::from_millis(300);
        let failed = near.dial(&to).await.expect_err("nobody is there");
        assert!(matches!(failed, DialError::TimedOut | DialError::Unreachable), "{failed:?}");
        to.timeout = Duration::from_secs(10);
        assert!(tokio::time::timeout(Duration::from_millis(100), near.dial(&to)).await.is_err());
        assert!(near.with_node(|node, _| node.is_idle()));
    })
    .await;
}

#[tokio::test]
async fn peers_on_one_machine_find_each_other_by_multicast() {
    within(20, async {
        let (near, far) = (start("[::]:0".parse().unwrap(), false), start("[::]:0".parse().unwrap(), true));
        // A second listener on the same port, who is not meant.
        let other = start("[::]:0".parse().unwrap(), true);
        let to = Dial { multicast: vec![GROUP_V4, GROUP_V6], ..dial(far.peer_id(), Vec::new()) };
        let (there, here) = tokio::join!(near.dial(&to), far.incoming());
        assert_eq!(there.expect("found").far().peer_id, far.peer_id());
        assert_eq!(here.expect("running").far().peer_id, near.peer_id());
        assert!(tokio::time::timeout(Duration::from_millis(50), other.incoming()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_late_is_given_up_at_both_ends() {
    within(20, async {
        let (near, far) = (start(LOOPBACK, false), start(LOOPBACK, false));
        let (there, here) = meet(&near, &far).await;
        let mut flow = there.open_flow(b"", Priority::Normal).unwrap();
        flow.write(Bytes::from_static(b"first"), Within::UNLIMITED).await.unwrap();
        let mut read = here.accept_flow(Order::Original).await.unwrap();
        assert_eq!(message(&mut read).await.unwrap(), "first");
        // Nothing is read meanwhile, so that the window fills and what follows cannot leave.
        let mut written = Vec::new();
        let late = Within { start: Some(Duration::from_millis(100)), finish: None };
        loop {
            let write = flow.write(Bytes::from(vec![1; 60_000]), late);
            match tokio::time::timeout(Duration::from_millis(50), write).await {
                Ok(id) => written.push(id.unwrap()),
                Err(_full) => break,
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let abandoned = flow.take_abandoned();
        assert!(!abandoned.is_empty() && abandoned.iter().all(|id| written.contains(id)));
        flow.close();
        let (mut messages, mut lost) = (0, false);
        while let Some(item) = read.next().await.unwrap() {
            match item {
                Item::Message { .. } => messages += 1,
                Item::Lost { .. } => lost = true,
            }
        }
        assert!(lost && messages < written.len(), "{messages} of {}", written.len());
    })
    .await;
}
