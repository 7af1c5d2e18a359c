"""ml4t-backtest: long polars frames; crosses and forecasts go in as its signals frame."""

import importlib.metadata

import numpy as np
import polars as pl
import workloads as w
from ml4t.backtest import BacktestConfig, DataFeed, Engine, Strategy
from ml4t.backtest.config import CommissionType


class Sma(Strategy):
    def on_data(self, timestamp, data, context, broker):
        for asset, bar in data.items():
            cross = bar["signals"].get("cross")
            if cross and cross > 0:
                broker.submit_order(asset, w.QUANTITY)
            elif cross and broker.get_position(asset) is not None:
                broker.submit_order(asset, -w.QUANTITY)


class Top(Strategy):
    t = -1
    n_times = 0

    def on_data(self, timestamp, data, context, broker):
        self.t += 1
        if not w.is_rebalance("W2", self.t, self.n_times):
            return
        assets = list(data)
        signal = np.array([data[asset]["signals"]["signal"] for asset in assets])
        close = np.array([data[asset]["close"] for asset in assets])
        wanted = w.targets(signal, close, broker.get_account_value())
        for asset, quantity in zip(assets, wanted, strict=True):
            position = broker.get_position(asset)
            change = int(quantity) - (position.quantity if position is not None else 0)
            if change:
                broker.submit_order(asset, change)


class Idle(Strategy):
    def on_data(self, timestamp, data, context, broker):
        pass


def load(workload, folder):
    frame = pl.read_parquet(w.path(workload, folder))
    frame = frame.with_columns(pl.col("symbol").cast(pl.String))
    signals = None
    if w.kind(workload) == "top":
        signals = frame.select("timestamp", "symbol", "signal")
    return frame.drop("signal", strict=False), signals


def crosses(prices):
    gap = pl.col("close").rolling_mean(w.FAST) - pl.col("close").rolling_mean(w.SLOW)
    frame = prices.select("timestamp", "symbol", gap.over("symbol").alias("gap"))
    frame = frame.with_columns(pl.col("gap").shift(1).over("symbol").alias("before"))
    up = (pl.col("gap") > 0) & (pl.col("before") <= 0)
    down = (pl.col("gap") < 0) & (pl.col("before") >= 0)
    cross = pl.when(up).then(1.0).when(down).then(-1.0).otherwise(0.0)
    return frame.select("timestamp", "symbol", cross.alias("cross"))


def run(workload, data):
    prices, signals = data
    strategy = {"sma": Sma, "top": Top, "idle": Idle}[w.kind(workload)]()
    if w.kind(workload) == "sma":
        signals = crosses(prices)
    elif w.kind(workload) == "top":
        strategy.n_times = prices["timestamp"].n_unique()
    config = BacktestConfig(
        initial_cash=w.cash(workload),
        commission_type=CommissionType.PERCENTAGE,
        commission_rate=w.FEE,
    )
    engine = Engine(DataFeed(prices_df=prices, signals_df=signals), strategy, config)
    engine.run()
    equity = float(engine.broker.get_account_value())
    return {"equity": round(equity, 6), "fills": len(engine.broker.fills)}


w.main("ml4t-backtest", importlib.metadata.version("ml4t-backtest"), load, run)
