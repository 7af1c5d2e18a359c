//! The strategy's hands: orders, positions, cash, and the present.
//!
//! A [`Trader`] owns all state of a run and borrows nothing, so a language binding can move it into
//! its own object for the time of a callback.

use std::sync::Arc;

use super::config::EngineConfig;
use super::log::{RunLog, States};
use super::present::{Present, RowMap, count_untradable};
use super::request::{OrderRequest, Size};
use super::slice::Slice;
use crate::base::{AssetId, Error, OrderId, Result, Symbols, Timestamp};
use crate::broker::{
    Account, Broker, Conditions, Instruments, NewOrder, OrderKind, OrderOrigin, OrderRow,
    PositionRule, PositionView, RuleBook, RuleSet, Shortfall,
};
use crate::feed::{Layout, MarketChunk};

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
    chunk: Arc<MarketChunk>,
    /// Number of the present timestamp in the chunk.
    t: usize,
    rows: RowMap,
    equity: f64,
    initial_cash: f64,
    /// Values visible at each order's decision row, [`Layout::n_values`] an order.
    decision_values: Vec<f64>,
    /// Values of each asset's last row before the present chunk.
    last_values: Vec<f64>,
    tags: Vec<Box<str>>,
    notes: Vec<String>,
    n_rows: u64,
    n_untradable_rows: u64,
}

impl Trader {
    /// A trader at the start of a run.
    pub(super) fn new(
        config: &EngineConfig,
        symbols: Arc<Symbols>,
        layout: Arc<Layout>,
    ) -> Result<Self> {
        let n_assets = symbols.len();
        let conditions = Conditions {
            commission: config.commission.clone(),
            slippage: config.slippage.clone(),
            lots: config.lots,
            semantics: config.semantics,
            terms: config.account,
        };
        let account = Account { cash: config.cash, ..Account::default() };
        let columns = |name: &str| layout.column(name);
        let rules = RuleBook::new(RuleSet::new(&config.rules, &columns)?, n_assets);
        let states =
            States { context: vec![Vec::new(); layout.context.len()], ..States::default() };
        Ok(Self {
            broker: Broker::new(conditions, account, rules, n_assets),
            states,
            chunk: Arc::default(),
            rows: RowMap::new(n_assets),
            equity: config.cash,
            initial_cash: config.cash,
            last_values: vec![f64::NAN; n_assets * layout.n_values()],
            tags: vec!["".into()],
            symbols,
            layout,
            ..Self::default()
        })
    }

    // --- what the strategy may do -------------------------------------------------------------

    /// Sends an order; it is first tested against the next row of its symbol.
    ///
    /// A refused order gets an id and a row in the rejections as well. `Percent` and `Value` sizes
    /// fill as far as cash goes; `Quantity` fills whole or not at all.
    ///
    /// # Errors
    /// `O101` when both a limit and a stop are given; `O102` when the asset is not of this run.
    pub fn submit(&mut self, request: &OrderRequest) -> Result<OrderId> {
        self.check_asset(request.asset)?;
        let (kind, limit, stop) = match (request.limit, request.stop) {
            (None, None) => (OrderKind::Market, f64::NAN, f64::NAN),
            (Some(limit), None) => (OrderKind::Limit, limit, f64::NAN),
            (None, Some(stop)) => (OrderKind::Stop, f64::NAN, stop),
            (Some(_), Some(_)) => {
                return Err(Error::order(
                    "O101",
                    format!(
                        "{}: an order has a limit or a stop, not both",
                        self.symbols.name(request.asset)
                    ),
                )
                .with_hint("send a stop order, and a limit order once it has filled"));
            }
        };
        let mark = self.mark(request.asset);
        let (quantity, shortfall) = match request.size {
            Size::Quantity(units) => (units, Shortfall::Reject),
            Size::Percent(fraction) => (fraction * self.equity / mark, Shortfall::Partial),
            Size::Value(currency) => (currency / mark, Shortfall::Partial),
        };
        Ok(self.send(&NewOrder {
            asset: request.asset,
            quantity,
            kind,
            limit,
            stop,
            reduce_only: request.reduce_only,
            shortfall,
            tag: request.tag,
        }))
    }

    /// Ends a live order; false when it has already ended.
    pub fn cancel(&mut self, order: OrderId) -> bool {
        order.index() < self.broker.ledger().orders.len() && self.broker.cancel(order)
    }

    /// Closes a fraction (0 to 1] of a position at the next open. Without a position the order is
    /// refused as `position_missing`; a fraction of 0 or less closes nothing and is refused as
    /// `quantity_zero`, NaN as `quantity_not_finite`.
    pub fn close(&mut self, asset: AssetId, fraction: f64) -> OrderId {
        let quantity = -self.quantity(asset) * fraction.clamp(0.0, 1.0);
        // Without a position there is no side; the refused row asks for a sale of nothing.
        self.send_market(asset, quantity, true, Shortfall::Reject)
    }

    /// Closes every position at the next open.
    pub fn close_all(&mut self) {
        for idx in 0..self.held().len() {
            self.close(AssetId(self.held()[idx]), 1.0);
        }
    }

    /// Sends what is missing to hold `units`, counting live market orders as done.
    pub fn target_quantity(&mut self, asset: AssetId, units: f64) -> Option<OrderId> {
        let lots = self.broker.conditions().lots;
        let on_its_way = self.broker.live().market_rest(asset);
        let quantity = lots.round(units) - self.quantity(asset) - on_its_way;
        if lots.round(quantity) == 0.0 && quantity.is_finite() {
            return None;
        }
        Some(self.send_market(asset, quantity, false, Shortfall::Partial))
    }

    /// Sends what is missing to hold `fraction` of equity, in whole lots of the target at the last
    /// close. Differences under one cent of currency send nothing.
    pub fn target_percent(&mut self, asset: AssetId, fraction: f64) -> Option<OrderId> {
        self.target_value(asset, fraction * self.equity)
    }

    /// Sends what is missing to hold `currency` worth, as [`Trader::target_percent`] does.
    pub fn target_value(&mut self, asset: AssetId, currency: f64) -> Option<OrderId> {
        let mark = self.mark(asset);
        let units_due = self.quantity(asset) + self.on_its_way(asset);
        if (currency - units_due * mark).abs() < 0.01 {
            return None;
        }
        // Nothing of a symbol that has no price yet is nothing.
        let units = if currency == 0.0 { 0.0 } else { currency / mark };
        self.target_quantity(asset, units)
    }

    /// Moves the whole portfolio to `weights` (fractions of equity): symbols that are absent go to
    /// zero, whether held or on their way by a live market order; reducing orders are sent before
    /// opening ones, each in asset order.
    pub fn rebalance(&mut self, weights: &[(AssetId, f64)]) {
        let mut targets: Vec<(AssetId, f64)> =
            self.held().iter().map(|&asset| (AssetId(asset), 0.0)).collect();
        for live in self.broker.live().iter().filter(|live| live.terms.kind == OrderKind::Market) {
            if let Err(at) = targets.binary_search_by_key(&live.asset, |target| target.0) {
                targets.insert(at, (live.asset, 0.0));
            }
        }
        for &(asset, weight) in weights {
            match targets.binary_search_by_key(&asset, |target| target.0) {
                Ok(at) => targets[at].1 = weight,
                Err(at) => targets.insert(at, (asset, weight)),
            }
        }
        let equity = self.equity;
        let reduces = |trader: &Self, asset: AssetId, weight: f64| {
            let units_due = trader.quantity(asset) + trader.on_its_way(asset);
            weight * equity < units_due * trader.mark(asset)
        };
        let before: Vec<bool> =
            targets.iter().map(|&(asset, weight)| reduces(self, asset, weight)).collect();
        for pass in [true, false] {
            for (&(asset, weight), &is_reduce) in targets.iter().zip(&before) {
                if is_reduce == pass {
                    self.target_value(asset, weight * equity);
                }
            }
        }
    }

    /// Gives one symbol, or with `None` the run, these position rules from the next row on.
    ///
    /// # Errors
    /// `C310` when a fraction is out of range; `O102` when the asset is not of this run.
    pub fn set_rules(&mut self, asset: Option<AssetId>, rules: &[PositionRule]) -> Result<()> {
        asset.map_or(Ok(()), |asset| self.check_asset(asset))?;
        let set = RuleSet::new(rules, &|name| self.layout.column(name))?;
        self.broker.set_rules(asset, set);
        Ok(())
    }

    /// The number of a tag text, for [`OrderRequest::tag`].
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

    /// Cash.
    #[must_use]
    pub fn cash(&self) -> f64 {
        self.broker.account().cash
    }

    /// Cash plus positions at the last marks.
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

    // --- what the loop does -------------------------------------------------------------------

    /// Sets the clock to the last nanosecond before the data begins.
    pub(super) fn start(&mut self, first_timestamp: i64) {
        self.broker.begin(first_timestamp.saturating_sub(1));
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
        self.broker.begin(self.chunk.timestamps[t]);
        let present = Present { chunk: &self.chunk, rows: &self.rows, t };
        self.broker.open_phase(&present);
        self.broker.inside_phase(&present);
        self.broker.mark_phase(&present);
        self.move_marks();
        self.remember_values();
    }

    /// Appends the portfolio state of the present timestamp.
    pub(super) fn seal(&mut self) {
        let valuation = self.broker.positions().valuation();
        let account = self.broker.account();
        self.equity = account.cash + valuation.net;
        let states = &mut self.states;
        states.timestamp.push(self.chunk.timestamps[self.t]);
        states.equity.push(self.equity);
        states.cash.push(account.cash);
        states.positions_value.push(valuation.net);
        states.gross_exposure.push(valuation.gross);
        states.fees.push(account.fees);
        let n_held = self.broker.positions().held().len();
        states.n_positions.push(u32::try_from(n_held).expect("fewer than 2^32 assets"));
        states.n_stale.push(self.broker.n_stale());
        for (column, values) in states.context.iter_mut().zip(&self.chunk.context) {
            column.push(values[self.t]);
        }
    }

    pub(super) fn into_log(mut self) -> RunLog {
        self.note_stale_positions();
        self.broker.close_books();
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
            states: self.states,
            tags: self.tags,
            n_rows: self.n_rows,
            n_untradable_rows: self.n_untradable_rows,
            notes: self.notes,
            order_details: ledger.details,
            fill_costs: ledger.fill_costs,
            lot_costs: ledger.lot_costs,
            account_events: ledger.account_events,
            instruments: Instruments::default(),
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

    fn check_asset(&self, asset: AssetId) -> Result<()> {
        let n_assets = self.symbols.len();
        if asset.index() < n_assets {
            return Ok(());
        }
        Err(Error::order("O102", format!("asset {} is not one of the run's {n_assets}", asset.0))
            .with_hint("take ids from the symbols of the run"))
    }

    fn send_market(
        &mut self,
        asset: AssetId,
        quantity: f64,
        reduce_only: bool,
        shortfall: Shortfall,
    ) -> OrderId {
        self.send(&NewOrder {
            asset,
            quantity,
            kind: OrderKind::Market,
            limit: f64::NAN,
            stop: f64::NAN,
            reduce_only,
            shortfall,
            tag: 0,
        })
    }

    fn send(&mut self, new: &NewOrder) -> OrderId {
        let order = self.broker.submit(new);
        if self.layout.n_values() > 0 {
            self.push_present_values(new.asset);
        }
        order
    }

    /// The values that a decision on `asset` can see now.
    fn push_present_values(&mut self, asset: AssetId) {
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
            debug_assert!(row.origin == OrderOrigin::PositionRule, "others carry their own values");
            let asset = row.asset;
            if let Some((row, t)) = self.last_row(asset) {
                self.decision_values.extend(values_of(&self.chunk, row, t));
            } else {
                let from = asset.index() * n_values;
                self.decision_values.extend_from_slice(&self.last_values[from..from + n_values]);
            }
        }
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
