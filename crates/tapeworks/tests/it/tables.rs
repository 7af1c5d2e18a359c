//! Reading the tables of the records column by column.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float64Type, Int32Type, TimestampNanosecondType, UInt32Type};
use tapeworks::records::{RecordKind, Records};

pub fn table(records: &Records, kind: RecordKind) -> RecordBatch {
    let batches: Vec<RecordBatch> = records.batches(kind, 7).collect();
    concat_batches(&records.schema(kind), &batches).expect("a whole table")
}

pub fn column(batch: &RecordBatch, name: &str) -> ArrayRef {
    Arc::clone(batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")))
}

pub fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    column(batch, name).as_primitive::<Float64Type>().iter().collect()
}

pub fn values(batch: &RecordBatch, name: &str) -> Vec<f64> {
    numbers(batch, name).into_iter().map(|value| value.expect(name)).collect()
}

pub fn ids(batch: &RecordBatch, name: &str) -> Vec<Option<u32>> {
    column(batch, name).as_primitive::<UInt32Type>().iter().collect()
}

pub fn marks(batch: &RecordBatch, name: &str) -> Vec<bool> {
    column(batch, name).as_boolean().iter().map(|mark| mark.expect(name)).collect()
}

pub fn times(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    column(batch, name).as_primitive::<TimestampNanosecondType>().iter().collect()
}

pub fn words(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = column(batch, name);
    let column = column.as_dictionary::<Int32Type>();
    let texts = column.values().as_string::<i32>();
    let text = |key: i32| texts.value(usize::try_from(key).expect("a whole table")).to_owned();
    column.keys().iter().map(|key| key.map(text)).collect()
}

pub fn names(batch: &RecordBatch, name: &str) -> Vec<String> {
    words(batch, name).into_iter().map(|word| word.expect(name)).collect()
}

pub fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
}
