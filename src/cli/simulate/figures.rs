//! The figures for programs.

use super::costs::Costs;
use crate::base::to_hex;
use crate::cli::output::Event;
use crate::sim::scenario::{Engine, Posts, Replicated, Report, Routes, Samples, Stored, Streamed};
use serde_json::{Value, json};

/// The one event of a run.
pub(super) fn event(report: &Report, costs: &Costs) -> Event {
    let scenario = &report.scenario;
    let neighbours = &report.neighbours;
    let engine = match scenario.engine {
        Engine::Swarm => "swarm",
        Engine::World => "world",
    };
    let lanes = report.traffic.lanes.map(|lanes| {
        let rate = |(_, bytes): (u64, u64)| rounded(report.per_member_second(bytes));
        let [overlay, posts, routes, records, objects, asks, manifests, streams, fragments] = lanes.map(rate);
        json!({
            "overlay": overlay, "posts": posts, "routes": routes, "records": records, "objects": objects, "asks": asks,
            "manifests": manifests, "streams": streams, "fragments": fragments,
        })
    });
    Event::new("simulation")
        .with("scenario", scenario.name.clone())
        .with("engine", engine)
        .with("seed", scenario.seed)
        .with("joined", report.members.0)
        .with("members", report.members.1)
        .with("simulated_s", rounded(report.time.as_secs_f64()))
        .with("wall_s", rounded(costs.wall.as_secs_f64()))
        .with("median_rtt_ms", rounded(report.median_rtt.as_secs_f64() * 1e3))
        .with(
            "neighbours",
            json!({
                "min": neighbours.min, "median": neighbours.median, "max": neighbours.max, "target": neighbours.target,
                "within": rounded(neighbours.within), "estimated_members": rounded(neighbours.estimate),
            }),
        )
        .with("posts", report.posts.as_ref().map(posts))
        .with("routes", report.routes.as_ref().map(routes))
        .with("storage", report.storage.as_ref().map(storage))
        .with("replicated", report.replicated.as_ref().map(replicated))
        .with("streamed", report.streamed.as_ref().map(streamed))
        .with(
            "healing",
            report.healing.map(|healing| {
                let seconds = |span: Option<std::time::Duration>| span.map(|span| rounded(span.as_secs_f64()));
                json!({ "ring_s": seconds(healing.ring), "posts_s": seconds(healing.posts) })
            }),
        )
        .with("messages", report.traffic.messages)
        .with("bytes", report.traffic.bytes)
        .with("bytes_per_member_second", rounded(report.bytes_per_member_second()))
        .with("lanes", lanes)
        .with("blamed", report.wronged)
        .with("memory", costs.memory)
        .with("digest", to_hex(&report.digest))
}

fn streamed(streamed: &Streamed) -> Value {
    json!({
        "streams": streamed.streams, "took_s": rounded(streamed.took.as_secs_f64()), "plays": streamed.plays,
        "due": streamed.due, "shown": streamed.shown, "continuity": streamed.continuity(),
        "newcomers": streamed.newcomers, "newcomers_due": streamed.late.0, "newcomers_shown": streamed.late.1,
        "ended": streamed.ended, "begin_ms": quantiles(&streamed.begins, 1e-3), "wrong": streamed.wrong,
        "lost": streamed.lost, "upload": rounded(streamed.upload), "published": rounded(streamed.published),
        "pulled": rounded(streamed.pulled), "duplicates": streamed.duplicates, "forged": streamed.forged,
        "delay_ms": quantiles(&streamed.delay, 1e-3),
    })
}

fn replicated(replicated: &Replicated) -> Value {
    let seconds = |span: std::time::Duration| rounded(span.as_secs_f64());
    json!({
        "file": replicated.file.0, "piece": replicated.file.1, "seeds": replicated.members.0,
        "fetchers": replicated.members.1, "done": replicated.done, "last_s": replicated.last.map(seconds),
        "least_s": seconds(replicated.least), "ratio": replicated.ratio().map(rounded),
        "one_server_s": seconds(replicated.server), "seeded": rounded(replicated.seeded),
        "duplicates": replicated.duplicates, "wrong": replicated.bad, "failed": replicated.failed,
        "cancelled": replicated.cancelled, "delay_ms": quantiles(&replicated.delay, 1e-3),
    })
}

fn posts(posts: &Posts) -> Value {
    json!({
        "sent": posts.sent, "refused": posts.refused, "delivered": posts.delivered, "missed": posts.missed,
        "twice": posts.twice, "forged": posts.forged, "late": posts.caught_up, "denied": posts.denied,
        "hops": quantiles(&posts.hops, 1.0), "delay_ms": quantiles(&posts.delay, 1e-3),
        "redundancy": rounded(posts.redundancy),
    })
}

fn routes(routes: &Routes) -> Value {
    json!({
        "sent": routes.sent, "refused": routes.refused, "found": routes.found, "astray": routes.astray,
        "lost": routes.lost, "acknowledged": routes.acknowledged,
        "hops": quantiles(&routes.hops, 1.0), "delay_ms": quantiles(&routes.delay, 1e-3),
    })
}

fn storage(stored: &Stored) -> Value {
    json!({
        "put": stored.put, "held": stored.held, "abandoned": stored.abandoned, "asked": stored.asked, "found": stored.found,
        "not_found": stored.not_found, "wrong": stored.wrong, "unanswered": stored.unanswered,
        "copies": quantiles(&stored.copies, 1.0), "delay_ms": quantiles(&stored.delay, 1e-3),
    })
}

fn quantiles(samples: &Samples, unit: f64) -> Value {
    let read = |share| samples.quantile(share).map(|value| rounded(f64::from(value) * unit));
    json!({ "p50": read(0.5), "p90": read(0.9), "p99": read(0.99), "max": read(1.0) })
}

/// To a thousandth.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
