//! The data set that travels inside the program.

use arrow::record_batch::RecordBatchReader;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::base::{Error, Result};

/// Paths of a config that start with this name a table of the sample: `sample:bars`.
pub const SAMPLE_PREFIX: &str = "sample:";

/// The config of the demo.
pub const DEMO_CONFIG: &str = include_str!("demo.yaml");

/// The tables: name, Parquet bytes. Provenance: `sample/README.md`.
const TABLES: &[(&str, &[u8])] = &[
    ("bars", include_bytes!("../../sample/bars.parquet")),
    ("context", include_bytes!("../../sample/context.parquet")),
    ("signals", include_bytes!("../../sample/signals.parquet")),
];

/// The Parquet bytes of a table of the sample: `bars`, `context` or `signals`.
///
/// # Errors
/// `C304` for another name.
pub fn sample_bytes(name: &str) -> Result<&'static [u8]> {
    TABLES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes).ok_or_else(|| {
        let names: Vec<String> =
            TABLES.iter().map(|(known, _)| format!("{SAMPLE_PREFIX}{known}")).collect();
        Error::config("C304", format!("the sample has no table {name:?}"))
            .with_hint(format!("one of: {}", names.join(", ")))
    })
}

/// A table of the sample as a stream of record batches.
///
/// # Errors
/// As [`sample_bytes`].
pub fn sample_reader(name: &str) -> Result<Box<dyn RecordBatchReader + Send>> {
    let bytes = Bytes::from_static(sample_bytes(name)?);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(ParquetRecordBatchReaderBuilder::build);
    Ok(Box::new(reader.expect("Invariant: the bundled files are valid Parquet")))
}
