//! The accounting identities, recomputed from the fills after every timestamp.
//!
//! A second bookkeeping, kept apart from the broker's: cash and positions are summed from the fills
//! and from the account events alone, so an error in the broker's own books shows.

use super::config::EngineConfig;
use super::trader::Trader;
use crate::base::AssetId;
use crate::broker::{AccountEventKind, CashCheck, dust};

/// Running sums over what was seen so far.
#[derive(Debug)]
pub(super) struct Invariants {
    initial_cash: f64,
    /// Cash by the fills of spot instruments, fees and account events; of futures only fees.
    cash: f64,
    fees: f64,
    /// Deposits less withdrawals.
    flows: f64,
    /// Interest and dividends less funding and borrowing costs.
    carry: f64,
    dividends: f64,
    /// Largest amount of cash so far: the scale of its rounding errors.
    largest_cash: f64,
    quantity: Vec<f64>,
    /// What was paid for the futures held, by asset.
    paid: Vec<f64>,
    closed_pnl: f64,
    fills_seen: usize,
    lots_seen: usize,
    events_seen: usize,
    /// Account events among which splits were looked for.
    splits_seen: usize,
    /// The account pays for what it opens, and is asked at the fill.
    pays_at_fill: bool,
    /// The account holds no short position.
    is_long_only: bool,
}

impl Invariants {
    pub(super) fn new(config: &EngineConfig) -> Self {
        let pays_in_full = config.account.kind.pays_in_full();
        Self {
            initial_cash: config.cash,
            cash: config.cash,
            fees: 0.0,
            flows: 0.0,
            carry: 0.0,
            dividends: 0.0,
            largest_cash: config.cash,
            quantity: Vec::new(),
            paid: Vec::new(),
            closed_pnl: 0.0,
            fills_seen: 0,
            lots_seen: 0,
            events_seen: 0,
            splits_seen: 0,
            pays_at_fill: pays_in_full && config.semantics.cash_check == CashCheck::AtFill,
            is_long_only: pays_in_full,
        }
    }

    /// Panics when an identity does not hold: that is a bug of the engine, not of its input.
    pub(super) fn check(&mut self, trader: &Trader) {
        self.quantity.resize(trader.symbols().len(), 0.0);
        self.paid.resize(trader.symbols().len(), 0.0);
        // Funding of the very instant is paid after the fills of its row.
        self.see_events(trader, |kind| kind != AccountEventKind::Funding);
        self.see_fills(trader);
        self.see_events(trader, |kind| kind == AccountEventKind::Funding);
        self.events_seen = trader.broker.ledger().account_events.len();
        let account = trader.broker.account();
        let mut value = 0.0;
        let mut open_pnl = 0.0;
        let mut variation = 0.0;
        for (asset, &quantity) in (0..).zip(&self.quantity) {
            let asset = AssetId(asset);
            assert_eq!(quantity, trader.quantity(asset), "position equals the sum of fills (A3)");
            assert!(!self.is_long_only || quantity >= 0.0, "this account is never short (A4)");
            let is_future = trader.broker.positions().is_future(asset);
            let held = trader.position(asset);
            open_pnl += held.map_or(0.0, |position| position.unrealised);
            let held_value = held.map_or(0.0, |position| position.value);
            if is_future {
                variation += held_value - self.paid[asset.index()];
            } else {
                value += held_value;
            }
        }
        let flow_scale = self.flows.abs().max(self.carry.abs());
        let scale = self.initial_cash.abs().max(value.abs()).max(flow_scale).max(1.0);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * scale.max(a.abs());
        let cash = self.cash + variation;
        let balance = trader.cash() + account.receivable;
        assert!(near(cash, balance), "cash equals the sum of cash flows (A3)");
        assert!(near(self.dividends, account.dividends), "dividends equal their sum (A2)");
        assert!(near(self.fees, account.fees), "fees equal their sum (A10)");
        assert!(near(cash + value, trader.equity()), "cash + positions = equity (A1)");
        let ledger = trader.broker.ledger();
        for lot in &ledger.lots[self.lots_seen..] {
            let asset = ledger.fills[lot.entry_fill as usize].asset;
            let multiplier = trader.broker.positions().multiplier(asset);
            self.closed_pnl +=
                (lot.exit_price - lot.entry_price) * lot.quantity * lot.side * multiplier;
        }
        self.lots_seen = ledger.lots.len();
        let gains = self.closed_pnl + open_pnl - self.fees + self.carry;
        assert!(
            near(gains, trader.equity() - self.initial_cash - self.flows),
            "closed and open gains less costs = change of equity (A9)"
        );
    }

    fn see_events(&mut self, trader: &Trader, is_turn: impl Fn(AccountEventKind) -> bool) {
        let events = &trader.broker.ledger().account_events;
        for event in &events[self.events_seen..] {
            match event.kind {
                kind if !is_turn(kind) => continue,
                AccountEventKind::Flow => self.flows += event.amount,
                // Owed from the ex-date on, whether it is paid or not.
                AccountEventKind::Dividend
                | AccountEventKind::Funding
                | AccountEventKind::Borrow
                | AccountEventKind::Interest => self.carry += event.amount,
                _ => continue,
            }
            if event.kind == AccountEventKind::Dividend {
                self.dividends += event.amount;
            }
            self.cash += event.amount;
        }
    }

    fn see_fills(&mut self, trader: &Trader) {
        let positions = trader.broker.positions();
        // Funding received before the row may have paid for its fills.
        let events = &trader.broker.ledger().account_events[self.events_seen..];
        let received: f64 = events
            .iter()
            .filter(|event| event.kind == AccountEventKind::Funding)
            .map(|event| event.amount.max(0.0))
            .sum();
        let all = trader.broker.ledger().fills.len();
        for idx in self.fills_seen..all {
            self.see_splits(trader, idx);
            let fill = &trader.broker.ledger().fills[idx];
            assert!(fill.quantity != 0.0, "a fill moves units");
            let paid = fill.quantity * fill.price * positions.multiplier(fill.asset);
            if positions.is_future(fill.asset) {
                self.paid[fill.asset.index()] += paid;
            } else {
                self.cash -= paid;
            }
            self.cash -= fill.commission;
            self.largest_cash = self.largest_cash.max(self.cash);
            // A reduce always passes: one whose fee exceeds its proceeds may overdraw the account,
            // as may a withdrawal or a cost of time.
            assert!(
                !self.pays_at_fill
                    || fill.quantity < 0.0
                    || self.cash + received >= -1e-8 * self.largest_cash.max(1.0),
                "cash is not negative after an opening fill (A4)"
            );
            self.fees += fill.commission;
            let sum = &mut self.quantity[fill.asset.index()];
            let scale = sum.abs().max(fill.quantity.abs());
            *sum += fill.quantity;
            if sum.abs() <= dust(scale) {
                *sum = 0.0;
            }
        }
        self.see_splits(trader, all);
        self.fills_seen = all;
    }

    /// Units become others in the splits between the fill before `fill` and it.
    fn see_splits(&mut self, trader: &Trader, fill: usize) {
        let events = &trader.broker.ledger().account_events;
        while let Some(event) = events.get(self.splits_seen)
            && event.fills_before as usize <= fill
        {
            self.splits_seen += 1;
            if let (AccountEventKind::Split, Some(asset)) = (event.kind, event.asset) {
                self.quantity[asset.index()] *= event.amount;
            }
        }
    }
}
