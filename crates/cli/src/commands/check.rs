//! `tapeworks check data`: a table against every rule.

use serde_json::json;
use tapeworks::base::{Error, ErrorKind, Result, Step, Timestamp};
use tapeworks::data::{
    self, Ambiguous, CheckLevel, CheckReport, CsvFormat, Label, ReadOptions, Severity, Source,
};
use tapeworks::feed::{self, Availability, Lag, SignalUse};

use crate::args::{CheckData, Kind, Level, Reading};
use crate::terminal::{Failure, Outcome, Terminal};

/// Done, with findings.
const FINDINGS: u8 = 3;

pub fn data(arguments: &CheckData, threads: Option<u16>, terminal: &Terminal) -> Outcome<u8> {
    let level = match arguments.level {
        Level::Fast => CheckLevel::Fast,
        Level::Standard => CheckLevel::Standard,
        Level::Paranoid => CheckLevel::Paranoid,
    };
    let options = ReadOptions {
        level,
        now: Some(now()),
        threads: threads.map(usize::from),
        allow_negative: arguments.allow_negative,
        ..read_options(&arguments.reading)?
    };
    let report = match checked(arguments, &options) {
        Ok(report) => report,
        Err(error) if error.kind() == ErrorKind::Data => {
            terminal.fail(&Failure::Error(error));
            return Ok(FINDINGS);
        }
        Err(error) => return Err(error.into()),
    };
    let warnings = report.n_findings(Severity::Warning);
    for finding in report.findings.iter().filter(|f| f.severity == Severity::Warning) {
        let place = format!("TW-{} {}.{}", finding.code, finding.table, finding.column);
        terminal.warn(&format!("{place}: {}", finding.message));
    }
    if terminal.json {
        let mut document = json!(report);
        document["ok"] = json!(report.ok());
        document["verdict"] = json!(report.verdict());
        terminal.print_json(&document)?;
    } else {
        terminal.print(&report.to_string())?;
    }
    if !report.ok() || (arguments.strict && warnings > 0) {
        return Ok(FINDINGS);
    }
    Ok(0)
}

/// The clock of this machine; results never depend on it, only a warning about future rows does.
#[expect(clippy::disallowed_types, reason = "the one place that asks for the time")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.ok().and_then(|d| i64::try_from(d.as_nanos()).ok()).unwrap_or(i64::MAX))
}

fn checked(arguments: &CheckData, options: &ReadOptions) -> Result<CheckReport> {
    let source = Source::Path(arguments.src.clone());
    match arguments.kind {
        Kind::Bars => data::check(source, options),
        Kind::Context => {
            data::check_context(source, arguments.bars.clone().map(Source::Path), options)
        }
        Kind::Signals => {
            let span = |text: &Option<String>| text.as_deref().map(Lag::parse).transpose();
            let how = SignalUse {
                available_at: Availability::parse(&arguments.available_at)?,
                delay: span(&arguments.delay)?,
                staleness: span(&arguments.staleness)?,
            };
            feed::check_signals(source, bars(arguments)?, &how, options)
        }
        Kind::Actions => data::check_actions(source, bars(arguments)?, options),
    }
}

/// The bars beside a table that needs them.
fn bars(arguments: &CheckData) -> Result<Source> {
    arguments.bars.clone().map(Source::Path).ok_or_else(|| {
        Error::config("C108", "--kind signals and --kind actions need --bars")
            .with_hint("name the bars whose symbols the table refers to")
    })
}

fn delimiter(character: char) -> Result<u8> {
    u8::try_from(character).ok().filter(u8::is_ascii).ok_or_else(|| {
        Error::config("C108", format!("--csv-delimiter {character:?} is no ASCII character"))
            .with_hint("give one of , ; | or a tab")
    })
}

fn frequency(text: &str) -> Result<Step> {
    Step::parse(text).map_err(|reason| {
        Error::config("C108", format!("--frequency {reason}")).with_hint("give 1m, 1h, 1d, 1w, 1mo")
    })
}

/// How a table is read, by the arguments.
pub fn read_options(reading: &Reading) -> Result<ReadOptions> {
    if !(reading.price_scale.is_finite() && reading.price_scale > 0.0) {
        return Err(Error::config("C108", format!("--price-scale {}", reading.price_scale))
            .with_hint("give a number above 0"));
    }
    Ok(ReadOptions {
        tz: reading.tz.clone(),
        calendar: reading
            .calendar
            .as_deref()
            .map(|text| data::open_calendar(text, reading.calendar_tz.as_deref()))
            .transpose()?,
        label: reading.label.as_deref().map_or(Ok(Label::Auto), Label::parse)?,
        ambiguous: reading.ambiguous.as_deref().map(Ambiguous::parse).transpose()?,
        step: reading.frequency.as_deref().map(frequency).transpose()?,
        symbols: reading.symbols.clone(),
        csv: CsvFormat {
            columns: reading.csv_columns.clone(),
            price_scale: reading.price_scale,
            delimiter: reading.csv_delimiter.map(delimiter).transpose()?,
        },
        ..ReadOptions::default()
    })
}
