//! The tables a run leaves behind, read off the run log and never re-simulated.
//!
//! In: a [`RunLog`]. Out: trades, fills, orders, rejections, positions, portfolio states, account
//! events and the orders to send next, as plain rows ([`Records::trades`]) or as Arrow batches of
//! bounded size ([`Records::batches`]), the files made from them ([`write_parquet`],
//! [`write_csv`]), and what stood at the end of each session ([`portfolio_by_session`],
//! [`holdings_by_session`]). Where a table can be made in more than one way, [`TableOptions`] says
//! how; plain rows and everything computed from them follow the account.
//!
//! Invariants:
//! - The log is the only input; nothing here changes it, and no table is held whole.
//! - Arithmetic of trades and positions follows the order of operations of the account, so every
//!   table is derivable from the fills to the last bit.
//! - A missing value is NaN in plain rows and null in Arrow; no batch or file ever holds NaN.
//! - `quantity` beside a `side` column is a positive number of units; only positions, which have
//!   no side column, carry a signed quantity.
//!
//! To add a table: a file with its schema and its cursor, a variant of [`RecordKind`].

mod account_events;
mod arrays;
mod by_session;
mod costs;
mod csv;
mod difference;
mod fifo;
mod fills;
mod flow_adjusted;
mod hints;
mod kind;
mod next_orders;
mod options;
mod order_history;
mod orders;
mod parquet;
mod portfolio;
mod positions;
mod reasons;
mod rejections;
mod table;
mod trade;
mod trades;

use std::borrow::Cow;
use std::sync::Arc;

pub use self::by_session::{holdings_by_session, portfolio_by_session};
pub use self::costs::CostTotals;
pub use self::csv::write_csv;
pub use self::difference::{Difference, RowBatches, first_difference};
pub use self::flow_adjusted::flow_adjusted;
pub use self::hints::{event_hint, hint};
pub use self::kind::RecordKind;
pub use self::options::{Pairing, Snapshot, TableOptions};
pub(crate) use self::parquet::write_parquet_until;
pub use self::parquet::{SCHEMA_VERSION, Written, write_parquet};
pub use self::reasons::{Reason, Reasons};
pub use self::table::Batches;
pub use self::trade::{Trade, TradeSide, TradeStatus};

pub use crate::base::{AtomicFile, Symbols};
pub use crate::broker::{
    AccountEvent, AccountEventKind, CancelReason, ExitReason, ExpireReason, FillFlags, RejectCode,
};
pub use crate::engine::{FillRow, OrderStatus, RejectionRow, RunLog, States};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchIterator};

use self::fifo::FifoWalk;

/// The records of one run: a shared, read-only view of its log.
#[derive(Debug, Clone)]
pub struct Records {
    log: Arc<RunLog>,
    options: TableOptions,
}

impl Records {
    /// A view of `log`, which may be given by value or shared.
    pub fn new(log: impl Into<Arc<RunLog>>) -> Self {
        Self { log: log.into(), options: TableOptions::default() }
    }

    /// The same records with their tables made in another way.
    #[must_use]
    pub fn with_options(mut self, options: TableOptions) -> Self {
        self.options = options;
        self
    }

    /// How the tables are made.
    #[must_use]
    pub fn options(&self) -> &TableOptions {
        &self.options
    }

    /// The log behind the records.
    #[must_use]
    pub fn log(&self) -> &Arc<RunLog> {
        &self.log
    }

    /// The symbols of the run.
    #[must_use]
    pub fn symbols(&self) -> &Symbols {
        &self.log.symbols
    }

    /// Cash at the start: the equity before the first row.
    #[must_use]
    pub fn initial_cash(&self) -> f64 {
        self.log.initial_cash
    }

    /// Portfolio states, one row a timestamp.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.log.states
    }

    /// Equity of the states without money that was put in or taken out: what the initial cash
    /// alone would have come to. It is the equity itself where nothing was.
    #[must_use]
    pub fn growth(&self) -> Cow<'_, [f64]> {
        flow_adjusted(&self.log.states.equity, &self.log.states.flows)
    }

    /// Executions in the order in which they happened.
    #[must_use]
    pub fn fills(&self) -> &[FillRow] {
        &self.log.fills
    }

    /// Refused orders in the order in which they were refused.
    #[must_use]
    pub fn rejections(&self) -> &[RejectionRow] {
        &self.log.rejections
    }

    /// What happened to the account besides fills, in time order.
    #[must_use]
    pub fn account_events(&self) -> &[AccountEvent] {
        &self.log.account_events
    }

    /// What the run cost, by kind. Cost: one pass over the fills.
    #[must_use]
    pub fn cost_totals(&self) -> CostTotals {
        CostTotals::of(&self.log)
    }

    /// How many trades there are at average prices, open ones included.
    #[must_use]
    pub fn n_trades(&self) -> usize {
        self.log.lots.len()
    }

    /// The trades at average prices, whatever the options say: one a reducing fill in fill order,
    /// then one a position still held, by symbol.
    #[must_use]
    pub fn trades(&self) -> impl ExactSizeIterator<Item = Trade> + '_ {
        (0..self.log.lots.len()).map(|idx| Trade::at(&self.log, idx))
    }

    /// The trades paired first in, first out: one a pair of opening and reducing fill in the order
    /// of the reducing fills, then what is still held, by symbol. Their results add up to those of
    /// [`Records::trades`].
    ///
    /// `status` is `closed` when nothing of the opening fill is left. Funding and borrowing costs
    /// of the units that a fill closed are shared by units. Excursions and ages are those of the
    /// position for the units that opened it, and missing for units added later.
    pub fn trades_fifo(&self) -> impl Iterator<Item = Trade> + '_ {
        let mut walk = FifoWalk::new(&self.log);
        let pieces = std::iter::from_fn(move || walk.next_piece(&self.log));
        pieces.enumerate().map(|(idx, piece)| Trade::of(&self.log, idx, &piece))
    }

    /// Signals, indicators and context (in layout order) visible when the opening order of `trade`
    /// was decided; empty when no column rode along.
    #[must_use]
    pub fn entry_values(&self, trade: &Trade) -> &[f64] {
        trade::decision_values(&self.log, trade.entry_order_id)
    }

    /// The same values for the order that closed `trade`; `None` while it is open.
    #[must_use]
    pub fn exit_values(&self, trade: &Trade) -> Option<&[f64]> {
        trade.exit_order_id.map(|order| trade::exit_values(&self.log, order))
    }

    /// Events of orders by cause, and the timestamps at which the strategy sent nothing.
    #[must_use]
    pub fn reasons(&self) -> Reasons {
        Reasons::of(&self.log)
    }

    /// The text of a tag, `None` for "no tag".
    #[must_use]
    pub fn tag(&self, tag: u32) -> Option<&str> {
        match tag {
            0 => None,
            _ => self.log.tags.get(tag as usize).map(AsRef::as_ref),
        }
    }

    /// Columns of a table.
    ///
    /// Shape: symbols, codes and tags are `Dictionary(Int32, Utf8)`, times `Timestamp(ns, "UTC")`,
    /// quantities and money `Float64`.
    #[must_use]
    pub fn schema(&self, kind: RecordKind) -> SchemaRef {
        table::cursor(&self.log, kind, &self.options).schema()
    }

    /// The rows of a table as batches of at most `rows` rows, made one at a time.
    ///
    /// The iterator shares the log and borrows nothing, so it may be handed to another thread.
    #[must_use]
    pub fn batches(&self, kind: RecordKind, rows: usize) -> Batches {
        Batches::new(Arc::clone(&self.log), kind, &self.options, rows)
    }

    /// [`Records::batches`] as an Arrow reader, for the C stream and for writers.
    #[must_use]
    pub fn reader(
        &self,
        kind: RecordKind,
        rows: usize,
    ) -> RecordBatchIterator<
        impl Iterator<Item = Result<RecordBatch, arrow::error::ArrowError>> + Send + use<>,
    > {
        let batches = self.batches(kind, rows);
        let schema = batches.schema();
        RecordBatchIterator::new(batches.map(Ok), schema)
    }

    /// How many rows a table has. Cost: walks the table for positions, pairs and sessions, else
    /// immediate.
    #[must_use]
    pub fn n_rows(&self, kind: RecordKind) -> usize {
        let log = &self.log;
        match kind {
            RecordKind::Trades => match self.options.pairing {
                Pairing::Average => log.lots.len(),
                Pairing::Fifo => self.trades_fifo().count(),
            },
            RecordKind::Fills => log.fills.len(),
            RecordKind::Orders => log.orders.len() + log.fills.len() + log.order_events.len(),
            RecordKind::Rejections => log.rejections.len(),
            RecordKind::Positions => positions::n_rows(log),
            RecordKind::Portfolio => portfolio::n_rows(log, self.options.snapshot),
            RecordKind::AccountEvents => log.account_events.len(),
            RecordKind::NextOrders => next_orders::pending(log).count(),
        }
    }
}
