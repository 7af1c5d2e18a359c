"""tapeworks from Python, a built-in rule that runs wholly in Rust.  TW_FROM=file (default) | ram"""

import os

import numpy  # noqa: F401  the peers' scripts import it before the clock starts, too
import tapeworks as tw
import workloads as w

FROM = os.environ.get("TW_FROM", "file")


def load(workload, folder):
    """The path, or a feed that has read its frame: its slices stay in memory."""
    if FROM == "file":
        return w.path(workload, folder)
    import pyarrow.parquet as pq

    held = feed(workload, pq.read_table(w.path(workload, folder)))
    next(iter(held))
    return held


def feed(workload, source):
    signals = ["signal"] if w.has_signal(workload) else []
    return tw.DataFeed(source, tz="UTC", signal_columns=signals, indicator_columns=[])


def rule(workload):
    if w.kind(workload) == "sma":
        return tw.rules.sma_cross(w.FAST, w.SLOW, quantity=w.QUANTITY)
    if w.kind(workload) == "top":
        return tw.rules.top_n("signal", w.TOP, rebalance=f"{w.EVERY}d", weight=w.WEIGHT)
    if w.kind(workload) == "sides":
        return tw.rules.top_n(
            "signal", w.TOP, rebalance="1d", weight=w.WEIGHT, long_short=True
        )
    return tw.rules.noop()


def run(workload, source):
    result = tw.run(
        feed(workload, source) if FROM == "file" else source,
        rule(workload),
        cash=w.cash(workload),
        account="margin" if w.kind(workload) == "sides" else "cash",
        commission=tw.Commission.percent(bps=w.FEE * 1e4),
        progress=False,
    )
    equity = float(result.portfolio.to_numpy("equity")[-1])
    return {"equity": round(equity, 6), "fills": len(result.fills)}


if __name__ == "__main__":
    w.main(f"tapeworks, Python, built-in rule, {FROM}", tw.__version__, load, run)
