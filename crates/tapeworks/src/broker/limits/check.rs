//! The limits that a user gives, checked figure by figure.

use super::{LimitAction, LimitKind, PortfolioLimit};
use crate::base::{AssetId, Error, Result};

/// Finds a symbol of the run.
pub(super) type Resolve<'a> = &'a dyn Fn(&str) -> Option<AssetId>;

fn refuse(limit: &str, value: impl std::fmt::Display, allowed: &str) -> Error {
    Error::config("C312", format!("{limit}({value}): {allowed}"))
}

fn fraction(limit: &str, x: f64) -> Result<()> {
    if x.is_finite() && x > 0.0 && x < 1.0 {
        return Ok(());
    }
    Err(refuse(limit, x, "the fraction must be above 0 and below 1")
        .with_hint("write 0.2 for twenty percent"))
}

fn exposure(limit: &str, x: f64) -> Result<()> {
    if x.is_finite() && x > 0.0 {
        return Ok(());
    }
    Err(refuse(limit, x, "the multiple of equity must be above 0 and finite"))
}

fn count(limit: &str, n: u32) -> Result<()> {
    if n > 0 {
        return Ok(());
    }
    Err(refuse(limit, n, "at least 1 must be allowed"))
}

fn value_at_risk(limit: &str, level: f64, window: u32, x: f64) -> Result<()> {
    if !(level > 0.0 && level < 1.0) {
        return Err(refuse(limit, level, "the level must be above 0 and below 1")
            .with_hint("write 0.95 for the worst session of twenty"));
    }
    if window < 2 {
        return Err(refuse(limit, window, "the window must have at least 2 sessions"));
    }
    fraction(limit, x)
}

/// Checks a limit; the assets of its group, when it has one, by rising number.
pub(super) fn check(limit: &PortfolioLimit, resolve: Resolve<'_>) -> Result<Vec<AssetId>> {
    let mut members = Vec::new();
    match &limit.kind {
        LimitKind::MaxDrawdown(x) => fraction("max_drawdown", *x)?,
        LimitKind::DailyLoss(x) => fraction("daily_loss", *x)?,
        LimitKind::GrossExposure(x) => exposure("gross_exposure", *x)?,
        LimitKind::NetExposure(x) => exposure("net_exposure", *x)?,
        LimitKind::SymbolExposure(x) => exposure("symbol_exposure", *x)?,
        LimitKind::GroupExposure { symbols, limit } => {
            exposure("group_exposure", *limit)?;
            if symbols.is_empty() {
                return Err(refuse("group_exposure", "no symbols", "a group needs a symbol"));
            }
            for symbol in symbols {
                let known = resolve(symbol);
                members.push(known.ok_or_else(|| {
                    refuse("group_exposure", symbol, "the run has no such symbol")
                })?);
            }
            members.sort_unstable_by_key(|asset| asset.0);
            members.dedup();
        }
        LimitKind::MaxPositions(n) => count("max_positions", *n)?,
        LimitKind::MaxOrders(n) => count("max_orders", *n)?,
        LimitKind::ValueAtRisk { level, window, limit } => {
            value_at_risk("value_at_risk", *level, *window, *limit)?;
        }
        LimitKind::ConditionalValueAtRisk { level, window, limit } => {
            value_at_risk("conditional_value_at_risk", *level, *window, *limit)?;
        }
    }
    match limit.action {
        LimitAction::Reduce(x) if !(x > 0.0 && x <= 1.0) => {
            Err(refuse("reduce", x, "the fraction must be above 0 and at most 1"))
        }
        _ => Ok(members),
    }
}
