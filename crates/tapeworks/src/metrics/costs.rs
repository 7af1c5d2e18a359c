//! What trading cost, and how much of it the strategy could have borne.

use super::Reason;
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};
use super::trading::Trading;
use crate::records::{AccountEventKind, FillFlags};

pub(super) const COMMISSIONS: Definition = Definition {
    key: "commissions",
    label: "Commissions",
    unit: Unit::Currency,
    formula: "sum(commission)",
    reference: "",
    convention: Convention::Fixed("all fills"),
    source: Source::Trading(|t, _| of_fills(t, t.costs.commission)),
};

pub(super) const SLIPPAGE_COST: Definition = Definition {
    key: "slippage_cost",
    label: "Slippage",
    unit: Unit::Currency,
    formula: "sum((price - base_price) x signed quantity x multiplier) - stop slippage - impact",
    reference: "",
    convention: Convention::Fixed("all fills, inside the prices"),
    source: Source::Trading(|t, _| of_fills(t, t.costs.slippage)),
};

pub(super) const STOP_SLIPPAGE_COST: Definition = Definition {
    key: "stop_slippage_cost",
    label: "Stop slippage",
    unit: Unit::Currency,
    formula: "sum(stop_slip x quantity x multiplier)",
    reference: "",
    convention: Convention::Fixed("fills that a stop triggered, inside the prices"),
    source: Source::Trading(|t, _| of_fills(t, t.costs.stop_slippage)),
};

pub(super) const IMPACT_COST: Definition = Definition {
    key: "impact_cost",
    label: "Market impact",
    unit: Unit::Currency,
    formula: "sum(impact x quantity x multiplier)",
    reference: "",
    convention: Convention::Fixed("all fills, inside the prices"),
    source: Source::Trading(|t, _| of_fills(t, t.costs.impact)),
};

pub(super) const FUNDING_COST: Definition = Definition {
    key: "funding_cost",
    label: "Funding",
    unit: Unit::Currency,
    formula: "sum(quantity x mark x multiplier x rate) over funding instants",
    reference: "",
    convention: Convention::Fixed("negative: received"),
    source: Source::Trading(|t, _| of_rows(t, t.costs.funding)),
};

pub(super) const BORROW_COST: Definition = Definition {
    key: "borrow_cost",
    label: "Borrowing",
    unit: Unit::Currency,
    formula: "sum(abs(quantity) x mark x multiplier x rate x days / day count) of short positions",
    reference: "",
    convention: Convention::Fixed("paid at session changes"),
    source: Source::Trading(|t, _| of_rows(t, t.costs.borrow)),
};

pub(super) const INTEREST: Definition = Definition {
    key: "interest",
    label: "Interest on cash",
    unit: Unit::Currency,
    formula: "sum(cash x rate x days / day count)",
    reference: "",
    convention: Convention::Fixed("received; negative: paid; no part of costs"),
    source: Source::Trading(|t, _| of_rows(t, t.costs.interest)),
};

pub(super) const COST_SHARE: Definition = Definition {
    key: "cost_share",
    label: "Cost share",
    unit: Unit::Fraction,
    formula: "costs / (E_n - E_0 - flows + costs), costs = commissions + slippage + stop slippage \
              + impact + funding + borrowing",
    reference: "",
    convention: Convention::Fixed("of profit before costs"),
    source: Source::Trading(cost_share),
};

pub(super) const BREAKEVEN_COST: Definition = Definition {
    key: "breakeven_cost",
    label: "Breakeven cost multiple",
    unit: Unit::Ratio,
    formula: "(E_n - E_0 - flows + costs) / costs",
    reference: "",
    convention: Convention::Fixed("multiple of costs at which profit is 0, same fills"),
    source: Source::Trading(breakeven_cost),
};

pub(super) const NET_FLOWS: Definition = Definition {
    key: "net_flows",
    label: "Deposits less withdrawals",
    unit: Unit::Currency,
    formula: "sum(flow)",
    reference: "",
    convention: Convention::Fixed("no part of returns"),
    source: Source::Trading(|t, _| of_rows(t, net_flows(t))),
};

pub(super) const MARGIN_CALLS: Definition = Definition {
    key: "margin_calls",
    label: "Margin calls",
    unit: Unit::Count,
    formula: "number of margin calls",
    reference: "",
    convention: Convention::Fixed(""),
    source: Source::Trading(margin_calls),
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

fn of_fills(trading: &Trading<'_>, value: f64) -> Outcome {
    Outcome::new(trading.records.fills().len(), Ok(value))
}

fn of_rows(trading: &Trading<'_>, value: f64) -> Outcome {
    Outcome::new(trading.records.states().timestamp.len(), Ok(value))
}

fn net_flows(trading: &Trading<'_>) -> f64 {
    trading.records.states().flows.last().copied().unwrap_or(0.0)
}

fn margin_calls(trading: &Trading<'_>, _: &Conventions) -> Outcome {
    let events = trading.records.account_events();
    let n = events.iter().filter(|event| event.kind == AccountEventKind::MarginCall).count();
    Outcome::new(events.len(), Ok(n as f64))
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
    let costs = trading.costs.paid();
    let profit = last - trading.records.initial_cash() - net_flows(trading) + costs;
    if profit > 0.0 { Ok((profit, costs)) } else { Err(Reason::NoGrossProfit) }
}
