//! A line over time as SVG, for readers without scripts.

use super::svg::{BOTTOM, RIGHT, TOP, Unit, axis_line, escaped, nice_step, open_svg, push, ticks};

/// A line over time, optionally filled down to a base value.
#[derive(Debug, Clone)]
pub struct LineChart<'a> {
    /// Instants in seconds, ascending.
    pub seconds: &'a [f64],
    /// One value an instant; NaN breaks the line.
    pub values: &'a [f64],
    /// What the values are.
    pub unit: Unit,
    /// Title, read by screen readers and shown above the axis.
    pub title: &'a str,
    /// CSS class of the line: `equity`, `drawdown`.
    pub class: &'a str,
    /// Fill between the line and this value.
    pub fill_from: Option<f64>,
    /// Labels of the x axis as (seconds, text).
    pub dates: &'a [(f64, String)],
    /// Height in the same units as the width of 1,000.
    pub height: f64,
}

const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 76.0;

impl LineChart<'_> {
    /// The chart as one `<svg>` element.
    #[must_use]
    pub fn draw(&self) -> String {
        let finite = || self.values.iter().copied().filter(|v| v.is_finite());
        let low = finite().chain(self.fill_from).fold(f64::INFINITY, f64::min);
        let high = finite().chain(self.fill_from).fold(f64::NEG_INFINITY, f64::max);
        let (Some(&first), Some(&last)) = (self.seconds.first(), self.seconds.last()) else {
            return String::new();
        };
        if low > high {
            return String::new();
        }
        let (low, high) = widened(low, high);
        let span = if last > first { last - first } else { 1.0 };
        let x = |s: f64| LEFT + (s - first) / span * (WIDTH - LEFT - RIGHT);
        let y = |v: f64| TOP + (high - v) / (high - low) * (self.height - TOP - BOTTOM);
        let mut svg = open_svg(WIDTH, self.height, self.title);
        let step = nice_step(high - low, 4.0);
        for value in ticks(low, high, step) {
            axis_line(&mut svg, LEFT, WIDTH - RIGHT, y(value), &self.unit.label(value, step));
        }
        for (seconds, text) in self.dates {
            let at = x(*seconds);
            push(
                &mut svg,
                format_args!(
                    "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    self.height - 8.0,
                    escaped(text)
                ),
            );
        }
        let mut line = String::new();
        let mut is_drawing = false;
        for (&s, &v) in self.seconds.iter().zip(self.values) {
            if v.is_finite() {
                let command = if is_drawing { 'L' } else { 'M' };
                push(&mut line, format_args!("{command}{:.1} {:.1}", x(s), y(v)));
            }
            is_drawing = v.is_finite();
        }
        if let Some(base) = self.fill_from {
            push(
                &mut svg,
                format_args!(
                    "<path class=\"area {}\" d=\"{line}L{:.1} {base_y:.1}\
                     L{LEFT:.1} {base_y:.1}Z\"/>",
                    self.class,
                    x(last),
                    base_y = y(base)
                ),
            );
        }
        push(&mut svg, format_args!("<path class=\"line {}\" d=\"{line}\"/></svg>", self.class));
        svg
    }
}

fn widened(low: f64, high: f64) -> (f64, f64) {
    let margin = match high - low {
        range if range > 0.0 => range * 0.04,
        _ => low.abs().max(1.0) * 0.05,
    };
    (low - margin, high + margin)
}
