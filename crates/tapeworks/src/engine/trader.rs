//! The strategy's hands: orders, positions, cash, and the present.
//!
//! A [`Trader`] owns all state of a run and borrows nothing, so a language binding can move it into
//! its own object for the time of a callback.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::EngineConfig;
use super::log::{RunLog, States};
use super::present::{Present, RowMap, count_untradable};
use super::slice::Slice;
use super::terms::{Tracks, instruments, quote_columns, schedule};
use crate::base::{
    Actions, Adjustment, AssetId, Calendar, Date, Error, OrderId, Rescale, Result, Symbols,
    Timestamp,
};
use crate::broker::{
    Account, Broker, Conditions, ExitReason, FinalClose, LimitBook, OrderKind, OrderOrigin,
    OrderRow, PositionRule, PositionView, RuleBook, RuleSet,
};
use crate::feed::{ChunkSource, FeedClock, Layout, MarketChunk};

/// Rows a year that yearly volatilities of cost models are scaled with.
const PERIODS_PER_YEAR: f64 = 252.0;

/// Everything a run knows at the present moment, and the only way to act.
///
/// Ids are those of [`Trader::symbols`]; where a method gives no `Result`, an id of no symbol of
/// the run is a defect of the caller and panics.
#[derive(Debug, Clone, Default)]
pub struct Trader {
    pub(super) broker: Broker,
    pub(super) states: States,
    symbols: Arc<Symbols>,
    layout: Arc<Layout>,
    pub(super) chunk: Arc<MarketChunk>,
    /// Number of the present timestamp in the chunk.
    pub(super) t: usize,
    pub(super) rows: RowMap,
    pub(super) equity: f64,
    initial_cash: f64,
    /// Values visible at each order's decision row, [`Layout::n_values`] an order.
    decision_values: Vec<f64>,
    /// Values of each asset's last row before the present chunk.
    last_values: Vec<f64>,
    tags: Vec<Box<str>>,
    notes: Vec<String>,
    n_rows: u64,
    n_untradable_rows: u64,
    tracks: Tracks,
    /// Values of the row before the fill, for exits that waited for their level.
    exit_values: BTreeMap<u32, Box<[f64]>>,
    /// Fills looked at for them.
    fills_seen: usize,
    calendar: Option<Arc<Calendar>>,
    actions: Option<Arc<Actions>>,
    clock: FeedClock,
    /// What the prices are, where the feed says so.
    adjustment: Option<Adjustment>,
}

impl Trader {
    /// A trader at the start of a run.
    pub(super) fn new(
        config: &EngineConfig,
        symbols: Arc<Symbols>,
        layout: Arc<Layout>,
        actions: Option<&Actions>,
    ) -> Result<Self> {
        let n_assets = symbols.len();
        let conditions = Conditions {
            commission: config.commission.clone(),
            slippage: config.slippage.clone(),
            stop_slippage: config.stop_slippage,
            impact: config.impact.clone(),
            participation: config.participation,
            lots: config.lots,
            instruments: instruments(config, &symbols)?,
            semantics: config.semantics,
            terms: config.account,
            schedule: schedule(config, &symbols, actions)?,
            periods_per_year: PERIODS_PER_YEAR,
            quotes: quote_columns(config, &layout)?,
        };
        let adjustment = actions.map(|actions| actions.adjustment);
        let account = Account { cash: config.cash, ..Account::default() };
        let rules = RuleBook::new(RuleSet::among(&config.rules, &layout.columns())?, n_assets);
        let resolve = |symbol: &str| symbols.id(symbol);
        let limits = LimitBook::new(&config.limits, &resolve, config.cash)?;
        let tracks = Tracks::of(config, &conditions.schedule);
        let states =
            States { context: vec![Vec::new(); layout.context.len()], ..States::default() };
        Ok(Self {
            broker: Broker::new(conditions, account, rules, limits, n_assets),
            states,
            chunk: Arc::default(),
            rows: RowMap::new(n_assets),
            equity: config.cash,
            initial_cash: config.cash,
            last_values: vec![f64::NAN; n_assets * layout.n_values()],
            tags: vec!["".into()],
            symbols,
            layout,
            tracks,
            adjustment,
            ..Self::default()
        })
    }

    // --- what the strategy may set ------------------------------------------------------------

    /// Gives one symbol, or with `None` the run, these position rules from the next row on.
    ///
    /// # Errors
    /// `C310` when a fraction is out of range; `O102` when the asset is not of this run.
    pub fn set_rules(&mut self, asset: Option<AssetId>, rules: &[PositionRule]) -> Result<()> {
        asset.map_or(Ok(()), |asset| self.check_asset(asset))?;
        let set = RuleSet::among(rules, &self.layout.columns())?;
        self.broker.set_rules(asset, set);
        Ok(())
    }

    /// The number of a tag text, for [`OrderRequest::tag`](super::OrderRequest::tag).
    pub fn tag(&mut self, text: &str) -> u32 {
        let at = self.tags.iter().position(|tag| &**tag == text).unwrap_or_else(|| {
            self.tags.push(text.into());
            self.tags.len() - 1
        });
        u32::try_from(at).expect("fewer than 2^32 tags")
    }

    /// Keeps a note for the report; equal notes are kept once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    // --- what the strategy may know -----------------------------------------------------------

    /// The present (ns UTC); before the first timestamp, the nanosecond before it.
    #[must_use]
    pub fn timestamp(&self) -> i64 {
        self.broker.now()
    }

    /// The date of the present session: of the feed's calendar, or the UTC day.
    #[must_use]
    pub fn session_date(&self) -> Date {
        self.broker.session_date()
    }

    /// Cash.
    #[must_use]
    pub fn cash(&self) -> f64 {
        self.broker.account().cash
    }

    /// Cash, dividends that are not paid yet, and positions at the last marks.
    #[must_use]
    pub fn equity(&self) -> f64 {
        self.equity
    }

    /// Signed units held.
    #[must_use]
    #[inline]
    pub fn quantity(&self, asset: AssetId) -> f64 {
        self.broker.positions().quantity(asset)
    }

    /// The position of an asset, when there is one.
    #[must_use]
    pub fn position(&self, asset: AssetId) -> Option<PositionView> {
        self.broker.positions().view(asset)
    }

    /// Assets with a position, ascending.
    #[must_use]
    #[inline]
    pub fn held(&self) -> &[u32] {
        self.broker.positions().held()
    }

    /// The last close of an asset, NaN before its first row.
    #[must_use]
    #[inline]
    pub fn mark(&self, asset: AssetId) -> f64 {
        self.broker.positions().mark(asset)
    }

    /// Signed units of market orders that have not met a row yet.
    #[must_use]
    #[inline]
    pub fn on_its_way(&self, asset: AssetId) -> f64 {
        self.broker.live().market_rest(asset)
    }

    /// Orders that wait for their price, in submission order.
    #[must_use]
    pub fn open_orders(&self) -> Vec<OrderId> {
        self.broker.live().iter().map(|live| live.order).collect()
    }

    /// An order of this run.
    #[must_use]
    pub fn order(&self, order: OrderId) -> &OrderRow {
        &self.broker.ledger().orders[order.index()]
    }

    /// The text of an order's tag.
    #[must_use]
    pub fn tag_text(&self, tag: u32) -> &str {
        &self.tags[tag as usize]
    }

    /// Whether corporate actions restate the past that the strategy sees
    /// ([`Strategy::on_rescale`](super::Strategy::on_rescale)).
    #[must_use]
    pub fn rescales_past(&self) -> bool {
        self.adjustment.is_some_and(Adjustment::rescales)
    }

    /// How the past is to be restated at the present timestamp, in the order of the actions.
    pub fn rescales(&self) -> impl Iterator<Item = Rescale> + '_ {
        // A dividend leaves volumes alone.
        let is_shown = |rescale: &&Rescale| match self.adjustment {
            Some(Adjustment::Total) => true,
            Some(Adjustment::Split) => rescale.volume != 1.0,
            Some(Adjustment::None | Adjustment::Stated) | None => false,
        };
        self.broker.rescales().iter().filter(is_shown).copied()
    }

    /// The symbols of the run.
    #[must_use]
    pub fn symbols(&self) -> &Arc<Symbols> {
        &self.symbols
    }

    /// The columns that ride along.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The sessions of the market, where the feed names them.
    #[must_use]
    pub fn calendar(&self) -> Option<&Arc<Calendar>> {
        self.calendar.as_ref()
    }

    /// Corporate actions on the raw prices, where the feed has a table of them.
    #[must_use]
    pub fn actions(&self) -> Option<&Arc<Actions>> {
        self.actions.as_ref()
    }

    /// How the rows relate to dates.
    #[must_use]
    pub fn clock(&self) -> &FeedClock {
        &self.clock
    }

    // --- what the loop does -------------------------------------------------------------------

    /// Sets the clock to the last nanosecond before the data begins.
    pub(super) fn start(&mut self, first_timestamp: i64) {
        self.broker.start(first_timestamp.saturating_sub(1));
    }

    pub(super) fn load(&mut self, chunk: &Arc<MarketChunk>) {
        self.keep_last_values();
        self.chunk = Arc::clone(chunk);
        self.n_rows += chunk.n_rows() as u64;
        self.n_untradable_rows += count_untradable(chunk);
    }

    /// Moves to timestamp `t` of the chunk and lets everything fill that can.
    pub(super) fn advance(&mut self, t: usize) {
        self.t = t;
        self.rows.point_to(&self.chunk, t);
        let present = Present { chunk: &self.chunk, rows: &self.rows, t };
        self.broker.begin(self.chunk.timestamps[t], &present);
        self.broker.match_row(&present);
        self.broker.age(&present);
        self.move_marks();
        let present = Present { chunk: &self.chunk, rows: &self.rows, t };
        self.broker.settle(&present);
        self.remember_values();
        self.keep_values_of_stops();
    }

    /// After the callback: fills what the semantics fill in the row in which it was sent, and
    /// restates the portfolio of the timestamp.
    pub(super) fn finish(&mut self) {
        if !self.broker.conditions().semantics.fills_in_own_row() {
            return;
        }
        let present = Present { chunk: &self.chunk, rows: &self.rows, t: self.t };
        self.broker.match_after(&present);
        self.remember_values();
        self.unseal();
        self.seal();
    }

    /// The error of a user's model, or of an account that may not go on.
    pub(super) fn check_fault(&mut self) -> Result<()> {
        let Some((error, asset)) = self.broker.take_fault() else { return Ok(()) };
        let Some(asset) = asset else { return Err(error) };
        let at = Timestamp(self.broker.now());
        let text = format!("{at}, {}: {}", self.symbols.name(asset), error.message());
        let placed = Error::new(error.kind(), error.code(), text);
        Err(match error.hint() {
            Some(hint) => placed.with_hint(hint),
            None => placed,
        })
    }

    /// Appends the portfolio state of the present timestamp.
    pub(super) fn seal(&mut self) {
        let valuation = self.broker.positions().valuation();
        let account = *self.broker.account();
        self.equity = account.balance() + valuation.worth;
        let n_held = self.broker.positions().held().len();
        let (margin_used, buying_power) =
            if self.tracks.margin { self.broker.margin_state(self.equity) } else { (0.0, 0.0) };
        let states = &mut self.states;
        states.timestamp.push(self.chunk.timestamps[self.t]);
        states.equity.push(self.equity);
        states.cash.push(account.cash);
        states.positions_value.push(valuation.net);
        states.gross_exposure.push(valuation.gross);
        states.fees.push(account.fees);
        states.n_positions.push(u32::try_from(n_held).expect("fewer than 2^32 assets"));
        states.n_stale.push(self.broker.n_stale());
        for (column, values) in states.context.iter_mut().zip(&self.chunk.context) {
            column.push(values[self.t]);
        }
        for (column, is_tracked, value) in [
            (&mut states.unsettled, self.tracks.unsettled, account.unsettled),
            (&mut states.margin_used, self.tracks.margin, margin_used),
            (&mut states.buying_power, self.tracks.margin, buying_power),
            (&mut states.funding, self.tracks.funding, account.funding),
            (&mut states.borrow, self.tracks.borrow, account.borrow),
            (&mut states.interest, self.tracks.interest, account.interest),
            (&mut states.dividends, self.tracks.dividends, account.dividends),
            (&mut states.receivable, self.tracks.dividends, account.receivable),
            (&mut states.flows, self.tracks.flows, account.flows),
        ] {
            if is_tracked {
                column.push(value);
            }
        }
    }

    /// Takes the last portfolio state back.
    fn unseal(&mut self) {
        let states = &mut self.states;
        states.timestamp.pop();
        states.n_positions.pop();
        states.n_stale.pop();
        let columns = [
            &mut states.equity,
            &mut states.cash,
            &mut states.positions_value,
            &mut states.gross_exposure,
            &mut states.fees,
            &mut states.unsettled,
            &mut states.margin_used,
            &mut states.buying_power,
            &mut states.funding,
            &mut states.borrow,
            &mut states.interest,
            &mut states.dividends,
            &mut states.receivable,
            &mut states.flows,
        ];
        for column in columns.into_iter().chain(&mut states.context) {
            column.pop();
        }
    }

    /// Counts the sessions of a feed's market, and keeps what else is known of its rows.
    pub(super) fn follow(&mut self, feed: &dyn ChunkSource) {
        self.calendar = feed.calendar();
        self.broker.follow(self.calendar.clone());
        self.actions = feed.actions();
        self.clock = feed.clock();
    }

    pub(super) fn into_log(mut self) -> RunLog {
        self.note_stale_positions();
        if self.broker.conditions().semantics.final_close == FinalClose::Trade
            && !self.states.timestamp.is_empty()
        {
            let present = Present { chunk: &self.chunk, rows: &self.rows, t: self.t };
            self.broker.close_all_at_marks(&present);
            self.remember_values();
            self.unseal();
            self.seal();
        }
        self.broker.close_books();
        let instruments = self.broker.conditions().instruments.clone();
        let ledger = self.broker.into_ledger();
        RunLog {
            symbols: self.symbols,
            layout: self.layout,
            initial_cash: self.initial_cash,
            orders: ledger.orders,
            order_events: ledger.events,
            fills: ledger.fills,
            lots: ledger.lots,
            rejections: ledger.rejections,
            decision_values: self.decision_values,
            exit_values: self.exit_values,
            states: self.states,
            tags: self.tags,
            n_rows: self.n_rows,
            n_untradable_rows: self.n_untradable_rows,
            notes: self.notes,
            order_details: ledger.details,
            fill_costs: ledger.fill_costs,
            lot_costs: ledger.lot_costs,
            account_events: ledger.account_events,
            instruments,
            adjustment: self.adjustment,
            calendar: self.calendar,
        }
    }

    /// A position that nothing has priced for a while is worth a word: its symbol may be dead.
    fn note_stale_positions(&mut self) {
        for idx in 0..self.held().len() {
            let asset = AssetId(self.held()[idx]);
            if self.broker.is_stale(asset) {
                let last = Timestamp(self.broker.positions().detail(asset).last_row);
                let symbol = self.symbols.name(asset).to_owned();
                self.note(format!(
                    "{symbol}: no row since {last}; its position is kept at that day's close"
                ));
            }
        }
    }

    pub(super) fn check_asset(&self, asset: AssetId) -> Result<()> {
        let n_assets = self.symbols.len();
        if asset.index() < n_assets {
            return Ok(());
        }
        Err(Error::order("O102", format!("asset {} is not one of the run's {n_assets}", asset.0))
            .with_hint("take ids from the symbols of the run"))
    }

    /// The values that a decision on `asset` can see now.
    pub(super) fn push_present_values(&mut self, asset: AssetId) {
        let chunk = &self.chunk;
        if chunk.timestamps.is_empty() {
            // Before the first timestamp nothing is visible.
            let n_orders = self.broker.ledger().orders.len();
            self.decision_values.resize(n_orders * self.layout.n_values(), f64::NAN);
            return;
        }
        let row = self.rows.row_of(asset);
        let per_row = chunk.signals.iter().chain(&chunk.indicators);
        self.decision_values.extend(per_row.map(|column| row.map_or(f64::NAN, |row| column[row])));
        self.decision_values.extend(chunk.context.iter().map(|column| column[self.t]));
    }

    /// Closes move the marks; a row without a finite close leaves the mark where it was.
    fn move_marks(&mut self) {
        let slice = Slice::new(&self.chunk, self.t);
        let marks = self.broker.positions_mut().marks_mut();
        if slice.len() == marks.len() {
            for (mark, &close) in marks.iter_mut().zip(slice.close()) {
                *mark = if close.is_finite() { close } else { *mark };
            }
            return;
        }
        for (&asset, &close) in slice.assets().iter().zip(slice.close()) {
            if close.is_finite() {
                marks[asset as usize] = close;
            }
        }
    }

    /// Orders of position rules carry the values of the last row before their fill.
    fn remember_values(&mut self) {
        let n_values = self.layout.n_values();
        if n_values == 0 {
            return;
        }
        let n_known = self.decision_values.len() / n_values;
        for idx in n_known..self.broker.ledger().orders.len() {
            let row = &self.broker.ledger().orders[idx];
            debug_assert!(row.origin != OrderOrigin::Strategy, "these carry their own values");
            let asset = row.asset;
            if row.created == self.broker.now() {
                self.push_present_values(asset);
            } else if let Some((row, t)) = self.last_row(asset) {
                self.decision_values.extend(values_of(&self.chunk, row, t));
            } else {
                let from = asset.index() * n_values;
                self.decision_values.extend_from_slice(&self.last_values[from..from + n_values]);
            }
        }
    }

    /// An exit that waited for its level was decided by the row before the fill, not by the row in
    /// which it was sent.
    fn keep_values_of_stops(&mut self) {
        let n_values = self.layout.n_values();
        let n_fills = self.broker.ledger().fills.len();
        if n_values == 0 || self.fills_seen == n_fills {
            self.fills_seen = n_fills;
            return;
        }
        for idx in self.fills_seen..n_fills {
            let ledger = self.broker.ledger();
            let fill = &ledger.fills[idx];
            let row = &ledger.orders[fill.order.index()];
            let waits = !matches!(row.kind, OrderKind::Market | OrderKind::MarketOnClose);
            let is_exit =
                row.reduce_only && (!row.stop.is_nan() || row.reason != ExitReason::Signal);
            if !(waits && is_exit) || row.origin != OrderOrigin::Strategy {
                continue;
            }
            let (order, asset) = (fill.order, fill.asset);
            let values: Box<[f64]> = if let Some((row, t)) = self.last_row(asset) {
                values_of(&self.chunk, row, t).collect()
            } else {
                let last = asset.index() * n_values;
                self.last_values[last..last + n_values].into()
            };
            self.exit_values.entry(order.0).or_insert(values);
        }
        self.fills_seen = n_fills;
    }

    /// The row of an asset, and its timestamp's number, that came last before the present one in
    /// this chunk. Few orders ask, and the answer is nearly always one timestamp back.
    fn last_row(&self, asset: AssetId) -> Option<(usize, usize)> {
        (0..self.t).rev().find_map(|t| {
            let slice = Slice::new(&self.chunk, t);
            slice.row_of(asset).map(|row| (slice.rows().start + row, t))
        })
    }

    /// Copies the values of each asset's last row before its chunk goes.
    fn keep_last_values(&mut self) {
        let n_values = self.layout.n_values();
        if n_values == 0 {
            return;
        }
        let mut is_kept = vec![false; self.symbols.len()];
        let mut n_missing = is_kept.len();
        for t in (0..self.chunk.timestamps.len()).rev() {
            if n_missing == 0 {
                return;
            }
            let slice = Slice::new(&self.chunk, t);
            for (row, &asset) in slice.rows().zip(slice.assets()) {
                if std::mem::replace(&mut is_kept[asset as usize], true) {
                    continue;
                }
                n_missing -= 1;
                let from = asset as usize * n_values;
                let values = &mut self.last_values[from..from + n_values];
                for (value, now) in values.iter_mut().zip(values_of(&self.chunk, row, t)) {
                    *value = now;
                }
            }
        }
    }
}

/// Signals and indicators of a row, and the context of its timestamp, in the order of the layout.
fn values_of(chunk: &MarketChunk, row: usize, t: usize) -> impl Iterator<Item = f64> {
    let per_row = chunk.signals.iter().chain(&chunk.indicators);
    per_row.map(move |column| column[row]).chain(chunk.context.iter().map(move |column| column[t]))
}
