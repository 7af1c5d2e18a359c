//! The run log: everything the loop records, in typed columns and compact rows. Append-only.
//!
//! The loop records; later rooms derive. The broker's rows are in the order in which things
//! happened; portfolio states are one row a timestamp.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Adjustment, Calendar, Symbols};
use crate::broker::{
    AccountEvent, ClosedLot, FillCost, FillRow, Instruments, LotCost, OrderDetail, OrderEvent,
    OrderRow, RejectionRow,
};
use crate::feed::Layout;

/// Portfolio states, one row a timestamp. All currency columns are in account currency.
#[derive(Debug, Clone, Default)]
pub struct States {
    /// Instant of the row (ns UTC).
    pub timestamp: Vec<i64>,
    /// Cash, dividends that are not paid yet, and the value of all positions (of futures: what is
    /// not settled yet).
    pub equity: Vec<f64>,
    /// Cash.
    pub cash: Vec<f64>,
    /// Sum of quantity x mark x multiplier.
    pub positions_value: Vec<f64>,
    /// Sum of abs(quantity) x mark x multiplier.
    pub gross_exposure: Vec<f64>,
    /// Commissions since the start.
    pub fees: Vec<f64>,
    /// Positions held.
    pub n_positions: Vec<u32>,
    /// Positions whose last row lies more than five sessions back; they are valued at an old price.
    pub n_stale: Vec<u32>,
    /// Cash that cannot pay for opens yet; empty: none anywhere.
    pub unsettled: Vec<f64>,
    /// Initial margin of the positions; empty: the account knows none.
    pub margin_used: Vec<f64>,
    /// Value of what could still be opened; empty: the cash.
    pub buying_power: Vec<f64>,
    /// Funding paid since the start; empty: none.
    pub funding: Vec<f64>,
    /// Borrowing costs paid since the start; empty: none.
    pub borrow: Vec<f64>,
    /// Interest received since the start; empty: none.
    pub interest: Vec<f64>,
    /// Dividends since the start, by ex-date; empty: none.
    pub dividends: Vec<f64>,
    /// The part of the dividends that is not paid yet, a part of equity; empty: none.
    pub receivable: Vec<f64>,
    /// Deposits less withdrawals since the start; empty: none.
    pub flows: Vec<f64>,
    /// One column a context series of the layout.
    pub context: Vec<Vec<f64>>,
}

/// Everything a run leaves behind. Later rooms read it; none changes it.
#[derive(Debug, Clone, Default)]
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
    /// The terms that few orders have, by ascending order id.
    pub order_details: Vec<OrderDetail>,
    /// Stop slippage and impact of the fills that had any, by ascending fill.
    pub fill_costs: Vec<FillCost>,
    /// What few lots carry, by ascending position in `lots`.
    pub lot_costs: Vec<LotCost>,
    /// What happened to the account besides fills, in time order.
    pub account_events: Vec<AccountEvent>,
    /// The terms of the instruments.
    pub instruments: Instruments,
    /// Values visible at each order's decision row: `orders.len()` rows of
    /// [`Layout::n_values`] values (signals, indicators, context).
    pub decision_values: Vec<f64>,
    /// The same values for the exits that waited for their level, by order: those of the row before
    /// their fill.
    pub exit_values: BTreeMap<u32, Box<[f64]>>,
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
    /// What the prices are, where the feed says so.
    pub adjustment: Option<Adjustment>,
    /// The sessions of the market; without a calendar a session is a UTC day with rows.
    pub calendar: Option<Arc<Calendar>>,
}
