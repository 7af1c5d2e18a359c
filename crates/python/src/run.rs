//! `run`: from a feed and a strategy to a `Result`.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::{self, StopFlag};
use tapeworks::broker::{AccountKind, Commission, Impact, Instrument, Lots, Semantics, Slippage};
use tapeworks::data::{CheckReport, Severity};
use tapeworks::engine::{EngineConfig, Snapshot};
use tapeworks::run::{self as wiring, RunParts};

use crate::argument::{Options, number};
use crate::callbacks::OnReject;
use crate::commission::PyCommission;
use crate::custom_models::Failure;
use crate::errors::{StrategyError, config_error, one_of, py_err, refuse_unknown};
use crate::feed::PyDataFeed;
use crate::instant::zone;
use crate::instrument::PyInstrument;
use crate::interrupt::Work;
use crate::limits::portfolio_limits;
use crate::position_rules::position_rules;
use crate::price_cost::{PyImpact, PySlippage};
use crate::progress::Watch;
use crate::result::{Recipe, RunResult};
use crate::schedule;
use crate::user_strategy::{StrategySource, UserStrategy, describe};

pub const KEYWORDS: [&str; 24] = [
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
#[pyo3(
    signature = (feed, strategy, **unknown),
    text_signature = "(feed, strategy, *, cash=100_000.0, commission=None, slippage=None, \
    impact=None, participation=None, stop_slippage=0.0, account='cash', semantics='realistic', \
    rules=None, limits=None, lots='integer', instrument=None, instruments=None, flows=None, \
    funding=None, rolls=None, snapshot='bar', on_reject='record', seed=0, name=None, out=None, \
    progress=None)"
)]
pub fn run(
    feed: &Bound<'_, PyAny>,
    strategy: &Bound<'_, PyAny>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<RunResult> {
    let py = feed.py();
    let options = Options::new("run", unknown);
    let out = options.path("out")?;
    if let Some(folder) = &out {
        wiring::check_target(folder).map_err(py_err)?;
    }
    let progress = options.flag("progress")?;
    let result = Plan::read("run", feed, strategy, unknown)?.execute(py, strategy, progress)?;
    if let Some(folder) = out {
        result.write(py, &folder)?;
    }
    Ok(result)
}

/// A run as it was asked for; it can be made again, and over more rows.
pub struct Plan {
    pub feed: Py<PyDataFeed>,
    pub strategy: StrategySource,
    terms: EngineConfig,
    /// Rates by symbol, read once the symbols are known.
    funding: Option<Py<PyAny>>,
    on_reject: OnReject,
    seed: u64,
    name: Option<String>,
    failures: Vec<Failure>,
}

impl Plan {
    /// Reads the keywords of a run.
    ///
    /// # Errors
    /// `TypeError` for keywords that there are none of, `ConfigError` for their values.
    pub fn read(
        function: &str,
        feed: &Bound<'_, PyAny>,
        strategy: &Bound<'_, PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_later(keywords)?;
        refuse_unknown(function, &KEYWORDS, keywords)?;
        let feed = feed.cast::<PyDataFeed>().map_err(|_| no_feed(function, feed))?;
        let options = Options::new(function, keywords);
        let (commission, slippage, impact) =
            (options.any("commission")?, options.any("slippage")?, options.any("impact")?);
        let commission =
            model::<PyCommission>("commission", commission.as_ref(), "tw.Commission.percent(5)")?;
        let slippage =
            model::<PySlippage>("slippage", slippage.as_ref(), "tw.Slippage.percent(5)")?;
        let impact = model::<PyImpact>("impact", impact.as_ref(), "tw.Impact.sqrt()")?;
        let mut failures = Vec::new();
        failures.extend(commission.iter().flat_map(|model| model.get().failures.clone()));
        failures.extend(slippage.iter().flat_map(|model| model.get().failures.clone()));
        failures.extend(impact.iter().flat_map(|model| model.get().failures.clone()));
        let stop_slippage = options.number("stop_slippage")?.unwrap_or(0.0);
        let is_share = (0.0..1.0).contains(&stop_slippage);
        let zone = zone(Some(&feed.get().timezone()))?;
        let account = options.any("account")?;
        let semantics = options.any("semantics")?;
        let instrument = options.any("instrument")?;
        let instrument = match &instrument {
            None => Instrument::default(),
            Some(given) => given
                .cast::<PyInstrument>()
                .map(|given| given.get().terms)
                .map_err(|_| options.no("instrument", given, "a tw.Instrument"))?,
        };
        let instruments = options.any("instruments")?;
        let instruments = match &instruments {
            None => None,
            Some(given) => Some(given.cast::<PyDict>().map_err(|_| {
                options.no("instruments", given, "a dict of symbol to tw.Instrument")
            })?),
        };
        let word = |name: &str, default: &str| -> PyResult<String> {
            Ok(options.text(name)?.unwrap_or_else(|| default.to_owned()))
        };
        let terms = EngineConfig {
            cash: options.number("cash")?.unwrap_or(100_000.0),
            commission: commission.map_or(Commission::None, |value| value.get().model.clone()),
            slippage: slippage.map_or(Slippage::None, |value| value.get().model.clone()),
            impact: impact.map_or(Impact::None, |value| value.get().model.clone()),
            participation: crate::price_cost::participation(
                options.any("participation")?.as_ref(),
            )?,
            stop_slippage: number(
                "run",
                "stop_slippage",
                stop_slippage,
                is_share,
                "from 0 and below 1",
            )?,
            account: account
                .as_ref()
                .map_or(Ok(AccountKind::Cash.into()), crate::account::account)?,
            semantics: semantics
                .as_ref()
                .map_or(Ok(Semantics::REALISTIC), crate::semantics::semantics)?,
            rules: position_rules(options.any("rules")?.as_ref())?,
            limits: portfolio_limits(options.any("limits")?.as_ref())?,
            lots: one_of(
                "lots",
                &word("lots", "integer")?,
                &[("integer", Lots::Integer), ("fractional", Lots::Fractional)],
            )?,
            instrument,
            instruments: crate::instrument::instruments(instruments)?,
            flows: schedule::flows(options.any("flows")?.as_ref(), &zone)?,
            funding: Vec::new(),
            rolls: schedule::rolls(options.any("rolls")?.as_ref(), &zone)?,
            snapshot: one_of(
                "snapshot",
                &word("snapshot", "bar")?,
                &[("bar", Snapshot::Bar), ("session", Snapshot::Session)],
            )?,
            check_invariants: false,
        };
        let on_reject = one_of(
            "on_reject",
            &word("on_reject", "record")?,
            &[("record", OnReject::Record), ("warn", OnReject::Warn), ("raise", OnReject::Raise)],
        )?;
        Ok(Self {
            feed: feed.clone().unbind(),
            strategy: StrategySource::of(strategy)?,
            terms,
            funding: options.any("funding")?.map(Bound::unbind),
            on_reject,
            seed: options.whole("seed")?.unwrap_or(0),
            name: options.text("name")?,
            failures,
        })
    }

    /// The same run over another feed, with a strategy that no run has used.
    ///
    /// # Errors
    /// What looking at the strategy raises.
    pub fn over(
        &self,
        py: Python<'_>,
        feed: Py<PyDataFeed>,
        strategy: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        Ok(Self {
            feed,
            strategy: StrategySource::of(strategy)?,
            terms: self.terms.clone(),
            funding: self.funding.as_ref().map(|funding| funding.clone_ref(py)),
            on_reject: self.on_reject,
            seed: self.seed,
            name: self.name.clone(),
            failures: self.failures.clone(),
        })
    }

    /// Runs with `strategy`, an object that no run has used.
    ///
    /// # Errors
    /// What data, strategy and terms find; `KeyboardInterrupt`.
    pub fn execute(
        self,
        py: Python<'_>,
        strategy: &Bound<'_, PyAny>,
        progress: Option<bool>,
    ) -> PyResult<RunResult> {
        let described = describe(strategy)?;
        let feed = self.feed.bind(py).get();
        let mut opened = feed.open_for_run(py)?;
        let market = feed.market(py, &opened);
        let zone = zone(Some(&feed.timezone()))?;
        let mut terms = self.terms.clone();
        let funding = self.funding.as_ref().map(|funding| funding.bind(py));
        terms.funding = schedule::funding(funding, &zone, &market.symbols)?;
        wiring::check_symbols(&terms, &market.symbols).map_err(|(key, error)| {
            let text = format!("run: {key}: {}", error.message());
            let placed = base::Error::config(error.code(), text);
            py_err(placed.with_hint(error.hint().unwrap_or_default()))
        })?;
        // What an earlier run of the same models has left.
        for failure in &self.failures {
            failure.lock().expect("no panic happens while it is held").take();
        }
        let mut watch = Watch::new(py, progress, opened.n_rows());
        let mut user = UserStrategy::new(strategy, market)?;
        // Files are hashed on a thread of their own while the strategy walks.
        let source = Arc::clone(&feed.0);
        let hashing = Work::start(move || source.inputs());
        let on_reject = self.on_reject;
        let walked = py.detach(|| user.walk(&mut opened, &terms, on_reject, &mut watch));
        // A model that failed has spoilt the run, whatever the engine made of its answer.
        if let Some(raised) = of_model(py, &self.failures, walked.as_ref().err()) {
            user.release();
            return Err(raised);
        }
        let log = user.settle(walked, &mut watch)?;
        drop(watch);
        let stop = StopFlag::default();
        let mut inputs = hashing.wait(py, &stop)?.map_err(py_err)?;
        if log.n_rows == 0 {
            let text = "the feed has no row in the range and symbols asked for";
            return Err(py_err(
                base::Error::data("D130", text)
                    .with_hint("feed.check() shows the span and the symbols of the data"),
            ));
        }
        let times = &log.states.timestamp;
        let text = |ns: &i64| base::Timestamp(*ns).to_string();
        inputs[0].rows = Some(log.n_rows);
        inputs[0].span = times.first().map(text).zip(times.last().map(text));
        let check = opened.report();
        let mut warnings = check_warnings(&check);
        warnings.extend(wiring::same_instant(feed.signal_mode(), &terms.semantics));
        let parts = RunParts {
            name: self.name.clone().unwrap_or_else(|| described.name.clone()),
            strategy: described.line,
            costs: wiring::describe_costs(&terms),
            terms,
            timezone: feed.timezone(),
            config: None,
            inputs,
            warnings,
            check: Some(check),
            seed: self.seed,
            threads: None,
        };
        let outcome = Work::start(move || wiring::conclude(log, parts)).wait(py, &stop)?;
        let walked = self.feed.clone_ref(py);
        let result = RunResult::of_outcome(outcome, Recipe::Run(Box::new(self))).with_feed(walked);
        result.warn_of_naive_times(py)?;
        Ok(result)
    }
}

fn no_feed(function: &str, found: &Bound<'_, PyAny>) -> PyErr {
    let class = found.get_type().name().map_or(String::new(), |name| name.to_string());
    let hint = "wrap paths and frames: tw.DataFeed(bars)";
    PyTypeError::new_err(format!("{function}() takes a tw.DataFeed first, not a {class}; {hint}"))
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
