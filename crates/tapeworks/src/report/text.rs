//! The report as one screen of text.

use std::fmt::Write as _;

use super::sections::{Bridge, OrderTally, account_alarm, cost_line, window_line};
use super::{ReportInput, number};
use crate::metrics::{Metric, Unit};
use crate::records::{Trade, TradeStatus};

/// Columns at most.
const WIDTH: usize = 100;

/// Lines at most.
const LINES: usize = 28;

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
    line(&mut out, &verdict_within(input, WIDTH));
    let shown: Vec<_> = SHOWN.iter().filter_map(|key| input.metrics.metric(key)).collect();
    let rows = rows(input);
    // Long values go on below as far as the screen has lines to spare.
    let mut n_spare = LINES.saturating_sub(2 + rows.len() + shown.len().div_ceil(2));
    for (label, value) in rows {
        let value = value.replace(['\n', '\r'], " ");
        let (mut first, mut rest) = split_at_width(&value, WIDTH - INDENT);
        if n_spare == 0 {
            (first, rest) = (value.as_str(), "");
        }
        line(&mut out, &format!("  {label:<11} {first}"));
        while !rest.is_empty() {
            n_spare -= 1;
            (first, rest) =
                if n_spare == 0 { (rest, "") } else { split_at_width(rest, WIDTH - INDENT) };
            line(&mut out, &format!("{:INDENT$}{first}", ""));
        }
    }
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
    verdict_within(input, usize::MAX)
}

/// The run in one sentence of at most `width` columns: parts that do not fit are left out, the
/// convention of the Sharpe ratio first. The figures left out stand in the lines below.
fn verdict_within(input: &ReportInput<'_>, width: usize) -> String {
    let whole = sentence(input, true, 4);
    let shorter = (0..=4).rev().map(|n_parts| sentence(input, false, n_parts));
    let fits = |text: &String| text.chars().count() <= width;
    std::iter::once(whole).chain(shorter).find(fits).unwrap_or_else(|| input.facts.name.clone())
}

/// The name and the first `n_parts` of return, Sharpe ratio, drawdown and number of trades.
fn sentence(input: &ReportInput<'_>, has_convention: bool, n_parts: usize) -> String {
    let mut parts = Vec::new();
    if let Some(value) = input.metrics.value("total_return") {
        parts.push(number::signed_percent(value));
    }
    if let Some(sharpe) = input.metrics.metric("sharpe").filter(|m| m.value.is_some()) {
        let convention =
            if has_convention { format!(" ({})", sharpe.convention) } else { String::new() };
        parts.push(format!("Sharpe {}{convention}", sharpe.text()));
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
    parts.truncate(n_parts);
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
    let mut parts = vec![format!("gross {}", number::money(bridge.gross))];
    let named = |(name, amount): (String, f64)| format!("{name} {}", number::money(amount));
    parts.extend(bridge.parts().into_iter().map(named));
    parts.push(format!("net {}", number::money(bridge.net)));
    rows.push(("P&L", parts.join(", ")));
    let flows = log.states.flows.last().copied().unwrap_or(0.0);
    if flows != 0.0 {
        rows.push(("flows", format!("{} put in, no part of returns", money(flows).trim_end())));
    }
    rows.push(("orders", tally.line()));
    if tally.n_ambiguous > 0 {
        let share = number::percent(tally.ambiguous_share());
        rows.push(("ambiguous", format!("{} fills ({share})", number::count(tally.n_ambiguous))));
    }
    let alarm = account_alarm(input.records);
    if !alarm.is_empty() {
        rows.push(("account", alarm));
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
