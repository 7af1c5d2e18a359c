"""lumibot runs the jobs offline: minute bars from pandas, one strategy, orders as its users do.

Its clock stands at the start of a minute whose bar it has not seen: at the start of row k + 1 the
last known row is k, so what a job decides at bar k is sent there, and fills from row k + 1 on.
It marks at the open of the running minute; the equity written here is its fills at closes.
"""

import os
import time

import jobs
import records

os.environ["BACKTESTING_QUIET_LOGS"] = "true"

import pandas as pd  # noqa: E402  (lumibot reads its environment when it is imported)
from lumibot.backtesting import PandasDataBacktesting  # noqa: E402
from lumibot.entities import Asset, Data, Order, TradingFee  # noqa: E402
from lumibot.strategies import Strategy  # noqa: E402

OPEN = pd.Timestamp("2019-12-30 09:30", tz="America/New_York")


def prices_of(action):
    """Keyword arguments of create_order() for kind and prices."""
    kind = action.get("kind", "market")
    if kind == "limit":
        return {"limit_price": action["limit"]}
    if kind == "stop":
        return {"stop_price": action["stop"]}
    if kind == "stop_limit":
        prices = {"stop_price": action["stop"], "limit_price": action["limit"]}
        return prices | {"order_type": Order.OrderType.STOP_LIMIT}
    if kind == "trail" and "trail_percent" in action:
        return {"trail_percent": action["trail_percent"], "order_type": Order.OrderType.TRAIL}
    if kind == "trail":
        return {"trail_price": action["trail_amount"], "order_type": Order.OrderType.TRAIL}
    return {}


class Script(Strategy):
    def initialize(self, job=None, bars=None):
        self.sleeptime = "1M"
        self.set_market("24/7")
        self.assets = {symbol: Asset(symbol) for symbol in bars}
        self.by_bar = jobs.actions_by_bar(job)
        self.sent, self.waiting = {}, {}
        self.fills = []

    def row(self):
        return int((self.get_datetime() - OPEN).total_seconds() // 60)

    def on_trading_iteration(self):
        actions = self.by_bar.get(self.row() - 1, ())
        partner = {action["oco"]: action for action in actions if "oco" in action}
        for action in actions:
            if "after" in action:
                self.waiting.setdefault(action["after"], []).append(action)
            elif action.get("name") in partner:
                self.pair(action, partner[action["name"]])
            elif "oco" not in action:
                self.act(action)

    def send(self, action, quantity, **more):
        side = "buy" if quantity > 0 else "sell"
        asset = self.assets[action["symbol"]]
        order = self.submit_order(self.create_order(asset, abs(quantity), side, **more))
        if "name" in action:
            self.sent[order.identifier] = action["name"]

    def pair(self, stop, limit):
        prices = {"stop_price": stop["stop"], "limit_price": limit["limit"]}
        self.send(stop, stop["quantity"], order_class=Order.OrderClass.OCO, **prices)

    def held(self, symbol):
        position = self.get_position(self.assets[symbol])
        return float(position.quantity) if position is not None else 0.0

    def act(self, action):
        what = action["do"]
        if what == "order":
            self.send(action, action["quantity"], **prices_of(action))
        elif what == "bracket":
            levels = {
                "secondary_limit_price": action["take_profit"],
                "secondary_stop_price": action["stop_loss"],
                "order_class": Order.OrderClass.BRACKET,
            }
            self.send(action, action["quantity"], **prices_of(action), **levels)
        elif what == "enter" and not self.held(action["symbol"]):
            self.send(action, action["quantity"])
        elif what == "close" and self.held(action["symbol"]):
            self.send(action, -self.held(action["symbol"]))
        elif what == "cancel_all":
            asset = self.assets[action["symbol"]]
            for order in self.get_orders():
                if order.asset == asset and order.is_active():
                    self.cancel_order(order)

    def on_filled_order(self, position, order, price, quantity, multiplier):
        size = float(quantity) if order.is_buy_order() else -float(quantity)
        fee = float(order.trade_cost or 0.0)
        kind = str(order.order_type.value)
        self.fills.append([self.row(), order.asset.symbol, size, float(price), fee, kind])
        for action in self.waiting.pop(self.sent.get(order.identifier), ()):
            self.act(action)


def data_of(symbol, columns):
    index = pd.DatetimeIndex([OPEN + pd.Timedelta(minutes=i) for i in range(len(columns["close"]))])
    frame = pd.DataFrame({name: columns[name] for name in jobs.PRICES}, index=index)
    return Data(Asset(symbol), frame, timestep="minute")


def fees_of(job):
    """Its fee is a maker's on limits and a taker's on market orders and stops; trails pay none."""
    said = job.get("commission")
    return [TradingFee(percent_fee=said["rate"])] if said else []


def run(job, folder):
    bars = jobs.panel(job, folder)
    n_bars = jobs.n_bars_of(bars)
    began = time.process_time()
    _, script = Script.run_backtest(
        PandasDataBacktesting,
        OPEN.to_pydatetime(),
        (OPEN + pd.Timedelta(minutes=n_bars)).to_pydatetime(),
        pandas_data={Asset(symbol): data_of(symbol, columns) for symbol, columns in bars.items()},
        budget=job["cash"],
        buy_trading_fees=fees_of(job),
        sell_trading_fees=fees_of(job),
        benchmark_asset=None,
        risk_free_rate=0.0,
        analyze_backtest=False,
        show_plot=False,
        show_tearsheet=False,
        save_tearsheet=False,
        show_indicators=False,
        save_logfile=False,
        show_progress_bar=False,
        quiet_logs=True,
        parameters={"job": job, "bars": bars},
    )
    seconds = time.process_time() - began
    closes = {symbol: columns["close"] for symbol, columns in bars.items()}
    equity = records.equity_of(script.fills, closes, job["cash"])
    return records.result(job, script.fills, [], equity, seconds)


if __name__ == "__main__":
    jobs.main(jobs.each(run))
