//! What to do about a refused order, by code.

use crate::broker::RejectCode;

/// One line of advice for a refusal; the figures stand in `need` and `have` of its row. No two
/// codes share a line.
#[must_use]
pub const fn hint(code: RejectCode) -> &'static str {
    match code {
        RejectCode::QuantityZero => {
            "the size is below one lot: raise the size or trade fractional lots"
        }
        RejectCode::QuantityNotFinite => {
            "the size is NaN or infinite: check the inputs of the sizing for missing values"
        }
        RejectCode::BelowMinNotional => {
            "the trade is worth less than the instrument's minimum: raise the size or skip it"
        }
        RejectCode::AboveMaxQuantity => {
            "the size exceeds the instrument's largest order: send it in parts"
        }
        RejectCode::PriceInvalid => {
            "limit and stop must be positive finite numbers: check what they are computed from"
        }
        RejectCode::PriceBand => {
            "the limit lies too far from the last price: check its unit, or widen the price band"
        }
        RejectCode::NotListed => "wait for the first row of the symbol before sending an order",
        RejectCode::Delisted => "the instrument has ended: take it off the list of what to trade",
        RejectCode::Halted => "the instrument is halted: send the order again when it trades",
        RejectCode::TradingHalted => {
            "a portfolio limit has stopped new positions: resume or wait for the end of the session"
        }
        RejectCode::LimitExposure => {
            "the position would pass an exposure limit: size within it or reduce something first"
        }
        RejectCode::BracketInvalid => {
            "a long needs stop < entry < target, a short the reverse: check the bracket's prices"
        }
        RejectCode::SessionClosed => {
            "no later session has a close to trade at: send the order before the last one"
        }
        RejectCode::InsufficientCash => {
            "the cost exceeds free cash: size by percent (cut to what is there) or reduce first"
        }
        RejectCode::InsufficientMargin => {
            "equity does not cover the initial margin: size smaller, reduce first, or add capital"
        }
        RejectCode::ShortNotAllowed => {
            "a cash account sells only what it holds: reduce the quantity, close the position, or \
             use a margin account"
        }
        RejectCode::NotShortable => "the symbol cannot be borrowed: leave it out of the short side",
        RejectCode::PositionMissing => "there is nothing to close: test the position first",
        RejectCode::MarginCallActive => {
            "a margin call stands: only reduce until equity covers the maintenance margin again"
        }
        RejectCode::AccountClosed => {
            "equity fell to zero and the account is closed: lower the leverage of the strategy"
        }
        RejectCode::LimitPositions => {
            "the largest number of positions is held: close one first or raise max_positions"
        }
        RejectCode::LimitOrderCount => {
            "the session's largest number of orders is reached: send fewer or raise max_orders"
        }
        RejectCode::OrderUnknown => {
            "no order has this id: keep the id that the submission returned"
        }
        RejectCode::PrecheckFailed => {
            "refused when sent, as the named peer does: cash_check = at_fill tests at the fill"
        }
    }
}
