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

/// What an event of an order, or the reason of a cancel or expiry, means for the reader of a tally;
/// empty where the name says all there is.
#[must_use]
pub fn event_hint(name: &str) -> &'static str {
    match name {
        "no signal" => "timestamps at which the strategy sent no order",
        "partly_filled" => "fills of a part: participation, or cash for a part",
        "rounded" => "cut to whole lots; lots=\"fractional\" keeps the size",
        "resized_for_cash" => "cut to what the account could pay",
        "resized_to_position" => "cut to the position it reduces",
        "resized_by_group" => "cut to what its siblings or its parent left",
        "live_at_end" => "waits for a row after the last one: the table of next orders",
        "too_late" => "a cancel or change of an order that had ended",
        "user" => "the strategy cancelled it",
        "oco" => "its sibling filled",
        "parent_done" => "its parent ended without a fill",
        "position_closed" => "the position it would have reduced was gone",
        "open_leg_rejected" => "the closing part filled, the opening part was refused",
        "insufficient_cash" => "the account could not pay: size by percent, or reduce first",
        "after_rule_exit" => "a rule closed the symbol in this row",
        "day_end" => "a day order at the end of its session; tif=\"gtc\" lives on",
        "gtd_passed" => "its date passed",
        "ioc_rest" => "what could not fill at once",
        "fok_unfilled" => "it could not fill whole at once",
        _ => "",
    }
}
