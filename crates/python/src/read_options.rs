//! The keywords that everything which reads bars has in common.

use pyo3::prelude::*;
use tapeworks::data::{CheckLevel, CsvFormat, OnBadRow, ReadOptions};

use crate::bars::PyBars;
use crate::calendar::PyCalendar;
use crate::errors::{config_error, one_of};
use crate::feed::{ambiguous_of, label_of, step};
use crate::instant::{instant, zone};

/// The keywords as they were given.
pub struct ReadKeywords<'a, 'py> {
    /// What is read: bars that were read before bring their zone and calendar.
    pub source: &'a Bound<'py, PyAny>,
    pub tz: Option<&'a str>,
    pub calendar: Option<&'a Bound<'py, PyAny>>,
    pub label: Option<&'a str>,
    pub frequency: Option<&'a Bound<'py, PyAny>>,
    pub ambiguous: Option<&'a str>,
    pub symbols: Option<Vec<String>>,
    pub start: Option<&'a Bound<'py, PyAny>>,
    pub end: Option<&'a Bound<'py, PyAny>>,
    /// The level of the checks, and the name of its keyword.
    pub level: (&'static str, &'a str),
    pub on_bad_row: &'a str,
    pub allow_negative: bool,
    pub csv_columns: Option<Vec<String>>,
    pub csv_delimiter: Option<char>,
    pub csv_price_scale: f64,
}

impl ReadKeywords<'_, '_> {
    /// The options that they name.
    ///
    /// # Errors
    /// `ConfigError` for a word, a zone, a time or a calendar that is none.
    pub fn options(self) -> PyResult<ReadOptions> {
        let known = self.source.cast::<PyBars>().ok().map(|bars| bars.get().bars.terms());
        let calendar = match self.calendar {
            Some(calendar) => Some(PyCalendar::read(calendar)?),
            None => known.and_then(|terms| terms.calendar.clone()),
        };
        let tz = self.tz.map(str::to_owned).or_else(|| known.map(|terms| terms.tz.clone()));
        let local = match (&tz, &calendar) {
            (None, Some(calendar)) => calendar.zone().clone(),
            _ => zone(tz.as_deref())?,
        };
        let when = |value: Option<&Bound<'_, PyAny>>| {
            value.map(|value| instant(value, &local)).transpose()
        };
        let delimiter = self.csv_delimiter.map(u8::try_from).transpose().map_err(|_| {
            config_error("C441", "csv_delimiter is no ASCII character", "use one of , ; | or a tab")
        })?;
        let bad_rows =
            [("error", OnBadRow::Error), ("drop", OnBadRow::Drop), ("null", OnBadRow::Null)];
        Ok(ReadOptions {
            tz,
            label: label_of(self.label)?,
            step: self.frequency.map(|value| step("frequency", value)).transpose()?,
            ambiguous: ambiguous_of(self.ambiguous)?,
            start: when(self.start)?,
            end: when(self.end)?,
            calendar,
            symbols: self.symbols,
            level: level(self.level.0, self.level.1)?,
            on_bad_row: one_of("on_bad_row", self.on_bad_row, &bad_rows)?,
            allow_negative: self.allow_negative,
            csv: CsvFormat {
                columns: self.csv_columns,
                price_scale: self.csv_price_scale,
                delimiter,
            },
            ..ReadOptions::default()
        })
    }
}

/// How much is checked.
///
/// # Errors
/// `ConfigError` for another word.
pub fn level(argument: &str, word: &str) -> PyResult<CheckLevel> {
    let levels = [
        ("fast", CheckLevel::Fast),
        ("standard", CheckLevel::Standard),
        ("paranoid", CheckLevel::Paranoid),
    ];
    one_of(argument, word, &levels)
}
