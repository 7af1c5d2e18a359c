//! Signals and context against the bars they go with (`D602`, `D603`), at the level `paranoid`
//! also how old they are (`D604`) and how much they know (`L105`).

use super::across::constant;
use super::across::find_starts;
use super::across::rank_ic::RankIc;
use super::clock::Stamps;
use super::joined::take_facts;
use super::ledger::{Ledger, Rule};
use super::merge::Rows;
use super::options::{CheckLevel, ReadOptions, RowFacts, Source};
use super::plan::Table;
use super::reader::{Extent, TableReader};
use super::report::{CheckReport, Severity};
use crate::base::{ErrorKind, Result, Symbols};

/// A decision is stale when its signal is older than this many usual steps between signals.
const STALE_STEPS: i64 = 5;
const NONE: usize = usize::MAX;

/// The rows of a table of signals, as the rules of a join need them.
#[derive(Debug)]
pub(crate) struct SignalRows<'a> {
    pub(crate) names: &'a [String],
    pub(crate) timestamps: &'a [i64],
    pub(crate) assets: &'a [u32],
    pub(crate) symbols: &'a Symbols,
    pub(crate) facts: &'a RowFacts,
    /// Whether the bars are stamped with dates.
    pub(crate) bars_have_dates: bool,
    /// The last timestamp of the bars.
    pub(crate) last_bar: Option<i64>,
}

/// How a run joins signals with its bars.
pub(crate) trait SignalRules {
    /// The instant at which each row was available.
    fn known_at(&mut self, rows: &SignalRows<'_>) -> Result<Vec<i64>>;

    /// Whether a row that was available then is too old now; `None` when no limit was given.
    fn is_stale(&mut self, known: i64, now: i64) -> Option<bool>;
}

/// Checks a table of signals and gives every finding.
///
/// The bars are opened for their symbols and their span. A row that is stamped later than it is
/// said to be known is a finding, as are dates taken as instants. At the level `paranoid` the bars
/// are read, and each of their rows is joined with the newest signal that was available.
///
/// # Errors
/// When the bars cannot be opened or the options are wrong.
pub(crate) fn check_signals(
    signals: Source,
    bars: Source,
    options: &ReadOptions,
    rules: &mut dyn SignalRules,
) -> Result<CheckReport> {
    let mut bars = open_market(bars, options)?;
    let symbols = bars.facts().symbols.clone();
    let kind = Table::Signals;
    let (mut reader, mut rows) = match read_all(signals, options, kind, Some(&symbols)) {
        Err(error) if error.kind() == ErrorKind::Data => {
            return Ok(CheckReport::refused(kind.name(), &error));
        }
        read => read?,
    };
    let mut ledger = Ledger::new(kind.name());
    check_missing(&reader, &rows, "D602", &mut ledger);
    if let Some((first, last)) = bars.files.span {
        check_outside(&reader, &rows, (first, last), &mut ledger);
    }
    let (mut facts, has_available_at) = reader.row_facts();
    if rows.len() > 0 {
        take_facts(&mut rows, has_available_at, &mut facts);
    }
    let known = rules.known_at(&SignalRows {
        names: reader.names(),
        timestamps: &rows.timestamps,
        assets: &rows.assets,
        symbols: &symbols,
        facts: &facts,
        bars_have_dates: bars.row_facts().0.stamps != Stamps::Instants,
        last_bar: bars.files.span.map(|(_, last)| last),
    });
    let known = match known {
        Err(error) if matches!(error.kind(), ErrorKind::LookAhead | ErrorKind::Data) => {
            ledger.failure(&error, "timestamp");
            None
        }
        known => Some(known?),
    };
    if options.level == CheckLevel::Paranoid {
        check_constant(&reader, &rows, &mut ledger);
        if let Some(known) = known {
            check_joined(&mut bars, reader.names(), &rows, &known, rules, &mut ledger)?;
        }
    }
    reader.absorb(ledger);
    Ok(reader.report())
}

/// Checks a table of context, and against bars whether it ends before they do.
///
/// # Errors
/// When the bars cannot be opened or the options are wrong.
pub fn check_context(
    context: Source,
    bars: Option<Source>,
    options: &ReadOptions,
) -> Result<CheckReport> {
    let kind = Table::Context;
    let (mut reader, rows) = match read_all(context, options, kind, None) {
        Err(error) if error.kind() == ErrorKind::Data => {
            return Ok(CheckReport::refused(kind.name(), &error));
        }
        read => read?,
    };
    let mut ledger = Ledger::new(kind.name());
    check_missing(&reader, &rows, "D603", &mut ledger);
    let last = rows.timestamps.last().copied();
    if let (Some(bars), Some(last)) = (bars, last) {
        let bars = open_market(bars, options)?;
        if let Some((_, end)) = bars.files.span.filter(|(_, end)| *end > last) {
            let at = rows.len() - 1;
            let rule = Rule {
                severity: Severity::Warning,
                code: "D603",
                column: "timestamp",
                message: "the table ends before the bars do; its last row is carried on",
                fix: "add the rows that are missing, or end the run there",
            };
            ledger.row(&rule, "", rows.place(at), || {
                let end = crate::base::Timestamp(end);
                let values = format!("last row; the bars end {end}");
                reader.facts().offender_in(&rows, at, values, "context covers the bars")
            });
        }
    }
    if options.level == CheckLevel::Paranoid {
        check_constant(&reader, &rows, &mut ledger);
    }
    reader.absorb(ledger);
    Ok(reader.report())
}

/// Bars for what they say about time, with no column of their own and no finding.
fn open_market(bars: Source, options: &ReadOptions) -> Result<TableReader> {
    let options =
        ReadOptions { columns: Some(Vec::new()), level: CheckLevel::Fast, ..options.clone() };
    TableReader::open(bars, &options, Table::Bars, None, Extent::Whole)
}

fn read_all(
    source: Source,
    options: &ReadOptions,
    table: Table,
    symbols: Option<&Symbols>,
) -> Result<(TableReader, Rows)> {
    let mut reader = TableReader::open(source, options, table, symbols, Extent::Whole)?;
    let mut all = Rows::with_capacity(reader.facts().n_columns(), 0);
    while let Some(rows) = reader.next_counted()? {
        all.append(&rows);
    }
    Ok((reader, all))
}

fn check_missing(reader: &TableReader, rows: &Rows, code: &'static str, ledger: &mut Ledger) {
    let facts = reader.facts();
    for (name, column) in reader.names().iter().zip(&rows.columns) {
        let rule = Rule {
            severity: Severity::Warning,
            code,
            column: name,
            message: "values are missing; nothing is filled in",
            fix: "nothing to do when a missing value means no opinion",
        };
        for i in (0..rows.len()).filter(|i| column[*i].is_nan()) {
            ledger.row(&rule, facts.symbol(rows.assets[i]), rows.place(i), || {
                facts.offender_in(rows, i, format!("{name} missing"), "every value is given")
            });
        }
    }
}

fn check_outside(
    reader: &TableReader,
    rows: &Rows,
    (first, last): (i64, i64),
    ledger: &mut Ledger,
) {
    let facts = reader.facts();
    // A signal within a step of the last bar belongs to a decision that the next bar would make.
    let step = usual_step(&rows.timestamps).unwrap_or(1);
    for (i, &time) in rows.timestamps.iter().enumerate() {
        let (column, message) = match time {
            time if time < first => ("timestamp (before)", "rows before the first bar"),
            time if time.saturating_sub(last) >= step => {
                ("timestamp (after)", "rows after the last bar")
            }
            _ => continue,
        };
        let rule = Rule {
            severity: Severity::Warning,
            code: "D602",
            column,
            message,
            fix: "nothing to do when the tables are meant to differ in length",
        };
        ledger.row(&rule, facts.symbol(rows.assets[i]), rows.place(i), || {
            let values = format!("time {}", crate::base::Timestamp(time));
            facts.offender_in(rows, i, values, "signals lie within the span of the bars")
        });
    }
}

fn check_constant(reader: &TableReader, rows: &Rows, ledger: &mut Ledger) {
    for (name, column) in reader.names().iter().zip(&rows.columns) {
        let mut values = column.iter().filter(|value| !value.is_nan());
        let Some(first) = values.next() else { continue };
        let n = 1 + values.clone().count() as u64;
        constant::report(name, *first, n, values.any(|value| value != first), ledger);
    }
}

/// Walks the bars with a cursor over the signals by availability: ages, and rank correlations with
/// returns.
fn check_joined(
    bars: &mut TableReader,
    names: &[String],
    signals: &Rows,
    known: &[i64],
    rules: &mut dyn SignalRules,
    ledger: &mut Ledger,
) -> Result<()> {
    let n_symbols = bars.facts().symbols.len();
    let n_fixed = bars.names().len();
    let columns = (n_fixed..n_fixed + names.len()).collect();
    let mut rank_ic = RankIc::new(names.to_vec(), columns, n_symbols);
    let tolerance = usual_step(&signals.timestamps).map(|step| step.saturating_mul(STALE_STEPS));
    let mut order: Vec<usize> = (0..signals.len()).collect();
    order.sort_by_key(|&row| (known[row], signals.timestamps[row]));
    let mut newest = vec![NONE; n_symbols];
    let mut next = 0;
    let mut starts = Vec::new();
    let (mut n_decisions, mut n_stale, mut longest_ns) = (0_u64, 0_u64, 0_i64);
    let mut has_limit = false;
    while let Some(mut rows) = bars.next_counted()? {
        let mut joined = vec![Vec::with_capacity(rows.len()); names.len()];
        for (&now, &asset) in rows.timestamps.iter().zip(&rows.assets) {
            while let Some(&row) = order.get(next).filter(|row| known[**row] <= now) {
                newest[signals.assets[row] as usize] = row;
                next += 1;
            }
            let row = newest[asset as usize];
            for (out, column) in joined.iter_mut().zip(&signals.columns) {
                out.push(if row == NONE { f64::NAN } else { column[row] });
            }
            if row != NONE {
                let age = now.saturating_sub(known[row]);
                let is_stale = rules.is_stale(known[row], now);
                has_limit = is_stale.is_some();
                let is_stale =
                    is_stale.unwrap_or_else(|| tolerance.is_some_and(|limit| age > limit));
                n_decisions += 1;
                n_stale += u64::from(is_stale);
                longest_ns = longest_ns.max(age);
            }
        }
        rows.columns.extend(joined);
        find_starts(&rows.timestamps, &mut starts);
        rank_ic.push(&rows, &starts);
    }
    rank_ic.finish(ledger);
    if n_stale > 0 {
        let days = |ns: i64| ns as f64 / crate::base::time::DAY_NS as f64;
        let limit = if has_limit {
            "staleness allows".to_owned()
        } else {
            format!("{:.1} days, {STALE_STEPS} usual steps", days(tolerance.unwrap_or(0)))
        };
        let message = format!(
            "{n_stale} of {n_decisions} decisions ({:.1} %) meet a signal older than {limit}; the \
             oldest has {:.1} days",
            100.0 * n_stale as f64 / n_decisions as f64,
            days(longest_ns)
        );
        let column = names.join(", ");
        let rule = Rule {
            severity: Severity::Warning,
            code: "D604",
            column: &column,
            message: &message,
            fix: if has_limit {
                "they count as missing; add the rows, or allow a greater age"
            } else {
                "set staleness so that old signals count as missing, or add the rows"
            },
        };
        ledger.count(&rule, n_stale);
    }
    Ok(())
}

/// The most frequent step between timestamps, the shorter one on a tie.
fn usual_step(timestamps: &[i64]) -> Option<i64> {
    let mut steps: Vec<i64> =
        timestamps.windows(2).map(|w| w[1] - w[0]).filter(|step| *step > 0).collect();
    steps.sort_unstable();
    steps
        .chunk_by(|a, b| a == b)
        .max_by_key(|run| (run.len(), std::cmp::Reverse(run[0])))
        .map(|run| run[0])
}
