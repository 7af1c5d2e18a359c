//! What a run leaves out because its terms say nothing about it.

use crate::broker::{AccountKind, Impact, Margin};
use crate::engine::EngineConfig;

/// Costs and limits of a real account that these terms set to nothing, one line each, in the words
/// of the report.
#[must_use]
pub fn not_charged(terms: &EngineConfig) -> Vec<String> {
    let account = &terms.account;
    let mut lines = Vec::new();
    let mut say = |is_missing: bool, text: &str| {
        if is_missing {
            lines.push(text.to_owned());
        }
    };
    say(terms.impact == Impact::None, "market impact: orders of any size leave the price alone");
    say(
        terms.participation.is_none(),
        "limits on the share of volume: any size fills at the bar's price",
    );
    let holds_no_shorts = account.kind.pays_in_full();
    let instruments = || std::iter::once(&terms.instrument).chain(terms.instruments.values());
    let has_borrow = account.borrow_rate != 0.0 || instruments().any(|i| i.borrow_rate > 0.0);
    say(!holds_no_shorts && !has_borrow, "borrowing costs of short positions");
    let has_interest = account.credit_rate != 0.0 || account.debit_rate != 0.0;
    say(!has_interest, "interest on cash");
    say(account.settlement_days == 0, "settlement delay: proceeds can be spent at once");
    let has_margins = instruments().any(|i| i.initial_margin != Margin::Account);
    say(
        account.kind == AccountKind::Futures && !has_margins,
        "margins by contract: the account's fraction of value stands for all",
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::AccountTerms;

    fn topics(terms: &EngineConfig) -> Vec<String> {
        let topic = |line: String| line.split(':').next().unwrap_or_default().to_owned();
        not_charged(terms).into_iter().map(topic).collect()
    }

    #[test]
    fn lines_when_terms_say_nothing_or_something_then_only_what_is_missing() {
        let mut terms = EngineConfig::default();
        let usual = ["market impact", "limits on the share of volume"];
        let of_cash = ["interest on cash", "settlement delay"];
        assert_eq!(topics(&terms), [usual, of_cash].concat());
        terms.account = AccountTerms::new(AccountKind::Margin);
        let of_shorts = "borrowing costs of short positions";
        assert_eq!(topics(&terms), [&usual[..], &[of_shorts], &of_cash].concat());
        terms.impact = Impact::Linear { coefficient: 0.1 };
        (terms.account.borrow_rate, terms.account.debit_rate) = (0.02, 0.05);
        terms.account.settlement_days = 2;
        assert_eq!(topics(&terms), ["limits on the share of volume"]);
    }
}
