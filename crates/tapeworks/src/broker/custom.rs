//! Cost models that the user writes.

use std::fmt;
use std::sync::Arc;

use super::commission::FeeBasis;
use super::slippage::PriceBasis;
use crate::base::{Error, Result};

/// A commission of the user's own.
///
/// A fee is finite; a negative one is a rebate. The answer depends on `basis` alone: a model may be
/// asked for quantities that are then not filled, and any number of times.
///
/// # Assumes
/// `quantity x price + fee` rises with the quantity; orders are fitted to the cash by that.
///
/// # Example
/// ```
/// use tapeworks::broker::{Commission, CustomFee, FeeBasis, FeeModel};
///
/// /// 1 % of the value of the first fill of an order, at most 20.
/// #[derive(Debug)]
/// struct FirstFill;
///
/// impl FeeModel for FirstFill {
///     fn fee(&self, basis: &FeeBasis) -> f64 {
///         if basis.order.units > 0.0 { 0.0 } else { (basis.notional() * 0.01).min(20.0) }
///     }
/// }
///
/// let commission = Commission::Custom(CustomFee::new(FirstFill));
/// let first = FeeBasis { quantity: 10.0, price: 50.0, multiplier: 1.0, ..FeeBasis::default() };
/// assert_eq!(commission.fee(&first), 5.0);
/// ```
pub trait FeeModel: fmt::Debug + Send + Sync {
    /// The fee of a fill, in account currency.
    fn fee(&self, basis: &FeeBasis) -> f64;

    /// What reports call the model.
    fn describe(&self) -> String {
        "custom".to_owned()
    }
}

/// A slippage or an impact of the user's own.
///
/// A price cost is finite and never negative; it is always against the order.
pub trait PriceModel: fmt::Debug + Send + Sync {
    /// Currency a unit.
    fn per_unit(&self, basis: &PriceBasis) -> f64;

    /// Whether the cost depends on the volume of the row.
    fn needs_volume(&self) -> bool {
        false
    }

    /// How many rows of the past `sigma` and `adv` of the basis look at; 0: they are NaN.
    fn past_rows(&self) -> usize {
        0
    }

    /// What reports call the model.
    fn describe(&self) -> String {
        "custom".to_owned()
    }
}

/// A user's commission; two are equal when they are the same object.
#[derive(Debug, Clone)]
pub struct CustomFee(Arc<dyn FeeModel>);

/// A user's slippage or impact; two are equal when they are the same object.
#[derive(Debug, Clone)]
pub struct CustomPrice(Arc<dyn PriceModel>);

impl CustomFee {
    /// Takes a model in.
    pub fn new(model: impl FeeModel + 'static) -> Self {
        Self(Arc::new(model))
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &dyn FeeModel {
        &*self.0
    }
}

impl CustomPrice {
    /// Takes a model in.
    pub fn new(model: impl PriceModel + 'static) -> Self {
        Self(Arc::new(model))
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &dyn PriceModel {
        &*self.0
    }
}

impl PartialEq for CustomFee {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for CustomPrice {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Whether a run can go on with this fee: any finite amount.
#[must_use]
#[inline]
pub fn is_valid_fee(fee: f64) -> bool {
    fee.is_finite()
}

/// Whether a run can go on with this price cost: finite and not negative.
#[must_use]
#[inline]
pub fn is_valid_price_cost(per_unit: f64) -> bool {
    per_unit.is_finite() && per_unit >= 0.0
}

/// The fee, if it is one.
///
/// # Errors
/// `S110` for a fee that is NaN or infinite, which only a user's model can give.
pub fn check_fee(fee: f64) -> Result<f64> {
    if is_valid_fee(fee) {
        return Ok(fee);
    }
    Err(Error::strategy("S110", format!("the commission model gave {fee}: a fee is finite"))
        .with_hint("look at the model's fee() for divisions by 0 and figures that may be missing"))
}

/// The price cost, if it is one; `model` is `slippage` or `impact`.
///
/// # Errors
/// `S111` for a cost that is NaN, infinite or negative: a user's model gave it, or a cost in ticks
/// met an instrument without a tick.
pub fn check_price_cost(model: &str, per_unit: f64) -> Result<f64> {
    if is_valid_price_cost(per_unit) {
        return Ok(per_unit);
    }
    let rule = "a price cost is finite and not negative, in currency a unit";
    Err(Error::strategy("S111", format!("the {model} model gave {per_unit}: {rule}")).with_hint(
        "look at per_unit() for figures that may be missing (NaN) and for a sign: costs are always \
         against the order; a cost in ticks needs the tick of the instrument",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Flat(f64);

    impl FeeModel for Flat {
        fn fee(&self, _: &FeeBasis) -> f64 {
            self.0
        }
    }

    #[test]
    fn custom_fee_when_cloned_then_equal_and_when_built_again_then_not() {
        let one = CustomFee::new(Flat(1.0));
        assert_eq!(one, one.clone());
        assert_ne!(one, CustomFee::new(Flat(1.0)));
        assert_eq!(one.model().fee(&FeeBasis::default()), 1.0);
        assert_eq!(one.model().describe(), "custom");
    }

    #[test]
    fn answers_when_not_a_cost_then_refused_with_the_figure() {
        for (value, is_fee, is_price_cost) in [
            (0.0, true, true),
            (1.5, true, true),
            (-0.1, true, false),
            (f64::NAN, false, false),
            (f64::INFINITY, false, false),
            (f64::NEG_INFINITY, false, false),
        ] {
            assert_eq!(check_fee(value).is_ok(), is_fee, "{value}");
            assert_eq!(check_price_cost("impact", value).is_ok(), is_price_cost, "{value}");
        }
        let error = check_price_cost("impact", -0.1).unwrap_err();
        assert_eq!(error.code(), "S111");
        assert!(error.message().contains("impact model gave -0.1"), "{error}");
    }
}
