//! What trading cost, and how much of it the strategy could have borne.

use super::Reason;
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};
use super::trading::Trading;
use crate::records::FillFlags;

pub(super) const COMMISSIONS: Definition = Definition {
    key: "commissions",
    label: "Commissions",
    unit: Unit::Currency,
    formula: "sum(commission)",
    reference: "",
    convention: Convention::Fixed("all fills"),
    source: Source::Trading(commissions),
};

pub(super) const SLIPPAGE_COST: Definition = Definition {
    key: "slippage_cost",
    label: "Slippage",
    unit: Unit::Currency,
    formula: "sum((price - base_price) x signed quantity)",
    reference: "",
    convention: Convention::Fixed("all fills, inside the prices"),
    source: Source::Trading(slippage_cost),
};

pub(super) const COST_SHARE: Definition = Definition {
    key: "cost_share",
    label: "Cost share",
    unit: Unit::Fraction,
    formula: "costs / (E_n - E_0 + costs), costs = commissions + slippage",
    reference: "",
    convention: Convention::Fixed("of profit before costs"),
    source: Source::Trading(cost_share),
};

pub(super) const BREAKEVEN_COST: Definition = Definition {
    key: "breakeven_cost",
    label: "Breakeven cost multiple",
    unit: Unit::Ratio,
    formula: "(E_n - E_0 + costs) / costs",
    reference: "",
    convention: Convention::Fixed("multiple of costs at which profit is 0, same fills"),
    source: Source::Trading(breakeven_cost),
};

pub(super) const REJECTIONS: Definition = Definition {
    key: "rejections",
    label: "Rejected orders",
    unit: Unit::Count,
    formula: "number of refused orders",
    reference: "",
    convention: Convention::Fixed(""),
    source: Source::Trading(rejections),
};

pub(super) const AMBIGUOUS_SHARE: Definition = Definition {
    key: "ambiguous_share",
    label: "Ambiguous fills",
    unit: Unit::Fraction,
    formula: "fills whose row leaves the order of events open / all fills",
    reference: "",
    convention: Convention::Fixed("by fill"),
    source: Source::Trading(ambiguous_share),
};

fn commissions(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    Outcome::new(trading.records.fills().len(), Ok(Costs::of(trading).commissions))
}

fn slippage_cost(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    Outcome::new(trading.records.fills().len(), Ok(Costs::of(trading).slippage))
}

fn cost_share(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let value = profit_and_costs(trading).map(|(profit, costs)| costs / profit);
    Outcome::new(trading.records.fills().len(), value)
}

fn breakeven_cost(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let value = profit_and_costs(trading).and_then(|(profit, costs)| {
        if costs > 0.0 { Ok(profit / costs) } else { Err(Reason::NoCosts) }
    });
    Outcome::new(trading.records.fills().len(), value)
}

fn rejections(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let n = trading.records.rejections().len();
    Outcome::new(n, Ok(n as f64))
}

fn ambiguous_share(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let fills = trading.records.fills();
    let n_ambiguous = fills.iter().filter(|fill| fill.flags.has(FillFlags::AMBIGUOUS)).count();
    let value = if fills.is_empty() {
        Err(Reason::NoTrades)
    } else {
        Ok(n_ambiguous as f64 / fills.len() as f64)
    };
    Outcome::new(fills.len(), value)
}

/// Costs of all fills, those of positions still held included.
#[derive(Debug, Clone, Copy)]
struct Costs {
    commissions: f64,
    slippage: f64,
}

impl Costs {
    fn of(trading: &Trading<'_>) -> Self {
        let mut costs = Self { commissions: 0.0, slippage: 0.0 };
        for fill in trading.records.fills() {
            costs.commissions += fill.commission;
            costs.slippage += (fill.price - fill.base_price) * fill.quantity;
        }
        costs
    }
}

/// Profit of the account before costs, and the costs.
fn profit_and_costs(trading: &Trading<'_>) -> Result<(f64, f64), Reason> {
    let equity = &trading.records.states().equity;
    let last = *equity.last().ok_or(Reason::NoRows)?;
    if trading.records.fills().is_empty() {
        return Err(Reason::NoTrades);
    }
    if !last.is_finite() {
        return Err(Reason::NonPositiveEquity);
    }
    let costs = Costs::of(trading);
    let costs = costs.commissions + costs.slippage;
    let profit = last - trading.records.initial_cash() + costs;
    if profit > 0.0 { Ok((profit, costs)) } else { Err(Reason::NoGrossProfit) }
}
