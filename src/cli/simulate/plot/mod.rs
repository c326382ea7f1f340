//! `--plot`: a picture of what became of a scenario, as SVG.

mod charts;
mod copies;
mod frame;
mod look;
mod ring;

use crate::base::to_hex;
use crate::cli::units::show_size;
use crate::sim::scenario::{Engine, Report, Samples, show_rate};
use crate::sim::swarm::Rate;
use look::{Area, Drawn, INK, SOFT, text};
use plotters::prelude::*;

const WIDTH: u32 = 1_200;
const TITLE: u32 = 64;
const CHART: u32 = 340;
const RING: u32 = 760;

/// The picture of a run, or of the runs of a ladder.
///
/// # Errors
/// It could not be drawn, which is an error of ours.
pub(super) fn draw(reports: &[Report]) -> Result<String, String> {
    let mut picture = String::new();
    let drawn = match reports {
        [report] => draw_into(&mut picture, report),
        reports => draw_ladder(&mut picture, reports),
    };
    drawn.map_err(|why| why.to_string())?;
    Ok(picture)
}

/// A rate with a space between number and unit.
fn rate(rate: &Rate) -> String {
    let text = show_rate(rate);
    let at = text.find(|letter: char| !letter.is_ascii_digit()).filter(|&at| at > 0);
    at.map_or(text.clone(), |at| format!("{} {}", &text[..at], &text[at..]))
}

/// The same file to few and to many.
fn draw_ladder(picture: &mut String, reports: &[Report]) -> Drawn {
    let root = SVGBackend::with_string(picture, (WIDTH, TITLE + 2 * CHART)).into_drawing_area();
    root.fill(&WHITE)?;
    let (head, grid) = root.split_vertically(TITLE);
    let rungs = copies::rungs(reports);
    if let Some(report) = reports.last() {
        let scenario = &report.scenario;
        head.draw_text(&format!("p2pt simulate {}", scenario.name), &text(24, INK), (24, 26))?;
        let engine = match scenario.engine {
            Engine::Swarm => "messages",
            Engine::World => "packets",
        };
        let about = format!(
            "{} from {} to many, {} up and {} down each, on {engine}, seed {}",
            show_size(scenario.file),
            scenario.seeds,
            rate(&scenario.up),
            rate(&scenario.down),
            scenario.seed
        );
        head.draw_text(&about, &text(13, SOFT), (24, 52))?;
    }
    if !rungs.is_empty() {
        let panels = grid.split_evenly((2, 2));
        copies::times(&panels[0], &rungs)?;
        copies::arrivals(&panels[1], &rungs)?;
        copies::seeded(&panels[2], &rungs)?;
        copies::ratios(&panels[3], &rungs)?;
    }
    root.present()
}

fn draw_into(picture: &mut String, report: &Report) -> Drawn {
    let ring = report.ring.as_ref().filter(|places| places.len() > 1);
    let height = TITLE + 2 * CHART + if ring.is_some() { RING } else { 0 };
    let root = SVGBackend::with_string(picture, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (head, rest) = root.split_vertically(TITLE);
    let (grid, below) = rest.split_vertically(2 * CHART);
    let scenario = &report.scenario;
    head.draw_text(&format!("p2pt simulate {}", scenario.name), &text(24, INK), (24, 26))?;
    let about =
        format!("{} members, seed {}, digest {}…", report.members.1, scenario.seed, &to_hex(&report.digest)[..12]);
    head.draw_text(&about, &text(13, SOFT), (24, 52))?;

    let panels = grid.split_evenly((2, 2));
    if let Some(replicated) = &report.replicated {
        copies::bars(&panels[0], replicated)?;
        copies::arrivals(&panels[1], &copies::rungs(std::slice::from_ref(report)))?;
        charts::traffic(&panels[2], &report.seconds)?;
        charts::neighbours(&panels[3], report)?;
    } else {
        draw_delays(&panels, report)?;
    }
    if let Some(places) = ring {
        ring::ring(&below, places)?;
    }
    root.present()
}

/// How long what was sent took, and on which way.
fn draw_delays(panels: &[Area<'_>], report: &Report) -> Drawn {
    let rtt = report.median_rtt.as_secs_f64() * 1e3;
    let none = Samples::default();
    if let Some(streamed) = &report.streamed {
        charts::delays(&panels[0], "Time to the arrival of a stream's units", &streamed.delay, rtt)?;
        charts::delays(&panels[1], "From joining to the first unit, less the latency", &streamed.begins, 0.0)?;
        charts::traffic(&panels[2], &report.seconds)?;
        return charts::neighbours(&panels[3], report);
    }
    let (title, delay, hops, limit) = match (&report.posts, &report.routes, &report.storage) {
        (Some(posts), ..) => ("Time to delivery of posts", &posts.delay, &posts.hops, None),
        (_, Some(routes), _) => {
            let limit = (report.members.1.max(1) as f64).log2() + 2.0;
            ("Time to delivery of routed messages", &routes.delay, &routes.hops, Some(limit))
        }
        (.., Some(stored)) => ("Time to an answer of the storage", &stored.delay, &none, None),
        _ => ("Time to delivery", &none, &none, None),
    };
    charts::delays(&panels[0], title, delay, rtt)?;
    if hops.is_empty() {
        charts::traffic(&panels[1], &report.seconds)?;
    } else {
        charts::hops(&panels[1], "Links on the way", hops, limit)?;
    }
    if report.posts.is_some() || hops.is_empty() {
        charts::redundancy(&panels[2], &report.seconds)?;
    } else {
        charts::traffic(&panels[2], &report.seconds)?;
    }
    charts::neighbours(&panels[3], report)
}
