//! Buy what is there, and wait.

use crate::base::{AssetId, Result};
use crate::engine::{OrderRequest, Size, Slice, Strategy, Trader};

/// Buys every symbol of the first timestamp for an equal share of equity, and holds.
///
/// Decides once, at the close of the first timestamp with a row; fills at each symbol's next open.
/// Quantities are whole lots at the deciding close; where fees or gaps leave too little cash, the
/// last symbols in id order get fewer lots. Symbols that are listed later are not bought.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuyAndHold {
    has_bought: bool,
}

impl BuyAndHold {
    /// The rule.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Strategy for BuyAndHold {
    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        if self.has_bought || slice.is_empty() {
            return Ok(());
        }
        self.has_bought = true;
        let share = 1.0 / slice.len() as f64;
        for (&asset, &close) in slice.assets().iter().zip(slice.close()) {
            if close.is_finite() {
                let order = OrderRequest::market(AssetId(asset), 0.0);
                trader.submit(&OrderRequest { size: Size::Percent(share), ..order })?;
            }
        }
        Ok(())
    }
}
