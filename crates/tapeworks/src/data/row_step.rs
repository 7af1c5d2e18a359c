//! The step of the rows of a table, where their meaning depends on it: starts are a step before
//! their ends, and dates of weeks or months are no sessions.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::known_at::KnownAt;
use super::ledger::{Ledger, Rule};
use super::options::{CheckLevel, Label, ReadOptions};
use super::report::Severity;
use super::resample::Spacing;
use super::table_file::TableFile;
use crate::base::{Error, Result, Step, Symbols};

/// Rows of all files that are looked at.
const LEARN_ROWS: usize = 200_000;
/// Fewer distances between dates say nothing of weeks and months.
const DISTANCES_MIN: u64 = 3;

/// Stamps and symbols of the first rows of a file, in its order.
pub(super) struct FirstRows {
    pub(super) stamps: Vec<i64>,
    /// Ids that are ranks among `names`.
    pub(super) assets: Vec<u32>,
    pub(super) names: Symbols,
}

/// The step of the bars: the one that was said, else the one of the rows; `None` where it is not
/// asked for.
///
/// # Errors
/// `D309` when rows have another step than was said, or none can be told and it is needed.
pub(super) fn step_of(
    tables: &[TableFile],
    clock: &Clock,
    options: &ReadOptions,
) -> Result<Option<Step>> {
    let is_start = options.label == Label::Start;
    if !is_start && !tables.iter().any(|file| clock.has_dates(file.stamp_facts().0)) {
        return Ok(None);
    }
    if tables.iter().all(|file| file.n_rows() == 0) {
        return Ok(options.step);
    }
    let mut spacing = Spacing::default();
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut left = LEARN_ROWS;
    for file in tables {
        if left == 0 {
            break;
        }
        let rows = file.first_rows(left)?;
        let ids: Vec<u32> = rows
            .names
            .iter()
            .map(|name| {
                let next = u32::try_from(names.len()).expect("fewer than 2^32 symbols");
                *names.entry(name.to_owned()).or_insert(next)
            })
            .collect();
        let assets: Vec<u32> =
            rows.assets.iter().map(|id| ids.get(*id as usize).copied().unwrap_or(0)).collect();
        left = left.saturating_sub(assets.len());
        spacing.push_unsorted(&rows.stamps, &assets);
    }
    let found = spacing.usual_step(DISTANCES_MIN);
    let file = tables.first().map_or("table", TableFile::name);
    match (options.step, found) {
        (Some(said), Some(found)) if said != found && said.about_ns() != found.about_ns() => {
            let text =
                format!("{file}: rows are usually {found} apart, and the frequency says {said}");
            Err(Error::data("D309", text).with_hint(
                "name the step of the rows: it says when a bar ends, and with that from when on it \
                 is known",
            ))
        }
        (Some(said), _) => Ok(Some(said)),
        (None, None) if is_start => {
            let text = format!("{file}: label \"start\", and too few rows tell how long a bar is");
            Err(Error::data("D309", text).with_hint("name the step of the rows, frequency: 1m"))
        }
        (None, Some(_)) if is_start && options.level == CheckLevel::Fast => {
            let text = format!(
                "{file}: label \"start\", and the level fast does not check the step of all rows"
            );
            Err(Error::data("D309", text).with_hint("name the step of the rows, frequency: 1m"))
        }
        (None, found) => Ok(found),
    }
}

/// Tells that dates are those of weeks or months.
pub(super) fn note_periods(rule: &KnownAt, ledger: &mut Ledger) {
    let KnownAt::Period { step, .. } = rule else { return };
    let message = format!("rows of {step} are known at the close of the last session of theirs");
    let severity = Severity::Note;
    ledger.count(
        &Rule { severity, code: "D309", column: "timestamp", message: &message, fix: "" },
        1,
    );
}
