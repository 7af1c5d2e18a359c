//! Random paths and probes on which backtrader, vectorbt and backtesting.py were really run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use tapeworks::base::{AssetId, Result};
use tapeworks::broker::{
    AccountKind, AccountTerms, FinalClose, MarginCallPolicy, PositionRule, Semantics,
};
use tapeworks::engine::{
    Distance, EngineConfig, ExitPrice, FillRow, Flow, OrderRequest, RunLog, Slice, Strategy,
    Trader, run,
};

use crate::market::{Market, bar_of};
use crate::oracle_cases::near;
use crate::oracle_config::{folder, read};

const ASSET: AssetId = AssetId(0);
const DECISION: usize = 2;
const UNITS: f64 = 10.0;

/// What is sent at the close of bar 2, and what when its first order has filled.
#[derive(Default)]
struct Once {
    orders: Vec<OrderRequest>,
    pair: Vec<OrderRequest>,
    after_fill: Vec<OrderRequest>,
}

impl Strategy for Once {
    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        if bar_of(slice.timestamp()) == DECISION {
            for order in &self.orders {
                trader.submit(order)?;
            }
            if !self.pair.is_empty() {
                trader.submit_oco(&self.pair)?;
            }
        }
        Ok(())
    }

    fn on_fill(&mut self, _fill: &FillRow, trader: &mut Trader) -> Result<()> {
        for order in std::mem::take(&mut self.after_fill) {
            trader.submit(&order)?;
        }
        Ok(())
    }
}

fn rows(path: &Value) -> Vec<[f64; 4]> {
    let rows = path.as_array().unwrap().iter();
    rows.map(|row| [0, 1, 2, 3].map(|idx: usize| row[idx].as_f64().unwrap())).collect()
}

fn terms(semantics: Semantics, rules: Vec<PositionRule>) -> EngineConfig {
    EngineConfig {
        account: AccountTerms {
            margin_call: MarginCallPolicy::Ignore,
            ..AccountTerms::new(AccountKind::Margin)
        },
        rules,
        semantics,
        ..EngineConfig::default()
    }
}

fn play(path: &[[f64; 4]], mut strategy: Once, config: &EngineConfig) -> RunLog {
    let market = Market::one(path);
    run(&mut market.feed(64), &mut strategy, config, &mut |_| Flow::Continue).unwrap()
}

/// Counts outcomes by name and keeps the first differences.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, (usize, usize)>,
    failures: String,
    n_shown: usize,
}

impl Tally {
    fn add(&mut self, group: &str, name: &str, difference: Option<String>) {
        let count = self.counts.entry(group.to_owned()).or_default();
        count.0 += 1;
        match difference {
            None => count.1 += 1,
            Some(found) => {
                self.n_shown += 1;
                if self.n_shown <= 40 {
                    writeln!(self.failures, "  {group} {name}: {found}").unwrap();
                }
            }
        }
    }

    fn finish(&self) {
        eprintln!("{:24} {:>5} {:>6}", "pattern", "cases", "passed");
        for (group, (cases, passed)) in &self.counts {
            eprintln!("{group:24} {cases:5} {passed:6}");
        }
        assert!(self.failures.is_empty(), "{} differ:\n{}", self.n_shown, self.failures);
    }
}

// ------------------------------------------------------------------ backtrader

/// The orders of a pattern; `p` is the close of bar 2.
fn pattern(mode: &str, p: f64) -> Once {
    let buy = OrderRequest::market(ASSET, UNITS);
    let trail = OrderRequest::trailing(ASSET, -UNITS, Distance::Fraction(0.05));
    let orders = |orders: &[OrderRequest]| Once { orders: orders.to_vec(), ..Once::default() };
    match mode {
        "trail_with" => orders(&[buy, trail]),
        "trail_after" => Once { after_fill: vec![trail], ..orders(&[buy]) },
        "sltp" => {
            let stop = OrderRequest::stop(ASSET, -UNITS, 0.97 * p);
            let target = OrderRequest::limit(ASSET, -UNITS, 1.03 * p);
            Once { pair: vec![stop, target], ..orders(&[buy]) }
        }
        "limit" => orders(&[OrderRequest::limit(ASSET, UNITS, 0.985 * p)]),
        "stop" => orders(&[OrderRequest::stop(ASSET, UNITS, 1.015 * p)]),
        "stoplimit" => orders(&[OrderRequest::stop_limit(ASSET, UNITS, 1.015 * p, 1.017 * p)]),
        "bracket" => {
            let (stop, target) = (ExitPrice::Price(0.97 * p), ExitPrice::Price(1.03 * p));
            orders(&[buy.with_exits(Some(stop), Some(target))])
        }
        other => panic!("no pattern {other}"),
    }
}

/// backtrader's random paths, whose prices are rounded to ten decimals.
#[test]
fn paths_of_backtrader_when_played_then_its_fills() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "peer_fuzz/backtrader.json");
    let config = terms(Semantics::BACKTRADER, Vec::new());
    let mut tally = Tally::default();
    for case in file["cases"].as_array().unwrap() {
        let mode = case["mode"].as_str().unwrap();
        let number = case["path"].to_string();
        let path = rows(&file["paths"][&number]);
        let log = play(&path, pattern(mode, path[DECISION][3]), &config);
        tally.add(mode, &number, fills_differ(&log, case["fills"].as_array().unwrap()));
    }
    tally.finish();
}

fn fills_differ(log: &RunLog, want: &[Value]) -> Option<String> {
    let got: Vec<(usize, &str, f64)> = log
        .fills
        .iter()
        .map(|fill| {
            let side = if fill.quantity > 0.0 { "B" } else { "S" };
            (bar_of(fill.timestamp), side, fill.price)
        })
        .collect();
    let same = got.len() == want.len()
        && got.iter().zip(want).all(|(got, want)| {
            want[0] == got.0 && want[1] == got.1 && near(got.2, want[2].as_f64().unwrap())
        });
    (!same).then(|| format!("got {got:?}, want {want:?}"))
}

// ------------------------------------------------------------------ vectorbt

/// vectorbt's random paths, long and short.
#[test]
fn paths_of_vectorbt_when_played_then_its_exits() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "peer_fuzz/vectorbt_oss.json");
    let mut tally = Tally::default();
    for (name, exits) in file["exits"].as_object().unwrap() {
        let (kind, side) = name.split_once('_').unwrap();
        let rules = match kind {
            "trail" => vec![PositionRule::TrailingStop(0.05)],
            "sl" => vec![PositionRule::StopLoss(0.04)],
            "tp" => vec![PositionRule::TakeProfit(0.05)],
            "sltp" => vec![PositionRule::StopLoss(0.03), PositionRule::TakeProfit(0.03)],
            other => panic!("no pattern {other}"),
        };
        let units = if side == "long" { UNITS } else { -UNITS };
        let config = terms(Semantics::VECTORBT, rules);
        for (number, exit) in exits.as_object().unwrap() {
            let path = rows(&file["paths"][number]);
            let entry = OrderRequest::market(ASSET, units);
            let log = play(&path, Once { orders: vec![entry], ..Once::default() }, &config);
            tally.add(name, number, exit_differs(&log, exit));
        }
    }
    tally.finish();
}

fn exit_differs(log: &RunLog, want: &Value) -> Option<String> {
    let entered = log.fills.first().map(|fill| bar_of(fill.timestamp)) == Some(DECISION);
    let got = log.fills.get(1).map(|fill| (bar_of(fill.timestamp), fill.price));
    let same = match got {
        None => want[0].is_null(),
        Some((bar, price)) => {
            want[0] == bar && want[1].as_f64().is_some_and(|want| near(price, want))
        }
    };
    (!(entered && same && log.fills.len() <= 2))
        .then(|| format!("got {got:?} of {} fills, want {want}", log.fills.len()))
}

// ------------------------------------------------------------------ backtesting.py

/// backtesting.py's probes; an open trade is closed with the last row.
#[test]
fn probes_of_backtesting_py_when_played_then_its_trades() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "peer_probes/backtesting_py.json");
    let semantics = Semantics { final_close: FinalClose::Trade, ..Semantics::BACKTESTING_PY };
    let config = terms(semantics, Vec::new());
    let mut tally = Tally::default();
    for case in file["cases"].as_array().unwrap() {
        let order = &case["order"];
        let price = |key: &str| order[key].as_f64();
        let request = OrderRequest {
            limit: price("limit"),
            stop: price("stop"),
            stop_loss: price("sl").map(ExitPrice::Price),
            take_profit: price("tp").map(ExitPrice::Price),
            ..OrderRequest::market(ASSET, price("size").unwrap())
        };
        let log =
            play(&rows(&case["rows"]), Once { orders: vec![request], ..Once::default() }, &config);
        let want = case["trades"].as_array().unwrap();
        tally.add("probe", case["id"].as_str().unwrap(), trades_differ(&log, want));
    }
    tally.finish();
}

fn trades_differ(log: &RunLog, want: &[Value]) -> Option<String> {
    let got: Vec<[f64; 5]> = log
        .lots
        .iter()
        .map(|lot| {
            let entered = bar_of(log.fills[lot.entry_fill as usize].timestamp);
            let left = bar_of(lot.exit_timestamp);
            let units = lot.quantity * lot.side;
            [entered as f64, left as f64, lot.entry_price, lot.exit_price, units]
        })
        .collect();
    let keys = ["entry_bar", "exit_bar", "entry", "exit", "qty"];
    let same = got.len() == want.len()
        && got.iter().zip(want).all(|(got, want)| {
            keys.iter().zip(got).all(|(key, got)| near(*got, want[*key].as_f64().unwrap()))
        });
    (!same).then(|| format!("got {got:?}, want {want:?}"))
}
