//! Tree to steps: names to columns, constants folded, each function to the steps it is made of.

use super::kernels::{MapOp, ZipOp, choose_value, map_value, zip_value};
use super::series::{Series, SeriesKind};
use super::{Node, Operand, RowProgram, Step};
use crate::base::expression::{BinaryOp, Column, Expr, Expression, Function, Scope};
use crate::base::spelling::nearest;
use crate::base::{ErrorKind, Result};
use crate::feed::Layout;

const PRICES: [(&str, Operand); 5] = [
    ("open", Operand::Open),
    ("high", Operand::High),
    ("low", Operand::Low),
    ("close", Operand::Close),
    ("volume", Operand::Volume),
];

pub(super) fn compile(expression: &Expression, layout: &Layout) -> Result<RowProgram> {
    let mut compiler = Compiler { text: expression.text(), layout, nodes: Vec::new() };
    let root = compiler.operand(expression.root())?;
    let is_boolean = expression.root().is_boolean();
    Ok(RowProgram { nodes: compiler.nodes, root, is_boolean, kept: None })
}

struct Compiler<'a> {
    text: &'a str,
    layout: &'a Layout,
    nodes: Vec<Node>,
}

impl Compiler<'_> {
    fn operand(&mut self, expr: &Expr) -> Result<Operand> {
        match expr {
            Expr::Number(value) => Ok(Operand::Scalar(*value)),
            Expr::Column(column) => self.column(column),
            Expr::Negate(x) => {
                let x = self.operand(x)?;
                Ok(self.map(MapOp::Negate, x))
            }
            Expr::Not(x) => {
                let x = self.operand(x)?;
                Ok(self.map(MapOp::Not, x))
            }
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.operand(a)?, self.operand(b)?);
                Ok(self.zip(ZipOp::Operator(*op), a, b))
            }
            Expr::Call { function, arguments, window } => {
                let operands =
                    arguments.iter().map(|x| self.operand(x)).collect::<Result<Vec<_>>>()?;
                Ok(self.call(*function, &operands, *window))
            }
        }
    }

    /// The parser has checked the number of arguments.
    fn call(&mut self, function: Function, x: &[Operand], window: usize) -> Operand {
        match function {
            Function::Abs => self.map(MapOp::Abs, x[0]),
            Function::Log => self.map(MapOp::Log, x[0]),
            Function::Exp => self.map(MapOp::Exp, x[0]),
            Function::Sqrt => self.map(MapOp::Sqrt, x[0]),
            Function::Sign => self.map(MapOp::Sign, x[0]),
            Function::IsMissing => self.map(MapOp::IsMissing, x[0]),
            Function::Min => self.fold(ZipOp::Least, x),
            Function::Max => self.fold(ZipOp::Greatest, x),
            Function::Where => {
                let other = x.get(2).copied().unwrap_or(Operand::Scalar(f64::NAN));
                self.choose(x[1], x[0], other)
            }
            Function::IfElse => self.choose(x[0], x[1], x[2]),
            Function::TsMean => self.series(SeriesKind::Mean, x[0], window),
            Function::TsSum => self.series(SeriesKind::Sum, x[0], window),
            Function::TsStd => self.series(SeriesKind::Std, x[0], window),
            Function::TsMin => self.series(SeriesKind::Min, x[0], window),
            Function::TsMax => self.series(SeriesKind::Max, x[0], window),
            Function::TsDelay => self.delay(x[0], window),
            Function::TsDelta => {
                let before = self.delay(x[0], window);
                self.zip(ZipOp::Operator(BinaryOp::Subtract), x[0], before)
            }
            Function::TsReturns => {
                let before = self.delay(x[0], window);
                let ratio = self.zip(ZipOp::Operator(BinaryOp::Divide), x[0], before);
                self.zip(ZipOp::Operator(BinaryOp::Subtract), ratio, Operand::Scalar(1.0))
            }
            Function::CrossAbove => self.cross(BinaryOp::Greater, BinaryOp::LessEqual, x[0], x[1]),
            Function::CrossBelow => self.cross(BinaryOp::Less, BinaryOp::GreaterEqual, x[0], x[1]),
        }
    }

    fn cross(&mut self, now: BinaryOp, before: BinaryOp, a: Operand, b: Operand) -> Operand {
        // A level is the same at the row before; only columns have a past.
        let (a_before, b_before) = (self.delay(a, 1), self.delay(b, 1));
        let is_now = self.zip(ZipOp::Operator(now), a, b);
        let was_before = self.zip(ZipOp::Operator(before), a_before, b_before);
        self.zip(ZipOp::Operator(BinaryOp::And), is_now, was_before)
    }

    fn delay(&mut self, x: Operand, rows: usize) -> Operand {
        match x {
            Operand::Scalar(_) => x,
            _ if rows == 0 => x,
            _ => self.series(SeriesKind::Delay, x, rows),
        }
    }

    fn series(&mut self, kind: SeriesKind, x: Operand, rows: usize) -> Operand {
        self.push(Step::Series(x, Series::new(kind, rows)))
    }

    fn map(&mut self, op: MapOp, x: Operand) -> Operand {
        match x {
            Operand::Scalar(x) => Operand::Scalar(map_value(op, x)),
            _ => self.push(Step::Map(op, x)),
        }
    }

    fn zip(&mut self, op: ZipOp, a: Operand, b: Operand) -> Operand {
        match (a, b) {
            (Operand::Scalar(a), Operand::Scalar(b)) => Operand::Scalar(zip_value(op, a, b)),
            _ => self.push(Step::Zip(op, a, b)),
        }
    }

    fn fold(&mut self, op: ZipOp, x: &[Operand]) -> Operand {
        x[1..].iter().fold(x[0], |folded, &next| self.zip(op, folded, next))
    }

    fn choose(&mut self, condition: Operand, yes: Operand, no: Operand) -> Operand {
        match (condition, yes, no) {
            (Operand::Scalar(condition), Operand::Scalar(yes), Operand::Scalar(no)) => {
                Operand::Scalar(choose_value(condition, yes, no))
            }
            _ => self.push(Step::Choose { condition, yes, no }),
        }
    }

    fn push(&mut self, step: Step) -> Operand {
        self.nodes.push(Node { step, out: Vec::new() });
        Operand::Node(self.nodes.len() - 1)
    }

    fn column(&self, column: &Column) -> Result<Operand> {
        let Layout { signals, indicators, context } = self.layout;
        let name = &column.name;
        let find = |columns: &[String]| columns.iter().position(|found| found == name);
        let found = match column.scope {
            Scope::Signals => find(signals).map(Operand::Signal),
            Scope::Indicators => find(indicators).map(Operand::Indicator),
            Scope::Context => find(context).map(Operand::Context),
            Scope::Rows => PRICES
                .iter()
                .find(|(price, _)| price == name)
                .map(|&(_, operand)| operand)
                .or_else(|| find(signals).map(Operand::Signal))
                .or_else(|| find(indicators).map(Operand::Indicator)),
        };
        found.ok_or_else(|| self.unknown(column))
    }

    fn unknown(&self, column: &Column) -> crate::base::Error {
        let Layout { signals, indicators, context } = self.layout;
        let name = &column.name;
        let (scope, there): (&str, Vec<&str>) = match column.scope {
            Scope::Rows => {
                let prices = PRICES.iter().map(|&(price, _)| price);
                let extra = signals.iter().chain(indicators).map(String::as_str);
                ("", prices.chain(extra).collect())
            }
            Scope::Signals => ("signals.", signals.iter().map(String::as_str).collect()),
            Scope::Indicators => ("indicators.", indicators.iter().map(String::as_str).collect()),
            Scope::Context => ("context.", context.iter().map(String::as_str).collect()),
        };
        let hint = if column.scope == Scope::Rows && context.contains(name) {
            format!("write context.{name}")
        } else if let Some(near) = nearest(name, there.iter().copied()) {
            format!("did you mean {scope}{near}")
        } else if there.is_empty() {
            format!("the feed has no {} columns", scope.trim_end_matches('.'))
        } else {
            format!("columns there: {}", there.join(", "))
        };
        let what = format!("the feed has no column \"{scope}{name}\"");
        column.place.error(ErrorKind::Config, "C301", self.text, what).with_hint(hint)
    }
}
