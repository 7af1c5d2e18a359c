//! Random acts of a strategy.

use proptest::prelude::*;
use proptest::sample::select;
use tapeworks::base::AssetId;
use tapeworks::broker::{Change, TimeInForce};
use tapeworks::engine::{Distance, ExitPrice, OrderRequest, ReleaseOn, Size, TrailTerms};

use super::rules::rules;
use crate::market::{Act, at};

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        8 => (-14_i8..=14).prop_map(|units| Size::Quantity(f64::from(units))),
        2 => (-20_i8..=30).prop_map(|units| Size::Quantity(f64::from(units) / 4.0)),
        2 => (-4_i8..=10).prop_map(|tenths| Size::Percent(f64::from(tenths) / 8.0)),
        2 => (-50_i8..=120).prop_map(|currency| Size::Value(f64::from(currency))),
        1 => select(vec![f64::NAN, f64::INFINITY]).prop_map(Size::Quantity),
    ]
}

fn grid() -> impl Strategy<Value = f64> {
    (14_u8..28).prop_map(|step| f64::from(step) / 2.0)
}

fn price() -> impl Strategy<Value = f64> {
    prop_oneof![
        40 => grid(),
        1 => select(vec![f64::NAN, 0.0, -1.0, f64::INFINITY]),
    ]
}

fn trail() -> impl Strategy<Value = TrailTerms> {
    let distance = prop_oneof![
        select(vec![0.5, 1.0, 1.5, 2.5]).prop_map(Distance::Amount),
        select(vec![0.05, 0.125, 0.25]).prop_map(Distance::Fraction),
    ];
    let offset = prop::option::weighted(0.3, select(vec![0.0, 0.5, 1.0]));
    let activate = prop::option::weighted(0.3, grid());
    (distance, offset, activate).prop_map(|(distance, limit_offset, activate)| TrailTerms {
        distance,
        limit_offset,
        activate,
    })
}

fn tif() -> impl Strategy<Value = TimeInForce> {
    prop_oneof![
        6 => Just(TimeInForce::Gtc),
        1 => Just(TimeInForce::Day),
        1 => (0_usize..super::MAX_BARS).prop_map(|bar| TimeInForce::Gtd(at(bar))),
        1 => Just(TimeInForce::Ioc),
        1 => Just(TimeInForce::Fok),
    ]
}

/// An order with prices of any kind.
fn plain(n: u32) -> impl Strategy<Value = OrderRequest> {
    let prices = (price(), price(), trail());
    (0..n, size(), prices, 0_u8..13, prop::bool::weighted(0.25), tif()).prop_map(
        |(asset, size, (limit, stop, trail), kind, reduce_only, tif)| {
            let order = OrderRequest {
                size,
                reduce_only,
                tif,
                ..OrderRequest::market(AssetId(asset), 0.0)
            };
            match kind {
                0..=3 => order,
                4..=6 => OrderRequest { limit: Some(limit), ..order },
                7..=8 => OrderRequest { stop: Some(stop), ..order },
                9 => OrderRequest { stop: Some(stop), limit: Some(limit), ..order },
                10..=11 => OrderRequest { trail: Some(trail), ..order },
                _ => OrderRequest { on_close: true, tif: TimeInForce::Gtc, ..order },
            }
        },
    )
}

/// Exits of an entry around a price, at least one and a half away from it, or fractions.
fn with_exits(entry: OrderRequest, exits: &Exits) -> OrderRequest {
    let prices = [entry.limit, entry.stop];
    let known: Vec<f64> = prices.iter().flatten().copied().collect();
    let is_usual = known.iter().all(|price| price.is_finite() && *price > 4.0);
    let is_buy = match entry.size {
        Size::Quantity(x) | Size::Percent(x) | Size::Value(x) => x > 0.0,
    };
    let below = known.iter().copied().fold(f64::INFINITY, f64::min) - exits.away.0;
    let above = known.iter().copied().fold(f64::NEG_INFINITY, f64::max) + exits.away.1;
    let (stop, target) = if known.is_empty() || !is_usual || exits.fractions.is_some() {
        let (stop, target) = exits.fractions.unwrap_or((0.125, 0.125));
        (ExitPrice::Fraction(stop), ExitPrice::Fraction(target))
    } else if is_buy {
        (ExitPrice::Price(below), ExitPrice::Price(above))
    } else {
        (ExitPrice::Price(above), ExitPrice::Price(below))
    };
    OrderRequest {
        stop_loss: exits.which[0].then_some(stop),
        take_profit: exits.which[1].then_some(target),
        trailing_exit: exits.trail.filter(|_| exits.which[2]),
        reduce_only: false,
        ..entry
    }
}

#[derive(Debug, Clone)]
struct Exits {
    away: (f64, f64),
    fractions: Option<(f64, f64)>,
    which: [bool; 3],
    trail: Option<TrailTerms>,
}

fn exits() -> impl Strategy<Value = Exits> {
    let away = || select(vec![1.5, 2.0, 3.0]);
    let fraction = || select(vec![0.05, 0.125, 0.25]);
    let fractions = prop::option::of((fraction(), fraction()));
    let which = select(vec![
        [true, true, false],
        [true, false, false],
        [false, true, false],
        [false, false, true],
        [false, true, true],
        [true, true, true],
    ]);
    ((away(), away()), fractions, which, trail()).prop_map(|(away, fractions, which, trail)| {
        Exits { away, fractions, which, trail: Some(trail) }
    })
}

/// An order that waits for a price, without particulars.
fn waits(n: u32) -> impl Strategy<Value = OrderRequest> {
    (0..n, -9_i8..=9, grid(), 0_u8..4).prop_map(|(asset, units, price, kind)| {
        let (asset, units) = (AssetId(asset), f64::from(units));
        match kind {
            0 | 1 => OrderRequest::limit(asset, units, price),
            2 => OrderRequest::stop(asset, units, price),
            _ => OrderRequest::trailing(asset, units, Distance::Amount(1.0)),
        }
    })
}

fn change() -> impl Strategy<Value = Change> {
    let maybe = |p: f64| prop::option::weighted(p, grid()).prop_map(|x| x.unwrap_or(f64::NAN));
    let quantity = prop::option::weighted(0.4, 0_u8..15);
    let trail = prop::option::weighted(0.2, select(vec![0.25, 0.125]));
    (quantity, maybe(0.4), maybe(0.4), trail).prop_map(|(quantity, limit, stop, trail)| Change {
        quantity: quantity.map_or(f64::NAN, f64::from),
        limit,
        stop,
        trail: trail.unwrap_or(f64::NAN),
    })
}

/// Anything that a strategy may do.
pub fn act(n: u32) -> impl Strategy<Value = Act> {
    let weight = || (-4_i8..=8).prop_map(|eighths| f64::from(eighths) / 8.0);
    let oco = (0..n, prop::collection::vec(waits(n), 2..4)).prop_map(|(asset, mut orders)| {
        for order in &mut orders {
            order.asset = AssetId(asset);
        }
        Act::Oco(orders)
    });
    let on = select(vec![ReleaseOn::Complete, ReleaseOn::Partial]);
    let oto = (plain(n), on, prop::collection::vec(waits(n), 1..3)).prop_map(
        |(parent, on, mut orders)| {
            for order in &mut orders {
                order.asset = parent.asset;
            }
            Act::Oto(parent, on, orders)
        },
    );
    prop_oneof![
        20 => plain(n).prop_map(Act::Order),
        8 => (plain(n), exits()).prop_map(|(entry, exits)| Act::Order(with_exits(entry, &exits))),
        3 => oco,
        3 => oto,
        2 => (0..n, select(vec![1.0, 0.5, 0.25])).prop_map(|(a, fraction)| Act::Close(a, fraction)),
        1 => Just(Act::CloseAll),
        1 => (0..n, -12_i8..20).prop_map(|(a, units)| Act::TargetQuantity(a, f64::from(units))),
        2 => (0..n, weight()).prop_map(|(a, weight)| Act::TargetPercent(a, weight)),
        1 => (0..n, weight()).prop_map(|(a, w)| Act::TargetValue(a, w * 100.0)),
        2 => prop::collection::btree_map(0..n, weight(), 0..=n as usize)
            .prop_map(|weights| Act::Rebalance(weights.into_iter().collect())),
        2 => (0_u32..12).prop_map(Act::Cancel),
        1 => prop::option::of(0..n).prop_map(Act::CancelAll),
        1 => Just(Act::Resume),
        3 => (0_u32..12, change()).prop_map(|(order, change)| Act::Replace(order, change)),
        2 => (prop::option::of(0..n), rules()).prop_map(|(a, rules)| Act::SetRules(a, rules)),
    ]
}
