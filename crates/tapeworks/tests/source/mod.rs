//! Reading our own source: files of the repository, and code without comments and literals.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder that holds the workspace manifest.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("crates/tapeworks lies two folders down").to_path_buf()
}

/// Every file under `folder`, in order of its path, build output left out.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    const SKIPPED: [&str; 9] = [
        ".git",
        ".hypothesis",
        ".pytest_cache",
        ".venv",
        "__pycache__",
        "dist",
        "runs",
        "site",
        "target",
    ];
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be listed") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() && !SKIPPED.contains(&name) {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code of a Rust file: comments and the inside of literals become blanks, lines stay lines.
pub fn code_only(text: &str) -> String {
    let source: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < source.len() {
        let end = match source[at] {
            '/' if source.get(at + 1) == Some(&'/') => line_end(&source, at),
            '/' if source.get(at + 1) == Some(&'*') => block_end(&source, at),
            '"' => quoted_end(&source, at),
            'r' if starts_raw(&source, at) => raw_end(&source, at),
            '\'' => char_end(&source, at),
            _ => at,
        };
        if end == at {
            code.push(source[at]);
            at += 1;
        } else {
            code.extend(source[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

fn line_end(source: &[char], at: usize) -> usize {
    source[at..].iter().position(|&c| c == '\n').map_or(source.len(), |n| at + n)
}

/// Block comments nest.
fn block_end(source: &[char], at: usize) -> usize {
    let (mut i, mut depth) = (at, 0);
    while i + 1 < source.len() {
        match (source[i], source[i + 1]) {
            ('/', '*') => (i, depth) = (i + 2, depth + 1),
            ('*', '/') => (i, depth) = (i + 2, depth - 1),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    source.len()
}

fn quoted_end(source: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < source.len() && source[i] != '"' {
        i += if source[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(source.len())
}

/// `r"` or `r#..#"`, not the end of a longer name and not a raw identifier.
fn starts_raw(source: &[char], at: usize) -> bool {
    let after_name = at > 0
        && (source[at - 1].is_alphanumeric() || source[at - 1] == '_')
        && !matches!(source[at - 1], 'b' | 'c');
    let quote = source[at + 1..].iter().position(|&c| c != '#').map(|n| source[at + 1 + n]);
    !after_name && quote == Some('"')
}

fn raw_end(source: &[char], at: usize) -> usize {
    let hashes = source[at + 1..].iter().take_while(|&&c| c == '#').count();
    let mut i = at + 2 + hashes;
    while i < source.len() {
        let closes = source[i] == '"'
            && source[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
        if closes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    source.len()
}

/// A character literal; a lifetime stays code.
fn char_end(source: &[char], at: usize) -> usize {
    match source.get(at + 1) {
        Some('\\') => {
            let close = source[at + 3..].iter().position(|&c| c == '\'');
            close.map_or(source.len(), |n| at + 4 + n)
        }
        Some(_) if source.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}
