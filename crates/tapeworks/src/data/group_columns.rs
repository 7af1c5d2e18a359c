//! The columns of row groups, a block of rows at a time: decoded by the caller's thread and, where
//! a file is large, half of them by a second one.
//!
//! Both threads walk the same row groups in the same order and cut them alike, so what comes out
//! does not depend on whether there are two. Columns are shared out and not row groups: a page a
//! column is held either way, and what waits is a few blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use arrow::array::ArrayRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::parquet::{BLOCK_ROWS, Group, ParquetTable};
use crate::base::{Error, Result};

/// Fewer rows than these are decoded before a second thread would have paid for its start.
const ROWS_FOR_TWO: u64 = 1 << 18;
/// Blocks that the second thread may be ahead.
const AHEAD: usize = 4;
/// Share of the decoding that the second thread takes; the first one also checks the rows.
const SHARE_BESIDE: (u64, u64) = (3, 5);

/// The one place beside the caller's thread at which a read may decode.
#[derive(Debug, Clone)]
pub(crate) struct SecondThread {
    is_free: Arc<AtomicBool>,
}

impl SecondThread {
    /// A place, or none where one thread was asked for.
    pub(crate) fn new(threads: Option<usize>) -> Self {
        Self { is_free: Arc::new(AtomicBool::new(threads != Some(1))) }
    }

    fn take(&self) -> Option<Seat> {
        self.is_free.swap(false, Ordering::AcqRel).then(|| Seat(Arc::clone(&self.is_free)))
    }
}

/// The place while a file has it.
#[derive(Debug)]
struct Seat(Arc<AtomicBool>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The projected columns of the row groups of one file.
pub(super) struct GroupColumns {
    table: Arc<ParquetTable>,
    /// Projected columns, ascending.
    columns: Vec<usize>,
    /// Those that the caller's thread decodes.
    own: Vec<usize>,
    reader: Option<ParquetRecordBatchReader>,
    beside: Option<Beside>,
}

struct Beside {
    messages: Receiver<Message>,
    _seat: Seat,
}

enum Message {
    Block(Vec<ArrayRef>),
    EndOfGroup,
    Failed(Error),
}

impl GroupColumns {
    /// Starts a second thread where the file is worth it and `second` is free. The row groups of
    /// the plan then have to be opened one after the other, each read to its end.
    pub(super) fn new(
        table: Arc<ParquetTable>,
        columns: Vec<usize>,
        second: Option<&SecondThread>,
    ) -> Self {
        let n_rows: u64 = table.plan().groups.iter().map(|group| group.n_rows).sum();
        let (own, others) = share(&table, &columns);
        let seat = second.filter(|_| n_rows >= ROWS_FOR_TWO && !others.is_empty());
        let Some(seat) = seat.and_then(SecondThread::take) else {
            return Self { table, own: columns.clone(), columns, reader: None, beside: None };
        };
        let (sender, messages) = sync_channel(AHEAD);
        let theirs = Arc::clone(&table);
        thread::spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| decode(&theirs, &others, &sender)));
            // A stream that was dropped does not listen any more, and need not hear.
            if let Ok(Err(error)) = outcome {
                let _ = sender.send(Message::Failed(error));
            }
        });
        let beside = Some(Beside { messages, _seat: seat });
        Self { table, columns, own, reader: None, beside }
    }

    /// The columns of each block, ascending.
    pub(super) fn projected(&self) -> &[usize] {
        &self.columns
    }

    /// Begins a row group.
    pub(super) fn open(&mut self, group: &Group) -> Result<()> {
        self.reader = Some(self.table.group_reader(group.idx, &self.own, BLOCK_ROWS)?);
        Ok(())
    }

    /// The next rows of the row group, an array a projected column; `None` at its end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<ArrayRef>>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let own = reader.next().transpose().map_err(|e| self.table.broken(&e))?;
        let Some(beside) = &self.beside else {
            return Ok(own.map(|batch| batch.columns().to_vec()));
        };
        match (own, beside.messages.recv()) {
            (Some(batch), Ok(Message::Block(others)))
                if others.iter().all(|column| column.len() == batch.num_rows()) =>
            {
                let (mut own, mut others) = (batch.columns().iter().cloned(), others.into_iter());
                let take = |column: &usize| {
                    let from_own = self.own.contains(column);
                    if from_own { own.next() } else { others.next() }
                };
                let columns: Option<Vec<ArrayRef>> = self.columns.iter().map(take).collect();
                Ok(Some(columns.expect("Invariant: each column has one reader")))
            }
            (None, Ok(Message::EndOfGroup)) => Ok(None),
            (_, Ok(Message::Failed(error))) => Err(error),
            (_, Ok(Message::Block(_) | Message::EndOfGroup)) => Err(Error::data(
                "D102",
                format!("{}: columns of a row group differ in length", self.table.name),
            )
            .with_hint("the file is damaged; write or download it again")),
            (_, Err(_)) => {
                let name = &self.table.name;
                let text = format!("{name}: decoding stopped in an unforeseen way");
                Err(Error::data("D102", text)
                    .with_hint("this is a defect of tapeworks: report it with the file"))
            }
        }
    }
}

/// The work of the second thread; it ends early when nobody listens any more.
fn decode(table: &ParquetTable, columns: &[usize], sender: &SyncSender<Message>) -> Result<()> {
    for group in &table.plan().groups {
        for batch in table.group_reader(group.idx, columns, BLOCK_ROWS)? {
            let batch = batch.map_err(|e| table.broken(&e))?;
            if sender.send(Message::Block(batch.columns().to_vec())).is_err() {
                return Ok(());
            }
        }
        if sender.send(Message::EndOfGroup).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The columns of the caller's thread and of the second one, both ascending. The work of a column
/// is told by its bytes: the heaviest go to the second thread until it has its share.
fn share(table: &ParquetTable, columns: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let plan = table.plan();
    let work = |column: usize| -> u64 {
        let chunks = plan.groups.iter().filter_map(|group| table.chunk(group.idx, column));
        let bytes = |n: i64| u64::try_from(n).unwrap_or(0);
        chunks.map(|c| bytes(c.uncompressed_size()) + bytes(c.compressed_size())).sum()
    };
    let values = plan.values.iter().flatten().copied();
    let mut heavy: Vec<(u64, usize)> = values.map(|column| (work(column), column)).collect();
    heavy.sort_unstable_by_key(|&(work, column)| (std::cmp::Reverse(work), column));
    heavy.dedup();
    let total: u64 = columns.iter().map(|column| work(*column)).sum();
    let mut taken = 0;
    let mut others = Vec::new();
    for (work, column) in heavy {
        if (taken + work) * SHARE_BESIDE.1 <= total * SHARE_BESIDE.0 {
            taken += work;
            others.push(column);
        }
    }
    others.sort_unstable();
    let own = columns.iter().copied().filter(|column| !others.contains(column)).collect();
    (own, others)
}
