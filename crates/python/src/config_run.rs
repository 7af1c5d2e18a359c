//! `run_config`: from a config file to a `Result`; its strategy may be a Python class.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use tapeworks::base;
use tapeworks::engine::{self, Strategy};
use tapeworks::run::config::{LoadedConfig, Overlay, StrategyConfig};
use tapeworks::run::{self as wiring, Event};

use crate::callbacks::{OnReject, PyCallbacks, WithPolicy};
use crate::errors::{config_error, py_err, refuse_unknown};
use crate::lazy_frame::LazyFile;
use crate::market::Market;
use crate::progress::Watch;
use crate::result::{Recipe, RunResult};
use crate::user_strategy::interrupted_or;

/// Runs the config of a YAML, TOML or JSON file.
///
/// `overrides` maps dotted keys to values and wins over the file. A config whose strategy is
/// `{python: "module:Class"}` has the class imported and made with its `params`.
#[pyfunction]
#[pyo3(signature = (path, overrides=None, *, out=None, progress=None, **unknown))]
pub fn run_config<'py>(
    py: Python<'py>,
    path: PathBuf,
    overrides: Option<&Bound<'py, PyDict>>,
    out: Option<PathBuf>,
    progress: Option<bool>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<RunResult> {
    refuse_unknown("run_config", &["path", "overrides", "out", "progress"], unknown)?;
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let environment = std::env::vars_os().filter_map(text).collect();
    let mut overlay = Overlay { environment, ..Overlay::default() };
    for (key, value) in overrides.into_iter().flatten() {
        // A text stands as it is, as on the command line; lists and numbers are written as JSON.
        let text = match value.extract::<String>() {
            Ok(text) => text,
            Err(_) => py.import("json")?.call_method1("dumps", (value,))?.extract()?,
        };
        overlay.push(&format!("{key}={text}")).map_err(py_err)?;
    }
    let loaded = LoadedConfig::read(&path, &overlay).map_err(py_err)?;
    let result = execute(py, ConfigPlan { loaded, held: Vec::new() }, None, progress)?;
    if let Some(folder) = out {
        result.write(py, &folder)?;
    }
    Ok(result)
}

/// A run of a config; it can be made again, and over more rows.
pub struct ConfigPlan {
    pub loaded: LoadedConfig,
    /// Files of ours among its paths.
    pub held: Vec<LazyFile>,
}

/// Runs a config, with `strategy` in place of the class that it names.
///
/// # Errors
/// What the config, the data and the strategy find; `KeyboardInterrupt`.
pub fn execute(
    py: Python<'_>,
    plan: ConfigPlan,
    strategy: Option<&Bound<'_, PyAny>>,
    progress: Option<bool>,
) -> PyResult<RunResult> {
    let loaded = &plan.loaded;
    let mut watch = Watch::new(py, progress, None);
    let strategy = match (&loaded.config.strategy, strategy) {
        (_, Some(strategy)) => Some(strategy.clone()),
        (StrategyConfig::Python(class), None) => {
            Some(python_strategy(py, loaded, &class.python, &class.params)?)
        }
        (StrategyConfig::Rule(_), None) => None,
    };
    let outcome = match strategy {
        None => {
            let done =
                py.detach(|| wiring::execute(loaded, &mut |event| observe(&mut watch, event)));
            interrupted_or(done, &mut watch)?
        }
        Some(object) => {
            let mut late = LateCallbacks { object: object.unbind(), made: None, failure: None };
            let done = py.detach(|| {
                let lent = WithPolicy { strategy: &mut late, on_reject: OnReject::Record };
                let observer = &mut |event: Event<'_>| observe(&mut watch, event);
                wiring::execute_with(loaded, Box::new(lent), observer)
            });
            if let Some(error) = late.take_failure() {
                return Err(error);
            }
            interrupted_or(done, &mut watch)?
        }
    };
    drop(watch);
    let result = RunResult::of_outcome(outcome, Recipe::Config(Box::new(plan)));
    result.warn_of_naive_times(py)?;
    Ok(result)
}

/// A Python strategy of a config: the feed, and with it the market, is known at the start only.
struct LateCallbacks {
    object: Py<PyAny>,
    made: Option<PyCallbacks>,
    failure: Option<PyErr>,
}

impl LateCallbacks {
    fn take_failure(&mut self) -> Option<PyErr> {
        let inner = self.made.as_mut().and_then(|made| {
            made.finish();
            made.take_failure()
        });
        self.failure.take().or(inner)
    }

    fn made(&mut self) -> &mut PyCallbacks {
        self.made.as_mut().expect("on_start comes first")
    }
}

impl Strategy for LateCallbacks {
    fn on_start(&mut self, trader: &mut engine::Trader) -> base::Result<()> {
        let made = Python::attach(|py| {
            let (symbols, layout) = (Arc::clone(trader.symbols()), Arc::clone(trader.layout()));
            let market = Arc::new(Market::new(py, symbols, layout));
            PyCallbacks::new(self.object.bind(py), market)
        });
        match made {
            Ok(made) => self.made.insert(made).on_start(trader),
            Err(error) => {
                self.failure = Some(error);
                Err(base::Error::strategy("S102", "the strategy cannot be called"))
            }
        }
    }

    fn on_data(
        &mut self,
        slice: &engine::Slice<'_>,
        trader: &mut engine::Trader,
    ) -> base::Result<()> {
        self.made().on_data(slice, trader)
    }

    fn on_fill(&mut self, fill: &engine::FillRow, trader: &mut engine::Trader) -> base::Result<()> {
        self.made().on_fill(fill, trader)
    }

    fn on_rescale(
        &mut self,
        rescale: &base::Rescale,
        trader: &mut engine::Trader,
    ) -> base::Result<()> {
        self.made().on_rescale(rescale, trader)
    }

    fn on_reject(
        &mut self,
        rejection: &engine::RejectionRow,
        trader: &mut engine::Trader,
    ) -> base::Result<()> {
        self.made().on_reject(rejection, trader)
    }

    fn on_end(&mut self, trader: &mut engine::Trader) -> base::Result<()> {
        self.made().on_end(trader)
    }
}

/// Imports `module:Class` with the config's folder on the path, and makes an object of it.
fn python_strategy<'py>(
    py: Python<'py>,
    loaded: &LoadedConfig,
    place: &str,
    params: &BTreeMap<String, serde_json::Value>,
) -> PyResult<Bound<'py, PyAny>> {
    let (module, class) = place.split_once(':').ok_or_else(|| {
        config_error(
            "C461",
            format!("strategy.python: {place:?} names no class"),
            "write module:Class, with the module beside the config or installed",
        )
    })?;
    let path = py.import("sys")?.getattr("path")?;
    let folder = loaded.directory.canonicalize().unwrap_or_else(|_| loaded.directory.clone());
    path.call_method1("insert", (0, folder.to_string_lossy().into_owned()))?;
    let imported = py.import(module);
    path.call_method1("pop", (0,))?;
    let class = imported?.getattr(class)?;
    let arguments = PyDict::new(py);
    for (key, value) in params {
        arguments.set_item(key, crate::json::to_python(py, value)?)?;
    }
    if !class.is_instance_of::<PyType>() {
        return Err(config_error(
            "C461",
            format!("strategy.python: {place:?} is no class"),
            "name a subclass of tapeworks.Strategy",
        ));
    }
    class.call((), Some(&arguments))
}

fn observe(watch: &mut Watch, event: Event<'_>) -> engine::Flow {
    match event {
        Event::Rows(progress) => watch.step(progress),
        Event::Stage(_) => watch.hear(),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run_config, module)?)
}
