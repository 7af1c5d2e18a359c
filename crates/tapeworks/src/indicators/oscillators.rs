//! Where the close stands within its range, and how its changes balance.

use super::kernel::{Kernel, Row};
use super::window::Window;

/// Wilder's means of gains and losses.
#[derive(Debug, Clone)]
struct Balance {
    n: usize,
    before: Option<f64>,
    n_seen: usize,
    up: f64,
    down: f64,
}

impl Balance {
    fn new(n: usize) -> Self {
        Self { n, before: None, n_seen: 0, up: 0.0, down: 0.0 }
    }

    fn next(&mut self, close: f64) -> Option<(f64, f64)> {
        let change = close - self.before.replace(close)?;
        let (up, down) = (change.max(0.0), (-change).max(0.0));
        let n = self.n as f64;
        if self.n_seen < self.n {
            self.n_seen += 1;
            self.up += up;
            self.down += down;
            if self.n_seen < self.n {
                return None;
            }
            self.up /= n;
            self.down /= n;
        } else {
            self.up = (self.up * (n - 1.0) + up) / n;
            self.down = (self.down * (n - 1.0) + down) / n;
        }
        Some((self.up, self.down))
    }
}

/// 100 up / (up + down); 0 without movement.
#[derive(Debug, Clone)]
pub(super) struct Rsi(Balance);

impl Rsi {
    pub(super) fn new(n: usize) -> Self {
        Self(Balance::new(n))
    }

    fn next(&mut self, close: f64) -> Option<f64> {
        let (up, down) = self.0.next(close)?;
        Some(if up + down == 0.0 { 0.0 } else { 100.0 * up / (up + down) })
    }
}

impl Kernel for Rsi {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(value) = self.next(row.close) {
            out[0] = value;
        }
    }
}

/// 100 (up - down) / (up + down); 0 without movement.
#[derive(Debug, Clone)]
pub(super) struct Cmo(Balance);

impl Cmo {
    pub(super) fn new(n: usize) -> Self {
        Self(Balance::new(n))
    }
}

impl Kernel for Cmo {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((up, down)) = self.0.next(row.close) {
            out[0] = if up + down == 0.0 { 0.0 } else { 100.0 * (up - down) / (up + down) };
        }
    }
}

/// The highest high and lowest low of n rows.
#[derive(Debug, Clone)]
pub(super) struct Range {
    highs: Window,
    lows: Window,
}

impl Range {
    pub(super) fn new(n: usize) -> Self {
        Self { highs: Window::new(n), lows: Window::new(n) }
    }

    pub(super) fn next(&mut self, high: f64, low: f64) -> Option<(f64, f64)> {
        let is_full = self.highs.push(high) & self.lows.push(low);
        is_full.then(|| (self.highs.highest(), self.lows.lowest()))
    }
}

/// Place of the close in the range of n rows, and its mean of m rows.
#[derive(Debug, Clone)]
pub(super) struct StochF {
    range: Range,
    smooth: Window,
}

impl StochF {
    pub(super) fn new(k: usize, d: usize) -> Self {
        Self { range: Range::new(k), smooth: Window::new(d) }
    }

    fn next(&mut self, high: f64, low: f64, close: f64) -> Option<(f64, f64)> {
        let (highest, lowest) = self.range.next(high, low)?;
        let width = highest - lowest;
        let k = if width == 0.0 { 0.0 } else { 100.0 * (close - lowest) / width };
        self.smooth.push(k).then(|| (k, self.smooth.mean()))
    }
}

impl Kernel for StochF {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((k, d)) = self.next(row.high, row.low, row.close) {
            out.copy_from_slice(&[k, d]);
        }
    }
}

/// As [`StochF`] with both lines smoothed once more.
#[derive(Debug, Clone)]
pub(super) struct Stoch {
    fast: StochF,
    smooth: Window,
}

impl Stoch {
    pub(super) fn new(fast_k: usize, slow_k: usize, slow_d: usize) -> Self {
        Self { fast: StochF::new(fast_k, slow_k), smooth: Window::new(slow_d) }
    }
}

impl Kernel for Stoch {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((_, k)) = self.fast.next(row.high, row.low, row.close)
            && self.smooth.push(k)
        {
            out.copy_from_slice(&[k, self.smooth.mean()]);
        }
    }
}

/// [`StochF`] of the RSI.
#[derive(Debug, Clone)]
pub(super) struct StochRsi {
    rsi: Rsi,
    fast: StochF,
}

impl StochRsi {
    pub(super) fn new(n: usize, k: usize, d: usize) -> Self {
        Self { rsi: Rsi::new(n), fast: StochF::new(k, d) }
    }
}

impl Kernel for StochRsi {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(rsi) = self.rsi.next(row.close)
            && let Some((k, d)) = self.fast.next(rsi, rsi, rsi)
        {
            out.copy_from_slice(&[k, d]);
        }
    }
}

/// -100 (highest - close) / (highest - lowest); 0 without a range.
#[derive(Debug, Clone)]
pub(super) struct WillR(Range);

impl WillR {
    pub(super) fn new(n: usize) -> Self {
        Self(Range::new(n))
    }
}

impl Kernel for WillR {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((highest, lowest)) = self.0.next(row.high, row.low) {
            let width = highest - lowest;
            out[0] = if width == 0.0 { 0.0 } else { -100.0 * (highest - row.close) / width };
        }
    }
}

fn typical(row: &Row) -> f64 {
    (row.high + row.low + row.close) / 3.0
}

/// Distance of the typical price from its mean, in 0.015 mean absolute distances.
#[derive(Debug, Clone)]
pub(super) struct Cci(Window);

impl Cci {
    pub(super) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Kernel for Cci {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let price = typical(row);
        if self.0.push(price) {
            let mean = self.0.mean();
            let spread = self.0.iter().map(|x| (x - mean).abs()).sum::<f64>();
            let n = self.0.len() as f64;
            let distance = price - mean;
            let is_still = distance == 0.0 || spread == 0.0;
            out[0] = if is_still { 0.0 } else { distance / (0.015 * (spread / n)) };
        }
    }
}

/// Value traded below which a window has no money flow; TA-Lib's constant.
const LEAST_FLOW: f64 = 1.0;

/// Share of the typical-price money that flowed on rising rows.
#[derive(Debug, Clone)]
pub(super) struct Mfi {
    before: Option<f64>,
    up: Window,
    down: Window,
}

impl Mfi {
    pub(super) fn new(n: usize) -> Self {
        Self { before: None, up: Window::new(n), down: Window::new(n) }
    }
}

impl Kernel for Mfi {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let price = typical(row);
        let Some(before) = self.before.replace(price) else { return };
        let flow = price * row.volume;
        let up = if price > before { flow } else { 0.0 };
        let down = if price < before { flow } else { 0.0 };
        if self.up.push(up) & self.down.push(down) {
            let up: f64 = self.up.iter().sum();
            let total = up + self.down.iter().sum::<f64>();
            let money = total * row.units.price * row.units.volume;
            out[0] = if money < LEAST_FLOW { 0.0 } else { 100.0 * up / total };
        }
    }
}

/// How near the newest high and low of n + 1 rows are.
#[derive(Debug, Clone)]
struct Extremes {
    highs: Window,
    lows: Window,
    n: f64,
}

impl Extremes {
    fn new(n: usize) -> Self {
        Self { highs: Window::new(n + 1), lows: Window::new(n + 1), n: n as f64 }
    }

    /// (down, up) from 0, n rows ago, to 100, now.
    fn next(&mut self, row: &Row) -> Option<(f64, f64)> {
        (self.highs.push(row.high) & self.lows.push(row.low)).then(|| {
            let newest = |values: &Window, is_further: fn(f64, f64) -> bool| {
                let mut best = (0_u32, f64::NAN);
                for (i, x) in (0_u32..).zip(values.iter()) {
                    if best.1.is_nan() || is_further(x, best.1) {
                        best = (i, x);
                    }
                }
                100.0 * f64::from(best.0) / self.n
            };
            (newest(&self.lows, |x, best| x <= best), newest(&self.highs, |x, best| x >= best))
        })
    }
}

/// Both lines.
#[derive(Debug, Clone)]
pub(super) struct Aroon(Extremes);

impl Aroon {
    pub(super) fn new(n: usize) -> Self {
        Self(Extremes::new(n))
    }
}

impl Kernel for Aroon {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((down, up)) = self.0.next(row) {
            out.copy_from_slice(&[down, up]);
        }
    }
}

/// Up less down.
#[derive(Debug, Clone)]
pub(super) struct AroonOsc(Extremes);

impl AroonOsc {
    pub(super) fn new(n: usize) -> Self {
        Self(Extremes::new(n))
    }
}

impl Kernel for AroonOsc {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((down, up)) = self.0.next(row) {
            out[0] = up - down;
        }
    }
}

/// Buying pressure over true range, of three lengths.
#[derive(Debug, Clone)]
pub(super) struct UltOsc {
    lengths: [usize; 3],
    before: Option<f64>,
    pressure: Window,
    range: Window,
}

impl UltOsc {
    pub(super) fn new(lengths: [usize; 3]) -> Self {
        let window = Window::new(lengths[2]);
        Self { lengths, before: None, pressure: window.clone(), range: window }
    }
}

impl Kernel for UltOsc {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let Some(before) = self.before.replace(row.close) else { return };
        let (low, high) = (row.low.min(before), row.high.max(before));
        if self.pressure.push(row.close - low) & self.range.push(high - low) {
            let mut sum = 0.0;
            for (weight, n) in [4.0, 2.0, 1.0].into_iter().zip(self.lengths) {
                let range: f64 = self.range.newest(n).sum();
                if range != 0.0 {
                    sum += weight * self.pressure.newest(n).sum::<f64>() / range;
                }
            }
            out[0] = 100.0 * sum / 7.0;
        }
    }
}

/// (close - open) / (high - low); 0 without a range.
#[derive(Debug, Clone)]
pub(super) struct Bop;

impl Kernel for Bop {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let width = row.high - row.low;
        out[0] = if width <= 0.0 { 0.0 } else { (row.close - row.open) / width };
    }
}
