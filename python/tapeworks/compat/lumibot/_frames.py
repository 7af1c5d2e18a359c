"""From frames, or a feed, to tapes, and from tapes to the feed of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tapeworks._native import Calendar, DataFeed
from tapeworks.compat.lumibot._refuse import config_error
from tapeworks.compat.lumibot._tape import DAY_NS, HOUR_NS, MINUTE_NS, NEW_YORK, PRICES, Tape
from tapeworks.compat.lumibot.entities.asset import Asset, asset_of
from tapeworks.compat.lumibot.entities.data import Data

_TIMES = ("datetime", "date", "time", "timestamp")
_STEPS = {"minute": MINUTE_NS, "hour": HOUR_NS, "day": DAY_NS}


def tapes_of(source: Any, calendar: Calendar) -> dict[str, Tape]:
    """The tapes of `pandas_data` by symbol of the feed: a dict or list of frames or `Data`.

    Raises `ConfigError` `TW-C494` for what is no frame, for assets of which two share a symbol, and
    for dividends or splits in frames, which a feed with `actions=` books.
    """
    if isinstance(source, DataFeed):
        return _tapes_of_feed(source, calendar)
    named: Iterable[tuple[Any, Any]]
    if isinstance(source, Mapping):
        named = source.items()
    elif isinstance(source, (list, tuple)):
        named = ((getattr(one, "asset", None), one) for one in source)
    else:
        raise config_error(
            "C494",
            f"pandas_data of type {type(source).__name__} is not known",
            "give {Asset('SPY'): frame}, a list of Data, or a tw.DataFeed",
        )
    found: dict[str, Tape] = {}
    for key, one in named:
        asset = one.asset if key is None and isinstance(one, Data) else asset_of(key)
        if asset.key in found:
            raise config_error(
                "C494", f"two frames for {asset.key}", "give each asset one frame of bars"
            )
        found[asset.key] = _tape(asset, one, calendar)
    if not found:
        raise config_error("C494", "pandas_data is empty", "give at least one frame of bars")
    return found


def feed_of(tapes: Mapping[str, Tape], first: int, after: int, calendar: Calendar) -> DataFeed:
    """The rows that end in [first, after) as a feed, in time order."""
    stamps, symbols, rows = [], [], []
    for key in sorted(tapes):
        tape = tapes[key]
        ends = np.asarray(tape.ends, dtype=np.int64)
        inside = slice(int(np.searchsorted(ends, first)), int(np.searchsorted(ends, after)))
        stamps.append(ends[inside])
        symbols.append(np.full(len(ends[inside]), key, dtype=object))
        rows.append(tape.matrix[inside, : len(PRICES)])
    stamp = np.concatenate(stamps)
    order = np.argsort(stamp, kind="stable")
    matrix = np.concatenate(rows)[order]
    columns = {name: np.ascontiguousarray(matrix[:, i]) for i, name in enumerate(PRICES)}
    table = _table(stamp[order], np.concatenate(symbols)[order], columns)
    named = None if calendar.name == "24/7" else calendar
    return DataFeed(table, calendar=named, label="end", signal_columns=[], indicator_columns=[])


def _table(stamp: NDArray[np.int64], symbol: NDArray[Any], columns: dict[str, Any]) -> Any:
    """An Arrow table by whichever library is there."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped, import-not-found, unused-ignore]

        stamps = pa.array(stamp, pa.timestamp("ns", "UTC"))
        return pa.table({"timestamp": stamps, "symbol": pa.array(symbol, pa.string()), **columns})
    except ImportError:
        import polars as pl  # type: ignore[import-untyped, import-not-found, unused-ignore]

        stamps = pl.Series(stamp).cast(pl.Datetime("ns", "UTC"))
        return pl.DataFrame({"timestamp": stamps, "symbol": symbol.tolist(), **columns})


def _tape(asset: Asset, given: Any, calendar: Calendar) -> Tape:
    data = given if isinstance(given, Data) else None
    label, columns = _columns(asset, given.df if data else given, data.timezone if data else None)
    missing = [name for name in PRICES[:4] if name not in columns]
    if missing:
        raise config_error(
            "C494",
            f"the frame of {asset} has no column {missing[0]!r}; it has {sorted(columns)}",
            "name its columns open, high, low, close, volume",
        )
    for name in ("dividend", "stock_splits"):
        if name in columns and np.nansum(np.abs(columns[name])) > 0:
            raise config_error(
                "C494",
                f"the frame of {asset} has values in {name!r}, which would not be booked",
                "give a tw.DataFeed with actions=, or adjusted prices without the column",
            )
    volume = columns.get("volume", np.full(len(label), np.nan))
    prices = np.column_stack([columns[name] for name in PRICES[:4]] + [volume])
    gap = int(np.diff(label).min()) if len(label) > 1 else MINUTE_NS
    if gap <= 0:
        at = int(np.argmin(np.diff(label))) + 1
        raise config_error(
            "C494",
            f"the frame of {asset} has two rows for {np.datetime64(int(label[at]), 'ns')} UTC",
            "keep one row a time",
        )
    step_ns = max(gap, _STEPS[data.timestep]) if data else gap
    if step_ns >= DAY_NS or (data is not None and data.timestep == "day"):
        return _daily(asset, label, prices, calendar)
    return Tape(asset, label, label, label + step_ns, prices, step_ns, False)


def _daily(
    asset: Asset, label: NDArray[np.int64], prices: NDArray[np.float64], calendar: Calendar
) -> Tape:
    """Days are known at the close of their session, whatever time of day their stamps say."""
    dates = _local_dates(label)
    if calendar.name in ("24/7", "24/5"):
        start = np.array([_midnight(day) for day in dates], dtype=np.int64)
        return Tape(asset, start, start, start + DAY_NS, prices, DAY_NS, True)
    closed = [day for day in dates if not calendar.is_session(day)]
    if closed:
        raise config_error(
            "C495",
            f"the frame of {asset} has a day bar for {closed[0]}, no session of {calendar.name} "
            f"({len(closed)} such rows)",
            "call set_market() with the market of the data in initialize(), such as '24/7'",
        )
    start = np.array([_ns(calendar.open(day)) for day in dates], dtype=np.int64)
    end = np.array([_ns(calendar.close(day)) for day in dates], dtype=np.int64)
    shown = np.array([_midnight(day) for day in dates], dtype=np.int64)
    return Tape(asset, shown, start, end, prices, DAY_NS, True)


def _local_dates(label: NDArray[np.int64]) -> list[str]:
    """Dates in New York; stamps that are midnights in UTC name their own date."""
    if not np.any(label % DAY_NS):
        return [str(day) for day in label.astype("datetime64[ns]").astype("datetime64[D]")]
    import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

    local = pd.DatetimeIndex(label.astype("datetime64[ns]"), tz="UTC").tz_convert(NEW_YORK)
    return [str(day) for day in local.date]


def _midnight(day: str) -> int:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return _ns(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(NEW_YORK)))


def _ns(instant: Any) -> int:
    return int(instant.timestamp()) * 10**9


def _columns(
    asset: Asset, frame: Any, timezone: str | None
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Stamps in nanoseconds UTC, ascending, and the number columns by lower-case name."""
    if not hasattr(frame, "columns"):
        raise config_error(
            "C494",
            f"data of {asset} of type {type(frame).__name__} is no frame",
            "give a pandas or polars frame of bars, or Data(asset, frame)",
        )
    names = {str(name).lower(): name for name in frame.columns}
    time = next((names[name] for name in _TIMES if name in names), None)
    is_polars = hasattr(frame, "get_column")
    if time is None and (is_polars or not _has_times(frame)):
        raise config_error(
            "C494",
            f"the frame of {asset} has no times; it has columns {list(names)}",
            "give it a DatetimeIndex, or a column 'datetime'",
        )
    import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

    if is_polars:
        stamps = pd.DatetimeIndex(pd.to_datetime(frame[time].to_list()))
    elif _has_times(frame):
        stamps = frame.index
    else:
        stamps = pd.DatetimeIndex(pd.to_datetime(frame[time]))
    if stamps.tz is None:
        stamps = stamps.tz_localize(timezone or NEW_YORK)
    label = stamps.tz_convert("UTC").as_unit("ns").asi8
    order = np.argsort(label, kind="stable")
    found: dict[str, NDArray[np.float64]] = {}
    for name, own in names.items():
        if own != time and name in (*PRICES, "dividend", "stock_splits"):
            found[name] = np.asarray(frame[own].to_numpy(), dtype=np.float64)[order]
    return label[order], found


def _has_times(frame: Any) -> bool:
    return str(getattr(getattr(frame, "index", None), "dtype", "")).startswith("datetime")


def _tapes_of_feed(feed: DataFeed, calendar: Calendar) -> dict[str, Tape]:
    """One pass over a feed; its stamps are the ends of rows."""
    stamps: dict[str, list[int]] = {symbol: [] for symbol in feed.symbols}
    rows: dict[str, list[NDArray[np.float64]]] = {symbol: [] for symbol in feed.symbols}
    timeline = []
    for batch in feed.iter_batches():
        now = batch.timestamp_ns
        timeline.append(now)
        block = np.column_stack([batch[name] for name in PRICES])
        for i, symbol in enumerate(batch.symbols):
            stamps[symbol].append(now)
            rows[symbol].append(block[i])
    gaps = np.diff(np.asarray(timeline, dtype=np.int64))
    step_ns = int(gaps.min()) if len(gaps) else MINUTE_NS
    is_daily = step_ns >= 20 * HOUR_NS
    step_ns = DAY_NS if is_daily else step_ns
    tapes = {}
    for symbol, ends in stamps.items():
        if ends:
            end = np.asarray(ends, dtype=np.int64)
            start = label = end - step_ns
            if is_daily:
                label = np.array([_midnight(day) for day in _local_dates(end)])
                start = np.array([_open_of(stamp, calendar) for stamp in ends], dtype=np.int64)
            prices = np.vstack(rows[symbol])
            tapes[symbol] = Tape(Asset(symbol), label, start, end, prices, step_ns, is_daily)
    return tapes


def _open_of(end: int, calendar: Calendar) -> int:
    """When the session of a day bar opened; a day before its end where there are no sessions."""
    stamp = np.datetime64(end - 1, "ns")
    session = calendar.session_of(stamp)
    if calendar.name == "24/7" or not calendar.is_session(session):
        return end - DAY_NS
    return min(_ns(calendar.open(session)), end)
