"""The multi-asset stress: one panel for everybody, ranked at every bar, bought and sold short.

The draws follow docs/semantics.md word for word, in that order. `check` stops if the panel is not
the one that the document states.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 42
# (assets, bars): {what: value}, to 1e-12
KNOWN = {
    (250, 5040): {
        "first close": 165.62974002676302,
        "last close": 502.0302746646054,
        "last volume": 350941,
        "last score": -2.179301169938617,
    }
}


def panel(n_assets, n_bars, holes=False):
    """Matrices (bar, asset) of open, high, low, close, volume, score and, with holes, absent."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    base = rng.uniform(50, 200, n_assets)
    vol = rng.uniform(0.01, 0.04, n_assets)
    drift = rng.uniform(-1e-4, 1e-4, n_assets)
    shape = (n_bars, n_assets)
    close = base * np.exp(np.cumsum(rng.standard_normal(shape) * vol + drift, axis=0))
    high = close * (1 + np.abs(rng.standard_normal(shape)) * vol)
    low = close * (1 - np.abs(rng.standard_normal(shape)) * vol)
    open_ = close * (1 + rng.standard_normal(shape) * vol * 0.3)
    volume = rng.integers(10_000, 1_000_000, shape)
    score = rng.standard_normal(shape)
    high = np.maximum(high, np.maximum(open_, close))
    low = np.minimum(low, np.minimum(open_, close))
    absent = np.zeros(shape, bool)
    if holes:
        absent = rng.random(shape) < 0.05
        for asset in range(0, n_assets, 10):
            absent[: rng.integers(0, n_bars // 4), asset] = True
        for asset in range(0, n_assets, 15):
            absent[rng.integers(3 * n_bars // 4, n_bars) + 1 :, asset] = True
    made = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    return made | {"score": score, "absent": absent}


def check(made):
    shape = (made["close"].shape[1], made["close"].shape[0])
    found = {
        "first close": made["close"][0, 0],
        "last close": made["close"][-1, -1],
        "last volume": made["volume"][-1, -1],
        "last score": made["score"][-1, -1],
    }
    for name, value in KNOWN.get(shape, {}).items():
        if abs(found[name] - value) > 1e-12 * abs(value):
            raise SystemExit(f"stress panel: {name} is {found[name]!r}, documented is {value!r}")
    if min(made[x].min() for x in ("open", "high", "low", "close")) <= 0:
        raise SystemExit("stress panel: a price is not positive")


def write(path, made, decimals=None):
    """Long rows (bar, asset, symbol, prices, volume, score); `decimals` rounds the prices."""
    present = ~made["absent"]
    bar, asset = np.nonzero(present)
    symbols = np.array([f"S{x:03}" for x in range(present.shape[1])])
    columns = {"bar": bar.astype(np.int32), "symbol": pa.array(symbols[asset])}
    for name in ("open", "high", "low", "close"):
        values = made[name][present]
        columns[name] = values if decimals is None else np.round(values, decimals)
    columns["volume"] = made["volume"][present].astype(np.float64)
    columns["score"] = made["score"][present]
    pq.write_table(pa.table(columns), path, compression="zstd")


def job(name, peer, semantics, bars_file, top, cash, options=None, **more):
    found = {
        "id": f"{peer} {name}",
        "semantics": semantics,
        "bars_file": bars_file,
        "strategy": {"name": "rank_targets", "top": top, "size": 100},
        "cash": cash,
        "peer_options": dict(options or {}),
    }
    return found | more
