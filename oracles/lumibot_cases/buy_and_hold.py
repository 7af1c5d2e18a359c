"""Buys one share with all the money and keeps it."""

from lumibot.strategies.strategy import Strategy


class BuyAndHold(Strategy):
    parameters = {"buy_symbol": "QQQ", "sleeptime": "1H"}

    def initialize(self):
        self.sleeptime = self.parameters["sleeptime"]

    def on_trading_iteration(self):
        symbol = self.parameters["buy_symbol"]
        price = self.get_last_price(symbol)
        self.add_line(f"{symbol} price", price)
        if len(self.get_positions()) == 0:
            quantity = int(self.get_portfolio_value() // price)
            self.submit_order(self.create_order(symbol, quantity, "buy"))
            self.log_message(f"bought {quantity} {symbol} at about {price}")
