//! Arrow columns become plain numbers, and symbol columns become ids.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type};

use crate::base::{Error, Result, Symbols};

/// The id of a row whose symbol was not asked for.
pub(crate) const UNWANTED: u32 = u32::MAX;
/// The id of a row without a symbol.
pub(crate) const NAMELESS: u32 = u32::MAX - 1;

/// Rows of names that are packed at a time.
const PACKED: usize = 65_536;

/// Whether values of the type can be read as f64.
pub(crate) fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Whether the type can name symbols.
pub(crate) fn is_name(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_name(value),
        other => other.is_integer(),
    }
}

/// A numeric column as f64; nulls become NaN. A column of f64 without nulls is not copied.
pub(crate) fn to_f64(array: &ArrayRef, place: &dyn Fn() -> String) -> Result<ScalarBuffer<f64>> {
    let wide = if *array.data_type() == DataType::Float64 {
        array.clone()
    } else if is_numeric(array.data_type()) || *array.data_type() == DataType::Boolean {
        cast(array, &DataType::Float64)
            .map_err(|e| Error::data("D101", format!("{}: {e}", place())))?
    } else {
        return Err(Error::data(
            "D101",
            format!("{}: type {} is no number", place(), array.data_type()),
        )
        .with_hint("store the column as a float or an integer, or do not ask for it"));
    };
    let wide = wide.as_primitive::<Float64Type>();
    if wide.null_count() == 0 {
        return Ok(wide.values().clone());
    }
    Ok(wide.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// ns from the start of each bar to its timestamp; exact up to 104 days.
pub(crate) fn lengths(timestamps: &[i64], starts: &[i64]) -> ScalarBuffer<f64> {
    timestamps.iter().zip(starts).map(|(end, start)| end.saturating_sub(*start) as f64).collect()
}

/// Symbol columns to ids; the answer for the last dictionary is kept.
#[derive(Debug, Default)]
pub(crate) struct SymbolDecoder {
    last: Option<(ArrayRef, Vec<u32>)>,
}

impl SymbolDecoder {
    /// One id a row, [`UNWANTED`] for names that are not among `symbols`, [`NAMELESS`] for nulls.
    pub(crate) fn decode(
        &mut self,
        array: &ArrayRef,
        symbols: &Symbols,
        place: &dyn Fn() -> String,
    ) -> Result<Vec<u32>> {
        let error = |e: arrow::error::ArrowError| Error::data("D101", format!("{}: {e}", place()));
        let packed = as_dictionary(array).map_err(error)?;
        let dictionary = packed.as_dictionary::<Int32Type>();
        let same =
            self.last.as_ref().is_some_and(|(values, _)| is_same(values, dictionary.values()));
        if !same {
            let names = cast(dictionary.values(), &DataType::Utf8).map_err(error)?;
            let ids = names.as_string::<i32>().iter().map(|name| match name {
                Some(name) => symbols.id(name).map_or(UNWANTED, |id| id.0),
                None => NAMELESS,
            });
            self.last = Some((dictionary.values().clone(), ids.collect()));
        }
        let ids: &[u32] = self.last.as_ref().map_or(&[], |(_, ids)| ids.as_slice());
        let keys = dictionary.keys();
        let id_of = |key: i32| {
            usize::try_from(key).ok().and_then(|k| ids.get(k)).copied().unwrap_or(NAMELESS)
        };
        if keys.null_count() == 0 {
            return Ok(keys.values().iter().map(|key| id_of(*key)).collect());
        }
        Ok(keys.iter().map(|key| key.map_or(NAMELESS, id_of)).collect())
    }
}

/// The distinct names of a symbol column; nulls are left out.
pub(crate) fn names_of(
    array: &ArrayRef,
    place: &dyn Fn() -> String,
    out: &mut std::collections::BTreeSet<String>,
) -> Result<()> {
    let error = |e: arrow::error::ArrowError| Error::data("D101", format!("{}: {e}", place()));
    // A dictionary has its names once; of other columns a part is packed at a time.
    let n =
        if matches!(array.data_type(), DataType::Dictionary(..)) { array.len() } else { PACKED };
    for from in (0..array.len()).step_by(n.max(1)) {
        let part = array.slice(from, n.min(array.len() - from));
        let packed = as_dictionary(&part).map_err(error)?;
        let dictionary = packed.as_dictionary::<Int32Type>();
        let names = cast(dictionary.values(), &DataType::Utf8).map_err(error)?;
        for name in names.as_string::<i32>().iter().flatten() {
            if !out.contains(name) {
                out.insert(name.to_owned());
            }
        }
    }
    Ok(())
}

fn as_dictionary(array: &ArrayRef) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let wanted = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    match array.data_type() {
        DataType::Dictionary(key, _) if **key == DataType::Int32 => Ok(array.clone()),
        DataType::Dictionary(_, value) => {
            cast(array, &DataType::Dictionary(Box::new(DataType::Int32), value.clone()))
        }
        DataType::Utf8 => cast(array, &wanted),
        _ => cast(&cast(array, &DataType::Utf8)?, &wanted),
    }
}

/// Whether two dictionaries are one piece of memory; the kept one is alive, so this is exact.
fn is_same(a: &ArrayRef, b: &ArrayRef) -> bool {
    let (a, b) = (a.to_data(), b.to_data());
    a.ptr_eq(&b)
}
