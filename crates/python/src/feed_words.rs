//! Words and spans among the arguments of feeds.

use pyo3::prelude::*;
use tapeworks::base::Step;
use tapeworks::data::{Ambiguous, Label};
use tapeworks::feed::{ChunkLimit, Lag};

use crate::errors::{config_error, one_of, py_err};

/// A list of names; one text is one name.
pub fn names(argument: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<String>>> {
    let Some(value) = value else { return Ok(None) };
    if let Ok(name) = value.extract::<String>() {
        return Ok(Some(vec![name]));
    }
    let read = || value.try_iter()?.map(|name| name?.extract()).collect::<PyResult<Vec<String>>>();
    read().map(Some).map_err(|_| {
        let shown = value.repr().map_or(String::new(), |text| text.to_string());
        let text = format!("DataFeed: {argument}={shown} is no list of names");
        config_error("C440", text, &format!("for example {argument}=[\"first\", \"second\"]"))
    })
}

/// What the stamps of bars name.
pub fn label_of(label: Option<&str>) -> PyResult<Label> {
    let choices = [("end", Label::End), ("start", Label::Start), ("session", Label::Session)];
    label.map_or(Ok(Label::Auto), |label| one_of("label", label, &choices))
}

/// Which instant a local time names that the clock shows twice.
pub fn ambiguous_of(which: Option<&str>) -> PyResult<Option<Ambiguous>> {
    let choices = [("first", Ambiguous::First), ("second", Ambiguous::Second)];
    which.map(|which| one_of("ambiguous", which, &choices)).transpose()
}

/// A span as nanoseconds: a text such as `"5d"`, or a `timedelta`.
pub fn span_ns(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(text) = value.extract::<String>() {
        return tapeworks::run::config::parse_span(&text).map_err(|reason| {
            config_error("C442", format!("{argument}={text:?}: {reason}"), "write 5d, 12h or 30m")
        });
    }
    let span: std::time::Duration = value.extract()?;
    i64::try_from(span.as_nanos()).map_err(|_| {
        config_error("C442", format!("{argument} is longer than 292 years"), "write 5d")
    })
}

/// How far apart rows are: a text such as `"5m"`, `"1d"` or `"1mo"`, or a `timedelta`.
pub fn step(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Step> {
    if let Ok(text) = value.extract::<String>() {
        return Step::parse(&text).map_err(|reason| {
            config_error("C442", format!("{argument}={text:?}: {reason}"), "write 5m, 1d, 1w, 1mo")
        });
    }
    let text = format!("{}ms", span_ns(argument, value)? / 1_000_000);
    Step::parse(&text).map_err(|reason| config_error("C442", reason, "write 5m, 1d, 1w or 1mo"))
}

/// A text such as `"5d"` or `"3sessions"`, or a `timedelta`.
pub fn lag(argument: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Lag>> {
    let Some(value) = value else { return Ok(None) };
    if let Ok(text) = value.extract::<String>() {
        return Lag::parse(&text).map(Some).map_err(|error| {
            let reason = format!("{argument}={text:?}: {}", error.message());
            config_error("C442", reason, error.hint().unwrap_or_default())
        });
    }
    span_ns(argument, value).map(|ns| Some(Lag::Span(ns)))
}

/// `"1mo"`, `"5d"` or a number of rows.
pub fn chunk_limit(value: &Bound<'_, PyAny>) -> PyResult<ChunkLimit> {
    let text: String = value.str()?.extract()?;
    ChunkLimit::parse(&text).map_err(py_err)
}
