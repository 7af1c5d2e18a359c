//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Error, Result};

/// Bytes gathered before a write reaches the system.
const BUFFER_BYTES: usize = 1 << 18;

/// A file written under a temporary name beside its target and renamed when it is complete.
///
/// Dropped before [`AtomicFile::commit`], it removes what it wrote; the target is never half there.
#[derive(Debug)]
pub struct AtomicFile {
    writer: Option<BufWriter<File>>,
    temporary: PathBuf,
    target: PathBuf,
}

impl AtomicFile {
    /// Opens `.NAME.tmp-PID` beside `target`.
    ///
    /// # Errors
    /// `W101` when the file cannot be made there.
    pub fn create(target: &Path) -> Result<Self> {
        let name = target.file_name().ok_or_else(|| {
            Error::output("W101", format!("{} is no file name", target.display()))
        })?;
        let hidden = format!(".{}.tmp-{}", name.to_string_lossy(), std::process::id());
        let temporary = target.with_file_name(hidden);
        let file = File::create(&temporary).map_err(|cause| {
            Error::output("W101", format!("cannot create {}: {cause}", target.display()))
                .with_hint("the folder must exist and be writable")
        })?;
        let writer = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { writer: Some(writer), temporary, target: target.to_path_buf() })
    }

    /// Flushes to the disk and gives the file its name; returns its size in bytes.
    ///
    /// # Errors
    /// `W102` when a byte cannot be written (disk full), `W103` when the rename fails.
    pub fn commit(mut self) -> Result<u64> {
        let target = self.target.clone();
        let bytes = self.flush_to_disk().map_err(|cause| write_error(&target, &cause))?;
        fs::rename(&self.temporary, &target).map_err(|cause| {
            Error::output("W103", format!("cannot name {}: {cause}", target.display()))
        })?;
        self.writer = None;
        sync_folder(&target).map_err(|cause| write_error(&target, &cause))?;
        Ok(bytes)
    }

    /// Flushes to the disk what was written so far; gives the name it has until the commit.
    ///
    /// # Errors
    /// `W102` when a byte cannot be written.
    pub fn sync(&mut self) -> Result<&Path> {
        let target = self.target.clone();
        self.flush_to_disk().map_err(|cause| write_error(&target, &cause))?;
        Ok(&self.temporary)
    }

    fn flush_to_disk(&mut self) -> io::Result<u64> {
        let writer = self.writer.as_mut().expect("Invariant: open until commit or drop");
        writer.flush()?;
        let file = writer.get_ref();
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().expect("Invariant: open until commit or drop").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().expect("Invariant: open until commit or drop").flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // Nothing can be reported from here, and the file is not wanted: no flush, no error.
            drop(writer.into_parts());
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The error of a write that failed half way.
pub(crate) fn write_error(target: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::output("W102", format!("cannot write {}: {cause}", target.display()))
        .with_hint("free space on the disk or name another folder; nothing was left behind")
}

/// Makes the new name itself durable. Folders cannot be opened on every platform.
#[cfg(unix)]
fn sync_folder(target: &Path) -> io::Result<()> {
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_target: &Path) -> io::Result<()> {
    Ok(())
}
