"""What a stranger does in the first hour, and what each mistake says: what, where, how to go on."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import polars as pl
import pytest

import tapeworks as tw


class Idle(tw.Strategy):
    def on_market_data(self, event):
        pass


def simple(body) -> tw.Strategy:
    class Mine(tw.Strategy):
        def on_market_data(self, event):
            return body(self, event)

    return Mine()


def batched(body) -> tw.Strategy:
    class Mine(tw.Strategy):
        def on_timestamp_batch(self, timestamp, batch, context):
            return body(self, batch)

    return Mine()


class Both(tw.Strategy):
    def on_market_data(self, event): ...
    def on_timestamp_batch(self, timestamp, batch, context): ...


class FailsInFill(tw.Strategy):
    def on_market_data(self, event):
        if event.symbol == "A":
            self.buy("A", 1)

    def on_fill(self, fill):
        raise ValueError("my own problem")


class ForgetsSelf(tw.Strategy):
    def on_market_data(event):  # noqa: N805
        pass


class Plain:
    def on_market_data(self, event):
        pass


def a_change_of_a_view(strategy, batch):
    batch["close"][0] = 1.0


# What goes wrong in the strategy: its body, the words, the code.
IN_STRATEGY = {
    "a column that is misspelt": (
        simple, lambda s, e: e["clos"], "no column 'clos'; did you mean 'close'", "TW-S101"),
    "a signal that is not there": (
        simple, lambda s, e: e.signals["scor"], 'there is no "scor"; feed.columns lists', "TW-S101"),
    "an attribute that is misspelt": (
        simple, lambda s, e: e.clsoe, "did you mean 'close'", "TW-S101"),
    "a helper that is misspelt": (
        simple, lambda s, e: s.order_target_precent("A", 1), "did you mean 'order_target_percent'", "TW-S101"),
    "an unknown symbol": (
        simple, lambda s, e: s.buy("AA", 1), '"AA" is not among the 2 symbols of this feed', "TW-O301"),
    "a size that is a text": (
        simple, lambda s, e: s.buy("A", "5"), "must be real number, not str, while processing 'quantity'", "TW-S101"),
    "an event for a symbol": (
        simple, lambda s, e: s.buy(e, 5), "while processing 'symbol'", "TW-S101"),
    "a negative size": (
        simple, lambda s, e: s.buy("A", -5), "for the other direction call the other one", "TW-O304"),
    "no size": (simple, lambda s, e: s.buy("A"), "exactly one of quantity, percent, value", "TW-O302"),
    "two sizes": (
        simple, lambda s, e: s.buy("A", 1, percent=0.5), "exactly one of quantity, percent, value", "TW-O302"),
    "a keyword of an order that is misspelt": (
        simple, lambda s, e: s.buy("A", 1, stoploss=9.0), "did you mean 'stop_loss'", "TW-S101"),
    "more history than there is": (
        simple, lambda s, e: s.history("A", 50), "50 rows asked, 1 seen up to now", "TW-O308"),
    "targets of the simple mode": (
        simple, lambda s, e: tw.targets(weights=[1.0]), "on_market_data returned Targets, which nothing reads", "TW-O318"),
    "a number for a rule": (
        simple, lambda s, e: s.set_position_rules(0.05), r"use tw.StopLoss\(0.05\)", "TW-C421"),
    "a change of a view": (
        batched, a_change_of_a_view, r'change a copy, batch\["close"\].copy\(\)', "TW-S101"),
    "a column of a batch": (
        batched, lambda s, b: b["clos"], "no column 'clos'; did you mean 'close'", "TW-S101"),
    "a list of a batch strategy": (
        batched, lambda s, b: [0.5], "on_timestamp_batch returned a list", "TW-O311"),
    "a dict of a batch strategy": (
        batched, lambda s, b: {"A": 0.5}, "return tw.targets", "TW-O311"),
    "weights of the wrong length": (
        batched, lambda s, b: tw.targets(weights=[0.1, 0.2, 0.3]), "3 numbers for 2 rows", "TW-O312"),
    "targets of two meanings": (
        batched, lambda s, b: tw.targets(weights=[1], values=[1]), "exactly one of weights", "TW-O310"),
    "an index beyond the batch": (
        batched, lambda s, b: tw.orders([5], [1]), "names row 5, the batch has rows 0..2", "TW-O313"),
    "a keyword of targets": (
        batched, lambda s, b: tw.targets(weight=[1]), "did you mean 'weights'", "TW-S101"),
}


@pytest.mark.parametrize("name", IN_STRATEGY)
def test_strategy_when_it_is_wrong_then_told_what_and_when(tiny, name):
    kind, body, words, code = IN_STRATEGY[name]
    with pytest.raises(tw.Error, match=words) as caught:
        tw.run(tw.DataFeed(tiny), kind(body))
    assert caught.value.code == code
    hook = "on_market_data" if kind is simple else "on_timestamp_batch"
    assert hook in str(caught.value) and "2024-01-01" in str(caught.value)


def test_strategy_when_on_fill_raises_then_time_symbol_and_cause(tiny):
    with pytest.raises(tw.StrategyError) as caught:
        tw.run(tw.DataFeed(tiny), FailsInFill())
    assert "ValueError in on_fill at 2024-01-02 for A: my own problem" in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)
    # The traceback of the user's own line is kept.
    assert caught.value.__cause__.__traceback__.tb_frame.f_code.co_name == "on_fill"


def test_strategy_when_a_size_is_nan_then_refused_and_counted(tiny):
    result = tw.run(tw.DataFeed(tiny), simple(lambda s, e: s.buy("A", float("nan"))))
    assert result.reasons()["rejected: quantity_not_finite"] == 9
    assert "for missing values" in " ".join(repr(result.reasons()).split())


def test_strategy_when_its_init_calls_no_super_then_it_runs(tiny):
    class Own(tw.Strategy):
        def __init__(self, lot):
            self.lot = lot

        def on_market_data(self, event):
            self.buy(event.symbol, self.lot)

    assert len(tw.run(tw.DataFeed(tiny), Own(2)).fills) == 7


ARGUMENTS = {
    "the class of a strategy": (
        lambda feed, bars: tw.run(feed, Idle), tw.ConfigError, r"the class Idle.*tw.run\(feed, Idle\(\)\)"),
    "both callbacks": (lambda feed, bars: tw.run(feed, Both()), tw.ConfigError, "overrides both"),
    "no callback": (lambda feed, bars: tw.run(feed, tw.Strategy()), tw.ConfigError, "overrides neither"),
    "a class of its own": (
        lambda feed, bars: tw.run(feed, Plain()), tw.ConfigError, "object of a subclass of tw.Strategy"),
    "a function": (lambda feed, bars: tw.run(feed, lambda e: None), tw.ConfigError, "is a function"),
    "a callback without self": (
        lambda feed, bars: tw.run(feed, ForgetsSelf()), tw.StrategyError, r"takes \(self, event\)"),
    "a frame for a feed": (lambda feed, bars: tw.run(bars, Idle()), TypeError, r"tw.DataFeed\(bars\)"),
    "feed and strategy swapped": (lambda feed, bars: tw.run(Idle(), feed), TypeError, "not a Idle"),
    "a misspelt keyword of run": (
        lambda feed, bars: tw.run(feed, Idle(), comission=1), TypeError, "did you mean 'commission'"),
    "a number for a commission": (
        lambda feed, bars: tw.run(feed, Idle(), commission=0.001), tw.ConfigError, r"tw.Commission.percent\(5\)"),
    "cash that is a text": (
        lambda feed, bars: tw.run(feed, Idle(), cash="lots"), TypeError, "cash='lots' is a str, not a number"),
    "an instrument that is a dict": (
        lambda feed, bars: tw.run(feed, Idle(), instrument={"tick": 1}), TypeError, "not a tw.Instrument"),
    "a seed that is a fraction": (
        lambda feed, bars: tw.run(feed, Idle(), seed=0.5), TypeError, "whole number"),
    "a column of a rule": (
        lambda feed, bars: tw.run(feed, tw.rules.top_n("scor", 2)), tw.ConfigError, "did you mean score"),
    "a column of the feed": (
        lambda feed, bars: tw.DataFeed(bars, signal_columns=["scor"]).columns, tw.DataError, 'did you mean "score"'),
    "a column that is missing": (
        lambda feed, bars: tw.DataFeed(bars.drop("close")).columns, tw.DataError, "no column close; there are"),
    "a frame without time": (
        lambda feed, bars: tw.DataFeed(bars.drop("timestamp").to_pandas()).columns,
        tw.DataError, "no column timestamp.*\n.*DatetimeIndex"),
    "a frame without symbol": (
        lambda feed, bars: tw.DataFeed(bars.drop("symbol").to_pandas()).columns,
        tw.DataError, "no column symbol.*\n.*ticker"),
    "naive times and a calendar": (
        lambda feed, bars: tw.DataFeed(naive(bars), calendar="XNYS").columns,
        tw.DataError, "times without a zone.*\n.*America/New_York"),
    "a file that is not there": (
        lambda feed, bars: tw.DataFeed("nope.parquet").columns, tw.DataError, "no such file.*\n.*working folder"),
    "a dict for a table": (
        lambda feed, bars: tw.DataFeed({"close": [1]}), tw.DataError, "asset_data is a dict.*\n.*polars, pandas"),
    "an array for a table": (lambda feed, bars: tw.DataFeed(np.zeros((2, 2))), tw.DataError, "ndarray"),
    "a frame without rows": (lambda feed, bars: tw.DataFeed(bars[:0]).columns, tw.DataError, "no rows"),
    "a symbol that is not there": (
        lambda feed, bars: tw.DataFeed(bars, symbols=["C"]).columns, tw.DataError, 'no symbol "C"; the table has A, B'),
    "symbols that are numbers": (
        lambda feed, bars: tw.DataFeed(bars, symbols=[1]), tw.ConfigError, r"symbols=\[1\] is no list of names"),
    "a start after the end": (
        lambda feed, bars: tw.DataFeed(bars, start="2024-02-01", end="2024-01-01"),
        tw.ConfigError, "start=2024-02-01 is not before end=2024-01-01"),
    "a start after the data": (
        lambda feed, bars: tw.run(tw.DataFeed(bars, start="2025-01-01"), Idle()), tw.DataError, "no row in the range"),
    "a zone that is a city": (lambda feed, bars: tw.DataFeed(bars, tz="New York"), tw.ConfigError, "America/New_York"),
    "a calendar that is misspelt": (lambda feed, bars: tw.calendar("XNYX"), tw.ConfigError, "did you mean"),
    "an account without a kind": (
        lambda feed, bars: tw.Account("margin", leverage=3), tw.ConfigError, r"tw.Account.cash\(\), .margin\(\)"),
    "a stop of 500 percent": (lambda feed, bars: tw.StopLoss(5), tw.ConfigError, "0.05 is 5 %"),
    "a metric that is misspelt": (
        lambda feed, bars: tw.run(feed, Idle()).metrics["sharp"], KeyError, "did you mean 'sharpe'"),
    "a column of a table": (
        lambda feed, bars: tw.run(feed, Idle()).fills.to_numpy("prices"), KeyError, "did you mean 'price'"),
    "an indicator that is misspelt": (
        lambda feed, bars: tw.DataPreparer().add_prices(bars).add_indicators(["rsii:14"])
        .validate_and_save("out.parquet"), tw.ConfigError, 'did you mean "rsi"'),
    "a folder that is no run": (lambda feed, bars: tw.load("nowhere"), tw.OutputError, "is no run folder"),
    "a config that is not there": (lambda feed, bars: tw.run_config("nope.yaml"), tw.ConfigError, "cannot be read"),
    "a sample that is not there": (lambda feed, bars: tw.sample("hourly"), tw.ConfigError, "daily"),
    "an order outside of a run": (
        lambda feed, bars: Idle().buy("A", 1), tw.OrderError, "only while a run calls the strategy"),
}


def naive(bars: pl.DataFrame) -> pl.DataFrame:
    stamps = pl.col("timestamp").dt.replace_time_zone(None) + dt.timedelta(hours=15)
    return bars.with_columns(stamps)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_argument_when_it_is_wrong_then_told_what_to_write(tiny, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    call, error, words = ARGUMENTS[name]
    with pytest.raises(error) as caught:
        call(tw.DataFeed(tiny), tiny)
    assert re.search(words, str(caught.value), re.DOTALL), str(caught.value)
    if isinstance(caught.value, tw.Error):
        assert caught.value.code is not None and caught.value.code.startswith("TW-")
    assert list(tmp_path.iterdir()) == []


MISSPELT = {
    "DataFeed": (lambda: tw.DataFeed("x", calender="XNYS"), "calendar"),
    "DataPreparer": (lambda: tw.DataPreparer(calender="XNYS"), "calendar"),
    "Instrument": (lambda: tw.Instrument(multiplyer=3), "multiplier"),
    "Commission.percent": (lambda: tw.Commission.percent(5, minimun=1), "minimum"),
    "Slippage.volatility": (lambda: tw.Slippage.volatility(5, windw=3), "window"),
    "Impact.sqrt": (lambda: tw.Impact.sqrt(0.5, sigm=3), "sigma"),
    "Impact.power": (lambda: tw.Impact.power(0.5, 1, minimun=3), "minimum"),
    "Participation": (lambda: tw.Participation(0.1, bases="bar"), "basis"),
    "Account.margin": (lambda: tw.Account.margin(initiall=0.5), "initial"),
    "TrailingStop": (lambda: tw.TrailingStop(amonut=2), "amount"),
    "ScaledExit": (lambda: tw.ScaledExit([(0.1, 0.5)], off="initial"), "of"),
    "SignalExit": (lambda: tw.SignalExit("score", treshold=1), "threshold"),
    "Order.buy": (lambda: tw.Order.buy("A", 5, limt=3), "limit"),
    "targets": (lambda: tw.targets(weigths=[1]), "weights"),
    "orders": (lambda: tw.orders([0], [1], lmit=[2]), "limit"),
    "sort_bars": (lambda: tw.sort_bars("a", "b", memry="1MB"), "memory"),
    "adjust_prices": (lambda: tw.adjust_prices("a", "b", adjustmnt="split"), "adjustment"),
    "calendar": (lambda: tw.calendar("XNYS", nmae="x"), "name"),
    "run_config": (lambda: tw.run_config("a.yaml", overides={}), "overrides"),
    "rules.top_n": (lambda: tw.rules.top_n("score", 5, weigth=0.1), "weight"),
    "rules.sma_cross": (lambda: tw.rules.sma_cross(3, 5, 1, fats=3), "fast"),
    "limits.max_drawdown": (lambda: tw.limits.max_drawdown(0.2, action="warn", acton=1), "action"),
    "limits.gross_exposure": (lambda: tw.limits.gross_exposure(1.0, acton="warn"), "action"),
    "limits.value_at_risk": (lambda: tw.limits.value_at_risk(0.1, action="warn", windw=3), "window"),
    "resume": (lambda: tw.resume(None, None, strateg=1), "strategy"),
}


@pytest.mark.parametrize("name", MISSPELT)
def test_keyword_when_misspelt_then_the_nearest_is_named(name):
    call, meant = MISSPELT[name]
    with pytest.raises(TypeError, match=f"did you mean '{meant}'"):
        call()


def test_symbols_when_one_text_then_one_symbol(tiny):
    assert tw.DataFeed(tiny, symbols="A").symbols == ["A"]
