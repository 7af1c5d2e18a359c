"""Limit orders below the market with a target and a stop, flat at the end of each day."""

from lumibot.entities import Order, TradingFee
from lumibot.strategies import Strategy

FEES = [TradingFee(flat_fee=1.0), TradingFee(percent_fee=0.0001)]


class IntradayBracket(Strategy):
    parameters = {"symbol": "GLD", "below": 0.999, "target": 1.0025, "stop": 0.9975}

    def initialize(self):
        self.sleeptime = "1M"
        self.set_market("NYSE")
        self.minutes_before_closing = 10
        self.vars.n_days = 0
        self.vars.n_filled = 0
        self.vars.n_canceled = 0

    def before_starting_trading(self):
        self.vars.n_days += 1

    def on_trading_iteration(self):
        now = self.get_datetime()
        symbol = self.parameters["symbol"]
        if self.get_position(symbol) is not None or not 10 <= now.hour < 15:
            return
        waiting = [order for order in self.get_orders() if order.is_active()]
        if now.minute % 30 == 0:
            for order in waiting:
                self.cancel_order(order)
            waiting = []
        if waiting:
            return
        high = self.get_historical_prices(symbol, 30, "minute").df["high"].max()
        limit = round(high * self.parameters["below"], 2)
        order = self.create_order(
            symbol,
            100,
            Order.OrderSide.BUY,
            limit_price=limit,
            order_class=Order.OrderClass.BRACKET,
            secondary_limit_price=round(limit * self.parameters["target"], 2),
            secondary_stop_price=round(limit * self.parameters["stop"], 2),
        )
        self.submit_order(order)

    def before_market_closes(self):
        self.cancel_open_orders()
        self.sell_all()

    def on_filled_order(self, position, order, price, quantity, multiplier):
        self.vars.n_filled += 1

    def on_canceled_order(self, order):
        self.vars.n_canceled += 1
