"""openquanter: a Python callback once a tick of one instrument; the closes of D1 in a row.

It knows one instrument, so only the idle workload can be asked of it: how fast it calls Python.
"""

import importlib.metadata

import numpy as np
import openquanter
import workloads as w


class Idle:
    def on_tick(self, context):
        return None


def load(workload, folder):
    close = w.panel(workload, folder, ("close",))[2]["close"]
    cents = np.rint(close.T.ravel() * 100).astype(np.int64).tolist()
    return [openquanter.Tick(exch_ts=i, last=price) for i, price in enumerate(cents)]


def run(workload, ticks):
    result = openquanter.run_backtest(Idle(), ticks, int(w.cash(workload)))
    assert result.ticks == len(ticks)
    return {"equity": result.final_equity / openquanter.CASH_SCALE, "fills": result.fills}


w.main("openquanter, one instrument", importlib.metadata.version("openquanter"), load, run)
