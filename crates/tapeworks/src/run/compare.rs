//! Two runs side by side: every metric of both, and the first fill at which they part.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::base::Result;
use crate::records::{RowBatches, first_difference};

/// What makes two fills the same.
const FILL: [&str; 8] =
    ["timestamp", "symbol", "side", "quantity", "price", "commission", "phase", "reason"];

/// The row that names the first fill at which the runs part.
pub const FIRST_FILL: &str = "first_different_fill";

/// One side of a comparison.
pub struct Side {
    /// Metrics by key; `None` where undefined.
    pub metrics: Vec<(String, Option<f64>)>,
    /// Its fills.
    pub fills: RowBatches,
}

/// A table of metric, ours, other, difference (ours less other).
///
/// Shape: the metrics of ours in their order, those that only other has, and last the row
/// `first_different_fill`: the id of the first fill that differs on both sides (a side without
/// this fill has null), null on both where every fill is the same.
/// Missing: null where a metric is undefined or a side does not have it.
///
/// # Errors
/// `W106` when a table of fills cannot be read.
pub fn compare(ours: Side, other: Side) -> Result<RecordBatch> {
    let find = |metrics: &[(String, Option<f64>)], key: &str| {
        metrics.iter().find(|(name, _)| name == key).and_then(|(_, value)| *value)
    };
    let is_new = |key: &&String| !ours.metrics.iter().any(|(name, _)| name == *key);
    let mut keys: Vec<String> = ours.metrics.iter().map(|(key, _)| key.clone()).collect();
    keys.extend(other.metrics.iter().map(|(key, _)| key).filter(is_new).cloned());
    let mut a: Vec<Option<f64>> = keys.iter().map(|key| find(&ours.metrics, key)).collect();
    let mut b: Vec<Option<f64>> = keys.iter().map(|key| find(&other.metrics, key)).collect();
    let mut difference: Vec<Option<f64>> =
        a.iter().zip(&b).map(|(a, b)| Some((*a)? - (*b)?)).collect();
    let first = first_difference(ours.fills, other.fills, &FILL)?;
    let id = |row: &Option<String>, at: u64| row.as_ref().map(|_| at as f64);
    keys.push(FIRST_FILL.to_owned());
    a.push(first.as_ref().and_then(|found| id(&found.ours, found.row)));
    b.push(first.as_ref().and_then(|found| id(&found.theirs, found.row)));
    difference.push(None);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let schema = Schema::new(vec![
        Field::new("metric", DataType::Utf8, false),
        number("ours"),
        number("other"),
        number("difference"),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(keys)),
        Arc::new(Float64Array::from(a)),
        Arc::new(Float64Array::from(b)),
        Arc::new(Float64Array::from(difference)),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema), columns);
    Ok(batch.expect("Invariant: a value a key in each column"))
}
