//! True range, directional movement, the parabolic stop.

use super::averages::Ema;
use super::kernel::{Kernel, Row};

/// Wilder's mean of the true range; the first row has none.
#[derive(Debug, Clone)]
struct TrueRange {
    n: usize,
    before: Option<f64>,
    n_seen: usize,
    value: f64,
}

impl TrueRange {
    fn new(n: usize) -> Self {
        Self { n, before: None, n_seen: 0, value: 0.0 }
    }

    fn next(&mut self, row: &Row) -> Option<f64> {
        let before = self.before.replace(row.close)?;
        let range = row.high.max(before) - row.low.min(before);
        let n = self.n as f64;
        if self.n_seen < self.n {
            self.n_seen += 1;
            self.value += range;
            if self.n_seen < self.n {
                return None;
            }
            self.value /= n;
        } else {
            self.value = (self.value * (n - 1.0) + range) / n;
        }
        Some(self.value)
    }
}

/// In units of price.
#[derive(Debug, Clone)]
pub(super) struct Atr(TrueRange);

impl Atr {
    pub(super) fn new(n: usize) -> Self {
        Self(TrueRange::new(n))
    }
}

impl Kernel for Atr {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(range) = self.0.next(row) {
            out[0] = range;
        }
    }
}

/// In percent of the close.
#[derive(Debug, Clone)]
pub(super) struct Natr(TrueRange);

impl Natr {
    pub(super) fn new(n: usize) -> Self {
        Self(TrueRange::new(n))
    }
}

impl Kernel for Natr {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(range) = self.0.next(row) {
            out[0] = 100.0 * range / row.close;
        }
    }
}

/// Exponential mean of the close, k true ranges to either side.
#[derive(Debug, Clone)]
pub(super) struct Keltner {
    mean: Ema,
    range: TrueRange,
    k: f64,
}

impl Keltner {
    pub(super) fn new(n: usize, k: f64) -> Self {
        Self { mean: Ema::new(n), range: TrueRange::new(n), k }
    }
}

impl Kernel for Keltner {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let (Some(mean), Some(range)) = (self.mean.next(row.close), self.range.next(row)) {
            out.copy_from_slice(&[mean + self.k * range, mean, mean - self.k * range]);
        }
    }
}

/// Wilder's sums of upward and downward movement and of the true range.
#[derive(Debug, Clone)]
struct Movement {
    n: usize,
    before: Option<Row>,
    n_seen: usize,
    up: f64,
    down: f64,
    range: f64,
}

impl Movement {
    fn new(n: usize) -> Self {
        Self { n, before: None, n_seen: 0, up: 0.0, down: 0.0, range: 0.0 }
    }

    /// (plus, minus) in percent of the range; 0 without a range.
    fn next(&mut self, row: &Row) -> Option<(f64, f64)> {
        let before = self.before.replace(*row)?;
        let (up, down) = (row.high - before.high, before.low - row.low);
        let range = row.high.max(before.close) - row.low.min(before.close);
        let n = self.n as f64;
        self.n_seen += 1;
        // The seed is the sum of n - 1 rows; row n is the first one that is smoothed in.
        if self.n_seen >= self.n {
            self.up -= self.up / n;
            self.down -= self.down / n;
            self.range -= self.range / n;
        }
        if down > 0.0 && up < down {
            self.down += down;
        } else if up > 0.0 && up > down {
            self.up += up;
        }
        self.range += range;
        let share = |sum: f64| if self.range == 0.0 { 0.0 } else { 100.0 * sum / self.range };
        (self.n_seen >= self.n).then(|| (share(self.up), share(self.down)))
    }
}

/// One side of the movement.
#[derive(Debug, Clone)]
pub(super) struct Di {
    movement: Movement,
    is_plus: bool,
}

impl Di {
    pub(super) fn plus(n: usize) -> Self {
        Self { movement: Movement::new(n), is_plus: true }
    }

    pub(super) fn minus(n: usize) -> Self {
        Self { movement: Movement::new(n), is_plus: false }
    }
}

impl Kernel for Di {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((plus, minus)) = self.movement.next(row) {
            out[0] = if self.is_plus { plus } else { minus };
        }
    }
}

/// Wilder's mean of how one-sided the movement is.
#[derive(Debug, Clone)]
pub(super) struct Adx {
    movement: Movement,
    n_seen: usize,
    value: f64,
}

impl Adx {
    pub(super) fn new(n: usize) -> Self {
        Self { movement: Movement::new(n), n_seen: 0, value: 0.0 }
    }
}

impl Kernel for Adx {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let Some((plus, minus)) = self.movement.next(row) else { return };
        let both = plus + minus;
        let one_sided = (both != 0.0).then(|| 100.0 * (plus - minus).abs() / both);
        let (n, n_rows) = (self.movement.n as f64, self.movement.n);
        if self.n_seen < n_rows {
            self.n_seen += 1;
            self.value += one_sided.unwrap_or(0.0);
            if self.n_seen < n_rows {
                return;
            }
            self.value /= n;
        } else if let Some(one_sided) = one_sided {
            self.value = (self.value * (n - 1.0) + one_sided) / n;
        }
        out[0] = self.value;
    }
}

/// The parabolic stop: behind the trend, faster with each new extreme.
#[derive(Debug, Clone)]
pub(super) struct Sar {
    step: f64,
    most: f64,
    before: Option<(f64, f64)>,
    trend: Option<Trend>,
}

#[derive(Debug, Clone)]
struct Trend {
    is_long: bool,
    stop: f64,
    extreme: f64,
    speed: f64,
}

impl Sar {
    pub(super) fn new(step: f64, most: f64) -> Self {
        Self { step: step.min(most), most, before: None, trend: None }
    }

    /// The first direction: short when the second row went further down than up.
    fn start(&self, (high, low): (f64, f64), row: &Row) -> Trend {
        let (up, down) = (row.high - high, low - row.low);
        let is_long = !(down > 0.0 && up < down);
        let (stop, extreme) = if is_long { (low, row.high) } else { (high, row.low) };
        Trend { is_long, stop, extreme, speed: self.step }
    }
}

impl Kernel for Sar {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let Some(mut before) = self.before.replace((row.high, row.low)) else { return };
        if self.trend.is_none() {
            self.trend = Some(self.start(before, row));
            before = (row.high, row.low);
        }
        let Some(trend) = &mut self.trend else { return };
        let (highest, lowest) = (before.0.max(row.high), before.1.min(row.low));
        let is_hit = if trend.is_long { row.low <= trend.stop } else { row.high >= trend.stop };
        if is_hit {
            trend.is_long = !trend.is_long;
            // The new stop is the old extreme, outside the last two rows.
            out[0] =
                if trend.is_long { trend.extreme.min(lowest) } else { trend.extreme.max(highest) };
            trend.stop = out[0];
            trend.speed = self.step;
            trend.extreme = if trend.is_long { row.high } else { row.low };
        } else {
            out[0] = trend.stop;
            let is_new =
                if trend.is_long { row.high > trend.extreme } else { row.low < trend.extreme };
            if is_new {
                trend.extreme = if trend.is_long { row.high } else { row.low };
                trend.speed = (trend.speed + self.step).min(self.most);
            }
        }
        let stop = trend.stop + trend.speed * (trend.extreme - trend.stop);
        trend.stop = if trend.is_long { stop.min(lowest) } else { stop.max(highest) };
    }
}
