//! Decodes and checks a table of bars and prints rows and rows a second:
//! `decode PATH [fast|standard|paranoid] [COLUMN...]`; at `fast` a sample is checked, so that the
//! difference is what checking costs.
#![allow(clippy::print_stdout, reason = "a measuring program")]
#![allow(clippy::disallowed_types, reason = "a measuring program")]

use std::time::Instant;

use tapeworks::data::{CheckLevel, ReadOptions, Source, open_bars};

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_default();
    let mut columns: Vec<String> = args.collect();
    let level = match columns.first().map(String::as_str) {
        Some("fast") => Some(CheckLevel::Fast),
        Some("standard") => Some(CheckLevel::Standard),
        Some("paranoid") => Some(CheckLevel::Paranoid),
        _ => None,
    };
    if level.is_some() {
        columns.remove(0);
    }
    let level = level.unwrap_or_default();
    let options = ReadOptions { columns: Some(columns), level, ..ReadOptions::default() };
    let start = Instant::now();
    let mut reader = match open_bars(Source::Path(path), &options) {
        Ok(reader) => reader,
        Err(error) => return println!("{error}"),
    };
    let open_ms = start.elapsed().as_secs_f64() * 1e3;
    let (mut rows, mut batches, mut sum) = (0, 0, 0.0);
    loop {
        match reader.next_batch() {
            Ok(Some(batch)) => {
                rows += batch.len();
                batches += 1;
                sum += batch.close.first().copied().unwrap_or(0.0);
            }
            Ok(None) => break,
            Err(error) => return println!("{error}"),
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let speed = rows as f64 / seconds / 1e6;
    println!(
        "{rows} rows, {batches} batches, open {open_ms:.1} ms, {seconds:.3} s, {speed:.1} M rows/s"
    );
    println!("{}\n(sum {sum})", reader.report());
}
