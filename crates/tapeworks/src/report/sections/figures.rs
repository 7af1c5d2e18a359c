//! Every metric with its value, its convention and its formula, in groups.

use serde_json::{Value, json};

use crate::metrics::{Metric, Unit};
use crate::report::{ReportInput, number};

/// Groups of metrics by key; what stands in none comes under "Other".
const GROUPS: &[(&str, &[&str])] = &[
    ("Return", &["final_equity", "total_return", "cagr", "best", "worst", "positive_periods"]),
    (
        "Risk",
        &[
            "volatility",
            "sharpe",
            "sortino",
            "max_drawdown",
            "calmar",
            "drawdown_longest",
            "ulcer",
            "var_95",
            "cvar_95",
            "omega",
            "tail_ratio",
            "stability",
            "skew",
            "kurtosis",
        ],
    ),
    (
        "Trades",
        &[
            "n_trades",
            "n_open_trades",
            "win_rate",
            "profit_factor",
            "expectancy",
            "payoff",
            "kelly",
            "win_streak",
            "loss_streak",
            "avg_holding_bars",
            "avg_holding_days",
        ],
    ),
    (
        "Costs and exposure",
        &[
            "commissions",
            "slippage_cost",
            "stop_slippage_cost",
            "impact_cost",
            "funding_cost",
            "borrow_cost",
            "interest",
            "cost_share",
            "breakeven_cost",
            "net_flows",
            "margin_calls",
            "turnover",
            "exposure_gross",
            "exposure_net",
            "leverage_max",
            "margin_used_max",
            "time_in_market",
            "rejections",
            "ambiguous_share",
        ],
    ),
];

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let currency = &input.facts.currency;
    let mut groups: Vec<Value> = Vec::new();
    let mut push = |title: &str, rows: Vec<Value>| {
        if !rows.is_empty() {
            groups.push(json!({"title": title, "rows": rows}));
        }
    };
    for (title, keys) in GROUPS {
        let members = input.metrics.iter().filter(|m| keys.contains(&m.key));
        push(title, members.map(|m| row(m, currency)).collect());
    }
    let known = |m: &&Metric| !GROUPS.iter().any(|(_, keys)| keys.contains(&m.key));
    push("Other", input.metrics.iter().filter(known).map(|m| row(m, currency)).collect());
    json!({"groups": groups})
}

/// One metric as the page shows it.
pub(super) fn row(metric: &Metric, currency: &str) -> Value {
    let tone = match metric.value {
        Some(value) if value < 0.0 && metric.unit != Unit::Ratio => "loss",
        _ => "",
    };
    json!({
        "key": metric.key,
        "label": metric.label,
        "value": metric.value,
        "text": text(metric),
        "reason": metric.reason.map(|reason| reason.to_string()),
        "unit": if metric.unit == Unit::Currency { currency } else { "" },
        "tone": tone,
        "convention": metric.convention,
        "formula": metric.formula,
        "n": metric.n,
    })
}

/// A value with grouped digits; the reason stands apart from an absent one.
fn text(metric: &Metric) -> String {
    match (metric.value, metric.unit) {
        (None, _) => number::ABSENT.into(),
        (Some(value), Unit::Fraction) => number::percent(value),
        (Some(value), Unit::Currency) => number::money(value),
        (Some(value), unit) => unit.text(value),
    }
}
