//! Risk, and return for the risk taken.

use super::Reason;
use super::curve::{Path, deviation, is_noise, mean};
use super::definition::{Convention, Definition, Outcome, Source};
use super::drawdown::deepest;
use super::growth::annual_growth;
use super::metric::{Conventions, Unit};

pub(super) const VOLATILITY: Definition = Definition {
    key: "volatility",
    label: "Volatility",
    unit: Unit::Fraction,
    formula: "std(r) x sqrt(P)",
    reference: "empyrical.annual_volatility",
    convention: Convention::AnnualWith("ddof 1"),
    source: Source::Path(volatility),
};

pub(super) const SHARPE: Definition = Definition {
    key: "sharpe",
    label: "Sharpe",
    unit: Unit::Ratio,
    formula: "mean(r - rf) / std(r) x sqrt(P)",
    reference: "empyrical.sharpe_ratio, quantstats.sharpe",
    convention: Convention::RiskAdjusted("ddof 1"),
    source: Source::Path(sharpe),
};

pub(super) const SORTINO: Definition = Definition {
    key: "sortino",
    label: "Sortino",
    unit: Unit::Ratio,
    formula: "mean(r - rf) / sqrt(mean(min(r - rf, 0)^2)) x sqrt(P)",
    reference: "empyrical.sortino_ratio, quantstats.sortino",
    convention: Convention::RiskAdjusted("downside over all n"),
    source: Source::Path(sortino),
};

pub(super) const CALMAR: Definition = Definition {
    key: "calmar",
    label: "Calmar",
    unit: Unit::Ratio,
    formula: "cagr / abs(max_drawdown)",
    reference: "empyrical.calmar_ratio, quantstats.calmar",
    convention: Convention::Annual,
    source: Source::Path(calmar),
};

fn volatility(path: &Path<'_>, conventions: &Conventions) -> Outcome {
    // When all returns are equal the spread is known: it is zero.
    let spread = |returns: &[f64]| deviation(returns).unwrap_or(0.0);
    let value = path.returns(2).map(|r| spread(r) * conventions.periods_per_year.sqrt());
    Outcome::new(path.n(), value)
}

fn sharpe(path: &Path<'_>, conventions: &Conventions) -> Outcome {
    let value = path.returns(2).and_then(|returns| {
        let excess = excess(returns, conventions);
        Ok(mean(&excess) / deviation(&excess)? * conventions.periods_per_year.sqrt())
    });
    Outcome::new(path.n(), value)
}

fn sortino(path: &Path<'_>, conventions: &Conventions) -> Outcome {
    let value = path.returns(2).and_then(|returns| {
        let excess = excess(returns, conventions);
        let squares: f64 = excess.iter().map(|r| r.min(0.0) * r.min(0.0)).sum();
        let downside = (squares / excess.len() as f64).sqrt();
        if is_noise(downside) {
            return Err(Reason::NoDownside);
        }
        Ok(mean(&excess) / downside * conventions.periods_per_year.sqrt())
    });
    Outcome::new(path.n(), value)
}

fn calmar(path: &Path<'_>, conventions: &Conventions) -> Outcome {
    let value = annual_growth(path, conventions).and_then(|growth| {
        let depth = deepest(path)?.depth;
        if depth < 0.0 { Ok(growth / depth.abs()) } else { Err(Reason::NoDrawdown) }
    });
    Outcome::new(path.n(), value)
}

/// Returns above the risk-free return of a period.
fn excess(returns: &[f64], conventions: &Conventions) -> Vec<f64> {
    let risk_free = conventions.risk_free_per_period();
    returns.iter().map(|r| r - risk_free).collect()
}
