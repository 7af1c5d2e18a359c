"""Ctrl-C ends every long call soon and leaves nothing half written; progress behaves."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

ROWS = 1_000_000

PREAMBLE = """
import sys, time
import tapeworks as tw

path, out = sys.argv[1], sys.argv[2]

class Simple(tw.Strategy):
    history_rows = 0
    def on_market_data(self, event): pass

class Batch(tw.Strategy):
    history_rows = 0
    def on_timestamp_batch(self, timestamp, batch, context): pass

def again(what):
    # Long enough on any machine; the signal ends it.
    for n in range(10_000):
        what(n)

try:
    feed = tw.DataFeed(path)
    {setup}
    print("go", flush=True)
    {call}
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""

CALLS = {
    "rule": "again(lambda n: tw.run(feed, tw.rules.sma_cross(3, 7, quantity=1)))",
    "simple": "again(lambda n: tw.run(feed, Simple()))",
    "batch": "again(lambda n: tw.run(feed, Batch()))",
    "check": "again(lambda n: feed.check())",
    "frame": "again(lambda n: tw.run(tw.DataFeed(df), tw.rules.noop()))",
    "out": "again(lambda n: tw.run(feed, tw.rules.sma_cross(3, 7, quantity=1), out=out))",
    "sort": "again(lambda n: tw.sort_bars(path, f'{out}{n}.parquet'))",
    "prepare": "again(lambda n: tw.DataPreparer().add_prices(path).add_indicators(['sma:20'])"
    ".validate_and_save(f'{out}{n}.parquet'))",
    "resume": "first = tw.run(feed, tw.rules.noop())\n"
    "    again(lambda n: tw.resume(first, sys.argv[3]))",
}
# Made before the signal can come: what is tested is the call, not what prepares it.
SETUPS = {"frame": "import polars; df = polars.read_parquet(path)"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Minute bars of one symbol, and the minute after them."""
    folder = tmp_path_factory.mktemp("minutes")
    n = ROWS + 1
    close = 100 + 10 * np.sin(np.arange(n) / 500)
    stamps = np.datetime64("2000-01-01", "ns") + np.arange(n) * np.timedelta64(60, "s")
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(stamps).dt.replace_time_zone("UTC"),
            "symbol": "A",
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 1.0,
        }
    )
    frame[:ROWS].write_parquet(folder / "minutes.parquet")
    frame[ROWS:].write_parquet(folder / "next.parquet")
    return folder / "minutes.parquet", folder / "next.parquet"


@pytest.mark.parametrize("name", sorted(CALLS))
def test_interrupt_when_it_comes_in_a_long_call_then_it_is_heard_soon(files, tmp_path, name):
    code = PREAMBLE.replace("{call}", CALLS[name])
    code = code.replace("{setup}", SETUPS.get(name, ""))
    command = [sys.executable, "-c", code, files[0], tmp_path / "out", files[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"go\n", child.stderr.read()
        time.sleep(0.25)
        sent = time.time()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert child.returncode == 0, err
    # About 50 ms on an idle machine; the bound is for a busy one.
    assert float(out) - sent < 1.0
    left = [path.name for path in tmp_path.iterdir() if ".tmp-" in path.name]
    assert left == []
    whole = tmp_path / "out"
    assert not whole.exists() or (whole / "manifest.json").exists()


# ------------------------------------------------------------------ progress

SLOW = """
import sys, time
import polars as pl
import tapeworks as tw

if "notebook" in sys.argv:
    import types
    class ZMQInteractiveShell: pass
    sys.modules["IPython"] = types.ModuleType("IPython")
    sys.modules["IPython"].get_ipython = ZMQInteractiveShell

days = pl.datetime_range(pl.datetime(2000, 1, 1, time_zone="UTC"),
                         pl.datetime(2002, 9, 26, time_zone="UTC"), "1d", eager=True)
bars = pl.DataFrame({"timestamp": days, "symbol": "A", "open": 1.0, "high": 1.0, "low": 1.0,
                     "close": 1.0, "volume": 1.0})

class Slow(tw.Strategy):
    def on_market_data(self, event):
        time.sleep(0.0018)

progress = {"on": True, "off": False, "left": None}[sys.argv[1]]
tw.run(tw.DataFeed(bars, chunk=50), Slow(), progress=progress)
"""


def in_terminal(*arguments: str, term: str = "xterm") -> str:
    ours, theirs = pty.openpty()
    environment = dict(os.environ, TERM=term, NO_COLOR="1")
    command = [sys.executable, "-c", SLOW, *arguments]
    with subprocess.Popen(command, stderr=theirs, stdout=theirs, env=environment) as child:
        os.close(theirs)
        text = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 10)
            try:
                part = os.read(ours, 4096) if ready else b""
            except OSError:  # the other end is closed
                break
            if not part:
                break
            text += part
    os.close(ours)
    assert child.returncode == 0, text
    return text.decode()


def in_pipe(*arguments: str) -> str:
    command = [sys.executable, "-c", SLOW, *arguments]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == b""
    return done.stderr.decode()


def test_progress_when_in_a_terminal_then_one_line_is_written_over():
    text = in_terminal("left")
    assert text.endswith("\r\n") and text.count("\n") == 1
    paintings = text.strip().split("\r")[1:] if text.startswith("\r") else text.strip().split("\r")
    assert len(paintings) >= 3
    for painting in paintings:
        # 1,000 days: the total is known of a frame.
        assert painting.startswith("[") and "of 1,000 rows" in painting and "ETA 0:0" in painting
        assert len(painting) <= 79
    assert "\x1b" not in text


def test_progress_when_turned_off_or_dumb_then_nothing():
    assert in_terminal("off") == ""
    assert in_terminal("left", term="dumb") == ""


def test_progress_when_in_a_pipe_then_nothing_or_plain_lines():
    assert in_pipe("left") == ""
    lines = in_pipe("on")
    # About two seconds: one line after the first, the next one ten seconds later.
    assert lines.count("\n") == 1 and "\r" not in lines and "\x1b" not in lines
    assert "of 1,000 rows" in lines


def test_progress_when_in_a_notebook_then_the_line_is_written_over():
    text = in_pipe("left", "notebook")
    assert text.startswith("\r[") and text.count("\n") == 1 and "\x1b" not in text
