"""tapeworks with a Python strategy called once per symbol and timestamp, the engine's indicators.

TW_FROM=file (default) | ram
"""

import eng_tapeworks_rule as base
import tapeworks as tw
import workloads as w


class Sma(tw.Strategy):
    def on_start(self):
        self.fast = self.indicator("sma", "close", w.FAST)
        self.slow = self.indicator("sma", "close", w.SLOW)

    def on_market_data(self, event):
        if self.fast.crossed_above(self.slow):
            self.buy(event.symbol, w.QUANTITY)
        elif self.fast.crossed_below(self.slow) and self.quantity(event.symbol) > 0:
            self.close_position(event.symbol)


base.rule = lambda workload: Sma()
w.main(f"tapeworks, Python, simple, indicators, {base.FROM}", tw.__version__, base.load, base.run)
