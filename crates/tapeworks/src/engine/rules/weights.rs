//! Target weights that the data brings along.

use crate::base::{AssetId, Rescale, Result};
use crate::engine::expression::RowProgram;
use crate::engine::{Slice, Strategy, Trader};
use crate::feed::Layout;

/// Moves each symbol to the fraction of equity that a column names.
///
/// **Decides** at every timestamp, for each row whose weight is not missing and whose close is
/// finite and above 0; the market orders fill at the symbol's next open. A missing weight leaves
/// the position alone, a weight of 0 closes it.
///
/// **Size**: weight x equity / close in whole lots, rounded toward zero; a difference worth less
/// than a cent sends nothing. Sales are sent before purchases, each in
/// order of symbol ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// A column or an expression.
    pub column: String,
}

impl Weights {
    /// Weights from a column or an expression.
    #[must_use]
    pub fn new(column: impl Into<String>) -> Self {
        Self { column: column.into() }
    }

    /// The strategy, bound to the columns of a feed.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn build(&self, layout: &Layout) -> Result<Box<dyn Strategy>> {
        let program = RowProgram::new(&self.column, layout)?;
        Ok(Box::new(Following { program, values: Vec::new(), openings: Vec::new() }))
    }
}

#[derive(Debug)]
struct Following {
    program: RowProgram,
    values: Vec<f64>,
    openings: Vec<(AssetId, f64)>,
}

impl Strategy for Following {
    fn on_start(&mut self, trader: &mut Trader) -> Result<()> {
        if trader.rescales_past() {
            self.program.keep_rows();
        }
        Ok(())
    }

    fn on_rescale(&mut self, rescale: &Rescale, _: &mut Trader) -> Result<()> {
        self.program.rescale(rescale);
        Ok(())
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        self.program.evaluate(slice, &mut self.values);
        self.openings.clear();
        let equity = trader.equity();
        let rows = slice.assets().iter().zip(slice.close()).zip(&self.values);
        for ((&asset, &close), &weight) in rows {
            if weight.is_nan() || !close.is_finite() || close <= 0.0 {
                continue;
            }
            let asset = AssetId(asset);
            if (weight * equity).abs() < (trader.quantity(asset) * close).abs() {
                trader.target_percent(asset, weight);
            } else {
                self.openings.push((asset, weight));
            }
        }
        for &(asset, weight) in &self.openings {
            trader.target_percent(asset, weight);
        }
        Ok(())
    }
}
