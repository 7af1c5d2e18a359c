//! Time columns of any type: how stored values become checked nanoseconds UTC.

use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, TimeUnit};
use jiff::tz::TimeZone;

use super::clock::{Clock, Stamps};
use super::known_at::KnownAt;
use super::options::Ambiguous;
use super::time_unit::{date_number_ns, is_date_number, unit_of};
use super::wall_clock::to_utc;
use crate::base::time::DAY_NS;
use crate::base::{Error, Result, Timestamp};

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
    /// Text of one of the forms of [`super::time_text`].
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
    /// Set when bars are not known at their stamps.
    pub(crate) known: Option<KnownAt>,
    /// File and column, for messages.
    pub(crate) place: String,
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
        Self { kind, zone, own_zone, ambiguous, known: None, place }
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
        Ok((first, last))
    }

    /// Stored instants as bars know them.
    pub(crate) fn ends(
        &self,
        instants: ScalarBuffer<i64>,
        first_row: u64,
    ) -> Result<ScalarBuffer<i64>> {
        let Some(rule) = &self.known else { return Ok(instants) };
        let mut last = None;
        let mut out = Vec::with_capacity(instants.len());
        for (i, &instant) in instants.iter().enumerate() {
            let known = match last {
                Some((before, known)) if before == instant => known,
                _ => rule.of(instant).map_err(|reason| {
                    let (row, time) = (first_row + i as u64 + 1, Timestamp(instant));
                    let text = format!("{}: row {row}: {time} {reason}", self.place);
                    Error::data("D303", text).with_hint(match rule {
                        KnownAt::Period { .. } => {
                            "say what the dates name, label: start or label: session; the row of \
                             an unfinished period has to be left out"
                        }
                        _ => "store dates only, or times only; label: end reads midnights as times",
                    })
                })?,
            };
            last = Some((instant, known));
            out.push(known);
        }
        Ok(out.into())
    }
}
