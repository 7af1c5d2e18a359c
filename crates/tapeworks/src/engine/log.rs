//! The run log: everything the loop records, in typed columns and compact rows. Append-only.
//!
//! The loop records; later rooms derive. Orders, fills and rejections are rows in the order in
//! which things happened; each fill that reduces a position leaves one [`ClosedLot`] with the
//! running extremes of that position, from which a trade row is made.

use std::sync::Arc;

use crate::base::{AssetId, OrderId, Symbols};
use crate::broker::{
    CancelReason, ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
};
use crate::feed::Layout;

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

/// One order; its position in [`RunLog::orders`] is its [`OrderId`].
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
    /// Index into [`RunLog::tags`]; 0 is "no tag".
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

/// One execution; its position in [`RunLog::fills`] is its fill id.
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

/// Portfolio states, one row a timestamp. All currency columns are in account currency.
#[derive(Debug, Clone, Default)]
pub struct States {
    /// Instant of the row (ns UTC).
    pub timestamp: Vec<i64>,
    /// Cash plus the value of all positions.
    pub equity: Vec<f64>,
    /// Cash.
    pub cash: Vec<f64>,
    /// Sum of quantity x mark.
    pub positions_value: Vec<f64>,
    /// Sum of abs(quantity) x mark.
    pub gross_exposure: Vec<f64>,
    /// Commissions since the start.
    pub fees: Vec<f64>,
    /// Positions held.
    pub n_positions: Vec<u32>,
    /// One column a context series of the layout.
    pub context: Vec<Vec<f64>>,
}

/// Everything a run leaves behind. Later rooms read it; none changes it.
#[derive(Debug, Clone)]
pub struct RunLog {
    /// The symbols of the run.
    pub symbols: Arc<Symbols>,
    /// The columns that rode along.
    pub layout: Arc<Layout>,
    /// Cash at the start.
    pub initial_cash: f64,
    /// Orders by id.
    pub orders: Vec<OrderRow>,
    /// Events besides submission and fills, in time order.
    pub order_events: Vec<OrderEvent>,
    /// Executions in the order in which they happened.
    pub fills: Vec<FillRow>,
    /// Ended lots in the order of their fills; the lots still held at the end come last, by asset.
    pub lots: Vec<ClosedLot>,
    /// Refused orders.
    pub rejections: Vec<RejectionRow>,
    /// Values visible at each order's decision row: `orders.len()` rows of
    /// [`Layout::n_values`] values (signals, indicators, context).
    pub decision_values: Vec<f64>,
    /// Portfolio states.
    pub states: States,
    /// Tag texts; entry 0 is empty.
    pub tags: Vec<Box<str>>,
    /// Market rows walked.
    pub n_rows: u64,
    /// Rows that were not tradable (a price missing or out of order, or volume 0).
    pub n_untradable_rows: u64,
    /// Notes for the user that the engine kept during the run.
    pub notes: Vec<String>,
}
