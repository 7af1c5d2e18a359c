"""backtesting.py runs the jobs: one Strategy, orders with sl and tp as its users send them."""

import time
import warnings

import backtesting
import jobs
import pandas as pd
import records


def order_prices(action):
    return {key: action[key] for key in ("limit", "stop") if key in action}


class Script(backtesting.Strategy):
    by_bar = {}

    def init(self):
        pass

    def next(self):
        bar = len(self.data) - 1
        for action in self.by_bar.get(bar, ()):
            self.act(action)

    def send(self, quantity, **more):
        return (self.buy if quantity > 0 else self.sell)(size=abs(quantity), **more)

    def act(self, action):
        what = action["do"]
        if what == "order":
            self.send(action["quantity"], **order_prices(action))
        elif what == "bracket":
            levels = {"sl": action["stop_loss"], "tp": action["take_profit"]}
            self.send(action["quantity"], **order_prices(action), **levels)
        elif what == "enter":
            if not self.position:
                self.send(action["quantity"])
        elif what == "close":
            self.position.close()
        elif what == "cancel_all":
            for order in self.orders:
                if not order.is_contingent:
                    order.cancel()
        else:
            raise ValueError(f"no order says {what}")


def frame_of(columns):
    index = pd.date_range("2001-01-01", periods=len(columns["close"]), freq="D")
    return pd.DataFrame({name.title(): columns[name] for name in jobs.PRICES}, index=index)


def fills_of(script, fee):
    """Two fills per trade; a trade that is still open has one. In the order of bars."""
    broker = script._broker
    fills = []
    for number, trade in enumerate((*broker.closed_trades, *broker.trades)):
        size, entry = float(trade.size), float(trade.entry_price)
        fills.append((trade.entry_bar, 1, number, [size, entry, fee(abs(size), entry)]))
        if trade.exit_bar is not None:
            price = float(trade.exit_price)
            fills.append((trade.exit_bar, 0, number, [-size, price, fee(abs(size), price)]))
    # Of two trades on one bar the older one leaves before the next enters.
    fills.sort(key=lambda row: (row[0], row[2], -row[1]))
    return [[int(bar), "A", *values, None] for bar, _, _, values in fills]


def run(job, folder):
    columns = next(iter(jobs.panel(job, folder).values()))
    commission, slippage = job.get("commission"), job.get("slippage")
    rate = commission["rate"] if commission else 0.0
    script = type("Job", (Script,), {"by_bar": jobs.actions_by_bar(job)})
    test = backtesting.Backtest(
        frame_of(columns),
        script,
        cash=job["cash"],
        commission=rate,
        spread=slippage["rate"] if slippage else 0.0,
        **job["peer_options"],
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        began = time.process_time()
        stats = test.run()
        seconds = time.process_time() - began
    texts = [str(x.message) for x in said]
    rejected = [
        [int(text.split("time=")[1].split(":")[0]), "A", None, "insufficient margin"]
        for text in texts
        if "insufficient margin" in text
    ]
    fills = fills_of(stats["_strategy"], lambda size, price: size * price * rate)
    equity = [float(x) for x in stats["_equity_curve"]["Equity"]]
    return records.result(job, fills, rejected, equity, seconds)


if __name__ == "__main__":
    backtesting.backtesting._tqdm = lambda rows, **_: rows
    jobs.main(jobs.each(run))
