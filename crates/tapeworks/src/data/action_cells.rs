//! The cells of a table of corporate actions as text, whatever the format of its files.

use std::io::BufReader;

use arrow::array::RecordBatchReader;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::names::{canonical, near_miss};
use super::options::{ReadOptions, Source};
use super::source::{Format, SourceFile, files};
use super::{arrow_file, json_lines, text_file};
use crate::base::{Date, Error, Result};

/// A market has fewer actions than this; a larger table is no table of actions.
const ROWS_MAX: usize = 20_000_000;

/// Rows of text, with the columns that actions are made of.
#[derive(Debug)]
pub(super) struct ActionCells {
    pub names: Vec<String>,
    pub columns: Columns,
    pub files: Vec<String>,
    pub rows: Vec<TextRow>,
}

#[derive(Debug)]
pub(super) struct TextRow {
    /// Number of the file, and of the data row in it, from 1.
    pub place: (u32, u64),
    pub cells: Vec<String>,
}

/// Where the columns stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Columns {
    pub symbol: usize,
    pub date: Option<usize>,
    pub kind: usize,
    pub ratio: Option<usize>,
    pub amount: Option<usize>,
    /// One column for ratios and amounts.
    pub value: Option<usize>,
    pub pay_date: Option<usize>,
    pub into: Option<usize>,
}

/// Reads every row of a source.
///
/// # Errors
/// `D101` without the columns or rows, `D102` for a file that cannot be read.
pub(super) fn read_cells(source: Source, options: &ReadOptions) -> Result<ActionCells> {
    let mut cells: Option<ActionCells> = None;
    match source {
        Source::Arrow(reader) => add(&mut cells, "actions", batches(reader, "actions")?)?,
        Source::Path(path) => {
            for file in files(&path)? {
                add(&mut cells, &file.name, of_file(&file, options)?)?;
            }
        }
    }
    match cells {
        Some(cells) if !cells.rows.is_empty() => Ok(cells),
        _ => Err(Error::data("D101", "actions: the table has no rows")
            .with_hint("leave the actions out when there are none")),
    }
}

/// Names and rows of one file.
type Text = (Vec<String>, Vec<Vec<String>>);

fn add(cells: &mut Option<ActionCells>, name: &str, (names, rows): Text) -> Result<()> {
    let columns = Columns::find(&names, name)?;
    let all = cells.get_or_insert_with(|| ActionCells {
        names: names.clone(),
        columns,
        files: Vec::new(),
        rows: Vec::new(),
    });
    if all.columns != columns || all.names != names {
        return Err(Error::data(
            "D104",
            format!("{name}: its columns are not those of {}", all.files[0]),
        )
        .with_hint("write the same columns to every file of the table"));
    }
    let file = u32::try_from(all.files.len()).expect("fewer than 2^32 files");
    all.files.push(name.to_owned());
    let rows = (1..).zip(rows).map(|(row, cells)| TextRow { place: (file, row), cells });
    all.rows.extend(rows);
    Ok(())
}

fn of_file(file: &SourceFile, options: &ReadOptions) -> Result<Text> {
    let name = &file.name;
    match file.format {
        Format::Csv => of_csv(file, options),
        Format::Arrow => batches(arrow_file::open(file)?, name),
        Format::JsonLines => batches(json_lines::open(file)?, name),
        Format::Parquet => {
            let broken = |text: String| Error::data("D102", format!("{name}: cannot read: {text}"));
            let opened = std::fs::File::open(&file.path).map_err(|e| broken(e.to_string()))?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(opened)
                .and_then(ParquetRecordBatchReaderBuilder::build)
                .map_err(|e| broken(e.to_string()))?;
            batches(Box::new(reader), name)
        }
        Format::Dbn => Err(Error::data("D102", format!("{name}: no table of actions"))
            .with_hint("give actions as parquet, csv, arrow or json lines")),
    }
}

fn of_csv(file: &SourceFile, options: &ReadOptions) -> Result<Text> {
    let broken = |e: csv::Error| Error::data("D101", format!("{}: {e}", file.name));
    let (stream, _) = text_file::open(file)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(options.csv.delimiter.unwrap_or(b','))
        .trim(csv::Trim::All)
        .from_reader(BufReader::new(stream));
    let names: Vec<String> = reader
        .headers()
        .map_err(broken)?
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').to_owned())
        .collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(record.map_err(broken)?.iter().map(str::to_owned).collect());
        check_length(rows.len(), &file.name)?;
    }
    Ok((names, rows))
}

fn batches(reader: Box<dyn RecordBatchReader + Send>, name: &str) -> Result<Text> {
    let broken =
        |e: arrow::error::ArrowError| Error::data("D102", format!("{name}: cannot read: {e}"));
    let schema = reader.schema();
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(broken)?;
        check_length(rows.len() + batch.num_rows(), name)?;
        for row in 0..batch.num_rows() {
            // A null has an empty text.
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, row));
            rows.push(cells.collect::<std::result::Result<_, _>>().map_err(broken)?);
        }
    }
    Ok((names, rows))
}

fn check_length(n_rows: usize, name: &str) -> Result<()> {
    if n_rows <= ROWS_MAX {
        return Ok(());
    }
    Err(Error::data("D101", format!("{name}: more than {ROWS_MAX} rows are no table of actions"))
        .with_hint("actions are one row a split or dividend"))
}

impl Columns {
    fn find(names: &[String], place: &str) -> Result<Self> {
        let lower: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
        let known = |words: &[&str]| lower.iter().position(|name| words.contains(&name.as_str()));
        let meant = |word: &str| names.iter().position(|name| canonical(name) == word);
        let missing = |wanted: &str| {
            let listed = names.join(", ");
            let text = format!("{place}: no column {wanted}; the table has {listed}");
            let near = near_miss(wanted, names.iter().map(String::as_str));
            Error::data("D101", text).with_hint(near.map_or_else(
                || "actions have the columns symbol, ex_date, kind, ratio, amount".to_owned(),
                |near| format!("did you mean {near:?}?"),
            ))
        };
        let columns = Self {
            symbol: meant("symbol").ok_or_else(|| missing("symbol"))?,
            date: known(&["ex_date", "exdate", "ex-date", "effective_date"])
                .or_else(|| meant("timestamp")),
            kind: known(&["kind", "type", "action"]).ok_or_else(|| missing("kind"))?,
            ratio: known(&["ratio"]),
            amount: known(&["amount"]),
            value: known(&["value"]),
            pay_date: known(&["pay_date", "payment_date", "payable_date"]),
            into: known(&["into", "new_symbol"]),
        };
        columns.date.ok_or_else(|| missing("ex_date"))?;
        Ok(columns)
    }
}

impl ActionCells {
    /// A cell; empty where the table has no such column or no value.
    pub fn cell(&self, row: usize, column: impl Into<Option<usize>>) -> &str {
        let cells = &self.rows[row].cells;
        column.into().and_then(|column| cells.get(column)).map_or("", |cell| cell.trim())
    }

    pub fn symbol(&self, row: usize) -> &str {
        self.cell(row, self.columns.symbol)
    }

    pub fn place(&self, row: usize) -> (u32, u64) {
        self.rows[row].place
    }

    /// The row at a place.
    pub fn row_at(&self, place: (u32, u64)) -> usize {
        self.rows.partition_point(|row| row.place < place)
    }

    /// The text of a number: of its own column, or of the common one.
    fn text_of(&self, row: usize, column: &str) -> &str {
        let own = if column == "ratio" { self.columns.ratio } else { self.columns.amount };
        match self.cell(row, own) {
            "" => self.cell(row, self.columns.value),
            text => text,
        }
    }

    /// Whether a number is there.
    pub fn has(&self, column: &str, row: usize) -> bool {
        !self.text_of(row, column).is_empty()
    }

    /// A number, `None` where it is missing; the text when it is none.
    pub fn number(&self, row: usize, column: &str) -> std::result::Result<Option<f64>, String> {
        match self.text_of(row, column) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| text.to_owned()),
        }
    }

    /// A date, `None` where it is missing; the text when it is none, or an instant inside a day.
    pub fn date(
        &self,
        row: usize,
        column: Option<usize>,
    ) -> std::result::Result<Option<Date>, String> {
        let text = self.cell(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        let (date, rest) = text.split_at_checked(10).ok_or_else(|| text.to_owned())?;
        let clock: String = rest.chars().filter(char::is_ascii_digit).collect();
        let is_midnight = rest.is_empty()
            || (rest.starts_with(['T', ' ']) && rest[1..].starts_with("00:00") && {
                // Digits after the seconds are an offset such as -05:00, which is no time of day.
                clock.chars().take(6).all(|digit| digit == '0')
            });
        match Date::parse(date) {
            Ok(date) if is_midnight => Ok(Some(date)),
            _ => Err(text.to_owned()),
        }
    }
}
