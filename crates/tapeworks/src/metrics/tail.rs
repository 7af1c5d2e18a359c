//! The losing and the winning end of the distribution of returns.

use super::Reason;
use super::curve::{Path, is_noise, mean};
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};

pub(super) const VAR_95: Definition = Definition {
    key: "var_95",
    label: "VaR 95 %",
    unit: Unit::Fraction,
    formula: "5 % quantile of r",
    reference: "numpy.percentile, empyrical.value_at_risk",
    convention: Convention::Fixed("historical, linear, per period"),
    source: Source::Path(var_95),
};

pub(super) const CVAR_95: Definition = Definition {
    key: "cvar_95",
    label: "CVaR 95 %",
    unit: Unit::Fraction,
    formula: "mean(r where r <= var_95)",
    reference: "empyrical.conditional_value_at_risk",
    convention: Convention::Fixed("historical, per period"),
    source: Source::Path(cvar_95),
};

pub(super) const OMEGA: Definition = Definition {
    key: "omega",
    label: "Omega",
    unit: Unit::Ratio,
    formula: "sum(max(r, 0)) / abs(sum(min(r, 0)))",
    reference: "empyrical.omega_ratio",
    convention: Convention::Fixed("threshold 0, per period"),
    source: Source::Path(omega),
};

pub(super) const TAIL_RATIO: Definition = Definition {
    key: "tail_ratio",
    label: "Tail ratio",
    unit: Unit::Ratio,
    formula: "abs(95 % quantile of r) / abs(5 % quantile of r)",
    reference: "empyrical.tail_ratio",
    convention: Convention::Fixed("linear, per period"),
    source: Source::Path(tail_ratio),
};

fn var_95(path: &Path<'_>, _: &Conventions) -> Outcome {
    Outcome::new(path.n(), path.quantile(0.05))
}

fn cvar_95(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.quantile(0.05).and_then(|var| {
        let tail: Vec<f64> = path.returns(2)?.iter().copied().filter(|&r| r <= var).collect();
        // The interpolated quantile of equal values may round to just below all of them.
        if tail.is_empty() { Ok(var) } else { Ok(mean(&tail)) }
    });
    Outcome::new(path.n(), value)
}

fn omega(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.returns(2).and_then(|returns| {
        let gains: f64 = returns.iter().map(|r| r.max(0.0)).sum();
        let losses: f64 = returns.iter().map(|r| r.min(0.0)).sum();
        if losses < 0.0 { Ok(gains / losses.abs()) } else { Err(Reason::NoDownside) }
    });
    Outcome::new(path.n(), value)
}

fn tail_ratio(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.quantile(0.05).and_then(|low| {
        let high = path.quantile(0.95)?;
        if is_noise(low) { Err(Reason::NoDownside) } else { Ok(high.abs() / low.abs()) }
    });
    Outcome::new(path.n(), value)
}
