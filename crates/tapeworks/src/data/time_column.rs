//! Time columns of any type become checked nanoseconds UTC.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimeUnit};
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::clock::{Clock, SessionStamps, Stamps};
use super::options::Ambiguous;
use crate::base::time::DAY_NS;
use crate::base::{Error, Result, Timestamp};

/// Steps of 1 ns that an i64 holds, with a margin for the rounding of an f64.
const RANGE_STEPS: f64 = 9.2e18;

/// How a column's values become instants.
#[derive(Debug, Clone)]
pub(crate) enum TimeKind {
    /// Steps of `scale` ns since 1970 UTC.
    Instant { scale: i64 },
    /// Steps of `scale` ns since 1970 on the wall clock of the zone.
    Local { scale: i64 },
    /// Days since 1970: midnights of the zone.
    Date,
    /// Integers `YYYYMMDD`: midnights of the zone.
    DateNumber,
    /// Text of one of the forms of [`parse_text`].
    Text,
    /// Integers whose unit is not known yet.
    Integer,
    /// Floating-point numbers whose unit is not known yet.
    Real,
    /// Floating-point steps of `scale` ns since 1970 UTC, rounded to a ns.
    RealInstant { scale: i64 },
}

/// A time column of one file.
#[derive(Debug, Clone)]
pub(crate) struct TimeColumn {
    pub(crate) kind: TimeKind,
    pub(crate) zone: TimeZone,
    /// The zone that stored instants name; UTC for those that only count.
    pub(crate) own_zone: TimeZone,
    pub(crate) ambiguous: Option<Ambiguous>,
    /// Set when the stamps turned out to name sessions.
    pub(crate) sessions: Option<SessionStamps>,
    /// File and column, for messages.
    pub(crate) place: String,
}

/// What a text time said about its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextForm {
    Date,
    Local,
    Instant,
}

impl TimeColumn {
    pub(crate) fn new(data_type: &DataType, clock: &Clock, place: String) -> Result<Self> {
        let scale = |unit: &TimeUnit| match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        };
        let mut own_zone = TimeZone::UTC;
        if let DataType::Timestamp(_, Some(name)) = data_type
            && !name.starts_with(['+', '-'])
            && name.as_ref() != "UTC"
        {
            own_zone = TimeZone::get(name).map_err(|_| {
                Error::data("D303", format!("{place}: {name:?} is no time zone"))
                    .with_hint("store the times in UTC")
            })?;
        }
        let kind = match data_type {
            DataType::Timestamp(unit, Some(_)) => TimeKind::Instant { scale: scale(unit) },
            DataType::Timestamp(unit, None) => TimeKind::Local { scale: scale(unit) },
            DataType::Date32 => TimeKind::Date,
            DataType::Date64 => TimeKind::Local { scale: 1_000_000 },
            DataType::Int64 | DataType::UInt64 | DataType::Int32 | DataType::UInt32 => {
                TimeKind::Integer
            }
            DataType::Float64 => TimeKind::Real,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TimeKind::Text,
            DataType::Dictionary(_, value) if **value == DataType::Utf8 => TimeKind::Text,
            other => {
                return Err(Error::data("D101", format!("{place}: type {other} is no time"))
                    .with_hint("store timestamps, dates, integers or ISO 8601 text"));
            }
        };
        Ok(Self::of_kind(kind, own_zone, clock, place))
    }

    pub(crate) fn of_kind(
        kind: TimeKind,
        own_zone: TimeZone,
        clock: &Clock,
        place: String,
    ) -> Self {
        let (zone, ambiguous) = (clock.zone.clone(), clock.ambiguous);
        Self { kind, zone, own_zone, ambiguous, sessions: None, place }
    }

    /// The zone whose midnights would be dates.
    pub(crate) fn date_zone(&self) -> &TimeZone {
        if matches!(self.kind, TimeKind::Instant { .. }) { &self.own_zone } else { &self.zone }
    }

    /// What the column holds, given whether all its instants are midnights of [`Self::date_zone`].
    pub(crate) fn stamps(&self, are_midnights: bool) -> Stamps {
        match self.kind {
            TimeKind::Date | TimeKind::DateNumber => Stamps::Dates,
            _ if !are_midnights => Stamps::Instants,
            TimeKind::Instant { .. } => Stamps::Midnights,
            _ => Stamps::Dates,
        }
    }

    /// Whether the stored values carry no zone, so that one has to be assumed.
    pub(crate) fn is_naive(&self) -> bool {
        matches!(self.kind, TimeKind::Local { .. })
    }

    /// Whether the unit of the stored numbers has to be told from their size.
    pub(crate) fn needs_unit(&self) -> bool {
        matches!(self.kind, TimeKind::Integer | TimeKind::Real)
    }

    /// Fixes the unit of an integer column by the magnitude of its least and greatest value.
    pub(crate) fn decide_unit(&mut self, low: i64, high: i64) -> Result<()> {
        if !self.needs_unit() {
            return Ok(());
        }
        if matches!(self.kind, TimeKind::Integer) && is_date_number(low) && is_date_number(high) {
            self.kind = TimeKind::DateNumber;
            return Ok(());
        }
        let (a, b) = (unit_of(low), unit_of(high));
        // The first months of 1970 look like a finer unit's neighbours; only far values decide.
        let scale = if low.unsigned_abs() < 1_000_000 { b } else { a };
        if scale != b {
            return Err(Error::data(
                "D304",
                format!("{}: {low} and {high} have different units", self.place),
            )
            .with_hint("store one unit (s, ms, us or ns) in a column"));
        }
        self.kind = match self.kind {
            TimeKind::Real => TimeKind::RealInstant { scale },
            _ => TimeKind::Instant { scale },
        };
        Ok(())
    }

    /// One stored number as ns UTC.
    pub(crate) fn instant(&self, value: i64) -> Result<i64> {
        let range = || {
            Error::data(
                "D304",
                format!("{}: {value} is outside 1678..2262, the range of i64 ns", self.place),
            )
        };
        let local = match self.kind {
            TimeKind::Instant { scale } => return value.checked_mul(scale).ok_or_else(range),
            TimeKind::Local { scale } => value.checked_mul(scale).ok_or_else(range)?,
            TimeKind::Date => value.checked_mul(DAY_NS).ok_or_else(range)?,
            TimeKind::DateNumber => date_number_ns(value).ok_or_else(|| {
                Error::data("D303", format!("{}: {value} is no date YYYYMMDD", self.place))
            })?,
            TimeKind::RealInstant { scale } => {
                return value.checked_mul(scale).ok_or_else(range);
            }
            TimeKind::Text | TimeKind::Integer | TimeKind::Real => {
                return Err(Error::data("D303", format!("{}: {value} has no unit", self.place)));
            }
        };
        to_utc(local, &self.zone, self.ambiguous).ok_or_else(|| self.no_instant(local))
    }

    /// The span of instants between two stored numbers; an end that a clock shows twice is taken
    /// so that the span holds both.
    pub(crate) fn span(&self, low: i64, high: i64) -> Result<(i64, i64)> {
        let wide = |ambiguous| Self { ambiguous: Some(ambiguous), ..self.clone() };
        let first = wide(Ambiguous::First).instant(low)?;
        let last = wide(Ambiguous::Second).instant(high)?;
        Ok((self.known_at(first).unwrap_or(first), self.known_at(last).unwrap_or(last)))
    }

    /// When a row with this stamp is known; `None` for a stamp that should be a midnight.
    fn known_at(&self, instant: i64) -> Option<i64> {
        self.sessions.as_ref().map_or(Some(instant), |sessions| sessions.known_at(instant))
    }

    /// A whole column; `first_row` is the 0-based row of its first value.
    ///
    /// Dates that name sessions become their closes.
    pub(crate) fn convert(&self, array: &ArrayRef, first_row: u64) -> Result<ScalarBuffer<i64>> {
        let instants = self.instants(array, first_row)?;
        self.closes(instants, first_row)
    }

    /// Instants as bars know them: the closes of sessions, where the stamps name sessions.
    pub(crate) fn closes(
        &self,
        instants: ScalarBuffer<i64>,
        first_row: u64,
    ) -> Result<ScalarBuffer<i64>> {
        if self.sessions.is_none() {
            return Ok(instants);
        }
        let mut last = None;
        let mut out = Vec::with_capacity(instants.len());
        for (i, &instant) in instants.iter().enumerate() {
            let known = match last {
                Some((before, known)) if before == instant => known,
                _ => self.known_at(instant).ok_or_else(|| {
                    let (row, time) = (first_row + i as u64 + 1, Timestamp(instant));
                    let text =
                        format!("{}: row {row}: {time} among stamps that are dates", self.place);
                    Error::data("D303", text).with_hint(
                        "store dates only, or times only; label: end reads midnights as times",
                    )
                })?,
            };
            last = Some((instant, known));
            out.push(known);
        }
        Ok(out.into())
    }

    /// A whole column as the instants that are stored.
    pub(crate) fn instants(&self, array: &ArrayRef, first_row: u64) -> Result<ScalarBuffer<i64>> {
        if array.null_count() > 0 {
            let row = (0..array.len()).find(|i| array.is_null(*i)).unwrap_or(0) as u64;
            return Err(Error::data(
                "D201",
                format!("{}: row {} has no time", self.place, first_row + row + 1),
            )
            .with_hint("every row needs a time; drop or fill the row at its source"));
        }
        if matches!(self.kind, TimeKind::Text) {
            return self.convert_text(array, first_row);
        }
        if let TimeKind::RealInstant { scale } = self.kind {
            return self.convert_reals(array, scale, first_row);
        }
        let values = match array.data_type() {
            DataType::Date32 | DataType::Int32 => {
                let wide = cast(
                    &cast(array, &DataType::Int32).map_err(|e| self.arrow(&e))?,
                    &DataType::Int64,
                )
                .map_err(|e| self.arrow(&e))?;
                wide.as_primitive::<Int64Type>().values().clone()
            }
            _ => {
                let wide = cast(array, &DataType::Int64).map_err(|e| self.arrow(&e))?;
                wide.as_primitive::<Int64Type>().values().clone()
            }
        };
        self.convert_numbers(values, first_row)
    }

    fn convert_numbers(
        &self,
        values: ScalarBuffer<i64>,
        first_row: u64,
    ) -> Result<ScalarBuffer<i64>> {
        let is_utc = self.zone == TimeZone::UTC;
        let scale = match self.kind {
            TimeKind::Instant { scale } => Some(scale),
            TimeKind::Local { scale } if is_utc => Some(scale),
            TimeKind::Date if is_utc => Some(DAY_NS),
            _ => None,
        };
        match scale {
            Some(1) => Ok(values),
            Some(scale) => {
                let (low, high) =
                    values.iter().fold((i64::MAX, i64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
                if !values.is_empty() {
                    self.instant(low)?;
                    self.instant(high)?;
                }
                Ok(values.iter().map(|v| v.wrapping_mul(scale)).collect())
            }
            None => {
                // Rows of one timestamp follow one another, so the last answer is kept.
                let mut last = None;
                let mut out = Vec::with_capacity(values.len());
                for (i, &value) in values.iter().enumerate() {
                    let instant = match last {
                        Some((v, instant)) if v == value => instant,
                        _ => match self.instant(value) {
                            Ok(instant) => instant,
                            Err(_) if self.is_shown_twice(value) => {
                                self.ordered(&values, i, first_row)?
                            }
                            Err(error) => return Err(error),
                        },
                    };
                    last = Some((value, instant));
                    out.push(instant);
                }
                Ok(out.into())
            }
        }
    }

    fn convert_text(&self, array: &ArrayRef, first_row: u64) -> Result<ScalarBuffer<i64>> {
        let text = cast(array, &DataType::Utf8).map_err(|e| self.arrow(&e))?;
        let mut out = Vec::with_capacity(text.len());
        let mut last: Option<(&str, i64)> = None;
        let text = text.as_string::<i32>();
        for (i, value) in text.iter().enumerate() {
            let value = value.unwrap_or("");
            let instant = match last {
                Some((t, instant)) if t == value => instant,
                _ => parse_text(value, &self.zone, self.ambiguous).map(|(ns, _)| ns).map_err(
                    |reason| {
                        let row = first_row + i as u64 + 1;
                        Error::data(
                            "D303",
                            format!("{}: row {row}: {value:?} {reason}", self.place),
                        )
                    },
                )?,
            };
            last = Some((value, instant));
            out.push(instant);
        }
        Ok(out.into())
    }

    /// Whether a stored number is a local time that the clock shows twice.
    fn is_shown_twice(&self, value: i64) -> bool {
        let wall = |ambiguous| Self { ambiguous: Some(ambiguous), ..self.clone() }.instant(value);
        matches!((wall(Ambiguous::First), wall(Ambiguous::Second)), (Ok(a), Ok(b)) if a != b)
    }

    /// The instant of a local time that is shown twice, told by the order of the rows around it:
    /// where the wall clock steps back once, rows before the step come first.
    fn ordered(&self, values: &[i64], at: usize, first_row: u64) -> Result<i64> {
        let from = (0..at).rev().take_while(|&i| self.is_shown_twice(values[i])).last();
        let from = from.unwrap_or(at);
        let to = (at..values.len()).take_while(|&i| self.is_shown_twice(values[i])).last();
        let to = to.unwrap_or(at);
        let mut steps = (from + 1..=to).filter(|&i| values[i] < values[i - 1]);
        let side = match (steps.next(), steps.next()) {
            (Some(step), None) if at < step => Ambiguous::First,
            (Some(_), None) => Ambiguous::Second,
            _ => {
                let row = first_row + at as u64 + 1;
                let TimeKind::Local { scale } = self.kind else {
                    return Err(self.no_instant(values[at]));
                };
                let found = self.no_instant(values[at].saturating_mul(scale));
                let text = format!("row {row}: {}", found.message());
                return Err(Error::data("D303", text).with_hint(
                    "store the times in UTC, or say which is meant: ambiguous: first or second",
                ));
            }
        };
        Self { ambiguous: Some(side), ..self.clone() }.instant(values[at])
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked against the range of i64")]
    fn convert_reals(
        &self,
        array: &ArrayRef,
        scale: i64,
        first_row: u64,
    ) -> Result<ScalarBuffer<i64>> {
        let steps = array.as_primitive::<Float64Type>().values();
        let mut out = Vec::with_capacity(steps.len());
        for (row, &step) in (first_row + 1..).zip(steps) {
            // Whole steps and the rest apart: seconds of this century times 1e9 have more digits
            // than an f64.
            let whole = step.trunc();
            let rest = ((step - whole) * scale as f64).round();
            let ns = (whole.abs() < RANGE_STEPS / scale as f64)
                .then(|| (whole as i64).checked_mul(scale)?.checked_add(rest as i64))
                .flatten();
            out.push(ns.ok_or_else(|| {
                let text = format!("{}: row {row}: {step} is no time in 1678..2262", self.place);
                Error::data("D304", text).with_hint("store the column as a timestamp")
            })?);
        }
        Ok(out.into())
    }

    fn no_instant(&self, local: i64) -> Error {
        let wall = jiff::Timestamp::from_nanosecond(i128::from(local))
            .map(|t| t.to_zoned(TimeZone::UTC).datetime().to_string())
            .unwrap_or_default();
        Error::data(
            "D303",
            format!("{}: local time {wall} does not exist or exists twice", self.place),
        )
        .with_hint("store the times in UTC, or with their offset")
    }

    fn arrow(&self, error: &arrow::error::ArrowError) -> Error {
        Error::data("D101", format!("{}: {error}", self.place))
    }
}

/// Least and greatest raw number of a column of numbers.
#[expect(clippy::cast_possible_truncation, reason = "checked against the range of i64")]
pub(crate) fn number_range(array: &ArrayRef) -> Option<(i64, i64)> {
    let wide = match array.data_type() {
        DataType::Float64 => {
            let steps = array.as_primitive::<Float64Type>();
            let whole = |step: f64| (step.abs() < RANGE_STEPS).then_some(step as i64);
            return Some((whole(min(steps)?)?, whole(max(steps)?)?));
        }
        DataType::Int32 | DataType::Date32 => {
            let narrow = cast(array, &DataType::Int32).ok()?;
            let narrow = narrow.as_primitive::<Int32Type>();
            return Some((i64::from(min(narrow)?), i64::from(max(narrow)?)));
        }
        _ => cast(array, &DataType::Int64).ok()?,
    };
    let wide = wide.as_primitive::<Int64Type>();
    Some((min(wide)?, max(wide)?))
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

/// Nanoseconds of a wall clock to UTC; `None` when no instant shows that time, or two do and none
/// was chosen.
fn to_utc(local: i64, zone: &TimeZone, ambiguous: Option<Ambiguous>) -> Option<i64> {
    if *zone == TimeZone::UTC {
        return Some(local);
    }
    let wall = jiff::Timestamp::from_nanosecond(i128::from(local)).ok()?;
    let wall = wall.to_zoned(TimeZone::UTC).datetime();
    let instant = unambiguous(zone.to_ambiguous_timestamp(wall), ambiguous)?;
    i64::try_from(instant.as_nanosecond()).ok()
}

/// The one instant of a local time; of two the chosen one, `None` when none was.
fn unambiguous(
    local: jiff::tz::AmbiguousTimestamp,
    choice: Option<Ambiguous>,
) -> Option<jiff::Timestamp> {
    match (local.offset(), choice) {
        (AmbiguousOffset::Fold { .. }, Some(Ambiguous::First)) => local.earlier().ok(),
        (AmbiguousOffset::Fold { .. }, Some(Ambiguous::Second)) => local.later().ok(),
        _ => local.unambiguous().ok(),
    }
}

/// ns a step: s < 1e11 <= ms < 1e14 <= us < 1e17 <= ns.
pub(crate) fn unit_of(value: i64) -> i64 {
    match value.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

pub(crate) fn is_date_number(value: i64) -> bool {
    (19_000_101..=22_611_231).contains(&value) && date_of_number(value).is_some()
}

fn date_of_number(value: i64) -> Option<civil::Date> {
    let year = i16::try_from(value / 10_000).ok()?;
    let month = i8::try_from(value / 100 % 100).ok()?;
    let day = i8::try_from(value % 100).ok()?;
    civil::Date::new(year, month, day).ok()
}

fn date_number_ns(value: i64) -> Option<i64> {
    let midnight = date_of_number(value)?.to_zoned(TimeZone::UTC).ok()?;
    i64::try_from(midnight.timestamp().as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{TextForm, parse_text, unit_of};

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

    #[test]
    fn unit_of_when_a_2024_stamp_then_magnitude_decides() {
        for (value, scale) in [
            (1_709_908_200, 1_000_000_000),
            (1_709_908_200_000, 1_000_000),
            (1_709_908_200_000_000, 1_000),
            (1_709_908_200_000_000_000, 1),
        ] {
            assert_eq!(unit_of(value), scale);
        }
    }
}
