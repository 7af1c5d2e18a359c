//! Where a decoded batch is cut into chunks.

use crate::base::time::DAY_NS;
use crate::base::{Error, Result, Timestamp};

/// A cap on the span or the rows of a chunk. It bounds memory; results never depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkLimit {
    /// At most this many rows, yet always whole timestamps and at least one.
    Rows(usize),
    /// At most this many days, cut at midnight UTC.
    Days(u32),
    /// At most this many months, cut at the first of a month UTC.
    Months(u32),
}

impl ChunkLimit {
    /// Reads `"1d"`, `"2w"`, `"1mo"`, `"1y"` or a number of rows.
    ///
    /// # Errors
    /// `C301` for anything else, and for a count of 0.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || {
            Error::config("C301", format!("chunk {text:?} is no length"))
                .with_hint("write a span such as \"1mo\" or \"5d\", or a number of rows")
        };
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(unit_at);
        let count: u32 = digits.parse().ok().filter(|&count| count > 0).ok_or_else(refuse)?;
        let times = |factor: u32| count.checked_mul(factor).ok_or_else(refuse);
        match unit {
            "" => Ok(Self::Rows(count as usize)),
            "d" => Ok(Self::Days(count)),
            "w" => Ok(Self::Days(times(7)?)),
            "mo" => Ok(Self::Months(count)),
            "y" => Ok(Self::Months(times(12)?)),
            _ => Err(refuse()),
        }
    }

    /// The timestamp indices at which a chunk starts, without the first, given the row offsets.
    pub(super) fn cuts(self, timestamps: &[i64], offsets: &[u32]) -> Vec<usize> {
        let mut cuts = Vec::new();
        match self {
            Self::Rows(limit) => {
                let mut first = 0;
                for t in 1..timestamps.len() {
                    let rows = offsets[t + 1] - offsets[first];
                    if rows as usize > limit {
                        cuts.push(t);
                        first = t;
                    }
                }
            }
            Self::Days(days) => {
                cut_where_changes(timestamps, &mut cuts, |now| {
                    now.div_euclid(DAY_NS).div_euclid(i64::from(days))
                });
            }
            Self::Months(months) => {
                cut_where_changes(timestamps, &mut cuts, |now| {
                    let (year, month, _) = Timestamp(now).utc_date();
                    (i64::from(year) * 12 + i64::from(month) - 1).div_euclid(i64::from(months))
                });
            }
        }
        cuts
    }
}

fn cut_where_changes(timestamps: &[i64], cuts: &mut Vec<usize>, window: impl Fn(i64) -> i64) {
    let mut current = timestamps.first().map(|&now| window(now));
    for (t, &now) in timestamps.iter().enumerate().skip(1) {
        let next = Some(window(now));
        if next != current {
            cuts.push(t);
            current = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_when_given_spans_and_rows_then_the_limit() {
        for (text, limit) in [
            ("1mo", ChunkLimit::Months(1)),
            ("2y", ChunkLimit::Months(24)),
            ("1d", ChunkLimit::Days(1)),
            ("1w", ChunkLimit::Days(7)),
            ("4096", ChunkLimit::Rows(4096)),
        ] {
            assert_eq!(ChunkLimit::parse(text).expect(text), limit, "{text}");
        }
        for text in ["", "0", "0d", "1h", "mo", "-1d", "1.5d", "99999999999"] {
            assert_eq!(ChunkLimit::parse(text).expect_err(text).code(), "C301", "{text}");
        }
    }

    #[test]
    fn cuts_when_rows_or_spans_are_capped_then_whole_timestamps() {
        // Timestamps on days 0, 1, 31 (February), with 2, 1 and 3 rows.
        let timestamps = [0, DAY_NS, 31 * DAY_NS];
        let offsets = [0, 2, 3, 6];
        let cuts = |limit: ChunkLimit| limit.cuts(&timestamps, &offsets);
        assert_eq!(cuts(ChunkLimit::Rows(1)), [1, 2]);
        assert_eq!(cuts(ChunkLimit::Rows(3)), [2]);
        assert_eq!(cuts(ChunkLimit::Rows(6)), [] as [usize; 0]);
        assert_eq!(cuts(ChunkLimit::Days(1)), [1, 2]);
        assert_eq!(cuts(ChunkLimit::Days(7)), [2]);
        assert_eq!(cuts(ChunkLimit::Months(1)), [2]);
    }
}
