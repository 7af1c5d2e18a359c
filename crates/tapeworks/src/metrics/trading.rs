//! Statistics by trade: of closed trades, net of costs, never of days.

use super::Reason;
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};
use crate::records::{CostTotals, Records, TradeStatus};

/// What one pass over the trades yields.
#[derive(Debug)]
pub(super) struct Trading<'a> {
    pub records: &'a Records,
    /// What the run cost, by kind.
    pub costs: CostTotals,
    n_closed: usize,
    n_open: usize,
    n_wins: usize,
    n_losses: usize,
    net: f64,
    won: f64,
    lost: f64,
    bars: f64,
    days: f64,
    win_streak: usize,
    loss_streak: usize,
}

impl<'a> Trading<'a> {
    pub(super) fn new(records: &'a Records) -> Self {
        let mut sums = Self {
            records,
            costs: records.cost_totals(),
            n_closed: 0,
            n_open: 0,
            n_wins: 0,
            n_losses: 0,
            net: 0.0,
            won: 0.0,
            lost: 0.0,
            bars: 0.0,
            days: 0.0,
            win_streak: 0,
            loss_streak: 0,
        };
        let (mut wins, mut losses) = (0, 0);
        for trade in records.trades() {
            if trade.status == TradeStatus::Open {
                sums.n_open += 1;
                continue;
            }
            sums.n_closed += 1;
            sums.net += trade.pnl_net;
            sums.bars += trade.holding_period_bars.map_or(0.0, f64::from);
            sums.days += trade.holding_period_days;
            wins = if trade.pnl_net > 0.0 { wins + 1 } else { 0 };
            losses = if trade.pnl_net < 0.0 { losses + 1 } else { 0 };
            if trade.pnl_net > 0.0 {
                sums.n_wins += 1;
                sums.won += trade.pnl_net;
            } else if trade.pnl_net < 0.0 {
                sums.n_losses += 1;
                sums.lost += trade.pnl_net;
            }
            sums.win_streak = sums.win_streak.max(wins);
            sums.loss_streak = sums.loss_streak.max(losses);
        }
        sums
    }

    /// A value over all closed trades, undefined when there is none.
    fn of_closed(&self, value: impl Fn(&Self) -> Result<f64, Reason>) -> Outcome {
        let value = if self.n_closed == 0 { Err(Reason::NoTrades) } else { value(self) };
        Outcome::new(self.n_closed, value)
    }

    /// Mean win over mean loss.
    fn payoff(&self) -> Result<f64, Reason> {
        if self.n_losses == 0 {
            return Err(Reason::NoLosses);
        }
        if self.n_wins == 0 {
            return Err(Reason::NoWins);
        }
        let (win, loss) = (self.won / self.n_wins as f64, self.lost / self.n_losses as f64);
        Ok(win / loss.abs())
    }
}

/// A definition over closed trades.
const fn by_trade(
    key: &'static str,
    label: &'static str,
    unit: Unit,
    formula: &'static str,
    compute: fn(&Trading<'_>, &Conventions) -> Outcome,
) -> Definition {
    let convention = Convention::Fixed("by trade, net of costs, average price");
    Definition {
        key,
        label,
        unit,
        formula,
        reference: "",
        convention,
        source: Source::Trading(compute),
    }
}

pub(super) const N_TRADES: Definition = Definition {
    convention: Convention::Fixed("one a reducing fill"),
    ..by_trade("n_trades", "Trades", Unit::Count, "closed and partial trades", |t, _| {
        Outcome::new(t.n_closed, Ok(t.n_closed as f64))
    })
};

pub(super) const N_OPEN_TRADES: Definition = Definition {
    convention: Convention::Fixed("at the last mark"),
    ..by_trade("n_open_trades", "Open trades", Unit::Count, "positions held at the end", |t, _| {
        Outcome::new(t.n_open, Ok(t.n_open as f64))
    })
};

pub(super) const WIN_RATE: Definition = by_trade(
    "win_rate",
    "Win rate",
    Unit::Fraction,
    "trades with pnl_net > 0 / all closed trades",
    |t, _| t.of_closed(|t| Ok(t.n_wins as f64 / t.n_closed as f64)),
);

pub(super) const PROFIT_FACTOR: Definition =
    by_trade(
        "profit_factor",
        "Profit factor",
        Unit::Ratio,
        "sum(pnl_net > 0) / abs(sum(pnl_net < 0))",
        |t, _| {
            t.of_closed(|t| {
                if t.n_losses == 0 { Err(Reason::NoLosses) } else { Ok(t.won / t.lost.abs()) }
            })
        },
    );

pub(super) const EXPECTANCY: Definition =
    by_trade("expectancy", "Expectancy", Unit::Currency, "mean(pnl_net)", |t, _| {
        t.of_closed(|t| Ok(t.net / t.n_closed as f64))
    });

pub(super) const PAYOFF: Definition = by_trade(
    "payoff",
    "Payoff ratio",
    Unit::Ratio,
    "mean(pnl_net > 0) / abs(mean(pnl_net < 0))",
    |t, _| t.of_closed(Trading::payoff),
);

pub(super) const KELLY: Definition = by_trade(
    "kelly",
    "Kelly fraction",
    Unit::Fraction,
    "W - (1 - W) / payoff, W = win_rate",
    |t, _| {
        t.of_closed(|t| {
            let rate = t.n_wins as f64 / t.n_closed as f64;
            Ok(rate - (1.0 - rate) / t.payoff()?)
        })
    },
);

pub(super) const WIN_STREAK: Definition = by_trade(
    "win_streak",
    "Longest win streak",
    Unit::Count,
    "most consecutive trades with pnl_net > 0, in exit order",
    |t, _| t.of_closed(|t| Ok(t.win_streak as f64)),
);

pub(super) const LOSS_STREAK: Definition = by_trade(
    "loss_streak",
    "Longest loss streak",
    Unit::Count,
    "most consecutive trades with pnl_net < 0, in exit order",
    |t, _| t.of_closed(|t| Ok(t.loss_streak as f64)),
);

pub(super) const AVG_HOLDING_BARS: Definition = by_trade(
    "avg_holding_bars",
    "Average holding",
    Unit::Rows,
    "mean(holding_period_bars)",
    |t, _| t.of_closed(|t| Ok(t.bars / t.n_closed as f64)),
);

pub(super) const AVG_HOLDING_DAYS: Definition = by_trade(
    "avg_holding_days",
    "Average holding (days)",
    Unit::Days,
    "mean(holding_period_days)",
    |t, _| t.of_closed(|t| Ok(t.days / t.n_closed as f64)),
);
