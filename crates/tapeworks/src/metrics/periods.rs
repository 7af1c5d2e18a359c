//! Single periods: the best and the worst, and the tables of months and years.

use super::Reason;
use super::curve::{Curve, Path, Split};
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};
use crate::base::Date;
use crate::base::calendar::SessionDays;

pub(super) const BEST: Definition = Definition {
    key: "best",
    label: "Best period",
    unit: Unit::Fraction,
    formula: "max(r)",
    reference: "",
    convention: Convention::Fixed("per period"),
    source: Source::Path(best),
};

pub(super) const WORST: Definition = Definition {
    key: "worst",
    label: "Worst period",
    unit: Unit::Fraction,
    formula: "min(r)",
    reference: "",
    convention: Convention::Fixed("per period"),
    source: Source::Path(worst),
};

pub(super) const POSITIVE_PERIODS: Definition = Definition {
    key: "positive_periods",
    label: "Positive periods",
    unit: Unit::Fraction,
    formula: "share of r > 0 among all r",
    reference: "",
    convention: Convention::Fixed("zeros counted"),
    source: Source::Path(positive_periods),
};

/// The return of one calendar month or year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodReturn {
    /// Calendar year.
    pub year: i16,
    /// Calendar month, 1 to 12; `None` for a whole year.
    pub month: Option<i8>,
    /// Product of `1 + r` over the period, less 1; `None` where equity was not positive.
    pub value: Option<f64>,
    /// Rows in the period; the first and the last period may be cut by the window of the run.
    pub n_rows: usize,
}

/// Returns by calendar month, in time order; months without rows are absent. A row counts in the
/// month of its session where the curve has a calendar, else of its UTC day.
#[must_use]
pub fn monthly_returns(curve: &Curve<'_>) -> Vec<PeriodReturn> {
    by_period(curve, |date| {
        let (year, month) = date.year_month();
        (year, Some(month))
    })
}

/// The same by year.
#[must_use]
pub fn yearly_returns(curve: &Curve<'_>) -> Vec<PeriodReturn> {
    by_period(curve, |date| (date.year_month().0, None))
}

/// Within a period the product of `1 + r` is the last growth over the last growth before it.
fn by_period(curve: &Curve<'_>, period: impl Fn(Date) -> (i16, Option<i8>)) -> Vec<PeriodReturn> {
    let Some(Split { initial, timestamps, growth, .. }) = curve.split() else {
        return Vec::new();
    };
    let mut days = SessionDays::new(curve.calendar.cloned());
    let mut rows: Vec<PeriodReturn> = Vec::new();
    let (mut base, mut last, mut day) = (initial, initial, None);
    for (&timestamp, &value) in timestamps.iter().zip(growth.iter()) {
        let date = days.date(timestamp);
        if day.replace(date) != Some(date) {
            let (year, month) = period(date);
            if rows.last().is_none_or(|row| (row.year, row.month) != (year, month)) {
                base = last;
                rows.push(PeriodReturn { year, month, value: None, n_rows: 0 });
            }
        }
        let row = rows.last_mut().expect("Invariant: the first row begins a period");
        row.n_rows += 1;
        row.value = (base > 0.0 && value > 0.0).then(|| value / base - 1.0);
        last = value;
    }
    rows
}

fn best(path: &Path<'_>, _: &Conventions) -> Outcome {
    Outcome::new(path.n(), extreme(path, f64::max))
}

fn worst(path: &Path<'_>, _: &Conventions) -> Outcome {
    Outcome::new(path.n(), extreme(path, f64::min))
}

fn positive_periods(path: &Path<'_>, _: &Conventions) -> Outcome {
    let share = |returns: &[f64]| {
        returns.iter().filter(|&&r| r > 0.0).count() as f64 / returns.len() as f64
    };
    Outcome::new(path.n(), path.returns(1).map(share))
}

fn extreme(path: &Path<'_>, choose: fn(f64, f64) -> f64) -> Result<f64, Reason> {
    let (first, rest) = path.returns(1)?.split_first().ok_or(Reason::NoRows)?;
    Ok(rest.iter().fold(*first, |found, &r| choose(found, r)))
}
