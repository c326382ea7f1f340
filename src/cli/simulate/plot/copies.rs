//! A file from one to many: how long it takes by the number of those who fetch it, and how long through one server.

use super::frame::{Frame, Mark, Scale};
use super::look::{Area, BLUE, Drawn, GREEN, INK, LINE, ORANGE, SOFT, axis, number, text};
use crate::sim::scenario::{Replicated, Report};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::time::Duration;

/// Marks of an axis of time: seconds, and how they are written.
const TIMES: [(f64, &str); 9] = [
    (1.0, "1 s"),
    (3.0, "3 s"),
    (10.0, "10 s"),
    (30.0, "30 s"),
    (60.0, "1 min"),
    (300.0, "5 min"),
    (1_200.0, "20 min"),
    (7_200.0, "2 h"),
    (43_200.0, "12 h"),
];
/// What the last one may take, of the least time.
const GOAL: f64 = 1.25;

type Rungs<'a> = [(f64, &'a Replicated)];

/// What was replicated in each run, and how many fetched it.
pub(super) fn rungs(reports: &[Report]) -> Vec<(f64, &Replicated)> {
    let of = |report: &Report| report.replicated.as_ref().map(|replicated| replicated.members.1 as f64);
    let mut rungs: Vec<(f64, &Replicated)> =
        reports.iter().filter_map(|report| Some((of(report)?, report.replicated.as_ref()?))).collect();
    rungs.sort_by(|one, other| one.0.total_cmp(&other.0));
    rungs
}

/// From a little before the fewest to a little beyond the most.
fn numbers(rungs: &Rungs<'_>) -> (Scale, Vec<Mark>) {
    let (first, last) = (rungs[0].0, rungs[rungs.len() - 1].0);
    let marks = rungs.iter().map(|&(count, _)| (count, number(count))).collect();
    (Scale::Logarithmic(first / 1.6, (last * 1.6).max(first * 4.0)), marks)
}

/// The time by the number of fetchers, in the swarm, at best, and through one server.
pub(super) fn times(area: &Area<'_>, rungs: &Rungs<'_>) -> Drawn {
    let curve = |of: &dyn Fn(&Replicated) -> Option<Duration>| -> Vec<(f64, f64)> {
        rungs.iter().filter_map(|&(count, rung)| Some((count, of(rung)?.as_secs_f64().max(0.1)))).collect()
    };
    let (swarm, best) = (curve(&|rung| rung.last), curve(&|rung| Some(rung.least)));
    let server = curve(&|rung| Some(rung.server));
    let all = || swarm.iter().chain(&best).chain(&server).map(|point| point.1);
    let (least, most) = (all().fold(f64::INFINITY, f64::min) / 2.0, all().fold(0.0, f64::max) * 1.8);
    let shown = TIMES.iter().filter(|(at, _)| (least..=most).contains(at));
    let marks: Vec<Mark> = shown.map(|&(at, label)| (at, label.to_owned())).collect();
    let (x, across) = numbers(rungs);
    let y = Scale::Logarithmic(least, most);
    let frame = Frame::new(area, "Until the last one has it all", ("fetchers", ""), (x, &across), (y, &marks))?;
    frame.line(&server, ORANGE.stroke_width(2))?;
    frame.dots(&server, ORANGE)?;
    frame.dashes(&best, GREEN.stroke_width(2))?;
    frame.line(&swarm, BLUE.stroke_width(3))?;
    frame.dots(&swarm, BLUE)?;
    for &(count, seconds) in &swarm {
        frame.label((count, seconds), (0, -15), &time(seconds), BLUE, HPos::Center)?;
    }
    for (&(count, seconds), at) in server.iter().zip(0..) {
        let by = if at == 0 { (0, -15) } else { (-11, -6) };
        let side = if at == 0 { HPos::Center } else { HPos::Right };
        frame.label((count, seconds), by, &time(seconds), ORANGE, side)?;
    }
    legend(area, &[(BLUE, "the swarm"), (GREEN, "at best"), (ORANGE, "one server with the uplink of the seed")])
}

/// How many of the fetchers have it, by the time: from a little before the first could have it.
pub(super) fn arrivals(area: &Area<'_>, rungs: &Rungs<'_>) -> Drawn {
    let seconds = |micros: u32| f64::from(micros) / 1e6;
    let longest = rungs.iter().filter_map(|(_, rung)| rung.delay.quantile(1.0)).map(seconds).fold(0.1, f64::max);
    let bests = || rungs.iter().map(|(_, rung)| rung.least.as_secs_f64());
    let (first, last) = (bests().fold(f64::INFINITY, f64::min), bests().fold(0.1, f64::max));
    let spread = (longest.max(last) - first).max(0.1);
    let (from, to) = ((first - spread * 0.15).max(0.0), longest.max(last) + spread * 0.15);
    let shares = [0.0, 25.0, 50.0, 75.0, 100.0].map(|share| (share, number(share)));
    let x = (Scale::Linear(from, to), &marks(from, to)[..]);
    let frame =
        Frame::new(area, "Fetchers that have it all", ("seconds", "%"), x, (Scale::Linear(0.0, 100.0), &shares))?;
    frame.dashes(&[(last, 0.0), (last, 100.0)], GREEN.stroke_width(1))?;
    frame.label((last, 50.0), (-6, 0), "at best", GREEN, HPos::Right)?;
    for (&(count, rung), at) in rungs.iter().zip(0..) {
        let total = rung.members.1.max(1) as f64;
        let mut curve = vec![(from, 0.0)];
        for (&micros, had) in rung.delay.values().iter().zip(0..) {
            let share = |had: u32| f64::from(had) * 100.0 / total;
            curve.extend([(seconds(micros), share(had)), (seconds(micros), share(had + 1))]);
        }
        let strength = f64::from(at + 1) / rungs.len() as f64;
        frame.line(&curve, BLUE.mix(0.35 + 0.65 * strength).stroke_width(2))?;
        // Each at a height of its own, so that those who are close together can be told apart.
        let height = 92.0 - 84.0 * f64::from(at) / rungs.len() as f64;
        if let Some(&(when, _)) = curve.iter().find(|point| point.1 >= height) {
            frame.label((when, height), (5, 0), &number(count), BLUE, HPos::Left)?;
        }
    }
    Ok(())
}

/// How often each byte left those who had it at first, and how often it leaves a server.
pub(super) fn seeded(area: &Area<'_>, rungs: &Rungs<'_>) -> Drawn {
    let curve: Vec<(f64, f64)> = rungs.iter().map(|&(count, rung)| (count, rung.seeded.max(0.1))).collect();
    let server: Vec<(f64, f64)> = rungs.iter().map(|&(count, _)| (count, count)).collect();
    let all = || curve.iter().chain(&server).map(|point| point.1);
    let (least, most) = (all().fold(1.0, f64::min) / 1.8, all().fold(2.0, f64::max) * 1.8);
    let shown = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1_000.0, 10_000.0, 100_000.0];
    let marks: Vec<Mark> =
        shown.into_iter().filter(|at| (least..=most).contains(at)).map(|at| (at, number(at))).collect();
    let (x, across) = numbers(rungs);
    let title = "Copies that left the seed";
    let y = Scale::Logarithmic(least, most);
    let frame = Frame::new(area, title, ("fetchers", ""), (x, &across), (y, &marks))?;
    let ends = (rungs[0].0, rungs[rungs.len() - 1].0);
    frame.dashes(&[(ends.0, 2.0), (ends.1, 2.0)], GREEN.stroke_width(1))?;
    frame.label((ends.1, 2.0), (0, -10), "goal: at most 2", GREEN, HPos::Right)?;
    frame.line(&server, ORANGE.stroke_width(2))?;
    frame.dots(&server, ORANGE)?;
    frame.label((ends.1, ends.1), (-14, -4), "one server", ORANGE, HPos::Right)?;
    frame.line(&curve, BLUE.stroke_width(3))?;
    frame.dots(&curve, BLUE)?;
    for &(count, copies) in &curve {
        frame.label((count, copies), (0, 16), &format!("{copies:.2}"), BLUE, HPos::Center)?;
    }
    Ok(())
}

/// What the last one took, of the least time.
pub(super) fn ratios(area: &Area<'_>, rungs: &Rungs<'_>) -> Drawn {
    let curve: Vec<(f64, f64)> = rungs.iter().filter_map(|&(count, rung)| Some((count, rung.ratio()?))).collect();
    let top = curve.iter().map(|point| point.1).fold(GOAL, f64::max);
    let top = top + (top - 1.0) * 0.4;
    let (x, across) = numbers(rungs);
    let title = "The last one's time, of the least possible";
    let y = (Scale::Linear(1.0, top), &marks(1.0, top)[..]);
    let frame = Frame::new(area, title, ("fetchers", ""), (x, &across), y)?;
    let ends = (rungs[0].0, rungs[rungs.len() - 1].0);
    frame.dashes(&[(ends.0, GOAL), (ends.1, GOAL)], GREEN.stroke_width(1))?;
    frame.label((ends.0, GOAL), (0, -10), "goal: at most 1.25", GREEN, HPos::Left)?;
    frame.line(&curve, BLUE.stroke_width(3))?;
    frame.dots(&curve, BLUE)?;
    for &(count, ratio) in &curve {
        frame.label((count, ratio), (0, 17), &format!("{ratio:.2}"), BLUE, HPos::Center)?;
    }
    Ok(())
}

/// Round numbers between two ends.
fn marks(from: f64, to: f64) -> Vec<Mark> {
    let (end, steps) = axis(to - from);
    let step = end / steps as f64;
    let first = (from / step - 1e-9).ceil();
    let at = |n: usize| (first + n as f64) * step;
    (0..=steps).map(at).filter(|at| *at <= to).map(|at| (at, number(at))).collect()
}

/// One run: the least time, the last one's, and that of one server, as bars.
pub(super) fn bars(area: &Area<'_>, replicated: &Replicated) -> Drawn {
    area.draw_text("Until the last one has it all", &text(17, INK), (24, 20))?;
    let last = replicated.last.map_or(0.0, |last| last.as_secs_f64());
    let rows = [
        ("at best", replicated.least.as_secs_f64(), GREEN),
        ("the swarm", last, BLUE),
        ("one server", replicated.server.as_secs_f64(), ORANGE),
    ];
    let (width, _) = area.dim_in_pixel();
    let (left, right) = (110, width as i32 - 110);
    let most = rows.iter().map(|row| row.1).fold(0.1, f64::max);
    area.draw(&PathElement::new([(left, 54), (left, 54 + 3 * 78)], LINE.stroke_width(1)))?;
    for ((name, seconds, colour), row) in rows.into_iter().zip(0..) {
        let middle = 92 + row * 78;
        let end = left + ((seconds / most) * f64::from(right - left)).round().max(2.0) as i32;
        area.draw(&Rectangle::new([(left, middle - 20), (end, middle + 20)], colour.mix(0.85).filled()))?;
        let ending = text(14, SOFT)
            .pos(plotters::style::text_anchor::Pos::new(HPos::Right, plotters::style::text_anchor::VPos::Center));
        area.draw_text(name, &ending, (left - 12, middle))?;
        let told = if seconds > 0.0 { time(seconds) } else { "not by the end".into() };
        area.draw_text(&told, &text(15, colour), (end + 10, middle))?;
    }
    Ok(())
}

fn legend(area: &Area<'_>, rows: &[(RGBColor, &str)]) -> Drawn {
    for (&(colour, name), row) in rows.iter().zip(0..) {
        let y = 62 + row * 20;
        // What nobody measured is in dashes.
        let gap = if colour == GREEN { 6 } else { 0 };
        for dash in 0..3 {
            area.draw(&PathElement::new([(88 + dash * 9, y), (88 + dash * 9 + 10 - gap, y)], colour.stroke_width(3)))?;
        }
        area.draw_text(name, &text(13, SOFT), (120, y))?;
    }
    Ok(())
}

/// A time in few letters.
fn time(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_have_few_letters() {
        let told = [0.42, 9.94, 10.4, 119.0, 130.0, 841.0, 8_000.0].map(time);
        assert_eq!(told, ["0.4 s", "9.9 s", "10 s", "119 s", "2 min", "14 min", "2.2 h"]);
    }
}
