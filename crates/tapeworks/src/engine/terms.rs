//! The terms of a run, bound to its symbols.

use super::config::EngineConfig;
use crate::base::{ActionKind, Actions, AssetId, Error, Result, Symbols};
use crate::broker::{CapitalFlow, FundingRate, Instruments, Roll, Schedule};
use crate::feed::Layout;

/// Which portfolio columns a run has; the others would be 0 throughout.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tracks {
    pub unsettled: bool,
    pub margin: bool,
    pub funding: bool,
    pub borrow: bool,
    pub interest: bool,
    pub flows: bool,
    pub dividends: bool,
}

impl Tracks {
    pub fn of(config: &EngineConfig, schedule: &Schedule) -> Self {
        let account = &config.account;
        let borrows = |rate: f64| !rate.is_nan() && rate != 0.0;
        Self {
            unsettled: account.settlement_days > 0,
            margin: !account.kind.pays_in_full(),
            funding: !config.funding.is_empty(),
            borrow: borrows(account.borrow_rate)
                || borrows(config.instrument.borrow_rate)
                || config.instruments.values().any(|one| borrows(one.borrow_rate)),
            interest: account.credit_rate != 0.0 || account.debit_rate != 0.0,
            flows: !config.flows.is_empty(),
            dividends: schedule
                .actions
                .iter()
                .any(|action| matches!(action.kind, ActionKind::Dividend { .. })),
        }
    }
}

/// The instruments of a config, by asset.
///
/// # Errors
/// `C313` for a symbol that the run does not have.
pub(super) fn instruments(config: &EngineConfig, symbols: &Symbols) -> Result<Instruments> {
    let mut particular = Vec::with_capacity(config.instruments.len());
    for (symbol, instrument) in &config.instruments {
        particular.push((find("instruments", symbol, symbols)?, *instrument));
    }
    Ok(Instruments::new(config.instrument, &particular, symbols.len()))
}

/// What a config knows beforehand, by asset and time.
///
/// # Errors
/// `C313` for a symbol that the run does not have.
pub(super) fn schedule(
    config: &EngineConfig,
    symbols: &Symbols,
    actions: Option<&Actions>,
) -> Result<Schedule> {
    let actions = actions.map_or_else(Vec::new, |actions| actions.list().to_vec());
    let mut schedule = Schedule { actions, ..Schedule::default() };
    for &(timestamp, amount) in &config.flows {
        schedule.flows.push(CapitalFlow { timestamp, amount });
    }
    for (timestamp, symbol, rate) in &config.funding {
        let asset = find("funding", symbol, symbols)?;
        schedule.funding.push(FundingRate { timestamp: *timestamp, asset, rate: *rate });
    }
    for (timestamp, from, to) in &config.rolls {
        let (from, to) = (find("rolls", from, symbols)?, find("rolls", to, symbols)?);
        schedule.rolls.push(Roll { timestamp: *timestamp, from, to });
    }
    Ok(schedule.sorted())
}

/// Where the columns of bid and ask lie, when the slippage reads quotes.
///
/// # Errors
/// `C331` for a column that the feed does not carry.
pub(super) fn quote_columns(
    config: &EngineConfig,
    layout: &Layout,
) -> Result<Option<(usize, usize)>> {
    let Some((bid, ask)) = config.slippage.quote_columns() else { return Ok(None) };
    let column = |name: &str| {
        layout.column(name).ok_or_else(|| {
            Error::config("C331", format!("slippage: the feed carries no column {name}"))
                .with_hint("name the columns of bid and ask among the indicators of the data")
        })
    };
    Ok(Some((column(bid)?, column(ask)?)))
}

fn find(section: &str, symbol: &str, symbols: &Symbols) -> Result<AssetId> {
    symbols.id(symbol).ok_or_else(|| {
        Error::config("C313", format!("{section}: {symbol} is no symbol of this run"))
            .with_hint("write symbols as they stand in the market data")
    })
}
