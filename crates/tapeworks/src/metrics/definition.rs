//! A row of the table of metrics: what a number is called, how it is made and how it is read.

use super::curve::Path;
use super::metric::{Conventions, Fact, Metric, Reason, Unit};
use super::trading::Trading;

/// One metric: its names, its words and its function.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Stable name.
    pub key: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// What the value is measured in.
    pub unit: Unit,
    /// How it is computed. E equity, r return, P periods a year, n number of returns.
    pub formula: &'static str,
    /// The library or paper whose number it equals; empty where the formula says all.
    pub reference: &'static str,
    pub(super) convention: Convention,
    pub(super) source: Source,
}

/// What a metric is computed from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// The equity curve alone.
    Path(fn(&Path<'_>, &Conventions) -> Outcome),
    /// Trades, fills and states.
    Trading(fn(&Trading<'_>, &Conventions) -> Outcome),
}

/// The words that name the choices behind a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Convention {
    /// Fixed words, possibly none.
    Fixed(&'static str),
    /// `252/yr`.
    Annual,
    /// `252/yr, rf 0, ` and fixed words.
    RiskAdjusted(&'static str),
    /// `252/yr, ` and fixed words.
    AnnualWith(&'static str),
}

impl Convention {
    fn text(self, conventions: &Conventions) -> String {
        let periods = number(conventions.periods_per_year);
        match self {
            Self::Fixed(words) => words.to_owned(),
            Self::Annual => format!("{periods}/yr"),
            Self::AnnualWith(words) => format!("{periods}/yr, {words}"),
            Self::RiskAdjusted(words) => {
                format!("{periods}/yr, rf {}, {words}", number(conventions.risk_free))
            }
        }
    }
}

/// At most four decimals, none when the number is whole.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a metric function finds.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    value: Result<f64, Reason>,
    n: usize,
    facts: Vec<Fact>,
}

impl Outcome {
    /// A value or the reason for its absence, from `n` inputs.
    pub(super) fn new(n: usize, value: Result<f64, Reason>) -> Self {
        Self { value, n, facts: Vec::new() }
    }

    pub(super) fn with_facts(mut self, facts: Vec<Fact>) -> Self {
        self.facts = facts;
        self
    }
}

impl Definition {
    /// Puts a value into the words of this metric.
    ///
    /// A value beyond f64 has no meaning either: it comes from annualising too few rows.
    pub(super) fn metric(&self, outcome: Outcome, conventions: &Conventions) -> Metric {
        let value =
            outcome.value.and_then(|v| if v.is_finite() { Ok(v) } else { Err(Reason::TooFew) });
        Metric {
            key: self.key,
            label: self.label,
            value: value.ok(),
            reason: value.err(),
            unit: self.unit,
            convention: self.convention.text(conventions),
            formula: self.formula,
            n: outcome.n,
            facts: outcome.facts,
        }
    }
}
