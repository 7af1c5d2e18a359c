//! Charts drawn on our side: lines for readers without scripts, and histograms.
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
    fn label(self, value: f64, step: f64) -> String {
        match self {
            Self::Money => compact(value, step),
            Self::Percent => {
                let text = number::grouped(value * 100.0, decimals_of(step * 100.0));
                number::true_minus(&format!("{text} %"))
            }
        }
    }
}

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
const RIGHT: f64 = 12.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 26.0;

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
                    "<path class=\"area {}\" d=\"{line}L{:.1} {base_y:.1}L{LEFT:.1} {base_y:.1}Z\"/>",
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

/// How often values fall into equal bins.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// Lower edge of the first bin.
    pub start: f64,
    /// Width of a bin.
    pub width: f64,
    /// Values a bin; the first and the last also hold what lies beyond them.
    pub counts: Vec<u64>,
    /// Whether values lie below the first and above the last bin.
    pub is_clipped: bool,
}

impl Histogram {
    /// About 40 bins over the middle 98 % of the finite values, with round edges and one at zero.
    ///
    /// `None` when there is no finite value. Reorders `values`.
    #[must_use]
    pub fn of(values: &mut Vec<f64>) -> Option<Self> {
        values.retain(|v| v.is_finite());
        let last = values.len().checked_sub(1)?;
        let mut at = |rank: usize| *values.select_nth_unstable_by(rank, f64::total_cmp).1;
        let (low, high) = (at(last / 100), at(last - last / 100));
        let width = nice_step((high - low).max(f64::MIN_POSITIVE), 40.0);
        let width = if width > 1e-12 { width } else { low.abs().max(1.0) / 10.0 };
        let start = (low / width).floor() * width;
        let n_bins = bin_of(high, start, width, usize::MAX) + 1;
        let mut counts = vec![0; n_bins.min(200)];
        let n_bins = counts.len();
        let end = start + width * n_bins as f64;
        let mut is_clipped = false;
        for &value in values.iter() {
            is_clipped |= value < start || value > end;
            counts[bin_of(value, start, width, n_bins)] += 1;
        }
        Some(Self { start, width, counts, is_clipped })
    }

    /// The bins as one `<svg>` element: losses and gains in their colours.
    #[must_use]
    pub fn draw(&self, unit: Unit, title: &str) -> String {
        const WIDE: f64 = 560.0;
        const HIGH: f64 = 230.0;
        const EDGE: f64 = 50.0;
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let bin_width = (WIDE - EDGE - RIGHT) / self.counts.len() as f64;
        let y = |n: f64| TOP + (1.0 - n / (most * 1.08)) * (HIGH - TOP - BOTTOM);
        let mut svg = open_svg(WIDE, HIGH, title);
        let step = nice_step(most, 3.0).max(1.0);
        for n in ticks(0.0, most, step) {
            axis_line(&mut svg, EDGE, WIDE - RIGHT, y(n), &compact(n, step));
        }
        let range = self.width * self.counts.len() as f64;
        let x = |v: f64| EDGE + (v - self.start) / range * (WIDE - EDGE - RIGHT);
        let step = nice_step(range, 6.0);
        for value in ticks(self.start, self.start + range, step) {
            push(
                &mut svg,
                format_args!(
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    x(value),
                    HIGH - 8.0,
                    unit.label(value, step)
                ),
            );
        }
        for (i, &n) in self.counts.iter().enumerate().filter(|&(_, &n)| n > 0) {
            let from = self.start + self.width * i as f64;
            let is_loss = from + self.width / 2.0 < 0.0;
            let tall = (y(0.0) - y(n as f64)).max(0.75);
            push(
                &mut svg,
                format_args!(
                    "<rect class=\"{}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{tall:.2}\">\
                     <title>{} to {}: {}</title></rect>",
                    if is_loss { "loss" } else { "gain" },
                    EDGE + bin_width * i as f64 + 0.5,
                    y(0.0) - tall,
                    (bin_width - 1.0).max(0.5),
                    unit.label(from, self.width),
                    unit.label(from + self.width, self.width),
                    number::count(n)
                ),
            );
        }
        if (self.start..=self.start + range).contains(&0.0) {
            push(
                &mut svg,
                format_args!(
                    "<line class=\"zero\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1:.1}\"/>",
                    x(0.0),
                    y(0.0)
                ),
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins")]
fn bin_of(value: f64, start: f64, width: f64, n_bins: usize) -> usize {
    // edges are multiples of the width; the tolerance keeps a value on an edge in its upper bin
    let place = ((value - start) / width + 1e-9).floor();
    (place.max(0.0) as usize).min(n_bins - 1)
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that cuts `range` into at most `n` steps.
fn nice_step(range: f64, n: f64) -> f64 {
    let raw = range / n;
    let power = 10_f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    steps.into_iter().map(|s| s * power).find(|s| *s >= raw * (1.0 - 1e-9)).unwrap_or(raw)
}

/// Multiples of `step` within the range.
fn ticks(low: f64, high: f64, step: f64) -> Vec<f64> {
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

fn widened(low: f64, high: f64) -> (f64, f64) {
    let margin = match high - low {
        range if range > 0.0 => range * 0.04,
        _ => low.abs().max(1.0) * 0.05,
    };
    (low - margin, high + margin)
}

/// `1.25M`, `40k`, `-2.5`: as many decimals as the step needs.
fn compact(value: f64, step: f64) -> String {
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

fn open_svg(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg class=\"drawn\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\
         <text class=\"name\" x=\"0\" y=\"13\">{title}</text>"
    )
}

fn axis_line(svg: &mut String, from: f64, to: f64, y: f64, label: &str) {
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

fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
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
    fn histogram_when_counted_by_hand_then_agrees() {
        let mut values = vec![-1.0, -0.5, 0.0, 0.25, 1.0, 1.0, f64::NAN];
        let histogram = Histogram::of(&mut values).expect("six values");
        // range 2, at most 40 bins: width 0.05
        assert!((histogram.width - 0.05).abs() < 1e-12 && (histogram.start + 1.0).abs() < 1e-12);
        let seen: Vec<_> =
            histogram.counts.iter().enumerate().filter(|&(_, &n)| n > 0).collect();
        assert_eq!(seen, [(0, &1), (10, &1), (20, &1), (25, &1), (40, &2)]);
        assert!(!histogram.is_clipped);
    }

    #[test]
    fn histogram_when_equal_huge_or_empty_then_total_is_kept() {
        assert!(Histogram::of(&mut vec![f64::NAN]).is_none());
        for values in [vec![3.0; 5], vec![0.0; 4], vec![1e12, -1e12, 1.0], vec![1e-9, 2e-9]] {
            let n = values.len() as u64;
            let histogram = Histogram::of(&mut values.clone()).expect("values");
            assert_eq!(histogram.counts.iter().sum::<u64>(), n, "{values:?}");
            assert!(histogram.draw(Unit::Money, "x").ends_with("</svg>"));
        }
    }

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
