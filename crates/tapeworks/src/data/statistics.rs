//! What the statistics of row groups tell without decoding a row, for the level `fast`.

use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use super::ledger::{Ledger, Rule};
use super::names::BAR_COLUMNS;
use super::parquet::ParquetTable;
use super::plan::Table;
use super::report::{Offender, Severity};

const FIX: &str = "the level standard names the rows";
const VOLUME: usize = 4;

/// Findings from the statistics of a file: its prices and volumes, and the order of its groups.
pub(crate) fn note(file: &ParquetTable, table: Table, allow_negative: bool, ledger: &mut Ledger) {
    let plan = file.plan();
    if plan.is_shuffled {
        let rule = Rule {
            severity: Severity::Note,
            code: "D301",
            column: "timestamp",
            message: "row groups overlap in time; the rows are sorted in memory on reading",
            fix: "`tapeworks sort SRC --out FILE` writes them in order once",
        };
        ledger.count(&rule, plan.groups.len() as u64);
    }
    if table != Table::Bars {
        return;
    }
    for (c, name) in BAR_COLUMNS.iter().enumerate() {
        let Some(column) = plan.values[c] else { continue };
        for group in &plan.groups {
            let Some(chunk) = file.chunk(group.idx, column) else { continue };
            let found = faults(chunk, c).into_iter();
            for fault in found.filter(|fault| !(allow_negative && fault.code == "D203")) {
                let rule = Rule {
                    severity: fault.severity,
                    code: fault.code,
                    column: name,
                    message: fault.message,
                    fix: FIX,
                };
                let place = (file.file_idx, group.first_row + 1);
                ledger.row(&rule, "", place, || Offender {
                    file: file.name.clone(),
                    row: group.first_row + 1,
                    symbol: String::new(),
                    timestamp: String::new(),
                    values: format!("row group {}: {name} {}", group.idx, fault.values),
                    rule: fault.rule.to_owned(),
                });
            }
        }
    }
}

struct Fault {
    severity: Severity,
    code: &'static str,
    message: &'static str,
    values: String,
    rule: &'static str,
}

fn faults(chunk: &ColumnChunkMetaData, column: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    let Some(statistics) = chunk.statistics() else { return faults };
    let is_volume = column == VOLUME;
    if let Some(n) = statistics.null_count_opt().filter(|n| *n > 0) {
        let severity = if is_volume { Severity::Warning } else { Severity::Error };
        let message = if is_volume { "volumes are missing" } else { "prices are missing" };
        let values = format!("is null in {n} rows");
        let rule = "every row has a value";
        faults.push(Fault { severity, code: "D201", message, values, rule });
    }
    let Some((low, high)) = range(statistics) else { return faults };
    let severity = Severity::Error;
    if low.is_infinite() || high.is_infinite() {
        let message = "values are infinite";
        let values = format!("in {low}..{high}");
        faults.push(Fault { severity, code: "D202", message, values, rule: "values are finite" });
    }
    if is_volume && low < 0.0 {
        let values = format!("from {low}");
        let (message, rule) = ("volumes below 0", "volumes are at least 0");
        faults.push(Fault { severity, code: "D205", message, values, rule });
    }
    if !is_volume && low <= 0.0 {
        let values = format!("from {low}");
        let (message, rule) = ("prices are not above 0", "prices are above 0");
        faults.push(Fault { severity, code: "D203", message, values, rule });
    }
    faults
}

fn range(statistics: &Statistics) -> Option<(f64, f64)> {
    match statistics {
        Statistics::Double(range) => Some((*range.min_opt()?, *range.max_opt()?)),
        Statistics::Float(range) => {
            Some((f64::from(*range.min_opt()?), f64::from(*range.max_opt()?)))
        }
        _ => None,
    }
}
