//! Sessions end: in good order, abruptly, or because the far end is silent (RFC 7016 sections 3.5.4.1 and 3.5.5).

use std::time::Duration;

use p2pt::flow::Priority;
use p2pt::session::{CloseReason, FlowError, SessionEvent};
use p2pt::sim::Link;

use crate::pair::{End, Pair, Setup, ms};

const LINK: Link = Link::IDEAL.rate(10_000_000).delay(Duration::from_millis(20)).queue(100_000).mtu(1500);

fn closed(end: &End) -> Vec<CloseReason> {
    let reason = |event: &SessionEvent| match event {
        SessionEvent::Closed(reason) => Some(*reason),
        _ => None,
    };
    end.events.iter().filter_map(reason).collect()
}

#[test]
fn an_orderly_close_takes_a_round_trip_and_the_far_end_lingers_19_seconds() {
    let mut pair = Pair::connected(1, LINK);
    let (near, far) = (pair.near, pair.far);
    pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 1 << 20, 1000, false));
    pair.world.run_for(ms(200));
    pair.world.command(near, |end, now| end.session.close(now));
    pair.world.run_for(ms(250));
    assert_eq!((closed(pair.near()), closed(pair.far())), (vec![CloseReason::Near], vec![CloseReason::Far]));
    assert!(pair.near().session.is_gone() && !pair.far().session.is_gone());
    assert!(pair.far().session.is_idle(), "leaving S_OPEN ends all flows");
    pair.world.run_for(Duration::from_millis(18_600));
    assert!(!pair.far().session.is_gone());
    pair.world.run_for(ms(300));
    assert!(pair.far().session.is_gone());
    let refused = pair.world.command(far, |end, now| end.session.open_flow(now, b"", None, Priority::Normal));
    assert_eq!(refused, Err(FlowError::SessionClosed));
    assert_eq!(closed(pair.far()).len(), 1, "said once");
}

#[test]
fn a_close_is_repeated_every_five_seconds_until_it_is_answered() {
    let mut pair = Pair::connected(2, LINK);
    let near = pair.near;
    pair.world.set_up(near, false);
    pair.world.command(near, |end, now| end.session.close(now));
    pair.world.run_for(Duration::from_secs(12));
    let sent = pair.near().session.stats(pair.world.now()).counters.packets_sent;
    pair.world.run_for(Duration::from_secs(20));
    assert_eq!(pair.near().session.stats(pair.world.now()).counters.packets_sent - sent, 4);
    assert!(closed(pair.near()).is_empty());
    pair.world.set_up(near, true);
    pair.world.run_for(ms(5_100));
    assert_eq!(closed(pair.near()), [CloseReason::Near]);
}

#[test]
fn a_close_that_nobody_answers_ends_after_ninety_seconds() {
    let mut pair = Pair::connected(3, LINK);
    let near = pair.near;
    pair.world.remove_host(pair.far);
    pair.world.command(near, |end, now| end.session.close(now));
    pair.world.run_for(ms(89_900));
    assert!(!pair.near().session.is_gone());
    pair.world.run_for(ms(200));
    assert!(pair.near().session.is_gone());
    assert_eq!(closed(pair.near()), [CloseReason::Near]);
}

#[test]
fn both_may_close_at_once() {
    let mut pair = Pair::connected(4, LINK);
    for host in [pair.near, pair.far] {
        pair.world.command(host, |end, now| end.session.close(now));
    }
    pair.world.run_for(ms(100));
    for end in [pair.near(), pair.far()] {
        assert_eq!(closed(end), [CloseReason::Near]);
        assert!(end.session.is_gone());
    }
}

#[test]
fn an_abrupt_close_is_one_packet() {
    let mut pair = Pair::connected(5, LINK);
    let near = pair.near;
    pair.world.command(near, |end, now| end.session.abort(now));
    assert!(pair.near().session.is_gone());
    pair.world.run_for(ms(100));
    assert_eq!((closed(pair.near()), closed(pair.far())), (vec![CloseReason::Aborted], vec![CloseReason::FarAborted]));
    assert!(pair.far().session.is_gone());
}

#[test]
fn a_killed_peer_is_noticed_after_the_configured_silence() {
    for give_up in [10, 40] {
        let mut setup = Setup::new(6, LINK);
        setup.near.give_up = Duration::from_secs(give_up);
        let mut pair = setup.build();
        pair.connect();
        let near = pair.near;
        pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 1 << 30, 10_000, false));
        pair.world.run_for(Duration::from_secs(1));
        pair.world.remove_host(pair.far);
        pair.world.run_for(Duration::from_secs(give_up) - ms(100));
        assert!(closed(pair.near()).is_empty());
        pair.world.run_for(ms(700));
        assert_eq!(closed(pair.near()), [CloseReason::Unresponsive]);
        assert!(pair.near().session.is_gone());
    }
}

#[test]
fn an_idle_session_pings_every_period_and_lives() {
    let mut pair = Pair::connected(7, LINK);
    pair.world.run_for(Duration::from_secs(60));
    let sent = |pair: &Pair| {
        let now = pair.world.now();
        pair.near().session.stats(now).counters.packets_sent + pair.far().session.stats(now).counters.packets_sent
    };
    let before = sent(&pair);
    pair.world.run_for(Duration::from_secs(3600));
    let packets = sent(&pair) - before;
    assert!((700..=740).contains(&packets), "a Ping and a reply every ten seconds: {packets}");
    assert!(closed(pair.near()).is_empty() && closed(pair.far()).is_empty());
    pair.world.remove_host(pair.far);
    pair.world.run_for(Duration::from_secs(60));
    assert_eq!(closed(pair.near()), [CloseReason::Unresponsive]);
}

#[test]
fn closing_flows_first_delivers_everything() {
    for seed in 0..50 {
        let mut pair = Pair::connected(seed, LINK.loss(0.1));
        let (near, far) = (pair.near, pair.far);
        pair.world.command(near, |end, now| end.feed(now, Priority::Normal, 30_000, 1000, true));
        let complete = |event: &SessionEvent| matches!(event, SessionEvent::FlowComplete { .. });
        let done = pair.world.wait_for(Duration::from_secs(60), |world| world.host(near).count(complete) == 1);
        assert!(done, "seed {seed}");
        pair.world.command(near, |end, now| end.session.close(now));
        pair.world.wait_for(Duration::from_secs(100), |world| world.host(near).session.is_gone());
        assert_eq!(pair.world.host(far).total_received(), 30_000, "seed {seed}");
        assert_eq!(closed(pair.far()), [CloseReason::Far], "seed {seed}");
    }
}
