//! The engine against the twin of `naive`: fills, refusals, ends of orders, lots, account events and
//! states are equal on random markets, scripts and terms.

use proptest::prelude::*;

use tapeworks::broker::{Instrument, Lots, PositionRule};

use crate::market::{Act, play_chunked};
use crate::naive::{difference, twin};
use crate::random::{config, draws, market_of, script};

fn is_compared(act: &Act) -> bool {
    match act {
        Act::Order(order) => {
            let has_limit = order.trail.is_some_and(|trail| trail.limit_offset.is_some())
                || order.trailing_exit.is_some();
            !has_limit && (order.limit.is_none() || order.stop.is_none())
        }
        Act::Oto(..) => false,
        // What a trail that was reached has seen since is told apart by hand.
        Act::Replace(_, change) => change.trail.is_nan(),
        _ => true,
    }
}

proptest! {
    #![proptest_config(draws(20_000))]

    #[test]
    fn engine_when_market_and_script_are_random_then_equals_the_twin(
        (market, acts, config) in (1_u32..=3).prop_flat_map(|n| {
            (market_of(n), script(n), config())
        })
    ) {
        // Ladders, orders after orders and stop-limits are compared by hand, in
        // `position_rules`, `execution` and `execution_issues`.
        let is_ladder = |rule: &PositionRule| matches!(rule, PositionRule::ScaledExit { .. });
        let mut config = config;
        config.rules.retain(|rule| !is_ladder(rule));
        if config.participation.is_some() {
            config.limits.clear();
            // The last of a hundred million lots a unit is the rounding of sums: two ways of adding
            // up what a cap has left differ there.
            config.lots = Lots::Integer;
            config.instrument.lot = f64::NAN;
            config.instruments.values_mut().for_each(|one| one.lot = f64::NAN);
        }
        if config.lots == Lots::Fractional {
            // Sums of the worlds' round prices lie on whole hundred-millionths of a unit, where two
            // ways of adding up fall to either side; a coarser step is exact in binary.
            let coarse = |one: &mut Instrument| {
                if one.lot.is_nan() {
                    one.lot = 1.0 / 64.0;
                }
            };
            coarse(&mut config.instrument);
            config.instruments.values_mut().for_each(coarse);
        }
        let acts: Vec<_> =
            acts.into_iter().filter(|(_, act)| is_compared(act)).collect();
        let twin = twin(&market, &acts, &config);
        let log = play_chunked(&market, &acts, &config, 4).0;
        if let Some(text) = difference(&log, &twin) {
            return Err(TestCaseError::fail(text));
        }
    }
}
