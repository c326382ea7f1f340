//! Who leaves has said everything before.

use crate::stage::{MS, S, Stage, Ways};
use p2pt::group::{GroupspecBuilder, Lane};
use p2pt::node::replication::ReplicationEvent;
use p2pt::node::routing::{RoutingEvent, SendMode, SendResult};
use p2pt::node::{MemberEvent, NodeEvent};
use p2pt::sim::{HostId, Link, Participant, World};
use std::time::Duration;

/// The messages that a member was given, each by its first bytes.
fn routed(world: &World<Participant>, host: HostId) -> Vec<String> {
    let told = world.host(host).told().filter_map(|(_, event)| match event {
        MemberEvent::Routing(RoutingEvent::Notify(routed)) => {
            Some(String::from_utf8_lossy(&routed.body[..8.min(routed.body.len())]).into_owned())
        }
        _ => None,
    });
    told.collect()
}

fn left(world: &World<Participant>, host: HostId) -> bool {
    world.host(host).events.iter().any(|(_, event)| matches!(event, NodeEvent::GroupLeft { .. }))
}

/// Two members, one of which says so many messages of such a length and leaves at once.
fn say_and_leave(seed: u64, link: Link, count: usize, length: usize) -> (Vec<String>, Duration) {
    let mut stage = Stage::new(seed);
    stage.link = link;
    stage.add_server();
    let members = stage.crowd(2, &Ways::registered());
    stage.wait_mesh(5 * S);
    for number in 0..count {
        let body = format!("{number:08}{}", "x".repeat(length));
        let sent = stage
            .act(members[0], |member, now| member.send_to_neighbor(now, SendMode::NextIncreasing, body.clone().into()));
        assert_eq!(sent, SendResult::Sent);
    }
    let begun = stage.world.now();
    stage.world.command(members[0], |peer, now| peer.leave(now));
    assert!(stage.world.wait_for(5 * S, |world| left(world, members[0])), "it never left");
    let took = stage.world.now() - begun;
    stage.world.run_for(S);
    (routed(&stage.world, members[1]), took)
}

#[test]
fn what_was_said_arrives_though_its_author_leaves_at_once() {
    for seed in 400..440 {
        let (heard, _) = say_and_leave(seed, Link::IDEAL.delay(10 * MS).loss(0.05), 3, 5_000);
        assert_eq!(heard, ["00000000", "00000001", "00000002"], "seed {seed}");
    }
}

#[test]
fn what_a_newcomer_says_at_once_arrives() {
    for seed in 500..540 {
        let mut stage = Stage::new(seed);
        stage.link = Link::IDEAL.delay(10 * MS).loss(0.05);
        stage.add_server();
        let members = stage.crowd(2, &Ways::registered());
        // Whichever of them is the first to know the other says something, and leaves when that has arrived.
        let first = |world: &World<Participant>| {
            let knows = |&&host: &&HostId| world.host(host).view().is_some_and(|view| view.neighbours().len() > 0);
            members.iter().find(knows).copied()
        };
        assert!(stage.world.wait_for(10 * S, |world| first(world).is_some()), "seed {seed}");
        let author = first(&stage.world).expect("it was waited for");
        let sent =
            stage.act(author, |member, now| member.send_to_neighbor(now, SendMode::NextIncreasing, "00000000".into()));
        assert_eq!(sent, SendResult::Sent);
        let group = stage.world.host(author).group.expect("it is in the group");
        let arrived = |world: &World<Participant>| world.host(author).node.group_backlog(group, Lane::Routes) == 0;
        assert!(!arrived(&stage.world) && stage.world.wait_for(10 * S, arrived), "seed {seed}");
        stage.world.command(author, |peer, now| peer.leave(now));
        stage.world.run_for(2 * S);
        let other = members.iter().find(|&&host| host != author).copied().expect("two");
        assert_eq!(routed(&stage.world, other), ["00000000"], "seed {seed}");
    }
}

#[test]
fn what_waited_for_room_arrives_too() {
    // More than the lane takes at first: the rest waits in the service.
    let (heard, took) = say_and_leave(450, Link::IDEAL.delay(5 * MS), 11, 60_000);
    assert_eq!(heard.len(), 11, "after {took:?}");
    assert!(took < S, "{took:?}");
}

#[test]
fn who_has_said_everything_leaves_at_once() {
    let (_, took) = say_and_leave(451, Link::IDEAL.delay(10 * MS), 0, 0);
    assert!(took <= 150 * MS, "{took:?}");
}

#[test]
fn who_cannot_be_reached_any_more_is_not_waited_for() {
    let mut stage = Stage::new(452);
    stage.add_server();
    let members = stage.crowd(2, &Ways::registered());
    stage.wait_mesh(5 * S);
    stage.kill(members[1]);
    stage.act(members[0], |member, now| member.send_to_neighbor(now, SendMode::NextIncreasing, "x".into()));
    stage.world.command(members[0], |peer, now| peer.leave(now));
    assert!(stage.world.wait_for(1_600 * MS, |world| left(world, members[0])), "it waited on");
}

/// Objects of this length and number, whose bytes say which they are.
const OBJECT: usize = 64 << 10;
const OBJECTS: u64 = 40;

fn object(index: u64) -> Vec<u8> {
    index.to_be_bytes().repeat(OBJECT / 8)
}

/// Does what owners of objects do, for so long.
fn exchange(stage: &mut Stage, members: &[HostId], seen: &mut [usize], time: Duration) -> Vec<(usize, u64)> {
    let end = stage.world.now() + time;
    let mut came = Vec::new();
    while stage.world.now() < end {
        stage.world.run_for(5 * MS);
        for (at, &host) in members.iter().enumerate() {
            let told: Vec<ReplicationEvent> = stage
                .world
                .host(host)
                .told()
                .skip(seen[at])
                .inspect(|_| seen[at] += 1)
                .filter_map(|(_, event)| match event {
                    MemberEvent::Replication(event) => Some(event.clone()),
                    _ => None,
                })
                .collect();
            for event in told {
                match event {
                    ReplicationEvent::Request { index, request, .. } if stage.world.host(host).group.is_some() => {
                        let bytes = object(index).into();
                        stage.act(host, |member, now| member.write_requested_object(now, request, bytes)).unwrap();
                    }
                    ReplicationEvent::FetchResult { index, object: bytes, .. } => {
                        assert!(bytes == object(index), "object {index} has {} bytes", bytes.len());
                        came.push((at, index));
                        stage.act(host, |member, now| member.add_have_objects(now, index..index + 1)).unwrap();
                    }
                    ReplicationEvent::Misbehaved { reason, .. } => panic!("{reason}"),
                    _ => {}
                }
            }
        }
    }
    came
}

/// What is on its way when its giver leaves comes whole or not at all, and the rest comes from somebody else, soon.
#[test]
fn who_leaves_while_it_gives_leaves_nothing_half_and_nobody_waiting() {
    for seed in 600..604 {
        let mut stage = Stage::new(seed);
        stage.link = Link::IDEAL.delay(10 * MS).rate(8_000_000);
        stage.add_server();
        let spec = GroupspecBuilder::new("objects").unique([8; 32]).object_replication().server_channel().build();
        let spec = spec.expect("a good groupspec");
        let members: Vec<HostId> = (0..3)
            .map(|_| {
                let host = stage.add(None);
                let config = stage.config_of(host, spec.clone(), &Ways::registered());
                stage.world.command(host, |peer, now| peer.join(now, config));
                host
            })
            .collect();
        stage.world.run_for(3 * S);
        assert!(members[1..].iter().all(|&other| stage.are_neighbours(members[0], other)), "seed {seed}");
        for &holder in &members[..2] {
            stage.act(holder, |member, now| member.add_have_objects(now, 0..OBJECTS)).unwrap();
        }
        stage.act(members[2], |member, now| member.add_want_objects(now, 0..OBJECTS)).unwrap();
        let mut seen = [0; 3];
        let before = exchange(&mut stage, &members, &mut seen, 600 * MS).len();
        assert!(before > 0 && before < OBJECTS as usize - 5, "seed {seed}: it leaves in the middle: {before}");
        stage.world.command(members[0], |peer, now| peer.leave(now));
        let begun = stage.world.now();
        assert!(stage.world.wait_for(1_600 * MS, |world| left(world, members[0])), "seed {seed}: it never left");
        let took = stage.world.now() - begun;
        let after = exchange(&mut stage, &members[1..], &mut seen[1..], 5 * S).len();
        println!("seed {seed}: {before} before, {after} after; it took {took:?} to leave");
        assert_eq!(before + after, OBJECTS as usize, "seed {seed}");
    }
}
