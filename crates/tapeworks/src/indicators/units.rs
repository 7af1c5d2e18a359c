//! In which units a row of a symbol stands, by the splits and dividends that have passed.
//!
//! The states of indicators are fed in the units of the first row of their symbol, so that no
//! window ever holds two units; what they give is brought to the units of the row at hand. That is
//! the value over a table adjusted as of this row's session, and no later action can be in it.

use std::sync::Arc;

use crate::base::calendar::SessionDays;
use crate::base::{ActionWalk, Actions, AssetId, Calendar};
use crate::feed::MarketChunk;

/// Factors from the units of a symbol's first row to those of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Units {
    /// Of prices, above 0.
    pub(super) price: f64,
    /// Of volumes, above 0.
    pub(super) volume: f64,
}

/// How a value follows the units: it is multiplied by the factor of prices as often as `price`
/// says, and by that of volumes as often as `volume` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degrees {
    /// 0 for ratios, 1 for prices and differences of them, 2 for their squares.
    pub price: u32,
    /// 1 for volumes and sums of them.
    pub volume: u32,
}

impl Degrees {
    /// The factor of a value among those of prices and of volumes.
    #[must_use]
    pub fn factor(self, (price, volume): (f64, f64)) -> f64 {
        let of = |factor: f64, n: u32| (0..n).fold(1.0, |product, _| product * factor);
        of(price, self.price) * of(volume, self.volume)
    }
}

impl Units {
    /// No action has passed.
    pub(super) const FIRST: Self = Self { price: 1.0, volume: 1.0 };

    /// The factor of a value of these degrees.
    pub(super) fn factor(self, degrees: Degrees) -> f64 {
        degrees.factor((self.price, self.volume))
    }
}

/// The units of all symbols, from row to row.
#[derive(Debug)]
pub(super) struct UnitsWalk {
    walk: ActionWalk,
    days: SessionDays,
    /// `None` before the first row of a symbol: an action from before it has nothing to restate.
    now: Vec<Option<Units>>,
}

impl UnitsWalk {
    pub(super) fn new(
        actions: &Actions,
        n_symbols: usize,
        calendar: Option<Arc<Calendar>>,
    ) -> Self {
        Self {
            walk: ActionWalk::new(actions, n_symbols, None),
            days: SessionDays::new(calendar),
            now: vec![None; n_symbols],
        }
    }

    /// The units of each row of the next chunk.
    pub(super) fn push_chunk(&mut self, chunk: &MarketChunk) -> Vec<Units> {
        let mut units = Vec::with_capacity(chunk.n_rows());
        for (&stamp, ends) in chunk.timestamps.iter().zip(chunk.offsets.windows(2)) {
            let date = self.days.date(stamp);
            for i in ends[0] as usize..ends[1] as usize {
                let asset = AssetId(chunk.assets[i]);
                let place = asset.index();
                let mut now = self.now[place].unwrap_or(Units::FIRST);
                while let Some((_, rescale)) = self.walk.due(asset, date) {
                    if self.now[place].is_some() {
                        now.price *= rescale.price;
                        now.volume *= rescale.volume;
                    }
                }
                self.now[place] = Some(now);
                self.walk.see(asset, chunk.close[i]);
                units.push(now);
            }
        }
        units
    }
}
