"""phasor-trader with its Python callback once per timestamp that returns the orders of the row."""

import numpy as np
import phasor
import workloads as w


def load(workload, folder):
    columns = w.panel(workload, folder, ("open", "close"))[2]
    return columns, np.asfortranarray(columns["close"])


def decide_top(workload, rows):
    close, signal, n_times = rows["close"], rows["signal"], len(rows["close"])

    def decide(context, t):
        if not w.is_rebalance(workload, t, n_times):
            return None
        position = np.asarray(context.position)
        equity = context.cash + position @ close[t]
        change = w.targets_of(workload, signal[t], close[t], equity) - position
        at = np.flatnonzero(change)
        return at[np.argsort(change[at] > 0, kind="stable")], change  # sales first

    return decide


def decide_sma(_workload, rows):
    entries, exits = w.crosses(rows["close"])

    def decide(context, t):
        if not (entries[t].any() or exits[t].any()):
            return None
        position = np.asarray(context.position)
        change = np.where(entries[t], w.QUANTITY, np.where(exits[t], -position, 0))
        return np.flatnonzero(change), change

    return decide


def run(workload, data):
    rows, close = data
    open_ = rows["open"]
    decide = (decide_top if w.has_signal(workload) else decide_sma)(workload, rows)
    pending = []

    def before_row(context, _state):
        t = context.row - 1
        decided = decide(context, t) if t >= 0 else None
        if decided is None:
            return "skip"
        at, change = decided
        pending[:] = [
            (int(i), {"size": float(change[i]), "price": float(open_[t + 1, i])}) for i in at
        ]
        return None

    def order(_context, call, _state):
        return pending[call] if call < len(pending) else None

    result = phasor.from_order_func(
        close,
        order,
        flexible=True,
        pre_segment_func=before_row,
        init_cash=w.cash(workload),
        fees=w.FEE,
        cash_sharing=True,
    )
    equity = float(result.value(group=0)[-1])
    return {"equity": round(equity, 6), "fills": len(result.orders()["idx"])}


w.main("phasor-trader, callback", phasor.__version__, load, run)
