//! Calendar dates, and the instants at which they begin and end in a zone.

use std::fmt;

use jiff::civil;
use jiff::tz::TimeZone;

use super::time::{DAY_NS, Timestamp};
use super::{Error, Result};

/// A date, as days since 1970-01-01; it has no zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

impl Date {
    /// Reads `2024-03-08`.
    ///
    /// # Errors
    /// `C301` when the text is no date.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        text.parse::<civil::Date>()
            .ok()
            .filter(|_| text.len() == 10)
            .map(Self::from_civil)
            .ok_or_else(|| {
                Error::config("C301", format!("{text:?} is no date")).with_hint("write 2024-03-08")
            })
    }

    /// Days since Monday: 0..=6.
    #[must_use]
    pub fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        usize::try_from((i64::from(self.0) + 3).rem_euclid(7)).unwrap_or(0)
    }

    /// Year and month.
    #[must_use]
    pub fn year_month(self) -> (i16, i8) {
        let seconds = i64::from(self.0) * 86_400;
        let midnight = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        let date = midnight.to_zoned(TimeZone::UTC).date();
        (date.year(), date.month())
    }

    /// The first date of a month, counted from January of year 0.
    pub(super) fn of_month(months: i32) -> Self {
        let year = i16::try_from(months.div_euclid(12)).unwrap_or(i16::MAX).min(9_999);
        let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
        Self::from_civil(civil::date(year, month, 1))
    }

    /// The same day so many months later, or the last one of a shorter month.
    pub(super) fn plus_months(self, months: i32) -> Self {
        let date = civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(self.0));
        Self::from_civil(date.saturating_add(jiff::Span::new().months(months)))
    }

    /// The date that an instant has on the clock of a zone.
    #[must_use]
    pub fn of(instant: Timestamp, zone: &TimeZone) -> Self {
        if *zone == TimeZone::UTC {
            return Self::of_utc(instant);
        }
        Self::from_civil(instant.to_jiff().to_zoned(zone.clone()).date())
    }

    /// The date that an instant has in UTC.
    #[must_use]
    pub fn of_utc(instant: Timestamp) -> Self {
        Self(i32::try_from(instant.0.div_euclid(DAY_NS)).expect("i64 ns are 292 years"))
    }

    /// The first instant of the date in a zone, clamped to the range of [`Timestamp`].
    #[must_use]
    pub fn start(self, zone: &TimeZone) -> Timestamp {
        self.at(0, zone)
    }

    /// The instant when the wall clock shows so many minutes after the date's midnight (negative:
    /// on the evening before), clamped to the range of [`Timestamp`].
    ///
    /// A time that the clocks skip is as much later, one that they show twice is the first.
    #[must_use]
    pub fn at(self, minutes: i64, zone: &TimeZone) -> Timestamp {
        let seconds = i64::from(self.0) * 86_400 + minutes * 60;
        let wall = jiff::Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        let instant = if *zone == TimeZone::UTC {
            wall
        } else {
            let wall = wall.to_zoned(TimeZone::UTC).datetime();
            zone.to_ambiguous_timestamp(wall).compatible().unwrap_or(jiff::Timestamp::MAX)
        };
        let ns = instant.as_nanosecond();
        Timestamp(i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX }))
    }

    fn from_civil(date: civil::Date) -> Self {
        let epoch = civil::date(1970, 1, 1);
        let days = date.duration_since(epoch).as_hours() / 24;
        Self(i32::try_from(days).expect("jiff knows 20,000 years"))
    }
}

/// `2024-03-08`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(i64::from(self.0) * 86_400) {
            Ok(midnight) => write!(f, "{}", midnight.to_zoned(TimeZone::UTC).date()),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_when_in_new_york_then_midnights_follow_the_clocks() {
        let zone = TimeZone::get("America/New_York").expect("bundled zone");
        // Clocks went forward on 2024-03-10 and back on 2024-11-03; instants by hand.
        let rows = [
            ("2024-03-10", "2024-03-10 05:00:00Z", 6),
            ("2024-03-11", "2024-03-11 04:00:00Z", 0),
            ("2024-11-03", "2024-11-03 04:00:00Z", 6),
            ("2024-11-04", "2024-11-04 05:00:00Z", 0),
        ];
        for (text, midnight, weekday) in rows {
            let date = Date::parse(text).expect(text);
            assert_eq!(date.to_string(), text);
            assert_eq!(date.weekday(), weekday, "{text}");
            assert_eq!(date.start(&zone).to_string(), midnight);
            assert_eq!(Date::of(date.start(&zone), &zone), date);
            assert_eq!(Date::of(Timestamp(date.start(&zone).0 - 1), &zone).0, date.0 - 1);
        }
        // 02:30 is skipped on the 10th: an hour later; 01:30 is there twice on the 3rd: the first.
        let spring = Date::parse("2024-03-10").expect("a date").at(150, &zone);
        assert_eq!(spring.to_string(), "2024-03-10 07:30:00Z");
        let autumn = Date::parse("2024-11-03").expect("a date").at(90, &zone);
        assert_eq!(autumn.to_string(), "2024-11-03 05:30:00Z");
        for text in ["2024-13-01", "20240308", "x", "2024-03-08T00:00"] {
            assert_eq!(Date::parse(text).expect_err(text).code(), "C301");
        }
    }
}
