//! `tapeworks sort`: a table written in order.

use serde_json::json;
use tapeworks::data::{SortOptions, parse_bytes, sort_bars};

use crate::args::Sort;
use crate::terminal::{Outcome, Terminal};

pub fn sort(arguments: &Sort, terminal: &Terminal) -> Outcome<u8> {
    let options =
        SortOptions { memory_bytes: parse_bytes(&arguments.memory)?, tz: arguments.tz.clone() };
    let sorted = sort_bars(&arguments.src, &arguments.out, &options)?;
    let out = arguments.out.display().to_string();
    if terminal.json {
        let document = json!({ "out": out, "n_rows": sorted.n_rows, "n_runs": sorted.n_runs });
        terminal.print_json(&document)?;
    } else {
        let runs = if sorted.n_runs == 1 { "in memory" } else { "in several runs" };
        terminal.print(&format!("{} rows sorted {runs}: {out}", sorted.n_rows))?;
    }
    Ok(0)
}
