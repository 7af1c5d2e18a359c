//! The report as one screen of text.

use std::fmt::Write as _;

use super::sections::{Bridge, OrderTally, cost_line, window_line};
use super::{ReportInput, number};
use crate::metrics::{Metric, Unit};
use crate::records::{Trade, TradeStatus};

/// Columns at most.
const WIDTH: usize = 100;

/// Where the values of the facts begin.
const INDENT: usize = 14;

/// Metrics shown, two a line, in this order; one that the run does not have is left out.
const SHOWN: &[&str] = &[
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "drawdown_longest",
    "win_rate",
    "profit_factor",
    "turnover",
    "exposure_gross",
];

/// The report in at most 28 lines of at most 100 columns, the first one the verdict.
///
/// The caller adds the lines that name the files written.
#[must_use]
pub fn text(input: &ReportInput<'_>) -> String {
    let mut out = String::new();
    line(&mut out, &verdict(input));
    for (label, value) in rows(input) {
        let (first, rest) = match label {
            "orders" | "P&L" | "strategy" => split_at_width(&value, WIDTH - INDENT),
            _ => (value.as_str(), ""),
        };
        line(&mut out, &format!("  {label:<11} {first}"));
        if !rest.is_empty() {
            line(&mut out, &format!("{:INDENT$}{rest}", ""));
        }
    }
    let shown: Vec<_> = SHOWN.iter().filter_map(|key| input.metrics.metric(key)).collect();
    if !shown.is_empty() {
        out.push('\n');
    }
    for pair in shown.chunks(2) {
        let cells: Vec<_> = pair.iter().map(|m| format!("{:<48}", cell(m))).collect();
        line(&mut out, &format!("  {}", cells.join(" ")));
    }
    out
}

/// The run in one sentence.
pub(super) fn verdict(input: &ReportInput<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(value) = input.metrics.value("total_return") {
        parts.push(number::signed_percent(value));
    }
    if let Some(sharpe) = input.metrics.metric("sharpe").filter(|m| m.value.is_some()) {
        parts.push(format!("Sharpe {} ({})", sharpe.text(), sharpe.convention));
    }
    if let Some(value) = input.metrics.value("max_drawdown") {
        parts.push(format!("max drawdown {}", number::percent(value)));
    }
    let open = |trade: &Trade| trade.status == TradeStatus::Open;
    parts.push(match input.records.trades().filter(|trade| !open(trade)).count() {
        0 => "no trades".into(),
        1 => "1 trade".into(),
        n => format!("{} trades", number::count(n)),
    });
    format!("{}: {}", input.facts.name, parts.join(", "))
}

/// Facts of the run as (label, value).
pub(super) fn rows(input: &ReportInput<'_>) -> Vec<(&'static str, String)> {
    let facts = &input.facts;
    let log = input.records.log();
    let tally = OrderTally::of(input.records);
    let bridge = Bridge::of(input);
    let money = |value: f64| format!("{} {}", number::money(value), facts.currency);
    let end = log.states.equity.last().copied().unwrap_or(log.initial_cash);
    let mut rows = Vec::new();
    if !facts.strategy.is_empty() {
        rows.push(("strategy", facts.strategy.clone()));
    }
    rows.push((
        "window",
        format!(
            "{}: {} timestamps, {} symbols, {} rows",
            window_line(input),
            number::count(log.states.timestamp.len()),
            number::count(log.symbols.len()),
            number::count(log.n_rows)
        ),
    ));
    let rules: Vec<&str> = [facts.semantics.as_str(), facts.account.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    if !rules.is_empty() {
        let account = if rules.len() == 2 { " account" } else { "" };
        rows.push(("fill rule", format!("{}{account}", rules.join(", "))));
    }
    let cash = number::money(log.initial_cash);
    rows.push(("equity", format!("{cash} -> {}", money(end).trim_end())));
    rows.push(("costs", cost_line(input)));
    rows.push((
        "P&L",
        format!(
            "gross {}, commission {}, slippage {}, net {}",
            number::money(bridge.gross),
            number::money(-bridge.commission),
            number::money(-bridge.slippage),
            number::money(bridge.net)
        ),
    ));
    rows.push(("orders", tally.line()));
    if tally.n_ambiguous > 0 {
        let share = number::percent(tally.ambiguous_share());
        rows.push(("ambiguous", format!("{} fills ({share})", number::count(tally.n_ambiguous))));
    }
    if !facts.unverified.is_empty() {
        let topics: Vec<_> = facts.unverified.iter().map(|u| u.topic.as_str()).collect();
        rows.push(("unverified", topics.join(", ")));
    }
    if !facts.repairs.is_empty() {
        rows.push(("repairs", facts.repairs.join("; ")));
    }
    let warnings: Vec<_> = facts.warnings.iter().chain(&log.notes).map(String::as_str).collect();
    match warnings.as_slice() {
        [] => {}
        [only] => rows.push(("warning", (*only).into())),
        [first, rest @ ..] => rows.push(("warnings", format!("{first} (and {} more)", rest.len()))),
    }
    if !facts.run_id.is_empty() {
        rows.push(("run id", facts.run_id.clone()));
    }
    rows
}

fn cell(metric: &Metric) -> String {
    let value = match (metric.value, metric.unit) {
        (Some(value), Unit::Fraction) => number::percent(value),
        _ => metric.text(),
    };
    let head = format!("{:<16} {value:>9}", metric.label);
    let whole = format!("{head}  {}", metric.convention);
    // a long convention is in the page and in metrics.json
    if whole.trim_end().chars().count() <= 48 { whole.trim_end().into() } else { head }
}

/// The part of a text that fits, up to the end of a clause or a word, and what is left.
fn split_at_width(text: &str, width: usize) -> (&str, &str) {
    let Some((end, _)) = text.char_indices().nth(width) else { return (text, "") };
    let fits = &text[..end];
    let end = fits.rfind("; ").map(|i| i + 1).or_else(|| fits.rfind(' ')).unwrap_or(end);
    (&text[..end], text[end..].trim_start())
}

/// One line, cut at the width.
fn line(out: &mut String, text: &str) {
    let text = text.trim_end().replace(['\n', '\r'], " ");
    let written = if text.chars().count() > WIDTH {
        let cut: String = text.chars().take(WIDTH - 3).collect();
        writeln!(out, "{}...", cut.trim_end())
    } else {
        writeln!(out, "{text}")
    };
    written.expect("writing to a String cannot fail");
}
