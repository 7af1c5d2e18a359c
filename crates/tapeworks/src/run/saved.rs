//! A run folder read back.

use std::path::{Path, PathBuf};

use super::folder::sha256_of;
use super::manifest::{MANIFEST, MANIFEST_VERSION, Manifest};
use crate::base::{Error, Result};

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
            let what = if found.is_some() { "is not the file that was written" } else { "is missing" };
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
    /// The path of a file by its role, for example `trades`.
    #[must_use]
    pub fn path(&self, role: &str) -> Option<PathBuf> {
        self.manifest.file(role).map(|file| self.folder.join(&file.name))
    }
}
