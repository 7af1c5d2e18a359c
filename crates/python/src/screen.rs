//! Text that fits a screen: `repr` keeps to 80 columns and 40 lines.

const COLUMNS: usize = 80;
const LINES: usize = 40;

/// The text with long lines folded at spaces, and the lines past a screen counted.
pub fn screen(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().flat_map(folded).collect();
    if lines.len() > LINES {
        let left_out = lines.len() - (LINES - 1);
        lines.truncate(LINES - 1);
        lines.push(format!("... {left_out} lines more"));
    }
    lines.join("\n")
}

/// Where the lines after the first begin: under the value of `name     value`, else 4 further in.
fn value_column(line: &[char]) -> usize {
    let start = line.iter().take_while(|c| **c == ' ').count();
    let is_gap = |&i: &usize| line[i] == ' ' && line.get(i + 1) == Some(&' ');
    let gap = (start..line.len().min(24)).find(is_gap);
    let value = gap.and_then(|gap| (gap..line.len().min(32)).find(|&i| line[i] != ' '));
    value.unwrap_or(start + 4)
}

/// One line as lines of at most 80 columns, those after the first indented.
fn folded(line: &str) -> Vec<String> {
    let mut rest: Vec<char> = line.chars().collect();
    let indent = value_column(&rest);
    let mut lines = Vec::new();
    while rest.len() > COLUMNS {
        let first_word = if lines.is_empty() { indent } else { indent + 1 };
        let cut = (first_word..=COLUMNS).rev().find(|&i| rest[i] == ' ');
        let (end, next) = cut.map_or((COLUMNS, COLUMNS), |cut| (cut, cut + 1));
        lines.push(rest[..end].iter().collect::<String>().trim_end().to_owned());
        rest = std::iter::repeat_n(' ', indent).chain(rest[next..].iter().copied()).collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}
