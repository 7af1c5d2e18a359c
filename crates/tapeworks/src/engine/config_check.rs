//! The figures that no run can start with.

use super::EngineConfig;
use crate::base::{Error, Result};
use crate::broker::{
    AccountKind, AccountTerms, Commission, Impact, Instrument, Margin, Participation, Slippage,
    Tier, TierOf, VolumeBasis,
};

/// A price cost of so many basis points is the whole price.
const WHOLE_BPS: f64 = 1e4;

impl EngineConfig {
    /// Refuses figures that no run can start with.
    ///
    /// # Errors
    /// `C311` with the field, its value and the rule: cash that is not positive, a cost that is
    /// negative or not finite, a fraction outside its range, brackets out of order, a model that
    /// needs a figure which the instruments do not have.
    pub fn check(&self) -> Result<()> {
        above_zero("cash", self.cash)?;
        check_commission("commission", &self.commission)?;
        check_slippage("slippage", &self.slippage)?;
        self.check_ticks(&self.slippage)?;
        let stop = self.stop_slippage;
        must("stop_slippage", stop, (0.0..1.0).contains(&stop), "from 0 to below 1")?;
        check_impact(&self.impact)?;
        if let Some(participation) = &self.participation {
            check_participation(participation)?;
        }
        check_account(&self.account)?;
        check_instrument("instrument", &self.instrument)?;
        for (symbol, instrument) in &self.instruments {
            check_instrument(&format!("instruments.{symbol}"), instrument)?;
        }
        for (at, &(_, amount)) in self.flows.iter().enumerate() {
            finite(&format!("flows[{at}]"), amount)?;
        }
        for (at, (_, symbol, rate)) in self.funding.iter().enumerate() {
            finite(&format!("funding[{at}] of {symbol}"), *rate)?;
        }
        Ok(())
    }

    /// A cost in ticks needs ticks: those of the named instruments, or one for all.
    fn check_ticks(&self, slippage: &Slippage) -> Result<()> {
        match slippage {
            Slippage::Quote { fallback, .. } => self.check_ticks(fallback),
            Slippage::Ticks { .. } => {
                let rule = "a step above 0, for slippage is given in ticks";
                for (symbol, instrument) in &self.instruments {
                    let name = format!("instruments.{symbol}.tick");
                    must(&name, instrument.tick, !instrument.tick.is_nan(), rule)?;
                }
                let tick = self.instrument.tick;
                must("instrument.tick", tick, !tick.is_nan() || !self.instruments.is_empty(), rule)
            }
            _ => Ok(()),
        }
    }
}

fn check_commission(name: &str, commission: &Commission) -> Result<()> {
    let field = |field: &str| format!("{name}.{field}");
    match *commission {
        Commission::None | Commission::Custom(_) => Ok(()),
        Commission::Percent { bps, min, max_pct, .. } => {
            cost(&field("bps"), bps)?;
            cost(&field("min"), min)?;
            check_max_pct(&field("max_pct"), max_pct)
        }
        Commission::PerShare { rate, min, max_pct, .. } => {
            cost(&field("rate"), rate)?;
            cost(&field("min"), min)?;
            check_max_pct(&field("max_pct"), max_pct)
        }
        Commission::PerFill { amount } | Commission::PerOrder { amount } => {
            cost(&field("amount"), amount)
        }
        Commission::Tiered { ref tiers, of, .. } => check_tiers(&field("tiers"), tiers, of),
        Commission::MakerTaker { maker_bps, taker_bps } => {
            for (name, bps) in [("maker_bps", maker_bps), ("taker_bps", taker_bps)] {
                must(&field(name), bps, bps.abs() < WHOLE_BPS, "between -10,000 and 10,000")?;
            }
            Ok(())
        }
        Commission::SellLevy { bps } => bps_of_price(&field("bps"), bps),
        Commission::Combined(ref parts) => parts
            .iter()
            .enumerate()
            .try_for_each(|(at, part)| check_commission(&format!("{name}.combined[{at}]"), part)),
    }
}

fn check_max_pct(name: &str, max_pct: f64) -> Result<()> {
    let is_valid = max_pct > 0.0 && (max_pct <= 1.0 || max_pct == f64::INFINITY);
    must(name, max_pct, is_valid, "above 0 and at most 1 (0.01 is 1 %), or infinite for no bound")
}

fn check_tiers(name: &str, tiers: &[Tier], of: TierOf) -> Result<()> {
    must(name, 0.0, !tiers.is_empty(), "one bracket or more")?;
    let mut from = 0.0;
    for (at, tier) in tiers.iter().enumerate() {
        let up_to = tier.up_to;
        must(&format!("{name}[{at}].up_to"), up_to, up_to > from, "above the bracket before")?;
        from = up_to;
        let name = format!("{name}[{at}].rate");
        cost(&name, tier.rate)?;
        if of == TierOf::Percent {
            must(&name, tier.rate, tier.rate < 1.0, "below 1: a fraction of the value, not bps")?;
        }
    }
    Ok(())
}

fn check_slippage(name: &str, slippage: &Slippage) -> Result<()> {
    let field = |field: &str| format!("{name}.{field}");
    match *slippage {
        Slippage::None | Slippage::Custom(_) => Ok(()),
        Slippage::Percent { bps } | Slippage::SpreadBps { bps } => bps_of_price(&field("bps"), bps),
        Slippage::Fixed { amount } | Slippage::Spread { amount, .. } => {
            cost(&field("amount"), amount)
        }
        Slippage::Ticks { n } => cost(&field("n"), n),
        Slippage::Quote { ref bid, ref ask, ref fallback } => {
            let columns = format!("{name}: the columns of bid and ask are {bid:?} and {ask:?}");
            if bid.is_empty() || ask.is_empty() || bid == ask {
                return Err(refusal(format!("{columns}: they must be two names")));
            }
            let name = field("fallback");
            if matches!(**fallback, Slippage::Quote { .. }) {
                return Err(refusal(format!("{name} is a quote: it must be another kind")));
            }
            check_slippage(&name, fallback)
        }
        Slippage::VolumeShare { coefficient } | Slippage::VolumeShareSquared { coefficient } => {
            cost(&field("coefficient"), coefficient)
        }
        Slippage::Volatility { eta_bps, rows } => {
            cost(&field("eta_bps"), eta_bps)?;
            must(&field("rows"), f64::from(rows), rows >= 3, "3 or more: two returns deviate")
        }
    }
}

fn check_impact(impact: &Impact) -> Result<()> {
    match *impact {
        Impact::None | Impact::Custom(_) => Ok(()),
        Impact::Linear { coefficient } => cost("impact.coefficient", coefficient),
        Impact::Sqrt { coefficient, sigma, volume_share } => {
            cost("impact.coefficient", coefficient)?;
            cost("impact.sigma", sigma)?;
            above_zero("impact.volume_share", volume_share)
        }
        Impact::Power { coefficient, exponent, min } => {
            cost("impact.coefficient", coefficient)?;
            cost("impact.exponent", exponent)?;
            cost("impact.min", min)
        }
    }
}

fn check_participation(participation: &Participation) -> Result<()> {
    fraction("participation.max_share", participation.max_share)?;
    match participation.basis {
        VolumeBasis::Adv(0) => must("participation.basis.adv", 0.0, false, "1 row or more"),
        _ => Ok(()),
    }
}

fn check_account(terms: &AccountTerms) -> Result<()> {
    let initial = terms.initial_margin;
    fraction("account.initial_margin", initial)?;
    for (name, margin) in [
        ("account.maintenance_long", terms.maintenance_long),
        ("account.maintenance_short", terms.maintenance_short),
    ] {
        fraction(name, margin)?;
        // Of other accounts nothing asks for both.
        if terms.kind == AccountKind::Margin {
            must(name, margin, margin <= initial, "at most account.initial_margin")?;
        }
    }
    let buffer = terms.cash_buffer;
    must("account.cash_buffer", buffer, (0.0..1.0).contains(&buffer), "from 0 to below 1")?;
    finite("account.borrow_rate", terms.borrow_rate)?;
    finite("account.credit_rate", terms.credit_rate)?;
    finite("account.debit_rate", terms.debit_rate)?;
    let days = terms.day_count;
    must("account.day_count", days, [252.0, 360.0, 365.0].contains(&days), "252, 360 or 365")?;
    let band = terms.price_band;
    must("account.price_band", band, band.is_nan() || band > 0.0, "above 0, or NaN for none")
}

fn check_instrument(name: &str, instrument: &Instrument) -> Result<()> {
    let field = |field: &str| format!("{name}.{field}");
    for (name, step) in [("lot", instrument.lot), ("tick", instrument.tick)] {
        let is_valid = step.is_nan() || (step.is_finite() && step > 0.0);
        must(&field(name), step, is_valid, "finite and above 0, or NaN for none")?;
    }
    above_zero(&field("multiplier"), instrument.multiplier)?;
    cost(&field("min_notional"), instrument.min_notional)?;
    let most = instrument.max_quantity;
    must(&field("max_quantity"), most, most > 0.0, "above 0, or infinite for none")?;
    check_margin(&field("initial_margin"), instrument.initial_margin)?;
    if !is_no_margin(instrument.maintenance_margin) {
        check_margin(&field("maintenance_margin"), instrument.maintenance_margin)?;
    }
    match (instrument.initial_margin, instrument.maintenance_margin) {
        (Margin::Fraction(initial), Margin::Fraction(kept))
        | (Margin::PerContract(initial), Margin::PerContract(kept)) => {
            let rule = format!("at most the initial margin, {initial}");
            must(&field("maintenance_margin"), kept, kept <= initial, &rule)?;
        }
        _ => {}
    }
    let (rate, spread) = (instrument.borrow_rate, instrument.spread);
    let is_rate = rate.is_nan() || rate.is_finite();
    must(&field("borrow_rate"), rate, is_rate, "finite, or NaN for the account's")?;
    let is_spread = spread.is_nan() || (spread.is_finite() && spread >= 0.0);
    must(&field("spread"), spread, is_spread, "finite and not negative, or NaN for the model's")
}

/// Nothing has to be held to keep a position.
fn is_no_margin(margin: Margin) -> bool {
    matches!(margin, Margin::Fraction(0.0) | Margin::PerContract(0.0))
}

fn check_margin(name: &str, margin: Margin) -> Result<()> {
    match margin {
        Margin::Account => Ok(()),
        Margin::Fraction(share) => fraction(name, share),
        Margin::PerContract(amount) => above_zero(name, amount),
    }
}

fn cost(name: &str, value: f64) -> Result<()> {
    must(name, value, value.is_finite() && value >= 0.0, "finite and not negative")
}

fn bps_of_price(name: &str, value: f64) -> Result<()> {
    cost(name, value)?;
    must(name, value, value < WHOLE_BPS, "below 10,000 (the whole price)")
}

fn above_zero(name: &str, value: f64) -> Result<()> {
    must(name, value, value.is_finite() && value > 0.0, "finite and above 0")
}

fn fraction(name: &str, value: f64) -> Result<()> {
    must(name, value, value > 0.0 && value <= 1.0, "above 0 and at most 1 (0.5 is 50 %)")
}

fn finite(name: &str, value: f64) -> Result<()> {
    must(name, value, value.is_finite(), "finite")
}

fn must(name: &str, value: f64, is_valid: bool, rule: &str) -> Result<()> {
    if is_valid {
        return Ok(());
    }
    Err(refusal(format!("{name} is {value}: it must be {rule}")))
}

fn refusal(message: String) -> Error {
    Error::config("C311", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{MinScope, SpreadMeasure, TierBy, TierStyle};

    const NAN: f64 = f64::NAN;

    fn refused(config: &EngineConfig) -> String {
        match config.check() {
            Ok(()) => String::new(),
            Err(error) => {
                assert_eq!(error.code(), "C311");
                error.message().to_owned()
            }
        }
    }

    fn tiered(brackets: &[(f64, f64)]) -> Commission {
        Commission::Tiered {
            tiers: brackets.iter().map(|&(up_to, rate)| Tier { up_to, rate }).collect(),
            by: TierBy::Fill,
            style: TierStyle::Marginal,
            of: TierOf::Percent,
        }
    }

    #[test]
    fn commissions_when_a_figure_is_wrong_then_field_value_and_rule_show() {
        let bounded = |max_pct| Commission::PerShare {
            rate: 0.005,
            min: 1.0,
            max_pct,
            min_scope: MinScope::Order,
        };
        for (commission, want) in [
            (Commission::None, ""),
            (Commission::percent(10.0, 1.0), ""),
            (Commission::percent(-1.0, 0.0), "commission.bps is -1: it must be finite and not neg"),
            (Commission::percent(1.0, NAN), "commission.min is NaN"),
            (Commission::per_share(f64::INFINITY, 0.0), "commission.rate is inf"),
            (bounded(0.01), ""),
            (bounded(5.0), "commission.max_pct is 5: it must be above 0 and at most 1 (0.01 is"),
            (bounded(0.0), "commission.max_pct is 0"),
            (Commission::PerFill { amount: -1.0 }, "commission.amount is -1"),
            (Commission::PerOrder { amount: NAN }, "commission.amount is NaN"),
            (tiered(&[(5e3, 0.002), (f64::INFINITY, 0.001)]), ""),
            (tiered(&[]), "commission.tiers is 0: it must be one bracket or more"),
            (tiered(&[(5e3, 0.002), (5e3, 0.001)]), "commission.tiers[1].up_to is 5000"),
            (tiered(&[(NAN, 0.002)]), "commission.tiers[0].up_to is NaN"),
            (tiered(&[(5e3, 20.0)]), "commission.tiers[0].rate is 20: it must be below 1"),
            (tiered(&[(5e3, -0.1)]), "commission.tiers[0].rate is -0.1"),
            (Commission::MakerTaker { maker_bps: -1.0, taker_bps: 5.0 }, ""),
            (
                Commission::MakerTaker { maker_bps: NAN, taker_bps: 5.0 },
                "commission.maker_bps is NaN: it must be between -10,000 and 10,000",
            ),
            (Commission::SellLevy { bps: 1e4 }, "commission.bps is 10000: it must be below"),
            (
                Commission::Combined(vec![Commission::None, Commission::percent(-2.0, 0.0)]),
                "commission.combined[1].bps is -2",
            ),
        ] {
            let message = refused(&EngineConfig { commission, ..EngineConfig::default() });
            assert!(
                message.starts_with(want) && message.is_empty() == want.is_empty(),
                "{message}"
            );
        }
    }

    #[test]
    fn price_costs_when_a_figure_is_wrong_then_field_value_and_rule_show() {
        let quote = |bid: &str, fallback| Slippage::Quote {
            bid: bid.into(),
            ask: "ask".into(),
            fallback: Box::new(fallback),
        };
        let spread = |amount| Slippage::Spread { amount, measure: SpreadMeasure::Half };
        let volatility = |eta_bps, rows| Slippage::Volatility { eta_bps, rows };
        let twice = quote("bid", quote("bid", Slippage::None));
        for (slippage, want) in [
            (Slippage::Percent { bps: 1e4 }, "slippage.bps is 10000: it must be below 10,000"),
            (Slippage::SpreadBps { bps: -1.0 }, "slippage.bps is -1"),
            (Slippage::Fixed { amount: NAN }, "slippage.amount is NaN"),
            (spread(0.0), ""),
            (spread(-0.1), "slippage.amount is -0.1"),
            (Slippage::Ticks { n: 1.0 }, "instrument.tick is NaN: it must be a step above 0"),
            (Slippage::Ticks { n: -1.0 }, "slippage.n is -1"),
            (quote("bid", Slippage::Percent { bps: 1.0 }), ""),
            (quote("ask", Slippage::None), "slippage: the columns of bid and ask are \"ask\" and"),
            (quote("", Slippage::None), "slippage: the columns of bid and ask are \"\""),
            (twice, "slippage.fallback is a quote"),
            (quote("bid", Slippage::Percent { bps: -1.0 }), "slippage.fallback.bps is -1"),
            (quote("bid", Slippage::Ticks { n: 1.0 }), "instrument.tick is NaN"),
            (Slippage::VolumeShare { coefficient: -0.1 }, "slippage.coefficient is -0.1"),
            (volatility(10.0, 20), ""),
            (volatility(10.0, 2), "slippage.rows is 2: it must be 3 or more"),
            (volatility(-10.0, 20), "slippage.eta_bps is -10"),
        ] {
            let message = refused(&EngineConfig { slippage, ..EngineConfig::default() });
            assert!(
                message.starts_with(want) && message.is_empty() == want.is_empty(),
                "{message}"
            );
        }
        let sqrt = |sigma, volume_share| Impact::Sqrt { coefficient: 0.5, sigma, volume_share };
        let power = |exponent, min| Impact::Power { coefficient: 0.1, exponent, min };
        for (impact, want) in [
            (Impact::sqrt(), ""),
            (Impact::Linear { coefficient: -0.1 }, "impact.coefficient is -0.1"),
            (sqrt(NAN, 1.0), "impact.sigma is NaN"),
            (sqrt(0.02, 0.0), "impact.volume_share is 0: it must be finite and above 0"),
            (power(-1.0, 0.0), "impact.exponent is -1"),
            (power(0.6, -1.0), "impact.min is -1"),
        ] {
            let message = refused(&EngineConfig { impact, ..EngineConfig::default() });
            assert!(
                message.starts_with(want) && message.is_empty() == want.is_empty(),
                "{message}"
            );
        }
    }

    #[test]
    fn ticks_when_some_instruments_have_them_then_the_others_are_named() {
        let mut config =
            EngineConfig { slippage: Slippage::Ticks { n: 1.0 }, ..EngineConfig::default() };
        let es = Instrument { tick: 0.25, ..Instrument::default() };
        config.instruments.insert("ES".into(), es);
        assert_eq!(refused(&config), "");
        config.instruments.insert("NQ".into(), Instrument::default());
        assert!(refused(&config).starts_with("instruments.NQ.tick is NaN: it must be a step"));
    }

    /// A field of the config, a wrong value written into it, and how the refusal begins.
    type Case = (fn(&mut EngineConfig), &'static str);

    #[test]
    fn terms_when_a_figure_is_wrong_then_field_value_and_rule_show() {
        let per_contract = |at: &mut Instrument, initial, kept| {
            at.initial_margin = Margin::PerContract(initial);
            at.maintenance_margin = Margin::PerContract(kept);
        };
        let cases: [Case; 27] = [
            (|c| c.cash = 0.0, "cash is 0: it must be finite and above 0"),
            (|c| c.stop_slippage = 1.0, "stop_slippage is 1: it must be from 0 to below 1"),
            (|c| c.stop_slippage = NAN, "stop_slippage is NaN"),
            (|c| c.participation = Some(Participation::new(0.0)), "participation.max_share is 0"),
            (|c| c.participation = Some(Participation::new(10.0)), "participation.max_share is 10"),
            (|c| c.participation = Some(Participation::new(1.0)), ""),
            (
                |c| {
                    let basis = VolumeBasis::Adv(0);
                    c.participation = Some(Participation { basis, ..Participation::new(0.1) });
                },
                "participation.basis.adv is 0: it must be 1 row or more",
            ),
            (|c| c.account.initial_margin = 50.0, "account.initial_margin is 50"),
            (|c| c.account.maintenance_long = 0.0, "account.maintenance_long is 0"),
            (
                |c| {
                    c.account.kind = AccountKind::Margin;
                    c.account.maintenance_short = 0.6;
                },
                "account.maintenance_short is 0.6: it must be at most account.initial_margin",
            ),
            (|c| c.account.maintenance_short = 0.6, ""),
            (|c| c.account.cash_buffer = 1.0, "account.cash_buffer is 1"),
            (|c| c.account.borrow_rate = NAN, "account.borrow_rate is NaN: it must be finite"),
            (|c| c.account.credit_rate = f64::INFINITY, "account.credit_rate is inf"),
            (|c| c.account.debit_rate = NAN, "account.debit_rate is NaN"),
            (|c| c.account.day_count = 366.0, "account.day_count is 366: it must be 252, 360 or"),
            (|c| c.account.price_band = 0.0, "account.price_band is 0"),
            (|c| c.instrument.lot = 0.0, "instrument.lot is 0"),
            (|c| c.instrument.tick = -0.01, "instrument.tick is -0.01"),
            (|c| c.instrument.multiplier = NAN, "instrument.multiplier is NaN"),
            (|c| c.instrument.min_notional = -1.0, "instrument.min_notional is -1"),
            (|c| c.instrument.max_quantity = 0.0, "instrument.max_quantity is 0"),
            (
                |c| c.instrument.initial_margin = Margin::Fraction(12.0),
                "instrument.initial_margin is 12: it must be above 0 and at most 1",
            ),
            (|c| c.instrument.borrow_rate = f64::INFINITY, "instrument.borrow_rate is inf"),
            (|c| c.instrument.spread = -0.1, "instrument.spread is -0.1"),
            (|c| c.flows.push((0, NAN)), "flows[0] is NaN: it must be finite"),
            (|c| c.funding.push((0, "A".into(), NAN)), "funding[0] of A is NaN"),
        ];
        for (write, want) in cases {
            let mut config = EngineConfig::default();
            write(&mut config);
            let message = refused(&config);
            assert!(
                message.starts_with(want) && message.is_empty() == want.is_empty(),
                "{message}"
            );
        }
        for (initial, kept, want) in [
            (12_000.0, 11_000.0, ""),
            (0.0, 0.0, "instruments.ES.initial_margin is 0: it must be finite and above 0"),
            (
                11_000.0,
                12_000.0,
                "instruments.ES.maintenance_margin is 12000: it must be at most the initial margin",
            ),
        ] {
            let mut es = Instrument::default();
            per_contract(&mut es, initial, kept);
            let mut config = EngineConfig::default();
            config.instruments.insert("ES".into(), es);
            let message = refused(&config);
            assert!(
                message.starts_with(want) && message.is_empty() == want.is_empty(),
                "{message}"
            );
        }
    }
}
