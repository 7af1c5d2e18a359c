//! A feed in motion: a thread decodes and joins, the caller walks the chunk before.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::as_of::{AsOfJoin, Joined, SignalFill};
use super::availability::{Release, check_seen};
use super::columns::{Available, ColumnPlan, Origin, Wanted};
use super::lag::{Lag, Limit};
use super::{ChunkLimit, ChunkSource, FeedClock, JoinCounts, Layout, MarketChunk, MemoryFeed};
use crate::base::{Actions, AssetId, Calendar, Error, Result, Symbols};
use crate::data::{BarBatch, BarReader, CheckReport, ContextTable, ExplainedMoves, SignalTable};

/// The tables of a feed, opened.
pub struct FeedTables {
    /// The bars, still to be decoded.
    pub bars: Box<dyn BarReader>,
    /// Signals, ordered by (timestamp, asset).
    pub signals: Option<SignalTable>,
    /// Context, ordered by timestamp.
    pub context: Option<ContextTable>,
}

/// The tables of a feed with all their rules, as [`OpenFeed::start`] takes them.
pub(super) struct Tables {
    pub(super) bars: Box<dyn BarReader>,
    /// Each table with the way it is joined.
    pub(super) signals: Vec<(SignalTable, Joining)>,
    pub(super) context: Vec<(ContextTable, Joining)>,
    pub(super) actions: Option<Arc<Actions>>,
}

/// Chunks as they are decoded, in time order.
///
/// Memory: the chunk in hand, one that waits and one that is being decoded. Dropping the feed ends
/// the decoding thread; it is not waited for.
#[derive(Debug)]
pub struct OpenFeed {
    symbols: Arc<Symbols>,
    layout: Arc<Layout>,
    calendar: Option<Arc<Calendar>>,
    actions: Option<Arc<Actions>>,
    state: State,
    report: CheckReport,
    tables: Vec<Vec<String>>,
    counts: Option<Vec<JoinCounts>>,
    /// Whether the bars were put together from finer ones.
    pub(super) is_resampled: bool,
    /// Rows that will come, where that is known.
    pub(super) n_rows: Option<u64>,
    /// How the rows relate to dates.
    pub(super) clock: FeedClock,
    /// The moves of closes that the corporate actions explain.
    pub(super) explained: Option<Arc<ExplainedMoves>>,
}

#[derive(Debug)]
enum State {
    Running(Receiver<Message>),
    Ended,
    Failed(Error),
}

enum Message {
    Chunk(MarketChunk),
    Ended(CheckReport, Vec<JoinCounts>),
    Failed(Error),
}

impl OpenFeed {
    /// Starts a feed over opened tables, with every column that they have: the columns of asset
    /// data and of the signals table are signals, and rows are available at their timestamps.
    ///
    /// # Errors
    /// `D601` when asset data and signals share a column.
    pub fn from_tables(
        tables: FeedTables,
        staleness_ns: Option<i64>,
        chunk: Option<ChunkLimit>,
    ) -> Result<Self> {
        let wanted = Wanted { signals: None, indicators: None, context: None };
        let signals: Vec<&[String]> =
            tables.signals.iter().map(|table| table.names.as_slice()).collect();
        let context: Vec<&[String]> =
            tables.context.iter().map(|table| table.names.as_slice()).collect();
        let plan = ColumnPlan::new(
            wanted,
            Available { asset: tables.bars.extras(), signals: &signals, context: &context },
        )?;
        let staleness = staleness_ns.map(Lag::Span);
        let rules = Joining { staleness, ..Joining::default() };
        let signals = tables.signals.into_iter().map(|table| (table, rules.clone())).collect();
        let context = tables.context.into_iter().map(|table| (table, Joining::default())).collect();
        let tables = Tables { bars: tables.bars, signals, context, actions: None };
        Self::start(tables, plan, None, chunk, CheckReport::default())
    }

    pub(super) fn start(
        tables: Tables,
        plan: ColumnPlan,
        calendar: Option<Arc<Calendar>>,
        chunk: Option<ChunkLimit>,
        report: CheckReport,
    ) -> Result<Self> {
        let symbols = tables.bars.symbols();
        let actions = tables.actions.clone();
        let layout = Arc::new(plan.layout.clone());
        let names = tables.signals.iter().map(|(table, _)| table.names.clone()).collect();
        let bars = BarFacts {
            have_dates: tables.bars.has_dates(),
            last: tables.bars.span().map(|(_, last)| last),
        };
        let of_calendar = calendar.as_ref();
        let calendar_is_absent = calendar.is_none();
        let signals = tables
            .signals
            .into_iter()
            .map(|(table, rules)| rules.of_signals(table, &symbols, of_calendar, bars))
            .collect::<Result<_>>()?;
        let context = tables
            .context
            .into_iter()
            .map(|(table, rules)| rules.of_context(table, of_calendar, bars))
            .collect::<Result<_>>()?;
        // One chunk waits while the next is decoded: the sender blocks until it is taken.
        let (sender, receiver) = sync_channel(1);
        let decoder = Decoder {
            bars: tables.bars,
            symbols: Arc::clone(&symbols),
            signals,
            context,
            plan,
            chunk,
            last: None,
        };
        thread::spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| decoder.decode(&sender)));
            // A feed that was dropped does not listen any more, and need not hear.
            let _ = match outcome {
                Ok(Ok(message)) => sender.send(message),
                Ok(Err(error)) => sender.send(Message::Failed(error)),
                Err(panic) => sender.send(Message::Failed(decoder_panicked(panic.as_ref()))),
            };
        });
        let state = State::Running(receiver);
        Ok(Self {
            symbols,
            layout,
            calendar,
            actions,
            state,
            report,
            tables: names,
            counts: None,
            is_resampled: false,
            n_rows: None,
            clock: FeedClock {
                has_dates: bars.have_dates && calendar_is_absent,
                ..FeedClock::default()
            },
            explained: None,
        })
    }

    /// What checking found: signals and context from the start, the bars once the feed has ended.
    #[must_use]
    pub fn report(&self) -> CheckReport {
        self.report.clone()
    }

    /// How many rows got a signal row of the first table; `None` before the end, or without one.
    #[must_use]
    pub fn join_counts(&self) -> Option<JoinCounts> {
        self.counts.as_ref()?.first().copied()
    }

    /// The columns of each signals table in the order in which they were named.
    #[must_use]
    pub fn signal_tables(&self) -> &[Vec<String>] {
        &self.tables
    }

    /// The counts of each signals table in the order in which they were named; empty before the
    /// end.
    #[must_use]
    pub fn signal_counts(&self) -> &[JoinCounts] {
        self.counts.as_deref().unwrap_or_default()
    }

    /// Whether the bars were put together from finer ones.
    #[must_use]
    pub fn is_resampled(&self) -> bool {
        self.is_resampled
    }

    /// Rows that will come, where the files tell and every row of them is read.
    #[must_use]
    pub fn n_rows(&self) -> Option<u64> {
        self.n_rows
    }

    /// The moves of closes that the corporate actions explain; `None` without actions.
    #[must_use]
    pub fn explained(&self) -> Option<Arc<ExplainedMoves>> {
        self.explained.clone()
    }

    /// Decodes everything that is left and keeps it.
    ///
    /// # Errors
    /// As [`ChunkSource::next_chunk`].
    pub fn into_memory(mut self) -> Result<MemoryFeed> {
        let mut chunks = Vec::new();
        while let Some(chunk) = self.next_chunk()? {
            chunks.push(chunk);
        }
        Ok(MemoryFeed::new(self.symbols, self.layout, chunks)
            .with_calendar(self.calendar)
            .with_actions(self.actions)
            .with_clock(self.clock))
    }
}

impl ChunkSource for OpenFeed {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.symbols)
    }

    fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout)
    }

    fn calendar(&self) -> Option<Arc<Calendar>> {
        self.calendar.clone()
    }

    fn actions(&self) -> Option<Arc<Actions>> {
        self.actions.clone()
    }

    fn clock(&self) -> FeedClock {
        self.clock.clone()
    }

    fn next_chunk(&mut self) -> Result<Option<Arc<MarketChunk>>> {
        let message = match &self.state {
            State::Running(receiver) => receiver
                .recv()
                .unwrap_or_else(|_| Message::Failed(decoder_panicked(&"it ended without a word"))),
            State::Ended => return Ok(None),
            State::Failed(error) => return Err(error.clone()),
        };
        match message {
            Message::Chunk(chunk) => Ok(Some(Arc::new(chunk))),
            Message::Ended(bars, counts) => {
                let tables = std::mem::replace(&mut self.report, bars);
                self.report.merge(tables);
                self.counts = Some(counts);
                self.state = State::Ended;
                Ok(None)
            }
            Message::Failed(error) => {
                self.state = State::Failed(error.clone());
                Err(error)
            }
        }
    }
}

/// What a join has to know of the bars.
#[derive(Debug, Clone, Copy)]
struct BarFacts {
    have_dates: bool,
    /// The last timestamp, where it is known before the rows are.
    last: Option<i64>,
}

/// How a table is joined.
#[derive(Debug, Clone, Default)]
pub(super) struct Joining {
    pub(super) release: Release,
    pub(super) staleness: Option<Lag>,
    pub(super) fill: SignalFill,
}

impl Joining {
    fn of_signals(
        mut self,
        table: SignalTable,
        symbols: &Symbols,
        calendar: Option<&Arc<Calendar>>,
        bars: BarFacts,
    ) -> Result<AsOfJoin> {
        self.prepare("signals", calendar, bars.have_dates)?;
        let owner = |row: usize| format!(" of {}", symbols.name(AssetId(table.assets[row])));
        let SignalTable { names, timestamps, facts, .. } = &table;
        let known = self.release.available_at("signals", names, timestamps, facts, &owner)?;
        check_seen("signals", names, &known, bars.last)?;
        Ok(self.join(Joined::signals(table, known), symbols.len()))
    }

    fn of_context(
        mut self,
        table: ContextTable,
        calendar: Option<&Arc<Calendar>>,
        bars: BarFacts,
    ) -> Result<AsOfJoin> {
        self.prepare("context", calendar, bars.have_dates)?;
        let ContextTable { names, timestamps, facts, .. } = &table;
        let nobody = |_: usize| String::new();
        let known = self.release.available_at("context", names, timestamps, facts, &nobody)?;
        check_seen("context", names, &known, bars.last)?;
        Ok(self.join(Joined::context(table, known), 1))
    }

    fn prepare(
        &mut self,
        table: &str,
        calendar: Option<&Arc<Calendar>>,
        bars_have_dates: bool,
    ) -> Result<()> {
        self.release.calendar = calendar.cloned();
        self.release.bars_have_dates = bars_have_dates;
        self.release.check(table, self.staleness)
    }

    fn join(self, rows: Joined, n_owners: usize) -> AsOfJoin {
        let limit = self.staleness.map(|lag| Limit::new(lag, self.release.calendar));
        AsOfJoin::new(rows, n_owners, limit, self.fill)
    }
}

/// The work of the decoding thread.
struct Decoder {
    bars: Box<dyn BarReader>,
    symbols: Arc<Symbols>,
    signals: Vec<AsOfJoin>,
    context: Vec<AsOfJoin>,
    plan: ColumnPlan,
    chunk: Option<ChunkLimit>,
    last: Option<i64>,
}

impl Decoder {
    /// Sends every chunk; gives the message that ends the feed.
    fn decode(mut self, sender: &SyncSender<Message>) -> Result<Message> {
        'decoding: while let Some(batch) = self.bars.next_batch()? {
            if batch.timestamps.is_empty() {
                continue;
            }
            let chunk = self.build_chunk(batch)?;
            let cuts = self
                .chunk
                .map_or_else(Vec::new, |limit| limit.cuts(&chunk.timestamps, &chunk.offsets));
            for part in split(chunk, &cuts) {
                if sender.send(Message::Chunk(part)).is_err() {
                    break 'decoding;
                }
            }
        }
        let counts = self.signals.iter().map(AsOfJoin::counts).collect();
        let mut report = self.bars.report();
        report.findings.extend(self.signals.iter().filter_map(AsOfJoin::finding));
        Ok(Message::Ended(report, counts))
    }

    /// Moves the batch's columns into a chunk and joins the others.
    fn build_chunk(&mut self, mut batch: BarBatch) -> Result<MarketChunk> {
        let (timestamps, offsets) = group_by_timestamp(&batch.timestamps, &batch.assets, self.last);
        self.last = timestamps.last().copied();
        for join in &mut self.signals {
            join.pick(&batch.timestamps, Some(&batch.assets), &self.symbols)?;
        }
        for join in &mut self.context {
            join.pick(&timestamps, None, &self.symbols)?;
        }
        let series = |&(table, column): &(usize, usize)| self.context[table].gather(column);
        let context = self.plan.context.iter().map(series).collect();
        let mut column = |origin: &Origin| match *origin {
            Origin::Asset(column) => std::mem::take(&mut batch.extras[column]),
            Origin::Signals(table, column) => self.signals[table].gather(column),
        };
        let signals = self.plan.signals.iter().map(&mut column).collect();
        let indicators = self.plan.indicators.iter().map(&mut column).collect();
        Ok(MarketChunk {
            timestamps,
            offsets,
            assets: batch.assets,
            open: batch.open,
            high: batch.high,
            low: batch.low,
            close: batch.close,
            volume: batch.volume,
            signals,
            indicators,
            context,
        })
    }
}

/// Unique timestamps and the row offsets of each.
///
/// Asserts what the bar reader promises: (timestamp, asset) strictly ascending, also across
/// batches, and a batch that ends with its timestamp.
fn group_by_timestamp(
    timestamps: &[i64],
    assets: &[u32],
    last: Option<i64>,
) -> (Vec<i64>, Vec<u32>) {
    assert_eq!(timestamps.len(), assets.len());
    let n_rows = u32::try_from(timestamps.len()).expect("a batch has fewer than 2^32 rows");
    let mut unique = Vec::new();
    let mut offsets = Vec::new();
    let mut previous = last;
    let mut previous_asset = u32::MAX;
    for (row, (&now, &asset)) in (0..n_rows).zip(timestamps.iter().zip(assets)) {
        if previous == Some(now) && row > 0 {
            assert!(previous_asset < asset, "rows of a timestamp ascend by symbol");
        } else {
            assert!(previous.is_none_or(|before| before < now), "timestamps ascend over batches");
            unique.push(now);
            offsets.push(row);
            previous = Some(now);
        }
        previous_asset = asset;
    }
    offsets.push(n_rows);
    (unique, offsets)
}

/// Cuts a chunk before each of the timestamp indices; without cuts the chunk itself.
fn split(mut chunk: MarketChunk, cuts: &[usize]) -> Vec<MarketChunk> {
    let mut parts = Vec::with_capacity(cuts.len() + 1);
    // From the back, so that each column is cut off where it ends.
    for &t in cuts.iter().rev() {
        let row = chunk.offsets[t];
        let at = row as usize;
        let mut offsets = chunk.offsets.split_off(t);
        chunk.offsets.push(row);
        for offset in &mut offsets {
            *offset -= row;
        }
        let rows = |column: &mut Vec<f64>| column.split_off(at);
        parts.push(MarketChunk {
            timestamps: chunk.timestamps.split_off(t),
            offsets,
            assets: chunk.assets.split_off(at),
            open: rows(&mut chunk.open),
            high: rows(&mut chunk.high),
            low: rows(&mut chunk.low),
            close: rows(&mut chunk.close),
            volume: rows(&mut chunk.volume),
            signals: chunk.signals.iter_mut().map(rows).collect(),
            indicators: chunk.indicators.iter_mut().map(rows).collect(),
            context: chunk.context.iter_mut().map(|column| column.split_off(t)).collect(),
        });
    }
    parts.push(chunk);
    parts.reverse();
    parts
}

fn decoder_panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::data("D102", format!("decoding stopped in an unforeseen way: {text}"))
        .with_hint("this is a defect of tapeworks: report it with the file that shows it")
}
