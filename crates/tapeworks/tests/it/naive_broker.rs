//! The engine against the twin of `naive`: fills, refusals, ends of orders, lots, account events and
//! states are equal on random markets, scripts and terms.

use proptest::prelude::*;

use crate::market::play_chunked;
use crate::naive::{difference, twin};
use crate::random::{config, market_of, script};

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn engine_when_market_and_script_are_random_then_equals_the_twin(
        (market, acts, config) in (1_u32..=3).prop_flat_map(|n| {
            (market_of(n), script(n), config())
        })
    ) {
        let twin = twin(&market, &acts, &config);
        let log = play_chunked(&market, &acts, &config, 4).0;
        if let Some(text) = difference(&log, &twin) {
            return Err(TestCaseError::fail(text));
        }
    }
}
