"""One strategy in every form gives one result, and it is that of a plain Python loop."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque

import numpy as np
import polars as pl
import pytest

import tapeworks as tw

FAST, SLOW, QUANTITY, BPS, CASH = 10, 30, 100, 10.0, 10_000_000.0
TABLES = ("trades", "fills", "orders", "rejections", "positions", "portfolio")


# --- the answers, by plain loops over whole cents ---


def panel(bars: pl.DataFrame, column: str) -> np.ndarray:
    return bars[column].to_numpy().reshape(bars["timestamp"].n_unique(), -1)


def sma_reference(bars: pl.DataFrame) -> tuple[float, int]:
    """Buy 100 at the next open when SMA10 crosses above SMA30, sell when below; 0.1 % a side."""
    open_, close = panel(bars, "open"), panel(bars, "close")
    cents = np.rint(close * 100).astype(int)
    cash, n_fills = CASH, 0
    held = [0] * close.shape[1]
    for j in range(close.shape[1]):

        def above(t):
            return 3 * sum(cents[t - FAST + 1 : t + 1, j]) > sum(cents[t - SLOW + 1 : t + 1, j])

        for t in range(SLOW, len(close) - 1):
            if above(t) and not above(t - 1):
                cash -= QUANTITY * open_[t + 1, j] * 1.001
                held[j] += QUANTITY
                n_fills += 1
            elif not above(t) and above(t - 1) and held[j]:
                cash += QUANTITY * open_[t + 1, j] * 0.999
                held[j] -= QUANTITY
                n_fills += 1
    return cash + float(np.dot(held, close[-1])), n_fills


def top_reference(bars: pl.DataFrame, n: int, weight: float) -> tuple[float, int]:
    """Every fifth day the n highest signals get floor(weight x equity / close) units."""
    open_, close, signal = panel(bars, "open"), panel(bars, "close"), panel(bars, "signal")
    cash, n_fills = CASH, 0
    held = np.zeros(close.shape[1])
    for t in range(4, len(close) - 1, 5):
        equity = cash + float(held @ close[t])
        target = np.zeros(close.shape[1])
        best = np.argsort(-signal[t], kind="stable")[:n]
        target[best] = np.floor(weight * equity / close[t, best])
        change = target - held
        n_fills += int((change != 0).sum())
        traded = change * open_[t + 1]
        cash -= float(traded.sum() + np.abs(traded).sum() * BPS / 1e4)
        held = target
    return cash + float(held @ close[-1]), n_fills


# --- the same strategies in both modes ---


class SmaSimple(tw.Strategy):
    """SMA cross with its own arithmetic, a row at a time."""

    def on_start(self):
        self.closes = {symbol: deque(maxlen=SLOW) for symbol in self.symbols}
        self.was_above = {}

    def on_market_data(self, event):
        symbol = event.symbol
        closes = self.closes[symbol]
        closes.append(round(event.close * 100))
        if len(closes) < SLOW:
            return
        above = 3 * sum(list(closes)[-FAST:]) > sum(closes)
        before = self.was_above.get(symbol)
        self.was_above[symbol] = above
        if before is None or above == before:
            return
        if above:
            self.buy(symbol, QUANTITY)
        elif self.quantity(symbol) > 0:
            self.sell(symbol, QUANTITY)


class SmaBatch(tw.Strategy):
    """SMA cross over arrays, one call for all orders."""

    def on_start(self):
        n = len(self.symbols)
        self.ring = np.zeros((SLOW, n), dtype=np.int64)
        self.t = -1
        self.was_above = np.zeros(n, dtype=bool)

    def on_timestamp_batch(self, timestamp, batch, context):
        self.t += 1
        self.ring[self.t % SLOW] = np.rint(batch["close"] * 100)
        if self.t < SLOW - 1:
            return None
        last = [(self.t - k) % SLOW for k in range(FAST)]
        above = 3 * self.ring[last].sum(axis=0) > self.ring.sum(axis=0)
        before, self.was_above = self.was_above, above
        if self.t < SLOW:
            return None
        buys = above & ~before
        sells = ~above & before & (self.quantities(batch) > 0)
        index = np.flatnonzero(buys | sells)
        return tw.orders(index, np.where(buys[index], QUANTITY, -QUANTITY))


class TopBatch(tw.Strategy):
    """The highest signals, as weights."""

    def on_start(self):
        self.t = -1

    def on_timestamp_batch(self, timestamp, batch, context):
        self.t += 1
        if self.t % 5 != 4:
            return None
        weights = np.zeros(len(batch))
        best = np.argsort(-batch["signal"], kind="stable")[: self.params["n"]]
        weights[best] = self.params["weight"]
        return tw.targets(weights=weights)


class TopRebalance(tw.Strategy):
    """The same through `rebalance` and a dict."""

    def on_start(self):
        self.t = -1

    def on_timestamp_batch(self, timestamp, batch, context):
        self.t += 1
        if self.t % 5 == 4:
            best = np.argsort(-batch["signal"], kind="stable")[: self.params["n"]]
            self.rebalance({batch.symbols[i]: self.params["weight"] for i in best})


def run(bars, strategy) -> tw.Result:
    return tw.run(
        tw.DataFeed(bars),
        strategy,
        cash=CASH,
        commission=tw.Commission.percent(bps=BPS),
        name="equal",
    )


def assert_equal(left: tw.Result, right: tw.Result) -> None:
    for table in TABLES:
        frames = [getattr(result, table).to_polars() for result in (left, right)]
        assert frames[0].equals(frames[1]), table
    assert left.fingerprint == right.fingerprint


# --- tests ---


@pytest.mark.parametrize(
    "strategy", [SmaSimple(), SmaBatch(), tw.rules.sma_cross(FAST, SLOW, QUANTITY)]
)
def test_sma_cross_when_run_then_the_plain_loop(bars, strategy):
    equity, n_fills = sma_reference(bars)
    result = run(bars, strategy)
    assert n_fills > 100
    assert len(result.fills) == n_fills
    assert result.metrics["final_equity"] == pytest.approx(equity, abs=1e-6)


@pytest.mark.parametrize("form", ["rule", "targets", "rebalance"])
def test_top_n_when_run_then_the_plain_loop(bars, form):
    strategy = {
        "rule": tw.rules.top_n("signal", 5, rebalance="5d", weight=0.1),
        "targets": TopBatch(n=5, weight=0.1),
        "rebalance": TopRebalance(n=5, weight=0.1),
    }[form]
    equity, n_fills = top_reference(bars, 5, 0.1)
    result = run(bars, strategy)
    assert n_fills > 300
    assert len(result.fills) == n_fills
    assert result.metrics["final_equity"] == pytest.approx(equity, abs=1e-6)


def test_sma_cross_when_simple_batch_or_rule_then_equal_records(bars):
    simple, batch = run(bars, SmaSimple()), run(bars, SmaBatch())
    rule = run(bars, tw.rules.sma_cross(FAST, SLOW, QUANTITY))
    assert_equal(simple, batch)
    fills = [r.fills.to_polars().sort("timestamp", "symbol") for r in (simple, rule)]
    assert fills[0].drop("order_id", "fill_id").equals(fills[1].drop("order_id", "fill_id"))
    assert simple.portfolio.to_polars().equals(rule.portfolio.to_polars())


def test_run_when_repeated_or_rechunked_then_same_fingerprint(bars):
    prints = {run(bars, SmaBatch()).fingerprint for _ in range(2)}
    for chunk in (20, 1_000, "1d", "1y"):
        feed = tw.DataFeed(bars, chunk=chunk)
        result = tw.run(feed, SmaSimple(), cash=CASH, commission=tw.Commission.percent(bps=BPS))
        prints.add(result.fingerprint)
    assert len(prints) == 1


def test_config_when_run_by_python_or_program_then_equal_to_the_call(bars, bars_path, tmp_path):
    config = tmp_path / "run.json"
    config.write_text(
        json.dumps(
            {
                "backtest": {"name": "equal", "initial_capital": CASH},
                "data": {"asset_data": bars_path, "columns": {"signals": ["signal"]}},
                "strategy": {"rule": "sma_cross", "fast": FAST, "slow": SLOW, "quantity": QUANTITY},
                "execution": {"commission": {"kind": "percent", "bps": BPS}},
            }
        )
    )
    called = run(bars, tw.rules.sma_cross(FAST, SLOW, QUANTITY))
    by_config = tw.run_config(config)
    assert_equal(called, by_config)
    out = tmp_path / "folder"
    done = subprocess.run(
        [sys.executable, "-m", "tapeworks", "run", str(config), "--out", str(out)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = tw.load(out)
    assert loaded.fingerprint == called.fingerprint
    for table in TABLES:
        left, right = getattr(loaded, table).to_polars(), getattr(called, table).to_polars()
        assert left.with_columns(pl.col(pl.Categorical).cast(pl.String)).equals(
            right.with_columns(pl.col(pl.Categorical).cast(pl.String))
        ), table
    cheaper = tw.run_config(config, overrides={"execution.commission.bps": 1})
    assert cheaper.metrics["commissions"] == pytest.approx(called.metrics["commissions"] / 10)


def test_config_when_it_names_a_python_class_then_run(bars, bars_path, tmp_path):
    (tmp_path / "my_strategies.py").write_text(
        "import tapeworks as tw\n"
        "class Once(tw.Strategy):\n"
        "    def on_start(self): self.done = False\n"
        "    def on_market_data(self, event):\n"
        "        if not self.done:\n"
        "            self.done = True\n"
        "            self.buy(event.symbol, self.params['units'])\n"
    )
    config = tmp_path / "run.yaml"
    config.write_text(
        f"data: {{asset_data: {bars_path}}}\n"
        "strategy: {python: 'my_strategies:Once', params: {units: 7}}\n"
    )
    result = tw.run_config(config)
    assert result.fills.to_numpy("quantity").tolist() == [7.0]
    config.write_text(
        f"data: {{asset_data: {bars_path}}}\nstrategy: {{python: 'my_strategies:Missing'}}\n"
    )
    with pytest.raises((AttributeError, tw.ConfigError), match="Missing"):
        tw.run_config(config)


def test_run_when_rules_trade_the_sample_then_metrics_agree_with_the_portfolio():
    result = tw.run(tw.sample("daily"), tw.rules.top_n("score", 2, rebalance="5d"), cash=1_000_000)
    equity = result.portfolio.to_numpy("equity")
    assert result.metrics["final_equity"] == equity[-1]
    assert result.metrics["total_return"] == pytest.approx(equity[-1] / 1_000_000 - 1)
    returns = np.diff(np.concatenate([[1_000_000.0], equity])) / np.concatenate(
        [[1_000_000.0], equity[:-1]]
    )
    sharpe = result.metrics["sharpe"]
    assert "252/yr" in sharpe.convention
    assert sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252))
