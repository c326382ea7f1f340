//! Members find each other.

use crate::stage::{MS, S, Stage, Ways};
use p2pt::node::NodeEvent;
use p2pt::sim::Nat;

#[test]
fn over_a_rendezvous() {
    for strong in [false, true] {
        let mut stage = Stage::new(1);
        stage.strong = strong;
        let server = stage.add_server();
        for _ in 0..5 {
            stage.join(&Ways::registered());
        }
        let took = stage.wait_mesh(2 * S);
        println!("strong {strong}: five members after {took:?}");
        stage.world.run_for(S);
        let metrics = stage.world.host(server).node.rendezvous_metrics().expect("it serves");
        assert_eq!((metrics.groups, metrics.memberships), (1, 5));
        let leaver = stage.members.pop().expect("there are five");
        stage.world.command(leaver, |peer, now| peer.leave(now));
        let members = stage.members.clone();
        let alone = |world: &p2pt::sim::World<p2pt::sim::Participant>| {
            members.iter().all(|&host| world.host(host).view().is_some_and(|view| view.neighbours().len() == 3))
        };
        assert!(stage.world.wait_for(S, alone), "who leaves says so: {:?}", stage.picture());
        let left = |event: &NodeEvent| matches!(event, NodeEvent::GroupLeft { .. });
        let told = |stage: &Stage| stage.world.host(leaver).events.iter().any(|(_, event)| left(event));
        stage.world.run_for(S);
        assert!(told(&stage));
        let metrics = stage.world.host(server).node.rendezvous_metrics().expect("it serves");
        assert_eq!((metrics.groups, metrics.memberships), (1, 4));
    }
}

#[test]
fn over_ip_multicast() {
    let mut stage = Stage::new(2);
    stage.link = p2pt::sim::Link::IDEAL.delay(MS);
    let ways = Ways { lan: true, ..Ways::default() };
    for _ in 0..5 {
        stage.join(&ways);
    }
    stage.wait_mesh(2 * S);
    // A newcomer learns of members that are idle since long, at once.
    stage.world.run_for(100 * S);
    stage.join(&ways);
    let took = stage.wait_mesh(2 * S);
    println!("the newcomer is in after {took:?}");
}

#[test]
fn over_bootstrap_addresses() {
    let mut stage = Stage::new(3);
    let first = stage.join(&Ways::default());
    let bootstrap = vec![(stage.id(first), stage.at(first))];
    for _ in 0..4 {
        stage.join(&Ways { bootstrap: bootstrap.clone(), ..Ways::default() });
    }
    stage.wait_mesh(3 * S);
}

#[test]
fn members_introduce_a_newcomer_when_the_rendezvous_is_gone() {
    for nat in [None, Some(Nat::PORT_RESTRICTED)] {
        let mut stage = Stage::new(4);
        let server = stage.add_server();
        // One that others can reach at its address, the others behind NATs.
        let open = stage.join(&Ways::registered());
        for _ in 0..4 {
            stage.join(&Ways { nat, ..Ways::registered() });
        }
        stage.wait_mesh(3 * S);
        stage.world.run_for(20 * S);
        stage.world.remove_host(server);
        stage.world.run_for(60 * S);
        stage.wait_mesh(MS);
        let newcomer = Ways { nat, bootstrap: vec![(stage.id(open), stage.at(open))], ..Ways::default() };
        stage.join(&newcomer);
        let took = stage.wait_mesh(10 * S);
        println!("{nat:?}: in after {took:?}");
        let introductions = |host| stage.world.host(host).node.group_stats().introductions;
        let all: u64 = stage.members.iter().map(|&host| introductions(host)).sum();
        assert!(nat.is_none() || all >= 4, "{all} introductions");
    }
}

#[test]
fn both_ends_of_a_pair_open_at_once() {
    for seed in 0..20 {
        let mut stage = Stage::new(seed);
        let (one, other) = (stage.add(None), stage.add(None));
        let to = |stage: &Stage, host| vec![(stage.id(host), stage.at(host))];
        let (to_one, to_other) = (to(&stage, one), to(&stage, other));
        stage.join_as(one, &Ways { bootstrap: to_other, ..Ways::default() });
        // From the same instant to later than a round trip.
        stage.world.run_for(seed as u32 * 3 * MS);
        stage.join_as(other, &Ways { bootstrap: to_one, ..Ways::default() });
        stage.wait_mesh(2 * S);
        stage.world.run_for(30 * S);
        stage.wait_mesh(MS);
        for host in [one, other] {
            let node = &stage.world.host(host).node;
            assert_eq!(node.endpoint().sessions().count(), 1, "seed {seed}");
            let ups = stage.world.host(host).told().filter(|(_, event)| {
                use p2pt::node::MemberEvent::Membership;
                matches!(event, Membership(p2pt::group::MembershipEvent::NeighborConnect { .. }))
            });
            assert_eq!(ups.count(), 1, "seed {seed}");
        }
    }
}

#[test]
fn a_neighbour_that_dies_without_a_word_is_noticed_within_ten_seconds() {
    let mut stage = Stage::new(6);
    stage.add_server();
    for _ in 0..3 {
        stage.join(&Ways::registered());
    }
    stage.wait_mesh(2 * S);
    stage.world.run_for(30 * S);
    let dead = stage.members[1];
    let id = stage.id(dead);
    stage.kill(dead);
    let members = stage.members.clone();
    let noticed = |world: &p2pt::sim::World<p2pt::sim::Participant>| {
        members.iter().all(|&host| world.host(host).view().is_some_and(|view| view.neighbour(id).is_none()))
    };
    assert!(stage.world.wait_for(10 * S, noticed), "{:?}", stage.picture());
}

#[test]
fn a_neighbour_that_moves_stays_one() {
    let mut stage = Stage::new(7);
    stage.add_server();
    for _ in 0..3 {
        stage.join(&Ways::registered());
    }
    stage.wait_mesh(2 * S);
    let mover = stage.members[0];
    stage.world.set_address(mover, "198.51.100.200".parse().unwrap());
    stage.world.command(mover, |peer, now| peer.node.interface_changed(now));
    stage.world.run_for(60 * S);
    stage.wait_mesh(MS);
    let downs = stage.members.iter().flat_map(|&host| stage.world.host(host).told()).filter(|(_, event)| {
        use p2pt::node::MemberEvent::Membership;
        matches!(event, Membership(p2pt::group::MembershipEvent::NeighborDisconnect { .. }))
    });
    assert_eq!(downs.count(), 0);
}
