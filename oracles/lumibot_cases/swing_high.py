"""Buys after two rises of the last price in a row, sells at a gain, a loss, or the day's end."""

from lumibot.strategies import Strategy


class SwingHigh(Strategy):
    parameters = {"symbol": "SPY", "quantity": 50, "gain": 1.003, "loss": 0.998}

    def initialize(self, symbol="SPY", quantity=10):
        self.sleeptime = "1M"
        self.set_market("NYSE")
        self.vars.prices = []
        self.vars.entry = None
        self.symbol = symbol
        self.quantity = quantity

    def on_trading_iteration(self):
        price = self.get_last_price(self.symbol)
        prices = self.vars.prices
        prices.append(price)
        position = self.get_position(self.symbol)
        if position is None:
            rises = len(prices) > 2 and prices[-1] > prices[-2] > prices[-3]
            if rises and self.get_datetime().hour < 15:
                order = self.create_order(self.symbol, self.quantity, "buy")
                self.submit_order(order)
            return
        entry = self.vars.entry
        if price >= entry * self.parameters["gain"] or price <= entry * self.parameters["loss"]:
            self.sell_all()
            self.vars.prices = []

    def before_market_closes(self):
        self.sell_all()

    def on_filled_order(self, position, order, price, quantity, multiplier):
        if order.side == "buy":
            self.vars.entry = price
