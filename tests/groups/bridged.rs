//! Members that cannot connect to each other, over the others.

use crate::acts::LIFE;
use crate::stage::{MS, S, Stage, Ways};
use p2pt::sim::Nat;

fn behind(nat: Nat) -> Ways {
    Ways { nat: Some(nat), ..Ways::registered() }
}

#[test]
fn posts_messages_and_values_go_both_ways_between_two_symmetric_nats() {
    // With one other member there is only one way, with three there are several.
    for (seed, others) in [(30, 1), (31, 3)] {
        let mut stage = Stage::new(seed);
        stage.add_server();
        let open = stage.crowd(others, &Ways::registered());
        let pair = stage.crowd(2, &behind(Nat::SYMMETRIC));
        stage.world.run_for(30 * S);
        assert!(!stage.are_neighbours(pair[0], pair[1]), "they are kept apart");
        let mut posts = Vec::new();
        for (number, (from, to)) in [(pair[0], pair[1]), (pair[1], pair[0])].into_iter().cycle().take(10).enumerate() {
            let post = format!("post {number}");
            stage.post(from, &post);
            posts.push((from, post));
            stage.route(from, to, &format!("message {number}"));
            let (key, value) = (format!("key {number}"), format!("value {number}"));
            assert_eq!(stage.put(from, &key, Some(&value), LIFE), others + 2, "copies at all");
            for records in stage.get(&[to, from, open[0]], &key) {
                let found: Vec<_> = records.iter().map(|record| record.value.clone()).collect();
                assert_eq!(found, [Some(value.clone().into())]);
            }
        }
        let members = stage.members.clone();
        stage.wait_posts(&posts, &members, 2 * S);
        assert!(!stage.are_neighbours(pair[0], pair[1]), "they still are");
    }
}

#[test]
fn ten_members_are_a_full_mesh_with_all_three_services() {
    let mut stage = Stage::new(32);
    stage.add_server();
    for nat in [None, Some(Nat::FULL_CONE), Some(Nat::PORT_RESTRICTED), Some(Nat::PORT_RESTRICTED), None] {
        stage.crowd(2, &Ways { nat, ..Ways::registered() });
    }
    let took = stage.wait_mesh(5 * S);
    println!("ten members are a mesh after {took:?}");
    let members = stage.members.clone();
    let mut posts = Vec::new();
    for (number, &author) in members.iter().enumerate() {
        let post = format!("post {number}");
        stage.post(author, &post);
        posts.push((author, post));
        stage.route(author, members[(number + 3) % 10], &format!("message {number}"));
    }
    stage.wait_posts(&posts, &members, S);
    stage.put(members[4], "key", Some("value"), LIFE);
    assert!(stage.get(&members, "key").iter().all(|records| records.len() == 1));
    stage.world.run_for(60 * S);
    stage.wait_mesh(MS);
}
