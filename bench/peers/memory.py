"""Memory of a Python process that runs W1 on D1: from a path, from a polars frame, from `tw.Bars`.

`memory.py DATA_DIR` starts a process for each source and prints a line each: peak of the process,
what it held before the run (interpreter, library, frame), and what the run took above that. The
peak is reset before the run where the system allows it (Linux), since reading the frame has a peak
of its own.
"""

import json
import os
import resource
import subprocess
import sys

SOURCES = (
    "path",
    "polars",
    "polars, one chunk",
    "polars, by symbol",
    "pandas",
    "Bars",
    "polars, second run",
)


def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key + ":"))


def load(source, path):
    import tapeworks as tw

    if source == "path":
        return path
    if source == "Bars":
        return tw.read_bars(path, tz="UTC")
    if source == "pandas":
        import pandas as pd

        return pd.read_parquet(path)
    import polars as pl

    frame = pl.read_parquet(path)
    if "symbol" in source:
        return frame.sort("symbol", "timestamp")
    return frame.rechunk() if "chunk" in source else frame


def one(source, folder):
    import tapeworks as tw
    import workloads as w

    held = load(source, w.path("W1", folder))
    before = status("VmRSS")
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    feed = tw.DataFeed(held, tz="UTC", signal_columns=[], indicator_columns=[])
    for _ in range(2 if "second" in source else 1):
        result = tw.run(
            feed,
            tw.rules.sma_cross(w.FAST, w.SLOW, quantity=w.QUANTITY),
            cash=w.cash("W1"),
            commission=tw.Commission.percent(bps=w.FEE * 1e4),
            progress=False,
        )
    _, _, _, equity, fills = w.WORKLOADS["W1"]
    assert len(result.fills) == fills
    assert abs(float(result.portfolio.to_numpy("equity")[-1]) - equity) < 1e-3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak": peak, "held": before, "above": status("VmHWM") - before}))


def main():
    if len(sys.argv) == 3:
        return one(sys.argv[2], sys.argv[1])
    print(f"{'source':<20} {'peak MB':>8} {'held MB':>8} {'above MB':>9}")
    for source in SOURCES:
        command = [sys.executable, os.path.abspath(__file__), sys.argv[1], source]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        print(f"{source:<20} {found['peak']:8.0f} {found['held']:8.0f} {found['above']:9.0f}")


main()
