//! The median of the last values of a symbol.

/// The last `N` values pushed.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastValues<const N: usize> {
    n: u32,
    values: [f64; N],
}

impl<const N: usize> LastValues<N> {
    pub(super) const EMPTY: Self = Self { n: 0, values: [f64::NAN; N] };

    pub(super) fn push(&mut self, value: f64) {
        self.values[self.n as usize % N] = value;
        self.n = self.n.wrapping_add(1);
    }

    /// How many values there are, and their median; `None` when there are fewer than `from`.
    pub(super) fn median(&self, from: usize) -> Option<(usize, f64)> {
        let n = (self.n as usize).min(N);
        if n < from.max(1) {
            return None;
        }
        let mut sorted = self.values;
        let sorted = &mut sorted[..n];
        sorted.sort_unstable_by(f64::total_cmp);
        Some((n, f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2])))
    }
}

#[cfg(test)]
mod tests {
    use super::LastValues;

    #[test]
    fn median_when_values_leave_the_window_then_only_the_last_count() {
        let mut last = LastValues::<3>::EMPTY;
        // pushed, (number of values, their median) by hand; none below two values
        let rows = [
            (9.0, None),
            (1.0, Some((2, 5.0))),
            (2.0, Some((3, 2.0))),
            (4.0, Some((3, 2.0))),
            (8.0, Some((3, 4.0))),
        ];
        for (value, expected) in rows {
            last.push(value);
            assert_eq!(last.median(2), expected, "after {value}");
        }
    }
}
