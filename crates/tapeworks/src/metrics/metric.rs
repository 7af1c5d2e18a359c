//! One number with everything needed to read it: unit, convention, count, or why there is none.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::base::Timestamp;

/// Why a metric has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The run has no rows.
    NoRows,
    /// Fewer values than the formula needs, or too few to annualise.
    TooFew,
    /// All returns are equal.
    ZeroVariance,
    /// No return is negative.
    NoDownside,
    /// Equity never fell below a peak.
    NoDrawdown,
    /// No trade was closed, or no order filled.
    NoTrades,
    /// No closed trade lost money.
    NoLosses,
    /// No closed trade made money.
    NoWins,
    /// Trading was free.
    NoCosts,
    /// Nothing was earned before costs.
    NoGrossProfit,
    /// No benchmark was given.
    NoBenchmark,
    /// Equity reached zero or was not a number: returns from there on have no meaning.
    NonPositiveEquity,
    /// The dates of two series do not meet.
    NotAligned,
}

impl Reason {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRows => "no_rows",
            Self::TooFew => "too_few",
            Self::ZeroVariance => "zero_variance",
            Self::NoDownside => "no_downside",
            Self::NoDrawdown => "no_drawdown",
            Self::NoTrades => "no_trades",
            Self::NoLosses => "no_losses",
            Self::NoWins => "no_wins",
            Self::NoCosts => "no_costs",
            Self::NoGrossProfit => "no_gross_profit",
            Self::NoBenchmark => "no_benchmark",
            Self::NonPositiveEquity => "non_positive_equity",
            Self::NotAligned => "not_aligned",
        }
    }
}

/// The name with spaces: `no losses`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

/// What a value is measured in, and so how it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A fraction of 1; printed as percent.
    Fraction,
    /// A plain number.
    Ratio,
    /// Account currency.
    Currency,
    /// A number of things.
    Count,
    /// Rows of the run (snapshots).
    Rows,
    /// Days of 86,400 seconds.
    Days,
}

impl Unit {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Ratio => "ratio",
            Self::Currency => "currency",
            Self::Count => "count",
            Self::Rows => "rows",
            Self::Days => "days",
        }
    }

    /// A value for people: two decimals, percent, thousands apart.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        let text = self.signed_text(value);
        // A loss too small to show is no "-0.00".
        match text.strip_prefix('-') {
            Some(rest) if !rest.contains(|c: char| ('1'..='9').contains(&c)) => rest.to_owned(),
            _ => text,
        }
    }

    fn signed_text(self, value: f64) -> String {
        match self {
            Self::Fraction => format!("{:.2} %", value * 100.0),
            Self::Ratio => format!("{value:.2}"),
            Self::Currency => grouped(&format!("{value:.2}")),
            Self::Count => grouped(&format!("{value:.0}")),
            Self::Rows => format!("{} rows", grouped(&format!("{value:.1}").replace(".0", ""))),
            Self::Days => format!("{value:.1} days"),
        }
    }
}

/// What a reader must know to recompute annualised numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conventions {
    /// Snapshot periods a year; see [`super::periods_per_year`].
    pub periods_per_year: f64,
    /// Risk-free rate a year, as a fraction.
    pub risk_free: f64,
}

impl Default for Conventions {
    /// 252 periods a year, no risk-free return.
    fn default() -> Self {
        Self { periods_per_year: 252.0, risk_free: 0.0 }
    }
}

impl Conventions {
    /// The risk-free return of one period: `(1 + rf)^(1/P) - 1`.
    #[must_use]
    pub fn risk_free_per_period(&self) -> f64 {
        if self.risk_free == 0.0 {
            return 0.0;
        }
        (1.0 + self.risk_free).powf(1.0 / self.periods_per_year) - 1.0
    }
}

/// When something happened that belongs to a metric, for example the peak before a drawdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// What: `peak`, `trough`, `end`.
    pub key: &'static str,
    /// When (ns UTC); `None` is the start, before the first row.
    pub timestamp: Option<i64>,
}

/// One number of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Stable name.
    pub key: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// The value, unrounded; `None` with a `reason` where it is undefined.
    pub value: Option<f64>,
    /// Why there is no value.
    pub reason: Option<Reason>,
    /// What it is measured in.
    pub unit: Unit,
    /// The choices behind the number, without `n`: `252/yr, rf 0, ddof 1`; empty for none.
    pub convention: String,
    /// How it is computed.
    pub formula: &'static str,
    /// How many values went in (returns, trades, fills or rows, by metric).
    pub n: usize,
    /// Times that belong to the number.
    pub facts: Vec<Fact>,
}

impl Metric {
    /// The value for people, or `n/a (no losses)`.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.value, self.reason) {
            (Some(value), _) => self.unit.text(value),
            (None, Some(reason)) => format!("n/a ({reason})"),
            (None, None) => "n/a".to_owned(),
        }
    }

    /// The convention with the count: `252/yr, rf 0, ddof 1, n=2515`.
    #[must_use]
    pub fn convention_text(&self) -> String {
        if self.convention.is_empty() {
            format!("n={}", self.n)
        } else {
            format!("{}, n={}", self.convention, self.n)
        }
    }
}

/// `Sharpe 0.78 (252/yr, rf 0, ddof 1, n=2515)`
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.label, self.text(), self.convention_text())
    }
}

/// `{"value": ..., "reason": ..., "unit": ..., "convention": ..., "n": ...}`, then the facts as ISO
/// times (`null` is the start of the run).
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5 + self.facts.len()))?;
        map.serialize_entry("value", &self.value)?;
        map.serialize_entry("reason", &self.reason)?;
        map.serialize_entry("unit", &self.unit)?;
        map.serialize_entry("convention", &self.convention)?;
        map.serialize_entry("n", &self.n)?;
        for fact in &self.facts {
            map.serialize_entry(fact.key, &fact.timestamp.map(|ns| Timestamp(ns).to_string()))?;
        }
        map.end()
    }
}

/// The metrics of a run in the order of [`super::METRICS`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricSet {
    metrics: Vec<Metric>,
}

impl MetricSet {
    pub(super) fn new(metrics: Vec<Metric>) -> Self {
        Self { metrics }
    }

    /// The metric named `key`, also when it is undefined.
    #[must_use]
    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.key == key)
    }

    /// The value of `key`; `None` when it is unknown or undefined.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        self.metric(key)?.value
    }

    /// In order.
    pub fn iter(&self) -> std::slice::Iter<'_, Metric> {
        self.metrics.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.metrics.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }
}

impl<'a> IntoIterator for &'a MetricSet {
    type Item = &'a Metric;
    type IntoIter = std::slice::Iter<'a, Metric>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One map: key to metric.
impl Serialize for MetricSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.metrics.iter().map(|metric| (metric.key, metric)))
    }
}

/// Thousands apart by commas: `-1234567.80` -> `-1,234,567.80`.
fn grouped(number: &str) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, ""), |(w, f)| (w, f));
    let mut text = String::from(sign);
    for (idx, digit) in whole.chars().enumerate() {
        if idx > 0 && (whole.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_when_printed_by_unit_then_two_decimals_and_groups() {
        let rows = [
            (Unit::Currency, -1_234_567.8, "-1,234,567.80"),
            (Unit::Currency, 999.0, "999.00"),
            (Unit::Count, 48_151.0, "48,151"),
            (Unit::Fraction, -0.201_78, "-20.18 %"),
            (Unit::Fraction, -0.000_01, "0.00 %"),
            (Unit::Rows, 286.0, "286 rows"),
            (Unit::Rows, 12.5, "12.5 rows"),
            (Unit::Ratio, 0.781_778, "0.78"),
        ];
        for (unit, value, text) in rows {
            assert_eq!(unit.text(value), text);
        }
    }
}
