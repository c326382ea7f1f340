//! The figures for people: an aligned table.

use super::costs::Costs;
use crate::base::to_hex;
use crate::cli::units::{show_duration, show_size};
use crate::group::Lane;
use crate::sim::scenario::{Engine, Posts, Replicated, Report, Routes, Samples, Stored, Streamed, show_rate};
use std::time::Duration;

/// Names of the lanes, in their order.
const LANES: [&str; Lane::KINDS] =
    ["overlay", "posts", "routes", "records", "objects", "asks", "manifests", "streams", "fragments"];

/// The table, line by line.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut rows = beginning(report);
    if let Some(posts) = &report.posts {
        rows.extend(post_rows(report, posts));
    }
    if let Some(healing) = &report.healing {
        let after =
            |when: Option<Duration>| when.map_or("not by the end".into(), |when| format!("after {}", seconds(when)));
        rows.push(("healed", format!("ring whole {}, last post across {}", after(healing.ring), after(healing.posts))));
    }
    if let Some(routes) = &report.routes {
        rows.extend(route_rows(report, routes));
    }
    if let Some(stored) = &report.storage {
        rows.extend(stored_rows(stored));
    }
    if let Some(replicated) = &report.replicated {
        rows.extend(replicated_rows(replicated));
    }
    if let Some(streamed) = &report.streamed {
        rows.extend(streamed_rows(report, streamed));
    }
    rows.extend(end(report));
    rows.into_iter().map(|(name, value)| format!("{name:<11} {value}").trim_end().to_owned()).collect()
}

/// What is said once of all runs of a ladder.
pub(super) fn ladder_head(report: &Report) -> Vec<String> {
    let scenario = &report.scenario;
    let file = format!("{} in pieces of {}", show_size(scenario.file), show_size(scenario.piece_size()));
    vec![
        format!("{:<11} {}, on {}, seed {}", "scenario", scenario.name, engine(scenario.engine), scenario.seed),
        format!("{:<11} {file}, from {}", "file", number(scenario.seeds.into())),
        format!(
            "{:>8}  {:>10}  {:>10}  {:>6}  {:>10}  {:>6}  {:>6}  digest",
            "fetchers", "last", "at best", "ratio", "one server", "seeded", "twice"
        ),
    ]
}

/// One run of a ladder.
pub(super) fn rung(report: &Report) -> Option<String> {
    let replicated = report.replicated.as_ref()?;
    Some(format!(
        "{:>8}  {:>10}  {:>10}  {:>6}  {:>10}  {:>6.2}  {:>6}  {}",
        number(replicated.members.1 as u64),
        replicated.last.map_or("-".into(), seconds),
        seconds(replicated.least),
        replicated.ratio().map_or("-".into(), |ratio| format!("{ratio:.3}")),
        seconds(replicated.server),
        replicated.seeded,
        number(replicated.duplicates),
        &to_hex(&report.digest)[..16],
    ))
}

const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Swarm => "messages",
        Engine::World => "packets",
    }
}

/// What the run cost this machine, which differs from run to run and so is no part of the table.
pub(super) fn costs(report: &Report, costs: &Costs) -> String {
    let memory = costs.memory.map_or(String::new(), |memory| {
        let each = memory / report.members.0.max(1) as u64;
        format!(", {} of memory, {} a member", show_size(memory), show_size(each))
    });
    format!("took {:.1} s{memory}", costs.wall.as_secs_f64())
}

type Rows = Vec<(&'static str, String)>;

fn beginning(report: &Report) -> Rows {
    let scenario = &report.scenario;
    let engine = engine(scenario.engine);
    let (joined, there) = report.members;
    let neighbours = &report.neighbours;
    vec![
        ("scenario", format!("{}, on {engine}, seed {}", scenario.name, scenario.seed)),
        ("members", format!("{} joined, {} at the end", number(joined as u64), number(there as u64))),
        ("time", format!("{} simulated", seconds(report.time))),
        ("round trip", format!("{} between two members at the median", millis(report.median_rtt))),
        (
            "neighbours",
            format!(
                "{} to {}, median {}; target {}, {:.1} % within half of it",
                neighbours.min,
                neighbours.max,
                neighbours.median,
                neighbours.target,
                neighbours.within * 100.0
            ),
        ),
        ("estimate", format!("{} members, as they see it at the median", number(neighbours.estimate as u64))),
    ]
}

fn post_rows(report: &Report, posts: &Posts) -> Rows {
    let due = posts.delivered + posts.missed;
    let rtts = |micros: u32| f64::from(micros) / report.median_rtt.as_micros().max(1) as f64;
    let delay = |share: f64| {
        let micros = posts.delay.quantile(share)?;
        Some(format!("{} ({:.1} RTT)", millis(Duration::from_micros(micros.into())), rtts(micros)))
    };
    let delay = |share: f64| delay(share).unwrap_or_else(|| "-".into());
    let mut rows = vec![
        ("posts", format!("{} of {}", number(posts.sent), show_size(report.scenario.size.into()))),
        ("delivered", format!("{} of {}", number(posts.delivered), number(due))),
        ("missed", number(posts.missed)),
        ("twice", number(posts.twice)),
        ("forged", number(posts.forged)),
        ("hops", spread(&posts.hops)),
        ("delay", format!("p50 {}, p90 {}", delay(0.5), delay(0.9))),
        ("", format!("p99 {}, last {}", delay(0.99), delay(1.0))),
        ("redundancy", format!("{:.2} extra copies per delivery", posts.redundancy)),
    ];
    let rare = [
        ("late", posts.caught_up, "deliveries to who came after the post"),
        ("refused", posts.refused, "posts that their author's service refused"),
        ("denied", posts.denied, "answers of neighbours that said no"),
    ];
    rows.extend(
        rare.into_iter()
            .filter(|rare| rare.1 > 0)
            .map(|(name, count, what)| (name, format!("{} {what}", number(count)))),
    );
    rows
}

fn route_rows(report: &Report, routes: &Routes) -> Rows {
    let limit = (report.members.1.max(1) as f64).log2() + 2.0;
    let mut rows = vec![
        ("routed", format!("{}, {} acknowledged", number(routes.sent), number(routes.acknowledged))),
        (
            "",
            format!(
                "{} to the nearest, {} elsewhere, {} lost",
                number(routes.found),
                number(routes.astray),
                number(routes.lost)
            ),
        ),
        ("hops", format!("{}; log2 N + 2 is {limit:.1}", spread(&routes.hops))),
        ("delay", delays(&routes.delay)),
    ];
    if routes.refused > 0 {
        rows.push(("refused", format!("{} had no route", number(routes.refused))));
    }
    rows
}

fn stored_rows(stored: &Stored) -> Rows {
    let values = format!("{} of {} values", number(stored.held), number(stored.put));
    let abandoned = match stored.abandoned {
        0 => String::new(),
        count => format!(", {} put by who left before the answer", number(count)),
    };
    vec![
        ("stored", format!("{values}{abandoned}, copies {}", spread(&stored.copies))),
        ("asked", format!("{} times", number(stored.asked))),
        (
            "",
            format!(
                "{} found, {} not found, {} unanswered",
                number(stored.found),
                number(stored.not_found),
                number(stored.unanswered)
            ),
        ),
        ("wrong", number(stored.wrong)),
        ("delay", delays(&stored.delay)),
    ]
}

fn replicated_rows(replicated: &Replicated) -> Rows {
    let (file, piece) = replicated.file;
    let (seeds, fetchers) = replicated.members;
    let ratio = replicated.ratio().map_or("-".into(), |ratio| format!("{ratio:.3}"));
    let last = replicated.last.map_or("not by the end".into(), seconds);
    vec![
        ("file", format!("{} in pieces of {}, from {}", show_size(file), show_size(piece), number(seeds as u64))),
        ("fetched", format!("by {} of {}", number(replicated.done as u64), number(fetchers as u64))),
        ("", delays(&replicated.delay)),
        ("last", format!("{last}; at best {}, ratio {ratio}", seconds(replicated.least))),
        ("one server", seconds(replicated.server)),
        ("seeded", format!("{:.2} copies", replicated.seeded)),
        (
            "pieces",
            format!(
                "{} came twice, {} were wrong, {} did not come, {} withdrawn",
                number(replicated.duplicates),
                number(replicated.bad),
                number(replicated.failed),
                number(replicated.cancelled)
            ),
        ),
    ]
}

fn streamed_rows(report: &Report, streamed: &Streamed) -> Rows {
    let percent = |(due, shown): (u64, u64)| match due {
        0 => "-".into(),
        _ => format!("{:.3} % ({} of {} units)", shown as f64 * 100.0 / due as f64, number(shown), number(due)),
    };
    let rate = show_rate(&report.scenario.stream);
    vec![
        ("streams", format!("{} of {rate}, for {}", number(streamed.streams as u64), seconds(streamed.took))),
        ("continuity", format!("{} for {} who stayed", percent((streamed.due, streamed.shown)), streamed.plays)),
        ("", format!("{} for {} who came later", percent(streamed.late), streamed.newcomers)),
        ("delay", delays(&streamed.delay)),
        ("begun", format!("{}, from joining, less the latency", delays(&streamed.begins))),
        ("ended", format!("in good order at {} of {}", streamed.ended, streamed.plays + streamed.newcomers)),
        (
            "upload",
            format!(
                "{:.2} of what players were due, everything included; {:.2} by who published",
                streamed.upload, streamed.published
            ),
        ),
        (
            "fragments",
            format!(
                "{:.2} % were asked for, {} came twice, {} were forged, {} lost",
                streamed.pulled * 100.0,
                number(streamed.duplicates),
                number(streamed.forged),
                number(streamed.lost)
            ),
        ),
        ("wrong", number(streamed.wrong)),
    ]
}

fn end(report: &Report) -> Rows {
    let rate = |bytes: u64| format!("{}/s", show_size(report.per_member_second(bytes).round() as u64));
    let traffic = &report.traffic;
    let lanes = traffic.lanes.map(|lanes| {
        let named = LANES.iter().zip(lanes).filter(|(_, (messages, _))| *messages > 0);
        named.map(|(name, (_, bytes))| format!("{name} {}", rate(bytes))).collect::<Vec<_>>().join(", ")
    });
    let what = if lanes.is_some() { "messages" } else { "packets" };
    let mut rows = vec![("traffic", format!("{} a member", rate(traffic.bytes)))];
    rows.extend(lanes.filter(|lanes| !lanes.is_empty()).map(|lanes| ("", lanes)));
    rows.push((what, number(traffic.messages)));
    if report.wronged > 0 {
        rows.push(("blamed", format!("{} times an honest member", number(report.wronged))));
    }
    rows.push(("digest", to_hex(&report.digest)));
    rows
}

fn spread(samples: &Samples) -> String {
    let read = |share| samples.quantile(share).map_or("-".into(), |value| value.to_string());
    format!("p50 {}, p99 {}, most {}", read(0.5), read(0.99), read(1.0))
}

fn delays(samples: &Samples) -> String {
    let read =
        |share| samples.quantile(share).map_or("-".into(), |micros| millis(Duration::from_micros(micros.into())));
    format!("p50 {}, p99 {}, last {}", read(0.5), read(0.99), read(1.0))
}

fn millis(span: Duration) -> String {
    format!("{:.0} ms", span.as_secs_f64() * 1e3)
}

fn seconds(span: Duration) -> String {
    if span < Duration::from_secs(100) {
        format!("{:.1} s", span.as_secs_f64())
    } else {
        show_duration(Duration::from_secs(span.as_secs()))
    }
}

/// With a comma between the thousands.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for group in digits.as_bytes()[first..].chunks(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.extend(group.iter().map(|&digit| char::from(digit)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 12, 999, 1_000, 123_456, 1_234_567].map(number),
            ["0", "12", "999", "1,000", "123,456", "1,234,567"]
        );
    }
}
