//! Positioned reads: no memory map, so a file that is cut while it is read is an error.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

/// Bytes fetched at once while a page header is read.
const HEADER_BYTES: usize = 1024;

/// A file that is read by position; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct PreadFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Absent when the file is opened for each read, so that many files need few handles.
    file: Option<File>,
    bytes: u64,
}

impl PreadFile {
    pub(crate) fn open(path: &Path, keep_open: bool) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let file = keep_open.then_some(file);
        Ok(Self(Arc::new(Inner { path: path.to_path_buf(), file, bytes })))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        match &self.0.file {
            Some(file) => read_at(file, buffer, offset),
            None => read_at(&File::open(&self.0.path)?, buffer, offset),
        }
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            match self.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => done += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

impl Length for PreadFile {
    fn len(&self) -> u64 {
        self.0.bytes
    }
}

impl ChunkReader for PreadFile {
    type T = PreadCursor;

    fn get_read(&self, start: u64) -> ParquetResult<PreadCursor> {
        Ok(PreadCursor { file: self.clone(), offset: start, buffer: Vec::new(), used: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.0.bytes) {
            return Err(ParquetError::EOF(format!(
                "bytes {start}..+{length} reach over the end of the file ({} bytes)",
                self.0.bytes
            )));
        }
        let mut buffer = vec![0; length];
        self.read_exact_at(&mut buffer, start)?;
        Ok(buffer.into())
    }
}

/// A sequential reader over a [`PreadFile`] with a small buffer of its own.
#[derive(Debug)]
pub(crate) struct PreadCursor {
    file: PreadFile,
    offset: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Read for PreadCursor {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.buffer.len() {
            self.buffer.resize(HEADER_BYTES, 0);
            let n = self.file.read_at(&mut self.buffer, self.offset)?;
            self.buffer.truncate(n);
            self.offset += n as u64;
            self.used = 0;
        }
        let n = out.len().min(self.buffer.len() - self.used);
        out[..n].copy_from_slice(&self.buffer[self.used..self.used + n]);
        self.used += n;
        Ok(n)
    }
}
