//! `--plot`: a picture of what became of a scenario, as SVG.

mod charts;
mod look;
mod ring;

use crate::base::to_hex;
use crate::sim::scenario::{Report, Samples};
use look::{Drawn, INK, SOFT, text};
use plotters::prelude::*;

const WIDTH: u32 = 1_200;
const TITLE: u32 = 64;
const CHART: u32 = 340;
const RING: u32 = 760;

/// The picture.
///
/// # Errors
/// It could not be drawn, which is an error of ours.
pub(super) fn draw(report: &Report) -> Result<String, String> {
    let mut picture = String::new();
    draw_into(&mut picture, report).map_err(|why| why.to_string())?;
    Ok(picture)
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
    let rtt = report.median_rtt.as_secs_f64() * 1e3;
    let none = Samples::default();
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
    charts::neighbours(&panels[3], report)?;
    if let Some(places) = ring {
        ring::ring(&below, places)?;
    }
    root.present()
}
