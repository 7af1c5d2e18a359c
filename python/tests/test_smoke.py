"""The wheel as it is installed: it imports, it is light, it runs both kinds of strategy."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import tapeworks as tw


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_when_fresh_then_no_other_library_is_loaded():
    code = "import sys, tapeworks; print({m.split('.')[0] for m in sys.modules})"
    loaded = eval(fresh(code))
    assert not loaded & {"numpy", "pandas", "polars", "pyarrow", "typing_extensions"}
    assert "tapeworks" in loaded


def test_wheel_when_described_then_numpy_is_all_it_needs():
    needed = metadata.requires("tapeworks")
    assert [name for name in needed if "extra ==" not in name] == ["numpy>=1.26"]
    extras = metadata.metadata("tapeworks").get_all("Provides-Extra")
    assert sorted(extras) == ["notebook", "pandas", "polars", "ray"]
    assert metadata.metadata("tapeworks")["Requires-Python"] == ">=3.10"


def test_wheel_when_measured_then_small():
    folder = Path(tw.__file__).parent
    native = [path for path in folder.glob("_native*") if path.suffix != ".pyi"]
    assert len(native) == 1 and "abi3" in native[0].name or sysconfig.get_platform() == "win-amd64"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 60e6
    assert (folder / "py.typed").exists() and (folder / "_native.pyi").exists()


class Halves(tw.Strategy):
    def on_timestamp_batch(self, timestamp, batch, context):
        weights = np.where(batch["close"] > batch["open"], 0.5, np.nan) / len(batch)
        return tw.targets(weights=weights)


class HalvesByRow(tw.Strategy):
    """The same, a row at a time."""

    def on_timestamp_batch(self, timestamp, batch, context):
        for event in self.iter_events(batch, context):
            if event.close > event.open:
                self.order_target_percent(event.symbol, 0.5 / len(batch))


def test_runs_when_arrays_or_calls_send_the_orders_then_fills_are_equal():
    # Orders of an array go out with the reducing ones first, so cash must not bind.
    runs = [tw.run(tw.sample("daily"), s, cash=1e6) for s in (Halves(), HalvesByRow())]
    tables = [
        sorted(zip(*(run.fills.to_numpy(c).tolist() for c in ("timestamp", "symbol", "quantity"))))
        for run in runs
    ]
    assert tables[0] == tables[1] and len(tables[0]) > 1000


def seconds_of(statement: str, n: int) -> float:
    """What a statement takes in a new interpreter, the least of `n` processes."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return min(float(fresh(code)) for _ in range(n))


def test_import_when_timed_then_a_tenth_of_polars_at_most():
    ours, theirs = seconds_of("import tapeworks", 10), seconds_of("import polars", 3)
    assert ours < 0.1 * theirs, f"{ours * 1e3:.1f} ms against {theirs * 1e3:.1f} ms"


def test_files_when_written_then_other_readers_take_them(tmp_path):
    """polars before 2.0 and pyarrow 14 know less of the format than the writer does."""
    pl = pytest.importorskip("polars")
    pq = pytest.importorskip("pyarrow.parquet")
    feed = tw.sample("daily")
    result = tw.run(feed, tw.rules.top_n("score", 2), cash=100_000, out=tmp_path / "run")
    result.fills.write_parquet(tmp_path / "fills.parquet")
    bars = next(iter(feed.iter_batches())).to_polars()
    tw.read_bars(bars).to_parquet(tmp_path / "bars.parquet")
    tw.DataPreparer().add_prices(bars).validate_and_save(tmp_path / "prepared.parquet")
    tw.sort_bars(tmp_path / "prepared.parquet", tmp_path / "sorted.parquet")
    files = sorted(tmp_path.rglob("*.parquet"))
    assert len(files) >= 11
    for file in files:
        by_polars, by_arrow = pl.read_parquet(file), pq.read_table(file)
        assert by_polars.height == by_arrow.num_rows
        for name, kind in zip(by_polars.columns, by_polars.dtypes):
            if kind == pl.Float64:
                assert by_polars[name].to_list() == by_arrow[name].to_pylist(), (file, name)
    equity = pl.scan_parquet(tmp_path / "run" / "portfolio.parquet").filter(pl.col("equity") > 0)
    assert equity.collect().height == len(result.portfolio)
