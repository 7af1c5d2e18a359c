"""What every engine is asked to do, and how its run is measured.

An engine script is `eng_X.py WORKLOAD DATA_DIR`; it prints one line `RESULT {json}`. Only this
module, numpy and the engine's own package may be imported by it.
"""

import gc
import json
import os
import resource
import sys
import time

FAST, SLOW, QUANTITY = 10, 30, 100
TOP, WEIGHT, EVERY = 25, 0.02, 5
FEE = 0.001

# workload: (data set, kind, cash, expected final equity, expected number of fills)
# The shuffled and subset sets show that symbols meet only through the account.
WORKLOADS = {
    "W1": ("D1", "sma", 10_000_000.0, 10_138_331.313, 48_151),
    "W1-shuffled": ("D1-shuffled", "sma", 10_000_000.0, 10_138_331.313, 48_151),
    "W1-subset": ("D1-subset", "sma", 10_000_000.0, 10_134_668.903, 6_823),
    "W2": ("D1", "top", 10_000_000.0, 16_273_612.57866, 24_511),
    "W2-shuffled": ("D1-shuffled", "top", 10_000_000.0, 16_273_612.57866, 24_511),
    "W2-subset": ("D1-subset", "top", 10_000_000.0, 13_686_676.16481, 20_747),
    "W3": ("D1", "idle", 10_000_000.0, 10_000_000.0, 0),
    "W3s": ("M1-small", "idle", 10_000_000.0, 10_000_000.0, 0),
    "W3m": ("M1", "idle", 10_000_000.0, 10_000_000.0, 0),
    "W4s": ("M1-small", "sma", 10_000_000.0, 8_997_379.81, 95_953),
    "W4m": ("M1", "sma", 100_000_000.0, 89_618_160.196, 958_081),
    "W5": ("D1", "sides", 10_000_000.0, 389_642.09406, 238_575),
}

# Engines that size a rebalance by rounding the difference instead of the target answer another
# question on W2 and W5; these are the answers to it.
ROUNDED_DIFFERENCES = {"W2": (16_273_896.89047, 24_505), "W5": (389_836.40971, 238_006)}


def kind(workload):
    return WORKLOADS[workload][1]


def has_signal(workload):
    return kind(workload) in ("top", "sides")


def cash(workload):
    return WORKLOADS[workload][2]


def path(workload, folder):
    return os.path.join(folder, WORKLOADS[workload][0] + ".parquet")


def panel(workload, folder, columns=("open", "high", "low", "close", "volume")):
    """(timestamps [T], symbols [N], {column: float64 [T, N]}); the files are sorted and dense."""
    import pyarrow.parquet as pq

    columns = list(columns) + (["signal"] if has_signal(workload) else [])
    table = pq.read_table(path(workload, folder), columns=["timestamp", "symbol", *columns])
    symbols = table.column("symbol").chunk(0).dictionary.to_pylist()
    n = len(symbols)
    timestamps = table.column("timestamp").to_numpy()[::n]
    return timestamps, symbols, {c: table.column(c).to_numpy().reshape(-1, n) for c in columns}


def frames(workload, folder):
    """{symbol: pandas frame with a DatetimeIndex}, for engines that want one frame a symbol."""
    import numpy as np
    import pandas as pd

    timestamps, symbols, columns = panel(workload, folder)
    index = pd.DatetimeIndex(timestamps).as_unit("ns")
    return {
        symbol: pd.DataFrame(
            {name: np.ascontiguousarray(values[:, i]) for name, values in columns.items()},
            index=index,
        )
        for i, symbol in enumerate(symbols)
    }


def targets(signal, close, equity):
    """W2: whole shares worth 2 % of equity in each of the highest signals, 0 in all others."""
    import numpy as np

    quantity = np.zeros(len(signal), np.int64)
    top = np.argpartition(-signal, TOP)[:TOP]
    quantity[top] = np.floor(WEIGHT * equity / close[top])
    return quantity


def side_weights(signal):
    """W5: 2 % in each of the highest signals, -2 % in each of the lowest of the rest."""
    import numpy as np

    weights = np.zeros(len(signal))
    top = np.argsort(-signal, kind="stable")[:TOP]
    rest = np.setdiff1d(np.arange(len(signal)), top)
    weights[top] = WEIGHT
    weights[rest[np.argsort(signal[rest], kind="stable")[:TOP]]] = -WEIGHT
    return weights


def weights_of(workload, signal):
    """Fractions of equity after a decision."""
    import numpy as np

    if kind(workload) == "sides":
        return side_weights(signal)
    weights = np.zeros(len(signal))
    weights[np.argpartition(-signal, TOP)[:TOP]] = WEIGHT
    return weights


def targets_of(workload, signal, close, equity):
    """Whole shares to hold after a decision."""
    import numpy as np

    if kind(workload) == "top":
        return targets(signal, close, equity)
    return np.trunc(side_weights(signal) * equity / close).astype(np.int64)


def is_rebalance(workload, t, n_times):
    """W2 decides at every fifth close, W5 at each, the last one excepted."""
    is_due = kind(workload) == "sides" or t % EVERY == EVERY - 1
    return is_due and t < n_times - 1


def crosses(close):
    """(entries, exits) as bool [T, N]: where the fast average crossed between t - 1 and t.

    Prices are whole cents, so the sums are exact and every engine sees the same crosses.
    """
    import numpy as np

    cents = np.rint(close * 100).astype(np.int64)
    total = np.cumsum(cents, axis=0)

    def moving_sum(n):
        result = total.copy()
        result[n:] -= total[:-n]
        return result

    above = (SLOW // FAST) * moving_sum(FAST) > moving_sum(SLOW)
    entries = np.zeros(above.shape, bool)
    exits = np.zeros(above.shape, bool)
    entries[SLOW:] = above[SLOW:] & ~above[SLOW - 1 : -1]
    exits[SLOW:] = ~above[SLOW:] & above[SLOW - 1 : -1]
    return entries, exits


def next_row(matrix):
    """Decisions of row t, moved to row t + 1 where they are filled."""
    import numpy as np

    moved = np.zeros_like(matrix)
    moved[1:] = matrix[:-1]
    return moved


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(engine, version, load, run):
    """Time `run(workload, load(workload, folder))`, which yields a dict with equity and fills.

    run_s and cpu_s cover native inputs to final equity: no import, no reading of the file unless
    the engine streams it while it runs.
    """
    workload, folder = sys.argv[1], sys.argv[2]
    began = time.perf_counter()
    inputs = load(workload, folder)
    loaded = time.perf_counter()
    rss_loaded = peak_rss_mb()
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    answer = run(workload, inputs)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    facts = {
        "engine": engine,
        "version": version,
        "workload": workload,
        "load_s": round(loaded - began, 4),
        "run_s": round(wall, 4),
        "cpu_s": round(cpu, 4),
        "rss_load_mb": rss_loaded,
        "rss_peak_mb": peak_rss_mb(),
    }
    print("RESULT " + json.dumps(facts | answer), flush=True)
