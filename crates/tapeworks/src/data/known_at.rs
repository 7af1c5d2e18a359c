//! When a bar is known whose stamp is not its end: dates that name sessions, weeks or months, and
//! starts.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::base::calendar::{Calendar, Session};
use crate::base::{Date, Step, Timestamp};

/// How the stamps of bars become the instants at which the bars are known.
#[derive(Debug, Clone)]
pub(crate) enum KnownAt {
    /// Dates: the close of their session, or the midnight that ends a date without one.
    Session { calendar: Arc<Calendar>, zone: TimeZone },
    /// Dates of weeks or months: the close of the last session of the period.
    Period { calendar: Arc<Calendar>, zone: TimeZone, step: Step, side: Side },
    /// Starts: a step later, with a calendar at most the end of the session's part that holds them.
    Start { calendar: Option<Arc<Calendar>>, zone: TimeZone, step: Step },
}

/// Which date of a period is its stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The first or the last one: others are refused.
    Either,
    /// The first one; a period may begin on any date.
    First,
    /// Any.
    Within,
}

impl KnownAt {
    /// Whether stamps name sessions, by themselves or as weeks and months of them.
    pub(crate) fn names_sessions(&self) -> bool {
        matches!(self, Self::Session { .. } | Self::Period { .. })
    }

    /// The step by which starts are moved, where a close may cut it.
    pub(crate) fn cut_step_ns(&self) -> Option<i64> {
        match self {
            Self::Start { calendar: Some(_), step: Step::Span(ns), .. } => Some(*ns),
            _ => None,
        }
    }

    /// At most so many ns lie between the date of a stamp and the instant at which its row is
    /// known, beyond the date itself.
    pub(crate) fn reach_ns(&self) -> i64 {
        match self {
            Self::Session { .. } => 1,
            Self::Period { step, .. } | Self::Start { step, .. } => {
                // A month has up to 31 days.
                step.about_ns().saturating_add(step.about_ns() / 30)
            }
        }
    }

    /// When the row of a stamp is known, or why that cannot be told.
    pub(crate) fn of(&self, stamp: i64) -> Result<i64, &'static str> {
        match self {
            Self::Session { calendar, zone } => {
                let date = date_of(stamp, zone)?;
                let close = calendar.session(date).ok().flatten().map(|session| session.close);
                Ok(close.unwrap_or_else(|| calendar.end_of(date)).0)
            }
            Self::Period { calendar, zone, step, side } => {
                period_end(calendar, *step, *side, date_of(stamp, zone)?)
            }
            Self::Start { calendar: None, zone, step } => Ok(step_after(stamp, *step, zone)),
            Self::Start { calendar: Some(calendar), step, .. } => start_end(stamp, *step, calendar),
        }
    }
}

fn date_of(stamp: i64, zone: &TimeZone) -> Result<Date, &'static str> {
    let date = Date::of(Timestamp(stamp), zone);
    if date.start(zone).0 == stamp {
        Ok(date)
    } else {
        Err("is a time among stamps that are dates")
    }
}

/// The same time of day a step later.
fn step_after(stamp: i64, step: Step, zone: &TimeZone) -> i64 {
    if let Step::Span(ns) = step {
        return stamp.saturating_add(ns);
    }
    let date = Date::of(Timestamp(stamp), zone);
    let time_of_day = stamp - date.start(zone).0;
    step.after(date).start(zone).0.saturating_add(time_of_day)
}

/// The end of a bar that starts at an instant.
fn start_end(stamp: i64, step: Step, calendar: &Calendar) -> Result<i64, &'static str> {
    let sessions = calendar.all();
    // Where two sessions touch, a start belongs to the later one.
    let at = sessions.partition_point(|session| session.close.0 <= stamp);
    let inside = sessions.get(at).filter(|session| session.open.0 <= stamp);
    if let Step::Span(ns) = step {
        let end = stamp.saturating_add(ns);
        return Ok(inside.map_or(end, |session| end.min(part_end(session, stamp))));
    }
    let date = match inside {
        Some(session) => session.date,
        None => Date::of(Timestamp(stamp), calendar.zone()),
    };
    match step {
        Step::Day | Step::Span(_) => {
            let close = calendar.session(date).ok().flatten().map(|session| session.close);
            Ok(close.unwrap_or_else(|| calendar.end_of(date)).0)
        }
        Step::Week | Step::Months(_) => period_end(calendar, step, Side::First, date),
    }
}

/// Where the part of a session before or after its break ends that holds an instant.
fn part_end(session: &Session, stamp: i64) -> i64 {
    match session.lunch {
        Some((begin, _)) if stamp < begin.0 => begin.0,
        _ => session.close.0,
    }
}

/// The close of the last session of the week or month that a date stands for.
fn period_end(
    calendar: &Calendar,
    step: Step,
    side: Side,
    date: Date,
) -> Result<i64, &'static str> {
    let sessions = calendar.all();
    let first_from = |date: Date| sessions.partition_point(|session| session.date < date);
    let (mut from, mut to) = step.dates_around(date);
    let has_before = first_from(from) < first_from(date);
    let has_after = first_from(Date(date.0 + 1)) < first_from(to);
    match side {
        Side::First if has_before => (from, to) = (date, step.after(date)),
        Side::Either if step == Step::Week && date.weekday() == 6 => {
            return Err("is a Sunday, which may begin a week or end one");
        }
        Side::Either if has_before && has_after => {
            return Err("is neither the first nor the last session of its period");
        }
        _ => {}
    }
    // Dates behind the calendar's last one may be sessions, unless their weekday never is.
    let trades = |day: i32| sessions.iter().any(|s| s.date.weekday() == Date(day).weekday());
    if (calendar.span().1.0 + 1..to.0).any(trades) {
        return Err("is of a period that the calendar does not know to its end");
    }
    let last = first_from(to).checked_sub(1).map(|at| &sessions[at]);
    let last = last.filter(|session| session.date >= from).map(|session| session.close);
    Ok(last.unwrap_or_else(|| calendar.end_of(Date(to.0 - 1))).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(rule: &KnownAt, date: &str) -> String {
        let date = Date::parse(date).expect("a date");
        let KnownAt::Period { zone, .. } = rule else { panic!("periods are asked for") };
        rule.of(date.start(zone).0).map_or_else(str::to_owned, |ns| Timestamp(ns).to_string())
    }

    /// XNYS by hand: Friday 2024-03-29 and Monday 2024-05-27 were holidays.
    #[test]
    fn period_when_dated_by_any_convention_then_its_last_close() {
        let calendar = Calendar::named("XNYS").expect("built in");
        let rule = |step, side| {
            let (calendar, zone) = (Arc::clone(&calendar), calendar.zone().clone());
            KnownAt::Period { calendar, zone, step, side }
        };
        let mid = "is neither the first nor the last session of its period";
        let sunday = "is a Sunday, which may begin a week or end one";
        let (week, month) = (Step::Week, Step::Months(1));
        for (step, side, date, expected) in [
            (week, Side::Either, "2024-03-25", "2024-03-28 20:00:00Z"),
            (week, Side::Either, "2024-03-28", "2024-03-28 20:00:00Z"),
            (week, Side::Either, "2024-03-29", "2024-03-28 20:00:00Z"),
            (week, Side::Either, "2024-05-28", "2024-05-31 20:00:00Z"),
            (week, Side::Either, "2024-03-27", mid),
            (week, Side::Either, "2024-03-31", sunday),
            (week, Side::Within, "2024-03-31", "2024-03-28 20:00:00Z"),
            (week, Side::Within, "2024-03-27", "2024-03-28 20:00:00Z"),
            // From Sunday to Saturday, and from Wednesday to Tuesday.
            (week, Side::First, "2024-03-31", "2024-04-05 20:00:00Z"),
            (week, Side::First, "2024-03-27", "2024-04-02 20:00:00Z"),
            (month, Side::Either, "2024-03-01", "2024-03-28 20:00:00Z"),
            (month, Side::Either, "2024-03-31", "2024-03-28 20:00:00Z"),
            (month, Side::Either, "2024-03-28", "2024-03-28 20:00:00Z"),
            (month, Side::Either, "2024-03-15", mid),
            (Step::Months(3), Side::Either, "2024-01-01", "2024-03-28 20:00:00Z"),
            (Step::Months(12), Side::Either, "2024-12-31", "2024-12-31 21:00:00Z"),
        ] {
            assert_eq!(known(&rule(step, side), date), expected, "{step} {side:?} {date}");
        }
        // A calendar of one's own that ends on a Friday knows that week, and one that ends on a
        // Thursday does not.
        for (last, expected) in [
            ("2024-04-05", "2024-04-05 20:00:00Z"),
            ("2024-04-04", "is of a period that the calendar does not know to its end"),
        ] {
            let last = Date::parse(last).expect("a date");
            let sessions = calendar.sessions(Date(last.0 - 30), Date(last.0 + 1)).expect("known");
            let own = Calendar::from_sessions("own", "America/New_York", sessions.to_vec());
            let own = Arc::new(own.expect("in order"));
            let zone = own.zone().clone();
            let side = Side::Either;
            let rule = KnownAt::Period { calendar: own, zone, step: week, side };
            assert_eq!(known(&rule, "2024-04-01"), expected);
        }
        let beyond = "is of a period that the calendar does not know to its end";
        assert_eq!(known(&rule(week, Side::Either), "2030-12-30"), beyond);
    }
}
