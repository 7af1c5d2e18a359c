"""The example scripts run on the bundled sample and do what they say."""

from __future__ import annotations

import importlib.util
import itertools
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tapeworks as tw

FOLDER = Path(__file__).parents[2] / "examples" / "python"


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_scripts_when_listed_then_each_has_its_test_here():
    tested = {name.split("_when")[0].removeprefix("test_") for name in globals()}
    assert {path.stem for path in FOLDER.glob("*.py")} <= tested


def test_top_signals_when_run_then_two_shares_are_held_and_paid_for(capsys):
    result = script("top_signals").main()
    assert "fills realistic" in capsys.readouterr().out
    fills = result.fills.to_polars()
    # 0.005 a unit, at least 1 an order; 5 basis points of the price of each unit.
    assert fills["commission"].to_list() == pytest.approx(
        [max(1.0, 0.005 * units) for units in fills["quantity"]]
    )
    slipped = (fills["price"] / fills["base_price"] - 1).abs()
    assert slipped.to_numpy() == pytest.approx(np.full(len(fills), 0.0005))
    assert result.portfolio.to_polars()["num_positions"].max() <= 3


def test_buy_dips_when_run_then_each_purchase_follows_a_dip():
    result = script("buy_dips").main()
    closes = defaultdict(list)
    dips = set()
    for event in tw.sample("daily"):
        seen = closes[event.symbol]
        seen.append(event.close)
        if len(seen) >= 20 and event.close < 0.92 * np.mean(seen[-20:]):
            dips.add((event.timestamp_ns, event.symbol))
    orders = result.orders.to_polars().filter(
        (pl.col("event") == "submitted") & (pl.col("side") == "buy")
    )
    stamps = orders["timestamp"].dt.epoch("ns")
    assert len(orders) > 50
    assert set(zip(stamps, orders["symbol"].cast(pl.String), strict=True)) <= dips


def test_inverse_volatility_when_run_then_the_first_weights_are_those_of_numpy():
    result = script("inverse_volatility").main()
    batches = list(itertools.islice(tw.sample("daily").iter_batches(), 80))
    first = result.fills.to_polars().filter(pl.col("fill_id") < 3)
    # 61 closes are there for the first time at the 80th row, the fourth that is looked at.
    last = batches[79]
    close = np.array([batch["close"] for batch in batches[19:80]])
    inverse = 1 / np.diff(np.log(close), axis=0).std(axis=0)
    units = np.floor(0.98 * inverse / inverse.sum() * 100_000 / last["close"])
    bought = dict(zip(first["symbol"].cast(pl.String), first["quantity"], strict=True))
    assert [bought[symbol] for symbol in last.symbols] == units.tolist()


def test_brackets_when_run_then_levels_and_ages_hold(capsys):
    result = script("brackets").main()
    trades = result.trades.to_polars()
    gain = trades["exit_price"] / trades["entry_price"] - 1
    reason = trades["exit_reason"].cast(pl.String)
    assert set(reason.unique()) >= {"bracket_stop", "bracket_target", "time", "trailing"}
    assert (gain.filter(reason == "bracket_target") >= 0.2 - 1e-12).all()
    assert (gain.filter(reason == "bracket_stop") <= -0.08 + 1e-12).all()
    assert trades["holding_period_bars"].max() <= 121
    assert "bracket_stop" in capsys.readouterr().out


def test_prepare_data_when_run_then_files_hold_what_polars_computes(tmp_path):
    example = script("prepare_data")
    assert example.main(tmp_path).ok
    prepared = pl.read_parquet(tmp_path / "asset_data.parquet").sort("symbol", "timestamp")
    prices, _, _ = example.tables()
    prices = prices.sort("symbol", "timestamp")
    mean = prices.select(pl.col("close").rolling_mean(50).over("symbol"))["close"]
    assert prepared["close"].to_list() == prices["close"].to_list()
    both = pl.DataFrame({"ours": prepared["sma_50"], "polars": mean}).drop_nulls()
    assert len(both) == len(prices) - 5 * 49
    assert both["ours"].to_numpy() == pytest.approx(both["polars"].to_numpy())


def test_own_commission_when_run_then_fees_are_those_of_the_function():
    example = script("own_commission")
    fills = example.main().fills.to_polars()
    traded: dict[str, float] = defaultdict(float)
    for row in fills.iter_rows(named=True):
        month, value = f"{row['timestamp']:%Y-%m}", row["quantity"] * row["price"]
        bps = (10 if traded[month] < 1e6 else 5) + (5 if row["side"] == "sell" else 0)
        assert row["commission"] == pytest.approx(value * bps / 10_000)
        traded[month] += value
