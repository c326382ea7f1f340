//! The charts: time to delivery, hops, extra copies, neighbours.

use super::look::{Area, BLUE, Drawn, GREEN, INK, ORANGE, SOFT, axis, chart, ending, text};
use crate::sim::scenario::{Report, Samples, Second};
use plotters::prelude::*;

/// The share of what arrived by the time since it was sent; `micros` are sorted.
pub(super) fn delays(area: &Area<'_>, title: &str, micros: &Samples, rtt: f64) -> Drawn {
    // The last hundredth of a percent may take forever.
    let end = micros.quantile(0.9999).map_or(1.0, |end| f64::from(end) / 1e3);
    let mut chart = chart(area, title, ("milliseconds", "% arrived"), (end, 100.0))?;
    if rtt > 0.0 && rtt <= axis(end).0 {
        let at = [(rtt, 0.0), (rtt, 100.0)];
        chart.draw_series(DashedLineSeries::new(at, 4, 4, SOFT.stroke_width(1)))?;
        chart.draw_series([Text::new("median round trip", (rtt + axis(end).0 * 0.01, 4.0), text(12, SOFT))])?;
    }
    let values = micros.values();
    let count = values.len().max(1);
    let pick = |at: usize| (f64::from(values[at]) / 1e3, (at + 1) as f64 * 100.0 / count as f64);
    let steps = 400.min(values.len());
    let curve = (0..steps).map(|step| pick(step * (values.len() - 1) / steps.saturating_sub(1).max(1)));
    let curve: Vec<(f64, f64)> = std::iter::once((0.0, 0.0)).chain(curve).filter(|(x, _)| *x <= axis(end).0).collect();
    chart.draw_series(AreaSeries::new(curve.iter().copied(), 0.0, BLUE.mix(0.12)))?;
    chart.draw_series(LineSeries::new(curve, BLUE.stroke_width(2)))?;
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let Some(micros) = micros.quantile(share) else { continue };
        let at = (f64::from(micros) / 1e3, share * 100.0);
        let beside = (at.0 + axis(end).0 * 0.015, at.1 - 6.0);
        chart.draw_series([Circle::new(at, 4, BLUE.filled())])?;
        chart.draw_series([Text::new(format!("{name} {:.0} ms", at.0), beside, text(13, INK))])?;
    }
    Ok(())
}

/// How many links were passed.
pub(super) fn hops(area: &Area<'_>, title: &str, hops: &Samples, limit: Option<f64>) -> Drawn {
    let most = hops.quantile(1.0).unwrap_or(1) as usize;
    let mut counts = vec![0_usize; most + 1];
    hops.values().iter().for_each(|&hops| counts[hops as usize] += 1);
    let share = |count: usize| count as f64 * 100.0 / hops.len().max(1) as f64;
    let top = counts.iter().map(|&count| share(count)).fold(0.0, f64::max);
    let right = (most as f64 + 1.0).max(limit.unwrap_or(0.0) + 1.0);
    let mut chart = chart(area, title, ("hops", "%"), (right, top))?;
    let bars = counts.iter().enumerate().map(|(hops, &count)| {
        let middle = hops as f64;
        Rectangle::new([((middle - 0.38).max(0.0), 0.0), (middle + 0.38, share(count))], BLUE.mix(0.85).filled())
    });
    chart.draw_series(bars)?;
    if let Some(limit) = limit {
        let height = axis(top).0;
        chart.draw_series(DashedLineSeries::new([(limit, 0.0), (limit, height)], 4, 4, ORANGE.stroke_width(1)))?;
        let beside = (limit - axis(right).0 * 0.01, height * 0.95);
        let right = ending(text(12, ORANGE));
        chart.draw_series([Text::new("log2 N + 2", beside, right)])?;
    }
    Ok(())
}

/// Extra copies per delivery, over time.
pub(super) fn redundancy(area: &Area<'_>, seconds: &[Second]) -> Drawn {
    const WINDOW: usize = 5;
    let points: Vec<(f64, f64)> = seconds
        .windows(WINDOW)
        .filter_map(|window| {
            let (first, again) =
                window.iter().fold((0, 0), |sum, second| (sum.0 + second.copies.0, sum.1 + second.copies.1));
            (first > 0).then(|| (window[WINDOW - 1].at.as_secs_f64(), again as f64 / first as f64))
        })
        .collect();
    let top = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let end = seconds.last().map_or(1.0, |second| second.at.as_secs_f64());
    let mut chart = chart(area, "Extra copies per delivery", ("seconds", ""), (end, top))?;
    chart.draw_series(DashedLineSeries::new([(0.0, 0.5), (axis(end).0, 0.5)], 4, 4, GREEN.stroke_width(1)))?;
    let beside = (axis(end).0, 0.5 - axis(top).0 * 0.04);
    chart.draw_series([Text::new("goal", beside, ending(text(12, GREEN)))])?;
    chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, ORANGE.mix(0.12)))?;
    chart.draw_series(LineSeries::new(points, ORANGE.stroke_width(2)))?;
    Ok(())
}

/// Bytes that a member sent in a second, over time.
pub(super) fn traffic(area: &Area<'_>, seconds: &[Second]) -> Drawn {
    let rate = |second: &Second| second.bytes as f64 / second.members.max(1) as f64 / 1e3;
    let points: Vec<(f64, f64)> = seconds.iter().map(|second| (second.at.as_secs_f64(), rate(second))).collect();
    let top = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let end = seconds.last().map_or(1.0, |second| second.at.as_secs_f64());
    let mut chart = chart(area, "Traffic of a member", ("seconds", "kB/s"), (end, top))?;
    chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, ORANGE.mix(0.12)))?;
    chart.draw_series(LineSeries::new(points, ORANGE.stroke_width(2)))?;
    Ok(())
}

/// Neighbours over time: between the fewest and the most, the median, and what the topology wants.
pub(super) fn neighbours(area: &Area<'_>, report: &Report) -> Drawn {
    let seconds = &report.seconds;
    let series = |pick: fn(&Second) -> usize| -> Vec<(f64, f64)> {
        seconds.iter().map(|second| (second.at.as_secs_f64(), pick(second) as f64)).collect()
    };
    let [least, median, most] =
        [|s: &Second| s.neighbours.0, |s: &Second| s.neighbours.1, |s: &Second| s.neighbours.2].map(series);
    let target = report.neighbours.target as f64;
    let top = most.iter().map(|point| point.1).fold(target, f64::max);
    let end = seconds.last().map_or(1.0, |second| second.at.as_secs_f64());
    let mut chart = chart(area, "Neighbours", ("seconds", ""), (end, top))?;
    let outline: Vec<(f64, f64)> = most.iter().copied().chain(least.iter().rev().copied()).collect();
    chart.draw_series([Polygon::new(outline, BLUE.mix(0.14))])?;
    chart.draw_series(DashedLineSeries::new([(0.0, target), (axis(end).0, target)], 4, 4, GREEN.stroke_width(1)))?;
    let beside = (axis(end).0, target - axis(top).0 * 0.04);
    chart.draw_series([Text::new("target", beside, ending(text(12, GREEN)))])?;
    chart.draw_series(LineSeries::new(median, BLUE.stroke_width(2)))?;
    Ok(())
}
