//! How far and how long equity stood below its peak. The initial equity is the first peak.

use super::Reason;
use super::curve::Path;
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Fact, Unit};

pub(super) const MAX_DRAWDOWN: Definition = Definition {
    key: "max_drawdown",
    label: "Max drawdown",
    unit: Unit::Fraction,
    formula: "min(E_t / max(E_0..E_t) - 1)",
    reference: "empyrical.max_drawdown",
    convention: Convention::Fixed("from initial equity"),
    source: Source::Path(max_drawdown),
};

pub(super) const DRAWDOWN_LONGEST: Definition = Definition {
    key: "drawdown_longest",
    label: "Longest drawdown",
    unit: Unit::Rows,
    formula: "most consecutive rows with E_t below the peak so far",
    reference: "",
    convention: Convention::Fixed("in rows"),
    source: Source::Path(drawdown_longest),
};

pub(super) const ULCER: Definition = Definition {
    key: "ulcer",
    label: "Ulcer index",
    unit: Unit::Fraction,
    formula: "sqrt(mean(DD^2)), E_0 included",
    reference: "Martin and McCann 1989",
    convention: Convention::Fixed("over n+1 points"),
    source: Source::Path(ulcer),
};

/// A stretch below a peak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawdown {
    /// Lowest equity over the peak, less 1; 0 when equity never fell.
    pub depth: f64,
    /// When the peak was, last at that height; `None` is the start.
    peak: Option<i64>,
    /// When the lowest point was.
    trough: Option<i64>,
}

/// The deepest drawdown of the curve, the earliest of equals.
pub(super) fn deepest(path: &Path<'_>) -> Result<Drawdown, Reason> {
    path.numbers()?;
    let mut peak = path.start;
    let mut found = Drawdown { depth: 0.0, peak, trough: None };
    for (&depth, &timestamp) in path.drawdowns.iter().zip(path.timestamps) {
        if depth < found.depth {
            found = Drawdown { depth, peak, trough: Some(timestamp) };
        } else if depth == 0.0 {
            peak = Some(timestamp);
        }
    }
    Ok(found)
}

fn max_drawdown(path: &Path<'_>, _: &Conventions) -> Outcome {
    let found = deepest(path);
    let facts = match found {
        Ok(Drawdown { peak, trough: Some(trough), .. }) => vec![
            Fact { key: "peak", timestamp: peak },
            Fact { key: "trough", timestamp: Some(trough) },
        ],
        _ => Vec::new(),
    };
    Outcome::new(path.n(), found.map(|drawdown| drawdown.depth)).with_facts(facts)
}

fn drawdown_longest(path: &Path<'_>, _: &Conventions) -> Outcome {
    if let Err(reason) = path.numbers() {
        return Outcome::new(path.n(), Err(reason));
    }
    let mut peak = path.start;
    let (mut length, mut longest) = (0_usize, 0_usize);
    let mut facts = Vec::new();
    for (&depth, &timestamp) in path.drawdowns.iter().zip(path.timestamps) {
        if depth < 0.0 {
            length += 1;
        } else {
            (length, peak) = (0, Some(timestamp));
        }
        if length > longest {
            longest = length;
            facts = vec![
                Fact { key: "peak", timestamp: peak },
                Fact { key: "end", timestamp: Some(timestamp) },
            ];
        }
    }
    Outcome::new(path.n(), Ok(longest as f64)).with_facts(facts)
}

fn ulcer(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.numbers().map(|equity| {
        let squares: f64 = path.drawdowns.iter().map(|depth| depth * depth).sum();
        (squares / (equity.len() + 1) as f64).sqrt()
    });
    Outcome::new(path.n(), value)
}
