//! Habits of STYLE.md that a machine can check, over every file of the repository.
//!
//! Each rule is a function from text to faults, tested below on planted ones.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use source::{code_only, files_under, repository};

/// A file with more lines of code than this is two files; tables of cases may be longer.
const CODE_LINES_MAX: usize = 500;
const TEST_LINES_MAX: usize = 900;
const COLUMNS_MAX: usize = 100;
/// A row of a table of cases stays on its line, as rustfmt leaves it there.
const TEST_COLUMNS_MAX: usize = 160;

/// Longer files that are better whole: (path, why).
const LONG_ON_PURPOSE: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["common", "core", "helper", "helpers", "manager", "misc", "util", "utils"];

/// Path (from the repository, `/` between folders) and text of each file with one of `endings`.
fn texts(endings: &[&str]) -> Vec<(String, String)> {
    let root = repository();
    let mut found = Vec::new();
    for path in tracked() {
        let name = path.strip_prefix(&root).expect("a file of the repository").to_string_lossy();
        let name = name.replace('\\', "/");
        if endings.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = fs::read_to_string(&path)
        {
            found.push((name, text));
        }
    }
    assert!(!found.is_empty(), "no file ends with any of {endings:?}");
    found
}

/// Files under version control, or all files where there is no version control (an archive).
fn tracked() -> Vec<PathBuf> {
    let root = repository();
    let listed = Command::new("git").arg("-C").arg(&root).args(["ls-files", "-z"]).output();
    match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            let names = names.split('\0').filter(|name| !name.is_empty());
            names.map(|name| root.join(name)).filter(|path| path.is_file()).collect()
        }
        _ => files_under(&root),
    }
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn in_engine(name: &str) -> bool {
    name.starts_with("crates/tapeworks/src/")
}

/// Does `code` hold `word` as a whole name?
fn has_name(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].ends_with(is_name) && !code[at + word.len()..].starts_with(is_name)
    })
}

fn code_lines(text: &str) -> usize {
    code_only(text).lines().filter(|line| !line.trim().is_empty()).count()
}

/// A task note must carry the number of its issue: `TODO(#12)`.
fn loose_notes(text: &str) -> Vec<usize> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let loose = |line: &str| {
        words.iter().any(|word| {
            has_name(line, word)
                && !line.split(word).skip(1).all(|rest| {
                    let number = rest.strip_prefix("(#").and_then(|rest| rest.split(')').next());
                    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
                })
        })
    };
    text.lines().enumerate().filter(|(_, line)| loose(line)).map(|(n, _)| n + 1).collect()
}

/// Places of one machine, and hosts of package registries (a mirror must do as well).
fn private_places(text: &str) -> Vec<(usize, String)> {
    const FOLDERS: [&str; 5] = ["home", "root", "tmp", "Users", "work"];
    let hosts =
        [["pypi", ".org"], ["pythonhosted", ".org"], ["npmjs", ".org"], ["static.crates", ".io"]];
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in FOLDERS {
            let place = format!("/{folder}/");
            let stands = |(at, _): (usize, &str)| {
                let before = line[..at].chars().next_back().unwrap_or(' ');
                !before.is_alphanumeric() && !"._-})]*~".contains(before)
            };
            if line.match_indices(&place).any(stands) {
                found.push((number + 1, place));
            }
        }
        let host =
            hosts.iter().map(|parts| parts.concat()).find(|host| line.contains(host.as_str()));
        found.extend(host.map(|host| (number + 1, host)));
    }
    found
}

/// Cells of a table line; a backslash keeps a bar inside its cell.
fn cells(line: &str) -> usize {
    let line = line.trim().replace("\\|", "");
    line.trim_start_matches('|').trim_end_matches('|').split('|').count()
}

/// Lines of tables that are not tables: no delimiter row, or a row of another width.
fn broken_tables(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut faults, mut fenced, mut at) = (Vec::new(), false, 0);
    while at < lines.len() {
        fenced ^= lines[at].trim_start().starts_with("```");
        if fenced || !lines[at].trim_start().starts_with('|') {
            at += 1;
            continue;
        }
        let length = lines[at..].iter().take_while(|l| l.trim_start().starts_with('|')).count();
        let is_delimiter =
            |line: &&str| line.contains('-') && line.chars().all(|c| "|-: ".contains(c));
        if !lines.get(at + 1).is_some_and(is_delimiter) {
            faults.push(at + 1);
        }
        let width = cells(lines[at]);
        faults.extend((at..at + length).filter(|&i| cells(lines[i]) != width).map(|i| i + 1));
        at += length;
    }
    faults
}

/// Targets of links to files beside the document.
fn local_links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.map(|target| target.split('#').next().unwrap_or_default().to_owned()).collect()
}

/// Names after `mod`, `struct`, `enum`, `trait` that say nothing, in any case or as a suffix.
fn empty_names(code: &str) -> Vec<String> {
    let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let declared = words.windows(2).filter(|w| matches!(w[0], "mod" | "struct" | "enum" | "trait"));
    let says_nothing = |name: &str| {
        let name = name.to_lowercase();
        EMPTY_NAMES.iter().any(|empty| name == *empty || (empty.len() > 4 && name.ends_with(empty)))
    };
    declared.map(|w| w[1].to_owned()).filter(|name| says_nothing(name)).collect()
}

#[test]
fn files_are_short() {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for (name, text) in texts(&[".rs"]) {
        let n = code_lines(&text);
        let max = if name.contains("/tests/") { TEST_LINES_MAX } else { CODE_LINES_MAX };
        match LONG_ON_PURPOSE.iter().find(|(path, _)| *path == name) {
            Some((path, _)) if n > max => drop(used.insert(*path)),
            Some((path, _)) => faults.push(format!("{path}: short now, take it off the list")),
            None if n > max => faults.push(format!("{name}: {n} lines of code")),
            None => {}
        }
    }
    let unused = LONG_ON_PURPOSE.iter().filter(|(path, _)| !used.contains(path));
    faults.extend(unused.map(|(path, _)| format!("{path}: on the list, not in the repository")));
    assert_none(&faults);
}

#[test]
fn lines_are_narrow() {
    let mut faults = Vec::new();
    for (name, text) in texts(&[".rs", ".py", ".pyi"]) {
        let max = if name.contains("/tests/") { TEST_COLUMNS_MAX } else { COLUMNS_MAX };
        for (number, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > max {
                faults.push(format!("{name}:{}: {columns} columns", number + 1));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn rust_files_say_what_they_are() {
    let texts = texts(&[".rs"]);
    let silent = texts.iter().filter(|(_, text)| !text.trim_start().starts_with("//!"));
    assert_none(&silent.map(|(name, _)| format!("{name}: no module doc")).collect::<Vec<_>>());
}

#[test]
fn the_engine_prints_nothing_and_is_safe() {
    let mut faults = Vec::new();
    for (name, text) in texts(&[".rs"]).into_iter().filter(|(name, _)| in_engine(name)) {
        for (number, line) in code_only(&text).lines().enumerate() {
            for word in ["println", "eprintln", "print", "eprint", "dbg"] {
                if has_name(line, word) && line.contains(&format!("{word}!")) {
                    faults.push(format!("{name}:{}: {word}!", number + 1));
                }
            }
            if has_name(line, "unsafe") {
                faults.push(format!("{name}:{}: unsafe", number + 1));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn notes_carry_an_issue_number() {
    let mut faults = Vec::new();
    for (name, text) in texts(&[".rs", ".py", ".pyi", ".toml", "Makefile"]) {
        faults.extend(loose_notes(&text).iter().map(|line| format!("{name}:{line}: loose note")));
    }
    assert_none(&faults);
}

#[test]
fn names_say_something() {
    let mut faults = Vec::new();
    for (name, text) in texts(&[".rs", ".py", ".pyi"]) {
        let (path, ending) = name.rsplit_once('.').expect("the files have an ending");
        let mut empty: Vec<String> =
            path.split('/').filter(|part| EMPTY_NAMES.contains(part)).map(str::to_owned).collect();
        if ending == "rs" {
            empty.extend(empty_names(&code_only(&text)));
        }
        faults.extend(empty.iter().map(|part| format!("{name}: `{part}` says nothing")));
    }
    assert_none(&faults);
}

#[test]
fn no_file_names_a_private_place() {
    let mut faults = Vec::new();
    let endings = [
        ".md", ".rs", ".py", ".pyi", ".toml", ".yaml", ".yml", ".json", ".txt", ".sh", ".html",
        "Makefile", ".ci/run", ".ipynb",
    ];
    for (name, text) in texts(&endings) {
        let places = private_places(&text);
        faults.extend(places.iter().map(|(line, place)| format!("{name}:{line}: {place}")));
    }
    assert_none(&faults);
}

#[test]
fn documents_have_whole_tables_and_links_that_lead_somewhere() {
    let mut faults = Vec::new();
    for (name, text) in texts(&[".md"]) {
        faults.extend(broken_tables(&text).iter().map(|line| format!("{name}:{line}: table")));
        let folder = repository().join(&name).parent().expect("a file has a folder").to_path_buf();
        let dead = local_links(&text).into_iter().filter(|target| !folder.join(target).exists());
        faults.extend(dead.map(|target| format!("{name}: link to {target}")));
    }
    assert_none(&faults);
}

/// Every dependency of the workspace has its reason and its cost written down.
#[test]
fn every_dependency_has_its_row() {
    let root = repository();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest can be read");
    let design = fs::read_to_string(root.join("docs/design.md")).expect("the design can be read");
    let section = manifest.split("[workspace.dependencies]\n").nth(1).expect("it has the section");
    let section = section.split("\n[").next().unwrap_or_default();
    let (listed, pinned) = section.split_once("# Feature pins").expect("the pins stand last");
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with(['#', ' ']));
        lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned()).collect()
    };
    let pins = design.split("\nFeature pins").nth(1).expect("the design names the pins");
    let pins = pins.split("\n\n").next().unwrap_or_default();
    let mut faults = Vec::new();
    for name in names(listed).iter().filter(|name| !name.starts_with("tapeworks")) {
        if !design.contains(&format!("\n| {name} | ")) {
            faults.push(format!("docs/design.md has no row for {name}"));
        }
    }
    for name in names(pinned).iter().filter(|name| !has_name(pins, name)) {
        faults.push(format!("docs/design.md does not name the pin {name}"));
    }
    assert_none(&faults);
}

/// One compile of arrow and parquet serves tests, command line, bench and wheel only as long as
/// every crate below them is asked for the same features (docs/design.md, "Build cost").
#[test]
fn every_selection_asks_for_the_same_features() {
    let tree = |arguments: &[&str]| -> BTreeSet<String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(repository()).args(["tree", "--locked"]).args(arguments);
        let output = cargo.output().expect("cargo runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo tree {arguments:?}: {error}");
        let lines = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
        let lines = lines.lines().filter(|line| !line.is_empty());
        lines.map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let plain = ["--prefix", "none", "-e", "normal,build", "-f", "{p}"];
    let below = tree(&[&plain[..], &["-p", "parquet", "-p", "arrow"]].concat());
    let mut asked: BTreeMap<String, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    let selections: [(&str, &[&str]); 4] = [
        ("tests", &["-e", "normal,build,dev", "-p", "tapeworks", "-p", "tapeworks-cli"]),
        ("cli", &["-e", "normal,build", "-p", "tapeworks-cli"]),
        ("bench", &["-e", "normal,build", "-p", "tapeworks-bench"]),
        ("wheel", &["-e", "normal,build", "-p", "tapeworks-python"]),
    ];
    for (selection, arguments) in selections {
        for line in tree(&[&["--prefix", "none", "-f", "{p}|{f}"][..], arguments].concat()) {
            let (name, features) = line.split_once('|').expect("the format has a bar");
            if below.contains(name) {
                let features = asked.entry(name.to_owned()).or_default().entry(features.to_owned());
                features.or_default().push(selection);
            }
        }
    }
    let drifted = asked.iter().filter(|(_, sets)| {
        let all: BTreeSet<&str> = sets.values().flatten().copied().collect();
        sets.values().any(|by| by.iter().copied().collect::<BTreeSet<_>>() != all)
    });
    let faults: Vec<String> = drifted.map(|(name, sets)| format!("{name}: {sets:?}")).collect();
    assert_none(&faults);
}

/// Planted faults and harmless look-alikes.
mod planted {
    use super::{
        broken_tables, cells, code_lines, code_only, empty_names, has_name, local_links,
        loose_notes, private_places,
    };

    #[test]
    fn code_is_what_is_left_without_comments_and_literals() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"x\\\"y\")", "f(      )"),
            ("r#\"un\"safe\"# + br\"x\"", "             + b    "),
            ("let c = '\"'; let d = '\\''; &'a T", "let c =    ; let d =     ; &'a T"),
            ("bar\"x\"", "bar   "),
        ];
        for (text, code) in cases {
            assert_eq!(code_only(text), code, "{text}");
        }
        assert_eq!(code_lines("//! doc\n\nfn f() {}\n// why\n"), 1);
    }

    #[test]
    fn names_are_whole_words() {
        let cases = [
            ("unsafe { x }", "unsafe", true),
            ("#![deny(unsafe_code)]", "unsafe", false),
            ("println!(x)", "print", false),
            ("fingerprint!()", "print", false),
        ];
        for (code, word, expected) in cases {
            assert_eq!(has_name(code, word), expected, "{code}");
        }
        let code = "mod utils; struct OrderManager; enum Core {} mod score; trait Manage {}";
        assert_eq!(empty_names(code), ["utils", "OrderManager", "Core"]);
    }

    #[test]
    fn notes_need_a_number() {
        let note = concat!("TO", "DO");
        let cases = [
            (format!("// {note} later"), vec![1]),
            (format!("x\n// {note}(#12) later"), vec![]),
            (format!("// {note}(me)"), vec![1]),
            (format!("// {note}S"), vec![]),
        ];
        for (text, lines) in cases {
            assert_eq!(loose_notes(&text), lines, "{text}");
        }
    }

    #[test]
    fn private_places_are_found() {
        let slash = "/";
        let cases = [
            (format!("read {slash}home/me/x"), 1),
            (format!("\"{slash}tmp/out\""), 1),
            ("docs/home/x.md".to_owned(), 0),
            ("https://host/work".to_owned(), 0),
            (format!("$ROOT{slash}work/x ../work/x"), 0),
            (["see https://", "pypi", ".org/x"].concat(), 1),
        ];
        for (text, n) in cases {
            let expected = if text.starts_with('$') { 0 } else { n };
            assert_eq!(private_places(&text).len(), expected, "{text}");
        }
    }

    #[test]
    fn broken_tables_are_found() {
        assert_eq!(cells("| a | b \\| c |"), 2);
        assert_eq!(broken_tables("| a | b |\n|---|---|\n| 1 | 2 |\n"), [] as [usize; 0]);
        assert_eq!(broken_tables("x\n| a | b |\n| 1 | 2 |\n"), [2]);
        assert_eq!(broken_tables("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |\n"), [3, 4]);
        assert_eq!(broken_tables("```\n| a |\n```\n"), [] as [usize; 0]);
        assert_eq!(
            local_links("[a](b.md#c) [d](https://e) [f](#g) ![h](i.png)"),
            ["b.md", "i.png"]
        );
    }
}
