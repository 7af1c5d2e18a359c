"""Holds each of two assets while its fast average of five-minute bars is above the slow one."""

from lumibot.entities import Asset, Order
from lumibot.strategies import Strategy


class SmaCross(Strategy):
    parameters = {"fast": 5, "slow": 20, "share": 0.4}

    def initialize(self):
        self.sleeptime = "15M"
        self.set_market("NYSE")
        self.assets = [Asset("QQQ"), Asset("TLT", asset_type=Asset.AssetType.STOCK)]

    def on_trading_iteration(self):
        parameters = self.get_parameters()
        bars_of = self.get_historical_prices_for_assets(
            self.assets, parameters["slow"] + 2, "5 minutes"
        )
        for asset in self.assets:
            frame = bars_of[asset].df
            close = frame["close"]
            if len(close) < parameters["slow"]:
                continue
            fast = close.rolling(parameters["fast"]).mean().iloc[-1]
            slow = close.rolling(parameters["slow"]).mean().iloc[-1]
            position = self.get_position(asset)
            if fast > slow and position is None:
                price = self.get_last_price(asset)
                quantity = self.portfolio_value * parameters["share"] // price
                order = self.create_order(asset, quantity, Order.OrderSide.BUY)
                self.submit_order(order)
            elif fast < slow and position is not None:
                self.submit_order(position.get_selling_order())
