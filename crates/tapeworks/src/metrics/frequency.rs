//! How many snapshot periods a year has, read off the data.

use std::sync::Arc;

use crate::base::Calendar;
use crate::base::calendar::SessionDays;

/// Exchange sessions a year.
const SESSIONS: f64 = 252.0;

/// Days a year of a market that never closes.
const DAYS: f64 = 365.0;

/// Above this share of Saturdays and Sundays among the days with rows the market never closes:
/// seven days give 2/7, a Sunday evening session or a midnight stamp gives 1/6.
const WEEKEND_SHARE: f64 = 0.2;

/// Periods a year of a series of ascending instants (ns UTC).
///
/// Days in a row: the median number of rows a UTC day, times 365 when Saturdays and Sundays are
/// more than a fifth of the days, else times 252. Days further apart: 52 for weeks, 12 for months,
/// 4 for quarters, 1 for years, and otherwise what the span says. Fewer than two days: 252 times
/// the rows of that day.
#[must_use]
pub fn periods_per_year(timestamps: &[i64]) -> f64 {
    periods_per_year_on(timestamps, None)
}

/// The same with the sessions of a calendar in place of UTC days.
#[must_use]
pub fn periods_per_year_on(timestamps: &[i64], calendar: Option<&Arc<Calendar>>) -> f64 {
    let days = rows_by_day(timestamps, calendar);
    if days.is_empty() {
        return SESSIONS;
    }
    let rows_a_day = median(days.iter().map(|day| day.1 as f64).collect());
    let gaps: Vec<f64> = days.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f64).collect();
    if gaps.is_empty() {
        return SESSIONS * rows_a_day;
    }
    let days_a_year = match median(gaps) {
        gap if gap < 2.0 => days_in_a_row(&days),
        gap if (6.0..=8.0).contains(&gap) => 52.0,
        gap if (28.0..=31.0).contains(&gap) => 12.0,
        gap if (89.0..=92.0).contains(&gap) => 4.0,
        gap if (364.0..=366.0).contains(&gap) => 1.0,
        _ => {
            let span = (days[days.len() - 1].0 - days[0].0) as f64;
            (365.25 * (days.len() - 1) as f64 / span).round().max(1.0)
        }
    };
    days_a_year * rows_a_day
}

fn days_in_a_row(days: &[(i64, usize)]) -> f64 {
    // 1970-01-01 was a Thursday: Saturdays are days 2, 9, 16, ...
    let is_weekend = |day: i64| matches!((day - 2).rem_euclid(7), 0 | 1);
    let n_weekend = days.iter().filter(|day| is_weekend(day.0)).count();
    if n_weekend as f64 / days.len() as f64 > WEEKEND_SHARE { DAYS } else { SESSIONS }
}

/// Days with rows, since 1970, and how many rows each has.
fn rows_by_day(timestamps: &[i64], calendar: Option<&Arc<Calendar>>) -> Vec<(i64, usize)> {
    let mut sessions = SessionDays::new(calendar.cloned());
    let mut days: Vec<(i64, usize)> = Vec::new();
    for &timestamp in timestamps {
        let day = i64::from(sessions.date(timestamp).0);
        match days.last_mut() {
            Some((last, n_rows)) if *last == day => *n_rows += 1,
            _ => days.push((day, 1)),
        }
    }
    days
}

/// The middle value; the higher one of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
