"""Time tapeworks beside pinned peers: each answer is checked before its clock counts.

usage: python bench/peers/bench.py --dir DIR [--engines A,B] [--workloads W1,W2] [-n 5] [--answers]

DIR holds everything that is made (environments, data, raw results); delete it to start afresh. One
job is one process, jobs run one after another, rounds are interleaved so that a noisy minute hits
every engine. The result is bench/peers/RESULTS.md. --answers runs our own engines once, compares
answers only, and writes nothing. README.md beside this file says what the workloads are.
"""

import argparse
import dataclasses
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import workloads as w
from environments import ROOT, environment, install_tapeworks, say

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass(frozen=True)
class Engine:
    """One row of the tables: a script, where it runs, what it is asked, how often."""

    script: str
    environment: str
    workloads: tuple
    rounds_max: int = 99
    variables: tuple = ()
    rounds_differences: bool = False  # sizes a rebalance by rounding the difference


DAILY = ("W1", "W2", "W3")
MOVED = ("W1-shuffled", "W1-subset", "W2-shuffled", "W2-subset")
ALL = (*DAILY, *MOVED, "W4s", "W4m", "W3m")
FROM_RAM = (("TW_FROM", "ram"),)
ENGINES = {
    "reference": Engine("eng_reference.py", "base", ("W1", "W2", "W5", *MOVED, "W4s", "W4m"), 1),
    "limit": Engine("eng_limit.py", "base", ("W1", "W3", "W4s", "W4m"), 3),
    "rust": Engine("crate", "base", (*ALL, "W5")),
    "rust-ram": Engine("crate", "base", (*ALL, "W5"), variables=FROM_RAM),
    "cli": Engine("eng_tapeworks_cli.py", "base", ALL),
    "rule": Engine("eng_tapeworks_rule.py", "base", ALL),
    "rule-ram": Engine("eng_tapeworks_rule.py", "base", (*DAILY, "W5"), variables=FROM_RAM),
    "batch": Engine("eng_tapeworks_batch.py", "base", (*DAILY, *MOVED)),
    "batch-ram": Engine("eng_tapeworks_batch.py", "base", DAILY, variables=FROM_RAM),
    "simple": Engine("eng_tapeworks_simple.py", "base", ("W1", "W1-shuffled", "W1-subset", "W3")),
    "simple-ram": Engine("eng_tapeworks_simple.py", "base", ("W1", "W3"), variables=FROM_RAM),
    "indicator-ram": Engine("eng_tapeworks_indicator.py", "base", ("W1",), variables=FROM_RAM),
    "phasor": Engine(
        "eng_phasor.py", "phasor", ("W1", "W2", "W3", "W4s", "W4m", "W5"), rounds_differences=True
    ),
    "phasor-callback": Engine("eng_phasor_callback.py", "phasor", ("W1", "W2", "W5")),
    "vectorbt": Engine(
        "eng_vectorbt.py", "vectorbt", ("W1", "W2", "W4s", "W4m"), 3, rounds_differences=True
    ),
    "bt": Engine("eng_bt.py", "bt", ("W1",), 3),
    "openquanter": Engine("eng_openquanter.py", "openquanter", ("W3",), 3),
    "raptorbt": Engine("eng_raptorbt.py", "raptorbt", ("W1", "W3"), 2),
    "backtesting": Engine("eng_backtesting.py", "backtesting", ("W1", "W3"), 1),
    "ml4t": Engine("eng_ml4t.py", "ml4t", ("W1", "W2", "W3"), 2),
    "backtrader": Engine("eng_backtrader.py", "backtrader", ("W1", "W3"), 1),
}
OURS = [name for name, engine in ENGINES.items() if engine.script in ("crate",)]
OURS += [name for name, engine in ENGINES.items() if engine.script.startswith("eng_tapeworks")]
# The rows that ratios refer to: a run is compared with one from memory, a process with one from
# the file, because that is what the peers' figures are.
RUN_RATIO_TO, PROCESS_RATIO_TO = "rust-ram", "rust"


def build_ours(folder, names):
    """Build and install what is measured; paths of the two binaries."""
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    packages = ["-p", "tapeworks-cli", "-p", "tapeworks-bench"]
    subprocess.run(["cargo", "build", "--release", "--quiet", *packages], cwd=ROOT, check=True)
    if any(ENGINES[name].script.startswith("eng_tapeworks") for name in names if name != "cli"):
        install_tapeworks(environment(folder, "base"))
    return {
        "cli": os.path.join(target, "release", "tapeworks"),
        "bench": os.path.join(target, "release", "tapeworks-bench"),
    }


def command_of(engine, workload, folder, binaries):
    data = os.path.join(folder, "data")
    if engine.script == "crate":
        name = workload.split("-")[0]  # the binary knows rules and cash, not data sets
        memory = ["--memory"] if engine.variables == FROM_RAM else []
        return [binaries["bench"], "run", name, w.path(workload, data), *memory]
    script = os.path.join(HERE, engine.script)
    return [environment(folder, engine.environment), script, workload, data]


def facts_of_crate(said, engine, usage):
    """The line of our benchmark binary in the words of the other scripts.

    From the file, reading runs on threads of its own: the process is what it cost. From memory the
    simulation is one thread, and the binary has taken the median of several.
    """
    from_ram = engine.variables == FROM_RAM
    return {
        "engine": "tapeworks, Rust, from memory" if from_ram else "tapeworks, Rust",
        "version": output_of("git", "rev-parse", "--short", "HEAD"),
        "run_s": said["wall_s"],
        "cpu_s": said["cpu_main_thread_s"] if from_ram else usage.ru_utime + usage.ru_stime,
        "equity": said["equity"],
        "fills": said["fills"],
    }


def run_job(name, workload, folder, binaries, timeout):
    """Facts of one process: what it says of itself, and what the system says of it."""
    engine = ENGINES[name]
    variables = dict(os.environ, PYTHONPATH=HERE, TW_BINARY=binaries.get("cli", ""))
    variables.update(engine.variables)
    command = command_of(engine, workload, folder, binaries)
    load_average = os.getloadavg()[0]
    output = os.path.join(folder, "job.out")
    began = time.perf_counter()
    with open(output, "w") as file:
        process = subprocess.Popen(command, env=variables, stdout=file, stderr=subprocess.STDOUT)
        deadline = began + timeout
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.perf_counter() > deadline:
                process.kill()
            time.sleep(0.002)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    with open(output) as file:
        text = file.read()
    line = next((x for x in text.splitlines() if x.startswith(("RESULT {", "{"))), None)
    if line is None or process.returncode:
        last = (text.strip().splitlines() or ["no output"])[-1].replace(folder, "DIR")
        error = last.replace(ROOT, ".").replace("|", "/")[-200:]
        return {"name": name, "workload": workload, "error": error}
    facts = json.loads(line.removeprefix("RESULT "))
    if engine.script == "crate":
        facts = facts_of_crate(facts, engine, usage)
    # The command-line script and the plain loop measure their child; the others are the process.
    is_child = name in ("cli", "limit")
    return facts | {
        "name": name,
        "workload": workload,
        "process_s": facts["run_s"] if is_child else wall,
        "process_cpu_s": facts["cpu_s"] if is_child else usage.ru_utime + usage.ru_stime,
        "rss_mb": facts.get("rss_peak_mb", 0) if is_child else usage.ru_maxrss // 1024,
        "load_average": round(load_average, 2),
    }


def verdict(facts):
    """'exact', the known other answer, or what is wrong."""
    if "error" in facts:
        return f"failed: {facts['error']}"
    equity, fills = w.WORKLOADS[facts["workload"]][3:]
    if abs(facts["equity"] - equity) < 0.005 and facts["fills"] == fills:
        return "exact"
    other = w.ROUNDED_DIFFERENCES.get(facts["workload"])
    if other and ENGINES[facts["name"]].rounds_differences:
        if abs(facts["equity"] - other[0]) < 0.005 and facts["fills"] == other[1]:
            return "rounds differences"
    return f"WRONG: {facts['equity']} with {facts['fills']} fills"


def output_of(*command):
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    cpu, memory = platform.processor() or platform.machine(), "unknown memory"
    try:
        with open("/proc/cpuinfo") as file:
            models = [x.split(":")[1].strip() for x in file if x.startswith("model name")]
        with open("/proc/meminfo") as file:
            memory = f"{int(file.readline().split()[1]) // 1024**2} GiB"
        cpu = models[0] if models else cpu
    except OSError:
        pass
    return f"{os.cpu_count()} x {cpu}, {memory}, {platform.system()} {platform.release()}"


def ratio(value, entries, name, key):
    """How many times the figure of our row `name`."""
    base = next((middle(key) for _, other, _, middle in entries if other == name), None)
    return f"{value / base:.2f}" if base else "-"


def table(workload, results):
    """One workload's rows, by run CPU."""
    rows = [x for x in results if x["workload"] == workload]
    if not rows:
        return []
    data_set, kind, _, equity, fills = w.WORKLOADS[workload]
    lines = [f"### {workload}: {kind} on {data_set}", ""]
    lines += [f"Expected: {equity:,} with {fills:,} fills.", ""]
    lines.append(
        "| engine | version | answer | n | run CPU s | run x | run wall s | process CPU s "
        "| process x | process wall s | peak RSS MB |"
    )
    lines.append("|---" * 11 + "|")
    entries, failures = [], []
    for name in dict.fromkeys(x["name"] for x in rows):
        runs = [x for x in rows if x["name"] == name]
        bad = next((verdict(x) for x in runs if verdict(x).startswith(("failed", "WRONG"))), None)
        if bad:
            failures.append(f"| {name} | - | {bad} |" + " - |" * 8)
            continue

        def middle(key, runs=runs):
            return statistics.median(x[key] for x in runs)

        entries.append((middle("cpu_s"), name, runs, middle))
    for cpu, _, runs, middle in sorted(entries, key=lambda entry: entry[0]):
        process = middle("process_cpu_s")
        lines.append(
            f"| {runs[0]['engine']} | {runs[0]['version']} | {verdict(runs[0])} | {len(runs)} "
            f"| {cpu:.4g} | {ratio(cpu, entries, RUN_RATIO_TO, 'cpu_s')} "
            f"| {middle('run_s'):.4g} | {process:.3g} "
            f"| {ratio(process, entries, PROCESS_RATIO_TO, 'process_cpu_s')} "
            f"| {middle('process_s'):.3g} | {middle('rss_mb'):.0f} |"
        )
    lines += failures
    return [*lines, ""]


def shown(arguments):
    """The command line without the places of this machine."""
    private = [after for flag, after in zip(arguments, arguments[1:]) if flag in ("--dir", "--out")]
    return " ".join("DIR" if x in private else x for x in arguments)


def document(results, arguments):
    dirty = " with uncommitted changes" if output_of("git", "status", "--porcelain") else ""
    loads = [x["load_average"] for x in results if "load_average" in x]
    lines = [
        "# Results",
        "",
        "Written by `bench/peers/bench.py`; do not edit. What is measured and how is said in",
        "[README.md](README.md). Run spans native inputs to final equity: for tapeworks from a",
        "file that includes decoding and checking it, for engines fed from memory it does not.",
        "Process includes start, imports and loading. `run x` is run CPU over that of our Rust",
        "engine from memory; `process x` is process CPU over that of our Rust engine from the",
        "file.",
        "",
        f"- machine: {machine()}; load average before a job {min(loads):.1f} to {max(loads):.1f}",
        f"- commit: `{output_of('git', 'rev-parse', '--short', 'HEAD')}`{dirty}",
        f"- {output_of('rustc', '--version')}; Python {platform.python_version()}",
        f"- date: {datetime.date.today().isoformat()}",
        f"- command: `python bench/peers/bench.py {shown(arguments)}`",
        "",
    ]
    for workload in w.WORKLOADS:
        lines += table(workload, results)
    return "\n".join(lines).rstrip() + "\n"


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", required=True, help="folder for environments, data, results")
    parser.add_argument("--engines", help=f"comma-separated; all: {','.join(ENGINES)}")
    parser.add_argument("--workloads", help=f"comma-separated; all: {','.join(w.WORKLOADS)}")
    parser.add_argument("-n", type=int, default=5, help="rounds; medians are reported")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds for one job")
    parser.add_argument("--out", default=os.path.join(HERE, "RESULTS.md"))
    parser.add_argument("--answers", action="store_true", help="ours once, answers only")
    options = parser.parse_args(arguments)
    chosen = options.engines.split(",") if options.engines else list(ENGINES)
    if options.answers:
        options.n = 1
        chosen = options.engines.split(",") if options.engines else ["reference", *OURS]
    wanted = options.workloads.split(",") if options.workloads else list(w.WORKLOADS)
    for given, known in ((chosen, ENGINES), (wanted, w.WORKLOADS)):
        unknown = [x for x in given if x not in known]
        if unknown:
            parser.error(f"unknown {', '.join(unknown)}; there are {', '.join(known)}")
    return options, chosen, wanted


def main(arguments):
    options, chosen, wanted = parse(arguments)
    folder = os.path.abspath(options.dir)
    data = os.path.join(folder, "data")
    os.makedirs(data, exist_ok=True)
    jobs = [(e, x) for x in wanted for e in chosen if x in ENGINES[e].workloads]
    sets = dict.fromkeys(w.WORKLOADS[x][0] for _, x in jobs)
    missing = [x for x in sets if not os.path.exists(os.path.join(data, x + ".parquet"))]
    python = environment(folder, "base")
    if missing:
        generator = os.path.join(HERE, "gen_data.py")
        subprocess.run([python, generator, data, *missing], check=True, stdout=sys.stderr)
    binaries = build_ours(folder, chosen) if set(chosen) & set(OURS) else {}
    for name in chosen:
        environment(folder, ENGINES[name].environment)
    results = []
    for number in range(options.n):
        for name, workload in jobs:
            if number >= ENGINES[name].rounds_max:
                continue
            facts = run_job(name, workload, folder, binaries, options.timeout)
            results.append(facts)
            with open(os.path.join(folder, "results.jsonl"), "a") as file:
                file.write(json.dumps(facts) + "\n")
            cpu = facts.get("cpu_s", float("nan"))
            say(f"{name:16} {workload:12} {cpu:9.4f} s CPU  {verdict(facts)}")
    bad = [x for x in results if verdict(x).startswith(("failed", "WRONG"))]
    if not options.answers:
        with open(options.out, "w") as file:
            file.write(document(results, arguments))
        say(f"wrote {options.out}")
    print(f"{len(results) - len(bad)} of {len(results)} runs gave the expected answer")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
