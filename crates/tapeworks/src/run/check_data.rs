//! What the walked rows say about the config: window and spacing.

use crate::base::time::DAY_NS;
use crate::base::{Step, Timestamp};

use super::config::Backtest;

/// Rows may start or end this long inside the window without a word: week-ends and holidays.
const SLACK_NS: i64 = 7 * DAY_NS;

/// First and last instant walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WindowFacts {
    pub first: i64,
    pub last: i64,
}

impl WindowFacts {
    pub fn of(timestamps: &[i64]) -> Option<Self> {
        Some(Self { first: *timestamps.first()?, last: *timestamps.last()? })
    }
}

/// A line for each end of the window that the data do not reach.
pub(super) fn check_span(backtest: &Backtest, walked: Option<WindowFacts>) -> Vec<String> {
    let mut lines = Vec::new();
    let (Some(walked), Ok((start, end))) = (walked, backtest.window()) else { return lines };
    if let Some(start) = start
        && walked.first.saturating_sub(start.0) > SLACK_NS
    {
        lines.push(format!(
            "backtest.start_date {} lies before the first row, {}",
            backtest.start_date.as_deref().unwrap_or_default(),
            Timestamp(walked.first)
        ));
    }
    if let Some(end) = end
        && end.0.saturating_sub(walked.last) > SLACK_NS + DAY_NS
    {
        lines.push(format!(
            "backtest.end_date {} lies after the last row, {}",
            backtest.end_date.as_deref().unwrap_or_default(),
            Timestamp(walked.last)
        ));
    }
    lines
}

/// The most usual distance of consecutive timestamps; the smaller one on a tie.
pub(super) fn inferred_spacing(timestamps: &[i64]) -> Option<i64> {
    let mut gaps: Vec<i64> = timestamps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    gaps.chunk_by(|a, b| a == b)
        .max_by_key(|run| (run.len(), std::cmp::Reverse(run[0])))
        .map(|run| run[0])
}

/// A line when the declared spacing is not the usual one of the data.
pub(super) fn spacing_warning(declared: Option<&str>, inferred: Option<i64>) -> Option<String> {
    let (declared, inferred) = (declared?, inferred?);
    let step = Step::parse(declared).ok()?;
    (step != Step::of_spacing(inferred) && step.about_ns() != inferred).then(|| {
        format!("data.frequency is {declared}, but rows are usually {} apart", span_text(inferred))
    })
}

/// A span in the largest unit that divides it.
pub(super) fn span_text(span_ns: i64) -> String {
    const UNITS: &[(&str, i64)] = &[
        ("w", 7 * DAY_NS),
        ("d", DAY_NS),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ];
    for (name, unit_ns) in UNITS {
        if span_ns % unit_ns == 0 {
            return format!("{}{name}", span_ns / unit_ns);
        }
    }
    format!("{span_ns}ns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_when_days_have_weekends_then_a_day() {
        // Monday to Friday, then Monday: four gaps of one day, one of three.
        let days = [0, 1, 2, 3, 4, 7].map(|day| day * DAY_NS);
        assert_eq!(inferred_spacing(&days), Some(DAY_NS));
        assert_eq!(inferred_spacing(&[0]), None);
        assert_eq!(span_text(300_000_000_000), "5m");
        assert!(spacing_warning(Some("1d"), Some(DAY_NS)).is_none());
        let line = spacing_warning(Some("5m"), Some(DAY_NS)).expect("they differ");
        assert!(line.contains("5m") && line.contains("1d"), "{line}");
    }
}
