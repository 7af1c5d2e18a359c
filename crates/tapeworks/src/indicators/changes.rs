//! Changes from row to row, and figures of single rows.

use super::kernel::{Kernel, Row};
use super::window::Window;

/// How two closes n rows apart are compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// Difference.
    Units,
    /// Fraction of the older one.
    Fraction,
    /// The same in percent.
    Percent,
    /// Logarithm of their ratio.
    Log,
}

/// The close against the one n rows ago.
#[derive(Debug, Clone)]
pub(super) struct Since {
    closes: Window,
    change: Change,
}

impl Since {
    pub(super) fn new(n: usize, change: Change) -> Self {
        Self { closes: Window::new(n + 1), change }
    }
}

impl Kernel for Since {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if self.closes.push(row.close) {
            let then = self.closes.oldest();
            out[0] = match self.change {
                Change::Units => row.close - then,
                Change::Fraction => row.close / then - 1.0,
                Change::Percent => 100.0 * (row.close / then - 1.0),
                Change::Log => (row.close / then).ln(),
            };
        }
    }
}

/// Deviation (ddof 1) of the last n log returns.
#[derive(Debug, Clone)]
pub(super) struct Volatility {
    before: Option<f64>,
    returns: Window,
    n: f64,
}

impl Volatility {
    pub(super) fn new(n: usize) -> Self {
        Self { before: None, returns: Window::new(n), n: n as f64 }
    }
}

impl Kernel for Volatility {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let Some(before) = self.before.replace(row.close) else { return };
        if self.returns.push((row.close / before).ln()) {
            let mean = self.returns.mean();
            out[0] = (self.returns.squares_about(mean) / (self.n - 1.0)).sqrt();
        }
    }
}

/// Open against the close before, as a fraction.
#[derive(Debug, Clone)]
pub(super) struct Gap(pub(super) Option<f64>);

impl Kernel for Gap {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some(before) = self.0.replace(row.close) {
            out[0] = row.open / before - 1.0;
        }
    }
}

/// High less low, as a fraction of the close.
#[derive(Debug, Clone)]
pub(super) struct Width;

impl Kernel for Width {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        out[0] = (row.high - row.low) / row.close;
    }
}

/// Close against the volume-weighted price, as a fraction.
#[derive(Debug, Clone)]
pub(super) struct VwapDev;

impl Kernel for VwapDev {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        out[0] = row.close / row.vwap - 1.0;
    }
}

/// Mean value traded.
#[derive(Debug, Clone)]
pub(super) struct Adv(Window);

impl Adv {
    pub(super) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Kernel for Adv {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if self.0.push(row.notional) {
            out[0] = self.0.mean();
        }
    }
}

/// Volume added on rising closes, taken off on falling ones, from the first volume on.
#[derive(Debug, Clone)]
pub(super) struct Obv {
    before: Option<f64>,
    value: f64,
}

impl Obv {
    pub(super) fn new() -> Self {
        Self { before: None, value: 0.0 }
    }
}

impl Kernel for Obv {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        match self.before.replace(row.close) {
            None => self.value = row.volume,
            Some(before) if row.close > before => self.value += row.volume,
            Some(before) if row.close < before => self.value -= row.volume,
            Some(_) => {}
        }
        out[0] = self.value;
    }
}

/// Volume weighted by the place of the close in its row, summed up.
#[derive(Debug, Clone)]
pub(super) struct Ad(pub(super) f64);

impl Ad {
    fn next(&mut self, row: &Row) -> f64 {
        let width = row.high - row.low;
        if width > 0.0 {
            self.0 += ((row.close - row.low) - (row.high - row.close)) / width * row.volume;
        }
        self.0
    }
}

impl Kernel for Ad {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        out[0] = self.next(row);
    }
}

/// Difference of two exponential means of [`Ad`], both seeded with its first value.
#[derive(Debug, Clone)]
pub(super) struct AdOsc {
    line: Ad,
    weights: [f64; 2],
    means: Option<[f64; 2]>,
    n_waiting: usize,
}

impl AdOsc {
    pub(super) fn new(fast: usize, slow: usize) -> Self {
        let weight = |n: usize| 2.0 / (n as f64 + 1.0);
        Self {
            line: Ad(0.0),
            weights: [weight(fast), weight(slow)],
            means: None,
            n_waiting: slow.max(fast) - 1,
        }
    }
}

impl Kernel for AdOsc {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        let line = self.line.next(row);
        let mut means = self.means.unwrap_or([line; 2]);
        for (mean, weight) in means.iter_mut().zip(self.weights) {
            *mean += weight * (line - *mean);
        }
        self.means = Some(means);
        if self.n_waiting > 0 {
            self.n_waiting -= 1;
        } else {
            out[0] = means[0] - means[1];
        }
    }
}
