//! The event loop: one pass over time.

use std::sync::Arc;

use super::config::EngineConfig;
use super::invariants::Invariants;
use super::log::RunLog;
use super::slice::Slice;
use super::strategy::Strategy;
use super::trader::Trader;
use crate::base::{Error, ErrorKind, Rescale, Result, Timestamp};
use crate::broker::OrderEventKind;
use crate::feed::{ChunkSource, MarketChunk};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Market rows walked so far.
    pub rows: u64,
    /// The last timestamp walked (ns UTC).
    pub timestamp: i64,
}

/// What the caller wants after hearing of the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End with an error of kind `Interrupted`.
    Stop,
}

/// Events already delivered to the strategy.
#[derive(Debug, Default)]
struct Delivered {
    fills: usize,
    events: usize,
    rejections: usize,
}

/// Walks the feed with the strategy and leaves the run log.
///
/// `progress` is called once a chunk. Same feed, strategy and config give the same log, whatever
/// the chunks.
///
/// # Errors
/// What the config, the feed or the strategy found; `S110` when a chunk is not in time order.
pub fn run(
    feed: &mut dyn ChunkSource,
    strategy: &mut dyn Strategy,
    config: &EngineConfig,
    progress: &mut dyn FnMut(&Progress) -> Flow,
) -> Result<RunLog> {
    config.check()?;
    let actions = feed.actions();
    let mut trader = Trader::new(config, feed.symbols(), feed.layout(), actions.as_deref())?;
    trader.follow(feed);
    let mut invariants = config.check_invariants.then(|| Invariants::new(config));
    let mut delivered = Delivered::default();
    let mut rows = 0;
    let mut last = i64::MIN;
    let mut next = feed.next_chunk()?;
    let first = next.as_ref().and_then(|chunk| chunk.timestamps.first());
    trader.start(first.copied().unwrap_or(0));
    strategy.on_start(&mut trader)?;
    while let Some(chunk) = next {
        check_chunk(&chunk, last, &trader)?;
        trader.load(&chunk);
        for t in 0..chunk.timestamps.len() {
            trader.advance(t);
            trader.seal();
            rescale(strategy, &mut trader)?;
            deliver(strategy, &mut trader, &mut delivered)?;
            strategy.on_data(&Slice::new(&chunk, t), &mut trader)?;
            trader.finish();
            trader.check_fault()?;
            if let Some(invariants) = &mut invariants {
                invariants.check(&trader);
            }
        }
        rows += chunk.n_rows() as u64;
        last = chunk.timestamps.last().copied().unwrap_or(last);
        if progress(&Progress { rows, timestamp: last }) == Flow::Stop {
            return Err(Error::new(ErrorKind::Interrupted, "I130", "interrupted by the user"));
        }
        next = feed.next_chunk()?;
    }
    deliver(strategy, &mut trader, &mut delivered)?;
    strategy.on_end(&mut trader)?;
    Ok(trader.into_log())
}

/// Tells the strategy by how much its past is to be restated.
fn rescale(strategy: &mut dyn Strategy, trader: &mut Trader) -> Result<()> {
    if trader.rescales().next().is_none() {
        return Ok(());
    }
    let rescales: Vec<Rescale> = trader.rescales().collect();
    rescales.iter().try_for_each(|rescale| strategy.on_rescale(rescale, trader))
}

/// Hands fills and refusals to the strategy in the order in which they happened.
///
/// What the callbacks themselves cause is left for the next timestamp, so that a strategy which
/// answers each refusal with an order does not keep the loop here for ever.
fn deliver(
    strategy: &mut dyn Strategy,
    trader: &mut Trader,
    delivered: &mut Delivered,
) -> Result<()> {
    let n_fills = trader.broker.ledger().fills.len();
    let n_events = trader.broker.ledger().events.len();
    loop {
        let ledger = trader.broker.ledger();
        let fill = ledger.fills[..n_fills].get(delivered.fills).copied();
        let event = ledger.events[..n_events].get(delivered.events).copied();
        match (fill, event) {
            (_, Some(event)) if event.fills_before as usize <= delivered.fills => {
                delivered.events += 1;
                if matches!(event.kind, OrderEventKind::Rejected(_)) {
                    let rejection = ledger.rejections[delivered.rejections];
                    delivered.rejections += 1;
                    strategy.on_reject(&rejection, trader)?;
                }
            }
            (Some(fill), _) => {
                delivered.fills += 1;
                strategy.on_fill(&fill, trader)?;
            }
            (None, _) => return Ok(()),
        }
    }
}

/// Chunks come from outside: the loop relies on their order, so the door checks it.
fn check_chunk(chunk: &Arc<MarketChunk>, last: i64, trader: &Trader) -> Result<()> {
    let n_rows = chunk.n_rows();
    let layout = trader.layout();
    let columns = [&chunk.open, &chunk.high, &chunk.low, &chunk.close, &chunk.volume];
    assert!(columns.iter().all(|column| column.len() == n_rows), "a value a row in each column");
    assert_eq!(chunk.signals.len(), layout.signals.len(), "signals as in the layout");
    assert_eq!(chunk.indicators.len(), layout.indicators.len(), "indicators as in the layout");
    assert_eq!(chunk.context.len(), layout.context.len(), "context as in the layout");
    assert!(
        chunk.signals.iter().chain(&chunk.indicators).all(|column| column.len() == n_rows),
        "a value a row in each signal and indicator"
    );
    assert!(
        chunk.context.iter().all(|column| column.len() == chunk.timestamps.len()),
        "a context value a timestamp"
    );
    assert_eq!(chunk.offsets.len(), chunk.timestamps.len() + 1, "an offset a timestamp, and one");
    assert_eq!(
        chunk.offsets.last().copied(),
        u32::try_from(n_rows).ok(),
        "offsets end at the rows"
    );
    let ascends = chunk.timestamps.first().is_none_or(|&first| first > last)
        && chunk.timestamps.is_sorted_by(|a, b| a < b)
        && chunk.offsets.is_sorted();
    let n_assets = trader.symbols().len();
    let rows_ascend = chunk.offsets.windows(2).all(|pair| {
        let assets = &chunk.assets[pair[0] as usize..pair[1] as usize];
        assets.is_sorted_by(|a, b| a < b)
            && assets.last().is_none_or(|&asset| (asset as usize) < n_assets)
    });
    if ascends && rows_ascend {
        return Ok(());
    }
    let at = chunk.timestamps.first().map_or(String::new(), |&ns| Timestamp(ns).to_string());
    Err(Error::data(
        "D310",
        format!("the chunk that starts at {at} is not in (time, symbol) order"),
    )
    .with_hint("a feed yields each timestamp once, ascending, its rows sorted by symbol"))
}
