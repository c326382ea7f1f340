//! One publishes, others play.

use super::world::{World, ms, named};
use crate::group::Lane;
use crate::service::multicast::{StreamEvent, StreamSettings};

#[test]
fn one_publishes_and_others_play() {
    let mut world = World::of(1, 5, 4);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(1000)));
    (1..5).for_each(|node| {
        world.play(node, named("news"));
    });
    world.stream(0, key, 250_000, ms(10_000));
    world.unpublish(0, key);
    world.run(ms(3000));
    assert!(world.info(0, key).bytes_pushed_to_peers > 0, "after its end, what was published is there for who asks");
    let all: Vec<u64> = (0..250).collect();
    for node in 1..5 {
        let node = &world.nodes[node];
        assert_eq!(node.lost(), 0);
        let numbers = node.numbers();
        let first = node.shown().next().expect("something was shown").1;
        assert!(first.unit.key);
        assert_eq!(numbers, all[all.len() - numbers.len()..]);
        assert!(numbers.len() >= 225, "{}", numbers.len());
        let count = |of: fn(&StreamEvent) -> bool| node.count(of);
        assert_eq!(count(|event| matches!(event, StreamEvent::PublishNotify { .. })), 1);
        assert_eq!(count(|event| matches!(event, StreamEvent::Reset { .. })), 1);
        assert_eq!(count(|event| matches!(event, StreamEvent::End { .. })), 1);
        assert_eq!(count(|event| matches!(event, StreamEvent::UnpublishNotify { .. })), 1);
    }
}

#[test]
fn who_alters_a_fragment_is_left_and_nothing_is_missed() {
    let mut world = World::of(2, 6, 5);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(1000)));
    (1..6).for_each(|node| {
        world.play(node, named("news"));
    });
    world.stream(0, key, 250_000, ms(3000));
    world.corrupt(1, |_, lane, message| {
        let mut altered = message.to_vec();
        if matches!(lane, Lane::Fragments(_)) {
            *altered.last_mut().expect("it has bytes") ^= 1;
        }
        vec![altered.into()]
    });
    world.stream(0, key, 250_000, ms(3000));
    world.kill(2);
    world.stream(0, key, 250_000, ms(3000));
    let rogue = world.nodes[1].peer;
    let left = (0..6).filter(|node| world.nodes[*node].banned.contains_key(&rogue)).count();
    assert!(left > 0);
    for node in 3..6 {
        assert_eq!(world.nodes[node].lost(), 0);
        let numbers = world.nodes[node].numbers();
        assert!(
            numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) && numbers.last() > Some(&190),
            "{node}: {numbers:?}"
        );
        assert!(world.nodes[node].banned.keys().all(|peer| *peer == rogue));
    }
}
