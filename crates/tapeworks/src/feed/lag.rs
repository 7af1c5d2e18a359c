//! A length of time, or a number of sessions.

use std::fmt;

use crate::base::calendar::Calendar;
use crate::base::span::parse_span;
use crate::base::time::DAY_NS;
use crate::base::{Date, Error, Result, Timestamp};

/// How long a value takes to arrive, or how old it may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// Nanoseconds.
    Span(i64),
    /// Sessions of the calendar.
    Sessions(u32),
}

impl Lag {
    /// Reads `"15m"`, `"5d"`, `"1session"`, `"3sessions"`.
    ///
    /// # Errors
    /// `C301` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let sessions = trimmed.strip_suffix("sessions").or_else(|| trimmed.strip_suffix("session"));
        let found = match sessions {
            Some(count) => match count.trim().parse() {
                Ok(count) if count > 0 => Ok(Self::Sessions(count)),
                _ => Err(format!("{text:?} is no number of sessions")),
            },
            None => parse_span(trimmed).map(Self::Span),
        };
        found.map_err(|reason| {
            Error::config("C301", reason).with_hint("write 15m, 12h, 5d, 1session or 3sessions")
        })
    }

    /// The instant moved later; `None` when the calendar does not reach so far.
    ///
    /// Sessions keep the time since the open, at most until the close: a close becomes the close of
    /// the later session. From a date without a session the count begins with the next one, and
    /// leads to its open.
    pub(super) fn after(self, instant: i64, calendar: Option<&Calendar>) -> Option<i64> {
        let n = match self {
            Self::Span(ns) => return Some(instant.saturating_add(ns)),
            Self::Sessions(n) => n as usize,
        };
        let calendar = calendar?;
        let date = calendar.session_of(Timestamp(instant)).ok()?;
        let sessions = calendar.all();
        let at = sessions.partition_point(|session| session.date < date);
        let here = sessions.get(at).filter(|session| session.date == date);
        let Some(here) = here else {
            return sessions.get(at + n - 1).map(|session| session.open.0);
        };
        let later = sessions.get(at + n)?;
        if instant >= here.close.0 {
            return Some(later.close.0);
        }
        let since_open = (instant - here.open.0).max(0);
        Some(later.open.0.saturating_add(since_open).min(later.close.0))
    }
}

/// As [`Lag::parse`] reads it, in the greatest unit that divides it; below a millisecond `ns`.
impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = match *self {
            Self::Sessions(1) => return f.write_str("1session"),
            Self::Sessions(n) => return write!(f, "{n}sessions"),
            Self::Span(ns) => ns,
        };
        let units = [("d", DAY_NS), ("h", 3_600_000_000_000), ("m", 60_000_000_000)];
        let mut units =
            units.into_iter().chain([("s", 1_000_000_000), ("ms", 1_000_000), ("ns", 1)]);
        let (unit, step) = units.find(|(_, step)| ns % step == 0).unwrap_or(("ns", 1));
        write!(f, "{}{unit}", ns / step)
    }
}

/// Ages in sessions or nanoseconds.
#[derive(Debug)]
pub(super) struct Limit {
    lag: Lag,
    calendar: Option<std::sync::Arc<Calendar>>,
    /// The date of the instant that was asked for last.
    now: Option<(i64, Date)>,
}

impl Limit {
    pub(super) fn new(lag: Lag, calendar: Option<std::sync::Arc<Calendar>>) -> Self {
        Self { lag, calendar, now: None }
    }

    /// Whether a value that was known then is too old now; an age equal to the limit is not.
    pub(super) fn is_stale(&mut self, known: i64, now: i64) -> bool {
        let limit = match self.lag {
            Lag::Span(limit) => return now.saturating_sub(known) > limit,
            Lag::Sessions(limit) => i64::from(limit),
        };
        let Some(calendar) = &self.calendar else { return false };
        let date_of = |ns: i64| {
            let date = calendar.session_of(Timestamp(ns));
            date.unwrap_or_else(|_| Date::of(Timestamp(ns), calendar.zone()))
        };
        let today = match self.now {
            Some((asked, date)) if asked == now => date,
            _ => date_of(now),
        };
        self.now = Some((now, today));
        calendar.count_between(date_of(known), today) > limit
    }
}
