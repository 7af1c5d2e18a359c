//! A calendar as a sorted table of sessions.

use jiff::tz::TimeZone;

use crate::base::{Date, Error, Result, Timestamp};

/// One session: its date, and its instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The date that names it; its open may lie on the evening before.
    pub date: Date,
    /// First instant.
    pub open: Timestamp,
    /// Last instant.
    pub close: Timestamp,
    /// First and last instant of the lunch break.
    pub lunch: Option<(Timestamp, Timestamp)>,
}

/// The sessions of a market over a span of dates.
///
/// Dates outside the span are an error, not extrapolated. Ranges are half-open.
///
/// # Example
/// ```
/// use tapeworks::base::{Calendar, Date};
///
/// let new_york = Calendar::named("XNYS")?;
/// let monday = Date::parse("2024-03-11")?;
/// assert_eq!(new_york.open(monday)?.to_string(), "2024-03-11 13:30:00Z");
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Calendar {
    name: String,
    zone_name: String,
    zone: TimeZone,
    /// First and last date that the calendar answers for.
    span: (Date, Date),
    /// Ascending by date, open and close.
    sessions: Vec<Session>,
}

impl PartialEq for Calendar {
    /// Equal calendars give equal answers; their names do not matter.
    fn eq(&self, other: &Self) -> bool {
        self.zone_name == other.zone_name
            && self.span == other.span
            && self.sessions == other.sessions
    }
}

impl Calendar {
    /// A calendar of one's own, from its sessions in order; `zone` is an IANA name.
    ///
    /// It answers for the dates from its first session to its last.
    ///
    /// # Errors
    /// `C309` when there is no session, when dates do not ascend, when a session ends before it
    /// begins, overlaps the one before or has a break outside itself; `C303` for an unknown zone.
    pub fn from_sessions(
        name: impl Into<String>,
        zone: &str,
        sessions: Vec<Session>,
    ) -> Result<Self> {
        let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else {
            return Err(Error::config("C309", "a calendar needs at least one session")
                .with_hint("give rows of session, open, close"));
        };
        let span = (first.date, last.date);
        Self::new(name.into(), zone, span, sessions)
    }

    pub(super) fn new(
        name: String,
        zone_name: &str,
        span: (Date, Date),
        sessions: Vec<Session>,
    ) -> Result<Self> {
        let zone = TimeZone::get(zone_name).map_err(|_| {
            Error::config("C303", format!("{zone_name:?} is no time zone"))
                .with_hint("write an IANA name such as America/New_York")
        })?;
        let mut before: Option<&Session> = None;
        for session in &sessions {
            let fault = |text: String| {
                Err(Error::config(
                    "C309",
                    format!("calendar {name}, session {}: {text}", session.date),
                )
                .with_hint(
                    "sessions ascend by date, each has open < close, opens no earlier than \
                         the one before closes, and holds its break",
                ))
            };
            let Session { date, open, close, lunch } = *session;
            if open >= close {
                return fault(format!("it opens at {open} and closes at {close}"));
            }
            if let Some((start, end)) = lunch
                && !(open < start && start < end && end < close)
            {
                return fault(format!(
                    "its break {start} .. {end} is not inside {open} .. {close}"
                ));
            }
            if let Some(before) = before
                && (before.date >= date || before.close > open)
            {
                return fault(format!(
                    "it opens at {open}, after the row of {} that closes at {}",
                    before.date, before.close
                ));
            }
            before = Some(session);
        }
        Ok(Self { name, zone_name: zone_name.to_owned(), zone, span, sessions })
    }

    /// The code of a built-in calendar, or the name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// IANA name of the zone in which dates begin and end.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The zone in which dates begin and end.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// First and last date that the calendar answers for.
    #[must_use]
    pub fn span(&self) -> (Date, Date) {
        self.span
    }

    /// Every session.
    #[must_use]
    pub fn all(&self) -> &[Session] {
        &self.sessions
    }

    /// The sessions of the dates `[start, end)`, ascending.
    ///
    /// # Errors
    /// `D311` when a date of the range is outside the calendar's span.
    pub fn sessions(&self, start: Date, end: Date) -> Result<&[Session]> {
        if start >= end {
            return Ok(&[]);
        }
        self.check_date(start)?;
        self.check_date(Date(end.0 - 1))?;
        Ok(&self.sessions[self.first_from(start)..self.first_from(end)])
    }

    /// The session of a date, `None` when it has none.
    ///
    /// # Errors
    /// `D311` outside the span.
    pub fn session(&self, date: Date) -> Result<Option<&Session>> {
        self.check_date(date)?;
        Ok(self.sessions.get(self.first_from(date)).filter(|session| session.date == date))
    }

    /// When the session of a date opens.
    ///
    /// # Errors
    /// `D311` outside the span, `D305` when the date is no session: it names the two nearest.
    pub fn open(&self, date: Date) -> Result<Timestamp> {
        self.session(date)?.map(|session| session.open).ok_or_else(|| self.no_session(date))
    }

    /// When the session of a date closes.
    ///
    /// # Errors
    /// As [`Calendar::open`].
    pub fn close(&self, date: Date) -> Result<Timestamp> {
        self.session(date)?.map(|session| session.close).ok_or_else(|| self.no_session(date))
    }

    /// The first session on the date or after it.
    ///
    /// # Errors
    /// `D311` outside the span, or when there is none left in it.
    pub fn on_or_after(&self, date: Date) -> Result<&Session> {
        self.check_date(date)?;
        self.sessions.get(self.first_from(date)).ok_or_else(|| self.outside(&date.to_string()))
    }

    /// The first session after the date.
    ///
    /// # Errors
    /// As [`Calendar::on_or_after`].
    pub fn after(&self, date: Date) -> Result<&Session> {
        self.check_date(date)?;
        let next = self.first_from(Date(date.0 + 1));
        self.sessions.get(next).ok_or_else(|| self.outside(&date.to_string()))
    }

    /// The date that an instant belongs to: of the session with open <= instant <= close, of the
    /// earlier one where two touch; between sessions the local date, which may have no session.
    ///
    /// # Errors
    /// `D311` outside the span.
    pub fn session_of(&self, instant: Timestamp) -> Result<Date> {
        let at = self.sessions.partition_point(|session| session.close < instant);
        if let Some(session) = self.sessions.get(at)
            && session.open <= instant
        {
            return Ok(session.date);
        }
        let date = Date::of(instant, &self.zone);
        if date < self.span.0 || date > self.span.1 {
            return Err(self.outside(&instant.to_string()));
        }
        Ok(date)
    }

    /// The first open after an instant.
    ///
    /// # Errors
    /// `D311` when the calendar does not know it.
    pub fn next_open(&self, instant: Timestamp) -> Result<Timestamp> {
        let at = self.sessions.partition_point(|session| session.open <= instant);
        let session = self.sessions.get(at).filter(|_| instant >= self.begin());
        session.map(|session| session.open).ok_or_else(|| self.outside(&instant.to_string()))
    }

    /// The last close before an instant.
    ///
    /// # Errors
    /// `D311` when the calendar does not know it.
    pub fn prev_close(&self, instant: Timestamp) -> Result<Timestamp> {
        let at = self.sessions.partition_point(|session| session.close < instant);
        let session = at.checked_sub(1).map(|before| &self.sessions[before]);
        let session = session.filter(|_| instant <= self.end_of(self.span.1));
        session.map(|session| session.close).ok_or_else(|| self.outside(&instant.to_string()))
    }

    /// How many sessions lie after date `a` and up to date `b`; negative when `b` is the earlier.
    #[must_use]
    pub fn count_between(&self, a: Date, b: Date) -> i64 {
        let place = |date: Date| self.first_from(Date(date.0 + 1));
        let signed = |n: usize| i64::try_from(n).expect("a table has fewer than 2^31 dates");
        signed(place(b)) - signed(place(a))
    }

    /// The local midnight that ends a date.
    #[must_use]
    pub fn end_of(&self, date: Date) -> Timestamp {
        Date(date.0 + 1).start(&self.zone)
    }

    /// The last session before a date and the first one after it.
    #[must_use]
    pub fn nearest(&self, date: Date) -> (Option<&Session>, Option<&Session>) {
        let at = self.first_from(date);
        let after = self.sessions.get(at).filter(|session| session.date != date);
        let after = after.or_else(|| self.sessions.get(at + 1));
        (at.checked_sub(1).map(|before| &self.sessions[before]), after)
    }

    fn begin(&self) -> Timestamp {
        let midnight = self.span.0.start(&self.zone);
        self.sessions.first().map_or(midnight, |session| session.open.min(midnight))
    }

    /// Place of the first session on the date or after it.
    fn first_from(&self, date: Date) -> usize {
        self.sessions.partition_point(|session| session.date < date)
    }

    fn check_date(&self, date: Date) -> Result<()> {
        if date >= self.span.0 && date <= self.span.1 {
            return Ok(());
        }
        Err(self.outside(&date.to_string()))
    }

    fn outside(&self, what: &str) -> Error {
        let (first, last) = self.span;
        Error::data(
            "D311",
            format!("{what} is outside calendar {}, which knows {first} .. {last}", self.name),
        )
        .with_hint("narrow start and end, or give a calendar of your own that covers the span")
    }

    fn no_session(&self, date: Date) -> Error {
        let text = |session: Option<&Session>| {
            session.map_or_else(|| "none".to_owned(), |session| session.date.to_string())
        };
        let (before, after) = self.nearest(date);
        Error::data(
            "D305",
            format!(
                "{date} is no session of {}; the nearest are {} and {}",
                self.name,
                text(before),
                text(after)
            ),
        )
    }
}
