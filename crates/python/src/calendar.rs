//! `Calendar`: the sessions of a market, built in or from a table.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDict, PyString};
use tapeworks::base::{Calendar, Date};
use tapeworks::data::{open_calendar, read_calendar};

use crate::errors::{config_error, py_err, refuse_unknown};
use crate::frames::Input;
use crate::html;
use crate::instant::{datetime, instant};

/// The sessions of a market: dates, and the instants (UTC) at which they open and close.
///
/// Ranges are half-open. Dates outside the span are an error, nothing is extrapolated.
///
///     >>> import tapeworks as tw
///     >>> nyse = tw.calendar("XNYS")
///     >>> len(nyse.sessions("2024-07-01", "2024-07-06"))
///     4
///     >>> nyse.is_session("2024-07-04")
///     False
///     >>> print(nyse.close("2024-07-03"))
///     2024-07-03 17:00:00+00:00
#[pyclass(frozen, eq, name = "Calendar", module = "tapeworks")]
#[derive(PartialEq)]
pub struct PyCalendar(pub Arc<Calendar>);

impl PyCalendar {
    /// A name or a file, a `Calendar`, a table of sessions, or an object with a `schedule`.
    ///
    /// # Errors
    /// `ConfigError` for a name that is not known, `DataError` for a table without sessions.
    pub fn read(value: &Bound<'_, PyAny>) -> PyResult<Arc<Calendar>> {
        if let Ok(known) = value.cast::<Self>() {
            return Ok(Arc::clone(&known.get().0));
        }
        if value.is_instance_of::<PyString>() {
            let text = value.extract::<String>()?;
            return value.py().detach(|| open_calendar(&text, None)).map_err(py_err);
        }
        Self::of_table(value, None, None).map(Arc::new)
    }

    fn of_table(
        value: &Bound<'_, PyAny>,
        name: Option<String>,
        tz: Option<String>,
    ) -> PyResult<Calendar> {
        let text = |attribute: &str| -> Option<String> {
            let found = value.getattr(attribute).ok().filter(|found| !found.is_none())?;
            found.str().ok()?.extract().ok()
        };
        let is_frame = value.hasattr("__arrow_c_stream__")? || value.hasattr("__fspath__")?;
        let (table, name, tz) = if !is_frame && value.hasattr("schedule")? {
            (value.getattr("schedule")?, name.or_else(|| text("name")), tz.or_else(|| text("tz")))
        } else {
            (value.clone(), name, tz)
        };
        let input = Input::read("calendar", &table)?;
        let (name, tz) = (name.unwrap_or_else(|| "own".into()), tz.unwrap_or_else(|| "UTC".into()));
        let source = input.source();
        value.py().detach(|| read_calendar(source, &name, &tz)).map_err(py_err)
    }

    /// A date, from a `date`, a `datetime` or a text.
    fn date(value: &Bound<'_, PyAny>) -> PyResult<Date> {
        let text: String = match value.call_method0("isoformat") {
            Ok(text) => text.extract()?,
            Err(_) => value.str()?.extract()?,
        };
        let day = text.get(..10).unwrap_or(&text);
        let is_midnight = text.get(10..).is_none_or(|rest| {
            rest.is_empty() || rest.trim_start_matches(['T', ' ']).starts_with("00:00")
        });
        if !is_midnight {
            return Err(config_error(
                "C301",
                format!("{text:?} is a time, a session is a date"),
                "ask session_of(time) for its session",
            ));
        }
        Date::parse(day).map_err(py_err)
    }
}

fn py_date(py: Python<'_>, date: Date) -> PyResult<Bound<'_, PyDate>> {
    let (year, month, day) = date.start(&jiff::tz::TimeZone::UTC).utc_date();
    PyDate::new(py, i32::from(year), month.unsigned_abs(), day.unsigned_abs())
}

#[pymethods]
impl PyCalendar {
    /// Code of a built-in calendar, or the name that was given.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// IANA name of the zone in which dates begin and end.
    #[getter]
    fn tz(&self) -> &str {
        self.0.zone_name()
    }

    /// First and last date that the calendar answers for.
    #[getter]
    fn span<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDate>, Bound<'py, PyDate>)> {
        let (first, last) = self.0.span();
        Ok((py_date(py, first)?, py_date(py, last)?))
    }

    /// The sessions of the dates from `start` on and before `end`.
    fn sessions<'py>(
        &self,
        py: Python<'py>,
        start: &Bound<'_, PyAny>,
        end: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyDate>>> {
        let found = self.0.sessions(Self::date(start)?, Self::date(end)?).map_err(py_err)?;
        found.iter().map(|session| py_date(py, session.date)).collect()
    }

    /// Whether a date has a session.
    fn is_session(&self, session: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.0.session(Self::date(session)?).map_err(py_err)?.is_some())
    }

    /// When the session of a date opens.
    fn open<'py>(
        &self,
        py: Python<'py>,
        session: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.0.open(Self::date(session)?).map_err(py_err)?.0)
    }

    /// When the session of a date closes.
    fn close<'py>(
        &self,
        py: Python<'py>,
        session: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.0.close(Self::date(session)?).map_err(py_err)?.0)
    }

    /// First and last instant of a session's lunch break, `None` when it has none.
    fn lunch<'py>(
        &self,
        py: Python<'py>,
        session: &Bound<'_, PyAny>,
    ) -> PyResult<Option<(Bound<'py, PyDateTime>, Bound<'py, PyDateTime>)>> {
        let date = Self::date(session)?;
        self.0.open(date).map_err(py_err)?;
        let found = self.0.session(date).map_err(py_err)?.and_then(|session| session.lunch);
        found.map(|(a, b)| Ok((datetime(py, a.0)?, datetime(py, b.0)?))).transpose()
    }

    /// The date that an instant belongs to: of its session, or, between sessions, the local one.
    fn session_of<'py>(
        &self,
        py: Python<'py>,
        timestamp: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyDate>> {
        let at = instant(timestamp, self.0.zone())?;
        py_date(py, self.0.session_of(at).map_err(py_err)?)
    }

    /// The first open after an instant.
    fn next_open<'py>(
        &self,
        py: Python<'py>,
        timestamp: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyDateTime>> {
        let at = instant(timestamp, self.0.zone())?;
        datetime(py, self.0.next_open(at).map_err(py_err)?.0)
    }

    /// The last close before an instant.
    fn prev_close<'py>(
        &self,
        py: Python<'py>,
        timestamp: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyDateTime>> {
        let at = instant(timestamp, self.0.zone())?;
        datetime(py, self.0.prev_close(at).map_err(py_err)?.0)
    }

    fn __len__(&self) -> usize {
        self.0.all().len()
    }

    fn __repr__(&self) -> String {
        let (first, last) = self.0.span();
        let n = self.0.all().len();
        format!(
            "Calendar {}: {n} sessions, {first} .. {last}, {}",
            self.0.name(),
            self.0.zone_name()
        )
    }

    fn _repr_html_(&self) -> String {
        let (first, last) = self.0.span();
        let fact = |name: &str, value: String| [name.to_owned(), value, String::new()];
        html::heading(&format!("Calendar {}", self.0.name()), &[])
            + &html::facts(&[
                fact("sessions", crate::table::thousands(self.0.all().len())),
                fact("span", format!("{first} .. {last}")),
                fact("zone", self.0.zone_name().to_owned()),
            ])
    }
}

/// A trading calendar: built in by name (`"XNYS"`, `"NASDAQ"`, `"24/7"`), or from a table (a frame,
/// or a CSV or Parquet file) of session, open, close (and `break_start`, `break_end`), or from an
/// object with such a `schedule`.
///
/// `name` and `tz` are those of a calendar from a table; `tz` is the zone of its dates and of times
/// without one, and texts such as "09:30" are times of the session's date.
#[pyfunction]
#[pyo3(signature = (calendar, *, name=None, tz=None, **unknown))]
fn calendar(
    calendar: &Bound<'_, PyAny>,
    name: Option<String>,
    tz: Option<String>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyCalendar> {
    refuse_unknown("calendar", &["calendar", "name", "tz"], unknown)?;
    if calendar.is_instance_of::<PyString>() {
        let text = calendar.extract::<String>()?;
        let opened = calendar.py().detach(|| open_calendar(&text, tz.as_deref()));
        return opened.map(PyCalendar).map_err(py_err);
    }
    if calendar.cast::<PyCalendar>().is_ok() {
        return PyCalendar::read(calendar).map(PyCalendar);
    }
    PyCalendar::of_table(calendar, name, tz).map(|made| PyCalendar(Arc::new(made)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCalendar>()?;
    module.add_function(wrap_pyfunction!(calendar, module)?)
}
