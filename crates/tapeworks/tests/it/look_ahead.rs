//! Room `engine`: the no-look-ahead contract N1-N8.

use proptest::prelude::*;
use proptest::sample::select;
use tapeworks::broker::{Commission, OrderEventKind, PositionRule, TierBy, TimeInForce};
use tapeworks::engine::{
    Distance, EngineConfig, ExitPrice, OrderRequest, ReleaseOn, RunLog, Size, TrailTerms,
};

use crate::market::{Act, Market, Row, at, fills, limit, market, play, play_chunked, stop};
use crate::random::{MAX_BARS, config, draws, market_of, script};

fn is_final(kind: OrderEventKind) -> bool {
    kind == OrderEventKind::LiveAtEnd
}

/// What of a log belongs to the time up to the callback of a bar, as text; f64 prints every bit.
fn history(log: &RunLog, n_orders: usize, bar: usize) -> Vec<String> {
    let until = at(bar);
    let mut lines = Vec::new();
    // Prices and sizes of an order may change later; its events, which are dated, say when.
    for order in &log.orders[..n_orders.min(log.orders.len())] {
        lines.push(format!(
            "{} {:?} {} {:?} {:?} {} {}",
            order.created,
            order.asset,
            order.tag,
            order.kind,
            order.origin,
            order.reason.as_str(),
            order.reduce_only
        ));
    }
    let events = log.account_events.iter().filter(|event| event.timestamp <= until);
    lines.extend(events.map(|event| format!("{event:?}")));
    lines.extend(log.fills.iter().filter(|f| f.timestamp <= until).map(|f| format!("{f:?}")));
    lines.extend(log.rejections.iter().filter(|r| r.timestamp <= until).map(|r| format!("{r:?}")));
    let events = log.order_events.iter().filter(|e| e.timestamp <= until && !is_final(e.kind));
    lines.extend(events.map(|event| format!("{event:?}")));
    let lots = log.lots.iter().filter(|lot| lot.exit_fill.is_some());
    lines.extend(lots.filter(|lot| lot.exit_timestamp <= until).map(|lot| format!("{lot:?}")));
    let states = &log.states;
    for i in 0..states.timestamp.partition_point(|&t| t <= until) {
        lines.push(format!(
            "{} {} {} {} {} {} {}",
            states.timestamp[i],
            states.equity[i],
            states.cash[i],
            states.positions_value[i],
            states.gross_exposure[i],
            states.fees[i],
            states.n_positions[i]
        ));
    }
    let n_values = log.layout.n_values();
    lines.extend(
        log.decision_values.chunks(n_values.max(1)).take(n_orders).map(|v| format!("{v:?}")),
    );
    lines
}

fn with_future(market: &Market, bar: usize, future: Vec<Row>) -> Market {
    let mut market = market.clone();
    market.rows.retain(|row| row.bar <= bar);
    market.rows.extend(future);
    market
}

proptest! {
    #![proptest_config(draws(4_000))]

    /// N4 (and with it N1): no future changes the past.
    #[test]
    fn past_when_the_future_is_replaced_then_unchanged(
        (market, noise, acts, config) in (1_u32..=3)
            .prop_flat_map(|n| (market_of(n), market_of(n), script(n), config())),
        bar in 0..MAX_BARS,
        rise in select(vec![1.0, 1000.0, 0.125]),
    ) {
        let market = market.with_signal("score", |bar, asset| bar as f64 + f64::from(asset) / 8.0);
        let nothing = with_future(&market, bar, Vec::new());
        let base = play(&nothing, &acts, &config);
        let n_orders = base.orders.len();
        let want = history(&base, n_orders, bar);
        let noise: Vec<Row> = noise
            .rows
            .into_iter()
            .filter(|row| row.bar > bar)
            .map(|row| Row { ohlc: row.ohlc.map(|p| p * rise), signals: vec![f64::NAN; 3], ..row })
            .collect();
        let nan: Vec<Row> = market
            .rows
            .iter()
            .filter(|row| row.bar > bar)
            .map(|row| Row { ohlc: [f64::NAN; 4], ..row.clone() })
            .collect();
        for (name, market) in [
            ("real", market.clone()),
            ("noise", with_future(&market, bar, noise)),
            ("nan", with_future(&market, bar, nan)),
        ] {
            let log = play(&market, &acts, &config);
            let got = history(&log, n_orders, bar);
            for (got, want) in got.iter().zip(&want) {
                prop_assert_eq!(got, want, "{} future", name);
            }
            prop_assert_eq!(got.len(), want.len(), "{} future", name);
        }
    }

    /// N8: how the feed is cut does not matter.
    #[test]
    fn log_when_chunks_differ_then_equal(
        (market, acts, config) in (1_u32..=3)
            .prop_flat_map(|n| (market_of(n), script(n), config()))
    ) {
        let market = market.with_signal("score", |bar, asset| bar as f64 + f64::from(asset) / 8.0);
        let whole = format!("{:?}", play_chunked(&market, &acts, &config, 1000).0);
        for chunk_len in [1, 2, 7] {
            let log = play_chunked(&market, &acts, &config, chunk_len).0;
            prop_assert_eq!(&format!("{log:?}"), &whole, "chunks of {}", chunk_len);
        }
    }

    /// N2: at the callback everything that could fill has filled, and shows.
    #[test]
    fn callback_when_called_then_sees_all_fills_of_its_bar(
        (market, acts, config) in (1_u32..=3)
            .prop_flat_map(|n| (market_of(n), script(n), config()))
    ) {
        let (log, seen) = play_chunked(&market, &acts, &config, 3);
        prop_assert_eq!(seen.len(), log.states.timestamp.len());
        for (i, seen) in seen.iter().enumerate() {
            let now = at(seen.bar);
            let mut held = vec![0.0_f64; market.symbols.len()];
            for fill in log.fills.iter().filter(|fill| fill.timestamp <= now) {
                held[fill.asset.index()] += fill.quantity;
            }
            for (sum, units) in held.iter().zip(&seen.quantities) {
                prop_assert!((sum - units).abs() < 1e-9);
            }
            let n_fills = log.fills.iter().filter(|fill| fill.timestamp == now).count();
            prop_assert_eq!(seen.fills, n_fills);
            prop_assert_eq!((seen.cash, seen.equity), (log.states.cash[i], log.states.equity[i]));
            for &order in &seen.open_orders {
                if config.participation.is_some() {
                    continue;
                }
                let filled = log.fills.iter().find(|fill| fill.order.0 == order);
                prop_assert!(filled.is_none_or(|fill| fill.timestamp > now), "order {order}");
            }
        }
    }

    /// N5: symbols meet only in cash and equity; with plenty of one and no use of the other,
    /// leaving symbols out or reordering them changes nothing for the rest.
    #[test]
    fn symbols_when_others_leave_or_move_then_their_fills_stay(
        (market, acts, config) in (2_u32..=4)
            .prop_flat_map(|n| (market_of(n), script(n), config())),
        left_out in 0_u32..4,
    ) {
        let mut config = EngineConfig {
            cash: 1e12,
            limits: Vec::new(),
            funding: Vec::new(),
            instruments: std::collections::BTreeMap::new(),
            ..config
        };
        // A month's volume is the account's, and so are the rates that follow it.
        if let Commission::Tiered { by, .. } = &mut config.commission {
            *by = TierBy::Fill;
        }
        let n = u32::try_from(market.symbols.len()).unwrap();
        let left_out = left_out % n;
        // Old ids of the symbols that stay, in their new order: reversed.
        let order: Vec<u32> = (0..n).rev().filter(|&asset| asset != left_out).collect();
        let new_id = |old: u32| order.iter().position(|&a| a == old).map(|a| u32::try_from(a).unwrap());
        let acts: Vec<_> = acts
            .into_iter()
            .filter(|(bar, act)| {
                // The sessions of a `day` order are those of all symbols' rows.
                !needs_sessions(act)
                    && asset_of(act).is_some_and(|asset| market.row(*bar, asset).is_some())
            })
            .collect();
        let mut other = Market { rows: Vec::new(), ..market.clone() };
        other.symbols.truncate(order.len());
        for row in &market.rows {
            other.rows.extend(new_id(row.asset).map(|asset| Row { asset, ..row.clone() }));
        }
        other.rows.sort_by_key(|row| (row.bar, row.asset));
        let other_acts: Vec<_> = acts
            .iter()
            .filter_map(|(bar, act)| Some((*bar, moved(act, new_id(asset_of(act)?)?))))
            .collect();
        let all = play(&market, &acts, &config);
        let some = play(&other, &other_acts, &config);
        for &old in &order {
            let of = |log: &RunLog, asset: u32| -> Vec<_> {
                let fills = log.fills.iter().filter(|fill| fill.asset.0 == asset);
                fills
                    .map(|f| {
                        let bits = [f.quantity, f.base_price, f.price, f.commission].map(f64::to_bits);
                        (f.timestamp, bits, f.phase, f.reason, f.flags)
                    })
                    .collect()
            };
            prop_assert_eq!(of(&all, old), of(&some, new_id(old).unwrap()), "symbol {}", old);
        }
    }
}

/// Whether an order of an act lives by sessions.
fn needs_sessions(act: &Act) -> bool {
    let is_day = |order: &OrderRequest| order.tif == TimeInForce::Day;
    match act {
        Act::Order(order) => is_day(order),
        Act::Oco(orders) => orders.iter().any(is_day),
        Act::Oto(parent, _, children) => is_day(parent) || children.iter().any(is_day),
        _ => false,
    }
}

/// The one symbol that an act is about, when it depends on nothing else.
fn asset_of(act: &Act) -> Option<u32> {
    match act {
        Act::Order(order) if matches!(order.size, Size::Percent(_)) => None,
        // Days are those of all symbols.
        Act::Order(order) if order.tif == TimeInForce::Day => None,
        // Cash would bind.
        Act::Order(order) if matches!(order.size, Size::Quantity(u) if u.abs() > 1e6) => None,
        Act::Order(order) => Some(order.asset.0),
        Act::Close(asset, _) | Act::TargetQuantity(asset, _) | Act::TargetValue(asset, _) => {
            Some(*asset)
        }
        Act::SetRules(asset, _) | Act::CancelAll(asset) => *asset,
        Act::Oco(orders) => all_of(orders),
        Act::Oto(parent, _, orders) => {
            all_of(std::slice::from_ref(parent)).and_then(|_| all_of(orders))
        }
        _ => None,
    }
}

/// The symbol of orders of one symbol, none of which depends on anything else.
fn all_of(orders: &[OrderRequest]) -> Option<u32> {
    let assets: Option<Vec<u32>> =
        orders.iter().map(|order| asset_of(&Act::Order(*order))).collect();
    assets?.first().copied()
}

fn moved(act: &Act, to: u32) -> Act {
    match act.clone() {
        Act::Order(mut order) => {
            order.asset.0 = to;
            Act::Order(order)
        }
        Act::Oco(mut orders) => {
            for order in &mut orders {
                order.asset.0 = to;
            }
            Act::Oco(orders)
        }
        Act::Oto(mut parent, on, mut orders) => {
            parent.asset.0 = to;
            for order in &mut orders {
                order.asset.0 = to;
            }
            Act::Oto(parent, on, orders)
        }
        Act::CancelAll(_) => Act::CancelAll(Some(to)),
        Act::Close(_, fraction) => Act::Close(to, fraction),
        Act::TargetQuantity(_, units) => Act::TargetQuantity(to, units),
        Act::TargetValue(_, currency) => Act::TargetValue(to, currency),
        Act::SetRules(_, rules) => Act::SetRules(Some(to), rules),
        other => other,
    }
}

/// N3: in at the next open, seen there, out at the open after it.
#[test]
fn whipsaw_when_entered_and_left_on_consecutive_bars_then_one_trade_of_one_bar() {
    let rows = [
        [100.0, 101.0, 99.0, 100.0],
        [102.0, 103.0, 101.0, 102.0],
        [104.0, 105.0, 103.0, 104.0],
        [106.0, 107.0, 105.0, 106.0],
    ];
    let acts = [(0, market(0, 10.0)), (1, Act::Close(0, 1.0))];
    let (log, seen) = play_chunked(&Market::one(&rows), &acts, &EngineConfig::default(), 1);
    assert_eq!(fills(&log), [(1, 0, 10.0, 102.0), (2, 0, -10.0, 104.0)]);
    let held: Vec<_> = seen.iter().map(|seen| seen.quantities[0]).collect();
    assert_eq!(held, [0.0, 10.0, 0.0, 0.0]);
    let open: Vec<_> = seen.iter().map(|seen| seen.open_orders.len()).collect();
    assert_eq!(open, [0, 0, 0, 0], "nothing waits at the callback");
    assert_eq!(log.lots.len(), 1);
    assert_eq!(log.lots[0].bars_held, 1);
}

/// N1: the extremes of the deciding row are perfect for these orders, and of no use to them.
#[test]
fn order_when_the_deciding_row_would_fill_it_then_it_waits_for_the_next() {
    let rows =
        [[100.0, 150.0, 50.0, 100.0], [100.0, 101.0, 99.0, 100.0], [100.0, 101.0, 99.0, 100.0]];
    let asset = tapeworks::base::AssetId(0);
    let far =
        TrailTerms { distance: Distance::Amount(20.0), limit_offset: None, activate: Some(130.0) };
    let waits = [
        limit(0, 1.0, 60.0),
        stop(0, 1.0, 140.0),
        Act::Order(OrderRequest::stop_limit(asset, 1.0, 140.0, 145.0)),
        Act::Order(OrderRequest::trailing(asset, 1.0, Distance::Fraction(0.25))),
        Act::Order(OrderRequest { trail: Some(far), ..OrderRequest::market(asset, 1.0) }),
        Act::Oco(vec![
            OrderRequest::limit(asset, 1.0, 60.0),
            OrderRequest::stop(asset, 1.0, 140.0),
        ]),
        Act::Oto(
            OrderRequest::limit(asset, 1.0, 60.0),
            ReleaseOn::Complete,
            vec![OrderRequest::market(asset, 1.0)],
        ),
        Act::Order(
            OrderRequest::limit(asset, 1.0, 60.0)
                .with_exits(Some(ExitPrice::Price(55.0)), Some(ExitPrice::Fraction(0.5))),
        ),
    ];
    let mut acts: Vec<(usize, Act)> = waits.into_iter().map(|act| (0, act)).collect();
    acts.push((0, market(0, 1.0)));
    acts.push((0, Act::Order(OrderRequest::on_close(asset, 1.0))));
    let config =
        EngineConfig { rules: vec![PositionRule::TakeProfit(0.4)], ..EngineConfig::default() };
    let log = play(&Market::one(&rows), &acts, &config);
    assert_eq!(fills(&log), [(1, 0, 1.0, 100.0), (1, 0, 1.0, 100.0)]);
}

/// N1: exits that come to life with a fill meet what follows that fill, and not the row before it.
#[test]
fn children_when_their_parent_fills_then_nothing_before_counts() {
    let asset = tapeworks::base::AssetId(0);
    let entry = OrderRequest::market(asset, 1.0)
        .with_exits(Some(ExitPrice::Price(80.0)), Some(ExitPrice::Price(120.0)));
    let rows = [
        [100.0, 150.0, 50.0, 100.0],
        [100.0, 110.0, 90.0, 100.0],
        [100.0, 121.0, 90.0, 100.0],
        [100.0, 150.0, 50.0, 100.0],
    ];
    let log = play(&Market::one(&rows), &[(0, Act::Order(entry))], &EngineConfig::default());
    assert_eq!(fills(&log), [(1, 0, 1.0, 100.0), (2, 0, -1.0, 120.0)]);
}

/// N7: the test of what an account can pay takes other symbols at their open, whatever follows.
#[test]
fn margin_when_another_symbol_falls_later_in_the_row_then_the_open_decides() {
    use tapeworks::broker::AccountKind;
    let a = [Some([100.0; 4]), Some([100.0; 4]), Some([100.0, 100.0, 1.0, 1.0])];
    let b = [Some([10.0; 4]), Some([10.0; 4]), Some([10.0; 4])];
    let acts = [(0, market(0, 10.0)), (1, market(1, 90.0))];
    let account = AccountKind::Margin.into();
    let config = EngineConfig { cash: 1_000.0, account, ..EngineConfig::default() };
    let log = play(&Market::many(&[("A", &a), ("B", &b)]), &acts, &config);
    // At the opens equity is 1,000 and 50 % of 1,000 + 900 is 950.
    assert_eq!(fills(&log), [(1, 0, 10.0, 100.0), (2, 1, 90.0, 10.0)]);
}
