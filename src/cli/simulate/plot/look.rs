//! Colours, letters and the frame that all charts share.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::io;

/// A part of the picture.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Drawing into memory fails only where a chart is laid out wrongly.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;
/// Axes from one number to another.
pub(super) type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

pub(super) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
pub(super) const SOFT: RGBColor = RGBColor(0x6b, 0x77, 0x85);
pub(super) const LINE: RGBColor = RGBColor(0xe3, 0xe7, 0xec);
pub(super) const BLUE: RGBColor = RGBColor(0x2a, 0x6f, 0x9e);
pub(super) const ORANGE: RGBColor = RGBColor(0xc8, 0x5a, 0x1e);
pub(super) const GREEN: RGBColor = RGBColor(0x3f, 0x8a, 0x5c);

/// Text of this size and colour, whose left end and middle is where it is put.
pub(super) fn text(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Center))
}

/// The same, whose right end is where it is put.
pub(super) fn ending(style: TextStyle<'static>) -> TextStyle<'static> {
    style.pos(Pos::new(HPos::Right, VPos::Center))
}

/// The range of an axis with steps of 1, 2 or 5 times a power of ten, and how many steps it has.
pub(super) fn axis(most: f64) -> (f64, usize) {
    let most = if most > 0.0 { most } else { 1.0 };
    let power = 10_f64.powf((most / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|unit| unit * power).into_iter().find(|step| most / step <= 5.0);
    let step = step.unwrap_or(power * 10.0);
    let steps = (most / step).ceil();
    (steps * step, steps as usize)
}

/// A chart from zero to these ends, with its title and the names of its axes.
pub(super) fn chart<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    names: (&str, &str),
    ends: (f64, f64),
) -> Result<Chart<'a, 'b>, DrawingAreaErrorKind<io::Error>> {
    area.draw_text(title, &text(17, INK), (24, 20))?;
    let (right, columns) = axis(ends.0);
    let (top, rows) = axis(ends.1);
    let mut chart = ChartBuilder::on(area)
        .margin_top(40)
        .margin_right(28)
        .margin_bottom(8)
        .margin_left(10)
        .x_label_area_size(42)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    let label = ("sans-serif", 13).into_font().color(&SOFT);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(LINE)
        .light_line_style(TRANSPARENT)
        .axis_style(LINE)
        .label_style(label.clone())
        .axis_desc_style(label)
        .x_labels(columns + 1)
        .y_labels(rows + 1)
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .x_desc(names.0)
        .y_desc(names.1)
        .draw()?;
    Ok(chart)
}

/// As many digits as it needs.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_number() {
        let ends = [0.0, 0.37, 1.0, 4.2, 87.0, 100.0, 1_034.0].map(|most| axis(most).0);
        assert_eq!(ends.map(number), ["1", "0.4", "1", "5", "100", "100", "1500"]);
        assert!([0.1, 3.3, 55.0, 1e6].iter().all(|&most| (1..=5).contains(&axis(most).1) && axis(most).0 >= most));
    }
}
