//! Time-series state of an expression: windows and lags per asset, over the asset's own rows.
//!
//! A window of `w` rows is kept as two stacks in one block of `w` cells: the current rows, added up
//! from the front, and the suffixes of the block before. A window is one suffix joined with one
//! prefix, so a row costs O(1) amortised and nothing is ever subtracted: a huge or missing value
//! that has left the window leaves no trace, which running sums cannot promise.

/// What a window gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeriesKind {
    Sum,
    Mean,
    Std,
    Min,
    Max,
    Delay,
}

/// The state of one time-series function.
#[derive(Debug, Clone)]
pub(super) enum Series {
    Sum(Windows<CompensatedSum>),
    Mean(Windows<CompensatedSum>),
    Std(Windows<Spread>),
    Min(Windows<Least>),
    Max(Windows<Greatest>),
    Delay(Lags),
}

impl Series {
    pub(super) fn new(kind: SeriesKind, rows: usize) -> Self {
        assert!(rows > 0, "a window of no rows is folded away when compiling");
        match kind {
            SeriesKind::Sum => Self::Sum(Windows::new(rows)),
            SeriesKind::Mean => Self::Mean(Windows::new(rows)),
            SeriesKind::Std => Self::Std(Windows::new(rows)),
            SeriesKind::Min => Self::Min(Windows::new(rows)),
            SeriesKind::Max => Self::Max(Windows::new(rows)),
            SeriesKind::Delay => Self::Delay(Lags::new(rows)),
        }
    }

    /// How many earlier rows a value may depend on.
    pub(super) fn lookback(&self) -> usize {
        match self {
            Self::Sum(windows) | Self::Mean(windows) => windows.rows,
            Self::Std(windows) => windows.rows,
            Self::Min(windows) => windows.rows,
            Self::Max(windows) => windows.rows,
            Self::Delay(lags) => lags.rows,
        }
    }

    /// Forgets the rows of an asset.
    pub(super) fn forget(&mut self, asset: usize) {
        match self {
            Self::Sum(windows) | Self::Mean(windows) => windows.forget(asset),
            Self::Std(windows) => windows.forget(asset),
            Self::Min(windows) => windows.forget(asset),
            Self::Max(windows) => windows.forget(asset),
            Self::Delay(lags) => lags.forget(asset),
        }
    }

    /// Pushes one value for each asset, in row order, and appends the result of each.
    pub(super) fn push(
        &mut self,
        assets: &[u32],
        values: impl Iterator<Item = f64>,
        out: &mut Vec<f64>,
    ) {
        // Ids ascend within a timestamp: the last one is the largest.
        let n_assets = assets.last().map_or(0, |&last| last as usize + 1);
        let rows = assets.iter().map(|&asset| asset as usize).zip(values);
        match self {
            Self::Sum(windows) => {
                windows.reserve(n_assets);
                out.extend(rows.map(|(asset, x)| windows.push(asset, x, CompensatedSum::total)));
            }
            Self::Mean(windows) => {
                windows.reserve(n_assets);
                let n = windows.rows as f64;
                out.extend(rows.map(|(asset, x)| windows.push(asset, x, |sum| sum.total() / n)));
            }
            Self::Std(windows) => {
                windows.reserve(n_assets);
                out.extend(rows.map(|(asset, x)| windows.push(asset, x, Spread::sample_std)));
            }
            Self::Min(windows) => {
                windows.reserve(n_assets);
                out.extend(rows.map(|(asset, x)| windows.push(asset, x, |least| least.0)));
            }
            Self::Max(windows) => {
                windows.reserve(n_assets);
                out.extend(rows.map(|(asset, x)| windows.push(asset, x, |greatest| greatest.0)));
            }
            Self::Delay(lags) => {
                lags.reserve(n_assets);
                out.extend(rows.map(|(asset, x)| lags.push(asset, x)));
            }
        }
    }
}

/// What a window keeps of its values. A missing value makes every part that holds it missing.
pub(super) trait Part: Copy {
    /// The part of one value.
    fn of(value: f64) -> Self;
    /// The part of `self`'s rows and then `later`'s.
    fn join(self, later: Self) -> Self;
}

/// Windows of the same length, one an asset.
#[derive(Debug, Clone)]
pub(super) struct Windows<P> {
    rows: usize,
    heads: Vec<Head<P>>,
    /// A block of `rows` cells an asset: single values before the head, suffixes from it on.
    cells: Vec<P>,
}

#[derive(Debug, Clone)]
struct Head<P> {
    /// Rows in the current block.
    filled: usize,
    /// Whether a whole block has passed.
    is_warm: bool,
    /// All rows of the current block.
    prefix: P,
}

impl<P: Part> Windows<P> {
    fn new(rows: usize) -> Self {
        Self { rows, heads: Vec::new(), cells: Vec::new() }
    }

    fn reserve(&mut self, n_assets: usize) {
        if n_assets > self.heads.len() {
            let missing = P::of(f64::NAN);
            self.heads.resize(n_assets, Head { filled: 0, is_warm: false, prefix: missing });
            self.cells.resize(n_assets * self.rows, missing);
        }
    }

    fn forget(&mut self, asset: usize) {
        if let Some(head) = self.heads.get_mut(asset) {
            let missing = P::of(f64::NAN);
            *head = Head { filled: 0, is_warm: false, prefix: missing };
            self.cells[asset * self.rows..(asset + 1) * self.rows].fill(missing);
        }
    }

    /// The result over the last `rows` values including this one; NaN while there are fewer.
    #[inline]
    fn push(&mut self, asset: usize, value: f64, result: impl Fn(P) -> f64) -> f64 {
        let head = &mut self.heads[asset];
        let cells = &mut self.cells[asset * self.rows..(asset + 1) * self.rows];
        let part = P::of(value);
        cells[head.filled] = part;
        head.prefix = if head.filled == 0 { part } else { head.prefix.join(part) };
        head.filled += 1;
        if head.filled < self.rows {
            if !head.is_warm {
                return f64::NAN;
            }
            return finite(result(cells[head.filled].join(head.prefix)));
        }
        for idx in (1..cells.len()).rev() {
            cells[idx - 1] = cells[idx - 1].join(cells[idx]);
        }
        head.filled = 0;
        head.is_warm = true;
        finite(result(head.prefix))
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// A sum in two parts: the rounded sum and what rounding lost (Knuth's two-sum).
#[derive(Debug, Clone, Copy)]
pub(super) struct CompensatedSum {
    high: f64,
    low: f64,
}

impl CompensatedSum {
    fn total(self) -> f64 {
        self.high + self.low
    }
}

impl Part for CompensatedSum {
    fn of(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }

    fn join(self, later: Self) -> Self {
        let high = self.high + later.high;
        let moved = high - self.high;
        let lost = (self.high - (high - moved)) + (later.high - moved);
        Self { high, low: self.low + later.low + lost }
    }
}

/// Count, mean and sum of squared deviations; joined as in Chan, Golub and `LeVeque` (1983).
///
/// The mean is kept as an offset from the oldest value, so that the level of a series costs no
/// digits, and equal values give exactly 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    n: f64,
    oldest: f64,
    mean_offset: f64,
    squares: f64,
}

impl Spread {
    fn sample_std(self) -> f64 {
        (self.squares / (self.n - 1.0)).sqrt()
    }
}

impl Part for Spread {
    fn of(value: f64) -> Self {
        // A missing value must reach the squares of every part that it joins.
        let none = if value.is_nan() { f64::NAN } else { 0.0 };
        Self { n: 1.0, oldest: value, mean_offset: none, squares: none }
    }

    fn join(self, later: Self) -> Self {
        let n = self.n + later.n;
        let delta = (later.oldest - self.oldest) + (later.mean_offset - self.mean_offset);
        let share = later.n / n;
        Self {
            n,
            oldest: self.oldest,
            mean_offset: self.mean_offset + delta * share,
            squares: self.squares + later.squares + delta * delta * self.n * share,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Least(f64);

#[derive(Debug, Clone, Copy)]
pub(super) struct Greatest(f64);

impl Part for Least {
    fn of(value: f64) -> Self {
        Self(value)
    }

    fn join(self, later: Self) -> Self {
        // A missing value on either side wins.
        Self(if later.0 < self.0 || later.0.is_nan() { later.0 } else { self.0 })
    }
}

impl Part for Greatest {
    fn of(value: f64) -> Self {
        Self(value)
    }

    fn join(self, later: Self) -> Self {
        Self(if later.0 > self.0 || later.0.is_nan() { later.0 } else { self.0 })
    }
}

/// The last `rows` values of each asset.
#[derive(Debug, Clone)]
pub(super) struct Lags {
    rows: usize,
    next: Vec<usize>,
    values: Vec<f64>,
}

impl Lags {
    fn new(rows: usize) -> Self {
        Self { rows, next: Vec::new(), values: Vec::new() }
    }

    fn reserve(&mut self, n_assets: usize) {
        if n_assets > self.next.len() {
            self.next.resize(n_assets, 0);
            self.values.resize(n_assets * self.rows, f64::NAN);
        }
    }

    fn forget(&mut self, asset: usize) {
        if let Some(next) = self.next.get_mut(asset) {
            *next = 0;
            self.values[asset * self.rows..(asset + 1) * self.rows].fill(f64::NAN);
        }
    }

    /// The value `rows` rows ago; NaN while there is none.
    #[inline]
    fn push(&mut self, asset: usize, value: f64) -> f64 {
        let at = self.next[asset];
        let before = std::mem::replace(&mut self.values[asset * self.rows + at], value);
        self.next[asset] = if at + 1 == self.rows { 0 } else { at + 1 };
        before
    }
}
