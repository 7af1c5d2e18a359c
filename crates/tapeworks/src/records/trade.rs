//! One trade: units of a position from entry to exit, with what they earned and cost.

use super::costs::{lot_cost, without};
use super::fifo::Piece;
use crate::base::{AssetId, OrderId, time::DAY_NS};
use crate::broker::{ExitReason, FillFlags};
use crate::engine::RunLog;

/// The side on which units were held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TradeSide {
    /// Bought first.
    Long,
    /// Sold first.
    Short,
}

impl TradeSide {
    /// Every side, in declaration order.
    pub const ALL: [Self; 2] = [Self::Long, Self::Short];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}

/// How a trade stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TradeStatus {
    /// The exit left the position flat.
    Closed,
    /// The exit left part of the position.
    Partial,
    /// Still held at the end of the run, valued at the last mark without exit costs.
    Open,
}

impl TradeStatus {
    /// Every status, in declaration order.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Partial, Self::Open];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Partial => "partial",
            Self::Open => "open",
        }
    }
}

/// One row of the trades table.
///
/// Units: prices a unit, money in account currency, `*_pct` and `*_percent` fractions of the entry
/// value, times ns UTC.
/// Missing: NaN (levels that never were), `None` (exit order of an open trade), 0 (tags). Paired
/// first in, first out, excursions and ages of units that were added to a position are missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// Position in the table.
    pub trade_id: u32,
    /// The asset.
    pub asset: AssetId,
    /// Long or short.
    pub side: TradeSide,
    /// Closed, partial or open.
    pub status: TradeStatus,
    /// When the position was opened; later additions keep it.
    pub entry_timestamp: i64,
    /// Average price of the position.
    pub entry_price: f64,
    /// Units of this trade, positive.
    pub entry_quantity: f64,
    /// Share of the opening commissions.
    pub entry_commission: f64,
    /// Share of the opening slippage, that of stops included; it is already inside `entry_price`.
    pub entry_slippage: f64,
    /// Share of the opening impact; it is already inside `entry_price`.
    pub entry_impact: f64,
    /// When the units ended; the last timestamp of the run for an open trade.
    pub exit_timestamp: i64,
    /// Price of the reducing fill, or the last mark.
    pub exit_price: f64,
    /// Units that ended (or are valued at the last mark), positive.
    pub exit_quantity: f64,
    /// Share of the reducing fill's commission.
    pub exit_commission: f64,
    /// Slippage of the reducing fill, that of stops included; it is already inside `exit_price`.
    pub exit_slippage: f64,
    /// Impact of the reducing fill; it is already inside `exit_price`.
    pub exit_impact: f64,
    /// Why the units ended.
    pub exit_reason: ExitReason,
    /// `(exit x q - entry x q) x multiplier x sign`, at the prices paid.
    pub pnl_gross: f64,
    /// `pnl_gross` less commissions, funding and borrowing, plus dividends.
    pub pnl_net: f64,
    /// Commissions, slippage, impact, funding and borrowing together.
    pub total_cost: f64,
    /// `pnl_net` over the value of the units at the entry, without its sign.
    pub pnl_percent: f64,
    /// `sign x (exit_price / entry_price - 1)`.
    pub return_gross: f64,
    /// Own tradable rows after the entry row up to the exit row.
    pub holding_period_bars: Option<u32>,
    /// Seconds held / 86,400.
    pub holding_period_days: f64,
    /// First stop-loss level in force.
    pub stop_loss_level: f64,
    /// First take-profit level in force.
    pub take_profit_level: f64,
    /// Best unrealised gain while held, `>= 0`.
    pub max_favorable_excursion: f64,
    /// Worst unrealised loss while held, `<= 0`.
    pub max_adverse_excursion: f64,
    /// Best gain as a fraction of the entry price.
    pub max_favorable_excursion_pct: f64,
    /// Worst loss as a fraction of the entry price.
    pub max_adverse_excursion_pct: f64,
    /// Rows after the entry row until the best price.
    pub bars_to_mfe: Option<u32>,
    /// Rows after the entry row until the worst price.
    pub bars_to_mae: Option<u32>,
    /// The order of events in a row of this trade was not certain.
    pub ambiguous: bool,
    /// A limit of this trade was touched and not traded through.
    pub touch_only: bool,
    /// Tag of the opening order, 0 for none.
    pub entry_tag: u32,
    /// Tag of the closing order, 0 for none.
    pub exit_tag: u32,
    /// The opening order.
    pub entry_order_id: OrderId,
    /// The closing order.
    pub exit_order_id: Option<OrderId>,
    /// Funding paid while held (negative: received).
    pub funding: f64,
    /// Paid for borrowing while held short.
    pub borrow: f64,
    /// Dividends whose ex-date came while held (negative: owed by a short position).
    pub dividends: f64,
    /// Contract multiplier.
    pub multiplier: f64,
}

impl Trade {
    /// The trade of lot `idx`.
    pub(crate) fn at(log: &RunLog, idx: usize) -> Self {
        let piece = Piece { lot: log.lots[idx], cost: lot_cost(log, idx), has_path: true };
        Self::of(log, idx, &piece)
    }

    /// The trade number `idx`, made of `piece`.
    pub(super) fn of(log: &RunLog, idx: usize, piece: &Piece) -> Self {
        let Piece { lot, cost, has_path } = piece;
        let entry_fill = &log.fills[lot.entry_fill as usize];
        let exit_order_id = lot.exit_fill.map(|fill| log.fills[fill as usize].order);
        let quantity = lot.quantity;
        let multiplier = log.instruments.of(entry_fill.asset).multiplier;
        let gross =
            (lot.exit_price * quantity - lot.entry_price * quantity) * multiplier * lot.side;
        let commission = lot.entry_commission + lot.exit_commission;
        let net = gross - commission - cost.funding - cost.borrow + cost.dividends;
        let price_costs = lot.entry_slippage + lot.exit_slippage;
        let known = |value: f64| if *has_path { value } else { f64::NAN };
        let age = |bars: u32| has_path.then_some(bars);
        let favorable = known((lot.best - lot.entry_price) * lot.side);
        let adverse = known((lot.worst - lot.entry_price) * lot.side);
        let held_ns = lot.exit_timestamp - entry_fill.timestamp;
        Self {
            trade_id: u32::try_from(idx).expect("fewer than 2^32 trades"),
            asset: entry_fill.asset,
            side: if lot.side < 0.0 { TradeSide::Short } else { TradeSide::Long },
            status: match (lot.exit_fill, lot.closes_position) {
                (None, _) => TradeStatus::Open,
                (Some(_), true) => TradeStatus::Closed,
                (Some(_), false) => TradeStatus::Partial,
            },
            entry_timestamp: entry_fill.timestamp,
            entry_price: lot.entry_price,
            entry_quantity: quantity,
            entry_commission: lot.entry_commission,
            entry_slippage: without(lot.entry_slippage, cost.entry_impact),
            entry_impact: cost.entry_impact,
            exit_timestamp: lot.exit_timestamp,
            exit_price: lot.exit_price,
            exit_quantity: quantity,
            exit_commission: lot.exit_commission,
            exit_slippage: without(lot.exit_slippage, cost.exit_impact),
            exit_impact: cost.exit_impact,
            exit_reason: if lot.exit_fill.is_none() { ExitReason::EndOfRun } else { lot.reason },
            pnl_gross: gross,
            pnl_net: net,
            total_cost: commission + price_costs + cost.funding + cost.borrow,
            pnl_percent: net / (lot.entry_price.abs() * quantity * multiplier),
            return_gross: (lot.exit_price / lot.entry_price - 1.0) * lot.side,
            holding_period_bars: age(lot.bars_held),
            holding_period_days: held_ns as f64 / DAY_NS as f64,
            stop_loss_level: lot.stop_level,
            take_profit_level: lot.target_level,
            max_favorable_excursion: favorable * quantity * multiplier,
            max_adverse_excursion: adverse * quantity * multiplier,
            max_favorable_excursion_pct: favorable / lot.entry_price.abs(),
            max_adverse_excursion_pct: adverse / lot.entry_price.abs(),
            bars_to_mfe: age(lot.bars_to_best),
            bars_to_mae: age(lot.bars_to_worst),
            ambiguous: lot.flags.has(FillFlags::AMBIGUOUS),
            touch_only: lot.flags.has(FillFlags::TOUCH_ONLY),
            entry_tag: log.orders[entry_fill.order.index()].tag,
            exit_tag: exit_order_id.map_or(0, |order| log.orders[order.index()].tag),
            entry_order_id: entry_fill.order,
            exit_order_id,
            funding: cost.funding,
            borrow: cost.borrow,
            dividends: cost.dividends,
            multiplier,
        }
    }
}

/// The values behind the exit of an order: those of its decision row, or, where it waited for its
/// level, those of the row before its fill.
pub(crate) fn exit_values(log: &RunLog, order: OrderId) -> &[f64] {
    log.exit_values.get(&order.0).map_or_else(|| decision_values(log, order), AsRef::as_ref)
}

/// The values of the decision row of an order, empty when the run carried none.
pub(crate) fn decision_values(log: &RunLog, order: OrderId) -> &[f64] {
    let width = log.layout.n_values();
    let start = order.index() * width;
    log.decision_values.get(start..start + width).unwrap_or(&[])
}
