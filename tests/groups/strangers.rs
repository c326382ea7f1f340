//! What strangers can make a member do.

use crate::acts::heard;
use crate::stage::{MS, S, Stage, Ways, spec};
use p2pt::base::{Interface, Path, PeerId, Received, Rng};
use p2pt::crypto::epd::beacon;
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy};
use p2pt::endpoint::{Endpoint, EndpointConfig};
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::group::message::CONTROL_METADATA;
use p2pt::group::{Beacons, Hint};
use p2pt::node::posting::sign_post;
use p2pt::node::routing::RoutingEvent;
use p2pt::node::{Dial, MemberEvent, NodeEvent};
use p2pt::sim::HostId;
use p2pt::wire::{Address, Origin};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

#[test]
fn who_has_not_proved_to_be_a_member_is_not_heard_whatever_it_signs() {
    let mut stage = Stage::new(600);
    let stranger = stage.add(None);
    let known = Ways { bootstrap: vec![(stage.id(stranger), stage.at(stranger))], ..Ways::default() };
    let member = stage.join(&known);
    // The member comes and shows its token; the stranger, who knows the group ID, never does.
    let opened = |stage: &Stage, host: HostId| {
        stage.world.host(host).events.iter().find_map(|(_, event)| match event {
            NodeEvent::FlowOpened { peer, flow, metadata, .. } if metadata == CONTROL_METADATA => Some((*peer, *flow)),
            _ => None,
        })
    };
    stage.world.run_for(200 * MS);
    let incoming = stage.world.host(stranger).events.iter().find_map(|(_, event)| match event {
        NodeEvent::Incoming { peer, .. } => Some(*peer),
        _ => None,
    });
    let incoming = incoming.expect("the member comes");
    stage.world.command(stranger, |peer, _| peer.node.accept(incoming));
    stage.world.run_for(100 * MS);
    let (session, control) = opened(&stage, stranger).expect("the member speaks first");
    stage.world.command(stranger, |peer, _| peer.node.accept_flow(session, control, Order::Original)).expect("open");
    let author = Identity::generate(&mut Rng::for_simulation(1), IdentityKind::default());
    let now = stage.world.now();
    stage.world.command(stranger, |peer, at| {
        for (lane, kind) in [(1, 1), (2, 0x11), (3, 1), (9, 1)] {
            let metadata = [&b"p2pt group 1\0"[..], &[lane]].concat();
            let flow = peer.node.open_flow(at, session, &metadata, Some(control), Priority::Normal).expect("open");
            for number in 1..40 {
                let time = p2pt::base::WallClock::default().unix_millis(now);
                let body = vec![number as u8; 10_000];
                let post = sign_post(&author, spec().id(), [1; 8], number, time, None, &body, None);
                let message = if lane == 1 { [&[kind, 0][..], &post].concat() } else { [&[kind][..], &body].concat() };
                peer.node.write(at, session, flow, message.into(), Lifetime::default()).expect("room");
            }
        }
    });
    stage.world.run_for(30 * S);
    assert_eq!(heard(&stage.world, member), []);
    let told: Vec<_> = stage.world.host(member).told().map(|(_, event)| event).collect();
    let routed = |event: &&MemberEvent| matches!(event, MemberEvent::Routing(RoutingEvent::Notify(_)));
    assert!(!told.iter().any(routed) && !told.iter().any(|event| matches!(event, MemberEvent::Storage(_))));
    let closed = |(_, event): &(_, NodeEvent)| matches!(event, NodeEvent::PeerClosed { peer, .. } if *peer == session);
    assert!(stage.world.host(stranger).events.iter().any(closed), "it is left in the end");
    assert!(stage.world.host(member).view().is_some_and(|view| view.neighbours().len() == 0));
}

#[test]
fn introductions_are_limited_by_who_asks() {
    let mut stage = Stage::new(601);
    stage.add_server();
    let members = stage.crowd(2, &Ways::registered());
    stage.wait_mesh(3 * S);
    let asker = stage.add(None);
    let (relay, wanted) = (stage.at(members[0]), stage.id(members[1]));
    let asked = 400;
    for _ in 0..asked {
        let rendezvous = vec![relay];
        let (candidates, multicast) = Default::default();
        let dial = Dial { peer: wanted, candidates, rendezvous, multicast, timeout: S };
        let id = stage.world.command(asker, |peer, now| peer.node.dial(now, &dial));
        stage.world.run_for(MS);
        stage.world.command(asker, |peer, now| peer.node.cancel_dial(now, id));
    }
    stage.world.run_for(S);
    let stats = stage.world.host(members[0]).node.group_stats();
    // Forty at once and twenty a second.
    assert!((40..=60).contains(&stats.introductions), "{stats:?}");
    assert!(stats.introductions_limited > asked / 2, "{stats:?}");
}

#[test]
fn a_network_at_which_many_members_are_said_to_be_is_not_flooded() {
    let mut stage = Stage::new(602);
    let member = stage.join(&Ways::default());
    let before = stage.world.link_stats(member).0.packets;
    for number in 0..300_u16 {
        let at = |port| SocketAddr::new([203, 0, 113, number as u8].into(), 1000 + number * 8 + port);
        let addresses: Vec<_> = (0..8).map(|port| Address { origin: Origin::Observed, socket: at(port) }).collect();
        let mut id = [0; 32];
        id[..2].copy_from_slice(&number.to_be_bytes());
        stage.act(member, |member, now| member.hint(now, PeerId(id), &addresses, Hint::Neighbor));
    }
    stage.world.run_for(20 * S);
    let stats = stage.world.host(member).node.group_stats();
    let sent = stage.world.link_stats(member).0.packets - before;
    println!("{sent} packets, {stats:?}");
    assert!(stats.addresses_refused > 100, "{stats:?}");
    // Five to each of the addresses that were tried at most: 64 at once and four a second.
    assert!(sent > 64 && sent <= 5 * (64 + 4 * 20), "{sent}");
}

#[test]
fn beacons_are_heard_at_a_bounded_rate() {
    let mut stage = Stage::new(603);
    stage.strong = true;
    let member = stage.join(&Ways { lan: true, ..Ways::default() });
    stage.world.run_for(10 * S);
    let mut rng = Rng::for_simulation(603);
    let identity = Identity::generate(&mut rng, IdentityKind::default());
    let profile = Arc::new(Keyring::new(identity, Policy::default()));
    let mut stranger = Endpoint::new(stage.world.now(), rng.fork(), profile, EndpointConfig::default());
    let beacons = Beacons::new(spec().secret());
    let before = stage.world.link_stats(member).0.packets;
    let IpAddr::V4(here) = stage.at(member).ip() else { panic!("IPv4") };
    let [a, b, c, _] = here.octets();
    let liar = IpAddr::from([a, b, c, 250]);
    // 5,000 beacons of members that there are not, each from its own port of one host on the link, within a second.
    for number in 0..5_000_u16 {
        let now = stage.world.now();
        let peer = PeerId(rng.bytes());
        let epd = beacon(&beacons.make(&mut rng, peer));
        stranger.send_ihello(now, Path::to(stage.at(member)), &epd, &number.to_be_bytes());
        while let Some(mut sent) = stranger.poll_transmit(now) {
            let mut path = Path::to(SocketAddr::new(liar, 1024 + number));
            path.interface = Interface::DISCOVERY;
            let received = Received { path, ecn: sent.ecn, segment: sent.segment, data: &mut sent.data };
            stage.world.command(member, |peer, now| peer.node.handle(now, received));
        }
        stage.world.run_for(S / 5_000);
    }
    let stats = stage.world.host(member).node.group_stats();
    // 1,000 at once and 500 a second.
    assert!((1_000..=1_502).contains(&stats.beacons), "{stats:?}");
    assert_eq!(stats.beacons + stats.beacons_limited, 5_000, "{stats:?}");
    stage.world.run_for(20 * S);
    let sent = stage.world.link_stats(member).0.packets - before;
    println!("{sent} packets, {stats:?}");
    // Whoever makes us dial what is not there pays for it with more datagrams than it brings forth.
    assert!(sent < stats.beacons, "{sent}");
}
