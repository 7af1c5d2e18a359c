//! The accounting identities, recomputed from the fills after every timestamp.
//!
//! A second bookkeeping, kept apart from the broker's: cash and positions are summed from the fills
//! alone, so an error in the broker's own books shows.

use super::config::EngineConfig;
use super::trader::Trader;
use crate::base::AssetId;

/// Running sums over the fills seen so far.
#[derive(Debug)]
pub(super) struct Invariants {
    initial_cash: f64,
    cash: f64,
    fees: f64,
    quantity: Vec<f64>,
    fills_seen: usize,
}

impl Invariants {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self {
            initial_cash: config.cash,
            cash: config.cash,
            fees: 0.0,
            quantity: Vec::new(),
            fills_seen: 0,
        }
    }

    /// Panics when an identity does not hold: that is a bug of the engine, not of its input.
    pub(super) fn check(&mut self, trader: &Trader) {
        self.quantity.resize(trader.symbols().len(), 0.0);
        for fill in &trader.broker.ledger().fills[self.fills_seen..] {
            self.cash -= fill.quantity * fill.price + fill.commission;
            self.fees += fill.commission;
            let sum = &mut self.quantity[fill.asset.index()];
            *sum += fill.quantity;
            // The dust rule of positions: what rounding leaves of a closed position is nothing.
            if sum.abs() <= 1e-12_f64.max(16.0 * f64::EPSILON * fill.quantity.abs()) {
                *sum = 0.0;
            }
            assert!(fill.quantity != 0.0, "a fill moves units");
        }
        self.fills_seen = trader.broker.ledger().fills.len();

        let scale = self.initial_cash.abs().max(1.0);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * scale.max(a.abs());
        assert!(near(self.cash, trader.cash()), "cash equals the sum of cash flows (A3)");
        assert!(near(self.fees, trader.broker.account().fees), "fees equal their sum (A10)");
        assert!(trader.cash() >= -trader.broker.account().tolerance(), "cash is not negative (A4)");
        let mut value = 0.0;
        let mut open_pnl = 0.0;
        for (asset, &quantity) in (0..).zip(&self.quantity) {
            let asset = AssetId(asset);
            assert_eq!(quantity, trader.quantity(asset), "position equals the sum of fills (A3)");
            assert!(quantity >= 0.0, "a cash account is never short (A4)");
            if let Some(position) = trader.position(asset) {
                value += position.quantity * position.mark;
                open_pnl += position.unrealised;
            }
        }
        assert!(near(self.cash + value, trader.equity()), "cash + positions = equity (A1)");
        let ledger = trader.broker.ledger();
        let closed_pnl: f64 = ledger
            .lots
            .iter()
            .map(|lot| (lot.exit_price - lot.entry_price) * lot.quantity * lot.side)
            .sum();
        assert!(
            near(closed_pnl + open_pnl - self.fees, trader.equity() - self.initial_cash),
            "closed and open gains less fees = change of equity (A9)"
        );
    }
}
