"""`Bars`: every frame in and out bit for bit, parts without copying, facts computed from the rows.

Expected values come from polars and pandas run on the same rows, or from a hand calculation.
"""

from __future__ import annotations

import ast
import datetime as dt
import doctest
import gc
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from test_frames import FRAMES

import tapeworks as tw

UTC = dt.timezone.utc
KEYS = ["timestamp", "symbol"]
VALUES = ["open", "high", "low", "close", "volume", "signal"]


@pytest.fixture(scope="session")
def holey(bars) -> pl.DataFrame:
    """The random walk with nulls in volume and signal, and a zero of the other sign."""
    row = pl.int_range(pl.len())
    return bars.with_columns(
        volume=pl.when(row % 7 == 3).then(None).otherwise(pl.col("volume")),
        signal=pl.when(row % 5 == 1).then(None).when(row % 5 == 2).then(-0.0).otherwise("signal"),
    )


def bits(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in table order, numbers as the bytes of their f64, nulls apart."""
    frame = frame.sort(KEYS)
    out = {
        "timestamp": frame["timestamp"].dt.convert_time_zone("UTC").dt.cast_time_unit("ns"),
        "symbol": frame["symbol"].cast(pl.String),
    }
    for name in frame.columns:
        if name not in out:
            values = frame[name].fill_null(float("nan")).to_numpy().astype("<f8")
            out[name] = np.where(frame[name].is_null(), 0, values.view("<i8"))
            out[name + "_null"] = frame[name].is_null()
    return pl.DataFrame(out)


def minute_bars(n: int = 400, start="2024-03-08 14:31") -> pl.DataFrame:
    """One symbol, minute by minute."""
    rng = np.random.default_rng(3)
    close = np.round(100 + np.cumsum(rng.normal(0, 0.05, n)), 2)
    open_ = np.r_[100.0, close[:-1]]
    first = dt.datetime.fromisoformat(start).replace(tzinfo=UTC)
    return pl.DataFrame(
        {
            "timestamp": [first + dt.timedelta(minutes=i) for i in range(n)],
            "symbol": "SPY",
            "open": open_,
            "high": np.maximum(open_, close) + 0.01,
            "low": np.minimum(open_, close) - 0.01,
            "close": close,
            "volume": rng.integers(1, 1_000, n).astype(float),
        }
    )


# --- in and out ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FRAMES)
def test_read_when_the_rows_come_as_any_frame_then_the_same_bits(kind, bars):
    frame = FRAMES[kind](bars)
    read = tw.read_bars(frame)
    assert bits(read.to_polars()).equals(bits(bars))


@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow", "csv.gz", "jsonl"])
def test_read_when_the_rows_come_from_a_file_then_the_same_bits(ending, bars, tmp_path):
    path = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        bars.write_parquet(path)
    elif ending == "arrow":
        bars.write_ipc(path, compression="uncompressed")
    elif ending == "jsonl":
        bars.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_ndjson(path)
    elif ending == "csv":
        bars.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        bars.to_pandas().to_csv(path, index=False)
    for source in (path, str(path), str(tmp_path / "rows*")):
        assert bits(tw.read_bars(source).to_polars()).equals(bits(bars))


def test_read_when_lazy_or_from_folders_then_the_same_bits(bars, tmp_path):
    assert bits(tw.read_bars(bars.lazy()).to_polars()).equals(bits(bars))
    for (symbol,), rows in bars.group_by("symbol"):
        folder = tmp_path / f"symbol={symbol}"
        folder.mkdir()
        rows.drop("symbol").write_parquet(folder / "rows.parquet")
    read = tw.read_bars(tmp_path)
    assert bits(read.to_polars()).equals(bits(bars))
    two = tw.read_bars(tmp_path, symbols=["S003", "S011"], start="2020-02-01", end="2020-03-01")
    wanted = bars.filter(
        pl.col("symbol").is_in(["S003", "S011"])
        & pl.col("timestamp").is_between(
            dt.datetime(2020, 2, 1, tzinfo=UTC), dt.datetime(2020, 3, 1, tzinfo=UTC), "left"
        )
    )
    assert len(wanted) == 58
    assert bits(two.to_polars()).equals(bits(wanted))


def test_out_when_values_are_missing_then_null_in_every_frame_and_nan_in_numpy(holey, tmp_path):
    bars = tw.read_bars(holey)
    wanted = bits(holey)
    outs = {
        "to_polars": bars.to_polars(),
        "stream, polars": pl.DataFrame(bars),
        "to_arrow": pl.from_arrow(bars.to_arrow()),
        "stream, pyarrow": pl.from_arrow(pa.table(bars)),
        "to_pandas": pl.from_pandas(bars.to_pandas()),
        "df": pl.from_pandas(bars.df.reset_index()),
    }
    bars.to_parquet(tmp_path / "rows.parquet")
    bars.to_csv(tmp_path / "rows.csv")
    outs["parquet, polars"] = pl.read_parquet(tmp_path / "rows.parquet")
    outs["parquet"] = tw.read_bars(tmp_path / "rows.parquet").to_polars()
    outs["csv"] = tw.read_bars(tmp_path / "rows.csv").to_polars()
    outs["again"] = tw.read_bars(bars).to_polars()
    for name, frame in outs.items():
        assert bits(frame).equals(wanted), name
    for name in VALUES:
        there = holey[name].fill_null(float("nan")).to_numpy()
        np.testing.assert_array_equal(bars.to_numpy(name), there)
    assert bars.to_numpy("symbol").tolist() == holey["symbol"].to_list()
    assert (bars.to_numpy("timestamp") == holey["timestamp"].to_numpy()).all()
    assert bars.to_numpy().shape == (6_000, 6)
    np.testing.assert_array_equal(bars.to_numpy()[:, 3], bars.to_numpy("close"))
    csv = pl.read_csv(tmp_path / "rows.csv").to_pandas()
    assert csv["signal"].isna().sum() == holey["signal"].null_count()
    assert csv["close"].tolist() == holey["close"].to_list()


def test_files_when_written_twice_then_the_same_bytes_and_sorted(bars, tmp_path):
    read = tw.read_bars(bars, calendar="24/7", adjustment="stated")
    for name in ("a", "b"):
        read.to_parquet(tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]
    footer = pa.parquet.read_metadata(tmp_path / "a.parquet")
    said = {key: value for key, value in footer.metadata.items() if key != b"ARROW:schema"}
    assert said[b"table"] == b"bars" and said[b"calendar"] == b"24/7"
    assert said[b"label"] == b"end" and said[b"adjustment"] == b"stated"
    assert [column.column_index for column in footer.row_group(0).sorting_columns] == [0, 1]
    # Midnights of a 24/7 calendar are ends, and stay so when the file is read again.
    again = tw.read_bars(tmp_path / "a.parquet", calendar="24/7")
    assert again.metadata.start == read.metadata.start


def test_files_when_the_folder_is_not_there_then_an_error_and_nothing_left(bars, tmp_path):
    read = tw.read_bars(bars)
    for write in (read.to_csv, read.to_parquet):
        with pytest.raises(tw.OutputError, match="cannot create") as caught:
            write(tmp_path / "absent" / "rows")
        assert caught.value.code == "TW-W101"
    assert list(tmp_path.iterdir()) == []


# --- memory ----------------------------------------------------------------------------------


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_columns_when_handed_out_then_the_same_memory(bars):
    read = tw.read_bars(bars)
    close = read.to_numpy("close")
    assert not close.flags.writeable and not close.flags.owndata
    at = address(close)
    assert address(read.to_numpy("close")) == at
    arrow = pa.table(read)
    (chunk,) = arrow["close"].chunks
    assert chunk.buffers()[1].address == at
    assert address(read.to_polars()["close"].to_numpy(allow_copy=False)) == at
    assert address(pl.DataFrame(read)["close"].to_numpy(allow_copy=False)) == at
    times = arrow["timestamp"].chunks[0].buffers()[1].address
    assert address(read.to_numpy("timestamp")) == times
    # Parts are places in the same memory: 20 rows a day, 31 days of January.
    part = read.slice("2020-02-01", "2020-02-03")
    assert len(part) == 40 and address(part.to_numpy("close")) == at + 8 * 20 * 31
    assert address(part.to_polars()["close"].to_numpy(allow_copy=False)) == at + 8 * 20 * 31
    few = read[["close", "open"]]
    assert few.columns == ["timestamp", "symbol", "close", "open"]
    assert address(few.to_numpy("close")) == at
    every = read.slice(symbols=read.symbols)
    assert address(every.to_numpy("close")) == at


def test_views_when_the_bars_are_gone_then_still_there():
    view = tw.read_bars(minute_bars()).to_numpy("close")
    gc.collect()
    np.testing.assert_array_equal(view, minute_bars()["close"].to_numpy())
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1.0


def test_df_when_asked_again_then_the_same_object_and_writable(bars):
    read = tw.read_bars(bars)
    frame = read.df
    assert read.df is frame and read.pandas_df is frame
    assert read.polars_df is read.polars_df
    frame.loc[frame.index[0], "close"] = -1.0
    frame["mine"] = 1
    assert read.df["close"].iloc[0] == -1.0
    assert read.to_numpy("close")[0] == bars["close"][0]


def test_df_when_one_symbol_then_times_in_the_zone_else_both_keys(bars):
    one = tw.read_bars(bars, symbols=["S004"], tz="America/New_York").df
    assert isinstance(one.index, pd.DatetimeIndex) and one.index.name == "timestamp"
    assert str(one.index.tz) == "America/New_York"
    rows = bars.filter(symbol="S004")
    assert one["close"].tolist() == rows["close"].to_list()
    assert (one.index == pd.DatetimeIndex(rows["timestamp"].to_list())).all()
    assert list(one.columns) == VALUES
    both = tw.read_bars(bars).df
    assert both.index.names == ["timestamp", "symbol"] and str(both.index.levels[0].tz) == "UTC"
    plain = bars.to_pandas().set_index(["timestamp", "symbol"])
    assert both.index.equals(plain.index)
    pd.testing.assert_frame_equal(both, plain, check_index_type=False)
    day = pd.Timestamp("2020-03-01", tz="UTC")
    assert both.loc[(day, "S007"), "open"] == plain.loc[(day, "S007"), "open"]


# --- facts -----------------------------------------------------------------------------------


def test_metadata_when_computed_then_as_polars_counts(holey):
    known = tw.read_bars(holey.sample(fraction=0.5, seed=4), symbols=["S001", "S002"]).metadata
    rows = holey.sample(fraction=0.5, seed=4).filter(pl.col("symbol").is_in(["S001", "S002"]))
    assert known.symbols == ["S001", "S002"] and known.n_rows == len(rows)
    assert known.start == rows["timestamp"].min() and known.end == rows["timestamp"].max()
    assert known.freq == "1d" and known.tz == "UTC"
    assert known.calendar is None and known.adjustment is None
    assert known.to_dict()["n_rows"] == len(rows)
    assert "freq        1d" in repr(known) and known._repr_html_().startswith("<pre")
    of_dates = tw.read_bars(holey, calendar="XNYS", on_bad_row="drop", check="fast").metadata
    assert of_dates.calendar == "XNYS" and of_dates.tz == "America/New_York"


def test_metadata_when_steps_differ_then_the_word_says_so():
    minutes = minute_bars()
    hours = minutes.gather_every(60).with_columns(symbol=pl.lit("DIA"))
    # step, rows, by hand
    rows = [
        (minutes, "1m"),
        (minutes.gather_every(5), "5m"),
        (hours, "1h"),
        (minutes[:1], None),
        # 6 distances of an hour beside 399 of a minute; then 79 of 5 minutes beside them.
        (pl.concat([minutes, hours]), "1m"),
        (pl.concat([minutes, minutes.gather_every(5).with_columns(symbol=pl.lit("Q"))]), "mixed"),
        # Distances of 1, 2, 3, ... minutes: each of them once.
        (minutes[[i * (i + 1) // 2 for i in range(28)]], "event"),
    ]
    for frame, wanted in rows:
        assert tw.read_bars(frame, check="fast").metadata.freq == wanted


def test_starts_when_the_table_has_them_then_kept_and_the_least_begins():
    frame = minute_bars(30).with_columns(
        start_time=pl.col("timestamp") - pl.duration(minutes=1, seconds=-10)
    )
    read = tw.read_bars(frame)
    assert read.columns[:3] == ["timestamp", "start_time", "symbol"]
    assert read.metadata.start == frame["start_time"].min()
    assert read.to_polars()["start_time"].to_list() == frame["start_time"].to_list()
    assert (read.to_numpy("start_time") == frame["start_time"].to_numpy()).all()
    assert read.df["start_time"].tolist() == frame["start_time"].to_list()
    halves = read.resample("10m").to_polars()
    # Ends 14:40, 14:50 and 15:00; the first row of each window starts 50 s before its end.
    assert halves["timestamp"].to_list() == [
        dt.datetime(2024, 3, 8, 14, 40, tzinfo=UTC) + dt.timedelta(minutes=10 * i) for i in range(3)
    ]
    assert halves["start_time"].to_list() == [frame["start_time"][i] for i in (0, 10, 20)]
    moved = tw.read_bars(frame.drop("start_time"), label="start")
    assert moved.metadata.start == frame["timestamp"].min()
    assert moved.to_polars()["timestamp"][0] == dt.datetime(2024, 3, 8, 14, 32, tzinfo=UTC)


def test_info_when_asked_then_a_row_a_symbol_as_polars_groups(holey):
    info = tw.read_bars(holey).info().to_polars()
    missing = pl.sum_horizontal(pl.col(name).null_count() for name in VALUES)
    wanted = (
        holey.group_by("symbol")
        .agg(
            n_rows=pl.len(),
            start=pl.col("timestamp").min(),
            end=pl.col("timestamp").max(),
            n_missing=missing,
            low=pl.col("low").min(),
            high=pl.col("high").max(),
            volume=pl.col("volume").sum(),
        )
        .sort("symbol")
    )
    for name in wanted.columns:
        assert info[name].to_list() == wanted[name].to_list(), name
    assert info["freq"].unique().to_list() == ["1d"]
    bare = tw.read_bars(holey)[["close"]].info().to_polars()
    assert bare["volume"].null_count() == 20
    lows = holey.group_by("symbol").agg(pl.col("close").min()).sort("symbol")
    assert bare["low"].to_list() == lows["close"].to_list()


# --- parts -----------------------------------------------------------------------------------


def test_slice_when_limits_are_rows_then_half_open_and_in_the_zone(bars):
    read = tw.read_bars(bars, tz="America/New_York")
    rng = np.random.default_rng(5)
    days = [dt.datetime(2020, 1, 1, tzinfo=UTC) + dt.timedelta(days=int(d)) for d in range(300)]
    for _ in range(30):
        start, end = (days[i] for i in sorted(rng.integers(0, 300, 2)))
        names = [f"S{i:03d}" for i in rng.choice(20, 3, replace=False)]
        wanted = bars.filter(
            pl.col("timestamp").is_between(start, end, "left") & pl.col("symbol").is_in(names)
        )
        if len(wanted) == 0:
            continue
        part = read.slice(start, end, symbols=names)
        assert bits(part.to_polars()).equals(bits(wanted))
        assert part.symbols == sorted(names) and part.metadata.n_rows == len(wanted)
    # 19:00 in New York is midnight UTC: the row of 2 January.
    assert len(read.slice("2020-01-01 19:00", "2020-01-01 19:01")) == 20
    assert len(read.slice(start="2021-01-01")) == 0 and len(read.slice()) == len(bars)
    assert read.slice(symbols="S003").symbols == ["S003"]
    empty = read.slice(end="2000-01-01")
    assert empty.metadata.start is None and empty.symbols == [] and len(empty.df) == 0
    assert "0 rows" in repr(empty)


def test_parts_when_a_name_is_wrong_then_the_error_says_which_is_near(bars):
    read = tw.read_bars(bars)
    # the attempt, its code, what the message says
    rows = [
        (lambda: read.slice(symbols=["S0003"]), "TW-D601", 'did you mean "S000"'),
        (lambda: read[["clsoe"]], "TW-D601", 'did you mean "close"'),
        (lambda: read["clsoe"], "TW-D601", 'did you mean "close"'),
        (lambda: read["close"], "TW-C490", 'bars.to_numpy("close")'),
        (lambda: read.to_numpy("opne"), "TW-D601", 'did you mean "open"'),
        (lambda: read.to_numpy("start_time"), "TW-D601", "no column"),
        (lambda: read.check("standart"), "TW-C410", "did you mean 'standard'"),
        (lambda: read.resample("90"), "TW-C442", "every="),
        (lambda: read.resample("1h"), "TW-D309", "1d apart"),
        (lambda: read[["close"]].resample("1w"), "TW-D101", "no column open"),
        (lambda: read.slice("yesterday"), "TW-C301", "no time"),
        (lambda: tw.read_bars(bars, columns=["closes"]), "TW-D601", "close"),
        (lambda: tw.read_bars(bars, tz="Mars/Base"), "TW-C302", "no time zone"),
        (lambda: tw.read_bars(bars, adjustment="total_return"), "TW-C410", "adjustment"),
        (lambda: tw.read_bars(bars.drop("symbol")), "TW-D101", "symbol"),
        (lambda: tw.read_bars(42), "TW-D120", "neither a path nor"),
        (lambda: tw.read_bars("absent.parquet"), "TW-D102", "no such file"),
    ]
    for attempt, code, words in rows:
        with pytest.raises(tw.Error) as caught:
            attempt()
        assert caught.value.code == code, caught.value
        assert words in str(caught.value)
    with pytest.raises(TypeError, match="did you mean 'symbols'"):
        tw.read_bars(bars, symbol="S001")
    with pytest.raises(TypeError, match=r"bars\.slice"):
        read[1:2]


def test_read_when_columns_are_named_then_these_in_this_order(bars):
    read = tw.read_bars(bars, columns=["signal", "close", "timestamp"])
    assert read.columns == ["timestamp", "symbol", "signal", "close"]
    assert read.to_numpy("signal").tolist() == bars["signal"].to_list()


def test_read_when_there_is_no_volume_then_none_is_invented(bars):
    read = tw.read_bars(bars.drop("volume"))
    assert "volume" not in read.columns
    assert "volume" not in read.resample("1w").columns


def test_read_when_a_frame_has_no_symbols_then_the_one_that_is_named():
    frame = minute_bars().drop("symbol")
    for df in (frame, frame.to_pandas().set_index("timestamp"), frame.to_arrow()):
        for read in (tw.Bars.from_frame(df, symbol="SPY"), tw.read_bars(df, symbols=["SPY"])):
            assert read.symbols == ["SPY"]
            assert read.to_numpy("close").tolist() == frame["close"].to_list()
    with pytest.raises(tw.DataError, match="symbols"):
        tw.Bars.from_frame(frame)


def test_read_when_times_are_naive_then_one_warning_that_the_report_keeps(bars):
    naive = bars.with_columns(pl.col("timestamp").dt.offset_by("1h").dt.replace_time_zone(None))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = tw.read_bars(naive)
        repr(read), read.metadata, read.df, read.slice("2020-02-01"), read.check()
    assert len(caught) == 1 and "TW-D303" in str(caught[0].message)
    assert "tz" in str(caught[0].message)
    assert any(found["code"] == "D303" for found in read.report.findings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = tw.read_bars(naive, tz="Asia/Tokyo")
    # 01:00 in Tokyo is 16:00 UTC of the day before.
    assert told.metadata.start == dt.datetime(2019, 12, 31, 16, tzinfo=UTC)


def test_read_when_rows_break_rules_then_refused_dropped_or_found(bars):
    fifth = pl.int_range(pl.len()) == 5
    broken = bars.with_columns(high=pl.when(fifth).then(1.0).otherwise("high"))
    with pytest.raises(tw.DataError, match="S005"):
        tw.read_bars(broken)
    assert len(tw.read_bars(broken, on_bad_row="drop")) == len(bars) - 1
    null = tw.read_bars(broken, on_bad_row="null")
    assert np.isnan(null.to_numpy("high")[5]) and len(null) == len(bars)
    report = null.check()
    assert not report.ok and report.findings[0]["count"] == 1
    assert tw.read_bars(bars).check("paranoid").ok


# --- coarser steps ---------------------------------------------------------------------------


def test_resample_when_windows_are_of_the_clock_then_as_pandas_makes_them():
    frame = minute_bars(390)
    read = tw.read_bars(frame)
    made = read.resample("15m").to_polars()
    rows = frame.to_pandas().set_index("timestamp")
    wanted = rows.resample("15min", closed="right", label="right").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    # The first row ends at 14:31, a minute into its window; the last at 21:00.
    assert len(wanted) == 26 and len(made) == 26
    for name in wanted.columns:
        assert made[name].to_list() == wanted[name].tolist(), name
    assert made["timestamp"].to_list() == list(wanted.index.to_pydatetime())
    again = read.resample("15m").resample("1h").to_polars()
    straight = read.resample("1h").to_polars()
    assert again.drop("volume").equals(straight.drop("volume"))
    assert read.resample("1m").to_polars().equals(read.to_polars())


def test_resample_when_on_a_calendar_then_one_row_a_session():
    two = pl.concat([minute_bars(390), minute_bars(390, "2024-03-11 13:31")])
    read = tw.read_bars(two, calendar="XNYS")
    days = read.resample("1d")
    # Closes before and after the clocks of New York go forward.
    closes = [dt.datetime(2024, 3, 8, 21, tzinfo=UTC), dt.datetime(2024, 3, 11, 20, tzinfo=UTC)]
    assert days.to_polars()["timestamp"].to_list() == closes
    sums = [two["volume"][:390].sum(), two["volume"][390:].sum()]
    assert days.to_numpy("volume").tolist() == sums
    assert days.metadata.calendar == "XNYS" and days.metadata.tz == "America/New_York"
    assert str(days.df.index[1]) == "2024-03-11 16:00:00-04:00"


def test_resample_when_dates_are_of_a_zone_then_weeks_are_of_their_dates(tmp_path):
    """Dates of New York from Monday 2024-01-01 on: a date's row is one of its week."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(14)]
    frame = pl.DataFrame(
        {"date": days, "symbol": "A"}
        | {name: [float(i + 1) for i in range(14)] for name in ("open", "high", "low", "close")}
    )
    for tz in ("UTC", "America/New_York"):
        read = tw.read_bars(frame, tz=tz)
        read.to_parquet(tmp_path / "dates.parquet")
        again = tw.read_bars(tmp_path / "dates.parquet", tz=tz)
        assert again.metadata == read.metadata
        for bars in (read, again, tw.read_bars(read)):
            weeks = bars.resample("1w")
            assert weeks.to_numpy("open").tolist() == [1.0, 8.0], tz
            assert weeks.to_numpy("close").tolist() == [7.0, 14.0], tz


# --- into a run ------------------------------------------------------------------------------


def test_feed_when_given_bars_then_the_run_of_the_frame(bars):
    rule = tw.rules.sma_cross(5, 20, quantity=100)
    read = tw.read_bars(bars)
    run = lambda source: tw.run(tw.DataFeed(source), rule, cash=1_000_000)  # noqa: E731
    straight, through = run(bars), run(read)
    assert through.fingerprint == straight.fingerprint and len(through.fills) > 100
    part = tw.DataFeed(read.slice("2020-02-01", symbols=["S001", "S007"]))
    assert part.symbols == ["S001", "S007"]
    assert part.columns == ["timestamp", "symbol", *VALUES]
    assert [event.close for event in part] == read.slice(
        "2020-02-01", symbols=["S001", "S007"]
    ).to_numpy("close").tolist()


def test_feed_when_run_again_then_decoded_rows_are_kept_and_the_run_is_the_same(bars):
    feed = tw.DataFeed(bars)
    rule = tw.rules.sma_cross(5, 20, quantity=100)
    prints = {tw.run(feed, rule).fingerprint for _ in range(3)}
    list(feed)
    assert prints == {tw.run(feed, rule).fingerprint} and len(prints) == 1


def test_feed_when_bars_know_their_market_then_kept_unless_said_otherwise():
    sessions = [dt.date(2024, 3, 7), dt.date(2024, 3, 8), dt.date(2024, 3, 11)]
    frame = pl.DataFrame(
        {"date": sessions, "symbol": "A"}
        | {name: [10.0, 11.0, 12.0] for name in ("open", "high", "low", "close")}
    )
    read = tw.read_bars(frame, calendar="XNYS", adjustment="stated")
    closes = [event.timestamp for event in tw.DataFeed(read)]
    # 16:00 in New York, before and after the clocks go forward.
    assert [stamp.hour for stamp in closes] == [21, 21, 20]
    known = tw.DataFeed(read, signals=frame.select("date", "symbol", score=pl.lit(1.0)),
                        signal_available_at="market_close")
    assert [event.signals["score"] for event in known] == [1.0, 1.0, 1.0]
    actions = pl.DataFrame(
        {"symbol": ["A"], "ex_date": [sessions[1]], "kind": ["split"], "ratio": [2.0]}
    )
    with pytest.raises(tw.ConfigError, match="stated") as caught:
        tw.DataFeed(read, actions=actions)
    assert caught.value.code == "TW-C341"
    tw.DataFeed(read, actions=actions, adjustment="none")
    again = tw.read_bars(read)
    assert again.metadata == read.metadata and again.metadata.adjustment == "stated"
    assert tw.read_bars(read, adjustment="none").metadata.adjustment == "none"


# --- shown -----------------------------------------------------------------------------------


def test_repr_when_printed_then_one_screen_with_the_facts(holey):
    text = repr(tw.read_bars(holey))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 20
    n_missing = sum(holey[name].null_count() for name in VALUES)
    for words in ("6,000 rows, 20 symbols, 1d", "2020-01-01 .. 2020-10-26"):
        assert words in text
    assert f"{n_missing:,} values" in text
    assert "S000, S001" in text and "and 14 more" in text


def test_html_when_a_symbol_is_markup_then_escaped(bars):
    markup = pl.lit("<script>x</script>")
    hostile = bars.head(60).with_columns(
        symbol=pl.when(pl.col("symbol") == "S000").then(markup).otherwise("symbol")
    )
    read = tw.read_bars(hostile)
    html = read._repr_html_() + read.info()._repr_html_() + read.metadata._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;x" in html
    assert len(html) < 100_000
    wide = tw.read_bars(hostile.with_columns(symbol=pl.lit("x" * 200) + pl.col("symbol")))
    assert max(map(len, repr(wide).splitlines())) <= 80


@pytest.mark.parametrize("name", ["Bars", "read_bars"])
def test_stub_when_its_example_is_run_then_as_written(name):
    stub = Path(tw.__file__).with_name("_native.pyi")
    nodes = {getattr(node, "name", ""): node for node in ast.parse(stub.read_text()).body}
    test = doctest.DocTestParser().get_doctest(ast.get_docstring(nodes[name]), {}, name, stub, 0)
    assert len(test.examples) >= 2
    assert doctest.DocTestRunner().run(test).failed == 0


def test_page_when_its_example_is_run_then_as_written(bars, tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "bars.md"
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
    weekdays = pl.date_range(dt.date(2024, 1, 2), dt.date(2024, 3, 27), eager=True)
    cal = tw.calendar("XNYS")
    weekdays = [day for day in weekdays.to_list() if cal.is_session(day)]
    rows = bars.filter(symbol="S001")[: len(weekdays)].with_columns(date=pl.Series(weekdays))
    (tmp_path / "prices").mkdir()
    for symbol in ("AAPL", "MSFT", "XOM"):
        frame = rows.drop("timestamp").with_columns(symbol=pl.lit(symbol))
        frame.write_parquet(tmp_path / "prices" / f"{symbol}.parquet")
    monkeypatch.chdir(tmp_path)
    names: dict = {"tw": tw}
    exec(code, names)
    assert names["bars"].symbols == ["AAPL", "MSFT"] and names["bars"].metadata.freq == "1d"
    assert len(names["close"]) == 5


def test_docs_when_public_then_every_member_has_one():
    for cls in (tw.Bars, tw.BarsMetadata):
        for member, value in vars(cls).items():
            if not member.startswith("_"):
                assert value.__doc__, f"{cls.__name__}.{member}"
