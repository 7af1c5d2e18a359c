"""What leaves a run: tables in every library, the run folder, errors with a code and a remedy."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tapeworks as tw


@pytest.fixture(scope="module")
def result():
    rule = tw.rules.sma_cross(20, 50, quantity=100)
    return tw.run(
        tw.sample("daily"), rule, cash=200_000, commission=tw.Commission.per_share(0.005, 1.0)
    )


def test_table_when_converted_then_equal_everywhere(result, tmp_path):
    for table in (result.fills, result.portfolio, result.trades, result.positions):
        frame = table.to_polars()
        assert isinstance(frame, pl.DataFrame)
        assert frame.columns == table.columns and len(frame) == len(table) > 0
        arrow = table.to_arrow()
        assert isinstance(arrow, pa.Table)
        assert pl.DataFrame(arrow).equals(frame)
        assert pl.DataFrame(table).equals(frame)
        pandas = table.to_pandas()
        assert isinstance(pandas, pd.DataFrame) and list(pandas.columns) == table.columns
        path = tmp_path / "table.parquet"
        table.write_parquet(path)
        assert pq.read_table(path).num_rows == len(table)


def test_table_when_a_column_is_asked_then_numpy(result):
    fills = result.fills
    frame = fills.to_polars()
    price = fills.to_numpy("price")
    assert price.dtype == np.float64 and price.tolist() == frame["price"].to_list()
    stamps = fills.to_numpy("timestamp")
    assert stamps.dtype == np.dtype("datetime64[ns]")
    assert stamps.tolist() == frame["timestamp"].dt.epoch("ns").to_list()
    assert fills.to_numpy("symbol").tolist() == frame["symbol"].to_list()
    exits = result.trades.to_numpy("exit_price")
    assert np.isnan(exits[-1]) == (result.trades.to_polars()["exit_price"][-1] is None)
    with pytest.raises(KeyError, match="did you mean 'price'"):
        fills.to_numpy("prise")


def test_table_when_empty_then_still_a_table(result):
    assert len(result.rejections) == 0
    assert result.rejections.to_polars().columns == result.rejections.columns
    assert result.rejections.to_numpy("need").tolist() == []
    assert "0 rows" in repr(result.rejections)


def test_metrics_when_read_then_floats_with_conventions(result):
    sharpe = result.metrics["sharpe"]
    assert isinstance(sharpe, float) and sharpe["value"] == sharpe.value == float(sharpe)
    assert sharpe.convention and sharpe.n == len(result.portfolio)
    assert pickle.loads(pickle.dumps(sharpe)).convention == sharpe.convention
    assert list(result.summary)[:2] == ["final_equity", "total_return"]
    idle = tw.run(tw.sample("daily"), tw.rules.noop())
    undefined = idle.metrics["sharpe"]
    assert math.isnan(undefined) and undefined.value is None and undefined.reason
    assert idle.metrics["n_trades"] == 0


def test_run_folder_when_saved_and_loaded_then_same(result, tmp_path):
    folder = tmp_path / "run"
    result.save(folder)
    names = {path.name for path in folder.iterdir()}
    assert {"manifest.json", "metrics.json", "report.html", "config.resolved.yaml"} <= names
    assert {
        f"{t}.parquet"
        for t in ("trades", "fills", "orders", "rejections", "positions", "portfolio")
    } <= names
    loaded = tw.load(folder)
    assert (loaded.name, loaded.run_id, loaded.fingerprint) == (
        result.name,
        result.run_id,
        result.fingerprint,
    )
    assert {k: m.value for k, m in loaded.metrics.items()} == {
        k: m.value for k, m in result.metrics.items()
    }
    assert loaded.fills.to_numpy("price").tolist() == result.fills.to_numpy("price").tolist()
    assert loaded.reasons() == result.reasons()
    assert repr(loaded)
    loaded.report(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == (folder / "report.html").read_text()
    (folder / "fills.parquet").write_bytes(b"")
    with pytest.raises(tw.OutputError, match="fills.parquet"):
        tw.load(folder)
    with pytest.raises(tw.OutputError, match="no run folder"):
        tw.load(tmp_path)


def test_out_when_given_then_written_and_never_over_other_files(tmp_path):
    feed = tw.sample("daily")
    tw.run(feed, tw.rules.noop(), out=tmp_path / "a")
    assert (tmp_path / "a" / "manifest.json").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep")
    with pytest.raises(tw.OutputError):
        tw.run(feed, tw.rules.noop(), out=mine)
    assert (mine / "thesis.txt").read_text() == "keep"


def test_report_when_written_then_one_offline_page(result, tmp_path):
    path = tmp_path / "report.html"
    result.report(path)
    html = path.read_text()
    assert html.startswith("<!doctype html") or html.startswith("<!DOCTYPE html")
    assert "http://" not in html.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("options", "error", "words", "hint"),
    [
        ({"cash": -1.0}, tw.ConfigError, "cash is -1", None),
        ({"account": "cahs"}, tw.ConfigError, "did you mean 'cash'", "cash"),
        ({"lots": "whole"}, tw.ConfigError, 'lots="whole"', "integer, fractional"),
        ({"semantics": "realstic"}, tw.ConfigError, "did you mean realistic", "realistic"),
        ({"on_reject": "rais"}, tw.ConfigError, "did you mean 'raise'", "record"),
        ({"rules": 0.05}, tw.ConfigError, "no position rule", "tw.StopLoss"),
        ({"benchmark": "SPY"}, tw.ConfigError, "not in this version", None),
    ],
)
def test_run_when_an_option_is_wrong_then_error_with_remedy(options, error, words, hint):
    with pytest.raises(error, match=words) as caught:
        tw.run(tw.sample("daily"), tw.rules.noop(), **options)
    assert caught.value.code.startswith("TW-C")
    assert hint is None or hint in caught.value.hint
    assert isinstance(caught.value, tw.Error)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tw.run(tw.sample(), tw.rules.noop(), comission=1), "did you mean 'commission'"),
        (lambda: tw.DataFeed("x", signal_column=["a"]), "did you mean 'signal_columns'"),
        (lambda: tw.rules.top_n("s", 5, rebalence="1w"), "did you mean 'rebalance'"),
        (lambda: tw.run("bars.parquet", tw.rules.noop()), "tw.DataFeed"),
    ],
)
def test_call_when_an_argument_is_wrong_then_type_error(call, words):
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: tw.rules.sma_cross(30, 10, 100),
        lambda: tw.rules.top_n("s", 5, rebalance="sometimes"),
        lambda: tw.rules.entries_exits("close > 1", "close < 1"),
        lambda: tw.StopLoss(-0.1),
        lambda: tw.Commission.percent(bps=-1),
        lambda: tw.DataFeed("x", tz="Mars/Olympus"),
        lambda: tw.DataFeed("x", start="soon"),
        lambda: tw.DataFeed("x", validation="fats"),
        lambda: tw.DataFeed("x", signal_available_at="market_open"),
        lambda: tw.DataFeed("x", staleness="3sessions"),
        lambda: tw.DataFeed("x", calendar="XNYX"),
        lambda: tw.sample("ticks"),
    ],
)
def test_value_when_wrong_then_config_error_where_it_is_written(call):
    with pytest.raises(tw.ConfigError) as caught:
        call()
    assert caught.value.code.startswith("TW-C")


def test_feed_column_when_missing_then_named():
    with pytest.raises(tw.Error, match="scor"):
        tw.run(tw.sample("daily"), tw.rules.top_n("scor", 2))


def test_error_tree_when_listed_then_one_root():
    for error in (
        tw.DataError,
        tw.LookAheadError,
        tw.ConfigError,
        tw.OrderError,
        tw.StrategyError,
        tw.OutputError,
        tw.ResourceError,
    ):
        assert issubclass(error, tw.Error) and error.code is None
