//! Text files as a stream of bytes: plain, gzip, zstd or a zip with one member.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use super::source::SourceFile;
use crate::base::{Error, Result};

/// A line above this is no row of a table.
const LINE_BYTES: usize = 1 << 20;
/// Packed text below this size is never taken for a bomb.
const HARMLESS_BYTES: u64 = 64 << 20;
/// Unpacked over packed bytes above which a file is refused.
const RATIO_MAX: u64 = 1_000;

/// Opens the file and takes off its packing, told by its first bytes and not by its name.
///
/// # Errors
/// `D102` when the file cannot be read, is UTF-16, or is a zip with more or less than one member.
pub(crate) fn open(source: &SourceFile) -> Result<(Box<dyn Read + Send>, u64)> {
    let failed =
        |e: std::io::Error| Error::data("D102", format!("{}: cannot read: {e}", source.name));
    let mut file = File::open(&source.path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut magic = [0_u8; 4];
    let n = file.read(&mut magic).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let allowed = HARMLESS_BYTES.max(bytes.saturating_mul(RATIO_MAX));
    let plain: Box<dyn Read + Send> = match &magic[..n] {
        [0x1f, 0x8b, ..] => limited(flate2::read::MultiGzDecoder::new(file), allowed),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            limited(zstd::stream::read::Decoder::new(file).map_err(failed)?, allowed)
        }
        [b'P', b'K', 3, 4] => {
            check_sum(source)?;
            Box::new(Cursor::new(only_member(source, file, allowed)?))
        }
        _ if is_packed_by_name(source) => {
            return Err(Error::data(
                "D102",
                format!("{}: not packed as its name says", source.name),
            )
            .with_hint("the download is damaged, or the file is plain text: rename it"));
        }
        b"PAR1" => {
            let text = format!("{}: the file is parquet, its name says text", source.name);
            return Err(Error::data("D102", text).with_hint("rename it to end in .parquet"));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(Error::data("D102", format!("{}: the text is UTF-16", source.name))
                .with_hint("save the file as UTF-8"));
        }
        _ => Box::new(file),
    };
    Ok((Box::new(LineGuard { inner: plain, line_bytes: 0, n_lines: 0 }), bytes))
}

/// Archives of exchanges put `NAME.CHECKSUM` beside a file: its SHA-256 and its name.
fn check_sum(source: &SourceFile) -> Result<()> {
    let mut beside = source.path.clone().into_os_string();
    beside.push(".CHECKSUM");
    let Ok(text) = std::fs::read_to_string(&beside) else { return Ok(()) };
    let failed =
        |e: std::io::Error| Error::data("D102", format!("{}: cannot read: {e}", source.name));
    let mut hasher = Sha256::new();
    let mut file = File::open(&source.path).map_err(failed)?;
    std::io::copy(&mut file, &mut hasher).map_err(failed)?;
    let mut found = String::new();
    for byte in hasher.finalize() {
        let _ = write!(found, "{byte:02x}");
    }
    let stated = text.split_whitespace().next().unwrap_or("");
    if stated.eq_ignore_ascii_case(&found) {
        return Ok(());
    }
    let text = format!(
        "{}: the checksum {found} is not {stated:?}, the one in {}",
        source.name,
        beside.display()
    );
    Err(Error::data("D102", text).with_hint("the download is damaged; download the file again"))
}

fn is_packed_by_name(source: &SourceFile) -> bool {
    let ending = source.path.extension().and_then(|e| e.to_str()).unwrap_or("");
    ["gz", "zst", "zip"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn only_member(source: &SourceFile, file: File, allowed: u64) -> Result<Vec<u8>> {
    let failed =
        |e: &dyn std::fmt::Display| Error::data("D102", format!("{}: bad zip: {e}", source.name));
    let mut archive = zip::ZipArchive::new(file).map_err(|e| failed(&e))?;
    let mut members = Vec::new();
    for i in 0..archive.len() {
        let member = archive.by_index_raw(i).map_err(|e| failed(&e))?;
        if !member.is_dir() && !member.name().is_ok_and(|name| name.starts_with("__MACOSX/")) {
            members.push(i);
        }
    }
    let [only] = members.as_slice() else {
        let n = match members.len() {
            0 => "no file".to_owned(),
            2 => "two files".to_owned(),
            n => format!("{n} files"),
        };
        return Err(Error::data("D102", format!("{}: the zip has {n}, one is read", source.name))
            .with_hint("pack each table in a zip of its own, or unpack it"));
    };
    if archive.by_index_raw(*only).is_ok_and(|member| member.encrypted()) {
        let text = format!("{}: the file in the zip is encrypted", source.name);
        return Err(Error::data("D102", text).with_hint("pack it without a password"));
    }
    let member = archive.by_index(*only).map_err(|e| failed(&e))?;
    let mut text = Vec::new();
    limited(member, allowed).read_to_end(&mut text).map_err(|e| failed(&e))?;
    Ok(text)
}

fn limited<'a, R: Read + Send + 'a>(inner: R, allowed: u64) -> Box<dyn Read + Send + 'a> {
    Box::new(Limited { inner, left: allowed })
}

/// Refuses packed files that unpack to far more than they weigh.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            std::io::Error::other("the text unpacks to more than 1,000 times its packed size")
        })?;
        Ok(n)
    }
}

/// Refuses lines that no table has, before they fill the memory.
struct LineGuard {
    inner: Box<dyn Read + Send>,
    line_bytes: usize,
    n_lines: u64,
}

impl Read for LineGuard {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.n_lines += buffer[..n].split(|b| *b == b'\n').count() as u64 - 1;
        match buffer[..n].iter().rposition(|b| matches!(b, b'\n' | b'\r')) {
            Some(at) => self.line_bytes = n - at - 1,
            None => self.line_bytes += n,
        }
        if self.line_bytes > LINE_BYTES {
            return Err(std::io::Error::other(format!(
                "line {} has more than 1 MiB",
                self.n_lines + 1
            )));
        }
        Ok(n)
    }
}
