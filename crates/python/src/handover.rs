//! Hand-over: the tables of a run, and a feed's rows, in the shapes that other libraries take.
//!
//! Nothing is computed here: sessions and holdings come from `records`, the frames are laid out by
//! `tapeworks._handover` in Python, which knows pandas.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use pyo3::prelude::*;
use tapeworks::base::calendar::SessionDays;
use tapeworks::base::{AssetId, Calendar};
use tapeworks::feed::ChunkSource;
use tapeworks::records::{holdings_by_session, portfolio_by_session};

use crate::errors::{config_error, py_err};
use crate::event::no_column;
use crate::feed::PyDataFeed;
use crate::table::{Table, arrow_error};

/// The tables that a hand-over reads.
pub struct Run {
    pub portfolio: Table,
    pub positions: Table,
    pub fills: Table,
    pub trades: Table,
    pub calendar: Option<Arc<Calendar>>,
}

impl Run {
    /// Equity and return at the end of each session.
    fn sessions(&self, py: Python<'_>) -> PyResult<(Table, i64)> {
        let portfolio = batches(&self.portfolio)?;
        let rows = py.detach(|| portfolio_by_session(&portfolio, self.calendar.clone()));
        let stamps = rows.column(1).as_any().downcast_ref::<TimestampNanosecondArray>();
        let until = stamps.and_then(|stamps| stamps.values().last().copied()).unwrap_or(i64::MIN);
        Ok((Table::of_batches("sessions", rows.schema(), vec![rows]), until))
    }

    /// Returns by session.
    pub fn quantstats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        layout(py)?.call_method1("quantstats", (self.sessions(py)?.0,))
    }

    /// Returns, values of positions and transactions.
    pub fn pyfolio<'py>(
        self,
        py: Python<'py>,
        feed: Option<&Py<PyDataFeed>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(feed) = feed else {
            return Err(config_error(
                "C473",
                "the values of positions by day need the prices, which a run folder does not hold",
                "give the feed of the run: to_pyfolio(feed=feed)",
            ));
        };
        let mut opened = feed.get().open(py)?;
        let positions = batches(&self.positions)?;
        let (sessions, until) = self.sessions(py)?;
        let held =
            py.detach(|| holdings_by_session(&positions, &mut opened, until)).map_err(py_err)?;
        let held = Table::of_batches("holdings", held.schema(), vec![held]);
        layout(py)?.call_method1("pyfolio", (sessions, held, self.fills, self.trades))
    }

    /// Completed trades as `TradeRecord`, and returns by session.
    pub fn ml4t(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let (sessions, _) = self.sessions(py)?;
        layout(py)?.call_method1("ml4t", (sessions, self.trades))
    }
}

/// A signal or indicator of a feed with the closes beside it.
pub fn alphalens<'py>(
    py: Python<'py>,
    feed: &PyDataFeed,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let mut opened = feed.open(py)?;
    let market = feed.market(py, &opened);
    let column = market.row_column(name).ok_or_else(|| no_column(&market, name))?;
    let rows = py.detach(|| {
        let mut days = SessionDays::new(opened.calendar());
        let (mut dates, mut stamps) = (Vec::new(), Vec::new());
        let (mut symbols, mut closes, mut values) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(chunk) = opened.next_chunk()? {
            for (t, &now) in chunk.timestamps.iter().enumerate() {
                let date = days.date(now).0;
                for row in chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize {
                    dates.push(date);
                    stamps.push(now);
                    symbols.push(market.symbols.name(AssetId(chunk.assets[row])));
                }
            }
            closes.extend_from_slice(&chunk.close);
            values.extend_from_slice(column.of(&chunk));
        }
        let instant = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("session", DataType::Date32, false),
            Field::new("timestamp", instant, false),
            Field::new("symbol", DataType::Utf8, false),
            Field::new("close", DataType::Float64, false),
            Field::new("factor", DataType::Float64, false),
        ]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(dates)),
            Arc::new(TimestampNanosecondArray::from(stamps).with_timezone("UTC")),
            Arc::new(StringArray::from_iter_values(symbols)),
            Arc::new(Float64Array::from(closes)),
            Arc::new(Float64Array::from(values)),
        ];
        let batch = RecordBatch::try_new(schema, columns);
        Ok(batch.expect("Invariant: the arrays were made for these fields"))
    });
    let rows = rows.map_err(py_err)?;
    let table = Table::of_batches("rows", rows.schema(), vec![rows]);
    layout(py)?.call_method1("alphalens", (table, name))
}

fn layout(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("tapeworks._handover")
}

fn batches(table: &Table) -> PyResult<Vec<RecordBatch>> {
    table.reader().collect::<Result<_, _>>().map_err(arrow_error)
}
