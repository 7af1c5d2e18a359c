"""What `tapeworks.compat.lumibot` offers and what it refuses; expected values by hand."""

import importlib
import logging

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

import numpy as np  # noqa: E402

import tapeworks as tw  # noqa: E402
from tapeworks.compat.lumibot import (  # noqa: E402
    Asset,
    BacktestingBroker,
    Data,
    Order,
    PandasDataBacktesting,
    Strategy,
    Trader,
    TradingFee,
)
from tapeworks.compat.lumibot._refuse import REFUSED  # noqa: E402

ZONE = "America/New_York"


def minutes(closes, start="2024-01-02 09:30", opens=None, reach=0.5):
    """Minute bars around these closes; opens are the closes unless they are given."""
    index = pd.date_range(start, periods=len(closes), freq="1min", tz=ZONE)
    close = np.asarray(closes, dtype=float)
    open_ = close if opens is None else np.asarray(opens, dtype=float)
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) + reach,
            "low": np.minimum(open_, close) - reach,
            "close": close,
            "volume": 1000.0,
        },
        index=index,
    )


def days(closes, dates):
    close = np.asarray(closes, dtype=float)
    columns = {"open": close - 0.5, "high": close + 1, "low": close - 1, "close": close}
    return pd.DataFrame({**columns, "volume": 1.0}, index=pd.DatetimeIndex(dates))


class Scripted(Strategy):
    """Calls `script[n](self)` in iteration n, counted from 0, and writes down what happens."""

    script: dict = {}
    market = "24/7"

    def initialize(self):
        self.sleeptime = "1M"
        self.set_market(self.market)
        self.n = 0
        self.events = []

    def on_trading_iteration(self):
        if self.n in self.script:
            self.script[self.n](self)
        self.n += 1

    def on_new_order(self, order):
        self.events.append(("new", order.identifier))

    def on_filled_order(self, position, order, price, quantity, multiplier):
        self.events.append(("fill", order.identifier, price, quantity, position.quantity))

    def on_canceled_order(self, order):
        self.events.append(("canceled", order.identifier))


def play(script, frame, start=None, end=None, market="24/7", **terms):
    cls = type("Played", (Scripted,), {"script": script, "market": market})
    terms = {"progress": False, "minutes_before_closing": 1, **terms}
    data = frame if isinstance(frame, (dict, list, tw.DataFeed)) else {Asset("A"): frame}
    return cls.run_backtest(PandasDataBacktesting, start, end, pandas_data=data, **terms)


def prices_of(result):
    return result.fills.to_numpy("price").tolist()


def code_of(raised):
    return raised.value.code


# Imports


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


# Refusals


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


# Time and hooks


def test_hooks_when_session_is_short_then_called_in_order_at_their_times():
    """3 July 2024 ends at 13:00, the 4th is a holiday; 30-minute iterations until 12:55."""

    class Watcher(Strategy):
        def initialize(self):
            self.sleeptime = "30M"
            self.minutes_before_closing = 5
            self.seen = []

        def note(self, what):
            self.seen.append((what, self.get_datetime().strftime("%d %H:%M")))

        def before_market_opens(self):
            self.note("before_market_opens")

        def before_starting_trading(self):
            self.note("before_starting_trading")

        def on_trading_iteration(self):
            self.note("iteration")

        def before_market_closes(self):
            self.note("before_market_closes")

        def after_market_closes(self):
            self.note("after_market_closes")

        def on_strategy_end(self):
            self.note("end")

    index = [
        pd.date_range("2024-07-02 15:58", periods=2, freq="1min", tz=ZONE),
        pd.date_range("2024-07-03 09:30", periods=210, freq="1min", tz=ZONE),
        pd.date_range("2024-07-05 09:30", periods=3, freq="1min", tz=ZONE),
    ]
    frame = minutes(np.full(215, 10.0))
    frame.index = index[0].append(index[1:])
    _, ran = Watcher.run_backtest(
        PandasDataBacktesting,
        "2024-07-03",
        "2024-07-05 09:32",
        pandas_data={"A": frame},
        progress=False,
    )
    steps = [f"03 {h:02}:{m:02}" for h in (9, 10, 11, 12) for m in (0, 30)][1:]
    assert ran.seen == [
        ("before_market_opens", "03 08:30"),
        ("before_starting_trading", "03 09:30"),
        *(("iteration", step) for step in steps),
        ("before_market_closes", "03 12:55"),
        ("after_market_closes", "03 13:00"),
        ("before_market_opens", "05 08:30"),
        ("before_starting_trading", "05 09:30"),
        ("iteration", "05 09:30"),
        ("end", "05 09:30"),
    ]


def test_order_when_sent_before_the_open_then_fills_at_the_open():
    class Early(Scripted):
        market = "NYSE"

        def before_market_opens(self):
            if not self.get_orders():
                self.submit_order(self.create_order("A", 1, "buy"))

    frame = pd.concat([minutes([5, 6], "2024-01-02 15:58"), minutes([7, 8, 9], "2024-01-03 09:30")])
    result, _ = Early.run_backtest(
        PandasDataBacktesting, "2024-01-03", "2024-01-03 09:32", pandas_data={"A": frame}
    )
    assert prices_of(result) == [7.0]


def test_daily_bars_when_run_then_seen_after_their_close_and_filled_at_the_next_open():
    """Lumibot shows the bar of the day with its close and fills at its open: that is refused."""
    seen = []

    class Daily(Strategy):
        def on_trading_iteration(self):
            bars = self.get_historical_prices("A", 1, "day")
            seen.append((self.get_datetime().strftime("%d %H:%M"), bars.df.index[0].day))
            if self.first_iteration:
                self.submit_order(self.create_order("A", 1, "buy"))

    frame = days([10, 11, 12, 13], ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"])
    data = [Data(Asset("A"), frame, timestep="day")]
    result = Daily.backtest(
        PandasDataBacktesting, "2024-01-05", "2024-01-09 16:00", pandas_data=data, progress=False
    )
    assert seen == [("05 09:30", 4), ("08 09:30", 5), ("09 09:30", 8)]
    assert prices_of(result) == [10.5]


def test_daily_bars_when_no_session_then_error_names_the_market():
    frame = days([10, 11], ["2024-01-05", "2024-01-06"])
    with pytest.raises(tw.ConfigError, match="2024-01-06, no session of XNYS") as raised:
        Strategy.backtest([Data("A", frame, timestep="day")])
    assert code_of(raised) == "TW-C495"


def test_feed_when_given_then_iterates_over_its_rows():
    frame = minutes([10, 11, 12, 13]).tz_convert("UTC")
    table = frame.reset_index(names="timestamp").assign(symbol="A")
    feed = tw.DataFeed(table, label="start", frequency="1m")
    seen = {}
    script = {
        1: lambda s: seen.update(price=s.get_last_price("A"), now=s.get_datetime()),
        2: lambda s: s.submit_order(s.create_order("A", 2, "buy")),
    }
    result, _ = play(script, feed)
    assert (seen["price"], seen["now"].strftime("%H:%M")) == (11.0, "09:32")
    assert prices_of(result) == [13.0]


def test_trader_when_strategy_has_a_broker_then_result_by_name():
    start, end = (
        pd.Timestamp("2024-01-02 09:31", tz=ZONE),
        pd.Timestamp("2024-01-02 09:34", tz=ZONE),
    )
    source = PandasDataBacktesting(start, end, pandas_data={Asset("A"): minutes(range(1, 8))})
    cls = type(
        "T", (Scripted,), {"script": {0: lambda s: s.submit_order(s.create_order("A", 1, "buy"))}}
    )
    strategy = cls(broker=BacktestingBroker(source), budget=500, name="mine")
    trader = Trader(logfile="", backtest=True)
    trader.add_strategy(strategy)
    results = trader.run_all(show_plot=False)
    assert list(results) == ["mine"]
    assert prices_of(results["mine"]) == [2.0]
    assert strategy.cash == 498.0


# History


def test_history_when_native_then_lumibots_layout():
    kept = {}
    play(
        {3: lambda s: kept.update(bars=s.get_historical_prices("A", 2, "minute"))},
        minutes([1, 2, 4, 5, 6]),
    )
    frame = kept["bars"].df
    assert list(frame.columns) == ["open", "high", "low", "close", "volume", "return"]
    assert (frame.index.name, str(frame.index.tz)) == ("datetime", ZONE)
    assert frame.index[-1] == pd.Timestamp("2024-01-02 09:33", tz=ZONE)
    assert frame["close"].tolist() == [4.0, 5.0]
    assert frame["return"].tolist() == [1.0, 0.25]
    assert kept["bars"].pandas_df is frame
    assert kept["bars"].get_last_price() == 5.0
    assert len(kept["bars"]) == 2
    polars = pytest.importorskip("polars")
    other = kept["bars"].polars_df
    assert isinstance(other, polars.DataFrame)
    assert other.columns == ["datetime", *frame.columns]
    assert other["close"].to_list() == [4.0, 5.0]
    assert kept["bars"]["close"].flags.writeable is False


def test_history_when_frame_is_changed_then_the_past_stays():
    seen = []

    def change(strategy):
        frame = strategy.get_historical_prices("A", 3).df
        seen.append(frame["close"].tolist())
        frame["close"] = 0.0
        frame.iloc[0] = -1.0

    play(dict.fromkeys(range(4), change), minutes([1, 2, 3, 4]))
    assert seen == [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]


def test_history_when_coarser_then_equal_to_pandas_on_completed_windows():
    rng = np.random.default_rng(3)
    frame = minutes(rng.integers(90, 110, 200), "2024-01-02 09:33")
    frame["volume"] = rng.integers(1, 9, 200).astype(float)
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    n_compared = 0

    def compare(strategy):
        nonlocal n_compared
        for step, rule in (("5 minutes", "5min"), ("15min", "15min"), ("1h", "60min")):
            bars = strategy.get_historical_prices("A", 4, step)
            past = frame[frame.index < strategy.get_datetime()]
            wanted = past.resample(rule).agg(rules)
            width = pd.Timedelta(rule)
            wanted = wanted[wanted.index + width <= strategy.get_datetime()].tail(4)
            if bars is None:
                assert len(wanted) == 0
                continue
            n_compared += 1
            got = bars.df[list(rules)]
            assert got.index.tolist() == wanted.index.tolist()
            assert np.array_equal(got.to_numpy(), wanted.to_numpy())

    play(dict.fromkeys(range(200), compare), frame)
    assert n_compared > 300


def test_history_when_days_of_minutes_then_only_those_before_today():
    frame = pd.concat(
        [minutes([5, 9, 6], "2024-01-02 15:57"), minutes([7, 8, 9], "2024-01-03 09:30")]
    )
    kept = []
    script = dict.fromkeys(range(3), lambda s: kept.append(s.get_historical_prices("A", 5, "day")))
    play(script, frame, "2024-01-03 09:30", "2024-01-03 09:32", "NYSE")
    for bars in kept:
        assert bars.df[["open", "high", "low", "close"]].to_numpy().tolist() == [[5, 9.5, 4.5, 6]]
        assert str(bars.df.index[0]) == "2024-01-02 00:00:00-05:00"


@pytest.mark.parametrize("step", ["7 minutes", "week", "30 seconds", "2 days"])
def test_history_when_step_cannot_be_made_then_error(step):
    with pytest.raises(tw.ConfigError) as raised:
        play({0: lambda s: s.get_historical_prices("A", 2, step)}, minutes([1, 2, 3]))
    assert code_of(raised) == "TW-C493"


def test_last_price_when_rows_gap_then_close_or_on_request_the_next_open():
    frame = minutes([10, 20, 30], opens=[9, 19, 29])
    for said, wanted in (("close", [10.0, 20.0, 30.0]), ("next_open", [19.0, 29.0, 30.0])):
        seen = []
        script = dict.fromkeys(range(3), lambda s, seen=seen: seen.append(s.get_last_price("A")))
        play(script, frame, last_price=said)
        assert seen == wanted
    _, ran = play({}, frame)
    assert ran.get_last_price("unknown") is None


# Orders


def test_orders_when_several_kinds_then_filled_by_hand():
    """Row i covers minute i. A limit and a stop rest; the pair's target is touched first."""
    frame = minutes([100, 101, 102, 103, 104, 101, 99, 98], reach=0.25)

    def send(strategy):
        strategy.submit_order(strategy.create_order("A", 10, "buy"))
        strategy.submit_order(strategy.create_order("A", 5, "buy", limit_price=98.9))
        strategy.submit_order(strategy.create_order("A", 3, "buy", stop_price=102.5))

    kept = {}

    def pair(strategy):
        kept["pair"] = strategy.submit_order(
            strategy.create_order("A", 4, "sell", 103.5, 90.0, order_class=Order.OrderClass.OCO)
        )

    result, ran = play({0: send, 1: pair}, frame)
    fills = list(zip(prices_of(result), result.fills.to_numpy("quantity").tolist(), strict=True))
    # The stop jumps from 102.25 to an open of 103; the target opens at 104; the limit is in 99's
    # range of 98.75 to 99.25.
    assert fills == [(101.0, 10.0), (103.0, 3.0), (104.0, 4.0), (98.9, 5.0)]
    assert [event[0] for event in ran.events].count("canceled") == 1
    assert ran.get_orders(statuses=Order.ACTIVE_STATUSES) == []
    assert (kept["pair"].is_filled(), kept["pair"].is_active()) == (True, False)


def test_orders_when_cancelled_modified_and_closed_then_followed():
    kept = {}

    def send(strategy):
        kept["far"] = strategy.submit_order(strategy.create_order("A", 1, "buy", limit_price=50))
        kept["near"] = strategy.submit_order(strategy.create_order("A", 2, "buy", limit_price=60))

    def change(strategy):
        assert kept["far"].is_active()
        assert len(strategy.get_orders(statuses=Order.ACTIVE_STATUSES)) == 2
        strategy.cancel_order(kept["far"])
        strategy.modify_order(kept["near"], limit_price=100.5)

    def close(strategy):
        order = strategy.close_position("A", 0.5)
        assert order.quantity == 1.0
        assert strategy.submit_order(order) is order  # a second time: left alone

    result, ran = play({0: send, 1: change, 3: close}, minutes([100] * 6))
    assert prices_of(result) == [100.0, 100.0]
    assert result.fills.to_numpy("side").tolist() == ["buy", "sell"]
    assert kept["far"].is_canceled()
    assert kept["near"].is_filled()
    assert ran.events.count(("canceled", kept["far"].identifier)) == 1
    assert ran.events[0] == ("new", kept["far"].identifier)
    assert ran.get_order(kept["near"].identifier) is kept["near"]


def test_orders_when_of_the_day_then_gone_at_its_close():
    frame = pd.concat([minutes([10, 11], "2024-01-02 15:58"), minutes([5, 5], "2024-01-03 09:30")])
    kept = {}

    def send(strategy):
        for tif in ("day", "gtc"):
            order = strategy.create_order("A", 1, "buy", limit_price=6, time_in_force=tif)
            kept[tif] = strategy.submit_order(order)

    result, _ = play({0: send}, frame, market="NYSE")
    assert prices_of(result) == [5.0]
    assert (str(kept["day"].status), str(kept["gtc"].status)) == ("canceled", "fill")


def test_trail_percent_when_price_rises_then_it_ratchets():
    """10 % under the best price: up to 120 the stop is 108. Lumibot's follows down to 99 * 0.9."""
    closes = [100, 100, 110, 120, 119, 118, 107, 99]
    trail = {
        0: lambda s: s.submit_order(s.create_order("A", 1, "buy")),
        1: lambda s: s.submit_order(s.create_order("A", 1, "sell", trail_percent=0.1)),
    }
    fee = [TradingFee(flat_fee=2)]
    terms = {"buy_trading_fees": fee, "sell_trading_fees": fee}
    result, _ = play(trail, minutes(closes, reach=0.0), **terms)
    assert prices_of(result) == [100.0, 107.0]
    assert result.fills.to_numpy("commission").tolist() == [2.0, 2.0]
    exact, _ = play(trail, minutes(closes, reach=0.0), semantics="lumibot", **terms)
    assert prices_of(exact) != prices_of(result)


def test_cash_when_it_does_not_suffice_then_order_is_refused():
    """Lumibot buys whatever is asked for; here 100 x 100 need 5,000 of margin."""
    kept = {}
    big = {0: lambda s: kept.update(order=s.submit_order(s.create_order("A", 100, "buy")))}
    result, ran = play(big, minutes([100] * 4), budget=1_000)
    assert result.rejections.to_numpy("code").tolist() == ["insufficient_margin"]
    assert (str(kept["order"].status), kept["order"].error_message) == (
        "error",
        "insufficient_margin",
    )
    assert ran.cash == 1_000.0
    exact, ran = play(big, minutes([100] * 4), budget=1_000, semantics="lumibot")
    assert (prices_of(exact), ran.cash) == ([100.0], -9_000.0)


def test_fees_when_sides_differ_then_each_pays_its_own():
    script = {
        0: lambda s: s.submit_order(s.create_order("A", 10, "buy")),
        1: lambda s: s.submit_order(s.create_order("A", 10, "sell", limit_price=100.4)),
    }
    buy = [TradingFee(flat_fee=1), TradingFee(percent_fee=0.001)]
    sell = [TradingFee(per_contract_fee=0.5, taker=False), TradingFee(flat_fee=9, maker=False)]
    result, _ = play(script, minutes([100] * 4), buy_trading_fees=buy, sell_trading_fees=sell)
    assert prices_of(result) == [100.0, 100.4]
    assert result.fills.to_numpy("commission").tolist() == [2.0, 5.0]


def test_future_when_multiplier_is_given_then_gains_and_fees_have_it():
    """Two contracts from 100 to 103 at 5 a point: 30. A fee of 0.1 % counts the multiplier."""
    asset = Asset("F", "cont_future", multiplier=5)
    script = {
        0: lambda s: s.submit_order(s.create_order(asset, 2, "buy")),
        2: lambda s: s.sell_all(),
    }
    fee = [TradingFee(percent_fee=0.001)]
    result, ran = play(
        script,
        {asset: minutes([99, 100, 101, 103, 103])},
        buy_trading_fees=fee,
        sell_trading_fees=fee,
    )
    assert result.fills.to_numpy("commission").tolist() == pytest.approx([1.0, 1.03])
    assert ran.portfolio_value == pytest.approx(100_000 + 30 - 2.03)


def test_portfolio_when_held_then_value_positions_and_totals():
    kept = {}

    def look(strategy):
        position = strategy.get_position("A")
        kept.update(
            value=strategy.portfolio_value,
            cash=strategy.get_cash(),
            quantity=position.quantity,
            average=position.avg_fill_price,
            assets=strategy.get_tracked_assets(),
            total=strategy.get_asset_potential_total("A"),
            cashes=[p.symbol for p in strategy.get_positions(include_cash_positions=True)],
        )

    buy = {0: lambda s: s.submit_order(s.create_order("A", 10, "buy")), 2: look}
    play(buy, minutes([100, 101, 105, 105]))
    assert kept == {
        "value": 100_000 + 10 * (105 - 101),
        "cash": 100_000 - 1010,
        "quantity": 10.0,
        "average": 101.0,
        "assets": [Asset("A")],
        "total": 10.0,
        "cashes": ["A", "USD"],
    }


# Settings and notes


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
