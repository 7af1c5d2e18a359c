//! What a strategy asks for.

use crate::base::AssetId;
use crate::broker::TimeInForce;

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

/// A distance from a price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distance {
    /// Currency.
    Amount(f64),
    /// A fraction of the price.
    Fraction(f64),
}

/// A price that an exit waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExitPrice {
    /// The price itself.
    Price(f64),
    /// A fraction away from the average fill price of the entry.
    Fraction(f64),
}

/// How a stop follows the price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailTerms {
    /// How far behind the best price.
    pub distance: Distance,
    /// The limit of the order once its stop is reached, this far beyond the stop.
    pub limit_offset: Option<f64>,
    /// The order sleeps until a row reaches this price.
    pub activate: Option<f64>,
}

/// An order as the strategy states it: market without a price, else by the prices given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderRequest {
    /// What to trade.
    pub asset: AssetId,
    /// How much.
    pub size: Size,
    /// Limit price.
    pub limit: Option<f64>,
    /// Stop price; with a limit, a stop-limit order.
    pub stop: Option<f64>,
    /// A stop that follows the price; excludes `limit` and `stop`.
    pub trail: Option<TrailTerms>,
    /// Fills at the last price of the session.
    pub on_close: bool,
    /// How long it lives.
    pub tif: TimeInForce,
    /// Closes what this order opens when the price goes against it.
    pub stop_loss: Option<ExitPrice>,
    /// Closes what this order opens when the price goes with it.
    pub take_profit: Option<ExitPrice>,
    /// A trailing stop on what this order opens.
    pub trailing_exit: Option<TrailTerms>,
    /// Only ever reduces a position.
    pub reduce_only: bool,
    /// A tag from [`Trader::tag`](super::Trader::tag); 0 is none.
    pub tag: u32,
}

/// When the children of an order become live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReleaseOn {
    /// On the complete fill of the parent.
    #[default]
    Complete,
    /// On its first fill.
    Partial,
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
            trail: None,
            on_close: false,
            tif: TimeInForce::Gtc,
            stop_loss: None,
            take_profit: None,
            trailing_exit: None,
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

    /// A stop-limit order over signed units.
    #[must_use]
    pub fn stop_limit(asset: AssetId, quantity: f64, stop: f64, limit: f64) -> Self {
        Self { limit: Some(limit), ..Self::stop(asset, quantity, stop) }
    }

    /// A trailing stop over signed units.
    #[must_use]
    pub fn trailing(asset: AssetId, quantity: f64, distance: Distance) -> Self {
        let trail = TrailTerms { distance, limit_offset: None, activate: None };
        Self { trail: Some(trail), ..Self::market(asset, quantity) }
    }

    /// A market-on-close order over signed units.
    #[must_use]
    pub fn on_close(asset: AssetId, quantity: f64) -> Self {
        Self { on_close: true, ..Self::market(asset, quantity) }
    }

    /// The same order with exits that live as long as the position it opens.
    #[must_use]
    pub fn with_exits(self, stop_loss: Option<ExitPrice>, take_profit: Option<ExitPrice>) -> Self {
        Self { stop_loss, take_profit, ..self }
    }
}
