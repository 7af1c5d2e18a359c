//! What the broker writes down: orders, events, fills, refusals and ended lots. Append-only.
//!
//! Each fill that reduces a position leaves one [`ClosedLot`] with the running extremes of that
//! position; a trade row is made of it after the run.

use super::codes::{
    CancelReason, ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
};
use crate::base::{AssetId, OrderId};

/// The broker's rows, each table in the order in which things happened.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Orders by id.
    pub orders: Vec<OrderRow>,
    /// Events besides submission and fills.
    pub events: Vec<OrderEvent>,
    /// Executions.
    pub fills: Vec<FillRow>,
    /// Ended lots in the order of their fills; lots still held at the end come last, by asset.
    pub lots: Vec<ClosedLot>,
    /// Refused orders.
    pub rejections: Vec<RejectionRow>,
}

/// How an order stands (at the end of the run: how it ended).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Waiting for its price.
    Live,
    /// Completely filled.
    Filled,
    /// Ended by the strategy or by an event.
    Cancelled(CancelReason),
    /// Refused.
    Rejected(RejectCode),
    /// Still live when the run ended.
    LiveAtEnd,
}

/// One order; its position in [`Ledger::orders`] is its [`OrderId`].
#[derive(Debug, Clone, Copy)]
pub struct OrderRow {
    /// The decision's timestamp (ns UTC).
    pub created: i64,
    /// Signed units asked for, after lot rounding.
    pub quantity: f64,
    /// Limit price, NaN when there is none.
    pub limit: f64,
    /// Stop price, NaN when there is none.
    pub stop: f64,
    /// Signed units filled so far.
    pub filled: f64,
    /// The asset.
    pub asset: AssetId,
    /// Index into the run's tags; 0 is "no tag".
    pub tag: u32,
    /// How it finds its price.
    pub kind: OrderKind,
    /// Who sent it.
    pub origin: OrderOrigin,
    /// What it is for, when it is an exit.
    pub reason: ExitReason,
    /// Never opens or flips a position.
    pub reduce_only: bool,
    /// How it stands.
    pub status: OrderStatus,
}

/// What happened to an order besides submission and fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderEventKind {
    /// Refused; the [`RejectionRow`] has the figures.
    Rejected(RejectCode),
    /// Ended early.
    Cancelled(CancelReason),
    /// Cut to what the account can pay; `old` is the quantity before.
    ResizedForCash,
    /// Cut to the position it reduces; `old` is the quantity before.
    ResizedToPosition,
    /// Rounded to the lot; `old` is the quantity asked for.
    Rounded,
    /// Still live when the run ended.
    LiveAtEnd,
}

/// One event of one order, in the order in which events happened.
#[derive(Debug, Clone, Copy)]
pub struct OrderEvent {
    /// When (ns UTC).
    pub timestamp: i64,
    /// Which order.
    pub order: OrderId,
    /// What.
    pub kind: OrderEventKind,
    /// The quantity before the event where it changed, else NaN.
    pub old_quantity: f64,
    /// Fills recorded before this event: it places the event among them.
    pub fills_before: u32,
}

/// One execution; its position in [`Ledger::fills`] is its fill id.
#[derive(Debug, Clone, Copy)]
pub struct FillRow {
    /// The row's timestamp (ns UTC).
    pub timestamp: i64,
    /// Signed units.
    pub quantity: f64,
    /// Price before costs.
    pub base_price: f64,
    /// Price paid or received per unit.
    pub price: f64,
    /// Fee in currency.
    pub commission: f64,
    /// Its order.
    pub order: OrderId,
    /// The asset.
    pub asset: AssetId,
    /// Open or inside the bar.
    pub phase: Phase,
    /// Why, when it reduces a position.
    pub reason: ExitReason,
    /// Maker, ambiguous, touched only.
    pub flags: FillFlags,
}

/// Units of a position that ended with one reducing fill, or that are still held at the end.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLot {
    /// The reducing fill, or `None` when the units are still held at the end of the run.
    pub exit_fill: Option<u32>,
    /// The fill that opened the position.
    pub entry_fill: u32,
    /// Units closed (positive) and the side they were held on (`+1` long, `-1` short).
    pub quantity: f64,
    /// `+1.0` long, `-1.0` short.
    pub side: f64,
    /// Average price of the position.
    pub entry_price: f64,
    /// Price of the reducing fill, or the last mark.
    pub exit_price: f64,
    /// The part of the opening commissions that belongs to these units.
    pub entry_commission: f64,
    /// The part of the reducing fill's commission that belongs to these units.
    pub exit_commission: f64,
    /// The part of the opening slippage cost (currency) that belongs to these units.
    pub entry_slippage: f64,
    /// Slippage cost (currency) of these units in the reducing fill.
    pub exit_slippage: f64,
    /// Best price seen for this side while held.
    pub best: f64,
    /// Worst price seen for this side while held.
    pub worst: f64,
    /// Stop-loss level in force first, NaN when there was none.
    pub stop_level: f64,
    /// Take-profit level in force first, NaN when there was none.
    pub target_level: f64,
    /// Exit time: the reducing fill's, or the last timestamp of the run.
    pub exit_timestamp: i64,
    /// Own tradable rows after the entry row, up to the exit row.
    pub bars_held: u32,
    /// Rows after the entry row until `best` was reached.
    pub bars_to_best: u32,
    /// Rows after the entry row until `worst` was reached.
    pub bars_to_worst: u32,
    /// Facts of any fill of these units.
    pub flags: FillFlags,
    /// Why the units were closed.
    pub reason: ExitReason,
    /// Whether the position was flat afterwards.
    pub closes_position: bool,
}

/// One refused order with the figures behind the refusal.
#[derive(Debug, Clone, Copy)]
pub struct RejectionRow {
    /// When it was refused (ns UTC).
    pub timestamp: i64,
    /// The order.
    pub order: OrderId,
    /// Why.
    pub code: RejectCode,
    /// What was needed (currency or units, by code), NaN when not a quantity.
    pub need: f64,
    /// What there was, NaN when not a quantity.
    pub have: f64,
}
