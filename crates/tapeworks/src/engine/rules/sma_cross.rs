//! Two moving averages of the close, bought when the fast one rises above the slow one.

use crate::base::{AssetId, Error, Rescale, Result};
use crate::engine::{OrderRequest, Slice, Strategy, Trader};

/// Buys a fixed quantity when the fast average crosses above the slow one, closes on the way down.
///
/// Decides for each symbol at each of its rows with a finite close: *above* when the fast average
/// is above the slow one now and was below when the two last differed; *below* likewise. The first
/// cross is possible one row after the slow average is complete. Orders are market orders for the
/// next open. Rows without a close are passed over.
///
/// Averages that agree to 1e-12 of the price are equal: the running sums are exact to far less, so
/// a flat price never makes a cross out of rounding.
#[derive(Debug, Clone)]
pub struct SmaCross {
    fast: usize,
    slow: usize,
    quantity: f64,
    /// Last `ring_rows` closes of each symbol.
    rings: Vec<f64>,
    ring_rows: usize,
    averages: Vec<Averages>,
}

/// The rolling state of one symbol.
#[derive(Debug, Clone, Copy, Default)]
struct Averages {
    fast: f64,
    slow: f64,
    /// Finite closes seen.
    n: usize,
    /// Sign of fast - slow at the previous row; `None` before the slow average is complete.
    sign: Option<i8>,
}

impl SmaCross {
    /// Averages of `fast` and `slow` rows, `quantity` units an entry.
    ///
    /// # Errors
    /// `C312` unless 1 <= fast < slow and the quantity is positive and finite.
    pub fn new(fast: usize, slow: usize, quantity: f64) -> Result<Self> {
        if fast == 0 || fast >= slow || !(quantity.is_finite() && quantity > 0.0) {
            return Err(Error::config(
                "C312",
                format!("sma_cross(fast={fast}, slow={slow}, quantity={quantity}) is no rule"),
            )
            .with_hint("1 <= fast < slow, and a positive quantity of units"));
        }
        let ring_rows = slow.next_power_of_two();
        Ok(Self { fast, slow, quantity, rings: Vec::new(), ring_rows, averages: Vec::new() })
    }
}

impl Strategy for SmaCross {
    fn on_start(&mut self, trader: &mut Trader) -> Result<()> {
        let n_assets = trader.symbols().len();
        self.rings = vec![0.0; n_assets * self.ring_rows];
        self.averages = vec![Averages::default(); n_assets];
        Ok(())
    }

    fn on_rescale(&mut self, rescale: &Rescale, _: &mut Trader) -> Result<()> {
        let from = rescale.asset.index() * self.ring_rows;
        for close in &mut self.rings[from..from + self.ring_rows] {
            *close *= rescale.price;
        }
        let averages = &mut self.averages[rescale.asset.index()];
        averages.fast *= rescale.price;
        averages.slow *= rescale.price;
        Ok(())
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        for (&id, &close) in slice.assets().iter().zip(slice.close()) {
            if !close.is_finite() {
                continue;
            }
            let from = id as usize * self.ring_rows;
            let ring = &mut self.rings[from..from + self.ring_rows];
            let averages = &mut self.averages[id as usize];
            let before = averages.sign;
            averages.push(ring, close, self.fast, self.slow);
            if before.is_none() || averages.sign == before {
                continue;
            }
            let asset = AssetId(id);
            match averages.sign {
                Some(1) if trader.quantity(asset) + trader.on_its_way(asset) == 0.0 => {
                    trader.submit(&OrderRequest::market(asset, self.quantity))?;
                }
                Some(-1) if trader.quantity(asset) != 0.0 => {
                    trader.close(asset, 1.0);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Averages {
    #[inline]
    fn push(&mut self, ring: &mut [f64], close: f64, fast: usize, slow: usize) {
        let mask = ring.len() - 1;
        let n = self.n;
        if n >= slow {
            self.slow -= ring[(n - slow) & mask];
        }
        if n >= fast {
            self.fast -= ring[(n - fast) & mask];
        }
        self.fast += close;
        self.slow += close;
        ring[n & mask] = close;
        self.n = n + 1;
        if n & mask == mask {
            // Once a turn of the ring the sums are taken anew, so rounding never piles up.
            self.fast = ring[ring.len() - fast..].iter().sum();
            self.slow = ring[ring.len() - slow..].iter().sum();
        }
        if self.n >= slow {
            // Sums times the other window: the averages compared without a division.
            let (fast_scaled, slow_scaled) = (self.fast * slow as f64, self.slow * fast as f64);
            let noise = 1e-12 * slow_scaled.abs();
            let difference = fast_scaled - slow_scaled;
            let now = i8::from(difference > noise) - i8::from(difference < -noise);
            // On equality the side stays, so that a touch is no cross.
            self.sign = if now == 0 { self.sign.or(Some(0)) } else { Some(now) };
        }
    }
}
