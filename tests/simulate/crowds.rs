//! Crowds: what the overlay is like when nobody knows everybody.

use crate::{SECOND, long, report, scenario};

fn crowd(members: u32) {
    let report = report(&scenario("crowd", |scenario| {
        scenario.members = members;
        if !long() {
            (scenario.settle, scenario.duration, scenario.tail) = (SECOND * 15, SECOND * 5, SECOND * 5);
            (scenario.joins, scenario.routes) = (100.0, 40.0);
        }
    }));
    let routes = report.routes.as_ref().expect("messages were routed");
    let limit = f64::from(members).log2() + 2.0;
    assert_eq!((routes.found, routes.refused), (routes.sent, 0), "{} astray, {} lost", routes.astray, routes.lost);
    assert!(routes.hops.quantile(0.99).is_some_and(|hops| f64::from(hops) <= limit), "{limit}");
    let neighbours = &report.neighbours;
    let within = |count: usize| (neighbours.target / 2..=neighbours.target * 3 / 2).contains(&count);
    assert!(within(neighbours.median) && neighbours.within > 0.999, "{neighbours:?}");
    let estimate = neighbours.estimate / f64::from(members);
    assert!((0.5..2.0).contains(&estimate), "{estimate}");
}

#[test]
fn messages_for_an_address_arrive_in_a_logarithm_of_steps() {
    crowd(if long() { 100_000 } else { 150 });
}
