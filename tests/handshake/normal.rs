//! The normal handshake, with and without loss.

use std::time::Duration;

use p2pt::base::Path;
use p2pt::crypto::{IdentityKind, epd};
use p2pt::endpoint::{DropReason, EndpointConfig, OpenFailure};
use p2pt::wire::Chunk;

use crate::net::{DELAY, Fate, Kind, Net, altered, kind_of, ms, strong};

#[test]
fn a_session_opens_in_two_round_trips() {
    let mut net = Net::new(1);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(a, b);
    assert_eq!(net.run_until(ms(5000), |net| !net.opened(a).is_empty()), Some(4 * DELAY));
    assert_eq!(net.incoming(b), 0, "the responder tells nobody before the session is confirmed");
    assert_eq!(net.run_until(ms(5000), |net| net.are_joined(a, b)), Some(DELAY));
    assert_eq!((net.incoming(a), net.incoming(b)), (0, 1));
    let [of_a, of_b] = [a, b].map(|node| net.nodes[node].endpoint.session(net.sessions(node)[0]).unwrap());
    assert_eq!((of_a.far().peer_id, of_b.far().peer_id), (net.peer(b), net.peer(a)));
    assert!(of_a.far().authenticated && of_b.far().authenticated);
}

#[test]
fn startup_datagrams_have_the_sizes_that_answer_limits_reckon_with() {
    let mut net = Net::new(2);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(a, b);
    net.run_for(ms(500));
    let sizes = [Kind::IHello, Kind::RHello, Kind::IIKeying, Kind::RIKeying].map(|kind| net.first(kind).data.len());
    assert_eq!(sizes, [148, 148, 244, 132]);
}

#[test]
fn the_loss_of_any_one_packet_costs_one_retransmission() {
    for lost in [Kind::IHello, Kind::RHello, Kind::IIKeying, Kind::RIKeying, Kind::Session] {
        for count in 1..=2_u64 {
            let mut net = Net::new(3);
            let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
            let mut left = count;
            net.filter = Box::new(move |_, datagram| {
                if kind_of(&datagram.data) == lost && left > 0 {
                    left -= 1;
                    return Fate::Drop;
                }
                Fate::Pass
            });
            net.dial(a, b);
            let took = net.run_until(ms(20_000), |net| net.are_joined(a, b));
            // Intervals of 250 ms, and the handshake itself.
            let bound = ms(250 * count + 120);
            assert!(took.is_some_and(|took| took <= bound), "{lost:?} lost {count} times: {took:?}");
            net.run_for(ms(30_000));
            assert!(net.are_joined(a, b), "{lost:?} lost {count} times");
            assert_eq!((net.opened(a).len(), net.incoming(b)), (1, 1));
            assert_eq!(net.nodes[b].endpoint.session_count(), 1, "nothing unconfirmed is left");
        }
    }
}

#[test]
fn a_handshake_survives_a_third_of_all_packets_lost() {
    for seed in 0..200 {
        let mut net = Net::new(seed);
        let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
        let mut chance = net.rng.fork();
        net.filter = Box::new(move |_, _| match chance.below(6) {
            0 | 1 => Fate::Drop,
            2 => Fate::Delay(Duration::from_millis(chance.below(300))),
            _ => Fate::Pass,
        });
        net.dial(a, b);
        assert!(net.run_until(ms(95_000), |net| net.are_joined(a, b)).is_some(), "seed {seed}");
        net.filter = Box::new(|_, _| Fate::Pass);
        net.run_for(ms(30_000));
        assert!(net.are_joined(a, b), "seed {seed}");
    }
}

#[test]
fn ihellos_go_out_briskly_for_five_seconds_then_ever_slower_and_the_opening_fails_after_95() {
    let mut net = Net::new(4);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.filter = Box::new(|_, _| Fate::Drop);
    let start = net.now;
    net.dial(a, b);
    let took = net.run_until(ms(200_000), |net| net.failure(a).is_some());
    assert_eq!(took, Some(ms(95_000)));
    assert_eq!(net.failure(a), Some(OpenFailure::NoAnswer));
    let times: Vec<u64> = net.log.iter().map(|(at, _, _)| (*at - start).as_millis() as u64).collect();
    let (brisk, slow) = times.split_at(21);
    assert!(brisk.iter().enumerate().all(|(n, at)| *at == 250 * n as u64), "{times:?}");
    assert_eq!(slow, [6_000, 8_500, 12_500, 18_000, 25_000, 33_500, 43_500, 55_000, 68_000, 82_500]);
    assert_eq!(net.nodes[a].endpoint.deadline(), None, "nothing of it is left");
}

#[test]
fn the_failure_tells_the_most_telling_reason() {
    let config = EndpointConfig { open_timeout: ms(10_000), ..EndpointConfig::default() };
    let add = |net: &mut Net, address: &str| {
        let profile = strong(&mut net.rng, IdentityKind::default());
        net.add_with(address, profile, config.clone())
    };
    // Only the wrong peer answers.
    let mut net = Net::new(5);
    let [a, b, c] = ["192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3"].map(|address| add(&mut net, address));
    let server = epd::ancillary("rtmfp://example.org");
    let at = Path::to(net.address(b));
    net.command(a, |endpoint, now| endpoint.connect(now, &server, &[at]));
    net.run_for(ms(11_000));
    assert_eq!(net.failure(a), Some(OpenFailure::NoAnswer), "who is not selected does not answer");
    // Somebody answers for another one.
    let mut net2 = Net::new(6);
    let [d, e, f] = ["192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3"].map(|address| add(&mut net2, address));
    let impostor = net2.nodes[f].endpoint.profile().certificate().to_vec();
    net2.filter = Box::new(move |_, datagram| {
        if kind_of(&datagram.data) == Kind::RHello {
            datagram.data = altered(&datagram.data, |chunk, out| {
                let Chunk::RHello(hello) = chunk else { unreachable!("it is one") };
                Chunk::RHello(p2pt::wire::RHello { certificate: &impostor, ..hello }).encode(out);
            });
        }
        Fate::Pass
    });
    net2.dial(d, e);
    net2.run_for(ms(11_000));
    assert_eq!(net2.failure(d), Some(OpenFailure::WrongIdentity));
    assert!(net2.nodes[d].endpoint.stats().dropped(DropReason::WrongIdentity) > 0);
    // The right one answers, but keying does not get through.
    let mut net3 = Net::new(7);
    let [g, h] = ["192.0.2.1:1", "192.0.2.2:2"].map(|address| add(&mut net3, address));
    net3.filter = Box::new(|_, datagram| match kind_of(&datagram.data) {
        Kind::RIKeying => Fate::Drop,
        _ => Fate::Pass,
    });
    net3.dial(g, h);
    net3.run_for(ms(11_000));
    assert_eq!(net3.failure(g), Some(OpenFailure::KeyingUnanswered));
    net3.run_for(ms(21_000));
    assert_eq!(net3.nodes[h].endpoint.session_count(), 0, "unconfirmed sessions die");
    let _ = c;
}

#[test]
fn our_own_peer_id_is_not_dialled() {
    let mut net = Net::new(8);
    let a = net.add("192.0.2.1:1000");
    net.dial(a, a);
    assert_eq!(net.failure(a), Some(OpenFailure::OwnIdentity));
    assert!(net.log.is_empty());
}

#[test]
fn of_several_addresses_the_one_that_answers_serves() {
    let mut net = Net::new(9);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    let at = ["198.51.100.1:1".parse().unwrap(), net.address(b), "[2001:db8::1]:1".parse().unwrap()];
    net.dial_at(a, b, &at);
    assert_eq!(net.run_until(ms(5000), |net| net.are_joined(a, b)), Some(5 * DELAY));
}

#[test]
fn a_cancelled_opening_is_silent() {
    let mut net = Net::new(10);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    let opening = net.dial(a, b);
    net.run_for(ms(50));
    net.command(a, |endpoint, now| endpoint.cancel(now, opening));
    net.run_for(ms(60_000));
    assert!(net.nodes[a].events.is_empty() && net.nodes[b].events.is_empty());
    assert_eq!((net.nodes[a].endpoint.session_count(), net.nodes[b].endpoint.session_count()), (0, 0));
}

#[test]
fn a_cookie_for_another_address_is_changed_once_and_either_serves() {
    // The initiator's IHello leaves from one address, its IIKeying from another.
    let mut net = Net::new(11);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.nodes[a].addresses.push("192.0.2.9:999".parse().unwrap());
    net.filter = Box::new(|_, datagram| {
        if kind_of(&datagram.data) == Kind::IIKeying {
            datagram.from = "192.0.2.9:999".parse().unwrap();
        }
        Fate::Pass
    });
    net.dial(a, b);
    let took = net.run_until(ms(5000), |net| !net.opened(a).is_empty());
    assert_eq!(took, Some(6 * DELAY), "one round trip more");
    assert_eq!((net.count(Kind::CookieChange), net.nodes[b].endpoint.stats().cookie_changes), (1, 1));
    assert_eq!(net.nodes[b].endpoint.stats().keyings_examined, 1, "no public-key work for the wrong cookie");
}

#[test]
fn a_dialled_peer_that_is_connected_already_costs_no_second_session() {
    let mut net = Net::new(12);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    let before = net.sessions(b)[0];
    net.dial(b, a);
    let took = net.run_until(ms(5000), |net| !net.opened(b).is_empty());
    assert!(took.is_some_and(|took| took <= 5 * DELAY), "{took:?}");
    assert_eq!(net.opened(b), [before]);
    net.run_for(ms(30_000));
    assert!(net.are_joined(a, b));
}

#[test]
fn a_server_is_dialled_by_address_alone_and_a_host_with_a_large_certificate_in_pieces() {
    let mut net = Net::new(13);
    let a = net.add("192.0.2.1:1000");
    let kind = IdentityKind { server: true, ..IdentityKind::default() };
    let profile = strong(&mut net.rng, kind);
    let b = net.add_with("192.0.2.2:1935", profile, EndpointConfig::default());
    let at = Path::to(net.address(b));
    let url = epd::ancillary("rtmfp://192.0.2.2:1935");
    net.command(a, |endpoint, now| endpoint.connect(now, &url, &[at]));
    assert!(net.run_until(ms(5000), |net| net.are_joined(a, b)).is_some());
}
