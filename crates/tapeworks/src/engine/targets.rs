//! Orders stated by what is to be held.

use super::trader::Trader;
use crate::base::{AssetId, OrderId};
use crate::broker::{
    MarkMissing, NewOrder, OrderKind, RebalanceOrder, Shortfall, ShortfallRule, SizeRounding,
    TargetRounding, TargetShortfall,
};

impl Trader {
    /// Closes a fraction (0 to 1] of a position at the next open. Without a position the order is
    /// refused as `position_missing`; a fraction of 0 or less closes nothing and is refused as
    /// `quantity_zero`, NaN as `quantity_not_finite`.
    pub fn close(&mut self, asset: AssetId, fraction: f64) -> OrderId {
        let quantity = -self.quantity(asset) * fraction.clamp(0.0, 1.0);
        // Without a position there is no side; the refused row asks for a sale of nothing.
        let reduce_only = !self.broker.conditions().semantics.double_exit;
        self.send_market(asset, quantity, reduce_only, Shortfall::Reject)
    }

    /// Closes every position at the next open.
    pub fn close_all(&mut self) {
        for idx in 0..self.held().len() {
            self.close(AssetId(self.held()[idx]), 1.0);
        }
    }

    /// Sends what is missing to hold `units`, counting live market orders as done.
    pub fn target_quantity(&mut self, asset: AssetId, units: f64) -> Option<OrderId> {
        self.send_target(asset, units, f64::NAN)
    }

    fn send_target(&mut self, asset: AssetId, units: f64, value: f64) -> Option<OrderId> {
        let semantics = &self.broker.conditions().semantics;
        if semantics.mark_missing == MarkMissing::SkipOrders && self.rows.row_of(asset).is_none() {
            return None;
        }
        let lots = self.broker.lots_of(asset);
        let due = self.units_due(asset);
        let quantity = match (semantics.size_rounding, semantics.target_rounding) {
            (SizeRounding::None, _) | (SizeRounding::Lot, TargetRounding::Order) => units - due,
            (SizeRounding::Lot, TargetRounding::Target) => lots.round(units) - due,
            (SizeRounding::Lot, TargetRounding::Difference) => lots.round(units - due),
        };
        let is_nothing = match semantics.size_rounding {
            SizeRounding::None => quantity == 0.0,
            SizeRounding::Lot if semantics.target_rounding == TargetRounding::Order => {
                quantity == 0.0
            }
            SizeRounding::Lot => lots.round(quantity) == 0.0,
        };
        if is_nothing && quantity.is_finite() {
            return None;
        }
        let held = self.quantity(asset);
        // What only reduces may not open anything where a rule closes the position before it.
        let reduce_only = held * units >= 0.0
            && units.abs() < held.abs()
            && held * quantity < 0.0
            && !self.broker.conditions().semantics.double_exit;
        let shortfall = self.shortfall_of_target(!value.is_nan());
        Some(self.send(&NewOrder {
            reduce_only,
            shortfall,
            value,
            ..NewOrder::market(asset, quantity)
        }))
    }

    /// What to do when the account cannot pay for an order in stated units.
    pub(super) fn shortfall_of_units(&self) -> Shortfall {
        match self.broker.conditions().semantics.shortfall {
            ShortfallRule::Reject => Shortfall::Reject,
            ShortfallRule::Partial | ShortfallRule::PartialOrCancel => Shortfall::Partial,
            ShortfallRule::Cancel => Shortfall::Cancel,
        }
    }

    /// What to do when the account cannot pay for an order that is sized by a target.
    pub(super) fn shortfall_of_target(&self, rebalances: bool) -> Shortfall {
        let in_units = self.shortfall_of_units();
        let semantics = &self.broker.conditions().semantics;
        let has_lots = semantics.size_rounding == SizeRounding::Lot;
        match semantics.target_shortfall {
            TargetShortfall::Partial => Shortfall::Partial,
            TargetShortfall::Rebalance
                if rebalances && has_lots && in_units == Shortfall::Reject =>
            {
                Shortfall::Partial
            }
            TargetShortfall::Rebalance | TargetShortfall::AsOrders => in_units,
        }
    }

    /// Signed units held, and those on their way where targets count them.
    fn units_due(&self, asset: AssetId) -> f64 {
        let counts_live = self.broker.conditions().semantics.targets_count_live;
        let live = if counts_live { self.on_its_way(asset) } else { 0.0 };
        self.quantity(asset) + live
    }

    /// Sends what is missing to hold `fraction` of equity, in whole lots of the target at the last
    /// close. Differences under one cent of currency send nothing.
    pub fn target_percent(&mut self, asset: AssetId, fraction: f64) -> Option<OrderId> {
        self.target_value(asset, fraction * self.equity)
    }

    /// Sends what is missing to hold `currency` worth, as [`Trader::target_percent`] does.
    pub fn target_value(&mut self, asset: AssetId, currency: f64) -> Option<OrderId> {
        self.send_target_value(asset, currency, false)
    }

    fn send_target_value(
        &mut self,
        asset: AssetId,
        currency: f64,
        rebalances: bool,
    ) -> Option<OrderId> {
        let headroom = self.broker.conditions().semantics.headroom;
        let currency = if rebalances { currency * headroom } else { currency };
        let unit = self.mark(asset) * self.broker.positions().multiplier(asset);
        let units_due = self.units_due(asset);
        if (currency - units_due * unit).abs() < 0.01 {
            return None;
        }
        // Nothing of a symbol that has no price yet is nothing.
        let units = if currency == 0.0 { 0.0 } else { currency / unit };
        let value = if rebalances { (currency - units_due * unit).abs() } else { f64::NAN };
        self.send_target(asset, units, value)
    }

    /// Moves the whole portfolio to `weights` (fractions of equity): symbols that are absent go to
    /// zero, whether held or on their way by a live market order; sales are sent before purchases,
    /// each in asset order.
    pub fn rebalance(&mut self, weights: &[(AssetId, f64)]) {
        let mut targets: Vec<(AssetId, f64)> =
            self.held().iter().map(|&asset| (AssetId(asset), 0.0)).collect();
        for live in self.broker.live().iter().filter(|live| live.terms.kind == OrderKind::Market) {
            if let Err(at) = targets.binary_search_by_key(&live.asset, |target| target.0) {
                targets.insert(at, (live.asset, 0.0));
            }
        }
        for &(asset, weight) in weights {
            match targets.binary_search_by_key(&asset, |target| target.0) {
                Ok(at) => targets[at].1 = weight,
                Err(at) => targets.insert(at, (asset, weight)),
            }
        }
        let equity = self.equity;
        let as_given =
            self.broker.conditions().semantics.rebalance_order == RebalanceOrder::SalesFirst;
        if as_given {
            let named = |asset: AssetId| weights.iter().position(|weight| weight.0 == asset);
            // What was not named comes after all that was.
            targets.sort_by_key(|&(asset, _)| named(asset).unwrap_or(usize::MAX));
        }
        let sells: Vec<bool> = targets
            .iter()
            .map(|&(asset, weight)| {
                let unit = self.mark(asset) * self.broker.positions().multiplier(asset);
                weight * equity < self.units_due(asset) * unit
            })
            .collect();
        for pass in [true, false] {
            for (&(asset, weight), &is_sale) in targets.iter().zip(&sells) {
                if is_sale == pass {
                    self.send_target_value(asset, weight * equity, true);
                }
            }
        }
    }

    fn send_market(
        &mut self,
        asset: AssetId,
        quantity: f64,
        reduce_only: bool,
        shortfall: Shortfall,
    ) -> OrderId {
        self.send(&NewOrder { reduce_only, shortfall, ..NewOrder::market(asset, quantity) })
    }
}
