//! Groups against which there is more: members who go, halves that part, NATs that keep apart, neighbours who cheat.

use crate::{Engine, SECOND, assert_complete, long, report, scenario};
use p2pt::sim::scenario::Hostility;

#[test]
fn nobody_who_stays_misses_a_post_though_a_third_is_replaced_each_minute_and_the_creator_leaves() {
    for engine in [Engine::Swarm, Engine::World] {
        let report = report(&scenario("churn", |scenario| {
            scenario.members = if long() { 100 } else { 40 };
            scenario.engine = engine;
            scenario.posts = 3.0;
            if !long() {
                (scenario.duration, scenario.tail) = (SECOND * 30, SECOND * 15);
            }
        }));
        assert_complete(&report);
        assert!(report.members.0 > report.members.1 + 2, "{:?}", report.members);
    }
}

#[test]
fn a_group_is_renewed_without_a_rendezvous() {
    for engine in [Engine::Swarm, Engine::World] {
        let report = report(&scenario("churn", |scenario| {
            scenario.members = if long() { 60 } else { 16 };
            scenario.engine = engine;
            scenario.posts = 2.0;
            scenario.rendezvous_dies = Some(SECOND);
            if !long() {
                // As many are replaced as otherwise in a minute.
                (scenario.churn, scenario.duration, scenario.tail) = (0.6, SECOND * 30, SECOND * 15);
            }
        }));
        assert_complete(&report);
        assert!(report.members.0 > report.members.1 + 2, "{:?}", report.members);
        // Whoever came after its death was told of somebody, and found the others by that.
        assert!(report.neighbours.min + 2 >= report.neighbours.target, "{:?}", report.neighbours);
        assert!(report.posts.expect("there were posts").caught_up > 0);
    }
}

#[test]
fn halves_of_a_minutes_partition_find_together_within_half_a_minute() {
    for rendezvous in [true, false] {
        let report = report(&scenario("partition", |scenario| {
            scenario.members = if long() { 60 } else { 16 };
            scenario.posts = 1.0;
            scenario.rendezvous_dies = (!rendezvous).then_some(SECOND);
            scenario.duration = SECOND * 80;
        }));
        assert_complete(&report);
        let healing = report.healing.expect("there was a partition");
        let (ring, posts) = (healing.ring.expect("the ring is whole"), healing.posts.expect("posts came across"));
        assert!(ring < SECOND * 30 && posts < SECOND * 30, "{healing:?}, with a rendezvous: {rendezvous}");
    }
}

#[test]
fn posts_arrive_and_forgeries_do_not_though_a_third_cheat() {
    let all: &[&[Hostility]] = if long() {
        &[&Hostility::ALL, &[Hostility::Silent], &[Hostility::Forging], &[Hostility::Replaying], &[Hostility::Flooding]]
    } else {
        &[&Hostility::ALL]
    };
    for (&kinds, engine) in all.iter().flat_map(|kinds| [(kinds, Engine::Swarm), (kinds, Engine::World)]) {
        let report = report(&scenario("hostile", |scenario| {
            scenario.members = if long() { 60 } else { 24 };
            scenario.engine = engine;
            scenario.hostility = kinds.to_vec();
            scenario.duration = SECOND * 8;
            (scenario.routes, scenario.values, scenario.gets) = (2.0, 5, 2.0);
        }));
        assert_complete(&report);
        assert_eq!(report.storage.expect("values were stored").wrong, 0);
        let ring = report.ring.as_ref().expect("a small world");
        let cheats: Vec<usize> =
            ring.iter().filter(|place| place.hostile).map(|place| place.neighbours.len()).collect();
        println!("neighbours of those who cheat, at the end: {cheats:?}");
    }
}

#[test]
fn two_who_cannot_connect_are_bridged_by_the_others() {
    for engine in [Engine::Swarm, Engine::World] {
        let report = report(&scenario("bridged", |scenario| {
            scenario.engine = engine;
            scenario.duration = SECOND * 8;
        }));
        assert_complete(&report);
        let routes = report.routes.expect("messages were routed");
        assert_eq!((routes.found, routes.astray, routes.lost), (routes.sent, 0, 0));
        let storage = report.storage.expect("values were stored");
        assert_eq!((storage.found, storage.held), (storage.asked, storage.put));
        assert_eq!((report.neighbours.min, report.neighbours.max), (3, 4), "all but the two are neighbours");
    }
}

#[test]
fn values_are_found_while_a_third_is_killed() {
    for seed in 1..=if long() { 200 } else { 1 } {
        let report = report(&scenario("storage", |scenario| {
            (scenario.seed, scenario.values, scenario.gets) = (seed, 200, 10.0);
        }));
        let storage = report.storage.expect("values were stored");
        assert_eq!(report.members, (60, 40));
        assert!(storage.asked > 100, "{storage:?}");
        assert_eq!((storage.found, storage.wrong), (storage.asked, 0));
        // Whoever is killed while it puts does not hear that its value is held; everybody else does.
        assert_eq!(storage.held + storage.abandoned, storage.put);
        assert!(storage.abandoned < storage.put / 20, "{storage:?}");
    }
}
