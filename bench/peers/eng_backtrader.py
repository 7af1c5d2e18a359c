"""backtrader: one data feed a symbol, one strategy over all of them."""

import backtrader as bt
import numpy as np
import workloads as w


class Prices(bt.feeds.PandasData):
    params = (("openinterest", None),)


class PricesAndSignal(bt.feeds.PandasData):
    lines = ("signal",)
    params = (("signal", -1), ("openinterest", None))


class Counting(bt.Strategy):
    fills = 0

    def notify_order(self, order):
        if order.status == order.Completed:
            Counting.fills += 1


class Sma(Counting):
    def __init__(self):
        sma = bt.ind.SMA
        self.crosses = [
            (data, bt.ind.CrossOver(sma(data.close, period=w.FAST), sma(data.close, period=w.SLOW)))
            for data in self.datas
        ]

    def next(self):
        for data, cross in self.crosses:
            if cross[0] > 0:
                self.buy(data, size=w.QUANTITY)
            elif cross[0] < 0 and self.getposition(data).size:
                self.sell(data, size=w.QUANTITY)


class Top(Counting):
    def next(self):
        if not w.is_rebalance("W2", len(self) - 1, self.data.buflen()):
            return
        signal = np.array([data.signal[0] for data in self.datas])
        close = np.array([data.close[0] for data in self.datas])
        wanted = w.targets(signal, close, self.broker.getvalue())
        for data, quantity in zip(self.datas, wanted, strict=True):
            change = int(quantity) - self.getposition(data).size
            if change > 0:
                self.buy(data, size=change)
            elif change < 0:
                self.sell(data, size=-change)


class Idle(Counting):
    def next(self):
        pass


def run(workload, frames):
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, frame in frames.items():
        feed = PricesAndSignal if "signal" in frame else Prices
        cerebro.adddata(feed(dataname=frame), name=symbol)
    cerebro.broker.setcash(w.cash(workload))
    cerebro.broker.setcommission(commission=w.FEE)
    cerebro.addstrategy({"sma": Sma, "top": Top, "idle": Idle}[w.kind(workload)])
    cerebro.run()
    return {"equity": round(cerebro.broker.getvalue(), 6), "fills": Counting.fills}


w.main("backtrader", bt.__version__, w.frames, run)
