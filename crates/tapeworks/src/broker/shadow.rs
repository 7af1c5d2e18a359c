//! A picture of the account that orders are tested against before they fill: for parity only.
//!
//! Some frameworks ask at submission whether an order can be paid at the price of the moment, and
//! let the orders of one row add up in the picture; one asks for the whole queue of a row at the
//! row's close, before the first of its orders fills.

use super::codes::{OrderKind, RejectCode};
use super::commission::FeeBasis;
use super::cycle::Broker;
use super::instrument::Margin;
use super::matching::Terms;
use super::positions::exceeds;
use super::semantics::{CashCheck, FeeBase};
use crate::base::AssetId;

/// Cash and positions as they would be.
#[derive(Debug, Clone, Default)]
pub(super) struct Shadow {
    /// The timestamp at which the picture was taken.
    at: Option<i64>,
    cash: f64,
    /// Assets held, signed units and the price they are valued at.
    held: Vec<(AssetId, f64, f64)>,
}

impl Shadow {
    fn quantity(&self, asset: AssetId) -> f64 {
        self.held.iter().find(|row| row.0 == asset).map_or(0.0, |row| row.1)
    }

    fn trade(&mut self, asset: AssetId, signed: f64, mark: f64) {
        match self.held.iter_mut().find(|row| row.0 == asset) {
            Some(row) => {
                let before = row.1;
                row.1 += signed;
                row.2 = mark;
                if !exceeds(row.1.abs(), 0.0) || row.1.abs() <= 1e-12 * before.abs() {
                    row.1 = 0.0;
                }
            }
            None => self.held.push((asset, signed, mark)),
        }
    }
}

impl Broker {
    /// Whether the test at submission lets an order through.
    pub(super) fn passes_submission(&mut self, asset: AssetId, signed: f64, terms: &Terms) -> bool {
        match self.conditions.semantics.cash_check {
            CashCheck::SubmitAndFill => self.passes_with_earlier(asset, signed, terms),
            CashCheck::Queue => {
                let is_at_market =
                    matches!(terms.kind, OrderKind::Market | OrderKind::MarketOnClose);
                self.refresh_shadow();
                let mark = self.positions.mark(asset);
                !is_at_market || self.shadow_covers(asset, signed, mark)
            }
            CashCheck::AtFill | CashCheck::Never => true,
        }
    }

    /// What an order is refused as when the picture has no room for it.
    pub(super) fn code_of_shortage(&self) -> RejectCode {
        match self.conditions.semantics.cash_check {
            CashCheck::Queue => RejectCode::InsufficientMargin,
            _ => RejectCode::InsufficientCash,
        }
    }

    /// Takes the picture anew once a timestamp.
    fn refresh_shadow(&mut self) {
        if self.shadow.at != Some(self.now) {
            self.shadow = self.picture(|broker, asset| broker.positions.mark(asset));
        }
    }

    /// The account, its positions valued by `price`.
    pub(super) fn picture(&self, price: impl Fn(&Self, AssetId) -> f64) -> Shadow {
        let held = self.positions.held().iter().map(|&asset| {
            let asset = AssetId(asset);
            (asset, self.positions.quantity(asset), price(self, asset))
        });
        Shadow { at: Some(self.now), cash: self.account.cash, held: held.collect() }
    }

    /// Books an order in the picture at its own price, whether it passes or not, and tells whether
    /// cash has stayed at 0 or above.
    fn passes_with_earlier(&mut self, asset: AssetId, signed: f64, terms: &Terms) -> bool {
        self.refresh_shadow();
        let price = match terms.kind {
            OrderKind::Market | OrderKind::MarketOnClose => self.positions.mark(asset),
            OrderKind::Limit => terms.limit,
            _ => terms.stop,
        };
        let price = if price.is_nan() { self.positions.mark(asset) } else { price };
        self.shadow.cash -= signed * price + self.fee_at(asset, signed, price);
        self.shadow.trade(asset, signed, price);
        self.shadow.cash >= 0.0
    }

    /// Whether margin covers an order in the picture.
    pub(super) fn shadow_covers(&self, asset: AssetId, signed: f64, price: f64) -> bool {
        let shadow = &self.shadow;
        let held = shadow.quantity(asset);
        let after = held + signed;
        let is_opposite = held * signed < 0.0;
        if is_opposite && !exceeds(signed.abs(), held.abs()) {
            return true;
        }
        let tolerance = self.conditions.semantics.cash_tolerance.max(0.0);
        let unit = |asset: AssetId, price: f64| price * self.positions.multiplier(asset);
        let instrument = self.conditions.instruments.of(asset);
        let is_projected = instrument.initial_margin != Margin::Account;
        let mut equity = shadow.cash - self.fee_at(asset, signed, price);
        let mut margin = 0.0;
        for &(other, quantity, mark) in &shadow.held {
            if other == asset {
                let value = if is_projected { price } else { mark };
                // A flip closes its own position first, at the price of the order.
                let value = if is_opposite { price } else { value };
                equity += quantity * unit(asset, value);
                let stays = !is_opposite && !is_projected;
                margin += if stays { self.margin_of(asset, quantity, mark) } else { 0.0 };
            } else {
                equity += quantity * unit(other, mark);
                margin += self.margin_of(other, quantity, mark);
            }
        }
        if is_projected {
            return margin + self.margin_of(asset, after, price) <= equity + tolerance;
        }
        let opened = if is_opposite { after.abs() } else { signed.abs() };
        let power = ((equity - margin) / self.conditions.terms.initial_margin).max(0.0);
        opened * unit(asset, price).abs() <= power + tolerance
    }

    fn margin_of(&self, asset: AssetId, quantity: f64, price: f64) -> f64 {
        quantity.abs() * self.margin_a_unit(asset, price, true, quantity)
    }

    /// Books a fill in the picture.
    pub(super) fn shadow_fill(&mut self, asset: AssetId, signed: f64, price: f64, mark: f64) {
        let unit = price * self.positions.multiplier(asset);
        self.shadow.cash -= signed * unit + self.fee_at(asset, signed, price);
        self.shadow.trade(asset, signed, mark);
    }

    /// The fee of a first fill at a price.
    pub(super) fn fee_at(&self, asset: AssetId, signed: f64, price: f64) -> f64 {
        let multiplier = match self.conditions.semantics.fee_base {
            FeeBase::Notional => self.positions.multiplier(asset),
            FeeBase::PriceOnly => 1.0,
        };
        self.conditions.commission.fee(&FeeBasis {
            quantity: signed.abs(),
            price,
            multiplier,
            is_sell: signed < 0.0,
            ..FeeBasis::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 units bought, 40 of them sold again, the rest sold and 10 more: what is held by hand.
    #[test]
    fn picture_when_traded_then_units_add_up_and_the_last_mark_counts() {
        let mut shadow = Shadow::default();
        let asset = AssetId(3);
        for (signed, held) in [(100.0, 100.0), (-40.0, 60.0), (-60.0, 0.0), (-10.0, -10.0)] {
            shadow.trade(asset, signed, 20.0);
            assert_eq!(shadow.quantity(asset), held);
        }
        assert_eq!(shadow.held.len(), 1);
        assert_eq!(shadow.quantity(AssetId(0)), 0.0);
    }

    /// Sums of tenths do not come back to 0 exactly; the picture is flat all the same.
    #[test]
    fn picture_when_rounding_is_left_then_flat() {
        let mut shadow = Shadow::default();
        let asset = AssetId(0);
        for signed in [0.1, 0.2, -0.3] {
            shadow.trade(asset, signed, 1.0);
        }
        assert_eq!(shadow.quantity(asset), 0.0);
    }
}
