"""The shape of Lumibot's own momentum benchmark: one future, minutes, SMA-9, ATR-14, brackets.

Written from its description: each minute a window of 200 bars, the average of the last 8 closes
and the last price, the mean true range of 14 bars; long above the average with a stop one range
away and a target at three, out below it.
"""

import math

import numpy as np
from lumibot.entities import Asset, Order, TradingFee
from lumibot.strategies import Strategy

FEES = [TradingFee(flat_fee=0.5)]


class Momentum(Strategy):
    parameters = {
        "sma": 9,
        "atr": 14,
        "window": 200,
        "stop_ranges": 1.0,
        "reward": 3.0,
        "risk": 0.01,
        "point_value": 5.0,
        "contracts_max": 5,
    }

    def initialize(self):
        self.sleeptime = "1M"
        self.set_market("24/7")
        self.future = Asset("MES", asset_type=Asset.AssetType.CONT_FUTURE, multiplier=5)

    def average_and_range(self, frame, price):
        """The average of closes with the last price, and the mean true range; currency."""
        n_sma, n_atr = self.parameters["sma"], self.parameters["atr"]
        _, high, low, close = frame.to_numpy().T[:4]
        high, low, before = high[-n_atr:], low[-n_atr:], close[-n_atr - 1 : -1]
        ranges = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
        return (close[1 - n_sma :].sum() + price) / n_sma, ranges.mean()

    def on_trading_iteration(self):
        parameters = self.get_parameters()
        asset = self.future
        bars = self.get_historical_prices(asset, parameters["window"], "minute")
        if bars is None:
            return
        price = self.get_last_price(asset)
        average, range_ = self.average_and_range(bars.df, float(price))
        if not range_ > 0:
            return
        position = self.get_position(asset)
        is_held = position is not None and abs(position.quantity) > 0
        if is_held:
            if price <= average:
                self.cancel_open_orders()
                self.close_position(asset)
            return
        if price <= average or self.get_orders(statuses=Order.ACTIVE_STATUSES):
            return
        distance = parameters["stop_ranges"] * range_
        risk = self.get_portfolio_value() * parameters["risk"]
        contracts = math.floor(risk / (distance * parameters["point_value"]))
        contracts = int(max(1, min(contracts, parameters["contracts_max"])))
        order = self.create_order(
            asset,
            contracts,
            Order.OrderSide.BUY,
            order_class=Order.OrderClass.BRACKET,
            secondary_limit_price=price + parameters["reward"] * distance,
            secondary_stop_price=price - distance,
        )
        self.submit_order(order)
