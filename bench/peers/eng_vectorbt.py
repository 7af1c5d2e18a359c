"""vectorbt with its Rust engine, whole matrices in: decisions moved one row down, open as price."""

import numpy as np
import pandas as pd
import vectorbt as vbt
import workloads as w


def load(workload, folder):
    timestamps, symbols, columns = w.panel(workload, folder, ("open", "close"))
    index = pd.DatetimeIndex(timestamps)
    return {
        name: pd.DataFrame(values, index=index, columns=symbols)
        for name, values in columns.items()
    }


def run(workload, data):
    open_, close = data["open"], data["close"]
    account = {
        "init_cash": w.cash(workload),
        "fees": w.FEE,
        "cash_sharing": True,
        "group_by": True,
        "freq": "1D" if w.WORKLOADS[workload][0].startswith("D1") else "1min",
    }
    if w.kind(workload) == "sma":
        fast, slow = vbt.MA.run(close, w.FAST), vbt.MA.run(close, w.SLOW)
        entries = w.next_row(fast.ma_crossed_above(slow).values)
        exits = w.next_row(fast.ma_crossed_below(slow).values)
        result = vbt.Portfolio.from_signals(
            close, entries, exits, price=open_, size=w.QUANTITY, **account
        )
    elif w.kind(workload) == "top":
        n_times = len(close)
        weights, signal = np.full(close.shape, np.nan), data["signal"].values
        for t in range(n_times - 1):
            if w.is_rebalance("W2", t, n_times):
                weights[t + 1] = 0
                weights[t + 1, np.argpartition(-signal[t], w.TOP)[: w.TOP]] = w.WEIGHT
        result = vbt.Portfolio.from_orders(
            close,
            weights,
            size_type="targetpercent",
            price=open_,
            val_price=close.shift(1).bfill(),
            size_granularity=1,
            call_seq="auto",
            **account,
        )
    else:
        result = vbt.Portfolio.from_orders(close, np.full(close.shape, np.nan), **account)
    equity = float(np.asarray(result.final_value()).ravel()[0])
    fills = int(np.asarray(result.orders.count()).sum())
    return {"equity": round(equity, 6), "fills": fills}


w.main("vectorbt", vbt.__version__, load, run)
