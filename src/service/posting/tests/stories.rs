//! Posts among honest members.

use std::time::Duration;

use super::world::{World, ms};
use crate::service::posting::{PostId, PostingStats};

/// `posts` posts of random members, `pause` apart. What was posted, and what was counted meanwhile.
fn chatter(world: &mut World, posts: usize, pause: Duration) -> (Vec<PostId>, f64) {
    let before = world.stats();
    let members: Vec<usize> = (0..world.nodes.len()).filter(|node| world.nodes[*node].up).collect();
    let ids = (0..posts)
        .map(|count| {
            let node = members[world.rng.below(members.len() as u64) as usize];
            let id = world.post(node, format!("post {count}"));
            world.run(pause);
            id
        })
        .collect();
    world.run(ms(4000));
    (ids, redundancy(before, world.stats()))
}

fn redundancy(before: PostingStats, after: PostingStats) -> f64 {
    (after.duplicates - before.duplicates) as f64 / (after.received - before.received).max(1) as f64
}

fn measure(members: usize, posts: usize) {
    let mut world = World::of(7, members, 23);
    world.run(ms(5000));
    let all: Vec<usize> = (0..members).collect();
    for round in 0..4 {
        let stats = world.stats();
        let (ids, redundancy) = chatter(&mut world, posts, ms(100));
        let after = world.stats();
        let deliveries = (after.received - stats.received).max(1);
        eprintln!(
            "{members} members, round {round}: {:?} redundancy {redundancy:.3}, control {} B a delivery",
            world.report(&ids, &all),
            (after.control.0 - stats.control.0) / deliveries
        );
    }
}

#[test]
#[ignore = "prints figures"]
fn figures() {
    for (members, posts) in [(2, 20), (3, 20), (5, 20), (20, 50), (100, 50)] {
        measure(members, posts);
    }
}

#[test]
#[ignore = "prints figures"]
fn figures_large() {
    measure(1000, 50);
}
