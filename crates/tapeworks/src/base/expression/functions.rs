//! The functions that an expression may call: one table for the parser, its errors and the docs.

/// A function of the row expression language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Absolute value.
    Abs,
    /// Least of its arguments.
    Min,
    /// Greatest of its arguments.
    Max,
    /// Natural logarithm.
    Log,
    /// Exponential.
    Exp,
    /// Square root.
    Sqrt,
    /// -1, 0 or 1.
    Sign,
    /// Whether a value is missing.
    IsMissing,
    /// A value where a condition holds.
    Where,
    /// One of two values.
    IfElse,
    /// Mean of a window.
    TsMean,
    /// Sum of a window.
    TsSum,
    /// Sample standard deviation of a window.
    TsStd,
    /// Least value of a window.
    TsMin,
    /// Greatest value of a window.
    TsMax,
    /// An earlier value.
    TsDelay,
    /// Difference to an earlier value.
    TsDelta,
    /// Return since an earlier value.
    TsReturns,
    /// Upward cross.
    CrossAbove,
    /// Downward cross.
    CrossBelow,
}

/// What the last argument of a time-series function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The function has none.
    None,
    /// A number of rows, at least 1.
    Rows,
    /// A lag, at least 0.
    Lag,
    /// A lag that may be left out: 1.
    LagOrOne,
}

/// A row of [`FUNCTIONS`].
#[derive(Debug, Clone, Copy)]
pub struct FunctionRow {
    /// The name, and other names for it.
    pub names: &'static [&'static str],
    /// The function.
    pub function: Function,
    /// How it is called.
    pub form: &'static str,
    /// Fewest columns.
    pub n_min: usize,
    /// Most columns.
    pub n_max: usize,
    /// What follows the columns.
    pub window: Window,
    /// What it gives.
    pub doc: &'static str,
}

/// Every function, in the order of the docs.
pub const FUNCTIONS: &[FunctionRow] = &[
    row(&["abs"], Function::Abs, "abs(x)", 1, 1, Window::None, "absolute value"),
    row(&["min"], Function::Min, "min(x, y, ..)", 2, 16, Window::None, "least; missing if any is"),
    row(
        &["max"],
        Function::Max,
        "max(x, y, ..)",
        2,
        16,
        Window::None,
        "greatest; missing if any is",
    ),
    row(&["log"], Function::Log, "log(x)", 1, 1, Window::None, "natural logarithm; x <= 0 missing"),
    row(&["exp"], Function::Exp, "exp(x)", 1, 1, Window::None, "exponential"),
    row(&["sqrt"], Function::Sqrt, "sqrt(x)", 1, 1, Window::None, "square root; x < 0 missing"),
    row(&["sign"], Function::Sign, "sign(x)", 1, 1, Window::None, "-1, 0 or 1"),
    row(
        &["is_missing", "is_nan"],
        Function::IsMissing,
        "is_missing(x)",
        1,
        1,
        Window::None,
        "1 where x is missing, else 0; never missing",
    ),
    row(
        &["where"],
        Function::Where,
        "where(x, cond, other)",
        2,
        3,
        Window::None,
        "x where cond, else other (missing when left out)",
    ),
    row(
        &["if_else", "if"],
        Function::IfElse,
        "if_else(cond, a, b)",
        3,
        3,
        Window::None,
        "a where cond, else b; missing where cond is missing",
    ),
    row(&["ts_mean"], Function::TsMean, "ts_mean(x, w)", 1, 1, Window::Rows, "mean of w rows"),
    row(&["ts_sum"], Function::TsSum, "ts_sum(x, w)", 1, 1, Window::Rows, "sum of w rows"),
    row(
        &["ts_std"],
        Function::TsStd,
        "ts_std(x, w)",
        1,
        1,
        Window::Rows,
        "sample standard deviation (ddof 1) of w rows; exactly 0 for a constant",
    ),
    row(&["ts_min"], Function::TsMin, "ts_min(x, w)", 1, 1, Window::Rows, "least of w rows"),
    row(&["ts_max"], Function::TsMax, "ts_max(x, w)", 1, 1, Window::Rows, "greatest of w rows"),
    row(&["ts_delay"], Function::TsDelay, "ts_delay(x, k)", 1, 1, Window::Lag, "x k rows ago"),
    row(
        &["ts_delta"],
        Function::TsDelta,
        "ts_delta(x, k)",
        1,
        1,
        Window::Lag,
        "x minus x k rows ago",
    ),
    row(
        &["ts_returns"],
        Function::TsReturns,
        "ts_returns(x, k)",
        1,
        1,
        Window::LagOrOne,
        "x over x k rows ago, minus 1; k = 1 when left out",
    ),
    row(
        &["cross_above"],
        Function::CrossAbove,
        "cross_above(a, b)",
        2,
        2,
        Window::None,
        "a > b now, and a <= b at the symbol's row before",
    ),
    row(
        &["cross_below"],
        Function::CrossBelow,
        "cross_below(a, b)",
        2,
        2,
        Window::None,
        "a < b now, and a >= b at the symbol's row before",
    ),
];

const fn row(
    names: &'static [&'static str],
    function: Function,
    form: &'static str,
    n_min: usize,
    n_max: usize,
    window: Window,
    doc: &'static str,
) -> FunctionRow {
    FunctionRow { names, function, form, n_min, n_max, window, doc }
}

impl Function {
    /// Whether the result is a truth value.
    #[must_use]
    pub fn is_boolean(self) -> bool {
        matches!(self, Self::IsMissing | Self::CrossAbove | Self::CrossBelow)
    }
}

/// The row of a name.
pub(super) fn find(name: &str) -> Option<&'static FunctionRow> {
    FUNCTIONS.iter().find(|row| row.names.contains(&name))
}
