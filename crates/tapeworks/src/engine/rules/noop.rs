//! The rule that does nothing: the cost of walking the data.

use crate::base::Result;
use crate::engine::{Slice, Strategy, Trader};

/// Sends no orders.
#[derive(Debug, Clone, Copy, Default)]
pub struct Noop;

impl Strategy for Noop {
    fn on_data(&mut self, _slice: &Slice<'_>, _trader: &mut Trader) -> Result<()> {
        Ok(())
    }
}
