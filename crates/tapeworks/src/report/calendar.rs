//! Months of a series of states, and the labels of its instants, in the zone of the run.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp as Instant;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::Calendar;
use crate::base::calendar::SessionDays;
use crate::base::time::DAY_NS;

/// The zone of a run and whether its timestamps are session labels.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
    /// Every timestamp is at midnight UTC: a date, whatever the zone.
    pub is_daily: bool,
    /// The name shown beside times.
    pub zone_name: String,
}

impl Clock {
    /// The clock for these timestamps; an unknown zone name counts as UTC.
    #[must_use]
    pub fn new(timestamps: &[i64], zone_name: &str) -> Self {
        let is_daily = timestamps.iter().all(|t| t.rem_euclid(DAY_NS) == 0);
        let named = if is_daily { None } else { TimeZone::get(zone_name).ok() };
        match named {
            Some(zone) => Self { zone, is_daily, zone_name: zone_name.into() },
            None => Self { zone: TimeZone::UTC, is_daily, zone_name: "UTC".into() },
        }
    }

    /// The date of an instant.
    #[must_use]
    pub fn date(&self, timestamp: i64) -> Date {
        instant(timestamp).to_zoned(self.zone.clone()).date()
    }

    /// `2024-03-08`, with `14:30` (and seconds if there are any) unless all rows are dates.
    #[must_use]
    pub fn label(&self, timestamp: i64) -> String {
        let time = instant(timestamp).to_zoned(self.zone.clone());
        match (self.is_daily, time.second()) {
            (true, _) => time.strftime("%Y-%m-%d").to_string(),
            (false, 0) => time.strftime("%Y-%m-%d %H:%M").to_string(),
            (false, _) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        }
    }

    /// The first instant after the month of `timestamp`.
    fn month_end(&self, timestamp: i64) -> i64 {
        let next = self.date(timestamp).first_of_month().checked_add(jiff::Span::new().months(1));
        next.ok()
            .and_then(|date| date.to_zoned(self.zone.clone()).ok())
            .and_then(|start| i64::try_from(start.timestamp().as_nanosecond()).ok())
            .unwrap_or(i64::MAX)
    }
}

fn instant(timestamp: i64) -> Instant {
    Instant::from_nanosecond(i128::from(timestamp)).expect("every i64 ns is in jiff's range")
}

/// The return of one calendar month of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthReturn {
    /// Calendar year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// Last equity of the month over the last equity before it, less one; NaN when that is not
    /// defined because the equity before was not positive.
    pub value: f64,
    /// The states of the month.
    pub rows: Range<usize>,
}

/// Month by month, the first against `initial` (the product of 1 + r is the total return).
#[must_use]
pub fn month_returns(
    timestamps: &[i64],
    equity: &[f64],
    initial: f64,
    clock: &Clock,
) -> Vec<MonthReturn> {
    let mut ends = Vec::new();
    let mut start = 0;
    while start < timestamps.len() {
        let end_instant = clock.month_end(timestamps[start]);
        let end = start + timestamps[start..].partition_point(|&t| t < end_instant);
        // the range of i64 ns ends inside a month; its last row still belongs to that month
        start = end.max(start + 1);
        ends.push(start);
    }
    let month = |i: usize| {
        let date = clock.date(timestamps[i]);
        (date.year(), date.month())
    };
    returns_between(&ends, equity, initial, month)
}

/// The same by the sessions of a calendar: a close counts in the month of its session, also where
/// that is the midnight after it.
#[must_use]
pub fn session_months(
    timestamps: &[i64],
    equity: &[f64],
    initial: f64,
    calendar: Arc<Calendar>,
) -> Vec<MonthReturn> {
    let mut days = SessionDays::new(Some(calendar));
    let mut months: Vec<(i16, i8)> = Vec::new();
    let mut last = None;
    for &timestamp in timestamps {
        let date = days.date(timestamp);
        let month = match last {
            Some((before, month)) if before == date => month,
            _ => date.year_month(),
        };
        last = Some((date, month));
        months.push(month);
    }
    let mut ends: Vec<usize> = (1..months.len()).filter(|&i| months[i] != months[i - 1]).collect();
    ends.extend((!months.is_empty()).then_some(months.len()));
    returns_between(&ends, equity, initial, |i| months[i])
}

/// A return for each run of rows; `month` is that of a row.
fn returns_between(
    ends: &[usize],
    equity: &[f64],
    initial: f64,
    month: impl Fn(usize) -> (i16, i8),
) -> Vec<MonthReturn> {
    let mut before = initial;
    let mut start = 0;
    let mut found = Vec::with_capacity(ends.len());
    for &end in ends {
        let last = equity[end - 1];
        let value = if before > 0.0 { last / before - 1.0 } else { f64::NAN };
        let (year, month) = month(start);
        found.push(MonthReturn { year, month, value, rows: start..end });
        before = last;
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(text: &str) -> i64 {
        crate::base::Timestamp::parse(text, &TimeZone::UTC).expect(text).0
    }

    #[test]
    fn months_when_rows_are_dates_then_a_zone_west_of_utc_does_not_shift_them() {
        let times = [ns("2024-01-30"), ns("2024-02-01"), ns("2024-02-29"), ns("2024-05-02")];
        let clock = Clock::new(&times, "America/New_York");
        let months = month_returns(&times, &[110.0, 99.0, 121.0, 60.5], 100.0, &clock);
        let seen: Vec<_> = months.iter().map(|m| (m.year, m.month)).collect();
        assert_eq!(seen, [(2024, 1), (2024, 2), (2024, 5)]);
        // 110/100, 121/110, 60.5/121
        for (month, expected) in months.iter().zip([0.1, 0.1, -0.5]) {
            assert!((month.value - expected).abs() < 1e-12, "{month:?}");
        }
        assert_eq!(clock.label(times[0]), "2024-01-30");
    }

    #[test]
    fn months_when_rows_have_times_then_the_zone_decides() {
        // 01:00 UTC on 1 February is still 31 January in New York
        let times = [ns("2024-02-01 01:00"), ns("2024-02-01 15:00")];
        let clock = Clock::new(&times, "America/New_York");
        let months = month_returns(&times, &[101.0, 102.0], 100.0, &clock);
        assert_eq!(months.iter().map(|m| m.month).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(clock.label(times[0]), "2024-01-31 20:00");
    }

    /// A market without a close stamps the last day of January with the midnight that begins
    /// February: its month is January.
    #[test]
    fn months_when_on_a_calendar_then_the_last_close_counts_in_its_month() {
        let calendar = Calendar::named("24/7").expect("built in");
        let times = [ns("2024-01-31"), ns("2024-02-01"), ns("2024-02-02"), ns("2024-03-01")];
        let equity = [110.0, 121.0, 60.5, 121.0];
        let months = session_months(&times, &equity, 100.0, calendar);
        let seen: Vec<_> = months.iter().map(|m| (m.year, m.month, m.rows.clone())).collect();
        assert_eq!(seen, [(2024, 1, 0..2), (2024, 2, 2..4)]);
        // 121/100, 121/121
        for (month, expected) in months.iter().zip([0.21, 0.0]) {
            assert!((month.value - expected).abs() < 1e-12, "{month:?}");
        }
        assert!(session_months(&[], &[], 100.0, Calendar::named("XNYS").expect("one")).is_empty());
    }
}
