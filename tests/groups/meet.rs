//! Members find each other.

use crate::stage::{MS, S, Stage, Ways};
use p2pt::group::MembershipEvent;
use p2pt::node::posting::PostingEvent;
use p2pt::node::{Dial, MemberEvent, NodeEvent};
use p2pt::sim::{HostId, Link, Nat, Participant, World};

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
        let alone = |world: &World<Participant>| {
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
    stage.link = Link::IDEAL.delay(MS);
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
        // And by the member alone, whom it is enough to ask.
        let (stranger, wanted) = (stage.add(nat), stage.id(stage.members[2]));
        let rendezvous = vec![stage.at(open)];
        let (candidates, multicast) = Default::default();
        let dial = Dial { peer: wanted, candidates, rendezvous, multicast, timeout: 5 * S };
        stage.world.command(stranger, |peer, now| peer.node.dial(now, &dial));
        let dialled = |world: &World<Participant>| {
            world.host(stranger).events.iter().any(|(_, event)| matches!(event, NodeEvent::Dialled { .. }))
        };
        assert!(stage.world.wait_for(2 * S, dialled), "{:?}", stage.world.host(stranger).events);
        assert_eq!(stage.world.host(open).node.group_stats().introductions, 1);
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
            let ups =
                stage.world.host(host).told().filter(|(_, event)| {
                    matches!(event, MemberEvent::Membership(MembershipEvent::NeighborConnect { .. }))
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
    let noticed = |world: &World<Participant>| {
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
    let downs = stage
        .members
        .iter()
        .flat_map(|&host| stage.world.host(host).told())
        .filter(|(_, event)| matches!(event, MemberEvent::Membership(MembershipEvent::NeighborDisconnect { .. })));
    assert_eq!(downs.count(), 0);
}

#[test]
fn two_behind_symmetric_nats_are_bridged_by_the_others() {
    let mut stage = Stage::new(8);
    stage.add_server();
    let symmetric = Ways { nat: Some(Nat::SYMMETRIC), ..Ways::registered() };
    let (one, other) = (stage.join(&symmetric), stage.join(&symmetric));
    for _ in 0..3 {
        stage.join(&Ways::registered());
    }
    stage.world.run_for(30 * S);
    assert_eq!(stage.picture(), [3, 3, 4, 4, 4], "all but the two who cannot");
    let post = |peer: &mut Participant, now| peer.with(now, |member, now| member.post(now, None, "over".into()));
    stage.world.command(one, post).expect("joined").expect("it may post");
    let heard = |world: &World<Participant>| world.host(other).told().any(|(_, event)| is_post(event));
    assert!(stage.world.wait_for(2 * S, heard));
}

#[test]
fn forty_members_at_one_per_cent_loss() {
    let mut stage = Stage::new(9);
    stage.link = Link::IDEAL.delay(20 * MS).jitter(5 * MS).loss(0.01);
    stage.add_server();
    for _ in 0..40 {
        stage.join(&Ways::registered());
        stage.world.run_for(20 * MS);
    }
    stage.world.run_for(10 * S);
    let picture = stage.picture();
    let (least, most) = (picture.iter().min().expect("members"), picture.iter().max().expect("members"));
    println!("between {least} and {most} neighbours");
    assert!(*least >= 9 && *most <= 40, "{picture:?}");
    let poster = stage.members[17];
    let post = |peer: &mut Participant, now| peer.with(now, |member, now| member.post(now, None, "to all".into()));
    let begun = stage.world.now();
    stage.world.command(poster, post).expect("joined").expect("it may post");
    let others: Vec<HostId> = stage.members.iter().copied().filter(|&host| host != poster).collect();
    let heard = |world: &World<Participant>| {
        others.iter().all(|&host| world.host(host).told().any(|(_, event)| is_post(event)))
    };
    assert!(stage.world.wait_for(3 * S, heard));
    println!("the post is everywhere after {:?}", stage.world.now() - begun);
    let stats = others.iter().map(|&host| stage.world.host(host).node.group_stats());
    assert!(stats.clone().all(|stats| stats.overflowed == 0), "{:?}", stats.collect::<Vec<_>>());
}

fn is_post(event: &MemberEvent) -> bool {
    matches!(event, MemberEvent::Posting(PostingEvent::Notify(_)))
}
