"""Checks at their levels, and the sort, from Python."""

from __future__ import annotations

import polars as pl
import pytest

import tapeworks as tw


def codes(report) -> set[str]:
    return {finding["code"] for finding in report.findings}


def test_levels_when_a_fault_is_planted_then_each_finds_its_own(bars):
    last = bars["timestamp"].max()
    still = bars.with_columns(signal=pl.lit(1.0)).with_columns(
        # One price a hundred times too high, in a row that fast does not look at.
        pl.when((pl.col("symbol") == "S003") & (pl.int_range(pl.len()) // 20 == 40))
        .then(pl.col(name) * 100)
        .otherwise(pl.col(name))
        .alias(name)
        for name in ("open", "high", "low", "close")
    )
    found = {
        level: codes(tw.DataFeed(still, validation=level).check())
        for level in ("fast", "standard", "paranoid")
    }
    assert "D206" not in found["fast"]
    assert {"D206", "D207"} <= found["standard"]
    assert "D604" not in found["standard"]
    assert {"D206", "D207", "D402", "D604"} <= found["paranoid"]
    report = tw.DataFeed(still).check()
    spike = next(f for f in report.findings if f["code"] == "D206")
    assert spike["offenders"][0]["symbol"] == "S003"
    assert spike["count"] == 1 and spike["fix"]
    assert report.ok and last is not None


def test_signals_when_of_their_own_then_checked_against_the_bars(bars):
    signals = bars.select("timestamp", "symbol", pl.col("signal").alias("score"))
    late = signals.head(20).with_columns(
        pl.col("timestamp").dt.offset_by("400d"), pl.lit(None, pl.Float64).alias("score")
    )
    feed = tw.DataFeed(bars.drop("signal"), signals=pl.concat([signals, late]))
    report = feed.check()
    told = {(f["table"], f["code"], f["column"], f["count"]) for f in report.findings}
    assert ("signals", "D602", "score", 20) in told
    assert ("signals", "D602", "timestamp (after)", 20) in told
    assert report.ok and "signals" in report.verdict


def test_sort_when_shuffled_then_equal_to_polars(bars, tmp_path):
    shuffled = bars.sample(fraction=1.0, shuffle=True, seed=3)
    source, out = tmp_path / "shuffled.parquet", tmp_path / "sorted.parquet"
    shuffled.write_parquet(source)
    assert tw.sort_bars(source, out, memory="128KB") == len(bars)
    expected = shuffled.sort("timestamp", "symbol")
    assert pl.read_parquet(out).equals(expected)
    with pytest.raises(tw.OutputError) as caught:
        tw.sort_bars(source, out)
    assert caught.value.code == "TW-W101"
    with pytest.raises(tw.ConfigError):
        tw.sort_bars(source, tmp_path / "other.parquet", memory="much")


def test_prices_when_negative_then_only_on_request(bars):
    spread = bars.with_columns(pl.col("open", "high", "low", "close") - 1000.0)
    assert spread["high"].max() < 0
    with pytest.raises(tw.DataError, match="TW-D203"):
        list(tw.DataFeed(spread))
    feed = tw.DataFeed(spread, allow_negative=True)
    assert feed.check().ok
    closes = [event.close for event in feed]
    assert sorted(closes) == sorted(spread["close"].to_list())


def test_signals_when_known_later_then_the_check_joins_them_so(bars):
    # The signal of a row is the return that ends there: seen at once it is told, a day later not.
    told = bars.sort("symbol", "timestamp").with_columns(
        score=(pl.col("close") / pl.col("close").shift(1).over("symbol") - 1)
    )
    signals = told.select("timestamp", "symbol", "score").drop_nulls()
    plain = bars.drop("signal", strict=False)
    smells = {
        delay: "L105"
        in codes(
            tw.DataFeed(
                plain, signals=signals, signal_delay=delay, validation="paranoid"
            ).check()
        )
        for delay in (None, "1s")
    }
    assert smells[None]
    assert not smells["1s"]
