//! What a run came to: records, metrics, facts; and how it becomes a run folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::by_hand::describe_strategy;
use super::config::{Config, Reporting};
use super::fingerprint::fingerprint;
use super::folder::{NewFolder, sha256_of};
use super::manifest::{FileEntry, InputEntry, MANIFEST, MANIFEST_VERSION, Manifest};
use super::not_charged::not_charged;
use super::semantics_change::describe_semantics;
use crate::base::{Error, Result, StopFlag};
use crate::data::CheckReport;
use crate::engine::{EngineConfig, RunLog};
use crate::metrics::{self, Conventions, MetricSet};
use crate::records::{
    AtomicFile, RecordKind, Records, SCHEMA_VERSION, TableOptions, write_parquet_until,
};
use crate::report::{self, InputFact, ReportInput, RunFacts};

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is known of a run beside its log.
#[derive(Debug, Clone)]
pub struct RunParts {
    /// Name of the run.
    pub name: String,
    /// The strategy with its parameters on one line.
    pub strategy: String,
    /// The cost models on one line; empty when there are none.
    pub costs: String,
    /// The terms of the engine.
    pub terms: EngineConfig,
    /// Zone in which days are counted.
    pub timezone: String,
    /// The config, when there was one.
    pub config: Option<Config>,
    /// What was read.
    pub inputs: Vec<InputEntry>,
    /// What the checks found.
    pub check: Option<CheckReport>,
    /// Warnings so far.
    pub warnings: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Threads asked for.
    pub threads: Option<u64>,
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its records.
    pub records: Records,
    /// Its metrics.
    pub metrics: MetricSet,
    /// What the report says about it.
    pub facts: RunFacts,
    /// Hash of the results.
    pub fingerprint: String,
    /// The resolved config as YAML; for runs without one, its terms as text.
    pub config_yaml: String,
    /// What it was made from.
    pub parts: RunParts,
}

/// What [`Outcome::save`] wrote.
#[derive(Debug, Clone)]
pub struct SavedFolder {
    /// The folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// Turns a log into an outcome: metrics, fingerprint, run id, facts.
#[must_use]
pub fn conclude(log: RunLog, parts: RunParts) -> Outcome {
    let fingerprint = fingerprint(&log);
    let snapshot = parts.terms.snapshot;
    let records = Records::new(log).with_options(TableOptions { snapshot, ..Default::default() });
    let conventions = Conventions {
        periods_per_year: metrics::periods_per_year_on(
            &records.states().timestamp,
            records.log().calendar.as_ref(),
        ),
        risk_free: 0.0,
    };
    let metrics = metrics::compute(&records, &conventions);
    let config_yaml = match &parts.config {
        Some(config) => config.to_yaml().unwrap_or_default(),
        None => format!("strategy: {}\nterms: {:?}\n", parts.strategy, parts.terms),
    };
    let run_id = run_id(&parts, &config_yaml);
    let facts = facts(&records, &parts, &config_yaml, run_id);
    Outcome { records, metrics, facts, fingerprint, config_yaml, parts }
}

/// Hash of config, inputs and version. Where results go and how many threads were used do not
/// enter: they do not change a result.
fn run_id(parts: &RunParts, config_yaml: &str) -> String {
    let mut hash = blake3::Hasher::new();
    match &parts.config {
        Some(config) => {
            let mut config = config.clone();
            let snapshot = config.reporting.snapshot;
            config.reporting = Reporting { snapshot, ..Reporting::default() };
            config.backtest.threads = None;
            hash.update(config.to_yaml().unwrap_or_default().as_bytes());
        }
        None => {
            hash.update(config_yaml.as_bytes());
        }
    }
    for input in &parts.inputs {
        hash.update(input.table.as_bytes());
        hash.update(input.hash.as_bytes());
    }
    hash.update(VERSION.as_bytes());
    hash.finalize().to_hex()[..32].to_owned()
}

fn facts(records: &Records, parts: &RunParts, config_yaml: &str, run_id: String) -> RunFacts {
    let check = parts.check.as_ref();
    let mut warnings = parts.warnings.clone();
    warnings.extend(records.log().notes.iter().cloned());
    let adjustment = records.log().adjustment;
    let mut not_modelled = not_charged(&parts.terms);
    let is_modelled = |topic: &str| topic == report::CORPORATE_ACTIONS && adjustment.is_some();
    let topics = report::NOT_MODELLED.iter().filter(|topic| !is_modelled(topic));
    not_modelled.extend(topics.map(ToString::to_string));
    let mut all_inputs = blake3::Hasher::new();
    for input in &parts.inputs {
        all_inputs.update(input.hash.as_bytes());
    }
    RunFacts {
        name: parts.name.clone(),
        strategy: describe_strategy(&parts.strategy, &parts.terms),
        semantics: describe_semantics(&parts.terms.semantics),
        account: parts.terms.account.kind.as_str().to_owned(),
        cash: parts.terms.cash,
        timezone: parts.timezone.clone(),
        costs: parts.costs.clone(),
        config_yaml: config_yaml.to_owned(),
        data: parts.inputs.iter().map(input_line).collect(),
        checks: check.map(CheckReport::verdict).into_iter().collect(),
        repairs: check.map(|check| check.repairs.lines()).unwrap_or_default(),
        warnings,
        not_modelled,
        versions: vec![("tapeworks".to_owned(), VERSION.to_owned())],
        inputs: parts
            .inputs
            .iter()
            .map(|input| InputFact {
                path: input.path.clone(),
                fingerprint: input.hash.clone(),
                bytes: input.bytes,
                rows: input.rows.unwrap_or(0),
            })
            .collect(),
        data_fingerprint: if parts.inputs.is_empty() {
            String::new()
        } else {
            all_inputs.finalize().to_hex()[..16].to_owned()
        },
        run_id,
        ..RunFacts::default().with_adjustment(adjustment)
    }
}

fn input_line(input: &InputEntry) -> String {
    let mut line = format!("{} {}", input.table, input.path);
    if let Some(rows) = input.rows {
        let _ = write!(line, ", {rows} rows");
    }
    if let Some((first, last)) = &input.span {
        let _ = write!(line, ", {first} .. {last}");
    }
    line
}

impl Outcome {
    /// The same outcome with its tables made in another way, where there is a choice. Metrics,
    /// report and fingerprint do not depend on it.
    #[must_use]
    pub fn with_tables(mut self, options: TableOptions) -> Self {
        self.records = self.records.with_options(options);
        self
    }

    /// What text and HTML are made of.
    #[must_use]
    pub fn report_input(&self) -> ReportInput<'_> {
        ReportInput { records: &self.records, metrics: &self.metrics, facts: self.facts.clone() }
    }

    /// Where the run folder goes: the one of the config, else `runs/<name>-<hash8>`.
    #[must_use]
    pub fn default_folder(&self) -> PathBuf {
        let named = self.parts.config.as_ref().and_then(|c| c.reporting.directory.clone());
        named.map_or_else(
            || Path::new("runs").join(format!("{}-{}", self.parts.name, &self.facts.run_id[..8])),
            PathBuf::from,
        )
    }

    /// Metrics with what is needed to read them, as one JSON document.
    #[must_use]
    pub fn metrics_json(&self) -> serde_json::Value {
        serde_json::json!({
            "schema_version": MANIFEST_VERSION,
            "name": self.parts.name,
            "run_id": self.facts.run_id,
            "fingerprint": self.fingerprint,
            "strategy": self.parts.strategy,
            "rows": self.records.log().n_rows,
            "symbols": self.records.symbols().len(),
            "metrics": self.metrics,
            "reasons": self.records.reasons(),
        })
    }

    /// Writes the run folder under a temporary name and renames it whole, the manifest last. A run
    /// folder that is there is replaced; anything else that is there is left alone.
    ///
    /// `made_at` is the caller's clock, the only thing that differs between two equal runs.
    ///
    /// # Errors
    /// `W101` to `W105`: the folder is taken, or a file cannot be written.
    pub fn save(&self, folder: &Path, made_at: Option<&str>) -> Result<SavedFolder> {
        self.save_until(folder, made_at, &StopFlag::default())
    }

    /// [`Outcome::save`] that ends, and leaves nothing behind, once `stop` is raised.
    ///
    /// # Errors
    /// As [`Outcome::save`], and `I130`.
    pub fn save_until(
        &self,
        folder: &Path,
        made_at: Option<&str>,
        stop: &StopFlag,
    ) -> Result<SavedFolder> {
        let new = NewFolder::create(folder)?;
        let reporting = self.parts.config.as_ref().map(|c| c.reporting.clone()).unwrap_or_default();
        let mut files = Vec::new();
        write_text(&new, "config", "config.resolved.yaml", &self.config_yaml, &mut files)?;
        let metrics = pretty(&self.metrics_json());
        write_text(&new, "metrics", &reporting.metrics_output, &metrics, &mut files)?;
        for kind in RecordKind::ALL {
            let name = match kind {
                RecordKind::Trades => reporting.trades_output.as_str(),
                RecordKind::Portfolio => reporting.portfolio_output.as_str(),
                _ => kind.file_name(),
            };
            let path = new.path().join(name);
            let written =
                write_parquet_until(&self.records, kind, &path, &self.facts.run_id, stop)?;
            let (bytes, sha256) = sha256_of(&path)?;
            files.push(FileEntry {
                role: kind.as_str().to_owned(),
                name: name.to_owned(),
                bytes,
                sha256,
                rows: Some(written.rows),
                schema_version: Some(SCHEMA_VERSION),
            });
        }
        if reporting.report != "none" {
            let html = report::html(&self.report_input())?;
            write_text(&new, "report", &reporting.report, &html, &mut files)?;
        }
        stop.check()?;
        let manifest = self.manifest(files, made_at)?;
        let text = pretty(&manifest);
        write_file(&new.path().join(MANIFEST), &text)?;
        new.commit()?;
        Ok(SavedFolder { folder: folder.to_path_buf(), manifest })
    }

    fn manifest(&self, files: Vec<FileEntry>, made_at: Option<&str>) -> Result<Manifest> {
        let config = files
            .iter()
            .find(|file| file.role == "config")
            .ok_or_else(|| Error::output("W105", "the config was not written"))?;
        Ok(Manifest {
            schema_version: MANIFEST_VERSION,
            name: self.parts.name.clone(),
            run_id: self.facts.run_id.clone(),
            config_hash: config.sha256.clone(),
            fingerprint: self.fingerprint.clone(),
            strategy: self.parts.strategy.clone(),
            files,
            inputs: self.parts.inputs.clone(),
            data_points: self.records.log().n_rows,
            repairs: self.facts.repairs.clone(),
            warnings: self.facts.warnings.clone(),
            versions: self.facts.versions.iter().cloned().collect::<BTreeMap<_, _>>(),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            seed: self.parts.seed,
            threads: self.parts.threads,
            made_at: made_at.map(str::to_owned),
        })
    }
}

fn write_text(
    new: &NewFolder,
    role: &str,
    name: &str,
    text: &str,
    files: &mut Vec<FileEntry>,
) -> Result<()> {
    let path = new.path().join(name);
    write_file(&path, text)?;
    let (bytes, sha256) = sha256_of(&path)?;
    files.push(FileEntry {
        role: role.to_owned(),
        name: name.to_owned(),
        bytes,
        sha256,
        rows: None,
        schema_version: None,
    });
    Ok(())
}

/// Writes a text file whole or not at all.
///
/// # Errors
/// `W101` to `W103`: the file cannot be made, written or named.
pub fn write_file(path: &Path, text: &str) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|cause| {
        Error::output("W102", format!("cannot write {}: {cause}", path.display()))
            .with_hint("free space on the disk or name another folder")
    })?;
    file.commit().map(|_| ())
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("Invariant: text keys only");
    text.push('\n');
    text
}
