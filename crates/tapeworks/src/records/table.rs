//! What every table is made by: a cursor that yields the columns of the next rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::options::TableOptions;
use super::{
    RecordKind, account_events, fills, next_orders, orders, portfolio, positions, rejections,
    trades,
};
use crate::engine::RunLog;

/// A position in a table, with the state needed to go on from there.
pub(super) trait Cursor: Send {
    /// Columns of the table.
    fn schema(&self) -> SchemaRef;

    /// The columns of the next rows, at most `rows` of them; `None` at the end.
    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>>;
}

/// A cursor before the first row of `kind`.
pub(super) fn cursor(log: &RunLog, kind: RecordKind, options: &TableOptions) -> Box<dyn Cursor> {
    match kind {
        RecordKind::Trades => Box::new(trades::TradesCursor::new(log, options)),
        RecordKind::Fills => Box::new(fills::FillsCursor::new(log)),
        RecordKind::Orders => Box::new(orders::OrdersCursor::new(log)),
        RecordKind::Rejections => Box::new(rejections::RejectionsCursor::new(log)),
        RecordKind::Positions => Box::new(positions::PositionsCursor::new(log)),
        RecordKind::Portfolio => Box::new(portfolio::PortfolioCursor::new(log, options.snapshot)),
        RecordKind::AccountEvents => Box::new(account_events::AccountEventsCursor::new(log)),
        RecordKind::NextOrders => Box::new(next_orders::NextOrdersCursor::new(log)),
    }
}

/// The batches of one table, made on demand; see [`super::Records::batches`].
pub struct Batches {
    log: Arc<RunLog>,
    cursor: Box<dyn Cursor>,
    schema: SchemaRef,
    rows: usize,
}

impl Batches {
    pub(super) fn new(
        log: Arc<RunLog>,
        kind: RecordKind,
        options: &TableOptions,
        rows: usize,
    ) -> Self {
        let cursor = cursor(&log, kind, options);
        let schema = cursor.schema();
        Self { log, cursor, schema, rows: rows.max(1) }
    }

    /// Columns of the table.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Iterator for Batches {
    type Item = RecordBatch;

    fn next(&mut self) -> Option<RecordBatch> {
        let columns = self.cursor.next_columns(&self.log, self.rows)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        Some(batch.expect("Invariant: a cursor yields the columns of its schema"))
    }
}
