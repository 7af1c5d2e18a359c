//! Portfolio states at the ends of sessions only.

use crate::base::time::DAY_NS;
use crate::engine::States;

/// Keeps the last state of every session (day, UTC) and drops the others.
pub(super) fn keep_session_ends(states: &mut States) {
    let day = |ns: i64| ns.div_euclid(DAY_NS);
    let times = &states.timestamp;
    let is_last = |row: usize| times.get(row + 1).is_none_or(|next| day(*next) != day(times[row]));
    let kept: Vec<usize> = (0..times.len()).filter(|row| is_last(*row)).collect();
    if kept.len() == times.len() {
        return;
    }
    states.timestamp = pick(&states.timestamp, &kept);
    for counts in [&mut states.n_positions, &mut states.n_stale] {
        *counts = pick(counts, &kept);
    }
    let amounts = [
        &mut states.equity,
        &mut states.cash,
        &mut states.positions_value,
        &mut states.gross_exposure,
        &mut states.fees,
        &mut states.unsettled,
        &mut states.margin_used,
        &mut states.buying_power,
        &mut states.funding,
        &mut states.borrow,
        &mut states.interest,
        &mut states.flows,
    ];
    for column in amounts.into_iter().chain(&mut states.context) {
        *column = pick(column, &kept);
    }
}

/// The kept rows; an empty column, which stands for "none anywhere", stays empty.
fn pick<T: Copy>(column: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().filter_map(|row| column.get(*row).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_when_kept_by_session_then_the_last_row_of_each_day() {
        let hour = DAY_NS / 24;
        let mut states = States {
            timestamp: vec![10 * hour, 20 * hour, 30 * hour, 31 * hour, 80 * hour],
            equity: vec![1.0, 2.0, 3.0, 4.0, 5.0],
            n_positions: vec![0, 1, 2, 3, 4],
            context: vec![vec![9.0, 8.0, 7.0, 6.0, 5.0]],
            ..States::default()
        };
        keep_session_ends(&mut states);
        assert_eq!(states.timestamp, [20 * hour, 31 * hour, 80 * hour]);
        assert_eq!(states.equity, [2.0, 4.0, 5.0]);
        assert_eq!(states.n_positions, [1, 3, 4]);
        assert_eq!(states.context, [[8.0, 6.0, 5.0]]);
        assert!(states.funding.is_empty());
    }
}
