//! The rows that the level `fast` checks: 1,000 of each file, by their number in the file alone, so
//! that they do not depend on how the file is stored.

/// Rows of a file that are checked.
pub(crate) const SAMPLE_ROWS: u64 = 1_000;
const FIRST_ROWS: u64 = 334;
const OTHER_ROWS: u64 = 333;

/// The first rows, rows from a seeded place between, and the last rows: 0-based, half-open,
/// ascending. A file of at most 1,000 rows is taken whole.
pub(crate) fn ranges(n_rows: u64) -> Vec<(u64, u64)> {
    if n_rows <= SAMPLE_ROWS {
        return vec![(0, n_rows)];
    }
    let room = n_rows - FIRST_ROWS - 2 * OTHER_ROWS;
    let middle = FIRST_ROWS + mixed(n_rows) % (room + 1);
    vec![(0, FIRST_ROWS), (middle, middle + OTHER_ROWS), (n_rows - OTHER_ROWS, n_rows)]
}

/// The finaliser of splitmix64: near counts get far places.
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::{SAMPLE_ROWS, ranges};

    #[test]
    fn ranges_when_the_file_is_long_then_disjoint_and_a_thousand_rows() {
        for n in [0, 1, 999, 1_000, 1_001, 1_002, 5_000, 24_570_000] {
            let ranges = ranges(n);
            assert_eq!(ranges.iter().map(|(a, b)| b - a).sum::<u64>(), n.min(SAMPLE_ROWS));
            assert!(ranges.windows(2).all(|w| w[0].1 <= w[1].0), "{n}: {ranges:?}");
            assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, n));
        }
    }
}
