//! From a price to a fill: how much, at which price after costs, and whether the account allows it.

use super::bar::Quotes;
use super::buying_power::Refusal;
use super::codes::{
    CancelReason, ExitReason, ExpireReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
    TimeInForce,
};
use super::commission::{FeeBasis, Traded};
use super::custom::check_price_cost;
use super::cycle::Broker;
use super::ledger::{OrderEventKind, OrderStatus};
use super::live::Shortfall;
use super::lots::Lots;
use super::participation::{CapScope, VolumeBasis};
use super::positions::{Entry, dust, exceeds};
use super::semantics::{
    ExitSlip, FeeBase, FillAt, FlipShortfall, LimitSlip, ShortCash, ShortfallRule,
};
use super::slippage::PriceBasis;
use crate::base::{AssetId, OrderId};

/// An order that has found its price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Execution {
    /// Its place in the book; `None` for the order of a rule that never rests there.
    pub place: Option<usize>,
    pub order: OrderId,
    pub asset: AssetId,
    /// `+1.0` buys, `-1.0` sells.
    pub sign: f64,
    /// Units left to fill (positive).
    pub wanted: f64,
    pub base_price: f64,
    /// The base price is a quote: nothing more is given up.
    pub is_quoted: bool,
    /// NaN when there is none.
    pub limit: f64,
    pub phase: Phase,
    pub flags: FillFlags,
    /// A stop set the price.
    pub by_stop: bool,
    pub reason: ExitReason,
    pub reduce_only: bool,
    pub shortfall: Shortfall,
    pub entry: Entry,
    /// What the fill's row showed a position up to this fill: (adverse, favourable).
    pub seen: (f64, f64),
}

/// A price after costs, and the costs that made it, a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priced {
    pub price: f64,
    pub stop_slip: f64,
    pub impact: f64,
    pub flags: FillFlags,
}

/// What of an order may fill now.
#[derive(Clone, Copy)]
struct Part {
    /// Units that were asked before the position cut them.
    asked: f64,
    quantity: f64,
    /// Whether the volume left nothing over.
    is_whole: bool,
    is_fok: bool,
}

impl Broker {
    /// Fills or refuses an order that has found its price, as far as volume and account allow.
    pub(super) fn execute(&mut self, execution: &Execution, quotes: &impl Quotes) {
        let asset = execution.asset;
        let held = self.positions.quantity(asset);
        let is_opposite = held * execution.sign < 0.0;
        if execution.reduce_only && !is_opposite {
            return self.cancel_unneeded(execution);
        }
        let Some(asked) = self.within_cash(execution, held, quotes) else { return };
        let mut quantity = asked;
        if is_opposite || execution.sign < 0.0 {
            let may_pass = execution.reduce_only || self.conditions.terms.kind.pays_in_full();
            if may_pass && exceeds(quantity, held.abs()) {
                let may_shrink = self.cuts_to_position(execution.shortfall) && held != 0.0;
                if !execution.reduce_only && !may_shrink {
                    // An account without short positions refuses a sale of stated units beyond what
                    // is held whole: half of it would not be what was asked for.
                    let code = RejectCode::ShortNotAllowed;
                    return self.reject(execution, code, quantity, held.abs());
                }
                quantity = held.abs();
            }
        }
        let fillable = self.fillable(asset, execution.place, quantity, quotes);
        if fillable < quantity && self.refuses_whole(execution, held, quantity, quotes) {
            return;
        }
        let is_fok = self.tif_of(execution.place) == TimeInForce::Fok;
        if is_fok && fillable < quantity {
            return self.expire(execution, ExpireReason::FokUnfilled);
        }
        if fillable == 0.0 {
            return;
        }
        let part = Part { asked, quantity: fillable, is_whole: fillable >= quantity, is_fok };
        self.fill_part(execution, held, part, quotes);
    }

    /// Fills a part of an order.
    fn fill_part(&mut self, execution: &Execution, held: f64, part: Part, quotes: &impl Quotes) {
        let Part { asked, quantity, is_whole, is_fok } = part;
        let is_opposite = held * execution.sign < 0.0;
        let closing = if is_opposite { quantity.min(held.abs()) } else { 0.0 };
        // What rounding leaves between two sums of units is not a flip.
        let opening =
            if is_opposite && !exceeds(quantity, held.abs()) { 0.0 } else { quantity - closing };
        let Some(mut priced) = self.price_after_costs(execution, quantity, quotes) else {
            return self.refuse_at_base(execution, closing, opening, quotes);
        };
        // An order that goes on waiting for volume has not been cut: the position may grow.
        if is_whole && asked > quantity {
            let event = OrderEventKind::ResizedToPosition;
            self.push_change(execution.order, event, asked, quantity);
        }
        if opening > 0.0 {
            let refusal = self.refuse_before_costs(execution, closing, opening, &priced, quotes);
            if let Some(((mut code, mut need, mut have), is_again)) = refusal {
                let was_asked = self.was_asked_at_submission(execution) && !is_again;
                let may_shrink = execution.shortfall == Shortfall::Partial && !is_fok && !was_asked;
                let is_money =
                    matches!(code, RejectCode::InsufficientCash | RejectCode::InsufficientMargin);
                let mut affordable = if may_shrink && is_money {
                    self.affordable(execution, closing, opening, quotes)
                } else {
                    0.0
                };
                if affordable > 0.0 {
                    let Some(again) =
                        self.price_after_costs(execution, closing + affordable, quotes)
                    else {
                        return;
                    };
                    priced = again;
                    // What the account can pay for may be too small to trade.
                    if let Some(least) =
                        self.refuse_open(execution, closing, affordable, &priced, quotes)
                        && least.0 == RejectCode::BelowMinNotional
                    {
                        (code, need, have) = least;
                        affordable = 0.0;
                    }
                }
                let flip = self.conditions.semantics.flip_shortfall;
                let refuses_flip = !may_shrink
                    && match flip {
                        FlipShortfall::CloseAndReject => false,
                        FlipShortfall::CloseAndFill => !was_asked,
                        FlipShortfall::Whole => true,
                    };
                if closing + affordable == 0.0 || refuses_flip || is_fok {
                    if is_fok && is_money {
                        return self.expire(execution, ExpireReason::FokUnfilled);
                    }
                    return self.refuse(execution, code, need, have);
                }
                let (asked, quantity) = (closing + opening, closing + affordable);
                let closing = closing.min(quantity);
                if affordable <= 0.0 {
                    let Some(again) = self.price_after_costs(execution, quantity, quotes) else {
                        return;
                    };
                    priced = again;
                }
                if affordable == 0.0 && flip == FlipShortfall::CloseAndReject {
                    self.book_fill(execution, held, closing, closing, &priced, quotes);
                    let average = self.average_price(execution);
                    self.push_rejection(execution.order, code, need, have);
                    let reason = CancelReason::OpenLegRejected;
                    self.finish(execution, OrderStatus::Cancelled(reason));
                    self.push_cancel(execution.order, reason);
                    self.after_fill(execution, closing, average);
                    return self.after_end(execution.order);
                }
                let event = OrderEventKind::ResizedForCash;
                self.push_change(execution.order, event, asked, quantity);
                self.book_fill(execution, held, closing, quantity, &priced, quotes);
                let average = self.average_price(execution);
                self.finish(execution, OrderStatus::Filled);
                self.after_fill(execution, quantity, average);
                return self.after_end(execution.order);
            }
        }
        let filled = if opening > 0.0 { quantity } else { closing };
        self.book_fill(execution, held, closing, filled, &priced, quotes);
        let average = self.average_price(execution);
        if is_whole {
            self.finish(execution, OrderStatus::Filled);
        } else if let Some(place) = execution.place {
            self.live.set_rest(place, execution.wanted - filled);
        }
        self.after_fill(execution, filled, average);
        if is_whole {
            self.after_end(execution.order);
        }
    }

    /// Why an open is refused at its price, and whether it has passed before costs; under semantics
    /// that ask at the price before costs as well, first there: a sale takes more of the cash then.
    fn refuse_before_costs(
        &mut self,
        execution: &Execution,
        closing: f64,
        opening: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) -> Option<(Refusal, bool)> {
        let is_again = self.asks_again(execution, priced);
        if is_again {
            let base = Priced { price: execution.base_price, ..*priced };
            let refusal = self.refuse_open(execution, closing, opening, &base, quotes);
            if let Some(refusal) = refusal {
                return Some((refusal, false));
            }
        }
        let refusal = self.refuse_open(execution, closing, opening, priced, quotes)?;
        Some((refusal, is_again))
    }

    /// Units of an order that the volume of the row lets fill, in whole lots.
    pub(super) fn fillable(
        &self,
        asset: AssetId,
        place: Option<usize>,
        wanted: f64,
        quotes: &impl Quotes,
    ) -> f64 {
        let Some(participation) = &self.conditions.participation else { return wanted };
        if !self.conditions.instruments.of(asset).has_volume {
            return wanted;
        }
        let volume = quotes.bar(asset).map_or(f64::NAN, |bar| bar.volume);
        let cap = match participation.basis {
            VolumeBasis::Bar => participation.cap(volume, f64::NAN, f64::NAN),
            VolumeBasis::PreviousBar => {
                participation.cap(volume, self.past.previous_volume(asset), f64::NAN)
            }
            VolumeBasis::Adv(rows) => {
                participation.cap(volume, f64::NAN, self.past.adv(asset, rows as usize))
            }
        };
        let used = match participation.scope {
            CapScope::Symbol => self.used[asset.index()],
            CapScope::Order => place
                .and_then(|place| self.live.rare(place))
                .filter(|rare| rare.filled_at == self.now)
                .map_or(0.0, |rare| rare.filled_in_row),
        };
        // A difference of large units may be a hair less than the lot that it is.
        let left = cap - used + dust(cap);
        if wanted <= left { wanted } else { self.lot(asset).round(left.max(0.0)) }
    }

    /// The quantity step of an asset.
    #[inline]
    pub(super) fn lot(&self, asset: AssetId) -> Lots {
        let lot = self.conditions.instruments.of(asset).lot;
        if lot.is_nan() { self.conditions.lots } else { Lots::Step(lot) }
    }

    /// The price after costs; `None` when the order waits rather than take it. A limit is never
    /// exceeded.
    pub(super) fn price_after_costs(
        &mut self,
        execution: &Execution,
        quantity: f64,
        quotes: &impl Quotes,
    ) -> Option<Priced> {
        let conditions = &self.conditions;
        let semantics = &conditions.semantics;
        let (base, sign) = (execution.base_price, execution.sign);
        let mut priced =
            Priced { price: base, stop_slip: 0.0, impact: 0.0, flags: execution.flags };
        let has_limit = !execution.limit.is_nan();
        let opens = self.positions.quantity(execution.asset) * sign >= 0.0;
        // Where slippage may keep a limit from filling, or move it beyond, a limit that was touched
        // pays it as well.
        let touched_pays = matches!(semantics.limit_slip, LimitSlip::Refuse | LimitSlip::Exceed);
        let pays = (touched_pays || !execution.flags.has(FillFlags::MAKER))
            && !(has_limit && semantics.limit_slip == LimitSlip::Unslipped)
            && match semantics.exit_slip {
                ExitSlip::Always => true,
                ExitSlip::NotAtGap => !(execution.by_stop && execution.phase == Phase::Open),
                ExitSlip::Never => !execution.by_stop,
                ExitSlip::OpensOnly => opens,
            };
        if !pays {
            return Some(priced);
        }
        let mut price = base;
        let slips = execution.by_stop
            && conditions.stop_slippage != 0.0
            && (semantics.stop_slip_orders || self.is_of_rule(execution));
        if slips {
            price = base * (1.0 + sign * conditions.stop_slippage);
            priced.stop_slip = sign * (price - base);
        }
        let is_free = conditions.impact.is_free() && conditions.slippage.is_free();
        let instrument = conditions.instruments.of(execution.asset);
        if !is_free {
            let needs_volume =
                conditions.slippage.needs_volume() || conditions.impact.needs_volume();
            let volume = quotes
                .bar(execution.asset)
                .filter(|_| instrument.has_volume)
                .map_or(f64::NAN, |bar| bar.volume);
            let is_known = volume > 0.0;
            if needs_volume && !is_known {
                priced.flags = priced.flags.with(FillFlags::NO_VOLUME_COST);
            }
            let past = |rows: usize| {
                (self.past.sigma(execution.asset, rows), self.past.adv(execution.asset, rows))
            };
            let (sigma, adv) = past(conditions.impact.past_rows());
            let mut basis = PriceBasis {
                asset: execution.asset,
                sign,
                price,
                quantity,
                volume,
                used: self.used.get(execution.asset.index()).copied().unwrap_or(0.0),
                tick: instrument.tick,
                spread: instrument.spread,
                sigma,
                adv,
            };
            // A cost without bound comes of a size without measure: the account will refuse it.
            let checked = |model: &str, cost: f64| {
                if cost == f64::INFINITY { Ok(cost) } else { check_price_cost(model, cost) }
            };
            let impact = checked("impact", conditions.impact.per_unit(&basis));
            priced.impact = *impact.as_ref().unwrap_or(&0.0);
            price += sign * priced.impact;
            basis.price = price;
            (basis.sigma, basis.adv) = past(conditions.slippage.past_rows());
            let per_unit = if execution.is_quoted || price.is_infinite() {
                0.0
            } else {
                conditions.slippage.per_unit(&basis)
            };
            let slip = checked("slippage", per_unit);
            price = conditions.slippage.moved(price, sign, *slip.as_ref().unwrap_or(&0.0));
            if let Err(error) = impact.and(slip) {
                self.fail_at(execution.asset, error);
                return None;
            }
        }
        let semantics = &self.conditions.semantics;
        if !self.conditions.instruments.of(execution.asset).tick.is_nan() && price != base {
            let tick = self.conditions.instruments.of(execution.asset).tick;
            let steps = price / tick;
            // A price that is a whole number of ticks but for rounding stays where it is.
            let whole = if (steps - steps.round()).abs() <= 1e-9 * steps.abs().max(1.0) {
                steps.round()
            } else if sign > 0.0 {
                steps.ceil()
            } else {
                steps.floor()
            };
            price = whole * tick;
        }
        // At the open a stop that was passed leaves a limit order.
        let at_stop = execution.by_stop && execution.phase != Phase::Open;
        if has_limit {
            let beyond = sign * price > sign * execution.limit;
            match semantics.limit_slip {
                LimitSlip::Clamp if beyond => price = execution.limit,
                LimitSlip::ClampLoose if beyond && !at_stop => price = execution.limit,
                LimitSlip::Refuse if beyond => return None,
                _ => {}
            }
        }
        let leaves_row =
            semantics.limit_slip == LimitSlip::ClampLoose && has_limit && sign < 0.0 && !at_stop;
        if semantics.slip_cap
            && !leaves_row
            && let Some(bar) = quotes.bar(execution.asset)
        {
            price = price.clamp(bar.low, bar.high);
        }
        priced.price = price;
        Some(priced)
    }

    /// The fee of a fill of this order.
    pub(super) fn fee(&self, execution: &Execution, quantity: f64, price: f64) -> f64 {
        let order = &self.ledger.orders[execution.order.index()];
        if order.origin == OrderOrigin::CorporateAction {
            return 0.0;
        }
        let is_trail =
            execution.reason == ExitReason::Trailing || order.kind == OrderKind::Trailing;
        if is_trail && !self.conditions.semantics.fee_on_trailing {
            return 0.0;
        }
        self.conditions.commission.fee(&self.fee_basis(execution, quantity, price))
    }

    /// What the fee of a fill depends on.
    pub(super) fn fee_basis(&self, execution: &Execution, quantity: f64, price: f64) -> FeeBasis {
        let traded = execution
            .place
            .and_then(|place| self.live.rare(place))
            .map_or(Traded::default(), |rare| rare.traded);
        FeeBasis {
            quantity,
            price,
            multiplier: self.fee_multiplier(execution.asset),
            is_sell: execution.sign < 0.0,
            is_maker: execution.flags.has(FillFlags::MAKER),
            order: traded,
            month: self.month.1,
        }
    }

    /// The multiplier as fees count it.
    pub(super) fn fee_multiplier(&self, asset: AssetId) -> f64 {
        match self.conditions.semantics.fee_base {
            FeeBase::Notional => self.positions.multiplier(asset),
            FeeBase::PriceOnly => 1.0,
        }
    }

    /// Whether the account is asked for the whole of an order of which the volume lets a part fill,
    /// and has refused it: so it is where each order has a share of the volume of its own.
    fn refuses_whole(
        &mut self,
        execution: &Execution,
        held: f64,
        quantity: f64,
        quotes: &impl Quotes,
    ) -> bool {
        let scope = self.conditions.participation.as_ref().map(|one| one.scope);
        let closing = if held * execution.sign < 0.0 { quantity.min(held.abs()) } else { 0.0 };
        let opening = quantity - closing;
        if scope != Some(CapScope::Order) || opening <= 0.0 {
            return false;
        }
        let (price, flags) = (execution.base_price, execution.flags);
        let priced = Priced { price, stop_slip: 0.0, impact: 0.0, flags };
        let refusal = self.refuse_open(execution, closing, opening, &priced, quotes);
        match refusal {
            Some((code, need, have)) if execution.shortfall != Shortfall::Partial => {
                self.refuse(execution, code, need, have);
                true
            }
            _ => false,
        }
    }

    /// Whether the order fills inside the call that sends it, which refuses what it cannot fill.
    fn fills_in_its_call(&self, execution: &Execution) -> bool {
        self.conditions.semantics.fill_at == FillAt::Immediate
            && self.ledger.orders[execution.order.index()].kind == OrderKind::Market
    }

    fn is_of_rule(&self, execution: &Execution) -> bool {
        self.ledger.orders[execution.order.index()].origin == OrderOrigin::PositionRule
    }

    /// Ends an order that may not open: without a refusal where the semantics want none.
    fn refuse(&mut self, execution: &Execution, code: RejectCode, need: f64, have: f64) {
        let is_money =
            matches!(code, RejectCode::InsufficientCash | RejectCode::InsufficientMargin);
        let cancels = match execution.shortfall {
            _ if self.was_asked_at_submission(execution) => false,
            Shortfall::Reject => false,
            Shortfall::Cancel => true,
            Shortfall::Partial => {
                self.conditions.semantics.shortfall == ShortfallRule::PartialOrCancel
                    && !self.fills_in_its_call(execution)
            }
        };
        if cancels && is_money {
            self.cancel_for_cash(execution);
        } else {
            self.reject(execution, code, need, have);
        }
    }

    /// An order that waits rather than take its price: where slippage keeps it from filling, the
    /// account is asked all the same.
    fn refuse_at_base(
        &mut self,
        execution: &Execution,
        closing: f64,
        opening: f64,
        quotes: &impl Quotes,
    ) {
        if opening == 0.0 || self.conditions.semantics.limit_slip != LimitSlip::Refuse {
            return;
        }
        let (price, flags) = (execution.base_price, execution.flags);
        let priced = Priced { price, stop_slip: 0.0, impact: 0.0, flags };
        let refusal = self.refuse_open(execution, closing, opening, &priced, quotes);
        if let Some((code, need, have)) = refusal {
            self.refuse(execution, code, need, have);
        }
    }

    /// What locked or capped cash leaves of an order that covers or flips; `None` when it has ended
    /// the order.
    fn within_cash(
        &mut self,
        execution: &Execution,
        held: f64,
        quotes: &impl Quotes,
    ) -> Option<f64> {
        let wanted = execution.wanted;
        let is_opposite = held * execution.sign < 0.0;
        let covers = is_opposite && execution.sign > 0.0;
        if !is_opposite || (!covers && !exceeds(wanted, held.abs())) {
            return Some(wanted);
        }
        let base = execution.base_price;
        let capped = self.conditions.semantics.short_cash == ShortCash::CreditCapped;
        let limit = if capped && covers {
            Some(self.payable(execution, quotes))
        } else {
            self.lock_limit(execution.asset, execution.sign, base)
        };
        let Some(limit) = limit else { return Some(wanted) };
        if limit >= wanted {
            return Some(wanted);
        }
        if execution.shortfall != Shortfall::Partial || limit <= 0.0 {
            let code = RejectCode::InsufficientCash;
            self.reject(execution, code, wanted * base, limit * base);
            return None;
        }
        let event = OrderEventKind::ResizedForCash;
        self.push_change(execution.order, event, wanted, limit);
        Some(limit)
    }
}
