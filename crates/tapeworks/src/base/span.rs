//! Spans of time as configs write them: `5m`, `1d`, `2w`.

use super::time::DAY_NS;

const UNITS: &[(&str, i64)] = &[
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60 * 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("hour", 3_600 * 1_000_000_000),
    ("d", DAY_NS),
    ("day", DAY_NS),
    ("w", 7 * DAY_NS),
    ("week", 7 * DAY_NS),
    ("mo", 30 * DAY_NS),
];

/// The nanoseconds of a whole number with a unit; a month counts 30 days.
///
/// # Errors
/// The reason, in words.
pub fn parse_span(text: &str) -> Result<i64, String> {
    let trimmed = text.trim();
    let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = trimmed.split_at(digits);
    let Some((_, unit_ns)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("{text:?} is no span of time"));
    };
    let count: i64 = number.parse().map_err(|_| format!("{text:?} is no span of time"))?;
    if count == 0 {
        return Err(format!("{text:?} is an empty span of time"));
    }
    count.checked_mul(*unit_ns).ok_or_else(|| format!("{text:?} is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_when_parsed_then_nanoseconds_or_reason() {
        assert_eq!(parse_span("5m"), Ok(300_000_000_000));
        assert_eq!(parse_span("1d"), Ok(86_400_000_000_000));
        assert_eq!(parse_span("250ms"), Ok(250_000_000));
        for text in ["", "d", "5", "0m", "-1d", "5 fortnights", "1.5h", "99999999999999999w"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
