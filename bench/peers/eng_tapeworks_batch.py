"""tapeworks with a Python strategy called once per timestamp: NumPy in, all orders out at once.

TW_FROM=file (default) | ram
"""

import eng_tapeworks_rule as base
import numpy as np
import tapeworks as tw
import workloads as w


class Sma(tw.Strategy):
    """Running sums of whole cents, so the averages are exact."""

    def on_start(self):
        self.t = -1

    def on_timestamp_batch(self, timestamp, batch, context):
        self.t += 1
        t, close = self.t, batch["close"]
        if t == 0:
            self.ring = np.zeros((w.SLOW, len(close)), np.int64)
            self.sums = {n: np.zeros(len(close), np.int64) for n in (w.FAST, w.SLOW)}
            self.above = None
            self.held = np.zeros(len(close), bool)
        cents = np.rint(close * 100).astype(np.int64)
        for n, total in self.sums.items():
            total += cents
            if t >= n:
                total -= self.ring[(t - n) % w.SLOW]
        self.ring[t % w.SLOW] = cents
        if t < w.SLOW - 1:
            return None
        above = (w.SLOW // w.FAST) * self.sums[w.FAST] > self.sums[w.SLOW]
        before, self.above = self.above, above
        if before is None:
            return None
        buy, sell = above & ~before, before & ~above & self.held
        self.held = (self.held | buy) & ~sell
        index = np.flatnonzero(buy | sell)
        if len(index) == 0:
            return None
        return tw.orders(index, np.where(buy[index], w.QUANTITY, -w.QUANTITY).astype(float))


class Top(tw.Strategy):
    def on_start(self):
        self.t = -1

    def on_timestamp_batch(self, timestamp, batch, context):
        self.t += 1
        if self.t % w.EVERY != w.EVERY - 1:
            return None
        wanted = w.targets(batch.signals["signal"], batch["close"], self.equity)
        return tw.targets(quantities=wanted.astype(float))


class Idle(tw.Strategy):
    def on_timestamp_batch(self, timestamp, batch, context):
        return None


base.rule = lambda workload: {"sma": Sma, "top": Top, "idle": Idle}[w.kind(workload)]()
w.main(f"tapeworks, Python, batch, {base.FROM}", tw.__version__, base.load, base.run)
