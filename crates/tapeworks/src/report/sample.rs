//! Which rows of a long series to draw so that no extreme is lost.

/// Rows worth drawing, ascending: all of them up to `max_rows`, else the first, the last, and in
/// each of equally long runs of rows the edges and each column's lowest and highest row.
///
/// Shape: every column has `n_rows` values. Missing: a NaN is never an extreme.
/// Cost: one pass over each column.
#[must_use]
pub fn rows_to_draw(n_rows: usize, columns: &[&[f64]], max_rows: usize) -> Vec<usize> {
    if n_rows <= max_rows {
        return (0..n_rows).collect();
    }
    // a bucket keeps at most its two edges and two extremes a column
    let kept_a_bucket = 2 + 2 * columns.len();
    let n_buckets = (max_rows / kept_a_bucket).max(1);
    let mut rows = Vec::with_capacity(n_buckets * kept_a_bucket);
    let mut kept = Vec::with_capacity(kept_a_bucket);
    for bucket in 0..n_buckets {
        let start = bucket * n_rows / n_buckets;
        let end = (bucket + 1) * n_rows / n_buckets;
        kept.clear();
        kept.extend([start, end - 1]);
        for column in columns {
            kept.extend(extremes(&column[start..end]).into_iter().flatten().map(|i| start + i));
        }
        kept.sort_unstable();
        kept.dedup();
        rows.extend_from_slice(&kept);
    }
    rows
}

/// Positions of the lowest and the highest value.
fn extremes(values: &[f64]) -> [Option<usize>; 2] {
    let mut low: Option<usize> = None;
    let mut high: Option<usize> = None;
    for (i, &value) in values.iter().enumerate() {
        if value.is_nan() {
            continue;
        }
        if low.is_none_or(|l| value < values[l]) {
            low = Some(i);
        }
        if high.is_none_or(|h| value > values[h]) {
            high = Some(i);
        }
    }
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_when_few_then_all_are_drawn() {
        assert_eq!(rows_to_draw(3, &[&[1.0, 2.0, 3.0]], 3), [0, 1, 2]);
        assert!(rows_to_draw(0, &[&[]], 10).is_empty());
    }

    #[test]
    fn rows_when_many_then_single_spikes_survive_within_the_budget() {
        let n = 100_003;
        let mut spiky = vec![0.0; n];
        let mut other = vec![f64::NAN; n];
        let spikes = [7, 50_001, 77_777, n - 2];
        for (k, &i) in spikes.iter().enumerate() {
            spiky[i] = if k % 2 == 0 { 5.0 } else { -5.0 };
        }
        other[12_345] = 1.0;
        let rows = rows_to_draw(n, &[&spiky, &other], 4_000);
        assert!(rows.len() <= 4_000);
        assert!(rows.windows(2).all(|w| w[0] < w[1]));
        assert_eq!((rows[0], rows[rows.len() - 1]), (0, n - 1));
        for i in spikes.into_iter().chain([12_345]) {
            assert!(rows.binary_search(&i).is_ok(), "row {i}");
        }
    }
}
