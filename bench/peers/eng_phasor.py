"""phasor-trader, whole matrices in: decisions moved one row down, filled at the open."""

import numpy as np
import phasor
import workloads as w


def load(workload, folder):
    columns = w.panel(workload, folder, ("open", "close"))[2]
    return {name: np.asfortranarray(values) for name, values in columns.items()}


def decisions(close):
    averages = phasor.factors(
        {"close": close}, fast=f"Mean($close, {w.FAST})", slow=f"Mean($close, {w.SLOW})"
    )
    above = averages["fast"] > averages["slow"]
    entries = np.zeros(above.shape, bool, order="F")
    exits = np.zeros(above.shape, bool, order="F")
    entries[w.SLOW :] = above[w.SLOW :] & ~above[w.SLOW - 1 : -1]
    exits[w.SLOW :] = ~above[w.SLOW :] & above[w.SLOW - 1 : -1]
    return w.next_row(entries), w.next_row(exits)


def run(workload, data):
    close = data["close"]
    account = {
        "init_cash": w.cash(workload),
        "fees": w.FEE,
        "cash_sharing": True,
        "threads": 1,
    }
    if w.kind(workload) == "sma":
        entries, exits = decisions(close)
        result = phasor.from_signals(
            close, entries, exits, price=data["open"], size=float(w.QUANTITY), **account
        )
    elif w.has_signal(workload):
        n_times = len(close)
        weights = np.full(close.shape, np.nan, order="F")
        for t in range(n_times - 1):
            if w.is_rebalance(workload, t, n_times):
                weights[t + 1] = w.weights_of(workload, data["signal"][t])
        known = np.vstack([close[:1], close[:-1]])
        result = phasor.from_orders(
            close,
            weights,
            size_type="targetpercent",
            price=data["open"],
            val_price=np.asfortranarray(known),
            size_granularity=1.0,
            call_seq="auto",
            **account,
        )
    else:
        nothing = np.full(close.shape, np.nan, order="F")
        result = phasor.from_orders(close, nothing, **account)
    equity = float(result.value(group=0)[-1])
    return {"equity": round(equity, 6), "fills": len(result.orders()["idx"])}


w.main("phasor-trader", phasor.__version__, load, run)
