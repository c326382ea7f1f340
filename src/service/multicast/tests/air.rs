//! Streams on the group's own IP multicast address, and fusion.

use bytes::Bytes;

use super::world::{World, ms, named};
use crate::service::multicast::{MulticastInfo, StreamKey, StreamSettings};

/// Of eight members that are linked, the first publishes 2 Mbit/s and these hear it on IP multicast.
fn world(seed: u64, on_air: &[usize], loss: u64) -> (World, StreamKey) {
    let mut world = World::of(seed, 8, 6);
    world.put_on_air(on_air, loss);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(1000)));
    (1..8).for_each(|node| {
        world.play(node, named("news"));
    });
    (world, key)
}

fn assert_whole(world: &World, node: usize, units: u64) {
    let numbers = world.nodes[node].numbers();
    let first = numbers.first().copied().expect("something was shown");
    assert!(first <= 25, "{node} began with {first}");
    let missed: Vec<u64> = (first..units).filter(|number| !numbers.contains(number)).collect();
    assert_eq!((missed, world.nodes[node].lost()), (vec![], 0), "member {node}");
    assert!(numbers.is_sorted());
    assert!(world.nodes[node].banned.is_empty());
}

/// The share of the bytes of fragments that were heard.
fn heard(info: &MulticastInfo) -> f64 {
    let from_peers = info.bytes_pushed_from_peers + info.bytes_requested_from_peers;
    info.bytes_received_from_ip_multicast as f64 / (info.bytes_received_from_ip_multicast + from_peers) as f64
}

#[test]
fn what_is_lost_on_the_air_is_asked_of_neighbours_and_nobody_pushes() {
    for seed in 0..5 {
        let all: Vec<usize> = (0..8).collect();
        let (mut world, key) = world(seed, &all, 20);
        world.stream(0, key, 250_000, ms(3000));
        let before: Vec<MulticastInfo> = (0..8).map(|node| world.info(node, key)).collect();
        world.stream(0, key, 250_000, ms(10_000));
        for node in 1..8 {
            let (before, after) = (before[node], world.info(node, key));
            let pushed = after.fragments_pushed_from_peers - before.fragments_pushed_from_peers;
            let asked = after.fragments_requested_from_peers - before.fragments_requested_from_peers;
            let heard = after.fragments_received_from_ip_multicast - before.fragments_received_from_ip_multicast;
            // What was asked of two comes from the second as if it were pushed.
            assert!(33 * pushed < heard, "seed {seed}, member {node}: {pushed} beside {heard}");
            // Of twenty one was lost.
            assert!((0.02..0.09).contains(&(asked as f64 / (asked + heard) as f64)), "{asked} and {heard}");
        }
        world.unpublish(0, key);
        world.run(ms(3000));
        (1..8).for_each(|node| assert_whole(&world, node, 325));
        let published = world.info(0, key);
        assert!(published.bytes_pushed_to_ip_multicast > 0);
        let given = published.bytes_pushed_to_peers + published.bytes_requested_by_peers;
        assert!(given < published.bytes_pushed_to_ip_multicast, "the publisher sends little beside: {given}");
    }
}

#[test]
fn nearly_all_comes_by_air_where_nothing_is_lost() {
    let all: Vec<usize> = (0..8).collect();
    let (mut world, key) = world(3, &all, 0);
    world.stream(0, key, 250_000, ms(20_000));
    for node in 1..8 {
        let share = heard(&world.info(node, key));
        assert!(share >= 0.95, "member {node}: {share}");
        assert_eq!(world.info(node, key).bytes_requested_from_peers, 0);
    }
}

#[test]
fn who_does_not_hear_it_gets_it_from_those_who_do_and_silence_on_the_air_stops_nobody() {
    let (mut world, key) = world(4, &[0, 1, 2, 3], 20);
    world.stream(0, key, 250_000, ms(6000));
    for node in 4..8 {
        assert_eq!(world.info(node, key).bytes_received_from_ip_multicast, 0);
    }
    // The switch forgets the group.
    world.put_on_air(&[], 0);
    world.stream(0, key, 250_000, ms(6000));
    world.put_on_air(&[0, 1, 2, 3, 4, 5], 3);
    world.stream(0, key, 250_000, ms(6000));
    world.unpublish(0, key);
    world.run(ms(3000));
    (1..8).for_each(|node| assert_whole(&world, node, 450));
}

#[test]
fn nobody_is_blamed_for_what_a_member_says_on_the_air() {
    let all: Vec<usize> = (0..8).collect();
    let (mut world, key) = world(5, &all, 0);
    for second in 0..6 {
        world.stream(0, key, 250_000, ms(1000));
        // Somebody says nonsense, and a fragment of the stream that was altered.
        for message in [&[][..], &[9], &[0x01, 3, 3], &[0x02, 7], &[0x80], &[0x80, 1, 2, 3, 4, 5, 6, 7, 8, 0x20]] {
            world.say(7, &Bytes::copy_from_slice(message));
        }
        let next = 280 * second + 1;
        for id in next..next + 400 {
            let mut message = [&[0x80][..], &key.0[..8]].concat();
            crate::service::multicast::Fragment { id, begin: None, remaining: 0, data: b"altered" }.put(&mut message);
            world.say(7, &message.into());
        }
    }
    world.unpublish(0, key);
    world.run(ms(3000));
    (1..7).for_each(|node| assert_whole(&world, node, 150));
    assert!((1..7).all(|node| world.info(node, key).forged > 0));
}
