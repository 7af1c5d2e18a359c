//! A run folder read back.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::folder::sha256_of;
use super::manifest::{MANIFEST, MANIFEST_VERSION, Manifest};
use crate::base::{Error, Result};
use crate::metrics::METRICS;
use crate::records::{RecordKind, RowBatches};

/// A run folder whose files are there and are those that were written.
#[derive(Debug, Clone)]
pub struct SavedRun {
    /// The folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The metrics document.
    pub metrics: serde_json::Value,
}

/// Opens a run folder and checks every file against the manifest.
///
/// # Errors
/// `W106` when there is no manifest (an incomplete run, or no run folder), or it cannot be read;
/// `W107` when a file is missing or is not the one that was written.
pub fn load(folder: &Path) -> Result<SavedRun> {
    let unreadable = |name: &str, cause: &dyn std::fmt::Display| {
        Error::output("W106", format!("{}: {cause}", folder.join(name).display()))
            .with_hint("make the run again")
    };
    let text = std::fs::read_to_string(folder.join(MANIFEST)).map_err(|_| {
        let reason = "is no run folder: it has no manifest.json, or the run did not finish";
        Error::output("W106", format!("{} {reason}", folder.display()))
            .with_hint("name a folder that `tapeworks run` wrote")
    })?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|cause| unreadable(MANIFEST, &cause))?;
    if manifest.schema_version > MANIFEST_VERSION {
        let cause = format!("version {} is newer than this program", manifest.schema_version);
        return Err(unreadable(MANIFEST, &cause));
    }
    for file in &manifest.files {
        let path = folder.join(&file.name);
        let found = sha256_of(&path).ok();
        if found.as_ref() != Some(&(file.bytes, file.sha256.clone())) {
            let what =
                if found.is_some() { "is not the file that was written" } else { "is missing" };
            return Err(Error::output("W107", format!("{} {what}", path.display()))
                .with_hint("make the run again"));
        }
    }
    let name = manifest.file("metrics").map_or("metrics.json", |file| &file.name);
    let text =
        std::fs::read_to_string(folder.join(name)).map_err(|cause| unreadable(name, &cause))?;
    let metrics = serde_json::from_str(&text).map_err(|cause| unreadable(name, &cause))?;
    Ok(SavedRun { folder: folder.to_path_buf(), manifest, metrics })
}

impl SavedRun {
    /// The rows of a table.
    ///
    /// # Errors
    /// `W106` when the folder does not have the table, or it cannot be read.
    pub fn batches(&self, kind: RecordKind) -> Result<RowBatches> {
        let failed = |cause: &dyn std::fmt::Display| {
            Error::output("W106", format!("{}: {cause}", self.folder.display()))
                .with_hint("make the run again")
        };
        let name = kind.as_str();
        let path = self.path(name).ok_or_else(|| failed(&format!("has no table {name}")))?;
        let file = File::open(&path).map_err(|cause| failed(&cause))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|cause| failed(&cause))?;
        Ok(Box::new(reader))
    }

    /// The path of a file by its role, for example `trades`.
    #[must_use]
    pub fn path(&self, role: &str) -> Option<PathBuf> {
        self.manifest.file(role).map(|file| self.folder.join(&file.name))
    }
}

/// One line of the saved metrics, ready to print.
struct Line {
    label: String,
    value: String,
    convention: String,
}

impl SavedRun {
    /// The run on one screen: what it was, its metrics with their conventions, its folder.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.head().join("\n");
        text.push_str("\n\n");
        for line in self.lines() {
            let (label, value) = (line.label, line.value);
            text += format!("  {label:<24} {value:>18}  {}", line.convention).trim_end();
            text.push('\n');
        }
        let _ = writeln!(text, "\nfolder  {}", self.folder.display());
        text
    }

    /// The run as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.manifest.name);
        for line in self.head().iter().skip(1) {
            let _ = writeln!(text, "- {}", line.trim());
        }
        text += "\n| metric | value | convention |\n|---|---|---|\n";
        for line in self.lines() {
            let _ = writeln!(text, "| {} | {} | {} |", line.label, line.value, line.convention);
        }
        text
    }

    fn head(&self) -> Vec<String> {
        let manifest = &self.manifest;
        let mut head = vec![
            manifest.name.clone(),
            format!("  strategy     {}", manifest.strategy),
            format!("  run id       {}", manifest.run_id),
            format!("  fingerprint  {}", manifest.fingerprint),
        ];
        for input in &manifest.inputs {
            head.push(format!("  {:<12} {}, {} bytes", input.table, input.path, input.bytes));
        }
        head.extend(manifest.repairs.iter().map(|repair| format!("  repair       {repair}")));
        head.extend(manifest.warnings.iter().map(|warning| format!("  warning      {warning}")));
        head
    }

    fn lines(&self) -> Vec<Line> {
        let metrics = &self.metrics["metrics"];
        let known = METRICS.iter().filter_map(|metric| {
            let saved = metrics.get(metric.key)?;
            let value = match (saved["value"].as_f64(), saved["reason"].as_str()) {
                (Some(value), _) => metric.unit.text(value),
                (None, Some(reason)) => format!("n/a ({})", reason.replace('_', " ")),
                (None, None) => "n/a".to_owned(),
            };
            let n = saved["n"].as_u64().map_or(String::new(), |n| format!("n={n}"));
            let convention = match saved["convention"].as_str() {
                Some(text) if !text.is_empty() => format!("{text}, {n}"),
                _ => n,
            };
            Some(Line { label: metric.label.to_owned(), value, convention })
        });
        known.collect()
    }
}
