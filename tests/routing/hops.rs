//! How many links a message passes, by the rule alone.

use std::collections::{BTreeMap, BTreeSet};

use p2pt::base::{PeerId, Rng};
use p2pt::group::{Goal, GroupAddress, Step, Trail, View, next_step};

use crate::ring::{links, peers, percentile, views};

/// Links from `from` to wherever it ends.
fn walk(views: &[View], places: &BTreeMap<PeerId, usize>, goal: &Goal, from: usize) -> (usize, u32) {
    let (mut at, mut hops, mut trail) = (from, 0, Trail::default());
    loop {
        match next_step(&views[at], goal, &mut trail, &|_| false) {
            Step::Here => return (at, hops),
            Step::NoWay => panic!("there is always a way"),
            Step::To(peer) => {
                at = places[&peer];
                hops += 1;
                assert!(hops < 64, "a message circles");
            }
        }
    }
}

fn measure(count: usize, walks: u64, seed: u64) -> (u32, u32) {
    let mut rng = Rng::for_simulation(seed);
    let peers = peers(count, &mut rng);
    let alive: BTreeSet<usize> = (0..count).collect();
    let views = views(&peers, &alive, &links(&peers, &alive, &BTreeSet::new(), seed), seed);
    let mut ring: Vec<GroupAddress> = peers.iter().map(|peer| GroupAddress::of(*peer)).collect();
    ring.sort_unstable();
    let places = peers.iter().enumerate().map(|(at, peer)| (*peer, at)).collect();
    let mut hops: Vec<u32> = (0..walks)
        .map(|_| {
            let target = GroupAddress(rng.bytes());
            let goal = Goal { target, exact: false, any_mode: false };
            let (end, hops) = walk(&views, &places, &goal, rng.below(count as u64) as usize);
            let next = ring.partition_point(|address| *address < target);
            let around = [ring[next % count], ring[(next + count - 1) % count]];
            let nearest = around.iter().map(|address| address.distance(target)).min();
            assert_eq!(Some(views[end].address().distance(target)), nearest, "seed {seed}: not the nearest");
            hops
        })
        .collect();
    let figures = (percentile(&mut hops, 50), percentile(&mut hops, 99));
    println!("{count} members: hops p50 {}, p99 {}", figures.0, figures.1);
    figures
}

#[test]
fn hops_grow_as_the_logarithm_of_the_group() {
    let long = std::env::var_os("P2PT_LONG").is_some();
    for (count, walks) in [(100, 300), (1_000, 300), (10_000, 200), (if long { 100_000 } else { 10 }, 200)] {
        let (_, p99) = measure(count, walks, 7);
        assert!(p99 <= count.ilog2() + 2, "{count} members: {p99} hops");
    }
}
