//! `run`: from a feed and a strategy to a `Result`.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base;
use tapeworks::broker::{AccountKind, Commission, Impact, Instrument, Lots, Semantics, Slippage};
use tapeworks::data::{CheckReport, Severity};
use tapeworks::engine::{self, EngineConfig, RunLog, Snapshot, Strategy};
use tapeworks::run::config::Rule;
use tapeworks::run::{self as wiring, RunParts};

use crate::argument::number;
use crate::callbacks::{OnReject, PyCallbacks, WithPolicy};
use crate::commission::PyCommission;
use crate::custom_models::Failure;
use crate::errors::{StrategyError, config_error, one_of, py_err, refuse_unknown};
use crate::feed::{Opened, PyDataFeed};
use crate::instant::zone;
use crate::instrument::PyInstrument;
use crate::limits::portfolio_limits;
use crate::market::Market;
use crate::position_rules::position_rules;
use crate::price_cost::{PyImpact, PySlippage};
use crate::progress::Watch;
use crate::result::RunResult;
use crate::rules::PyRule;
use crate::schedule;
use crate::strategy::PyStrategy;

const KEYWORDS: [&str; 24] = [
    "feed",
    "strategy",
    "cash",
    "commission",
    "slippage",
    "impact",
    "participation",
    "stop_slippage",
    "account",
    "semantics",
    "rules",
    "limits",
    "lots",
    "instrument",
    "instruments",
    "flows",
    "funding",
    "rolls",
    "snapshot",
    "on_reject",
    "seed",
    "name",
    "out",
    "progress",
];

/// Keywords of later versions.
const LATER: [&str; 2] = ["benchmark", "record_context"];

/// Runs a strategy over a feed.
///
/// `strategy` is an object of a `tw.Strategy` subclass or one of `tw.rules`. An order sent at one
/// timestamp is first tested against the next row of its symbol (`semantics="realistic"`; a mapping
/// such as `{"base": "realistic", "both_hit": "profit_first"}` changes single knobs).
///
/// Costs: `commission`, `slippage`, `impact`, `stop_slippage` (fraction of the price that a fill
/// triggered by a stop gives up besides), `participation` (largest share of a row's volume).
///
/// Terms: `account` is "cash", "margin", "crypto", "futures" or a `tw.Account`; `lots` "integer" or
/// "fractional"; `instruments` maps symbols to `tw.Instrument`, `instrument` is that of all others.
///
/// Known beforehand: `flows` are `(when, amount)`, `funding` `(when, symbol, rate)`, `rolls`
/// `(when, from, to)`; the first two may be tables with these columns, named timestamp, amount,
/// symbol, rate.
///
/// `rules` are position rules for every position, `limits` those of `tw.limits`.
/// `snapshot="session"` keeps the portfolio state of the last row of each day (UTC) only.
/// `on_reject` decides what happens besides the row in `result.rejections`; `out` names a folder to
/// write the run to.
///
///     >>> import tapeworks as tw
///     >>> result = tw.run(tw.sample("daily"), tw.rules.top_n("score", 2, rebalance="5d"),
///     ...                 cash=50_000, commission=tw.Commission.percent(bps=5), name="pair")
///     >>> result.name, len(result.portfolio)
///     ('pair', 3270)
#[pyfunction]
#[pyo3(signature = (
    feed, strategy, *, cash=100_000.0, commission=None, slippage=None, impact=None,
    participation=None, stop_slippage=0.0, account=None, semantics=None, rules=None, limits=None,
    lots="integer", instrument=None, instruments=None, flows=None, funding=None, rolls=None,
    snapshot="bar", on_reject="record", seed=0, name=None, out=None, progress=None, **unknown
), text_signature = "(feed, strategy, *, cash=100_000.0, commission=None, slippage=None, \
    impact=None, participation=None, stop_slippage=0.0, account='cash', semantics='realistic', \
    rules=None, limits=None, lots='integer', instrument=None, instruments=None, flows=None, \
    funding=None, rolls=None, snapshot='bar', on_reject='record', seed=0, name=None, out=None, \
    progress=None)")]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
pub fn run<'py>(
    py: Python<'py>,
    feed: &Bound<'py, PyAny>,
    strategy: &Bound<'py, PyAny>,
    cash: f64,
    commission: Option<&Bound<'py, PyAny>>,
    slippage: Option<&Bound<'py, PyAny>>,
    impact: Option<&Bound<'py, PyAny>>,
    participation: Option<&Bound<'py, PyAny>>,
    stop_slippage: f64,
    account: Option<&Bound<'py, PyAny>>,
    semantics: Option<&Bound<'py, PyAny>>,
    rules: Option<&Bound<'py, PyAny>>,
    limits: Option<&Bound<'py, PyAny>>,
    lots: &str,
    instrument: Option<&Bound<'py, PyInstrument>>,
    instruments: Option<&Bound<'py, PyDict>>,
    flows: Option<&Bound<'py, PyAny>>,
    funding: Option<&Bound<'py, PyAny>>,
    rolls: Option<&Bound<'py, PyAny>>,
    snapshot: &str,
    on_reject: &str,
    seed: u64,
    name: Option<String>,
    out: Option<PathBuf>,
    progress: Option<bool>,
    unknown: Option<&Bound<'py, PyDict>>,
) -> PyResult<RunResult> {
    refuse_later(unknown)?;
    refuse_unknown("run", &KEYWORDS, unknown)?;
    let feed = feed.cast::<PyDataFeed>().map_err(|_| {
        let class = feed.get_type().name().map_or(String::new(), |name| name.to_string());
        PyTypeError::new_err(format!("run() takes a tw.DataFeed first, not a {class}"))
    })?;
    if out.is_some() {
        let folder = out.as_deref().expect("looked at above");
        wiring::check_target(folder).map_err(py_err)?;
    }
    let commission = model::<PyCommission>("commission", commission, "tw.Commission.percent(5)")?;
    let slippage = model::<PySlippage>("slippage", slippage, "tw.Slippage.percent(5)")?;
    let impact = model::<PyImpact>("impact", impact, "tw.Impact.sqrt()")?;
    let mut failures = Vec::new();
    failures.extend(commission.iter().flat_map(|model| model.get().failures.clone()));
    failures.extend(slippage.iter().flat_map(|model| model.get().failures.clone()));
    failures.extend(impact.iter().flat_map(|model| model.get().failures.clone()));
    let is_share = (0.0..1.0).contains(&stop_slippage);
    let zone = zone(Some(&feed.get().timezone()))?;
    let mut terms = EngineConfig {
        cash,
        commission: commission.map_or(Commission::None, |value| value.get().model.clone()),
        slippage: slippage.map_or(Slippage::None, |value| value.get().model.clone()),
        impact: impact.map_or(Impact::None, |value| value.get().model.clone()),
        participation: crate::price_cost::participation(participation)?,
        stop_slippage: number(
            "run",
            "stop_slippage",
            stop_slippage,
            is_share,
            "from 0 and below 1",
        )?,
        account: account.map_or(Ok(AccountKind::Cash.into()), crate::account::account)?,
        semantics: semantics.map_or(Ok(Semantics::REALISTIC), crate::semantics::semantics)?,
        rules: position_rules(rules)?,
        limits: portfolio_limits(limits)?,
        lots: one_of(
            "lots",
            lots,
            &[("integer", Lots::Integer), ("fractional", Lots::Fractional)],
        )?,
        instrument: instrument.map_or_else(Instrument::default, |given| given.get().terms),
        instruments: crate::instrument::instruments(instruments)?,
        flows: schedule::flows(flows, &zone)?,
        funding: Vec::new(),
        rolls: schedule::rolls(rolls, &zone)?,
        snapshot: one_of(
            "snapshot",
            snapshot,
            &[("bar", Snapshot::Bar), ("session", Snapshot::Session)],
        )?,
        check_invariants: false,
    };
    let on_reject = one_of(
        "on_reject",
        on_reject,
        &[("record", OnReject::Record), ("warn", OnReject::Warn), ("raise", OnReject::Raise)],
    )?;
    let described = describe(strategy)?;
    let mut opened = feed.get().open_for_run(py)?;
    let market = feed.get().market(py, &opened);
    terms.funding = schedule::funding(funding, &zone, &market.symbols)?;
    wiring::check_symbols(&terms, &market.symbols).map_err(|(key, error)| {
        let placed = base::Error::config(error.code(), format!("run: {key}: {}", error.message()));
        py_err(placed.with_hint(error.hint().unwrap_or_default()))
    })?;
    // What an earlier run of the same models has left.
    for failure in &failures {
        failure.lock().expect("no panic happens while it is held").take();
    }
    let mut watch = Watch::new(progress);
    let mut user = UserStrategy::new(strategy, market)?;
    let source = feed.get();
    // Files are hashed on a thread of their own while the strategy walks.
    let (walked, inputs) = py.detach(|| {
        std::thread::scope(|scope| {
            let hashing = scope.spawn(|| source.inputs());
            let walked = user.walk(&mut opened, &terms, on_reject, &mut watch);
            (walked, hashing.join().expect("Invariant: hashing does not panic"))
        })
    });
    // A model that failed has spoilt the run, whatever the engine made of its answer.
    if let Some(raised) = of_model(py, &failures, walked.as_ref().err()) {
        user.release();
        return Err(raised);
    }
    let log = user.settle(walked, &mut watch)?;
    let mut inputs = inputs.map_err(py_err)?;
    if log.n_rows == 0 {
        return Err(py_err(
            base::Error::data("D130", "the feed has no row in the range and symbols asked for")
                .with_hint("feed.check() shows the span and the symbols of the data"),
        ));
    }
    let times = &log.states.timestamp;
    let text = |ns: &i64| base::Timestamp(*ns).to_string();
    inputs[0].rows = Some(log.n_rows);
    inputs[0].span = times.first().map(text).zip(times.last().map(text));
    let check = opened.report();
    let mut warnings = check_warnings(&check);
    warnings.extend(wiring::same_instant(source.signal_mode(), &terms.semantics));
    let parts = RunParts {
        name: name.unwrap_or_else(|| described.name.clone()),
        strategy: described.line,
        costs: wiring::describe_costs(&terms),
        terms,
        timezone: source.timezone(),
        config: None,
        inputs,
        warnings,
        check: Some(check),
        seed,
        threads: None,
    };
    let outcome = py.detach(|| wiring::conclude(log, parts));
    let result = RunResult::of_outcome(outcome).with_feed(feed.clone().unbind());
    result.warn_of_naive_times(py)?;
    if let Some(folder) = out {
        result.write(py, &folder)?;
    }
    Ok(result)
}

/// A strategy of either kind. A rule is built where it runs, off the interpreter.
enum UserStrategy {
    Rule(Rule, Arc<Market>),
    Python(Box<PyCallbacks>),
}

impl UserStrategy {
    fn new(strategy: &Bound<'_, PyAny>, market: Arc<Market>) -> PyResult<Self> {
        if let Ok(rule) = strategy.cast::<PyRule>() {
            return Ok(Self::Rule(rule.get().0.clone(), market));
        }
        Ok(Self::Python(Box::new(PyCallbacks::new(strategy, market)?)))
    }

    /// Walks the feed.
    fn walk(
        &mut self,
        feed: &mut Opened,
        terms: &EngineConfig,
        on_reject: OnReject,
        watch: &mut Watch,
    ) -> base::Result<RunLog> {
        let mut built;
        let strategy: &mut dyn Strategy = match self {
            Self::Rule(rule, market) => {
                built = wiring::rule_strategy(rule, &market.layout)?;
                built.as_mut()
            }
            Self::Python(callbacks) => callbacks.as_mut(),
        };
        let progress = &mut |progress: &engine::Progress| watch.step(progress);
        if on_reject == OnReject::Record {
            return engine::run(feed, strategy, terms, progress);
        }
        engine::run(feed, &mut WithPolicy { strategy, on_reject }, terms, progress)
    }

    /// Lets go of the run's data.
    fn release(&mut self) {
        if let Self::Python(callbacks) = self {
            callbacks.finish();
        }
    }

    /// The log, or the exception that explains why there is none.
    fn settle(&mut self, walked: base::Result<RunLog>, watch: &mut Watch) -> PyResult<RunLog> {
        self.release();
        if let Self::Python(callbacks) = self
            && let Some(error) = callbacks.take_failure()
        {
            return Err(error);
        }
        interrupted_or(walked, watch)
    }
}

/// The value, or the exception that explains why there is none: an interrupt comes first.
pub fn interrupted_or<T>(done: base::Result<T>, watch: &mut Watch) -> PyResult<T> {
    match (done, watch.interrupt.take()) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(interrupt)) => Err(interrupt),
        (Err(error), None) => Err(py_err(error)),
    }
}

/// A strategy's name, and its parameters on one line.
struct Described {
    name: String,
    line: String,
}

fn describe(strategy: &Bound<'_, PyAny>) -> PyResult<Described> {
    if let Ok(rule) = strategy.cast::<PyRule>() {
        let rule = rule.get();
        return Ok(Described { name: rule.0.name().to_owned(), line: rule.describe() });
    }
    let name = strategy.get_type().name()?.to_string();
    let mut parts = Vec::new();
    if let Ok(base) = strategy.cast::<PyStrategy>() {
        for (key, value) in base.get().parameters(strategy.py()).iter() {
            let value = value.repr()?.to_string();
            if value.chars().count() <= 40 {
                parts.push(format!("{key} {value}"));
            }
        }
    }
    let line =
        if parts.is_empty() { name.clone() } else { format!("{name}({})", parts.join(", ")) };
    Ok(Described { name, line })
}

fn check_warnings(check: &CheckReport) -> Vec<String> {
    let warnings = check.findings.iter().filter(|finding| finding.severity == Severity::Warning);
    warnings.map(|found| format!("TW-{} {}: {}", found.code, found.column, found.message)).collect()
}

/// A cost model of the class that the argument takes.
fn model<'a, 'py, T: pyo3::PyClass>(
    argument: &str,
    given: Option<&'a Bound<'py, PyAny>>,
    example: &str,
) -> PyResult<Option<&'a Bound<'py, T>>> {
    let Some(given) = given else { return Ok(None) };
    given.cast::<T>().map(Some).map_err(|_| {
        config_error(
            "C429",
            format!("run: {argument}={given} is no {argument} model"),
            &format!("for example {argument}={example}"),
        )
    })
}

/// The exception that a cost model in Python raised, with what the engine says of the place.
fn of_model(py: Python<'_>, failures: &[Failure], error: Option<&base::Error>) -> Option<PyErr> {
    let take = |failure: &Failure| failure.lock().expect("no panic happens here").take();
    let raised = failures.iter().find_map(take)?;
    let Some(error) = error.filter(|_| raised.is_instance_of::<StrategyError>(py)) else {
        return Some(raised);
    };
    let text = format!("{}\n{}", raised.value(py).str().ok()?, error.message());
    let placed = StrategyError::new_err(text);
    let _ = placed.value(py).setattr("code", "TW-S112");
    placed.set_cause(py, raised.cause(py));
    Some(placed)
}

fn refuse_later(unknown: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    let Some(unknown) = unknown else { return Ok(()) };
    for name in LATER {
        if unknown.contains(name)? {
            return Err(config_error(
                "C463",
                format!("run({name}=...) is not in this version"),
                "leave it out",
            ));
        }
    }
    Ok(())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run, module)?)
}
