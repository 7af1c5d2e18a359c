//! The last n values of a series, oldest first.

/// A ring of the newest `n` values.
#[derive(Debug, Clone)]
pub(super) struct Window {
    values: Vec<f64>,
    next: usize,
    len: usize,
}

impl Window {
    pub(super) fn new(n: usize) -> Self {
        assert!(n > 0);
        Self { values: vec![0.0; n], next: 0, len: 0 }
    }

    /// Adds a value, in place of the oldest when the window is full; says whether it is full now.
    pub(super) fn push(&mut self, value: f64) -> bool {
        self.values[self.next] = value;
        self.next = if self.next + 1 == self.values.len() { 0 } else { self.next + 1 };
        self.len = (self.len + 1).min(self.values.len());
        self.len == self.values.len()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The values, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        let (old, new) = if self.len < self.values.len() {
            (&self.values[..self.len], &self.values[..0])
        } else {
            (&self.values[self.next..], &self.values[..self.next])
        };
        old.iter().chain(new).copied()
    }

    /// The newest `n` values, oldest first; the window holds as many.
    pub(super) fn newest(&self, n: usize) -> impl Iterator<Item = f64> + '_ {
        self.iter().skip(self.len - n)
    }

    /// The oldest value of a full window.
    pub(super) fn oldest(&self) -> f64 {
        debug_assert_eq!(self.len, self.values.len());
        self.values[self.next]
    }

    /// The mean; summed anew, oldest first, so that no error is carried from row to row.
    pub(super) fn mean(&self) -> f64 {
        self.iter().sum::<f64>() / self.len as f64
    }

    /// The sum of squared distances from `mean`.
    pub(super) fn squares_about(&self, mean: f64) -> f64 {
        self.iter().map(|value| (value - mean) * (value - mean)).sum()
    }

    pub(super) fn highest(&self) -> f64 {
        self.iter().fold(f64::NEG_INFINITY, f64::max)
    }

    pub(super) fn lowest(&self) -> f64 {
        self.iter().fold(f64::INFINITY, f64::min)
    }
}
