//! A folder that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fingerprint::hex;
use super::manifest::MANIFEST;
use crate::base::{Error, Result};

/// A folder under construction: `.NAME.tmp-PID` beside its target.
///
/// Dropped before [`NewFolder::commit`], it removes what it holds; the target is never half there.
#[derive(Debug)]
pub struct NewFolder {
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

/// The name under which a folder is built.
#[must_use]
pub fn temporary_name(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    target.with_file_name(format!(".{name}.tmp-{}", std::process::id()))
}

/// Whether a run folder may be put at `target`: it is free, an empty folder, or a run folder.
///
/// # Errors
/// `W104` when something else is there, or a file stands where a parent folder should be.
pub fn check_target(target: &Path) -> Result<()> {
    let refuse = |reason: &str| {
        Err(Error::output("W104", format!("{} {reason}", target.display()))
            .with_hint("name another folder with --out or reporting.directory"))
    };
    if target.file_name().is_none() {
        return refuse("cannot name a run folder");
    }
    match fs::symlink_metadata(target) {
        Ok(facts) if facts.is_dir() => {
            let is_run = target.join(MANIFEST).is_file();
            let is_empty = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
            if is_run || is_empty {
                Ok(())
            } else {
                refuse("exists and is no run folder (it has no manifest.json), it is left alone")
            }
        }
        Ok(_) => refuse("exists and is no folder (reporting.directory)"),
        Err(_) => {
            let parent = target.ancestors().skip(1).find(|parent| parent.exists());
            match parent.filter(|parent| !parent.as_os_str().is_empty()) {
                Some(parent) if !parent.is_dir() => refuse(&format!(
                    "lies under {}, which is a file (reporting.directory)",
                    parent.display()
                )),
                Some(parent) if is_read_only(parent) => refuse(&format!(
                    "lies under {}, which is not writable (reporting.directory)",
                    parent.display()
                )),
                _ => Ok(()),
            }
        }
    }
}

fn is_read_only(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|facts| facts.permissions().readonly())
}

impl NewFolder {
    /// Makes the temporary folder, and the parents of the target.
    ///
    /// # Errors
    /// `W104` when the target is taken, `W101` when a folder cannot be made.
    pub fn create(target: &Path) -> Result<Self> {
        check_target(target)?;
        let temporary = temporary_name(target);
        let failed = |cause: &io::Error| {
            Error::output("W101", format!("cannot create {}: {cause}", target.display()))
                .with_hint("the folder above must exist and be writable")
        };
        if temporary.exists() {
            // Left by a killed process that had this process' id.
            fs::remove_dir_all(&temporary).map_err(|cause| failed(&cause))?;
        }
        fs::create_dir_all(&temporary).map_err(|cause| failed(&cause))?;
        Ok(Self { temporary, target: target.to_path_buf(), committed: false })
    }

    /// Where files are put until the folder is complete.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the folder its name; a run folder that has this name is replaced.
    ///
    /// # Errors
    /// `W103` when a rename fails.
    pub fn commit(mut self) -> Result<()> {
        check_target(&self.target)?;
        let failed = |cause: &io::Error| {
            Error::output("W103", format!("cannot name {}: {cause}", self.target.display()))
        };
        sync(&self.temporary).map_err(|cause| failed(&cause))?;
        let old = self.temporary.with_extension(format!("old-{}", std::process::id()));
        let replaces = self.target.join(MANIFEST).is_file();
        if replaces {
            fs::rename(&self.target, &old).map_err(|cause| failed(&cause))?;
        }
        if let Err(cause) = fs::rename(&self.temporary, &self.target) {
            if replaces {
                let _ = fs::rename(&old, &self.target);
            }
            return Err(failed(&cause));
        }
        self.committed = true;
        if replaces {
            let _ = fs::remove_dir_all(&old);
        }
        let parent = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync(parent.unwrap_or(Path::new("."))).map_err(|cause| failed(&cause))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// Size and SHA-256 of a file.
pub(super) fn sha256_of(path: &Path) -> Result<(u64, String)> {
    let unreadable = |cause: &io::Error| {
        Error::output("W105", format!("cannot read back {}: {cause}", path.display()))
    };
    let mut file = File::open(path).map_err(|cause| unreadable(&cause))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer).map_err(|cause| unreadable(&cause))?;
        if n == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        bytes += n as u64;
        hash.update(&buffer[..n]);
    }
}

/// Makes names in a folder durable; other platforms cannot open folders.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
