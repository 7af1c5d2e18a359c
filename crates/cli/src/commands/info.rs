//! `tapeworks info`: what a table holds.

use std::collections::BTreeMap;

use serde_json::json;
use tapeworks::base::Timestamp;
use tapeworks::data::{CheckLevel, OnBadRow, ReadOptions, Source, open_bars};

use super::check::read_options;
use crate::args::Info;
use crate::terminal::{Outcome, Terminal};

/// Symbols that are listed; the rest is counted.
const N_LISTED: usize = 12;

pub fn info(arguments: &Info, terminal: &Terminal) -> Outcome<u8> {
    let options = ReadOptions {
        level: CheckLevel::Fast,
        on_bad_row: OnBadRow::Null,
        ..read_options(&arguments.reading)?
    };
    let mut bars = open_bars(Source::Path(arguments.src.clone()), &options)?;
    let symbols = bars.symbols();
    let mut rows_of = vec![0_u64; symbols.len()];
    let mut gaps: BTreeMap<i64, u64> = BTreeMap::new();
    let (mut n_timestamps, mut last) = (0_u64, None);
    while let Some(batch) = bars.next_batch()? {
        for (&timestamp, &asset) in batch.timestamps.iter().zip(&batch.assets) {
            rows_of[asset as usize] += 1;
            if last != Some(timestamp) {
                n_timestamps += 1;
                if let Some(last) = last {
                    *gaps.entry(timestamp - last).or_default() += 1;
                }
                last = Some(timestamp);
            }
        }
    }
    let report = bars.report();
    let spacing = gaps.iter().max_by_key(|(_, count)| **count).map(|(gap, _)| span(*gap));
    let text_of = |ns: i64| Timestamp(ns).to_string();
    let span = report.span.map(|(first, last)| (text_of(first), text_of(last)));
    let extras = bars.extras();
    if terminal.json {
        let by_symbol: Vec<_> = symbols
            .iter()
            .zip(&rows_of)
            .map(|(name, rows)| json!({"symbol": name, "rows": rows}))
            .collect();
        terminal.print_json(&json!({
            "path": arguments.src,
            "files": report.n_files,
            "rows": report.n_rows,
            "timestamps": n_timestamps,
            "symbols": by_symbol,
            "span": span,
            "frequency": spacing,
            "columns": extras,
            "repairs": report.repairs,
        }))?;
        return Ok(0);
    }
    let mut text = format!("path        {}\n", arguments.src);
    text += &format!("files       {}\n", report.n_files);
    text += &format!("rows        {} ({n_timestamps} timestamps)\n", report.n_rows);
    if let Some((first, last)) = span {
        text += &format!("span        {first} .. {last}\n");
    }
    if let Some(spacing) = spacing {
        text += &format!("frequency   {spacing} (the usual distance of rows)\n");
    }
    let extras = if extras.is_empty() { "none".to_owned() } else { extras.join(", ") };
    text += &format!("columns     prices, volume; further: {extras}\n");
    text += &format!("symbols     {}\n", symbols.len());
    for (name, rows) in symbols.iter().zip(&rows_of).take(N_LISTED) {
        text += &format!("  {name:<10} {rows} rows\n");
    }
    if symbols.len() > N_LISTED {
        text += &format!("  and {} more\n", symbols.len() - N_LISTED);
    }
    for line in report.repairs.lines() {
        text += &format!("repair      {line}\n");
    }
    terminal.print(&text)?;
    Ok(0)
}

fn span(ns: i64) -> String {
    const UNITS: [(&str, i64); 4] =
        [("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)];
    let unit = UNITS.iter().find(|(_, unit)| ns % unit == 0);
    unit.map_or_else(|| format!("{ns}ns"), |(name, unit)| format!("{}{name}", ns / unit))
}
