//! The symbols with the highest signal, held until the next rebalance.

use super::is_true;
use super::rebalance::{Rebalance, RebalanceClock};
use crate::base::{AssetId, Error, Rescale, Result};
use crate::engine::expression::RowProgram;
use crate::engine::{Slice, Strategy, Trader};
use crate::feed::Layout;

/// Holds the `n` symbols with the highest signal.
///
/// **Decides** at the timestamps of its [`Rebalance`] cycle, on values of that timestamp; the
/// market orders fill at each symbol's next open.
///
/// **Candidates** are the rows of the deciding timestamp with a signal that is not missing, a close
/// that is finite and above 0, and a true `condition` where there is one. A condition on context
/// alone is the same for every row: while it is false there are no candidates, and everything held
/// is closed at that rebalance. Between rebalances nothing is sent.
///
/// **Ranking**: highest signal first, equal signals by symbol id. With `long_short` the `n` lowest
/// of the rest, equal signals by symbol id, are sold short; a cash account rejects those orders.
///
/// **Size**: the target of a symbol is weight x equity / close in whole lots, rounded toward zero;
/// every other held symbol goes to 0. Sales are sent before purchases, each in order of symbol ids.
/// The order of a held symbol without a row waits for its next one. An order that still waits for a
/// symbol that is neither held nor chosen any more is cancelled.
///
/// Missing: rows that are not candidates count as not there.
#[derive(Debug, Clone, PartialEq)]
pub struct TopN {
    /// A column or an expression.
    pub signal: String,
    /// How many symbols a side.
    pub n: usize,
    /// When to decide.
    pub rebalance: Rebalance,
    /// How equity is shared out.
    pub weighting: Weighting,
    /// Whether the lowest signals are sold short.
    pub long_short: bool,
    /// Larger weights are cut to this; what is cut stays in cash.
    pub max_weight: Option<f64>,
    /// An expression that a row must satisfy to be a candidate (`where` in configs).
    pub condition: Option<String>,
}

/// The weight of a chosen symbol, as a fraction of equity. Short positions have it negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weighting {
    /// 1/n; with fewer than n candidates the rest stays in cash.
    Equal,
    /// This fraction each.
    Fixed(f64),
    /// Its share of the sum of absolute signals of its side. A long position needs a signal above
    /// 0, a short one a signal below 0; others are left out.
    Signal,
    /// Its share of the sum of 1/volatility of its side; volatility is the sample standard
    /// deviation of its last returns. Symbols without one, or with 0, are no candidates.
    InverseVol {
        /// Returns that the volatility is taken from, in rows of the symbol.
        window: usize,
    },
}

impl Weighting {
    /// Reads `"equal"`, `"signal"`, `"inverse_vol"` (20 returns) or `"inverse_vol:60"`.
    ///
    /// # Errors
    /// `C312` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "equal" => return Ok(Self::Equal),
            None if text == "signal" => return Ok(Self::Signal),
            None if text == "inverse_vol" => return Ok(Self::InverseVol { window: 20 }),
            Some(("inverse_vol", digits)) => {
                if let Ok(window) = digits.parse() {
                    return Ok(Self::InverseVol { window });
                }
            }
            _ => {}
        }
        Err(Error::config("C312", format!("weight {text:?} is no weighting"))
            .with_hint("write equal, signal, inverse_vol, inverse_vol:60 or a fraction like 0.02"))
    }
}

impl TopN {
    /// The top `n` of a signal, weighted equally, decided each day.
    #[must_use]
    pub fn new(signal: impl Into<String>, n: usize) -> Self {
        Self {
            signal: signal.into(),
            n,
            rebalance: Rebalance::Days { every: 1, phase: 0 },
            weighting: Weighting::Equal,
            long_short: false,
            max_weight: None,
            condition: None,
        }
    }

    /// The strategy, bound to the columns of a feed.
    ///
    /// # Errors
    /// `C312` for figures out of range; what is wrong with the expressions.
    pub fn build(&self, layout: &Layout) -> Result<Box<dyn Strategy>> {
        let refuse = |what: String| Err(Error::config("C312", format!("top_n: {what}")));
        let is_fraction = |value: f64| value.is_finite() && value > 0.0;
        if self.n == 0 {
            return refuse("n is 0, wanted at least 1".into());
        }
        if let Rebalance::Days { every, phase } = self.rebalance
            && phase >= every
        {
            return refuse(format!("phase {phase} is not a day of a cycle of {every}"));
        }
        if self.rebalance == (Rebalance::Weeks { every: 0 }) {
            return refuse("a cycle of 0 weeks".into());
        }
        if let Some(cap) = self.max_weight
            && !is_fraction(cap)
        {
            return refuse(format!("max_weight is {cap}, wanted a fraction above 0"));
        }
        let volatility = match self.weighting {
            Weighting::Fixed(weight) if !is_fraction(weight) => {
                return refuse(format!("weight is {weight}, wanted a fraction above 0"));
            }
            Weighting::InverseVol { window } if window < 2 => {
                return refuse(format!("a volatility of {window} returns, wanted at least 2"));
            }
            Weighting::InverseVol { window } => {
                Some(RowProgram::new(&format!("ts_std(ts_returns(close), {window})"), layout)?)
            }
            _ => None,
        };
        let condition =
            self.condition.as_deref().map(|text| RowProgram::new(text, layout)).transpose()?;
        Ok(Box::new(Ranking {
            rule: self.clone(),
            clock: RebalanceClock::new(self.rebalance),
            signal: Lane::new(RowProgram::new(&self.signal, layout)?),
            condition: condition.map(Lane::new),
            volatility: volatility.map(Lane::new),
            candidates: Vec::new(),
            side: Vec::new(),
            keys: Vec::new(),
            weights: Vec::new(),
        }))
    }
}

/// An expression and its values at the present timestamp.
#[derive(Debug)]
struct Lane {
    program: RowProgram,
    has_memory: bool,
    values: Vec<f64>,
}

impl Lane {
    fn new(program: RowProgram) -> Self {
        Self { has_memory: program.has_memory(), program, values: Vec::new() }
    }

    /// Expressions with windows must see every row; others are asked for when needed.
    fn update(&mut self, slice: &Slice<'_>, is_due: bool) {
        if is_due || self.has_memory {
            self.program.evaluate(slice, &mut self.values);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    asset: u32,
    signal: f64,
    /// NaN where the weighting needs none.
    volatility: f64,
}

#[derive(Debug)]
struct Ranking {
    rule: TopN,
    clock: RebalanceClock,
    signal: Lane,
    condition: Option<Lane>,
    volatility: Option<Lane>,
    candidates: Vec<Candidate>,
    /// The candidates chosen for one side.
    side: Vec<Candidate>,
    keys: Vec<u64>,
    weights: Vec<(AssetId, f64)>,
}

impl Strategy for Ranking {
    fn on_start(&mut self, trader: &mut Trader) -> Result<()> {
        if trader.rescales_past() {
            self.lanes().for_each(|lane| lane.program.keep_rows());
        }
        Ok(())
    }

    fn on_rescale(&mut self, rescale: &Rescale, _: &mut Trader) -> Result<()> {
        self.lanes().for_each(|lane| lane.program.rescale(rescale));
        Ok(())
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        let is_due = self.clock.is_due(trader.session_date());
        self.signal.update(slice, is_due);
        for lane in self.condition.iter_mut().chain(&mut self.volatility) {
            lane.update(slice, is_due);
        }
        if is_due {
            self.collect(slice);
            self.weigh();
            self.cancel_unwanted(trader);
            trader.rebalance(&self.weights);
        }
        Ok(())
    }
}

impl Ranking {
    fn lanes(&mut self) -> impl Iterator<Item = &mut Lane> {
        let others = self.condition.iter_mut().chain(&mut self.volatility);
        std::iter::once(&mut self.signal).chain(others)
    }

    fn collect(&mut self, slice: &Slice<'_>) {
        self.candidates.clear();
        let rows = slice.assets().iter().zip(slice.close()).zip(&self.signal.values);
        for (row, ((&asset, &close), &signal)) in rows.enumerate() {
            let is_priced = close.is_finite() && close > 0.0;
            let is_in = self.condition.as_ref().is_none_or(|lane| is_true(lane.values[row]));
            if !is_priced || !is_in || signal.is_nan() {
                continue;
            }
            let volatility = match &self.volatility {
                None => f64::NAN,
                Some(lane) if lane.values[row] > 0.0 => lane.values[row],
                Some(_) => continue,
            };
            self.candidates.push(Candidate { asset, signal, volatility });
        }
    }

    /// Targets speak of what is held and chosen: an opening order that waits for neither must go.
    fn cancel_unwanted(&self, trader: &mut Trader) {
        for order in trader.open_orders() {
            let asset = trader.order(order).asset;
            let is_chosen = self.weights.binary_search_by_key(&asset, |weight| weight.0).is_ok();
            if !is_chosen && trader.quantity(asset) == 0.0 {
                trader.cancel(order);
            }
        }
    }

    /// Fills `weights` from `candidates`, in order of symbol ids.
    fn weigh(&mut self) {
        self.weights.clear();
        self.choose(|signal| !rank(signal));
        append(&self.rule, 1.0, &self.side, &mut self.weights);
        if self.rule.long_short {
            self.choose(rank);
            append(&self.rule, -1.0, &self.side, &mut self.weights);
            self.weights.sort_unstable_by_key(|&(asset, _)| asset);
        }
    }

    /// Moves the `n` candidates with the lowest keys, equal ones by symbol id, to `side`. Both
    /// lists stay in order of symbol ids, so no sum over a side depends on how it was chosen.
    fn choose(&mut self, key: impl Fn(f64) -> u64) {
        let n = self.rule.n;
        self.side.clear();
        if self.candidates.len() <= n {
            self.side.append(&mut self.candidates);
            return;
        }
        self.keys.clear();
        self.keys.extend(self.candidates.iter().map(|candidate| key(candidate.signal)));
        let (before, &mut last, _) = self.keys.select_nth_unstable(n - 1);
        let mut equal_left = n - before.iter().filter(|&&key| key < last).count();
        let side = &mut self.side;
        self.candidates.retain(|candidate| {
            let key = key(candidate.signal);
            let is_equal = key == last && equal_left > 0;
            equal_left -= usize::from(is_equal);
            let is_in = key < last || is_equal;
            if is_in {
                side.push(*candidate);
            }
            !is_in
        });
    }
}

/// A number that orders signals as they order themselves; -0 and 0 are one.
fn rank(signal: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = (signal + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// Appends the weights of one side; `sign` is +1 for long and -1 for short.
fn append(rule: &TopN, sign: f64, side: &[Candidate], out: &mut Vec<(AssetId, f64)>) {
    let score = |candidate: &Candidate| match rule.weighting {
        Weighting::Equal | Weighting::Fixed(_) => 1.0,
        Weighting::Signal => (sign * candidate.signal).max(0.0),
        Weighting::InverseVol { .. } => 1.0 / candidate.volatility,
    };
    let scale = match rule.weighting {
        Weighting::Equal => 1.0 / rule.n as f64,
        Weighting::Fixed(weight) => weight,
        Weighting::Signal | Weighting::InverseVol { .. } => {
            1.0 / side.iter().map(score).sum::<f64>()
        }
    };
    for candidate in side {
        let score = score(candidate);
        if score > 0.0 {
            let weight = (score * scale).min(rule.max_weight.unwrap_or(f64::INFINITY));
            out.push((AssetId(candidate.asset), sign * weight));
        }
    }
}
