//! The shared scenarios: trades that backtrader, vectorbt and zipline really made, made by us.
//!
//! Entries and exits are acted on as those comparisons act: an entry when flat, an exit when not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use serde_json::Value;
use tapeworks::base::{AssetId, Result};
use tapeworks::broker::{
    AccountKind, AccountTerms, Commission, MarginCallPolicy, Semantics, Slippage,
};
use tapeworks::engine::{EngineConfig, Flow, OrderRequest, RunLog, Slice, Strategy, Trader, run};

use crate::market::{Market, Row, bar_of};
use crate::oracle_cases::near;
use crate::oracle_config::{folder, number, read, rules_of};

struct Signals {
    entries: Vec<usize>,
    exits: Vec<usize>,
    units: f64,
}

impl Strategy for Signals {
    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        let bar = bar_of(slice.timestamp());
        let asset = AssetId(0);
        let is_flat = trader.quantity(asset) == 0.0;
        if is_flat && self.entries.contains(&bar) {
            trader.submit(&OrderRequest::market(asset, self.units))?;
        } else if !is_flat && self.exits.contains(&bar) {
            trader.close(asset, 1.0);
        }
        Ok(())
    }
}

fn bars(list: &Value) -> Vec<usize> {
    let bars = list.as_array().into_iter().flatten();
    bars.map(|bar| usize::try_from(bar.as_u64().unwrap()).unwrap()).collect()
}

/// zipline stores three decimals, so its input has no more.
fn market_of(file: &Value, decimals: Option<i32>) -> Market {
    let round = |price: f64| match decimals {
        Some(places) => (price * 10_f64.powi(places)).round() / 10_f64.powi(places),
        None => price,
    };
    let rows = file["ohlcv"].as_array().unwrap().iter().enumerate();
    let rows = rows.map(|(bar, row)| {
        let value = |idx: usize| row[idx].as_f64().unwrap();
        let ohlc = [value(0), value(1), value(2), value(3)].map(round);
        Row { bar, asset: 0, ohlc, volume: value(4), signals: Vec::new() }
    });
    let rows = rows.collect();
    Market { symbols: vec!["A".into()], signals: Vec::new(), rows, actions: None }
}

/// What the run pays; vectorbt was given a fixed slippage as a share of the mean close.
fn costs_of(file: &Value, market: &Market) -> (Commission, Slippage) {
    let said = |key: &str| file["constants"][key].as_f64();
    let mut commission = Commission::None;
    if let Some(rate) = said("commission_rate") {
        commission = Commission::percent(rate * 1e4, 0.0);
    } else if let Some(rate) = said("per_share_rate") {
        commission = Commission::per_share(rate, 0.0);
    }
    let mut slippage = Slippage::None;
    if let Some(amount) = said("slippage_fixed") {
        slippage = Slippage::Fixed { amount };
        if file["framework"] == "vectorbt_oss" {
            let closes = market.rows.iter().map(|row| row.ohlc[3]);
            let mean = closes.sum::<f64>() / market.rows.len() as f64;
            slippage = Slippage::Percent { bps: amount / mean * 1e4 };
        }
    } else if let Some(rate) = said("slippage_rate") {
        slippage = Slippage::Percent { bps: rate * 1e4 };
    }
    (commission, slippage)
}

fn constant_of(file: &Value) -> Semantics {
    let has_rules = !file["risk_rules"].as_array().unwrap().is_empty();
    match file["framework"].as_str().unwrap() {
        "backtrader" if has_rules => Semantics::BACKTRADER_BRACKET_AS_RULES,
        "backtrader" => Semantics::BACKTRADER,
        "vectorbt_oss" => Semantics::VECTORBT,
        "zipline" => Semantics::ZIPLINE_NEXT_OPEN,
        other => panic!("no constant for {other}"),
    }
}

fn replay(file: &Value) -> Result<RunLog> {
    let decimals = (file["framework"] == "zipline").then_some(3);
    let market = market_of(file, decimals);
    let (commission, slippage) = costs_of(file, &market);
    let config = EngineConfig {
        cash: number(file, "initial_cash"),
        commission,
        slippage,
        rules: rules_of(&file["risk_rules"]),
        account: AccountTerms {
            margin_call: MarginCallPolicy::Ignore,
            ..AccountTerms::new(AccountKind::Margin)
        },
        semantics: constant_of(file),
        ..EngineConfig::default()
    };
    let is_short = file["name"].as_str().unwrap().starts_with("Short");
    let side = if is_short { -1.0 } else { 1.0 };
    let mut strategy = Signals {
        entries: bars(&file["entries"]),
        exits: bars(&file["exits"]),
        units: side * number(file, "shares"),
    };
    run(&mut market.feed(100), &mut strategy, &config, &mut |_| Flow::Continue)
}

/// The bar of a date of the file.
fn bar_of_date(file: &Value, time: &Value) -> Option<usize> {
    let date = &time.as_str()?[..10];
    file["dates"].as_array().unwrap().iter().position(|day| day == date)
}

/// The first figure in which a run and the peer differ.
fn difference(file: &Value, log: &RunLog) -> Option<String> {
    let peer = &file["peer"];
    let n_trades = usize::try_from(peer["num_trades"].as_u64().unwrap()).unwrap();
    if log.lots.len() != n_trades {
        return Some(format!("trades: got {}, want {n_trades}", log.lots.len()));
    }
    for (idx, (lot, trade)) in log.lots.iter().zip(peer["trades"].as_array().unwrap()).enumerate() {
        let fees = lot.entry_commission + lot.exit_commission;
        let gross = lot.side * lot.quantity * (lot.exit_price - lot.entry_price);
        // vectorbt states its result after fees, backtrader before.
        let before_fees = file["framework"] == "backtrader";
        let figures = [
            ("entry_price", lot.entry_price),
            ("exit_price", lot.exit_price),
            ("size", lot.quantity),
            ("pnl", if before_fees { gross } else { gross - fees }),
        ];
        for (key, got) in figures {
            let want = number(trade, key);
            // The peer's own result is a difference of two rounded numbers.
            let is_near = near(got, want) || (key == "pnl" && (got - want).abs() < 1e-8);
            if !is_near {
                return Some(format!("trade {idx} {key}: got {got}, want {want}"));
            }
        }
        let want = if lot.side > 0.0 { "Long" } else { "Short" };
        if trade["direction"] != want {
            return Some(format!("trade {idx}: got {want}"));
        }
        let entered = bar_of(log.fills[lot.entry_fill as usize].timestamp);
        let times = [("entry_time", entered), ("exit_time", bar_of(lot.exit_timestamp))];
        for (key, got) in times {
            let want = bar_of_date(file, &trade[key]);
            if want.is_some_and(|want| want != got) {
                return Some(format!("trade {idx} {key}: got bar {got}, want {want:?}"));
            }
        }
    }
    let (got, want) = (*log.states.equity.last().unwrap(), number(peer, "final_value"));
    (!near(got, want)).then(|| format!("final value: got {got}, want {want}"))
}

/// All scenarios, each under the constant of its peer.
#[test]
fn scenarios_of_peers_when_run_then_their_trades() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("scenarios");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut failures = String::new();
    let mut passed = 0;
    for name in &names {
        let file = read(&folder, name);
        let found = match std::panic::catch_unwind(|| replay(&file)) {
            Ok(Ok(log)) => difference(&file, &log),
            Ok(Err(error)) => Some(format!("refused: {error}")),
            Err(_) => Some("panicked".into()),
        };
        match found {
            None => passed += 1,
            Some(found) => writeln!(failures, "  {name}: {found}").unwrap(),
        }
    }
    eprintln!("scenarios: {} passed: {passed}", names.len());
    assert!(failures.is_empty(), "differences:\n{failures}");
}
