//! When a rule that rebalances decides.

use crate::base::{Date, Error, Result};

/// The cycle of a rebalancing rule, without a calendar and without looking ahead.
///
/// A day is a session of the feed's calendar, without one a UTC day, on which the run has a
/// timestamp. Whether a timestamp is the last one of its
/// day, week or month is known only when the next one comes, so each cycle decides at a *first*
/// timestamp; with one timestamp a day that is the day's only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalance {
    /// At the first timestamp of day number d (from 0) where `d % every == phase`.
    Days {
        /// Days of a cycle, at least 1.
        every: u32,
        /// The day of the cycle that decides, below `every`.
        phase: u32,
    },
    /// At the first timestamp of every so many new weeks (from Monday): the weeks before it
    /// are complete. The week in which the run starts decides nothing.
    Weeks {
        /// Weeks of a cycle, at least 1.
        every: u32,
    },
    /// At the first timestamp of each new month , when the month before it has ended. The
    /// month in which the run starts decides nothing.
    MonthEnd,
}

impl Rebalance {
    /// Reads `"1d"`, `"5d"`, `"1w"` or `"month_end"`. `phase` is the day of the cycle that decides,
    /// the last one when left out: `"5d"` decides on rows t with t % 5 == 4 of daily data.
    ///
    /// # Errors
    /// `C312` for anything else, for a phase that is not below the cycle, and for a phase without
    /// days.
    pub fn parse(text: &str, phase: Option<u32>) -> Result<Self> {
        let refuse = || {
            Error::config("C312", format!("rebalance {text:?} is no cycle"))
                .with_hint("write \"1d\", \"5d\", \"1w\" or \"month_end\"")
        };
        let count = |digits: &str| {
            let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let every: u32 = if is_plain { digits.parse().map_err(|_| refuse())? } else { 0 };
            if every == 0 { Err(refuse()) } else { Ok(every) }
        };
        let is_month_end = text == "month_end";
        if let Some(digits) = text.strip_suffix('d').filter(|_| !is_month_end) {
            let every = count(digits)?;
            let phase = phase.unwrap_or(every - 1);
            if phase >= every {
                return Err(Error::config(
                    "C312",
                    format!("phase {phase} is not a day of a cycle of {every}, counted from 0"),
                ));
            }
            return Ok(Self::Days { every, phase });
        }
        let cycle = match text.strip_suffix('w') {
            Some(digits) => Self::Weeks { every: count(digits)? },
            None if is_month_end => Self::MonthEnd,
            None => return Err(refuse()),
        };
        match phase {
            None => Ok(cycle),
            Some(_) => Err(Error::config("C312", format!("rebalance {text:?} has no phase"))
                .with_hint("a phase belongs to cycles of days, such as \"5d\"")),
        }
    }
}

/// Follows the run's timestamps through the cycle.
#[derive(Debug, Clone)]
pub(super) struct RebalanceClock {
    cycle: Rebalance,
    /// The day, week or month of the timestamp before.
    window: Option<i64>,
    /// How many windows came before the present one.
    n_windows: u64,
}

impl RebalanceClock {
    pub(super) fn new(cycle: Rebalance) -> Self {
        Self { cycle, window: None, n_windows: 0 }
    }

    /// Whether the rule decides at a timestamp of this session; asked once each, in time order.
    pub(super) fn is_due(&mut self, session: Date) -> bool {
        let day = i64::from(session.0);
        let window = match self.cycle {
            Rebalance::Days { .. } => day,
            // 1970-01-01 was a Thursday: its week began three days before.
            Rebalance::Weeks { .. } => (day + 3).div_euclid(7),
            Rebalance::MonthEnd => {
                let (year, month) = session.year_month();
                i64::from(year) * 12 + i64::from(month)
            }
        };
        let is_first = self.window.is_none();
        if self.window.replace(window) == Some(window) {
            return false;
        }
        self.n_windows += u64::from(!is_first);
        match self.cycle {
            Rebalance::Days { every, phase } => {
                self.n_windows % u64::from(every) == u64::from(phase)
            }
            Rebalance::Weeks { every } => {
                !is_first && self.n_windows.is_multiple_of(u64::from(every))
            }
            Rebalance::MonthEnd => !is_first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn due(text: &str, phase: Option<u32>, days: &[i32]) -> Vec<usize> {
        let mut clock = RebalanceClock::new(Rebalance::parse(text, phase).expect(text));
        (0..days.len()).filter(|&t| clock.is_due(Date(days[t]))).collect()
    }

    #[test]
    fn is_due_when_one_timestamp_a_day_then_as_counted_by_hand() {
        // 1970-01-01 is a Thursday; days 0..=11, then 31 (February 1st, a Sunday) and 32.
        let days: Vec<i32> = (0..12).chain([31, 32]).collect();
        let all: Vec<usize> = (0..14).collect();
        assert_eq!(due("1d", None, &days), all);
        assert_eq!(due("5d", None, &days), [4, 9]);
        assert_eq!(due("5d", Some(0), &days), [0, 5, 10]);
        // Mondays are days 4 and 11; February 1st opens a new week too late for its Monday.
        assert_eq!(due("1w", None, &days), [4, 11, 12, 13]);
        assert_eq!(due("2w", None, &days), [11, 13]);
        assert_eq!(due("month_end", None, &days), [12]);
    }

    #[test]
    fn is_due_when_intraday_then_the_first_timestamp_of_the_day() {
        let hours: Vec<i32> = (0..72).map(|hour| hour / 24).collect();
        assert_eq!(due("1d", None, &hours), [0, 24, 48]);
        assert_eq!(due("2d", None, &hours), [24]);
    }

    #[test]
    fn parse_when_no_cycle_then_error() {
        for (text, phase) in [
            ("", None),
            ("d", None),
            ("0d", None),
            ("-1d", None),
            ("+1d", None),
            ("monthly", None),
            ("5d", Some(5)),
            ("1w", Some(0)),
        ] {
            assert_eq!(Rebalance::parse(text, phase).expect_err(text).code(), "C312", "{text}");
        }
    }
}
