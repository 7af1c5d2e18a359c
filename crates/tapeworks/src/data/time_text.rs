//! Times written as text.

use jiff::civil;
use jiff::tz::TimeZone;

use super::options::Ambiguous;
use super::time_unit::date_of_number;
use super::wall_clock::unambiguous;

/// What a text time said about its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextForm {
    Date,
    Local,
    Instant,
}

/// Reads `2024-03-08`, `20240308`, either with `14:30[:00[.5]]` after a blank or `T`, with or
/// without `Z` or an offset; a text without zone is local time of `zone`.
pub(crate) fn parse_text(
    text: &str,
    zone: &TimeZone,
    ambiguous: Option<Ambiguous>,
) -> std::result::Result<(i64, TextForm), &'static str> {
    const NO_TIME: &str = "is no time of the form 2024-03-08, 2024-03-08 14:30:00 or 20240308";
    const RANGE: &str = "is outside 1678..2262, the range of i64 ns";
    let text = text.trim();
    let bytes = text.as_bytes();
    if text.rsplit_once('.').is_some_and(|(_, rest)| n_digits(rest) > 9) {
        return Err("is finer than a nanosecond, the precision of times");
    }
    if !bytes.first().is_some_and(u8::is_ascii_digit) {
        return Err(NO_TIME);
    }
    if text.contains('/') {
        return Err("has a format that does not say which number is the day; write 2024-03-08");
    }
    if text.contains(":60") {
        return Err("is a leap second, which no clock of 86,400 seconds a day has");
    }
    let (date, form) = if bytes.len() >= 8 && bytes[..8].iter().all(u8::is_ascii_digit) {
        let number: i64 = text[..8].parse().map_err(|_| NO_TIME)?;
        let date = date_of_number(number).ok_or(NO_TIME)?;
        let rest = text[8..].trim_start_matches(['T', ' ']).trim();
        if rest.is_empty() {
            (date.at(0, 0, 0, 0), TextForm::Date)
        } else {
            let time: civil::Time = rest.parse().map_err(|_| NO_TIME)?;
            (date.to_datetime(time), TextForm::Local)
        }
    } else if bytes.len() == 10 {
        let date: civil::Date = text.parse().map_err(|_| NO_TIME)?;
        (date.at(0, 0, 0, 0), TextForm::Date)
    } else if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        let ns = i64::try_from(instant.as_nanosecond()).map_err(|_| RANGE)?;
        return Ok((ns, TextForm::Instant));
    } else {
        (text.parse::<civil::DateTime>().map_err(|_| NO_TIME)?, TextForm::Local)
    };
    let instant = unambiguous(zone.to_ambiguous_timestamp(date), ambiguous)
        .ok_or("is a local time that does not exist or exists twice (clock change)")?;
    let ns = i64::try_from(instant.as_nanosecond()).map_err(|_| RANGE)?;
    Ok((ns, form))
}

fn n_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::{TextForm, parse_text};
    use jiff::tz::TimeZone;

    #[test]
    fn parse_text_when_given_each_form_then_instants_agree() {
        let new_york = TimeZone::get("America/New_York").expect("bundled zone");
        // text, expected seconds (from `date -u -d`), form
        let rows = [
            ("2024-03-08", 1_709_874_000, TextForm::Date),
            ("20240308", 1_709_874_000, TextForm::Date),
            ("20240308 09:30", 1_709_908_200, TextForm::Local),
            ("2024-03-08 09:30:00", 1_709_908_200, TextForm::Local),
            ("2024-03-08T14:30:00Z", 1_709_908_200, TextForm::Instant),
            ("2024-03-08 14:30:00+00:00", 1_709_908_200, TextForm::Instant),
        ];
        for (text, seconds, form) in rows {
            assert_eq!(
                parse_text(text, &new_york, None),
                Ok((seconds * 1_000_000_000, form)),
                "{text}"
            );
        }
        for text in ["03/08/2024", "2024-13-01", "2024-03-10 02:30", "x", "20240231"] {
            assert!(parse_text(text, &new_york, None).is_err(), "{text}");
        }
    }
}
