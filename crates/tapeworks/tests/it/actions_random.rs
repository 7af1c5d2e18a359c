//! Corporate actions on random markets and scripts, against runs that need none.
//!
//! - A split: the same market in the units after all splits, run without actions, is the oracle.
//!   Ratios are powers of two, so every price, quantity and sum agrees to the last bit.
//! - A dividend: funding moves the same cash at the same moment through other code.

use proptest::prelude::*;
use proptest::sample::select;
use tapeworks::base::{Actions, Adjustment, CorporateAction, Rescale};
use tapeworks::broker::{AccountKind, Commission, Lots, Participation, PositionRule, Slippage};
use tapeworks::engine::expression::RowProgram;
use tapeworks::engine::{
    Distance, EngineConfig, ExitPrice, OrderRequest, RunLog, Size, TrailTerms,
};
use tapeworks::feed::{ChunkSource, Layout, MarketChunk};
use tapeworks::records::Records;

use crate::actions::{dividend, split};
use crate::market::{Act, Market, at, bar_of, play, play_chunked};
use crate::random::{MAX_BARS, WIDTH, draws, market_of, script};

/// Ex-bar and ratio of the splits of each asset.
type Splits = Vec<Vec<(usize, f64)>>;

/// Units after all splits for a unit at `bar`.
fn scale(splits: &Splits, asset: u32, bar: usize) -> f64 {
    splits[asset as usize].iter().filter(|(ex, _)| *ex > bar).map(|(_, ratio)| ratio).product()
}

/// The market as it was quoted, and the actions that lie between.
fn quoted(market: &Market, splits: &Splits) -> Market {
    let mut raw = market.clone();
    for row in &mut raw.rows {
        let scale = scale(splits, row.asset, row.bar);
        row.ohlc = row.ohlc.map(|price| price * scale);
        row.volume /= scale;
        if let Some(width) = market.signals.iter().position(|name| name == WIDTH) {
            row.signals[width] *= scale;
        }
    }
    let of_asset = (0..).zip(splits);
    let list = of_asset
        .flat_map(|(asset, splits)| splits.iter().map(move |&(bar, r)| split(asset, bar, r)))
        .collect();
    raw.actions = Some(Actions::new(Adjustment::None, list));
    raw
}

fn quoted_order(order: &OrderRequest, splits: &Splits, bar: usize) -> Option<OrderRequest> {
    let scale = scale(splits, order.asset.0, bar);
    let Size::Quantity(units) = order.size else { return None };
    let price = |price: Option<f64>| price.map(|price| price * scale);
    let exit = |exit: Option<ExitPrice>| {
        exit.map(|exit| match exit {
            ExitPrice::Price(price) => ExitPrice::Price(price * scale),
            ExitPrice::Fraction(fraction) => ExitPrice::Fraction(fraction),
        })
    };
    let trail = |trail: Option<TrailTerms>| {
        trail.map(|trail| TrailTerms {
            distance: match trail.distance {
                Distance::Amount(amount) => Distance::Amount(amount * scale),
                Distance::Fraction(fraction) => Distance::Fraction(fraction),
            },
            limit_offset: price(trail.limit_offset),
            activate: price(trail.activate),
        })
    };
    Some(OrderRequest {
        size: Size::Quantity(units / scale),
        limit: price(order.limit),
        stop: price(order.stop),
        trail: trail(order.trail),
        stop_loss: exit(order.stop_loss),
        take_profit: exit(order.take_profit),
        trailing_exit: trail(order.trailing_exit),
        ..*order
    })
}

/// The act in the units of its bar; `None` for sizes that are rounded to lots of their time.
fn quoted_act(act: &Act, splits: &Splits, bar: usize) -> Option<Act> {
    let orders = |orders: &[OrderRequest]| {
        orders.iter().map(|order| quoted_order(order, splits, bar)).collect::<Option<Vec<_>>>()
    };
    Some(match act {
        Act::Order(order) => Act::Order(quoted_order(order, splits, bar)?),
        Act::Oco(list) => Act::Oco(orders(list)?),
        Act::Oto(parent, on, list) => {
            Act::Oto(quoted_order(parent, splits, bar)?, *on, orders(list)?)
        }
        Act::TargetQuantity(asset, units) => {
            Act::TargetQuantity(*asset, units / scale(splits, *asset, bar))
        }
        Act::Close(..) | Act::CloseAll | Act::Cancel(_) | Act::CancelAll(_) | Act::Resume => {
            act.clone()
        }
        Act::TargetPercent(..)
        | Act::TargetValue(..)
        | Act::Rebalance(_)
        | Act::Replace(..)
        | Act::SetRules(..) => return None,
    })
}

fn splits_of(n: u32) -> impl Strategy<Value = Splits> {
    let one = (1..MAX_BARS, select(vec![2.0, 4.0, 0.5, 0.25]));
    let of_asset = prop::collection::vec(one, 0..3).prop_map(|mut list| {
        list.sort_by_key(|(bar, _)| *bar);
        list.dedup_by_key(|(bar, _)| *bar);
        list
    });
    prop::collection::vec(of_asset, n as usize)
}

fn terms() -> impl Strategy<Value = EngineConfig> {
    let rules = prop::collection::vec(
        select(vec![
            PositionRule::StopLoss(0.125),
            PositionRule::TakeProfit(0.125),
            PositionRule::TrailingStop(0.125),
            PositionRule::VolatilityStop { multiple: 1.0, column: WIDTH.to_owned() },
            PositionRule::TimeExit(4),
        ]),
        0..3,
    );
    let kind = select(vec![AccountKind::Cash, AccountKind::Margin]);
    let bps = select(vec![0.0, 10.0]);
    let cap = prop::option::weighted(0.3, select(vec![0.25, 0.5]));
    let cash = select(vec![100_000.0, 300.0]);
    (rules, kind, (bps.clone(), bps), cap, cash).prop_map(
        |(rules, kind, (fee, slip), cap, cash)| EngineConfig {
            cash,
            rules,
            account: kind.into(),
            commission: Commission::percent(fee, 0.0),
            slippage: Slippage::Percent { bps: slip },
            participation: cap.map(Participation::new),
            lots: Lots::Fractional,
            ..EngineConfig::default()
        },
    )
}

/// A fill in the units after all splits.
fn restated(log: &RunLog, splits: &Splits) -> Vec<(i64, u32, f64, f64)> {
    let of_fill = |fill: &tapeworks::engine::FillRow| {
        let scale = scale(splits, fill.asset.0, bar_of(fill.timestamp));
        (fill.timestamp, fill.asset.0, fill.quantity * scale, fill.price / scale)
    };
    log.fills.iter().map(of_fill).collect()
}

proptest! {
    #![proptest_config(draws(5_000))]

    #[test]
    fn splits_when_random_then_the_run_is_that_on_adjusted_prices(
        (market, acts, splits, config) in (1_u32..=3).prop_flat_map(|n| {
            (market_of(n), script(n), splits_of(n), terms())
        })
    ) {
        // A target is cut to what cash can pay, in lots of its time.
        let is_cut = |act: &Act| matches!(act, Act::TargetQuantity(..)) && config.cash < 1000.0;
        let both: Vec<_> = acts
            .into_iter()
            .filter(|(_, act)| !is_cut(act))
            .filter_map(|(bar, act)| {
                let raw = quoted_act(&act, &splits, bar)?;
                Some(((bar, act), (bar, raw)))
            })
            .collect();
        let (acts, raw_acts): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        let oracle = play(&market, &acts, &config);
        let log = play(&quoted(&market, &splits), &raw_acts, &config);
        prop_assert_eq!(&log.states.equity, &oracle.states.equity, "A11");
        prop_assert_eq!(&log.states.cash, &oracle.states.cash);
        prop_assert_eq!(&log.states.positions_value, &oracle.states.positions_value);
        let none = vec![Vec::new(); splits.len()];
        prop_assert_eq!(restated(&log, &splits), restated(&oracle, &none));
        let ends = |log: &RunLog| log.orders.iter().map(|order| order.status).collect::<Vec<_>>();
        prop_assert_eq!(ends(&log), ends(&oracle));
        let (records, oracle) = (Records::new(log), Records::new(oracle));
        for (got, want) in records.trades().zip(oracle.trades()) {
            let told = |t: &tapeworks::records::Trade| {
                (t.pnl_net, t.return_gross, t.holding_period_bars, t.bars_to_mfe, t.bars_to_mae)
            };
            prop_assert_eq!(told(&got), told(&want));
            prop_assert_eq!(got.max_favorable_excursion, want.max_favorable_excursion);
            prop_assert_eq!(got.max_adverse_excursion, want.max_adverse_excursion);
        }
        let pnl = |records: &Records| records.trades_fifo().map(|t| t.pnl_net).collect::<Vec<_>>();
        prop_assert_eq!(pnl(&records), pnl(&oracle), "first in, first out");
        prop_assert_eq!(records.n_trades(), oracle.n_trades());
    }

    /// P4: what lies after a bar does not change what was before it.
    #[test]
    fn actions_when_they_lie_in_the_future_then_the_log_up_to_now_is_unchanged(
        (market, acts, (splits, amount), cut) in (1_u32..=2).prop_flat_map(|n| {
            (market_of(n), script(n), (splits_of(n), 0_u8..8), 1..MAX_BARS)
        })
    ) {
        let config = EngineConfig { account: AccountKind::Margin.into(), ..EngineConfig::default() };
        let mut later: Vec<CorporateAction> = (0..)
            .zip(&splits)
            .flat_map(|(a, list)| list.iter().map(move |&(bar, r)| split(a, bar, r)))
            .filter(|one| one.ex_date > crate::actions::day(cut))
            .collect();
        later.push(dividend(0, cut + 1, f64::from(amount) / 4.0, None));
        let plain = play(&market, &acts, &config);
        let with = Market { actions: Some(Actions::new(Adjustment::None, later)), ..market };
        let log = play(&with, &acts, &config);
        let until = |log: &RunLog| {
            let n = log.states.timestamp.partition_point(|&ts| ts <= at(cut));
            let fills = log.fills.iter().filter(|fill| fill.timestamp <= at(cut));
            let fills: Vec<_> = fills.map(|f| (f.timestamp, f.quantity.to_bits(), f.price.to_bits())).collect();
            (log.states.equity[..n].iter().map(|e| e.to_bits()).collect::<Vec<_>>(), fills)
        };
        prop_assert_eq!(until(&log), until(&plain));
    }

    /// A dividend of a fraction of the last close pays what funding at the negative rate pays.
    #[test]
    fn dividends_when_random_then_they_move_cash_as_funding_does(
        (market, acts, list) in (1_u32..=3).prop_flat_map(|n| {
            let one = (0..n, 1..MAX_BARS, select(vec![0.125, 0.25, 0.5]));
            (market_of(n), script(n), prop::collection::vec(one, 0..6))
        })
    ) {
        let mut list = list;
        list.sort_by_key(|&(asset, bar, _)| (bar, asset));
        list.dedup_by_key(|&mut (asset, bar, _)| (bar, asset));
        // The last close before each ex-bar; days without any row move nothing in either run.
        let bars = market.bars();
        let closes = |asset: u32, bar: usize| {
            let mut rows = market.rows.iter().filter(|row| row.asset == asset && row.bar < bar);
            rows.rfind(|row| row.ohlc[3].is_finite()).map(|row| row.ohlc[3])
        };
        let mut actions = Vec::new();
        let mut funding = Vec::new();
        for (asset, bar, rate) in list {
            let Some(close) = closes(asset, bar).filter(|_| bars.contains(&bar)) else { continue };
            actions.push(dividend(asset, bar, rate * close, None));
            // One nanosecond before the row: at the mark of the row before.
            funding.push((at(bar) - 1, market.symbols[asset as usize].clone(), -rate));
        }
        let config = EngineConfig { account: AccountKind::Margin.into(), ..EngineConfig::default() };
        let oracle = play(&market, &acts, &EngineConfig { funding, ..config.clone() });
        let raw = Market { actions: Some(Actions::new(Adjustment::None, actions)), ..market };
        let log = play(&raw, &acts, &config);
        prop_assert_eq!(&log.states.equity, &oracle.states.equity);
        prop_assert_eq!(&log.states.cash, &oracle.states.cash);
        let paid = |trades: Vec<tapeworks::records::Trade>| {
            trades.iter().map(|t| (t.pnl_net, t.dividends - t.funding)).collect::<Vec<_>>()
        };
        let trades = paid(Records::new(log).trades().collect());
        prop_assert_eq!(trades, paid(Records::new(oracle).trades().collect()));
    }

    /// Nothing depends on how the rows are cut into chunks.
    #[test]
    fn actions_when_chunks_differ_then_the_log_is_the_same(
        (market, acts, splits) in (1_u32..=2).prop_flat_map(|n| {
            (market_of(n), script(n), splits_of(n))
        }),
        chunk_len in 1_usize..9,
    ) {
        let raw = quoted(&market, &splits);
        let config = EngineConfig { account: AccountKind::Margin.into(), ..EngineConfig::default() };
        let one = play_chunked(&raw, &acts, &config, 100).0;
        let other = play_chunked(&raw, &acts, &config, chunk_len).0;
        let told = |log: &RunLog| log.states.equity.iter().map(|e| e.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(told(&one), told(&other));
        prop_assert_eq!(one.fills.len(), other.fills.len());
    }

    /// The state of an expression after a restatement is that of one which has seen restated rows
    /// only: the naive way, from the first row on.
    #[test]
    fn expression_when_the_past_is_restated_then_equals_one_over_restated_rows(
        market in market_of(2),
        rescales in prop::collection::vec((0_u32..2, 1..MAX_BARS, select(vec![0.5, 0.25, 2.0])), 0..4),
        text in select(vec![
            "ts_mean(close, 3)",
            "close / ts_delay(close, 2) - 1",
            "ts_std(ts_returns(close), 3)",
            "ts_mean(log(high), 2) + ts_sum(volume, 2)",
            "ts_max(ts_mean(open, 2), 3) > ts_min(low, 4)",
            "cross_above(close, ts_mean(close, 3))",
        ]),
    ) {
        prop_assume!(!market.rows.is_empty());
        let mut feed = market.feed(1000);
        let layout = Layout { signals: market.signals.clone(), ..Layout::default() };
        let chunk = feed.next_chunk().expect("in memory").expect("rows");
        let mut program = RowProgram::new(text, &layout).expect("an expression");
        program.keep_rows();
        let slice_at = |t: usize| tapeworks::engine::Slice::new(&chunk, t);
        let mut values = Vec::new();
        for t in 0..chunk.timestamps.len() {
            let bar = bar_of(chunk.timestamps[t]);
            for &(asset, _, price) in rescales.iter().filter(|(_, when, _)| *when == bar) {
                let asset = tapeworks::base::AssetId(asset);
                program.rescale(&Rescale { asset, price, volume: 1.0 / price });
            }
            program.evaluate(&slice_at(t), &mut values);
            // The naive way: all rows so far in the units of now, through a program of their own.
            let mut restated: MarketChunk = (*chunk).clone();
            for s in 0..=t {
                let then = bar_of(chunk.timestamps[s]);
                for row in chunk.offsets[s] as usize..chunk.offsets[s + 1] as usize {
                    for &(asset, when, price) in &rescales {
                        if asset == chunk.assets[row] && then < when && when <= bar
                            && chunk.timestamps.contains(&at(when)) {
                            for column in [&mut restated.open, &mut restated.high, &mut restated.low, &mut restated.close] {
                                column[row] *= price;
                            }
                            restated.volume[row] /= price;
                        }
                    }
                }
            }
            let mut naive = RowProgram::new(text, &layout).expect("an expression");
            let mut wanted = Vec::new();
            for s in 0..=t {
                naive.evaluate_at(&restated, s, &mut wanted);
            }
            for (got, want) in values.iter().zip(&wanted) {
                let near = (got - want).abs() <= 1e-12 * want.abs().max(1.0);
                prop_assert!(near || (got.is_nan() && want.is_nan()), "{text} at {bar}: {got}, not {want}");
            }
        }
    }
}
