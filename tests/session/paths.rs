//! Confirmation, outages, moves, packet sizes: what happens to the path between two sessions.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use p2pt::base::Ecn;
use p2pt::flow::Priority;
use p2pt::session::{BASE_DATAGRAM, SessionEvent};
use p2pt::sim::{Fate, Link, Packet};

use crate::pair::{FAR, Keys, NEAR, PORT, Pair, Setup, ms};

const LINK: Link = Link::IDEAL.rate(20_000_000).delay(Duration::from_millis(20)).queue(100_000).mtu(1500);
const ELSEWHERE: &str = "192.0.2.77";

fn address(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), PORT)
}

fn confirmed(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::Confirmed)
}

fn moved(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::PathChanged { .. })
}

/// Keeps a copy of every datagram that `keep` wants.
fn record(pair: &mut Pair, keep: impl Fn(Fate, &Packet) -> bool + 'static) -> Arc<Mutex<Vec<Packet>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeper = kept.clone();
    pair.world.observe(move |_, fate, packet| {
        if keep(fate, packet) {
            keeper.lock().unwrap().push(packet.clone());
        }
    });
    kept
}

#[test]
fn the_responder_is_silent_until_a_packet_opens_and_the_initiator_asks_each_quarter_of_a_second() {
    let mut pair = Pair::new(1, LINK.loss(1.0));
    pair.world.run_for(ms(3_500));
    assert_eq!(pair.near().session.stats(pair.world.now()).counters.packets_sent, 15);
    let far = pair.far();
    assert!(!far.session.is_confirmed() && far.session.deadline().is_none());
    assert_eq!(far.session.stats(pair.world.now()).counters.packets_sent, 0);
    let forged = Packet { source: address(NEAR), destination: address(FAR), ecn: Ecn::NotEct, data: vec![7; 100] };
    pair.world.inject(pair.world.internet(), forged);
    pair.world.run_for(ms(100));
    assert!(!pair.far().session.is_confirmed(), "what does not open confirms nothing");
    pair.world.set_links(pair.near, LINK, LINK);
    pair.world.run_for(ms(1_000));
    assert_eq!(pair.far().count(confirmed), 1);
    assert_eq!(pair.near().session.stats(pair.world.now()).srtt, Some(ms(40)));
}

#[test]
fn data_flows_again_within_a_second_after_an_outage() {
    for (outage, limit) in [(5_000, 1_000), (30_000, 1_500)] {
        for (seed, sender_is_cut) in [(1, true), (2, false)] {
            let mut pair = Pair::connected(seed, LINK);
            let (near, far) = (pair.near, pair.far);
            pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 1 << 40, 10_000, false));
            pair.world.run_for(Duration::from_secs(2));
            let cut = if sender_is_cut { near } else { far };
            pair.world.set_up(cut, false);
            pair.world.run_for(ms(outage));
            let before = pair.far().total_received();
            pair.world.set_up(cut, true);
            let flows = pair.world.wait_for(ms(limit), |world| world.host(far).total_received() > before);
            assert!(flows, "within {limit} ms after {outage} ms");
            pair.world.run_for(Duration::from_secs(2));
            let rate = (pair.far().total_received() - before) as f64 * 8.0 / 2.0;
            assert!(rate > 8e6, "{rate} bit/s two seconds later");
            let mtu = pair.near().session.stats(pair.world.now()).mtu;
            assert_eq!(mtu, 1452, "an outage is no black hole");
        }
    }
}

#[test]
fn a_move_in_mid_transfer_loses_and_doubles_nothing() {
    for (seed, sender_moves) in [(1, true), (2, false)] {
        let mut pair = Pair::connected(seed, LINK);
        let (near, far) = (pair.near, pair.far);
        let bytes = 6 << 20;
        pair.world.command(near, |end, now| end.feed(now, Priority::Normal, bytes, 10_000, true));
        pair.world.wait_for(Duration::from_secs(9), |world| world.host(far).total_received() > 3 << 20);
        let (mover, stayer) = if sender_moves { (near, far) } else { (far, near) };
        pair.world.set_address(mover, ELSEWHERE.parse::<IpAddr>().unwrap());
        // A driver that notices tells its sessions so.
        pair.world.command(mover, |end, _| end.session.ping());
        let start = pair.world.now();
        let done = pair.world.wait_for(Duration::from_secs(9), |world| world.host(far).total_received() == bytes);
        let took = pair.world.now() - start;
        assert!(done && took < ms(2_300), "the rest takes 1.3 s at full speed: {took:?}");
        assert_eq!(pair.world.host(stayer).count(moved), 1);
        assert_eq!(pair.world.host(stayer).session.path().remote, address(ELSEWHERE));
        assert_eq!(pair.world.host(mover).count(moved), 0);
    }
}

#[test]
fn a_move_that_nobody_reports_is_found_by_the_next_probe() {
    let mut pair = Pair::connected(3, LINK);
    let (near, far) = (pair.near, pair.far);
    pair.world.run_for(Duration::from_secs(1));
    pair.world.set_address(near, ELSEWHERE.parse::<IpAddr>().unwrap());
    pair.world.command(far, |end, now| end.feed(now, Priority::Normal, 100_000, 1000, true));
    let done = pair.world.wait_for(Duration::from_secs(12), |world| world.host(near).total_received() == 100_000);
    assert!(done, "the keepalive shows the new address");
}

#[test]
fn a_copied_packet_from_a_strange_address_moves_nothing() {
    let mut pair = Pair::connected(4, LINK);
    let (near, far) = (pair.near, pair.far);
    let copies = record(&mut pair, |fate, packet| matches!(fate, Fate::Sent(_)) && packet.source == address(NEAR));
    let strays =
        record(&mut pair, |fate, packet| matches!(fate, Fate::Sent(_)) && packet.destination == address(ELSEWHERE));
    pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 1 << 20, 1000, true));
    for _ in 0..100 {
        pair.world.run_for(ms(5));
        let copy = copies.lock().unwrap().last().cloned();
        if let Some(copy) = copy {
            // It overtakes the genuine one, which is 20 ms on its way.
            pair.world.inject(pair.world.internet(), Packet { source: address(ELSEWHERE), ..copy });
        }
    }
    pair.world.run_for(Duration::from_secs(3));
    assert_eq!(pair.far().count(moved), 0);
    assert_eq!(pair.far().session.path().remote, address(NEAR));
    let strays = strays.lock().unwrap();
    assert!((1..=4).contains(&strays.len()), "at most one check a second goes there: {}", strays.len());
    assert!(strays.iter().all(|packet| packet.data.len() < 80), "a Ping and nothing else");
    assert_eq!(
        pair.world.host(far).total_received(),
        1 << 20,
        "a copy that comes first counts, the original is dropped"
    );
}

#[test]
fn an_old_packet_from_a_new_address_asks_nobody() {
    for keys in [Keys::Strong, Keys::Flash] {
        let mut pair = Setup { keys, ..Setup::new(5, LINK) }.build();
        pair.connect();
        let near = pair.near;
        // What near sends while its link is cut never arrived anywhere.
        let lost = record(&mut pair, |fate, packet| !matches!(fate, Fate::Sent(_)) && packet.source == address(NEAR));
        let strays =
            record(&mut pair, |fate, packet| matches!(fate, Fate::Sent(_)) && packet.destination == address(ELSEWHERE));
        pair.world.set_up(near, false);
        pair.world.command(near, |end, _| end.session.ping());
        pair.world.run_for(ms(100));
        pair.world.set_up(near, true);
        let late = lost.lock().unwrap().first().cloned().expect("one was lost");
        for _ in 0..3 {
            pair.world.command(near, |end, _| end.session.ping());
            pair.world.run_for(ms(100));
        }
        let before = pair.far().session.stats(pair.world.now()).counters.packets_received;
        pair.world.inject(pair.world.internet(), Packet { source: address(ELSEWHERE), ..late });
        pair.world.run_for(ms(2_000));
        let after = pair.far().session.stats(pair.world.now()).counters;
        assert_eq!(after.packets_received, before + 1, "{keys:?}: it is authentic, and had not come before");
        assert!(strays.lock().unwrap().is_empty(), "{keys:?}: but not the newest");
        assert_eq!(pair.far().count(moved), 0);
    }
}

#[test]
fn a_reply_from_a_third_address_moves_nothing() {
    const THIRD: &str = "192.0.2.88";
    let mut pair = Setup { keys: Keys::Strong, ..Setup::new(6, LINK) }.build();
    pair.connect();
    let near = pair.near;
    let copies = record(&mut pair, |fate, packet| matches!(fate, Fate::Sent(_)) && packet.source == address(NEAR));
    let strays =
        record(&mut pair, |fate, packet| matches!(fate, Fate::Sent(_)) && packet.destination == address(ELSEWHERE));
    let last = |copies: &Arc<Mutex<Vec<Packet>>>| copies.lock().unwrap().last().cloned().unwrap();
    // A copy of the newest packet overtakes it from elsewhere, and a Ping goes there.
    pair.world.command(near, |end, _| end.session.ping());
    pair.world.inject(pair.world.internet(), Packet { source: address(ELSEWHERE), ..last(&copies) });
    pair.world.run_for(ms(200));
    let check = last(&strays);
    // Whoever is there hands it to the genuine end, which answers, since it is authentic; its answer is then
    // hurried along from a third address, and comes itself from home.
    let answers = copies.lock().unwrap().len();
    pair.world.inject(pair.world.internet(), Packet { destination: address(NEAR), source: address(FAR), ..check });
    assert!(pair.world.wait_for(ms(500), |_| copies.lock().unwrap().len() > answers), "it is answered");
    pair.world.inject(pair.world.internet(), Packet { source: address(THIRD), ..last(&copies) });
    pair.world.run_for(ms(3_000));
    assert_eq!(pair.far().count(moved), 0);
    assert_eq!(pair.far().session.path().remote, address(NEAR));
    assert_eq!(strays.lock().unwrap().len(), 1, "and nothing else goes there");
}

#[test]
fn packet_size_discovery_finds_what_the_path_carries() {
    for (mtu, expected) in [(1500, 1452..=1452), (1400, 1356..=1372), (1280, 1236..=1252), (1228, 1200..=1200)] {
        let mut pair = Pair::connected(5, LINK.mtu(mtu));
        pair.transfer(2 << 20, Duration::from_secs(20)).expect("it arrives");
        pair.world.run_for(Duration::from_secs(60));
        pair.transfer(100_000, Duration::from_secs(20)).expect("it arrives");
        let found = pair.near().session.stats(pair.world.now()).mtu;
        assert!(expected.contains(&found), "{found} on an MTU of {mtu}");
        let lost = pair.near().session.stats(pair.world.now()).counters.timeouts;
        assert_eq!(lost, 0, "probes that are lost cost no data");
    }
}

#[test]
fn a_path_that_comes_to_carry_less_is_survived() {
    let mut pair = Pair::connected(6, LINK);
    let (near, far) = (pair.near, pair.far);
    let bytes = 6 << 20;
    pair.world.command(near, |end, now| end.feed(now, Priority::Normal, bytes, 50_000, true));
    pair.world.wait_for(Duration::from_secs(9), |world| world.host(far).total_received() > 2 << 20);
    assert_eq!(pair.near().session.stats(pair.world.now()).mtu, 1452);
    let narrow = LINK.mtu(1300);
    pair.world.set_links(near, narrow, narrow);
    let start = pair.world.now();
    let done = pair.world.wait_for(Duration::from_secs(60), |world| world.host(far).total_received() == bytes);
    let took = pair.world.now() - start;
    assert!(done && took < Duration::from_secs(12), "{took:?}");
    assert_eq!(pair.near().session.stats(pair.world.now()).mtu, BASE_DATAGRAM);
}

#[test]
fn congestion_marks_slow_the_sender_without_any_loss() {
    let link = LINK.queue(10_000_000).mark(ms(20));
    let mut marked = Setup::new(7, link).build();
    let mut setup = Setup::new(7, link);
    setup.near.ecn = false;
    let mut unmarked = setup.build();
    let run = |pair: &mut Pair| {
        pair.connect();
        let near = pair.near;
        pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 1 << 40, 10_000, false));
        pair.world.run_for(Duration::from_secs(20));
        let stats = pair.near().session.stats(pair.world.now());
        assert_eq!(stats.counters.bytes_lost, 0);
        let rate = pair.far().total_received() as f64 * 8.0 / 20.0;
        assert!(rate > 16e6, "{rate}");
        stats.srtt.unwrap()
    };
    let (with, without) = (run(&mut marked), run(&mut unmarked));
    assert!(with < ms(90), "{with:?}");
    assert!(without > 3 * with, "{without:?}");
}
