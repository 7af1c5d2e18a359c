//! What the broker writes down: orders, events, fills, refusals and ended lots. Append-only.
//!
//! Each fill that reduces a position leaves one [`ClosedLot`] with the running extremes of that
//! position; a trade row is made of it after the run.

use super::codes::codes;
use super::codes::{
    CancelReason, ExitReason, ExpireReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
    TimeInForce,
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
    /// The terms that few orders have, by ascending order id.
    pub details: Vec<OrderDetail>,
    /// Stop slippage and impact of the fills that had any, by ascending fill.
    pub fill_costs: Vec<FillCost>,
    /// What few lots carry, by ascending position in `lots`.
    pub lot_costs: Vec<LotCost>,
    /// What happened to the account besides fills.
    pub account_events: Vec<AccountEvent>,
}

/// Bytes of address space set aside for each of the large tables. From this size on an allocator
/// maps pages of its own, which then grow in place; pages that are never written cost nothing.
const ROOM: usize = 32 << 20;

impl Ledger {
    /// An empty ledger whose large tables grow without being copied.
    #[must_use]
    pub fn with_room() -> Self {
        Self {
            orders: Vec::with_capacity(ROOM / size_of::<OrderRow>()),
            fills: Vec::with_capacity(ROOM / size_of::<FillRow>()),
            lots: Vec::with_capacity(ROOM / size_of::<ClosedLot>()),
            ..Self::default()
        }
    }
}

/// The terms of an order that is more than a good-till-cancelled market, limit or stop order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderDetail {
    /// The order.
    pub order: OrderId,
    /// Trail distance, as an amount or a fraction; NaN without one.
    pub trail: f64,
    /// Whether `trail` is a fraction of the price.
    pub is_percent: bool,
    /// Distance of the limit of a trailing-limit order from its stop; NaN without one.
    pub limit_offset: f64,
    /// How long the order lives.
    pub tif: TimeInForce,
    /// The order whose fill releases this one.
    pub parent: Option<OrderId>,
    /// Number of its one-cancels-other group; 0: none.
    pub group: u32,
    /// When its stop was reached; `i64::MIN`: not, or it has none.
    pub triggered_at: i64,
}

/// Price costs of a fill beside slippage, a unit, in currency (never negative).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FillCost {
    /// The fill.
    pub fill: u32,
    /// Given up because a stop triggered the fill.
    pub stop_slip: f64,
    /// Moved by the order itself.
    pub impact: f64,
}

/// Costs of a lot beside commissions and slippage, in currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LotCost {
    /// Position in [`Ledger::lots`].
    pub lot: u32,
    /// The part of `entry_slippage` that is impact.
    pub entry_impact: f64,
    /// The part of `exit_slippage` that is impact.
    pub exit_impact: f64,
    /// Funding paid while held (negative: received).
    pub funding: f64,
    /// Borrowing costs paid while held.
    pub borrow: f64,
    /// Dividends of the ex-dates while held (negative: owed by a short position).
    pub dividends: f64,
}

/// One change of the account that is not a fill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccountEvent {
    /// When (ns UTC).
    pub timestamp: i64,
    /// What.
    pub kind: AccountEventKind,
    /// The asset behind it, when there is one.
    pub asset: Option<AssetId>,
    /// Currency that came in (negative: went out); the excess for limits and calls; the ratio of a
    /// split, the units of a merger or rename.
    pub amount: f64,
    /// Fills recorded before this event: it places the event among them.
    pub fills_before: u32,
}

codes! {
    /// What happened to the account.
    AccountEventKind {
        /// Capital came in or went out.
        Flow = "flow",
        /// Funding of a perpetual contract.
        Funding = "funding",
        /// Cost of borrowing a short position.
        Borrow = "borrow",
        /// Interest on cash.
        Interest = "interest",
        /// Equity fell below the maintenance margin; the amount is what was missing.
        MarginCall = "margin_call",
        /// Equity fell to 0 or below with positions.
        Bankruptcy = "bankruptcy",
        /// A portfolio limit was passed; the amount is the value measured.
        LimitBreach = "limit_breach",
        /// A contract was rolled; the asset is the old one.
        Roll = "roll",
        /// A held unit became `amount` units.
        Split = "split",
        /// The ex-date of a dividend on a position; it is paid now unless `dividend_paid` follows.
        Dividend = "dividend",
        /// A dividend of an earlier ex-date came in, or was paid for a short position.
        DividendPaid = "dividend_paid",
        /// A symbol ended; the amount is the units that were held.
        Merger = "merger",
        /// A symbol went on under another name; the amount is the units that were held.
        Rename = "rename",
    }
}

/// How an order stands (at the end of the run: how it ended).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Waiting for its price; some of it may have filled.
    Live,
    /// Waiting for its parent to fill.
    Held,
    /// Completely filled.
    Filled,
    /// Ended by the strategy or by an event.
    Cancelled(CancelReason),
    /// Ended by time.
    Expired(ExpireReason),
    /// Refused.
    Rejected(RejectCode),
    /// Still live when the run ended.
    LiveAtEnd,
}

impl OrderStatus {
    /// The stable name, without the reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Held => "held",
            Self::Filled => "filled",
            Self::Cancelled(_) => "cancelled",
            Self::Expired(_) => "expired",
            Self::Rejected(_) => "rejected",
            Self::LiveAtEnd => "live_at_end",
        }
    }

    /// Why, for a status that has a reason.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Cancelled(reason) => Some(reason.as_str()),
            Self::Expired(reason) => Some(reason.as_str()),
            Self::Rejected(code) => Some(code.as_str()),
            _ => None,
        }
    }
}

impl OrderEventKind {
    /// The stable name, without the reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected(_) => "rejected",
            Self::Cancelled(_) => "cancelled",
            Self::Expired(_) => "expired",
            Self::ResizedForCash => "resized_for_cash",
            Self::ResizedToPosition => "resized_to_position",
            Self::ResizedByGroup => "resized_by_group",
            Self::Rounded => "rounded",
            Self::Split => "split",
            Self::Released => "released",
            Self::Triggered => "triggered",
            Self::ReplacedQuantity => "replaced_quantity",
            Self::ReplacedLimit => "replaced_limit",
            Self::ReplacedStop => "replaced_stop",
            Self::ReplacedTrail => "replaced_trail",
            Self::TooLate => "too_late",
            Self::LiveAtEnd => "live_at_end",
        }
    }

    /// Why, for an event that has a reason.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Cancelled(reason) => Some(reason.as_str()),
            Self::Expired(reason) => Some(reason.as_str()),
            Self::Rejected(code) => Some(code.as_str()),
            _ => None,
        }
    }
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
    /// Ended by time.
    Expired(ExpireReason),
    /// Cut to what the account can pay; quantities.
    ResizedForCash,
    /// Cut to the position it reduces; quantities.
    ResizedToPosition,
    /// Sized to what its parent has filled, or to what its sibling left; quantities.
    ResizedByGroup,
    /// Rounded to the lot; quantities.
    Rounded,
    /// Restated in the units after a split; quantities.
    Split,
    /// Its parent has filled: it is live from here on.
    Released,
    /// Its stop was reached; the new value is the level.
    Triggered,
    /// Its quantity was changed.
    ReplacedQuantity,
    /// Its limit was changed.
    ReplacedLimit,
    /// Its stop was changed.
    ReplacedStop,
    /// Its trail distance was changed.
    ReplacedTrail,
    /// A cancel or change came after its end.
    TooLate,
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
    /// The value before the event where one changed, else NaN.
    pub old: f64,
    /// The value after the event where one changed, else NaN.
    pub new: f64,
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
