//! How often values fall into equal bins, as numbers and as SVG.

use super::number;
use super::svg::{BOTTOM, RIGHT, TOP, Unit, axis_line, compact, nice_step, open_svg, push, ticks};

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
                    "<rect class=\"{}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" \
                     height=\"{tall:.2}\"><title>{} to {}: {}</title></rect>",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_when_counted_by_hand_then_agrees() {
        let mut values = vec![-1.0, -0.5, 0.0, 0.25, 1.0, 1.0, f64::NAN];
        let histogram = Histogram::of(&mut values).expect("six values");
        // range 2, at most 40 bins: width 0.05
        assert!((histogram.width - 0.05).abs() < 1e-12 && (histogram.start + 1.0).abs() < 1e-12);
        let seen: Vec<_> = histogram.counts.iter().enumerate().filter(|&(_, &n)| n > 0).collect();
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
}
