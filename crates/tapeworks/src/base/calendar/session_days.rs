//! Which day an instant belongs to: a session of a calendar, or a UTC day.

use std::sync::Arc;

use super::Calendar;
use crate::base::{Date, Timestamp};

/// Tells instants that ascend by session; a day is asked for once, not once a row.
#[derive(Debug, Clone, Default)]
pub struct SessionDays {
    calendar: Option<Arc<Calendar>>,
    /// The instants `[from, to]` belong to `date`.
    known: Option<(i64, i64, Date)>,
}

impl SessionDays {
    /// With a calendar its sessions, without one UTC days.
    #[must_use]
    pub fn new(calendar: Option<Arc<Calendar>>) -> Self {
        Self { calendar, known: None }
    }

    /// The session's date. Instants outside the calendar's span have the local date.
    pub fn date(&mut self, ns: i64) -> Date {
        let Some(calendar) = &self.calendar else {
            return Date::of_utc(Timestamp(ns));
        };
        if let Some((from, to, date)) = self.known
            && from <= ns
            && ns <= to
        {
            return date;
        }
        let instant = Timestamp(ns);
        let date =
            calendar.session_of(instant).unwrap_or_else(|_| Date::of(instant, calendar.zone()));
        // Only instants inside the session are known to share its date; where two sessions touch,
        // the open of one is the close of the other and belongs to the earlier.
        if let Ok(Some(session)) = calendar.session(date)
            && session.open < instant
            && instant <= session.close
        {
            self.known = Some((session.open.0 + 1, session.close.0, date));
        }
        date
    }
}
