//! The smallest step of a quantity.

/// The quantity step of every instrument of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lots {
    /// Whole units.
    #[default]
    Integer,
    /// Steps of 1e-8 units.
    Fractional,
}

/// Absorbs the representation error of a quotient that should be a whole number.
const WHOLE: f64 = 1e-9;

impl Lots {
    /// How many lots make one unit.
    #[must_use]
    #[inline]
    pub fn per_unit(self) -> f64 {
        match self {
            Self::Integer => 1.0,
            Self::Fractional => 1e8,
        }
    }

    /// Rounds a signed quantity toward zero to whole lots.
    ///
    /// # Example
    /// ```
    /// use tapeworks::broker::Lots;
    /// assert_eq!(Lots::Integer.round(-3.7), -3.0);
    /// assert_eq!(Lots::Integer.round(2.999_999_999_999), 3.0);
    /// assert_eq!(Lots::Fractional.round(0.123_456_789), 0.123_456_78);
    /// ```
    #[must_use]
    #[inline]
    pub fn round(self, quantity: f64) -> f64 {
        let lots = (quantity.abs() * self.per_unit() + WHOLE).floor();
        (lots / self.per_unit()).copysign(quantity)
    }
}
