//! The same table read twice (`D210`): another batch size must give the same rows, bit for bit.

use super::ledger::{Ledger, Rule};
use super::merge::Rows;
use super::options::{CheckLevel, ReadOptions, Source};
use super::plan::Table;
use super::reader::{Extent, TableReader};
use super::report::Severity;
use crate::base::Result;

/// Rows a batch of the second reading: no divisor of anything, so that batches end elsewhere.
const BATCH_ROWS: usize = 30_011;

/// The content of rows, whatever their batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    n_rows: u64,
    columns: Vec<u64>,
}

impl Digest {
    pub(crate) fn push(&mut self, rows: &Rows) {
        self.n_rows += rows.len() as u64;
        self.columns.resize(rows.columns.len() + 2, 0);
        let (keys, values) = self.columns.split_at_mut(2);
        keys[0] = rows.timestamps.iter().fold(keys[0], |hash, t| step(hash, t.cast_unsigned()));
        keys[1] = rows.assets.iter().fold(keys[1], |hash, a| step(hash, u64::from(*a)));
        for (hash, column) in values.iter_mut().zip(&rows.columns) {
            *hash = column.iter().fold(*hash, |hash, value| step(hash, value.to_bits()));
        }
    }
}

/// Reads the table a second time.
pub(crate) fn digest(path: &str, options: &ReadOptions, table: Table) -> Result<Digest> {
    let options =
        ReadOptions { level: CheckLevel::Standard, batch_rows: BATCH_ROWS, ..options.clone() };
    let source = Source::Path(path.to_owned());
    let mut reader = TableReader::open(source, &options, table, None, Extent::Whole)?;
    reader.take_across();
    let mut digest = Digest::default();
    while let Some(rows) = reader.next_counted()? {
        digest.push(&rows);
    }
    Ok(digest)
}

/// The finding when the two readings differ.
pub(crate) fn compare(first: &Digest, second: &Result<Digest>, ledger: &mut Ledger) {
    let message = match second {
        Ok(second) if second == first => return,
        Ok(second) => format!(
            "a second reading gives other values ({} rows, then {})",
            first.n_rows, second.n_rows
        ),
        Err(error) => format!("a second reading fails: {}", error.message()),
    };
    let rule = Rule {
        severity: Severity::Error,
        code: "D210",
        column: "table",
        message: &message,
        fix: "the file changes while it is read, or the disk is failing; copy it and check again",
    };
    ledger.count(&rule, 1);
}

fn step(hash: u64, bits: u64) -> u64 {
    (hash.rotate_left(5) ^ bits).wrapping_mul(0x517c_c1b7_2722_0a95)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;

    fn digest_of(closes: &[f64], batch_rows: usize) -> Digest {
        let mut digest = Digest::default();
        let times: Vec<i64> = (1..).take(closes.len()).collect();
        for (times, closes) in times.chunks(batch_rows).zip(closes.chunks(batch_rows)) {
            let mut rows = Rows::with_capacity(1, 0);
            rows.timestamps.extend_from_slice(times);
            rows.assets.extend(times.iter().map(|_| 0));
            rows.columns[0].extend_from_slice(closes);
            digest.push(&rows);
        }
        digest
    }

    #[test]
    fn compare_when_a_second_reading_differs_or_fails_then_an_error_finding() {
        let first = digest_of(&[10.0, 11.0, 12.0, 13.0], 4);
        let told = |second: &Result<Digest>| {
            let mut ledger = Ledger::new("bars");
            compare(&first, second, &mut ledger);
            ledger.findings().into_iter().map(|f| (f.code, f.severity, f.message)).next()
        };
        // Other batches are the same rows.
        assert_eq!(told(&Ok(digest_of(&[10.0, 11.0, 12.0, 13.0], 3))), None);
        for (other, words) in [
            (&[10.0, 11.0, 12.0, 13.000_000_000_000_002][..], "4 rows, then 4"),
            (&[10.0, 11.0, 13.0, 12.0], "4 rows, then 4"),
            (&[10.0, 11.0, 12.0], "4 rows, then 3"),
        ] {
            let (code, severity, message) = told(&Ok(digest_of(other, 4))).expect("they differ");
            assert_eq!((code.as_str(), severity), ("D210", Severity::Error));
            assert!(message.contains(words), "{message}");
        }
        let failed = Err(Error::data("D102", "bars.parquet: cut"));
        let (code, _, message) = told(&failed).expect("it fails");
        assert!(code == "D210" && message.contains("bars.parquet: cut"), "{message}");
    }
}
