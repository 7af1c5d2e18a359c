//! Units of stored numbers, told from their size.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use jiff::civil;
use jiff::tz::TimeZone;

/// Steps of 1 ns that an i64 holds, with a margin for the rounding of an f64.
pub(super) const RANGE_STEPS: f64 = 9.2e18;

/// Least and greatest raw number of a column of numbers.
#[expect(clippy::cast_possible_truncation, reason = "checked against the range of i64")]
pub(crate) fn number_range(array: &ArrayRef) -> Option<(i64, i64)> {
    let wide = match array.data_type() {
        DataType::Float64 => {
            let steps = array.as_primitive::<Float64Type>();
            let whole = |step: f64| (step.abs() < RANGE_STEPS).then_some(step as i64);
            return Some((whole(min(steps)?)?, whole(max(steps)?)?));
        }
        DataType::Int32 | DataType::Date32 => {
            let narrow = cast(array, &DataType::Int32).ok()?;
            let narrow = narrow.as_primitive::<Int32Type>();
            return Some((i64::from(min(narrow)?), i64::from(max(narrow)?)));
        }
        _ => cast(array, &DataType::Int64).ok()?,
    };
    let wide = wide.as_primitive::<Int64Type>();
    Some((min(wide)?, max(wide)?))
}

/// ns a step: s < 1e11 <= ms < 1e14 <= us < 1e17 <= ns.
pub(crate) fn unit_of(value: i64) -> i64 {
    match value.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

pub(crate) fn is_date_number(value: i64) -> bool {
    (19_000_101..=22_611_231).contains(&value) && date_of_number(value).is_some()
}

pub(super) fn date_of_number(value: i64) -> Option<civil::Date> {
    let year = i16::try_from(value / 10_000).ok()?;
    let month = i8::try_from(value / 100 % 100).ok()?;
    let day = i8::try_from(value % 100).ok()?;
    civil::Date::new(year, month, day).ok()
}

pub(super) fn date_number_ns(value: i64) -> Option<i64> {
    let midnight = date_of_number(value)?.to_zoned(TimeZone::UTC).ok()?;
    i64::try_from(midnight.timestamp().as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::unit_of;

    #[test]
    fn unit_of_when_a_2024_stamp_then_magnitude_decides() {
        for (value, scale) in [
            (1_709_908_200, 1_000_000_000),
            (1_709_908_200_000, 1_000_000),
            (1_709_908_200_000_000, 1_000),
            (1_709_908_200_000_000_000, 1),
        ] {
            assert_eq!(unit_of(value), scale);
        }
    }
}
