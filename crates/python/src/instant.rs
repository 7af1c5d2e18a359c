//! Instants between Python and the engine: `datetime` in UTC outside, `i64` nanoseconds inside.

use jiff::tz::TimeZone;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTzInfo};
use tapeworks::base::Timestamp;
use tapeworks::base::time::DAY_NS;

use crate::errors::{config_error, py_err};

/// The `datetime` (UTC, whole microseconds) of nanoseconds since 1970.
pub fn datetime(py: Python<'_>, ns: i64) -> PyResult<Bound<'_, PyDateTime>> {
    let (year, month, day) = Timestamp(ns).utc_date();
    let micros = ns.rem_euclid(DAY_NS) / 1_000;
    let seconds = micros / 1_000_000;
    let part = |value: i64| u8::try_from(value).expect("below 60 by the remainder");
    PyDateTime::new(
        py,
        i32::from(year),
        month.unsigned_abs(),
        day.unsigned_abs(),
        part(seconds / 3_600),
        part(seconds / 60 % 60),
        part(seconds % 60),
        u32::try_from(micros % 1_000_000).expect("below a million by the remainder"),
        Some(&*PyTzInfo::utc(py)?),
    )
}

/// Reads a text, `date`, `datetime`, `pandas.Timestamp` or `numpy.datetime64`.
///
/// A value without zone is local time of `zone`.
///
/// # Errors
/// `ConfigError` `TW-C301` when the value is no time.
pub fn instant(value: &Bound<'_, PyAny>, zone: &TimeZone) -> PyResult<Timestamp> {
    let text: String = match value.call_method0("isoformat") {
        Ok(text) => text.extract()?,
        Err(_) => value.str()?.extract()?,
    };
    Timestamp::parse(&text, zone).map_err(py_err)
}

/// The zone of a `tz=` argument; UTC without one.
///
/// # Errors
/// `ConfigError` `TW-C302` when the name is in no zone table.
pub fn zone(name: Option<&str>) -> PyResult<TimeZone> {
    match name {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| {
            config_error(
                "C302",
                format!("tz={name:?} is no time zone"),
                "write an IANA name, for example America/New_York or UTC",
            )
        }),
    }
}

/// The first and the last instant of a table as text.
pub fn span_text((first, last): (i64, i64)) -> (String, String) {
    (Timestamp(first).to_string(), Timestamp(last).to_string())
}
