//! Which session stays: restarts, moves, replays.

use p2pt::endpoint::{DropReason, EndpointEvent};

use crate::net::{Fate, Kind, Net, kind_of, ms, plain_pair};

#[test]
fn a_peer_that_restarts_replaces_its_old_session_once_it_is_confirmed() {
    // Whoever has the smaller certificate, whoever had opened the old session, however soon.
    for (smaller_restarts, restarted_had_opened, after) in [
        (0, 0, 20_000),
        (0, 1, 20_000),
        (1, 0, 20_000),
        (1, 1, 20_000),
        (0, 0, 100),
        (0, 1, 100),
        (1, 0, 100),
        (1, 1, 100),
    ] {
        let mut net = Net::new(20);
        let profiles = plain_pair(&mut net.rng);
        let nodes = ["192.0.2.1:1000", "192.0.2.2:2000"];
        for (profile, address) in profiles.iter().zip(nodes) {
            net.add_with(address, profile.clone(), Default::default());
        }
        let (restarted, other) = if smaller_restarts == 0 { (0, 1) } else { (1, 0) };
        let (from, to) = if restarted_had_opened == 0 { (restarted, other) } else { (other, restarted) };
        net.dial(from, to);
        net.run_until(ms(5000), |net| net.are_joined(0, 1)).expect("it opens");
        net.run_for(ms(after));
        let old = net.sessions(other)[0];
        net.restart(restarted, profiles[restarted].clone());
        net.dial(restarted, other);
        let case = format!("{smaller_restarts} {restarted_had_opened} {after}");
        let took = net.run_until(ms(20_000), |net| net.are_joined(0, 1));
        assert!(took.is_some_and(|took| took <= ms(4000)), "{case}: {took:?}");
        assert_ne!(net.sessions(other), [old], "{case}");
        net.run_for(ms(30_000));
        assert!(net.are_joined(0, 1), "{case}");
        assert_eq!(net.closed(other), 1, "{case}");
    }
}

#[test]
fn a_session_from_another_address_replaces_only_a_silent_one() {
    let mut net = Net::new(21);
    let profiles = plain_pair(&mut net.rng);
    let a = net.add_with("192.0.2.1:1000", profiles[0].clone(), Default::default());
    let b = net.add_with("192.0.2.2:2000", profiles[1].clone(), Default::default());
    let twin = net.add_with("192.0.2.3:3000", profiles[0].clone(), Default::default());
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    net.run_for(ms(20_000));
    net.dial(twin, b);
    net.run_for(ms(15_000));
    assert_eq!(net.sessions(b).len(), 2, "both are alive");
    let silent = net.address(a);
    net.filter = Box::new(
        move |_, datagram| {
            if datagram.from == silent || datagram.to == silent { Fate::Drop } else { Fate::Pass }
        },
    );
    let gone = net.sessions(b)[0];
    let third = net.add_with("192.0.2.4:4000", profiles[0].clone(), Default::default());
    net.dial(third, b);
    net.run_for(ms(12_000));
    assert!(net.nodes[b].endpoint.session(gone).is_none_or(|session| session.is_gone()));
    assert_eq!(net.sessions(b).len(), 2, "the silent one is closed, those that live stay");
}

#[test]
fn a_new_identity_at_a_known_address_is_one_more_session() {
    let mut net = Net::new(22);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    let profile = crate::net::strong(&mut net.rng, Default::default());
    net.restart(a, profile);
    net.dial(a, b);
    net.run_for(ms(1000));
    assert_eq!(net.sessions(b).len(), 2);
}

#[test]
fn a_replayed_iikeying_does_nothing_while_the_session_is_open_after_it_closed_and_beside_a_newer_one() {
    let mut net = Net::new(23);
    let profiles = plain_pair(&mut net.rng);
    let a = net.add_with("192.0.2.1:1000", profiles[0].clone(), Default::default());
    let b = net.add_with("192.0.2.2:2000", profiles[1].clone(), Default::default());
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    let replayed = net.first(Kind::IIKeying);
    let check = |net: &mut Net, sessions: usize, stage: &str| {
        let (events, work) = (net.nodes[b].events.len(), net.nodes[b].endpoint.stats().keyings_examined);
        let answers = net.count(Kind::RIKeying);
        net.inject(ms(0), replayed.clone());
        net.run_for(ms(3000));
        assert_eq!(net.nodes[b].events.len(), events, "{stage}");
        assert_eq!(net.nodes[b].endpoint.stats().keyings_examined, work, "{stage}: no public-key work");
        assert_eq!(net.count(Kind::RIKeying), answers, "{stage}: no answer");
        assert_eq!(net.sessions(b).len(), sessions, "{stage}");
    };
    check(&mut net, 1, "open");
    assert!(net.are_joined(a, b));
    net.restart(a, profiles[0].clone());
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens again");
    net.run_for(ms(1000));
    check(&mut net, 1, "beside a newer one");
    let handle = net.sessions(b)[0];
    net.command(b, |endpoint, now| endpoint.session_mut(handle).unwrap().abort(now));
    net.run_for(ms(1000));
    check(&mut net, 0, "after close");
    assert_eq!(net.nodes[b].endpoint.stats().dropped(DropReason::ReplayedKeying), 3);
    net.run_for(ms(130_000));
    net.inject(ms(0), replayed);
    net.run_for(ms(1000));
    assert_eq!(net.nodes[b].endpoint.stats().dropped(DropReason::ExpiredCookie), 1);
}

#[test]
fn an_iikeying_held_back_and_late_raises_no_event_and_its_memory_is_back_in_20_seconds() {
    let mut net = Net::new(24);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    // All copies of the first IIKeying are held back; one with another RHello's cookie opens the session.
    let mut held: Option<Vec<u8>> = None;
    net.filter = Box::new(move |_, datagram| {
        let mut is_first = || *held.get_or_insert_with(|| datagram.data.clone()) == datagram.data;
        if kind_of(&datagram.data) == Kind::IIKeying && is_first() { Fate::Drop } else { Fate::Pass }
    });
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    net.run_for(ms(60_000));
    let events = net.nodes[b].events.len();
    let late = net.first(Kind::IIKeying);
    net.inject(ms(0), late);
    net.run_for(ms(1000));
    assert_eq!(net.nodes[b].endpoint.session_count(), 2, "it is not a copy of the one that opened");
    net.run_for(ms(20_000));
    assert_eq!(net.nodes[b].endpoint.session_count(), 1);
    assert_eq!(net.nodes[b].events.len(), events);
    assert!(net.are_joined(a, b));
}

#[test]
fn a_replaced_session_is_named_with_its_successor() {
    let mut net = Net::new(25);
    let profiles = plain_pair(&mut net.rng);
    let a = net.add_with("192.0.2.1:1000", profiles[0].clone(), Default::default());
    let b = net.add_with("192.0.2.2:2000", profiles[1].clone(), Default::default());
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens");
    let old = net.sessions(b)[0];
    net.restart(a, profiles[0].clone());
    net.dial(a, b);
    net.run_until(ms(5000), |net| net.are_joined(a, b)).expect("it opens again");
    let new = net.sessions(b)[0];
    assert!(net.nodes[b].events.contains(&EndpointEvent::Replaced { old, new }));
}
