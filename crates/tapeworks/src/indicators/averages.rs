//! Averages of the close, and differences of them.

use super::kernel::{Kernel, Row};
use super::window::Window;

/// Plain mean.
#[derive(Debug, Clone)]
pub(super) struct Sma(Window);

impl Sma {
    pub(super) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Kernel for Sma {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if self.0.push(row.close) {
            out[0] = self.0.mean();
        }
    }
}

/// Mean with weights 1 (oldest) to n.
#[derive(Debug, Clone)]
pub(super) struct Wma(Window);

impl Wma {
    pub(super) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Kernel for Wma {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if self.0.push(row.close) {
            let sum: f64 = (1_u32..).zip(self.0.iter()).map(|(w, x)| f64::from(w) * x).sum();
            let n = self.0.len() as f64;
            out[0] = sum / (n * (n + 1.0) / 2.0);
        }
    }
}

/// Exponential mean, seeded with the plain mean of the first n values.
#[derive(Debug, Clone)]
pub(super) struct Ema {
    n: usize,
    weight: f64,
    n_seen: usize,
    value: f64,
}

impl Ema {
    pub(super) fn new(n: usize) -> Self {
        Self { n, weight: 2.0 / (n as f64 + 1.0), n_seen: 0, value: 0.0 }
    }

    /// Takes a value; the mean once n values were seen.
    pub(super) fn next(&mut self, x: f64) -> Option<f64> {
        if self.n_seen < self.n {
            self.n_seen += 1;
            self.value += x;
            if self.n_seen < self.n {
                return None;
            }
            self.value /= self.n as f64;
        } else {
            self.value += self.weight * (x - self.value);
        }
        Some(self.value)
    }
}

impl Kernel for Ema {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(mean) = self.next(row.close) {
            out[0] = mean;
        }
    }
}

/// 2e - e(e).
#[derive(Debug, Clone)]
pub(super) struct Dema([Ema; 2]);

impl Dema {
    pub(super) fn new(n: usize) -> Self {
        Self([Ema::new(n), Ema::new(n)])
    }
}

impl Kernel for Dema {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(once) = self.0[0].next(row.close)
            && let Some(twice) = self.0[1].next(once)
        {
            out[0] = 2.0 * once - twice;
        }
    }
}

/// e, e(e) and e(e(e)) of a series.
#[derive(Debug, Clone)]
struct ThreeEmas([Ema; 3]);

impl ThreeEmas {
    fn new(n: usize) -> Self {
        Self([Ema::new(n), Ema::new(n), Ema::new(n)])
    }

    fn next(&mut self, x: f64) -> Option<[f64; 3]> {
        let once = self.0[0].next(x)?;
        let twice = self.0[1].next(once)?;
        Some([once, twice, self.0[2].next(twice)?])
    }
}

/// 3e - 3e(e) + e(e(e)).
#[derive(Debug, Clone)]
pub(super) struct Tema(ThreeEmas);

impl Tema {
    pub(super) fn new(n: usize) -> Self {
        Self(ThreeEmas::new(n))
    }
}

impl Kernel for Tema {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some([once, twice, thrice]) = self.0.next(row.close) {
            out[0] = 3.0 * once - 3.0 * twice + thrice;
        }
    }
}

/// Percentage change of e(e(e)) from row to row.
#[derive(Debug, Clone)]
pub(super) struct Trix {
    emas: ThreeEmas,
    before: Option<f64>,
}

impl Trix {
    pub(super) fn new(n: usize) -> Self {
        Self { emas: ThreeEmas::new(n), before: None }
    }
}

impl Kernel for Trix {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some([.., thrice]) = self.emas.next(row.close)
            && let Some(before) = self.before.replace(thrice)
        {
            out[0] = 100.0 * (thrice / before - 1.0);
        }
    }
}

/// Weights of an exponential mean of 2 and of 30 rows.
const KAMA_FAST: f64 = 2.0 / 3.0;
const KAMA_SLOW: f64 = 2.0 / 31.0;

/// Exponential mean whose weight follows the efficiency ratio of the last n changes.
#[derive(Debug, Clone)]
pub(super) struct Kama {
    closes: Window,
    value: Option<f64>,
    before: f64,
}

impl Kama {
    pub(super) fn new(n: usize) -> Self {
        Self { closes: Window::new(n + 1), value: None, before: f64::NAN }
    }
}

impl Kernel for Kama {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let before = std::mem::replace(&mut self.before, row.close);
        if !self.closes.push(row.close) {
            return;
        }
        let later = self.closes.iter().skip(1);
        let path: f64 = self.closes.iter().zip(later).map(|(a, b)| (b - a).abs()).sum();
        let way = (row.close - self.closes.oldest()).abs();
        // A path without movement is taken as efficient.
        let efficiency = if path <= way { 1.0 } else { way / path };
        let root = efficiency * (KAMA_FAST - KAMA_SLOW) + KAMA_SLOW;
        let value = self.value.unwrap_or(before);
        let value = value + root * root * (row.close - value);
        self.value = Some(value);
        out[0] = value;
    }
}

/// Difference of two exponential means that start together, its mean, and their difference.
#[derive(Debug, Clone)]
pub(super) struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
    n_waiting: usize,
}

impl Macd {
    pub(super) fn new(fast: usize, slow: usize, signal: usize) -> Self {
        Self {
            fast: Ema::new(fast),
            slow: Ema::new(slow),
            signal: Ema::new(signal),
            n_waiting: slow - fast,
        }
    }
}

impl Kernel for Macd {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let slow = self.slow.next(row.close);
        // The fast mean is seeded with the newest rows of the slow one's seed.
        if self.n_waiting > 0 {
            self.n_waiting -= 1;
            return;
        }
        if let (Some(fast), Some(slow)) = (self.fast.next(row.close), slow)
            && let Some(signal) = self.signal.next(fast - slow)
        {
            out.copy_from_slice(&[fast - slow, signal, fast - slow - signal]);
        }
    }
}

/// Difference of two exponential means, in units or in percent of the slow one.
#[derive(Debug, Clone)]
pub(super) struct MeanSpread {
    fast: Ema,
    slow: Ema,
    in_percent: bool,
}

impl MeanSpread {
    pub(super) fn apo(fast: usize, slow: usize) -> Self {
        Self { fast: Ema::new(fast), slow: Ema::new(slow), in_percent: false }
    }

    pub(super) fn ppo(fast: usize, slow: usize) -> Self {
        Self { in_percent: true, ..Self::apo(fast, slow) }
    }
}

impl Kernel for MeanSpread {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let fast = self.fast.next(row.close);
        if let (Some(fast), Some(slow)) = (fast, self.slow.next(row.close)) {
            let spread = fast - slow;
            out[0] = match (self.in_percent, slow == 0.0) {
                (false, _) => spread,
                (true, true) => 0.0,
                (true, false) => 100.0 * spread / slow,
            };
        }
    }
}
