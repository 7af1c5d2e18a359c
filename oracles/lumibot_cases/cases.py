"""The runs of this folder: which strategy on which bars, between which times."""

import importlib.util
import os
import sys
from datetime import timedelta

import market
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
START = pd.Timestamp("2024-01-03 09:30", tz=market.ZONE)
END = pd.Timestamp("2024-01-09 16:00", tz=market.ZONE)
# How times of fills are written: the start of the bar, in New York.
TIME = "%Y-%m-%d %H:%M"
SHARES = ("buy_and_hold", "swing_high", "sma_cross", "drift_rebalance", "intraday_bracket")
# Opens that differ from the closes before, and opens that are those closes.
FUTURES = {"momentum": 2, "momentum_gapless": 0}
# The same strategy once a day, which Lumibot calls for each row of minute data.
VARIANTS = {"buy_and_hold_1D": ("buy_and_hold", {"sleeptime": "1D"})}
NAMES = (*SHARES, *VARIANTS, *FUTURES)


class Case:
    """What a run needs; `package` is where the strategy imports from."""

    def __init__(self, name, package="lumibot"):
        self.name = name
        self.is_future = name in FUTURES
        file, self.parameters = VARIANTS.get(name, (name, {}))
        module = load("momentum" if self.is_future else file, package)
        self.strategy = next(
            value
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__
        )
        self.fees = getattr(module, "FEES", [])
        self.budget = 100_000.0
        if self.is_future:
            self.frames = {"MES": market.future(FUTURES[name])}
            self.start = market.FUTURE_START
            self.end = self.start + timedelta(minutes=market.ITERATIONS - 1)
        else:
            self.frames = market.shares()
            self.start, self.end = START, END


def load(name, package):
    """The module of a strategy with its imports changed to those of `package`."""
    with open(os.path.join(HERE, f"{name}.py")) as file:
        source = file.read().replace("from lumibot", f"from {package}")
    title = f"{package.replace('.', '_')}_{name}"
    spec = importlib.util.spec_from_loader(title, loader=None)
    module = importlib.util.module_from_spec(spec)
    sys.modules[title] = module
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module
