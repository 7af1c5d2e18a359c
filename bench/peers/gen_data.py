"""The data of the benchmark, made from seeds.  usage: gen_data.py OUT_DIR [SET...]

Every set is one Parquet file in long form, sorted by (timestamp, symbol): timestamp (UTC, without
zone), symbol (dictionary), open, high, low, close (whole cents), volume (whole shares), signal
(daily sets only).

D1           500 symbols x 2,520 weekdays from 2010-01-04               1,260,000 rows
D1-shuffled  D1 with its symbols' names permuted: another order in every cross-section
D1-subset    every seventh symbol of D1
M1           250 symbols x 252 weekdays x 390 minutes from 2023-01-02   24,570,000 rows
M1-small     the first 25 symbols of M1                                 2,457,000 rows

close is a geometric random walk, reflected at 2.00; open lies around the previous close; high and
low lie around both. Wherever three times the sum of ten closes equals the sum of thirty, the close
is raised by a cent, so the two averages never tie and every engine sees the same crosses.
signal[t] is a noisy forecast of the next five days with an information coefficient near 0.05.
"""

import hashlib
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEEDS = {"D1": 20100104, "M1": 20230102}
DAILY_VOLATILITY = 0.015
MINUTES = 390
ROWS_PER_GROUP = 252 * 4096
SETS = ("D1", "D1-shuffled", "D1-subset", "M1-small", "M1")


def break_ties(cents):
    """Raise closes, in place, where the two averages would tie; how many were raised."""
    n_times, n_assets = cents.shape
    ten, thirty = np.zeros(n_assets, np.int64), np.zeros(n_assets, np.int64)
    raised = 0
    for t in range(n_times):
        ten += cents[t]
        thirty += cents[t]
        if t >= 10:
            ten -= cents[t - 10]
        if t >= 30:
            thirty -= cents[t - 30]
        tie = 3 * ten == thirty
        if t >= 29 and tie.any():
            for sums in (cents[t], ten, thirty):
                sums[tie] += 1
            raised += int(tie.sum())
    return raised


def walk(seed, n_times, n_assets, volatility):
    """(generator, [open, high, low, close, volume] as [T, N])"""
    generator = np.random.Generator(np.random.PCG64(seed))
    start = generator.uniform(20, 200, n_assets)
    level = generator.standard_normal((n_times, n_assets))
    level *= volatility
    np.cumsum(level, axis=0, out=level)
    level += np.log(start)
    floor = np.log(2.0)
    np.abs(np.subtract(level, floor, out=level), out=level)
    level += floor
    close = np.rint(np.exp(level) * 100).astype(np.int64)
    del level
    print("closes raised by a cent:", break_ties(close))

    def spread(share):
        return np.abs(generator.standard_normal((n_times, n_assets)) * (volatility * share))

    previous = np.vstack([np.rint(start * 100).astype(np.int64)[None], close[:-1]])
    gap = generator.standard_normal((n_times, n_assets)) * (volatility / 4)
    open_ = np.rint(previous * np.exp(gap)).astype(np.int64)
    del previous, gap
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    high = np.maximum(np.rint(top * np.exp(spread(1 / 3))).astype(np.int64), top)
    low = np.minimum(np.rint(bottom * np.exp(-spread(1 / 3))).astype(np.int64), bottom)
    volume = generator.integers(100_000, 5_000_000, (n_times, n_assets)).astype(np.float64)
    assert low.min() > 0
    return generator, [cents / 100.0 for cents in (open_, high, low, close)] + [volume]


def write(path, timestamps, symbols, columns):
    """One file; `columns` maps names to [T, N]. Prints rows, size and a checksum of the values."""
    n_times, n_assets = columns["close"].shape
    timestamps = np.asarray(timestamps).astype("datetime64[us]")
    symbol_type = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [("timestamp", pa.timestamp("us")), ("symbol", symbol_type)]
        + [(name, pa.float64()) for name in columns]
    )
    names = pa.array(symbols)
    step = max(1, ROWS_PER_GROUP // n_assets)
    options = {"compression": "zstd", "use_dictionary": ["symbol", "timestamp"]}
    with pq.ParquetWriter(path, schema, **options) as writer:
        for begin in range(0, n_times, step):
            end = min(n_times, begin + step)
            ids = pa.array(np.tile(np.arange(n_assets, dtype=np.int32), end - begin))
            arrays = [
                pa.array(np.repeat(timestamps[begin:end], n_assets)),
                pa.DictionaryArray.from_arrays(ids, names),
            ]
            arrays += [pa.array(values[begin:end].ravel()) for values in columns.values()]
            writer.write_table(pa.table(arrays, schema=schema))
    digest = hashlib.sha256()
    for values in columns.values():
        digest.update(np.ascontiguousarray(values).tobytes())
    size = os.path.getsize(path) / 1e6
    print(f"{path}: {n_times * n_assets} rows, {size:.1f} MB, {digest.hexdigest()[:16]}")


def weekdays(start, n):
    return np.busday_offset(start, np.arange(n), roll="forward").astype("datetime64[us]")


def write_daily(folder, wanted):
    n_times, n_assets = 2520, 500
    generator, columns = walk(SEEDS["D1"], n_times, n_assets, DAILY_VOLATILITY)
    logs = np.log(columns[3])
    forecast = np.zeros((n_times, n_assets))
    forecast[:-5] = logs[5:] - logs[:-5]
    forecast /= forecast.std()
    signal = 0.05 * forecast + generator.standard_normal((n_times, n_assets))
    names = ["open", "high", "low", "close", "volume", "signal"]
    columns = dict(zip(names, [*columns, signal], strict=True))
    symbols = [f"A{i:03d}" for i in range(n_assets)]
    days = weekdays("2010-01-04", n_times)
    if "D1" in wanted:
        write(os.path.join(folder, "D1.parquet"), days, symbols, columns)
    if "D1-shuffled" in wanted:
        order = np.random.Generator(np.random.PCG64(7)).permutation(n_assets)
        moved = {name: values[:, order] for name, values in columns.items()}
        write(os.path.join(folder, "D1-shuffled.parquet"), days, symbols, moved)
    if "D1-subset" in wanted:
        some = {name: values[:, ::7] for name, values in columns.items()}
        write(os.path.join(folder, "D1-subset.parquet"), days, symbols[::7], some)


def write_minutes(folder, wanted):
    n_days, n_assets = 252, 250
    minutes = (np.arange(MINUTES) + 870).astype("timedelta64[m]")
    times = (weekdays("2023-01-02", n_days).astype("datetime64[m]")[:, None] + minutes).ravel()
    _, columns = walk(SEEDS["M1"], len(times), n_assets, DAILY_VOLATILITY / np.sqrt(MINUTES))
    columns = dict(zip(["open", "high", "low", "close", "volume"], columns, strict=True))
    symbols = [f"S{i:03d}" for i in range(n_assets)]
    if "M1-small" in wanted:
        few = {name: values[:, :25] for name, values in columns.items()}
        write(os.path.join(folder, "M1-small.parquet"), times, symbols[:25], few)
    if "M1" in wanted:
        write(os.path.join(folder, "M1.parquet"), times, symbols, columns)


def main(folder, wanted):
    unknown = set(wanted) - set(SETS)
    if unknown:
        sys.exit(f"unknown sets {sorted(unknown)}; there are {', '.join(SETS)}")
    os.makedirs(folder, exist_ok=True)
    if any(name.startswith("D1") for name in wanted):
        write_daily(folder, wanted)
    if any(name.startswith("M1") for name in wanted):
        write_minutes(folder, wanted)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:] or SETS)
