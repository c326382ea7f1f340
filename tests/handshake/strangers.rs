//! What a stranger can do to the packets of an open session, from the far end's address and from others: nothing.

use std::net::SocketAddr;

use p2pt::base::{Interface, SessionId};
use p2pt::crypto::{session_id_of, startup};
use p2pt::endpoint::EndpointEvent;
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::session::{DropReason, SessionEvent};
use p2pt::wire::{Chunk, Header, IHello, Mode};

use crate::net::{Fate, Kind, Net, NodeId, ms};

/// `a` and `b` joined, and the datagrams that each has sent the other.
fn joined(net: &mut Net, a: NodeId, b: NodeId) -> [Vec<Vec<u8>>; 2] {
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    for _ in 0..3 {
        for node in [a, b] {
            let session = net.sessions(node)[0];
            net.command(node, |endpoint, _| endpoint.session_mut(session).unwrap().ping());
        }
        net.run_for(ms(200));
    }
    [a, b].map(|node| {
        let from = net.address(node);
        let sent = net.log.iter().filter(|(_, kind, datagram)| *kind == Kind::Session && datagram.from == from);
        sent.map(|(_, _, datagram)| datagram.data.clone()).collect()
    })
}

/// The same datagram for another session ID.
fn readdressed(datagram: &[u8], id: SessionId) -> Vec<u8> {
    let mask = session_id_of(datagram).unwrap().0 ^ u32::from_be_bytes(datagram[..4].try_into().unwrap());
    [&(id.0 ^ mask).to_be_bytes()[..], &datagram[4..]].concat()
}

#[test]
fn altered_replayed_reflected_and_misdirected_packets_leave_an_open_session_alone() {
    let mut net = Net::new(90);
    let [a, b, c] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000"), net.add("192.0.2.3:3000")];
    let [own, far] = joined(&mut net, a, b);
    net.dial(c, b);
    net.run_until(ms(5000), |net| net.opened(c).len() == 1).expect("it opens");
    net.run_for(ms(1000));
    let third = net.address(c);
    let others: Vec<Vec<u8>> = net
        .log
        .iter()
        .filter(|(_, kind, datagram)| *kind == Kind::Session && datagram.to == third)
        .map(|(_, _, datagram)| datagram.data.clone())
        .collect();
    assert!(own.len() > 3 && far.len() > 3 && !others.is_empty());
    let session = net.sessions(a)[0];
    let id = net.nodes[a].endpoint.session(session).unwrap().near_id();
    let events = net.nodes[a].events.len();
    let (home, strange): (SocketAddr, SocketAddr) = (net.address(b), "203.0.113.66:666".parse().unwrap());
    // Two of the far end's that are held back, so that altered copies come first.
    net.filter = Box::new(|_, _| Fate::Drop);
    net.log.clear();
    let held: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            let session = net.sessions(b)[0];
            net.command(b, |endpoint, _| endpoint.session_mut(session).unwrap().ping());
            net.log.pop().unwrap().2.data
        })
        .collect();
    net.filter = Box::new(|_, _| Fate::Pass);
    net.log.clear();
    let mut sent = 0;
    for from in [home, strange] {
        let mut deliver = |data: &[u8]| {
            sent += 1;
            net.deliver(a, Interface::MAIN, from, data);
        };
        for datagram in &held {
            for at in 4..datagram.len() {
                let mut flipped = datagram.clone();
                flipped[at] ^= 1 << (at % 8);
                deliver(&readdressed(&flipped, id));
            }
            deliver(&readdressed(&datagram[..26], id));
            deliver(&datagram[..datagram.len() - 1]);
        }
        far.iter().for_each(|datagram| deliver(datagram));
        for datagram in own.iter().chain(&others) {
            deliver(&readdressed(datagram, id));
        }
        // Under the Default Session Key, with the session's ID: words of a session, and of its opening.
        let hello = Chunk::IHello(IHello { epd: b"\x01\x0a", tag: b"t" });
        for chunk in [Chunk::SessionClose, Chunk::Ping(b"hello"), hello] {
            for mode in [Mode::Initiator, Mode::Responder, Mode::Startup] {
                let mut packet = Vec::new();
                Header::new(mode).encode(&mut packet);
                chunk.encode(&mut packet);
                packet.resize(40, 0xff);
                deliver(&startup::seal(id, &packet));
            }
        }
    }
    net.run_for(ms(500));
    let drops = net.nodes[a].endpoint.session(session).unwrap().stats(net.now).counters.drops;
    assert_eq!(drops.total(), sent, "each is counted: {drops:?}");
    assert!(drops.of(DropReason::Replayed) >= 2 * far.len() as u64, "{drops:?}");
    assert_eq!(drops.of(DropReason::TooShort), 2 * held.len() as u64);
    let altered = 2 * held.iter().map(|datagram| datagram.len() as u64 - 10).sum::<u64>();
    assert!(drops.of(DropReason::NotAuthentic) >= altered && drops.of(DropReason::OtherEpoch) > 0, "{drops:?}");
    assert!(net.log.iter().all(|(_, _, datagram)| datagram.to != strange), "nothing goes to the stranger");
    assert_eq!(net.log.len(), 0, "nor anywhere else");
    assert_eq!((net.nodes[a].events.len(), net.sessions(a)), (events, vec![session]));
    // The genuine ones still count, and the session carries data as before.
    for datagram in &held {
        net.deliver(a, Interface::MAIN, home, datagram);
    }
    assert_eq!(net.nodes[a].endpoint.session(session).unwrap().stats(net.now).counters.drops.total(), sent);
    let flow = net.command(b, |endpoint, now| {
        let session = endpoint.sessions().next().unwrap();
        let session = endpoint.session_mut(session).unwrap();
        let flow = session.open_flow(now, b"m", None, Priority::Normal).unwrap();
        session.write(now, flow, b"still here".as_slice().into(), Lifetime::UNLIMITED).unwrap();
        flow
    });
    net.run_for(ms(100));
    net.command(a, |endpoint, _| {
        endpoint.session_mut(session).unwrap().accept_flow(flow, Order::Original, 1 << 16).unwrap();
    });
    let came = |event: &EndpointEvent| matches!(event, EndpointEvent::Session(_, SessionEvent::Message { data, .. }) if data == "still here");
    assert!(net.nodes[a].events.iter().any(came));
}
