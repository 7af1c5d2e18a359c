"""raptorbt: one account, a Python hook once per symbol and bar.

Signals are computed before the run, as its own arrays mode wants them.
"""

import importlib.metadata

import numpy as np
import raptorbt
import workloads as w
from raptorbt.strategy.orders import Market


class Sma(raptorbt.Strategy):
    crosses = {}

    def on_bar(self, ctx):
        symbol = ctx.symbol
        entries, exits = self.crosses[symbol]
        if entries[ctx.idx]:
            self.submit_order(Market(side="buy", units=float(w.QUANTITY)), symbol=symbol)
        elif exits[ctx.idx] and ctx.position is not None:
            order = Market(side="sell", units=float(w.QUANTITY), reduce_only=True)
            self.submit_order(order, symbol=symbol)


class Idle(raptorbt.Strategy):
    def on_bar(self, ctx):
        pass


def load(workload, folder):
    timestamps, symbols, columns = w.panel(workload, folder)
    stamps = timestamps.astype("datetime64[ns]").astype(np.int64)
    data = {}
    for i, symbol in enumerate(symbols):
        bars = {name: np.ascontiguousarray(values[:, i]) for name, values in columns.items()}
        data[symbol] = {"timestamps": stamps, **bars}
    return columns["close"], data


def run(workload, inputs):
    close, data = inputs
    strategy = {"sma": Sma, "idle": Idle}[w.kind(workload)]
    if strategy is Sma:
        entries, exits = w.crosses(close)
        pairs = zip(data, entries.T, exits.T)
        Sma.crosses = {symbol: (entry.tolist(), exit.tolist()) for symbol, entry, exit in pairs}
    config = raptorbt.BacktestConfig(
        initial_capital=w.cash(workload), fees=w.FEE, slippage=0.0, fill_timing="next_bar_open"
    )
    metrics = raptorbt.run_portfolio_strategy(strategy, data=data, config=config).metrics
    fills = 2 * metrics.total_closed_trades + metrics.total_open_trades
    return {"equity": round(metrics.end_value, 6), "fills": fills}


w.main("raptorbt, hook a bar", importlib.metadata.version("raptorbt"), load, run)
