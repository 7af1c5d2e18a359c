"""Hooks, time, prices and past bars of `tapeworks.compat.lumibot`; expected values by hand."""

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

import numpy as np  # noqa: E402
import tapeworks as tw  # noqa: E402
from tapeworks.compat.lumibot import (  # noqa: E402
    Asset,
    BacktestingBroker,
    Data,
    PandasDataBacktesting,
    Strategy,
    Trader,
)

from lumibot_play import ZONE, Scripted, code_of, days, minutes, play, prices_of  # noqa: E402


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
