//! Row expressions over market slices: compiled once, evaluated a timestamp at a time.
//!
//! In: a parsed [`Expression`] and the [`Layout`] of the feed. Out: one value a row of the slice.
//!
//! - Time-series functions count the rows of each symbol, its own rows only. `context.NAME` inside
//!   one is the context value at the symbol's rows.
//! - Missing in, missing out: any missing value in a window, or a window that is not full yet,
//!   gives missing; so does a comparison or logic with a missing operand. Truth is 1, untruth 0.
//! - No allocation once every asset has been seen; O(1) amortised a row and function.

mod compile;
mod kernels;
mod replay;
mod series;

use std::ops::Range;

use self::kernels::{MapOp, View, ZipOp};
use self::replay::Kept;
use self::series::Series;
use super::Slice;
use crate::base::Result;
use crate::base::expression::Expression;
use crate::feed::{Layout, MarketChunk};

/// An expression bound to the columns of a feed, with the state of its windows.
#[derive(Debug, Clone)]
pub struct RowProgram {
    nodes: Vec<Node>,
    root: Operand,
    is_boolean: bool,
    /// The last rows of each asset, where corporate actions restate them.
    kept: Option<Kept>,
}

/// One operation; its operands are columns, constants or earlier nodes.
#[derive(Debug, Clone)]
struct Node {
    step: Step,
    out: Vec<f64>,
}

#[derive(Debug, Clone)]
enum Step {
    Map(MapOp, Operand),
    Zip(ZipOp, Operand, Operand),
    Choose { condition: Operand, yes: Operand, no: Operand },
    Series(Operand, Series),
}

#[derive(Debug, Clone, Copy)]
enum Operand {
    Scalar(f64),
    Open,
    High,
    Low,
    Close,
    Volume,
    Signal(usize),
    Indicator(usize),
    Context(usize),
    Node(usize),
}

impl RowProgram {
    /// Reads and binds an expression.
    ///
    /// # Errors
    /// Those of [`Expression::parse`], and `C301` for a column that the feed does not have; each
    /// shows the place with a caret.
    pub fn new(text: &str, layout: &Layout) -> Result<Self> {
        Self::compile(&Expression::parse(text)?, layout)
    }

    /// Binds a parsed expression.
    ///
    /// # Errors
    /// `C301` for a column that the feed does not have.
    pub fn compile(expression: &Expression, layout: &Layout) -> Result<Self> {
        compile::compile(expression, layout)
    }

    /// Whether the values are truth values by the form of the expression.
    #[must_use]
    pub fn is_boolean(&self) -> bool {
        self.is_boolean
    }

    /// Whether every timestamp must be evaluated, since windows or lags remember rows.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.step, Step::Series(..)))
    }

    /// Fills `out` with one value a row of the slice; call it once a timestamp, in time order.
    pub fn evaluate(&mut self, slice: &Slice<'_>, out: &mut Vec<f64>) {
        self.evaluate_at(slice.chunk(), slice.t(), out);
        if let Some(kept) = &mut self.kept {
            kept.push(slice.chunk(), slice.t());
        }
    }

    /// [`RowProgram::evaluate`] for timestamp number `t` of a chunk.
    pub fn evaluate_at(&mut self, chunk: &MarketChunk, t: usize, out: &mut Vec<f64>) {
        let rows = chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize;
        let n = rows.len();
        for node_idx in 0..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(node_idx);
            let Node { step, out } = &mut rest[0];
            let view = |operand: Operand| view(operand, chunk, t, rows.clone(), before);
            out.clear();
            match step {
                Step::Map(op, x) => kernels::map(*op, view(*x), n, out),
                Step::Zip(op, a, b) => kernels::zip(*op, view(*a), view(*b), n, out),
                Step::Choose { condition, yes, no } => {
                    let (condition, yes, no) = (view(*condition), view(*yes), view(*no));
                    out.extend((0..n).map(|row| {
                        kernels::choose_value(condition.at(row), yes.at(row), no.at(row))
                    }));
                }
                Step::Series(x, series) => {
                    let assets = &chunk.assets[rows.clone()];
                    match view(*x) {
                        View::Rows(values) => series.push(assets, values.iter().copied(), out),
                        View::Scalar(x) => series.push(assets, std::iter::repeat_n(x, n), out),
                    }
                }
            }
        }
        out.clear();
        match view(self.root, chunk, t, rows, &self.nodes) {
            View::Rows(values) => out.extend_from_slice(values),
            View::Scalar(value) => out.resize(n, value),
        }
    }
}

fn view<'a>(
    operand: Operand,
    chunk: &'a MarketChunk,
    t: usize,
    rows: Range<usize>,
    nodes: &'a [Node],
) -> View<'a> {
    match operand {
        Operand::Scalar(value) => View::Scalar(value),
        Operand::Open => View::Rows(&chunk.open[rows]),
        Operand::High => View::Rows(&chunk.high[rows]),
        Operand::Low => View::Rows(&chunk.low[rows]),
        Operand::Close => View::Rows(&chunk.close[rows]),
        Operand::Volume => View::Rows(&chunk.volume[rows]),
        Operand::Signal(idx) => View::Rows(&chunk.signals[idx][rows]),
        Operand::Indicator(idx) => View::Rows(&chunk.indicators[idx][rows]),
        Operand::Context(idx) => View::Scalar(chunk.context[idx][t]),
        Operand::Node(idx) => View::Rows(&nodes[idx].out),
    }
}
