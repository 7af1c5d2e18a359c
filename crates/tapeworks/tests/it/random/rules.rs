//! Random position rules.

use proptest::prelude::*;
use proptest::sample::select;
use tapeworks::broker::{PositionRule, ScaledOf};

/// The signal of every random market.
pub const COLUMN: &str = "edge";

/// The column that measures how far prices move.
pub const WIDTH: &str = "width";

/// A stop, a target, a trail, or some of them.
pub fn rules() -> impl Strategy<Value = Vec<PositionRule>> {
    let stop = prop::option::of(select(vec![0.05, 0.125, 0.25]));
    let target = prop::option::of(select(vec![0.05, 0.125, 0.25, 1.5]));
    let trail = prop::option::of(select(vec![0.05, 0.1, 0.25]));
    (stop, target, trail, any::<bool>()).prop_map(|(stop, target, trail, none)| {
        if none {
            return Vec::new();
        }
        let stop = stop.map(PositionRule::StopLoss);
        let target = target.map(PositionRule::TakeProfit);
        stop.into_iter().chain(target).chain(trail.map(PositionRule::TrailingStop)).collect()
    })
}

fn column() -> String {
    COLUMN.to_string()
}

/// A rule that can be a condition.
fn condition() -> impl Strategy<Value = PositionRule> {
    prop_oneof![
        select(vec![0.05, 0.125]).prop_map(PositionRule::StopLoss),
        select(vec![0.05, 0.125]).prop_map(PositionRule::TakeProfit),
        (1_u32..4).prop_map(PositionRule::TimeExit),
        select(vec![0.0, 0.5, 0.75])
            .prop_map(|threshold| PositionRule::SignalExit { column: column(), threshold }),
    ]
}

fn ladder() -> impl Strategy<Value = PositionRule> {
    let of = select(vec![ScaledOf::Initial, ScaledOf::Remaining]);
    let steps = select(vec![
        vec![(0.05, 0.5)],
        vec![(0.05, 0.5), (0.125, 0.5)],
        vec![(0.05, 0.25), (0.1, 0.25), (0.25, 1.0)],
    ]);
    (steps, of).prop_map(|(steps, of)| PositionRule::ScaledExit { steps, of })
}

fn one_more() -> impl Strategy<Value = PositionRule> {
    let multiple = || select(vec![0.5, 1.0, 2.0]);
    prop_oneof![
        select(vec![0.5, 1.0, 2.5]).prop_map(PositionRule::TrailingAmount),
        select(vec![
            vec![(0.0, 0.25), (0.05, 0.1)],
            vec![(0.0503, 0.25), (0.1003, 0.05)],
            vec![(-0.1003, 0.05), (0.0003, 0.125), (0.1253, 0.25)],
        ])
        .prop_map(PositionRule::TighteningTrail),
        multiple().prop_map(|multiple| PositionRule::VolatilityStop {
            multiple,
            column: WIDTH.to_string()
        }),
        multiple().prop_map(|multiple| PositionRule::VolatilityTrail {
            multiple,
            column: WIDTH.to_string()
        }),
        (1_u32..4).prop_map(PositionRule::TimeExit),
        condition(),
        prop::collection::vec(condition(), 1..3).prop_map(PositionRule::All),
        (condition(), condition(), condition())
            .prop_map(|(a, b, c)| { PositionRule::All(vec![a, PositionRule::Any(vec![b, c])]) }),
        (condition(), condition()).prop_map(|(a, b)| PositionRule::Any(vec![a, b])),
    ]
}

/// Rules of every kind.
pub fn all_rules() -> impl Strategy<Value = Vec<PositionRule>> {
    let more = prop::collection::vec(one_more(), 0..3);
    let ladder = prop::option::weighted(0.3, ladder());
    (rules(), more, ladder, 0_u8..3).prop_map(|(mut rules, more, ladder, kind)| {
        if kind > 0 {
            rules.extend(more);
        }
        if kind > 1 {
            rules.extend(ladder);
        }
        rules
    })
}
