//! The law of rooms: a room uses only what its row of ARCHITECTURE.md's Rooms table names.
//!
//! Reads the table and the source as text. Paths are followed through `crate::`, `$crate::`,
//! `super::` chains that climb to the crate root, and nested groups, in every file of a room, its
//! inline modules, macros and unit tests included.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::{code_only, files_under, repository};

/// Room -> rooms it may use, in the order of the table.
type Law = BTreeMap<String, BTreeSet<String>>;

/// The Rooms table: rows that begin with a room's name in backticks.
fn parse_law(document: &str) -> Law {
    let section = document.split("\n## Rooms\n").nth(1).expect("ARCHITECTURE.md has `## Rooms`");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut law = Law::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let used = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let again = law.insert(cells[1].trim_matches('`').to_owned(), used);
        assert!(again.is_none(), "two rows for {}", cells[1]);
    }
    law
}

/// Rows without folder, folders without row, and rows that name a room that is none.
fn table_faults(law: &Law, folders: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for room in law.keys().filter(|room| !folders.contains(*room)) {
        faults.push(format!("the row `{room}` has no folder"));
    }
    for folder in folders.iter().filter(|folder| !law.contains_key(*folder)) {
        faults.push(format!("the folder {folder} has no row"));
    }
    for (room, used) in law {
        for other in used.iter().filter(|other| !law.contains_key(*other) || *other == room) {
            faults.push(format!("the row `{room}` names `{other}`"));
        }
    }
    faults
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// Names, `::` and single signs.
fn tokens(code: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
            let length = match chars[at] {
                c if c.is_whitespace() => 0,
                c if is_name(&c) => chars[at..].iter().take_while(|c| is_name(c)).count(),
                ':' if chars.get(at + 1) == Some(&':') => 2,
                _ => 1,
            };
            if length > 0 {
                let text = chars[at..at + length].iter().collect();
                found.push(Token { text, line: number + 1 });
            }
            at += length.max(1);
        }
    }
    found
}

/// Where a file's code leaves its module for an item of the crate root: (item, line).
///
/// `module` is the path of the file's module, room first: `["feed", "chunk"]`.
fn root_items(text: &str, module: &[&str]) -> Vec<(String, usize)> {
    let tokens = tokens(&code_only(text));
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
    let mut found = Vec::new();
    let mut braces = 0usize;
    let mut inline: Vec<usize> = Vec::new(); // brace depth at which each open inline module began
    for at in 0..tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                if at >= 2 && is(at - 2, "mod") {
                    inline.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
            }
            "crate" if is(at + 1, "as") => found.push(("*".to_owned(), tokens[at].line)),
            "crate" | "tapeworks" if is(at + 1, "::") => heads(&tokens, at + 2, &mut found),
            "super" if at == 0 || !is(at - 1, "::") || !is(at.saturating_sub(2), "super") => {
                let climbs = (at..).step_by(2).take_while(|&i| is(i, "super") && is(i + 1, "::"));
                let climbs = climbs.count();
                if climbs > 0 && climbs >= module.len() + inline.len() {
                    heads(&tokens, at + 2 * climbs, &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

/// First names of what follows a path that stands at the crate root: `a::b`, `{a::b, c::{d}}`, `*`.
fn heads(tokens: &[Token], at: usize, found: &mut Vec<(String, usize)>) {
    let Some(first) = tokens.get(at) else { return };
    if first.text != "{" {
        found.push((first.text.clone(), first.line));
        return;
    }
    let (mut depth, mut expected) = (0usize, true);
    for token in &tokens[at..] {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => expected = true,
            "self" | "super" if expected && depth == 1 => {}
            _ if expected && depth == 1 => {
                found.push((token.text.clone(), token.line));
                expected = false;
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// What one file of a room breaks.
fn violations(law: &Law, text: &str, file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let module: Vec<&str> = stem.split('/').collect();
    let room = module[0];
    let mut faults = Vec::new();
    for (item, line) in root_items(text, &module) {
        let allowed = item == room || law.get(room).is_some_and(|used| used.contains(&item));
        if !allowed && law.contains_key(&item) {
            faults.push(format!("{file}:{line}: `{room}` uses `{item}`, its row does not name it"));
        } else if !allowed {
            faults.push(format!("{file}:{line}: `{room}` uses `{item}` of the crate root"));
        }
    }
    faults
}

fn law_of_the_house() -> Law {
    let document = fs::read_to_string(repository().join("ARCHITECTURE.md"));
    parse_law(&document.expect("ARCHITECTURE.md can be read"))
}

fn rooms_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_room_has_a_row_and_every_row_a_room() {
    let folders = fs::read_dir(rooms_folder())
        .expect("src can be listed")
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a folder has a name").to_string_lossy().into_owned())
        .collect();
    let faults = table_faults(&law_of_the_house(), &folders);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_room_uses_another_that_its_row_does_not_name() {
    let (law, root) = (law_of_the_house(), rooms_folder());
    let mut faults = Vec::new();
    for path in files_under(&root) {
        let file = path.strip_prefix(&root).expect("a file of src").to_string_lossy().into_owned();
        let file = file.replace('\\', "/");
        if path.extension().is_none_or(|ending| ending != "rs")
            || matches!(file.as_str(), "lib.rs" | "prelude.rs")
        {
            continue;
        }
        assert!(file.contains('/'), "src/{file} belongs to no room");
        let text = fs::read_to_string(&path).expect("a source file can be read");
        faults.extend(violations(&law, &text, &file));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_law_has_no_circle() {
    // Rooms whose uses are all settled are settled; if none can be added, the rest is a circle.
    let mut open = law_of_the_house();
    while !open.is_empty() {
        let waiting: BTreeSet<String> = open.keys().cloned().collect();
        let before = open.len();
        open.retain(|_, used| used.iter().any(|room| waiting.contains(room)));
        assert!(open.len() < before, "a circle among {:?}", open.keys());
    }
}

/// Self-tests: the law of a house of three rooms, and planted violations that must be seen.
mod planted {
    use super::{parse_law, root_items, table_faults, violations};

    const DOCUMENT: &str = "# x\n\n## Rooms\ntext\n\n| room | may use | holds |\n|---|---|---|\n\
        | `base` | - | ids |\n| `feed` | `base` | slices |\n| `run` | `base` `feed` | wiring |\n\n\
        ## Next\n| `other` | `run` | - |\n";

    /// File, source, line of the violation and what it reaches (none: allowed).
    type Case = (&'static str, &'static str, Option<(usize, &'static str)>);

    #[test]
    fn table_is_read_up_to_the_next_heading() {
        let law = parse_law(DOCUMENT);
        assert_eq!(law.keys().collect::<Vec<_>>(), ["base", "feed", "run"]);
        assert_eq!(law["run"].iter().collect::<Vec<_>>(), ["base", "feed"]);
        assert!(law["base"].is_empty());
    }

    #[test]
    fn folders_and_rows_must_match() {
        let folders = ["base", "feed", "attic"].map(str::to_owned).into();
        let faults = table_faults(&parse_law(DOCUMENT), &folders);
        assert_eq!(faults, ["the row `run` has no folder", "the folder attic has no row"]);
        let wrong = DOCUMENT.replace("\n| `base` |", "\n| `cellar` |");
        let faults =
            table_faults(&parse_law(&wrong), &["cellar", "feed", "run"].map(str::to_owned).into());
        assert_eq!(faults, ["the row `feed` names `base`", "the row `run` names `base`"]);
    }

    #[test]
    fn planted_violations_are_found() {
        let law = parse_law(DOCUMENT);
        let cases: &[Case] = &[
            ("feed/mod.rs", "use crate::base::Id;", None),
            ("feed/mod.rs", "use crate::feed::Chunk;", None),
            ("feed/mod.rs", "\nuse crate::run::Config;", Some((2, "run"))),
            ("feed/mod.rs", "use crate::{base::Id, run::Config};", Some((1, "run"))),
            ("feed/mod.rs", "use crate::{\n  base::{Id, Time},\n  run,\n};", Some((3, "run"))),
            ("feed/mod.rs", "fn f() { crate::run::go(); }", Some((1, "run"))),
            ("feed/mod.rs", "macro_rules! m { () => { $crate::run::go() } }", Some((1, "run"))),
            ("feed/mod.rs", "use super::run::Config;", Some((1, "run"))),
            ("feed/mod.rs", "use super::{base, run as r};", Some((1, "run"))),
            ("feed/chunk.rs", "use super::Layout;", None),
            ("feed/chunk.rs", "use super::super::run::Config;", Some((1, "run"))),
            ("feed/a/b.rs", "use super::super::run::Config;", None),
            ("feed/a/b.rs", "use super::super::super::run::Config;", Some((1, "run"))),
            ("feed/chunk.rs", "mod tests {\n use super::super::chunk;\n}", None),
            ("feed/chunk.rs", "mod t {\n use super::super::super::run;\n}", Some((2, "run"))),
            ("feed/chunk.rs", "mod t { fn f() {} }\nuse super::super::run;", Some((2, "run"))),
            ("feed/mod.rs", "#[cfg(test)]\nmod tests { use crate::run::X; }", Some((2, "run"))),
            ("feed/mod.rs", "use crate::*;", Some((1, "*"))),
            ("feed/mod.rs", "use crate as house;", Some((1, "*"))),
            ("feed/mod.rs", "use crate::prelude::*;", Some((1, "prelude"))),
            ("feed/mod.rs", "// use crate::run;\n/* crate::run */", None),
            (
                "feed/mod.rs",
                "const T: &str = \"crate::run\"; const R: &str = r#\"crate::run\"#;",
                None,
            ),
            ("feed/mod.rs", "pub(crate) fn f<'a>(x: &'a str) -> char { '\"' }", None),
            ("feed/mod.rs", "pub(in crate::run) fn f() {}", Some((1, "run"))),
            ("base/mod.rs", "impl From<crate::feed::X> for Y {}", Some((1, "feed"))),
        ];
        for (file, source, expected) in cases {
            let found = violations(&law, source, file);
            match expected {
                None => assert!(found.is_empty(), "{source}: {found:?}"),
                Some((line, item)) => {
                    assert_eq!(found.len(), 1, "{source}: {found:?}");
                    assert!(found[0].starts_with(&format!("{file}:{line}: ")), "{found:?}");
                    assert!(found[0].contains(&format!("`{item}`")), "{found:?}");
                }
            }
        }
    }

    #[test]
    fn groups_yield_every_first_name() {
        let found = root_items("use crate::{a, b::{c, d::e}, f::*};", &["feed"]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "f"]);
    }
}
