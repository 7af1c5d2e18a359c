//! Whole columns of stored values become instants.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use jiff::tz::TimeZone;

use super::time_column::{TimeColumn, TimeKind};
use super::time_text::parse_text;
use super::time_unit::RANGE_STEPS;
use crate::base::time::DAY_NS;
use crate::base::{Error, Result};

impl TimeColumn {
    /// A whole column; `first_row` is the 0-based row of its first value.
    ///
    /// Stamps that are no ends become the instants at which their rows are known.
    pub(crate) fn convert(&self, array: &ArrayRef, first_row: u64) -> Result<ScalarBuffer<i64>> {
        let instants = self.instants(array, first_row)?;
        self.ends(instants, first_row)
    }

    /// A whole column as the instants that are stored.
    pub(crate) fn instants(&self, array: &ArrayRef, first_row: u64) -> Result<ScalarBuffer<i64>> {
        if array.null_count() > 0 {
            let row = (0..array.len()).find(|i| array.is_null(*i)).unwrap_or(0) as u64;
            return Err(Error::data(
                "D201",
                format!("{}: row {} has no time", self.place, first_row + row + 1),
            )
            .with_hint("every row needs a time; drop or fill the row at its source"));
        }
        if matches!(self.kind, TimeKind::Text) {
            return self.convert_text(array, first_row);
        }
        if let TimeKind::RealInstant { scale } = self.kind {
            return self.convert_reals(array, scale, first_row);
        }
        let values = match array.data_type() {
            DataType::Date32 | DataType::Int32 => {
                let wide = cast(
                    &cast(array, &DataType::Int32).map_err(|e| self.arrow(&e))?,
                    &DataType::Int64,
                )
                .map_err(|e| self.arrow(&e))?;
                wide.as_primitive::<Int64Type>().values().clone()
            }
            _ => {
                let wide = cast(array, &DataType::Int64).map_err(|e| self.arrow(&e))?;
                wide.as_primitive::<Int64Type>().values().clone()
            }
        };
        self.convert_numbers(values, first_row)
    }

    fn convert_numbers(
        &self,
        values: ScalarBuffer<i64>,
        first_row: u64,
    ) -> Result<ScalarBuffer<i64>> {
        let is_utc = self.zone == TimeZone::UTC;
        let scale = match self.kind {
            TimeKind::Instant { scale } => Some(scale),
            TimeKind::Local { scale } if is_utc => Some(scale),
            TimeKind::Date if is_utc => Some(DAY_NS),
            _ => None,
        };
        match scale {
            Some(1) => Ok(values),
            Some(scale) => {
                let (low, high) =
                    values.iter().fold((i64::MAX, i64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
                if !values.is_empty() {
                    self.instant(low)?;
                    self.instant(high)?;
                }
                Ok(values.iter().map(|v| v.wrapping_mul(scale)).collect())
            }
            None => {
                // Rows of one timestamp follow one another, so the last answer is kept.
                let mut last = None;
                let mut out = Vec::with_capacity(values.len());
                for (i, &value) in values.iter().enumerate() {
                    let instant = match last {
                        Some((v, instant)) if v == value => instant,
                        _ => match self.instant(value) {
                            Ok(instant) => instant,
                            Err(_) if self.is_shown_twice(value) => {
                                self.ordered(&values, i, first_row)?
                            }
                            Err(error) => return Err(error),
                        },
                    };
                    last = Some((value, instant));
                    out.push(instant);
                }
                Ok(out.into())
            }
        }
    }

    fn convert_text(&self, array: &ArrayRef, first_row: u64) -> Result<ScalarBuffer<i64>> {
        let text = cast(array, &DataType::Utf8).map_err(|e| self.arrow(&e))?;
        let mut out = Vec::with_capacity(text.len());
        let mut last: Option<(&str, i64)> = None;
        let text = text.as_string::<i32>();
        for (i, value) in text.iter().enumerate() {
            let value = value.unwrap_or("");
            let instant = match last {
                Some((t, instant)) if t == value => instant,
                _ => parse_text(value, &self.zone, self.ambiguous).map(|(ns, _)| ns).map_err(
                    |reason| {
                        let row = first_row + i as u64 + 1;
                        Error::data(
                            "D303",
                            format!("{}: row {row}: {value:?} {reason}", self.place),
                        )
                    },
                )?,
            };
            last = Some((value, instant));
            out.push(instant);
        }
        Ok(out.into())
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked against the range of i64")]
    fn convert_reals(
        &self,
        array: &ArrayRef,
        scale: i64,
        first_row: u64,
    ) -> Result<ScalarBuffer<i64>> {
        let steps = array.as_primitive::<Float64Type>().values();
        let mut out = Vec::with_capacity(steps.len());
        for (row, &step) in (first_row + 1..).zip(steps) {
            // Whole steps and the rest apart: seconds of this century times 1e9 have more digits
            // than an f64.
            let whole = step.trunc();
            let rest = ((step - whole) * scale as f64).round();
            let ns = (whole.abs() < RANGE_STEPS / scale as f64)
                .then(|| (whole as i64).checked_mul(scale)?.checked_add(rest as i64))
                .flatten();
            out.push(ns.ok_or_else(|| {
                let text = format!("{}: row {row}: {step} is no time in 1678..2262", self.place);
                Error::data("D304", text).with_hint("store the column as a timestamp")
            })?);
        }
        Ok(out.into())
    }

    fn arrow(&self, error: &arrow::error::ArrowError) -> Error {
        Error::data("D101", format!("{}: {error}", self.place))
    }
}
