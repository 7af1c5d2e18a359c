use super::table::Cursor;
use crate::engine::RunLog;
use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};
use std::sync::Arc;
pub(super) struct PositionsCursor;
impl PositionsCursor {
    pub(super) fn new(_log: &RunLog) -> Self {
        Self
    }
}
impl Cursor for PositionsCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::empty())
    }
    fn next_columns(&mut self, _log: &RunLog, _rows: usize) -> Option<Vec<ArrayRef>> {
        None
    }
}
pub(super) fn n_rows(log: &RunLog) -> usize {
    log.fills.len()
}
