"""Random-walk markets, made once a session; prices are whole cents."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest


def random_walk(n_symbols: int, n_days: int, seed: int) -> pl.DataFrame:
    """Daily bars in long form with a signal column, sorted by (timestamp, symbol)."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0002, 0.02, (n_days, n_symbols))
    close = np.round(50.0 * np.exp(np.cumsum(steps, axis=0)) * rng.uniform(0.5, 4, n_symbols), 2)
    open_ = np.round(
        np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0, 0.005, close.shape)), 2
    )
    high = np.round(np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.004, close.shape))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.004, close.shape))), 2)
    high, low = (
        np.maximum(high, np.maximum(open_, close)),
        np.minimum(low, np.minimum(open_, close)),
    )
    volume = rng.integers(1_000, 1_000_000, close.shape).astype(float)
    signal = rng.normal(0, 1, close.shape)
    days = [
        dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(days=i)
        for i in range(n_days)
    ]
    symbols = [f"S{i:03d}" for i in range(n_symbols)]
    return pl.DataFrame(
        {
            "timestamp": pl.Series(
                np.repeat(np.array([int(d.timestamp()) * 10**9 for d in days]), n_symbols)
            ).cast(pl.Datetime("ns", "UTC")),
            "symbol": symbols * n_days,
            "open": open_.ravel(),
            "high": high.ravel(),
            "low": low.ravel(),
            "close": close.ravel(),
            "volume": volume.ravel(),
            "signal": signal.ravel(),
        }
    )


@pytest.fixture(scope="session")
def bars() -> pl.DataFrame:
    return random_walk(20, 300, seed=7)


@pytest.fixture(scope="session")
def bars_path(bars, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("bars") / "bars.parquet"
    bars.write_parquet(path)
    return str(path)


@pytest.fixture(scope="session")
def tiny() -> pl.DataFrame:
    """Two symbols, five days, prices that are easy to follow; B has no row on day 3."""
    days = [dt.datetime(2024, 1, day, tzinfo=dt.timezone.utc) for day in (1, 2, 3, 4, 5)]
    rows = []
    for i, day in enumerate(days):
        rows.append((day, "A", 10.0 + i, 11.0 + i, 9.0 + i, 10.5 + i, 100.0, float(i), 0.1 * i))
        if i != 2:
            rows.append((day, "B", 20.0 - i, 21.0 - i, 19.0 - i, 19.5 - i, 200.0, float(-i), 0.2))
    numbers = ("open", "high", "low", "close", "volume", "score", "atr")
    schema = {"timestamp": pl.Datetime("us", "UTC"), "symbol": pl.String}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(numbers, pl.Float64), orient="row")
