//! Links that are down for a while: the session lives, and what is under way goes on soon after.

use crate::load::Load;
use crate::seeds::{for_each_seed, for_some_seeds};
use crate::stage::{MS, Pair};
use p2pt::base::{Instant, Rng};
use p2pt::sim::Link;
use std::time::Duration;

/// Both send all the time; the link is cut for `outage`. How long after its return each hears something new.
fn resumption(pair: &mut Pair, seed: u64, outage: Duration, told: bool) -> [Duration; 2] {
    let mut rng = Rng::for_simulation(seed);
    let messages = 50 + (outage.as_millis() / 50) as u32;
    let load = Load::paced(seed, messages, 700, 50 * MS);
    pair.loads(Some(load), Some(Load { seed: seed + 1, ..load }));
    pair.dial();
    pair.wait_open(Duration::from_secs(10));
    pair.world.run_for(MS * (500 + rng.below(1_000) as u32));
    let near = pair.near;
    pair.world.set_up(near, false);
    pair.world.run_for(outage);
    pair.world.set_up(near, true);
    let back = pair.world.now();
    if told {
        pair.ping();
    }
    pair.wait_done(Duration::from_secs(60));
    [pair.near, pair.far].map(|host| {
        let next = |arrivals: &[Instant]| arrivals.iter().find(|&&at| at > back).copied();
        next(&pair.world.host(host).arrivals).expect("something was under way") - back
    })
}

fn link() -> Link {
    Link::IDEAL.rate(4_000_000).queue(64_000).delay(25 * MS).mtu(1_500)
}

#[test]
fn data_flows_again_within_a_second_after_an_outage_of_five() {
    for_each_seed("outage_of_five", |seed| {
        let mut pair = Pair::new(seed, link());
        let waits = resumption(&mut pair, seed, Duration::from_secs(5), false);
        assert!(waits.iter().all(|&wait| wait <= Duration::from_secs(1)), "{waits:?}");
        pair.world.digest()
    });
}

#[test]
fn data_flows_again_within_ten_seconds_after_an_outage_of_thirty() {
    for_some_seeds("outage_of_thirty", 200, |seed| {
        let mut pair = Pair::new(seed, link());
        let waits = resumption(&mut pair, seed, Duration::from_secs(30), false);
        assert!(waits.iter().all(|&wait| wait <= Duration::from_secs(10)), "{waits:?}");
        pair.world.digest()
    });
}

#[test]
fn data_flows_again_within_a_second_where_the_interface_reports_the_return() {
    for_some_seeds("reports_the_return", 200, |seed| {
        let mut pair = Pair::new(seed, link());
        let waits = resumption(&mut pair, seed, Duration::from_secs(20), true);
        assert!(waits.iter().all(|&wait| wait <= Duration::from_secs(1)), "{waits:?}");
        pair.world.digest()
    });
}

#[test]
fn an_idle_session_outlives_a_short_outage_and_notices_a_long_one() {
    let mut pair = Pair::new(1, link());
    pair.dial();
    pair.wait_open(Duration::from_secs(10));
    let count = |pair: &Pair| [pair.near, pair.far].map(|host| pair.world.host(host).endpoint.session_count());
    for (outage, left) in [(25, 1), (120, 0)] {
        pair.world.set_up(pair.near, false);
        pair.world.run_for(Duration::from_secs(outage));
        pair.world.set_up(pair.near, true);
        pair.world.run_for(Duration::from_secs(15));
        assert_eq!(count(&pair), [left; 2], "after {outage} s: {:?}", pair.logs());
    }
}
