//! Tokens to a tree: an operator-precedence parser with bounded depth.

use super::functions::{self, FUNCTIONS, Function, FunctionRow, Window};
use super::lexer::{Token, tokens};
use super::place::Place;
use super::{BinaryOp, Column, Expr, Scope};
use crate::base::spelling::nearest;
use crate::base::{Error, ErrorKind, Result};

/// Nesting of brackets and operators; the parser recurses once a level.
const MAX_DEPTH: usize = 64;
/// Rows of a window: it bounds the memory of a time-series function.
const MAX_WINDOW: f64 = 100_000.0;

pub(super) fn parse(text: &str) -> Result<Expr> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.token() == Token::End {
        return Err(parser.syntax("the expression is empty"));
    }
    let root = parser.expression(Level::Choice)?;
    match parser.token() {
        Token::End => Ok(root),
        Token::Symbol(")") => Err(parser.syntax("there is no open bracket for this one")),
        Token::Symbol("=") => Err(parser.lone_equals()),
        _ => Err(parser.syntax("expected an operator or the end")),
    }
}

/// How tightly an operator binds, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Choice,
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Term,
    Unary,
}

impl Level {
    /// The next tighter level.
    fn tighter(self) -> Self {
        match self {
            Self::Choice => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Term,
            Self::Term | Self::Unary => Self::Unary,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token<'a>, Place)>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn token(&self) -> Token<'a> {
        self.tokens[self.at].0
    }

    fn place(&self) -> Place {
        self.tokens[self.at].1
    }

    /// The place from the token `first` up to the one just read.
    fn place_from(&self, first: usize) -> Place {
        let last = self.at.saturating_sub(1).max(first);
        Place { start: self.tokens[first].1.start, end: self.tokens[last].1.end }
    }

    fn text_of(&self, first: usize) -> &'a str {
        let place = self.place_from(first);
        &self.text[place.start..place.end]
    }

    /// Steps over a symbol when it is the next token.
    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.token(), Token::Symbol(next) if next == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<()> {
        if self.accept(symbol) {
            return Ok(());
        }
        Err(self.syntax(format_args!("expected {symbol:?}")))
    }

    fn syntax(&self, what: impl std::fmt::Display) -> Error {
        self.place().error(ErrorKind::Config, "C101", self.text, what)
    }

    fn lone_equals(&self) -> Error {
        self.syntax("\"=\" has no meaning here").with_hint("compare with ==")
    }

    fn refuse(&self, place: Place, what: impl std::fmt::Display) -> Error {
        place.error(ErrorKind::Config, "C301", self.text, what)
    }

    /// An expression whose loosest operator is at `level` or tighter.
    fn expression(&mut self, level: Level) -> Result<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.syntax(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        let first = self.at;
        let mut left = self.prefix(level)?;
        while let Some((op, op_level)) = self.operator() {
            if op_level < level {
                break;
            }
            self.at += 1;
            let right_first = self.at;
            let right = self.expression(op_level.tighter())?;
            if op.is_comparison() {
                self.refuse_chain(first, right_first)?;
            }
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        if level == Level::Choice && self.accept("?") {
            let yes = self.expression(Level::Choice)?;
            self.expect(":")?;
            let no = self.expression(Level::Choice)?;
            let arguments = vec![left, yes, no];
            left = Expr::Call { function: Function::IfElse, arguments, window: 0 };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// The binary operator at the cursor.
    fn operator(&self) -> Option<(BinaryOp, Level)> {
        let pair = match self.token() {
            Token::Name("or") | Token::Symbol("||" | "|") => (BinaryOp::Or, Level::Or),
            Token::Name("and") | Token::Symbol("&&" | "&") => (BinaryOp::And, Level::And),
            Token::Symbol("<") => (BinaryOp::Less, Level::Comparison),
            Token::Symbol("<=") => (BinaryOp::LessEqual, Level::Comparison),
            Token::Symbol(">") => (BinaryOp::Greater, Level::Comparison),
            Token::Symbol(">=") => (BinaryOp::GreaterEqual, Level::Comparison),
            Token::Symbol("==") => (BinaryOp::Equal, Level::Comparison),
            Token::Symbol("!=") => (BinaryOp::NotEqual, Level::Comparison),
            Token::Symbol("+") => (BinaryOp::Add, Level::Sum),
            Token::Symbol("-") => (BinaryOp::Subtract, Level::Sum),
            Token::Symbol("*") => (BinaryOp::Multiply, Level::Term),
            Token::Symbol("/") => (BinaryOp::Divide, Level::Term),
            _ => return None,
        };
        Some(pair)
    }

    /// After `a < b`: another comparison is not a chain but an error that shows the fix.
    fn refuse_chain(&mut self, first: usize, right_first: usize) -> Result<()> {
        if !self.operator().is_some_and(|(op, _)| op.is_comparison()) {
            return Ok(());
        }
        let error = self.syntax("comparisons do not chain");
        let (left, middle) = (self.text_of(first), self.text_of(right_first));
        let op_place = self.place();
        self.at += 1;
        let last = self.at;
        let right = self.expression(Level::Sum).map_or("..", |_| self.text_of(last));
        let again = &self.text[op_place.start..op_place.end];
        Err(error.with_hint(format!("write {left} and {middle} {again} {right}")))
    }

    /// Prefix operators, then a power.
    fn prefix(&mut self, level: Level) -> Result<Expr> {
        match self.token() {
            Token::Name("not") | Token::Symbol("!") => {
                if level > Level::Not {
                    return Err(self
                        .syntax("\"not\" binds looser than the operator before it")
                        .with_hint("put it in brackets: (not x)"));
                }
                self.at += 1;
                Ok(Expr::Not(Box::new(self.expression(Level::Not)?)))
            }
            Token::Symbol("-") => {
                self.at += 1;
                let operand = self.expression(Level::Unary)?;
                Ok(Expr::Negate(Box::new(operand)))
            }
            Token::Symbol("+") => {
                self.at += 1;
                self.expression(Level::Unary)
            }
            _ => {
                let base = self.primary()?;
                if !(self.accept("**") || self.accept("^")) {
                    return Ok(base);
                }
                let exponent = self.expression(Level::Unary)?;
                Ok(Expr::Binary(BinaryOp::Power, Box::new(base), Box::new(exponent)))
            }
        }
    }

    fn primary(&mut self) -> Result<Expr> {
        let first = self.at;
        match self.token() {
            Token::Number(value) => {
                self.at += 1;
                Ok(Expr::Number(value))
            }
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expression(Level::Choice)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Name(name @ ("and" | "or")) => {
                Err(self.syntax(format_args!("{name:?} needs a value on its left")))
            }
            Token::Name(name) => {
                self.at += 1;
                match self.token() {
                    Token::Symbol("(") => self.call(name, first),
                    Token::Symbol(".") => self.scoped(name, first),
                    Token::Symbol("=") => Err(self.lone_equals()),
                    _ => {
                        let place = self.place_from(first);
                        Ok(Expr::Column(Column { scope: Scope::Rows, name: name.into(), place }))
                    }
                }
            }
            Token::End => Err(self.syntax("the expression ends where a value is expected")),
            Token::Symbol(_) => Err(self.syntax("expected a number, a column or a function")),
        }
    }

    /// `signals.NAME` and its kin; the cursor is at the dot.
    fn scoped(&mut self, name: &str, first: usize) -> Result<Expr> {
        const SCOPES: [&str; 3] = ["signals", "indicators", "context"];
        let scope = match name {
            "signals" => Scope::Signals,
            "indicators" => Scope::Indicators,
            "context" => Scope::Context,
            _ => {
                let error = self.refuse(
                    self.place_from(first),
                    format_args!("{name:?} is no group of columns"),
                );
                let near = nearest(name, SCOPES).map_or_else(
                    || format!("groups: {}", SCOPES.join(", ")),
                    |near| format!("did you mean {near:?}"),
                );
                return Err(error.with_hint(near));
            }
        };
        self.at += 1;
        let Token::Name(column) = self.token() else {
            return Err(self.syntax(format_args!("expected a column of {name:?}")));
        };
        self.at += 1;
        let place = self.place_from(first);
        Ok(Expr::Column(Column { scope, name: column.into(), place }))
    }

    /// A call; the cursor is at the bracket.
    fn call(&mut self, name: &str, first: usize) -> Result<Expr> {
        let Some(row) = functions::find(name) else {
            let error =
                self.refuse(self.place_from(first), format_args!("{name:?} is no function here"));
            let names = || FUNCTIONS.iter().flat_map(|row| row.names.iter().copied());
            let hint = nearest(name, names()).map_or_else(
                || format!("functions: {}", names().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean {near:?}"),
            );
            return Err(error.with_hint(hint));
        };
        self.at += 1;
        let mut arguments = Vec::new();
        let mut places = Vec::new();
        if !self.accept(")") {
            loop {
                self.refuse_keyword(row)?;
                let argument_first = self.at;
                arguments.push(self.expression(Level::Choice)?);
                places.push(self.place_from(argument_first));
                if !self.accept(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        self.check_call(row, arguments, &places, first)
    }

    fn refuse_keyword(&self, row: &FunctionRow) -> Result<()> {
        let next = self.tokens.get(self.at + 1).map(|token| token.0);
        match (self.token(), next) {
            (Token::Name(keyword), Some(Token::Symbol("="))) => {
                let what = format!("{keyword:?} is no keyword of {}", row.names[0]);
                Err(self.refuse(self.place(), what).with_hint(format!("write {}", row.form)))
            }
            _ => Ok(()),
        }
    }

    /// Splits the window off the arguments and checks their number.
    fn check_call(
        &self,
        row: &FunctionRow,
        mut arguments: Vec<Expr>,
        places: &[Place],
        first: usize,
    ) -> Result<Expr> {
        let n_window = match row.window {
            Window::None => 0,
            Window::LagOrOne => arguments.len().saturating_sub(row.n_max).min(1),
            Window::Rows | Window::Lag => 1,
        };
        let n_columns = arguments.len().saturating_sub(n_window);
        let too_few = arguments.len() < row.n_min + n_window;
        if too_few || n_columns > row.n_max {
            let what = format!("{} has {} arguments", row.names[0], arguments.len());
            let error = self.refuse(self.place_from(first), what);
            return Err(error.with_hint(format!("write {}", row.form)));
        }
        let window = match (row.window, n_window) {
            (Window::None, _) => 0,
            (_, 0) => 1,
            _ => {
                let last = arguments.pop().expect("counted above");
                self.window(row, &last, places[arguments.len()])?
            }
        };
        // `where` takes the value first; the other order is a usual slip and gives nonsense.
        if row.function == Function::Where
            && arguments[0].is_boolean()
            && !arguments[1].is_boolean()
        {
            return Err(self
                .refuse(places[0], "where takes the value first and the condition second")
                .with_hint("write where(x, cond, other) or if_else(cond, a, b)"));
        }
        Ok(Expr::Call { function: row.function, arguments, window })
    }

    fn window(&self, row: &FunctionRow, argument: &Expr, place: Place) -> Result<usize> {
        let is_lag = matches!(row.window, Window::Lag | Window::LagOrOne);
        let what = if is_lag { "lag" } else { "window" };
        let hint = format!("write {}", row.form);
        let Some(value) = argument.constant() else {
            let message = format!("the {what} of {} must be a number", row.names[0]);
            return Err(self.refuse(place, message).with_hint(hint));
        };
        if is_lag && value < 0.0 {
            let message = format!("a lag of {value} in {} looks into the future", row.names[0]);
            return Err(place
                .error(ErrorKind::LookAhead, "L103", self.text, message)
                .with_hint("a lag counts rows back in time: write a positive number"));
        }
        let least = if is_lag { 0.0 } else { 1.0 };
        if value.fract() != 0.0 || !(least..=MAX_WINDOW).contains(&value) {
            let message = format!(
                "the {what} of {} is {value}, wanted a whole number from {least} to {MAX_WINDOW}",
                row.names[0]
            );
            return Err(self.refuse(place, message).with_hint(hint));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to 100,000"
        )]
        let rows = value as usize;
        Ok(rows)
    }
}
