"""The terms of a run: costs, accounts, instruments, rules, limits, schedules, semantics.

Prices are counted by hand on `tiny`: symbol A on the days 1 to 5 (row i) opens at 10 + i, trades
9 + i .. 11 + i, closes at 10.5 + i, volume 100. An order of day 1 fills on day 2 at 11.
"""

from __future__ import annotations

import inspect

import numpy as np
import polars as pl
import pytest

import tapeworks as tw
from test_strategy import fills, run


def buy_ten(s, e):
    s.buy("A", 10)


def first_fill(tiny, **terms) -> dict:
    _, result = run(tiny, {0: buy_ten}, **terms)
    return result.fills.to_polars().row(0, named=True)


def codes(result) -> list[str]:
    return list(result.rejections.to_polars()["code"].cast(pl.String))


# --- costs ---

COMMISSION = tw.Commission
LEVY = COMMISSION.combined(COMMISSION.per_fill(1.0), COMMISSION.sell_levy(50))


@pytest.mark.parametrize(
    ("commission", "fee"),
    [
        (COMMISSION.none(), 0.0),
        (COMMISSION.percent(bps=100), 1.1),  # of 10 x 11
        (COMMISSION.percent(bps=100, minimum=3.0), 3.0),
        (COMMISSION.percent(bps=100, maximum=0.005), 0.55),
        (COMMISSION.per_share(0.5), 5.0),
        (COMMISSION.per_share(0.5, minimum=7.0), 7.0),
        (COMMISSION.per_fill(2.0), 2.0),
        (COMMISSION.per_trade(1.5), 1.5),
        (COMMISSION.tiered([(50, 100), (None, 50)]), 0.8),  # 50 at 1 %, 60 at 0.5 %
        (COMMISSION.tiered([(50, 100), (None, 50)], marginal=False), 0.55),
        (COMMISSION.tiered([(4, 0.5), (None, 0.25)], rate="per_share"), 3.5),
        (COMMISSION.maker_taker(-10, 20), 0.22),
        (COMMISSION.sell_levy(50), 0.0),
        (LEVY, 1.0),
        (COMMISSION.custom(lambda quantity, price: 0.001 * quantity * price), 0.11),
        (COMMISSION.custom(lambda **of: of["value"] * 0.01 + (of["side"] == "buy")), 2.1),
    ],
    ids=repr,
)
def test_commission_when_given_then_charged_by_hand(tiny, commission, fee):
    assert first_fill(tiny, commission=commission)["commission"] == pytest.approx(fee, rel=1e-12)


TICK = {"instrument": tw.Instrument(tick=0.05)}


@pytest.mark.parametrize(
    ("slippage", "price", "terms"),
    [
        (tw.Slippage.none(), 11.0, {}),
        (tw.Slippage.percent(bps=100), 11.11, {}),
        (tw.Slippage.fixed(0.1), 11.1, {}),
        (tw.Slippage.ticks(2), 11.1, TICK),
        (tw.Slippage.spread(0.2), 11.1, {}),
        (tw.Slippage.spread(0.2, half=True), 11.2, {}),
        (tw.Slippage.spread(0.2), 11.3, {"instruments": {"A": tw.Instrument(spread=0.6)}}),
        (tw.Slippage.spread_bps(200), 11.11, {}),
        (tw.Slippage.volume_share(0.5), 11.55, {}),
        (tw.Slippage.volume_share_sq(0.5), 11.055, {}),
        (tw.Slippage.volatility(100), 11.0 * (1 + 7.5e-4), {}),  # one row of the past
        (tw.Slippage.custom(lambda price, volume: price / volume), 11.11, {}),
    ],
    ids=repr,
)
def test_slippage_when_given_then_the_price_by_hand(tiny, slippage, price, terms):
    assert first_fill(tiny, slippage=slippage, **terms)["price"] == pytest.approx(price, rel=1e-12)


def test_quote_when_the_row_has_one_then_bought_at_the_ask(tiny):
    quoted = tiny.with_columns(bid=pl.col("open") - 0.25, ask=pl.col("open") + 0.25)
    assert first_fill(quoted, slippage=tw.Slippage.quote())["price"] == 11.25
    blank = quoted.with_columns(ask=pl.lit(None, dtype=pl.Float64))
    fallback = tw.Slippage.quote(fallback=tw.Slippage.fixed(0.5))
    assert first_fill(blank, slippage=fallback)["price"] == 11.5


@pytest.mark.parametrize(
    ("impact", "price"),
    [
        (tw.Impact.none(), 11.0),
        (tw.Impact.linear(0.5), 11.55),  # 0.5 x 10 / 100
        (tw.Impact.sqrt(0.5, sigma=0.02), 11.0 * (1 + 0.01 * 0.1**0.5)),
        (tw.Impact.power(0.5, 2), 11.055),
        (tw.Impact.power(0.5, 2, minimum=1.0), 12.0),
        (tw.Impact.custom(lambda quantity: 0.01 * quantity), 11.1),
    ],
    ids=repr,
)
def test_impact_when_given_then_the_price_by_hand(tiny, impact, price):
    assert first_fill(tiny, impact=impact)["price"] == pytest.approx(price, rel=1e-12)


@pytest.mark.parametrize("cap", [0.05, tw.Participation(0.05), tw.Participation(0.05, scope="order")])
def test_participation_when_capped_then_the_rest_waits(tiny, cap):
    _, result = run(tiny, {0: buy_ten}, participation=cap)
    assert fills(result) == [(2, "A", 5.0, 11.0), (3, "A", 5.0, 12.0)]


def test_stop_slippage_when_a_stop_triggers_then_paid_besides(tiny):
    _, result = run(tiny, {0: lambda s, e: s.buy("A", 1, stop=11.5)}, stop_slippage=0.01)
    assert fills(result)[0][3] == pytest.approx(11.5 * 1.01, rel=1e-15)


def test_model_when_it_raises_then_strategy_error_with_the_cause(tiny):
    for name, model in {
        "commission": tw.Commission.custom(lambda quantity: 1 / 0),
        "slippage": tw.Slippage.custom(lambda price: 1 / 0),
        "impact": tw.Impact.custom(lambda price: 1 / 0),
    }.items():
        with pytest.raises(tw.StrategyError, match=f"ZeroDivisionError in the {name}") as caught:
            run(tiny, {0: buy_ten}, **{name: model})
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        if name != "commission":
            assert "2024-01-02" in str(caught.value)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"commission": tw.Commission.custom(lambda quantity: float("nan"))}, "finite"),
        ({"slippage": tw.Slippage.custom(lambda quantity: float("inf"))}, "finite"),
        ({"slippage": tw.Slippage.custom(lambda quantity: -1.0)}, "not negative"),
        ({"commission": tw.Commission.custom(lambda quantity: "1 %")}, "TypeError"),
        ({"slippage": tw.Slippage.ticks(1)}, "tick"),
    ],
)
def test_model_when_it_gives_no_cost_then_strategy_error(tiny, terms, words):
    with pytest.raises(tw.Error, match=words):
        run(tiny, {0: buy_ten}, **terms)


def test_model_when_it_asks_for_what_is_not_there_then_config_error():
    with pytest.raises(tw.ConfigError, match="did you mean 'quantity'"):
        tw.Commission.custom(lambda quantiy, price: 0.0)
    with pytest.raises(tw.ConfigError, match="cannot be called"):
        tw.Slippage.custom(5.0)


# --- accounts and instruments ---


def test_account_when_it_may_short_then_short(tiny):
    short = {0: lambda s, e: s.sell("A", 5)}
    _, result = run(tiny, short)
    assert codes(result) == ["short_not_allowed"]
    for account in ("margin", tw.Account.margin(initial=0.5)):
        _, result = run(tiny, short, account=account)
        assert fills(result) == [(2, "A", -5.0, 11.0)]


def test_margin_when_less_is_asked_then_more_can_be_bought(tiny):
    # 1,000 of equity carry 2,000 at a margin of one half and 4,000 at a quarter: 181, 363 at 11
    for account, most in ((tw.Account.margin(), 181), (tw.Account.margin(initial=0.25), 363)):
        _, result = run(tiny, {0: lambda s, e: s.buy("A", most)}, cash=1_000, account=account)
        assert fills(result) == [(2, "A", float(most), 11.0)]
        _, result = run(tiny, {0: lambda s, e: s.buy("A", most + 1)}, cash=1_000, account=account)
        assert codes(result) == ["insufficient_margin"]


def test_future_when_held_then_gains_are_settled_each_row(tiny):
    future = tw.Instrument(multiplier=10, margin=20, future=True, tick=0.5)
    days = {0: lambda s, e: s.buy("A", 2)}
    terms = {"cash": 1_000, "account": "futures", "instruments": {"A": future}}
    _, result = run(tiny, days, **terms)
    # 2 contracts of 10 from 11: closes 11.5, 12.5, 13.5, 14.5
    assert list(result.portfolio.to_polars()["cash"]) == [1_000, 1_010, 1_030, 1_050, 1_070]
    assert list(result.portfolio.to_polars()["equity"]) == [1_000, 1_010, 1_030, 1_050, 1_070]
    _, result = run(tiny, {0: lambda s, e: s.buy("A", 51)}, **terms)
    assert codes(result) == ["insufficient_margin"]


def test_instrument_when_it_has_steps_then_orders_keep_them(tiny):
    _, result = run(tiny, {0: lambda s, e: s.buy("A", 7)}, instrument=tw.Instrument(lot=5))
    assert fills(result) == [(2, "A", 5.0, 11.0)]
    closed = tw.Instrument(shortable=False)
    short = {0: lambda s, e: s.sell("A", 5)}
    _, result = run(tiny, short, account="margin", instruments={"A": closed})
    assert codes(result) == ["not_shortable"]


# --- what is known beforehand ---


@pytest.mark.parametrize("as_table", [False, True])
def test_flows_when_given_then_cash_moves(tiny, as_table):
    flows = [("2024-01-03", 500.0), ("2024-01-05", -200.0)]
    if as_table:
        flows = pl.DataFrame(flows, ["timestamp", "amount"], orient="row").with_columns(
            pl.col("timestamp").str.to_datetime(time_zone="UTC")
        )
    _, result = run(tiny, {}, cash=1_000, flows=flows)
    assert list(result.portfolio.to_polars()["cash"]) == [1_000, 1_000, 1_500, 1_500, 1_300]


@pytest.mark.parametrize("as_table", [False, True])
def test_funding_when_given_then_longs_pay(tiny, as_table):
    funding = [("2024-01-03", "A", 0.01), ("2024-01-04", "B", 0.5)]
    if as_table:
        funding = pl.DataFrame(funding, ["timestamp", "symbol", "rate"], orient="row").with_columns(
            pl.col("timestamp").str.to_datetime(time_zone="UTC")
        )
    _, result = run(tiny, {0: buy_ten}, cash=1_000, funding=funding)
    # 10 held at the close 12.5 of day 3: 1.25 of 1,000 - 110
    cash = list(result.portfolio.to_polars()["cash"])
    assert cash == pytest.approx([1_000, 890, 888.75, 888.75, 888.75], rel=1e-12)


def test_rolls_when_due_then_the_position_moves(tiny):
    _, result = run(tiny, {0: buy_ten}, rolls=[("2024-01-04", "A", "B")])
    # day 4: A opens at 13, B at 17
    assert fills(result) == [(2, "A", 10.0, 11.0), (4, "A", -10.0, 13.0), (4, "B", 10.0, 17.0)]


# --- rules, limits, semantics, snapshots ---


@pytest.mark.parametrize(
    ("rule", "expected", "reason"),
    [
        # entry at 11 on day 2 (10 .. 12); then 11 .. 13, 12 .. 14, 13 .. 15
        (tw.StopLoss(0.05), [(2, -10.0, 11.0 * 0.95)], "stop_loss"),
        (tw.TakeProfit(0.1), [(3, -10.0, 11.0 * 1.1)], "take_profit"),
        (tw.TrailingStop(amount=1.0), [(2, -10.0, 10.0)], "trailing"),
        (tw.TimeExit(1), [(4, -10.0, 13.0)], "time"),
        # at half of the position each: 12.1 on day 3, 13.2 on day 4
        (
            tw.ScaledExit([(0.1, 0.5), (0.2, 0.5)]),
            [(3, -5.0, 11.0 * 1.1), (4, -5.0, 11.0 * 1.2)],
            "scaled",
        ),
        # atr is 0.1 at the decision on day 2 or before: 11 - 100 x 0 has no distance on day 1
        (tw.AnyOf(tw.TakeProfit(0.1), tw.TimeExit(1)), [(3, -10.0, 11.0 * 1.1)], "take_profit"),
        (tw.AllOf(tw.TimeExit(1), tw.TakeProfit(0.1)), [(4, -10.0, 13.0)], "all_rules"),
    ],
    ids=repr,
)
def test_rule_when_it_fires_then_closed_by_hand(tiny, rule, expected, reason):
    _, result = run(tiny, {0: buy_ten}, rules=rule)
    exits = fills(result)[1:]
    assert [(day, units) for day, _, units, _ in exits] == [row[:2] for row in expected]
    prices = [price for *_, price in exits]
    assert prices == pytest.approx([price for *_, price in expected], rel=1e-15)
    assert set(result.fills.to_polars()["reason"].cast(pl.String)[1:]) == {reason}


def test_limits_when_reached_then_refused_or_closed(tiny):
    def both(s, e):
        s.buy("A", 10), s.buy("B", 10)

    _, result = run(tiny, {0: both}, limits=tw.limits.max_positions(1))
    assert codes(result) == ["limit_positions"]
    _, result = run(tiny, {0: both}, limits=[tw.limits.max_orders(1)])
    assert codes(result) == ["limit_order_count"]
    _, result = run(tiny, {0: both}, limits=[tw.limits.symbol_exposure(0.001)])
    assert codes(result) == ["limit_exposure", "limit_exposure"]
    # 50 B bought at 19 on day 2, closing at 18.5: 25 of 1,000 are gone; all is sold on day 4
    limit = tw.limits.max_drawdown(0.02, action="liquidate")
    _, result = run(tiny, {0: lambda s, e: s.buy("B", 50)}, cash=1_000, limits=limit)
    assert fills(result) == [(2, "B", 50.0, 19.0), (4, "B", -50.0, 17.0)]


def test_semantics_when_a_knob_is_changed_then_the_other_level_fires(tiny):
    rules = [tw.StopLoss(0.05), tw.TakeProfit(0.05)]
    for semantics, price in (
        ("realistic", 11.0 * 0.95),
        ({"base": "realistic", "entry_bar": "none"}, 12.0),
        ({"entry_bar": "full_bar", "both_hit": "profit_first"}, 11.0 * 1.05),
    ):
        _, result = run(tiny, {0: buy_ten}, rules=rules, semantics=semantics)
        assert fills(result)[1][3] == pytest.approx(price, rel=1e-15), semantics


def test_snapshot_when_by_session_then_the_last_state_of_each_day(tiny):
    shifted = tiny.with_columns(pl.col("timestamp") + pl.duration(hours=12))
    twice = pl.concat([tiny, shifted]).sort("timestamp", "symbol")
    by_row = tw.run(tw.DataFeed(twice), tw.rules.buy_and_hold())
    by_day = tw.run(tw.DataFeed(twice), tw.rules.buy_and_hold(), snapshot="session")
    assert (len(by_row.portfolio), len(by_day.portfolio)) == (10, 5)
    every, last = by_row.portfolio.to_numpy("equity"), by_day.portfolio.to_numpy("equity")
    assert np.array_equal(every[1::2], last)
    assert by_row.fills.to_polars().equals(by_day.fills.to_polars())


# --- what is typed wrongly ---


@pytest.mark.parametrize(
    ("call", "words", "hint"),
    [
        (lambda: tw.Commission.percent(bps=-1), "bps=-1, expected a number from 0", ""),
        (lambda: tw.Commission.percent(bps=1, scope="oder"), "did you mean 'order'", "fill"),
        (lambda: tw.Commission.percent(bps=1, maximum=5), "maximum=5", ""),
        (lambda: tw.Commission.tiered([(10, 1)]), "the last None", "None"),
        (lambda: tw.Commission.tiered([(10, 1), (5, 1), (None, 1)]), "up_to=5", "above"),
        (lambda: tw.Commission.combined(5), "5 is no commission", "sell_levy"),
        (lambda: tw.Slippage.percent(bps=10_000), "below 10000", ""),
        (lambda: tw.Slippage.quote(fallback=tw.Slippage.quote()), "a quote again", "percent"),
        (lambda: tw.Participation(1.5), "max_share=1.5", ""),
        (lambda: tw.Participation(0.1, basis="adv"), "window=0", "window=20"),
        (lambda: tw.Participation(0.1, basis="ad"), "did you mean 'adv'", "previous_bar"),
        (lambda: tw.Account.margin(initial=2), "initial=2", ""),
        (lambda: tw.Account.margin(maintenance=0.6), "from 0 to 0.5", ""),
        (lambda: tw.Account.cash(day_count=364), "252, 360 or 365", ""),
        (lambda: tw.Account.margin(margin_call="liqidate"), "did you mean 'liquidate'", "stop"),
        (lambda: tw.Instrument(tick=0), "tick=0", ""),
        (lambda: tw.Instrument(margin=10, margin_rate=0.1), "both given", "currency a contract"),
        (lambda: tw.StopLoss(1.5), "StopLoss: fraction=1.5", ""),
        (lambda: tw.TrailingStop(), "a fraction or an amount", "amount=2.5"),
        (lambda: tw.ScaledExit([(0.2, 0.5), (0.1, 0.5)]), "rising gains", "at a gain of 5 percent"),
        (lambda: tw.ScaledExit(0.5), "0.5 is no list of pairs", "at a gain of 5 percent"),
        (lambda: tw.Commission.tiered([1, 2]), "[1, 2] are no (up_to, rate)", "up to a million"),
        (lambda: tw.TimeExit(0), "bars=0", "twenty rows"),
        (lambda: tw.AllOf(), "has no rule", "tw.AllOf"),
        (lambda: tw.AnyOf(0.05), "no position rule", "tw.StopLoss"),
        (lambda: tw.limits.max_drawdown(20, action="warn"), "fraction=20", "0.05 is 5 %"),
        (lambda: tw.limits.max_drawdown(0.2, action="liquidat"), "did you mean 'liquidate'", "halt"),
        (lambda: tw.limits.max_drawdown(0.2, action="reduce"), "needs its fraction", '("reduce"'),
    ],
)
def test_term_when_wrong_then_error_where_it_is_written(call, words, hint):
    with pytest.raises(tw.ConfigError) as caught:
        call()
    assert words in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("options", "words", "hint"),
    [
        ({"commission": 0.001}, "commission=0.001 is no commission", "tw.Commission.percent"),
        ({"slippage": "5bps"}, "slippage=5bps", "tw.Slippage.percent"),
        ({"impact": tw.Slippage.percent(1)}, "impact=Slippage.percent", "tw.Impact.sqrt"),
        ({"participation": "10%"}, "participation='10%'", "tw.Participation"),
        ({"account": 5}, "account=5", "tw.Account.margin"),
        ({"semantics": {"base": "realstic"}}, "did you mean realistic", "one of"),
        ({"semantics": {"both_hits": "stop_first"}}, "did you mean both_hit", "knobs"),
        ({"semantics": {"both_hit": "stop_frist"}}, "did you mean stop_first", "profit_first"),
        ({"semantics": {"headroom": 2}}, "headroom is 2", ""),
        ({"instruments": {"APPL": tw.Instrument()}}, "did you mean AAPL", "as the data do"),
        ({"instruments": {"AAPL": 50}}, "is 50, which is no instrument", "multiplier=50"),
        ({"flows": [5]}, "5 is no (when, amount)", "list of"),
        ({"flows": [("2024-13-01", 5.0)]}, "2024-13-01", ""),
        ({"funding": [("2024-01-01", "IBN", 0.1)]}, "did you mean IBM", ""),
        ({"rolls": [("2024-01-01", "IBM", "IBM")]}, "of two contracts", ""),
        ({"limits": 0.2}, "0.2 is no limit", "tw.limits.max_drawdown"),
        ({"snapshot": "sesion"}, "did you mean 'session'", "bar"),
    ],
)
def test_run_when_a_term_is_wrong_then_error_with_remedy(options, words, hint):
    with pytest.raises(tw.ConfigError) as caught:
        tw.run(tw.sample("daily"), tw.rules.noop(), **options)
    assert words in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tw.Commission.percent(5, minimun=1), "did you mean 'minimum'"),
        (lambda: tw.Commission.percent(5, floor=1), "it has: bps, minimum, maximum, scope"),
        (lambda: tw.Account.margin(intial=0.5), "did you mean 'initial'"),
        (lambda: tw.Instrument(multiplyer=50), "did you mean 'multiplier'"),
        (lambda: tw.Participation(0.1, bassis="bar"), "did you mean 'basis'"),
        (lambda: tw.run(tw.sample(), tw.rules.noop(), limit=[]), "did you mean 'limits'"),
    ],
)
def test_keyword_when_unknown_then_the_one_that_is_meant(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_terms_when_printed_then_as_they_are_written():
    for text in (
        "Commission.percent(bps=10.0, minimum=1.0)",
        "Commission.per_share(0.005, minimum=1.0, maximum=0.01)",
        "Commission.tiered([(1000000.0, 10.0), (None, 5.0)], rate='bps', by='month', marginal=True)",
        "Commission.combined(Commission.per_fill(1.0), Commission.sell_levy(bps=50.0))",
        "Slippage.quote('bid', 'ask', fallback=Slippage.fixed(0.01))",
        "Impact.sqrt(0.5, sigma=0.02, volume_share=1.0)",
        "Participation(0.1, basis='adv', window=20, scope='symbol')",
        "Account.margin(initial=0.25, maintenance_long=0.125, maintenance_short=0.15)",
        "Instrument(multiplier=50, tick=0.25, margin=12000, future=True)",
        "AllOf(TimeExit(5), StopLoss(0.02))",
        "VolatilityStop(3, 'atr')",
        "limits.max_drawdown(0.2, action=('reduce', 0.5))",
    ):
        value = eval(text, dict(vars(tw)))
        assert repr(eval(repr(value), dict(vars(tw)))) == repr(value)
        shown = " ".join(repr(value).split())
        assert shown.replace(".0", "") == text.replace(".0", ""), text


def test_run_when_its_signature_is_read_then_every_default_shows():
    parameters = inspect.signature(tw.run).parameters
    assert parameters["account"].default == "cash"
    assert parameters["semantics"].default == "realistic"


def test_terms_when_given_in_python_or_in_a_config_then_the_same_run(tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text(
        """
backtest: {initial_capital: 100_000}
data: {asset_data: "sample:bars", signals: {path: "sample:signals"}, context_data: "sample:context"}
strategy: {rule: sma_cross, fast: 20, slow: 50, quantity: 300}
execution:
  semantics: {base: realistic, both_hit: profit_first}
  account: {kind: margin, maintenance_short: 0.2, borrow_rate: 0.03, debit_rate: 0.05}
  leverage_max: 4
  commission:
    - {kind: per_share, rate: 0.005, min: 1, max_pct: 0.01}
    - {kind: tiered, tiers: [{up_to: 20_000, bps: 10}, {bps: 5}], by: month}
    - {kind: sell_levy, bps: 2}
  slippage: {kind: volume_share, coefficient: 50}
  stop_slippage_bps: 10
  impact: {kind: sqrt, sigma: 0.03}
  participation: {max_share: 0.00001, basis: adv, window: 20}
  instruments: {IBM: {multiplier: 2, tick: 0.05}}
  flows: [{timestamp: 2008-01-31, amount: 5000}]
risk:
  position: [{trailing: 0.2}, {scaled: {steps: [[0.1, 0.5]]}}]
  portfolio: [{max_drawdown: 0.3, action: {reduce: 0.5}}, {max_positions: 4}]
"""
    )
    commission = tw.Commission.combined(
        tw.Commission.per_share(0.005, minimum=1, maximum=0.01),
        tw.Commission.tiered([(20_000, 10), (None, 5)], by="month"),
        tw.Commission.sell_levy(2),
    )
    called = tw.run(
        tw.sample("daily"),
        tw.rules.sma_cross(20, 50, quantity=300),
        cash=100_000,
        semantics={"base": "realistic", "both_hit": "profit_first"},
        account=tw.Account.margin(
            initial=0.25, maintenance_short=0.2, borrow_rate=0.03, debit_rate=0.05
        ),
        commission=commission,
        slippage=tw.Slippage.volume_share(50),
        stop_slippage=10 * 1e-4,
        impact=tw.Impact.sqrt(sigma=0.03),
        participation=tw.Participation(0.00001, basis="adv", window=20),
        instruments={"IBM": tw.Instrument(multiplier=2, tick=0.05)},
        flows=[("2008-01-31", 5000)],
        rules=[tw.TrailingStop(0.2), tw.ScaledExit([(0.1, 0.5)])],
        limits=[
            tw.limits.max_drawdown(0.3, action=("reduce", 0.5)),
            tw.limits.max_positions(4),
        ],
    )
    by_config = tw.run_config(config)
    assert by_config.fingerprint == called.fingerprint
    assert {"signal", "trailing", "scaled"} <= set(
        called.fills.to_polars()["reason"].drop_nulls().cast(pl.String)
    )
    assert by_config.metrics["commissions"] > 0
