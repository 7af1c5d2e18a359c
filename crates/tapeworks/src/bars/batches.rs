//! Bars as Arrow record batches that share the memory of the columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, LargeStringArray,
    RecordBatchIterator, StringArray, TimestampNanosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;

use super::table::{Bars, KEYS, NO_START};
use crate::data::Source;

/// Texts of more bytes than this need offsets of 64 bits.
const TEXT_BYTES_MAX: usize = i32::MAX as usize;

impl Bars {
    /// The rows as one batch: times in UTC, symbols as text, a missing value as null.
    ///
    /// Times and numbers share the memory of the bars; the texts are made by the first call.
    #[must_use]
    pub fn batch(&self) -> &RecordBatch {
        self.made.plain.get_or_init(|| {
            let bytes: usize = self.row_symbols().map(str::len).sum();
            let symbols: ArrayRef = if bytes > TEXT_BYTES_MAX {
                Arc::new(LargeStringArray::from_iter_values(self.row_symbols()))
            } else {
                Arc::new(StringArray::from_iter_values(self.row_symbols()))
            };
            self.batch_of(symbols, "UTC", HashMap::new())
        })
    }

    /// The rows as one batch of the kind that the project writes: symbols as a dictionary, and in
    /// the schema's metadata what timestamps, zone, calendar and prices are.
    #[must_use]
    pub fn packed(&self) -> &RecordBatch {
        self.made.packed.get_or_init(|| {
            // Dates keep their zone: they are its midnights.
            let zone = if self.terms.is_dated { self.terms.tz.as_str() } else { "UTC" };
            self.batch_of(Arc::new(self.dictionary()), zone, self.entries().into_iter().collect())
        })
    }

    /// The rows as a table that [`crate::data::open_bars`] and feeds read without copying them.
    #[must_use]
    pub fn source(&self) -> Source {
        let batch = self.packed().clone();
        let schema = batch.schema();
        Source::Arrow(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
    }

    /// What a file or a stream of these bars says of itself.
    pub(super) fn entries(&self) -> Vec<(String, String)> {
        let terms = &self.terms;
        let mut entries = vec![("schema_version", "1"), ("table", "bars"), ("tz", &terms.tz)];
        if !terms.is_dated {
            entries.push(("label", "end"));
        }
        entries.extend(terms.calendar.as_ref().map(|known| ("calendar", known.name())));
        entries.extend(terms.adjustment.map(|known| ("adjustment", known.as_str())));
        entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn batch_of(
        &self,
        symbols: ArrayRef,
        zone: &str,
        metadata: HashMap<String, String>,
    ) -> RecordBatch {
        let instant = DataType::Timestamp(TimeUnit::Nanosecond, Some(zone.into()));
        let times = |values: &ScalarBuffer<i64>, nulls: Option<NullBuffer>| -> ArrayRef {
            Arc::new(TimestampNanosecondArray::new(values.clone(), nulls).with_timezone(zone))
        };
        let mut fields = vec![Field::new(KEYS[0], instant.clone(), false)];
        let mut arrays = vec![times(&self.timestamps, None)];
        if let Some(starts) = &self.starts {
            fields.push(Field::new(KEYS[1], instant, true));
            arrays.push(times(starts, mask(starts, |start| start != NO_START)));
        }
        fields.push(Field::new(KEYS[2], symbols.data_type().clone(), false));
        arrays.push(symbols);
        for (name, array) in self.names.iter().zip(self.arrays()) {
            fields.push(Field::new(name.as_ref(), DataType::Float64, true));
            arrays.push(Arc::clone(array));
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        RecordBatch::try_new(schema, arrays).expect("Invariant: columns have one length")
    }

    /// The columns of values as Arrow arrays.
    pub(super) fn arrays(&self) -> &[ArrayRef] {
        self.made.arrays.get_or_init(|| {
            let array = |column: &ScalarBuffer<f64>| -> ArrayRef {
                let nulls = mask(column, |value| !value.is_nan());
                Arc::new(Float64Array::new(column.clone(), nulls))
            };
            self.columns.iter().map(array).collect()
        })
    }

    /// The symbols as a dictionary without names that no row has: a reader takes all of its names
    /// for symbols.
    fn dictionary(&self) -> DictionaryArray<Int32Type> {
        let present = self.present();
        let names = Arc::new(StringArray::from_iter_values(self.symbols()));
        let keys: ScalarBuffer<i32> = if present.len() == self.symbols.len() {
            // Ids are below 2^31, so their bytes are those of the keys.
            ScalarBuffer::from(self.assets.inner().clone())
        } else {
            let mut key = vec![0; self.symbols.len()];
            for (n, asset) in (0..).zip(present) {
                key[asset.index()] = n;
            }
            self.assets.iter().map(|asset| key[*asset as usize]).collect()
        };
        DictionaryArray::try_new(Int32Array::new(keys, None), names)
            .expect("Invariant: keys are below the number of names")
    }
}

/// A mask of the values that are there; none when all are.
fn mask<T: Copy>(values: &[T], is_there: impl Fn(T) -> bool) -> Option<NullBuffer> {
    if values.iter().all(|value| is_there(*value)) {
        return None;
    }
    Some(NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |row| is_there(values[row]))))
}
