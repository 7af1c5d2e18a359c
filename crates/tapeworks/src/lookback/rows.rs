//! The rows a run has passed, kept so that a strategy can look back.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::buffer::ScalarBuffer;

use super::by_asset::ByAsset;
use super::coarser::{Coarser, CoarserBars};
use super::restated::Rescales;
use super::symbol_major::SymbolMajor;
use crate::base::calendar::Windows;
use crate::base::{Actions, AssetId, Calendar, Error, ErrorKind, Rescale, Result, Step, Symbols};
use crate::feed::{FeedClock, Layout, MarketChunk, RowColumn};
use crate::indicators::{IndicatorSpec, RunningColumn, RunningIndicator};

/// What has to be known of a feed to look back on it.
#[derive(Debug, Clone)]
pub struct LookbackTerms {
    /// The symbols of the run.
    pub symbols: Arc<Symbols>,
    /// The columns that ride along.
    pub layout: Arc<Layout>,
    /// The sessions of the market, into which coarser bars fall.
    pub calendar: Option<Arc<Calendar>>,
    /// Corporate actions on raw prices.
    pub actions: Option<Arc<Actions>>,
    /// How the rows relate to dates.
    pub clock: FeedClock,
    /// Rows of earlier chunks that are kept; 0 keeps none and no window can be had.
    pub rows_max: usize,
}

/// A column that can be looked back on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastColumn {
    /// A column of the feed.
    Row(RowColumn),
    /// An output of a running indicator: the number of the indicator and of the output.
    Running(usize, usize),
}

/// The last rows of a symbol, oldest first.
#[derive(Debug, Clone)]
pub struct PastRows {
    /// Instants at which the rows became known, ns UTC.
    pub timestamps: ScalarBuffer<i64>,
    /// A column each of [`Layout::row_columns`], in that order.
    pub columns: Vec<ScalarBuffer<f64>>,
}

struct Seen {
    chunk: Arc<MarketChunk>,
    /// Made when the chunk is first looked into.
    rows: Option<ByAsset>,
    /// For each running indicator its columns.
    running: Vec<Arc<[RunningColumn]>>,
}

/// The rows up to now.
#[derive(Default)]
pub struct Lookback {
    terms: Option<LookbackTerms>,
    chunks: VecDeque<Seen>,
    n_rows: usize,
    n_dropped: usize,
    t: usize,
    rescales: Rescales,
    running: Vec<RunningIndicator>,
    columns: Vec<(PastColumn, SymbolMajor<f64>)>,
    stamps: Option<SymbolMajor<i64>>,
    /// Rows of earlier chunks that windows of this chunk reach back over.
    reach: usize,
    coarser: Vec<(Step, Coarser)>,
}

impl Lookback {
    /// Nothing is seen yet.
    #[must_use]
    pub fn new(terms: LookbackTerms) -> Self {
        Self { terms: Some(terms), ..Self::default() }
    }

    fn terms(&self) -> &LookbackTerms {
        self.terms.as_ref().expect("only the empty state before a run has none")
    }

    // --- the run moves on ---------------------------------------------------------------------

    /// The run has reached timestamp number `t` of a chunk. True when the chunk is a new one.
    ///
    /// # Errors
    /// As coarser bars: `D311` for a row outside the calendar's span.
    pub fn move_to(&mut self, chunk: &Arc<MarketChunk>, t: usize) -> Result<bool> {
        let is_new = self.chunks.back().is_none_or(|seen| !Arc::ptr_eq(&seen.chunk, chunk));
        if !is_new {
            self.t = t;
            return Ok(false);
        }
        self.catch_up()?;
        let running = self.running.iter_mut().map(|one| one.push_chunk(chunk).into()).collect();
        self.n_rows += chunk.n_rows();
        self.chunks.push_back(Seen { chunk: Arc::clone(chunk), rows: None, running });
        let rows_max = self.terms().rows_max;
        while self.chunks.len() > 1 && self.n_rows > rows_max {
            let gone = self.chunks.pop_front().map_or(0, |seen| seen.chunk.n_rows());
            self.n_rows -= gone;
            self.n_dropped += gone;
        }
        for (_, bars) in &mut self.coarser {
            bars.begin_chunk();
        }
        self.t = t;
        self.columns.clear();
        self.stamps = None;
        Ok(true)
    }

    /// A corporate action restates the past of a symbol.
    ///
    /// # Errors
    /// As [`Lookback::move_to`].
    pub fn rescale(&mut self, now: i64, rescale: &Rescale) -> Result<()> {
        self.catch_up()?;
        self.rescales.push(now, rescale);
        self.coarser.iter_mut().for_each(|(_, bars)| bars.rescale(rescale));
        Ok(())
    }

    /// Brings coarser bars up to now.
    fn catch_up(&mut self) -> Result<()> {
        if let Some(seen) = self.chunks.back() {
            for (_, bars) in &mut self.coarser {
                bars.push(&seen.chunk, self.t + 1, &self.rescales)?;
            }
        }
        Ok(())
    }

    /// The chunk that the run has reached.
    #[must_use]
    pub fn chunk(&self) -> Option<&Arc<MarketChunk>> {
        self.chunks.back().map(|seen| &seen.chunk)
    }

    // --- windows of rows ----------------------------------------------------------------------

    /// The last `length` values of a column of a symbol up to now, oldest first; NaN is missing.
    /// Where corporate actions restate the past, in the units of now.
    ///
    /// # Errors
    /// `O308` when the symbol has fewer rows up to now; `R103` when older rows were let go.
    pub fn window(
        &mut self,
        asset: AssetId,
        column: PastColumn,
        length: usize,
    ) -> Result<ScalarBuffer<f64>> {
        let n_seen = self.reach_back(asset, length)?;
        let values = self.values(asset, column, n_seen, length);
        if self.rescales.are_none(asset) {
            return Ok(values);
        }
        let stamps = self.stamps(asset, n_seen, length);
        let restated = values.iter().zip(stamps.iter()).map(|(value, stamp)| {
            let factors = self.rescales.factors(asset, *stamp);
            let factor = match column {
                PastColumn::Row(of) => of.factor(factors),
                PastColumn::Running(i, _) => self.running[i].degrees().factor(factors),
            };
            value * factor
        });
        Ok(restated.collect())
    }

    /// The last `length` rows of a symbol up to now, as [`Lookback::window`].
    ///
    /// # Errors
    /// As [`Lookback::window`].
    pub fn rows(&mut self, asset: AssetId, length: usize) -> Result<PastRows> {
        let n_seen = self.reach_back(asset, length)?;
        let layout = Arc::clone(&self.terms().layout);
        let window = |(_, column)| self.window(asset, PastColumn::Row(column), length);
        let columns = layout.row_columns().map(window).collect::<Result<_>>()?;
        Ok(PastRows { timestamps: self.stamps(asset, n_seen, length), columns })
    }

    /// Makes sure that windows of `length` reach back far enough; how many rows of the present
    /// chunk the asset has up to now.
    fn reach_back(&mut self, asset: AssetId, length: usize) -> Result<usize> {
        let terms = self.terms.as_ref().expect("only the empty state before a run has none");
        let (n_symbols, rows_max) = (terms.symbols.len(), terms.rows_max);
        let Some(seen) = self.chunks.back_mut().filter(|_| rows_max > 0) else {
            return Err(self.too_short(asset, length, 0));
        };
        let end = seen.chunk.offsets[self.t + 1];
        let own = by_asset(seen, n_symbols).of(asset.index());
        let n_seen = own.partition_point(|row| *row < end);
        let missing = length.saturating_sub(n_seen);
        let n_earlier = self.n_earlier(asset, missing);
        if n_earlier < missing {
            return Err(self.too_short(asset, length, n_seen + n_earlier));
        }
        if missing > self.reach {
            // Chunks to come begin with as much, so that their first windows are slices too.
            self.reach = self.reach.max(length);
            self.columns.clear();
            self.stamps = None;
        }
        Ok(n_seen)
    }

    /// Rows of an asset in earlier chunks, counted up to `wanted`.
    fn n_earlier(&mut self, asset: AssetId, wanted: usize) -> usize {
        let n_symbols = self.terms().symbols.len();
        let mut have = 0;
        for seen in self.chunks.iter_mut().rev().skip(1) {
            if have >= wanted {
                break;
            }
            have += by_asset(seen, n_symbols).of(asset.index()).len();
        }
        have
    }

    fn values(
        &mut self,
        asset: AssetId,
        column: PastColumn,
        n_seen: usize,
        length: usize,
    ) -> ScalarBuffer<f64> {
        let known = self.columns.iter().position(|(of, _)| *of == column);
        let at = known.unwrap_or_else(|| {
            let of = |seen: &Seen, rows: &mut dyn FnMut(&[f64])| match column {
                PastColumn::Row(column) => rows(column.of(&seen.chunk)),
                PastColumn::Running(i, output) => rows(&seen.running[i][output].values),
            };
            let made = self.symbol_major(of);
            self.columns.push((column, made));
            self.columns.len() - 1
        });
        let found = self.columns[at].1.window(asset.index(), n_seen, length);
        found.expect("the reach was made sure of")
    }

    fn stamps(&mut self, asset: AssetId, n_seen: usize, length: usize) -> ScalarBuffer<i64> {
        if self.stamps.is_none() {
            let of = |seen: &Seen, rows: &mut dyn FnMut(&[i64])| {
                let chunk = &seen.chunk;
                let mut stamps = Vec::with_capacity(chunk.n_rows());
                for (stamp, ends) in chunk.timestamps.iter().zip(chunk.offsets.windows(2)) {
                    stamps.extend(std::iter::repeat_n(*stamp, (ends[1] - ends[0]) as usize));
                }
                rows(&stamps);
            };
            self.stamps = Some(self.symbol_major(of));
        }
        let stamps = self.stamps.as_ref().expect("made above");
        stamps.window(asset.index(), n_seen, length).expect("the reach was made sure of")
    }

    /// A column of the present chunk, symbol by symbol, with the last `reach` rows before it.
    fn symbol_major<T: arrow::datatypes::ArrowNativeType>(
        &mut self,
        of: impl Fn(&Seen, &mut dyn FnMut(&[T])),
    ) -> SymbolMajor<T> {
        let n_symbols = self.terms().symbols.len();
        let reach = self.reach;
        let mut earlier: Vec<Vec<T>> = vec![Vec::new(); n_symbols];
        if reach > 0 {
            for seen in self.chunks.iter_mut().rev().skip(1) {
                if earlier.iter().all(|values| values.len() >= reach) {
                    break;
                }
                by_asset(seen, n_symbols);
                let rows = seen.rows.as_ref().expect("made above");
                of(seen, &mut |column| {
                    for (asset, values) in earlier.iter_mut().enumerate() {
                        let left = reach - values.len().min(reach);
                        let newest_first = rows.of(asset).iter().rev().take(left);
                        values.extend(newest_first.map(|row| column[*row as usize]));
                    }
                });
            }
        }
        let seen = self.chunks.back_mut().expect("a window is only asked for with a chunk");
        by_asset(seen, n_symbols);
        let rows = seen.rows.as_ref().expect("made above");
        let mut made = None;
        of(seen, &mut |own| {
            made = Some(SymbolMajor::new(n_symbols, rows, own, |asset, out| {
                out.extend(earlier[asset].iter().rev());
            }));
        });
        made.expect("every column is there")
    }

    fn too_short(&self, asset: AssetId, wanted: usize, have: usize) -> Error {
        self.too_short_of("rows", asset, wanted, have)
    }

    fn too_short_of(&self, what: &str, asset: AssetId, wanted: usize, have: usize) -> Error {
        let terms = self.terms();
        let symbol = terms.symbols.name(asset);
        if self.n_dropped > 0 || terms.rows_max == 0 {
            let text = format!("history of {symbol}: {wanted} {what} asked, {have} still kept");
            return Error::new(ErrorKind::Resource, "R103", text)
                .with_hint("set history_rows on the strategy class to keep more rows of the past");
        }
        let text = format!("history of {symbol}: {wanted} {what} asked, {have} seen up to now");
        Error::order("O308", text).with_hint(format!("wait until enough {what} have passed"))
    }

    // --- coarser bars -------------------------------------------------------------------------

    /// The last `length` bars of a longer step of a symbol that are complete now: first open,
    /// highest high, lowest low, last close, sum of volumes, of other columns the last value.
    ///
    /// # Errors
    /// `O308` when there are fewer, `R103` when older rows were let go; `C301` for a step that
    /// sessions do not have; `D311` for a row outside the calendar's span.
    pub fn coarser(&mut self, asset: AssetId, step: Step, length: usize) -> Result<CoarserBars> {
        let known = self.coarser.iter().position(|(of, _)| *of == step);
        let at = known.map_or_else(|| self.begin_coarser(step), Ok)?;
        self.catch_up()?;
        let now = self.chunks.back().map_or(i64::MIN, |seen| seen.chunk.timestamps[self.t]);
        let bars = &self.coarser[at].1;
        let have = bars.n_complete(asset, now);
        if have < length {
            return Err(self.too_short_of(&format!("bars of {step}"), asset, length, have));
        }
        Ok(bars.last(asset, now, length))
    }

    /// Puts the rows of the chunks before the present one together; their place.
    fn begin_coarser(&mut self, step: Step) -> Result<usize> {
        let terms = self.terms();
        let windows = Windows::new(step, terms.clock.zone.clone(), terms.calendar.clone())?;
        // A date without a calendar keeps its midnight as stamp, but is a row of that date.
        let shift = i64::from(terms.clock.has_dates && terms.calendar.is_none());
        let mut bars = Coarser::new(windows, shift, &terms.layout, terms.symbols.len());
        if self.n_dropped > 0 {
            bars.leave_first_out();
        }
        let n_earlier = self.chunks.len().saturating_sub(1);
        for seen in self.chunks.iter().take(n_earlier) {
            bars.push(&seen.chunk, seen.chunk.timestamps.len(), &self.rescales)?;
            bars.begin_chunk();
        }
        self.coarser.push((step, bars));
        Ok(self.coarser.len() - 1)
    }

    // --- running indicators -------------------------------------------------------------------

    /// Adds an indicator with `source` in the place of the close, or finds it; its number.
    ///
    /// # Errors
    /// As [`RunningIndicator::new`]; `R103` when rows that it would begin with were let go.
    pub fn indicator(&mut self, spec: IndicatorSpec, source: RowColumn) -> Result<usize> {
        let terms = self.terms();
        let mut added = RunningIndicator::new(spec, source, &terms.layout)?;
        let is_price = matches!(source, RowColumn::Price(0..=3));
        if let Some(actions) = terms.actions.as_ref().filter(|_| is_price) {
            added = added.with_actions(actions, terms.symbols.len(), terms.calendar.clone());
        }
        if self.n_dropped > 0 {
            let text = format!("{} begins when rows of the past were let go", added.spec());
            return Err(
                Error::new(ErrorKind::Resource, "R103", text).with_hint("ask for it in on_start")
            );
        }
        for seen in &mut self.chunks {
            seen.running.push(added.push_chunk(&seen.chunk).into());
        }
        self.running.push(added);
        Ok(self.running.len() - 1)
    }

    /// The columns of an indicator for the rows of the present chunk, one an output; none before
    /// the first chunk.
    #[must_use]
    pub fn running(&self, indicator: usize) -> Option<Arc<[RunningColumn]>> {
        self.chunks.back().map(|seen| Arc::clone(&seen.running[indicator]))
    }
}

/// The rows of each asset, sorted when first asked for.
fn by_asset(seen: &mut Seen, n_symbols: usize) -> &ByAsset {
    let assets = &seen.chunk.assets;
    seen.rows.get_or_insert_with(|| ByAsset::new(assets, n_symbols))
}
