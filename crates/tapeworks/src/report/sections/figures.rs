//! Every metric with its value, its convention and its formula, in groups.

use serde_json::{Value, json};

use crate::metrics::{Metric, Unit};
use crate::report::{ReportInput, number};

/// Groups of metrics by key; what stands in none comes under "Other".
pub(in crate::report) const GROUPS: &[(&str, &[&str])] = &[
    (
        "Return",
        &[
            "total_return",
            "cagr",
            "final_equity",
            "net_profit",
            "best_period",
            "worst_period",
            "best",
            "worst",
            "positive_periods",
            "best_month",
            "worst_month",
            "positive_months",
        ],
    ),
    (
        "Risk",
        &[
            "volatility",
            "sharpe",
            "sortino",
            "calmar",
            "max_drawdown",
            "drawdown_longest",
            "ulcer",
            "var_95",
            "cvar_95",
            "omega",
            "tail_ratio",
            "stability",
            "skew",
            "kurtosis",
            "kelly",
        ],
    ),
    (
        "Trades",
        &[
            "trades",
            "n_trades",
            "n_open_trades",
            "open_trades",
            "win_rate",
            "profit_factor",
            "expectancy",
            "payoff",
            "avg_win",
            "avg_loss",
            "best_trade",
            "worst_trade",
            "wins_in_a_row",
            "losses_in_a_row",
            "streak_win",
            "streak_loss",
            "holding",
            "holding_bars",
            "holding_days",
        ],
    ),
    (
        "Costs and exposure",
        &[
            "commission",
            "slippage",
            "total_cost",
            "costs",
            "cost_share",
            "breakeven_cost",
            "turnover",
            "exposure",
            "exposure_gross",
            "exposure_net",
            "leverage",
            "leverage_max",
            "time_in_market",
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
