//! How much of the account was at work.

use super::Reason;
use super::curve::mean;
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};
use super::trading::Trading;

pub(super) const TURNOVER: Definition = Definition {
    key: "turnover",
    label: "Turnover",
    unit: Unit::Fraction,
    formula: "sum(abs(quantity x price x multiplier)) / 2 / mean(E) x P / n",
    reference: "",
    convention: Convention::AnnualWith("half of all traded value"),
    source: Source::Trading(turnover),
};

pub(super) const EXPOSURE_GROSS: Definition = Definition {
    key: "exposure_gross",
    label: "Gross exposure",
    unit: Unit::Fraction,
    formula: "mean(gross_exposure / E)",
    reference: "",
    convention: Convention::Fixed("mean over rows"),
    source: Source::Trading(exposure_gross),
};

pub(super) const EXPOSURE_NET: Definition = Definition {
    key: "exposure_net",
    label: "Net exposure",
    unit: Unit::Fraction,
    formula: "mean(positions_value / E)",
    reference: "",
    convention: Convention::Fixed("mean over rows"),
    source: Source::Trading(exposure_net),
};

pub(super) const LEVERAGE_MAX: Definition = Definition {
    key: "leverage_max",
    label: "Highest leverage",
    unit: Unit::Ratio,
    formula: "max(gross_exposure / E)",
    reference: "",
    convention: Convention::Fixed("gross"),
    source: Source::Trading(leverage_max),
};

pub(super) const MARGIN_USED_MAX: Definition = Definition {
    key: "margin_used_max",
    label: "Highest margin use",
    unit: Unit::Fraction,
    formula: "max(margin_used / E)",
    reference: "",
    convention: Convention::Fixed("initial margin; 0 where the account knows none"),
    source: Source::Trading(margin_used_max),
};

pub(super) const TIME_IN_MARKET: Definition = Definition {
    key: "time_in_market",
    label: "Time in market",
    unit: Unit::Fraction,
    formula: "share of rows with a position",
    reference: "",
    convention: Convention::Fixed("by row"),
    source: Source::Trading(time_in_market),
};

fn turnover(trading: &Trading<'_>, conventions: &Conventions) -> Outcome {
    let equity = &trading.records.states().equity;
    let traded = trading.costs.traded;
    let value = checked(equity)
        .map(|()| traded / 2.0 / mean(equity) * conventions.periods_per_year / equity.len() as f64);
    Outcome::new(equity.len(), value)
}

fn exposure_gross(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let shares = shares(trading, &trading.records.states().gross_exposure);
    Outcome::new(trading.records.states().equity.len(), shares.map(|s| mean(&s)))
}

fn exposure_net(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let shares = shares(trading, &trading.records.states().positions_value);
    Outcome::new(trading.records.states().equity.len(), shares.map(|s| mean(&s)))
}

fn leverage_max(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let shares = shares(trading, &trading.records.states().gross_exposure);
    let highest = shares.map(|s| s.iter().copied().fold(0.0, f64::max));
    Outcome::new(trading.records.states().equity.len(), highest)
}

fn margin_used_max(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let states = trading.records.states();
    let shares = shares(trading, &states.margin_used);
    let highest = shares.map(|s| s.iter().copied().fold(0.0, f64::max));
    Outcome::new(states.equity.len(), highest)
}

fn time_in_market(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let held = &trading.records.states().n_positions;
    let n_held = held.iter().filter(|&&n| n > 0).count();
    let value =
        if held.is_empty() { Err(Reason::NoRows) } else { Ok(n_held as f64 / held.len() as f64) };
    Outcome::new(held.len(), value)
}

/// A column of the states over equity, row by row.
fn shares(trading: &Trading<'_>, column: &[f64]) -> Result<Vec<f64>, Reason> {
    let equity = &trading.records.states().equity;
    checked(equity)?;
    Ok(column.iter().zip(equity).map(|(value, equity)| value / equity).collect())
}

/// Shares of an account mean something only while there is one.
fn checked(equity: &[f64]) -> Result<(), Reason> {
    if equity.is_empty() {
        return Err(Reason::NoRows);
    }
    let positive = equity.iter().all(|&value| value > 0.0 && value.is_finite());
    if positive { Ok(()) } else { Err(Reason::NonPositiveEquity) }
}
