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
        let lots = quantity.abs() * self.per_unit();
        // From some 4 million lots on, one step of f64 is more than the fixed allowance.
        let whole = (lots + WHOLE.max(lots * f64::EPSILON)).floor();
        (whole / self.per_unit()).copysign(quantity)
    }
}

#[cfg(test)]
mod tests {
    use super::Lots;

    /// 1101.328157 * 1e8 is 110132815699.99998 in f64: one lot was lost, and `close` left dust.
    #[test]
    fn issue_round_when_quantity_is_whole_lots_then_it_is_unchanged() {
        for quantity in
            [1_101.328_157, 8_353.515_329_24, 9_312.782, -1_077.697, 0.595, 1e-8, 12_345.0]
        {
            assert_eq!(Lots::Fractional.round(quantity), quantity);
        }
        let mut lots: u64 = 1;
        while lots < 1_000_000_000_000_000 {
            let quantity = lots as f64 / 1e8;
            assert_eq!(Lots::Fractional.round(quantity), quantity, "{lots} lots");
            lots = lots * 11 / 10 + 1;
        }
    }
}
