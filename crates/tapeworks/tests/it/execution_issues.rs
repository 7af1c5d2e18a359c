//! Cases that once went wrong, each found by the twin of `naive` and checked by hand.

use tapeworks::base::AssetId;
use tapeworks::broker::{
    AccountKind, CancelReason, Change, ExitReason, ExpireReason, FillFlags, Impact, Instrument,
    LimitAction, LimitKind, OrderEvent, OrderEventKind, OrderOrigin, OrderStatus, Participation,
    PortfolioLimit, PositionRule, RejectCode, Slippage, TimeInForce,
};
use tapeworks::engine::{
    Distance, EngineConfig, ExitPrice, OrderRequest, ReleaseOn, RunLog, Size, TrailTerms,
};

use crate::market::{Act, Market, fills, limit, market, play, stop};

const A: AssetId = AssetId(0);
const FLAT: [f64; 4] = [7.5; 4];

fn margin(cash: f64) -> EngineConfig {
    EngineConfig { cash, account: AccountKind::Margin.into(), ..EngineConfig::default() }
}

fn run(bars: &[[f64; 4]], acts: Vec<Act>, config: &EngineConfig) -> RunLog {
    let acts: Vec<_> = acts.into_iter().map(|act| (0, act)).collect();
    play(&Market::one(bars), &acts, config)
}

fn trail(distance: f64, activate: Option<f64>) -> TrailTerms {
    TrailTerms { distance: Distance::Amount(distance), limit_offset: None, activate }
}

fn statuses(log: &RunLog) -> Vec<OrderStatus> {
    log.orders.iter().map(|order| order.status).collect()
}

fn both_exits() -> (Option<ExitPrice>, Option<ExitPrice>) {
    (Some(ExitPrice::Fraction(0.125)), Some(ExitPrice::Fraction(0.125)))
}

#[test]
fn issue_bracket_when_its_entry_is_refused_then_only_the_entry_is_a_refusal() {
    let (stop_loss, take_profit) = both_exits();
    for size in [0.0, f64::NAN] {
        let entry = OrderRequest::market(A, size).with_exits(stop_loss, take_profit);
        let log = run(&[FLAT; 2], vec![Act::Order(entry)], &EngineConfig::default());
        assert_eq!(log.rejections.len(), 1, "{size}");
        let gone = OrderStatus::Cancelled(CancelReason::ParentDone);
        assert_eq!(statuses(&log)[1..], [gone, gone], "{size}");
    }
}

#[test]
fn issue_children_when_their_entry_never_fills_then_they_are_held_to_the_end() {
    let (stop_loss, take_profit) = both_exits();
    let entry = OrderRequest::limit(A, 1.0, 5.0).with_exits(stop_loss, take_profit);
    let log = run(&[FLAT; 3], vec![Act::Order(entry)], &EngineConfig::default());
    let want = [OrderStatus::LiveAtEnd, OrderStatus::Held, OrderStatus::Held];
    assert_eq!(statuses(&log), want);
}

#[test]
fn issue_price_band_when_an_exit_is_a_fraction_then_it_is_no_limit_yet() {
    let entry = OrderRequest::market(A, 1.0).with_exits(None, Some(ExitPrice::Fraction(0.125)));
    let mut config = EngineConfig::default();
    config.account.price_band = 0.25;
    let log = run(&[FLAT; 2], vec![Act::Order(entry)], &config);
    assert!(log.rejections.is_empty(), "{:?}", log.rejections);
}

#[test]
fn issue_order_count_when_an_entry_has_exits_then_they_do_not_count() {
    let (stop_loss, take_profit) = both_exits();
    let entry = OrderRequest::market(A, 1.0).with_exits(stop_loss, take_profit);
    let limits = vec![PortfolioLimit { kind: LimitKind::MaxOrders(1), action: LimitAction::Warn }];
    let config = EngineConfig { limits, ..EngineConfig::default() };
    let log = run(&[FLAT; 2], vec![Act::Order(entry)], &config);
    assert!(log.rejections.is_empty(), "{:?}", log.rejections);
    assert_eq!(fills(&log), [(1, 0, 1.0, 7.5)]);
}

/// Long 1 from 7.5; the row fell to 7 before or after it touched the limit of the flip.
#[test]
fn issue_excursion_when_a_flip_ends_a_position_then_the_adverse_extreme_counts() {
    let rows = [FLAT, FLAT, [7.5, 9.0, 7.0, 8.5]];
    let acts = [(0, market(0, 1.0)), (1, limit(0, -2.0, 8.0))];
    let log = play(&Market::one(&rows), &acts, &margin(37.0));
    assert_eq!(fills(&log)[1], (2, 0, -2.0, 8.0));
    assert_eq!((log.lots[0].best, log.lots[0].worst), (8.0, 7.0));
}

/// The sale is worth 11 when the entry fills at the open, and never 7: the row's low is 7.5.
#[test]
fn issue_order_after_a_fill_when_it_is_satisfied_then_its_price_lies_in_the_row() {
    let rows = [FLAT, [11.0, 11.0, 7.5, 7.5]];
    let exit = OrderRequest::limit(A, -1.0, 7.0);
    let acts = vec![Act::Oto(OrderRequest::market(A, 1.0), ReleaseOn::Complete, vec![exit])];
    for config in [EngineConfig::default(), margin(37.0)] {
        let log = run(&rows, acts.clone(), &config);
        assert_eq!(fills(&log), [(1, 0, 1.0, 11.0), (1, 0, -1.0, 11.0)]);
    }
}

#[test]
fn issue_volume_cost_when_the_instrument_has_no_volume_then_it_is_nothing() {
    let mut one = Market::one(&[FLAT; 2]);
    one.rows.iter_mut().for_each(|row| row.volume = 8.0);
    for (slippage, impact) in [
        (Slippage::VolumeShare { coefficient: 0.25 }, Impact::None),
        (Slippage::None, Impact::Linear { coefficient: 0.25 }),
    ] {
        let instrument = Instrument { has_volume: false, ..Instrument::default() };
        let config = EngineConfig { slippage, impact, instrument, ..EngineConfig::default() };
        let log = play(&one, &[(0, market(0, 4.0))], &config);
        assert_eq!(fills(&log), [(1, 0, 4.0, 7.5)]);
        assert!(log.fills[0].flags.has(FillFlags::NO_VOLUME_COST));
    }
}

#[test]
fn issue_margin_when_the_order_is_beyond_all_figures_then_it_is_refused() {
    let mut one = Market::one(&[FLAT; 2]);
    one.rows.iter_mut().for_each(|row| row.volume = 8.0);
    let config = EngineConfig { impact: Impact::Linear { coefficient: 0.125 }, ..margin(37.0) };
    let log = play(&one, &[(0, market(0, 1e302))], &config);
    assert!(log.fills.is_empty() && log.rejections.len() == 1, "{:?}", log.fills);
}

/// The trail starts where the entry filled: at 7, not at the 12 of the row in which it was sent.
#[test]
fn issue_trail_when_it_waits_for_an_entry_then_it_starts_at_its_fill() {
    let rows = [[12.0; 4], [12.0; 4], [7.0, 8.0, 6.5, 8.0], [8.0, 8.0, 6.5, 6.5]];
    let exit = OrderRequest::trailing(A, -1.0, Distance::Amount(1.0));
    let entry = OrderRequest::limit(A, 1.0, 9.0);
    let acts = vec![Act::Oto(entry, ReleaseOn::Complete, vec![exit])];
    let log = run(&rows, acts, &EngineConfig::default());
    // At the open of row 2 it starts at 7 and rises to 8 with the row's high; 8 - 1 = 7.
    assert_eq!(fills(&log), [(2, 0, 1.0, 7.0), (3, 0, -1.0, 7.0)]);
}

#[test]
fn issue_activate_when_no_row_has_reached_it_then_the_exit_sleeps() {
    let entry =
        OrderRequest { trailing_exit: Some(trail(0.5, Some(8.5))), ..OrderRequest::market(A, 1.0) };
    let rows = [FLAT, [8.0, 8.0, 7.0, 7.5], [7.5, 9.0, 7.5, 9.0], [9.0, 9.0, 8.0, 8.0]];
    let log = run(&rows, vec![Act::Order(entry)], &EngineConfig::default());
    // Row 2 reaches 8.5; from row 3 on 9 - 0.5 stands.
    assert_eq!(fills(&log), [(1, 0, 1.0, 8.0), (3, 0, -1.0, 8.5)]);
}

#[test]
fn issue_replace_when_a_market_order_gets_a_limit_then_it_stays_a_market_order() {
    let change = Change { quantity: f64::NAN, limit: 7.0, stop: f64::NAN, trail: f64::NAN };
    let rows = [FLAT, [11.5, 11.5, 7.5, 7.5]];
    let acts = vec![market(0, 1.0), Act::Replace(0, change)];
    let log = run(&rows, acts, &EngineConfig::default());
    assert_eq!(fills(&log), [(1, 0, 1.0, 11.5)]);
}

#[test]
fn issue_replace_when_the_entry_of_a_bracket_grows_then_its_exit_grows() {
    let change = Change { quantity: 10.0, limit: f64::NAN, stop: f64::NAN, trail: f64::NAN };
    let entry = OrderRequest::limit(A, 5.0, 7.0).with_exits(Some(ExitPrice::Price(6.0)), None);
    let acts = vec![Act::Order(entry), Act::Replace(0, change)];
    let rows = [FLAT, [7.0, 7.0, 6.5, 7.0], [7.0, 7.0, 5.0, 5.0]];
    let log = run(&rows, acts, &EngineConfig::default());
    assert_eq!(fills(&log), [(1, 0, 10.0, 7.0), (2, 0, -10.0, 6.0)]);
}

/// 9.5 x 1.01 is 9.595: the stop triggered the fill, though at the open.
#[test]
fn issue_stop_slippage_when_a_stop_limit_fills_at_the_open_then_it_is_paid() {
    let order = OrderRequest::stop_limit(A, 2.0, 7.0, 10.0);
    let config = EngineConfig { stop_slippage: 0.01, ..EngineConfig::default() };
    let log = run(&[FLAT, [9.5, 9.5, 7.5, 7.5]], vec![Act::Order(order)], &config);
    assert_eq!(log.fills[0].base_price, 9.5);
    assert!((log.fills[0].price - 9.595).abs() < 1e-12);
}

/// The width at the decision is 1; later rows have none: 9.5 - 0.5 x 1 = 9.
#[test]
fn issue_volatility_stop_when_the_entry_waited_then_the_decision_row_counts() {
    let rows = [FLAT, FLAT, [9.5, 9.5, 7.5, 7.5]];
    let width = |bar: usize, _: u32| if bar == 0 { 1.0 } else { f64::NAN };
    let one = Market::one(&rows).with_signal("width", width);
    let rule = PositionRule::VolatilityStop { multiple: 0.5, column: "width".to_string() };
    let config = EngineConfig { rules: vec![rule], ..EngineConfig::default() };
    let log = play(&one, &[(0, stop(0, 1.0, 9.0))], &config);
    assert_eq!(fills(&log), [(2, 0, 1.0, 9.5), (2, 0, -1.0, 9.0)]);
}

/// Short 1 at 7.5, closed at 7.125; then the limit at 8 was touched: it waited, so it pays nothing.
#[test]
fn issue_limit_when_it_opens_after_an_exit_of_its_row_then_it_is_a_maker() {
    let rules = vec![PositionRule::TrailingAmount(0.5)];
    let slippage = Slippage::Percent { bps: 100.0 };
    let config = EngineConfig { rules, slippage, ..margin(100.0) };
    let rows = [FLAT, [10.5, 11.5, 7.0, 7.5]];
    let log = run(&rows, vec![market(0, 3.0), limit(0, -1.0, 11.0)], &config);
    let last = log.fills.last().expect("the limit is touched");
    assert_eq!((last.quantity, last.price), (-1.0, 11.0));
    assert!(last.flags.has(FillFlags::MAKER));
}

#[test]
fn issue_closes_when_two_orders_wait_for_one_then_both_fill() {
    let acts = vec![
        Act::Order(OrderRequest::on_close(A, -1.0)),
        Act::Order(OrderRequest::on_close(A, 1.0)),
    ];
    let log = run(&[FLAT; 3], acts, &margin(100.0));
    assert_eq!(fills(&log), [(1, 0, -1.0, 7.5), (1, 0, 1.0, 7.5)]);
}

#[test]
fn issue_cancel_all_when_a_rule_has_queued_an_exit_then_it_stays() {
    let rules = vec![PositionRule::TimeExit(1)];
    let config = EngineConfig { rules, ..EngineConfig::default() };
    let acts = [(0, market(0, 1.0)), (2, Act::CancelAll(None))];
    let log = play(&Market::one(&[FLAT; 4]), &acts, &config);
    assert_eq!(fills(&log), [(1, 0, 1.0, 7.5), (3, 0, -1.0, 7.5)]);
    assert_eq!(log.orders[1].origin, OrderOrigin::PositionRule);
}

#[test]
fn issue_levels_when_a_ladder_and_a_limit_are_reached_then_nearest_first() {
    let rule = PositionRule::ScaledExit {
        steps: vec![(0.05, 0.25), (0.1, 0.25)],
        of: tapeworks::broker::ScaledOf::Initial,
    };
    let config = EngineConfig { rules: vec![rule], ..EngineConfig::default() };
    let rows = [FLAT, FLAT, [7.5, 8.5, 7.5, 7.5]];
    let acts = [(0, market(0, 8.0)), (1, limit(0, -1.0, 8.0))];
    let log = play(&Market::one(&rows), &acts, &config);
    let prices: Vec<f64> = log.fills.iter().map(|fill| fill.base_price).collect();
    assert_eq!(prices, [7.5, 7.875, 8.0, 8.25]);
}

/// The short's rule closes it at 7.875, then the stop at 8 opens a long: the target of the short,
/// 7.125, is no level of the long.
#[test]
fn issue_rules_when_an_exit_and_an_entry_share_a_row_then_old_levels_are_gone() {
    let rules = vec![PositionRule::StopLoss(0.05), PositionRule::TakeProfit(0.05)];
    let config = EngineConfig { rules, ..margin(100.0) };
    let rows = [[7.5, 9.0, 7.5, 9.0], [7.5, 9.5, 7.0, 9.0]];
    let log = run(&rows, vec![stop(0, 5.0, 8.0), market(0, -5.0)], &config);
    let want = [(1, 0, -5.0, 7.5), (1, 0, 5.0, 7.875), (1, 0, 5.0, 8.0)];
    assert_eq!(fills(&log), want);
    assert_eq!(log.fills[1].reason, ExitReason::StopLoss);
}

/// At 7 the stop is reached, and the row closed above 8: sold at 8, the limit.
#[test]
fn issue_stop_limit_when_the_position_is_of_this_row_then_its_limit_holds() {
    let rows = [FLAT, [7.5, 12.0, 7.0, 12.0]];
    let exit = OrderRequest::stop_limit(A, -1.0, 7.0, 8.0);
    let log = run(&rows, vec![market(0, 3.0), Act::Order(exit)], &EngineConfig::default());
    assert_eq!(fills(&log), [(1, 0, 3.0, 7.5), (1, 0, -1.0, 8.0)]);
    assert_eq!(log.fills[1].base_price, 8.0);
}

/// The row was at 7 before it came back to 8.5.
#[test]
fn issue_excursion_when_a_stop_limit_fills_at_its_limit_then_its_stop_was_reached() {
    let rows = [[8.0; 4], [8.0; 4], [8.5, 8.5, 7.0, 8.5]];
    let exit = Act::Order(OrderRequest::stop_limit(A, -1.0, 7.0, 8.5));
    let acts = [(0, market(0, 1.0)), (1, exit)];
    let log = play(&Market::one(&rows), &acts, &EngineConfig::default());
    assert_eq!(log.lots[0].worst, 7.0);
}

/// 48 of the 95.5 that are left is more than half.
#[test]
fn issue_exposure_when_costs_take_equity_then_what_is_left_counts() {
    let limits =
        vec![PortfolioLimit { kind: LimitKind::GrossExposure(0.5), action: LimitAction::Warn }];
    let slippage = Slippage::Fixed { amount: 0.75 };
    let config = EngineConfig { cash: 100.0, limits, slippage, ..EngineConfig::default() };
    let log = run(&[[8.0; 4]; 2], vec![market(0, 6.0)], &config);
    assert!(log.fills.is_empty());
    assert_eq!(log.rejections[0].code, RejectCode::LimitExposure);
}

/// Long 1, sell 6 or nothing: five short need 37.5 of 37.
#[test]
fn issue_fok_when_the_opening_part_fails_then_nothing_fills() {
    let mut config = margin(37.0);
    config.account.initial_margin = 1.0;
    let sale = OrderRequest { tif: TimeInForce::Fok, ..OrderRequest::market(A, -6.0) };
    let log = run(&[FLAT; 3], vec![market(0, 1.0), Act::Order(sale)], &config);
    assert_eq!(fills(&log), [(1, 0, 1.0, 7.5)]);
    assert_eq!(log.orders[1].status, OrderStatus::Expired(ExpireReason::FokUnfilled));
}

/// 63 / 10.5 are 6; margin pays 5 at 8, and 5 x 8 is the least trade.
#[test]
fn issue_least_trade_when_a_size_is_cut_then_what_is_left_counts() {
    let instrument = Instrument { min_notional: 40.0, ..Instrument::default() };
    let config = EngineConfig { instrument, ..margin(23.0) };
    let sized = OrderRequest { size: Size::Value(63.0), ..OrderRequest::market(A, 0.0) };
    let rows = [[10.5; 4], [8.0, 8.0, 7.5, 7.5]];
    let log = run(&rows, vec![Act::Order(sized)], &config);
    assert_eq!(fills(&log), [(1, 0, 5.0, 8.0)]);
}

/// The trail starts at 10, the price of the fill, to the last bit.
#[test]
fn issue_trail_when_units_are_fractions_then_it_starts_at_the_price() {
    let sized = OrderRequest {
        size: Size::Value(2.0),
        trailing_exit: Some(trail(1.5, None)),
        ..OrderRequest::market(A, 0.0)
    };
    let lots = tapeworks::broker::Lots::Fractional;
    let config = EngineConfig { lots, ..EngineConfig::default() };
    let rows = [[8.5; 4], [10.0, 10.0, 8.5, 10.0]];
    let log = run(&rows, vec![Act::Order(sized)], &config);
    assert_eq!(log.fills.len(), 2);
    assert_eq!(log.fills[1].price, 8.5);
}

/// 15 units of the volume are ours: the rule takes its 13, the stop 2, and its last one waits.
#[test]
fn issue_stop_when_a_rule_takes_the_volume_first_then_its_rest_waits() {
    let mut bars = Market::one(&[FLAT, [7.5, 9.5, 7.5, 9.5], [7.5, 7.5, 7.0, 7.5], FLAT]);
    for row in &mut bars.rows {
        row.volume = if row.bar == 2 { 60.0 } else { 1000.0 };
    }
    let participation = Some(Participation::new(0.25));
    let rules = vec![PositionRule::TrailingStop(0.25)];
    let config = EngineConfig { participation, rules, ..margin(250.0) };
    let log = play(&bars, &[(0, market(0, 13.0)), (0, stop(0, -3.0, 7.0))], &config);
    let want = [(1, 0, 13.0, 7.5), (2, 0, -13.0, 7.125), (2, 0, -2.0, 7.0), (3, 0, -1.0, 7.5)];
    assert_eq!(fills(&log), want);
}

/// A target sells 4 of the 6 before the stop over 3 has its turn: the stop was reached as well.
#[test]
fn issue_stop_when_a_fill_before_it_makes_it_a_flip_then_it_has_its_turn() {
    let bars = [FLAT, [10.0, 10.0, 9.5, 9.5], [10.0, 10.5, 7.5, 7.5], FLAT];
    let acts = vec![market(0, 6.0), limit(0, -7.0, 10.5), stop(0, -3.0, 9.0)];
    let log = run(&bars, acts, &margin(1000.0));
    assert_eq!(fills(&log), [(1, 0, 6.0, 10.0), (2, 0, -7.0, 10.5), (2, 0, -3.0, 9.0)]);
}

/// The step closes half of what the target before it has left: 2 of 4, not 4 of 8.
#[test]
fn issue_ladder_when_a_fill_of_its_row_comes_first_then_its_part_is_of_what_is_left() {
    let rules = vec![PositionRule::ScaledExit {
        steps: vec![(0.5, 0.5)],
        of: tapeworks::broker::ScaledOf::Remaining,
    }];
    let bars = [[8.0; 4], [8.0; 4], [8.0, 13.0, 8.0, 8.0], [8.0; 4]];
    let acts = vec![market(0, 8.0), limit(0, -4.0, 10.0)];
    let log = run(&bars, acts, &EngineConfig { rules, ..margin(1000.0) });
    assert_eq!(fills(&log), [(1, 0, 8.0, 8.0), (2, 0, -4.0, 10.0), (2, 0, -2.0, 12.0)]);
}

/// The stop-limit would fill at 8.5 on the way back; the stop-loss at 8.25 lies before its stop.
#[test]
fn issue_stop_limit_when_a_rule_lies_before_its_stop_then_the_rule_comes_first() {
    let rules = vec![PositionRule::StopLoss(0.03125)];
    let sell = OrderRequest {
        size: Size::Quantity(-4.0),
        stop: Some(8.0),
        limit: Some(8.5),
        ..OrderRequest::market(A, 0.0)
    };
    let bars = [[8.5; 4], [8.5; 4], [8.5, 10.0, 7.875, 10.0], [8.5; 4]];
    let acts = vec![market(0, 4.0), Act::Order(sell)];
    let log = run(&bars, acts, &EngineConfig { rules, ..EngineConfig::default() });
    assert_eq!(fills(&log), [(1, 0, 4.0, 8.5), (2, 0, -4.0, 8.234_375)]);
}

#[test]
fn issue_replace_when_a_price_is_off_the_tick_then_never_more_aggressive() {
    let config = EngineConfig {
        instrument: Instrument { tick: 1.0, ..Instrument::default() },
        ..margin(1000.0)
    };
    let change = |limit: f64, stop: f64| Change { limit, stop, ..Change::default() };
    let acts = vec![
        (0, limit(0, -1.0, 9.0)),
        (0, stop(0, -1.0, 6.0)),
        (1, Act::Replace(0, change(7.5, f64::NAN))),
        (1, Act::Replace(1, change(f64::NAN, 6.5))),
    ];
    let log = play(&Market::one(&[FLAT; 3]), &acts, &config);
    assert_eq!(log.orders[0].limit, 8.0);
    assert_eq!(log.orders[1].stop, 6.0);
}

/// Nothing at the decision of row 0; 0.5 in row 1, where the price is not met; 1.0 in row 2.
#[test]
fn issue_volatility_stop_when_the_decision_has_no_value_then_the_first_later_row_counts() {
    let bars = [FLAT, FLAT, FLAT, [7.0, 7.0, 7.0, 7.0], [7.0, 7.0, 5.0, 7.0]];
    let mut bars = Market::one(&bars);
    bars.signals = vec!["width".into()];
    for (row, value) in bars.rows.iter_mut().zip([f64::NAN, 0.5, 1.0, 1.0, 1.0]) {
        row.signals = vec![value];
    }
    let rules = vec![PositionRule::VolatilityStop { multiple: 1.0, column: "width".into() }];
    let config = EngineConfig { rules, ..EngineConfig::default() };
    let log = play(&bars, &[(0, limit(0, 1.0, 7.0))], &config);
    assert_eq!(fills(&log), [(3, 0, 1.0, 7.0), (4, 0, -1.0, 6.5)]);
}

/// The entry fills 5, the target closes 2 of them, the entry fills its other 3: the stop is over 6,
/// and the unit of the order before stays.
#[test]
fn issue_bracket_when_its_entry_fills_on_after_its_target_then_the_stop_is_over_what_is_left() {
    let (stop_loss, take_profit) = both_exits();
    let entry = OrderRequest::market(A, 8.0).with_exits(stop_loss, take_profit);
    let bars = [FLAT, FLAT, [9.0, 9.0, 8.5, 8.5], [10.5, 10.5, 9.0, 9.0], [10.0, 10.0, 7.5, 7.5]];
    let mut bars = Market::one(&bars);
    for row in &mut bars.rows {
        row.volume = [1000.0, 1000.0, 20.0, 8.0, 1000.0][row.bar];
    }
    let config =
        EngineConfig { participation: Some(Participation::new(0.25)), ..EngineConfig::default() };
    let log = play(&bars, &[(0, market(0, 1.0)), (1, Act::Order(entry))], &config);
    let units: Vec<f64> = log.fills.iter().map(|fill| fill.quantity).collect();
    assert_eq!(units, [1.0, 5.0, -2.0, 3.0, -6.0]);
}

#[test]
fn issue_replace_when_a_rule_has_sent_the_order_then_it_stays() {
    let rules = vec![PositionRule::StopLoss(0.05)];
    let config =
        EngineConfig { rules, participation: Some(Participation::new(0.25)), ..margin(1000.0) };
    let mut bars = Market::one(&[FLAT, FLAT, [7.5, 7.5, 6.5, 7.5], FLAT]);
    for row in &mut bars.rows {
        row.volume = if row.bar == 2 { 8.0 } else { 1000.0 };
    }
    let change = Change { quantity: 2.0, ..Change::default() };
    let acts = [(0, market(0, 5.0)), (2, Act::Replace(1, change))];
    let log = play(&bars, &acts, &config);
    assert_eq!(fills(&log), [(1, 0, 5.0, 7.5), (2, 0, -2.0, 7.125), (3, 0, -3.0, 7.5)]);
}

/// Lots beyond 2^53 are not told apart any more: the search for what can be paid ends all the same.
#[test]
fn issue_affordable_when_lots_are_beyond_counting_then_the_search_ends() {
    let sized =
        |value: f64| OrderRequest { size: Size::Value(value), ..OrderRequest::market(A, 0.0) };
    for close in [1e-12, 1e-14] {
        let bars = [[close; 4], [close * 1.5; 4], [close; 4]];
        let log = run(
            &bars,
            vec![Act::Order(sized(5e5))],
            &EngineConfig { cash: 5e5, ..EngineConfig::default() },
        );
        assert_eq!(log.fills.len(), 1, "{close}");
        let paid = log.fills[0].quantity * log.fills[0].price;
        assert!(paid <= 5e5 * (1.0 + 1e-9) && paid > 4.99e5, "{close}: {paid}");
    }
    let bars = [[1e-300; 4], [1.0; 4], [1.0; 4]];
    let log = run(
        &bars,
        vec![Act::Order(sized(1e300))],
        &EngineConfig { cash: 5e5, ..EngineConfig::default() },
    );
    assert!(log.fills.iter().all(|fill| fill.quantity <= 5e5));
}

/// Exits of the rule and the buy take the volume of the rows in which the sale could be cut to what
/// is held: it waits for all its 12 units, and fills 5 of them in the end.
#[test]
fn issue_sale_beyond_the_position_when_it_waits_for_volume_then_it_is_not_cut() {
    let low = [7.5, 7.5, 7.5, 7.0, 7.5, 7.0, 7.0, 7.5];
    let volume = [1000.0, f64::NAN, f64::NAN, 8.0, 8.0, 8.0, 20.0, 60.0];
    let mut bars = Market::one(&low.map(|low| [7.5, 7.5, low, 7.5]));
    for row in &mut bars.rows {
        row.volume = volume[row.bar];
    }
    let config = EngineConfig {
        cash: 100.0,
        participation: Some(Participation::new(0.25)),
        rules: vec![PositionRule::StopLoss(0.05)],
        ..EngineConfig::default()
    };
    let acts = [(0, market(0, 1.0)), (0, market(0, 13.0)), (4, Act::TargetValue(0, 0.0))];
    let log = play(&bars, &acts, &config);
    let units: Vec<f64> = log.fills.iter().map(|fill| fill.quantity).collect();
    assert_eq!(units, [1.0, 1.0, -2.0, 2.0, -2.0, 3.0, -3.0, 7.0, -5.0]);
    let sale = &log.orders[3];
    assert_eq!((sale.quantity, sale.filled), (-12.0, -5.0));
    let is_cut = |event: &OrderEvent| event.kind == OrderEventKind::ResizedToPosition;
    assert!(!log.order_events.iter().any(is_cut), "{:?}", log.order_events);
}

/// The buy of 12 fills 8, of which one closes the short: its exit covers the 7 that are held until
/// the other 4 have filled, and is for 11 then. A record that took the 7 for its end would show 11
/// filled of 7.
#[test]
fn issue_exit_when_its_parent_flips_in_parts_then_it_is_not_cut_for_good() {
    let entry =
        OrderRequest { trailing_exit: Some(trail(0.5, None)), ..OrderRequest::market(A, 12.0) };
    let mut bars = Market::one(&[FLAT, FLAT, FLAT, FLAT, [7.5, 7.5, 6.5, 6.5], FLAT]);
    for row in &mut bars.rows {
        row.volume = if row.bar == 2 { 32.0 } else { 1000.0 };
    }
    let config = EngineConfig { participation: Some(Participation::new(0.25)), ..margin(1000.0) };
    let log = play(&bars, &[(0, market(0, -1.0)), (1, Act::Order(entry))], &config);
    assert_eq!(
        fills(&log),
        [(1, 0, -1.0, 7.5), (2, 0, 8.0, 7.5), (3, 0, 4.0, 7.5), (4, 0, -11.0, 7.0)]
    );
    let exit = log.fills[3].order;
    let of_exit = |event: &&OrderEvent| event.order == exit;
    let cuts: Vec<(f64, f64)> = log
        .order_events
        .iter()
        .filter(of_exit)
        .filter(|event| event.kind == OrderEventKind::ResizedToPosition)
        .map(|event| (event.old, event.new))
        .collect();
    assert_eq!(cuts, [(12.0, 11.0)], "once, when its parent was whole");
}
