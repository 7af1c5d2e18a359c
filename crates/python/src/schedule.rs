//! The arguments `flows`, `funding` and `rolls`: lists, or tables.

use jiff::tz::TimeZone;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use tapeworks::base::{self, AssetId, Symbols};
use tapeworks::data::{ReadOptions, read_context, read_signals};

use crate::errors::{config_error, py_err};
use crate::frames::Input;
use crate::instant::instant;

/// Reads `flows`: `(when, amount)` pairs, or a table with the columns timestamp and amount.
///
/// # Errors
/// `ConfigError` for other values; what reading the table finds.
pub fn flows(value: Option<&Bound<'_, PyAny>>, zone: &TimeZone) -> PyResult<Vec<(i64, f64)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if let Some(entries) = listed(value) {
        return entries
            .iter()
            .map(|entry| {
                let (when, amount): (Bound<'_, PyAny>, f64) =
                    entry.extract().map_err(|_| no_entry("flows", entry, "(when, amount)"))?;
                Ok((instant(&when, zone)?.0, finite("flows", amount)?))
            })
            .collect();
    }
    let source = Input::read("flows", value)?.source();
    let options = table_options("amount", zone);
    let (table, _) =
        value.py().detach(|| read_context(source, &options)).map_err(|error| of("flows", error))?;
    let amounts = table.columns.into_iter().next().unwrap_or_default();
    Ok(table.timestamps.into_iter().zip(amounts).filter(|(_, x)| !x.is_nan()).collect())
}

/// Reads `funding`: `(when, symbol, rate)` triples, or a table with the columns timestamp, symbol
/// and rate, of which symbols outside the run are left out.
///
/// # Errors
/// `ConfigError` for other values; what reading the table finds.
pub fn funding(
    value: Option<&Bound<'_, PyAny>>,
    zone: &TimeZone,
    symbols: &Symbols,
) -> PyResult<Vec<(i64, String, f64)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if let Some(entries) = listed(value) {
        return entries
            .iter()
            .map(|entry| {
                let (when, symbol, rate): (Bound<'_, PyAny>, String, f64) = entry
                    .extract()
                    .map_err(|_| no_entry("funding", entry, "(when, symbol, rate)"))?;
                Ok((instant(&when, zone)?.0, symbol, finite("funding", rate)?))
            })
            .collect();
    }
    let source = Input::read("funding", value)?.source();
    let known = symbols.iter().map(str::to_owned).collect();
    let options = ReadOptions { symbols: Some(known), ..table_options("rate", zone) };
    let (table, _) = value
        .py()
        .detach(|| read_signals(source, symbols, &options))
        .map_err(|error| of("funding", error))?;
    let rates = table.columns.into_iter().next().unwrap_or_default();
    let rows = table.timestamps.into_iter().zip(table.assets).zip(rates);
    Ok(rows
        .filter(|(_, rate)| !rate.is_nan())
        .map(|((when, asset), rate)| (when, symbols.name(AssetId(asset)).to_owned(), rate))
        .collect())
}

/// Reads `rolls`: `(when, from, to)` triples.
///
/// # Errors
/// `ConfigError` for other values.
pub fn rolls(
    value: Option<&Bound<'_, PyAny>>,
    zone: &TimeZone,
) -> PyResult<Vec<(i64, String, String)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let entries = listed(value).ok_or_else(|| no_entry("rolls", value, "(when, from, to)"))?;
    entries
        .iter()
        .map(|entry| {
            let (when, from, to): (Bound<'_, PyAny>, String, String) =
                entry.extract().map_err(|_| no_entry("rolls", entry, "(when, from, to)"))?;
            if from == to {
                return Err(no_entry("rolls", entry, "(when, from, to) of two contracts"));
            }
            Ok((instant(&when, zone)?.0, from, to))
        })
        .collect()
}

/// The entries of a list or tuple.
fn listed<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = value.cast::<PyList>() {
        return Some(list.iter().collect());
    }
    value.cast::<PyTuple>().ok().map(|tuple| tuple.iter().collect())
}

fn finite(argument: &str, value: f64) -> PyResult<f64> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(config_error("C428", format!("{argument}: {value} is not finite"), "give a plain number"))
}

fn no_entry(argument: &str, entry: &Bound<'_, PyAny>, shape: &str) -> PyErr {
    config_error(
        "C428",
        format!("{argument}: {entry} is no {shape}"),
        &format!("give a list of {shape}; times are texts, dates or datetimes"),
    )
}

fn of(argument: &str, error: base::Error) -> PyErr {
    let placed =
        base::Error::new(error.kind(), error.code(), format!("{argument}: {}", error.message()));
    py_err(match error.hint() {
        Some(hint) => placed.with_hint(hint),
        None => placed,
    })
}

fn table_options(column: &str, zone: &TimeZone) -> ReadOptions {
    ReadOptions {
        tz: zone.iana_name().map(str::to_owned),
        columns: Some(vec![column.to_owned()]),
        ..ReadOptions::default()
    }
}
