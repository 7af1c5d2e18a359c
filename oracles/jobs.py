"""What every runner does with a job: its symbols, bars, actions, and one loop over the cells.

A runner is a script `RUNNER JOBS_FOLDER RESULTS_FOLDER DATA_FOLDER [CELL ...]`; it brings a
function that takes a list of jobs and yields their results.
"""

import os
import sys
import time

import records

PRICES = ("open", "high", "low", "close", "volume")
VOLUME = 1_000_000.0


def panel(job, folder):
    """{symbol: {column: [value or None per bar]}}; the columns are the prices, volume, score."""
    if "bars_file" in job:
        return file_panel(os.path.join(folder, job["bars_file"]))
    found = {}
    for symbol, rows in job["bars"].items():
        columns = {name: [] for name in PRICES}
        for row in rows:
            values = (None,) * 5 if row is None else (*row, VOLUME)[:5]
            for name, value in zip(PRICES, values, strict=True):
                columns[name].append(None if value is None else float(value))
        found[symbol] = columns
    return found


def file_panel(path):
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    bars = table["bar"].to_pylist()
    n_bars = max(bars) + 1
    symbols = table["symbol"].to_pylist()
    names = (*PRICES, "score")
    found = {x: {name: [None] * n_bars for name in names} for x in dict.fromkeys(sorted(symbols))}
    for name in names:
        for bar, symbol, value in zip(bars, symbols, table[name].to_pylist(), strict=True):
            found[symbol][name][bar] = value
    return found


def n_bars_of(bars):
    return max(len(columns["close"]) for columns in bars.values())


def actions_by_bar(job):
    """{bar: [action]}; the symbol is filled in where the job has only one."""
    only = next(iter(job["bars"])) if "bars" in job else None
    found = {}
    for action in job.get("actions", ()):
        found.setdefault(action["bar"], []).append({"symbol": only} | action)
    return found


def rank_targets(strategy, scores):
    """{symbol: target} of one bar; `scores` holds the symbols that have a row, in asset order."""
    ranked = sorted(scores, key=lambda symbol: -scores[symbol])
    size, top = strategy["size"], strategy["top"]
    wanted = dict.fromkeys(scores, 0)
    wanted.update(dict.fromkeys(ranked[:top], size))
    if not strategy.get("long_only"):
        wanted.update((symbol, -size) for symbol in ranked[-top:] if wanted[symbol] == 0)
    return wanted


def scores_at(bars, bar):
    return {s: c["score"][bar] for s, c in bars.items() if c["score"][bar] is not None}


def needs_shorts(job):
    """Whether a job's first quantity is negative or its targets go both ways."""
    if "strategy" in job:
        return not job["strategy"].get("long_only")
    first = next((a for a in job["actions"] if "quantity" in a), {"quantity": 1})
    return first["quantity"] < 0 or any(a["do"] == "target" for a in job["actions"])


class Watch:
    """Exits that a strategy decides on closes: stop, target and trail from the average price."""

    def __init__(self, rules):
        self.fraction = {rule["rule"]: rule["fraction"] for rule in rules}
        self.best = {}

    def leaves(self, symbol, position, average, close):
        """Whether the position is to be closed after this close."""
        if not position:
            self.best.pop(symbol, None)
            return False
        side = 1 if position > 0 else -1
        best = self.best.get(symbol, close)
        best = max(best, close) if side > 0 else min(best, close)
        self.best[symbol] = best
        stop, target, trail = (self.fraction.get(x) for x in ("stop_loss", "take_profit", "trail"))
        return bool(
            (stop and (close - average * (1 - side * stop)) * side <= 0)
            or (target and (close - average * (1 + side * target)) * side >= 0)
            or (trail and (close - best * (1 - side * trail)) * side <= 0)
        )


def main(run):
    """`run(jobs, data_folder)` yields the results of one cell's jobs."""
    source, target, data, *wanted = sys.argv[1:]
    for name in sorted(os.listdir(source)):
        if wanted and name.removesuffix(".json") not in wanted:
            continue
        cell = records.read_jobs(os.path.join(source, name))
        began = time.process_time()
        try:
            results = list(run(cell["jobs"], data))
        except Exception as error:  # a peer may raise anything; the cell is then lost, and says so
            results = [records.failure(job, error) for job in cell["jobs"]]
        seconds = time.process_time() - began
        failed = sum("error" in x for x in results)
        print(f"{cell['peer']:12} {cell['cell']:36} {len(results):5} jobs {failed:4} failed "
              f"{seconds:8.2f} s CPU", flush=True)
        found = {"jobs": records.digest(os.path.join(source, name)), "results": results}
        records.write_results(os.path.join(target, name), found)


def each(run_one):
    """A `run` that takes the jobs one by one; a job that raises is a failure of that job only."""

    def run(jobs, data):
        for job in jobs:
            try:
                yield run_one(job, data)
            except Exception as error:  # as above
                yield records.failure(job, error)

    return run
