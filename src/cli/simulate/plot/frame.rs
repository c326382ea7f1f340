//! A chart whose axes may be logarithmic, with the marks that it is told.

use super::look::{Area, Drawn, INK, LINE, SOFT, text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Pixels around the chart: left, top, right, bottom.
const MARGIN: (i32, i32, i32, i32) = (74, 52, 40, 46);

/// Where on an axis a value stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// From the first to the second.
    Linear(f64, f64),
    /// From the first to the second, both above zero.
    Logarithmic(f64, f64),
}

impl Scale {
    /// From 0 at the beginning to 1 at the end.
    fn share(self, value: f64) -> f64 {
        match self {
            Self::Linear(from, to) => (value - from) / (to - from),
            Self::Logarithmic(from, to) => (value / from).ln() / (to / from).ln(),
        }
    }
}

/// A value on an axis and what is written there.
pub(super) type Mark = (f64, String);

/// A chart.
pub(super) struct Frame<'a, 'b> {
    area: &'a Area<'b>,
    x: Scale,
    y: Scale,
}

impl<'a, 'b> Frame<'a, 'b> {
    /// Draws title, marks and the lines at those of the upright axis; `names` stand at the ends of the axes.
    pub(super) fn new(
        area: &'a Area<'b>,
        title: &str,
        names: (&str, &str),
        (x, across): (Scale, &[Mark]),
        (y, upright): (Scale, &[Mark]),
    ) -> Result<Self, DrawingAreaErrorKind<std::io::Error>> {
        let frame = Self { area, x, y };
        area.draw_text(title, &text(17, INK), (24, 20))?;
        let (left, right, bottom) = (frame.across(0.0), frame.across(1.0), frame.upright(0.0));
        for (value, label) in upright {
            let at = frame.upright(frame.y.share(*value));
            area.draw(&PathElement::new([(left, at), (right, at)], LINE.stroke_width(1)))?;
            let style = text(13, SOFT).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(label, &style, (left - 10, at))?;
        }
        for (value, label) in across {
            let at = frame.across(frame.x.share(*value));
            area.draw(&PathElement::new([(at, bottom), (at, bottom + 5)], LINE.stroke_width(1)))?;
            let style = text(13, SOFT).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw_text(label, &style, (at, bottom + 9))?;
        }
        let centred = text(13, SOFT).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw_text(names.0, &centred, (left.midpoint(right), bottom + 27))?;
        area.draw_text(names.1, &text(13, SOFT), (24, 40))?;
        Ok(frame)
    }

    fn across(&self, share: f64) -> i32 {
        let width = self.area.dim_in_pixel().0 as i32 - MARGIN.0 - MARGIN.2;
        MARGIN.0 + (share * f64::from(width)).round() as i32
    }

    fn upright(&self, share: f64) -> i32 {
        let height = self.area.dim_in_pixel().1 as i32;
        height - MARGIN.3 - (share * f64::from(height - MARGIN.1 - MARGIN.3)).round() as i32
    }

    /// The pixel of a point.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (self.across(self.x.share(x)), self.upright(self.y.share(y)))
    }

    /// A line through points.
    pub(super) fn line(&self, points: &[(f64, f64)], style: ShapeStyle) -> Drawn {
        let pixels: Vec<(i32, i32)> = points.iter().map(|&point| self.at(point)).collect();
        self.area.draw(&PathElement::new(pixels, style))
    }

    /// The same in dashes.
    pub(super) fn dashes(&self, points: &[(f64, f64)], style: ShapeStyle) -> Drawn {
        const DASH: f64 = 9.0;
        let pixels: Vec<(i32, i32)> = points.iter().map(|&point| self.at(point)).collect();
        for pair in pixels.windows(2) {
            let (from, to) =
                ((f64::from(pair[0].0), f64::from(pair[0].1)), (f64::from(pair[1].0), f64::from(pair[1].1)));
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let on = |along: f64| {
                let share = (along / length.max(1.0)).min(1.0);
                let between = |from: f64, to: f64| (from + (to - from) * share).round() as i32;
                (between(from.0, to.0), between(from.1, to.1))
            };
            for dash in 0..(length / DASH).ceil() as usize {
                let begin = dash as f64 * DASH;
                self.area.draw(&PathElement::new([on(begin), on(begin + DASH * 0.55)], style))?;
            }
        }
        Ok(())
    }

    /// Dots with white rims at points.
    pub(super) fn dots(&self, points: &[(f64, f64)], colour: RGBColor) -> Drawn {
        for &point in points {
            self.area.draw(&Circle::new(self.at(point), 6, WHITE.filled()))?;
            self.area.draw(&Circle::new(self.at(point), 4, colour.filled()))?;
        }
        Ok(())
    }

    /// Words beside a point, so many pixels to the right and down.
    pub(super) fn label(&self, point: (f64, f64), by: (i32, i32), words: &str, colour: RGBColor, side: HPos) -> Drawn {
        let (x, y) = self.at(point);
        let style = text(13, colour).pos(Pos::new(side, VPos::Center));
        self.area.draw_text(words, &style, (x + by.0, y + by.1))
    }
}
