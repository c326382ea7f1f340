//! Posts in groups of all sizes, with nothing but latency and loss against them.

use crate::{Engine, Report, SECOND, assert_complete, long, micros, report, scenario};

/// 10 to 150 ms, 1 % loss.
fn posting(members: u32, engine: Engine, seed: u64) -> Report {
    let report = report(&scenario("posting", |scenario| {
        scenario.members = members;
        scenario.engine = engine;
        scenario.seed = seed;
        scenario.duration = SECOND * if long() { 30 } else { 6 };
        scenario.settle = SECOND * 5;
        scenario.tail = SECOND * 5;
        scenario.joins = f64::from(members.max(20));
    }));
    assert_fast(&report);
    report
}

/// Nothing is missed, and everything comes soon and hardly more than once.
fn assert_fast(report: &Report) {
    assert_complete(report);
    let posts = report.posts.as_ref().expect("there were posts");
    assert!(posts.redundancy < 1.0, "{}", posts.redundancy);
    assert!(micros(&posts.delay, 0.5) < report.median_rtt * 3, "p50 beside {:?}", report.median_rtt);
    assert!(micros(&posts.delay, 0.99) < SECOND, "p99 {:?}", micros(&posts.delay, 0.99));
}

#[test]
fn few_members_on_packets() {
    for (members, seed) in [(2, 1), (3, 2), (5, 3), (20, 4)] {
        let report = posting(members, Engine::World, seed);
        let most = report.posts.unwrap().delay.quantile(1.0).unwrap();
        // A heartbeat in place of an answer would show: nobody waits for one in a group of two or three.
        assert!(members > 3 || most < 1_500_000, "{members} members: the last after {most} us");
    }
}

#[test]
fn few_members_on_messages() {
    for (members, seed) in [(2, 1), (3, 2), (5, 3), (20, 4)] {
        posting(members, Engine::Swarm, seed);
    }
}

#[test]
fn a_hundred_members_on_messages() {
    let report = posting(100, Engine::Swarm, 5);
    assert!(report.neighbours.within > 0.9, "{:?}", report.neighbours);
}

#[test]
fn a_hundred_members_on_packets() {
    posting(100, Engine::World, 6);
}

#[test]
fn a_thousand_members() {
    if long() {
        posting(1_000, Engine::Swarm, 7);
        // As the command runs it: `p2pt simulate posting --engine world --members 1000`.
        let report = report(&scenario("posting", |scenario| {
            scenario.members = 1_000;
            scenario.engine = Engine::World;
        }));
        assert_fast(&report);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for engine in [Engine::Swarm, Engine::World] {
        let run = |seed| {
            report(&scenario("bridged", |scenario| {
                scenario.members = 8;
                scenario.churn = 2.0;
                scenario.duration = SECOND * 6;
                scenario.engine = engine;
                scenario.seed = seed;
            }))
        };
        assert_eq!(run(9).digest, run(9).digest);
        assert_ne!(run(9).digest, run(10).digest);
    }
}
