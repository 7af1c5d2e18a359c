//! What a strategy asks for.

use crate::base::AssetId;

/// How much to trade; the sign is the side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// Units.
    Quantity(f64),
    /// A fraction of equity at the last marks, in units of the last close, lots rounded down.
    Percent(f64),
    /// Currency at the last close, lots rounded down.
    Value(f64),
}

/// An order as the strategy states it: market without a price, else limit or stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderRequest {
    /// What to trade.
    pub asset: AssetId,
    /// How much.
    pub size: Size,
    /// Limit price.
    pub limit: Option<f64>,
    /// Stop price.
    pub stop: Option<f64>,
    /// Only ever reduces a position.
    pub reduce_only: bool,
    /// A tag from [`Trader::tag`](super::Trader::tag); 0 is none.
    pub tag: u32,
}

impl OrderRequest {
    /// A market order over signed units.
    #[must_use]
    pub fn market(asset: AssetId, quantity: f64) -> Self {
        Self {
            asset,
            size: Size::Quantity(quantity),
            limit: None,
            stop: None,
            reduce_only: false,
            tag: 0,
        }
    }

    /// A limit order over signed units.
    #[must_use]
    pub fn limit(asset: AssetId, quantity: f64, limit: f64) -> Self {
        Self { limit: Some(limit), ..Self::market(asset, quantity) }
    }

    /// A stop order over signed units.
    #[must_use]
    pub fn stop(asset: AssetId, quantity: f64, stop: f64) -> Self {
        Self { stop: Some(stop), ..Self::market(asset, quantity) }
    }
}
