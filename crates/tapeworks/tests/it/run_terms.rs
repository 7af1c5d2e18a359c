//! Room `run`: the sections `execution` and `risk` of a config, from text to the terms of the engine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tapeworks::base::{ErrorKind, Result};
use tapeworks::broker::{
    AccountKind, BothHit, Commission, Impact, Instrument, LimitAction, LimitKind, Margin,
    MarginCallPolicy, PortfolioLimit, PositionRule, Semantics, VolumeBasis,
};
use tapeworks::engine::Flow;
use tapeworks::records::RecordKind;
use tapeworks::run::config::{Format, PortfolioLimitConfig};
use tapeworks::run::{self, LoadedConfig, Outcome, Overlay};

use crate::tables::{numbers, table};

const BASE: &str = "\
backtest:
  name: small
  initial_capital: 1_000_000
data:
  asset_data: sample:bars
strategy:
  rule: noop
execution:
  commission: {kind: percent, bps: 10}
";

fn yaml(text: &str) -> Result<LoadedConfig> {
    LoadedConfig::parse(text, Format::Yaml, "run.yaml", Path::new(""), &Overlay::default())
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tapeworks-terms-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a temporary folder");
    path
}

fn execute(loaded: &LoadedConfig) -> Result<Outcome> {
    run::execute(loaded, &mut |_| Flow::Continue)
}

/// Every key of `execution` and `risk` in one config.
const FULL: &str = "\
backtest: {name: full, initial_capital: 1_000_000, timezone: America/New_York}
data: {asset_data: sample:bars, signals: {path: sample:signals}}
strategy: {rule: noop}
execution:
  semantics: {base: realistic, both_hit: profit_first, fill_delay: 1, slip_cap: true}
  account: {kind: margin, maintenance_short: 0.2, margin_call: record, borrow_rate: 0.03}
  lots: fractional
  leverage_max: 4
  commission:
    - {kind: per_unit, rate: 0.005, min: 1, max_pct: 0.01}
    - {kind: tiered, tiers: [{up_to: 1e6, bps: 10}, {bps: 5}], by: month, marginal: false}
    - {kind: sell_levy, bps: 50}
  slippage: {kind: quote, fallback: {kind: spread, half_spread: 0.01}}
  stop_slippage_bps: 10
  impact: {kind: sqrt, sigma: 0.03}
  participation: {max_share: 0.1, basis: adv, window: 20}
  instrument: {tick: 0.01}
  instruments:
    AAPL: {multiplier: 50, margin: 12000, future: true, tick: 0.25}
    IBM: {shortable: false, margin_rate: 0.8}
  flows: [{timestamp: 2020-01-31, amount: 5000}]
  funding: [{timestamp: 2020-01-31T16:00:00Z, symbol: IBM, rate: 1e-4}]
  rolls: [{timestamp: 2020-02-03, from: AAPL, to: IBM}]
risk:
  position:
    - stop_loss: 0.05
    - trailing_amount: 2.5
    - tightening: [[0, 0.1], [0.2, 0.05]]
    - volatility_stop: {multiple: 3, column: score}
    - volatility_trail: {multiple: 2, column: score}
    - scaled: {steps: [[0.1, 0.5], [0.2, 0.5]], of: remaining}
    - time: 20
    - signal_exit: {column: score, threshold: 0.5}
    - any: [{take_profit: 0.3}, {trailing: 0.2}]
    - all: [{time: 5}, {stop_loss: 0.01}]
  portfolio:
    - {max_drawdown: 0.2, action: liquidate}
    - {daily_loss: 0.03, action: {reduce: 0.5}}
    - {gross_exposure: 1.5}
    - {net_exposure: 1, action: halt}
    - {symbol_exposure: 0.1}
    - {group_exposure: {symbols: [AAPL, IBM], limit: 0.3}, action: warn}
    - {max_positions: 5}
    - {max_orders: 100}
    - {value_at_risk: {level: 0.95, window: 250, limit: 0.04}, action: warn}
    - {conditional_value_at_risk: {level: 0.99, window: 250, limit: 0.06}, action: stop}
reporting: {snapshot: session}
";

#[test]
fn config_when_every_term_is_given_then_read_shown_and_read_again() {
    let loaded = yaml(FULL).unwrap();
    let once = loaded.config.clone();
    let resolved = once.to_yaml().unwrap();
    assert_eq!(yaml(&resolved).expect(&resolved).config, once);
    let origin = |key: &str| loaded.origin(key).to_string();
    assert_eq!(origin("execution.semantics.both_hit"), "run.yaml:5:42");
    assert_eq!(origin("execution.commission.parts"), "run.yaml:10:5", "of the short form");
    assert_eq!(origin("execution.instrument.lot"), "default");
    let semantics = once.execution.semantics.semantics().unwrap();
    let expected = Semantics {
        both_hit: BothHit::ProfitFirst,
        fill_delay: 1,
        slip_cap: true,
        ..Semantics::REALISTIC
    };
    assert_eq!(semantics, expected);
    // leverage 4: initial margin 1/4, half the usual, so that the usual 0.25 to keep halves too
    let account = once.execution.account.terms(once.execution.leverage_max.0);
    assert_eq!((account.kind, account.initial_margin), (AccountKind::Margin, 0.25));
    assert_eq!((account.maintenance_long, account.maintenance_short), (0.125, 0.2));
    assert_eq!((account.margin_call, account.borrow_rate), (MarginCallPolicy::Record, 0.03));
    let usual = once.execution.instrument.terms(&Instrument::default());
    assert_eq!((usual.tick, usual.multiplier), (0.01, 1.0));
    let aapl = once.execution.instruments["AAPL"].terms(&usual);
    assert_eq!((aapl.tick, aapl.multiplier, aapl.is_future), (0.25, 50.0, true));
    assert_eq!(aapl.maintenance_margin, Margin::PerContract(12_000.0), "as the initial one");
    let ibm = once.execution.instruments["IBM"].terms(&usual);
    assert_eq!((ibm.tick, ibm.is_shortable), (0.01, false));
    assert_eq!(ibm.initial_margin, Margin::Fraction(0.8));
    let limits: Vec<PortfolioLimit> =
        once.risk.portfolio.iter().map(PortfolioLimitConfig::limit).collect();
    assert_eq!(limits[1].action, LimitAction::Reduce(0.5));
    assert_eq!(limits[2].action, LimitAction::Warn, "orders that would pass it are refused");
    assert_eq!(limits[6].kind, LimitKind::MaxPositions(5));
    assert_eq!(once.risk.position[6].rule(), PositionRule::TimeExit(20));
}

/// What a config says is what the engine gets.
#[test]
fn run_when_terms_are_given_then_the_engine_has_them() {
    let text = FULL
        .replace("    - volatility_stop: {multiple: 3, column: score}\n", "")
        .replace("  slippage: {kind: quote, fallback: {kind: spread, half_spread: 0.01}}\n", "");
    let outcome = execute(&yaml(&text).unwrap()).unwrap();
    let terms = &outcome.parts.terms;
    // date -u -d '2020-01-31 05:00' +%s = 1580446800: midnight in New York
    assert_eq!(terms.flows, [(1_580_446_800_000_000_000, 5_000.0)]);
    assert_eq!(terms.funding, [(1_580_486_400_000_000_000, "IBM".to_owned(), 1e-4)]);
    assert_eq!(terms.rolls.len(), 1);
    assert_eq!(terms.stop_slippage, 10.0 * 1e-4);
    assert_eq!(terms.impact, Impact::Sqrt { coefficient: 0.5, sigma: 0.03, volume_share: 1.0 });
    let participation = terms.participation.unwrap();
    assert_eq!((participation.max_share, participation.basis), (0.1, VolumeBasis::Adv(20)));
    let Commission::Combined(parts) = &terms.commission else { panic!("{:?}", terms.commission) };
    assert!(matches!(parts[0], Commission::PerShare { rate: 0.005, min: 1.0, max_pct: 0.01, .. }));
    let Commission::Tiered { tiers, .. } = &parts[1] else { panic!("{:?}", parts[1]) };
    assert_eq!((tiers[0].up_to, tiers[0].rate), (1e6, 10.0 * 1e-4));
    assert_eq!((tiers[1].up_to, tiers[1].rate), (f64::INFINITY, 5.0 * 1e-4));
    assert_eq!(outcome.facts.account, "margin");
    assert!(
        outcome.facts.semantics.contains("both_hit profit_first"),
        "{}",
        outcome.facts.semantics
    );
}

#[test]
fn config_when_a_term_is_wrong_then_place_words_and_remedy() {
    // replaced text, its replacement, code, words the error must hold
    let rows: &[(&str, &str, &str, &[&str])] = &[
        (
            "both_hit: profit_first",
            "both_hits: profit_first",
            "C304",
            &["run.yaml:5:", "did you mean both_hit"],
        ),
        (
            "both_hit: profit_first",
            "both_hit: profit_frist",
            "C304",
            &["did you mean profit_first", "stop_first"],
        ),
        ("base: realistic", "base: realstic", "C304", &["run.yaml:5:21", "did you mean realistic"]),
        (
            "kind: margin",
            "kind: margn",
            "C304",
            &["account.kind", "did you mean margin", "futures"],
        ),
        ("kind: margin", "kind: cash", "C303", &["maintenance_short", "kind cash has no margin"]),
        (
            "maintenance_short: 0.2",
            "initial_margin: 0.3",
            "C303",
            &["leverage_max", "initial_margin makes it 3.33"],
        ),
        (
            "maintenance_short: 0.2",
            "maintenance_short: 0.6",
            "C303",
            &["0.6 is above the initial margin"],
        ),
        (
            "maintenance_short: 0.2",
            "maintenance_short: 0.4",
            "C303",
            &["execution.leverage_max: 4 opens at a margin of 0.25, but account keeps at 0.4"],
        ),
        ("leverage_max: 4", "leverage_max: 0.5", "C303", &["execution.leverage_max is 0.5"]),
        (
            "kind: per_unit",
            "kind: per_shar",
            "C304",
            &["commission.0.kind", "did you mean", "per_share"],
        ),
        (
            "{up_to: 1e6, bps: 10}",
            "{bps: 10}",
            "C303",
            &["commission.1.tiers.0.up_to", "every tier but the last"],
        ),
        (
            "{up_to: 1e6, bps: 10}",
            "{up_to: 1e6, rate: 10}",
            "C303",
            &["all tiers have bps, or all have rate"],
        ),
        (
            "sell_levy, bps: 50",
            "sell_levy, rate: 50",
            "C201",
            &["commission.2.rate", "keys of execution.commission.2: kind, bps"],
        ),
        ("half_spread: 0.01", "half: 0.01", "C201", &["slippage.fallback.half"]),
        ("half_spread: 0.01", "half_spread: 0.01, spread: 1", "C303", &["give either spread"]),
        ("sigma: 0.03", "sigma: -1", "C303", &["execution.impact.sigma is -1", "0 or above"]),
        (", window: 20", "", "C303", &["participation.window", "basis: adv"]),
        ("max_share: 0.1", "max_share: 10", "C303", &["max_share is 10", "at most 1"]),
        (
            "margin: 12000",
            "margin: 12000, margin_rate: 0.1",
            "C303",
            &["instruments.AAPL.margin_rate", "both given"],
        ),
        (
            "    AAPL:",
            "    APPL:",
            "C303",
            &["run.yaml:19:", "instruments.APPL", "did you mean AAPL"],
        ),
        (
            "symbol: IBM",
            "symbol: IBN",
            "C303",
            &["execution.funding", "\"IBN\" is not among", "did you mean IBM"],
        ),
        ("symbols: [AAPL, IBM]", "symbols: [AAPL, IBX]", "C303", &["risk.portfolio", "IBX"]),
        ("2020-01-31, amount", "2020-31-01, amount", "C303", &["flows.timestamp", "2020-31-01"]),
        ("from: AAPL, to: IBM", "from: IBM, to: IBM", "C303", &["to itself"]),
        (
            "- stop_loss: 0.05",
            "- stop_los: 0.05",
            "C201",
            &["risk.position.stop_los", "did you mean stop_loss"],
        ),
        ("- stop_loss: 0.05", "- {stop_loss: 0.05, time: 3}", "C302", &["one rule a list item"]),
        ("[0.2, 0.05]]", "[0, 0.05]]", "C303", &["gains rise", "risk.position.tightening"]),
        (
            "column: score}\n    - volatility_trail",
            "colum: score}\n    - volatility_trail",
            "C201",
            &["volatility_stop.colum", "did you mean column"],
        ),
        ("time: 20", "time: 0.5", "C302", &["risk.position.time", "whole number of rows"]),
        (
            "- {max_drawdown: 0.2, action: liquidate}",
            "- {max_drawdown: 0.2}",
            "C202",
            &["risk.portfolio.action is missing", "reduce: 0.5"],
        ),
        ("action: liquidate", "action: liquidat", "C304", &["did you mean liquidate"]),
        ("action: liquidate", "action: reduce", "C303", &["needs the fraction", "{reduce: 0.5}"]),
        ("max_drawdown: 0.2", "max_drawdown: 20", "C303", &["max_drawdown is 20", "at most 1"]),
        ("snapshot: session", "snapshot: sesion", "C304", &["did you mean session"]),
    ];
    for (from, to, code, words) in rows {
        let text = FULL.replacen(from, to, 1);
        assert_ne!(text, FULL, "{from}");
        let error = yaml(&text).and_then(|loaded| execute(&loaded).map(|_| loaded)).expect_err(to);
        let shown = error.to_string();
        assert_eq!((error.code(), error.kind()), (*code, ErrorKind::Config), "{to}: {shown}");
        for word in *words {
            assert!(shown.contains(word), "{to}: {word:?} not in {shown}");
        }
    }
}

/// Flows and funding may lie in tables; a table may name more contracts than the run has.
#[test]
fn schedule_when_in_tables_then_read_by_column_name() {
    let root = folder("schedule");
    fs::write(root.join("flows.csv"), "timestamp,amount\n2010-01-04,1000\n2010-06-01,-500\n")
        .unwrap();
    let funding = "timestamp,symbol,rate\n2010-01-04,IBM,0.0001\n2010-01-04,XYZ,0.5\n";
    fs::write(root.join("funding.csv"), funding).unwrap();
    let text = BASE.replace("execution:", "execution:\n  flows: flows.csv\n  funding: funding.csv");
    let overlay = Overlay::default();
    let loaded = LoadedConfig::parse(&text, Format::Yaml, "run.yaml", &root, &overlay).unwrap();
    let outcome = execute(&loaded).unwrap();
    let day = 86_400_000_000_000_i64;
    // date -u -d 2010-01-04 +%s / 86400 = 14613, 2010-06-01: 14761
    assert_eq!(outcome.parts.terms.flows, [(14_613 * day, 1_000.0), (14_761 * day, -500.0)]);
    assert_eq!(outcome.parts.terms.funding, [(14_613 * day, "IBM".to_owned(), 1e-4)]);
    let tables: Vec<&str> = outcome.parts.inputs.iter().map(|input| input.table.as_str()).collect();
    assert_eq!(tables, ["asset_data", "flows", "funding"]);
    fs::write(root.join("flows.csv"), "timestamp,money\n2010-01-04,1000\n").unwrap();
    let error = execute(&loaded).unwrap_err().to_string();
    assert!(
        error.contains("run.yaml:9:10: execution.flows") && error.contains("amount"),
        "{error}"
    );
    fs::remove_dir_all(&root).unwrap();
}

/// Sixteen days of two hourly rows each: the states of the second row of each day stay.
#[test]
fn snapshot_when_by_session_then_the_last_state_of_each_day() {
    let root = folder("snapshot");
    let mut csv = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    for day in 1..=16 {
        for hour in [10, 11] {
            let price = 100 + day + hour;
            let row = format!("{price},{price},{price},{price},1000");
            writeln!(csv, "2024-01-{day:02}T{hour}:00:00Z,A,{row}").unwrap();
        }
    }
    fs::write(root.join("bars.csv"), csv).unwrap();
    let text = "data: {asset_data: bars.csv}\nstrategy: {rule: buy_and_hold}\n";
    let parse = |text: &str| {
        LoadedConfig::parse(text, Format::Yaml, "run.yaml", &root, &Overlay::default()).unwrap()
    };
    let all = execute(&parse(text)).unwrap();
    let kept = execute(&parse(&format!("{text}reporting: {{snapshot: session}}\n"))).unwrap();
    let column =
        |outcome: &Outcome| numbers(&table(&outcome.records, RecordKind::Portfolio), "equity");
    let (every, last) = (column(&all), column(&kept));
    assert_eq!((every.len(), last.len()), (32, 16));
    let odd: Vec<Option<f64>> = every.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(last, odd);
    assert_eq!(all.records.log().fills.len(), kept.records.log().fills.len());
    assert_ne!(all.facts.run_id, kept.facts.run_id);
    fs::remove_dir_all(&root).unwrap();
}
