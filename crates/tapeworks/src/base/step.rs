//! The step between the rows of a table: a length of time, or a day, week, month or year.

use std::fmt;

use super::date::Date;
use super::span::parse_span;
use super::time::DAY_NS;

/// How far apart rows are, or how long windows are.
///
/// Days, weeks and months follow dates: their lengths differ with the clocks and the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nanoseconds.
    Span(i64),
    /// A date, or a session.
    Day,
    /// From Monday to Sunday.
    Week,
    /// So many calendar months (1, 2, 3, 4, 6 or 12), counted from January.
    Months(u8),
}

impl Step {
    /// Reads `5m`, `1h`, `1d`, `1w`, `1mo`, `3mo`, `1y`.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = trimmed.split_at(digits);
        let months = |a_unit: u32| {
            let count = number.parse::<u32>().ok().and_then(|n| n.checked_mul(a_unit));
            let whole = count.filter(|n| *n > 0 && *n <= 12 && 12 % *n == 0);
            let reason =
                || format!("{text:?} does not divide a year; months are 1, 2, 3, 4, 6, 12");
            whole.and_then(|n| u8::try_from(n).ok()).map(Self::Months).ok_or_else(reason)
        };
        match unit {
            "mo" | "month" => months(1),
            "q" | "quarter" => months(3),
            "y" | "year" => months(12),
            _ => Ok(match parse_span(trimmed)? {
                DAY_NS => Self::Day,
                ns if ns == 7 * DAY_NS => Self::Week,
                ns => Self::Span(ns),
            }),
        }
    }

    /// The step of rows that are usually so many ns apart.
    #[must_use]
    pub fn of_spacing(ns: i64) -> Self {
        let hours = ns / 3_600_000_000_000;
        match hours {
            // Midnights and closes move by an hour with the clocks; weeks and months may begin and
            // end with a holiday.
            23..=25 => Self::Day,
            96..=240 => Self::Week,
            600..=840 => Self::Months(1),
            2_040..=2_280 => Self::Months(3),
            8_400..=9_120 => Self::Months(12),
            _ => Self::Span(ns),
        }
    }

    /// Whether windows of this step can be put together from rows of the finer one.
    #[must_use]
    pub fn is_multiple_of(self, finer: Self) -> bool {
        match (self, finer) {
            (Self::Span(ns), Self::Span(part)) => part > 0 && ns % part == 0,
            (_, Self::Span(part)) => part > 0 && DAY_NS % part == 0,
            (Self::Day | Self::Week | Self::Months(_), Self::Day) | (Self::Week, Self::Week) => {
                true
            }
            (Self::Months(n), Self::Months(part)) => part > 0 && n % part == 0,
            (Self::Span(_) | Self::Day | Self::Week, _) | (Self::Months(_), Self::Week) => false,
        }
    }

    /// About how long the step is, for comparing steps.
    #[must_use]
    pub fn about_ns(self) -> i64 {
        match self {
            Self::Span(ns) => ns,
            Self::Day => DAY_NS,
            Self::Week => 7 * DAY_NS,
            Self::Months(n) => i64::from(n) * 30 * DAY_NS,
        }
    }

    /// The first date of the week or month that holds a date, and the first one after it; for
    /// other steps the date itself.
    #[must_use]
    pub fn dates_around(self, date: Date) -> (Date, Date) {
        match self {
            Self::Span(_) | Self::Day => (date, Date(date.0 + 1)),
            Self::Week => {
                let days = i32::try_from(date.weekday()).unwrap_or(0);
                (Date(date.0 - days), Date(date.0 - days + 7))
            }
            Self::Months(n) => {
                let (year, month) = date.year_month();
                let n = i32::from(n.max(1));
                let first = (i32::from(month) - 1) / n * n;
                let months = i32::from(year) * 12 + first;
                (Date::of_month(months), Date::of_month(months + n))
            }
        }
    }

    /// The date one step after a date.
    #[must_use]
    pub fn after(self, date: Date) -> Date {
        match self {
            Self::Span(_) | Self::Day => Date(date.0 + 1),
            Self::Week => Date(date.0 + 7),
            Self::Months(n) => date.plus_months(i32::from(n)),
        }
    }
}

/// As [`Step::parse`] reads it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 5] = [
            (DAY_NS, "d"),
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
        ];
        match *self {
            Self::Day => f.write_str("1d"),
            Self::Week => f.write_str("1w"),
            Self::Months(12) => f.write_str("1y"),
            Self::Months(n) => write!(f, "{n}mo"),
            Self::Span(ns) => match UNITS.iter().find(|(unit, _)| ns != 0 && ns % unit == 0) {
                Some((unit, name)) => write!(f, "{}{name}", ns / unit),
                None => write!(f, "{ns}ns"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_when_parsed_then_calendar_units_are_dates() {
        let minutes = Step::Span(300_000_000_000);
        for (text, step) in [
            ("5m", minutes),
            ("1d", Step::Day),
            ("24h", Step::Day),
            ("1w", Step::Week),
            ("7d", Step::Week),
            ("2w", Step::Span(14 * DAY_NS)),
            ("1mo", Step::Months(1)),
            ("3mo", Step::Months(3)),
            ("1y", Step::Months(12)),
        ] {
            assert_eq!(Step::parse(text), Ok(step), "{text}");
            assert_eq!(Step::parse(&step.to_string()), Ok(step), "{text}");
        }
        for text in ["5mo", "0mo", "2y", "x", ""] {
            assert!(Step::parse(text).is_err(), "{text}");
        }
    }

    /// Weeks and months by hand: 2024-02-29 was a Thursday.
    #[test]
    fn step_when_a_date_then_its_week_month_and_quarter() {
        let leap = Date::parse("2024-02-29").expect("a date");
        let around = |step: Step| {
            let (from, to) = step.dates_around(leap);
            format!("{from} {to} {}", step.after(leap))
        };
        assert_eq!(around(Step::Day), "2024-02-29 2024-03-01 2024-03-01");
        assert_eq!(around(Step::Week), "2024-02-26 2024-03-04 2024-03-07");
        assert_eq!(around(Step::Months(1)), "2024-02-01 2024-03-01 2024-03-29");
        assert_eq!(around(Step::Months(3)), "2024-01-01 2024-04-01 2024-05-29");
        assert_eq!(around(Step::Months(12)), "2024-01-01 2025-01-01 2025-02-28");
    }
}
