//! Content hashes of what a run reads.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::base::{Error, Result};
use crate::data;

/// A hash over the contents of all files of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableHash {
    pub n_files: u64,
    pub bytes: u64,
    pub hash: String,
}

/// Hashes the files behind a path, in path order: length and content of each, not its name, so a
/// moved folder keeps its hash.
///
/// Cost: reading the files once more, mostly from memory; BLAKE3 itself takes about 0.3 s a GB.
pub(super) fn hash_path(path: &str) -> Result<TableHash> {
    let files: Vec<PathBuf> = data::files(path)?.into_iter().map(|file| file.path).collect();
    let mut hash = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 17];
    let mut total = 0;
    for path in &files {
        let length = hash_file(path, &mut hash, &mut buffer)?;
        hash.update(&length.to_le_bytes());
        total += length;
    }
    Ok(TableHash {
        n_files: files.len() as u64,
        bytes: total,
        hash: hash.finalize().to_hex().to_string(),
    })
}

/// The same hash over one table that lies in memory.
pub(super) fn hash_bytes(bytes: &[u8]) -> TableHash {
    let mut hash = blake3::Hasher::new();
    hash.update(bytes);
    hash.update(&(bytes.len() as u64).to_le_bytes());
    TableHash {
        n_files: 1,
        bytes: bytes.len() as u64,
        hash: hash.finalize().to_hex().to_string(),
    }
}

fn hash_file(path: &Path, hash: &mut blake3::Hasher, buffer: &mut [u8]) -> Result<u64> {
    let unreadable = |cause: std::io::Error| {
        Error::data("D102", format!("{}: cannot be read: {cause}", path.display()))
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut length = 0;
    loop {
        let n = file.read(buffer).map_err(unreadable)?;
        if n == 0 {
            return Ok(length);
        }
        length += n as u64;
        hash.update(&buffer[..n]);
    }
}
