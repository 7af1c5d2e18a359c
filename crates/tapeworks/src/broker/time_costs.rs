//! What positions and cash cost while time passes: borrowing, interest, funding.
//!
//! Pure functions of one position or one balance; the broker decides when they are due.

use super::account::AccountTerms;

/// Nanoseconds of a day.
const DAY_NS: f64 = 86_400e9;

/// The part of a year that an accrual covers, by the day count of the account.
///
/// Units: `elapsed_ns` since the last accrual, `n_sessions` begun since then. Counts of 360 and 365
/// divide the days of the calendar that have passed, in seconds; a count of 252 has only days of
/// trading in its year, so it divides sessions.
#[must_use]
pub fn year_fraction(day_count: f64, elapsed_ns: i64, n_sessions: u32) -> f64 {
    let days = if day_count == 252.0 { f64::from(n_sessions) } else { elapsed_ns as f64 / DAY_NS };
    days / day_count
}

/// What borrowing a position costs, in currency; 0 for a long one.
///
/// Units: `quantity` signed, `mark` in price, `rate` a year: the instrument's, else the account's.
///
/// # Assumes
/// The fee is due on the value at the mark of the day; nothing is recalled.
///
/// # Example
/// ```
/// use tapeworks::broker::{borrow_cost, year_fraction};
/// let day = year_fraction(360.0, 86_400_000_000_000, 1);
/// assert_eq!(borrow_cost(-100.0, 36.0, 1.0, 0.03, day), 0.3);
/// assert_eq!(borrow_cost(100.0, 36.0, 1.0, 0.03, day), 0.0);
/// ```
#[must_use]
pub fn borrow_cost(quantity: f64, mark: f64, multiplier: f64, rate: f64, years: f64) -> f64 {
    if quantity < 0.0 { (quantity * mark * multiplier).abs() * rate * years } else { 0.0 }
}

/// Interest on settled cash, in currency; negative where the account pays.
///
/// # Assumes
/// Simple interest on the whole balance: no tiers, no part of it free of interest.
#[must_use]
pub fn cash_interest(cash: f64, terms: &AccountTerms, years: f64) -> f64 {
    cash * if cash > 0.0 { terms.credit_rate } else { terms.debit_rate } * years
}

/// What a position pays at a funding instant, in currency; negative where it receives.
///
/// Units: `quantity` signed, `rate` as a fraction of the value, at a positive rate paid by longs.
#[must_use]
pub fn funding_cost(quantity: f64, mark: f64, multiplier: f64, rate: f64) -> f64 {
    quantity * mark * multiplier * rate
}

/// The rates of an account on one line, such as `borrow 0.03 a year`; empty when all are 0.
#[must_use]
pub fn describe_rates(terms: &AccountTerms) -> String {
    let rates = [
        ("borrow", terms.borrow_rate),
        ("interest on cash", terms.credit_rate),
        ("interest on debt", terms.debit_rate),
    ];
    let rates = rates.iter().filter(|(_, rate)| *rate != 0.0);
    rates.map(|(name, rate)| format!("{name} {rate} a year")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64) -> bool {
        (got - want).abs() <= 1e-12 * want.abs().max(1e-3)
    }

    const DAY: i64 = 86_400_000_000_000;

    #[test]
    fn year_fraction_when_time_passes_then_by_the_day_count() {
        for (day_count, elapsed_ns, n_sessions, want) in [
            (360.0, DAY, 1, 1.0 / 360.0),
            (365.0, DAY, 1, 1.0 / 365.0),
            // Friday to Monday: three days of the calendar, one session
            (360.0, 3 * DAY, 1, 3.0 / 360.0),
            (252.0, 3 * DAY, 1, 1.0 / 252.0),
            (252.0, 9 * DAY, 6, 6.0 / 252.0),
            // a session that begins an hour later, at a change of clocks
            (360.0, DAY + DAY / 24, 1, 25.0 / 24.0 / 360.0),
            (365.0, 0, 0, 0.0),
        ] {
            let got = year_fraction(day_count, elapsed_ns, n_sessions);
            assert!(near(got, want), "{day_count} {elapsed_ns}: {got}, not {want}");
        }
    }

    #[test]
    fn borrow_cost_when_short_then_a_share_of_the_value() {
        let day = 1.0 / 360.0;
        for (quantity, mark, multiplier, rate, years, want) in [
            (-100.0, 36.0, 1.0, 0.03, day, 0.3),
            (-100.0, 36.0, 1.0, 0.03, 3.0 * day, 0.9),
            (-2.0, 4_000.0, 50.0, 0.009, day, 10.0),
            (100.0, 36.0, 1.0, 0.03, day, 0.0),
            (0.0, 36.0, 1.0, 0.03, day, 0.0),
            (-10.0, -36.0, 1.0, 0.10, day, 0.1),
        ] {
            let got = borrow_cost(quantity, mark, multiplier, rate, years);
            assert!(near(got, want), "{quantity} at {mark}: {got}, not {want}");
        }
    }

    #[test]
    fn cash_interest_when_cash_is_held_or_owed_then_received_or_paid() {
        let terms = AccountTerms { credit_rate: 0.02, debit_rate: 0.06, ..AccountTerms::default() };
        for (cash, want) in [(36_000.0, 2.0), (-36_000.0, -6.0), (0.0, 0.0)] {
            let got = cash_interest(cash, &terms, 1.0 / 360.0);
            assert!(near(got, want), "{cash}: {got}, not {want}");
        }
    }

    /// Case 63 of the contract: 10 units, 0.01 % at the closes of bars 1 to 5.
    #[test]
    fn funding_cost_when_a_rate_is_due_then_longs_pay_and_shorts_receive() {
        let marks = [102.0, 103.0, 99.0, 96.0, 91.0];
        let paid: Vec<f64> = marks.iter().map(|&m| funding_cost(10.0, m, 1.0, 1e-4)).collect();
        let want = [0.102, 0.103, 0.099, 0.096, 0.091];
        assert!(paid.iter().zip(want).all(|(&got, want)| near(got, want)), "{paid:?}");
        assert!(near(100_000.0 - 1_010.0 + 910.0 - paid.iter().sum::<f64>(), 99_899.509));
        assert!(near(funding_cost(-2.0, 4_000.0, 50.0, 1e-4), -40.0));
        assert!(near(funding_cost(-2.0, 4_000.0, 50.0, -1e-4), 40.0));
    }

    #[test]
    fn rates_when_described_then_those_that_are_not_zero() {
        let terms = AccountTerms::default();
        assert_eq!(describe_rates(&terms), "");
        let terms = AccountTerms { borrow_rate: 0.03, debit_rate: 0.06, ..terms };
        assert_eq!(describe_rates(&terms), "borrow 0.03 a year, interest on debt 0.06 a year");
    }
}
