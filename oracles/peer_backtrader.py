"""backtrader runs the jobs: orders in next(), StopTrail, OCO and brackets as users send them."""

import datetime
import time

import backtrader as bt
import jobs
import pandas as pd
import records

FIRST = datetime.datetime(2001, 1, 1)
KIND = {
    "market": bt.Order.Market,
    "limit": bt.Order.Limit,
    "stop": bt.Order.Stop,
    "stop_limit": bt.Order.StopLimit,
    "trail": bt.Order.StopTrail,
}


def prices_of(action):
    """Arguments of buy() and sell() that say kind and prices."""
    kind = action.get("kind", "market")
    found = {"exectype": KIND[kind]}
    if kind == "limit":
        found["price"] = action["limit"]
    if kind in ("stop", "stop_limit"):
        found["price"] = action["stop"]
    if kind == "stop_limit":
        found["plimit"] = action["limit"]
    if kind == "trail":
        found["trailpercent"] = action.get("trail_percent")
        found["trailamount"] = action.get("trail_amount")
    return found


class Script(bt.Strategy):
    params = {"job": None, "bars": None}

    def __init__(self):
        self.by_bar = jobs.actions_by_bar(self.p.job)
        self.named = {}
        self.waiting = {}  # name of an entry: actions sent on its fill
        self.fills, self.rejected, self.equity = [], [], []
        self.rules = {x["rule"]: x["fraction"] for x in self.p.job.get("rules", ())}

    def bar(self):
        return (self.datetime.datetime(0) - FIRST).days

    def prenext(self):
        self.next()

    def next(self):
        bar = self.bar()
        while len(self.equity) < bar:
            self.equity.append(None)
        self.equity.append(self.broker.getvalue())
        for action in self.by_bar.get(bar, ()):
            if "after" in action:
                self.waiting.setdefault(action["after"], []).append(action)
            else:
                self.act(action)
        if "strategy" in self.p.job:
            self.rank(bar)

    def send(self, quantity, **more):
        return (self.buy if quantity > 0 else self.sell)(size=abs(quantity), **more)

    def act(self, action):
        data = self.getdatabyname(action["symbol"])
        held = self.getposition(data).size
        what = action["do"]
        if what == "order":
            more = prices_of(action)
            if "oco" in action:
                more["oco"] = self.named[action["oco"]]
            order = self.send(action["quantity"], data=data, **more)
            if "name" in action:
                self.named[action["name"]] = order
        elif what == "bracket":
            self.bracket(data, action)
        elif what == "enter" and not held:
            self.enter(data, action["quantity"])
        elif what == "target":
            self.order_target_size(data=data, target=action["quantity"])
        elif what == "close":
            self.close(data=data)
        elif what == "cancel_all":
            for order in self.broker.get_orders_open():
                if order.data is data:
                    self.cancel(order)

    def bracket(self, data, action):
        send = self.buy_bracket if action["quantity"] > 0 else self.sell_bracket
        send(
            data=data,
            size=abs(action["quantity"]),
            stopprice=action["stop_loss"],
            limitprice=action["take_profit"],
            **prices_of(action),
        )

    def enter(self, data, quantity):
        """A market order; with rules, exits sent on its fill, one of which cancels the others.

        Stop and target are measured from the close now, a trail from the close of the fill's row.
        """
        side, close = (1 if quantity > 0 else -1), data.close[0]
        made = {
            "stop_loss": lambda x: {"exectype": bt.Order.Stop, "price": close * (1 - side * x)},
            "take_profit": lambda x: {"exectype": bt.Order.Limit, "price": close * (1 + side * x)},
            "trail": lambda x: {"exectype": bt.Order.StopTrail, "trailpercent": x},
        }
        exits = [made[name](fraction) for name, fraction in self.rules.items()]
        order = self.send(quantity, data=data)
        self.exits[order.ref] = exits

    def send_exits(self, order):
        leader = None
        for exit_ in self.exits.pop(order.ref, ()):
            more = {} if leader is None else {"oco": leader}
            sent = self.send(-order.executed.size, data=order.data, **more, **exit_)
            leader = leader or sent

    def rank(self, bar):
        wanted = jobs.rank_targets(self.p.job["strategy"], jobs.scores_at(self.p.bars, bar))
        for symbol, target in wanted.items():
            data = self.getdatabyname(symbol)
            pending = sum(x.executed.remsize for x in self.live.get(symbol, {}).values())
            change = target - self.getposition(data).size - pending
            if change:
                order = self.send(change, data=data)
                self.live.setdefault(symbol, {})[order.ref] = order

    def start(self):
        self.live, self.exits = {}, {}

    def notify_order(self, order):
        symbol = order.data._name
        for bit in order.executed.iterpending():  # what happened since the last notice
            bar = (bt.num2date(bit.dt) - FIRST).days
            fee = bit.closedcomm + bit.openedcomm
            kind = order.getordername()
            self.fills.append([bar, symbol, float(bit.size), float(bit.price), float(fee), kind])
        if not order.alive():
            self.live.get(symbol, {}).pop(order.ref, None)
        if order.status in (order.Margin, order.Rejected):
            self.rejected.append([self.bar(), symbol, float(order.size), order.getstatusname()])
        if order.status == order.Completed:
            self.send_exits(order)
            for name, named in list(self.named.items()):
                if named.ref == order.ref:
                    for action in self.waiting.pop(name, ()):
                        self.act(action)


def feed(columns):
    rows = [i for i, close in enumerate(columns["close"]) if close is not None]
    frame = pd.DataFrame(
        {name: [columns[name][i] for i in rows] for name in jobs.PRICES},
        index=pd.DatetimeIndex([FIRST + datetime.timedelta(days=i) for i in rows]),
    )
    return bt.feeds.PandasData(dataname=frame)


def run(job, folder):
    bars = jobs.panel(job, folder)
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, columns in bars.items():
        cerebro.adddata(feed(columns), name=symbol)
    cerebro.broker.setcash(job["cash"])
    commission, slippage = job.get("commission"), job.get("slippage")
    if commission and commission["kind"] == "percent":
        cerebro.broker.setcommission(commission=commission["rate"])
    elif commission:
        cerebro.broker.setcommission(
            commission=commission["rate"],
            commtype=bt.CommInfoBase.COMM_FIXED,
            stocklike=True,
        )
    if slippage and slippage["kind"] == "percent":
        cerebro.broker.set_slippage_perc(slippage["rate"])
    elif slippage:
        cerebro.broker.set_slippage_fixed(slippage["amount"])
    cerebro.addstrategy(Script, job=job, bars=bars)
    began = time.process_time()
    script = cerebro.run(runonce=True)[0]
    seconds = time.process_time() - began
    return records.result(job, script.fills, script.rejected, script.equity, seconds)


if __name__ == "__main__":
    jobs.main(jobs.each(run))
