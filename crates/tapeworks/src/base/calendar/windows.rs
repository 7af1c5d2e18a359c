//! Windows of time into which rows fall: fixed lengths, dates, weeks, months; with a calendar parts
//! of sessions, sessions, and the sessions of a week or month.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{Calendar, Session};
use crate::base::{Date, Error, Result, Step, Timestamp};

/// The instants after `start` and up to `end`, ns UTC: a row is of the window in which it becomes
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Last instant before the window.
    pub start: i64,
    /// Last instant of the window.
    pub end: i64,
    /// Whether a session, or the part of it after its break, begins with the window.
    pub is_first: bool,
}

/// Windows of one step.
///
/// Without a calendar, lengths count from 1970-01-01 UTC, and dates, weeks (from Monday) and months
/// are those of the zone. With one, lengths count from the open of each session and again from the
/// end of its break, the last window being cut at the close; a day is a session, and a week or
/// month reaches from its first open to its last close.
#[derive(Debug, Clone)]
pub struct Windows {
    step: Step,
    zone: TimeZone,
    calendar: Option<Arc<Calendar>>,
    last: Option<Window>,
}

impl Windows {
    /// `zone` is that of dates without a calendar.
    ///
    /// # Errors
    /// `C301` for a length that is no part of a day, with a calendar.
    pub fn new(step: Step, zone: TimeZone, calendar: Option<Arc<Calendar>>) -> Result<Self> {
        if let (Step::Span(ns), Some(calendar)) = (step, &calendar)
            && ns > crate::base::time::DAY_NS
        {
            let text = format!("{step} is no length within the sessions of {}", calendar.name());
            return Err(Error::config("C301", text)
                .with_hint("with a calendar steps are below a day, or 1d, 1w, 1mo, 3mo, 1y"));
        }
        Ok(Self { step, zone, calendar, last: None })
    }

    /// The window of a row that becomes known at an instant; `None` outside the sessions.
    ///
    /// # Errors
    /// `D311` outside the calendar's span.
    pub fn of(&mut self, ns: i64) -> Result<Option<Window>> {
        if let Some(last) = self.last
            && last.start < ns
            && ns <= last.end
            && !matches!((&self.calendar, self.step), (Some(_), Step::Week | Step::Months(_)))
        {
            return Ok(Some(last));
        }
        let found = match &self.calendar {
            None => Some(self.of_clock(ns)),
            Some(calendar) => self.of_sessions(ns, calendar)?,
        };
        self.last = found;
        Ok(found)
    }

    fn of_clock(&self, ns: i64) -> Window {
        if let Step::Span(step) = self.step {
            let start = (ns - 1).div_euclid(step).saturating_mul(step);
            return Window { start, end: start.saturating_add(step), is_first: false };
        }
        let (from, to) = self.step.dates_around(Date::of(Timestamp(ns - 1), &self.zone));
        let (start, end) = (from.start(&self.zone).0, to.start(&self.zone).0);
        Window { start, end, is_first: false }
    }

    fn of_sessions(&self, ns: i64, calendar: &Calendar) -> Result<Option<Window>> {
        let sessions = calendar.all();
        let at = sessions.partition_point(|session| session.close.0 < ns);
        let Some(session) = sessions.get(at).filter(|session| session.open.0 < ns) else {
            calendar.session_of(Timestamp(ns))?;
            return Ok(None);
        };
        Ok(match self.step {
            Step::Span(step) => part_of(session, ns).map(|(from, to)| {
                let start = from + (ns - 1 - from).div_euclid(step) * step;
                let end = start.saturating_add(step).min(to);
                Window { start, end, is_first: start == from }
            }),
            Step::Day => {
                Some(Window { start: session.open.0, end: session.close.0, is_first: true })
            }
            Step::Week | Step::Months(_) => {
                let (from, to) = self.step.dates_around(session.date);
                let first = sessions.partition_point(|session| session.date < from);
                let end = sessions.partition_point(|session| session.date < to);
                let (first, last) = (&sessions[first], &sessions[end - 1]);
                Some(Window { start: first.open.0, end: last.close.0, is_first: true })
            }
        })
    }
}

/// The part of a session before or after its break that holds an instant.
fn part_of(session: &Session, ns: i64) -> Option<(i64, i64)> {
    let Session { open, close, lunch, .. } = *session;
    match lunch {
        Some((from, _)) if ns <= from.0 => Some((open.0, from.0)),
        Some((_, to)) => (to.0 < ns).then_some((to.0, close.0)),
        None => Some((open.0, close.0)),
    }
}
