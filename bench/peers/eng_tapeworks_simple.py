"""tapeworks with a Python strategy called once per symbol and timestamp, its own arithmetic.

TW_FROM=file (default) | ram
"""

import eng_tapeworks_rule as base
import tapeworks as tw
import workloads as w


class Symbol:
    """What a strategy keeps of one symbol: the last closes in cents, two sums, a side."""

    __slots__ = ("above", "fast", "held", "n", "ring", "slow")

    def __init__(self):
        self.ring = [0] * w.SLOW
        self.fast = self.slow = self.n = 0
        self.above = None
        self.held = False


class Sma(tw.Strategy):
    def on_start(self):
        self.state = {}

    def on_market_data(self, event):
        name = event.symbol
        symbol = self.state.get(name)
        if symbol is None:
            symbol = self.state[name] = Symbol()
        cents, n = round(event.close * 100), symbol.n
        at = n % w.SLOW
        symbol.slow += cents - symbol.ring[at]
        symbol.fast += cents - (symbol.ring[(n - w.FAST) % w.SLOW] if n >= w.FAST else 0)
        symbol.ring[at] = cents
        symbol.n = n + 1
        if n < w.SLOW - 1:
            return
        above = (w.SLOW // w.FAST) * symbol.fast > symbol.slow
        before, symbol.above = symbol.above, above
        if before is None or above == before:
            return
        if above:
            self.buy(name, quantity=w.QUANTITY)
            symbol.held = True
        elif symbol.held:
            self.close_position(name)
            symbol.held = False


class Idle(tw.Strategy):
    def on_market_data(self, event):
        pass


base.rule = lambda workload: {"sma": Sma, "idle": Idle}[w.kind(workload)]()
w.main(f"tapeworks, Python, simple, {base.FROM}", tw.__version__, base.load, base.run)
