//! Members that do not do what they should.

use std::time::Duration;

use bytes::Bytes;

use super::world::{World, identity, ms, named};
use crate::base::Rng;
use crate::group::Lane;
use crate::service::multicast::{
    FragmentDigest, FragmentsMap, OwnMessage, StreamKey, StreamMessage, StreamSettings, sign_manifest,
};

/// Ten members of whom eight play well, one publishes, and number 1 does what `manner` does, from the third second on.
fn story(seed: u64, manner: impl FnMut(&mut Rng, StreamKey, Lane, &Bytes) -> Vec<Bytes> + 'static) -> World {
    let mut manner = manner;
    let mut world = World::of(seed, 10, 6);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(1500)));
    (1..10).for_each(|node| {
        world.play(node, named("news"));
    });
    world.stream(0, key, 150_000, ms(2000));
    world.corrupt(1, move |rng, lane, message| manner(rng, key, lane, message));
    world.stream(0, key, 150_000, ms(5000));
    world.run(ms(3000));
    world
}

/// The others got everything, and nobody blames one of them; how many have left the bad one.
fn nothing_is_missed(world: &World, seed: u64) -> usize {
    let rogue = world.nodes[1].peer;
    let last = *world.written.keys().last().unwrap();
    for node in (0..10).filter(|node| *node != 1) {
        let good = &world.nodes[node];
        assert!(good.banned.keys().all(|peer| *peer == rogue), "seed {seed}: {node} blames {:?}", good.banned);
        if node > 0 {
            let numbers = good.numbers();
            assert!(
                numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
                "seed {seed}: {node} misses some: {numbers:?}"
            );
            assert_eq!((numbers.last(), good.lost()), (Some(&last), 0), "seed {seed}: {node}");
        }
    }
    (0..10).filter(|node| world.nodes[*node].banned.contains_key(&rogue)).count()
}

fn seeds() -> std::ops::Range<u64> {
    0..if std::env::var_os("P2PT_LONG").is_some() { 30 } else { 1 }
}

#[test]
fn a_relay_that_alters_fragments_is_left() {
    for seed in seeds() {
        let world = story(seed, |rng, _, lane, message| {
            let mut message = message.to_vec();
            if matches!(lane, Lane::Fragments(_)) {
                let at = rng.below(message.len() as u64) as usize;
                message[at] ^= 1;
            }
            vec![message.into()]
        });
        assert!(nothing_is_missed(&world, seed) > 0);
    }
}

#[test]
fn a_fragment_under_another_number_or_of_another_stream_is_none() {
    for seed in seeds() {
        let mut other = None;
        let world = story(seed, move |_, _, lane, message| {
            if !matches!(lane, Lane::Fragments(_)) {
                return vec![message.clone()];
            }
            // The last one's data under this one's number.
            let fragment = crate::service::multicast::Fragment::decode(message).unwrap();
            let mut renumbered = Vec::new();
            let data = other.replace(Bytes::copy_from_slice(fragment.data)).unwrap_or_default();
            crate::service::multicast::Fragment { data: &data, ..fragment }.put(&mut renumbered);
            vec![renumbered.into()]
        });
        assert!(nothing_is_missed(&world, seed) > 0);
    }
}

#[test]
fn an_end_that_is_forged_ends_nothing_and_a_foreign_manifest_vouches_for_nothing() {
    let forger = identity(2);
    for seed in seeds() {
        for end in [true, false] {
            let forger = forger.clone();
            let world = story(seed, move |_, key, lane, message| {
                let mut messages = vec![message.clone()];
                if lane == Lane::Manifests && message[0] == 2 {
                    let marks = [(FragmentDigest::of(b"mine"), true)];
                    let at = (1 << 40, 5000);
                    let marks = if end { &[][..] } else { &marks };
                    let manifest = sign_manifest(&forger, super::world::GROUP, key, at, marks, end);
                    messages.push(OwnMessage::Manifest(manifest).encode());
                }
                if matches!(lane, Lane::Stream(_)) {
                    messages.push(StreamMessage::End(1000).encode().into());
                }
                messages
            });
            assert!(nothing_is_missed(&world, seed) > 0);
        }
    }
}

#[test]
fn who_promises_everything_and_gives_nothing_does_no_harm() {
    for seed in seeds() {
        let world = story(seed, |_, key, lane, message| match lane {
            Lane::Fragments(_) => Vec::new(),
            Lane::Stream(_) if message[0] == 0x22 => {
                vec![StreamMessage::Map(FragmentsMap::new(1, 1 << 30, |_| true)).encode().into()]
            }
            Lane::Manifests => match OwnMessage::decode(message) {
                Ok(OwnMessage::Manifest(_)) => Vec::new(),
                Ok(OwnMessage::Standing { mut standing, .. }) => {
                    standing.lags = standing.lags.map(|_| Some(Duration::ZERO));
                    standing.free = standing.free.map(|_| 200);
                    standing.newest = 1 << 40;
                    vec![OwnMessage::Standing { key, standing }.encode()]
                }
                Ok(OwnMessage::Granted { .. }) => {
                    vec![OwnMessage::Granted { key, slices: 255, manifests: true }.encode()]
                }
                _ => vec![message.clone()],
            },
            _ => vec![message.clone()],
        });
        nothing_is_missed(&world, seed);
    }
}

#[test]
fn floods_and_nonsense_do_no_harm() {
    for seed in seeds() {
        let world = story(seed, |rng, _, _, message| {
            let mut messages = vec![message.clone(); 3];
            for _ in 0..3 {
                let mut mutated = message.to_vec();
                for _ in 0..1 + rng.below(3) {
                    let at = rng.below(mutated.len() as u64) as usize;
                    mutated[at] = rng.u32() as u8;
                }
                messages.push(mutated.into());
            }
            messages
        });
        assert!(nothing_is_missed(&world, seed) > 0);
    }
}

#[test]
fn any_message_is_taken_or_refused() {
    let rounds = if std::env::var_os("P2PT_LONG").is_some() { 100_000 } else { 3_000 };
    let mut world = World::of(7, 3, 2);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(500)));
    world.play(1, named("news"));
    world.play(2, named("news"));
    // What one hears of the others, again and again, changed.
    let heard = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    for node in [0, 2] {
        let heard = heard.clone();
        world.corrupt(node, move |_, lane, message| {
            heard.borrow_mut().push((lane, message.clone()));
            vec![message.clone()]
        });
    }
    world.stream(0, key, 50_000, ms(2000));
    let heard = heard.borrow().clone();
    let mut rng = Rng::for_simulation(3);
    for round in 0..rounds {
        let (lane, message) = &heard[rng.below(heard.len() as u64) as usize];
        let mut mutated = message.to_vec();
        match rng.below(3) {
            0 => mutated.truncate(rng.below(mutated.len() as u64 + 1) as usize),
            1 => mutated.extend(rng.bytes::<5>()),
            _ => {}
        }
        for _ in 0..rng.below(4) {
            if let Some(byte) = (!mutated.is_empty()).then(|| rng.below(mutated.len() as u64)) {
                mutated[byte as usize] = rng.u32() as u8;
            }
        }
        let from = 2 * rng.below(2) as usize;
        if world.links.contains_key(&(from, 1)) {
            world.carry(from, 1, *lane, mutated.into());
        } else {
            // It was left for what it said: it comes again.
            world.nodes[1].banned.clear();
            world.link(from, 1, ms(10));
        }
        if round % 10 == 0 {
            world.feed(0, key, 500, true);
            world.run(ms(10));
        }
    }
    world.run(ms(1000));
    assert!(world.nodes[1].shown().count() > 40);
}
