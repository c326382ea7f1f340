//! A file from one to many: everybody has it in not much more than the least time, the one who begins gives little more than one
//! copy, who gives wrong pieces is left, and other traffic is not spoilt. `P2PT_LONG=1` runs a hundred fetchers.

mod polite;

mod hostile;

use p2pt::sim::scenario::{Engine, Replicated, Scenario, built_in, run};

fn replicate(change: impl FnOnce(&mut Scenario)) -> Replicated {
    let mut scenario = built_in("replicate").expect("a built-in one");
    (scenario.members, scenario.file) = (11, 2_000_000);
    change(&mut scenario);
    let seed = scenario.seed;
    let report = run(&scenario, &mut |_| true).expect("it can be run").expect("nobody stopped it");
    assert_eq!(report.wronged, 0, "seed {seed}: nobody honest is blamed");
    let replicated = report.replicated.expect("there is a file");
    assert_eq!(replicated.done, replicated.members.1, "seed {seed}: everybody has it: {replicated:?}");
    replicated
}

fn is_long() -> bool {
    std::env::var_os("P2PT_LONG").is_some()
}

#[test]
fn ten_fetch_a_file_from_one_that_gives_it_little_more_than_once() {
    let replicated = replicate(|_| ());
    assert!(replicated.ratio().is_some_and(|ratio| ratio < 1.75), "{replicated:?}");
    assert!(replicated.seeded < 2.0 && replicated.bad == 0, "{replicated:?}");
    assert_eq!(replicated, replicate(|_| ()), "the same again");
}

#[test]
fn wrong_pieces_are_found_one_by_one_and_who_gives_them_is_left() {
    let replicated = replicate(|scenario| scenario.poisoning = 0.2);
    assert_eq!(replicated.members, (1, 8));
    assert!(replicated.bad > 0 && replicated.bad <= 8 * 2, "each believes each liar once: {replicated:?}");
}

#[test]
fn a_hundred_take_hardly_longer_than_ten() {
    if !is_long() {
        return;
    }
    for (engine, seeds) in [(Engine::Swarm, 1..=3), (Engine::World, 1..=1)] {
        for seed in seeds {
            let replicated = replicate(|scenario| {
                (scenario.members, scenario.file, scenario.seed, scenario.engine) = (101, 10_000_000, seed, engine);
            });
            assert!(replicated.ratio().is_some_and(|ratio| ratio <= 1.25), "seed {seed}: {replicated:?}");
            assert!(replicated.seeded <= 2.0, "seed {seed}: {replicated:?}");
        }
    }
}

#[test]
fn ten_fetch_a_file_over_sessions_in_little_more_than_the_least_time() {
    let replicated = replicate(|scenario| (scenario.engine, scenario.file) = (Engine::World, 10_000_000));
    assert!(replicated.ratio().is_some_and(|ratio| ratio <= 1.25), "{replicated:?}");
    assert!(replicated.seeded <= 2.0, "{replicated:?}");
}
