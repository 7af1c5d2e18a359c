//! Rooms `broker`, `engine`: the accounting identities A1-A13, recomputed from the records alone.

use proptest::prelude::*;
use tapeworks::broker::{
    Commission, ExitReason, Lots, OrderKind, OrderOrigin, OrderStatus, Phase, PositionRule,
    Slippage,
};
use tapeworks::engine::rules::{BuyAndHold, Noop};
use tapeworks::engine::{EngineConfig, FillRow, Flow, RunLog, Size, run};

use crate::market::{Act, Market, at, bar_of, market, play};
use crate::random::{config, market_of, script};

fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale.max(1.0)
}

fn fee(commission: &Commission, fill: &FillRow) -> f64 {
    let (units, value) = (fill.quantity.abs(), fill.quantity.abs() * fill.price);
    match *commission {
        Commission::None => 0.0,
        Commission::Percent { bps, min, .. } => (value * bps / 10_000.0).max(min),
        Commission::PerShare { rate, min, .. } => (units * rate).max(min),
        ref other => panic!("{other:?} is not drawn"),
    }
}

/// A5, A6, A7: each fill against its order and its row.
fn check_fills(market: &Market, log: &RunLog) -> Result<(), TestCaseError> {
    let mut filled = vec![0.0; log.orders.len()];
    for fill in &log.fills {
        let order = &log.orders[fill.order.index()];
        let row = market.row(bar_of(fill.timestamp), fill.asset.0).expect("a fill has a row");
        let [open, high, low, _] = row.ohlc;
        let base = fill.base_price;
        prop_assert!(low <= base && base <= high, "A5: {fill:?} outside {row:?}");
        let buys = fill.quantity > 0.0;
        let sign = if buys { 1.0 } else { -1.0 };
        prop_assert!(sign * fill.price >= sign * base, "slippage never improves: {fill:?}");
        if order.kind == OrderKind::Limit {
            prop_assert!(sign * fill.price <= sign * order.limit, "A5: {fill:?} {order:?}");
        }
        if order.kind == OrderKind::Stop {
            prop_assert!(sign * base >= sign * order.stop, "A5: {fill:?} {order:?}");
        }
        if fill.phase == Phase::Open {
            prop_assert_eq!(base, open);
        } else if order.origin == OrderOrigin::Strategy {
            prop_assert!(order.kind != OrderKind::Market, "a market order fills at the open");
        }
        prop_assert_eq!(fill.asset, order.asset);
        prop_assert!(order.quantity * sign > 0.0, "A6: side of {order:?}");
        prop_assert!(fill.timestamp > order.created, "A7: {fill:?} {order:?}");
        filled[fill.order.index()] += fill.quantity;
    }
    for (order, &sum) in log.orders.iter().zip(&filled) {
        prop_assert_eq!(order.filled, sum, "A6: {:?}", order);
        prop_assert!(sum.abs() <= order.quantity.abs() || sum == 0.0, "A6: {order:?}");
        prop_assert_eq!(order.status == OrderStatus::Filled, sum != 0.0, "A6: {:?}", order);
        prop_assert!(order.status != OrderStatus::Live, "each order has ended: {order:?}");
    }
    Ok(())
}

/// A1, A3, A4, A9, A10: states and lots against fills and rows.
fn check_books(market: &Market, config: &EngineConfig, log: &RunLog) -> Result<(), TestCaseError> {
    let n = market.symbols.len();
    let (mut cash, mut fees) = (config.cash, 0.0);
    let mut held = vec![0.0_f64; n];
    let mut marks = vec![0.0; n];
    let mut next = 0;
    let mut scale = config.cash;
    for (i, bar) in market.bars().into_iter().enumerate() {
        prop_assert_eq!(log.states.timestamp[i], at(bar));
        while let Some(fill) = log.fills.get(next)
            && fill.timestamp <= at(bar)
        {
            prop_assert_eq!(fill.timestamp, at(bar), "fills are in time order");
            cash -= fill.quantity * fill.price + fill.commission;
            fees += fill.commission;
            held[fill.asset.index()] += fill.quantity;
            prop_assert!(near(fee(&config.commission, fill), fill.commission, scale), "A10");
            prop_assert!(fill.quantity < 0.0 || cash >= -1e-8 * scale.max(1.0), "A4: {cash}");
            prop_assert!(held[fill.asset.index()] >= -1e-9, "A4: short {fill:?}");
            next += 1;
        }
        for row in market.rows.iter().filter(|row| row.bar == bar && row.ohlc[3].is_finite()) {
            marks[row.asset as usize] = row.ohlc[3];
        }
        let value: f64 = held.iter().zip(&marks).map(|(units, mark)| units * mark).sum();
        scale = scale.max(value);
        prop_assert!(near(log.states.cash[i], cash, scale), "A3");
        prop_assert!(near(log.states.equity[i], cash + value, scale), "A1");
        prop_assert!(near(log.states.fees[i], fees, scale), "A10");
        let n_held = held.iter().filter(|units| units.abs() > 1e-9).count();
        prop_assert_eq!(log.states.n_positions[i] as usize, n_held);
    }
    prop_assert_eq!(next, log.fills.len());
    let gains: f64 =
        log.lots.iter().map(|lot| (lot.exit_price - lot.entry_price) * lot.quantity).sum();
    let change = log.states.equity.last().copied().unwrap_or(config.cash) - config.cash;
    prop_assert!(near(gains - fees, change, scale), "A9: {gains} - {fees} != {change}");
    let lot_fees: f64 = log.lots.iter().map(|lot| lot.entry_commission + lot.exit_commission).sum();
    prop_assert!(near(lot_fees, fees, scale), "A10: fees of lots");
    for lot in &log.lots {
        prop_assert!(lot.best >= lot.entry_price && lot.worst <= lot.entry_price, "{lot:?}");
        prop_assert!(lot.bars_to_best <= lot.bars_held && lot.bars_to_worst <= lot.bars_held);
        prop_assert_eq!(lot.exit_fill.is_none(), lot.reason == ExitReason::EndOfRun);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn books_when_data_and_orders_are_random_then_identities_hold(
        (market, acts, config) in (1_u32..=4).prop_flat_map(|n| (market_of(n), script(n), config())),
        heavy in prop::bool::weighted(0.2),
    ) {
        let mut config = config;
        if heavy {
            // Slippage beyond the rules' fractions: a position may be entered past its own stop.
            config.slippage = Slippage::Percent { bps: 1_500.0 };
        }
        let log = play(&market, &acts, &config);
        check_fills(&market, &log)?;
        check_books(&market, &config, &log)?;
    }
}

fn scaled(market: &Market, acts: &[(usize, Act)], config: &EngineConfig, by: f64) -> RunLog {
    let mut market = market.clone();
    for row in &mut market.rows {
        row.ohlc = row.ohlc.map(|price| price * by);
    }
    let mut acts = acts.to_vec();
    for (_, act) in &mut acts {
        match act {
            Act::Order(order) => {
                order.limit = order.limit.map(|price| price * by);
                order.stop = order.stop.map(|price| price * by);
                if let Size::Value(currency) = &mut order.size {
                    *currency *= by;
                }
            }
            Act::TargetValue(_, currency) => *currency *= by,
            _ => {}
        }
    }
    let mut config = EngineConfig { cash: config.cash * by, ..config.clone() };
    match &mut config.commission {
        Commission::Percent { min, .. } => *min *= by,
        Commission::PerShare { rate, min, .. } => (*rate, *min) = (*rate * by, *min * by),
        _ => {}
    }
    play(&market, &acts, &config)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A12: a power of two changes no bit of a mantissa, so nothing but the scale may change.
    #[test]
    fn run_when_prices_and_cash_are_scaled_then_only_the_scale_changes(
        (market, acts, config) in (1_u32..=4).prop_flat_map(|n| (market_of(n), script(n), config())),
        power in 1_i32..20,
    ) {
        let config = EngineConfig { lots: Lots::Integer, ..config };
        // Targets send nothing for a difference under one cent, an amount that does not scale.
        let acts: Vec<_> = acts
            .into_iter()
            .filter(|(_, act)| {
                !matches!(act, Act::TargetPercent(..) | Act::TargetValue(..) | Act::Rebalance(..))
            })
            .collect();
        let by = 2.0_f64.powi(power);
        let log = play(&market, &acts, &config);
        let big = scaled(&market, &acts, &config, by);
        prop_assert_eq!(log.fills.len(), big.fills.len());
        for (a, b) in log.fills.iter().zip(&big.fills) {
            prop_assert_eq!(
                (a.timestamp, a.order, a.asset, a.quantity, a.phase, a.reason, a.flags),
                (b.timestamp, b.order, b.asset, b.quantity, b.phase, b.reason, b.flags)
            );
            prop_assert_eq!((a.price * by, a.commission * by), (b.price, b.commission));
        }
        let codes = |log: &RunLog| -> Vec<_> {
            log.rejections.iter().map(|r| (r.timestamp, r.order, r.code)).collect()
        };
        prop_assert_eq!(codes(&log), codes(&big));
        for (a, b) in log.states.equity.iter().zip(&big.states.equity) {
            prop_assert_eq!(a * by, *b);
        }
    }

    /// A13: without orders nothing moves.
    #[test]
    fn run_when_no_orders_then_equity_is_constant(
        (market, config) in (1_u32..=4).prop_flat_map(|n| (market_of(n), config()))
    ) {
        let config = EngineConfig { check_invariants: true, ..config };
        let log = run(&mut market.feed(3), &mut Noop, &config, &mut |_| Flow::Continue)
            .expect("the run ends");
        prop_assert_eq!(log.states.equity.len(), market.bars().len());
        prop_assert!(log.states.equity.iter().all(|&equity| equity == config.cash));
        prop_assert!(log.fills.is_empty() && log.lots.is_empty() && log.orders.is_empty());
        prop_assert_eq!(log.n_rows, market.rows.len() as u64);
    }

    /// A13: a trip there and back at one price without costs leaves nothing.
    #[test]
    fn run_when_bought_and_sold_at_one_price_then_nothing_changes(
        price in 1_u32..1_000_000, units in 1_u32..1_000,
    ) {
        let price = f64::from(price) / 64.0;
        let rows = [[price; 4]; 5];
        let acts = [(0, market(0, f64::from(units))), (2, Act::Close(0, 1.0))];
        let config = EngineConfig { cash: 1e9, ..EngineConfig::default() };
        let log = play(&Market::one(&rows), &acts, &config);
        prop_assert_eq!(log.fills.len(), 2);
        prop_assert!(log.states.equity.iter().all(|&equity| equity == 1e9));
        prop_assert_eq!(log.lots[0].best, log.lots[0].worst);
    }
}

/// A13: buy and hold by its closed form: whole lots at the first close, paid at the next open.
#[test]
fn buy_and_hold_when_one_symbol_then_equity_is_the_closed_form() {
    let rows =
        [[100.0, 101.0, 99.0, 100.0], [102.0, 103.0, 101.0, 102.5], [103.0, 104.0, 90.0, 91.0]];
    let market_of = Market::one(&rows);
    let mut rule = BuyAndHold::new();
    let config = EngineConfig { cash: 10_050.0, check_invariants: true, ..EngineConfig::default() };
    let log = run(&mut market_of.feed(2), &mut rule, &config, &mut |_| Flow::Continue)
        .expect("the run ends");
    // 100 units wanted at 100; 10,050 pay 98 at 102
    let equity = |mark: f64| 10_050.0 - 98.0 * 102.0 + 98.0 * mark;
    assert_eq!(log.states.equity, [10_050.0, equity(102.5), equity(91.0)]);
}

#[test]
fn scale_when_rule_levels_are_in_play_then_tables_agree() {
    let rows = [[100.0; 4], [100.0; 4], [99.0, 99.0, 94.0, 95.0]];
    let rules = vec![PositionRule::StopLoss(0.05)];
    let config = EngineConfig { rules, ..EngineConfig::default() };
    let log = scaled(&Market::one(&rows), &[(0, market(0, 10.0))], &config, 4.0);
    assert_eq!(log.fills[1].price, 380.0);
}
