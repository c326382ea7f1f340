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

#[test]
fn who_does_not_play_relays_to_those_who_have_nobody_else_and_only_then() {
    // In a row: the publisher, two who do not play, a player, one who does not play, a player.
    let mut world = World::new(3);
    (0..6).for_each(|_| {
        world.add();
    });
    (0..5).for_each(|node| world.link(node, node + 1, ms(20)));
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(500)));
    world.stream(0, key, 100_000, ms(3000));
    let takes = |world: &World, node| world.info(node, key).fragments_pushed_from_peers > 0;
    assert!((1..6).all(|node| !takes(&world, node)), "nobody plays");
    let near = world.play(3, named("news"));
    world.stream(0, key, 100_000, ms(5000));
    // Three have to be asked in turn before it begins.
    let (shown, lost) = (world.nodes[3].numbers().len(), world.nodes[3].lost());
    assert!(shown > 50 && lost < 10, "{shown} shown, {lost} lost");
    assert!((1..4).all(|node| takes(&world, node)) && (4..6).all(|node| !takes(&world, node)));
    let far = world.play(5, named("news"));
    world.stream(0, key, 100_000, ms(30_000));
    assert!(world.nodes[5].numbers().len() > 700 && world.nodes[5].lost() == 0);
    for (node, play) in [(3, near), (5, far)] {
        world.nodes[node].multicast.stop(world.now, play);
        world.drain(node);
    }
    world.stream(0, key, 100_000, ms(25_000));
    let before: Vec<_> = (1..6).map(|node| world.info(node, key).fragments_pushed_from_peers).collect();
    world.stream(0, key, 100_000, ms(2000));
    let after: Vec<_> = (1..6).map(|node| world.info(node, key).fragments_pushed_from_peers).collect();
    assert_eq!(before, after, "all have left again");
}
