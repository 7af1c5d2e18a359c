//! What fills, lots and the whole run cost, by kind.

use crate::base::AssetId;
use crate::broker::{AccountEvent, AccountEventKind, FillCost, LotCost};
use crate::engine::RunLog;

/// Money paid since the start, by kind, in account currency; costs are positive.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CostTotals {
    /// Fees of all fills.
    pub commission: f64,
    /// Price paid beyond the base price and what stops and impact added to it.
    pub slippage: f64,
    /// Price given up because a stop triggered the fill.
    pub stop_slippage: f64,
    /// Price moved by the orders themselves.
    pub impact: f64,
    /// Funding paid (negative: received).
    pub funding: f64,
    /// Paid for borrowing what was held short.
    pub borrow: f64,
    /// Interest received on cash (negative: paid). It is income, and no part of [`Self::paid`].
    pub interest: f64,
    /// Dividends received by ex-date (negative: owed by short positions). They are income, and no
    /// part of [`Self::paid`].
    pub dividends: f64,
    /// Value of all fills, both sides.
    pub traded: f64,
}

impl CostTotals {
    /// The totals of a run. Cost: one pass over the fills.
    pub(super) fn of(log: &RunLog) -> Self {
        let mut totals = Self::default();
        let mut beyond_base = 0.0;
        for fill in &log.fills {
            let multiplier = log.instruments.of(fill.asset).multiplier;
            totals.commission += fill.commission;
            beyond_base += (fill.price - fill.base_price) * fill.quantity * multiplier;
            totals.traded += (fill.price * fill.quantity).abs() * multiplier;
        }
        for cost in &log.fill_costs {
            let fill = &log.fills[cost.fill as usize];
            let units = fill.quantity.abs() * log.instruments.of(fill.asset).multiplier;
            totals.stop_slippage += cost.stop_slip * units;
            totals.impact += cost.impact * units;
        }
        totals.slippage = without(beyond_base, totals.stop_slippage + totals.impact);
        let states = &log.states;
        let last = |column: &[f64]| column.last().copied().unwrap_or(0.0);
        totals.funding = last(&states.funding);
        totals.borrow = last(&states.borrow);
        totals.interest = last(&states.interest);
        totals.dividends = last(&states.dividends);
        totals
    }

    /// Everything paid for trading and holding.
    #[must_use]
    pub fn paid(&self) -> f64 {
        let price = self.slippage + self.stop_slippage + self.impact;
        self.commission + price + self.funding + self.borrow
    }

    /// Whether nothing at all was charged or received.
    #[must_use]
    pub fn are_none(&self) -> bool {
        let parts = [
            self.commission,
            self.slippage,
            self.stop_slippage,
            self.impact,
            self.funding,
            self.borrow,
            self.interest,
            self.dividends,
        ];
        parts.iter().all(|&part| part == 0.0)
    }
}

/// `whole - part`, where what rounding leaves of equal numbers counts as nothing.
pub(super) fn without(whole: f64, part: f64) -> f64 {
    let rest = whole - part;
    if part != 0.0 && rest.abs() <= 1e-12 * part.abs() { 0.0 } else { rest }
}

/// Stop slippage and impact of a fill, a unit; zeros where it had none.
pub(super) fn fill_cost(log: &RunLog, fill: u32) -> FillCost {
    let costs = &log.fill_costs;
    match costs.binary_search_by_key(&fill, |cost| cost.fill) {
        Ok(at) => costs[at],
        Err(_) => FillCost { fill, stop_slip: 0.0, impact: 0.0 },
    }
}

/// Slippage of a fill a unit beside `cost`: positive where it was paid.
pub(super) fn slippage_of(log: &RunLog, fill: usize, cost: &FillCost) -> f64 {
    let fill = &log.fills[fill];
    let beyond_base = fill.price - fill.base_price;
    let beyond_base = if fill.quantity < 0.0 { -beyond_base } else { beyond_base };
    let part = cost.stop_slip + cost.impact;
    let rest = beyond_base - part;
    // Prices carry an error of their last place, and it is no slippage.
    let noise = 4.0 * f64::EPSILON * fill.price.abs();
    if part != 0.0 && rest.abs() <= noise { 0.0 } else { rest }
}

/// What a lot carries beside commissions and slippage; zeros where it carries nothing.
pub(super) fn lot_cost(log: &RunLog, lot: usize) -> LotCost {
    let lot = u32::try_from(lot).expect("fewer than 2^32 lots");
    let costs = &log.lot_costs;
    match costs.binary_search_by_key(&lot, |cost| cost.lot) {
        Ok(at) => costs[at],
        Err(_) => LotCost {
            lot,
            entry_impact: 0.0,
            exit_impact: 0.0,
            funding: 0.0,
            borrow: 0.0,
            dividends: 0.0,
        },
    }
}

/// Walks the splits of positions beside the fills.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SplitWalk {
    next: usize,
}

impl SplitWalk {
    /// The next split before fill number `fill`: its asset and ratio.
    pub(super) fn before(&mut self, log: &RunLog, fill: usize) -> Option<(AssetId, f64)> {
        let event = self.peek(log)?;
        if event.fills_before as usize > fill {
            return None;
        }
        self.next += 1;
        event.asset.map(|asset| (asset, event.amount))
    }

    /// The next split.
    pub(super) fn peek<'a>(&mut self, log: &'a RunLog) -> Option<&'a AccountEvent> {
        let is_split = |event: &AccountEvent| event.kind == AccountEventKind::Split;
        self.next += log.account_events[self.next..].iter().position(is_split)?;
        Some(&log.account_events[self.next])
    }
}

/// Walks the ended lots beside the fills that ended them; both stand in the same order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LotWalk {
    next: usize,
}

impl LotWalk {
    /// The lot that fill `idx` ended. Fills must be asked for in ascending order.
    pub(super) fn ended_by(&mut self, log: &RunLog, idx: usize) -> Option<usize> {
        while let Some(fill) = log.lots.get(self.next).and_then(|lot| lot.exit_fill) {
            match (fill as usize).cmp(&idx) {
                std::cmp::Ordering::Less => self.next += 1,
                std::cmp::Ordering::Equal => return Some(self.next),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }
}
