//! Everybody speaks, and hears all others.

use std::time::Duration;

use super::world::{World, ms, named, number_of};
use crate::base::Instant;
use crate::service::multicast::{StreamSettings, Wanted};

#[test]
fn eight_speak_and_hear_each_other_at_once() {
    let mut world = World::new(1);
    (0..8).for_each(|_| {
        world.add();
    });
    let mut slowest = Duration::ZERO;
    for a in 0..8 {
        for b in 0..a {
            let latency = Duration::from_micros(10_000 + world.rng.below(70_000));
            slowest = slowest.max(2 * latency);
            world.link(a, b, latency);
        }
    }
    let settings = StreamSettings::for_latency(ms(300));
    let keys: Vec<_> = (0..8).map(|node| world.publish(node, &format!("voice {node}"), settings)).collect();
    for node in 0..8 {
        for other in (0..8).filter(|other| *other != node) {
            let latency = Some(Duration::ZERO);
            world.play(node, Wanted { latency, ..named(&format!("voice {other}")) });
        }
    }
    for _ in 0..500 {
        (0..8).for_each(|node| {
            world.feed(node, keys[node], 160, true);
        });
        world.run(ms(20));
    }
    world.run(ms(2000));
    let mut delays = Vec::new();
    for node in &world.nodes {
        // When all know each other.
        let shown = node.shown().map(|(at, shown)| (at, world.written[&number_of(&shown.unit)]));
        let shown = shown.filter(|(_, written)| *written > Instant::ZERO + ms(1000));
        delays.extend(shown.map(|(at, written)| at.since(written)));
    }
    delays.sort_unstable();
    let at = |share: usize| delays[delays.len() * share / 1000];
    let lost: u64 = world.nodes.iter().map(|node| node.lost()).sum();
    println!("talk {} {lost} {:?} {:?} {:?} {slowest:?}", delays.len(), at(500), at(990), at(999));
    assert!(at(990) < ms(300) + slowest);
}
