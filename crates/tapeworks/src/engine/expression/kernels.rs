//! Element-wise arithmetic, comparison and logic over the rows of a timestamp.
//!
//! Missing in, missing out; a result that is not finite is missing.

use crate::base::expression::BinaryOp;

/// A column of the timestamp, or one value for all of its rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    Rows(&'a [f64]),
    Scalar(f64),
}

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MapOp {
    Negate,
    Not,
    Abs,
    Log,
    Exp,
    Sqrt,
    Sign,
    IsMissing,
}

/// A function of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZipOp {
    Operator(BinaryOp),
    Least,
    Greatest,
}

impl View<'_> {
    /// The value of a row.
    #[inline]
    pub(super) fn at(&self, row: usize) -> f64 {
        match self {
            Self::Rows(values) => values[row],
            Self::Scalar(value) => *value,
        }
    }
}

pub(super) fn map_value(op: MapOp, x: f64) -> f64 {
    match op {
        MapOp::Negate => -x,
        MapOp::Not => logic(x, x, x == 0.0),
        MapOp::Abs => x.abs(),
        MapOp::Log => finite(x.ln()),
        MapOp::Exp => finite(x.exp()),
        MapOp::Sqrt => x.sqrt(),
        MapOp::Sign if x > 0.0 => 1.0,
        MapOp::Sign if x < 0.0 => -1.0,
        MapOp::Sign if x == 0.0 => 0.0,
        MapOp::Sign => f64::NAN,
        MapOp::IsMissing => f64::from(u8::from(x.is_nan())),
    }
}

pub(super) fn zip_value(op: ZipOp, a: f64, b: f64) -> f64 {
    match op {
        ZipOp::Least => finite(if b < a || b.is_nan() { b } else { a }),
        ZipOp::Greatest => finite(if b > a || b.is_nan() { b } else { a }),
        ZipOp::Operator(op) => match op {
            BinaryOp::Add => finite(a + b),
            BinaryOp::Subtract => finite(a - b),
            BinaryOp::Multiply => finite(a * b),
            BinaryOp::Divide => finite(a / b),
            // The standard gives 1^missing = 1 and missing^0 = 1; missing must stay missing.
            BinaryOp::Power if a.is_nan() || b.is_nan() => f64::NAN,
            BinaryOp::Power => finite(a.powf(b)),
            BinaryOp::Less => logic(a, b, a < b),
            BinaryOp::LessEqual => logic(a, b, a <= b),
            BinaryOp::Greater => logic(a, b, a > b),
            BinaryOp::GreaterEqual => logic(a, b, a >= b),
            BinaryOp::Equal => logic(a, b, a == b),
            BinaryOp::NotEqual => logic(a, b, a != b),
            BinaryOp::And => logic(a, b, a != 0.0 && b != 0.0),
            BinaryOp::Or => logic(a, b, a != 0.0 || b != 0.0),
        },
    }
}

/// `a` where the condition holds, `b` where it does not, missing where it is missing.
pub(super) fn choose_value(condition: f64, a: f64, b: f64) -> f64 {
    if condition.is_nan() {
        f64::NAN
    } else if condition != 0.0 {
        a
    } else {
        b
    }
}

/// Appends `n` results; the operation is chosen once, outside the loop.
pub(super) fn map(op: MapOp, x: View<'_>, n: usize, out: &mut Vec<f64>) {
    let View::Rows(values) = x else {
        out.resize(n, map_value(op, x.at(0)));
        return;
    };
    macro_rules! each {
        ($($variant:ident),+) => {
            match op {
                $(MapOp::$variant => {
                    out.extend(values.iter().map(|&x| map_value(MapOp::$variant, x)));
                })+
            }
        };
    }
    each!(Negate, Not, Abs, Log, Exp, Sqrt, Sign, IsMissing);
}

/// Appends `n` results; the operation is chosen once, outside the loop.
pub(super) fn zip(op: ZipOp, a: View<'_>, b: View<'_>, n: usize, out: &mut Vec<f64>) {
    macro_rules! each {
        ($($variant:ident),+) => {
            match op {
                ZipOp::Least => pairs(a, b, n, out, |a, b| zip_value(ZipOp::Least, a, b)),
                ZipOp::Greatest => pairs(a, b, n, out, |a, b| zip_value(ZipOp::Greatest, a, b)),
                $(ZipOp::Operator(BinaryOp::$variant) => pairs(a, b, n, out, |a, b| {
                    zip_value(ZipOp::Operator(BinaryOp::$variant), a, b)
                }),)+
            }
        };
    }
    each!(
        Add,
        Subtract,
        Multiply,
        Divide,
        Power,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        Equal,
        NotEqual,
        And,
        Or
    );
}

#[inline]
fn pairs(a: View<'_>, b: View<'_>, n: usize, out: &mut Vec<f64>, value: impl Fn(f64, f64) -> f64) {
    match (a, b) {
        (View::Rows(a), View::Rows(b)) => out.extend(a.iter().zip(b).map(|(&a, &b)| value(a, b))),
        (View::Rows(a), View::Scalar(b)) => out.extend(a.iter().map(|&a| value(a, b))),
        (View::Scalar(a), View::Rows(b)) => out.extend(b.iter().map(|&b| value(a, b))),
        (View::Scalar(a), View::Scalar(b)) => out.resize(n, value(a, b)),
    }
}

fn logic(a: f64, b: f64, holds: bool) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { f64::from(u8::from(holds)) }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}
