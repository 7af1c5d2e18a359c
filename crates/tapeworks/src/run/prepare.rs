//! From the section `prepare` of a config to prepared files.

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::config::{
    BadRow, LoadedPrepare, PartitionName, PrepareContext, PrepareSection, PrepareSignals,
    SymbolChoice, parse_span,
};
use super::sample::{SAMPLE_PREFIX, sample_reader};
use crate::base::{Adjustment, Error, Result, Step, Timestamp};
use crate::data::{Ambiguous, CsvFormat, Label, OnBadRow, ReadOptions, Source};
use crate::feed::{Availability, Lag};
use crate::prepare::{
    Compression, ContextTerms, DataPreparer, PartitionBy, PrepareReport, Progress, SaveOptions,
    SignalTerms, Universe,
};

/// Joins the tables of a config and writes asset data and context data.
///
/// # Errors
/// As [`DataPreparer::validate_and_save`], and `C303` for a list of symbols that cannot be read.
pub fn prepare(
    loaded: &LoadedPrepare,
    observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<PrepareReport> {
    let section = &loaded.section;
    let mut preparer = DataPreparer::new();
    preparer.read = read_options(loaded)?;
    let freq = step("prepare.prices.freq", section.prices.freq.as_deref())?;
    preparer.add_prices(source(loaded, &section.prices.path)?, freq)?;
    let actions = section.actions.as_deref().map(|path| source(loaded, path)).transpose()?;
    let adjustment = section.adjustment.as_deref().map(Adjustment::parse).transpose()?;
    preparer.set_adjustment(adjustment, actions)?;
    for table in &section.signals {
        preparer.add_signals(source(loaded, &table.path)?, signal_terms(table)?);
    }
    for table in &section.context {
        preparer.add_context(source(loaded, &table.path)?, context_terms(table)?);
    }
    preparer.add_indicators(section.indicators.iter().map(String::as_str))?;
    if let Some(path) = &section.universe {
        let zone = zone(section)?;
        preparer.set_universe(Universe::read(source(loaded, path)?, &zone)?);
    }
    let options = SaveOptions {
        asset_output: resolve(loaded, &section.asset_output),
        context_output: section.context_output.as_ref().map(|path| resolve(loaded, path)),
        partition_by: section.partition_by.map(|by| match by {
            PartitionName::Month => PartitionBy::Month,
            PartitionName::Symbol => PartitionBy::Symbol,
        }),
        compression: Compression::parse(&section.compression)?,
        force: section.force,
    };
    preparer.validate_and_save(&options, observer)
}

fn resolve(loaded: &LoadedPrepare, path: &str) -> PathBuf {
    loaded.directory.join(path)
}

fn source(loaded: &LoadedPrepare, path: &str) -> Result<Source> {
    match path.strip_prefix(SAMPLE_PREFIX) {
        Some(name) => Ok(Source::Arrow(sample_reader(name)?)),
        None => Ok(Source::Path(resolve(loaded, path).to_string_lossy().into_owned())),
    }
}

fn span(key: &str, text: Option<&str>) -> Result<Option<i64>> {
    let bad = |reason: String| Error::config("C303", format!("{key}: {reason}"));
    text.map(|text| parse_span(text).map_err(bad)).transpose()
}

fn step(key: &str, text: Option<&str>) -> Result<Option<Step>> {
    let bad = |reason: String| Error::config("C303", format!("{key}: {reason}"));
    text.map(|text| Step::parse(text).map_err(bad)).transpose()
}

fn lag(text: Option<&str>) -> Result<Option<Lag>> {
    text.map(Lag::parse).transpose()
}

/// The zone of dates: the one given, else that of the calendar, else UTC.
fn zone(section: &PrepareSection) -> Result<TimeZone> {
    let Some(name) = &section.timezone else {
        return Ok(section.sessions().map_or(TimeZone::UTC, |known| known.zone().clone()));
    };
    TimeZone::get(name)
        .map_err(|_| Error::config("C303", format!("prepare.timezone: {name:?} is no time zone")))
}

fn signal_terms(table: &PrepareSignals) -> Result<SignalTerms> {
    Ok(SignalTerms {
        valid_from: Availability::parse(&table.valid_from)?,
        delay: lag(table.delay.as_deref())?,
        staleness: lag(table.staleness.as_deref())?,
        freq_ns: span("prepare.signals.freq", table.freq.as_deref())?,
        columns: table.columns.clone(),
        prefix: table.prefix.clone(),
    })
}

fn context_terms(table: &PrepareContext) -> Result<ContextTerms> {
    Ok(ContextTerms {
        valid_from: Availability::parse(&table.valid_from)?,
        delay: lag(table.delay.as_deref())?,
        columns: table.columns.clone(),
        prefix: table.prefix.clone(),
    })
}

fn read_options(loaded: &LoadedPrepare) -> Result<ReadOptions> {
    let section = &loaded.section;
    let zone = zone(section)?;
    let instant = |text: &Option<String>| -> Result<Option<Timestamp>> {
        text.as_deref().map(|text| Timestamp::parse(text, &zone)).transpose()
    };
    Ok(ReadOptions {
        tz: section.timezone.clone(),
        calendar: section.sessions(),
        label: section.label.as_deref().map_or(Ok(Label::Auto), Label::parse)?,
        ambiguous: section.ambiguous.as_deref().map(Ambiguous::parse).transpose()?,
        symbols: section.symbols.as_ref().map(|choice| symbols(loaded, choice)).transpose()?,
        start: instant(&section.start)?,
        end: instant(&section.end)?,
        on_bad_row: match section.on_bad_row {
            BadRow::Error => OnBadRow::Error,
            BadRow::Drop => OnBadRow::Drop,
            BadRow::Null => OnBadRow::Null,
        },
        csv: CsvFormat {
            columns: section.csv.columns.clone(),
            price_scale: section.csv.price_scale,
            delimiter: section.csv.delimiter.map(|c| u8::try_from(c).expect("read as ASCII")),
        },
        ..ReadOptions::default()
    })
}

fn symbols(loaded: &LoadedPrepare, choice: &SymbolChoice) -> Result<Vec<String>> {
    match choice {
        SymbolChoice::Names(names) => Ok(names.clone()),
        SymbolChoice::File(path) => {
            let path = resolve(loaded, path);
            let text = std::fs::read_to_string(&path).map_err(|cause| {
                let place = path.display();
                Error::config("C303", format!("prepare.symbols: {place} cannot be read: {cause}"))
                    .with_hint("give a list such as [AAPL, MSFT], or a text file with one a line")
            })?;
            let lines = text.lines().map(str::trim);
            Ok(lines.filter(|l| !l.is_empty() && !l.starts_with('#')).map(Into::into).collect())
        }
    }
}
