"""Write the jobs of `make parity`: one file per peer and cell, and the panels they read.

usage: python oracles/make_jobs.py DIR [--full] [--paths 200]

What a job says is documented in README.md beside this file.
"""

import argparse
import hashlib
import json
import os
import shutil

import matrix
import paths
import stress

SEED = 20_191_231
TEN_BPS = {"kind": "percent", "rate": 0.001}
PRESETS = (
    "default",
    "fast",
    "realistic",
    "ibkr_us_stocks_fixed",
    "lean",
    "backtrader",
    "backtrader_strict",
    "vectorbt",
    "vectorbt_strict",
    "vectorbt_oss_strict",
    "vectorbt_futures_strict",
    "zipline",
    "zipline_strict",
)
# Presets whose every order kind is run on random paths.
PATH_PRESETS = (
    "default",
    "lean",
    "backtrader_strict",
    "vectorbt_strict",
    "vectorbt_oss_strict",
)
SEMANTICS = {
    # peer: (without position rules, with them)
    "backtrader": ("backtrader", "backtrader_bracket_as_rules"),
    "vectorbt": ("vectorbt", "vectorbt"),
    "zipline": ("zipline", "zipline"),
    "backtesting": ("backtesting_py", "backtesting_py"),
    "lumibot": ("lumibot", "lumibot"),
}
# Units. Rounding of the cash of a run buys far less, an order of the suite far more.
SMALLEST_FILL = 1e-8
RULES_AS = {"backtrader": "bracket", "vectorbt": "position", "zipline": "strategy"}
SLOW = ("zipline", "lumibot")  # one run holds all paths of a kind


def write_cell(folder, peer, cell, jobs):
    name = cell.replace(" ", "-").replace(",", "")
    path = os.path.join(folder, "jobs", peer, f"{name}.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump({"peer": peer, "cell": cell, "jobs": jobs}, file)


def write_matrix(folder):
    for peer, rules_as in RULES_AS.items():
        write_cell(folder, peer, "matrix", matrix.jobs_of(peer, SEMANTICS[peer], rules_as))
    constant = "zipline_next_open"
    options = {"fill_at": "next_open"}
    jobs = matrix.jobs_of("zipline", (constant, constant), "strategy", options)
    write_cell(folder, "zipline", "matrix at the open", jobs)
    for preset in PRESETS:
        constant = f"ml4t_{preset}"
        jobs = matrix.jobs_of("ml4t", (constant, constant), "position", {"preset": preset})
        write_cell(folder, "ml4t", f"matrix {preset}", jobs)


def write_paths(folder, n_paths):
    for peer, constants in SEMANTICS.items():
        for kind in paths.NATIVE[peer]:
            for side, name in ((1, "long"), (-1, "short")):
                slow = peer in SLOW
                made = paths.jobs_of(peer, constants[0], kind, side, n_paths, SEED, not slow)
                if slow:
                    fees = {"commission": TEN_BPS} if side < 0 else {}
                    made = [paths.merged(made, f"{peer} {kind} {name}", fees)]
                write_cell(folder, peer, f"{kind} {name}", made)
    for preset in PATH_PRESETS:
        count = n_paths if preset == "default" else max(1, n_paths // 5)
        for kind in paths.NATIVE["ml4t"]:
            jobs = []
            for side in (1, -1):
                options = {"preset": preset}
                half = paths.jobs_of(
                    "ml4t", f"ml4t_{preset}", kind, side, count // 2, SEED, True, options
                )
                jobs += half
            write_cell(folder, "ml4t", f"{kind} {preset}", jobs)


def write_panels(folder, n_assets, n_bars):
    """Three files: as drawn, with holes, and rounded for the peer that stores three decimals."""
    data = os.path.join(folder, "data")
    os.makedirs(data, exist_ok=True)
    size = f"{n_assets}x{n_bars}"
    whole, holed = stress.panel(n_assets, n_bars), stress.panel(n_assets, n_bars, holes=True)
    stress.check(whole)
    files = {}
    for name, made, decimals in (
        ("stress", whole, None),
        ("stress-holes", holed, None),
        ("stress-rounded", whole, 3),
    ):
        file_name = f"{name}-{size}.parquet"
        stress.write(os.path.join(data, file_name), made, decimals)
        with open(os.path.join(data, file_name), "rb") as file:
            print(hashlib.sha256(file.read()).hexdigest(), file_name)
        files[name] = file_name
    return files


def stress_cells(peer, semantics, files, top, options):
    """S1, S1c, S2, S3 and S3 without shorts, as far as docs/semantics.md 8.1 asks them."""
    panel = files["stress-rounded"] if peer == "zipline" else files["stress"]
    costs = {"commission": TEN_BPS, "slippage": TEN_BPS}
    preset = options.get("preset")
    cells = {"S1": stress.job("S1", peer, semantics, panel, top, 1e6, options)}
    if preset in (None, *PATH_PRESETS):
        cells["S1c"] = stress.job("S1c", peer, semantics, panel, top, 1e6, options, **costs)
    if peer in ("backtrader", "vectorbt") or preset == "default":
        holed = files["stress-holes"]
        cells["S2"] = stress.job("S2", peer, semantics, holed, top, 1e6, options)
    if peer in ("backtrader", "vectorbt") or preset in ("default", "lean") or (
        preset and preset.endswith("_strict")
    ):
        more = {"call_seq": "auto"} if peer == "vectorbt" else {}
        cash = 1e5 * top / 25  # so that it binds in the smaller panel as well
        cells["S3"] = stress.job("S3", peer, semantics, panel, top, cash, options | more)
        long = stress.job("S3 long", peer, semantics, panel, top, cash, options | more)
        long["strategy"]["long_only"] = True
        cells["S3 long"] = long
    return cells


def write_stress(folder, n_assets, n_bars, top):
    files = write_panels(folder, n_assets, n_bars)
    for peer in ("backtrader", "vectorbt", "zipline"):
        cells = stress_cells(peer, SEMANTICS[peer][0], files, top, {})
        for name, job in cells.items():
            write_cell(folder, peer, f"stress {name}", [job])
    for preset in PRESETS:
        constant = f"ml4t_{preset}"
        for name, job in stress_cells("ml4t", constant, files, top, {"preset": preset}).items():
            write_cell(folder, "ml4t", f"stress {name} {preset}", [job])
    # Where cash has run out, three presets spend what rounding leaves of it on 1e-13 units, which
    # are positions then. The same runs with such fills refused show whether that is all that
    # differs.
    spend = (("S1", "vectorbt"), ("S1c", "vectorbt_strict"), ("S1c", "vectorbt_oss_strict"))
    for name, preset in spend:
        options = {"preset": preset, "smallest_fill": SMALLEST_FILL}
        job = stress_cells("ml4t", f"ml4t_{preset}", files, top, options)[name]
        write_cell(folder, "ml4t", f"stress {name} {preset} without dust", [job])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dir")
    parser.add_argument("--full", action="store_true", help="stress of 250 assets x 5,040 bars")
    parser.add_argument("--paths", type=int, default=200, help="random paths per kind")
    options = parser.parse_args()
    shutil.rmtree(os.path.join(options.dir, "jobs"), ignore_errors=True)
    write_matrix(options.dir)
    write_paths(options.dir, options.paths)
    write_stress(options.dir, *((250, 5040, 25) if options.full else (50, 1000, 5)))


if __name__ == "__main__":
    main()
