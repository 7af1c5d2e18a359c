//! `resume`: a run on new rows, equal to one run over all.
//!
//! The run is made again over the old rows and the new, and the engine proves that what had
//! happened has not changed. What a run needs is in its result, or in the config of its folder;
//! what is in neither is asked for.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::StopFlag;
use tapeworks::run::{self as wiring, MoreRows};

use crate::config_run::{ConfigPlan, execute};
use crate::errors::{config_error, py_err, refuse_unknown};
use crate::feed::{MoreInputs, PyDataFeed};
use crate::frames::Input;
use crate::interrupt::Work;
use crate::result::{Recipe, RunResult};
use crate::run::{KEYWORDS, Plan};

const OWN_KEYWORDS: [&str; 9] =
    ["result", "new_rows", "feed", "strategy", "signals", "context", "actions", "out", "progress"];

/// Goes on with a run on new rows; the result is that of one run over all rows.
///
/// `new_rows` are bars after the last timestamp of the run: a path, a frame, or a `DataFeed` whose
/// tables are taken. New rows of the run's other tables are `signals`, `context`, `actions`. The
/// run is made again over everything, and its records up to then are compared with those of
/// `result`: a difference is `DataError` `TW-D320`, which names the first fill.
///
/// A strategy is made anew from its class and the arguments of its constructor. A run that was read
/// back from a folder knows its config; one that `tw.run` made is given its `feed`, its `strategy`
/// and its options once more.
///
///     >>> import polars as pl, tapeworks as tw
///     >>> days = pl.datetime_range(pl.datetime(2024, 1, 1, time_zone="UTC"),
///     ...                          pl.datetime(2024, 1, 4, time_zone="UTC"), "1d", eager=True)
///     >>> close = [10.0, 11.0, 12.0, 13.0]
///     >>> bars = pl.DataFrame({"timestamp": days, "symbol": "AAA", "open": close, "high": close,
///     ...                      "low": close, "close": close, "volume": 100.0})
///     >>> first = tw.run(tw.DataFeed(bars[:3]), tw.rules.buy_and_hold())
///     >>> whole = tw.resume(first, bars[3:])
///     >>> whole.fingerprint == tw.run(tw.DataFeed(bars), tw.rules.buy_and_hold()).fingerprint
///     True
#[pyfunction]
#[pyo3(
    signature = (
        result, new_rows, *, feed=None, strategy=None, signals=None, context=None, actions=None,
        out=None, progress=None, **others
    ),
    text_signature = "(result, new_rows, *, feed=None, strategy=None, signals=None, context=None, \
        actions=None, out=None, progress=None, **others)"
)]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
fn resume<'py>(
    py: Python<'py>,
    result: &Bound<'py, PyAny>,
    new_rows: &Bound<'py, PyAny>,
    feed: Option<&Bound<'py, PyAny>>,
    strategy: Option<&Bound<'py, PyAny>>,
    signals: Option<&Bound<'py, PyAny>>,
    context: Option<&Bound<'py, PyAny>>,
    actions: Option<&Bound<'py, PyAny>>,
    out: Option<PathBuf>,
    progress: Option<bool>,
    others: Option<&Bound<'py, PyDict>>,
) -> PyResult<RunResult> {
    let others = others.filter(|others| !others.is_empty());
    let known: Vec<&str> = OWN_KEYWORDS.into_iter().chain(KEYWORDS).collect();
    refuse_unknown("resume", &known, others)?;
    let result = result.cast::<RunResult>().map_err(|_| {
        let class = result.get_type().name().map_or(String::new(), |name| name.to_string());
        let hint = "a folder is read with tw.load(folder)";
        PyTypeError::new_err(format!("resume() takes a tw.Result first, not a {class}; {hint}"))
    })?;
    let result = result.get();
    if let Some(folder) = &out {
        wiring::check_target(folder).map_err(py_err)?;
    }
    let mut more = match new_rows.cast::<PyDataFeed>() {
        Ok(feed) => feed.get().tables_to_add(),
        Err(_) => MoreInputs {
            asset_data: Input::read("new_rows", new_rows)?,
            signals: None,
            context: None,
            actions: None,
        },
    };
    for (name, given, place) in [
        ("signals", signals, &mut more.signals),
        ("context", context, &mut more.context),
        ("actions", actions, &mut more.actions),
    ] {
        if let Some(given) = given {
            *place = Some(Input::read(name, given)?);
        }
    }
    let last = result.last_timestamp(py)?.unwrap_or(i64::MIN);
    let whole = match recipe(result, feed, strategy, others)? {
        Found::Run(plan) => {
            let feed = match feed {
                Some(feed) => feed.cast::<PyDataFeed>()?.clone(),
                None => plan.feed.bind(py).clone(),
            };
            let whole = feed.get().extended(py, &more)?;
            check_later(py, &more.asset_data, feed.get().read_options().clone(), last)?;
            let feed = Py::new(py, whole)?;
            let fresh;
            let strategy = if let Some(strategy) = strategy {
                strategy
            } else {
                fresh = plan.strategy.make(py).map_err(|cause| no_strategy(py, cause))?;
                &fresh
            };
            plan.over(py, feed, strategy)?.execute(py, strategy, progress)?
        }
        Found::Given(plan, strategy) => {
            let feed = plan.feed.bind(py).get();
            let extended = feed.extended(py, &more)?;
            check_later(py, &more.asset_data, feed.read_options().clone(), last)?;
            let feed = Py::new(py, extended)?;
            let whole = plan.over(py, feed, &strategy)?.execute(py, &strategy, progress)?;
            check_terms(&result.config_text()?, &whole.config_text()?)?;
            whole
        }
        Found::Config(loaded, held) => {
            let read = wiring::config_read_options(&loaded).map_err(py_err)?;
            check_later(py, &more.asset_data, read, last)?;
            let mut held = held;
            let mut path = |input: &Input| -> PyResult<String> {
                let (paths, ours) = input.paths(py, "new_rows")?;
                held.extend(ours);
                let absolute = |path: &str| {
                    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
                    path.to_string_lossy().into_owned()
                };
                Ok(paths.lines().map(absolute).collect::<Vec<_>>().join("\n"))
            };
            let rows = MoreRows {
                asset_data: path(&more.asset_data)?,
                signals: more.signals.as_ref().map(&mut path).transpose()?,
                context: more.context.as_ref().map(&mut path).transpose()?,
                actions: more.actions.as_ref().map(&mut path).transpose()?,
            };
            let loaded = wiring::extended(&loaded, &rows).map_err(py_err)?;
            execute(py, ConfigPlan { loaded, held }, strategy, progress)?
        }
    };
    result.check_continued_by(py, &whole)?;
    if let Some(folder) = out {
        whole.write(py, &folder)?;
    }
    Ok(whole)
}

/// What a run is made again from.
enum Found<'a, 'py> {
    Run(&'a Plan),
    Given(Box<Plan>, Bound<'py, PyAny>),
    Config(Box<wiring::LoadedConfig>, Vec<crate::lazy_frame::LazyFile>),
}

fn recipe<'a, 'py>(
    result: &'a RunResult,
    feed: Option<&Bound<'py, PyAny>>,
    strategy: Option<&Bound<'py, PyAny>>,
    others: Option<&Bound<'py, PyDict>>,
) -> PyResult<Found<'a, 'py>> {
    let refuse_options = || match others.and_then(|others| others.keys().iter().next()) {
        Some(name) => Err(PyTypeError::new_err(format!(
            "resume: the options of this run are known; leave out {name}"
        ))),
        None => Ok(()),
    };
    let refuse_feed = || match feed {
        Some(_) => Err(PyTypeError::new_err(
            "resume: this run has a config, which names its tables; leave out feed",
        )),
        None => Ok(()),
    };
    match &result.recipe {
        Some(Recipe::Run(plan)) => {
            refuse_options()?;
            return Ok(Found::Run(plan));
        }
        Some(Recipe::Config(plan)) => {
            refuse_options()?;
            refuse_feed()?;
            return Ok(Found::Config(Box::new(plan.loaded.clone()), plan.held.clone()));
        }
        None => {}
    }
    let saved = result.saved().expect("what was not made was read back");
    if let Some(loaded) = wiring::saved_config(saved).map_err(py_err)? {
        refuse_options()?;
        refuse_feed()?;
        return Ok(Found::Config(Box::new(loaded), Vec::new()));
    }
    match (feed, strategy) {
        (Some(feed), Some(strategy)) => {
            let plan = Plan::read("resume", feed, strategy, others)?;
            Ok(Found::Given(Box::new(plan), strategy.clone()))
        }
        (feed, strategy) => {
            let missing = match (feed.is_some(), strategy.is_some()) {
                (true, _) => "strategy=",
                (_, true) => "feed=",
                _ => "feed= and strategy=",
            };
            Err(config_error(
                "C472",
                format!("this run was made by tw.run and read from a folder: give {missing}"),
                "tw.resume(result, new_rows, feed=..., strategy=..., and the options of tw.run \
                 that were not left out: cash=, commission=, ...)",
            ))
        }
    }
}

fn check_later(
    py: Python<'_>,
    rows: &Input,
    read: tapeworks::data::ReadOptions,
    last: i64,
) -> PyResult<()> {
    let stop = StopFlag::default();
    let read = tapeworks::data::ReadOptions { stop: stop.clone(), ..read };
    let source = rows.source();
    let work = Work::start(move || wiring::check_later(source, &read, last));
    work.wait(py, &stop)?.map_err(py_err)
}

/// Refuses options that are not those of the run, even where they made no difference up to now.
fn check_terms(was: &str, is: &str) -> PyResult<()> {
    if was == is {
        return Ok(());
    }
    // From the comma before the first letter that differs to the one after.
    let at = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| -> String {
        let chars: Vec<char> = text.chars().collect();
        let is_edge = |c: &char| matches!(c, ',' | '\n' | '{');
        let from = chars[..at.min(chars.len())].iter().rposition(is_edge).map_or(0, |i| i + 1);
        let rest = &chars[at.min(chars.len())..];
        let to = at + rest.iter().position(|c| matches!(c, ',' | '\n')).unwrap_or(rest.len());
        chars[from..to.min(chars.len())].iter().collect::<String>().trim().to_owned()
    };
    Err(config_error(
        "C474",
        format!("the options are not those of the run: it had [{}], now [{}]", part(was), part(is)),
        "give the strategy and the options with which the run was made",
    ))
}

fn no_strategy(py: Python<'_>, cause: PyErr) -> PyErr {
    if !cause.is_instance_of::<pyo3::exceptions::PyException>(py) {
        return cause;
    }
    let error = config_error(
        "C472",
        format!("the strategy of the run cannot be made anew: {}", cause.value(py)),
        "give one: tw.resume(result, new_rows, strategy=MyStrategy(...))",
    );
    error.set_cause(py, Some(cause));
    error
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(resume, module)?)
}
