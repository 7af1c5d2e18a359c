//! From gross P&L over commission and slippage to net P&L.

use serde_json::{Value, json};

use crate::report::ReportInput;

/// Money made and money paid, over all fills; identities hold by construction of the account.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Bridge {
    /// P&L had every fill been at its price before costs.
    pub gross: f64,
    /// Fees.
    pub commission: f64,
    /// Price paid beyond the base price, times units.
    pub slippage: f64,
    /// Last equity less cash at the start.
    pub net: f64,
    /// Sum of abs(units) x price.
    pub traded: f64,
}

impl Bridge {
    pub(in crate::report) fn of(input: &ReportInput<'_>) -> Self {
        let records = input.records;
        let initial = records.initial_cash();
        let net = records.states().equity.last().map_or(0.0, |equity| equity - initial);
        let (mut commission, mut slippage, mut traded) = (0.0, 0.0, 0.0);
        for fill in records.fills() {
            commission += fill.commission;
            slippage += (fill.price - fill.base_price) * fill.quantity;
            traded += fill.price * fill.quantity.abs();
        }
        Self { gross: net + commission + slippage, commission, slippage, net, traded }
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
    let after_commission = bridge.gross - bridge.commission;
    let steps = [
        step("Gross P&L", "at prices before slippage, before fees", bridge.gross, 0.0, "total"),
        step("Commission", "fees of all fills", -bridge.commission, bridge.gross, "cost"),
        step(
            "Slippage",
            "price paid beyond the base price",
            -bridge.slippage,
            after_commission,
            "cost",
        ),
        step("Net P&L", "last equity less cash at the start", bridge.net, 0.0, "total"),
    ];
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
    let paid = bridge.commission + bridge.slippage;
    let of_traded = (bridge.traded > 0.0).then(|| paid / bridge.traded * 1e4);
    let metric = |key: &str| {
        input.metrics.metric(key).map(|m| super::figures::row(m, &input.facts.currency))
    };
    let shares: Vec<Value> =
        ["cost_share", "breakeven_cost", "turnover"].into_iter().filter_map(metric).collect();
    json!({
        "gross": bridge.gross,
        "commission": bridge.commission,
        "slippage": bridge.slippage,
        "net": bridge.net,
        "traded": bridge.traded,
        "paid": paid,
        "paid_bps": of_traded,
        "zero_percent": hundredths(-low / range * 100.0),
        "steps": steps,
        "shares": shares,
        "costs": input.facts.costs,
        "n_fills": input.records.fills().len(),
    })
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}
