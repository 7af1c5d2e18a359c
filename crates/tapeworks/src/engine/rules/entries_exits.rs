//! In when one expression says so, out when another does.

use super::is_true;
use crate::base::{AssetId, Error, Rescale, Result};
use crate::engine::expression::RowProgram;
use crate::engine::{OrderRequest, Size, Slice, Strategy, Trader};
use crate::feed::Layout;

/// Enters a symbol where `entry` is true, leaves it where `exit` is true.
///
/// **Decides** for each row of each timestamp, after every fill of that timestamp; the market
/// orders fill at the symbol's next open. A symbol without a position is entered where `entry` is
/// true and `exit` is not; a symbol with one is closed whole where `exit` is true. While an order
/// of the symbol still waits for a row, nothing more is sent for it. Missing counts as not true.
///
/// **Size** of an entry: units, a fraction of equity or an amount of currency, in whole lots at the
/// deciding close; a negative size enters short. Exits are sent before entries, each in order of
/// symbol ids.
#[derive(Debug, Clone, PartialEq)]
pub struct EntriesExits {
    /// An expression: when to enter.
    pub entry: String,
    /// An expression: when to leave.
    pub exit: String,
    /// How much to enter with.
    pub size: Size,
}

impl EntriesExits {
    /// The strategy, bound to the columns of a feed.
    ///
    /// # Errors
    /// `C312` for a size that is 0 or not finite; what is wrong with the expressions.
    pub fn build(&self, layout: &Layout) -> Result<Box<dyn Strategy>> {
        let (Size::Quantity(amount) | Size::Percent(amount) | Size::Value(amount)) = self.size;
        if !amount.is_finite() || amount == 0.0 {
            let what = format!("entries_exits: a size of {amount} enters nothing");
            return Err(Error::config("C312", what));
        }
        Ok(Box::new(Switching {
            size: self.size,
            entry: RowProgram::new(&self.entry, layout)?,
            exit: RowProgram::new(&self.exit, layout)?,
            is_entry: Vec::new(),
            is_exit: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct Switching {
    size: Size,
    entry: RowProgram,
    exit: RowProgram,
    is_entry: Vec<f64>,
    is_exit: Vec<f64>,
}

impl Strategy for Switching {
    fn on_start(&mut self, trader: &mut Trader) -> Result<()> {
        if trader.rescales_past() {
            self.entry.keep_rows();
            self.exit.keep_rows();
        }
        Ok(())
    }

    fn on_rescale(&mut self, rescale: &Rescale, _: &mut Trader) -> Result<()> {
        self.entry.rescale(rescale);
        self.exit.rescale(rescale);
        Ok(())
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        self.entry.evaluate(slice, &mut self.is_entry);
        self.exit.evaluate(slice, &mut self.is_exit);
        for (&id, &is_exit) in slice.assets().iter().zip(&self.is_exit) {
            let asset = AssetId(id);
            let is_held = trader.quantity(asset) != 0.0 && trader.on_its_way(asset) == 0.0;
            if is_true(is_exit) && is_held {
                trader.close(asset, 1.0);
            }
        }
        let signals = self.is_entry.iter().zip(&self.is_exit);
        for ((&id, &close), (&is_entry, &is_exit)) in
            slice.assets().iter().zip(slice.close()).zip(signals)
        {
            let asset = AssetId(id);
            if !is_true(is_entry) || is_true(is_exit) || !close.is_finite() {
                continue;
            }
            if trader.quantity(asset) == 0.0 && trader.on_its_way(asset) == 0.0 {
                let order = OrderRequest::market(asset, 0.0);
                trader.submit(&OrderRequest { size: self.size, ..order })?;
            }
        }
        Ok(())
    }
}
