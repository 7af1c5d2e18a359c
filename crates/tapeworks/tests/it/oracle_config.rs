//! What ml4t-backtest resolved for one of the shared execution cases, as terms of a run.
//!
//! `resolved_config` of a case holds every switch of that package; each is mapped to a knob of
//! [`Semantics`] or to a term of the run. Nothing here looks at the name of a preset.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read fails the test")]

use std::path::PathBuf;

use serde_json::Value;
use tapeworks::broker::{
    AccountKind, AccountTerms, CapScope, CashCheck, CloseRuleAt, Commission, Excursions, FillAt,
    FlipShortfall, Impact, Instrument, Lots, Margin, MarginCallPolicy, MarkMissing, MinScope,
    Participation, PositionRule, RestFrom, ScaledOf, Semantics, Sequence, ShortCash, ShortfallRule,
    SizeRounding, Slippage, SpreadMeasure, StopBase, StopExitAt, Tier, TierBy, TierOf, TierStyle,
    Touch, TrailOrder, VolumeBasis, WaterMark, WaterStart,
};
use tapeworks::engine::EngineConfig;

use crate::market::at;

/// The execution oracles, where the shared folder is there.
pub fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("TAPEWORKS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let folder = shared.join("oracles/execution");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no ../shared");
    None
}

/// A file of the oracles.
pub fn read(folder: &std::path::Path, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

/// A number under a path of keys.
pub fn number(value: &Value, path: &str) -> f64 {
    let found = path.split('.').fold(value, |value, key| &value[key]);
    found.as_f64().unwrap_or_else(|| panic!("{path} of {value} is a number"))
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    let found = path.split('.').fold(value, |value, key| &value[key]);
    found.as_str().unwrap_or_else(|| panic!("{path} is a text"))
}

fn is(value: &Value, path: &str) -> bool {
    path.split('.').fold(value, |value, key| &value[key]).as_bool().unwrap()
}

/// The terms of a case under the semantics that its own engine resolved.
pub fn config_of(case: &Value) -> EngineConfig {
    let resolved = &case["resolved_config"];
    let mut config = terms_of(case);
    config.semantics = semantics_of(resolved);
    config.account.margin_call = MarginCallPolicy::Ignore;
    if let Some(fee) = case["models"].get("commission_model") {
        config.commission = fee_model(fee);
    }
    config
}

/// The terms of a case that do not depend on semantics: money, account, costs, instruments, rules.
pub fn terms_of(case: &Value) -> EngineConfig {
    let resolved = &case["resolved_config"];
    let models = &case["models"];
    let fractional = text(resolved, "position_sizing.share_type") == "fractional";
    let mut config = EngineConfig {
        cash: number(resolved, "cash.initial"),
        commission: commission_of(&resolved["commission"]),
        slippage: slippage_of(&resolved["slippage"]),
        stop_slippage: number(resolved, "slippage.stop_rate"),
        lots: if fractional { Lots::Fractional } else { Lots::Integer },
        account: account_of(resolved),
        rules: rules_of(&case["position_rules"]),
        ..EngineConfig::default()
    };
    if let Some(fee) = models.get("commission_model") {
        config.commission = fee_model(fee);
    }
    if let Some(limits) = models.get("execution_limits") {
        assert_eq!(limits[0], "VolumeParticipationLimit");
        config.participation = Some(Participation {
            max_share: number(&limits[1], "max_participation"),
            basis: VolumeBasis::Bar,
            scope: CapScope::Order,
        });
    }
    if let Some(impact) = models.get("market_impact_model") {
        assert_eq!(impact[0], "LinearImpact");
        config.impact = Impact::Linear { coefficient: number(&impact[1], "coefficient") };
    }
    for (symbol, spec) in case["contract_specs"].as_object().into_iter().flatten() {
        let instrument = Instrument {
            multiplier: number(spec, "multiplier"),
            initial_margin: Margin::PerContract(number(spec, "margin")),
            maintenance_margin: Margin::PerContract(number(spec, "margin") / 2.0),
            ..Instrument::default()
        };
        config.instruments.insert(symbol.clone(), instrument);
    }
    for row in case["funding"].as_array().into_iter().flatten() {
        let bar = usize::try_from(row["bar"].as_u64().unwrap()).unwrap();
        let symbol = row["asset"].as_str().unwrap().to_owned();
        config.funding.push((at(bar), symbol, number(row, "rate")));
    }
    config
}

fn account_of(resolved: &Value) -> AccountTerms {
    let shorts = is(resolved, "account.allow_short_selling");
    let kind = if shorts { AccountKind::Margin } else { AccountKind::Cash };
    AccountTerms {
        initial_margin: number(resolved, "account.initial_margin"),
        maintenance_long: number(resolved, "account.long_maintenance_margin"),
        maintenance_short: number(resolved, "account.short_maintenance_margin"),
        cash_buffer: number(resolved, "cash.buffer_pct"),
        settlement_days: u32::try_from(resolved["settlement"]["delay"].as_u64().unwrap()).unwrap(),
        ..AccountTerms::new(kind)
    }
}

/// The knobs that stand in the package's own config.
pub fn semantics_of(resolved: &Value) -> Semantics {
    let mut s = Semantics { name: "mapped", ..Semantics::ML4T_DEFAULT };
    timing(resolved, &mut s);
    stops(resolved, &mut s);
    payment(resolved, &mut s);
    s.sequence = match (
        text(resolved, "orders.fill_ordering"),
        text(resolved, "orders.entry_order_priority"),
    ) {
        ("exit_first", "submission") => Sequence::ReduceFirst,
        ("exit_first", "notional_desc") => Sequence::OpensLargestFirst,
        ("exit_first", "notional_asc") => Sequence::OpensSmallestFirst,
        ("priority", "order_value_asc") => Sequence::ValueAscending,
        ("priority", "free_cash_asc") => Sequence::FreeCashAscending,
        ("fifo" | "sequential" | "priority", "submission") => Sequence::Submission,
        other => panic!("no sequence for {other:?}"),
    };
    s.mark_missing = match text(resolved, "orders.missing_price_policy") {
        "skip" => MarkMissing::SkipOrders,
        _ => MarkMissing::Last,
    };
    s.size_rounding = match text(resolved, "position_sizing.share_type") {
        "fractional" => SizeRounding::None,
        _ => SizeRounding::Lot,
    };
    s.headroom = number(resolved, "orders.rebalance_headroom_pct");
    s
}

fn timing(resolved: &Value, s: &mut Semantics) {
    if text(resolved, "execution.execution_mode") == "same_bar" {
        let immediate = is(resolved, "orders.immediate_fill");
        s.fill_at = if immediate { FillAt::Immediate } else { FillAt::SameClose };
        s.rest_from = RestFrom::Same;
        s.close_rule_at = CloseRuleAt::SameClose;
    } else if resolved["execution"]["next_bar_execution_price"] == "close" {
        s.fill_at = FillAt::NextClose;
        s.close_rule_at = CloseRuleAt::SameClose;
    }
    if text(resolved, "execution.conditional_order_mode") == "execution_price" {
        s.touch = Touch::FillPrice;
    }
}

fn stops(resolved: &Value, s: &mut Semantics) {
    s.stop_exit_at = match text(resolved, "stops.stop_fill_mode") {
        "stop_price" => StopExitAt::Level,
        "bar_extreme" => StopExitAt::Extreme,
        "close_price" => StopExitAt::Close,
        "next_bar_open" => StopExitAt::NextOpen,
        other => panic!("no stop exit for {other}"),
    };
    s.stop_base = match text(resolved, "stops.stop_level_basis") {
        "signal_price" => StopBase::SubmitClose,
        _ => StopBase::Fill,
    };
    s.water_entry_row = is(resolved, "stops.trail_include_entry_bar_extremes");
    (s.water_mark, s.excursions) = match text(resolved, "stops.trail_hwm_source") {
        "bar_extreme" if s.water_entry_row => (WaterMark::Extreme, Excursions::WholeRows),
        "bar_extreme" => (WaterMark::Extreme, Excursions::NotEntryRow),
        _ => (WaterMark::Close, Excursions::Marks),
    };
    s.water_start = match text(resolved, "stops.initial_hwm_source") {
        "fill_price" => WaterStart::Fill,
        "bar_high" => WaterStart::EntryExtreme,
        "bar_close" => WaterStart::EntryClose,
        "signal_price" => WaterStart::SubmitClose,
        other => panic!("no water start for {other}"),
    };
    s.trail_rules = match text(resolved, "stops.trail_stop_timing") {
        "lagged" => TrailOrder::TestThenUpdate,
        "intrabar" => TrailOrder::UpdateThenTest,
        "vbt_pro" => TrailOrder::TwoPass,
        other => panic!("no trail order for {other}"),
    };
}

fn payment(resolved: &Value, s: &mut Semantics) {
    let simple = is(resolved, "orders.next_bar_simple_cash_check");
    s.cash_check = if is(resolved, "orders.skip_cash_validation") {
        CashCheck::Never
    } else if simple {
        CashCheck::SubmitAndFill
    } else if is(resolved, "orders.next_bar_queue_shadow_validation") {
        CashCheck::Queue
    } else {
        CashCheck::AtFill
    };
    let (refuses, cuts) = (
        is(resolved, "orders.reject_on_insufficient_cash"),
        is(resolved, "orders.partial_fills_allowed"),
    );
    s.flip_shortfall = if simple { FlipShortfall::CloseAndFill } else { FlipShortfall::Whole };
    s.shortfall = match (refuses, cuts) {
        (true, true) => ShortfallRule::Partial,
        (false, true) => ShortfallRule::PartialOrCancel,
        (true, false) => ShortfallRule::Reject,
        (false, false) => ShortfallRule::Cancel,
    };
    let levered = is(resolved, "account.allow_leverage");
    let locks = text(resolved, "account.short_cash_policy") == "lock_notional";
    s.short_cash = match text(resolved, "account.lock_notional_update_mode") {
        _ if levered => ShortCash::Margin,
        "combined_order" if locks => ShortCash::LockCombined,
        _ if locks => ShortCash::Lock,
        _ => ShortCash::CreditCovered,
    };
    s.cash_tolerance = if locks && !levered { 0.0 } else { 0.01 };
}

fn commission_of(terms: &Value) -> Commission {
    let (rate, each) = (number(terms, "rate"), number(terms, "per_share"));
    let min = number(terms, "minimum");
    let per_share =
        |min_scope| Commission::PerShare { rate: each, min, max_pct: f64::INFINITY, min_scope };
    let each_trade = number(terms, "per_trade");
    // A rate without a model names its own.
    let model = match text(terms, "model") {
        "none" if each > 0.0 => "per_share",
        "none" if each_trade > 0.0 => "per_trade",
        "none" if rate > 0.0 => "percentage",
        model => model,
    };
    match model {
        "none" => Commission::None,
        "percentage" | "tiered" => Commission::percent(rate * 1e4, 0.0),
        "per_share" => per_share(MinScope::Fill),
        "per_order_per_share" => per_share(MinScope::Order),
        "per_trade" => Commission::PerFill { amount: each_trade },
        other => panic!("no commission for {other}"),
    }
}

/// A fee that a case passes as an object, its tiers in the order of their ends.
fn fee_model(model: &Value) -> Commission {
    assert_eq!(model[0], "TieredCommission");
    let tiers = model[1]["tiers"].as_array().unwrap().iter();
    let tiers = tiers
        .map(|tier| Tier { up_to: tier[0].as_f64().unwrap(), rate: tier[1].as_f64().unwrap() });
    Commission::Tiered {
        tiers: tiers.collect(),
        by: TierBy::Fill,
        style: TierStyle::Whole,
        of: TierOf::Percent,
    }
}

fn slippage_of(terms: &Value) -> Slippage {
    let rate = number(terms, "rate");
    let is_set = |key: &str| number(terms, key) > 0.0;
    let model = match text(terms, "model") {
        "none" if is_set("spread") => "spread",
        "none" if is_set("fixed") => "fixed",
        "none" if is_set("rate") => "percentage",
        model => model,
    };
    match model {
        "none" => Slippage::None,
        "percentage" => Slippage::Percent { bps: rate * 1e4 },
        "fixed" => Slippage::Fixed { amount: number(terms, "fixed") },
        "volume_share" => Slippage::VolumeShare { coefficient: rate },
        "cumulative_volume_share" => Slippage::VolumeShareSquared { coefficient: rate },
        "spread" => Slippage::Spread {
            amount: number(terms, "spread"),
            measure: match text(terms, "spread_convention") {
                "full_spread" => SpreadMeasure::Full,
                _ => SpreadMeasure::Half,
            },
        },
        other => panic!("no slippage for {other}"),
    }
}

/// The position rules of a case or a scenario, in list order.
pub fn rules_of(rules: &Value) -> Vec<PositionRule> {
    rules.as_array().into_iter().flatten().map(rule_of).collect()
}

fn rule_of(rule: &Value) -> PositionRule {
    let pairs = |key: &str| -> Vec<(f64, f64)> {
        let rows = rule[key].as_array().unwrap().iter();
        rows.map(|row| (row[0].as_f64().unwrap(), row[1].as_f64().unwrap())).collect()
    };
    let multiple = || number(rule, "multiplier");
    match text(rule, "type") {
        "StopLoss" => PositionRule::StopLoss(number(rule, "pct")),
        "TakeProfit" => PositionRule::TakeProfit(number(rule, "pct")),
        "TrailingStop" => PositionRule::TrailingStop(number(rule, "pct")),
        "TighteningTrailingStop" => PositionRule::TighteningTrail(pairs("schedule")),
        "ScaledExit" => {
            PositionRule::ScaledExit { steps: pairs("targets"), of: ScaledOf::Remaining }
        }
        "TimeExit" => {
            PositionRule::TimeExit(u32::try_from(rule["max_bars"].as_u64().unwrap()).unwrap())
        }
        "VolatilityStop" => {
            PositionRule::VolatilityStop { multiple: multiple(), column: "atr".into() }
        }
        "VolatilityTrailingStop" => {
            PositionRule::VolatilityTrail { multiple: multiple(), column: "atr".into() }
        }
        "SignalExit" => PositionRule::SignalExit {
            column: rule["signal_name"].as_str().unwrap_or("exit_signal").into(),
            threshold: rule["threshold"].as_f64().unwrap_or(0.0),
        },
        "AllOf" => PositionRule::All(rules_of(&rule["rules"])),
        "AnyOf" | "RuleChain" => PositionRule::Any(rules_of(&rule["rules"])),
        other => panic!("no rule for {other}"),
    }
}
