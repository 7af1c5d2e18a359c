//! Corporate actions on raw prices: worked by hand.

use tapeworks::base::{ActionKind, Actions, Adjustment, AssetId, CorporateAction, Date};
use tapeworks::broker::{
    AccountEventKind, AccountKind, CancelReason, Commission, ExitReason, Lots, OrderEventKind,
    OrderStatus, PositionRule, RejectCode, Slippage,
};
use tapeworks::engine::rules::SmaCross;
use tapeworks::engine::{Distance, EngineConfig, Flow, OrderRequest, RunLog, run};
use tapeworks::records::{RecordKind, Records};

use crate::market::{Act, Market, fills, limit, market, play, stop};

/// The date of bar `bar` of a test market.
pub fn day(bar: usize) -> Date {
    Date::parse("2024-01-01").map_or(Date(0), |d| Date(d.0 + i32::try_from(bar).unwrap_or(0)))
}

pub fn action(asset: u32, bar: usize, kind: ActionKind) -> CorporateAction {
    CorporateAction { asset: AssetId(asset), ex_date: day(bar), kind }
}

pub fn split(asset: u32, bar: usize, ratio: f64) -> CorporateAction {
    action(asset, bar, ActionKind::Split { ratio })
}

pub fn dividend(asset: u32, bar: usize, amount: f64, pays: Option<usize>) -> CorporateAction {
    action(asset, bar, ActionKind::Dividend { amount, pay_date: pays.map(day) })
}

pub fn with(market: Market, adjustment: Adjustment, list: Vec<CorporateAction>) -> Market {
    Market { actions: Some(Actions::new(adjustment, list)), ..market }
}

fn raw(market: Market, list: Vec<CorporateAction>) -> Market {
    with(market, Adjustment::None, list)
}

fn flat(prices: &[f64]) -> Market {
    let bars: Vec<[f64; 4]> = prices.iter().map(|&p| [p; 4]).collect();
    Market::one(&bars)
}

fn margin() -> EngineConfig {
    EngineConfig { account: AccountKind::Margin.into(), ..EngineConfig::default() }
}

fn events(log: &RunLog) -> Vec<(AccountEventKind, f64)> {
    log.account_events.iter().map(|event| (event.kind, event.amount)).collect()
}

/// 10 at 100, split two for one at 50: 20 units; equity stays at 100,000 to the bit.
#[test]
fn split_when_held_then_units_and_prices_are_restated_and_equity_is_unchanged() {
    let market = raw(flat(&[100.0, 100.0, 50.0, 55.0]), vec![split(0, 2, 2.0)]);
    let log = play(
        &market,
        &[(0, crate::market::market(0, 10.0)), (2, Act::CloseAll)],
        &EngineConfig::default(),
    );
    assert_eq!(fills(&log), [(1, 0, 10.0, 100.0), (3, 0, -20.0, 55.0)]);
    assert_eq!(log.states.equity, [100_000.0, 100_000.0, 100_000.0, 100_100.0]);
    assert_eq!(events(&log), [(AccountEventKind::Split, 2.0)]);
    let records = Records::new(log);
    let trades: Vec<_> = records.trades().collect();
    assert_eq!(trades.len(), 1);
    let trade = &trades[0];
    assert_eq!((trade.entry_price, trade.exit_price, trade.entry_quantity), (50.0, 55.0, 20.0));
    assert_eq!((trade.pnl_net, trade.holding_period_bars), (100.0, Some(2)));
    assert_eq!((trade.max_favorable_excursion, trade.max_adverse_excursion), (100.0, 0.0));
    let fifo: Vec<_> = records.trades_fifo().map(|t| (t.entry_price, t.pnl_net)).collect();
    assert_eq!(fifo, [(50.0, 100.0)]);
    // Opened, restated by the split, closed.
    assert_eq!(records.n_rows(RecordKind::Positions), 3);
}

/// 5 units, three for two: 7.5, of which half a unit is paid at the open of 68: 34.
#[test]
fn split_when_it_leaves_part_of_a_lot_then_it_is_paid_in_cash_at_the_open() {
    let costs = EngineConfig {
        commission: Commission::percent(100.0, 0.0),
        slippage: Slippage::Percent { bps: 100.0 },
        ..EngineConfig::default()
    };
    let bars = [[90.0; 4], [90.0; 4], [68.0, 70.0, 60.0, 62.0]];
    let market = raw(Market::one(&bars), vec![split(0, 2, 1.5)]);
    let log = play(&market, &[(0, crate::market::market(0, 5.0))], &costs);
    let entry = 90.0 * 1.01;
    assert_eq!(fills(&log), [(1, 0, 5.0, entry), (2, 0, -0.5, 68.0)], "without costs");
    assert_eq!(log.fills[1].commission, 0.0);
    assert_eq!(log.lots[0].reason, ExitReason::CashInLieu);
    assert_eq!(log.lots[0].entry_price, entry / 1.5);
    let cash = 100_000.0 - 5.0 * entry * 1.01 + 34.0;
    assert!((log.states.cash[2] - cash).abs() < 1e-9);
    assert!((log.states.equity[2] - (cash + 7.0 * 62.0)).abs() < 1e-9);
    // Fractions can be held: nothing is paid.
    let fractional = EngineConfig { lots: Lots::Fractional, ..EngineConfig::default() };
    let log = play(&market, &[(0, crate::market::market(0, 5.0))], &fractional);
    assert_eq!(log.fills.len(), 1);
}

/// One for ten of 4 units: nothing whole is left.
#[test]
fn reverse_split_when_less_than_a_lot_is_left_then_all_is_paid_in_cash() {
    let market = raw(flat(&[5.0, 5.0, 50.0, 50.0]), vec![split(0, 2, 0.1)]);
    let acts = [(0, crate::market::market(0, 4.0)), (1, limit(0, 9.0, 4.0))];
    let log = play(&market, &acts, &EngineConfig::default());
    assert_eq!(fills(&log), [(1, 0, 4.0, 5.0), (2, 0, -0.4, 50.0)]);
    assert_eq!(log.states.equity[3], 100_000.0);
    let cancelled = OrderStatus::Cancelled(CancelReason::SplitRounding);
    assert_eq!(log.orders[1].status, cancelled, "0.9 units are no lot");
}

/// Two for one: a stop at 80 waits at 40, a limit at 130 at 65, a trail of 10 follows by 5.
#[test]
fn split_when_orders_wait_then_their_units_and_prices_are_restated() {
    let bars = [
        [100.0; 4],
        [100.0; 4],
        [50.0; 4],
        [50.0, 64.9, 45.1, 50.0],
        [50.0, 65.0, 50.0, 60.0],
        [60.0; 4],
    ];
    let market = raw(Market::one(&bars), vec![split(0, 2, 2.0)]);
    let trail = OrderRequest::trailing(AssetId(0), -4.0, Distance::Amount(30.0));
    let acts = [
        (0, crate::market::market(0, 10.0)),
        (1, stop(0, -10.0, 80.0)),
        (1, limit(0, -6.0, 130.0)),
        (1, Act::Order(trail)),
    ];
    let log = play(&market, &acts, &margin());
    assert_eq!(fills(&log)[1..], [(4, 0, -12.0, 65.0)]);
    assert_eq!((log.orders[1].quantity, log.orders[1].stop), (-20.0, 40.0));
    assert_eq!((log.orders[3].quantity, log.orders[3].stop), (-8.0, 65.0 - 15.0));
    let told: Vec<_> = log
        .order_events
        .iter()
        .filter(|event| event.order.0 == 2)
        .map(|event| (event.kind, event.old, event.new))
        .collect();
    assert_eq!(told[0], (OrderEventKind::Split, 6.0, 12.0));
    assert_eq!(told[1], (OrderEventKind::ReplacedLimit, 130.0, 65.0));
    // The table of orders tells the units of each time: submitted for 6, restated, filled with 12.
    let records = Records::new(log);
    let rows: Vec<_> = records.batches(RecordKind::Orders, 100).collect();
    let quantity = rows[0].column_by_name("quantity").expect("a column");
    let quantity = arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(quantity);
    let ids = rows[0].column_by_name("order_id").expect("a column");
    let ids = arrow::array::AsArray::as_primitive::<arrow::datatypes::UInt32Type>(ids);
    let of_two: Vec<f64> =
        (0..rows[0].num_rows()).filter(|&r| ids.value(r) == 2).map(|r| quantity.value(r)).collect();
    assert_eq!(of_two.first().zip(of_two.last()), Some((&6.0, &12.0)));
}

/// A stop-loss of 10 % and a trail of 20 %: bases of 100 and 50 on either side of the split.
#[test]
fn split_when_rules_follow_a_position_then_their_levels_are_restated() {
    let rules = |rule| EngineConfig { rules: vec![rule], ..EngineConfig::default() };
    let bars =
        [[100.0; 4], [100.0; 4], [50.0; 4], [50.0, 50.0, 45.5, 46.0], [46.0, 46.0, 44.0, 45.0]];
    let market = raw(Market::one(&bars), vec![split(0, 2, 2.0)]);
    let log =
        play(&market, &[(0, crate::market::market(0, 3.0))], &rules(PositionRule::StopLoss(0.1)));
    assert_eq!(fills(&log)[1..], [(4, 0, -6.0, 45.0)]);
    assert_eq!(log.lots[0].stop_level, 45.0);
}

/// 10 units, 1.50 a unit on bar 2, paid on bar 4: equity has it from bar 2, cash from bar 4. The
/// price falls by as much, so the total return is 0 throughout (A11).
#[test]
fn dividend_when_the_price_falls_by_it_then_the_total_return_is_zero() {
    let prices = flat(&[100.0, 100.0, 98.5, 98.5, 98.5]);
    for pays in [Some(4), Some(2), None] {
        let market = raw(prices.clone(), vec![dividend(0, 2, 1.5, pays)]);
        let log = play(&market, &[(0, crate::market::market(0, 10.0))], &EngineConfig::default());
        assert_eq!(log.states.equity, [100_000.0; 5], "paid on {pays:?}");
        let paid = if pays == Some(4) { 99_000.0 } else { 99_015.0 };
        assert_eq!(log.states.cash[1..], [99_000.0, paid, paid, 99_015.0]);
        assert_eq!(log.states.dividends, [0.0, 0.0, 15.0, 15.0, 15.0]);
        let waiting = if pays == Some(4) { 15.0 } else { 0.0 };
        assert_eq!(log.states.receivable, [0.0, 0.0, waiting, waiting, 0.0]);
        assert!(log.states.flows.is_empty(), "a dividend is no deposit");
        let records = Records::new(log);
        let trade = records.trades().next().expect("one trade");
        assert_eq!((trade.pnl_gross, trade.dividends, trade.pnl_net), (-15.0, 15.0, 0.0));
        assert_eq!(records.cost_totals().dividends, 15.0);
        assert_eq!(records.cost_totals().paid(), 0.0, "income is no cost");
    }
}

/// Who buys at the open of the ex-date gets nothing; who sells there gets it; a short pays.
#[test]
fn dividend_when_bought_or_sold_on_the_ex_date_then_the_holder_of_the_day_before_has_it() {
    let of = |acts: &[(usize, Act)]| {
        let market = raw(flat(&[10.0, 10.0, 9.0, 9.0]), vec![dividend(0, 2, 1.0, None)]);
        let log = play(&market, acts, &margin());
        let equity = *log.states.equity.last().expect("rows");
        (equity, Records::new(log).trades().map(|t| t.dividends).collect::<Vec<_>>())
    };
    assert_eq!(of(&[(1, market(0, 8.0))]), (100_000.0, vec![0.0]));
    assert_eq!(of(&[(0, market(0, 8.0)), (1, Act::CloseAll)]), (100_000.0, vec![8.0]));
    assert_eq!(of(&[(0, market(0, -8.0))]), (100_000.0, vec![-8.0]));
    // A part sold takes its share.
    let parts = of(&[(0, market(0, 8.0)), (2, market(0, -2.0))]);
    assert_eq!(parts, (100_000.0, vec![2.0, 6.0]));
}

/// A split and a dividend of one day: the dividend is a unit after the split.
#[test]
fn dividend_when_a_split_is_on_the_same_day_then_it_counts_new_units() {
    let list = vec![dividend(0, 2, 1.0, None), split(0, 2, 2.0)];
    let log = play(
        &raw(flat(&[100.0, 100.0, 49.0]), list),
        &[(0, market(0, 10.0))],
        &EngineConfig::default(),
    );
    assert_eq!(log.states.equity, [100_000.0; 3]);
}

/// Actions before the first row, or on days without rows, do nothing, or wait for the next row.
#[test]
fn action_when_its_day_has_no_row_then_it_takes_effect_on_the_next() {
    let list = vec![Some([10.0; 4]), Some([10.0; 4]), None, Some([5.0; 4])];
    let base = Market::many(&[("A", &list)]);
    let early = CorporateAction { ex_date: Date(day(0).0 - 40), ..split(0, 0, 7.0) };
    let log = play(
        &raw(base, vec![early, split(0, 2, 2.0), split(0, 9, 3.0)]),
        &[(0, market(0, 4.0))],
        &EngineConfig::default(),
    );
    assert_eq!(log.states.equity, [100_000.0; 3]);
    assert_eq!(events(&log), [(AccountEventKind::Split, 2.0)]);
}

/// Merged for 12 in cash: sold at 12 without costs, orders gone, later ones refused.
#[test]
fn merger_when_for_cash_then_the_position_is_paid_out_and_the_symbol_has_ended() {
    let costs =
        EngineConfig { commission: Commission::percent(100.0, 0.0), ..EngineConfig::default() };
    let a = [Some([10.0; 4]), Some([10.0; 4]), None, None];
    let b = [Some([1.0; 4]); 4];
    let base = Market::many(&[("A", &a), ("B", &b)]);
    let merger = ActionKind::Merger { cash: 12.0, into: None };
    let acts =
        [(0, market(0, 10.0)), (1, stop(0, -10.0, 9.0)), (2, market(0, 1.0)), (2, market(1, 1.0))];
    let log = play(&raw(base, vec![action(0, 2, merger)]), &acts, &costs);
    assert_eq!(fills(&log)[..2], [(1, 0, 10.0, 10.0), (2, 0, -10.0, 12.0)]);
    assert_eq!(log.fills[1].commission, 0.0);
    assert_eq!(log.lots[0].reason, ExitReason::Delisted);
    assert_eq!(log.states.equity[2], 100_000.0 - 101.0 + 120.0);
    assert_eq!(log.orders[1].status, OrderStatus::Cancelled(CancelReason::Delisted));
    let refused: Vec<_> = log.rejections.iter().map(|r| r.code).collect();
    assert_eq!(refused, [RejectCode::Delisted]);
    assert_eq!(events(&log), [(AccountEventKind::Merger, 10.0)]);
}

/// 7 units become one and a half of B each and 1 in cash: 10 units of B, and cash for the half.
#[test]
fn merger_when_for_units_then_they_are_held_on_at_the_last_price() {
    let a = [Some([13.0; 4]), Some([13.0; 4]), None, None];
    let b = [Some([8.0; 4]), Some([8.0; 4]), Some([8.0; 4]), Some([9.0; 4])];
    let merger = ActionKind::Merger { cash: 1.0, into: Some((AssetId(1), 1.5)) };
    let base = Market::many(&[("A", &a), ("B", &b)]);
    let log = play(
        &raw(base, vec![action(0, 2, merger)]),
        &[(0, market(0, 7.0))],
        &EngineConfig::default(),
    );
    assert_eq!(fills(&log), [(1, 0, 7.0, 13.0), (2, 0, -7.0, 13.0), (2, 1, 10.0, 8.0)]);
    assert_eq!(log.states.equity, [100_000.0, 100_000.0, 100_000.0, 100_010.0]);
    assert_eq!(log.lots[0].reason, ExitReason::Exchanged);
}

/// A goes on as B, whose first row is the ex-date: the value is carried over.
#[test]
fn rename_when_held_then_the_position_goes_on_under_the_new_name() {
    let a = [Some([10.0; 4]), Some([11.0; 4]), None, None];
    let b = [None, None, Some([11.5; 4]), Some([12.0; 4])];
    let base = Market::many(&[("A", &a), ("B", &b)]);
    let rename = ActionKind::Rename { into: AssetId(1) };
    let log = play(
        &raw(base, vec![action(0, 2, rename)]),
        &[(0, market(0, -4.0)), (2, Act::CloseAll)],
        &margin(),
    );
    assert_eq!(
        fills(&log),
        [(1, 0, -4.0, 11.0), (2, 0, 4.0, 11.0), (2, 1, -4.0, 11.0), (3, 1, 4.0, 12.0)]
    );
    assert_eq!(log.states.equity[1..], [100_000.0, 99_998.0, 99_996.0]);
}

/// The rule on raw prices with a view of splits trades as on adjusted prices; without the view the
/// split looks like a fall.
#[test]
fn rule_when_the_past_is_restated_then_it_trades_as_on_adjusted_prices() {
    let adjusted: Vec<f64> = (0..60).map(|k| 100.0 + f64::from((k * k) % 23)).collect();
    let raw_prices: Vec<f64> =
        adjusted.iter().enumerate().map(|(k, p)| if k < 30 { p * 4.0 } else { *p }).collect();
    let play = |market: &Market, quantity: f64| {
        let mut rule = SmaCross::new(3, 8, quantity).expect("a rule");
        let config = EngineConfig {
            lots: Lots::Fractional,
            check_invariants: true,
            ..EngineConfig::default()
        };
        run(&mut market.feed(7), &mut rule, &config, &mut |_| Flow::Continue).expect("it runs")
    };
    let bars = |log: &RunLog| fills(log).iter().map(|f| (f.0, f.2 > 0.0)).collect::<Vec<_>>();
    let wanted = bars(&play(&flat(&adjusted), 1.0));
    assert!(wanted.len() > 4, "trades on both sides of the split: {wanted:?}");
    let list = vec![split(0, 30, 4.0)];
    let seen = |adjustment| with(flat(&raw_prices), adjustment, list.clone());
    assert_eq!(bars(&play(&seen(Adjustment::Split), 1.0)), wanted);
    assert_eq!(bars(&play(&seen(Adjustment::Total), 1.0)), wanted);
    assert_ne!(bars(&play(&seen(Adjustment::None), 1.0)), wanted);
}

/// P4: a split or a dividend on the next bar changes no decision and no fill up to this one, in any
/// view of the past, at every bar.
#[test]
fn view_when_an_action_comes_next_then_decisions_up_to_now_are_unchanged() {
    let prices: Vec<f64> = (0..40).map(|k| 100.0 + f64::from((k * k) % 23)).collect();
    let play = |market: &Market| {
        let mut rule = SmaCross::new(2, 5, 1.0).expect("a rule");
        let config = EngineConfig { lots: Lots::Fractional, ..EngineConfig::default() };
        run(&mut market.feed(7), &mut rule, &config, &mut |_| Flow::Continue).expect("it runs")
    };
    let plain = play(&flat(&prices));
    let until = |log: &RunLog, bar: usize| {
        let orders = log.orders.iter().filter(|order| order.created <= crate::market::at(bar));
        let sent: Vec<_> = orders.map(|order| (order.created, order.asset)).collect();
        (sent, fills(log).into_iter().filter(|fill| fill.0 <= bar).collect::<Vec<_>>())
    };
    for adjustment in [Adjustment::None, Adjustment::Split, Adjustment::Total] {
        for bar in 0..prices.len() - 1 {
            let next = vec![split(0, bar + 1, 4.0), dividend(0, bar + 1, 2.0, None)];
            let log = play(&with(flat(&prices), adjustment, next));
            assert_eq!(until(&log, bar), until(&plain, bar), "{adjustment:?} after {bar}");
        }
    }
}
