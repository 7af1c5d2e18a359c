"""The momentum workload as a strategy of tapeworks: `python oracles/lumibot_native.py`.

The same decisions as lumibot_cases/momentum.py, without frames; prints CPU seconds of the run and
of the process, and how many fills equal those through tapeworks.compat.lumibot.
"""

import math
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lumibot_cases"))

import cases  # noqa: E402
import market  # noqa: E402
import tapeworks as tw  # noqa: E402
from tapeworks.compat.lumibot._run import SEMANTICS  # noqa: E402

N_SMA, N_ATR = 9, 14


class Momentum(tw.Strategy):
    def on_start(self):
        self.first_ns = self.params["first_ns"]
        self.highs, self.lows, self.closes, self.ranges = [], [], [], []

    def on_market_data(self, event):
        close, high, low = event.close, event.high, event.low
        closes, ranges = self.closes, self.ranges
        before = closes[-1] if closes else close
        closes.append(close)
        ranges.append(max(high - low, abs(high - before), abs(low - before)))
        if event.timestamp_ns < self.first_ns:
            return
        average = (sum(closes[1 - N_SMA :]) + close) / N_SMA
        held = self.quantity("MES")
        if held:
            if close <= average:
                self.cancel_all("MES")
                self.sell("MES", held)
            return
        if close <= average or self.open_orders():
            return
        distance = sum(ranges[-N_ATR:]) / N_ATR
        contracts = min(max(math.floor(self.equity * 0.01 / (distance * 5.0)), 1), 5)
        self.buy("MES", contracts, stop_loss=close - distance, take_profit=close + 3.0 * distance)


def run(name="momentum_gapless"):
    case = cases.Case(name, "tapeworks.compat.lumibot")
    rows = case.frames["MES"].iloc[: market.WARM_UP + market.ITERATIONS]
    frame = rows.reset_index(names="timestamp").assign(symbol="MES")
    feed = tw.DataFeed(frame, label="start", frequency="1m")
    first_ns = int(case.start.timestamp()) * 10**9
    began = time.process_time()
    result = tw.run(
        feed,
        Momentum(first_ns=first_ns),
        cash=case.budget,
        commission=tw.Commission.per_fill(0.5),
        account=tw.Account.margin(),
        semantics=SEMANTICS,
        instruments={
            "MES": tw.Instrument(multiplier=5.0, future=True, margin_rate=0.1, maintenance_rate=0.1)
        },
        progress=False,
    )
    return result, time.process_time() - began


def main():
    import lumibot_ours

    result, _ = run()
    _, seconds = run()
    mine, theirs = lumibot_ours.fills_of(result), lumibot_ours.run("momentum_gapless")[0]["fills"]
    same = sum(a == b for a, b in zip(mine, theirs, strict=False))
    print(f"native: {len(mine)} fills, {same} of {len(theirs)} equal, {seconds:.4f} CPU s the run")
    print(f"the process: {time.process_time():.2f} CPU s, {market.ITERATIONS} iterations")


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    main()
