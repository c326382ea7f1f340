//! Both ends dial each other at once (RFC 7016 section 3.5.1.3).

use p2pt::crypto::Profile;
use p2pt::endpoint::DropReason;
use std::sync::Arc;
use std::time::Duration;

use crate::net::{Fate, Kind, Net, NodeId, altered, kind_of, ms, plain_pair};

/// Two nodes of which the first has the smaller certificate.
fn pair(seed: u64) -> (Net, [NodeId; 2], [Arc<dyn Profile>; 2]) {
    let mut net = Net::new(seed);
    let profiles = plain_pair(&mut net.rng);
    let small = net.add_with("192.0.2.1:1000", profiles[0].clone(), Default::default());
    let large = net.add_with("192.0.2.2:2000", profiles[1].clone(), Default::default());
    (net, [small, large], profiles)
}

/// Dials in both directions, the second `after` the first; then there is one session within five seconds of the second
/// dial, both dials came to it, and it stays.
fn dial_both(net: &mut Net, first: NodeId, second: NodeId, after: Duration, case: &str) {
    net.dial(first, second);
    net.run_for(after);
    net.dial(second, first);
    let took = net.run_until(ms(60_000), |net| {
        net.are_joined(first, second) && !net.opened(first).is_empty() && !net.opened(second).is_empty()
    });
    assert!(took.is_some_and(|took| took <= ms(5000)), "{case}: {took:?}");
    let [of_first, of_second] = [first, second].map(|node| net.sessions(node));
    net.filter = Box::new(|_, _| Fate::Pass);
    net.run_for(ms(30_000));
    assert!(net.are_joined(first, second), "{case}");
    assert_eq!([net.sessions(first), net.sessions(second)], [of_first, of_second], "{case}: it stays the same one");
    for node in [first, second] {
        assert_eq!(net.nodes[node].endpoint.session_count(), 1, "{case}: nothing else is left");
    }
}

#[test]
fn every_interleaving_ends_in_one_session() {
    for late in (0..200).step_by(1) {
        for swap in [false, true] {
            let (mut net, nodes, _) = pair(late);
            let [first, second] = if swap { [nodes[1], nodes[0]] } else { nodes };
            dial_both(&mut net, first, second, ms(late), &format!("{late} ms, {swap}"));
        }
    }
}

#[test]
fn any_one_packet_lost_or_late_still_ends_in_one_session() {
    // Which packet of the conversation, what becomes of it, and who was how much later.
    for which in 0..10 {
        for delay in [None, Some(ms(15)), Some(ms(90)), Some(ms(700)), Some(ms(2500))] {
            for late in [0, 10, 25, 45, 70] {
                for swap in [false, true] {
                    let (mut net, nodes, _) = pair(which);
                    let mut seen = 0;
                    net.filter = Box::new(move |_, _| {
                        seen += 1;
                        match delay {
                            _ if seen != which + 1 => Fate::Pass,
                            Some(delay) => Fate::Delay(delay),
                            None => Fate::Drop,
                        }
                    });
                    let [first, second] = if swap { [nodes[1], nodes[0]] } else { nodes };
                    dial_both(&mut net, first, second, ms(late), &format!("{which} {delay:?} {late} {swap}"));
                }
            }
        }
    }
}

/// How often `loss_and_jitter` tries; `P2PT_SEEDS` says otherwise.
const SEEDS: u64 = 20_000;

/// Up to 20 % of all packets are lost either way, and a round trip takes 40 to 160 ms. Whatever is not answered is sent
/// again each quarter of a second, so there are 19 tries in the five seconds that the three exchanges may take, of which each
/// fails with a chance of 1 - 0.8² = 0.36 at most; that fewer than three get through has a chance of 2 in a million.
#[test]
fn loss_and_jitter_over_twenty_thousand_seeds_end_in_one_session_in_five_seconds() {
    let count = std::env::var("P2PT_SEEDS").map_or(SEEDS, |text| text.parse().expect("a number"));
    let mut slow = Vec::new();
    for seed in 0..count {
        let (mut net, nodes, _) = pair(seed);
        let mut chance = net.rng.fork();
        let loss = [0, 5, 10, 20][(seed % 4) as usize];
        net.filter = Box::new(move |_, _| match chance.below(100) {
            n if n < loss => Fate::Drop,
            _ => Fate::Delay(Duration::from_millis(chance.below(60))),
        });
        let late = net.rng.below(150);
        let [first, second] = if net.rng.below(2) == 0 { nodes } else { [nodes[1], nodes[0]] };
        net.dial(first, second);
        net.run_for(ms(late));
        net.dial(second, first);
        let took = net.run_until(ms(95_000), |net| {
            net.are_joined(first, second) && !net.opened(first).is_empty() && !net.opened(second).is_empty()
        });
        if took.is_none_or(|took| took > ms(5000)) {
            slow.push((seed, took));
        }
        net.filter = Box::new(|_, _| Fate::Pass);
        net.run_for(ms(30_000));
        assert!(net.are_joined(first, second), "seed {seed}");
        for node in [first, second] {
            assert_eq!(net.nodes[node].endpoint.session_count(), 1, "seed {seed}: nothing else is left");
        }
    }
    assert!(slow.is_empty(), "more than five seconds: {slow:?}");
}

#[test]
fn one_direction_of_dialling_blocked_ends_in_one_session_in_five_seconds() {
    // Some packets of one of the two handshakes never get through, as behind a firewall that lets answers in only.
    for blocked in [Kind::IHello, Kind::RHello, Kind::IIKeying, Kind::RIKeying] {
        for loser in 0..2 {
            for late in [0, 5, 15, 25, 35, 50, 100] {
                for swap in [false, true] {
                    let (mut net, nodes, _) = pair(late);
                    let from = match blocked {
                        Kind::IHello | Kind::IIKeying => net.address(nodes[loser]),
                        _ => net.address(nodes[1 - loser]),
                    };
                    net.filter = Box::new(move |_, datagram| match kind_of(&datagram.data) {
                        kind if kind == blocked && datagram.from == from => Fate::Drop,
                        _ => Fate::Pass,
                    });
                    let [first, second] = if swap { [nodes[1], nodes[0]] } else { nodes };
                    dial_both(&mut net, first, second, ms(late), &format!("{blocked:?} of {loser}, {late}, {swap}"));
                }
            }
        }
    }
}

#[test]
fn a_forged_or_replayed_iikeying_ends_no_opening() {
    let (mut net, [small, large], profiles) = pair(7);
    // An IIKeying of the prevailing end, recorded while it had a session with us.
    net.dial(small, large);
    net.run_until(ms(5000), |net| net.are_joined(small, large)).expect("it opens");
    let recorded = net.first(Kind::IIKeying);
    // Both begin anew, so that nobody remembers it; but for us the cookie would be foreign, so we keep our process.
    for node in [large, small] {
        for handle in net.sessions(node) {
            net.command(node, |endpoint, now| endpoint.session_mut(handle).map(|session| session.abort(now)));
        }
    }
    net.run_for(ms(1000));
    net.restart(small, profiles[0].clone());
    net.filter = Box::new(|_, datagram| match kind_of(&datagram.data) {
        Kind::RIKeying => Fate::Delay(ms(100)),
        _ => Fate::Pass,
    });
    let forged = altered(&recorded.data, |chunk, out| {
        chunk.encode(out);
        let last = out.len() - 1;
        out[last] ^= 1;
    });
    net.dial(large, small);
    for n in 0..40 {
        net.inject(ms(n * 5), recorded.clone());
        net.inject(ms(n * 5), crate::net::Datagram { data: forged.clone(), ..recorded.clone() });
    }
    let took = net.run_until(ms(5000), |net| net.are_joined(small, large));
    assert!(took.is_some_and(|took| took < ms(1000)), "{took:?}");
    assert_eq!(net.opened(large).len(), 1);
    let stats = net.nodes[large].endpoint.stats();
    assert_eq!(stats.dropped(DropReason::ReplayedKeying), 40);
    assert_eq!(stats.drops().filter(|(reason, _)| matches!(reason, DropReason::KeyingRefused(_))).count(), 1);
}

#[test]
fn the_prevailing_end_stays_the_initiator() {
    let (mut net, [small, large], _) = pair(8);
    dial_both(&mut net, small, large, ms(0), "at once");
    assert_eq!(net.nodes[small].endpoint.stats().dropped(DropReason::Glare), 1);
    assert_eq!(net.nodes[small].endpoint.stats().opened, 1);
    assert_eq!(net.nodes[large].endpoint.stats().opened, 0);
    assert_eq!(net.nodes[large].endpoint.stats().confirmed, 1);
}
