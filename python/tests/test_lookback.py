"""Looking back: windows of rows, indicators, coarser bars; never anything after now."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from conftest import random_walk

import tapeworks as tw

CHUNKS = [None, 97, 4096]


def minutes(n_days: int = 3, seed: int = 5) -> pl.DataFrame:
    """Two symbols around the clock, B with holes."""
    rng = np.random.default_rng(seed)
    n = n_days * 24 * 60
    start = dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)
    frames = []
    for symbol, keep in (("A", np.ones(n, bool)), ("B", rng.random(n) < 0.3)):
        close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-3, n))), 2)
        open_ = np.round(close * np.exp(rng.normal(0, 5e-4, n)), 2)
        frame = pl.DataFrame(
            {
                # A bar is stamped at its end.
                "timestamp": pl.Series([start + dt.timedelta(minutes=i + 1) for i in range(n)]),
                "symbol": symbol,
                "open": open_,
                "high": np.maximum(open_, close) + 0.01,
                "low": np.minimum(open_, close) - 0.01,
                "close": close,
                "volume": rng.integers(1, 100, n).astype(float),
            }
        )
        frames.append(frame.filter(pl.Series(keep)))
    return pl.concat(frames).sort("timestamp", "symbol")


def play(frame, strategy, chunk=None, path=None, **terms):
    source = frame
    if path is not None:
        frame.write_parquet(path)
        source = str(path)
    feed = tw.DataFeed(source, chunk=chunk, **terms)
    tw.run(feed, strategy, progress=False)
    return strategy


# --- windows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", CHUNKS)
def test_windows_when_compared_with_polars_then_equal_whatever_the_chunks(chunk, tmp_path):
    frame = random_walk(7, 120, seed=3).sample(fraction=0.8, seed=1).sort("timestamp", "symbol")
    closes = {s: frame.filter(symbol=s)["close"].to_numpy() for s in frame["symbol"].unique()}

    class Watcher(tw.Strategy):
        def on_start(self):
            self.seen = dict.fromkeys(self.symbols, 0)
            self.compared = 0

        def on_market_data(self, event):
            symbol = event.symbol
            self.seen[symbol] += 1
            n = self.seen[symbol]
            for length in (1, 5, 33):
                if n < length:
                    with pytest.raises(tw.OrderError, match=f"{length} rows asked, {n} seen"):
                        self.history(symbol, length, "close")
                    continue
                window = self.history(symbol, length, "close")
                assert np.array_equal(window, closes[symbol][n - length : n])
                assert not window.flags.writeable
                self.compared += 1

    watcher = play(frame, Watcher(), chunk, tmp_path / "bars.parquet")
    assert watcher.compared > 1000


def test_views_when_their_base_is_followed_then_nothing_after_now_is_reached(bars):
    class Spy(tw.Strategy):
        def on_start(self):
            self.mean = self.indicator("sma", 5)
            self.n = 0

        def on_timestamp_batch(self, timestamp, batch, context):
            self.n += 1
            views = [batch["close"], batch.signals["signal"], batch.ids, self.mean.values]
            views.append(self.history("S003", min(self.n, 7), "close"))
            for view in views:
                base = view
                while isinstance(base, np.ndarray):
                    assert base.size <= max(len(batch), 7)
                    base = base.base

    spy = play(bars, Spy())
    assert spy.n == 300


# --- indicators -------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", CHUNKS)
def test_indicators_when_compared_with_polars_then_equal_whatever_the_chunks(chunk, tmp_path):
    frame = random_walk(5, 200, seed=9)
    mean = pl.col("high").rolling_mean(7).over("symbol")
    change = pl.col("close").pct_change(3).over("symbol")
    wanted = frame.with_columns(mean=mean, change=change)
    before = wanted.with_columns(pl.col("mean").shift(1).over("symbol"))
    wanted_mean, wanted_before = wanted["mean"].to_numpy(), before["mean"].to_numpy()
    wanted_change = wanted["change"].to_numpy()

    class Simple(tw.Strategy):
        def __init__(self):
            self.mean = self.indicator("sma", "high", 7)
            self.got = []

        def on_start(self):
            self.change = self.indicator("returns:3")
            assert self.indicator("sma", "high", n=7).name == self.mean.name == "sma_7_of_high"

        def on_market_data(self, event):
            assert self.mean[event] is not None
            values = (self.mean.value, self.mean.previous, self.change.value)
            assert values[0] == self.mean[event] or np.isnan(values[0])
            newest = self.mean[event.symbol]
            assert newest == values[0] or np.isnan(newest)
            self.got.append(values)

    class Batch(tw.Strategy):
        def on_start(self):
            self.mean = self.indicator("sma", "high", 7)
            self.change = self.indicator("returns", 3)
            self.got = []

        def on_timestamp_batch(self, timestamp, batch, context):
            columns = (self.mean.values, self.mean.previous_values, self.change.values)
            assert not any(column.flags.writeable for column in columns)
            self.got.extend(zip(*columns))

    for strategy in (Simple(), Batch()):
        play(frame, strategy, chunk, tmp_path / "bars.parquet")
        got = np.array(strategy.got)
        for i, column in enumerate((wanted_mean, wanted_before, wanted_change)):
            np.testing.assert_allclose(got[:, i], column, rtol=1e-12, equal_nan=True)
            assert np.isfinite(got[:, i]).sum() > 900


def test_indicator_when_asked_for_late_then_it_knows_the_past(bars):
    class Late(tw.Strategy):
        def on_start(self):
            self.early = self.indicator("ema", 10)
            self.n = 0

        def on_timestamp_batch(self, timestamp, batch, context):
            self.n += 1
            if self.n > 100:
                late = self.indicator("ema", 10, output="ema")
                other = self.indicator("dema", 10)
                assert np.array_equal(late.values, self.early.values)
                assert np.isfinite(other.values).all()

    assert play(bars, Late(), chunk=None).n == 300


def test_crossing_when_counted_then_those_of_polars(bars):
    fast = pl.col("close").rolling_mean(5).over("symbol")
    slow = pl.col("close").rolling_mean(20).over("symbol")
    above = bars.with_columns(above=fast > slow, known=slow.is_not_null())
    above = above.with_columns(
        before=pl.col("above").shift(1).over("symbol"), knew=pl.col("known").shift(1).over("symbol")
    ).filter("known", "knew")
    up = above.filter(pl.col("above") & ~pl.col("before")).height
    down = above.filter(~pl.col("above") & pl.col("before")).height

    class Count(tw.Strategy):
        def on_start(self):
            self.fast, self.slow = self.indicator("sma", 5), self.indicator("sma", 20)
            self.up = self.down = self.over = 0

        def on_market_data(self, event):
            self.up += self.fast.crossed_above(self.slow)
            self.down += self.fast.crossed_below(self.slow)
            self.over += self.fast.crossed_above(0.0)

    count = play(bars, Count())
    assert (count.up, count.down, count.over) == (up, down, 0)
    assert up > 50


def test_indicator_when_misused_then_the_error_says_how(bars):
    class Wrong(tw.Strategy):
        def on_start(self):
            for arguments, words in (
                (("smaa",), "did you mean"),
                (("sma", "clsoe", 5), "close"),
                (("atr", "high", 5), "more columns"),
                (("sma", 5, 6), "too many numbers"),
                (("sma", "close", "five"), "column nor a number"),
            ):
                with pytest.raises((tw.ConfigError, KeyError), match=words):
                    self.indicator(*arguments)
            with pytest.raises(tw.ConfigError, match="no number 'window'|no number \"window\""):
                self.indicator("sma", window=5)
            with pytest.raises(tw.ConfigError, match="macd_hist"):
                self.indicator("macd", output="histogram")
            self.macd = self.indicator("macd", output="macd_hist")
            self.mean = self.indicator("sma", 5)
            with pytest.raises(tw.OrderError, match="only while"):
                self.mean.value  # noqa: B018
            self.n = 0

        def on_timestamp_batch(self, timestamp, batch, context):
            self.n += 1
            with pytest.raises(tw.OrderError, match="rows are at hand"):
                float(self.mean)

    wrong = play(bars, Wrong())
    assert wrong.n == 300
    assert wrong.macd.output("macd").name == "macd"
    with pytest.raises(tw.OrderError, match="only while"):
        wrong.mean["S001"]


# --- coarser bars -----------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_timeframes_when_compared_with_polars_then_completed_bars_only(chunk, timeframe, tmp_path):
    frame = minutes()
    every = {"5m": dt.timedelta(minutes=5), "1h": dt.timedelta(hours=1), "1d": dt.timedelta(days=1)}
    coarse = frame.group_by_dynamic(
        "timestamp", every=every[timeframe], group_by="symbol", closed="right", label="right"
    ).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    )
    of = {s: coarse.filter(symbol=s).sort("timestamp") for s in ("A", "B")}

    class Watcher(tw.Strategy):
        n = compared = 0

        def on_timestamp_batch(self, timestamp, batch, context):
            self.n += 1
            if self.n % 13 and self.n % 60:
                return
            for symbol, bars in of.items():
                whole = bars.filter(pl.col("timestamp") <= timestamp)
                if whole.height == 0:
                    with pytest.raises(tw.OrderError, match=f"bars of {timeframe}"):
                        self.history(symbol, 1, "close", timeframe=timeframe)
                    continue
                length = min(whole.height, 4)
                table = self.history(symbol, length, timeframe=every[timeframe])
                wanted = whole.tail(length)
                assert isinstance(table, tw.Bars)
                assert table.df["close"].tolist() == wanted["close"].to_list()
                assert table.to_polars()["timestamp"].to_list() == wanted["timestamp"].to_list()
                for column in ("open", "high", "low", "close", "volume"):
                    got = self.history(symbol, length, column, timeframe=timeframe)
                    assert got.tolist() == wanted[column].to_list()
                self.compared += 1

    watcher = play(frame, Watcher(), chunk, tmp_path / "minutes.parquet")
    assert watcher.n == 3 * 24 * 60
    assert watcher.compared > 200


def test_timeframes_when_rows_are_dates_then_weeks_of_dates():
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(28)]
    days = [day for day in days if day.weekday() < 5]
    close = [float(day.toordinal() % 1000) for day in days]
    frame = pl.DataFrame({"timestamp": days, "symbol": "A", "volume": 1.0})
    frame = frame.with_columns(**{c: pl.Series(close) for c in ("open", "high", "low", "close")})

    class Weeks(tw.Strategy):
        def on_start(self):
            self.seen = {}

        def on_market_data(self, event):
            try:
                self.seen[event.timestamp.date()] = self.history("A", 1, "close", timeframe="1w")[0]
            except tw.OrderError:
                pass

    seen = play(frame, Weeks()).seen
    friday = {day: c for day, c in zip(days, close) if day.weekday() == 4}
    # From Monday on the week before is complete; 2024-01-01 was a Monday.
    assert min(seen) == dt.date(2024, 1, 8)
    for day, value in seen.items():
        assert value == friday[day - dt.timedelta(days=day.weekday() + 3)]
