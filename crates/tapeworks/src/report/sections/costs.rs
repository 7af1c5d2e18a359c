//! From gross P&L over every kind of cost to net P&L.

use serde_json::{Value, json};

use crate::records::CostTotals;
use crate::report::ReportInput;

/// Money made and money paid, over all fills; identities hold by construction of the account.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Bridge {
    /// P&L had every fill been at its price before costs, and had holding been free.
    pub gross: f64,
    /// What was paid, by kind.
    pub costs: CostTotals,
    /// Last equity less cash at the start and less what was put in since.
    pub net: f64,
}

/// A cost that a run may or may not have.
struct Kind {
    name: &'static str,
    about: &'static str,
    /// What it added to the P&L.
    amount: f64,
    /// Shown also when it is zero.
    is_usual: bool,
}

impl Bridge {
    pub(in crate::report) fn of(input: &ReportInput<'_>) -> Self {
        let records = input.records;
        let states = records.states();
        let put_in = states.flows.last().copied().unwrap_or(0.0);
        let start = records.initial_cash() + put_in;
        let net = states.equity.last().map_or(0.0, |equity| equity - start);
        let costs = records.cost_totals();
        Self { gross: net + costs.paid() - costs.interest - costs.dividends, costs, net }
    }

    fn kinds(&self) -> [Kind; 8] {
        let costs = &self.costs;
        let kind = |name, about, amount, is_usual| Kind { name, about, amount, is_usual };
        [
            kind("Commission", "fees of all fills", -costs.commission, true),
            kind("Slippage", "price paid beyond the base price", -costs.slippage, true),
            kind("Stop slippage", "price given up where a stop fired", -costs.stop_slippage, false),
            kind("Impact", "price moved by the orders themselves", -costs.impact, false),
            kind("Funding", "of perpetual contracts", -costs.funding, false),
            kind("Borrowing", "of what was held short", -costs.borrow, false),
            kind("Interest", "on cash", costs.interest, false),
            kind("Dividends", "of what was held on ex-dates", costs.dividends, false),
        ]
    }

    /// What was charged beside the usual, for one line of text: `impact -12.00, funding 3.00`.
    pub(in crate::report) fn parts(&self) -> Vec<(String, f64)> {
        let shown = |kind: &Kind| kind.is_usual || kind.amount != 0.0;
        let kinds = self.kinds().into_iter().filter(shown);
        kinds.map(|kind| (kind.name.to_lowercase(), kind.amount)).collect()
    }
}

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let bridge = Bridge::of(input);
    let step = |name: &str, about: &str, amount: f64, start: f64, kind: &str| {
        json!({
            "name": name,
            "about": about,
            // no sign on a zero
            "amount": amount + 0.0,
            "kind": kind,
            "from": start.min(start + amount),
            "size": amount.abs(),
        })
    };
    let about = "at prices before slippage, before fees";
    let mut steps = vec![step("Gross P&L", about, bridge.gross, 0.0, "total")];
    let mut reached = bridge.gross;
    for kind in bridge.kinds() {
        if kind.is_usual || kind.amount != 0.0 {
            steps.push(step(kind.name, kind.about, kind.amount, reached, "cost"));
            reached += kind.amount;
        }
    }
    let about = "last equity less cash at the start and flows";
    steps.push(step("Net P&L", about, bridge.net, 0.0, "total"));
    // A run without dividends was not spared a cost.
    let is_absent = |kind: &Kind| kind.amount == 0.0 && kind.name != "Dividends";
    let absent: Vec<String> =
        bridge.kinds().into_iter().filter(is_absent).map(|kind| kind.name.to_lowercase()).collect();
    let low = steps.iter().filter_map(|s| s["from"].as_f64()).fold(0.0, f64::min);
    let high = steps
        .iter()
        .filter_map(|s| Some(s["from"].as_f64()? + s["size"].as_f64()?))
        .fold(0.0, f64::max);
    let range = (high - low).max(f64::MIN_POSITIVE);
    let steps: Vec<Value> = steps
        .into_iter()
        .map(|mut step| {
            let from = step["from"].as_f64().unwrap_or(0.0);
            let size = step["size"].as_f64().unwrap_or(0.0);
            step["left_percent"] = json!(hundredths((from - low) / range * 100.0));
            step["width_percent"] = json!(hundredths(size / range * 100.0));
            step
        })
        .collect();
    let costs = &bridge.costs;
    let paid = costs.paid();
    let of_traded = (costs.traded > 0.0).then(|| paid / costs.traded * 1e4);
    let metric = |key: &str| {
        input.metrics.metric(key).map(|m| super::figures::row(m, &input.facts.currency))
    };
    let shares: Vec<Value> =
        ["cost_share", "breakeven_cost", "turnover"].into_iter().filter_map(metric).collect();
    json!({
        "gross": bridge.gross,
        "commission": costs.commission,
        "slippage": costs.slippage,
        "stop_slippage": costs.stop_slippage,
        "impact": costs.impact,
        "funding": costs.funding,
        "borrow": costs.borrow,
        "dividends": costs.dividends,
        "interest": costs.interest,
        "net": bridge.net,
        "traded": costs.traded,
        "paid": paid,
        "paid_bps": of_traded,
        "zero_percent": hundredths(-low / range * 100.0),
        "steps": steps,
        "shares": shares,
        "costs": input.facts.costs,
        "is_free": super::is_free(input),
        "not_charged": absent,
        "n_fills": input.records.fills().len(),
    })
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}
