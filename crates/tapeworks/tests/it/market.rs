//! Test support: small markets written as tables, and strategies written as lists of acts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tapeworks::base::{Actions, AssetId, OrderId, Result, Symbols};
use tapeworks::broker::{Change, PositionRule};
use tapeworks::engine::{
    EngineConfig, FillRow, Flow, OrderRequest, ReleaseOn, RunLog, Size, Slice, Strategy, Trader,
    run,
};
use tapeworks::feed::{ChunkSource, Layout, MarketChunk};

/// 2024-01-01, the instant of bar 0; bar k is k days later.
const T0: i64 = 1_704_067_200_000_000_000;
const DAY_NS: i64 = 86_400_000_000_000;

/// Instant of bar `bar`.
pub fn at(bar: usize) -> i64 {
    T0 + i64::try_from(bar).unwrap() * DAY_NS
}

/// Number of the bar that ends at `timestamp`.
pub fn bar_of(timestamp: i64) -> usize {
    usize::try_from((timestamp - T0) / DAY_NS).unwrap()
}

/// One row: bar number, asset id, prices and volume, and the values of the signal columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub bar: usize,
    pub asset: u32,
    pub ohlc: [f64; 4],
    pub volume: f64,
    pub signals: Vec<f64>,
}

/// A market written by hand: symbols and rows sorted by (bar, asset).
#[derive(Debug, Clone, Default)]
pub struct Market {
    pub symbols: Vec<String>,
    pub signals: Vec<String>,
    pub rows: Vec<Row>,
    pub actions: Option<Actions>,
}

impl Market {
    /// One symbol `A`, a row a bar, volume unknown.
    pub fn one(bars: &[[f64; 4]]) -> Self {
        let bars: Vec<Option<[f64; 4]>> = bars.iter().copied().map(Some).collect();
        Self::many(&[("A", &bars)])
    }

    /// Symbols in ascending order, each with a row a bar or none.
    pub fn many(series: &[(&str, &[Option<[f64; 4]>])]) -> Self {
        let mut market = Self::default();
        for (asset, (symbol, bars)) in (0..).zip(series) {
            market.symbols.push((*symbol).to_string());
            for (bar, ohlc) in bars.iter().enumerate() {
                if let &Some(ohlc) = ohlc {
                    let volume = f64::NAN;
                    market.rows.push(Row { bar, asset, ohlc, volume, signals: Vec::new() });
                }
            }
        }
        assert!(market.symbols.is_sorted(), "ids are ranks of names");
        market.rows.sort_by_key(|row| (row.bar, row.asset));
        market
    }

    /// Adds a signal column; `value(bar, asset)`.
    pub fn with_signal(mut self, name: &str, value: impl Fn(usize, u32) -> f64) -> Self {
        self.signals.push(name.to_string());
        for row in &mut self.rows {
            row.signals.push(value(row.bar, row.asset));
        }
        self
    }

    /// The row of an asset at a bar.
    pub fn row(&self, bar: usize, asset: u32) -> Option<&Row> {
        let key = (bar, asset);
        let at = self.rows.binary_search_by_key(&key, |row| (row.bar, row.asset)).ok()?;
        Some(&self.rows[at])
    }

    /// Bars with at least one row, ascending.
    pub fn bars(&self) -> Vec<usize> {
        let mut bars: Vec<usize> = self.rows.iter().map(|row| row.bar).collect();
        bars.dedup();
        bars
    }

    /// The market as a feed in chunks of `chunk_len` timestamps.
    pub fn feed(&self, chunk_len: usize) -> MarketFeed {
        let chunks = self
            .bars()
            .chunks(chunk_len)
            .map(|bars| {
                let mut chunk = MarketChunk {
                    offsets: vec![0],
                    signals: vec![Vec::new(); self.signals.len()],
                    ..MarketChunk::default()
                };
                for &bar in bars {
                    chunk.timestamps.push(at(bar));
                    for row in self.rows.iter().filter(|row| row.bar == bar) {
                        chunk.assets.push(row.asset);
                        chunk.open.push(row.ohlc[0]);
                        chunk.high.push(row.ohlc[1]);
                        chunk.low.push(row.ohlc[2]);
                        chunk.close.push(row.ohlc[3]);
                        chunk.volume.push(row.volume);
                        for (column, &value) in chunk.signals.iter_mut().zip(&row.signals) {
                            column.push(value);
                        }
                    }
                    chunk.offsets.push(u32::try_from(chunk.assets.len()).unwrap());
                }
                Arc::new(chunk)
            })
            .collect::<Vec<_>>();
        MarketFeed {
            symbols: Arc::new(Symbols::new(self.symbols.iter().map(String::as_str))),
            layout: Arc::new(Layout { signals: self.signals.clone(), ..Layout::default() }),
            chunks: chunks.into_iter(),
            actions: self.actions.clone().map(Arc::new),
        }
    }
}

/// A market in chunks.
pub struct MarketFeed {
    symbols: Arc<Symbols>,
    layout: Arc<Layout>,
    chunks: std::vec::IntoIter<Arc<MarketChunk>>,
    actions: Option<Arc<Actions>>,
}

impl ChunkSource for MarketFeed {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.symbols)
    }

    fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout)
    }

    fn actions(&self) -> Option<Arc<Actions>> {
        self.actions.clone()
    }

    fn next_chunk(&mut self) -> Result<Option<Arc<MarketChunk>>> {
        Ok(self.chunks.next())
    }
}

/// One thing a scripted strategy does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Order(OrderRequest),
    /// One cancels the others.
    Oco(Vec<OrderRequest>),
    /// The first, and once it has filled the others.
    Oto(OrderRequest, ReleaseOn, Vec<OrderRequest>),
    Close(u32, f64),
    CloseAll,
    TargetQuantity(u32, f64),
    TargetPercent(u32, f64),
    TargetValue(u32, f64),
    Rebalance(Vec<(u32, f64)>),
    /// By order id; of no effect when the order has ended or was never sent.
    Cancel(u32),
    /// All orders of the strategy for one symbol, or for all.
    CancelAll(Option<u32>),
    /// By order id, as a cancel.
    Replace(u32, Change),
    /// Ends a halt.
    Resume,
    SetRules(Option<u32>, Vec<PositionRule>),
}

/// A market order over units.
pub fn market(asset: u32, units: f64) -> Act {
    Act::Order(OrderRequest::market(AssetId(asset), units))
}

/// A limit order over units.
pub fn limit(asset: u32, units: f64, limit: f64) -> Act {
    Act::Order(OrderRequest::limit(AssetId(asset), units, limit))
}

/// A stop order over units.
pub fn stop(asset: u32, units: f64, stop: f64) -> Act {
    Act::Order(OrderRequest::stop(AssetId(asset), units, stop))
}

/// A market order sized in equity.
pub fn percent(asset: u32, fraction: f64) -> Act {
    let order = OrderRequest::market(AssetId(asset), 0.0);
    Act::Order(OrderRequest { size: Size::Percent(fraction), ..order })
}

/// The same order, reduce-only.
pub fn reduce_only(act: Act) -> Act {
    match act {
        Act::Order(order) => Act::Order(OrderRequest { reduce_only: true, ..order }),
        other => other,
    }
}

/// What a strategy saw at the data callback of a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub bar: usize,
    pub quantities: Vec<f64>,
    pub cash: f64,
    pub equity: f64,
    pub open_orders: Vec<u32>,
    /// Fills delivered since the callback before.
    pub fills: usize,
}

/// A strategy that does what a list says, and writes down what it sees.
#[derive(Debug, Default)]
pub struct Script {
    pub acts: Vec<(usize, Act)>,
    pub seen: Vec<Seen>,
    fills: usize,
}

impl Strategy for Script {
    fn on_fill(&mut self, _fill: &FillRow, _trader: &mut Trader) -> Result<()> {
        self.fills += 1;
        Ok(())
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        let bar = bar_of(slice.timestamp());
        let n_assets = u32::try_from(trader.symbols().len()).unwrap();
        self.seen.push(Seen {
            bar,
            quantities: (0..n_assets).map(|asset| trader.quantity(AssetId(asset))).collect(),
            cash: trader.cash(),
            equity: trader.equity(),
            open_orders: trader.open_orders().iter().map(|order| order.0).collect(),
            fills: std::mem::take(&mut self.fills),
        });
        for (_, act) in self.acts.iter().filter(|(when, _)| *when == bar) {
            perform(act, trader)?;
        }
        Ok(())
    }
}

fn perform(act: &Act, trader: &mut Trader) -> Result<()> {
    match act {
        Act::Order(order) => {
            trader.submit(order)?;
        }
        Act::Oco(orders) => {
            trader.submit_oco(orders)?;
        }
        Act::Oto(parent, on, orders) => {
            let parent = trader.submit(parent)?;
            trader.submit_after(parent, *on, orders)?;
        }
        Act::Close(asset, fraction) => {
            trader.close(AssetId(*asset), *fraction);
        }
        Act::CloseAll => trader.close_all(),
        Act::TargetQuantity(asset, units) => {
            trader.target_quantity(AssetId(*asset), *units);
        }
        Act::TargetPercent(asset, fraction) => {
            trader.target_percent(AssetId(*asset), *fraction);
        }
        Act::TargetValue(asset, currency) => {
            trader.target_value(AssetId(*asset), *currency);
        }
        Act::Rebalance(weights) => {
            let weights: Vec<_> = weights.iter().map(|&(a, w)| (AssetId(a), w)).collect();
            trader.rebalance(&weights);
        }
        Act::Cancel(order) => {
            trader.cancel(OrderId(*order));
        }
        Act::CancelAll(asset) => {
            trader.cancel_all(asset.map(AssetId));
        }
        Act::Replace(order, change) => {
            trader.replace(OrderId(*order), change);
        }
        Act::Resume => trader.resume(),
        Act::SetRules(asset, rules) => trader.set_rules(asset.map(AssetId), rules)?,
    }
    Ok(())
}

/// Runs a script over a market in chunks of `chunk_len` timestamps.
pub fn play_chunked(
    market: &Market,
    acts: &[(usize, Act)],
    config: &EngineConfig,
    chunk_len: usize,
) -> (RunLog, Vec<Seen>) {
    let mut script = Script { acts: acts.to_vec(), ..Script::default() };
    let log = run(&mut market.feed(chunk_len), &mut script, config, &mut |_| Flow::Continue)
        .expect("the run ends well");
    (log, script.seen)
}

/// Runs a script over a market, invariants on.
pub fn play(market: &Market, acts: &[(usize, Act)], config: &EngineConfig) -> RunLog {
    play_chunked(market, acts, &EngineConfig { check_invariants: true, ..config.clone() }, 3).0
}

/// The fills of a log as (bar, asset, quantity, price).
pub fn fills(log: &RunLog) -> Vec<(usize, u32, f64, f64)> {
    log.fills.iter().map(|f| (bar_of(f.timestamp), f.asset.0, f.quantity, f.price)).collect()
}
