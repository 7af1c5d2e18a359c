"""The answer every engine is checked against, in plain numpy: exact crosses, next-open fills."""

import numpy as np
import workloads as w


def load(workload, folder):
    return w.panel(workload, folder, ("open", "close"))[2]


def run_sma(open_, close, cash):
    entries, exits = w.crosses(close)
    entries[-1] = exits[-1] = False  # a decision on the last bar has no next open
    pnl, fills = 0.0, 0
    for j in range(close.shape[1]):
        buys, sells = np.flatnonzero(entries[:, j]), np.flatnonzero(exits[:, j])
        sells = sells[sells > buys[0]] if len(buys) else sells[:0]
        fills += len(buys) + len(sells)
        paid = open_[buys + 1, j].sum() * (1 + w.FEE)
        received = open_[sells + 1, j].sum() * (1 - w.FEE)
        held = close[-1, j] if len(buys) > len(sells) else 0.0
        pnl += w.QUANTITY * (received - paid + held)
    return {"equity": round(cash + pnl, 6), "fills": fills}


def run_top(workload, open_, close, signal, cash):
    n_times, n_assets = close.shape
    position, fills = np.zeros(n_assets, np.int64), 0
    for t in range(n_times - 1):
        if w.is_rebalance(workload, t, n_times):
            target = w.targets_of(workload, signal[t], close[t], cash + position @ close[t])
            change = target - position
            fills += int((change != 0).sum())
            cash -= change @ open_[t + 1] + w.FEE * (np.abs(change) @ open_[t + 1])
            position = target
    return {"equity": round(float(cash + position @ close[-1]), 6), "fills": fills}


def run(workload, data):
    if w.kind(workload) == "idle":
        return {"equity": w.cash(workload), "fills": 0}
    if w.kind(workload) == "sma":
        return run_sma(data["open"], data["close"], w.cash(workload))
    return run_top(workload, data["open"], data["close"], data["signal"], w.cash(workload))


w.main("reference (numpy)", np.__version__, load, run)
