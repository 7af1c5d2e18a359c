//! The manifest of a run folder: what is in it, and what it was made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of the manifest; a folder without it is no run folder, or an incomplete one.
pub const MANIFEST: &str = "manifest.json";

/// Version of the manifest's own shape.
pub const MANIFEST_VERSION: u32 = 1;

/// What a run folder holds, and what it was made of. Written last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this shape.
    pub schema_version: u32,
    /// Name of the run.
    pub name: String,
    /// Hash of resolved config (without where results go), inputs and version.
    pub run_id: String,
    /// Hash of the resolved config as it lies in the folder.
    pub config_hash: String,
    /// Hash of the results; see [`super::fingerprint()`].
    pub fingerprint: String,
    /// The strategy on one line.
    pub strategy: String,
    /// The other files, in the order written.
    pub files: Vec<FileEntry>,
    /// What was read.
    pub inputs: Vec<InputEntry>,
    /// Market rows walked.
    pub data_points: u64,
    /// Changes made to the data, with counts.
    pub repairs: Vec<String>,
    /// Warnings of the run.
    pub warnings: Vec<String>,
    /// Program versions by name.
    pub versions: BTreeMap<String, String>,
    /// Operating system and processor.
    pub platform: String,
    /// Seed of the run.
    pub seed: u64,
    /// Threads asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// When the run was made, as its caller gave it; the only field that differs between two runs
    /// of the same config on the same files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<String>,
}

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What it is: `config`, `metrics`, `report`, or the name of a table.
    pub role: String,
    /// Its name in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Rows, for tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Version of the table's schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
}

/// One table that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEntry {
    /// `asset_data`, `signals` or `context_data`.
    pub table: String,
    /// The path as given.
    pub path: String,
    /// Files behind the path.
    pub n_files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Hash of their contents (BLAKE3).
    pub hash: String,
    /// Rows read, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// First and last time read, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(String, String)>,
}

impl Manifest {
    /// The entry of a role.
    #[must_use]
    pub fn file(&self, role: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.role == role)
    }
}
