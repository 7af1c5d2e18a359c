"""Freeze a few jobs of each peer with what the peer did, for tests that need no peer.

usage: python oracles/make_goldens.py DIR       DIR is the folder of a finished parity run

Writes goldens/PEER.json beside this file: scenarios of the matrix, and the first paths of each
kind, without equity curves. Changing a golden is a commit of its own with the reason.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "bench", "peers"))

import environments  # noqa: E402  (the pinned versions)

BYTES_MAX = 100_000
# Scenarios with prices of their own; the others repeat them with costs, which paths have too.
SCENARIOS = ("01", "02", "03", "04", "09", "10", "12", "13", "14", "15")
PATHS_PER_CELL, SYMBOLS_PER_CELL = 2, 3
PRESETS = ("default", "lean", "backtrader_strict", "vectorbt_strict", "vectorbt_oss_strict")


def read(path):
    with open(path) as file:
        return json.load(file)


def first_symbols(job, record):
    """A job of many paths, cut to its first ones."""
    kept = sorted(job["bars"])[:SYMBOLS_PER_CELL]
    cut = dict(job, bars={symbol: job["bars"][symbol] for symbol in kept})
    cut["actions"] = [action for action in job["actions"] if action["symbol"] in kept]
    found = dict(record)
    for name, column in (("fills", 1), ("trades", 0), ("rejected", 1)):
        found[name] = [row for row in record[name] if row[column] in kept]
    return cut, found


def chosen(cell, results):
    """Pairs of a job and what the peer did."""
    records = {record["id"]: record for record in results}
    pairs = [(job, records[job["id"]]) for job in cell["jobs"]]
    if cell["cell"].startswith("stress"):
        return []
    if cell["cell"].startswith("matrix"):
        wanted = [f"{cell['peer']} {number} " for number in SCENARIOS]
        return [pair for pair in pairs if pair[0]["id"].startswith(tuple(wanted))]
    if len(pairs) == 1:
        return [first_symbols(*pairs[0])]
    return pairs[: PATHS_PER_CELL if len(pairs) > 100 else 1]


def smaller(value):
    """Rows without the volume, which no job of these depends on."""
    job = dict(value)
    job["bars"] = {
        symbol: [None if row is None else row[:4] for row in rows]
        for symbol, rows in value["bars"].items()
    }
    return job


def goldens(folder, peer):
    """{file name: golden}; ml4t-backtest has one per preset that a constant of ours reproduces."""
    pairs = {}
    for name in sorted(os.listdir(os.path.join(folder, "jobs", peer))):
        cell = read(os.path.join(folder, "jobs", peer, name))
        preset = cell["cell"].split(" ")[-1]
        if peer == "ml4t" and (preset not in PRESETS or cell["cell"].startswith("matrix")):
            continue
        results = read(os.path.join(folder, "results", peer, name))["results"]
        found = [pair for pair in chosen(cell, results) if "error" not in pair[1]]
        pairs.setdefault(f"{peer}-{preset}" if peer == "ml4t" else peer, []).extend(found)
    version = environments.ENVIRONMENTS[peer][1][0]
    return {
        name: {
            "peer": version,
            "jobs": [smaller(job) for job, _ in found],
            "results": [dict(record, equity=[]) for _, record in found],
        }
        for name, found in pairs.items()
        if found
    }


def main():
    folder = sys.argv[1]
    os.makedirs(os.path.join(HERE, "goldens"), exist_ok=True)
    for peer in sorted(os.listdir(os.path.join(folder, "jobs"))):
        for name, golden in goldens(folder, peer).items():
            text = json.dumps(golden, separators=(",", ":"))
            with open(os.path.join(HERE, "goldens", f"{name}.json"), "w") as file:
                file.write(text + "\n")
            print(f"{name:28} {len(golden['jobs']):4} jobs {len(text):8} bytes")
            if len(text) > BYTES_MAX:
                print(f"{name}: more than {BYTES_MAX} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
