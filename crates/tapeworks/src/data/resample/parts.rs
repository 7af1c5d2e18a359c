//! The rows of a window, a symbol at a time, on their way to one row.

use super::super::options::BarBatch;

/// Columns that are amounts of the window.
const SUMS: [&str; 6] = ["notional", "n_trades", "n_buys", "n_sells", "buy_volume", "sell_volume"];

/// How a column beside the prices is put together.
#[derive(Debug, Clone, Copy)]
enum Fold {
    Sum,
    Last,
    /// Notional, the column of that number, over volume.
    Vwap(Option<usize>),
}

/// The open window: a row a symbol, of which those in `seen` have parts.
#[derive(Debug)]
pub(super) struct Parts {
    folds: Vec<Fold>,
    rows: Vec<Row>,
    seen: Vec<u32>,
    has_starts: bool,
}

#[derive(Debug, Clone, Default)]
struct Row {
    n: u64,
    /// Of the first part, as far as it says when it starts.
    start: Option<i64>,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    extras: Vec<f64>,
}

impl Parts {
    pub(super) fn new(n_symbols: usize, extras: &[String]) -> Self {
        let notional = extras.iter().position(|name| name == "notional");
        let folds = extras.iter().map(|name| match name.as_str() {
            "vwap" => Fold::Vwap(notional),
            name if SUMS.contains(&name) => Fold::Sum,
            _ => Fold::Last,
        });
        let row = Row { extras: vec![0.0; extras.len()], ..Row::default() };
        Self {
            folds: folds.collect(),
            rows: vec![row; n_symbols],
            seen: Vec::new(),
            has_starts: false,
        }
    }

    /// An empty batch of the same columns.
    pub(super) fn batch(&self) -> BarBatch {
        BarBatch { extras: vec![Vec::new(); self.folds.len()], ..BarBatch::default() }
    }

    pub(super) fn add(&mut self, batch: &BarBatch, i: usize) {
        let asset = batch.assets[i];
        let row = &mut self.rows[asset as usize];
        if row.n == 0 {
            self.seen.push(asset);
            [row.open, row.high, row.low, row.close] = [f64::NAN; 4];
            row.volume = 0.0;
            row.extras.fill(0.0);
            row.start = batch.start(i);
            self.has_starts |= row.start.is_some();
        }
        row.n += 1;
        // A part whose prices were made missing says nothing of the window's prices. NaN is lost
        // in `max` and `min`, so the first price replaces it.
        if row.open.is_nan() {
            row.open = batch.open[i];
        }
        row.high = row.high.max(batch.high[i]);
        row.low = row.low.min(batch.low[i]);
        if !batch.close[i].is_nan() {
            row.close = batch.close[i];
        }
        row.volume += batch.volume[i];
        for (c, fold) in self.folds.iter().enumerate() {
            let value = batch.extras[c][i];
            match fold {
                Fold::Sum => row.extras[c] += value,
                Fold::Last | Fold::Vwap(_) => row.extras[c] = value,
            }
        }
    }

    /// Writes the window's rows by symbol and gives their number.
    pub(super) fn flush(&mut self, timestamp: i64, out: &mut BarBatch) -> u64 {
        self.seen.sort_unstable();
        for &asset in &self.seen {
            let row = &mut self.rows[asset as usize];
            row.n = 0;
            if self.has_starts {
                let length = row.start.map_or(f64::NAN, |start| (timestamp - start) as f64);
                // Rows before the first that says it have none.
                out.lengths.resize(out.timestamps.len(), f64::NAN);
                out.lengths.push(length);
            }
            out.timestamps.push(timestamp);
            out.assets.push(asset);
            out.open.push(row.open);
            out.high.push(row.high);
            out.low.push(row.low);
            out.close.push(row.close);
            out.volume.push(row.volume);
            for (c, fold) in self.folds.iter().enumerate() {
                out.extras[c].push(match fold {
                    Fold::Sum | Fold::Last => row.extras[c],
                    Fold::Vwap(Some(notional)) if row.volume > 0.0 => {
                        row.extras[*notional] / row.volume
                    }
                    Fold::Vwap(_) => f64::NAN,
                });
            }
        }
        let n = self.seen.len() as u64;
        self.seen.clear();
        n
    }

    /// Forgets the window and gives the number of rows that it had.
    pub(super) fn clear(&mut self) -> u64 {
        let n = self.seen.iter().map(|asset| std::mem::take(&mut self.rows[*asset as usize].n));
        let n = n.sum();
        self.seen.clear();
        n
    }
}
