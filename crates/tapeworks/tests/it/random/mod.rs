//! Test support: random small markets, scripts and terms on a coarse grid.
//!
//! Prices are multiples of one half around 10, so that equal levels, exact touches and gaps through
//! a level are common; a share of the rows is missing, without volume, or broken.

mod orders;
mod rules;
mod terms;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use crate::market::{Act, Market, Row, market};

pub use orders::act;
pub use rules::{COLUMN, WIDTH};
pub use terms::config;

/// Most bars of a random market.
pub const MAX_BARS: usize = 14;

/// `cases` draws from one seed, so that a test that passed passes again. `PROPTEST_RNG_SEED=7` draws
/// others.
pub fn draws(cases: u32) -> ProptestConfig {
    let given = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    match given.rng_seed {
        RngSeed::Random => ProptestConfig { rng_seed: RngSeed::Fixed(1), ..given },
        RngSeed::Fixed(_) => given,
    }
}

fn row() -> impl Strategy<Value = Option<([f64; 4], f64, (f64, f64))>> {
    let volume = select(vec![1000.0, 1000.0, f64::NAN, 8.0, 20.0, 60.0]);
    let value = select(vec![f64::NAN, 0.5, 1.0, 1.5, 2.0, -0.5, -1.0]);
    let width = select(vec![f64::NAN, 0.5, 1.0, 2.0]);
    (0_u8..32, 15_u8..26, 15_u8..26, (0_u8..5, 0_u8..5), volume, (value, width)).prop_map(
        |(kind, o, c, (up, down), mut volume, value)| {
            let price = |step: u8| f64::from(step) / 2.0;
            let (high, low) = (o.max(c) + up, o.min(c) - down);
            let mut ohlc = [price(o), price(high), price(low), price(c)];
            match kind {
                28 => return None,
                29 => ohlc[usize::from(down) % 4] = f64::NAN,
                30 => volume = 0.0,
                31 if up % 2 == 0 => ohlc[1] = ohlc[0].max(ohlc[3]) - 0.5,
                31 => ohlc[2] = ohlc[0].min(ohlc[3]) + 0.5,
                _ => {}
            }
            Some((ohlc, volume, value))
        },
    )
}

/// A market of `n` symbols with the columns [`COLUMN`] and [`WIDTH`], 1 to [`MAX_BARS`] bars.
pub fn market_of(n: u32) -> impl Strategy<Value = Market> {
    let bars = prop::collection::vec(prop::collection::vec(row(), n as usize), 1..=MAX_BARS);
    bars.prop_map(move |bars| {
        let symbols = (0..n).map(|asset| format!("S{asset}")).collect();
        let signals = vec![COLUMN.to_string(), WIDTH.to_string()];
        let mut market = Market { symbols, signals, ..Market::default() };
        for (bar, rows) in bars.iter().enumerate() {
            for (asset, row) in (0..).zip(rows) {
                if let &Some((ohlc, volume, (value, width))) = row {
                    let signals = vec![value, width];
                    market.rows.push(Row { bar, asset, ohlc, volume, signals });
                }
            }
        }
        market
    })
}

/// Acts with the bar they are done at.
pub fn script(n: u32) -> impl Strategy<Value = Vec<(usize, Act)>> {
    // Most scripts start with a purchase, so that there is something to sell.
    let first = prop::collection::vec((0..2_usize, (0..n, 1_u8..20)), 0..=n as usize);
    let acts = prop::collection::vec((0..MAX_BARS, act(n)), 0..28);
    (first, acts).prop_map(|(first, mut acts)| {
        for (bar, (asset, units)) in first {
            acts.insert(0, (bar, market(asset, f64::from(units))));
        }
        acts
    })
}
