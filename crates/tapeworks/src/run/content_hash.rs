//! A hash of a table's values that depends on nothing else: not on batches, dictionaries or views.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema, TimeUnit, TimestampNanosecondType};
use rustc_hash::FxHashMap;

/// Rows that are converted at a time.
const PART_ROWS: usize = 65_536;

/// The hash of the columns' names and values, as hexadecimal text.
///
/// Missing: a missing value has a word of its own kind, equal to that of NaN in numbers.
#[must_use]
pub(super) fn content_hash(schema: &Schema, batches: &[RecordBatch]) -> String {
    let mut hash = blake3::Hasher::new();
    for (place, field) in schema.fields().iter().enumerate() {
        hash.update(field.name().as_bytes());
        let mut texts = FxHashMap::default();
        for batch in batches {
            let column = batch.column(place);
            // What is converted on the way stays small beside the column.
            for from in (0..column.len()).step_by(PART_ROWS) {
                let part = column.slice(from, PART_ROWS.min(column.len() - from));
                update_with(&mut hash, &part, &mut texts);
            }
        }
    }
    hash.finalize().to_hex().to_string()
}

/// Hashes the values of a column in one form a kind of type: texts by a digest each, everything
/// that counts as a whole number where it is one, else as a float.
fn update_with(hash: &mut blake3::Hasher, column: &ArrayRef, texts: &mut FxHashMap<Box<str>, u64>) {
    let as_type = |kind: DataType| cast(column, &kind).ok();
    let kind = column.data_type();
    if let DataType::Timestamp(_, zone) = kind {
        if let Some(times) = as_type(DataType::Timestamp(TimeUnit::Nanosecond, zone.clone())) {
            let times = times.as_primitive::<TimestampNanosecondType>();
            if let Some(bytes) = plain_bytes(times) {
                hash.update(bytes);
                return;
            }
            let word = |row: usize| {
                if times.is_null(row) { i64::MIN } else { times.value(row) }.to_le_bytes()
            };
            update_with_words(hash, times.len(), word);
        }
    } else if kind.is_numeric() || *kind == DataType::Boolean {
        if let Some(numbers) = as_type(DataType::Float64) {
            let numbers = numbers.as_primitive::<Float64Type>();
            if let Some(bytes) = plain_bytes(numbers) {
                hash.update(bytes);
                return;
            }
            let word = |row: usize| {
                if numbers.is_null(row) { f64::NAN } else { numbers.value(row) }.to_le_bytes()
            };
            update_with_words(hash, numbers.len(), word);
        }
    } else if let DataType::Dictionary(_, _) = kind {
        // A text is digested once, however many rows name it.
        let dictionary = column.as_any_dictionary();
        if let Ok(names) = cast(dictionary.values(), &DataType::Utf8) {
            let digests: Vec<u64> = names
                .as_string::<i32>()
                .iter()
                .map(|name| name.map_or(u64::MAX, |name| digest(texts, name)))
                .collect();
            let keys = dictionary.normalized_keys();
            let word = |row: usize| {
                let is_missing = dictionary.is_null(row) || digests.is_empty();
                if is_missing { u64::MAX } else { digests[keys[row]] }.to_le_bytes()
            };
            update_with_words(hash, keys.len(), word);
        }
    } else if let Some(names) = as_type(DataType::Utf8) {
        let names = names.as_string::<i32>();
        let digests: Vec<u64> =
            names.iter().map(|name| name.map_or(u64::MAX, |name| digest(texts, name))).collect();
        update_with_words(hash, digests.len(), |row| digests[row].to_le_bytes());
    }
}

/// The words of a column in which nothing is missing, as they lie in memory.
fn plain_bytes<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>) -> Option<&[u8]> {
    let is_plain = column.null_count() == 0 && cfg!(target_endian = "little");
    is_plain.then(|| column.values().inner().as_slice())
}

/// Feeds the hash a word a row, in blocks that the compiler can copy as one.
fn update_with_words(hash: &mut blake3::Hasher, n_rows: usize, word: impl Fn(usize) -> [u8; 8]) {
    const BLOCK_ROWS: usize = 1024;
    let mut block = [0; 8 * BLOCK_ROWS];
    for start in (0..n_rows).step_by(BLOCK_ROWS) {
        let n = BLOCK_ROWS.min(n_rows - start);
        for (place, row) in block.chunks_exact_mut(8).zip(start..start + n) {
            place.copy_from_slice(&word(row));
        }
        hash.update(&block[..8 * n]);
    }
}

/// The first eight bytes of a text's own hash.
fn digest(texts: &mut FxHashMap<Box<str>, u64>, text: &str) -> u64 {
    if let Some(&known) = texts.get(text) {
        return known;
    }
    let hash = blake3::hash(text.as_bytes());
    let first = hash.as_bytes().first_chunk::<8>().expect("a hash has 32 bytes");
    let digest = u64::from_le_bytes(*first);
    texts.insert(text.into(), digest);
    digest
}
