//! How much the account grew.

use super::curve::Path;
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};

pub(super) const FINAL_EQUITY: Definition = Definition {
    key: "final_equity",
    label: "Final equity",
    unit: Unit::Currency,
    formula: "E_n",
    reference: "",
    convention: Convention::Fixed("open positions at the last mark"),
    source: Source::Path(final_equity),
};

pub(super) const TOTAL_RETURN: Definition = Definition {
    key: "total_return",
    label: "Total return",
    unit: Unit::Fraction,
    formula: "product(1 + r) - 1; without flows E_n / E_0 - 1",
    reference: "",
    convention: Convention::Fixed("on initial equity"),
    source: Source::Path(total_return),
};

pub(super) const CAGR: Definition = Definition {
    key: "cagr",
    label: "CAGR",
    unit: Unit::Fraction,
    formula: "product(1 + r)^(P / n) - 1",
    reference: "empyrical.cagr, quantstats.cagr",
    convention: Convention::Annual,
    source: Source::Path(cagr),
};

fn final_equity(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.numbers().map(|_| path.equity[path.n() - 1]);
    Outcome::new(path.n(), value)
}

fn total_return(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.numbers().map(|growth| growth[growth.len() - 1] / path.initial - 1.0);
    Outcome::new(path.n(), value)
}

fn cagr(path: &Path<'_>, conventions: &Conventions) -> Outcome {
    Outcome::new(path.n(), annual_growth(path, conventions))
}

/// The constant yearly return that leads from the initial to the final equity.
pub(super) fn annual_growth(
    path: &Path<'_>,
    conventions: &Conventions,
) -> Result<f64, super::Reason> {
    let n = path.returns(1)?.len();
    let growth = path.growth[n - 1] / path.initial;
    Ok(growth.powf(conventions.periods_per_year / n as f64) - 1.0)
}
