//! Spread of the close, channels, straight lines through it.

use super::kernel::{Kernel, Row};
use super::oscillators::Range;
use super::window::Window;

/// What a window of closes is turned into.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spread {
    /// Variance, ddof 0.
    Variance,
    /// Its root.
    Deviation,
    /// Mean and deviations to either side.
    Bands { up: f64, down: f64 },
    /// Distance from the mean in deviations of ddof 1.
    ZScore,
}

/// Statistics of the last n closes.
#[derive(Debug, Clone)]
pub(super) struct Closes {
    window: Window,
    n: f64,
    spread: Spread,
}

impl Closes {
    pub(super) fn new(n: usize, spread: Spread) -> Self {
        Self { window: Window::new(n), n: n as f64, spread }
    }
}

impl Kernel for Closes {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if !self.window.push(row.close) {
            return;
        }
        let mean = self.window.mean();
        let squares = self.window.squares_about(mean);
        let deviation = (squares / self.n).sqrt();
        match self.spread {
            Spread::Variance => out[0] = squares / self.n,
            Spread::Deviation => out[0] = deviation,
            Spread::Bands { up, down } => {
                out.copy_from_slice(&[mean + up * deviation, mean, mean - down * deviation]);
            }
            Spread::ZScore if self.window.highest() == self.window.lowest() => {}
            Spread::ZScore => out[0] = (row.close - mean) / (squares / (self.n - 1.0)).sqrt(),
        }
    }
}

/// Highest high and lowest low.
#[derive(Debug, Clone)]
pub(super) struct Donchian(Range);

impl Donchian {
    pub(super) fn new(n: usize) -> Self {
        Self(Range::new(n))
    }
}

impl Kernel for Donchian {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if let Some((highest, lowest)) = self.0.next(row.high, row.low) {
            out.copy_from_slice(&[highest, lowest]);
        }
    }
}

/// What is read off a straight line through the closes of rows 0 to n - 1.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// Its value at the newest row.
    End,
    /// Its value one row on.
    Forecast,
    /// Its value at the oldest row.
    Intercept,
    /// Change a row.
    Slope,
    /// The slope as an angle in degrees.
    Angle,
}

/// Least squares over the last n closes.
#[derive(Debug, Clone)]
pub(super) struct Line {
    closes: Window,
    n: f64,
    reading: Reading,
}

impl Line {
    pub(super) fn new(n: usize, reading: Reading) -> Self {
        Self { closes: Window::new(n), n: n as f64, reading }
    }
}

impl Kernel for Line {
    fn push(&mut self, row: &Row, out: &mut [f64]) {
        if !self.closes.push(row.close) {
            return;
        }
        let centre = (self.n - 1.0) / 2.0;
        let mean = self.closes.mean();
        // About the centre: the sums are small, and so is their rounding.
        let (mut cross, mut squares) = (0.0, 0.0);
        for (i, close) in (0_u32..).zip(self.closes.iter()) {
            let x = f64::from(i) - centre;
            cross += x * (close - mean);
            squares += x * x;
        }
        let slope = cross / squares;
        out[0] = match self.reading {
            Reading::End => mean + slope * centre,
            Reading::Forecast => mean + slope * (centre + 1.0),
            Reading::Intercept => mean - slope * centre,
            Reading::Slope => slope,
            Reading::Angle => (slope * row.units.price).atan().to_degrees(),
        };
    }
}
