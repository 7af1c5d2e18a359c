"""tapeworks from its command line: a configuration in, the whole run folder and report out.

TW_BINARY names the binary. The figures are those of the child process, start to end.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet as pq
import workloads as w

RULES = {
    "sma": {"rule": "sma_cross", "fast": w.FAST, "slow": w.SLOW, "quantity": w.QUANTITY},
    "top": {
        "rule": "top_n",
        "signal": "signal",
        "n": w.TOP,
        "rebalance": f"{w.EVERY}d",
        "weight": w.WEIGHT,
    },
    "idle": {"rule": "noop"},
}


def main(workload, folder):
    binary = os.environ["TW_BINARY"]
    kind = w.kind(workload)
    with tempfile.TemporaryDirectory() as scratch:
        config, out = os.path.join(scratch, "run.json"), os.path.join(scratch, "out")
        sections = {
            "backtest": {
                "name": workload,
                "initial_capital": w.cash(workload),
                "timezone": "UTC",
            },
            "data": {
                "asset_data": os.path.abspath(w.path(workload, folder)),
                "columns": {
                    "signals": ["signal"] if kind == "top" else [],
                    "indicators": [],
                },
            },
            "strategy": RULES[kind],
            "execution": {"commission": {"kind": "percent", "bps": w.FEE * 1e4}},
        }
        with open(config, "w") as file:
            json.dump(sections, file)
        began = time.perf_counter()
        command = [binary, "run", config, "--out", out, "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        portfolio = pq.read_table(os.path.join(out, "portfolio.parquet"), columns=["equity"])
        fills = pq.read_metadata(os.path.join(out, "fills.parquet")).num_rows
        equity = portfolio.column("equity")[-1].as_py()
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    facts = {
        "engine": "tapeworks, command line, run folder and report",
        "version": version.stdout.split()[-1],
        "workload": workload,
        "load_s": 0.0,
        "run_s": round(wall, 4),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 4),
        "rss_load_mb": 0,
        "rss_peak_mb": usage.ru_maxrss // 1024,
        "equity": round(equity, 6),
        "fills": fills,
    }
    print("RESULT " + json.dumps(facts), flush=True)


main(sys.argv[1], sys.argv[2])
