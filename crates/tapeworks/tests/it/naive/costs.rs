//! Prices after costs and fees (3.1 - 3.5), by their formulas.

use tapeworks::broker::{
    Commission, Impact, Slippage, SpreadMeasure, Tier, TierBy, TierOf, TierStyle,
};

use super::Twin;
use super::book::{Hit, Order, Paid};
use super::matching::{MAKER, NO_VOLUME_COST};

impl Twin<'_> {
    pub(super) fn multiplier(&self, asset: u32) -> f64 {
        self.instrument(asset).multiplier
    }

    /// The price after all costs of a fill of `q` units, and whether a cost missed its volume.
    pub(super) fn price(&self, order: &Order, q: f64, hit: Hit) -> (f64, u8) {
        let d = order.d;
        let has_volume = self.instrument(order.asset).has_volume;
        let row = self.tradable(order.asset).filter(|_| has_volume);
        let volume = row.map_or(f64::NAN, |row| row.volume);
        let tick = self.instrument(order.asset).tick;
        let p0 = hit.base;
        let p1 = if hit.by_stop { p0 * (1.0 + d * self.config.stop_slippage) } else { p0 };
        let mut p3 = p1;
        let mut flags = 0;
        if hit.flags & MAKER == 0 {
            let p2 = p1 + d * self.impact(p1, q, volume);
            p3 = match self.config.slippage {
                Slippage::Percent { bps } => p2 * (1.0 + d * (bps * 1e-4)),
                _ => p2 + d * self.slip(order.asset, p2, q, volume),
            };
            let is_known = volume > 0.0;
            if !is_known && self.needs_volume() {
                flags = NO_VOLUME_COST;
            }
        }
        let p4 = if p3 != p0 && tick > 0.0 { to_tick(p3, tick, d > 0.0) } else { p3 };
        let p5 = match hit.limit {
            x if x.is_nan() => p4,
            x if d > 0.0 => p4.min(x),
            x => p4.max(x),
        };
        (p5, flags)
    }

    fn needs_volume(&self) -> bool {
        matches!(self.config.impact, Impact::Linear { .. } | Impact::Sqrt { .. })
            || matches!(
                self.config.slippage,
                Slippage::VolumeShare { .. } | Slippage::VolumeShareSquared { .. }
            )
    }

    fn impact(&self, price: f64, q: f64, volume: f64) -> f64 {
        match self.config.impact {
            _ if volume.is_nan() || volume <= 0.0 => 0.0,
            Impact::Linear { coefficient } => coefficient * (q / volume) * price,
            Impact::Sqrt { coefficient, sigma, volume_share } => {
                coefficient * sigma * (q / (volume * volume_share)).sqrt() * price
            }
            _ => 0.0,
        }
    }

    fn slip(&self, asset: u32, price: f64, q: f64, volume: f64) -> f64 {
        let instrument = self.instrument(asset);
        match self.config.slippage {
            Slippage::Ticks { n } => n * instrument.tick,
            Slippage::Spread { .. } if instrument.spread.is_finite() => instrument.spread / 2.0,
            Slippage::Spread { amount, measure: SpreadMeasure::Full } => amount / 2.0,
            Slippage::Fixed { amount }
            | Slippage::Spread { amount, measure: SpreadMeasure::Half } => amount,
            Slippage::SpreadBps { bps } => price * bps * 1e-4 / 2.0,
            Slippage::VolumeShare { coefficient } if volume > 0.0 => {
                price * coefficient * (q / volume)
            }
            Slippage::VolumeShareSquared { coefficient } if volume > 0.0 => {
                price * coefficient * ((self.used[asset as usize] + q) / volume).powi(2)
            }
            _ => 0.0,
        }
    }

    fn parts(&self) -> Vec<Commission> {
        match &self.config.commission {
            Commission::Combined(parts) => parts.clone(),
            one => vec![one.clone()],
        }
    }

    /// The fee of the next fill of an order, by part of the model.
    fn fees(&self, order: &Order, q: f64, price: f64, hit: Hit) -> Vec<Paid> {
        let notional = (q * price).abs() * self.multiplier(order.asset);
        let is_maker = hit.flags & MAKER != 0;
        let mut paid = Vec::new();
        for (i, part) in self.parts().iter().enumerate() {
            let before = order.paid.get(i).copied().unwrap_or_default();
            let total = before.notional + notional;
            let raw = match part {
                Commission::Percent { bps, .. } => notional * bps * 1e-4,
                Commission::PerShare { rate, .. } => q * rate,
                Commission::PerFill { amount } => *amount,
                Commission::PerOrder { amount } if order.filled == 0.0 => *amount,
                Commission::Tiered { tiers, by, style, of } => {
                    let (size, month) = match of {
                        TierOf::Percent => (notional, self.month_notional),
                        TierOf::PerUnit => (q, self.month_units),
                    };
                    let from = if *by == TierBy::Month { month } else { 0.0 };
                    tiered(tiers, from, size, *style)
                }
                Commission::MakerTaker { maker_bps, .. } if is_maker => notional * maker_bps * 1e-4,
                Commission::MakerTaker { taker_bps, .. } => notional * taker_bps * 1e-4,
                Commission::SellLevy { bps } if order.d < 0.0 => notional * bps * 1e-4,
                _ => 0.0,
            };
            let sum = before.raw + raw;
            let fee = match part {
                Commission::Percent { min, max_pct, .. }
                | Commission::PerShare { min, max_pct, .. } => {
                    let most = if max_pct.is_finite() { max_pct * total } else { f64::INFINITY };
                    (sum.max(*min).min(most) - before.fees).max(0.0)
                }
                _ => raw,
            };
            paid.push(Paid { raw: sum, notional: total, fees: before.fees + fee });
        }
        paid
    }

    pub(super) fn fee(&self, order: &Order, q: f64, price: f64, hit: Hit) -> f64 {
        let before: f64 = order.paid.iter().map(|paid| paid.fees).sum();
        let after: f64 = self.fees(order, q, price, hit).iter().map(|paid| paid.fees).sum();
        after - before
    }

    pub(super) fn note_fee(&mut self, id: u32, q: f64, price: f64, hit: Hit) {
        let order = self.order(id).clone();
        self.order_mut(id).paid = self.fees(&order, q, price, hit);
        self.month_units += q;
        self.month_notional += (q * price).abs() * self.multiplier(order.asset);
    }
}

/// A price in whole ticks; one that is whole but for rounding stays.
pub fn to_tick(price: f64, tick: f64, up: bool) -> f64 {
    let ticks = price / tick;
    if (ticks - ticks.round()).abs() <= 1e-9 * ticks.abs().max(1.0) {
        return tick * ticks.round();
    }
    tick * if up { ticks.ceil() } else { ticks.floor() }
}

/// `size` beyond `from`, each part at the rate of its bracket, or all at the last one's.
fn tiered(tiers: &[Tier], from: f64, size: f64, style: TierStyle) -> f64 {
    let last = tiers.len() - 1;
    if style == TierStyle::Whole {
        let bracket = tiers.iter().position(|tier| from + size <= tier.up_to).unwrap_or(last);
        return size * tiers[bracket].rate;
    }
    let mut start = 0.0;
    let mut fee = 0.0;
    for (i, tier) in tiers.iter().enumerate() {
        let end = if i == last { f64::INFINITY } else { tier.up_to };
        let part = (from + size).min(end) - from.max(start);
        fee += part.max(0.0) * tier.rate;
        start = end;
    }
    fee
}
