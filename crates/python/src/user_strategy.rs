//! A strategy of either kind, built-in or in Python: how it is run, described and made anew.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tapeworks::base;
use tapeworks::engine::{self, EngineConfig, RunLog, Strategy};
use tapeworks::run as wiring;
use tapeworks::run::config::Rule;

use crate::callbacks::{OnReject, PyCallbacks, WithPolicy};
use crate::errors::py_err;
use crate::feed::Opened;
use crate::market::Market;
use crate::progress::Watch;
use crate::rules::PyRule;
use crate::strategy::PyStrategy;

/// A strategy of either kind. A rule is built where it runs, off the interpreter.
pub enum UserStrategy {
    Rule(Rule, Arc<Market>),
    Python(Box<PyCallbacks>),
}

impl UserStrategy {
    pub fn new(strategy: &Bound<'_, PyAny>, market: Arc<Market>) -> PyResult<Self> {
        if let Ok(rule) = strategy.cast::<PyRule>() {
            return Ok(Self::Rule(rule.get().0.clone(), market));
        }
        Ok(Self::Python(Box::new(PyCallbacks::new(strategy, market)?)))
    }

    /// Walks the feed.
    pub fn walk(
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
    pub fn release(&mut self) {
        if let Self::Python(callbacks) = self {
            callbacks.finish();
        }
    }

    /// The log, or the exception that explains why there is none.
    pub fn settle(&mut self, walked: base::Result<RunLog>, watch: &mut Watch) -> PyResult<RunLog> {
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
pub struct Described {
    pub name: String,
    pub line: String,
}

/// What the report and the manifest say of a strategy.
pub fn describe(strategy: &Bound<'_, PyAny>) -> PyResult<Described> {
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

/// How a strategy is had anew: a used one may remember what it has seen.
pub enum StrategySource {
    /// A built-in rule remembers nothing.
    Rule(Py<PyAny>),
    /// The class and the arguments of an object.
    Class(Py<PyAny>, Py<PyTuple>, Py<PyDict>),
}

impl StrategySource {
    pub fn of(strategy: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Ok(base) = strategy.cast::<PyStrategy>() else {
            return Ok(Self::Rule(strategy.clone().unbind()));
        };
        let py = strategy.py();
        let base = base.get();
        let keywords = base.parameters(py).copy()?.unbind();
        let class = strategy.get_type().into_any().unbind();
        Ok(Self::Class(class, base.positional(py).unbind(), keywords))
    }

    /// An object that no run has used.
    ///
    /// # Errors
    /// What the constructor raises.
    pub fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Rule(rule) => Ok(rule.bind(py).clone()),
            Self::Class(class, args, keywords) => {
                class.bind(py).call(args.bind(py), Some(keywords.bind(py)))
            }
        }
    }
}
