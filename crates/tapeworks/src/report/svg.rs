//! What charts drawn on our side share: axes, labels, escaped text.
//!
//! Colours and fonts come from the page's style sheet by class, so both follow the theme.

use std::fmt::Write as _;

use super::number;

/// What the axis of a chart measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Account currency.
    Money,
    /// A fraction, shown as percent.
    Percent,
}

impl Unit {
    pub(super) fn label(self, value: f64, step: f64) -> String {
        match self {
            Self::Money => compact(value, step),
            Self::Percent => {
                let text = number::grouped(value * 100.0, decimals_of(step * 100.0));
                number::true_minus(&format!("{text} %"))
            }
        }
    }
}

/// Room around the plot, in units of the drawing.
pub(super) const RIGHT: f64 = 12.0;
/// Above it: the title.
pub(super) const TOP: f64 = 26.0;
/// Below it: the labels of the x axis.
pub(super) const BOTTOM: f64 = 26.0;

/// The smallest of 1, 2, 2.5, 5 times a power of ten that cuts `range` into at most `n` steps.
pub(super) fn nice_step(range: f64, n: f64) -> f64 {
    let raw = range / n;
    let power = 10_f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    steps.into_iter().map(|s| s * power).find(|s| *s >= raw * (1.0 - 1e-9)).unwrap_or(raw)
}

/// Multiples of `step` within the range.
pub(super) fn ticks(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    let mut values = Vec::new();
    let mut k = first;
    while k <= last && values.len() < 50 {
        values.push(k * step);
        k += 1.0;
    }
    values
}

/// `1.25M`, `40k`, `-2.5`: as many decimals as the step needs.
pub(super) fn compact(value: f64, step: f64) -> String {
    let (scale, suffix) = match value.abs().max(step) {
        size if size >= 1e9 => (1e9, "bn"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let text = number::grouped(value / scale, decimals_of(step / scale));
    number::true_minus(&format!("{text}{suffix}"))
}

/// As many decimals as a multiple of `step` needs, three at most.
fn decimals_of(step: f64) -> usize {
    let mut decimals = 0;
    let mut rest = step;
    while decimals < 3 && (rest - rest.round()).abs() > 1e-6 * rest.abs().max(1.0) {
        rest *= 10.0;
        decimals += 1;
    }
    decimals
}

pub(super) fn open_svg(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg class=\"drawn\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\
         <text class=\"name\" x=\"0\" y=\"13\">{title}</text>"
    )
}

pub(super) fn axis_line(svg: &mut String, from: f64, to: f64, y: f64, label: &str) {
    push(
        svg,
        format_args!(
            "<line class=\"grid\" x1=\"{from}\" x2=\"{to}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            from - 8.0,
            y + 4.0
        ),
    );
}

pub(super) fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("writing to a String cannot fail");
}

/// Text for HTML and SVG.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_labels_when_listed_then_round() {
        assert!((nice_step(100.0, 4.0) - 25.0).abs() < 1e-9);
        assert!((nice_step(0.37, 4.0) - 0.1).abs() < 1e-9);
        let rows = [
            (compact(1_250_000.0, 250_000.0), "1.25M"),
            (compact(40_000.0, 20_000.0), "40k"),
            (compact(-2.5, 2.5), "\u{2212}2.5"),
            (Unit::Percent.label(-0.1, 0.05), "\u{2212}10 %"),
            (Unit::Percent.label(0.025, 0.025), "2.5 %"),
            (Unit::Percent.label(0.000_25, 0.000_25), "0.025 %"),
            (escaped("<a href='x'>&"), "&lt;a href=&#39;x&#39;&gt;&amp;"),
        ];
        for (text, expected) in rows {
            assert_eq!(text, expected);
        }
    }
}
