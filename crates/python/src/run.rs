//! `run`: from a feed and a strategy to a `Result`.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base;
use tapeworks::broker::{AccountKind, Commission, Lots, Semantics, Slippage};
use tapeworks::data::{CheckReport, Severity};
use tapeworks::engine::{self, EngineConfig, RunLog, Strategy};
use tapeworks::run::config::Rule;
use tapeworks::run::{self as wiring, RunParts};

use crate::callbacks::{OnReject, PyCallbacks, WithPolicy};
use crate::costs::{PyCommission, PySlippage, position_rules};
use crate::errors::{config_error, one_of, py_err, refuse_unknown};
use crate::feed::{Opened, PyDataFeed};
use crate::market::Market;
use crate::progress::Watch;
use crate::result::RunResult;
use crate::rules::PyRule;
use crate::strategy::PyStrategy;

const KEYWORDS: [&str; 14] = [
    "feed",
    "strategy",
    "cash",
    "commission",
    "slippage",
    "account",
    "semantics",
    "rules",
    "lots",
    "on_reject",
    "seed",
    "name",
    "out",
    "progress",
];

/// Keywords of later versions.
const LATER: [&str; 5] = ["impact", "limits", "benchmark", "record_context", "snapshot"];

/// Runs a strategy over a feed.
///
/// `strategy` is an object of a `tw.Strategy` subclass or one of `tw.rules`. An order sent at one
/// timestamp is first tested against the next row of its symbol (`semantics="realistic"`).
/// `rules` are position rules for every position; `on_reject` decides what happens besides the row
/// in `result.rejections`; `out` names a folder to write the run to.
#[pyfunction]
#[pyo3(signature = (
    feed, strategy, *, cash=100_000.0, commission=None, slippage=None, account="cash",
    semantics="realistic", rules=None, lots="integer", on_reject="record", seed=0, name=None,
    out=None, progress=None, **unknown
))]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
pub fn run<'py>(
    py: Python<'py>,
    feed: &Bound<'py, PyAny>,
    strategy: &Bound<'py, PyAny>,
    cash: f64,
    commission: Option<&Bound<'py, PyCommission>>,
    slippage: Option<&Bound<'py, PySlippage>>,
    account: &str,
    semantics: &str,
    rules: Option<&Bound<'py, PyAny>>,
    lots: &str,
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
    let terms = EngineConfig {
        cash,
        commission: commission.map_or(Commission::None, |value| value.get().0.clone()),
        slippage: slippage.map_or(Slippage::None, |value| value.get().0.clone()),
        account: account_kind(account)?.into(),
        semantics: Semantics::by_name(semantics).ok_or_else(|| {
            config_error(
                "C460",
                format!("semantics={semantics:?} is not known"),
                "this version has \"realistic\"",
            )
        })?,
        rules: position_rules(rules)?,
        lots: one_of(
            "lots",
            lots,
            &[("integer", Lots::Integer), ("fractional", Lots::Fractional)],
        )?,
        check_invariants: false,
        ..EngineConfig::default()
    };
    let on_reject = one_of(
        "on_reject",
        on_reject,
        &[("record", OnReject::Record), ("warn", OnReject::Warn), ("raise", OnReject::Raise)],
    )?;
    let described = describe(strategy)?;
    let mut opened = feed.get().open(py)?;
    let market = feed.get().market(py, &opened);
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
    let parts = RunParts {
        name: name.unwrap_or_else(|| described.name.clone()),
        strategy: described.line,
        costs: wiring::describe_costs(&terms),
        terms,
        timezone: source.timezone(),
        config: None,
        inputs,
        warnings: check_warnings(&check),
        check: Some(check),
        seed,
        threads: None,
    };
    let outcome = py.detach(|| wiring::conclude(log, parts));
    let result = RunResult::of_outcome(outcome);
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

    /// The log, or the exception that explains why there is none.
    fn settle(&mut self, walked: base::Result<RunLog>, watch: &mut Watch) -> PyResult<RunLog> {
        if let Self::Python(callbacks) = self {
            callbacks.finish();
            if let Some(error) = callbacks.take_failure() {
                return Err(error);
            }
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

fn account_kind(account: &str) -> PyResult<AccountKind> {
    match account {
        "cash" => Ok(AccountKind::Cash),
        "margin" | "crypto" | "futures" => Err(config_error(
            "C462",
            format!("account={account:?} is not in this version"),
            "account=\"cash\" pays for what it buys and never goes short",
        )),
        _ => one_of("account", account, &[("cash", AccountKind::Cash)]),
    }
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
