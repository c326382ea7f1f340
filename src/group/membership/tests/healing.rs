//! Members come and go, links die, groups fall apart and meet again.

use std::collections::BTreeSet;

use super::net::{Net, ms};
use crate::group::Hint;

fn group(seed: u64, count: usize) -> Net {
    let mut net = Net::new(seed, ms(5));
    for _ in 0..count {
        net.join();
        net.run(ms(20));
    }
    net.until_closed(1, ms(5000)).unwrap_or_else(|| panic!("seed {seed}: the ring closes"));
    net
}

#[test]
fn thirty_per_cent_a_minute_come_and_go_and_the_ring_stays_closed() {
    let seed = 11;
    let mut net = group(seed, 60);
    let mut longest = ms(0);
    for round in 0..40 {
        // Every third goes without farewell; the creator first.
        let living = net.living();
        let victim = if round == 0 { 0 } else { living[net.rng.below(living.len() as u64) as usize] };
        net.remove(victim, round % 3 != 0);
        net.join();
        let start = net.now;
        let limit = net.gone_after + ms(2000);
        let closed = net.until_closed(1, limit);
        longest = longest
            .max(closed.unwrap_or_else(|| panic!("seed {seed}, round {round}: {:?}", net.gaps(&net.living(), 1))));
        net.run_until((start + ms(3300)).max(net.now));
    }
    // A death is noticed after three seconds; everything else is fast.
    assert!(longest <= net.gone_after + ms(1500), "{longest:?}");
}

#[test]
fn halves_meet_again_after_any_time() {
    for (seed, count, apart) in [(21, 2, 70_000), (22, 3, 70_000), (23, 20, 70_000), (24, 6, 3_600_000)] {
        let mut net = group(seed, count);
        for member in 0..count / 2 {
            net.set_island(member, 1);
        }
        net.run(ms(apart));
        for member in net.living() {
            let island = net.island(member);
            assert!(net.neighbours(member).iter().all(|&other| net.island(other) == island), "seed {seed}");
        }
        (0..count / 2).for_each(|member| net.set_island(member, 0));
        let healed = net.until_closed(1, ms(30_000));
        assert!(healed.is_some(), "seed {seed}: {count} members after {apart} ms: {:?}", net.gaps(&net.living(), 1));
    }
}

#[test]
fn a_link_that_died_between_two_is_opened_again() {
    let mut net = group(31, 3);
    net.cut(0, 1);
    net.run(net.gone_after + ms(50));
    net.until_closed(1, ms(15_000)).expect("all three are neighbours again");
}

#[test]
fn pairs_that_cannot_connect_stay_members_and_are_tried_rarely() {
    let mut net = Net::new(41, ms(1));
    net.blocked.insert((0, 1));
    for _ in 0..4 {
        net.add();
    }
    for member in [0, 1, 3] {
        net.hint(member, 2, Hint::Neighbor);
    }
    net.run(ms(60_000));
    let gaps: BTreeSet<usize> = net.gaps(&net.living(), 3).into_iter().flat_map(|(one, other)| [one, other]).collect();
    assert_eq!(gaps, BTreeSet::from([0, 1]), "all others are neighbours");
    let one = net.get(0);
    assert_eq!((one.view().members().len(), one.view().neighbours().len()), (3, 2));
    assert!((2..=5).contains(&one.stats().blocked), "{:?}", one.stats());
    // It stays known for long, for others tell of it.
    net.run(ms(900_000));
    assert_eq!(net.get(0).view().members().len(), 3);
    assert!(net.get(0).stats().blocked <= 9);
    // And once packets get through it is a neighbour within the longest pause.
    net.blocked.clear();
    net.until_closed(3, ms(330_000)).expect("a full mesh");
}

#[test]
fn remembered_members_are_looked_for() {
    let mut net = Net::new(51, ms(1));
    let (one, other, absent) = (net.add(), net.add(), net.add());
    net.remove(absent, true);
    net.hint(one, absent, Hint::Remembered);
    net.hint(one, other, Hint::Remembered);
    net.run(ms(500));
    assert_eq!(net.neighbours(one), [other]);
    let remembered = net.get(one).remembered();
    assert_eq!(remembered[0].0, net.id(other));
    assert_eq!(remembered[1].0, net.id(absent));
}

#[test]
fn the_banned_are_left_and_not_taken_again() {
    let mut net = group(61, 4);
    let banned = net.id(1);
    net.command(0, |member, now| member.ban(now, banned));
    net.run(ms(500_000));
    assert!(!net.neighbours(0).contains(&1));
    assert!(net.get(0).stats().refused > 0 || net.get(1).stats().dials > 0);
    net.until_closed(3, ms(500_000)).expect("after ten minutes it may come again");
}

#[test]
fn the_same_seed_gives_the_same_messages() {
    let run = |seed| {
        let mut net = group(seed, 12);
        net.remove(3, false);
        net.join();
        net.run(ms(30_000));
        sha2::Digest::finalize(net.digest)
    };
    assert_eq!(run(71), run(71));
    assert_ne!(run(71), run(72));
}
