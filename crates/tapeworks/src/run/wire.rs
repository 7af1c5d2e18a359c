//! From config values to the feed, the strategy and the terms of the engine.

use crate::base::{Adjustment, Error, Result, Step};
use crate::data::{Ambiguous, CheckLevel, CsvFormat, Label, OnBadRow, ReadOptions, Source};
use crate::engine::rules::{self, Rebalance, Weighting};
use crate::engine::{Size, Strategy};
use crate::feed::{Availability, ChunkLimit, DataFeed, Lag, Layout, SignalFill};

use super::config::{
    BadRow, ContextData, LoadedConfig, Rule, StrategyConfig, SymbolChoice, Validation, Weight,
};
use super::sample::{SAMPLE_PREFIX, sample_reader};

/// Returns that `weight: inverse_vol` takes a volatility from.
const INVERSE_VOL_ROWS: usize = 20;

/// The source behind a path of the config: a table of the sample, or files.
pub(super) fn source(loaded: &LoadedConfig, path: &str) -> Result<Source> {
    match path.strip_prefix(SAMPLE_PREFIX) {
        Some(name) => Ok(Source::Arrow(sample_reader(name)?)),
        None => Ok(Source::Path(loaded.resolve(path).to_string_lossy().into_owned())),
    }
}

/// How the tables of a config are read.
pub(super) fn read_options(loaded: &LoadedConfig) -> Result<ReadOptions> {
    let (backtest, data) = (&loaded.config.backtest, &loaded.config.data);
    let (start, end) = backtest.window()?;
    Ok(ReadOptions {
        tz: backtest.timezone.clone(),
        calendar: backtest.sessions(),
        label: data.label.as_deref().map_or(Ok(Label::Auto), Label::parse)?,
        ambiguous: data.ambiguous.as_deref().map(Ambiguous::parse).transpose()?,
        step: data.frequency.as_deref().and_then(|text| Step::parse(text).ok()),
        symbols: data.symbols.as_ref().map(|choice| symbols(loaded, choice)).transpose()?,
        start,
        end,
        level: match data.validation {
            Validation::Fast => CheckLevel::Fast,
            Validation::Standard => CheckLevel::Standard,
            Validation::Paranoid => CheckLevel::Paranoid,
        },
        on_bad_row: match data.on_bad_row {
            BadRow::Error => OnBadRow::Error,
            BadRow::Drop => OnBadRow::Drop,
            BadRow::Null => OnBadRow::Null,
        },
        allow_negative: data.allow_negative,
        threads: backtest.threads.and_then(|n| usize::try_from(n).ok()),
        csv: CsvFormat {
            columns: data.csv.columns.clone(),
            price_scale: data.csv.price_scale,
            delimiter: data.csv.delimiter.map(|c| u8::try_from(c).expect("read as ASCII")),
        },
        ..ReadOptions::default()
    })
}

fn symbols(loaded: &LoadedConfig, choice: &SymbolChoice) -> Result<Vec<String>> {
    let mut names = match choice {
        SymbolChoice::Names(names) => names.clone(),
        SymbolChoice::File(path) => {
            let path = loaded.resolve(path);
            let text = std::fs::read_to_string(&path).map_err(|cause| {
                let reason = format!("{} cannot be read: {cause}", path.display());
                loaded
                    .complain("data.symbols", &reason)
                    .with_hint("give a list such as [AAPL, MSFT], or a text file with one a line")
            })?;
            let lines = text.lines().map(str::trim);
            let names: Vec<String> =
                lines.filter(|l| !l.is_empty() && !l.starts_with('#')).map(Into::into).collect();
            if names.is_empty() {
                let reason = format!("{} names no symbol", path.display());
                return Err(loaded.complain("data.symbols", &reason));
            }
            names
        }
    };
    names.sort();
    names.dedup();
    Ok(names)
}

fn lag(text: Option<&str>) -> Result<Option<Lag>> {
    text.map(Lag::parse).transpose()
}

/// The feed of a config.
pub(super) fn feed(loaded: &LoadedConfig) -> Result<DataFeed> {
    let data = &loaded.config.data;
    let mut feed = DataFeed::new(source(loaded, &data.asset_data)?);
    if let Some(signals) = &data.signals {
        feed.signals = Some(source(loaded, &signals.path)?);
        feed.signal_available_at = Availability::parse(&signals.available_at)?;
        feed.staleness = lag(signals.staleness.as_deref())?;
        feed.signal_delay = lag(signals.delay.as_deref())?;
        feed.signal_fill =
            signals.fill.as_deref().map_or(Ok(SignalFill::None), SignalFill::parse)?;
    }
    if let Some(context) = &data.context_data {
        feed.context = Some(source(loaded, context.path())?);
        if let ContextData::Table(table) = context {
            feed.context_available_at = Availability::parse(&table.available_at)?;
            feed.context_staleness = lag(table.staleness.as_deref())?;
            feed.context_delay = lag(table.delay.as_deref())?;
        }
    }
    feed.signal_columns.clone_from(&data.columns.signals);
    feed.indicator_columns.clone_from(&data.columns.indicators);
    feed.context_columns.clone_from(&data.columns.context);
    feed.actions = data.actions.as_deref().map(|path| source(loaded, path)).transpose()?;
    feed.adjustment = data.adjustment.as_deref().map(Adjustment::parse).transpose()?;
    feed.chunk = data.chunk.as_deref().map(ChunkLimit::parse).transpose()?;
    feed.read = read_options(loaded)?;
    Ok(feed)
}

/// The built-in rule of a config, bound to the columns of its feed.
///
/// # Errors
/// `C305` for a Python class, which only the Python package can run; what the rule refuses.
pub(super) fn strategy(loaded: &LoadedConfig, layout: &Layout) -> Result<Box<dyn Strategy>> {
    let rule = match &loaded.config.strategy {
        StrategyConfig::Rule(rule) => rule,
        StrategyConfig::Python(class) => {
            return Err(Error::config(
                "C305",
                format!(
                    "{}: strategy.python: {} is a Python class, which this program cannot run",
                    loaded.origin("strategy.python"),
                    class.python
                ),
            )
            .with_hint("run the config with tapeworks.run_config(...) of the Python package"));
        }
    };
    build(rule, layout).map_err(|error| {
        let located = format!("{}: strategy: {}", loaded.origin("strategy.rule"), error.message());
        let placed = Error::new(error.kind(), error.code(), located);
        match error.hint() {
            Some(hint) => placed.with_hint(hint),
            None => placed,
        }
    })
}

/// The strategy behind a rule, bound to the columns of a feed.
pub(super) fn build(rule: &Rule, layout: &Layout) -> Result<Box<dyn Strategy>> {
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    match rule {
        Rule::Noop => Ok(Box::new(rules::Noop)),
        Rule::BuyAndHold => Ok(Box::new(rules::BuyAndHold::new())),
        Rule::SmaCross { fast, slow, quantity } => {
            Ok(Box::new(rules::SmaCross::new(count(*fast), count(*slow), *quantity)?))
        }
        Rule::TopN { signal, n, rebalance, phase, weight, long_short, max_weight, condition } => {
            rules::TopN {
                signal: signal.clone(),
                n: count(*n),
                rebalance: Rebalance::parse(rebalance, phase.and_then(|p| u32::try_from(p).ok()))?,
                weighting: match *weight {
                    Weight::Equal => Weighting::Equal,
                    Weight::Signal => Weighting::Signal,
                    Weight::InverseVol => Weighting::InverseVol { window: INVERSE_VOL_ROWS },
                    Weight::Share(share) => Weighting::Fixed(share),
                },
                long_short: *long_short,
                max_weight: *max_weight,
                condition: condition.clone(),
            }
            .build(layout)
        }
        Rule::Weights { column } => rules::Weights::new(column).build(layout),
        Rule::EntriesExits { entry, exit, quantity, percent } => rules::EntriesExits {
            entry: entry.clone(),
            exit: exit.clone(),
            size: match (quantity, percent) {
                (Some(quantity), _) => Size::Quantity(*quantity),
                (None, percent) => Size::Percent(percent.unwrap_or(0.0)),
            },
        }
        .build(layout),
    }
}

/// The strategy with its parameters on one line: `sma_cross(fast 20, slow 50)`.
pub(super) fn describe(strategy: &StrategyConfig) -> String {
    let value = serde_json::to_value(strategy).expect("a strategy has text keys only");
    let named = |name: &str, skip: &str| {
        let parameters: Vec<String> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, value)| *key != skip && !value.is_null() && **value != false)
            .map(|(key, value)| match value.as_str() {
                Some(text) => format!("{key} {text}"),
                None => format!("{key} {value}"),
            })
            .collect();
        if parameters.is_empty() {
            name.to_owned()
        } else {
            format!("{name}({})", parameters.join(", "))
        }
    };
    match strategy {
        StrategyConfig::Rule(rule) => named(rule.name(), "rule"),
        StrategyConfig::Python(class) => named(&class.python, "python"),
    }
}
