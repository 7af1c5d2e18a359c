"""Keeps four assets at their weights; trades when one has drifted too far."""

from lumibot.strategies import Strategy


class DriftRebalance(Strategy):
    parameters = {
        "weights": {"SPY": 0.4, "QQQ": 0.2, "TLT": 0.25, "GLD": 0.1},
        "drift": 0.002,
    }

    def initialize(self):
        self.sleeptime = "1H"
        self.set_market("NYSE")
        self.minutes_before_closing = 5

    def on_trading_iteration(self):
        weights = self.parameters["weights"]
        prices = self.get_last_prices(list(weights))
        value = self.portfolio_value
        held = {position.asset.symbol: position.quantity for position in self.get_positions()}
        drifts = {s: held.get(s, 0) * prices[s] / value - w for s, w in weights.items()}
        if max(abs(drift) for drift in drifts.values()) <= self.parameters["drift"]:
            return
        orders = []
        for symbol, weight in weights.items():
            change = int(value * weight // prices[symbol]) - held.get(symbol, 0)
            if change:
                side = "buy" if change > 0 else "sell"
                orders.append(self.create_order(symbol, abs(change), side))
        # Sales first, so that their money can be spent.
        orders.sort(key=lambda order: order.side == "buy")
        self.submit_orders(orders)
