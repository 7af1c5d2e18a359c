//! Prices as a view on one date shows them: the past in the units of that date.

use std::sync::Arc;

use super::actions::ActionTable;
use super::options::{BarBatch, CheckLevel, ReadOptions, Source};
use super::reader::open_bars;
use crate::base::calendar::SessionDays;
use crate::base::{
    ActionWalk, Actions, Adjustment, AssetId, Date, Error, Rescale, Result, Symbols,
};

/// Bars after [`adjust_prices`].
#[derive(Debug)]
pub struct AdjustedBars {
    /// The symbols.
    pub symbols: Arc<Symbols>,
    /// Names of the columns besides prices and volume.
    pub extras: Vec<String>,
    /// All rows by (timestamp, asset).
    pub rows: BarBatch,
}

/// An action of one symbol, as factors of the rows before it.
#[derive(Debug, Clone, Copy)]
struct Step {
    ex_date: Date,
    price: f64,
    volume: f64,
}

/// Raw bars as a view on `view_date` shows them: actions with an ex-date up to that date divide the
/// prices of the rows before it and multiply their volumes (splits), and, with
/// [`Adjustment::Total`], take dividends off them by `1 - dividend / close before the ex-date`.
///
/// Shape: a row a row of `bars`; other columns stay as they are. `view_date` absent: the session
/// of the last row. Missing: a missing price stays missing; a dividend without a close before it,
/// or not below that close, changes nothing.
///
/// Such prices know the actions up to the view date: a signal that is made of them for a day
/// before it looks ahead.
///
/// # Errors
/// `C341` for an adjustment that is not of raw prices, `D605` for rows that are no actions, and
/// what reading the bars finds.
pub fn adjust_prices(
    bars: Source,
    actions: Source,
    adjustment: Adjustment,
    view_date: Option<Date>,
    options: &ReadOptions,
) -> Result<AdjustedBars> {
    if !adjustment.rescales() {
        let text = format!("adjust_prices: adjustment {} changes no price", adjustment.as_str());
        return Err(Error::config("C341", text).with_hint("use split or total"));
    }
    let table = ActionTable::read(actions, options)?;
    let options = ReadOptions {
        level: CheckLevel::Fast,
        explained: Some(Arc::new(table.explained())),
        ..options.clone()
    };
    let mut reader = open_bars(bars, &options)?;
    let (symbols, extras) = (reader.symbols(), reader.extras().to_vec());
    let mut rows = BarBatch { extras: vec![Vec::new(); extras.len()], ..BarBatch::default() };
    while let Some(batch) = reader.next_batch()? {
        append(&mut rows, batch);
    }
    // Symbols of the table that have no bars have nothing to adjust.
    let named = ReadOptions { symbols: Some(Vec::new()), ..options.clone() };
    let actions = Actions::new(adjustment, table.bind(&symbols, &named).0);
    let mut days = SessionDays::new(options.calendar.clone());
    let dates: Vec<Date> = rows.timestamps.iter().map(|&ns| days.date(ns)).collect();
    let Some(&last) = dates.last() else { return Ok(AdjustedBars { symbols, extras, rows }) };
    let view_date = view_date.unwrap_or(last);
    let steps = steps(&rows, &dates, &actions, view_date, symbols.len());
    for (row, (&date, &asset)) in dates.iter().zip(&rows.assets).enumerate() {
        let steps = &steps[asset as usize];
        let from = steps.partition_point(|step| step.ex_date <= date);
        let (mut price, mut volume) = (1.0, 1.0);
        for step in &steps[from..] {
            price *= step.price;
            volume *= step.volume;
        }
        for column in [&mut rows.open, &mut rows.high, &mut rows.low, &mut rows.close] {
            column[row] *= price;
        }
        rows.volume[row] *= volume;
    }
    Ok(AdjustedBars { symbols, extras, rows })
}

/// The actions of each symbol up to the view date, as factors.
fn steps(
    rows: &BarBatch,
    dates: &[Date],
    actions: &Actions,
    view_date: Date,
    n_symbols: usize,
) -> Vec<Vec<Step>> {
    let mut walk = ActionWalk::new(actions, n_symbols, Some(view_date));
    let mut steps: Vec<Vec<Step>> = vec![Vec::new(); n_symbols];
    for (row, (&date, &asset)) in dates.iter().zip(&rows.assets).enumerate() {
        let asset = AssetId(asset);
        while let Some(action) = walk.due(asset, date) {
            steps[asset.index()].push(Step::of(action));
        }
        walk.see(asset, rows.close[row]);
    }
    for (asset, steps) in (0..).map(AssetId).zip(&mut steps) {
        while let Some(action) = walk.rest(asset) {
            steps.push(Step::of(action));
        }
    }
    steps
}

impl Step {
    fn of((ex_date, Rescale { price, volume, .. }): (Date, Rescale)) -> Self {
        Self { ex_date, price, volume }
    }
}

fn append(rows: &mut BarBatch, batch: BarBatch) {
    rows.timestamps.extend(batch.timestamps);
    rows.assets.extend(batch.assets);
    for (column, more) in [
        (&mut rows.open, batch.open),
        (&mut rows.high, batch.high),
        (&mut rows.low, batch.low),
        (&mut rows.close, batch.close),
        (&mut rows.volume, batch.volume),
    ] {
        column.extend(more);
    }
    for (column, more) in rows.extras.iter_mut().zip(batch.extras) {
        column.extend(more);
    }
}
