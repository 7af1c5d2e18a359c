//! The text of a built-in table: rules and exceptions in local time, to sessions.
//!
//! ```text
//! names XHKG HKEX                          code, aliases
//! zone Asia/Hong_Kong
//! span 1990-01-01 2049-12-31               dates that the table knows
//! week 1111100                             days that trade, from Monday
//! hours 2011-03-07 09:30 16:00 12:00 13:00 from a date on: open, close, break
//! other 09:30 12:00                        other hours, on the dates that follow
//! 2012 1224 1231
//! closed                                   no session, on the dates that follow
//! 2012 0102 0123
//! ```
//! `17:00-1` is on the evening before, `00:00+1` the midnight that ends the date.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::table::{Calendar, Session};
use crate::base::Date;

/// Minutes from the local midnight of the date: open, close, break.
type Hours = Vec<i64>;

/// What the text of a table says.
struct Table<'a> {
    name: &'a str,
    zone: &'a str,
    span: (Date, Date),
    week: &'a [u8],
    regular: Vec<(Date, Hours)>,
    /// Hours of dates that have others; none where there is no session.
    exceptions: BTreeMap<Date, Option<Hours>>,
}

/// The calendar of a table's text; our own tables are right, so a fault is `None`.
pub(super) fn calendar(text: &str) -> Option<Calendar> {
    let table = read(text)?;
    let zone = TimeZone::get(table.zone).ok()?;
    let mut sessions = Vec::new();
    let mut regular = table.regular.iter().peekable();
    let mut usual: &[i64] = &[];
    for day in table.span.0.0..=table.span.1.0 {
        let date = Date(day);
        while let Some((_, hours)) = regular.next_if(|(from, _)| *from <= date) {
            usual = hours;
        }
        let hours = match table.exceptions.get(&date) {
            Some(Some(hours)) => hours,
            None if table.week.get(date.weekday())? == &b'1' => usual,
            Some(None) | None => continue,
        };
        let at = |minutes: i64| date.at(minutes, &zone);
        let (open, close, lunch) = match *hours {
            [open, close] => (open, close, None),
            [open, close, start, end] => (open, close, Some((at(start), at(end)))),
            _ => return None,
        };
        sessions.push(Session { date, open: at(open), close: at(close), lunch });
    }
    Calendar::new(table.name.to_owned(), table.zone, table.span, sessions).ok()
}

fn read(text: &str) -> Option<Table<'_>> {
    let mut table = Table {
        name: "",
        zone: "UTC",
        span: (Date(0), Date(0)),
        week: b"",
        regular: Vec::new(),
        exceptions: BTreeMap::new(),
    };
    let mut target: Option<Hours> = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_ascii_whitespace();
        match words.next()? {
            "names" => table.name = words.next()?,
            "zone" => table.zone = words.next()?,
            "span" => table.span = (date(words.next()?)?, date(words.next()?)?),
            "week" => table.week = words.next()?.as_bytes(),
            "hours" => {
                let from = date(words.next()?)?;
                table.regular.push((from, words.map(minutes).collect::<Option<_>>()?));
            }
            "other" => target = Some(words.map(minutes).collect::<Option<_>>()?),
            "closed" => target = None,
            year => {
                for day in words {
                    let (month, day) = day.split_at_checked(2)?;
                    let date = date(&format!("{year}-{month}-{day}"))?;
                    table.exceptions.insert(date, target.clone());
                }
            }
        }
    }
    Some(table)
}

fn date(text: &str) -> Option<Date> {
    Date::parse(text).ok()
}

fn minutes(text: &str) -> Option<i64> {
    let number = |part: Option<&str>| part?.parse::<i64>().ok();
    let day = if text.len() > 5 { number(text.get(5..))? } else { 0 };
    Some(number(text.get(..2))? * 60 + number(text.get(3..5))? + day * 1_440)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six days around a change of the clocks (2024-03-10, New York), the instants by hand.
    #[test]
    fn calendar_when_rules_and_exceptions_then_sessions() {
        let text = "names TEST\nzone America/New_York\nspan 2024-03-07 2024-03-12\nweek 1111100\n\
                    hours 2024-03-07 17:00-1 12:00\nhours 2024-03-11 09:30 16:00 11:00 12:00\n\
                    other 10:00 11:30\n2024 0312\nclosed\n2024 0307\n";
        let calendar = calendar(text).expect("a table");
        let rows: Vec<String> = calendar
            .all()
            .iter()
            .map(|s| format!("{} {} {} {}", s.date, s.open, s.close, s.lunch.is_some()))
            .collect();
        assert_eq!(
            rows,
            [
                "2024-03-08 2024-03-07 22:00:00Z 2024-03-08 17:00:00Z false",
                "2024-03-11 2024-03-11 13:30:00Z 2024-03-11 20:00:00Z true",
                "2024-03-12 2024-03-12 14:00:00Z 2024-03-12 15:30:00Z false",
            ]
        );
        for broken in ["names X\nzone Nowhere\nspan 2024-03-07 2024-03-08", "span 2024-03-07", ""] {
            assert!(super::calendar(broken).is_none_or(|c| c.all().is_empty()), "{broken:?}");
        }
    }
}
