//! A table checked without being kept: one thread decodes, another looks across the rows.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::across::AcrossRows;
use super::ledger::Ledger;
use super::merge::Rows;
use super::options::{CheckLevel, ReadOptions, Source};
use super::plan::Table;
use super::reader::{Extent, TableReader};
use super::report::CheckReport;
use super::second_reading::{self, Digest};
use crate::base::{ErrorKind, Result, Symbols};

/// Batches that wait for the second thread.
const WAITING: usize = 8;
const BATCH_ROWS: usize = 8_192;

/// Every finding of a table, and no error for rows that break rules.
///
/// # Errors
/// When the options are wrong, or rows out of order need more memory than is allowed.
pub(crate) fn check_table(
    source: Source,
    options: &ReadOptions,
    table: Table,
    run_symbols: Option<&Symbols>,
) -> Result<CheckReport> {
    let extent = match options.level {
        CheckLevel::Fast => Extent::Sample,
        CheckLevel::Standard | CheckLevel::Paranoid => Extent::Whole,
    };
    let again = match &source {
        Source::Path(path) if options.level == CheckLevel::Paranoid => Some(path.clone()),
        _ => None,
    };
    // Columns of a batch this small are not given back to the system after each batch, and are
    // still in the cache when the other thread looks at them.
    let options = &ReadOptions { batch_rows: BATCH_ROWS, ..options.clone() };
    let mut reader = match TableReader::open(source, options, table, run_symbols, extent) {
        Err(error) if error.kind() == ErrorKind::Data => {
            return Ok(CheckReport::refused(table.name(), &error));
        }
        reader => reader?,
    };
    let across = reader.take_across();
    let wants_digest = again.is_some();
    let (ended, ledger, first, second) = thread::scope(|scope| {
        let second =
            again.map(|path| scope.spawn(move || second_reading::digest(&path, options, table)));
        let (sender, receiver) = sync_channel(WAITING);
        let judge = scope.spawn(move || judge(&receiver, across, table, wants_digest));
        let ended = loop {
            match reader.next_counted() {
                // The other thread listens until the sender is gone.
                Ok(Some(rows)) => drop(sender.send(rows)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(sender);
        let (ledger, first) = judge.join().expect("Invariant: checks across rows do not panic");
        let second = second.map(|thread| thread.join().expect("Invariant: reading does not panic"));
        (ended, ledger, first, second)
    });
    reader.absorb(ledger);
    match (ended, second) {
        (Err(error), _) => reader.record_failure(&error),
        (Ok(()), Some(second)) => {
            let mut ledger = Ledger::new(table.name());
            second_reading::compare(&first, &second, &mut ledger);
            reader.absorb(ledger);
        }
        (Ok(()), None) => {}
    }
    Ok(reader.report())
}

fn judge(
    receiver: &Receiver<Rows>,
    mut across: Option<AcrossRows>,
    table: Table,
    wants_digest: bool,
) -> (Ledger, Digest) {
    let mut ledger = Ledger::new(table.name());
    let mut digest = Digest::default();
    while let Ok(rows) = receiver.recv() {
        if let Some(across) = &mut across {
            across.push(&rows, &mut ledger);
        }
        if wants_digest {
            digest.push(&rows);
        }
    }
    if let Some(across) = &mut across {
        across.finish(&mut ledger);
    }
    (ledger, digest)
}
