//! Times that the folders of a file name: `date=2024-01-02`, `month=2024-01`, `year=/month=/day=`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use crate::base::{Error, Result};

/// First and last instant of the partition, both included since a bar is stamped at its end.
///
/// # Errors
/// `D103` when a key of time has a value that is none.
pub(crate) fn span(
    partitions: &[(String, String)],
    zone: &TimeZone,
    place: &str,
) -> Result<Option<(i64, i64)>> {
    let value = |key: &str| {
        partitions.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str())
    };
    let wrong = |key: &str, value: &str| {
        Error::data("D103", format!("{place}: folder {key}={value} names no time"))
            .with_hint("write date=2024-01-02, month=2024-01, or year=2024/month=1/day=2")
    };
    let number = |key: &str| -> Result<Option<i16>> {
        value(key).map(|v| v.parse().map_err(|_| wrong(key, v))).transpose()
    };
    if let Some(text) = value("date") {
        let date: Date = text.parse().map_err(|_| wrong("date", text))?;
        return between(date, 1.day(), zone).ok_or_else(|| wrong("date", text)).map(Some);
    }
    if let Some(text) = value("month").filter(|text| text.contains('-')) {
        let date: Date = format!("{text}-01").parse().map_err(|_| wrong("month", text))?;
        return between(date, 1.month(), zone).ok_or_else(|| wrong("month", text)).map(Some);
    }
    let Some(year) = number("year")? else { return Ok(None) };
    let (month, day) = (number("month")?, number("day")?);
    let length = match (month, day) {
        (None, _) => 1.year(),
        (Some(_), None) => 1.month(),
        (Some(_), Some(_)) => 1.day(),
    };
    let part = |n: Option<i16>| i8::try_from(n.unwrap_or(1)).ok();
    let date = part(month).zip(part(day)).and_then(|(m, d)| Date::new(year, m, d).ok());
    let span = date.and_then(|date| between(date, length, zone));
    span.ok_or_else(|| wrong("year/month/day", value("year").unwrap_or(""))).map(Some)
}

fn between(first: Date, length: Span, zone: &TimeZone) -> Option<(i64, i64)> {
    let instant = |date: Date| {
        let midnight = date.to_zoned(zone.clone()).ok()?;
        i64::try_from(midnight.timestamp().as_nanosecond()).ok()
    };
    Some((instant(first)?, instant(first.checked_add(length).ok()?)?))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::span;

    #[test]
    fn span_when_folders_name_times_then_instants_agree() {
        // folders, expected seconds from `date -u -d`
        type Case = (&'static [(&'static str, &'static str)], (i64, i64));
        let rows: [Case; 4] = [
            (&[("date", "2024-03-08")], (1_709_856_000, 1_709_942_400)),
            (&[("symbol", "A"), ("month", "2024-02")], (1_706_745_600, 1_709_251_200)),
            (&[("year", "2024"), ("month", "02")], (1_706_745_600, 1_709_251_200)),
            (&[("year", "2024")], (1_704_067_200, 1_735_689_600)),
        ];
        for (folders, (from, to)) in rows {
            let folders: Vec<_> =
                folders.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let found = span(&folders, &TimeZone::UTC, "f").expect("valid folders");
            assert_eq!(found, Some((from * 1_000_000_000, to * 1_000_000_000)));
        }
        let wrong = [("date".to_owned(), "x".to_owned())];
        assert_eq!(span(&wrong, &TimeZone::UTC, "f").expect_err("no date").code(), "D103");
    }
}
