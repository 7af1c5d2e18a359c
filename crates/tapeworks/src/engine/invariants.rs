//! The accounting identities, recomputed from the fills after every timestamp.
//!
//! A second bookkeeping, kept apart from the broker's: cash and positions are summed from the fills
//! alone, so an error in the broker's own books shows.

use super::config::EngineConfig;
use super::trader::Trader;
use crate::base::AssetId;
use crate::broker::dust;

/// Running sums over the fills seen so far.
#[derive(Debug)]
pub(super) struct Invariants {
    initial_cash: f64,
    cash: f64,
    fees: f64,
    /// Largest amount of cash so far: the scale of its rounding errors.
    largest_cash: f64,
    quantity: Vec<f64>,
    closed_pnl: f64,
    fills_seen: usize,
    lots_seen: usize,
}

impl Invariants {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self {
            initial_cash: config.cash,
            cash: config.cash,
            fees: 0.0,
            largest_cash: config.cash,
            quantity: Vec::new(),
            closed_pnl: 0.0,
            fills_seen: 0,
            lots_seen: 0,
        }
    }

    /// Panics when an identity does not hold: that is a bug of the engine, not of its input.
    pub(super) fn check(&mut self, trader: &Trader) {
        self.quantity.resize(trader.symbols().len(), 0.0);
        for fill in &trader.broker.ledger().fills[self.fills_seen..] {
            self.cash -= fill.quantity * fill.price + fill.commission;
            self.largest_cash = self.largest_cash.max(self.cash);
            // A reduce always passes: one whose fee exceeds its proceeds may overdraw the account.
            assert!(
                fill.quantity < 0.0 || self.cash >= -1e-8 * self.largest_cash.max(1.0),
                "cash is not negative after an opening fill (A4)"
            );
            self.fees += fill.commission;
            let sum = &mut self.quantity[fill.asset.index()];
            let scale = sum.abs().max(fill.quantity.abs());
            *sum += fill.quantity;
            if sum.abs() <= dust(scale) {
                *sum = 0.0;
            }
            assert!(fill.quantity != 0.0, "a fill moves units");
        }
        self.fills_seen = trader.broker.ledger().fills.len();

        let scale = self.initial_cash.abs().max(1.0);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * scale.max(a.abs());
        assert!(near(self.cash, trader.cash()), "cash equals the sum of cash flows (A3)");
        assert!(near(self.fees, trader.broker.account().fees), "fees equal their sum (A10)");
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
        for lot in &ledger.lots[self.lots_seen..] {
            self.closed_pnl += (lot.exit_price - lot.entry_price) * lot.quantity * lot.side;
        }
        self.lots_seen = ledger.lots.len();
        assert!(
            near(self.closed_pnl + open_pnl - self.fees, trader.equity() - self.initial_cash),
            "closed and open gains less fees = change of equity (A9)"
        );
    }
}
