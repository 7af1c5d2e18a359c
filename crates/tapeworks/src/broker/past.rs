//! What the rows before the present one say: volatility, mean volume, the last volume.

use crate::base::AssetId;

/// The closes and volumes of the last rows of every asset.
///
/// The broker pushes a row after it has ended, so that at row t only earlier rows are seen.
///
/// Shape: one ring of `rows` closes and volumes an asset, allocated at once; none for 0 rows.
///
/// Cost: 16 bytes a row of an asset; a push is two stores, a figure one pass over its rows.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Rows kept of an asset.
    rows: usize,
    periods_per_year: f64,
    /// Rings of closes, asset after asset.
    closes: Vec<f64>,
    /// Rings of volumes, asset after asset.
    volumes: Vec<f64>,
    /// Rows pushed so far, by asset.
    n_pushed: Vec<usize>,
}

impl Past {
    /// Room for `rows` rows of each of `n_assets` assets: the most that any model looks at.
    ///
    /// Units: `periods_per_year` is rows a year, such as 252 for the days of a stock exchange.
    #[must_use]
    pub fn new(n_assets: usize, rows: usize, periods_per_year: f64) -> Self {
        let n_assets = if rows == 0 { 0 } else { n_assets };
        Self {
            rows,
            periods_per_year,
            closes: vec![f64::NAN; n_assets * rows],
            volumes: vec![f64::NAN; n_assets * rows],
            n_pushed: vec![0; n_assets],
        }
    }

    /// Whether nothing is kept, so that pushes may be left out.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row that has ended.
    ///
    /// Missing: a row without a close is no row; one without a volume is, and makes the mean
    /// unknown as long as it is looked at.
    #[inline]
    pub fn push(&mut self, asset: AssetId, close: f64, volume: f64) {
        if self.is_off() || !close.is_finite() {
            return;
        }
        let n_pushed = &mut self.n_pushed[asset.index()];
        let at = asset.index() * self.rows + *n_pushed % self.rows;
        self.closes[at] = close;
        self.volumes[at] = volume;
        *n_pushed += 1;
    }

    /// Restates the rows of an asset after a split: one old unit is `ratio` new ones.
    pub fn split(&mut self, asset: AssetId, ratio: f64) {
        if self.is_off() {
            return;
        }
        let ring = asset.index() * self.rows..(asset.index() + 1) * self.rows;
        for close in &mut self.closes[ring.clone()] {
            *close /= ratio;
        }
        for volume in &mut self.volumes[ring] {
            *volume *= ratio;
        }
    }

    /// Yearly volatility: the standard deviation (ddof 1) of the log returns between the last
    /// `rows` closes, times the root of the periods a year.
    ///
    /// Missing: NaN below `rows` rows or below 3, and where a price is not above 0.
    #[must_use]
    pub fn sigma(&self, asset: AssetId, rows: usize) -> f64 {
        if rows < 3 || !self.has(asset, rows) {
            return f64::NAN;
        }
        let n_returns = (rows - 1) as f64;
        let returns = || {
            let closes = self.last(&self.closes, asset, rows);
            closes.clone().skip(1).zip(closes).map(|(close, before)| (close / before).ln())
        };
        let mean = returns().sum::<f64>() / n_returns;
        let squares: f64 = returns().map(|r| (r - mean) * (r - mean)).sum();
        (squares / (n_returns - 1.0)).sqrt() * self.periods_per_year.sqrt()
    }

    /// Mean of the last `rows` volumes.
    ///
    /// Missing: NaN below `rows` rows, for 0 rows, and where a volume is.
    #[must_use]
    pub fn adv(&self, asset: AssetId, rows: usize) -> f64 {
        if rows == 0 || !self.has(asset, rows) {
            return f64::NAN;
        }
        self.last(&self.volumes, asset, rows).sum::<f64>() / rows as f64
    }

    /// Volume of the last row.
    ///
    /// Missing: NaN before the first one.
    #[must_use]
    pub fn previous_volume(&self, asset: AssetId) -> f64 {
        if !self.has(asset, 1) {
            return f64::NAN;
        }
        self.last(&self.volumes, asset, 1).next().unwrap_or(f64::NAN)
    }

    /// Whether so many rows of an asset are kept and known.
    fn has(&self, asset: AssetId, rows: usize) -> bool {
        debug_assert!(rows <= self.rows, "a model looks at more rows than are kept");
        rows <= self.rows && self.n_pushed.get(asset.index()).is_some_and(|&n| n >= rows)
    }

    /// The last `rows` figures of an asset, the oldest first.
    fn last<'a>(
        &self,
        rings: &'a [f64],
        asset: AssetId,
        rows: usize,
    ) -> impl Iterator<Item = f64> + Clone + 'a {
        let (capacity, n_pushed) = (self.rows, self.n_pushed[asset.index()]);
        let ring = &rings[asset.index() * capacity..][..capacity];
        (n_pushed - rows..n_pushed).map(move |at| ring[at % capacity])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: AssetId = AssetId(1);

    /// The volatilities are those of `numpy`: `diff(log(closes)).std(ddof=1) * sqrt(252)`.
    #[test]
    fn figures_when_rows_arrive_then_those_of_the_last_rows() {
        let nan = f64::NAN;
        let mut past = Past::new(2, 4, 252.0);
        // close and volume pushed; then sigma of 4, mean volume of 2 and of 4, last volume
        for (close, volume, sigma, adv_2, adv_4, previous) in [
            (100.0, 10.0, nan, nan, nan, 10.0),
            (101.0, 20.0, nan, 15.0, nan, 20.0),
            (nan, 70.0, nan, 15.0, nan, 20.0),
            (99.0, 60.0, nan, 40.0, nan, 60.0),
            (102.5, 30.0, 0.435_156_501_440_945_8, 45.0, 30.0, 30.0),
            (103.0, nan, 0.435_120_070_503_351_66, nan, nan, nan),
        ] {
            past.push(ONE, close, volume);
            let got =
                [past.sigma(ONE, 4), past.adv(ONE, 2), past.adv(ONE, 4), past.previous_volume(ONE)];
            for (got, want) in got.iter().zip([sigma, adv_2, adv_4, previous]) {
                let is_near = (got - want).abs() <= 1e-14 || (got.is_nan() && want.is_nan());
                assert!(is_near, "close {close}: {got}, not {want}");
            }
        }
        assert!(past.sigma(AssetId(0), 4).is_nan(), "each asset has its own past");
    }

    #[test]
    fn sigma_when_prices_grow_evenly_or_are_not_positive_then_zero_or_unknown() {
        let mut past = Past::new(2, 3, 252.0);
        for close in [1.0, 2.0, 4.0] {
            past.push(ONE, close, 1.0);
        }
        assert_eq!(past.sigma(ONE, 3), 0.0);
        past.push(ONE, -1.0, 1.0);
        assert!(past.sigma(ONE, 3).is_nan());
        assert!(past.sigma(ONE, 2).is_nan(), "one return has no deviation");
    }

    #[test]
    fn past_when_no_model_looks_back_then_nothing_is_kept() {
        let mut past = Past::new(1_000, 0, 252.0);
        past.push(ONE, 1.0, 1.0);
        assert!(past.is_off() && past.closes.capacity() == 0 && past.n_pushed.capacity() == 0);
    }
}
