//! What is particular to an instrument: steps, sizes, contract terms, margins.

use crate::base::AssetId;

/// The terms of one instrument. The default is a share of stock without particulars.
///
/// Units: prices and amounts in account currency, rates as fractions a year, margins as fractions
/// of notional or currency a contract. NaN means "none" or "as the account says".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instrument {
    /// Quantity step; NaN: the run's [`Lots`](super::Lots).
    pub lot: f64,
    /// Price step; NaN: none.
    pub tick: f64,
    /// Units of account currency per unit of price.
    pub multiplier: f64,
    /// Least value of an opening trade.
    pub min_notional: f64,
    /// Largest quantity of an order.
    pub max_quantity: f64,
    /// Whether a short position may be opened.
    pub is_shortable: bool,
    /// Whether gains are settled in cash each row (a future) in place of a value held.
    pub is_future: bool,
    /// Whether a volume of 0 means "no trade"; false for instruments that have no volume.
    pub has_volume: bool,
    /// Whether prices may be 0 or negative.
    pub allows_negative_prices: bool,
    /// What must be held to open.
    pub initial_margin: Margin,
    /// What must be held to keep a position.
    pub maintenance_margin: Margin,
    /// Yearly cost of borrowing, on short positions; NaN: the account's.
    pub borrow_rate: f64,
    /// Full bid-ask spread in currency, for [`Slippage::Spread`](super::Slippage); NaN: the
    /// model's.
    pub spread: f64,
}

/// The margin of one unit of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Margin {
    /// As the account says.
    #[default]
    Account,
    /// A fraction of the position's value.
    Fraction(f64),
    /// Currency a contract.
    PerContract(f64),
}

/// The instruments of a run.
#[derive(Debug, Clone, Default)]
pub struct Instruments {
    default: Instrument,
    /// By asset; empty when all are the default.
    by_asset: Vec<Instrument>,
}

impl Default for Instrument {
    fn default() -> Self {
        Self {
            lot: f64::NAN,
            tick: f64::NAN,
            multiplier: 1.0,
            min_notional: 0.0,
            max_quantity: f64::INFINITY,
            is_shortable: true,
            is_future: false,
            has_volume: true,
            allows_negative_prices: false,
            initial_margin: Margin::Account,
            maintenance_margin: Margin::Account,
            borrow_rate: f64::NAN,
            spread: f64::NAN,
        }
    }
}

impl Instruments {
    /// Every asset follows `default`, but for those that `particular` names.
    #[must_use]
    pub fn new(default: Instrument, particular: &[(AssetId, Instrument)], n_assets: usize) -> Self {
        if particular.is_empty() {
            return Self { default, by_asset: Vec::new() };
        }
        let mut by_asset = vec![default; n_assets];
        for &(asset, instrument) in particular {
            by_asset[asset.index()] = instrument;
        }
        Self { default, by_asset }
    }

    /// The terms of an asset.
    #[must_use]
    #[inline]
    pub fn of(&self, asset: AssetId) -> &Instrument {
        self.by_asset.get(asset.index()).unwrap_or(&self.default)
    }

    /// Whether every instrument has the multiplier 1 and is not a future, so that a position's
    /// value is quantity x price.
    #[must_use]
    pub fn are_plain(&self) -> bool {
        let is_plain = |i: &Instrument| i.multiplier == 1.0 && !i.is_future;
        is_plain(&self.default) && self.by_asset.iter().all(is_plain)
    }
}
