"""backtesting.py knows one symbol: one run each, profits added up (cash never binds in W1)."""

import importlib.metadata
import warnings

import pandas as pd
import workloads as w
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

warnings.filterwarnings("ignore")


def mean(values, n):
    return pd.Series(values).rolling(n).mean()


class Sma(Strategy):
    def init(self):
        self.fast = self.I(mean, self.data.Close, w.FAST)
        self.slow = self.I(mean, self.data.Close, w.SLOW)

    def next(self):
        if crossover(self.fast, self.slow):
            self.buy(size=w.QUANTITY)
        elif crossover(self.slow, self.fast):
            self.position.close()


class Idle(Strategy):
    def init(self):
        pass

    def next(self):
        pass


def load(workload, folder):
    frames = w.frames(workload, folder)
    return [frame.rename(columns=str.capitalize) for frame in frames.values()]


def run(workload, frames):
    strategy = {"sma": Sma, "idle": Idle}[w.kind(workload)]
    cash, equity, fills = w.cash(workload), w.cash(workload), 0
    for frame in frames:
        test = Backtest(frame, strategy, cash=cash, commission=w.FEE, finalize_trades=False)
        stats = test.run()
        equity += stats["_equity_curve"]["Equity"].iloc[-1] - cash
        fills += 2 * len(stats["_trades"]) + len(stats["_strategy"].trades)
    return {"equity": round(float(equity), 6), "fills": fills}


w.main("backtesting.py", importlib.metadata.version("backtesting"), load, run)
