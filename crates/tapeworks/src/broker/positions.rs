//! Positions as arrays over assets, and what a fill does to one.

use super::codes::FillFlags;
use super::instrument::Instruments;
use crate::base::AssetId;

/// Positions of all assets: the columns the loop touches each row lie apart from the rest.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    quantity: Vec<f64>,
    mark: Vec<f64>,
    details: Vec<PositionDetail>,
    /// Assets with a position, ascending: sums run in this order.
    held: Vec<u32>,
    /// Contract multipliers by asset; empty when all are 1.
    multiplier: Vec<f64>,
    /// The price to which a future was last settled, by asset; 0 for what is not a future, empty
    /// when there are none.
    settled: Vec<f64>,
    is_future: Vec<bool>,
}

/// Sessions without a row after which a position counts as stale: its mark is then an old price.
pub const STALE_AFTER_SESSIONS: u32 = 5;

/// What the loop needs of a position only when something happens to it.
#[derive(Debug, Clone, Copy)]
pub struct PositionDetail {
    /// Average price of the units held.
    pub entry_price: f64,
    /// Opening commissions not yet assigned to closed units.
    pub fees_in: f64,
    /// Opening price costs (stop slippage, impact, slippage) not yet assigned to closed units.
    pub slippage_in: f64,
    /// The impact among them.
    pub impact_in: f64,
    /// Funding paid and not yet assigned to closed units.
    pub funding_in: f64,
    /// Borrowing costs paid and not yet assigned to closed units.
    pub borrow_in: f64,
    /// Best price seen for this side; also the water mark of a trail.
    pub best: f64,
    /// Worst price seen for this side.
    pub worst: f64,
    /// Stop-loss level at the first entry, NaN without one.
    pub stop_level: f64,
    /// Take-profit level at the first entry, NaN without one.
    pub target_level: f64,
    /// Time of the opening fill.
    pub entry_timestamp: i64,
    /// Time of the last row seen while held.
    pub last_row: i64,
    /// The opening fill.
    pub entry_fill: u32,
    /// Number of the session of the last row seen while held.
    pub last_session: u32,
    /// Own tradable rows that ended after the entry row.
    pub bars_held: u32,
    /// Rows after the entry until `best`.
    pub bars_to_best: u32,
    /// Rows after the entry until `worst`.
    pub bars_to_worst: u32,
    /// What the last row showed (adverse, favourable) and excursions do not count before the
    /// position has outlived it; NaN: nothing.
    pub pending: (f64, f64),
    /// Facts of any fill of this position.
    pub flags: FillFlags,
    /// How the position was entered.
    pub entry: Enlargement,
    /// The last fill that entered the position or added to it: the levels of rules date from it.
    pub last: Enlargement,
}

/// A fill that entered a position or added to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Enlargement {
    /// When.
    pub timestamp: i64,
    /// At which price before costs.
    pub base: f64,
    /// Where in its row.
    pub how: Entry,
}

/// How a position was entered; it decides what of the entry row may act on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry {
    /// At the open: all of the row came later.
    Open,
    /// A limit touched on the way down (long): what is beyond it came later.
    Limit,
    /// A stop touched on the way up (long).
    Stop,
    /// At the close: nothing of the row came later.
    Close,
}

/// A position as the strategy sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionView {
    /// The asset.
    pub asset: AssetId,
    /// Signed units.
    pub quantity: f64,
    /// Average price of the units held.
    pub entry_price: f64,
    /// Last mark.
    pub mark: f64,
    /// Quantity x mark x multiplier.
    pub value: f64,
    /// Gain or loss of the held units at the mark, before the costs of closing.
    pub unrealised: f64,
    /// Time of the opening fill (ns UTC).
    pub entry_timestamp: i64,
    /// Own tradable rows that ended after the entry row.
    pub bars_held: u32,
}

/// Value and exposure of all positions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Valuation {
    /// Sum of quantity x mark x multiplier.
    pub net: f64,
    /// Sum of its absolute terms.
    pub gross: f64,
    /// What the positions add to the cash to make equity: `net`, but of futures only what is not
    /// settled yet.
    pub worth: f64,
}

/// What rounding may leave of sums and differences of quantities of this size: it counts as
/// nothing.
#[must_use]
#[inline]
pub(crate) fn dust(scale: f64) -> f64 {
    (16.0 * f64::EPSILON * scale.abs()).max(1e-12)
}

/// Whether `wanted` units are more than the `held` ones, rounding aside: 0.7 and 0.1 units bought
/// are 0.7999999999999999, and a sale of 0.8 closes them.
#[must_use]
#[inline]
pub(super) fn exceeds(wanted: f64, held: f64) -> bool {
    wanted - held > dust(held)
}

impl Default for PositionDetail {
    fn default() -> Self {
        Self {
            entry_price: f64::NAN,
            fees_in: 0.0,
            slippage_in: 0.0,
            impact_in: 0.0,
            funding_in: 0.0,
            borrow_in: 0.0,
            best: f64::NAN,
            worst: f64::NAN,
            stop_level: f64::NAN,
            target_level: f64::NAN,
            entry_timestamp: i64::MIN,
            last_row: i64::MIN,
            last_session: 0,
            entry_fill: 0,
            bars_held: 0,
            bars_to_best: 0,
            bars_to_worst: 0,
            pending: (f64::NAN, f64::NAN),
            flags: FillFlags::default(),
            entry: Enlargement::NEVER,
            last: Enlargement::NEVER,
        }
    }
}

impl Enlargement {
    pub(super) const NEVER: Self = Self { timestamp: i64::MIN, base: f64::NAN, how: Entry::Open };
}

impl Positions {
    /// No positions in any of `n_assets` assets.
    #[must_use]
    pub fn new(n_assets: usize) -> Self {
        Self {
            quantity: vec![0.0; n_assets],
            mark: vec![f64::NAN; n_assets],
            details: vec![PositionDetail::default(); n_assets],
            held: Vec::with_capacity(n_assets),
            ..Self::default()
        }
    }

    /// The same positions over instruments with terms of their own.
    #[must_use]
    pub fn with_instruments(mut self, instruments: &Instruments) -> Self {
        if !instruments.are_plain() {
            let n_assets = self.quantity.len();
            let assets = || {
                (0..n_assets).map(|asset| {
                    instruments.of(AssetId(u32::try_from(asset).expect("fewer than 2^32 assets")))
                })
            };
            self.multiplier = assets().map(|instrument| instrument.multiplier).collect();
            self.is_future = assets().map(|instrument| instrument.is_future).collect();
            self.settled = vec![0.0; n_assets];
        }
        self
    }

    /// How many assets there are.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.quantity.len()
    }

    /// Units of account currency per unit of price.
    #[must_use]
    #[inline]
    pub fn multiplier(&self, asset: AssetId) -> f64 {
        self.multiplier.get(asset.index()).copied().unwrap_or(1.0)
    }

    /// Whether gains of an asset are settled in cash.
    #[must_use]
    #[inline]
    pub fn is_future(&self, asset: AssetId) -> bool {
        self.is_future.get(asset.index()).copied().unwrap_or(false)
    }

    /// The price to which a future was last settled, 0 for anything else.
    #[must_use]
    #[inline]
    pub fn settled(&self, asset: AssetId) -> f64 {
        self.settled.get(asset.index()).copied().unwrap_or(0.0)
    }

    /// Settles a future to a price: the currency that comes in.
    pub fn settle(&mut self, asset: AssetId, price: f64) -> f64 {
        let last = std::mem::replace(&mut self.settled[asset.index()], price);
        let quantity = self.quantity(asset);
        if quantity == 0.0 { 0.0 } else { quantity * self.multiplier(asset) * (price - last) }
    }

    /// What `quantity` units at `price` add to the cash to make equity.
    #[must_use]
    #[inline]
    pub fn worth_at(&self, asset: AssetId, quantity: f64, price: f64) -> f64 {
        quantity * self.multiplier(asset) * (price - self.settled(asset))
    }

    /// Signed units held.
    #[must_use]
    #[inline]
    pub fn quantity(&self, asset: AssetId) -> f64 {
        self.quantity[asset.index()]
    }

    /// Last finite close, NaN before the first one.
    #[must_use]
    #[inline]
    pub fn mark(&self, asset: AssetId) -> f64 {
        self.mark[asset.index()]
    }

    /// The marks of all assets, to be moved by the loop once a timestamp.
    #[inline]
    pub fn marks_mut(&mut self) -> &mut [f64] {
        &mut self.mark
    }

    /// The rest of a position.
    #[must_use]
    #[inline]
    pub fn detail(&self, asset: AssetId) -> &PositionDetail {
        &self.details[asset.index()]
    }

    /// The rest of a position, to be changed.
    #[inline]
    pub fn detail_mut(&mut self, asset: AssetId) -> &mut PositionDetail {
        &mut self.details[asset.index()]
    }

    /// Assets with a position, ascending.
    #[must_use]
    #[inline]
    pub fn held(&self) -> &[u32] {
        &self.held
    }

    /// The position of an asset, when there is one.
    #[must_use]
    pub fn view(&self, asset: AssetId) -> Option<PositionView> {
        let quantity = self.quantity(asset);
        if quantity == 0.0 {
            return None;
        }
        let mark = self.mark(asset);
        let detail = self.detail(asset);
        let multiplier = self.multiplier(asset);
        Some(PositionView {
            asset,
            quantity,
            entry_price: detail.entry_price,
            mark,
            value: quantity * mark * multiplier,
            unrealised: (mark * quantity - detail.entry_price * quantity) * multiplier,
            entry_timestamp: detail.entry_timestamp,
            bars_held: detail.bars_held,
        })
    }

    /// Value and exposure at the marks, summed in asset order.
    #[must_use]
    #[inline]
    pub fn valuation(&self) -> Valuation {
        // Two plain sums stay in registers.
        let (mut net, mut gross) = (0.0, 0.0);
        if self.multiplier.is_empty() {
            for &asset in &self.held {
                let value = self.quantity[asset as usize] * self.mark[asset as usize];
                net += value;
                gross += f64::abs(value);
            }
            return Valuation { net, gross, worth: net };
        }
        let mut worth = 0.0;
        for &asset in &self.held {
            let asset = AssetId(asset);
            let (quantity, mark) = (self.quantity(asset), self.mark(asset));
            let value = quantity * mark * self.multiplier(asset);
            net += value;
            gross += f64::abs(value);
            worth += self.worth_at(asset, quantity, mark);
        }
        Valuation { net, gross, worth }
    }

    /// Sets the units held; what rounding leaves of a closed position counts as nothing.
    pub fn set_quantity(&mut self, asset: AssetId, quantity: f64, scale: f64) {
        let was_held = self.quantity[asset.index()] != 0.0;
        let is_rest = was_held && quantity.abs() <= dust(scale);
        let quantity = if is_rest { 0.0 } else { quantity };
        self.quantity[asset.index()] = quantity;
        match (was_held, quantity != 0.0) {
            (false, true) => {
                let at = self.held.partition_point(|&held| held < asset.0);
                self.held.insert(at, asset.0);
            }
            (true, false) => {
                let at = self.held.partition_point(|&held| held < asset.0);
                self.held.remove(at);
                self.details[asset.index()] = PositionDetail::default();
            }
            _ => {}
        }
    }
}

impl PositionDetail {
    /// Notes that the asset has a row at `now`, in the run's session number `session`.
    #[inline]
    pub fn push_sighting(&mut self, now: i64, session: u32) {
        self.last_row = now;
        self.last_session = session;
    }

    /// Whether more than `STALE_AFTER_SESSIONS` sessions have passed since the last row.
    #[must_use]
    #[inline]
    pub fn is_stale(&self, session: u32) -> bool {
        session - self.last_session > STALE_AFTER_SESSIONS
    }

    /// Takes in what the last row showed, where the exit row is left out of excursions.
    pub fn take_pending(&mut self, side: f64) {
        let (adverse, favourable) = std::mem::replace(&mut self.pending, (f64::NAN, f64::NAN));
        // Comparisons with NaN are false.
        self.push_favourable(side, favourable, self.bars_held);
        self.push_adverse(side, adverse, self.bars_held);
    }

    /// Takes in a price that was good for the side held: `side * price` rose.
    #[inline]
    pub fn push_favourable(&mut self, side: f64, price: f64, bars: u32) {
        if side * price > side * self.best {
            self.best = price;
            self.bars_to_best = bars;
        }
    }

    /// Takes in a price that was bad for the side held.
    #[inline]
    pub fn push_adverse(&mut self, side: f64, price: f64, bars: u32) {
        if side * price < side * self.worst {
            self.worst = price;
            self.bars_to_worst = bars;
        }
    }
}
