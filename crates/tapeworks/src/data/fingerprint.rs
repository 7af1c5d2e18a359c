//! The content of a file as a short text, so that a changed input is seen.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::{Error, Result};

/// What a file held when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFingerprint {
    /// Path as it was given.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// BLAKE3 of the content, 64 hexadecimal digits.
    pub blake3: String,
}

/// Reads a whole file and gives its length and BLAKE3 hash.
///
/// # Errors
/// `D102` when the file cannot be read.
pub fn fingerprint(path: &Path) -> Result<FileFingerprint> {
    let name = path.display().to_string();
    let failed = |e: std::io::Error| Error::data("D102", format!("{name}: cannot read: {e}"));
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 17];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        bytes += n as u64;
    }
    Ok(FileFingerprint {
        path: name.clone(),
        bytes,
        blake3: hasher.finalize().to_hex().to_string(),
    })
}

/// The fingerprints of all files behind a path, a glob or a folder, sorted by path.
///
/// # Errors
/// `D101` and `D102` when there is no file or one cannot be read.
pub fn fingerprints(source: &str) -> Result<Vec<FileFingerprint>> {
    super::source::files(source)?.iter().map(|file| fingerprint(&file.path)).collect()
}
