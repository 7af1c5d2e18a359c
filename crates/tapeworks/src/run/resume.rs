//! Going on with a run on new rows: the run is made again over all rows, and this proves that what
//! had happened has not changed.

use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, TimestampNanosecondType};
use arrow::error::ArrowError;

use super::config::{ContextData, LoadedConfig, Overlay};
use super::execute::tables;
use super::sample::SAMPLE_PREFIX;
use super::saved::SavedRun;
use crate::base::{Error, Result, Timestamp};
use crate::data::{ReadOptions, Source, is_streamed, open_bars};
use crate::records::{RecordKind, Records, RowBatches, first_difference};

/// What is compared of each table: all that stands once a row has been walked. What the end of a
/// run decides (whether a day's last row is the last, what is still held) is left out.
const COMPARED: [(RecordKind, &[&str]); 5] = [
    (
        RecordKind::Fills,
        &["timestamp", "symbol", "side", "quantity", "price", "commission", "order_id", "phase"],
    ),
    (
        RecordKind::Rejections,
        &["timestamp", "symbol", "code", "order_id", "quantity", "need", "have"],
    ),
    (
        RecordKind::Orders,
        &["timestamp", "symbol", "event", "reason", "side", "kind", "order_id", "fill_id"],
    ),
    (
        RecordKind::Portfolio,
        &["timestamp", "equity", "cash", "positions_value", "gross_exposure", "fees"],
    ),
    (RecordKind::AccountEvents, &["timestamp", "kind", "symbol", "amount"]),
];

/// Rows of a batch that is compared.
const BATCH_ROWS: usize = 65_536;

/// Reads a table of the earlier run.
pub type ReadTable<'a> = &'a dyn Fn(RecordKind) -> Result<RowBatches>;

/// The last timestamp of a run, by its portfolio states; `None` for a run without rows.
///
/// # Errors
/// `W106` when the table cannot be read.
pub fn last_timestamp(earlier: ReadTable<'_>) -> Result<Option<i64>> {
    let mut last = None;
    for batch in earlier(RecordKind::Portfolio)? {
        let batch = batch.map_err(|cause| unreadable(&cause))?;
        if let Some(times) = times(&batch)
            && !times.is_empty()
        {
            last = Some(times.value(times.len() - 1));
        }
    }
    Ok(last)
}

/// Refuses new rows that do not come after the last timestamp of a run.
///
/// # Errors
/// `D321`, with both times; what opening the rows finds.
pub fn check_later(rows: Source, options: &ReadOptions, last: i64) -> Result<()> {
    let options = ReadOptions { start: None, columns: None, ..options.clone() };
    let mut bars = open_bars(rows, &options)?;
    let mut first = None;
    while first.is_none() {
        let Some(batch) = bars.next_batch()? else { break };
        first = batch.timestamps.first().copied();
    }
    match first {
        Some(first) if first <= last => Err(Error::data(
            "D321",
            format!(
                "new_rows begin at {}, and the run has already walked up to {}",
                Timestamp(first),
                Timestamp(last)
            ),
        )
        .with_hint("give only the rows after the last timestamp of the run")),
        Some(_) => Ok(()),
        None => Err(Error::data("D101", "new_rows have no row of the symbols of the run")
            .with_hint("the symbols that the feed was asked for apply to new rows, too")),
    }
}

/// A config for a run over the rows of `config` and more: each path is joined with its new one.
///
/// Relative paths are settled against [`LoadedConfig::directory`] first.
///
/// # Errors
/// `C473` for tables that the run does not have, for tables of the bundled sample, and for a
/// config that ends at a date.
pub fn extended(config: &LoadedConfig, more: &MoreRows) -> Result<LoadedConfig> {
    let refuse = |text: String, hint: &str| Err(Error::config("C473", text).with_hint(hint));
    let mut whole = config.clone();
    let data = &mut whole.config.data;
    if let Some(end) = &config.config.backtest.end_date {
        let text = format!("the run ends at backtest.end_date {end}: later rows are not read");
        return refuse(text, "run the config again with a later end_date");
    }
    let resolved = |path: &str| -> Result<String> {
        if path.starts_with(SAMPLE_PREFIX) {
            return Err(Error::config("C473", format!("{path} is a bundled table"))
                .with_hint("copy it to a file of your own to go on with it"));
        }
        let path = config.resolve(path);
        let path = std::path::absolute(&path).unwrap_or(path);
        Ok(path.to_string_lossy().into_owned())
    };
    let joined = |old: &str, new: Option<&String>| -> Result<String> {
        let old = resolved(old)?;
        Ok(new.map_or_else(|| old.clone(), |new| format!("{old}\n{new}")))
    };
    data.asset_data = joined(&data.asset_data, Some(&more.asset_data))?;
    for (name, has, new) in [
        ("signals", data.signals.is_some(), &more.signals),
        ("context", data.context_data.is_some(), &more.context),
        ("actions", data.actions.is_some(), &more.actions),
    ] {
        if new.is_some() && !has {
            return refuse(
                format!("{name}: the run has no such table"),
                "leave it out, or make a new run with it",
            );
        }
    }
    if let Some(signals) = &mut data.signals {
        signals.path = joined(&signals.path, more.signals.as_ref())?;
    }
    match &mut data.context_data {
        Some(ContextData::Path(path)) => *path = joined(path, more.context.as_ref())?,
        Some(ContextData::Table(table)) => table.path = joined(&table.path, more.context.as_ref())?,
        None => {}
    }
    if let Some(path) = &mut data.actions {
        *path = joined(path, more.actions.as_ref())?;
    }
    Ok(whole)
}

/// Paths of the tables that a run goes on with.
#[derive(Debug, Clone, Default)]
pub struct MoreRows {
    /// Bars.
    pub asset_data: String,
    /// Signals of their own.
    pub signals: Option<String>,
    /// Series of the market.
    pub context: Option<String>,
    /// Corporate actions.
    pub actions: Option<String>,
}

/// The config of a run folder, with its relative paths seen from where its inputs lie: the working
/// folder, or one above the run folder. `None` for a run that was made without a config.
///
/// # Errors
/// `C473` names the inputs that are not found.
pub fn saved_config(saved: &SavedRun) -> Result<Option<LoadedConfig>> {
    let path = saved.path("config").unwrap_or_else(|| saved.folder.join("config.resolved.yaml"));
    let text = std::fs::read_to_string(&path)
        .map_err(|cause| Error::output("W106", format!("{}: {cause}", path.display())))?;
    if text.lines().nth(1).is_some_and(|line| line.starts_with("terms: ")) {
        return Ok(None);
    }
    let mut config = LoadedConfig::read(&path, &Overlay::default())?;
    let folder = std::path::absolute(&saved.folder).unwrap_or_else(|_| saved.folder.clone());
    let bases = std::iter::once(PathBuf::new()).chain(folder.ancestors().map(Path::to_path_buf));
    let tables = tables(&config).into_iter().map(|(_, path)| path.to_owned());
    let paths: Vec<String> = tables.filter(|path| !path.starts_with(SAMPLE_PREFIX)).collect();
    for base in bases {
        let is_there = |path: &String| is_streamed(&base.join(path).to_string_lossy()).is_ok();
        if paths.iter().all(is_there) {
            config.directory = base;
            return Ok(Some(config));
        }
    }
    let names: Vec<String> = paths.iter().map(|path| path.replace('\n', ", ")).collect();
    Err(Error::config("C473", format!("the inputs of the run are not found: {}", names.join(", ")))
        .with_hint("call from the folder of the config that made the run"))
}

/// The reading options of a config.
///
/// # Errors
/// What the config says wrongly.
pub fn config_read_options(config: &LoadedConfig) -> Result<ReadOptions> {
    super::wire::read_options(config)
}

/// Proves that a run over all rows has the records of an earlier run over the first of them.
///
/// Compared are fills, refusals, events of orders, account events and portfolio states up to the
/// last timestamp of the earlier run, exactly; where positions were closed because the run ended,
/// up to the one before it. Orders that a strategy sends when a run ends (`on_end`) belong to that
/// end, and may be missing.
///
/// # Errors
/// `D320` names the first fill, or other row, that differs; `W106` for tables that cannot be read.
pub fn check_continuation(earlier: ReadTable<'_>, whole: &Records) -> Result<()> {
    let Some(last) = last_timestamp(earlier)? else { return Ok(()) };
    let is_closed_at_end = has_end_of_run(earlier(RecordKind::Fills)?)?;
    for (kind, columns) in COMPARED {
        // A state of a session is that of its last row, which may not have come yet.
        let is_open = kind == RecordKind::Portfolio
            && whole.options().snapshot == crate::records::Snapshot::Session;
        let is_before = is_closed_at_end || is_open;
        let until = if is_before { last - 1 } else { last };
        let ours = upto(earlier(kind)?, until);
        let theirs = upto(Box::new(whole.batches(kind, BATCH_ROWS).map(Ok)), until);
        let Some(found) = first_difference(ours, theirs, columns)? else { continue };
        let at_end = Timestamp(last).to_string();
        let sent_at_end = found.ours.as_ref().is_some_and(|row| {
            row.starts_with(&format!("timestamp {at_end}")) && row.contains("event submitted")
        });
        if kind == RecordKind::Orders && found.theirs.is_none() && sent_at_end {
            continue;
        }
        let what = match kind {
            RecordKind::Fills => "fill",
            RecordKind::Rejections => "refusal",
            RecordKind::Orders => "order event",
            RecordKind::Portfolio => "portfolio state",
            _ => "account event",
        };
        let text = |row: Option<String>| row.unwrap_or_else(|| "not there".to_owned());
        return Err(Error::data(
            "D320",
            format!(
                "the run does not repeat: {what} {} was [{}] and is now [{}]",
                found.row,
                text(found.ours),
                text(found.theirs)
            ),
        )
        .with_hint(
            "rows of the span already run have changed, the options or the strategy are others, \
             or the strategy does not decide by what it is shown alone (a clock, a random number, \
             what an earlier run left in it)",
        ));
    }
    Ok(())
}

/// Rows up to an instant, without those that say that the run has ended.
fn upto(batches: RowBatches, until: i64) -> RowBatches {
    Box::new(batches.map(move |batch| {
        let batch = batch?;
        let Some(times) = times(&batch) else { return Ok(batch) };
        let (events, origins) = (texts(&batch, "event")?, texts(&batch, "origin")?);
        let is = |column: &Option<ArrayRef>, row: usize, word: &str| {
            column.as_ref().is_some_and(|texts| texts.as_string::<i32>().value(row) == word)
        };
        let is_end =
            |row: usize| is(&events, row, "live_at_end") || is(&origins, row, "end_of_run");
        let kept = |row: usize| times.value(row) <= until && !is_end(row);
        let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(kept(row))).collect();
        filter_record_batch(&batch, &mask)
    }))
}

fn has_end_of_run(fills: RowBatches) -> Result<bool> {
    for batch in fills {
        let batch = batch.map_err(|cause| unreadable(&cause))?;
        let reasons = texts(&batch, "reason").map_err(|cause| unreadable(&cause))?;
        let is_end = |text: Option<&str>| text == Some("end_of_run");
        if reasons.is_some_and(|reasons| reasons.as_string::<i32>().iter().any(is_end)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn times(batch: &RecordBatch) -> Option<arrow::array::TimestampNanosecondArray> {
    let column = batch.column_by_name("timestamp")?;
    column.as_primitive_opt::<TimestampNanosecondType>().cloned()
}

fn texts(batch: &RecordBatch, name: &str) -> std::result::Result<Option<ArrayRef>, ArrowError> {
    batch.column_by_name(name).map(|column| cast(column, &DataType::Utf8)).transpose()
}

fn unreadable(cause: &ArrowError) -> Error {
    Error::output("W106", format!("a table of the run cannot be read: {cause}"))
        .with_hint("make the run again")
}
