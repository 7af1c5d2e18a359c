//! Rooms `broker`, `engine`: the accounting identities A1-A13, recomputed from the records alone.

use proptest::prelude::*;
use tapeworks::broker::{
    AccountEventKind, AccountKind, Commission, FillFlags, Impact, Instrument, Lots, Margin,
    MinScope, OrderEventKind, OrderKind, OrderOrigin, OrderStatus, Phase, PositionRule, Slippage,
    Tier, TierBy, TierOf, TierStyle,
};
use tapeworks::engine::rules::{BuyAndHold, Noop};
use tapeworks::engine::{
    Distance, EngineConfig, ExitPrice, FillRow, Flow, OrderRequest, RunLog, Size, TrailTerms, run,
};

use crate::market::{Act, Market, at, bar_of, market, play};
use crate::random::{config, draws, market_of, script};

fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale.max(1.0)
}

fn instrument(market: &Market, config: &EngineConfig, asset: u32) -> Instrument {
    let symbol = &market.symbols[asset as usize];
    config.instruments.get(symbol).copied().unwrap_or(config.instrument)
}

/// A5, A6, A7, A8: each fill against its order and its row.
fn check_fills(market: &Market, config: &EngineConfig, log: &RunLog) -> Result<(), TestCaseError> {
    let mut filled = vec![0.0; log.orders.len()];
    let mut used = std::collections::BTreeMap::new();
    for fill in &log.fills {
        let order = &log.orders[fill.order.index()];
        let row = market.row(bar_of(fill.timestamp), fill.asset.0).expect("a fill has a row");
        let [open, high, low, close] = row.ohlc;
        let base = fill.base_price;
        prop_assert!(low <= base && base <= high, "A5: {fill:?} outside {row:?}");
        let buys = fill.quantity > 0.0;
        let sign = if buys { 1.0 } else { -1.0 };
        prop_assert!(sign * fill.price >= sign * base, "slippage never improves: {fill:?}");
        let is_changed = log.order_events.iter().any(|event| {
            let is_change =
                matches!(event.kind, OrderEventKind::ReplacedLimit | OrderEventKind::ReplacedStop);
            event.order == fill.order && is_change
        });
        if order.limit.is_finite() && !is_changed {
            prop_assert!(sign * fill.price <= sign * order.limit, "A5: {fill:?} {order:?}");
        }
        let is_first = filled[fill.order.index()] == 0.0;
        if order.kind == OrderKind::Stop
            && !is_changed
            && is_first
            && config.participation.is_none()
        {
            prop_assert!(sign * base >= sign * order.stop, "A5: {fill:?} {order:?}");
        }
        match fill.phase {
            Phase::Open => prop_assert_eq!(base, open),
            Phase::Close => prop_assert_eq!(base, close),
            Phase::Inside => {
                let is_strategy = order.origin == OrderOrigin::Strategy;
                prop_assert!(!is_strategy || order.kind != OrderKind::Market, "at the open");
            }
        }
        prop_assert_eq!(fill.asset, order.asset);
        prop_assert!(order.quantity * sign > 0.0, "A6: side of {order:?}");
        prop_assert!(fill.timestamp > order.created, "A7: {fill:?} {order:?}");
        filled[fill.order.index()] += fill.quantity;
        let used = used.entry((fill.timestamp, fill.asset.0)).or_insert(0.0);
        *used += fill.quantity.abs();
        if let Some(participation) = config.participation
            && instrument(market, config, fill.asset.0).has_volume
        {
            prop_assert!(row.volume > 0.0, "A8: no share of an unknown volume is certain");
            let cap = participation.max_share * row.volume;
            prop_assert!(*used <= cap * (1.0 + 1e-12), "A8: {used} of {cap}");
        }
    }
    for (order, &sum) in log.orders.iter().zip(&filled) {
        prop_assert!(near(order.filled, sum, sum.abs()), "A6: {order:?}");
        prop_assert!(
            sum.abs() <= order.quantity.abs() * (1.0 + 1e-12) || sum == 0.0,
            "A6: {order:?}"
        );
        prop_assert!(order.status != OrderStatus::Filled || sum != 0.0, "A6: {order:?}");
        let is_refused = matches!(order.status, OrderStatus::Rejected(_));
        prop_assert!(!is_refused || sum == 0.0 || config.participation.is_some(), "A6: {order:?}");
        prop_assert!(order.status != OrderStatus::Live, "each order has ended: {order:?}");
    }
    Ok(())
}

/// A1, A2, A3, A4, A9: states and lots against fills, rows and account events.
fn check_books(market: &Market, config: &EngineConfig, log: &RunLog) -> Result<(), TestCaseError> {
    let n = market.symbols.len();
    let terms: Vec<Instrument> =
        (0..n).map(|a| instrument(market, config, u32::try_from(a).expect("few"))).collect();
    let pays = matches!(config.account.kind, AccountKind::Cash | AccountKind::Crypto);
    let is_future = config.account.kind == AccountKind::Futures;
    // Cash as fills and events leave it; gains since the start, from prices alone.
    let (mut cash, mut fees, mut other, mut gains) = (config.cash, 0.0, 0.0, 0.0);
    let mut held = vec![0.0_f64; n];
    let mut marks = vec![0.0; n];
    let (mut next, mut next_event) = (0, 0);
    let mut scale = config.cash;
    for (i, bar) in market.bars().into_iter().enumerate() {
        prop_assert_eq!(log.states.timestamp[i], at(bar));
        while let Some(event) = log.account_events.get(next_event)
            && event.timestamp <= at(bar)
        {
            let moves_cash = matches!(
                event.kind,
                AccountEventKind::Flow
                    | AccountEventKind::Funding
                    | AccountEventKind::Borrow
                    | AccountEventKind::Interest
            );
            if moves_cash {
                cash += event.amount;
                other += event.amount;
            }
            next_event += 1;
        }
        let mut fills = Vec::new();
        while let Some(fill) = log.fills.get(next)
            && fill.timestamp <= at(bar)
        {
            prop_assert_eq!(fill.timestamp, at(bar), "fills are in time order");
            fills.push(fill);
            next += 1;
        }
        let before = marks.clone();
        for row in market.rows.iter().filter(|row| row.bar == bar && row.ohlc[3].is_finite()) {
            marks[row.asset as usize] = row.ohlc[3];
        }
        for asset in 0..n {
            gains += held[asset] * (marks[asset] - before[asset]) * terms[asset].multiplier;
        }
        for fill in fills {
            let asset = fill.asset.index();
            let m = terms[asset].multiplier;
            let was = held[asset];
            held[asset] += fill.quantity;
            gains += fill.quantity * (marks[asset] - fill.price) * m;
            cash -= fill.commission + if is_future { 0.0 } else { fill.quantity * fill.price * m };
            fees += fill.commission;
            let opens = was * fill.quantity >= 0.0;
            if pays {
                prop_assert!(held[asset] >= -1e-9, "A4: short {fill:?}");
                prop_assert!(
                    !opens
                        || log.account_events.iter().any(|e| e.amount != 0.0)
                        || cash >= -1e-8 * scale.max(1.0),
                    "A4: {cash}"
                );
            }
        }
        let value: f64 = (0..n).map(|a| held[a] * marks[a] * terms[a].multiplier).sum();
        let gross: f64 = (0..n).map(|a| (held[a] * marks[a] * terms[a].multiplier).abs()).sum();
        scale = scale.max(gross).max(cash.abs());
        let equity = config.cash + gains - fees + other;
        prop_assert!(
            near(log.states.equity[i], equity, scale),
            "A2: {} {equity}",
            log.states.equity[i]
        );
        if is_future {
            prop_assert!(near(log.states.cash[i], equity, scale), "A3: all gains are settled");
        } else {
            prop_assert!(near(log.states.cash[i], cash, scale), "A3");
            prop_assert!(near(log.states.equity[i], cash + value, scale), "A1");
        }
        prop_assert!(near(log.states.positions_value[i], value, scale));
        prop_assert!(near(log.states.gross_exposure[i], gross, scale));
        prop_assert!(near(log.states.fees[i], fees, scale), "A10");
        let n_held = held.iter().filter(|units| units.abs() > 1e-9).count();
        prop_assert_eq!(log.states.n_positions[i] as usize, n_held);
    }
    prop_assert_eq!(next, log.fills.len());
    let of_lots: f64 = log
        .lots
        .iter()
        .map(|lot| {
            let m = terms[log.fills[lot.entry_fill as usize].asset.index()].multiplier;
            (lot.exit_price - lot.entry_price) * lot.quantity * lot.side * m
        })
        .sum();
    let change = log.states.equity.last().copied().unwrap_or(config.cash) - config.cash;
    prop_assert!(
        near(of_lots - fees + other, change, scale),
        "A9: {of_lots} - {fees} + {other} != {change}"
    );
    let lot_fees: f64 = log.lots.iter().map(|lot| lot.entry_commission + lot.exit_commission).sum();
    prop_assert!(near(lot_fees, fees, scale), "A10: fees of lots");
    prop_assert!(near(expected_fees(&config.commission, market, config, log), fees, scale), "A10");
    for lot in &log.lots {
        prop_assert!(lot.side * (lot.best - lot.entry_price) >= 0.0, "{lot:?}");
        prop_assert!(lot.side * (lot.worst - lot.entry_price) <= 0.0, "{lot:?}");
        prop_assert!(lot.bars_to_best <= lot.bars_held && lot.bars_to_worst <= lot.bars_held);
    }
    Ok(())
}

/// All fees of a run by the model's own words: over orders where it bounds orders, else over fills.
fn expected_fees(
    commission: &Commission,
    market: &Market,
    config: &EngineConfig,
    log: &RunLog,
) -> f64 {
    let notional = |fill: &FillRow| {
        fill.quantity.abs() * fill.price * instrument(market, config, fill.asset.0).multiplier
    };
    let over_orders = |raw: &dyn Fn(&FillRow) -> f64, min: f64, max_pct: f64| -> f64 {
        (0..log.orders.len())
            .map(|id| {
                let of: Vec<_> = log.fills.iter().filter(|fill| fill.order.index() == id).collect();
                let value: f64 = of.iter().map(|fill| notional(fill)).sum();
                let sum: f64 = of.iter().map(|fill| raw(fill)).sum();
                if of.is_empty() { 0.0 } else { sum.max(min).min(max_pct * value) }
            })
            .sum()
    };
    match commission {
        Commission::None => 0.0,
        Commission::Percent { bps, min, max_pct, .. } => {
            over_orders(&|fill| notional(fill) * bps / 10_000.0, *min, *max_pct)
        }
        Commission::PerShare { rate, min, max_pct, .. } => {
            over_orders(&|fill| fill.quantity.abs() * rate, *min, *max_pct)
        }
        Commission::PerFill { amount } => amount * log.fills.len() as f64,
        Commission::PerOrder { amount } => over_orders(&|_| 0.0, *amount, f64::INFINITY),
        Commission::MakerTaker { maker_bps, taker_bps } => log
            .fills
            .iter()
            .map(|fill| {
                let is_maker = fill.flags.has(FillFlags::MAKER);
                notional(fill) * if is_maker { maker_bps } else { taker_bps } / 10_000.0
            })
            .sum(),
        Commission::SellLevy { bps } => {
            let sales = log.fills.iter().filter(|fill| fill.quantity < 0.0);
            sales.map(|fill| notional(fill) * bps / 10_000.0).sum()
        }
        Commission::Tiered { tiers, by, style, of } => {
            let mut month = 0.0;
            let mut fees = 0.0;
            for fill in &log.fills {
                let size =
                    if *of == TierOf::Percent { notional(fill) } else { fill.quantity.abs() };
                let from = if *by == TierBy::Month { month } else { 0.0 };
                let up_to = tiers[0].up_to;
                // Two brackets: what lies below the first end, and what lies above.
                let low = match style {
                    TierStyle::Marginal => ((from + size).min(up_to) - from).max(0.0),
                    TierStyle::Whole if from + size <= up_to => size,
                    TierStyle::Whole => 0.0,
                };
                fees += low * tiers[0].rate + (size - low) * tiers[1].rate;
                month += size;
            }
            fees
        }
        Commission::Combined(parts) => {
            parts.iter().map(|part| expected_fees(part, market, config, log)).sum()
        }
        Commission::Custom(_) => unreachable!("none is drawn"),
    }
}

proptest! {
    #![proptest_config(draws(12_000))]

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
        check_fills(&market, &config, &log)?;
        check_books(&market, &config, &log)?;
    }
}

// --- A12 ------------------------------------------------------------------------------------------

fn scaled_trail(trail: TrailTerms, by: f64) -> TrailTerms {
    TrailTerms {
        distance: match trail.distance {
            Distance::Amount(amount) => Distance::Amount(amount * by),
            fraction @ Distance::Fraction(_) => fraction,
        },
        limit_offset: trail.limit_offset.map(|offset| offset * by),
        activate: trail.activate.map(|price| price * by),
    }
}

fn scaled_order(order: &OrderRequest, by: f64) -> OrderRequest {
    let exit = |exit: Option<ExitPrice>| match exit {
        Some(ExitPrice::Price(price)) => Some(ExitPrice::Price(price * by)),
        other => other,
    };
    OrderRequest {
        limit: order.limit.map(|price| price * by),
        stop: order.stop.map(|price| price * by),
        trail: order.trail.map(|trail| scaled_trail(trail, by)),
        stop_loss: exit(order.stop_loss),
        take_profit: exit(order.take_profit),
        trailing_exit: order.trailing_exit.map(|trail| scaled_trail(trail, by)),
        size: match order.size {
            Size::Value(currency) => Size::Value(currency * by),
            size => size,
        },
        ..*order
    }
}

fn scaled_act(act: &Act, by: f64) -> Act {
    match act.clone() {
        Act::Order(order) => Act::Order(scaled_order(&order, by)),
        Act::Oco(orders) => Act::Oco(orders.iter().map(|order| scaled_order(order, by)).collect()),
        Act::Oto(parent, on, orders) => {
            let orders = orders.iter().map(|order| scaled_order(order, by)).collect();
            Act::Oto(scaled_order(&parent, by), on, orders)
        }
        Act::TargetValue(asset, currency) => Act::TargetValue(asset, currency * by),
        Act::Replace(order, mut change) => {
            change.limit *= by;
            change.stop *= by;
            Act::Replace(order, change)
        }
        other => other,
    }
}

fn scaled_commission(commission: &Commission, by: f64) -> Commission {
    match commission.clone() {
        Commission::Percent { bps, min, max_pct, min_scope } => {
            Commission::Percent { bps, min: min * by, max_pct, min_scope }
        }
        Commission::PerShare { rate, min, max_pct, min_scope } => {
            Commission::PerShare { rate: rate * by, min: min * by, max_pct, min_scope }
        }
        Commission::PerFill { amount } => Commission::PerFill { amount: amount * by },
        Commission::PerOrder { amount } => Commission::PerOrder { amount: amount * by },
        Commission::Tiered { tiers, by: window, style, of } => {
            let scaled = |tier: &Tier| match of {
                TierOf::Percent => Tier { up_to: tier.up_to * by, ..*tier },
                TierOf::PerUnit => Tier { rate: tier.rate * by, ..*tier },
            };
            let tiers = tiers.iter().map(scaled).collect();
            Commission::Tiered { tiers, by: window, style, of }
        }
        Commission::Combined(parts) => {
            Commission::Combined(parts.iter().map(|part| scaled_commission(part, by)).collect())
        }
        other => other,
    }
}

fn scaled_instrument(one: &Instrument, by: f64) -> Instrument {
    let margin = |margin: Margin| match margin {
        Margin::PerContract(currency) => Margin::PerContract(currency * by),
        other => other,
    };
    Instrument {
        tick: one.tick * by,
        min_notional: one.min_notional * by,
        spread: one.spread * by,
        initial_margin: margin(one.initial_margin),
        maintenance_margin: margin(one.maintenance_margin),
        ..*one
    }
}

fn scaled_rule(rule: &PositionRule, by: f64) -> PositionRule {
    match rule.clone() {
        PositionRule::TrailingAmount(amount) => PositionRule::TrailingAmount(amount * by),
        PositionRule::VolatilityStop { multiple, column } => {
            PositionRule::VolatilityStop { multiple: multiple * by, column }
        }
        PositionRule::VolatilityTrail { multiple, column } => {
            PositionRule::VolatilityTrail { multiple: multiple * by, column }
        }
        other => other,
    }
}

fn scaled(market: &Market, acts: &[(usize, Act)], config: &EngineConfig, by: f64) -> RunLog {
    let mut market = market.clone();
    for row in &mut market.rows {
        row.ohlc = row.ohlc.map(|price| price * by);
    }
    let acts: Vec<_> = acts.iter().map(|(bar, act)| (*bar, scaled_act(act, by))).collect();
    let slippage = match config.slippage.clone() {
        Slippage::Fixed { amount } => Slippage::Fixed { amount: amount * by },
        Slippage::Spread { amount, measure } => Slippage::Spread { amount: amount * by, measure },
        other => other,
    };
    let instruments = config.instruments.iter();
    let config = EngineConfig {
        cash: config.cash * by,
        commission: scaled_commission(&config.commission, by),
        slippage,
        instrument: scaled_instrument(&config.instrument, by),
        instruments: instruments.map(|(s, one)| (s.clone(), scaled_instrument(one, by))).collect(),
        flows: config.flows.iter().map(|&(f, amount)| (f, amount * by)).collect(),
        rules: config.rules.iter().map(|rule| scaled_rule(rule, by)).collect(),
        ..config.clone()
    };
    play(&market, &acts, &config)
}

proptest! {
    #![proptest_config(draws(3_000))]

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
                // A new trail distance is in the terms of an order that the act does not know.
                let is_trail = matches!(act, Act::Replace(_, change) if change.trail.is_finite());
                !is_trail
                    && !matches!(
                        act,
                        Act::TargetPercent(..) | Act::TargetValue(..) | Act::Rebalance(..)
                    )
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
        let ends = |log: &RunLog| -> Vec<_> { log.orders.iter().map(|o| o.status).collect() };
        prop_assert_eq!(ends(&log), ends(&big));
        for (a, b) in log.states.equity.iter().zip(&big.states.equity) {
            prop_assert_eq!(a * by, *b);
        }
    }

    /// A13: without orders nothing moves.
    #[test]
    fn run_when_no_orders_then_equity_is_constant(
        (market, config) in (1_u32..=4).prop_flat_map(|n| (market_of(n), config()))
    ) {
        let mut config = EngineConfig { check_invariants: true, flows: Vec::new(), ..config };
        (config.account.credit_rate, config.account.debit_rate) = (0.0, 0.0);
        let log = run(&mut market.feed(3), &mut Noop, &config, &mut |_| Flow::Continue)
            .expect("the run ends");
        prop_assert_eq!(log.states.equity.len(), market.bars().len());
        prop_assert!(log.states.equity.iter().all(|&equity| equity == config.cash));
        prop_assert!(log.fills.is_empty() && log.lots.is_empty() && log.orders.is_empty());
        prop_assert_eq!(log.n_rows, market.rows.len() as u64);
    }

    /// A13: a trip there and back at one price without costs leaves nothing, on either side and in
    /// every account.
    #[test]
    fn run_when_bought_and_sold_at_one_price_then_nothing_changes(
        price in 1_u32..1_000_000, units in 1_u32..1_000, is_short in any::<bool>(),
        is_future in any::<bool>(),
    ) {
        let price = f64::from(price) / 64.0;
        let rows = [[price; 4]; 5];
        let units = f64::from(units) * if is_short { -1.0 } else { 1.0 };
        let acts = [(0, market(0, units)), (2, Act::Close(0, 1.0))];
        let kind = if is_future { AccountKind::Futures } else { AccountKind::Margin };
        let mut config = EngineConfig { cash: 1e9, account: kind.into(), ..EngineConfig::default() };
        config.cash = 1_073_741_824.0;
        config.instrument.is_future = is_future;
        let log = play(&Market::one(&rows), &acts, &config);
        prop_assert_eq!(log.fills.len(), 2);
        prop_assert!(log.states.equity.iter().all(|&equity| equity == config.cash));
        prop_assert_eq!(log.lots[0].best, log.lots[0].worst);
    }

    /// A13: long and short of one path, without costs, add up to nothing.
    #[test]
    fn run_when_two_symbols_of_one_path_are_held_long_and_short_then_equity_is_constant(
        path in prop::collection::vec((15_u32..60, 15_u32..60), 4..12), units in 1_u32..20,
    ) {
        let bars: Vec<_> = path
            .iter()
            .map(|&(o, c)| {
                let (o, c) = (f64::from(o) / 4.0, f64::from(c) / 4.0);
                Some([o, o.max(c) + 0.5, o.min(c) - 0.5, c])
            })
            .collect();
        let units = f64::from(units);
        let acts = [(0, market(0, units)), (0, market(1, -units)), (2, Act::CloseAll)];
        let account = AccountKind::Margin.into();
        let config = EngineConfig { cash: 65_536.0, account, ..EngineConfig::default() };
        let log = play(&Market::many(&[("A", &bars), ("B", &bars)]), &acts, &config);
        prop_assert_eq!(log.fills.len(), 4);
        prop_assert!(log.states.equity.iter().all(|&equity| equity == config.cash));
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

/// A10: least fees count over the fills of an order: 4 of 8 units a day, 1 at least, 0.2 a unit.
#[test]
fn fees_when_an_order_fills_twice_then_its_least_fee_is_paid_once() {
    use tapeworks::broker::Participation;
    let mut market_of = Market::one(&[[10.0; 4]; 4]);
    for row in &mut market_of.rows {
        row.volume = 8.0;
    }
    let commission = Commission::PerShare {
        rate: 0.2,
        min: 1.0,
        max_pct: f64::INFINITY,
        min_scope: MinScope::Order,
    };
    let config = EngineConfig {
        commission,
        participation: Some(Participation::new(0.5)),
        impact: Impact::None,
        ..EngineConfig::default()
    };
    let log = play(&market_of, &[(0, market(0, 8.0))], &config);
    let fees: Vec<f64> = log.fills.iter().map(|fill| fill.commission).collect();
    // 4 x 0.2 = 0.8 is lifted to 1; both fills cost 1.6, of which 1 is paid.
    assert_eq!(fees.len(), 2);
    assert_eq!(fees[0], 1.0);
    assert!((fees[1] - 0.6).abs() < 1e-12);
}
