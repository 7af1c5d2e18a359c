//! Did you mean: the nearest of a list of known names.

/// The candidate nearest to `name`, when it is near enough to be meant.
///
/// Distance: edits (insert, delete, replace, swap of neighbours), letters compared without case;
/// at most a third of the longer name, and at least one edit is allowed. Ties go to the earlier
/// candidate.
///
/// # Example
/// ```
/// use tapeworks::base::spelling::nearest;
/// assert_eq!(nearest("ts_maen", ["ts_min", "ts_mean"]), Some("ts_mean"));
/// assert_eq!(nearest("Close", ["open", "close"]), Some("close"));
/// assert_eq!(nearest("x", ["volume"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().take(64).collect();
        let limit = (wanted.len().max(letters.len()) / 3).max(1);
        let distance = edits(&wanted, &letters);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    // A single letter is one edit from every other one: that is no likeness.
    best.filter(|&(distance, candidate)| distance < candidate.chars().count()).map(|(_, name)| name)
}

/// Optimal string alignment distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut table = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let value = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least =
                    replaced.min(table[(i - 1) * width + j] + 1).min(table[i * width + j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[(i - 2) * width + j - 2] + 1);
                }
                least
            };
            table[i * width + j] = value;
        }
    }
    table[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_when_names_differ_by_a_slip_then_found() {
        // name, candidates, expected; distances counted by hand
        let rows: [(&str, &[&str], Option<&str>); 6] = [
            ("vxi", &["vix", "spy"], Some("vix")),         // one swap
            ("scor", &["signal", "score"], Some("score")), // one insertion
            ("momentm", &["momentum", "moment"], Some("momentum")), // tie at one edit: the first
            ("CLOSE", &["close"], Some("close")),          // case only
            ("abc", &["xyz"], None),
            ("a", &["b"], None),
        ];
        for (name, candidates, expected) in rows {
            assert_eq!(nearest(name, candidates.iter().copied()), expected, "{name}");
        }
    }
}
