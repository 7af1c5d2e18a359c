//! From when on a row of signals or context may be seen.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Lag;
use crate::base::calendar::Calendar;
use crate::base::spelling::nearest;
use crate::base::{Date, Error, ErrorKind, Result, Timestamp};
use crate::data::{RowFacts, Stamps};

/// The rule that turns a row's stamp into the instant at which it was available.
///
/// D is the date that the stamp names, or the session that an instant belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Availability {
    /// At its own stamp, which is an instant.
    #[default]
    Timestamp,
    /// When D opens; where D is no session, when the next one does.
    MarketOpen,
    /// When D closes; where D is no session, at the local midnight that ends it.
    MarketClose,
    /// When the first session after D opens.
    NextDay,
}

/// Names that configs and Python use.
pub const MODES: [(&str, Availability); 4] = [
    ("timestamp", Availability::Timestamp),
    ("market_open", Availability::MarketOpen),
    ("market_close", Availability::MarketClose),
    ("next_day", Availability::NextDay),
];

impl Availability {
    /// Reads the name that configs and Python use.
    ///
    /// # Errors
    /// `C301` for a name that is no mode; it names the nearest one.
    pub fn parse(name: &str) -> Result<Self> {
        if let Some((_, mode)) = MODES.iter().find(|(known, _)| *known == name) {
            return Ok(*mode);
        }
        let error = Error::config("C301", format!("available_at {name:?} is no mode"));
        Err(match nearest(name, MODES.iter().map(|(known, _)| *known)) {
            Some(near) => error.with_hint(format!("did you mean {near:?}")),
            None => error.with_hint("modes: timestamp, market_open, market_close, next_day"),
        })
    }

    /// The name that configs and Python use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self).map_or("timestamp", |(name, _)| name)
    }

    /// When a row of date `date` is available; `None` when the calendar ends before that.
    fn known_at(self, date: Date, calendar: &Calendar) -> Result<Option<i64>> {
        let (first, last) = calendar.span();
        if date < first {
            return calendar.session(date).map(|_| None);
        }
        if date > last {
            return Ok(None);
        }
        let session = calendar.session(date)?;
        let known = match self {
            Self::MarketOpen => calendar.on_or_after(date).map(|session| session.open).ok(),
            Self::NextDay => calendar.after(date).map(|session| session.open).ok(),
            Self::MarketClose | Self::Timestamp => {
                Some(session.map_or_else(|| calendar.end_of(date), |session| session.close))
            }
        };
        Ok(known.map(|instant| instant.0))
    }
}

/// How the rows of a joined table become available.
#[derive(Debug, Clone, Default)]
pub(super) struct Release {
    pub(super) mode: Availability,
    pub(super) delay: Option<Lag>,
    pub(super) calendar: Option<Arc<Calendar>>,
    /// Whether the bars are stamped with dates, which are their instants then.
    pub(super) bars_have_dates: bool,
}

/// A row that never becomes available within the calendar.
pub(super) const NEVER: i64 = i64::MAX;

impl Release {
    /// # Errors
    /// `C301` when the mode or the delay counts sessions and there is no calendar, and for a delay
    /// below 0.
    pub(super) fn check(&self, table: &str, staleness: Option<Lag>) -> Result<()> {
        if let Some(Lag::Span(ns)) = self.delay
            && ns < 0
        {
            let text = format!("{table}: a delay of {ns} ns lies in the past");
            return Err(Error::config("C301", text)
                .with_hint("a value may be seen later than its time, never earlier"));
        }
        if self.calendar.is_some() {
            return Ok(());
        }
        let counts = |lag: Option<Lag>| matches!(lag, Some(Lag::Sessions(_)));
        let what = if self.mode != Availability::Timestamp {
            format!("{table}: available_at {:?}", self.mode.as_str())
        } else if counts(self.delay) {
            format!("{table}: a delay in sessions")
        } else if counts(staleness) {
            format!("{table}: staleness in sessions")
        } else {
            return Ok(());
        };
        Err(Error::config("C301", format!("{what} needs a trading calendar"))
            .with_hint("name one, for example calendar: XNYS, or 24/7 for markets without a close"))
    }

    /// The instant at which each row was available.
    ///
    /// `owner` says whose row it is, for messages.
    ///
    /// # Errors
    /// `L101` for a row that is stamped later than the moment at which it is said to be known;
    /// `L102` for dates taken as instants; `D311` for dates before the calendar.
    pub(super) fn available_at(
        &self,
        table: &str,
        names: &[String],
        stamps: &[i64],
        facts: &RowFacts,
        owner: &dyn Fn(usize) -> String,
    ) -> Result<Vec<i64>> {
        let early = |row: usize, known: i64| {
            stamped_later(table, names, &owner(row), stamps[row], known, &place(facts, row))
        };
        let late = |known: i64| match self.delay {
            Some(lag) if known != NEVER => {
                lag.after(known, self.calendar.as_deref()).unwrap_or(NEVER)
            }
            _ => known,
        };
        if let Some(given) = &facts.available_at {
            if facts.available_dates {
                self.check_dates(table, "column available_at", None)?;
            }
            return given
                .iter()
                .enumerate()
                .map(|(row, &known)| {
                    let is_instant = facts.stamps == Stamps::Instants;
                    if is_instant && known < stamps[row] {
                        return Err(early(row, known));
                    }
                    Ok(late(known))
                })
                .collect();
        }
        let calendar = match (&self.calendar, self.mode) {
            (calendar, Availability::Timestamp) => {
                let is_utc = calendar.as_ref().is_none_or(|c| *c.zone() == TimeZone::UTC);
                // Midnights that name their zone are instants, unless the market has other days.
                if facts.stamps == Stamps::Dates || (facts.stamps == Stamps::Midnights && !is_utc) {
                    self.check_dates(table, "the column of dates", Some(stamps))?;
                }
                return Ok(stamps.iter().map(|&stamp| late(stamp)).collect());
            }
            (Some(calendar), _) => calendar,
            (None, _) => unreachable!("checked when the feed was opened"),
        };
        let zone = facts.zone.as_ref().unwrap_or(calendar.zone());
        let mut last: Option<(i64, i64)> = None;
        let mut known_at = Vec::with_capacity(stamps.len());
        for (row, &stamp) in stamps.iter().enumerate() {
            if let Some((before, known)) = last
                && before == stamp
            {
                known_at.push(known);
                continue;
            }
            let instant = Timestamp(stamp);
            let midnight = Date::of(instant, zone);
            let is_date = facts.stamps != Stamps::Instants || midnight.start(zone) == instant;
            let date = if is_date {
                Some(midnight)
            } else {
                // Past the calendar's end there are no bars that could see the row.
                calendar.session_of(instant).map(Some).or_else(|error| {
                    if Date::of(instant, calendar.zone()) > calendar.span().1 {
                        Ok(None)
                    } else {
                        Err(at(&error, &place(facts, row)))
                    }
                })?
            };
            let known = match date {
                Some(date) => self
                    .mode
                    .known_at(date, calendar)
                    .map_err(|error| at(&error, &place(facts, row)))?,
                None => None,
            };
            let known = known.unwrap_or(NEVER);
            if !is_date && known < stamp {
                return Err(early(row, known));
            }
            let known = late(known);
            last = Some((stamp, known));
            known_at.push(known);
        }
        Ok(known_at)
    }

    /// Dates are instants only where the bars have them too and no calendar says otherwise.
    fn check_dates(&self, table: &str, what: &str, stamps: Option<&[i64]>) -> Result<()> {
        if self.bars_have_dates && self.calendar.is_none() {
            return Ok(());
        }
        let sample = stamps
            .and_then(<[i64]>::first)
            .map_or_else(String::new, |&ns| format!(" (the first is {})", Timestamp(ns)));
        let hint = if stamps.is_none() {
            "store the instant of each release; a date does not say when on that day"
        } else {
            "say when a row of a date is known: available_at \"market_open\", \"market_close\" or \
             \"next_day\", with a calendar; or store instants"
        };
        let text =
            format!("{table}: {what} would be read as midnights{sample}, before the day has begun");
        Err(Error::new(ErrorKind::LookAhead, "L102", text).with_hint(hint))
    }
}

/// A table of which no bar could see a row is a mistake, such as a wrong year or zone.
///
/// # Errors
/// `D601`.
pub(super) fn check_seen(
    table: &str,
    names: &[String],
    known: &[i64],
    last_bar: Option<i64>,
) -> Result<()> {
    let (Some(&first), Some(last)) = (known.iter().min(), last_bar) else { return Ok(()) };
    if first <= last {
        return Ok(());
    }
    let when = if first == NEVER {
        "no row is ever available".to_owned()
    } else {
        format!("the first row is available at {}", Timestamp(first))
    };
    let (names, last) = (names.join(", "), Timestamp(last));
    let text = format!("{table} ({names}): {when}, and the last bar is of {last}: none is seen");
    Err(Error::data("D601", text)
        .with_hint("compare the times of both tables, their zones, availability and delay"))
}

fn at(error: &Error, place: &str) -> Error {
    let text = format!("{place}{}", error.message());
    Error::new(error.kind(), error.code(), text).with_hint(error.hint().unwrap_or_default())
}

/// File and row of a table's row, where they are known.
pub(super) fn place(facts: &RowFacts, row: usize) -> String {
    let found = facts.places.get(row).and_then(|(file, row)| {
        facts.files.get(*file as usize).map(|name| format!("{name} row {row}: "))
    });
    found.unwrap_or_default()
}

fn stamped_later(
    table: &str,
    names: &[String],
    owner: &str,
    stamp: i64,
    known: i64,
    place: &str,
) -> Error {
    Error::new(
        ErrorKind::LookAhead,
        "L101",
        format!(
            "{place}{table} ({}){owner} stamped {}, said to be known at {}",
            names.join(", "),
            Timestamp(stamp),
            Timestamp(known)
        ),
    )
    .with_hint(
        "a value is not known before its own stamp: use a later mode (market_close, next_day), a \
         delay, or correct the column available_at",
    )
}
