//! The first row at which two tables of the same kind differ.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampNanosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::base::{Error, Result, Timestamp};

/// The rows of a table, a batch at a time.
pub type RowBatches = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>;

/// Where two tables part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Position of the row in both tables, 0-based.
    pub row: u64,
    /// The row of the one, `None` when it has ended: `name value` of each column.
    pub ours: Option<String>,
    /// The row of the other.
    pub theirs: Option<String>,
}

/// Compares two tables row by row in the named columns; columns that one of them lacks are left
/// out. Numbers are compared exactly, missing values are equal.
///
/// # Errors
/// `W106` when a table cannot be read.
pub fn first_difference(
    ours: RowBatches,
    theirs: RowBatches,
    columns: &[&str],
) -> Result<Option<Difference>> {
    let (mut ours, mut theirs) = (Walk::new(ours), Walk::new(theirs));
    let mut row = 0_u64;
    loop {
        ours.fill()?;
        theirs.fill()?;
        let (Some(a), Some(b)) = (&ours.batch, &theirs.batch) else {
            let (ours, theirs) = (ours.text(columns, 0)?, theirs.text(columns, 0)?);
            let differs = ours.is_some() || theirs.is_some();
            return Ok(differs.then_some(Difference { row, ours, theirs }));
        };
        let n = (a.num_rows() - ours.next).min(b.num_rows() - theirs.next);
        let mut first = n;
        for name in columns {
            let (Some(a), Some(b)) = (a.column_by_name(name), b.column_by_name(name)) else {
                continue;
            };
            let (a, b) = (plain(&a.slice(ours.next, n))?, plain(&b.slice(theirs.next, n))?);
            if *a != *b {
                let differs = |i: &usize| *a.slice(*i, 1) != *b.slice(*i, 1);
                first = first.min((0..n).find(differs).unwrap_or(n));
            }
        }
        row += first as u64;
        if first < n {
            let (ours, theirs) = (ours.text(columns, first)?, theirs.text(columns, first)?);
            return Ok(Some(Difference { row, ours, theirs }));
        }
        ours.next += n;
        theirs.next += n;
    }
}

/// A place in the rows of a table.
struct Walk {
    batches: RowBatches,
    batch: Option<RecordBatch>,
    next: usize,
}

impl Walk {
    fn new(batches: RowBatches) -> Self {
        Self { batches, batch: None, next: 0 }
    }

    /// Moves to the next batch with rows once the present one is used up.
    fn fill(&mut self) -> Result<()> {
        while self.batch.as_ref().is_none_or(|batch| self.next >= batch.num_rows()) {
            self.next = 0;
            self.batch = self.batches.next().transpose().map_err(|cause| unreadable(&cause))?;
            if self.batch.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The row `ahead` of the present one as text.
    fn text(&self, columns: &[&str], ahead: usize) -> Result<Option<String>> {
        let Some(batch) = &self.batch else { return Ok(None) };
        let options = FormatOptions::default().with_null("-");
        let mut parts = Vec::with_capacity(columns.len());
        for name in columns {
            let Some(column) = batch.column_by_name(name) else { continue };
            let column = plain(&column.slice(self.next + ahead, 1))?;
            if let Some(times) = column.as_primitive_opt::<TimestampNanosecondType>() {
                parts.push(format!("{name} {}", Timestamp(times.value(0))));
                continue;
            }
            let text = ArrayFormatter::try_new(column.as_ref(), &options)
                .map_err(|cause| unreadable(&cause))?;
            parts.push(format!("{name} {}", text.value(0)));
        }
        Ok(Some(parts.join(", ")))
    }
}

/// Texts as texts, whatever dictionary they are kept in.
fn plain(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Dictionary(..) => {
            cast(column, &DataType::Utf8).map_err(|cause| unreadable(&cause))
        }
        _ => Ok(column.clone()),
    }
}

fn unreadable(cause: &ArrowError) -> Error {
    Error::output("W106", format!("a table of the run cannot be read: {cause}"))
        .with_hint("make the run again")
}
