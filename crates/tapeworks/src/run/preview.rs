//! What a run would read, found without running it.

use super::check_data::{WindowFacts, check_span, inferred_spacing, spacing_warning, span_text};
use super::config::{LoadedConfig, StrategyConfig};
use super::execute::{Event, Walked, check_warnings, walk};
use super::wire;
use crate::base::{Result, Timestamp};
use crate::data::CheckReport;
use crate::engine::{Flow, Strategy, rules};
use crate::feed::Layout;

/// The size of a run.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    /// Market rows.
    pub rows: u64,
    /// Timestamps.
    pub timestamps: u64,
    /// Symbols.
    pub symbols: u64,
    /// First and last instant.
    pub span: Option<(String, String)>,
    /// The usual distance of timestamps.
    pub frequency: Option<String>,
    /// Memory that grows with the data, in bytes: decoded chunks in flight and portfolio states.
    /// Orders and fills of the strategy come on top, about 250 bytes each.
    pub memory_bytes: u64,
    /// What the checks found, in a line.
    pub check: String,
    /// What would be warned about.
    pub warnings: Vec<String>,
}

/// Chunks alive at a time: one being walked, two waiting, one being decoded.
const CHUNKS_ALIVE: u64 = 4;

/// Walks the data of a config without a strategy: everything is read and checked, no order is
/// sent, nothing is written.
///
/// # Errors
/// What a run would find before its first order.
pub fn preview(
    loaded: &LoadedConfig,
    observer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Result<(Preview, CheckReport)> {
    if let Some(folder) = &loaded.config.reporting.directory {
        super::folder::check_target(std::path::Path::new(folder))?;
    }
    let mut make = |layout: &Layout| -> Result<Box<dyn Strategy>> {
        if let StrategyConfig::Rule(_) = loaded.config.strategy {
            wire::strategy(loaded, layout)?;
        }
        Ok(Box::new(rules::Noop))
    };
    let Walked { log, check, .. } = walk(loaded, &mut make, observer)?;
    let times = &log.states.timestamp;
    let spacing = inferred_spacing(times);
    let mut warnings = loaded.warnings();
    warnings.extend(check_warnings(&check));
    warnings.extend(check_span(&loaded.config.backtest, WindowFacts::of(times)));
    warnings.extend(spacing_warning(loaded.config.data.frequency.as_deref(), spacing));
    let columns = 6 + log.layout.n_values() as u64;
    let chunk_rows = wire::read_options(loaded)?.batch_rows as u64;
    let state_columns = 7 + log.layout.context.len() as u64;
    let preview = Preview {
        rows: log.n_rows,
        timestamps: times.len() as u64,
        symbols: log.symbols.len() as u64,
        span: times
            .first()
            .zip(times.last())
            .map(|(first, last)| (Timestamp(*first).to_string(), Timestamp(*last).to_string())),
        frequency: spacing.map(span_text),
        memory_bytes: CHUNKS_ALIVE * chunk_rows.min(log.n_rows) * columns * 8
            + times.len() as u64 * state_columns * 8,
        check: check.verdict(),
        warnings,
    };
    Ok((preview, check))
}
