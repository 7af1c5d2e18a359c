//! A table written in order within a memory budget: runs that fit are sorted and set aside, then
//! merged.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, interleave_record_batch, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::sort_input::{KeyColumns, Keys, SortInput};
use super::type_order::TypeOrder;
use crate::base::{Error, Result, StopFlag};

/// Rows of a row group that is written.
const GROUP_ROWS: usize = 128 * 1024;
/// Rows that are moved from run to run, or to the output, at once; fewer in a small budget.
const BATCH_ROWS: u64 = 8_192;
const BATCH_ROWS_MIN: u64 = 16;
/// Bytes of a value as far as they can be told from a schema.
const VALUE_BYTES: u64 = 16;
/// Runs that are merged at once; more are merged in two levels.
const RUNS_AT_ONCE: usize = 64;
/// A run is held twice while it is put in order, with its keys beside it.
const COPIES: u64 = 3;
/// Below this a budget would make more files than sense.
const MEMORY_MIN: u64 = 1 << 16;

/// How a table is sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortOptions {
    /// Bytes of rows that may be held at once.
    pub memory_bytes: u64,
    /// Zone of times without one; UTC when absent.
    pub tz: Option<String>,
}

impl Default for SortOptions {
    fn default() -> Self {
        Self { memory_bytes: 256 << 20, tz: None }
    }
}

/// What was sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorted {
    /// Rows written.
    pub n_rows: u64,
    /// Runs that were set aside on the disk; 1 when the table fitted into the budget.
    pub n_runs: usize,
}

/// Writes the rows of a table by (timestamp, symbol, `bar_id`) to a Parquet file, every column as
/// it was; rows with equal keys keep their order. Nothing is dropped and nothing is checked.
///
/// Parquet is read in pieces; text and Arrow files are held in memory as columns. Runs lie beside
/// `out` until they are merged. `out` appears whole or not at all.
///
/// # Errors
/// `D1xx` when a file cannot be read or files differ in their columns, `W1xx` when `out` is there
/// already or cannot be written, `C301` for a budget below 64 KiB.
pub fn sort_bars(source: &str, out: &Path, options: &SortOptions) -> Result<Sorted> {
    sort_bars_until(source, out, options, &StopFlag::default())
}

/// [`sort_bars`] that ends, and leaves nothing behind, once `stop` is raised.
///
/// # Errors
/// As [`sort_bars`], and `I130`.
pub fn sort_bars_until(
    source: &str,
    out: &Path,
    options: &SortOptions,
    stop: &StopFlag,
) -> Result<Sorted> {
    if options.memory_bytes < MEMORY_MIN {
        return Err(Error::config("C301", format!("memory of {} bytes", options.memory_bytes))
            .with_hint("give at least 64KB, for example 256MB"));
    }
    if out.exists() {
        return Err(Error::output("W101", format!("{} exists", out.display()))
            .with_hint("name a new file, or remove the old one"));
    }
    let input = SortInput::open(source, options.tz.as_deref())?;
    let folder = RunFolder::create(out)?;
    let run_bytes = options.memory_bytes / COPIES;
    let row_bytes = VALUE_BYTES * input.schema().fields().len() as u64;
    // A piece of every run is in memory while they are merged.
    let batch_rows = run_bytes / (RUNS_AT_ONCE as u64 * row_bytes);
    let batch_rows = usize::try_from(batch_rows.clamp(BATCH_ROWS_MIN, BATCH_ROWS))
        .expect("Invariant: a small number");
    let mut sorter = Sorter {
        schema: input.schema(),
        keys: input.key_columns(),
        folder,
        runs: Vec::new(),
        held: Vec::new(),
        held_bytes: 0,
        run_bytes,
        batch_rows,
        stop: stop.clone(),
    };
    let mut n_rows = 0;
    for batch in input.batches(batch_rows) {
        stop.check()?;
        let batch = batch?;
        n_rows += batch.num_rows() as u64;
        sorter.push(batch)?;
    }
    let n_runs = sorter.finish(out)?;
    Ok(Sorted { n_rows, n_runs })
}

/// Reads `"256MB"`, `"1GiB"`, `"65536"`.
///
/// # Errors
/// `C301` for anything else.
pub fn parse_bytes(text: &str) -> Result<u64> {
    let refuse = || {
        Error::config("C301", format!("memory {text:?} is no size"))
            .with_hint("write a number of bytes, or 256MB, 1GB, 512MiB")
    };
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(refuse()),
    };
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(refuse)
}

/// A hidden folder beside the output; it goes when the work is done, or was given up.
#[derive(Debug)]
struct RunFolder(PathBuf);

impl RunFolder {
    fn create(out: &Path) -> Result<Self> {
        let name = out.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let path = out.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
        fs::create_dir(&path).map_err(|e| {
            Error::output("W101", format!("cannot create {}: {e}", path.display()))
                .with_hint("the folder of the output must exist and be writable")
        })?;
        Ok(Self(path))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Nothing can be reported from here; a folder that stays is hidden and named after us.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Sorter {
    schema: SchemaRef,
    keys: KeyColumns,
    folder: RunFolder,
    runs: Vec<PathBuf>,
    held: Vec<RecordBatch>,
    held_bytes: u64,
    run_bytes: u64,
    batch_rows: usize,
    stop: StopFlag,
}

impl Sorter {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.held_bytes += batch.get_array_memory_size() as u64;
        self.held.push(batch);
        if self.held_bytes > self.run_bytes {
            let sorted = self.sort_held()?;
            self.set_aside(std::iter::once(Ok(sorted)))?;
        }
        Ok(())
    }

    /// Writes the output; gives the number of runs that were made of the input.
    fn finish(mut self, out: &Path) -> Result<usize> {
        let temporary = self.folder.0.join("sorted.parquet");
        if self.runs.is_empty() {
            let sorted = self.sort_held()?;
            let sorted = pieces(&sorted, self.batch_rows, &self.stop);
            write_parquet(&temporary, &self.schema, sorted)?;
            publish(&temporary, out)?;
            return Ok(1);
        }
        if !self.held.is_empty() {
            let sorted = self.sort_held()?;
            self.set_aside(std::iter::once(Ok(sorted)))?;
        }
        let n_runs = self.runs.len();
        while self.runs.len() > RUNS_AT_ONCE {
            // Neighbours are merged, so that rows with equal keys keep their order.
            let runs = std::mem::take(&mut self.runs);
            for few in runs.chunks(RUNS_AT_ONCE) {
                let merge = Merge::open(few, &self.keys, self.batch_rows, &self.stop)?;
                self.set_aside(merge)?;
                for run in few {
                    let _ = fs::remove_file(run);
                }
            }
        }
        let merge = Merge::open(&self.runs, &self.keys, self.batch_rows, &self.stop)?;
        write_parquet(&temporary, &self.schema, merge)?;
        publish(&temporary, out)?;
        Ok(n_runs)
    }

    fn sort_held(&mut self) -> Result<RecordBatch> {
        let all = concat_batches(&self.schema, &self.held).map_err(|e| failed(&e))?;
        self.held.clear();
        self.held_bytes = 0;
        let keys = self.keys.of(&all)?;
        let n = u32::try_from(all.num_rows()).expect("a run has fewer than 2^32 rows");
        let mut order: Vec<u32> = (0..n).collect();
        order.sort_by(|a, b| keys.compare(*a as usize, &keys, *b as usize));
        take_record_batch(&all, &UInt32Array::from(order)).map_err(|e| failed(&e))
    }

    fn set_aside(&mut self, batches: impl Iterator<Item = Result<RecordBatch>>) -> Result<()> {
        let path = self.folder.0.join(format!("run-{}", self.n_files()));
        let written = |e: &dyn std::fmt::Display| {
            Error::output("W102", format!("cannot write {}: {e}", path.display()))
                .with_hint("free space on the disk: runs need as much as the unpacked table")
        };
        let file = File::create(&path).map_err(|e| written(&e))?;
        let mut writer =
            StreamWriter::try_new_buffered(file, &self.schema).map_err(|e| written(&e))?;
        for batch in batches {
            let batch = batch?;
            let mut from = 0;
            while from < batch.num_rows() {
                let n = self.batch_rows.min(batch.num_rows() - from);
                writer.write(&batch.slice(from, n)).map_err(|e| written(&e))?;
                from += n;
            }
        }
        writer.finish().map_err(|e| written(&e))?;
        self.runs.push(path);
        Ok(())
    }

    fn n_files(&self) -> usize {
        fs::read_dir(&self.folder.0).map_or(0, Iterator::count) + self.runs.len()
    }
}

/// A sorted run cut into batches, so that writing it can be ended.
fn pieces<'a>(
    run: &'a RecordBatch,
    batch_rows: usize,
    stop: &'a StopFlag,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    (0..run.num_rows()).step_by(batch_rows.max(1)).map(move |from| {
        stop.check()?;
        Ok(run.slice(from, batch_rows.min(run.num_rows() - from)))
    })
}

/// The piece of a run that is in memory.
struct Piece {
    reader: StreamReader<BufReader<File>>,
    batch: RecordBatch,
    keys: Keys,
    at: usize,
}

/// Runs merged batch by batch; of equal keys the one of the earlier run comes first.
struct Merge {
    columns: KeyColumns,
    batch_rows: usize,
    pieces: Vec<Option<Piece>>,
    stop: StopFlag,
}

impl Merge {
    fn open(
        runs: &[PathBuf],
        columns: &KeyColumns,
        batch_rows: usize,
        stop: &StopFlag,
    ) -> Result<Self> {
        let mut pieces = Vec::with_capacity(runs.len());
        for run in runs {
            let file = File::open(run).map_err(|e| failed(&e))?;
            let mut reader = StreamReader::try_new_buffered(file, None).map_err(|e| failed(&e))?;
            let piece = match reader.next() {
                Some(batch) => {
                    let batch = batch.map_err(|e| failed(&e))?;
                    let keys = columns.of(&batch)?;
                    Some(Piece { reader, batch, keys, at: 0 })
                }
                None => None,
            };
            pieces.push(piece);
        }
        Ok(Self { columns: columns.clone(), batch_rows, pieces, stop: stop.clone() })
    }

    /// The run whose next row comes first.
    fn first(&self) -> Option<usize> {
        let mut first: Option<(usize, &Piece)> = None;
        for (run, piece) in self.pieces.iter().enumerate() {
            let Some(piece) = piece else { continue };
            let is_before = first.is_none_or(|(_, other)| {
                piece.keys.compare(piece.at, &other.keys, other.at) == Ordering::Less
            });
            if is_before {
                first = Some((run, piece));
            }
        }
        first.map(|(run, _)| run)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.stop.check()?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        // Where the piece in memory of each run stands among `batches`.
        let mut places: Vec<Option<usize>> = vec![None; self.pieces.len()];
        let mut rows: Vec<(usize, usize)> = Vec::with_capacity(self.batch_rows);
        while rows.len() < self.batch_rows {
            let Some(run) = self.first() else { break };
            let piece = self.pieces[run].as_mut().expect("the first run has a piece");
            let place = *places[run].get_or_insert_with(|| {
                batches.push(piece.batch.clone());
                batches.len() - 1
            });
            rows.push((place, piece.at));
            piece.at += 1;
            if piece.at == piece.batch.num_rows() {
                places[run] = None;
                match piece.reader.next() {
                    Some(batch) => {
                        piece.batch = batch.map_err(|e| failed(&e))?;
                        piece.keys = self.columns.of(&piece.batch)?;
                        piece.at = 0;
                    }
                    None => self.pieces[run] = None,
                }
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        interleave_record_batch(&batches, &rows).map(Some).map_err(|e| failed(&e))
    }
}

impl Iterator for Merge {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

fn write_parquet(
    path: &Path,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    let written = |e: &dyn std::fmt::Display| {
        Error::output("W102", format!("cannot write {}: {e}", path.display()))
            .with_hint("free space on the disk or name another folder; nothing was left behind")
    };
    let level = ZstdLevel::try_new(3).expect("Invariant: a level of zstd");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let file = File::create(path).map_err(|e| written(&e))?;
    let ordered = TypeOrder::new(file, schema.fields().len());
    let mut writer = ArrowWriter::try_new(ordered, Arc::clone(schema), Some(properties))
        .map_err(|e| written(&e))?;
    for batch in batches {
        writer.write(&batch?).map_err(|e| written(&e))?;
    }
    let ordered = writer.into_inner().map_err(|e| written(&e))?;
    let file = ordered.finish().map_err(|e| written(&e))?;
    file.sync_all().map_err(|e| written(&e))
}

fn publish(temporary: &Path, out: &Path) -> Result<()> {
    fs::rename(temporary, out)
        .map_err(|e| Error::output("W103", format!("cannot name {}: {e}", out.display())))
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::data("D102", format!("rows cannot be put in order: {error}"))
        .with_hint("free space and memory, or report the file that shows it")
}
