"""Minute bars for the strategies of this folder: random walks in whole ticks, made anew each time.

They need numpy and pandas only, so that Lumibot's environment and ours make the same bars.
"""

import hashlib

import numpy as np
import pandas as pd

ZONE = "America/New_York"
DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")
# A vendor's session: 09:30 to the print of 16:00.
ROWS_A_DAY = 391
WARM_UP = 200
ITERATIONS = 3268
FUTURE_START = pd.Timestamp("2024-01-03 09:30", tz=ZONE)


def walk(rng, index, price, tick, step, gap):
    """Bars in ticks; `gap` is the largest distance of an open from the close before."""
    n = len(index)
    moves = rng.integers(-step, step + 1, n)
    gaps = rng.integers(-gap, gap + 1, n) if gap else np.zeros(n, dtype=np.int64)
    close = price + np.cumsum(moves + gaps)
    open_ = close - moves
    high = np.maximum(open_, close) + rng.integers(0, step + 1, n)
    low = np.minimum(open_, close) - rng.integers(0, step + 1, n)
    ticks = {"open": open_, "high": high, "low": low, "close": close}
    columns = {name: np.round(values * tick, 2) for name, values in ticks.items()}
    columns["volume"] = rng.integers(100, 10_000, n).astype(float)
    return pd.DataFrame(columns, index=index)


def sessions():
    """The stamps of all sessions: starts of bars."""
    days = [pd.date_range(f"{d} 09:30", periods=ROWS_A_DAY, freq="1min", tz=ZONE) for d in DAYS]
    return days[0].append(days[1:])


def shares():
    """{symbol: bars} of four shares over six sessions; opens differ from the closes before."""
    rng = np.random.default_rng(20240102)
    index = sessions()
    prices = {"SPY": 47_000, "QQQ": 40_000, "TLT": 9_800, "GLD": 19_000}
    return {s: walk(rng, index, p, 0.01, p // 1500, p // 6000) for s, p in prices.items()}


def future(gap):
    """Bars of one future around the clock, enough for 3,268 iterations after 200 rows."""
    rng = np.random.default_rng(9)
    start = FUTURE_START - pd.Timedelta(minutes=WARM_UP)
    index = pd.date_range(start, periods=WARM_UP + ITERATIONS + 1, freq="1min")
    return walk(rng, index, 19_000, 0.25, 8, gap)


def digest(frames):
    """A hash of prices and times, to know that two environments made the same bars."""
    found = hashlib.sha256()
    for symbol in sorted(frames):
        frame = frames[symbol]
        found.update(symbol.encode())
        found.update(frame.index.as_unit("ns").asi8.tobytes())
        found.update(np.ascontiguousarray(frame.to_numpy(dtype=float)).tobytes())
    return found.hexdigest()[:16]
