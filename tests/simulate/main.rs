//! Groups of many members in virtual time: what the figures of a scenario have to be.
//!
//! `P2PT_LONG=1` runs the crowds of the long form too; `cargo test --release` is the way to do that.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod command;
mod crowds;
mod faults;
mod posts;

use p2pt::sim::scenario::{Engine, Report, Samples, Scenario, built_in, run};
use std::time::Duration;

/// Whether the long form was asked for.
fn long() -> bool {
    std::env::var_os("P2PT_LONG").is_some_and(|wanted| wanted == "1")
}

/// A built-in scenario, changed.
fn scenario(name: &str, change: impl FnOnce(&mut Scenario)) -> Scenario {
    let mut scenario = built_in(name).expect("a built-in one");
    change(&mut scenario);
    scenario
}

/// Runs it, and prints what it takes to see the same.
fn report(scenario: &Scenario) -> Report {
    let Scenario { name, seed, members, engine, .. } = scenario;
    println!("p2pt simulate {name} --members {members} --seed {seed} --engine {engine:?}");
    let report = run(scenario, &mut |_| true).expect("it can be run").expect("nobody stopped it");
    println!("{:?}", Brief(&report));
    report
}

/// What of a report a person wants to read.
struct Brief<'a>(&'a Report);

impl std::fmt::Debug for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Report { members, median_rtt, posts, routes, storage, healing, neighbours, .. } = self.0;
        let quantiles = |samples: &Samples| [0.5, 0.99, 1.0].map(|share| samples.quantile(share));
        let posts = posts.as_ref().map(|p| {
            let counts = (p.sent, p.delivered, p.missed, p.twice, p.forged, p.refused);
            (counts, quantiles(&p.hops), quantiles(&p.delay), p.redundancy)
        });
        let routes = routes.as_ref().map(|r| ((r.sent, r.found, r.astray, r.lost), quantiles(&r.hops)));
        let storage =
            storage.as_ref().map(|s| (s.put, s.held, s.abandoned, s.asked, s.found, s.not_found, s.unanswered));
        f.debug_struct("Report")
            .field("members", members)
            .field("median_rtt", median_rtt)
            .field("posts: (sent, delivered, missed, twice, forged, refused), hops, delay, redundancy", &posts)
            .field("routes: (sent, found, astray, lost), hops", &routes)
            .field("storage: put, held, abandoned, asked, found, not found, unanswered", &storage)
            .field("healing", healing)
            .field("neighbours", neighbours)
            .finish()
    }
}

/// Every post reached everybody to whom it was due, once; nothing else did.
fn assert_complete(report: &Report) {
    let posts = report.posts.as_ref().expect("there were posts");
    assert!(posts.delivered > 0 && posts.refused == 0, "{:?}", Brief(report));
    assert_eq!((posts.missed, posts.twice, posts.forged), (0, 0, 0), "{:?}", Brief(report));
    assert!(posts.hops.quantile(1.0) <= Some(18), "{:?}", Brief(report));
    assert_eq!(report.wronged, 0, "{:?}", Brief(report));
}

fn micros(samples: &Samples, share: f64) -> Duration {
    Duration::from_micros(samples.quantile(share).expect("something was measured").into())
}

const SECOND: Duration = Duration::from_secs(1);
