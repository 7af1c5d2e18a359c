//! The deepest drawdowns: when they began, how deep they went, how long they lasted.

use serde_json::{Value, json};

use crate::base::time::DAY_NS;
use crate::report::ReportInput;
use crate::report::calendar::Clock;

/// How many are listed.
const N_LISTED: usize = 5;

/// One stretch under water.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Drawdown {
    /// Row of the peak; `None` when the peak is the cash at the start.
    peak: Option<usize>,
    trough: usize,
    /// First row back at the peak.
    recovered: Option<usize>,
    depth: f64,
}

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let states = input.records.states();
    let times = &states.timestamp;
    let clock = Clock::new(times, &input.facts.timezone);
    let mut found = stretches(&input.records.growth(), input.records.initial_cash());
    found.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    let listed: Vec<Value> = found
        .iter()
        .take(N_LISTED)
        .map(|d| {
            let start = times[d.peak.unwrap_or(0)];
            let end = d.recovered.map_or(times[times.len() - 1], |row| times[row]);
            json!({
                "depth": d.depth,
                "peak": clock.label(start),
                "trough": clock.label(times[d.trough]),
                "recovered": d.recovered.map(|row| clock.label(times[row])),
                "days": (end - start) as f64 / DAY_NS as f64,
                "from": start as f64 / 1e9,
                "to": end as f64 / 1e9,
            })
        })
        .collect();
    let deepest = found.first().map_or(0.0, |d| d.depth);
    json!({"n": found.len(), "listed": listed, "deepest": deepest})
}

/// Every stretch below an earlier peak, the first peak being the cash at the start.
fn stretches(equity: &[f64], initial: f64) -> Vec<Drawdown> {
    let mut found = Vec::new();
    let mut peak = (None, initial);
    let mut open: Option<Drawdown> = None;
    for (row, &value) in equity.iter().enumerate() {
        if value >= peak.1 {
            found.extend(open.take().map(|d| Drawdown { recovered: Some(row), ..d }));
            peak = (Some(row), value);
        } else if peak.1 > 0.0 {
            let depth = value / peak.1 - 1.0;
            let current =
                open.get_or_insert(Drawdown { peak: peak.0, trough: row, recovered: None, depth });
            if depth < current.depth {
                (current.trough, current.depth) = (row, depth);
            }
        }
    }
    found.extend(open);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_when_worked_by_hand_then_agree() {
        let found = stretches(&[90.0, 80.0, 100.0, 110.0, 99.0, 104.5], 100.0);
        let expected = [(None, 1, Some(2), -0.2), (Some(3), 4, None, -0.1)];
        assert_eq!(found.len(), expected.len());
        for (d, (peak, trough, recovered, depth)) in found.iter().zip(expected) {
            assert_eq!((d.peak, d.trough, d.recovered), (peak, trough, recovered));
            assert!((d.depth - depth).abs() < 1e-12);
        }
        assert!(stretches(&[1.0, 2.0, 3.0], 1.0).is_empty());
    }
}
