//! From config values to the terms of the engine.

use std::collections::BTreeMap;

use super::config::{
    CapScopeName, CommissionConfig, FlowConfig, FundingConfig, ImpactConfig, Listed, LoadedConfig,
    LotsName, MinScope, ParticipationConfig, PortfolioLimitConfig, PositionRuleConfig,
    SlippageConfig, SnapshotName, TierBy, TierConfig, VolumeBasisName, instant,
};
use super::wire;
use crate::base::spelling::nearest;
use crate::base::{Error, Result, Symbols};
use crate::broker::{
    self, CapScope, Commission, Impact, Instrument, LimitKind, Lots, Participation, Slippage,
    SpreadMeasure, Tier, TierOf, TierStyle, VolumeBasis,
};
use crate::data::{ReadOptions, read_context, read_signals};
use crate::engine::{EngineConfig, Snapshot};

/// The terms of the engine for a run over these symbols.
///
/// # Errors
/// `C303` for a symbol that the run does not have; what reading a table of flows or funding finds.
pub(super) fn engine_terms(loaded: &LoadedConfig, symbols: &Symbols) -> Result<EngineConfig> {
    let config = &loaded.config;
    let execution = &config.execution;
    let zone = config.backtest.zone();
    let at = |key: &str, text: &str| instant(key, text, &zone);
    let usual = execution.instrument.terms(&Instrument::default());
    let is_narrowed = config.data.symbols.is_some();
    let is_kept = |symbol: &str| !is_narrowed || symbols.iter().any(|known| known == symbol);
    let mut rolls = Vec::new();
    for (idx, roll) in execution.rolls.iter().enumerate() {
        let when = at(&format!("execution.rolls.{idx}.timestamp"), &roll.timestamp)?;
        if is_kept(&roll.from) && is_kept(&roll.to) {
            rolls.push((when, roll.from.clone(), roll.to.clone()));
        }
    }
    let mut funding = funding(loaded, symbols, &at)?;
    funding.retain(|(_, symbol, _)| is_kept(symbol));
    let instruments: BTreeMap<String, Instrument> = execution
        .instruments
        .iter()
        .filter(|(symbol, _)| is_kept(symbol))
        .map(|(symbol, terms)| (symbol.clone(), terms.terms(&usual)))
        .collect();
    let terms = EngineConfig {
        cash: config.backtest.initial_capital,
        commission: commission(&execution.commission),
        slippage: slippage(&execution.slippage),
        stop_slippage: execution.stop_slippage_bps * 1e-4,
        impact: impact(&execution.impact),
        participation: execution.participation.as_ref().map(participation),
        lots: match execution.lots {
            LotsName::Integer => Lots::Integer,
            LotsName::Fractional => Lots::Fractional,
        },
        account: execution.account.terms(execution.leverage_max.0),
        instrument: usual,
        instruments,
        flows: flows(loaded, &at)?,
        funding,
        rolls,
        rules: config.risk.position.iter().map(PositionRuleConfig::rule).collect(),
        limits: config.risk.portfolio.iter().map(PortfolioLimitConfig::limit).collect(),
        semantics: execution.semantics.semantics()?,
        snapshot: match config.reporting.snapshot {
            SnapshotName::Bar => Snapshot::Bar,
            SnapshotName::Session => Snapshot::Session,
        },
        check_invariants: false,
    };
    check_symbols(&terms, symbols).map_err(|(key, error)| {
        let key = if key.starts_with("limits") {
            "risk.portfolio".to_owned()
        } else {
            format!("execution.{key}")
        };
        let placed = loaded.complain(&key, error.message());
        placed.with_hint(error.hint().unwrap_or_default())
    })?;
    Ok(terms)
}

/// Refuses terms for symbols that the run does not have, which would be ignored without a word.
///
/// # Errors
/// The key (`instruments.ES`, `funding`, `rolls`, `limits`) and a `C303` with the nearest symbol.
pub fn check_symbols(
    terms: &EngineConfig,
    symbols: &Symbols,
) -> std::result::Result<(), (String, Error)> {
    let named = terms
        .instruments
        .keys()
        .map(|symbol| (format!("instruments.{symbol}"), symbol))
        .chain(terms.funding.iter().map(|(_, symbol, _)| ("funding".to_owned(), symbol)))
        .chain(
            terms
                .rolls
                .iter()
                .flat_map(|(_, from, to)| [from, to].map(|symbol| ("rolls".to_owned(), symbol))),
        )
        .chain(terms.limits.iter().flat_map(|limit| {
            let group = match &limit.kind {
                LimitKind::GroupExposure { symbols, .. } => symbols.as_slice(),
                _ => &[],
            };
            group.iter().map(|symbol| ("limits.group_exposure".to_owned(), symbol))
        }));
    for (key, symbol) in named {
        if symbols.iter().any(|known| known == symbol) {
            continue;
        }
        let guess = nearest(symbol, symbols.iter())
            .map_or_else(String::new, |near| format!(", did you mean {near}"));
        let message =
            format!("{symbol:?} is not among the {} symbols of the run{guess}", symbols.len());
        return Err((key, Error::config("C303", message).with_hint("name symbols as the data do")));
    }
    Ok(())
}

/// Reads a time of the config: its key and its text.
type At<'a> = &'a dyn Fn(&str, &str) -> Result<i64>;

fn flows(loaded: &LoadedConfig, at: At<'_>) -> Result<Vec<(i64, f64)>> {
    let key = "execution.flows";
    match &loaded.config.execution.flows {
        Listed::Entries(entries) => {
            let entry = |(idx, flow): (usize, &FlowConfig)| {
                Ok((at(&format!("{key}.{idx}.timestamp"), &flow.timestamp)?, flow.amount))
            };
            entries.iter().enumerate().map(entry).collect()
        }
        Listed::Table(path) => {
            let options = table_options(loaded, "amount");
            let source = wire::source(loaded, path)?;
            let (table, _) =
                read_context(source, &options).map_err(|error| of_key(loaded, key, &error))?;
            let amounts = table.columns.into_iter().next().unwrap_or_default();
            Ok(table.timestamps.into_iter().zip(amounts).filter(|(_, x)| !x.is_nan()).collect())
        }
    }
}

fn funding(
    loaded: &LoadedConfig,
    symbols: &Symbols,
    at: At<'_>,
) -> Result<Vec<(i64, String, f64)>> {
    let key = "execution.funding";
    match &loaded.config.execution.funding {
        Listed::Entries(entries) => {
            let entry = |(idx, rate): (usize, &FundingConfig)| {
                let when = at(&format!("{key}.{idx}.timestamp"), &rate.timestamp)?;
                Ok((when, rate.symbol.clone(), rate.rate))
            };
            entries.iter().enumerate().map(entry).collect()
        }
        Listed::Table(path) => {
            // A table may hold the funding of more contracts than the run has.
            let known = symbols.iter().map(str::to_owned).collect();
            let options = ReadOptions { symbols: Some(known), ..table_options(loaded, "rate") };
            let source = wire::source(loaded, path)?;
            let (table, _) = read_signals(source, symbols, &options)
                .map_err(|error| of_key(loaded, key, &error))?;
            let rates = table.columns.into_iter().next().unwrap_or_default();
            let rows = table.timestamps.into_iter().zip(table.assets).zip(rates);
            Ok(rows
                .filter(|(_, rate)| !rate.is_nan())
                .map(|((when, asset), rate)| {
                    (when, symbols.name(crate::base::AssetId(asset)).to_owned(), rate)
                })
                .collect())
        }
    }
}

fn table_options(loaded: &LoadedConfig, column: &str) -> ReadOptions {
    ReadOptions {
        tz: loaded.config.backtest.timezone.clone(),
        columns: Some(vec![column.to_owned()]),
        ..ReadOptions::default()
    }
}

/// An error of a table, with the key that names the table.
fn of_key(loaded: &LoadedConfig, key: &str, error: &Error) -> Error {
    let message = format!("{}: {key}: {}", loaded.origin(key), error.message());
    let placed = Error::new(error.kind(), error.code(), message);
    match error.hint() {
        Some(hint) => placed.with_hint(hint),
        None => placed,
    }
}

fn commission(config: &CommissionConfig) -> Commission {
    let most = |max_pct: Option<f64>| max_pct.unwrap_or(f64::INFINITY);
    let scope = |scope: MinScope| match scope {
        MinScope::Order => broker::MinScope::Order,
        MinScope::Fill => broker::MinScope::Fill,
    };
    match config {
        CommissionConfig::None => Commission::None,
        CommissionConfig::Percent { bps, min, max_pct, min_scope } => Commission::Percent {
            bps: *bps,
            min: *min,
            max_pct: most(*max_pct),
            min_scope: scope(*min_scope),
        },
        CommissionConfig::PerShare { rate, min, max_pct, min_scope } => Commission::PerShare {
            rate: *rate,
            min: *min,
            max_pct: most(*max_pct),
            min_scope: scope(*min_scope),
        },
        CommissionConfig::PerFill { amount } => Commission::PerFill { amount: *amount },
        CommissionConfig::PerOrder { amount } => Commission::PerOrder { amount: *amount },
        CommissionConfig::Tiered { tiers, by, marginal } => Commission::Tiered {
            tiers: tiers.iter().map(tier).collect(),
            by: match by {
                TierBy::Fill => broker::TierBy::Fill,
                TierBy::Month => broker::TierBy::Month,
            },
            style: if *marginal { TierStyle::Marginal } else { TierStyle::Whole },
            of: match tiers.first() {
                Some(TierConfig { rate: Some(_), .. }) => TierOf::PerUnit,
                _ => TierOf::Percent,
            },
        },
        CommissionConfig::MakerTaker { maker_bps, taker_bps } => {
            Commission::MakerTaker { maker_bps: *maker_bps, taker_bps: *taker_bps }
        }
        CommissionConfig::SellLevy { bps } => Commission::SellLevy { bps: *bps },
        CommissionConfig::Combined { parts } => {
            Commission::Combined(parts.iter().map(commission).collect())
        }
    }
}

fn tier(config: &TierConfig) -> Tier {
    Tier {
        up_to: config.up_to.unwrap_or(f64::INFINITY),
        rate: config.rate.or(config.bps.map(|bps| bps * 1e-4)).unwrap_or(0.0),
    }
}

fn slippage(config: &SlippageConfig) -> Slippage {
    match config {
        SlippageConfig::None => Slippage::None,
        SlippageConfig::Percent { bps } => Slippage::Percent { bps: *bps },
        SlippageConfig::Fixed { amount } => Slippage::Fixed { amount: *amount },
        SlippageConfig::Ticks { ticks } => Slippage::Ticks { n: *ticks },
        SlippageConfig::Spread { half_spread: Some(half), .. } => {
            Slippage::Spread { amount: *half, measure: SpreadMeasure::Half }
        }
        SlippageConfig::Spread { spread, half_spread: None } => {
            Slippage::Spread { amount: spread.unwrap_or(0.0), measure: SpreadMeasure::Full }
        }
        SlippageConfig::SpreadBps { bps } => Slippage::SpreadBps { bps: *bps },
        SlippageConfig::Quote { bid, ask, fallback } => Slippage::Quote {
            bid: bid.clone(),
            ask: ask.clone(),
            fallback: Box::new(slippage(fallback)),
        },
        SlippageConfig::VolumeShare { coefficient } => {
            Slippage::VolumeShare { coefficient: *coefficient }
        }
        SlippageConfig::VolumeShareSq { coefficient } => {
            Slippage::VolumeShareSquared { coefficient: *coefficient }
        }
        SlippageConfig::Volatility { eta_bps, window } => {
            Slippage::Volatility { eta_bps: *eta_bps, rows: rows(*window) }
        }
    }
}

fn impact(config: &ImpactConfig) -> Impact {
    match *config {
        ImpactConfig::None => Impact::None,
        ImpactConfig::Linear { coefficient } => Impact::Linear { coefficient },
        ImpactConfig::Sqrt { coefficient, sigma, volume_share } => {
            Impact::Sqrt { coefficient, sigma, volume_share }
        }
        ImpactConfig::Power { coefficient, exponent, min } => {
            Impact::Power { coefficient, exponent, min }
        }
    }
}

fn participation(config: &ParticipationConfig) -> Participation {
    Participation {
        max_share: config.max_share,
        basis: match config.basis {
            VolumeBasisName::Bar => VolumeBasis::Bar,
            VolumeBasisName::PreviousBar => VolumeBasis::PreviousBar,
            VolumeBasisName::Adv => VolumeBasis::Adv(rows(config.window.unwrap_or(1))),
        },
        scope: match config.scope {
            CapScopeName::Symbol => CapScope::Symbol,
            CapScopeName::Order => CapScope::Order,
        },
    }
}

fn rows(window: u64) -> u32 {
    u32::try_from(window).unwrap_or(u32::MAX)
}
