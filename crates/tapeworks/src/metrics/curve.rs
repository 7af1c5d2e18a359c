//! An equity curve and what all metrics of it share: returns, drawdowns, order statistics.

use std::borrow::Cow;
use std::sync::Arc;

use super::metric::Reason;
use crate::base::Calendar;
use crate::records::{Records, flow_adjusted};

/// Two returns closer than this differ by rounding alone: `E_t / E_{t-1} - 1` carries an error of
/// about one unit in the last place of 1.
const RETURN_NOISE: f64 = 1e-15;

/// An equity curve.
///
/// Shape: one value a timestamp, ascending.
/// Units: account currency, ns UTC.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// Instants of the values.
    pub timestamps: &'a [i64],
    /// Equity after each instant.
    pub equity: &'a [f64],
    /// Equity before the first instant; `None` for a series of prices, whose first value is then
    /// the starting point and has no return.
    pub initial: Option<f64>,
    /// Deposits less withdrawals since the start, a value a timestamp; empty for none. They count
    /// where there is an initial equity.
    pub flows: &'a [f64],
    /// The sessions by which months and years are told; `None` for UTC days.
    pub calendar: Option<&'a Arc<Calendar>>,
}

impl<'a> Curve<'a> {
    /// A curve that starts from `initial`.
    ///
    /// # Panics
    /// When the lengths differ.
    #[must_use]
    pub fn new(timestamps: &'a [i64], equity: &'a [f64], initial: Option<f64>) -> Self {
        assert_eq!(timestamps.len(), equity.len(), "one equity value a timestamp");
        Self { timestamps, equity, initial, flows: &[], calendar: None }
    }

    /// The same curve with the money that was put in and taken out: it is no return.
    ///
    /// # Panics
    /// When there are flows and their number is not that of the timestamps.
    #[must_use]
    pub fn with_flows(self, flows: &'a [f64]) -> Self {
        assert!(flows.is_empty() || flows.len() == self.equity.len(), "one flow a timestamp");
        Self { flows, ..self }
    }

    /// The same curve on a calendar: an instant counts in the month of its session.
    #[must_use]
    pub fn on(self, calendar: Option<&'a Arc<Calendar>>) -> Self {
        Self { calendar, ..self }
    }

    /// The equity curve of a run, on its calendar.
    #[must_use]
    pub fn of(records: &'a Records) -> Self {
        let states = records.states();
        Self::new(&states.timestamp, &states.equity, Some(records.initial_cash()))
            .with_flows(&states.flows)
            .on(records.log().calendar.as_ref())
    }

    /// The starting point and the rows after it; `None` for a price series without a price.
    pub(super) fn split(&self) -> Option<Split<'a>> {
        if let Some(initial) = self.initial {
            let Self { timestamps, equity, flows, .. } = *self;
            let growth = flow_adjusted(equity, flows);
            return Some(Split { initial, start: None, timestamps, equity, growth });
        }
        let (&initial, equity) = self.equity.split_first()?;
        let (&start, timestamps) = self.timestamps.split_first()?;
        let growth = Cow::Borrowed(equity);
        Some(Split { initial, start: Some(start), timestamps, equity, growth })
    }
}

/// A curve as a starting point and the rows that have a return.
#[derive(Debug, Clone)]
pub(super) struct Split<'a> {
    /// Equity before the first return.
    pub initial: f64,
    /// When that was, where it is known.
    pub start: Option<i64>,
    /// Instants of the returns.
    pub timestamps: &'a [i64],
    /// Equity after each return.
    pub equity: &'a [f64],
    /// The same without flows: what the initial equity alone would have come to.
    pub growth: Cow<'a, [f64]>,
}

/// A curve with its returns and drawdowns, computed once for all metrics.
#[derive(Debug)]
pub(super) struct Path<'a> {
    /// Equity before the first return.
    pub initial: f64,
    /// When that was, where it is known.
    pub start: Option<i64>,
    /// Instants of the returns.
    pub timestamps: &'a [i64],
    /// Equity after each return.
    pub equity: &'a [f64],
    /// The same without flows; all returns and drawdowns are of it.
    pub growth: Cow<'a, [f64]>,
    /// `G_t / max(G_0..G_t) - 1` of each row, G the growth.
    pub drawdowns: Vec<f64>,
    returns: Result<Vec<f64>, Reason>,
    sorted: Vec<f64>,
}

impl<'a> Path<'a> {
    pub(super) fn new(curve: &Curve<'a>) -> Self {
        let nothing = Split {
            initial: f64::NAN,
            start: None,
            timestamps: &[],
            equity: &[],
            growth: Cow::Borrowed(&[]),
        };
        let Split { initial, start, timestamps, equity, growth } = curve.split().unwrap_or(nothing);
        let returns = simple_returns(initial, &growth);
        let mut sorted = returns.clone().unwrap_or_default();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut peak = initial;
        let drawdowns = growth
            .iter()
            .map(|&value| {
                peak = peak.max(value);
                value / peak - 1.0
            })
            .collect();
        Self { initial, start, timestamps, equity, growth, drawdowns, returns, sorted }
    }

    /// How many returns the curve has.
    pub(super) fn n(&self) -> usize {
        self.equity.len()
    }

    /// The returns, at least `n_min` of them.
    pub(super) fn returns(&self, n_min: usize) -> Result<&[f64], Reason> {
        let returns = self.returns.as_deref().map_err(|reason| *reason)?;
        if returns.len() < n_min { Err(Reason::TooFew) } else { Ok(returns) }
    }

    /// Growth that may have been lost (zero or negative) but is a number throughout.
    pub(super) fn numbers(&self) -> Result<&[f64], Reason> {
        if self.equity.is_empty() {
            return Err(Reason::NoRows);
        }
        let known = self.growth.iter().all(|value| value.is_finite());
        if known && self.initial > 0.0 { Ok(&self.growth) } else { Err(Reason::NonPositiveEquity) }
    }

    /// The `q` quantile of the returns with linear interpolation.
    pub(super) fn quantile(&self, q: f64) -> Result<f64, Reason> {
        let n = self.returns(2)?.len();
        let place = q * (n - 1) as f64;
        let below = place.floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..n")]
        let idx = below as usize;
        let low = self.sorted[idx];
        let high = self.sorted[(idx + 1).min(n - 1)];
        Ok(low + (high - low) * (place - below))
    }
}

/// `E_t / E_{t-1} - 1`, the first against `initial`; refused where equity is not a positive number.
fn simple_returns(initial: f64, equity: &[f64]) -> Result<Vec<f64>, Reason> {
    if equity.is_empty() {
        return Err(Reason::NoRows);
    }
    let mut previous = initial;
    let mut returns = Vec::with_capacity(equity.len());
    for &value in equity {
        if !(previous > 0.0 && value > 0.0 && value.is_finite() && previous.is_finite()) {
            return Err(Reason::NonPositiveEquity);
        }
        returns.push(value / previous - 1.0);
        previous = value;
    }
    Ok(returns)
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation with ddof 1 of at least two returns; refused when it is rounding noise.
pub(super) fn deviation(values: &[f64]) -> Result<f64, Reason> {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre) * (value - centre)).sum();
    let deviation = (squares / (values.len() - 1) as f64).sqrt();
    if deviation > RETURN_NOISE { Ok(deviation) } else { Err(Reason::ZeroVariance) }
}

/// Whether a return (or a sum of their squares' root) is more than rounding noise.
pub(super) fn is_noise(value: f64) -> bool {
    value.abs() <= RETURN_NOISE
}
