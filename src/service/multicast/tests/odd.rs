//! Streams that are large, late, broken off or doubled.

use std::time::Duration;

use super::world::{BEGIN, GROUP, World, config, head, identity, ms, named, number_of, unit};
use crate::base::Instant;
use crate::group::{GrantKind, SignKey, sign_grant};
use crate::service::multicast::media::Unit;
use crate::service::multicast::{MulticastConfig, StreamError, StreamEvent, StreamSettings, Wanted};

/// Four members, all neighbours of each other, of whom all but the first play.
fn four(seed: u64, latency: Duration) -> (World, StreamSettings) {
    let mut world = World::of(seed, 4, 3);
    (1..4).for_each(|node| {
        world.play(node, named("news"));
    });
    (world, StreamSettings::for_latency(latency))
}

/// Everything that was written until now was shown to all players, from the first number that each was shown.
fn all_is_there(world: &World, players: impl IntoIterator<Item = usize>, first: u64) {
    let last = *world.written.keys().last().expect("something was written");
    for node in players {
        let numbers = world.nodes[node].numbers();
        assert!(numbers.first().is_some_and(|begin| *begin <= first), "{node}: {:?}", numbers.first());
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{node}: {numbers:?}");
        assert_eq!(numbers.last(), Some(&last), "{node}");
        assert_eq!(world.nodes[node].lost(), 0);
    }
}

#[test]
fn key_frames_of_two_mebibytes_arrive() {
    let (mut world, settings) = four(1, ms(2000));
    let key = world.publish(0, "news", settings);
    for count in 0..100 {
        world.feed(0, key, if count % 25 == 0 { 2 << 20 } else { 4_000 }, count % 25 == 0);
        world.run(ms(40));
    }
    world.run(ms(3000));
    all_is_there(&world, 1..4, 25);
    let shown = world.nodes[1].shown().map(|(_, shown)| &shown.unit);
    for shown in shown {
        let number = number_of(shown);
        let is_key = number.is_multiple_of(25);
        assert_eq!(*shown, unit(number, if is_key { 2 << 20 } else { 4_000 }, is_key));
    }
}

#[test]
fn sixty_megabits_a_second() {
    let (mut world, settings) = four(2, ms(1500));
    let key = world.publish(0, "news", settings);
    for count in 0..100 {
        world.feed(0, key, 300_000, count % 25 == 0);
        world.run(ms(40));
    }
    world.run(ms(3000));
    all_is_there(&world, 1..4, 25);
    let info = world.info(1, key);
    let fragments = info.fragments_pushed_from_peers + info.fragments_requested_from_peers;
    assert!(fragments < 2 * 275 * 4, "{fragments} fragments in four seconds");
}

#[test]
fn an_input_that_stalls_for_half_a_minute_goes_on() {
    let (mut world, settings) = four(3, ms(1000));
    let key = world.publish(0, "news", settings);
    world.stream(0, key, 100_000, ms(3000));
    world.run(ms(30_000));
    world.stream(0, key, 100_000, ms(3000));
    world.run(ms(2000));
    all_is_there(&world, 1..4, 25);
    assert!((1..4).all(|node| world.nodes[node].count(|event| matches!(event, StreamEvent::Reset { .. })) == 1));
}

#[test]
fn timestamps_may_wrap_and_jump() {
    let (mut world, settings) = four(4, ms(1000));
    let key = world.publish(0, "news", settings);
    let stamps = [0, u32::MAX - 1, 3, 1 << 31, 7, 7, 0];
    let units: Vec<Unit> = (0..70)
        .map(|number| Unit { timestamp: stamps[number as usize % 7], ..unit(number, 3000, number % 10 == 0) })
        .collect();
    for unit in &units {
        world.write(0, key, unit).unwrap();
        world.run(ms(40));
    }
    world.run(ms(2000));
    for node in 1..4 {
        let shown: Vec<&Unit> = world.nodes[node].shown().map(|(_, shown)| &shown.unit).collect();
        assert!(shown.len() >= 60);
        assert_eq!(shown, units[units.len() - shown.len()..].iter().collect::<Vec<_>>());
    }
}

#[test]
fn who_comes_late_begins_with_a_key_frame_and_its_head() {
    let (mut world, settings) = four(5, ms(2000));
    let key = world.publish(0, "news", settings);
    world.stream(0, key, 250_000, ms(5500));
    let late = world.add();
    world.link_some(late, 4);
    world.play(late, named("news"));
    let began = world.now;
    for _ in 0..75 {
        world.feed(0, key, 8000, false);
        world.run(ms(40));
    }
    let (_, first) = world.nodes[late].shown().next().expect("it plays");
    assert!(first.unit.key && !first.is_first && first.head == head());
    assert_eq!(number_of(&first.unit), 125, "the newest that there was");
    assert!(first.ready.since(began) < ms(1000), "{:?}", first.ready.since(began));
}

#[test]
fn a_publisher_that_comes_back_is_played_on() {
    let (mut world, settings) = four(6, ms(1000));
    let first = world.publish(0, "news", settings);
    world.stream(0, first, 100_000, ms(3000));
    world.kill(0);
    world.run(ms(1000));
    // The same identity in another process.
    world.nodes[0].peer.0[0] ^= 1;
    let again = world.add_with(config(identity(1)));
    world.link_some(again, 4);
    let second = world.publish(again, "news", settings);
    world.stream(again, second, 100_000, ms(10_000));
    for node in 1..4 {
        let resets: Vec<_> =
            world.nodes[node].events.iter().filter(|(_, event)| matches!(event, StreamEvent::Reset { .. })).collect();
        assert_eq!(resets.len(), 2, "{node}: {resets:?}");
        let last = world.nodes[node].numbers().last().copied();
        assert!(last > Some(290), "{node}: {last:?}");
    }
    world.unpublish(again, second);
    world.run(ms(2000));
    let third = world.publish(again, "news", settings);
    world.stream(again, third, 100_000, ms(3000));
    for node in 1..4 {
        let node = &world.nodes[node];
        assert_eq!(node.count(|event| matches!(event, StreamEvent::End { .. })), 1);
        assert_eq!(node.count(|event| matches!(event, StreamEvent::Reset { .. })), 3);
        assert!(node.numbers().last() > Some(&360));
    }
}

#[test]
fn of_two_of_one_name_the_first_is_played_until_it_ends() {
    let (mut world, settings) = four(7, ms(500));
    let other = world.add();
    world.link_some(other, 4);
    let (one, two) = (world.publish(0, "news", settings), world.publish(other, "news", settings));
    let (name, publisher) = (String::from("news"), Some(world.nodes[other].peer));
    world.stream(0, one, 50_000, ms(1000));
    let chosen = world.play(1, Wanted { name, publisher, latency: None });
    for _ in 0..75 {
        world.feed(0, one, 2000, true);
        world.feed(other, two, 2000, true);
        world.run(ms(40));
    }
    world.unpublish(0, one);
    world.stream(other, two, 50_000, ms(3000));
    for node in 1..4 {
        let resets: Vec<_> = world.nodes[node]
            .events
            .iter()
            .filter_map(|(_, event)| match event {
                StreamEvent::Reset { play, key, .. } if *play != chosen || node != 1 => Some(*key),
                _ => None,
            })
            .collect();
        assert_eq!(resets, [one, two], "{node}");
    }
    let of_chosen = world.nodes[1].events.iter().filter_map(|(_, event)| match event {
        StreamEvent::Reset { play, key, .. } if *play == chosen => Some(*key),
        _ => None,
    });
    assert_eq!(of_chosen.collect::<Vec<_>>(), [two]);
}

#[test]
fn a_publisher_that_vanished_is_forgotten() {
    let (mut world, settings) = four(8, ms(500));
    // One who does not play.
    let idle = world.add();
    world.link_some(idle, 4);
    let key = world.publish(0, "news", settings);
    world.stream(0, key, 50_000, ms(2000));
    world.kill(0);
    world.run(Duration::from_secs(290));
    let gone = |event: &StreamEvent| matches!(event, StreamEvent::UnpublishNotify { .. });
    assert!((1..=idle).all(|node| world.nodes[node].count(gone) == 0));
    world.run(Duration::from_secs(20));
    for node in 1..=idle {
        assert_eq!(world.nodes[node].count(gone), 1, "{node}");
        assert_eq!(world.nodes[node].multicast.streams().count(), 0);
    }
}

#[test]
fn a_publisher_that_is_there_is_not_forgotten_by_those_who_do_not_play() {
    let (mut world, settings) = four(9, ms(500));
    let idle = world.add();
    world.link_some(idle, 4);
    let key = world.publish(0, "news", settings);
    world.feed(0, key, 100, true);
    world.run(Duration::from_secs(400));
    assert!((1..=idle).all(|node| world.nodes[node].multicast.streams().count() == 1));
    world.unpublish(0, key);
    world.run(Duration::from_secs(30));
    let gone = |event: &StreamEvent| matches!(event, StreamEvent::UnpublishNotify { .. });
    assert!((1..=idle).all(|node| world.nodes[node].count(gone) == 1));
    assert!((0..=idle).all(|node| world.nodes[node].multicast.streams().count() == 0));
}

#[test]
fn a_grant_is_needed_where_the_group_says_so() {
    let key = SignKey::from_seed(&[5; 32]);
    let now = BEGIN.as_millis() as u64;
    let day = 86_400_000;
    let publisher = identity(1).peer_id();
    let grant = |kind, of, until| Some(sign_grant(&key, kind, GROUP, of, until));
    let cases = [
        (grant(GrantKind::Publishing, publisher, now + day), true),
        (None, false),
        (grant(GrantKind::Posting, publisher, now + day), false),
        (grant(GrantKind::Publishing, publisher, now - 1), false),
        (grant(GrantKind::Publishing, identity(2).peer_id(), now + day), false),
        (Some(sign_grant(&SignKey::from_seed(&[6; 32]), GrantKind::Publishing, GROUP, publisher, now + day)), false),
    ];
    for (grant, valid) in cases {
        // Who asks itself, and who does not: the publisher's own service refuses, and so do all others.
        for asks in [true, false] {
            let mut world = World::new(1);
            let publishing_key = Some(key.public());
            let ours = asks.then_some(key.public());
            let publisher = config(identity(1));
            let grant = grant.clone();
            world.add_with(MulticastConfig { publishing_key: ours, grant, ..publisher });
            world.add_with(MulticastConfig { publishing_key, ..config(identity(2)) });
            world.link(0, 1, ms(10));
            world.play(1, named("news"));
            let published =
                world.nodes[0].multicast.publish(Instant::ZERO, "news", StreamSettings::for_latency(ms(200)));
            let Ok(stream) = published else {
                assert_eq!((published, valid), (Err(StreamError::NoGrant), false));
                continue;
            };
            assert!(valid || !asks);
            world.stream(0, stream, 10_000, ms(1000));
            world.run(ms(1000));
            assert_eq!(world.nodes[1].shown().count() > 20, valid);
            assert_eq!(world.nodes[1].multicast.streams().count() == 1, valid);
        }
    }
}

#[test]
fn what_cannot_be_published_is_refused() {
    let mut world = World::new(1);
    world.add();
    let settings = StreamSettings::for_latency(ms(200));
    let multicast = &mut world.nodes[0].multicast;
    let name = "n".repeat(256);
    assert_eq!(multicast.publish(Instant::ZERO, &name, settings), Err(StreamError::Name));
    let keys: Vec<_> = (0..8).map(|_| multicast.publish(Instant::ZERO, "news", settings).unwrap()).collect();
    assert_eq!(multicast.publish(Instant::ZERO, "news", settings), Err(StreamError::TooMany));
    let long = unit(1, (16 << 20) + 1, true);
    assert_eq!(multicast.write(Instant::ZERO, keys[0], &long, &head()), Err(StreamError::TooLong));
    assert_eq!(multicast.write(Instant::ZERO, keys[0], &unit(1, 16 << 20, true), &head()), Ok(()));
    multicast.unpublish(Instant::ZERO, keys[0]);
    assert_eq!(multicast.write(Instant::ZERO, keys[0], &unit(1, 10, true), &head()), Err(StreamError::Unknown));
}
