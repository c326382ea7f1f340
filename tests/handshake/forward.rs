//! Redirectors, forwarders, multicast queries, probes (RFC 7016 sections 3.5.1.4 to 3.5.1.6).

use std::net::SocketAddr;

use p2pt::base::{Interface, Path};
use p2pt::crypto::{IdentityKind, epd};
use p2pt::endpoint::{DropReason, EndpointConfig, EndpointEvent, ForwardAnswer, ForwardTrust, OpenFailure};
use p2pt::wire::{Address, Chunk, IHello, Origin};

use crate::net::{DELAY, Fate, Kind, Net, NodeId, kind_of, ms, startup_datagram, strong};

/// An introducer, and a peer that has a session with it.
fn introduced(seed: u64, kind: IdentityKind) -> (Net, [NodeId; 3]) {
    let mut net = Net::new(seed);
    let config = EndpointConfig { raise_unmatched_ihellos: true, ..EndpointConfig::default() };
    let profile = strong(&mut net.rng, IdentityKind { server: true, ..IdentityKind::default() });
    let server = net.add_with("203.0.113.1:1935", profile, config);
    let profile = strong(&mut net.rng, kind);
    let peer = net.add_with("192.0.2.2:2000", profile, EndpointConfig::default());
    let dialler = net.add("198.51.100.3:3000");
    net.dial(peer, server);
    net.run_until(ms(5000), |net| net.are_joined(peer, server)).expect("it registers");
    (net, [server, peer, dialler])
}

/// Introduces whoever asks, as long as the network runs.
fn introduce(net: &mut Net, server: NodeId, act: impl Fn(&mut Net, Path, &[u8], &[u8], usize)) {
    for event in std::mem::take(&mut net.nodes[server].events) {
        if let EndpointEvent::UnmatchedIHello { path, epd, tag, datagram } = event {
            act(net, path, &epd, &tag, datagram);
        }
    }
}

fn run_introducing(net: &mut Net, server: NodeId, act: impl Fn(&mut Net, Path, &[u8], &[u8], usize)) {
    for _ in 0..1000 {
        net.run_for(ms(1));
        introduce(net, server, &act);
    }
}

fn observed(address: SocketAddr) -> Address {
    Address::new(Origin::Observed, address)
}

#[test]
fn a_redirector_leads_to_the_peer() {
    let (mut net, [server, peer, dialler]) = introduced(30, IdentityKind::default());
    let at = net.address(server);
    net.dial_at(dialler, peer, &[at]);
    let there = observed(net.address(peer));
    run_introducing(&mut net, server, move |net, path, _, tag, datagram| {
        net.command(server, |endpoint, now| endpoint.send_redirect(now, path, tag, &[there], datagram)).unwrap();
    });
    assert!(net.are_joined(dialler, peer) || net.sessions(dialler).len() == 1);
    assert!(
        net.nodes[dialler]
            .events
            .iter()
            .any(|event| matches!(event, EndpointEvent::Redirected { taken: 1, unknown_peer: false, .. }))
    );
}

#[test]
fn a_forwarder_introduces_by_rhello_or_by_implied_redirect() {
    for (answer, kind, round_trips) in [
        (ForwardAnswer::RHello, IdentityKind::default(), 0),
        (ForwardAnswer::ImpliedRedirect, IdentityKind::default(), 1),
        // An RHello longer than 148 bytes is not sent on hearsay.
        (ForwardAnswer::RHello, IdentityKind { flash: true, ..IdentityKind::default() }, 1),
    ] {
        let (mut net, [server, peer, dialler]) = introduced(31, kind);
        let registered = net.sessions(peer)[0];
        net.command(peer, |endpoint, _| endpoint.set_forwarding(registered, answer, ForwardTrust::Rendezvous));
        let via = net.sessions(server)[0];
        let at = net.address(server);
        let start = net.now;
        net.dial_at(dialler, peer, &[at]);
        run_introducing(&mut net, server, move |net, path, epd, tag, _| {
            let reply = observed(path.remote);
            net.command(server, |endpoint, _| endpoint.forward_ihello(via, epd, reply, tag));
        });
        let sessions = net.sessions(dialler);
        assert_eq!(sessions.len(), 1, "{answer:?}");
        let keyed = net
            .log
            .iter()
            .find(|(_, kind, datagram)| *kind == Kind::RIKeying && datagram.to == "198.51.100.3:3000".parse().unwrap());
        // IHello, FIHello, RHello, IIKeying; the test's server takes up to a millisecond.
        let took = keyed.map(|(at, _, _)| *at - start).unwrap();
        assert!(took <= (4 + 2 * round_trips) * DELAY + ms(1), "{answer:?}: {took:?}");
    }
}

#[test]
fn fihellos_are_ignored_unless_they_are_asked_for_and_never_lead_astray() {
    let (mut net, [server, peer, _]) = introduced(32, IdentityKind::default());
    let via = net.sessions(server)[0];
    let registered = net.sessions(peer)[0];
    let wanted = epd::fingerprint(net.peer(peer));
    let other = epd::fingerprint(net.peer(server));
    let forward = |net: &mut Net, epd: &[u8], reply: &str| {
        let reply = observed(reply.parse().unwrap());
        let before = net.log.len();
        net.command(server, |endpoint, _| endpoint.forward_ihello(via, epd, reply, &[7; 16]));
        net.run_for(ms(100));
        net.log[before..].iter().filter(|(_, kind, _)| matches!(kind, Kind::RHello | Kind::Redirect)).count()
    };
    assert_eq!(forward(&mut net, &wanted, "198.51.100.3:3000"), 0, "nobody asked for it");
    net.command(peer, |endpoint, _| {
        endpoint.set_forwarding(registered, ForwardAnswer::RHello, ForwardTrust::Rendezvous);
    });
    assert_eq!(forward(&mut net, &other, "198.51.100.3:3000"), 0, "meant for another one");
    for reply in ["224.0.0.1:9", "255.255.255.255:9", "198.51.100.3:0", "127.0.0.1:9", "[ff02::1]:9", "0.0.0.0:9"] {
        assert_eq!(forward(&mut net, &wanted, reply), 0, "{reply}");
    }
    let answers: usize = (0..10).map(|_| forward(&mut net, &wanted, "198.51.100.3:3000")).sum();
    assert_eq!(answers, 3, "three in ten seconds");
    let stats = net.nodes[peer].endpoint.stats();
    assert_eq!(stats.dropped(DropReason::ForwardNotAllowed), 1);
    assert_eq!(stats.dropped(DropReason::ForwardForbidden), 6);
    assert_eq!(stats.dropped(DropReason::ForwardRate), 7);
    assert_eq!(stats.dropped(DropReason::NotSelected), 1);
}

#[test]
fn addresses_on_hearsay_get_five_ihellos_and_loopback_none() {
    let (mut net, [server, peer, dialler]) = introduced(33, IdentityKind::default());
    let at = net.address(server);
    net.dial_at(dialler, peer, &[at]);
    let told: Vec<Address> =
        ["127.0.0.1:9", "198.51.100.77:7", "224.0.0.1:9", "[::1]:9"].map(|a| observed(a.parse().unwrap())).to_vec();
    for _ in 0..95 {
        run_introducing(&mut net, server, |net, path, _, tag, datagram| {
            net.command(server, |endpoint, now| endpoint.send_redirect(now, path, tag, &told, datagram)).unwrap();
        });
    }
    net.run_for(ms(1000));
    let to = |address: &str| {
        let address: SocketAddr = address.parse().unwrap();
        net.log.iter().filter(|(_, _, datagram)| datagram.to == address).count()
    };
    assert_eq!(to("198.51.100.77:7"), 5);
    assert_eq!(to("127.0.0.1:9") + to("[::1]:9") + to("224.0.0.1:9"), 0);
    assert_eq!(net.failure(dialler), Some(OpenFailure::Unreachable));
    assert!(net.nodes[dialler].endpoint.stats().dropped(DropReason::HearsayForbidden) > 0);
}

#[test]
fn a_rendezvous_that_does_not_know_the_peer_says_so() {
    let (mut net, [server, _, dialler]) = introduced(34, IdentityKind::default());
    let at = Path::to(net.address(server));
    let nobody = epd::fingerprint(p2pt::base::PeerId([9; 32]));
    net.command(dialler, |endpoint, now| endpoint.connect(now, &nobody, &[at]));
    let hint = Address::new(Origin::Unknown, "0.0.0.0:0".parse().unwrap());
    for _ in 0..96 {
        run_introducing(&mut net, server, |net, path, _, tag, datagram| {
            net.command(server, |endpoint, now| endpoint.send_redirect(now, path, tag, &[hint], datagram)).unwrap();
        });
    }
    assert!(
        net.nodes[dialler]
            .events
            .iter()
            .any(|event| matches!(event, EndpointEvent::Redirected { taken: 0, unknown_peer: true, .. }))
    );
    assert_eq!(net.failure(dialler), Some(OpenFailure::UnknownPeer));
}

#[test]
fn a_redirect_that_answers_nobody_is_counted() {
    let mut net = Net::new(35);
    let a = net.add("192.0.2.1:1000");
    let destinations = [observed("192.0.2.66:6".parse().unwrap())];
    let redirect = p2pt::wire::Redirect { tag: &[1; 16], destinations: (&destinations[..]).into() };
    let data = startup_datagram(p2pt::base::SessionId::STARTUP, &[Chunk::Redirect(redirect)]);
    net.deliver(a, Interface::MAIN, "192.0.2.9:9".parse().unwrap(), &data);
    assert_eq!(net.nodes[a].endpoint.stats().dropped(DropReason::UnmatchedRedirect), 1);
    assert!(net.log.is_empty());
}

#[test]
fn a_beacon_selects_nobody_and_is_told_only_to_whoever_asks_on_his_own_links() {
    let mut net = Net::new(37);
    let a = net.add("192.168.1.5:1000");
    net.command(a, |endpoint, _| endpoint.set_on_link(vec![("192.168.1.5".parse().unwrap(), 24)]));
    let hello =
        |epd: &[u8]| startup_datagram(p2pt::base::SessionId::STARTUP, &[Chunk::IHello(IHello { epd, tag: &[3; 16] })]);
    let beacon = hello(&epd::beacon(b"somebody is here"));
    let (near, far) = ("192.168.1.20:7".parse().unwrap(), "192.168.2.20:7".parse().unwrap());
    let heard = |net: &mut Net| {
        let events = net.nodes[a].events.iter();
        events.filter(|event| matches!(event, EndpointEvent::Beacon { .. })).count()
    };
    net.deliver(a, Interface::DISCOVERY, near, &beacon);
    assert_eq!(heard(&mut net), 0, "nobody asked");
    net.command(a, |endpoint, _| endpoint.raise_beacons(true));
    net.deliver(a, Interface::DISCOVERY, near, &beacon);
    assert_eq!(heard(&mut net), 1);
    net.deliver(a, Interface::DISCOVERY, far, &beacon);
    net.deliver(a, Interface::MAIN, near, &beacon);
    // One that also names somebody is no beacon, and selects whom it names.
    let both = [epd::beacon(b"somebody is here"), epd::fingerprint(net.peer(a))].concat();
    net.run_for(ms(200));
    assert_eq!(heard(&mut net), 1);
    assert!(net.log.is_empty(), "no answer to any");
    net.deliver(a, Interface::DISCOVERY, near, &hello(&both));
    net.run_for(ms(200));
    assert_eq!((heard(&mut net), net.count(Kind::RHello)), (1, 1));
}

#[test]
fn multicast_queries_are_answered_from_the_main_socket_after_a_moment_and_only_on_link() {
    let mut net = Net::new(36);
    let a = net.add("192.168.1.5:1000");
    net.command(a, |endpoint, _| endpoint.set_on_link(vec![("192.168.1.5".parse().unwrap(), 24)]));
    let wanted = epd::fingerprint(net.peer(a));
    let query =
        |epd: &[u8]| startup_datagram(p2pt::base::SessionId::STARTUP, &[Chunk::IHello(IHello { epd, tag: &[3; 16] })]);
    let start = net.now;
    for n in 0..20u8 {
        net.deliver(a, Interface::DISCOVERY, SocketAddr::from(([192, 168, 1, 20 + n], 7)), &query(&wanted));
    }
    assert_eq!(net.count(Kind::RHello), 0, "not at once");
    net.run_for(ms(100));
    assert_eq!(net.count(Kind::RHello), 20);
    let mut times: Vec<_> = net.log.iter().map(|(at, _, _)| *at - start).collect();
    times.dedup();
    assert!(times.len() > 15 && times.iter().all(|time| *time < ms(100)), "{times:?}");
    assert!(net.log.iter().all(|(_, _, datagram)| datagram.from == net.address(a)));
    net.deliver(a, Interface::DISCOVERY, "203.0.113.9:7".parse().unwrap(), &query(&wanted));
    net.deliver(a, Interface::DISCOVERY, "192.168.1.30:7".parse().unwrap(), &query(&epd::ancillary("rtmfp:")));
    net.run_for(ms(200));
    assert_eq!(net.count(Kind::RHello), 20);
    let stats = net.nodes[a].endpoint.stats();
    assert_eq!((stats.dropped(DropReason::OffLink), stats.dropped(DropReason::NotSelected)), (1, 1));
}

#[test]
fn a_probe_is_answered_to_whoever_asks_for_unmatched_rhellos() {
    let mut net = Net::new(37);
    let config = EndpointConfig { raise_unmatched_rhellos: true, ..EndpointConfig::default() };
    let profile = strong(&mut net.rng, IdentityKind::default());
    let a = net.add_with("192.0.2.1:1000", profile, config);
    let b = net.add("192.0.2.2:2000");
    let (path, wanted) = (Path::to(net.address(b)), epd::fingerprint(net.peer(b)));
    net.command(a, |endpoint, now| endpoint.send_ihello(now, path, &wanted, b"probe"));
    net.run_for(ms(100));
    let certificate = net.nodes[b].endpoint.profile().certificate().to_vec();
    let [EndpointEvent::UnmatchedRHello { tag, certificate: shown, .. }] = &net.nodes[a].events[..] else {
        panic!("{:?}", net.nodes[a].events)
    };
    assert_eq!((tag.as_slice(), shown), (&b"probe"[..], &certificate));
}

#[test]
fn fragmented_startup_packets_open_sessions_and_are_paced() {
    // A tag of a test's own cannot make our packets long, so the initiator's IIKeying is cut on the way.
    let mut net = Net::new(38);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    let whole = net.first(Kind::IIKeying);
    net.filter = Box::new(|_, datagram| match kind_of(&datagram.data) {
        Kind::IIKeying => Fate::Drop,
        _ => Fate::Pass,
    });
    let mut net = {
        let mut again = Net::new(38);
        let [a, b] = [again.add("192.0.2.1:1000"), again.add("192.0.2.2:2000")];
        again.filter = net.filter;
        again.dial(a, b);
        again
    };
    net.run_until(ms(5000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    assert_eq!(net.first(Kind::IIKeying), whole, "same seed, same bytes");
    let packet = crate::net::open(&whole.data).unwrap();
    let pieces: Vec<_> = p2pt::wire::split_packet(&packet, 5, 50).map(Chunk::PacketFragment).collect();
    for piece in pieces.iter().rev() {
        let data = startup_datagram(p2pt::base::SessionId::STARTUP, &[*piece]);
        net.inject(ms(5), crate::net::Datagram { data, ..whole.clone() });
    }
    assert!(net.run_until(ms(500), |net| net.are_joined(a, b)).is_some());
    // A fragment within a reassembled packet is refused.
    let mut nested = Vec::new();
    p2pt::wire::Header::new(p2pt::wire::Mode::Startup).encode(&mut nested);
    pieces[0].encode(&mut nested);
    for piece in p2pt::wire::split_packet(&nested, 6, 40).map(Chunk::PacketFragment) {
        let data = startup_datagram(p2pt::base::SessionId::STARTUP, &[piece]);
        net.deliver(b, Interface::MAIN, "192.0.2.77:7".parse().unwrap(), &data);
    }
    assert_eq!(net.nodes[b].endpoint.stats().dropped(DropReason::NestedFragment), 1);
}
