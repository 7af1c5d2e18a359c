//! Portfolio limits by hand calculation.

use super::{CloseView, LimitAction, LimitBook, LimitKind, OpenView, PortfolioLimit};
use crate::base::AssetId;
use crate::broker::codes::RejectCode;

fn resolve(symbol: &str) -> Option<AssetId> {
    (0..).map(AssetId).zip(["AAA", "BBB", "CCC"]).find(|known| known.1 == symbol).map(|k| k.0)
}

fn book_of(kind: LimitKind, action: LimitAction) -> LimitBook {
    let limits = [PortfolioLimit { kind, action }];
    LimitBook::new(&limits, &resolve, 1000.0).expect("valid limits")
}

fn close(session: u32, equity: f64, flow: f64) -> CloseView<'static> {
    CloseView { session, equity, flow, gross: 0.0, net: 0.0, positions: &[] }
}

/// What each close measured when it named the limit; NaN when it did not.
fn measured(book: &mut LimitBook, closes: &[CloseView<'_>]) -> Vec<f64> {
    closes
        .iter()
        .map(|view| book.evaluate(view).first().map_or(f64::NAN, |breach| breach.measured))
        .collect()
}

fn assert_near(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        let is_near = (got.is_nan() && expected.is_nan()) || (got - expected).abs() < 1e-12;
        assert!(is_near, "close {at}: {got} is not {expected}");
    }
}

const NO: f64 = f64::NAN;

#[test]
fn max_drawdown_when_passed_then_named_once_until_inside_again() {
    let mut book = book_of(LimitKind::MaxDrawdown(0.1), LimitAction::Liquidate);
    // session, equity; the peak starts at the cash of 1000
    let rows = [(1, 899.0), (2, 850.0), (3, 901.0), (4, 1100.0), (5, 991.0), (6, 979.0)];
    let closes = rows.map(|(session, equity)| close(session, equity, 0.0));
    assert_near(&measured(&mut book, &closes), &[0.101, NO, NO, NO, NO, 0.11]);
}

#[test]
fn max_drawdown_when_capital_flows_then_only_gains_and_losses_count() {
    let mut book = book_of(LimitKind::MaxDrawdown(0.1), LimitAction::Warn);
    let closes = [
        // 5 % lost, then as much again brought in: the peak is restated to 2000
        close(1, 950.0, 0.0),
        close(2, 1900.0, 950.0),
        close(3, 1810.0, 0.0),
        close(4, 1780.0, 0.0),
        // half of it taken out is no loss
        close(5, 950.0, -950.0),
        close(6, 890.0, 0.0),
    ];
    // 1 - 1780/2000; the fifth stands at 1900/2000 and halves the peak; the sixth 1 - 890/1000
    assert_near(&measured(&mut book, &closes), &[NO, NO, NO, 0.11, NO, 0.11]);
}

#[test]
fn daily_loss_when_a_session_begins_then_armed_again_from_its_base() {
    let mut book = book_of(LimitKind::DailyLoss(0.05), LimitAction::Liquidate);
    let closes = [
        close(1, 960.0, 0.0),
        close(1, 940.0, 0.0),
        close(1, 930.0, 0.0),
        // base 930: 4 % lost, then 6 %
        close(2, 892.8, 0.0),
        close(2, 874.2, 0.0),
        // base 874.2, lost 10 % at once
        close(3, 786.78, 0.0),
    ];
    assert_near(&measured(&mut book, &closes), &[NO, 0.06, NO, NO, 0.06, 0.1]);
}

#[test]
fn exposures_when_marks_move_then_measured_against_equity() {
    let positions = [(AssetId(0), 600.0), (AssetId(1), -500.0), (AssetId(2), 300.0)];
    let view = CloseView {
        session: 1,
        equity: 1000.0,
        flow: 0.0,
        gross: 1400.0,
        net: 400.0,
        positions: &positions,
    };
    let group = |symbols: &[&str], limit| LimitKind::GroupExposure {
        symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect(),
        limit,
    };
    // limit, what is measured
    let rows = [
        (LimitKind::GrossExposure(1.3), 1.4),
        (LimitKind::GrossExposure(1.4), NO),
        (LimitKind::NetExposure(0.3), 0.4),
        (LimitKind::NetExposure(0.5), NO),
        (LimitKind::SymbolExposure(0.55), 0.6),
        (LimitKind::SymbolExposure(0.6), NO),
        (group(&["CCC", "BBB", "CCC"], 0.7), 0.8),
        (group(&["CCC", "BBB"], 0.8), NO),
    ];
    for (kind, expected) in rows {
        let mut book = book_of(kind.clone(), LimitAction::Reduce(0.5));
        assert_near(&measured(&mut book, &[view]), &[expected]);
    }
    let ruined = CloseView { equity: -1.0, ..view };
    let mut book = book_of(LimitKind::GrossExposure(5.0), LimitAction::Warn);
    assert_eq!(book.evaluate(&ruined)[0].measured, f64::INFINITY);
}

#[test]
fn value_at_risk_when_sessions_lose_then_passed_once_the_window_is_full() {
    let (level, window, limit) = (0.5, 3, 0.025);
    // returns: the middle of the last three is -1 %, -1 %, -3 %; the mean of it and the worse one
    // -2 %, -2 %, -4 %
    let growths = [0.97, 1.01, 0.99, 0.97, 0.95];
    let rows = [
        (LimitKind::ValueAtRisk { level, window, limit }, 0.03),
        (LimitKind::ConditionalValueAtRisk { level, window, limit }, 0.04),
    ];
    for (kind, expected) in rows {
        let mut book = book_of(kind, LimitAction::Warn);
        let mut equity = 1000.0;
        for (session, growth) in (1..).zip(growths) {
            equity *= growth;
            let got = measured(&mut book, &[close(session, equity, 0.0)]);
            assert_near(&got, &[if session == 5 { expected } else { NO }]);
        }
    }
}

#[test]
fn halt_when_passed_then_opens_are_refused_until_a_later_session_has_closed() {
    let mut book = book_of(LimitKind::DailyLoss(0.05), LimitAction::Halt);
    let open = open_view(100.0, &|_| 0.0);
    assert_eq!(book.check_open(&open), None);
    book.evaluate(&close(1, 940.0, 0.0));
    assert!(book.is_halted());
    book.evaluate(&close(1, 999.0, 0.0));
    let refusal = book.check_open(&open).expect("halted");
    assert_eq!(refusal.code, RejectCode::TradingHalted);
    book.evaluate(&close(2, 999.0, 0.0));
    assert_eq!(book.check_open(&open), None);
    book.evaluate(&close(3, 900.0, 0.0));
    book.resume();
    assert_eq!(book.check_open(&open), None);
}

#[test]
fn halt_when_the_next_session_loses_again_then_it_goes_on() {
    let mut book = book_of(LimitKind::DailyLoss(0.05), LimitAction::Halt);
    for (session, equity) in [(1, 900.0), (2, 800.0)] {
        assert_eq!(book.evaluate(&close(session, equity, 0.0)).len(), 1);
        assert!(book.is_halted());
    }
}

fn open_view(value_after: f64, value: &dyn Fn(AssetId) -> f64) -> OpenView<'_> {
    OpenView {
        asset: AssetId(1),
        value_after,
        gross_after: value_after.abs(),
        net_after: value_after,
        net_before: 0.0,
        equity: 1000.0,
        n_positions_after: 1,
        is_new: true,
        n_orders: 1,
        value,
    }
}

#[test]
fn check_open_when_an_exposure_would_be_passed_then_refused_in_currency() {
    let others = |asset: AssetId| if asset == AssetId(0) { -400.0 } else { 70.0 };
    let group =
        LimitKind::GroupExposure { symbols: vec!["BBB".to_owned(), "AAA".to_owned()], limit: 0.9 };
    let elsewhere = LimitKind::GroupExposure { symbols: vec!["CCC".to_owned()], limit: 0.01 };
    let base = open_view(600.0, &others);
    let net = |net_before, net_after| OpenView { net_after, net_before, ..base };
    // limit, view, needed of allowed
    let rows = [
        (LimitKind::GrossExposure(0.5), base, Some((600.0, 500.0))),
        (LimitKind::GrossExposure(0.6), base, None),
        (LimitKind::SymbolExposure(0.55), base, Some((600.0, 550.0))),
        (LimitKind::SymbolExposure(0.55), OpenView { value_after: -550.0, ..base }, None),
        (LimitKind::NetExposure(0.5), net(0.0, -600.0), Some((600.0, 500.0))),
        (LimitKind::NetExposure(0.5), net(-900.0, -600.0), None),
        // 600 of its own and 400 of the other member
        (group, base, Some((1000.0, 900.0))),
        (elsewhere, base, None),
    ];
    for (kind, view, expected) in rows {
        let book = book_of(kind.clone(), LimitAction::Warn);
        let refusal = book.check_open(&view);
        assert!(refusal.is_none_or(|refusal| refusal.code == RejectCode::LimitExposure));
        let got = refusal.map(|refusal| (refusal.need, refusal.have));
        assert_eq!(got, expected, "{kind:?}");
    }
    let ruined = OpenView { equity: -5.0, ..base };
    assert!(
        book_of(LimitKind::GrossExposure(9.0), LimitAction::Warn).check_open(&ruined).is_some()
    );
}

#[test]
fn check_open_when_counts_are_reached_then_refused() {
    let nothing = |_| 0.0;
    let base = OpenView { n_positions_after: 3, n_orders: 3, ..open_view(100.0, &nothing) };
    let rows = [
        (LimitKind::MaxPositions(2), base, Some(RejectCode::LimitPositions)),
        (LimitKind::MaxPositions(3), base, None),
        (LimitKind::MaxPositions(2), OpenView { is_new: false, ..base }, None),
        (LimitKind::MaxOrders(2), base, Some(RejectCode::LimitOrderCount)),
        (LimitKind::MaxOrders(3), base, None),
    ];
    for (kind, view, expected) in rows {
        let book = book_of(kind.clone(), LimitAction::Warn);
        assert_eq!(book.check_open(&view).map(|refusal| refusal.code), expected, "{kind:?}");
    }
}

#[test]
fn new_when_a_figure_is_out_of_range_then_c312_names_the_limit() {
    let var = |level, window, limit| LimitKind::ValueAtRisk { level, window, limit };
    let group =
        |symbol: &str| LimitKind::GroupExposure { symbols: vec![symbol.to_owned()], limit: 0.5 };
    let rows = [
        (LimitKind::MaxDrawdown(0.0), "max_drawdown(0)"),
        (LimitKind::MaxDrawdown(20.0), "max_drawdown(20)"),
        (LimitKind::DailyLoss(f64::NAN), "daily_loss(NaN)"),
        (LimitKind::GrossExposure(-1.0), "gross_exposure(-1)"),
        (LimitKind::NetExposure(f64::INFINITY), "net_exposure(inf)"),
        (LimitKind::SymbolExposure(0.0), "symbol_exposure(0)"),
        (group("ZZZ"), "group_exposure(ZZZ)"),
        (LimitKind::GroupExposure { symbols: vec![], limit: 0.5 }, "group_exposure(no symbols)"),
        (LimitKind::MaxPositions(0), "max_positions(0)"),
        (LimitKind::MaxOrders(0), "max_orders(0)"),
        (var(1.0, 10, 0.1), "value_at_risk(1)"),
        (var(0.95, 1, 0.1), "value_at_risk(1)"),
        (var(0.95, 10, 0.0), "value_at_risk(0)"),
    ];
    for (kind, part) in rows {
        let limit = PortfolioLimit { kind, action: LimitAction::Warn };
        let error = LimitBook::new(&[limit], &resolve, 1.0).expect_err(part);
        assert_eq!(error.code(), "C312");
        assert!(error.message().starts_with(part), "{}", error.message());
    }
    for fraction in [0.0, 1.5, f64::NAN] {
        let action = LimitAction::Reduce(fraction);
        let limit = PortfolioLimit { kind: LimitKind::MaxDrawdown(0.1), action };
        assert!(LimitBook::new(&[limit], &resolve, 1.0).is_err(), "{fraction}");
    }
}
