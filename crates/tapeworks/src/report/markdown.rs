//! The report as Markdown: for notes, tickets and pull requests.

use std::fmt::Write as _;

use super::sections::SECTIONS;
use super::text::{rows, verdict};
use super::{ReportInput, number};
use crate::metrics::Unit;

/// The report as Markdown: the verdict, the facts, the metrics with conventions, years, exits.
#[must_use]
pub fn markdown(input: &ReportInput<'_>) -> String {
    let mut out = format!("# {}\n\n{}\n\n", cell(&input.facts.name), cell(&verdict(input)));
    table(&mut out, &["fact", "value"], rows(input).into_iter().map(|(k, v)| vec![k.into(), v]));
    let metrics = input.metrics.iter().map(|metric| {
        let value = match (metric.value, metric.unit) {
            (Some(value), Unit::Fraction) => number::percent(value),
            _ => metric.text(),
        };
        vec![metric.label.to_string(), value, metric.convention_text()]
    });
    out.push_str("## Metrics\n\n");
    table(&mut out, &["metric", "value", "convention"], metrics);
    let years = section(input, "returns");
    if let Some(years) = years["years"].as_array().filter(|years| !years.is_empty()) {
        out.push_str("## Years\n\n");
        let of = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
        let years = years.iter().map(|year| {
            vec![
                year["year"].to_string(),
                number::signed_percent(of(&year["total"])),
                number::percent(of(&year["deepest_drawdown"])),
                format!("{} of {}", year["n_up"], year["n_months"]),
            ]
        });
        table(&mut out, &["year", "return", "deepest drawdown", "months up"], years);
    }
    let trades = section(input, "trades");
    if let Some(reasons) = trades["reasons"].as_array().filter(|reasons| !reasons.is_empty()) {
        out.push_str("## Exits\n\n");
        let of = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
        let reasons = reasons.iter().map(|reason| {
            vec![
                reason["name"].as_str().unwrap_or_default().to_string(),
                number::grouped(of(&reason["n"]), 0),
                number::percent(of(&reason["win_rate"])),
                number::money(of(&reason["pnl_net"])),
            ]
        });
        table(&mut out, &["reason", "trades", "win rate", "net P&L"], reasons);
    }
    list(
        &mut out,
        "Not verified",
        input.facts.unverified.iter().map(|u| format!("**{}**: {}", cell(&u.topic), cell(&u.text))),
    );
    list(&mut out, "Not modelled", input.facts.not_modelled.iter().map(|text| cell(text)));
    out
}

fn section(input: &ReportInput<'_>, key: &str) -> serde_json::Value {
    let section = SECTIONS.iter().find(|s| s.key == key);
    section.map_or(serde_json::Value::Null, |section| (section.build)(input))
}

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rule = vec!["---"; head.len()].join(" | ");
    let mut text = format!("| {} |\n| {rule} |\n", head.join(" | "));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|value| cell(value)).collect();
        writeln!(text, "| {} |", cells.join(" | ")).expect("writing to a String cannot fail");
    }
    out.push_str(&text);
    out.push('\n');
}

fn list(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.map(|item| format!("- {item}\n")).collect();
    if !items.is_empty() {
        write!(out, "## {title}\n\n{}\n", items.concat()).expect("writing to a String cannot fail");
    }
}

/// Text that neither ends a table cell nor starts markup.
fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "&lt;")
}
