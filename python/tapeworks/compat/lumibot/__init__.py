"""Lumibot strategies on the engine of tapeworks: change the imports, run.

>>> import pandas as pd
>>> from tapeworks.compat.lumibot import Asset, PandasDataBacktesting, Strategy
>>> class BuyOnce(Strategy):
...     def initialize(self):
...         self.sleeptime = "1M"
...         self.set_market("24/7")
...     def on_trading_iteration(self):
...         if self.first_iteration:
...             self.submit_order(self.create_order("SPY", 10, "buy"))
>>> times = pd.date_range("2024-01-02 09:30", periods=5, freq="1min", tz="America/New_York")
>>> bars = pd.DataFrame({"open": [10.0, 11.0, 12.0, 13.0, 14.0]}, index=times)
>>> bars = bars.assign(high=bars.open + 1, low=bars.open - 1, close=bars.open, volume=100.0)
>>> result = BuyOnce.backtest(PandasDataBacktesting, pandas_data={Asset("SPY"): bars})
>>> result.fills.to_numpy("price").tolist()
[11.0]

Its rules of matching are `semantics="lumibot"` without those that flatter; `docs/lumibot.md` has
the table of what is equal, what differs and what is refused.
"""

from tapeworks.compat.lumibot.backtesting import BacktestingBroker, PandasDataBacktesting
from tapeworks.compat.lumibot.entities import Asset, Bars, Data, Order, Position, TradingFee
from tapeworks.compat.lumibot.strategies import Strategy
from tapeworks.compat.lumibot.traders import Trader

__all__ = [
    "Asset",
    "BacktestingBroker",
    "Bars",
    "Data",
    "Order",
    "PandasDataBacktesting",
    "Position",
    "Strategy",
    "Trader",
    "TradingFee",
]
