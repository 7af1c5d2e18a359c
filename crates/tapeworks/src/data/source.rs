//! From a path, a glob or a folder to files, with the columns that their folders name.

use std::path::{Path, PathBuf};

use crate::base::{Error, Result};

const ENDINGS: &str = "files end in .parquet .pq .csv .tsv .txt .arrow .feather .jsonl .dbn, or \
                       .gz .zst .zip of text";

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
    Arrow,
    JsonLines,
    Dbn,
}

/// One file of a table.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// Path as the user would write it, for messages.
    pub(crate) name: String,
    pub(crate) format: Format,
    /// `key=value` parts of the path below the folder that was asked for.
    pub(crate) partitions: Vec<(String, String)>,
}

/// The files behind `text`, sorted by path; several paths stand one a line.
///
/// # Errors
/// `D101` when there is no file, `D102` when a file is of no known format or a folder unreadable.
pub(crate) fn files(text: &str) -> Result<Vec<SourceFile>> {
    if !text.contains('\n') || Path::new(text).exists() {
        return files_of(text);
    }
    let mut files = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        files.extend(files_of(line)?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

fn files_of(text: &str) -> Result<Vec<SourceFile>> {
    let path = Path::new(text);
    let mut found = Vec::new();
    let mut explicit = false;
    if path.is_dir() {
        walk(path, &mut |file| found.push(file))?;
    } else if path.exists() {
        explicit = true;
        found.push(path.to_path_buf());
    } else if text.contains(['*', '?', '[']) {
        let (root, pattern) = split_glob(text);
        if root.is_dir() {
            walk(&root, &mut |file| {
                let below = file.strip_prefix(&root).unwrap_or(&file);
                let parts: Vec<&str> = below.iter().filter_map(|p| p.to_str()).collect();
                if matches_parts(&pattern, &parts) {
                    found.push(file);
                }
            })?;
        }
    } else {
        return Err(Error::data("D102", format!("{text}: no such file or folder")).with_hint(
            "check the path; relative paths start at the working folder \
             (of a config: at its folder)",
        ));
    }
    found.sort();
    let mut files = Vec::with_capacity(found.len());
    for path in found {
        let Some(format) = format_of(&path, explicit)? else { continue };
        let name = path.display().to_string();
        files.push(SourceFile { partitions: partitions(&path), path, name, format });
    }
    if files.is_empty() {
        return Err(Error::data("D101", format!("{text}: no file of a known format found"))
            .with_hint(ENDINGS));
    }
    Ok(files)
}

/// Whether every file behind `text` is read a block at a time; others are held in memory.
///
/// # Errors
/// As the files of a table are found.
pub fn is_streamed(text: &str) -> Result<bool> {
    Ok(files(text)?.iter().all(|file| file.format == Format::Parquet))
}

/// Calls `visit` with every file below `folder`; hidden and `_` names are skipped.
fn walk(folder: &Path, visit: &mut dyn FnMut(PathBuf)) -> Result<()> {
    let unreadable = |error: std::io::Error| {
        Error::data("D102", format!("{}: cannot list the folder: {error}", folder.display()))
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.path());
    }
    names.sort();
    for path in names {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            walk(&path, visit)?;
        } else {
            visit(path);
        }
    }
    Ok(())
}

/// The format by name; a file that was named by itself and has no known ending is looked into.
fn format_of(path: &Path, explicit: bool) -> Result<Option<Format>> {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if ends(&[".parquet", ".pq"]) {
        return Ok(Some(Format::Parquet));
    }
    if ends(&[".dbn", ".dbn.zst"]) {
        return Ok(Some(Format::Dbn));
    }
    if ends(&[".arrow", ".feather", ".ipc"]) {
        return Ok(Some(Format::Arrow));
    }
    if ends(&[".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst"]) {
        return Ok(Some(Format::JsonLines));
    }
    if ends(&[".csv", ".tsv", ".txt", ".gz", ".zst", ".zip"]) {
        return Ok(Some(Format::Csv));
    }
    if !explicit {
        return Ok(None);
    }
    let mut magic = [0_u8; 4];
    let n = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read(&mut file, &mut magic))
        .map_err(|e| Error::data("D102", format!("{}: cannot read: {e}", path.display())))?;
    if n == 4 && &magic == b"PAR1" {
        return Ok(Some(Format::Parquet));
    }
    Err(Error::data("D102", format!("{}: no known format by its name", path.display()))
        .with_hint(ENDINGS))
}

fn partitions(path: &Path) -> Vec<(String, String)> {
    let folders = path.parent().into_iter().flat_map(Path::iter).filter_map(|p| p.to_str());
    folders
        .filter_map(|part| part.split_once('='))
        .filter(|(key, value)| !key.is_empty() && !value.is_empty())
        .map(|(key, value)| (key.to_owned(), percent_decoded(value)))
        .collect()
}

/// Writers escape characters that paths cannot hold (`BTC%2FUSD`).
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        if let Some(byte) = hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            out.push(byte);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The folder before the first part with a wildcard, and the parts from there on.
fn split_glob(text: &str) -> (PathBuf, Vec<String>) {
    let parts: Vec<&str> = text.split('/').collect();
    let first = parts.iter().position(|p| p.contains(['*', '?', '['])).unwrap_or(parts.len());
    let root = parts[..first].join("/");
    let root = match (root.is_empty(), text.starts_with('/')) {
        (true, true) => PathBuf::from("/"),
        (true, false) => PathBuf::from("."),
        _ => PathBuf::from(root),
    };
    (root, parts[first..].iter().map(|p| (*p).to_owned()).collect())
}

fn matches_parts(pattern: &[String], parts: &[&str]) -> bool {
    match (pattern.first(), parts.first()) {
        (None, None) => true,
        (Some(p), _) if p == "**" => {
            matches_parts(&pattern[1..], parts)
                || (!parts.is_empty() && matches_parts(pattern, &parts[1..]))
        }
        (Some(p), Some(part)) => {
            let p: Vec<char> = p.chars().collect();
            let part: Vec<char> = part.chars().collect();
            matches_chars(&p, &part) && matches_parts(&pattern[1..], &parts[1..])
        }
        _ => false,
    }
}

fn matches_chars(pattern: &[char], text: &[char]) -> bool {
    match pattern.first() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|n| matches_chars(&pattern[1..], &text[n..])),
        Some('?') => !text.is_empty() && matches_chars(&pattern[1..], &text[1..]),
        Some('[') => match (pattern.iter().position(|c| *c == ']'), text.first()) {
            (Some(end), Some(c)) => {
                in_class(&pattern[1..end], *c) && matches_chars(&pattern[end + 1..], &text[1..])
            }
            _ => false,
        },
        Some(p) => text.first() == Some(p) && matches_chars(&pattern[1..], &text[1..]),
    }
}

fn in_class(class: &[char], c: char) -> bool {
    let ranges = class.windows(3).any(|w| w[1] == '-' && w[0] <= c && c <= w[2]);
    ranges || class.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::{matches_parts, percent_decoded};

    #[test]
    fn glob_when_matched_then_wildcards_work_a_part_at_a_time() {
        // pattern, path, expected
        let rows = [
            ("*.csv", "a.csv", true),
            ("*.csv", "x/a.csv", false),
            ("**/*.csv", "x/y/a.csv", true),
            ("**/*.csv", "a.csv", true),
            ("A[A-C]?.csv", "ABZ.csv", true),
            ("A[A-C]?.csv", "ADZ.csv", false),
        ];
        for (pattern, path, expected) in rows {
            let pattern: Vec<String> = pattern.split('/').map(str::to_owned).collect();
            let parts: Vec<&str> = path.split('/').collect();
            assert_eq!(matches_parts(&pattern, &parts), expected, "{pattern:?} {path}");
        }
        assert_eq!(percent_decoded("BTC%2FUSD"), "BTC/USD");
    }
}
