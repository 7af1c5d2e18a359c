//! Columns of a table: from plain vectors to Arrow arrays with nulls where a value is missing.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, StringArray,
    TimestampNanosecondArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, TimeUnit};

/// Zone of every timestamp column.
const UTC: &str = "UTC";

/// The key that stands for null in [`texts`].
pub(super) const NO_TEXT: i32 = -1;

pub(super) fn float_field(name: impl Into<String>) -> Field {
    Field::new(name, DataType::Float64, true)
}

pub(super) fn id_field(name: &str) -> Field {
    Field::new(name, DataType::UInt32, false)
}

pub(super) fn flag_field(name: &str) -> Field {
    Field::new(name, DataType::Boolean, false)
}

pub(super) fn time_field(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())), false)
}

pub(super) fn text_field(name: &str) -> Field {
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Field::new(name, kind, false)
}

/// Numbers; what is not finite becomes null.
pub(super) fn floats(mut values: Vec<f64>) -> ArrayRef {
    if values.iter().all(|value| value.is_finite()) {
        return Arc::new(Float64Array::from(values));
    }
    let valid: NullBuffer = values.iter().map(|value| value.is_finite()).collect();
    for value in &mut values {
        if !value.is_finite() {
            *value = 0.0;
        }
    }
    Arc::new(Float64Array::new(values.into(), Some(valid)))
}

pub(super) fn ids(values: Vec<u32>) -> ArrayRef {
    Arc::new(UInt32Array::from(values))
}

/// Ids of which some are missing.
pub(super) fn optional_ids(values: Vec<Option<u32>>) -> ArrayRef {
    Arc::new(UInt32Array::from(values))
}

pub(super) fn flags(values: Vec<bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values))
}

pub(super) fn times(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(values).with_timezone(UTC))
}

/// Times of which some are missing.
pub(super) fn optional_times(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(values).with_timezone(UTC))
}

/// The texts a dictionary column refers to, shared by all its batches.
pub(super) fn dictionary<'a>(texts: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// Dictionary keys into `texts`; [`NO_TEXT`] is null.
pub(super) fn texts(mut keys: Vec<i32>, texts: &ArrayRef) -> ArrayRef {
    let valid = keys.contains(&NO_TEXT).then(|| keys.iter().map(|&key| key != NO_TEXT).collect());
    if valid.is_some() {
        keys.iter_mut().filter(|key| **key == NO_TEXT).for_each(|key| *key = 0);
    }
    let keys = Int32Array::new(keys.into(), valid);
    let array = DictionaryArray::try_new(keys, Arc::clone(texts));
    Arc::new(array.expect("Invariant: keys are positions in the dictionary"))
}

/// An id as a dictionary key.
pub(super) fn key(id: u32) -> i32 {
    i32::try_from(id).expect("fewer than 2^31 symbols and tags")
}

/// A tag as a dictionary key: tag 0 is "no tag".
pub(super) fn tag_key(tag: u32) -> i32 {
    if tag == 0 { NO_TEXT } else { key(tag) }
}
