"""Run the pinned peers live and tapeworks on the same jobs, and compare trade by trade.

usage: python oracles/parity.py --dir DIR [--full] [--peers A,B] [--cells X,Y] [--reuse]

DIR holds everything that is made (environments, data, jobs, results); delete it to start afresh.
One peer is one process, peers run one after another. The result is oracles/RESULTS.md; the exit
code is 3 when a trade differs. README.md beside this file says what a job is.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys

import causes
import compare
import records
import rounding

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "bench", "peers"))

import environments  # noqa: E402  (shared with the benchmark)

PEERS = ("backtrader", "vectorbt", "zipline", "ml4t", "backtesting", "lumibot")


def say(*words):
    print(*words, flush=True)


def run(folder, python, script, *arguments):
    """One process per engine; its lines are printed as they come, its litter stays in DIR."""
    variables = dict(os.environ, PYTHONPATH=HERE, PYTHONWARNINGS="ignore")
    command = [python, os.path.join(HERE, script), *arguments]
    return subprocess.run(command, env=variables, cwd=folder, check=False).returncode


def cells_of(folder, peer, wanted):
    names = sorted(os.listdir(os.path.join(folder, "jobs", peer)))
    names = [name.removesuffix(".json") for name in names]
    return [name for name in names if not wanted or any(x in name for x in wanted)]


def left_to_run(places, names):
    """Cells without results of the very jobs that are asked now."""
    left = []
    for name in names:
        asked = records.digest(os.path.join(places[0], f"{name}.json"))
        if read(os.path.join(places[1], f"{name}.json")).get("jobs") != asked:
            left.append(name)
    return left


def run_peer(folder, peer, names, reuse):
    """Whether the peer could be installed and run."""
    places = [os.path.join(folder, x, peer) for x in ("jobs", "results")]
    left = left_to_run(places, names) if reuse else names
    if not left:
        return True
    try:
        python = environments.environment(folder, peer)
    except subprocess.CalledProcessError as error:
        say(f"{peer}: not installed, {error}")
        return False
    run(folder, python, f"peer_{peer}.py", *places, os.path.join(folder, "data"), *left)
    return True


def run_ours(folder, python, peer, names):
    places = [os.path.join(folder, x, peer) for x in ("jobs", "ours")]
    run(folder, python, "ours.py", *places, os.path.join(folder, "data"), *names)


def make_jobs(folder, options):
    size = ["--full"] if options.full else []
    base = environments.environment(folder, "base")
    return run(folder, base, "make_jobs.py", folder, "--paths", options.paths, *size)


def run_engines(folder, cells, options):
    """The peers that ran; then we run on the same jobs."""
    python = options.python
    if not python:
        python = environments.environment(folder, "tapeworks")
        environments.install_tapeworks(python)
    ran = [peer for peer in cells if run_peer(folder, peer, cells[peer], options.reuse)]
    for peer in ran:
        run_ours(folder, python, peer, cells[peer])
    return ran


def read(path):
    if not os.path.exists(path):
        return {"cpu_s": 0.0, "results": []}
    with open(path) as file:
        return json.load(file)


def compared(folder, peer, name):
    """One row of the table."""
    jobs = read(os.path.join(folder, "jobs", peer, f"{name}.json"))
    theirs = read(os.path.join(folder, "results", peer, f"{name}.json"))
    ours = read(os.path.join(folder, "ours", peer, f"{name}.json"))
    row = compare.cell_difference(jobs["jobs"], ours["results"], theirs["results"])
    engine = [sum(x.get("cpu_s", 0.0) for x in y["results"]) for y in (theirs, ours)]
    row |= {"peer": peer, "cell": jobs["cell"], "their_s": engine[0], "our_s": engine[1]}
    if row["differing"]:
        proof = rounding.of_cell(jobs["jobs"], ours["results"], theirs["results"])
        row["cause"] = proof or causes.of(row)
    return row


def shown(row):
    """The row on the terminal, with the first differing trade of both sides."""
    verdict = "equal" if not row["differing"] else f"{row['differing']} DIFFER"
    say(
        f"{row['peer']:12} {row['cell']:40} {row['cases']:5} cases {row['trades']:7} trades "
        f"{row['fills']:7} fills  largest {row['largest']:8.1e}  {verdict}"
    )
    if row["first"]:
        first = row["first"]
        say(f"    {first['id']}: {first['what']}")
        say(f"      ours   {first['ours']}")
        say(f"      theirs {first['theirs']}")
        say(f"      {row['cause']}")


def table(rows):
    lines = [
        "| peer | group | cases | trades | fills | equal | differing | largest relative difference "
        "| peer's CPU s | our CPU s | cause |",
        "|" + "---|" * 11,
    ]
    for row in rows:
        equal = row["cases"] - row["differing"]
        lines.append(
            f"| {row['peer']} | {row['cell']} | {row['cases']} | {row['trades']:,} "
            f"| {row['fills']:,} | {equal} | {row['differing']} | {row['largest']:.1e} "
            f"| {row['their_s']:.2f} | {row['our_s']:.3f} | {row.get('cause', '')} |"
        )
    return lines


def commit():
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def document(rows, arguments):
    """RESULTS.md: what ran, what differed, and the first difference of every cell that did."""
    versions = ", ".join(environments.ENVIRONMENTS[peer][1][0] for peer in PEERS)
    cases, differing = (sum(row[key] for row in rows) for key in ("cases", "differing"))
    command = re.sub(r"--dir[= ]\S+", "--dir DIR", arguments)
    command = re.sub(r" --(python|out)[= ]\S+", "", command)
    lines = [
        "# Results",
        "",
        "Written by `oracles/parity.py`; do not edit. What a job is, and what equal means, is said",
        "in [README.md](README.md). The peers were installed and run live beside us.",
        "",
        f"- peers: {versions}",
        f"- cases: {cases:,}, of which {differing:,} differ",
        f"- commit: `{commit()}`",
        f"- date: {datetime.date.today().isoformat()}",
        f"- command: `python oracles/parity.py {command}`",
        "",
        *table(rows),
        "",
    ]
    for row in rows:
        if row["first"]:
            first = row["first"]
            lines += [
                f"## {row['peer']}, {row['cell']}: `{first['id']}`, {first['what']}",
                "",
                f"- ours: `{first['ours']}`",
                f"- theirs: `{first['theirs']}`",
                "",
            ]
    return "\n".join(lines).rstrip() + "\n"


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", required=True, help="folder for environments, data, results")
    parser.add_argument("--full", action="store_true", help="stress of 250 assets x 5,040 bars")
    parser.add_argument("--peers", help=f"comma-separated; all: {','.join(PEERS)}")
    parser.add_argument("--cells", help="comma-separated parts of cell names")
    parser.add_argument("--paths", default="200", help="random paths per kind")
    parser.add_argument("--reuse", action="store_true", help="keep what peers wrote earlier")
    parser.add_argument("--report", action="store_true", help="compare what is there, run nothing")
    parser.add_argument("--python", help="an interpreter that has tapeworks; else it is built")
    parser.add_argument("--out", help="the table; else RESULTS.md here if everything is asked")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    folder = os.path.abspath(options.dir)
    os.makedirs(folder, exist_ok=True)
    peers = options.peers.split(",") if options.peers else list(PEERS)
    wanted = options.cells.split(",") if options.cells else []
    if not options.report and make_jobs(folder, options):
        return 1
    cells = {peer: cells_of(folder, peer, wanted) for peer in peers}
    ran = peers if options.report else run_engines(folder, cells, options)
    rows = [compared(folder, peer, name) for peer in ran for name in cells[peer]]
    for row in rows:
        shown(row)
    out = options.out
    if not out and not options.peers and not options.cells:
        out = os.path.join(HERE, "RESULTS-full.md" if options.full else "RESULTS.md")
    if out:
        with open(out, "w") as file:
            file.write(document(rows, " ".join(arguments)))
        say(f"wrote {out}")
    differing = sum(row["differing"] for row in rows)
    cases = sum(row["cases"] for row in rows)
    say(f"{cases - differing} of {cases} cases are equal")
    return 3 if differing or len(ran) < len(peers) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
