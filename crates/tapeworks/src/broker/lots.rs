//! The smallest step of a quantity.

/// The quantity step of the instruments of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Lots {
    /// Whole units.
    #[default]
    Integer,
    /// Steps of 1e-8 units.
    Fractional,
    /// Steps of a size of their own, above 0.
    Step(f64),
}

/// Absorbs the representation error of a quotient that should be a whole number.
const WHOLE: f64 = 1e-9;

impl Lots {
    /// The least quantity above 0.
    #[must_use]
    #[inline]
    pub fn least(self) -> f64 {
        self.units(1.0)
    }

    /// How many lots a quantity is.
    #[must_use]
    #[inline]
    fn quotient(self, quantity: f64) -> f64 {
        match self {
            Self::Integer => quantity,
            // The product of a whole number is exact where the quotient of 1e-8 is not.
            Self::Fractional => quantity * 1e8,
            Self::Step(step) => quantity / step,
        }
    }

    /// The whole lots in a quantity, toward zero.
    #[must_use]
    #[inline]
    pub fn count(self, quantity: f64) -> f64 {
        let lots = self.quotient(quantity);
        // From some 4 million lots on, one step of f64 is more than the fixed allowance.
        (lots + WHOLE.max(lots * f64::EPSILON)).floor()
    }

    /// The units of a number of lots.
    #[must_use]
    #[inline]
    pub fn units(self, lots: f64) -> f64 {
        match self {
            Self::Integer => lots,
            Self::Fractional => lots / 1e8,
            Self::Step(step) => lots * step,
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
    /// assert_eq!(Lots::Step(25.0).round(-130.0), -125.0);
    /// ```
    #[must_use]
    #[inline]
    pub fn round(self, quantity: f64) -> f64 {
        self.units(self.count(quantity.abs())).copysign(quantity)
    }

    /// Rounds a positive quantity up to whole lots.
    #[must_use]
    pub fn round_up(self, quantity: f64) -> f64 {
        let lots = self.quotient(quantity);
        self.units((lots - WHOLE.max(lots * f64::EPSILON)).ceil())
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

    #[test]
    fn round_up_when_between_lots_then_the_next() {
        assert_eq!(Lots::Integer.round_up(150.0), 150.0);
        assert_eq!(Lots::Integer.round_up(149.2), 150.0);
        assert_eq!(Lots::Step(0.1).round_up(0.300_000_000_000_000_04), 3.0 * 0.1);
    }
}
