//! The table of metrics and the functions that fill it.

use super::curve::{Curve, Path};
use super::definition::{Definition, Source};
use super::metric::{Conventions, MetricSet};
use super::trading::Trading;
use super::{costs, drawdown, exposure, growth, periods, ratios, shape, tail, trading};
use crate::records::Records;

/// Every metric, in the order in which it is shown.
pub static METRICS: &[Definition] = &[
    growth::FINAL_EQUITY,
    growth::TOTAL_RETURN,
    growth::CAGR,
    ratios::VOLATILITY,
    ratios::SHARPE,
    ratios::SORTINO,
    drawdown::MAX_DRAWDOWN,
    ratios::CALMAR,
    drawdown::DRAWDOWN_LONGEST,
    drawdown::ULCER,
    tail::VAR_95,
    tail::CVAR_95,
    tail::OMEGA,
    tail::TAIL_RATIO,
    shape::STABILITY,
    shape::SKEW,
    shape::KURTOSIS,
    periods::BEST,
    periods::WORST,
    periods::POSITIVE_PERIODS,
    trading::N_TRADES,
    trading::N_OPEN_TRADES,
    trading::WIN_RATE,
    trading::PROFIT_FACTOR,
    trading::EXPECTANCY,
    trading::PAYOFF,
    trading::KELLY,
    trading::WIN_STREAK,
    trading::LOSS_STREAK,
    trading::AVG_HOLDING_BARS,
    trading::AVG_HOLDING_DAYS,
    exposure::TURNOVER,
    exposure::EXPOSURE_GROSS,
    exposure::EXPOSURE_NET,
    exposure::LEVERAGE_MAX,
    exposure::MARGIN_USED_MAX,
    exposure::TIME_IN_MARKET,
    costs::COMMISSIONS,
    costs::SLIPPAGE_COST,
    costs::STOP_SLIPPAGE_COST,
    costs::IMPACT_COST,
    costs::FUNDING_COST,
    costs::BORROW_COST,
    costs::INTEREST,
    costs::COST_SHARE,
    costs::BREAKEVEN_COST,
    costs::NET_FLOWS,
    costs::MARGIN_CALLS,
    costs::REJECTIONS,
    costs::AMBIGUOUS_SHARE,
];

/// All metrics of a run.
///
/// Cost: one pass over trades and fills, one sort of the returns.
#[must_use]
pub fn compute(records: &Records, conventions: &Conventions) -> MetricSet {
    let path = Path::new(&Curve::of(records));
    let trading = Trading::new(records);
    let metrics = METRICS.iter().map(|definition| {
        let outcome = match definition.source {
            Source::Path(compute) => compute(&path, conventions),
            Source::Trading(compute) => compute(&trading, conventions),
        };
        definition.metric(outcome, conventions)
    });
    MetricSet::new(metrics.collect())
}

/// The metrics that need no more than an equity curve.
///
/// # Example
/// ```
/// use tapeworks::metrics::{Conventions, Curve, compute_curve};
/// let day = 86_400_000_000_000;
/// let timestamps = [0, day];
/// let curve = Curve::new(&timestamps, &[110.0, 99.0], Some(100.0));
/// let metrics = compute_curve(&curve, &Conventions::default());
/// let drawdown = metrics.metric("max_drawdown").unwrap();
/// assert_eq!(drawdown.to_string(), "Max drawdown -10.00 % (from initial equity, n=2)");
/// ```
#[must_use]
pub fn compute_curve(curve: &Curve<'_>, conventions: &Conventions) -> MetricSet {
    let path = Path::new(curve);
    let metrics = METRICS.iter().filter_map(|definition| match definition.source {
        Source::Path(compute) => Some(definition.metric(compute(&path, conventions), conventions)),
        Source::Trading(_) => None,
    });
    MetricSet::new(metrics.collect())
}
