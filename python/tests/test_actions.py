"""Corporate actions on raw prices: frames, paths, configs, and what a strategy sees."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tapeworks as tw

START = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)


def bars(prices, volume=None):
    days = [START + dt.timedelta(days=i) for i in range(len(prices))]
    volume = volume or [1000.0] * len(prices)
    columns = {name: prices for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"timestamp": days, "symbol": "AAA", **columns, "volume": volume})


def actions(*rows):
    schema = {"symbol": pl.String, "ex_date": pl.Date, "kind": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def split(day, ratio):
    return ("AAA", dt.date(2024, 1, day), "split", ratio)


def dividend(day, amount):
    return ("AAA", dt.date(2024, 1, day), "dividend", amount)


class Looks(tw.Strategy):
    """Buys once and writes down what it sees."""

    def on_start(self):
        self.seen, self.told, self.equities = [], [], []

    def on_rescale(self, symbol, price, volume):
        self.told.append((symbol, price, volume))

    def on_market_data(self, event):
        n = len(self.seen) + 1
        if n == 1:
            self.buy("AAA", 10)
        table = self.history("AAA", n).to_polars()
        closes = self.history("AAA", n, "close")
        assert closes.tolist() == table["close"].to_list()
        self.seen.append((closes.tolist(), table["volume"].to_list()))
        self.equities.append(self.equity)


RAW = [100.0, 100.0, 50.0, 48.0]
LIST = (split(3, 2.0), dividend(4, 2.0))


@pytest.mark.parametrize(
    ("adjustment", "last", "volumes", "told"),
    [
        ("none", [100.0, 100.0, 50.0, 48.0], [1000.0, 1000.0], []),
        ("split", [50.0, 50.0, 50.0, 48.0], [2000.0, 2000.0], [("AAA", 0.5, 2.0)]),
        # 50 before the ex-date, 2 of it a dividend: 0.96 of every earlier price.
        (
            "total",
            [48.0, 48.0, 48.0, 48.0],
            [2000.0, 2000.0],
            [("AAA", 0.5, 2.0), ("AAA", 0.96, 1.0)],
        ),
    ],
)
def test_history_when_an_action_passes_then_the_past_is_in_units_of_now(
    adjustment, last, volumes, told
):
    strategy = Looks()
    feed = tw.DataFeed(bars(RAW), actions=actions(*LIST), adjustment=adjustment)
    result = tw.run(feed, strategy, cash=10_000)
    assert strategy.seen[1][0] == [100.0, 100.0], "nothing is known of the split the day before"
    assert strategy.seen[3][0] == pytest.approx(last, abs=1e-12)
    assert strategy.seen[3][1][:2] == volumes
    assert strategy.told == told
    # Split and dividend leave equity where it was, whatever the view.
    assert strategy.equities == [10_000.0] * 4
    states = result.portfolio.to_polars()
    assert states["dividends"].to_list() == [0.0, 0.0, 0.0, 40.0]
    trade = result.trades.to_polars().row(0, named=True)
    assert (trade["entry_price"], trade["entry_quantity"]) == (50.0, 20.0)
    assert trade["dividends"] == 40.0 and trade["pnl_net"] == 0.0


def test_actions_when_from_pandas_or_a_file_then_the_run_is_the_same(tmp_path):
    table = actions(*LIST)
    table.write_csv(tmp_path / "actions.csv")
    table.write_parquet(tmp_path / "actions.parquet")
    frame = pd.DataFrame(
        {
            "ticker": ["AAA", "AAA"],
            "date": pd.to_datetime(["2024-01-03", "2024-01-04"]),
            "kind": ["split", "dividend"],
            "ratio": [2.0, np.nan],
            "amount": [np.nan, 2.0],
        }
    )
    sources = [table, table.lazy(), frame, tmp_path / "actions.csv", tmp_path / "actions.parquet"]
    results = [
        tw.run(
            tw.DataFeed(bars(RAW), actions=source, adjustment="none"),
            tw.rules.buy_and_hold(),
            cash=10_000,
        )
        for source in sources
    ]
    assert len({result.fingerprint for result in results}) == 1
    assert results[0].portfolio.to_polars()["equity"].to_list() == [10_000.0] * 4


def test_feed_when_actions_and_adjustment_disagree_then_it_says_so():
    with pytest.raises(tw.ConfigError, match="TW-C341"):
        tw.DataFeed(bars(RAW), actions=actions(*LIST))
    with pytest.raises(tw.ConfigError, match="twice"):
        tw.DataFeed(bars(RAW), actions=actions(*LIST), adjustment="stated")
    with pytest.raises(tw.ConfigError, match="no actions"):
        tw.DataFeed(bars(RAW), adjustment="total")
    with pytest.raises(tw.ConfigError):
        tw.DataFeed(bars(RAW), adjustment="splits")
    with pytest.raises(tw.DataError, match="TW-D605"):
        feed = tw.DataFeed(bars(RAW), actions=actions(split(3, 0.0)), adjustment="none")
        tw.run(feed, tw.rules.noop())


def test_check_when_an_action_explains_a_jump_then_it_is_clean():
    jump = "D207" in str(tw.DataFeed(bars([100.0] * 8 + [50.0] * 8)).check())
    feed = tw.DataFeed(
        bars([100.0] * 8 + [50.0] * 8), actions=actions(split(9, 2.0)), adjustment="split"
    )
    assert jump and "D207" not in str(feed.check())
    late = tw.DataFeed(bars(RAW), actions=actions(split(30, 2.0)), adjustment="split").check()
    assert "D605" in str(late) and late.ok


def test_adjust_prices_when_viewed_from_a_date_then_as_pandas_has_it():
    """The naive way: each action multiplies all rows before it."""
    rng = np.random.default_rng(3)
    prices = np.exp(np.cumsum(rng.normal(0, 0.01, 28))) * 100
    list_ = [split(5, 2.0), dividend(9, 1.5), split(15, 0.25), dividend(20, 3.0)]
    for view in (None, "2024-01-10", dt.date(2024, 1, 20)):
        for kind in ("split", "total"):
            wanted = pd.Series(prices)
            until = dt.date(2024, 1, 28) if view is None else dt.date.fromisoformat(str(view))
            for _, date, action, value in list_:
                if date > until:
                    continue
                before = wanted.index < date.day - 1
                if action == "split":
                    wanted[before] /= value
                elif kind == "total":
                    close = prices[date.day - 2]
                    wanted[before] *= 1 - value / close
            table = tw.adjust_prices(
                bars(prices.tolist()), actions(*list_), adjustment=kind, view_date=view
            )
            got = table.to_polars()["close"].to_numpy()
            np.testing.assert_allclose(got, wanted.to_numpy(), rtol=1e-12)


def test_preparer_when_actions_pass_then_pandas_over_each_view_agrees(tmp_path):
    rng = np.random.default_rng(7)
    prices = np.round(rng.uniform(90, 110, 28), 2)
    prices[9:] = np.round(prices[9:] / 4, 2)
    rows = [split(10, 4.0), dividend(20, 0.5)]
    prep = tw.DataPreparer().add_prices(
        bars(prices.tolist()), actions=actions(*rows), adjustment="total"
    )
    prep.add_indicators(["sma:5", "returns:3"]).validate_and_save(tmp_path / "out.parquet")
    got = pl.read_parquet(tmp_path / "out.parquet")
    assert got["close"].to_list() == prices.tolist()
    for row in range(5, 28):
        view = pd.Series(prices[: row + 1])
        if row >= 19:
            view[:19] *= 1 - 0.5 / prices[18]
        if row >= 9:
            view[:9] /= 4
        assert got["sma_5"][row] == pytest.approx(view.tail(5).mean(), rel=1e-12)
        wanted = view[row] / view[row - 3] - 1
        assert got["returns_3"][row] == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    with pytest.raises(tw.ConfigError, match="C341"):
        tw.DataPreparer().add_prices(bars(prices.tolist()), adjustment="split")
    with pytest.raises(tw.ConfigError, match="adjustment"):
        tw.DataPreparer().add_prices(bars(prices.tolist()), adjustment="splits")


def test_command_line_when_it_checks_actions_then_findings_and_exit(tmp_path):
    bars(RAW).write_parquet(tmp_path / "bars.parquet")
    actions(split(3, -1.0)).write_csv(tmp_path / "actions.csv")
    command = [sys.executable, "-m", "tapeworks", "check", "data", str(tmp_path / "actions.csv")]
    command += ["--kind", "actions", "--bars", str(tmp_path / "bars.parquet")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 3 and "D605" in ended.stdout + ended.stderr
