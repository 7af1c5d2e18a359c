//! Test support: random small markets, scripts and terms on a coarse grid.
//!
//! Prices are multiples of one half around 10, so that equal levels, exact touches and gaps through
//! a level are common; a share of the rows is missing, without volume, or broken.

use proptest::prelude::*;
use proptest::sample::select;
use tapeworks::base::AssetId;
use tapeworks::broker::{Commission, Lots, PositionRule, Slippage};
use tapeworks::engine::{EngineConfig, OrderRequest, Size};

use crate::market::{Act, Market, Row, market};

/// Most bars of a random market.
pub const MAX_BARS: usize = 14;

fn row() -> impl Strategy<Value = Option<([f64; 4], f64)>> {
    (0_u8..32, 15_u8..26, 15_u8..26, 0_u8..5, 0_u8..5).prop_map(|(kind, o, c, up, down)| {
        let price = |step: u8| f64::from(step) / 2.0;
        let (high, low) = (o.max(c) + up, o.min(c) - down);
        let mut ohlc = [price(o), price(high), price(low), price(c)];
        let mut volume = if up == 0 { f64::NAN } else { 1000.0 };
        match kind {
            28 => return None,
            29 => ohlc[usize::from(down) % 4] = f64::NAN,
            30 => volume = 0.0,
            31 if up % 2 == 0 => ohlc[1] = ohlc[0].max(ohlc[3]) - 0.5,
            31 => ohlc[2] = ohlc[0].min(ohlc[3]) + 0.5,
            _ => {}
        }
        Some((ohlc, volume))
    })
}

/// A market of `n` symbols, 1 to [`MAX_BARS`] bars.
pub fn market_of(n: u32) -> impl Strategy<Value = Market> {
    let bars = prop::collection::vec(prop::collection::vec(row(), n as usize), 1..=MAX_BARS);
    bars.prop_map(move |bars| {
        let symbols = (0..n).map(|asset| format!("S{asset}")).collect();
        let mut market = Market { symbols, ..Market::default() };
        for (bar, rows) in bars.iter().enumerate() {
            for (asset, row) in (0..).zip(rows) {
                if let &Some((ohlc, volume)) = row {
                    market.rows.push(Row { bar, asset, ohlc, volume, signals: Vec::new() });
                }
            }
        }
        market
    })
}

fn rules() -> impl Strategy<Value = Vec<PositionRule>> {
    let stop = prop::option::of(select(vec![0.05, 0.125, 0.25]));
    let target = prop::option::of(select(vec![0.05, 0.125, 0.25, 1.5]));
    let trail = prop::option::of(select(vec![0.05, 0.1, 0.25]));
    (stop, target, trail, any::<bool>()).prop_map(|(stop, target, trail, none)| {
        if none {
            return Vec::new();
        }
        let stop = stop.map(PositionRule::StopLoss);
        let target = target.map(PositionRule::TakeProfit);
        stop.into_iter().chain(target).chain(trail.map(PositionRule::TrailingStop)).collect()
    })
}

fn act(n: u32) -> impl Strategy<Value = Act> {
    let size = prop_oneof![
        8 => (-9_i8..=14).prop_map(|units| Size::Quantity(f64::from(units))),
        2 => (-20_i8..=30).prop_map(|units| Size::Quantity(f64::from(units) / 4.0)),
        2 => (-4_i8..=10).prop_map(|tenths| Size::Percent(f64::from(tenths) / 8.0)),
        2 => (-50_i8..=120).prop_map(|currency| Size::Value(f64::from(currency))),
        1 => select(vec![f64::NAN, f64::INFINITY, 1e15, -1e15, 1e302]).prop_map(Size::Quantity),
    ];
    let price = prop_oneof![
        40 => (14_u8..28).prop_map(|step| f64::from(step) / 2.0),
        1 => select(vec![f64::NAN, 0.0, -1.0, f64::INFINITY]),
    ];
    let order = (0..n, size, price, 0_u8..8, prop::bool::weighted(0.25)).prop_map(
        |(asset, size, price, kind, reduce_only)| {
            // A reduce-only order is a sale here: accounts of this version hold no short.
            let size = match size {
                Size::Quantity(units) if reduce_only => Size::Quantity(-units.abs()),
                Size::Percent(fraction) if reduce_only => Size::Percent(-fraction.abs()),
                Size::Value(currency) if reduce_only => Size::Value(-currency.abs()),
                size => size,
            };
            let order =
                OrderRequest { size, reduce_only, ..OrderRequest::market(AssetId(asset), 0.0) };
            Act::Order(match kind {
                0..=2 => order,
                3..=5 => OrderRequest { limit: Some(price), ..order },
                _ => OrderRequest { stop: Some(price), ..order },
            })
        },
    );
    let weight = || (-1_i8..=8).prop_map(|eighths| f64::from(eighths) / 8.0);
    prop_oneof![
        20 => order,
        2 => (0..n, select(vec![1.0, 0.5, 0.25])).prop_map(|(a, fraction)| Act::Close(a, fraction)),
        1 => Just(Act::CloseAll),
        1 => (0..n, -3_i8..20).prop_map(|(a, units)| Act::TargetQuantity(a, f64::from(units))),
        2 => (0..n, weight()).prop_map(|(a, weight)| Act::TargetPercent(a, weight)),
        1 => (0..n, weight()).prop_map(|(a, w)| Act::TargetValue(a, w * 100.0)),
        2 => prop::collection::btree_map(0..n, weight(), 0..=n as usize)
            .prop_map(|weights| Act::Rebalance(weights.into_iter().collect())),
        2 => (0_u32..12).prop_map(Act::Cancel),
        2 => (prop::option::of(0..n), rules()).prop_map(|(a, rules)| Act::SetRules(a, rules)),
    ]
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

/// Terms of a run.
pub fn config() -> impl Strategy<Value = EngineConfig> {
    let commission = prop_oneof![
        3 => Just(Commission::None),
        2 => (0_u8..3, 0_u8..3).prop_map(|(bps, min)| Commission::percent(f64::from(bps) * 10.0, f64::from(min) / 2.0)),
        2 => (0_u8..3, 0_u8..3).prop_map(|(rate, min)| Commission::per_share(f64::from(rate) / 16.0, f64::from(min) / 2.0)),
    ];
    let slippage = select(vec![0.0, 0.0, 10.0, 100.0]).prop_map(|bps| match bps {
        0.0 => Slippage::None,
        bps => Slippage::Percent { bps },
    });
    let lots = select(vec![Lots::Integer, Lots::Integer, Lots::Fractional]);
    let cash = select(vec![37.0, 250.0, 1_000.0, 5_000.0, 5_000.0]);
    (cash, commission, slippage, lots, rules()).prop_map(
        |(cash, commission, slippage, lots, rules)| EngineConfig {
            cash,
            commission,
            slippage,
            lots,
            rules,
            ..EngineConfig::default()
        },
    )
}
