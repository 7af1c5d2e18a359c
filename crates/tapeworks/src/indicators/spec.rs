//! An indicator with its numbers, as users write it: `rsi`, `rsi:14`, `bbands:20:2:2`.

use std::fmt;

use super::table::{INDICATORS, Indicator, Parameter};
use crate::base::spelling::nearest;
use crate::base::{Error, Result};

/// The most rows a window may have.
const ROWS_MAX: f64 = 100_000.0;

/// A row of [`INDICATORS`] with a value for each parameter.
///
/// # Example
/// ```
/// use tapeworks::prepare::IndicatorSpec;
/// let rsi = IndicatorSpec::parse("rsi")?;
/// assert_eq!(rsi.columns(), ["rsi_14"]);
/// assert_eq!(rsi.first_row(), 14);
/// let macd = IndicatorSpec::parse("macd:5:35:5")?;
/// assert_eq!(macd.columns(), ["macd_5_35_5", "macd_signal_5_35_5", "macd_hist_5_35_5"]);
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Clone)]
pub struct IndicatorSpec {
    indicator: &'static Indicator,
    values: Vec<f64>,
}

impl IndicatorSpec {
    /// Reads `name[:number...]`; numbers that are left out are the defaults.
    ///
    /// # Errors
    /// `C301` for a name that no indicator has, for too many numbers, and for a number that its
    /// parameter cannot be.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.trim().split(':');
        let name = parts.next().unwrap_or_default().trim();
        let indicator = INDICATORS.iter().find(|one| one.name == name).ok_or_else(|| {
            let error = Error::config("C301", format!("{name:?} is no indicator"));
            match nearest(name, INDICATORS.iter().map(|one| one.name)) {
                Some(near) => error.with_hint(format!("did you mean {near:?}?")),
                None => error.with_hint(format!("indicators: {}", names().join(", "))),
            }
        })?;
        let mut values: Vec<f64> = indicator.parameters.iter().map(|one| one.default).collect();
        for (i, part) in parts.enumerate() {
            let Some(parameter) = indicator.parameters.get(i) else {
                return Err(Error::config("C301", format!("{text:?} has too many numbers"))
                    .with_hint(usage(indicator)));
            };
            values[i] = read(parameter, part.trim()).ok_or_else(|| {
                let wanted = match parameter.rows_min {
                    Some(least) => format!("a whole number from {least} to {ROWS_MAX}"),
                    None => "a number above 0".to_owned(),
                };
                let name = parameter.name;
                Error::config("C301", format!("{text:?}: {name} is {part:?} and must be {wanted}"))
                    .with_hint(usage(indicator))
            })?;
        }
        let named = |wanted: &str| indicator.parameters.iter().position(|p| p.name == wanted);
        for (less, more) in [("fast", "slow"), ("short", "middle"), ("middle", "long")] {
            if let (Some(less_at), Some(more_at)) = (named(less), named(more))
                && values[less_at] >= values[more_at]
            {
                return Err(Error::config(
                    "C301",
                    format!("{text:?}: {less} must be below {more}"),
                )
                .with_hint(usage(indicator)));
            }
        }
        Ok(Self { indicator, values })
    }

    /// The row of the table.
    #[must_use]
    pub fn indicator(&self) -> &'static Indicator {
        self.indicator
    }

    /// A value for each parameter.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The names of its columns.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let parameters = self.indicator.parameters;
        let are_windows = parameters.iter().all(|one| one.rows_min.is_some());
        let is_default = parameters.iter().zip(&self.values).all(|(one, x)| one.default == *x);
        let always = are_windows && self.indicator.outputs.len() == 1;
        let suffix: String = if always || !is_default {
            // A dot would end the name in an expression.
            self.values.iter().map(|x| format!("_{x}").replace('.', "p")).collect()
        } else {
            String::new()
        };
        self.indicator.outputs.iter().map(|name| format!("{name}{suffix}")).collect()
    }

    /// The 0-based row of the first value.
    #[must_use]
    pub fn first_row(&self) -> usize {
        (self.indicator.first)(&self.values)
    }
}

fn read(parameter: &Parameter, text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let is_allowed = match parameter.rows_min {
        Some(least) => value >= f64::from(least) && value <= ROWS_MAX && value.fract() == 0.0,
        None => value.is_finite() && value > 0.0,
    };
    is_allowed.then_some(value)
}

fn names() -> Vec<&'static str> {
    INDICATORS.iter().map(|one| one.name).collect()
}

fn usage(indicator: &Indicator) -> String {
    let name = indicator.name;
    if indicator.parameters.is_empty() {
        return format!("{name} takes no number");
    }
    let parts: Vec<String> = indicator
        .parameters
        .iter()
        .map(|one| format!("{} (left out: {})", one.name, one.default))
        .collect();
    format!("write {name}:{}", parts.join(":"))
}

/// `name:number...`, with every number written out.
impl fmt::Display for IndicatorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.indicator.name)?;
        self.values.iter().try_for_each(|value| write!(f, ":{value}"))
    }
}

impl fmt::Debug for IndicatorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndicatorSpec({self})")
    }
}

impl PartialEq for IndicatorSpec {
    fn eq(&self, other: &Self) -> bool {
        self.indicator.name == other.indicator.name && self.values == other.values
    }
}
