//! What a strategy is: callbacks in the order in which things become known.

use super::slice::Slice;
use super::trader::Trader;
use crate::base::{Rescale, Result};
use crate::broker::{FillRow, RejectionRow};

/// Decides on orders once a timestamp.
///
/// For each timestamp the engine first lets orders fill, then calls [`Strategy::on_rescale`] where
/// corporate actions ask for it, [`Strategy::on_fill`] and
/// [`Strategy::on_reject`] in the order in which things happened, then [`Strategy::on_data`]. An
/// order sent in any of them is first tested against the next row of its symbol.
///
/// # Example
/// ```
/// use tapeworks::base::{AssetId, Result};
/// use tapeworks::engine::{OrderRequest, Slice, Strategy, Trader};
///
/// /// Buys one unit of the first symbol at each row that closes above its open.
/// struct Greedy;
///
/// impl Strategy for Greedy {
///     fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
///         if slice.close()[0] > slice.open()[0] {
///             trader.submit(&OrderRequest::market(AssetId(slice.assets()[0]), 1.0));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Strategy {
    /// Once, before the first timestamp.
    ///
    /// # Errors
    /// Any error ends the run.
    fn on_start(&mut self, trader: &mut Trader) -> Result<()> {
        let _ = trader;
        Ok(())
    }

    /// Once a timestamp, after everything that could fill has filled.
    ///
    /// # Errors
    /// Any error ends the run.
    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()>;

    /// Once a corporate action that restates the past of a symbol, before the fills of its first
    /// timestamp: what the strategy remembers of earlier prices and volumes is multiplied by the
    /// factors, and then compares with the present. Only feeds with `adjustment` split or total
    /// call it.
    ///
    /// # Errors
    /// Any error ends the run.
    fn on_rescale(&mut self, rescale: &Rescale, trader: &mut Trader) -> Result<()> {
        let _ = (rescale, trader);
        Ok(())
    }

    /// Once a fill, before the data of its timestamp.
    ///
    /// # Errors
    /// Any error ends the run.
    fn on_fill(&mut self, fill: &FillRow, trader: &mut Trader) -> Result<()> {
        let _ = (fill, trader);
        Ok(())
    }

    /// Once a refused order. A refusal at submission is delivered with the next timestamp's events,
    /// so that a callback never runs inside another one.
    ///
    /// # Errors
    /// Any error ends the run.
    fn on_reject(&mut self, rejection: &RejectionRow, trader: &mut Trader) -> Result<()> {
        let _ = (rejection, trader);
        Ok(())
    }

    /// Once, after the last timestamp. Orders sent here never fill.
    ///
    /// # Errors
    /// Any error ends the run.
    fn on_end(&mut self, trader: &mut Trader) -> Result<()> {
        let _ = trader;
        Ok(())
    }
}
