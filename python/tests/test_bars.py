"""What stamps of bars mean, and coarser bars: beside polars, pandas and another project."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tapeworks as tw

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TAPEWORKS_SHARED", ROOT.parent / "shared"))
PRICES = ["open", "high", "low", "close"]


def minutes(seed: int, days: int = 3, start: str = "2024-03-07 00:00") -> pl.DataFrame:
    """Ragged minute bars of two symbols, each stamped with its end."""
    rng = np.random.default_rng(seed)
    frames = []
    for symbol in ("AAA", "BBB"):
        kept = np.flatnonzero(rng.random(days * 1440) < 0.6) + 1
        close = np.round(50 + rng.normal(0, 0.1, len(kept)).cumsum(), 4)
        low, high = close - rng.uniform(0, 1, len(kept)), close + rng.uniform(0, 1, len(kept))
        at = pl.Series(pd.Timestamp(start).value + kept * 60 * 10**9)
        frames.append(
            pl.DataFrame(
                {
                    "timestamp": at.cast(pl.Datetime("ns", "UTC")),
                    "symbol": symbol,
                    "open": low + (high - low) * rng.uniform(0, 1, len(kept)),
                    "high": high,
                    "low": low,
                    "close": close,
                    "volume": rng.integers(1, 1000, len(kept)).astype(float),
                    "score": rng.normal(0, 1, len(kept)),
                }
            )
        )
    return pl.concat(frames).sort("timestamp", "symbol")


def prepared(tmp_path, prices, freq, **keywords):
    target = tmp_path / "coarse.parquet"
    preparer = tw.DataPreparer(**keywords).add_prices(prices, freq=freq)
    report = preparer.validate_and_save(target)
    return pl.read_parquet(target).with_columns(pl.col("symbol").cast(pl.String)), report


FOLD = [
    pl.col("open").first(),
    pl.col("high").max(),
    pl.col("low").min(),
    pl.col("close").last(),
    pl.col("volume").sum(),
    pl.col("score").last(),
]


@pytest.mark.parametrize("freq", ["5min", "15min", "1h", "4h", "1d"])
def test_resample_when_beside_polars_then_equal(tmp_path, freq):
    prices = minutes(1)
    found, _ = prepared(tmp_path, prices, freq, end="2024-03-11")
    every = {"5min": "5m", "15min": "15m"}.get(freq, freq)
    groups = prices.group_by_dynamic(
        "timestamp", every=every, closed="right", label="right", group_by="symbol"
    )
    wanted = groups.agg(FOLD).sort("timestamp", "symbol").select(found.columns)
    assert found.height > 4
    assert found.equals(wanted.with_columns(pl.col("timestamp").cast(found.schema["timestamp"])))


@pytest.mark.parametrize("freq", ["1w", "1mo"])
def test_resample_when_beside_pandas_then_weeks_and_months_are_equal(tmp_path, freq):
    days = pd.date_range("2023-01-02", "2023-12-29", freq="B")
    rng = np.random.default_rng(3)
    close = 100 + rng.normal(0, 1, len(days)).cumsum()
    frame = pd.DataFrame(
        {
            "timestamp": days,
            "symbol": "AAA",
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 10.0,
        }
    )
    found, _ = prepared(tmp_path, frame, freq, end="2024-01-01")
    rule = {"1w": "W-SUN", "1mo": "ME"}[freq]
    fold = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    wanted = frame.set_index("timestamp").resample(rule).agg(fold)
    assert found.height == len(wanted)
    for column in fold:
        np.testing.assert_array_equal(found[column].to_numpy(), wanted[column].to_numpy())
    # Known when the next period begins.
    known = [stamp.date() - timedelta(days=1) for stamp in found["timestamp"]]
    assert known == [stamp.date() for stamp in wanted.index]


@pytest.mark.parametrize(
    ("file", "freq"), [("2006-week-001.txt", "1w"), ("2006-month-001.txt", "1mo")]
)
def test_resample_when_another_project_has_the_file_then_equal_to_it(tmp_path, file, freq):
    folder = SHARED / "data/real/backtrader/datas"
    if not folder.exists():
        pytest.skip("no ../shared")
    days = pl.read_csv(folder / "2006-day-001.txt", try_parse_dates=True)
    days = days.rename({"Date": "timestamp"}).with_columns(symbol=pl.lit("SX5E"))
    found, _ = prepared(tmp_path, days, freq, end="2007-01-01")
    wanted = pl.read_csv(folder / file)
    assert found.height == wanted.height
    for column in PRICES:
        np.testing.assert_array_equal(
            found[column].to_numpy(), wanted[column.capitalize()].to_numpy(), column
        )


def test_resample_when_cut_into_batches_then_the_same_bytes(tmp_path):
    prices = minutes(2)
    one = tmp_path / "one.parquet"
    prices.write_parquet(one)
    many = tmp_path / "many.parquet"
    prices.write_parquet(many, row_group_size=97)
    written = set()
    for source in (prices, one, many, prices.lazy()):
        target = tmp_path / "out.parquet"
        tw.DataPreparer(calendar="XNYS").add_prices(source, freq="30min").validate_and_save(target)
        written.add(target.read_bytes())
    assert len(written) == 1


def test_resample_when_on_a_calendar_then_sessions_and_a_report(tmp_path):
    found, report = prepared(tmp_path, minutes(4, days=6), "1d", calendar="XNYS")
    # The 7th, 8th, 11th and 12th of March 2024; clocks changed on the 10th.
    stamps = found["timestamp"].unique().sort().to_list()
    assert [f"{t:%d %H:%M}" for t in stamps] == ["07 21:00", "08 21:00", "11 20:00", "12 20:00"]
    codes = {finding["code"] for finding in report.input.findings}
    assert {"D305", "D309"} <= codes
    with pytest.raises(tw.DataError, match="no multiple"):
        prepared(tmp_path, minutes(4), "90s")
    with pytest.raises(tw.ConfigError, match="no span"):
        prepared(tmp_path, minutes(4), "fortnight")


def ends(feed):
    return [event.timestamp for event in feed]


def test_starts_when_labelled_then_known_a_step_later():
    prices = minutes(5, days=1)
    wanted = sorted({t + timedelta(minutes=1) for t in prices["timestamp"]})
    for more in ({}, {"frequency": "1m"}, {"frequency": timedelta(minutes=1)}):
        assert sorted(set(ends(tw.DataFeed(prices, label="start", **more)))) == wanted
    with pytest.raises(tw.DataError) as caught:
        ends(tw.DataFeed(prices, label="start", frequency="30s"))
    assert caught.value.code == "TW-D309"
    with pytest.raises(tw.ConfigError, match="label"):
        tw.DataFeed(prices, label="strat")


def test_starts_when_hours_of_a_session_then_the_last_ends_with_it(tmp_path):
    # 2024-11-29 closed at 13:00 in New York.
    hours = pd.date_range("2024-11-29 09:30", periods=4, freq="1h", tz="America/New_York")
    frame = pl.from_pandas(
        pd.DataFrame({"timestamp": hours, "symbol": "AAA"} | dict.fromkeys(PRICES, 10.0))
    ).with_columns(volume=pl.lit(1.0))
    feed = tw.DataFeed(frame, label="start", frequency="1h", calendar="XNYS")
    assert [f"{t:%H:%M}" for t in ends(feed)] == ["15:30", "16:30", "17:30", "18:00"]
    target = tmp_path / "ends.parquet"
    tw.DataPreparer(label="start", calendar="XNYS").add_prices(frame).validate_and_save(target)
    again = pl.read_parquet(target)["timestamp"].to_list()
    assert [f"{t:%H:%M}" for t in again] == ["15:30", "16:30", "17:30", "18:00"]


def weekly(dates):
    frame = pd.DataFrame({"timestamp": dates, "symbol": "AAA"} | dict.fromkeys(PRICES, 10.0))
    return frame.assign(volume=1.0)


@pytest.mark.parametrize("anchor", ["W-MON", "W-FRI", "W-SAT"])
def test_weeks_when_on_a_calendar_then_known_at_their_last_close(anchor):
    cal = tw.calendar("XNYS")
    dates = pd.date_range("2024-01-01", "2024-06-30", freq=anchor)
    found = ends(tw.DataFeed(weekly(dates), calendar="XNYS"))
    for stamp, day in zip(found, dates, strict=True):
        monday = day.date() - timedelta(days=day.weekday())
        last = cal.sessions(monday, monday + timedelta(days=7))[-1]
        assert stamp == cal.close(last)
    sundays = pd.date_range("2024-01-07", periods=8, freq="7D")
    with pytest.raises(tw.DataError, match="Sunday"):
        ends(tw.DataFeed(weekly(sundays), calendar="XNYS"))
    found = ends(tw.DataFeed(weekly(sundays), calendar="XNYS", label="start"))
    assert found[0] == cal.close(date(2024, 1, 12))
    found = ends(tw.DataFeed(weekly(sundays), calendar="XNYS", label="session"))
    assert found[0] == cal.close(date(2024, 1, 5))


def test_prepared_days_of_24_7_when_read_again_then_the_same_instants(tmp_path):
    days = pd.date_range("2024-03-08", periods=4, freq="D")
    wanted = [day.tz_localize("UTC").to_pydatetime() + timedelta(days=1) for day in days]
    feed = tw.DataFeed(weekly(days), calendar="24/7")
    assert ends(feed) == wanted
    target = tmp_path / "days.parquet"
    tw.DataPreparer(calendar="24/7").add_prices(weekly(days)).validate_and_save(target)
    assert ends(tw.DataFeed(target, calendar="24/7")) == wanted


def test_calendar_when_a_text_file_then_usable_by_its_path(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("date,open,close\n2024-03-07,09:00,12:00\n2024-03-08,09:00,11:00\n")
    cal = tw.calendar(str(path), tz="Europe/Paris")
    assert (cal.name, cal.tz, len(cal)) == ("own", "Europe/Paris", 2)
    assert f"{cal.close('2024-03-08'):%H:%M}" == "10:00"
    days = [date(2024, 3, 7), date(2024, 3, 8)]
    assert ends(tw.DataFeed(weekly(days), calendar=cal)) == [cal.close(day) for day in days]
    with pytest.raises(tw.ConfigError) as caught:
        tw.calendar(str(path))
    assert caught.value.code == "TW-C304"
    with pytest.raises(tw.DataError) as caught:
        ends(tw.DataFeed(weekly([date(2024, 3, 11), *days]), calendar=cal))
    assert caught.value.code == "TW-D311"
