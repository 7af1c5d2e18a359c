"""Every kind of frame gives the same run as the Parquet file it came from."""

from __future__ import annotations

import random

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import tapeworks as tw

TABLES = ("trades", "fills", "orders", "rejections", "positions", "portfolio")


def run(source) -> tw.Result:
    feed = tw.DataFeed(source)
    rule = tw.rules.sma_cross(5, 20, quantity=100)
    return tw.run(feed, rule, cash=1_000_000, commission=tw.Commission.percent(bps=10))


def duckdb_relation(bars: pl.DataFrame):
    table = bars.to_arrow()
    return duckdb.connect().from_arrow(table)


FRAMES = {
    "polars": lambda bars: bars,
    "polars_shuffled": lambda bars: bars.sample(fraction=1.0, shuffle=True, seed=1),
    "polars_categorical": lambda bars: bars.with_columns(pl.col("symbol").cast(pl.Categorical)),
    "polars_many_chunks": lambda bars: pl.concat(
        [bars[i : i + 777] for i in range(0, len(bars), 777)], rechunk=False
    ),
    "pyarrow": lambda bars: bars.to_arrow(),
    "pyarrow_dictionary": lambda bars: pa.table(
        {
            name: column.dictionary_encode() if name == "symbol" else column
            for name, column in zip(bars.columns, bars.to_arrow().columns)
        }
    ),
    "pyarrow_reader": lambda bars: bars.to_arrow().to_reader(1_000),
    "duckdb": duckdb_relation,
    "pandas": lambda bars: bars.to_pandas(),
    "pandas_index": lambda bars: bars.to_pandas().set_index("timestamp"),
    "pandas_unnamed_index": lambda bars: bars.to_pandas().set_index("timestamp").rename_axis(None),
    "pandas_multiindex": lambda bars: bars.to_pandas().set_index(["timestamp", "symbol"]),
    "pandas_multiindex_unnamed": lambda bars: (
        bars.to_pandas().set_index(["symbol", "timestamp"]).rename_axis([None, None])
    ),
    "pandas_filtered": lambda bars: pd.concat([bars.to_pandas()] * 2).iloc[: len(bars)],
    "pandas_sorted_otherwise": lambda bars: bars.to_pandas().sort_values(["symbol", "timestamp"]),
    "new_york": lambda bars: bars.with_columns(
        pl.col("timestamp").dt.convert_time_zone("America/New_York")
    ),
    "aliases": lambda bars: bars.rename(
        {"timestamp": "date", "symbol": "ticker", "close": "Close"}
    ),
}


@pytest.fixture(scope="module")
def from_path(bars_path):
    return run(bars_path)


@pytest.mark.parametrize("kind", FRAMES)
def test_frame_when_run_then_equal_to_the_parquet_file(kind, bars, from_path):
    result = run(FRAMES[kind](bars))
    assert result.fingerprint == from_path.fingerprint
    assert len(result.fills) > 100
    for table in TABLES:
        left, right = getattr(result, table), getattr(from_path, table)
        assert left.to_polars().equals(right.to_polars()), table


def hive(bars, folder, **keys):
    """One file for each value of a key that is stated in the path in place of a column."""
    (key, values), = keys.items()
    for (value,), part in bars.with_columns(values.alias(key)).group_by(key, maintain_order=True):
        place = folder / f"{key}={value}"
        place.mkdir(parents=True)
        part.drop(key).write_parquet(place / "part.parquet")
    return folder


def shuffled_row_groups(bars, folder):
    groups = [bars[i : i + 500].to_arrow() for i in range(0, len(bars), 500)]
    random.Random(1).shuffle(groups)
    with pq.ParquetWriter(folder / "shuffled.parquet", groups[0].schema) as writer:
        for group in groups:
            writer.write_table(group)
    return folder / "shuffled.parquet"


def csv(bars, folder):
    bars.write_csv(folder / "bars.csv")
    return folder / "bars.csv"


def arrow_file(bars, folder):
    feather.write_feather(bars.to_arrow(), folder / "bars.arrow", compression="uncompressed")
    return folder / "bars.arrow"


MONTH, DAY = pl.col("timestamp").dt.strftime("%Y-%m"), pl.col("timestamp").dt.strftime("%Y-%m-%d")
FILES = {
    "csv": csv,
    "arrow": arrow_file,
    "by_month": lambda bars, folder: hive(bars, folder, month=MONTH),
    "by_date": lambda bars, folder: hive(bars, folder, date=DAY),
    "by_symbol": lambda bars, folder: hive(bars, folder, symbol=pl.col("symbol")),
    "glob": lambda bars, folder: f"{hive(bars, folder, symbol=pl.col('symbol'))}/*/*.parquet",
    "shuffled_row_groups": shuffled_row_groups,
    "lazy": lambda bars, folder: bars.lazy(),
    "lazy_scan": lambda bars, folder: pl.scan_csv(csv(bars, folder), try_parse_dates=True),
}


@pytest.mark.parametrize("kind", FILES)
def test_file_when_run_then_equal_to_the_parquet_file(kind, bars, from_path, tmp_path):
    result = run(FILES[kind](bars, tmp_path))
    assert result.fingerprint == from_path.fingerprint
    for table in TABLES:
        left, right = getattr(result, table), getattr(from_path, table)
        assert left.to_polars().equals(right.to_polars()), table


def test_run_id_when_the_data_differ_then_differs(bars):
    changed = bars.with_columns(volume=pl.col("volume") + 1)
    ids = [run(source).run_id for source in (bars, bars.to_arrow(), bars.clone(), changed)]
    assert ids[0] == ids[2] != ids[3]
    assert ids[0] == ids[1]


def test_feed_when_used_twice_then_same_run(bars, bars_path):
    for source in (bars, bars_path):
        feed = tw.DataFeed(source)
        rule = tw.rules.sma_cross(5, 20, quantity=100)
        assert tw.run(feed, rule).fingerprint == tw.run(feed, rule).fingerprint


def test_feed_when_iterated_then_every_row_in_order(bars):
    feed = tw.DataFeed(bars)
    events = list(feed)
    assert [e.symbol for e in events] == bars["symbol"].to_list()
    assert [e.close for e in events] == bars["close"].to_list()
    assert [e.timestamp for e in events] == bars["timestamp"].to_list()
    assert [e.signals["signal"] for e in events] == bars["signal"].to_list()
    batches = list(feed.iter_batches())
    assert len(batches) == 300
    assert all(len(batch) == 20 for batch in batches)
    assert batches[3].to_polars()["close"].to_list() == bars["close"][60:80].to_list()


def test_feed_when_limited_then_only_that_range_and_symbols(bars):
    feed = tw.DataFeed(bars, start="2020-02-01", end="2020-03-01", symbols=["S001", "S007"])
    events = list(feed)
    assert feed.symbols == ["S001", "S007"]
    assert len(events) == 29 * 2
    assert {str(e.timestamp.date()) for e in events} == {f"2020-02-{d:02d}" for d in range(1, 30)}
    same = tw.DataFeed(
        bars,
        start=pd.Timestamp("2020-02-01", tz="UTC"),
        end=np.datetime64("2020-03-01"),
        symbols=["S007", "S001"],
    )
    assert [e.close for e in same] == [e.close for e in events]


def test_feed_when_signals_and_context_are_apart_then_joined_as_of(tiny):
    signals = tiny.select("timestamp", "symbol", pl.col("score").alias("model"))
    vix = (
        tiny.select("timestamp").unique().sort("timestamp").with_columns(vix=pl.int_range(5) * 1.0)
    )
    feed = tw.DataFeed(
        tiny.drop("score"),
        signals=signals.to_arrow(),
        context=vix.to_pandas(),
        signal_columns=["model"],
        indicator_columns=["atr"],
    )
    assert feed.signal_columns == ["model"]
    assert feed.indicator_columns == ["atr"]
    assert feed.context_columns == ["vix"]
    assert feed.columns == [
        "timestamp",
        "symbol",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "model",
        "atr",
        "vix",
    ]
    rows = [(e.symbol, e.signals["model"], e.indicators["atr"], e.context["vix"]) for e in feed]
    assert rows[0] == ("A", 0.0, 0.0, 0.0)
    assert rows[-2:] == [("A", 4.0, 0.4, 4.0), ("B", -4.0, 0.2, 4.0)]


def test_feed_when_checked_then_findings_name_the_row(tiny):
    broken = tiny.with_columns(
        pl.when((pl.col("symbol") == "A") & (pl.col("open") == 12.0))
        .then(8.0)
        .otherwise(pl.col("high"))
        .alias("high")
    )
    report = tw.DataFeed(broken).check()
    assert not report.ok and not report
    assert report.n_rows == 9 and report.n_symbols == 2
    errors = [f for f in report.findings if f["severity"] == "error"]
    assert errors and errors[0]["count"] == 1
    assert errors[0]["offenders"][0]["symbol"] == "A"
    with pytest.raises(tw.DataError) as caught:
        tw.run(tw.DataFeed(broken), tw.rules.noop())
    assert caught.value.code.startswith("TW-D")
    assert "A" in str(caught.value)
    dropped = tw.run(tw.DataFeed(broken, on_bad_row="drop"), tw.rules.noop())
    assert any("dropped" in line for line in dropped.repairs)
    assert tw.DataFeed(tiny).check().ok


def test_naive_times_when_read_then_one_warning_that_is_kept(tiny):
    naive = tiny.with_columns(
        (pl.col("timestamp") + pl.duration(hours=16)).dt.replace_time_zone(None)
    )
    with pytest.warns(UserWarning, match="zone") as caught:
        result = tw.run(tw.DataFeed(naive), tw.rules.noop())
    assert len(caught) == 1
    assert any("zone" in line for line in result.warnings)
    aware = tw.DataFeed(naive, tz="America/New_York")
    assert next(iter(aware)).timestamp.hour == 21


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (42, "neither a path nor an Arrow stream"),
        ({"close": [1.0]}, "neither a path nor an Arrow stream"),
    ],
)
def test_source_when_no_table_then_data_error(source, words):
    with pytest.raises(tw.DataError, match=words) as caught:
        tw.DataFeed(source)
    assert caught.value.hint


def test_lazy_frame_when_given_then_equal_to_the_frame_and_its_file_goes(bars, tmp_path):
    rule = tw.rules.sma_cross(2, 5, quantity=1)
    want = tw.run(tw.DataFeed(bars), rule)
    bars.write_parquet(tmp_path / "bars.parquet")
    for lazy in (bars.lazy(), pl.scan_parquet(tmp_path / "bars.parquet")):
        feed = tw.DataFeed(lazy.with_columns(close=pl.col("close") * 1.0))
        for _ in range(2):
            got = tw.run(feed, rule)
            assert got.fills.to_polars().equals(want.fills.to_polars())
    assert "lazy frame" in repr(feed)


def test_lazy_frame_when_its_query_fails_then_the_query_speaks(bars):
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        tw.DataFeed(bars.lazy().select("no_such_column"))


def test_path_when_missing_then_data_error():
    with pytest.raises(tw.DataError, match="nowhere"):
        tw.run(tw.DataFeed("nowhere/*.parquet"), tw.rules.noop())
