//! What to do about a refused order, by code.

use crate::broker::RejectCode;

/// One line of advice for a refusal; the figures stand in `need` and `have` of its row.
#[must_use]
pub const fn hint(code: RejectCode) -> &'static str {
    match code {
        RejectCode::QuantityZero => {
            "the size is below one lot: raise the size or trade fractional lots"
        }
        RejectCode::QuantityNotFinite => {
            "the size is NaN or infinite: check the inputs of the sizing for missing values"
        }
        RejectCode::PriceInvalid => {
            "limit and stop must be positive finite numbers: check what they are computed from"
        }
        RejectCode::NotListed => "wait for the first row of the symbol before sending an order",
        RejectCode::InsufficientCash => {
            "the cost exceeds free cash: size by percent (cut to what is there) or reduce first"
        }
        RejectCode::ShortNotAllowed => {
            "a cash account sells only what it holds: reduce the quantity or close the position"
        }
        RejectCode::PositionMissing => "there is nothing to close: test the position first",
        _ => "see the guide to execution",
    }
}
