"""`DataPreparer` from Python: its joins beside pandas, its files, its words, its page."""

from __future__ import annotations

import ast
import doctest
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tapeworks as tw

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TAPEWORKS_SHARED", ROOT.parent / "shared"))
MINUTE = 60 * 10**9
START = int(pd.Timestamp("2024-03-08 14:30", tz="UTC").value)


def stamps(minutes) -> pl.Series:
    return pl.Series(START + np.asarray(minutes, dtype=np.int64) * MINUTE).cast(
        pl.Datetime("ns", "UTC")
    )


def market(seed: int):
    """Ragged minutes of three symbols, five-minute and hourly signals with holes, a series."""
    rng = np.random.default_rng(seed)
    every = [(m, s) for m in range(600) for s in "ABC" if s < "C" or m > 300]
    keys = [key for key in every if rng.random() < 0.4]
    close = np.round(rng.uniform(50, 60, len(keys)), 2)
    prices = pl.DataFrame(
        {
            "timestamp": stamps([m for m, _ in keys]),
            "symbol": [s for _, s in keys],
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": np.full(len(keys), 100.0),
        }
    )

    def table(name: str, step: int) -> pl.DataFrame:
        rows = [(m, s) for m in range(0, 600, step) for s in "ABC" if rng.random() < 0.7]
        values = [None if rng.random() < 0.15 else float(rng.normal()) for _ in rows]
        return pl.DataFrame(
            {
                "timestamp": stamps([m for m, _ in rows]),
                "symbol": [s for _, s in rows],
                name: values,
            },
            schema_overrides={name: pl.Float64},
        )

    vix = pl.DataFrame({"timestamp": stamps(range(30, 600, 45)), "vix": rng.uniform(10, 30, 13)})
    return prices, table("quick", 5), table("slow", 60), vix


def merged(prices, table, name, *, tolerance=None, delay=0) -> np.ndarray:
    """pandas.merge_asof, the same question put to another library."""
    left = prices.select("timestamp", "symbol").to_pandas()
    right = table.to_pandas()
    right["timestamp"] = right["timestamp"] + pd.Timedelta(minutes=delay)
    by = {"by": "symbol"} if "symbol" in right else {}
    limit = None if tolerance is None else pd.Timedelta(minutes=tolerance)
    right = right.sort_values("timestamp")
    return pd.merge_asof(left, right, on="timestamp", tolerance=limit, **by)[name].to_numpy()


@pytest.mark.parametrize("seed", range(6))
def test_joins_when_data_are_ragged_then_those_of_merge_asof(tmp_path, seed):
    prices, quick, slow, vix = market(seed)
    prep = tw.DataPreparer()
    prep.add_prices(prices, freq="1min")
    prep.add_signals(quick, freq="5min", delay="3m")
    prep.add_signals(slow, freq="1hour", staleness="90m", prefix="h_", columns=["slow"])
    prep.add_context(vix, columns=["vix"])
    report = prep.validate_and_save(tmp_path / "a.parquet", tmp_path / "c.parquet")
    assert report.ok and report and not report.forced, report
    made = pl.read_parquet(tmp_path / "a.parquet")
    assert made.columns[:2] == ["timestamp", "symbol"]
    assert made["timestamp"].dtype == pl.Datetime("ns", "UTC")
    kept = prices.select("timestamp", "symbol", "close")
    assert made.select("timestamp", pl.col("symbol").cast(pl.String), "close").equals(kept)
    pairs = [
        ("quick", merged(prices, quick, "quick", delay=3)),
        ("h_slow", merged(prices, slow, "slow", tolerance=90)),
    ]
    for (name, wanted), join in zip(pairs, report.joins):
        np.testing.assert_array_equal(made[name].to_numpy(), wanted, err_msg=name)
        assert join["rows"] == len(prices)
        assert join["not_yet"] + join["stale"] <= int(np.isnan(wanted).sum())
    times = prices.select("timestamp").unique(maintain_order=True)
    context = pl.read_parquet(tmp_path / "c.parquet")
    wanted = pd.merge_asof(times.to_pandas(), vix.to_pandas(), on="timestamp")["vix"]
    np.testing.assert_array_equal(context["vix"].to_numpy(), wanted.to_numpy())
    assert report.columns == ["quick", "h_slow"] and report.context_columns == ["vix"]


@pytest.mark.parametrize("partition_by", [None, "month", "symbol"])
def test_prepared_files_when_run_then_the_records_of_the_separate_tables(tmp_path, partition_by):
    prices, quick, slow, vix = market(11)
    slow = slow.join(prices.select("symbol").unique(), on="symbol", how="semi")
    joined = quick.join(slow, on=["timestamp", "symbol"], how="left").select(
        "timestamp", "symbol", "quick", "slow"
    )
    separate = tw.DataFeed(prices, signals=joined, context=vix)
    asset = tmp_path / ("asset" if partition_by else "asset.parquet")
    prep = tw.DataPreparer().add_prices(prices).add_signals(joined).add_context(vix)
    report = prep.validate_and_save(
        asset, tmp_path / "c.parquet", partition_by=partition_by, compression="snappy"
    )
    prepared = tw.DataFeed(str(asset), context=str(tmp_path / "c.parquet"))
    rule = tw.rules.top_n("quick", 1, rebalance="1d", where="context.vix < 25")
    rule_all = tw.rules.entries_exits(entry="quick > 0.2", exit="quick < -0.2", quantity=10)
    for strategy in (rule, rule_all):
        one = tw.run(separate, strategy, cash=100_000)
        two = tw.run(prepared, strategy, cash=100_000)
        for kind in ("fills", "trades", "orders", "portfolio", "positions"):
            left, right = getattr(one, kind).to_polars(), getattr(two, kind).to_polars()
            assert left.equals(right), kind
    assert len(one.fills) > 20
    assert sum(f["rows"] for f in report.files if f["table"] == "asset_data") == len(prices)
    assert report.bytes == sum(os.path.getsize(file["path"]) for file in report.files)


def test_dates_when_on_a_calendar_then_closes_and_sessions(tmp_path):
    # 16:00 in New York: 21:00 UTC on Friday, 20:00 UTC on Monday, when clocks have changed.
    dates = pl.Series(["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"]).str.to_date()
    bars = pl.DataFrame({"timestamp": dates, "symbol": "AAA"}).with_columns(
        open=10.0, high=11.0, low=9.0, close=10.0, volume=100.0
    )
    score = pl.DataFrame({"timestamp": dates[:2], "symbol": "AAA", "score": [1.0, 2.0]})
    target = tmp_path / "asset.parquet"
    prep = tw.DataPreparer(calendar="XNYS").add_prices(bars)
    prep.add_signals(score, valid_from="market_close", staleness="1session")
    prep.add_signals(score, valid_from="next_day", prefix="next_")
    assert prep.validate_and_save(target)
    found = pl.read_parquet(target)
    assert found["timestamp"].dt.hour().to_list() == [21, 21, 20, 20]
    assert found["score"].to_list() == [1.0, 2.0, 2.0, None]
    assert found["next_score"].to_list() == [None, 1.0, 2.0, 2.0]
    with pytest.raises(tw.ConfigError, match="calendar"):
        prep = tw.DataPreparer().add_prices(bars).add_signals(score, valid_from="next_day")
        prep.validate_and_save(target)


def test_words_when_wrong_then_the_nearest_is_named(tmp_path):
    prices, quick, _, _ = market(3)
    prep = tw.DataPreparer().add_prices(prices)
    with pytest.raises(TypeError, match="did you mean 'staleness'"):
        prep.add_signals(quick, stalness="5d")
    with pytest.raises(TypeError, match="did you mean 'symbols'"):
        tw.DataPreparer(symbol=["A"])
    with pytest.raises(tw.ConfigError, match='did you mean "rsi"') as raised:
        prep.add_indicators(["rsl:14"])
    assert raised.value.code == "TW-C301"
    with pytest.raises(tw.ConfigError, match="did you mean"):
        prep.validate_and_save(tmp_path / "a.parquet", partition_by="mont")
    with pytest.raises(tw.ConfigError, match="no mode"):
        prep.add_signals(quick, valid_from="market_opn")
    with pytest.raises(tw.ConfigError, match="twice"):
        prep.add_prices(prices)
    with pytest.raises(tw.DataError, match="TW-D309"):
        tw.DataPreparer().add_prices(prices, freq="1s").validate_and_save(tmp_path / "a.parquet")
    with pytest.raises(tw.DataError, match="quikc"):
        prep = tw.DataPreparer().add_prices(prices).add_signals(quick, columns=["quikc"])
        prep.validate_and_save(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_prices_when_a_row_breaks_a_rule_then_refused_unless_forced(tmp_path):
    prices, _, _, _ = market(4)
    broken = prices.with_columns(
        high=pl.when(pl.int_range(pl.len()) == 7).then(1.0).otherwise("high")
    )
    prep = tw.DataPreparer().add_prices(broken)
    with pytest.raises(tw.DataError, match="TW-D204"):
        prep.validate_and_save(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []
    report = prep.validate_and_save(tmp_path / "a.parquet", force=True)
    assert report.forced and not report.ok
    assert pl.read_parquet(tmp_path / "a.parquet")["high"].null_count() == 1


def test_universe_when_a_frame_then_rows_say_who_is_a_member(tmp_path):
    prices, _, _, _ = market(5)
    change = stamps([300])[0]
    spans = pl.DataFrame(
        {"symbol": ["A", "B"], "from": stamps([0, 300]), "to": [change, None]},
        schema_overrides={"to": pl.Datetime("ns", "UTC")},
    )
    report = tw.DataPreparer().add_prices(prices).add_universe(spans).validate_and_save(
        tmp_path / "a.parquet"
    )
    made = pl.read_parquet(tmp_path / "a.parquet")
    early = pl.col("timestamp") < change
    is_in = ((pl.col("symbol") == "A") & early) | ((pl.col("symbol") == "B") & ~early)
    wanted = prices.select(is_in.cast(pl.Float64)).to_series()
    assert made["member"].to_list() == wanted.to_list()
    assert report.outside_universe == int((wanted == 0).sum())


def test_report_and_preparer_when_shown_then_one_screen(tmp_path):
    prices, quick, _, _ = market(6)
    prep = tw.DataPreparer().add_prices(prices).add_signals(quick).add_indicators(["rsi", "macd"])
    assert "rsi, macd" in repr(prep) and "rsi, macd" in prep._repr_html_()
    report = prep.validate_and_save(tmp_path / "a.parquet", progress=False)
    assert report.to_dict()["rows"] == report.rows == len(prices)
    assert len(repr(report).splitlines()) < 25 and "quick" in repr(report)
    assert report.result.ok and report.input.ok
    assert tw.DataPreparer.indicators()["rsi:14"].startswith("100 up")


def test_stub_when_its_example_is_run_then_as_written():
    tree = ast.parse((ROOT / "python/tapeworks/_native.pyi").read_text())
    found = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "DataPreparer"]
    text = ast.get_docstring(found[0])
    test = doctest.DocTestParser().get_doctest(text, {}, "DataPreparer", "_native.pyi", 0)
    assert len(test.examples) > 5
    assert doctest.DocTestRunner().run(test).failed == 0


def test_page_when_its_example_is_run_then_as_written_and_as_pandas_joins(tmp_path, monkeypatch):
    if not (SHARED / "data/real/lean").is_dir():
        pytest.skip("skipped: no ../shared")
    page = (ROOT / "docs/preparing.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.S)[:1])
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code.replace("../shared", str(SHARED)), names)
    report = names["report"]
    assert report.ok, report
    made = pl.read_parquet("asset_data/**/*.parquet", hive_partitioning=False)
    assert len(made) == len(names["minutes"]) == report.rows
    for table, column, days in [("momentum", "mom20", 5), ("dividends", "dividend", 120)]:
        wanted = merged(names["minutes"], names[table], column, tolerance=days * 24 * 60)
        np.testing.assert_array_equal(made[column].to_numpy(), wanted, err_msg=column)
    # What the page says of the result; the momenta are those of the closes of two days.
    closes = names["daily"].filter(pl.col("time") <= "20131004 00:00")["close"].to_list()
    told = [closes[-1] / closes[-21] - 1, closes[-2] / closes[-22] - 1]
    bar = pl.col("timestamp").dt.to_string("%m-%d %H:%M")
    ends = [made.filter(bar == f"10-04 {end}")["mom20"].item() for end in ("20:00", "19:59")]
    assert ends == told
    dividend = made["dividend"].unique().item()
    for text in (f"{report.rows:,} minutes", *(f"{x:.6f}" for x in told), f"is {dividend} thr"):
        assert text in page, text
