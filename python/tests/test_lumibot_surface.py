"""What `tapeworks.compat.lumibot` offers, what it refuses, and its settings."""

import importlib
import logging

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

import numpy as np  # noqa: E402
import tapeworks as tw  # noqa: E402
from tapeworks.compat.lumibot import (  # noqa: E402
    Asset,
    Order,
    PandasDataBacktesting,
    Strategy,
)
from tapeworks.compat.lumibot._refuse import REFUSED  # noqa: E402

from lumibot_play import ZONE, Scripted, code_of, minutes, play  # noqa: E402


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("strategies", "Strategy"),
        ("strategies.strategy", "Strategy"),
        ("entities", "Asset"),
        ("entities.asset", "Asset"),
        ("entities", "TradingFee"),
        ("entities", "Data"),
        ("entities.order", "Order"),
        ("entities.position", "Position"),
        ("entities.bars", "Bars"),
        ("backtesting", "PandasDataBacktesting"),
        ("backtesting", "YahooDataBacktesting"),
        ("traders", "Trader"),
        ("traders.trader", "Trader"),
        ("credentials", "IS_BACKTESTING"),
    ],
)
def test_imports_when_lumibot_is_replaced_then_found(module, name):
    assert getattr(importlib.import_module(f"tapeworks.compat.lumibot.{module}"), name)


def test_import_when_only_the_compat_then_no_frame_library():
    import subprocess
    import sys

    code = (
        "import sys, tapeworks.compat.lumibot as l\n"
        "print(sorted({'pandas', 'polars', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_methods_when_called_then_reason_and_way_on(name):
    with pytest.raises(tw.ConfigError) as raised:
        getattr(Strategy(), name)("anything", length=3)
    assert code_of(raised) == "TW-C490"
    assert name in str(raised.value)
    assert raised.value.hint


def test_history_when_timeshift_is_negative_then_look_ahead_error():
    with pytest.raises(tw.LookAheadError) as raised:
        play({1: lambda s: s.get_historical_prices("A", 2, timeshift=-1)}, minutes([1, 2, 3]))
    assert code_of(raised) == "TW-L140"


def test_sleeptime_when_finer_than_rows_then_error():
    class Fast(Strategy):
        def initialize(self):
            self.sleeptime = "10S"
            self.set_market("24/7")

    with pytest.raises(tw.ConfigError, match="finer than the rows") as raised:
        Fast.backtest({Asset("A"): minutes([1, 2, 3])})
    assert code_of(raised) == "TW-C497"


@pytest.mark.parametrize(
    ("terms", "error", "text"),
    [
        ({"budgett": 1}, TypeError, "did you mean 'budget'"),
        ({"last_price": "mid"}, tw.ConfigError, "last_price"),
        ({"starting_positions": {"A": 1}}, tw.ConfigError, "starting_positions"),
        ({"pandas_data": 3}, tw.ConfigError, "pandas_data"),
        ({"pandas_data": {}}, tw.ConfigError, "empty"),
        ({"pandas_data": {"A": pd.DataFrame({"open": [1.0]})}}, tw.ConfigError, "no times"),
        ({"pandas_data": {"A": minutes([1, 2])[["open"]]}}, tw.ConfigError, "no column 'high'"),
        ({"pandas_data": {"A": minutes([1, 2]).iloc[[0, 0]]}}, tw.ConfigError, "two rows"),
        (
            {"pandas_data": {"A": minutes([1, 2]).assign(dividend=1.0)}},
            tw.ConfigError,
            "would not be booked",
        ),
        ({"pandas_data": None}, tw.ConfigError, "no data"),
    ],
)
def test_backtest_when_arguments_are_wrong_then_told(terms, error, text):
    good = {"pandas_data": {"A": minutes([1, 2, 3])}, "progress": False}
    with pytest.raises(error, match=text):
        Scripted.backtest(PandasDataBacktesting, **{**good, **terms})


def test_backtest_when_source_asks_a_vendor_then_refused():
    from tapeworks.compat.lumibot.backtesting import YahooDataBacktesting

    with pytest.raises(tw.ConfigError, match="over a network") as raised:
        Scripted.backtest(YahooDataBacktesting, "2024-01-02", "2024-02-01")
    assert code_of(raised) == "TW-C498"


def test_orders_when_they_cannot_be_simulated_then_told():
    wrong = [
        {"quantity": 0.0, "side": "buy"},
        {"quantity": 1, "side": "buy", "order_type": "smart_limit"},
        {"quantity": 1, "side": "buy", "order_class": "bracket"},
        {"quantity": 1, "side": "buy", "limit_price": 1.0, "time_in_force": "never"},
    ]
    for terms in wrong[1:]:
        with pytest.raises(tw.OrderError) as raised:
            order = {0: lambda s, t=terms: s.submit_order(s.create_order("A", **t))}
            play(order, minutes([1, 2, 3]))
        assert code_of(raised) == "TW-O343", terms
    result, _ = play(
        {0: lambda s: s.submit_order(s.create_order("A", **wrong[0]))}, minutes([1, 2])
    )
    assert len(result.orders) == 0
    for asset, code in ((Asset("B"), "TW-O341"), (Asset("A", multiplier=5), "TW-O341")):
        with pytest.raises(tw.OrderError) as raised:
            order = {0: lambda s, a=asset: s.submit_order(s.create_order(a, 1, "buy"))}
            play(order, minutes([1, 2, 3]))
        assert code_of(raised) == code
    with pytest.raises(tw.OrderError, match="side='bye'"):
        Order(None, "A", 1, "bye")


def test_orders_when_sent_in_initialize_then_told():
    class Early(Strategy):
        def initialize(self):
            self.submit_order(self.create_order("A", 1, "buy"))

    with pytest.raises(tw.OrderError) as raised:
        Early.backtest({Asset("A"): minutes([1, 2, 3])})
    assert code_of(raised) == "TW-O342"


def test_parameters_when_given_then_passed_by_name_and_merged():
    class Tuned(Strategy):
        parameters = {"length": 3, "share": 0.5}

        def initialize(self, length=1):
            self.got = length
            self.updated = None
            self.set_market("24/7")

        def on_parameters_updated(self, parameters):
            self.updated = parameters

        def on_trading_iteration(self):
            self.update_parameters({"share": 0.1})
            self.vars.count = self.vars.get("count", 0) + 1

        def trace_stats(self, context, snapshot_before):
            return {"count": self.vars.count}

    _, ran = Tuned.run_backtest(
        {Asset("A"): minutes([1, 2, 3])}, parameters={"length": 7}, progress=False
    )
    assert ran.got == 7
    assert ran.get_parameters() == {"length": 7, "share": 0.1}
    assert ran.updated == {"share": 0.1}
    assert ran.vars.all() == {"count": 3}
    assert [row["count"] for row in ran.stats] == [1, 2, 3]
    assert Tuned.parameters == {"length": 3, "share": 0.5}


def test_crash_when_a_hook_raises_then_told_and_raised():
    class Crashing(Scripted):
        crashed = None

        def on_bot_crash(self, error):
            type(self).crashed = error

        def on_trading_iteration(self):
            raise KeyError("gone")

    with pytest.raises(tw.StrategyError, match="gone"):
        Crashing.backtest({Asset("A"): minutes([1, 2, 3])})
    assert isinstance(Crashing.crashed, KeyError)


def test_notes_when_written_then_kept_with_their_time(caplog):
    def write(strategy):
        strategy.add_marker("buy", 1.5, "green")
        strategy.add_line("price", 2.5, color="blue")
        assert strategy.log_message("hello", color="red") == "hello"

    with caplog.at_level(logging.INFO, logger="tapeworks.compat.lumibot"):
        _, ran = play({1: write}, minutes([1, 2, 3]))
    markers, lines = ran.get_markers_df(), ran.get_lines_df()
    assert markers[["name", "value", "color"]].to_numpy().tolist() == [["buy", 1.5, "green"]]
    assert lines["datetime"][0] == pd.Timestamp("2024-01-02 09:32", tz=ZONE)
    assert any("hello" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("method", "minute"), [("backtest", 59), ("run_backtest", 55)])
def test_close_when_not_said_then_as_many_minutes_before_it_as_in_lumibot(method, minute):
    seen = []

    class Closing(Strategy):
        def before_market_closes(self):
            seen.append(self.get_datetime().minute)

    getattr(Closing, method)({Asset("A"): minutes(np.full(390, 1.0))}, progress=False)
    assert seen == [minute]


def test_market_when_unknown_then_error_lists_them():
    with pytest.raises(tw.ConfigError, match="no such market") as raised:
        play({}, minutes([1, 2, 3]), market="MOON")
    assert code_of(raised) == "TW-C496"


def test_span_when_outside_the_data_then_error_names_both():
    with pytest.raises(tw.ConfigError, match="no iteration between 2023-01-01") as raised:
        play({}, minutes([1, 2, 3]), "2023-01-01", "2023-01-05")
    assert code_of(raised) == "TW-C499"


def test_example_when_run_then_as_printed():
    import doctest

    import tapeworks.compat.lumibot as package

    modules = [package, importlib.import_module("tapeworks.compat.lumibot.entities.asset")]
    done = [doctest.testmod(module) for module in modules]
    assert sum(one.attempted for one in done) >= 9
    assert sum(one.failed for one in done) == 0
