//! What arrives where.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use p2pt::base::Rng;
use p2pt::group::{GroupAddress, Neighbour, ReceiveMode};
use p2pt::service::routing::{RouteId, Routed, Routing, RoutingEvent, SendMode, SendResult};

use crate::ring::{Ring, percentile};
use crate::routing;

type Pairs = BTreeSet<(usize, usize)>;

fn ring(count: usize, seed: u64, blocked: Pairs) -> Ring<Routing> {
    Ring::new(count, seed, blocked, |_, _, rng| routing(rng))
}

/// Every pair among those behind symmetric NATs.
fn symmetric(count: usize, of: usize) -> Pairs {
    let some: Vec<usize> = (0..count).filter(|at| at % of == 0).collect();
    some.iter().flat_map(|&a| some.iter().filter(move |&&b| a < b).map(move |&b| (a, b))).collect()
}

struct Tally {
    hops: Vec<u32>,
    slowest: Duration,
}

/// Sends `messages` from anybody alive to anywhere, with acknowledgement; each must arrive once, at the nearest alive, and its
/// sender must learn it.
fn everything_arrives(ring: &mut Ring<Routing>, messages: u32, seed: u64) -> Tally {
    let mut rng = Rng::for_simulation(seed ^ 0xabcd);
    let mut sent: BTreeMap<Bytes, (usize, RouteId, usize)> = BTreeMap::new();
    let start = ring.now;
    for number in 0..messages {
        let from = loop {
            let at = rng.below(ring.members.len() as u64) as usize;
            if ring.members[at].is_alive {
                break at;
            }
        };
        let target = GroupAddress(rng.bytes());
        let body = Bytes::from(number.to_be_bytes().to_vec());
        let (id, result) = ring.at(from, |s, now, view| s.route_to_nearest(now, view, target, body.clone(), true));
        assert_eq!(result, SendResult::Sent);
        sent.insert(body, (from, id, ring.nearest(target)));
        ring.run(Duration::from_millis(20));
    }
    ring.run(Duration::from_secs(12));
    let mut tally = Tally { hops: Vec::new(), slowest: Duration::ZERO };
    let (mut arrived, mut known) = (BTreeSet::new(), BTreeSet::new());
    for (at, when, event) in ring.events.drain(..) {
        match event {
            RoutingEvent::Notify(Routed { body, hops, from_local, author, .. }) => {
                let (_, _, nearest) = sent[&body];
                assert_eq!(at, nearest, "seed {seed}: {body:?} is not at the nearest");
                assert!(arrived.insert(body), "seed {seed}: twice");
                assert!(from_local && author.is_some());
                tally.hops.push(hops);
            }
            RoutingEvent::Delivered { id, .. } => {
                assert!(known.insert((at, id)));
                tally.slowest = tally.slowest.max(when - start);
            }
            other => panic!("seed {seed}: {at}: {other:?}"),
        }
    }
    assert_eq!(arrived.len(), sent.len(), "seed {seed}: lost ones");
    assert_eq!(known.len(), sent.len(), "seed {seed}: unacknowledged ones");
    tally
}

#[test]
fn every_message_arrives_at_the_nearest_member_and_its_author_learns_it() {
    for (count, messages) in [(1, 3), (2, 20), (3, 20), (10, 50), (60, 100), (1_000, 100)] {
        let mut tally = everything_arrives(&mut ring(count, 3, Pairs::new()), messages, 3);
        let p99 = percentile(&mut tally.hops, 99);
        assert!(p99 <= (count as f64).log2() as u32 + 2, "{count} members: {p99} hops");
    }
}

#[test]
fn members_that_cannot_connect_to_each_other_are_bridged() {
    for seed in 0..3 {
        for (count, of) in [(3, 2), (10, 3), (60, 4), (300, 3)] {
            everything_arrives(&mut ring(count, seed, symmetric(count, of)), 100, seed);
        }
    }
}

#[test]
fn members_that_died_unnoticed_do_not_stop_messages() {
    for seed in 0..3 {
        let mut ring = ring(60, seed, Pairs::new());
        (0..60).filter(|at| at % 6 == 1).for_each(|at| ring.kill(at));
        everything_arrives(&mut ring, 100, seed);
    }
}

#[test]
fn members_that_are_long_dead_but_still_listed_do_not_stop_messages() {
    let mut ring = ring(60, 5, Pairs::new());
    let dead: Vec<usize> = (0..60).filter(|at| at % 6 == 1).collect();
    dead.iter().for_each(|&at| ring.kill(at));
    ring.notice();
    for at in 0..60 {
        for &gone in &dead {
            let peer = ring.members[gone].peer;
            ring.members[at].view.insert_member(peer);
        }
    }
    everything_arrives(&mut ring, 100, 5);
}

#[test]
fn a_neighbour_that_dies_in_transit_loses_nothing() {
    let mut ring = ring(20, 9, Pairs::new());
    let target = GroupAddress([0x42; 32]);
    let nearest = ring.nearest(target);
    let from =
        (0..20).find(|&at| at != nearest && ring.members[at].view.neighbour(ring.members[nearest].peer).is_none());
    let from = from.expect("somebody is not its neighbour");
    let body = Bytes::from_static(b"on its way");
    ring.at(from, |s, now, view| s.route_to_nearest(now, view, target, body, true));
    ring.run(Duration::from_millis(1));
    ring.kill(nearest);
    ring.run(Duration::from_millis(50));
    ring.notice();
    ring.run(Duration::from_secs(3));
    let next = ring.nearest(target);
    assert!(ring.events.iter().any(|(at, _, event)| *at == next && matches!(event, RoutingEvent::Notify(_))));
    assert!(ring.events.iter().any(|(at, _, event)| *at == from && matches!(event, RoutingEvent::Delivered { .. })));
}

#[test]
fn who_gets_no_acknowledgement_is_told() {
    let mut ring = ring(3, 1, Pairs::new());
    let (victim, other) = (1, 2);
    ring.kill(victim);
    ring.kill(other);
    let target = ring.members[victim].view.address();
    let exact = |ring: &mut Ring<Routing>, mode| {
        for at in [victim, other] {
            let neighbour = *ring.members[0].view.neighbour(ring.members[at].peer).expect("a full mesh");
            ring.members[0].view.insert_neighbour(Neighbour { mode, ..neighbour });
        }
    };
    exact(&mut ring, ReceiveMode::Exact);
    let body = Bytes::from_static(b"nobody is there");
    // The very address of a silent member: there is no other way, and it is given up.
    let (id, sent) = ring.at(0, |s, now, view| s.route_to_nearest(now, view, target, body, true));
    assert_eq!(sent, SendResult::Sent);
    ring.run(Duration::from_secs(11));
    let told: Vec<_> = ring.events.drain(..).map(|(_, _, event)| event).collect();
    // The sender is in receive mode nearest, and so it is the nearest that is left.
    assert!(
        told.iter().any(|event| matches!(event, RoutingEvent::Delivered { id: told, hops: 0, .. } if *told == id)),
        "{told:?}"
    );
}

#[test]
fn members_in_mode_exact_take_only_what_is_theirs() {
    let mut ring = ring(12, 4, Pairs::new());
    let target = GroupAddress([0x99; 32]);
    let near = ring.nearest(target);
    let peer = ring.members[near].peer;
    for at in (0..12).filter(|&at| at != near) {
        if let Some(&neighbour) = ring.members[at].view.neighbour(peer) {
            ring.members[at].view.insert_neighbour(Neighbour { mode: ReceiveMode::Exact, ..neighbour });
        }
    }
    let from = (near + 1) % 12;
    let body = Bytes::from_static(b"x");
    ring.at(from, |s, now, view| s.route_to_nearest(now, view, target, body.clone(), true));
    ring.run(Duration::from_secs(2));
    let at = ring.events.drain(..).find_map(|(at, _, event)| matches!(event, RoutingEvent::Notify(_)).then_some(at));
    assert!(at.is_some_and(|at| at != near), "{at:?}");
    let own = ring.members[near].view.address();
    ring.at(from, |s, now, view| s.route_to_nearest(now, view, own, body, true));
    ring.run(Duration::from_secs(2));
    let at = ring.events.drain(..).find_map(|(at, _, event)| matches!(event, RoutingEvent::Notify(_)).then_some(at));
    assert_eq!(at, Some(near));
}

#[test]
fn one_hop_calls_go_one_hop_as_flash_had_them() {
    let mut ring = ring(12, 6, Pairs::new());
    let body = Bytes::from_static(b"hello");
    let sent = ring.at(0, |s, now, view| s.send_to_neighbor(now, view, SendMode::NextIncreasing, body.clone()));
    assert_eq!(sent, SendResult::Sent);
    let next = ring.members[0].view.next_increasing().expect("a neighbour").peer;
    ring.run(Duration::from_secs(1));
    let from = ring.members[0].view.address();
    let told: Vec<_> = ring.events.drain(..).collect();
    let [(at, _, RoutingEvent::Notify(routed))] = &told[..] else { panic!("{told:?}") };
    assert_eq!(ring.members[*at].peer, next);
    assert_eq!((routed.from, routed.from_local, routed.hops, routed.target), (from, false, 1, None));

    let own = ring.members[0].view.address();
    ring.at(0, |s, now, view| s.send_to_nearest(now, view, own, body.clone()));
    let told: Vec<_> = ring.events.drain(..).collect();
    let [(0, _, RoutingEvent::Notify(routed))] = &told[..] else { panic!("{told:?}") };
    assert!(routed.from_local && routed.from == own && routed.hops == 0);

    let neighbours = ring.members[0].view.neighbours().len();
    ring.at(0, |s, now, view| s.send_to_all_neighbors(now, view, body.clone()));
    ring.run(Duration::from_secs(1));
    assert_eq!(ring.events.drain(..).count(), neighbours);

    let long = Bytes::from(vec![0; p2pt::service::routing::MAX_BODY + 1]);
    assert_eq!(ring.at(0, |s, now, view| s.send_to_all_neighbors(now, view, long)), SendResult::Error);
    let mut alone = Ring::new(1, 1, Pairs::new(), |_, _, rng| routing(rng));
    let sent = alone.at(0, |s, now, view| s.send_to_neighbor(now, view, SendMode::NextDecreasing, body));
    assert_eq!(sent, SendResult::NoRoute);
}
