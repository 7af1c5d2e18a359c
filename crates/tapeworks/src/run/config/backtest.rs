//! The section `backtest`: what is run, over which window, with how much.

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::calendar::CalendarChoice;
use super::section::{Bounds, Section};
use super::tree::Node;
use crate::base::{Calendar, Error, Result, Timestamp};

pub(super) const KEYS: &[&str] = &[
    "name",
    "start_date",
    "end_date",
    "initial_capital",
    "calendar",
    "timezone",
    "warm_up_days",
    "seed",
    "threads",
];

/// What is run, over which window, with how much.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backtest {
    /// Name of the run; letters, digits, `-`, `_` and `.`.
    #[serde(default = "default_name")]
    pub name: String,
    /// First day (`2015-01-01`) or first instant (`2015-01-01T09:30:00Z`) of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Last day, the whole of it, or the instant before which the run ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// Cash at the start, in account currency.
    #[serde(default = "default_capital")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub initial_capital: f64,
    /// Trading calendar (`XNYS`, `24/7`, ..., or a table of sessions): dates name its sessions,
    /// which are known at their close. `none`: a session is a UTC day with rows.
    #[serde(default)]
    pub calendar: CalendarChoice,
    /// Zone of the dates above and of times in the data that name none (IANA name). Left out, dates
    /// are those of the calendar's zone; without a calendar UTC, with a warning for times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Days of data before `start_date` that the strategy sees; only 0 exists in this version.
    #[serde(default)]
    #[schemars(range(min = 0, max = 0))]
    pub warm_up_days: u64,
    /// Seed of everything random. Nothing is random in this version; it is kept in the manifest.
    #[serde(default)]
    pub seed: u64,
    /// Threads to use; results do not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub threads: Option<u64>,
}

fn default_name() -> String {
    "run".to_owned()
}

fn default_capital() -> f64 {
    100_000.0
}

impl Default for Backtest {
    fn default() -> Self {
        Self {
            name: default_name(),
            start_date: None,
            end_date: None,
            initial_capital: default_capital(),
            calendar: CalendarChoice::default(),
            timezone: None,
            warm_up_days: 0,
            seed: 0,
            threads: None,
        }
    }
}

impl Backtest {
    pub(super) fn read(node: Option<&Node>, directory: &Path) -> Result<Self> {
        let mut backtest = Self::default();
        let Some(node) = node else { return Ok(backtest) };
        let section = Section::open(node, "backtest", KEYS)?;
        if let Some(name) = section.text("name")? {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            if !name.chars().all(plain) || name.starts_with('.') {
                let reason = format!("{name:?} cannot name a folder");
                return Err(section
                    .bad("name", &reason)
                    .with_hint("use letters, digits, - and _ only"));
            }
            backtest.name = name;
        }
        if let Some(capital) = section.number("initial_capital", Bounds::Positive)? {
            backtest.initial_capital = capital;
        }
        backtest.calendar = CalendarChoice::read(&section, directory)?;
        if let Some(zone) = section.text("timezone")? {
            zone_named(&zone).map_err(|reason| {
                section
                    .bad("timezone", &reason)
                    .with_hint("write an IANA name such as UTC or America/New_York")
            })?;
            backtest.timezone = Some(zone);
        }
        if section.whole("warm_up_days", 0, 100_000)?.is_some_and(|days| days > 0) {
            return Err(section.not_available("warm_up_days", "a warm-up before start_date", "0"));
        }
        if let Some(seed) = section.whole("seed", 0, u64::MAX)? {
            backtest.seed = seed;
        }
        backtest.threads = section.whole("threads", 1, 256)?;
        for (key, slot) in
            [("start_date", &mut backtest.start_date), ("end_date", &mut backtest.end_date)]
        {
            *slot = section.text(key)?;
        }
        backtest.check_window(&section)?;
        Ok(backtest)
    }

    fn check_window(&self, section: &Section<'_>) -> Result<()> {
        let zone = self.zone();
        let located = |key: &str| {
            let text = if key == "start_date" { &self.start_date } else { &self.end_date };
            let parsed = text.as_deref().map(|text| Timestamp::parse(text, &zone));
            parsed.transpose().map_err(|error| {
                section.bad(key, error.message()).with_hint("write a date like 2024-03-08")
            })
        };
        located("start_date")?;
        located("end_date")?;
        if let (Some(start), Some(end)) = self.window()?
            && start >= end
        {
            let reason = format!(
                "start_date {} is after end_date {}",
                self.start_date.as_deref().unwrap_or(""),
                self.end_date.as_deref().unwrap_or("")
            );
            return Err(section.bad("start_date", &reason));
        }
        Ok(())
    }

    /// The trading calendar, `None` for `none`.
    #[must_use]
    pub fn sessions(&self) -> Option<Arc<Calendar>> {
        self.calendar.sessions()
    }

    /// Name of the zone of the dates: the one given, else that of the calendar, else UTC.
    #[must_use]
    pub fn zone_name(&self) -> String {
        let of_calendar = || self.sessions().map(|calendar| calendar.zone_name().to_owned());
        self.timezone.clone().or_else(of_calendar).unwrap_or_else(|| "UTC".to_owned())
    }

    /// The zone of the dates.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        zone_named(&self.zone_name()).unwrap_or(TimeZone::UTC)
    }

    /// The run's instants, half-open; an `end_date` without a time includes its whole day.
    ///
    /// # Errors
    /// `C301` when a date is no date; configs that were read have passed this.
    pub fn window(&self) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let zone = self.zone();
        let start = self.start_date.as_deref().map(|text| Timestamp::parse(text, &zone));
        let end = self.end_date.as_deref().map(|text| end_of(text, &zone));
        Ok((start.transpose()?, end.transpose()?))
    }
}

fn end_of(text: &str, zone: &TimeZone) -> Result<Timestamp> {
    let Ok(date) = text.trim().parse::<jiff::civil::Date>() else {
        return Timestamp::parse(text, zone);
    };
    if text.trim().len() > "2024-03-08".len() {
        return Timestamp::parse(text, zone);
    }
    let next =
        date.tomorrow().map_err(|_| Error::config("C301", format!("{text:?} is too late")))?;
    Timestamp::parse(&next.to_string(), zone)
}

fn zone_named(name: &str) -> std::result::Result<TimeZone, String> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| format!("{name:?} is no known time zone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_when_end_is_a_date_then_its_day_is_included() {
        let backtest = Backtest {
            start_date: Some("2024-03-08".into()),
            end_date: Some("2024-03-08".into()),
            timezone: Some("America/New_York".into()),
            ..Backtest::default()
        };
        let (start, end) = backtest.window().expect("dates");
        // date -u -d '2024-03-08 05:00' +%s = 1709874000; a day later the zone is still at -5
        assert_eq!(start.map(|t| t.0), Some(1_709_874_000_000_000_000));
        assert_eq!(end.map(|t| t.0), Some(1_709_960_400_000_000_000));
    }
}
