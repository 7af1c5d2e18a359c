"""Short bars and a strategy that plays a script, for the tests of `tapeworks.compat.lumibot`."""

import numpy as np
import pandas as pd
import tapeworks as tw
from tapeworks.compat.lumibot import Asset, PandasDataBacktesting, Strategy

ZONE = "America/New_York"


def minutes(closes, start="2024-01-02 09:30", opens=None, reach=0.5):
    """Minute bars around these closes; opens are the closes unless they are given."""
    index = pd.date_range(start, periods=len(closes), freq="1min", tz=ZONE)
    close = np.asarray(closes, dtype=float)
    open_ = close if opens is None else np.asarray(opens, dtype=float)
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) + reach,
            "low": np.minimum(open_, close) - reach,
            "close": close,
            "volume": 1000.0,
        },
        index=index,
    )


def days(closes, dates):
    close = np.asarray(closes, dtype=float)
    columns = {"open": close - 0.5, "high": close + 1, "low": close - 1, "close": close}
    return pd.DataFrame({**columns, "volume": 1.0}, index=pd.DatetimeIndex(dates))


class Scripted(Strategy):
    """Calls `script[n](self)` in iteration n, counted from 0, and writes down what happens."""

    script: dict = {}
    market = "24/7"

    def initialize(self):
        self.sleeptime = "1M"
        self.set_market(self.market)
        self.n = 0
        self.events = []

    def on_trading_iteration(self):
        if self.n in self.script:
            self.script[self.n](self)
        self.n += 1

    def on_new_order(self, order):
        self.events.append(("new", order.identifier))

    def on_filled_order(self, position, order, price, quantity, multiplier):
        self.events.append(("fill", order.identifier, price, quantity, position.quantity))

    def on_canceled_order(self, order):
        self.events.append(("canceled", order.identifier))


def play(script, frame, start=None, end=None, market="24/7", **terms):
    cls = type("Played", (Scripted,), {"script": script, "market": market})
    terms = {"progress": False, "minutes_before_closing": 1, **terms}
    data = frame if isinstance(frame, (dict, list, tw.DataFeed)) else {Asset("A"): frame}
    return cls.run_backtest(PandasDataBacktesting, start, end, pandas_data=data, **terms)


def prices_of(result):
    return result.fills.to_numpy("price").tolist()


def code_of(raised):
    return raised.value.code
