//! Row expressions: text in, a checked tree out.
//!
//! The language of filters and rules: numbers, columns, arithmetic, comparisons, logic and a few
//! functions, as a subset of the factor language. Names are resolved and values computed
//! elsewhere; this module knows only the grammar and the list of functions.
//!
//! ```text
//! expr   := or [ "?" expr ":" expr ]
//! or     := and { ("or" | "||" | "|") and }
//! and    := not { ("and" | "&&" | "&") not }
//! not    := ("not" | "!") not | cmp
//! cmp    := sum [ (">" | ">=" | "<" | "<=" | "==" | "!=") sum ]
//! sum    := term { ("+" | "-") term }        term := unary { ("*" | "/") unary }
//! unary  := ("-" | "+") unary | power        power := primary [ ("^" | "**") unary ]
//! primary := NUMBER | COLUMN | NAME "(" expr { "," expr } ")" | "(" expr ")"
//! COLUMN := NAME | "signals." NAME | "indicators." NAME | "context." NAME
//! ```
//!
//! Missing in, missing out: a comparison or logic with a missing operand is missing, not false;
//! whoever decides on the result takes missing as "no".

mod functions;
mod lexer;
mod parser;
mod place;

pub use functions::{FUNCTIONS, Function, FunctionRow};
pub use place::Place;

use super::Result;

/// A parsed expression and its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    root: Expr,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A constant.
    Number(f64),
    /// A column by name.
    Column(Column),
    /// Minus.
    Negate(Box<Expr>),
    /// Logical not.
    Not(Box<Expr>),
    /// Two operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// A function of its columns, and of a window for time series.
    Call {
        /// Which.
        function: Function,
        /// The columns it works on; the window is not among them.
        arguments: Vec<Expr>,
        /// The window or lag in rows of the symbol; 0 where the function has none.
        window: usize,
    },
}

/// A column by name, and where the text names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Which columns are meant.
    pub scope: Scope,
    /// The name without its scope.
    pub name: String,
    /// Where it stands in the text.
    pub place: Place,
}

/// Where a name is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Prices, then signals, then indicators.
    Rows,
    /// `signals.NAME`.
    Signals,
    /// `indicators.NAME`.
    Indicators,
    /// `context.NAME`.
    Context,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a ^ b`
    Power,
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterEqual,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a and b`
    And,
    /// `a or b`
    Or,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// `C101` for text that breaks the grammar, `C301` for an unknown function, a wrong number of
    /// arguments or a bad window, `L103` for a negative lag. Each shows the place with a caret.
    ///
    /// # Example
    /// ```
    /// use tapeworks::base::expression::Expression;
    /// assert!(Expression::parse("close > ts_mean(close, 20) and context.vix < 30").is_ok());
    /// let error = Expression::parse("1 < close < 2").unwrap_err();
    /// assert!(error.hint().unwrap().contains("1 < close and close < 2"));
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let root = parser::parse(text)?;
        Ok(Self { text: text.to_owned(), root })
    }

    /// The text as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The top node.
    #[must_use]
    pub fn root(&self) -> &Expr {
        &self.root
    }
}

impl Expr {
    /// Whether the value is a truth value by its form: a comparison, logic, a cross.
    #[must_use]
    pub fn is_boolean(&self) -> bool {
        match self {
            Self::Number(_) | Self::Column(_) | Self::Negate(_) => false,
            Self::Not(_) => true,
            Self::Binary(op, ..) => op.is_boolean(),
            Self::Call { function, .. } => function.is_boolean(),
        }
    }

    /// The value of a constant: numbers and arithmetic between them.
    #[must_use]
    pub fn constant(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Negate(x) => x.constant().map(|x| -x),
            Self::Binary(op, a, b) => {
                let (a, b) = (a.constant()?, b.constant()?);
                match op {
                    BinaryOp::Add => Some(a + b),
                    BinaryOp::Subtract => Some(a - b),
                    BinaryOp::Multiply => Some(a * b),
                    BinaryOp::Divide => Some(a / b),
                    BinaryOp::Power => Some(a.powf(b)),
                    _ => None,
                }
            }
            Self::Column(_) | Self::Not(_) | Self::Call { .. } => None,
        }
    }
}

impl BinaryOp {
    /// Whether the result is a truth value.
    #[must_use]
    pub fn is_boolean(self) -> bool {
        self.is_comparison() || matches!(self, Self::And | Self::Or)
    }

    /// Whether it compares.
    #[must_use]
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Less
                | Self::LessEqual
                | Self::Greater
                | Self::GreaterEqual
                | Self::Equal
                | Self::NotEqual
        )
    }
}
