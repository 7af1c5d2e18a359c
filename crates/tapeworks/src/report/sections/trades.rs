//! The trades: exit reasons, distributions, and a table to sort, filter and export.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::records::{ExitReason, Records, Trade, TradeSide, TradeStatus, hint};
use crate::report::calendar::Clock;
use crate::report::histogram::Histogram;
use crate::report::svg::Unit;
use crate::report::{ReportInput, number};

/// Rows embedded in the page at most.
pub(in crate::report) const MAX_ROWS: usize = 2_000;

/// Trades that ended for one reason.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: usize,
    n_wins: usize,
    pnl_net: f64,
    held_bars: u64,
}

impl Tally {
    fn push(&mut self, trade: &Trade) {
        self.n += 1;
        self.n_wins += usize::from(trade.pnl_net > 0.0);
        self.pnl_net += trade.pnl_net;
        self.held_bars += trade.holding_period_bars.map_or(0, u64::from);
    }

    fn row(&self, name: &str) -> Value {
        let n = self.n.max(1) as f64;
        json!({
            "name": name,
            "n": self.n,
            "win_rate": self.n_wins as f64 / n,
            "pnl_net": self.pnl_net,
            "pnl_mean": self.pnl_net / n,
            "bars_mean": self.held_bars as f64 / n,
        })
    }
}

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let records = input.records;
    let mut reasons: BTreeMap<ExitReason, Tally> = BTreeMap::new();
    let mut sides: BTreeMap<TradeSide, Tally> = BTreeMap::new();
    let (mut n_open, mut n_partial) = (0_usize, 0_usize);
    let mut pnl = Vec::with_capacity(records.n_trades());
    let mut pnl_percent = Vec::with_capacity(records.n_trades());
    for trade in records.trades() {
        reasons.entry(trade.exit_reason).or_default().push(&trade);
        sides.entry(trade.side).or_default().push(&trade);
        n_open += usize::from(trade.status == TradeStatus::Open);
        n_partial += usize::from(trade.status == TradeStatus::Partial);
        pnl.push(trade.pnl_net);
        pnl_percent.push(trade.pnl_percent);
    }
    let chosen = rows_to_show(&pnl, MAX_ROWS);
    let money_title = match input.facts.currency.as_str() {
        "" => "Net P&L of a trade".into(),
        currency => format!("Net P&L of a trade, {currency}"),
    };
    let (money_svg, money_clipped) = drawn(&mut pnl, Unit::Money, &money_title);
    let (percent_svg, percent_clipped) =
        drawn(&mut pnl_percent, Unit::Percent, "Net return of a trade, share of its entry value");
    json!({
        "n": records.n_trades(),
        "n_shown": chosen.len(),
        "n_open": n_open,
        "n_partial": n_partial,
        "reasons": reasons.iter().map(|(r, t)| t.row(r.as_str())).collect::<Vec<_>>(),
        "sides": sides.iter().map(|(s, t)| t.row(s.as_str())).collect::<Vec<_>>(),
        "money_svg": money_svg,
        "percent_svg": percent_svg,
        "is_clipped": money_clipped || percent_clipped,
        "summary_if_none": summary_if_none(input),
        "embed": embedded(input, records, &chosen),
    })
}

/// Which trades to show: all, or the half with the largest result of either sign and the latest.
fn rows_to_show(pnl: &[f64], max_rows: usize) -> BTreeSet<usize> {
    let n = pnl.len();
    if n <= max_rows {
        return (0..n).collect();
    }
    let mut by_size: Vec<usize> = (0..n).collect();
    let n_largest = max_rows / 2;
    by_size.select_nth_unstable_by(n_largest, |&a, &b| {
        pnl[b].abs().total_cmp(&pnl[a].abs()).then(a.cmp(&b))
    });
    by_size.truncate(n_largest);
    let mut rows: BTreeSet<usize> = by_size.into_iter().collect();
    for latest in (0..n).rev() {
        if rows.len() == max_rows {
            break;
        }
        rows.insert(latest);
    }
    rows
}

fn drawn(values: &mut Vec<f64>, unit: Unit, title: &str) -> (String, bool) {
    match Histogram::of(values) {
        Some(histogram) => (histogram.draw(unit, title), histogram.is_clipped),
        None => (String::new(), false),
    }
}

/// The rows as columns; symbols and codes as positions in lists of the names used.
fn embedded(input: &ReportInput<'_>, records: &Records, chosen: &BTreeSet<usize>) -> Value {
    let rows: Vec<Trade> = records
        .trades()
        .enumerate()
        .filter(|(i, _)| chosen.contains(i))
        .map(|(_, trade)| trade)
        .collect();
    let assets: BTreeSet<_> = rows.iter().map(|t| t.asset).collect();
    let places: BTreeMap<_, _> = assets.iter().enumerate().map(|(i, a)| (*a, i)).collect();
    let names: Vec<_> = assets.iter().map(|a| records.symbols().name(*a)).collect();
    let clock = Clock::new(&records.states().timestamp, &input.facts.timezone);
    let numbers = |value: fn(&Trade) -> f64| -> Vec<f64> {
        rows.iter().map(|t| ten_digits(value(t))).collect()
    };
    json!({
        "symbols": names,
        "reasons": ExitReason::ALL.iter().map(|r| r.as_str()).collect::<Vec<_>>(),
        "sides": TradeSide::ALL.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        "statuses": TradeStatus::ALL.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        "zone": clock.zone_name,
        "is_daily": clock.is_daily,
        "currency": input.facts.currency,
        "id": rows.iter().map(|t| t.trade_id).collect::<Vec<_>>(),
        "symbol": rows.iter().map(|t| places[&t.asset]).collect::<Vec<_>>(),
        "side": rows.iter().map(|t| t.side as u8).collect::<Vec<_>>(),
        "status": rows.iter().map(|t| t.status as u8).collect::<Vec<_>>(),
        "reason": rows.iter().map(|t| t.exit_reason as u8).collect::<Vec<_>>(),
        "entry_seconds": rows.iter().map(|t| t.entry_timestamp as f64 / 1e9).collect::<Vec<_>>(),
        "exit_seconds": rows.iter().map(|t| t.exit_timestamp as f64 / 1e9).collect::<Vec<_>>(),
        "quantity": numbers(|t| t.entry_quantity),
        "entry_price": numbers(|t| t.entry_price),
        "exit_price": numbers(|t| t.exit_price),
        "pnl_net": numbers(|t| t.pnl_net),
        "pnl_percent": numbers(|t| t.pnl_percent),
        "total_cost": numbers(|t| t.total_cost),
        "bars": rows.iter().map(|t| t.holding_period_bars).collect::<Vec<_>>(),
        "mfe": numbers(|t| t.max_favorable_excursion_pct),
        "mae": numbers(|t| t.max_adverse_excursion_pct),
    })
}

/// What led to nothing, when nothing was traded: `orders 37, refused 37: quantity_zero 37`.
fn summary_if_none(input: &ReportInput<'_>) -> String {
    let log = input.records.log();
    let tally = super::OrderTally::of(input.records);
    let mut parts = vec![match log.layout.signals.as_slice() {
        [] => "signals: none carried".into(),
        names => format!("signals {}", names.join(", ")),
    }];
    parts.push(format!("orders {}", number::count(tally.n_orders)));
    parts.push(format!("filled {}", number::count(tally.n_filled)));
    parts.push(match tally.n_rejected {
        0 => "refused 0".into(),
        n => format!("refused {}: {}", number::count(n), tally.rejected_line()),
    });
    if let Some(row) = log.rejections.iter().find(|r| r.need.is_finite() && r.have.is_finite()) {
        let (need, have) = (number::plain(row.need), number::plain(row.have));
        parts.push(format!("first one needed {need} and had {have}"));
    }
    if let Some(row) = log.rejections.first() {
        parts.push(hint(row.code).to_owned());
    }
    parts.join("; ")
}

/// Ten significant digits: what fits a table; the files have every digit.
fn ten_digits(value: f64) -> f64 {
    if value.is_finite() { format!("{value:.9e}").parse().unwrap_or(value) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_when_too_many_then_largest_of_either_sign_and_latest() {
        let pnl = [1.0, -9.0, 2.0, 8.0, 0.5, 0.1, 0.2, 0.3];
        let rows: Vec<_> = rows_to_show(&pnl, 4).into_iter().collect();
        assert_eq!(rows, [1, 3, 6, 7]);
        assert_eq!(rows_to_show(&pnl, 8).len(), 8);
        assert!(rows_to_show(&[], 8).is_empty());
    }
}
