//! A small overlay: its members around the ring, and who is connected with whom.

use super::look::{Area, BLUE, Drawn, GREEN, INK, LINE, ORANGE, SOFT, text};
use crate::sim::scenario::Place;
use plotters::prelude::*;
use std::f64::consts::TAU;

type Point = (i32, i32);

/// Draws the ring into the middle of the area.
pub(super) fn ring(area: &Area<'_>, places: &[Place]) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    area.draw_text("The ring and its links", &text(17, INK), (24, 20))?;
    let centre = (f64::from(width) / 2.0, f64::from(height) / 2.0 + 10.0);
    let radius = f64::from(width.min(height)) / 2.0 - 50.0;
    let on = |turn: f64, share: f64| -> Point {
        let (sine, cosine) = (turn * TAU).sin_cos();
        ((centre.0 + sine * radius * share).round() as i32, (centre.1 - cosine * radius * share).round() as i32)
    };
    area.draw(&Circle::new(on(0.0, 0.0), radius as i32, LINE.stroke_width(1)))?;

    // Many links are drawn faintly, so that their density shows.
    let links: usize = places.iter().map(|place| place.neighbours.len()).sum();
    let faint = (60.0 / (links as f64).max(1.0).sqrt() / 4.0).clamp(0.10, 0.6);
    for (index, place) in places.iter().enumerate() {
        for &other in
            place.neighbours.iter().filter(|&&other| index < other || !places[other].neighbours.contains(&index))
        {
            let far = &places[other];
            let colour = if place.hostile || far.hostile { ORANGE } else { BLUE };
            let chord = arc(place.at, far.at, &on);
            area.draw(&PathElement::new(chord, colour.mix(faint).stroke_width(1)))?;
        }
    }
    for place in places {
        let at = on(place.at, 1.0);
        let size = if places.len() > 100 { 4 } else { 6 };
        let colour = match place {
            Place { hostile: true, .. } => ORANGE,
            Place { symmetric: true, .. } => GREEN,
            _ => BLUE,
        };
        area.draw(&Circle::new(at, size, WHITE.filled()))?;
        area.draw(&Circle::new(at, size - 1, colour.filled()))?;
    }
    legend(area, places)
}

/// From one place to another, bent towards the middle the more the further they are apart.
fn arc(from: f64, to: f64, on: &impl Fn(f64, f64) -> Point) -> Vec<Point> {
    const STEPS: i32 = 16;
    let (a, b) = (on(from, 1.0), on(to, 1.0));
    let turn = (to - from).rem_euclid(1.0);
    let (middle, apart) = if turn > 0.5 { (to + (1.0 - turn) / 2.0, 1.0 - turn) } else { (from + turn / 2.0, turn) };
    let pull = on(middle, 1.0 - (apart * 2.0).sqrt());
    let along = |a: i32, pull: i32, b: i32, t: f64| {
        let (a, pull, b) = (f64::from(a), f64::from(pull), f64::from(b));
        ((1.0 - t).powi(2) * a + 2.0 * (1.0 - t) * t * pull + t * t * b).round() as i32
    };
    let step = |step: i32| {
        let t = f64::from(step) / f64::from(STEPS);
        (along(a.0, pull.0, b.0, t), along(a.1, pull.1, b.1, t))
    };
    (0..=STEPS).map(step).collect()
}

fn legend(area: &Area<'_>, places: &[Place]) -> Drawn {
    let hostile = places.iter().any(|place| place.hostile).then_some((ORANGE, "hostile"));
    let symmetric = places.iter().any(|place| place.symmetric).then_some((GREEN, "behind a symmetric NAT"));
    let rows = [Some((BLUE, "member")), hostile, symmetric];
    for ((colour, name), row) in rows.into_iter().flatten().zip(0..) {
        area.draw(&Circle::new((32, 52 + row * 22), 5, colour.filled()))?;
        area.draw_text(name, &text(13, SOFT), (46, 52 + row * 22))?;
    }
    Ok(())
}
