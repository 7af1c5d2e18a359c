//! What rows of signals and context carry besides their values: when they were available, and where
//! they stand in their files.
//!
//! Blocks hold f64 columns alone, so instants travel as two whole numbers, days and nanoseconds of
//! the day, and places as file and row: all of them below 2^53 and therefore exact.

use arrow::buffer::ScalarBuffer;

use super::block::Block;
use super::merge::Rows;
use super::options::RowFacts;
use crate::base::time::DAY_NS;

/// Columns behind the values of every joined table: file and row.
pub(crate) const N_PLACES: usize = 2;
/// Columns behind the values where the table says when its rows were available.
pub(crate) const N_HALVES: usize = 2;

/// Instants as days and nanoseconds of the day.
pub(crate) fn halves(instants: &[i64]) -> [ScalarBuffer<f64>; 2] {
    [
        instants.iter().map(|ns| ns.div_euclid(DAY_NS) as f64).collect(),
        instants.iter().map(|ns| ns.rem_euclid(DAY_NS) as f64).collect(),
    ]
}

/// Adds file and row to a block.
pub(crate) fn with_places(mut block: Block) -> Block {
    let n = block.len();
    let rows: Vec<f64> = (0..n).map(|i| block.row(i) as f64).collect();
    block.columns.push(vec![f64::from(block.file); n].into());
    block.columns.push(rows.into());
    block
}

/// Takes the carried columns off the rows of a whole table.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53")]
#[expect(clippy::cast_sign_loss, reason = "files and rows count from 0")]
pub(crate) fn take_facts(rows: &mut Rows, has_available_at: bool, facts: &mut RowFacts) {
    let mut pop = || rows.columns.pop().expect("the reader added the column");
    let (row, file) = (pop(), pop());
    facts.places = file.iter().zip(&row).map(|(file, row)| (*file as u32, *row as u64)).collect();
    if has_available_at {
        let (ns, days) = (pop(), pop());
        // The first day of i64 begins before it: the product wraps, the sum wraps back.
        let whole =
            |(days, ns): (&f64, &f64)| (*days as i64).wrapping_mul(DAY_NS).wrapping_add(*ns as i64);
        facts.available_at = Some(days.iter().zip(&ns).map(whole).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_when_put_together_then_every_nanosecond_is_there() {
        let instants = [i64::MIN, -1, 0, 1, 1_709_908_200_000_000_001, i64::MAX];
        let [days, ns] = halves(&instants);
        let one = vec![0.0; instants.len()];
        let columns = vec![days.to_vec(), ns.to_vec(), one.clone(), vec![7.0; instants.len()]];
        let mut rows = Rows::default();
        rows.columns = columns;
        let mut facts = RowFacts::default();
        take_facts(&mut rows, true, &mut facts);
        assert_eq!(facts.available_at.expect("halves were there"), instants);
        assert_eq!(facts.places[0], (0, 7));
        assert!(rows.columns.is_empty());
    }
}
