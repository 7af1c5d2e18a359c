//! Random terms of a run: costs, accounts, instruments, limits.

use proptest::prelude::*;
use proptest::sample::select;
use tapeworks::broker::{
    AccountKind, AccountTerms, Commission, Impact, Instrument, LimitAction, LimitKind, Lots,
    Margin, MarginCallPolicy, MinScope, Participation, PortfolioLimit, Slippage, SpreadMeasure,
    Tier, TierBy, TierOf, TierStyle,
};
use tapeworks::engine::EngineConfig;

use super::rules::all_rules;
use crate::market::at;

const NO_MAX: f64 = f64::INFINITY;

fn commission() -> impl Strategy<Value = Commission> {
    let percent = |bps: f64, min: f64, max_pct: f64| Commission::Percent {
        bps,
        min,
        max_pct,
        min_scope: MinScope::Order,
    };
    let per_share = |rate: f64, min: f64, max_pct: f64| Commission::PerShare {
        rate,
        min,
        max_pct,
        min_scope: MinScope::Order,
    };
    let tiers = |up_to: f64, low: f64, high: f64| {
        vec![Tier { up_to, rate: low }, Tier { up_to: f64::INFINITY, rate: high }]
    };
    let by = || select(vec![TierBy::Fill, TierBy::Month]);
    let style = || select(vec![TierStyle::Marginal, TierStyle::Whole]);
    prop_oneof![
        3 => Just(Commission::None),
        2 => (0_u8..3, 0_u8..3).prop_map(move |(bps, min)| {
            percent(f64::from(bps) * 10.0, f64::from(min) / 2.0, NO_MAX)
        }),
        2 => (0_u8..3, 0_u8..3).prop_map(move |(rate, min)| {
            per_share(f64::from(rate) / 16.0, f64::from(min) / 2.0, NO_MAX)
        }),
        1 => select(vec![0.001, 0.005, 0.25]).prop_map(move |most| percent(20.0, 1.0, most)),
        1 => select(vec![0.001, 0.01]).prop_map(move |most| per_share(0.25, 2.0, most)),
        1 => Just(Commission::PerFill { amount: 0.75 }),
        1 => Just(Commission::PerOrder { amount: 1.25 }),
        1 => (by(), style()).prop_map(move |(by, style)| Commission::Tiered {
            tiers: tiers(100.0, 0.002, 0.001), by, style, of: TierOf::Percent,
        }),
        1 => (by(), style()).prop_map(move |(by, style)| Commission::Tiered {
            tiers: tiers(12.0, 0.125, 0.0625), by, style, of: TierOf::PerUnit,
        }),
        1 => Just(Commission::MakerTaker { maker_bps: -2.0, taker_bps: 8.0 }),
        1 => Just(Commission::SellLevy { bps: 50.0 }),
        1 => Just(Commission::Combined(vec![
            percent(10.0, 0.5, NO_MAX),
            Commission::SellLevy { bps: 50.0 },
            Commission::PerOrder { amount: 0.25 },
        ])),
    ]
}

fn slippage() -> impl Strategy<Value = Slippage> {
    prop_oneof![
        4 => Just(Slippage::None),
        2 => select(vec![10.0, 100.0]).prop_map(|bps| Slippage::Percent { bps }),
        1 => select(vec![0.125, 0.5]).prop_map(|amount| Slippage::Fixed { amount }),
        1 => Just(Slippage::Ticks { n: 2.0 }),
        1 => select(vec![SpreadMeasure::Full, SpreadMeasure::Half])
            .prop_map(|measure| Slippage::Spread { amount: 0.25, measure }),
        1 => Just(Slippage::SpreadBps { bps: 40.0 }),
        1 => Just(Slippage::VolumeShare { coefficient: 0.03125 }),
        1 => Just(Slippage::VolumeShareSquared { coefficient: 0.001 }),
    ]
}

fn impact() -> impl Strategy<Value = Impact> {
    prop_oneof![
        4 => Just(Impact::None),
        1 => Just(Impact::Linear { coefficient: 0.03125 }),
        1 => Just(Impact::Sqrt { coefficient: 0.5, sigma: 0.02, volume_share: 1.0 }),
    ]
}

fn account() -> impl Strategy<Value = AccountTerms> {
    use AccountKind::{Cash, Crypto, Futures, Margin};
    let kind = select(vec![Cash, Cash, Cash, Margin, Margin, Margin, Crypto, Futures, Futures]);
    let margins = select(vec![
        (0.5, 0.25, 0.3),
        (0.5, 0.25, 0.3),
        (0.25, 0.125, 0.125),
        (0.125, 0.0625, 0.125),
        (1.0, 0.5, 0.5),
    ]);
    let call = select(vec![MarginCallPolicy::Liquidate, MarginCallPolicy::Record]);
    let rates = select(vec![(0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.072, 0.036, 0.108)]);
    let buffer = select(vec![0.0, 0.0, 0.125]);
    let band = Just(f64::NAN);
    let days = select(vec![0, 0, 1, 2]);
    let count = select(vec![360.0, 365.0, 252.0]);
    (kind, margins, call, rates, (buffer, band, days, count)).prop_map(
        |(kind, margins, margin_call, rates, (cash_buffer, price_band, days, day_count))| {
            AccountTerms {
                initial_margin: margins.0,
                maintenance_long: margins.1,
                maintenance_short: margins.2,
                margin_call,
                cash_buffer: if kind == Cash { cash_buffer } else { 0.0 },
                settlement_days: if kind == Cash { days } else { 0 },
                borrow_rate: if kind == Margin { rates.0 } else { 0.0 },
                credit_rate: rates.1,
                debit_rate: rates.2,
                day_count,
                price_band,
                ..AccountTerms::new(kind)
            }
        },
    )
}

fn instrument() -> impl Strategy<Value = Instrument> {
    let lot = select(vec![f64::NAN, f64::NAN, 0.25, 2.0, 5.0]);
    let tick = select(vec![f64::NAN, f64::NAN, 0.25, 0.5, 1.0]);
    let multiplier = select(vec![1.0, 1.0, 4.0, 0.5]);
    let least = select(vec![0.0, 0.0, 0.0, 2.0]);
    let most = select(vec![f64::INFINITY, f64::INFINITY, 12.0]);
    let flags = (prop::bool::weighted(0.9), prop::bool::weighted(0.9));
    let margin = select(vec![
        (Margin::Account, Margin::Account),
        (Margin::Account, Margin::Account),
        (Margin::Fraction(0.25), Margin::Fraction(0.125)),
        (Margin::PerContract(4.0), Margin::PerContract(2.0)),
    ]);
    let spread = select(vec![f64::NAN, 0.5]);
    (lot, tick, multiplier, (least, most), flags, margin, spread).prop_map(
        |(lot, tick, multiplier, (min_notional, max_quantity), flags, margin, spread)| Instrument {
            lot,
            tick,
            multiplier,
            min_notional,
            max_quantity,
            is_shortable: flags.0,
            has_volume: flags.1,
            initial_margin: margin.0,
            maintenance_margin: margin.1,
            spread,
            ..Instrument::default()
        },
    )
}

fn limits() -> impl Strategy<Value = Vec<PortfolioLimit>> {
    // No figure that a world of round prices reaches exactly: there the last bit decides.
    let kind = prop_oneof![
        select(vec![0.0503, 0.2507]).prop_map(LimitKind::MaxDrawdown),
        select(vec![0.0203, 0.1007]).prop_map(LimitKind::DailyLoss),
        select(vec![0.5003, 1.5007]).prop_map(LimitKind::GrossExposure),
        select(vec![0.5003, 1.0007]).prop_map(LimitKind::NetExposure),
        select(vec![0.2503, 0.5007]).prop_map(LimitKind::SymbolExposure),
        (1_u32..3).prop_map(LimitKind::MaxPositions),
        (1_u32..5).prop_map(LimitKind::MaxOrders),
    ];
    let action = select(vec![
        LimitAction::Warn,
        LimitAction::Halt,
        LimitAction::Reduce(0.5),
        LimitAction::Liquidate,
    ]);
    let limit = (kind, action).prop_map(|(kind, action)| PortfolioLimit { kind, action });
    prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(limit, 1..3),
    ]
}

/// Capital flows (time, amount) and funding rates (time, symbol, rate).
type Schedule = (Vec<(i64, f64)>, Vec<(i64, String, f64)>);

fn schedule() -> impl Strategy<Value = Schedule> {
    let hours = || {
        (0_usize..12, select(vec![0_i64, 8, 16]))
            .prop_map(|(bar, hour)| at(bar) + hour * 3_600_000_000_000)
    };
    let flow = (hours(), select(vec![50.0, 200.0, -10.0]));
    let funding = (hours(), select(vec![0.01, -0.01, 0.001]));
    let funding = funding.prop_map(|(f, rate)| (f, "S0".to_string(), rate));
    prop_oneof![
        3 => Just((Vec::new(), Vec::new())),
        1 => (prop::collection::vec(flow, 0..3), prop::collection::vec(funding, 0..4))
            .prop_map(|(mut flows, mut funding)| {
                flows.sort_by_key(|flow| flow.0);
                funding.sort_by_key(|funding| funding.0);
                (flows, funding)
            }),
    ]
}

/// Terms of a run, of every account kind.
pub fn config() -> impl Strategy<Value = EngineConfig> {
    let lots = select(vec![Lots::Integer, Lots::Integer, Lots::Fractional]);
    let cash = select(vec![37.0_f64, 100.0, 250.0, 1_000.0, 5_000.0, 5_000.0]);
    let stop_slippage = select(vec![0.0, 0.0, 0.01]);
    let share = prop::option::weighted(0.25, select(vec![0.25, 0.5]));
    let instruments = (instrument(), prop::option::of(instrument()));
    (
        (cash, lots, all_rules(), limits()),
        (commission(), slippage(), impact(), stop_slippage, share),
        (account(), instruments, schedule(), any::<bool>()),
    )
        .prop_map(
            |(
                (cash, lots, rules, limits),
                (commission, slippage, impact, stop_slippage, share),
                (account, (mut instrument, mut own), (flows, funding), plain),
            )| {
                // Costs that depend on volume stay below the price only for small orders.
                let by_volume = impact != Impact::None
                    || matches!(
                        slippage,
                        Slippage::VolumeShare { .. } | Slippage::VolumeShareSquared { .. }
                    );
                let cash: f64 = if by_volume { f64::min(cash, 250.0) } else { cash };
                if plain {
                    (instrument, own) = (Instrument::default(), None);
                }
                for one in [Some(&mut instrument), own.as_mut()].into_iter().flatten() {
                    one.is_future = account.kind == AccountKind::Futures;
                    if slippage == (Slippage::Ticks { n: 2.0 }) && one.tick.is_nan() {
                        one.tick = 0.25;
                    }
                }
                EngineConfig {
                    cash,
                    commission,
                    slippage,
                    stop_slippage,
                    impact,
                    participation: share.map(Participation::new),
                    lots,
                    account,
                    instrument,
                    instruments: own.into_iter().map(|one| ("S0".to_string(), one)).collect(),
                    flows,
                    funding,
                    rules,
                    limits,
                    ..EngineConfig::default()
                }
            },
        )
}
