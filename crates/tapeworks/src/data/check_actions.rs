//! Corporate actions against the bars they belong to (`D605`).

use std::collections::BTreeMap;

use super::action_cells::{ActionCells, read_cells};
use super::actions::{ACTIONS, Event, Row, report, rows, warn, warn_stranger};
use super::ledger::Ledger;
use super::options::{BarReader, CheckLevel, ReadOptions, Source};
use super::reader::open_bars;
use super::report::CheckReport;
use crate::base::calendar::SessionDays;
use crate::base::{Date, ErrorKind, Result};

/// Days of bars, and the closes that actions ask for.
#[derive(Debug, Default)]
struct Market {
    first: Option<Date>,
    last: Option<Date>,
    /// By (symbol, ex-date): the last close before it, NaN without one.
    closes: BTreeMap<(u32, Date), f64>,
    /// Dates that actions name, and whether any symbol has a row then.
    days: BTreeMap<Date, bool>,
}

/// Checks a table of corporate actions against its bars and gives every finding.
///
/// # Errors
/// When the bars cannot be read or the options are wrong.
pub fn check_actions(actions: Source, bars: Source, options: &ReadOptions) -> Result<CheckReport> {
    let cells = match read_cells(actions, options) {
        Err(error) if error.kind() == ErrorKind::Data => {
            return Ok(CheckReport::refused(ACTIONS, &error));
        }
        cells => cells?,
    };
    let mut ledger = Ledger::new(ACTIONS);
    let rows = rows(&cells, &mut ledger);
    let options = ReadOptions {
        columns: Some(Vec::new()),
        level: CheckLevel::Fast,
        symbols: None,
        ..options.clone()
    };
    let mut bars = open_bars(bars, &options)?;
    let symbols = bars.symbols();
    let market = Market::read(bars.as_mut(), &rows, &options)?;
    for row in &rows {
        warn_stranger(&cells, row, &symbols, &mut ledger);
        if let Some(asset) = symbols.id(&row.symbol) {
            market.judge(&cells, row, asset.0, &mut ledger);
        }
    }
    Ok(report(&cells, ledger))
}

impl Market {
    fn read(bars: &mut dyn BarReader, rows: &[Row], options: &ReadOptions) -> Result<Self> {
        let symbols = bars.symbols();
        let mut market = Self::default();
        // By symbol: the dates that wait for the last close before them, the first one last.
        let mut waiting: Vec<Vec<Date>> = vec![Vec::new(); symbols.len()];
        for row in rows {
            market.days.insert(row.date, false);
            if let Some(asset) = symbols.id(&row.symbol) {
                waiting[asset.index()].push(row.date);
            }
        }
        for dates in &mut waiting {
            dates.sort_unstable_by(|a, b| b.cmp(a));
            dates.dedup();
        }
        let mut last = vec![f64::NAN; symbols.len()];
        let mut days = SessionDays::new(options.calendar.clone());
        while let Some(batch) = bars.next_batch()? {
            for ((&ns, &asset), &close) in
                batch.timestamps.iter().zip(&batch.assets).zip(&batch.close)
            {
                let date = days.date(ns);
                market.first.get_or_insert(date);
                market.last = Some(date);
                if let Some(is_day) = market.days.get_mut(&date) {
                    *is_day = true;
                }
                let at = asset as usize;
                while let Some(wanted) = waiting[at].pop_if(|wanted| *wanted <= date) {
                    market.closes.insert((asset, wanted), last[at]);
                }
                if close.is_finite() {
                    last[at] = close;
                }
            }
        }
        for (asset, dates) in (0..).zip(waiting) {
            for date in dates {
                market.closes.insert((asset, date), last[asset as usize]);
            }
        }
        Ok(market)
    }

    fn judge(&self, cells: &ActionCells, row: &Row, asset: u32, ledger: &mut Ledger) {
        let Row { symbol, date, .. } = row;
        // An action before the bars begin is history that they do not need.
        let is_before = self.first.is_none_or(|first| *date < first);
        if !is_before && !self.days[date] {
            let place = if self.last.is_some_and(|last| *date > last) {
                "lies after the last bar"
            } else {
                "is no day with bars; the action takes effect on the next one"
            };
            let text = format!("{symbol}: {date} {place}");
            warn(cells, row, "ex_date", &text, "an ex_date is a day with bars", ledger);
        }
        let close = self.closes.get(&(asset, *date)).copied().unwrap_or(f64::NAN);
        if let Event::Dividend { amount, .. } = row.event
            && amount >= close
        {
            let text = format!("{symbol}: a dividend of {amount} on a close of {close}");
            warn(cells, row, "amount", &text, "a dividend is below the price", ledger);
        }
    }
}
