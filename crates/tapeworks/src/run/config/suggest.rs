//! "Did you mean": the nearest of the known names.

/// The known name nearest to `word`: at most two edits away, or one a prefix of the other.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    known
        .into_iter()
        .filter_map(|name| {
            let distance = edits(&folded, &name.to_lowercase());
            // Two edits turn any two-letter word into any other, so short words get one.
            let allowed = if folded.chars().count() <= 3 { 1 } else { 2 };
            let prefix = folded.len() >= 3 && (name.starts_with(&folded) || folded.starts_with(name));
            (distance <= allowed || prefix).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_when_close_or_prefix_then_found_else_none() {
        let known = ["commission", "slippage", "account", "n"];
        // word, expected; distances counted by hand
        let rows = [
            ("commision", Some("commission")),
            ("comission", Some("commission")),
            ("slipapge", Some("slippage")),
            ("comm", Some("commission")),
            ("colour", None),
            ("m", Some("n")),
            ("xyz", None),
        ];
        for (word, expected) in rows {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn edits_when_counted_by_hand_then_equal() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("ab", "ba"), 1);
    }
}
