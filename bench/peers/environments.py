"""Environments of the pinned peers, one per library, made on first use below one folder."""

import glob
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# environment: (preferred Python, pinned packages)
ENVIRONMENTS = {
    "base": ("", ["numpy", "pyarrow"]),
    "tapeworks": ("", ["numpy", "pyarrow"]),
    "phasor": ("3.12", ["phasor-trader==0.1.0", "pandas", "pyarrow"]),
    "vectorbt": ("3.12", ["vectorbt==1.2.0", "vectorbt-rust==1.2.0", "pyarrow"]),
    "ml4t": ("3.12", ["ml4t-backtest==0.2.0", "pandas", "pyarrow", "polars"]),
    "backtrader": ("3.11", ["backtrader==1.9.78.123", "pandas", "pyarrow"]),
    "bt": ("3.12", ["bt==1.4.1", "pandas", "pyarrow"]),
    "zipline": ("3.11", ["zipline-reloaded==3.2.1", "pyarrow"]),
    "backtesting": ("3.12", ["backtesting==0.6.6", "pyarrow"]),
    "raptorbt": ("3.11", ["raptorbt==0.13.4", "pandas", "pyarrow"]),
    "openquanter": ("3.11", ["openquanter==2.0.1", "numpy", "pyarrow"]),
    "lumibot": ("3.12", ["lumibot==4.6.30", "pyarrow"]),
}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def python_named(version):
    """The interpreter asked for, else the one that runs this script."""
    found = shutil.which(f"python{version}") if version else None
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
        found = None  # a launcher without the version behind it
    return found or sys.executable


def environment(folder, name):
    """Path of the environment's interpreter; made on first use."""
    place = os.path.join(folder, "venvs", name)
    python = os.path.join(place, "bin", "python")
    stamp = os.path.join(place, "packages.json")
    version, packages = ENVIRONMENTS[name]
    wanted = json.dumps(packages)
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == wanted:
                return python
    say(f"environment {name}: {', '.join(packages)}")
    subprocess.run([python_named(version), "-m", "venv", "--clear", place], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True)
    with open(stamp, "w") as file:
        file.write(wanted)
    return python


def install_tapeworks(python):
    """Build our wheel and install it into the environment of this interpreter."""
    subprocess.run(["make", "--silent", "wheel"], cwd=ROOT, check=True, stdout=sys.stderr)
    wheels = glob.glob(os.path.join(ROOT, "target", "wheels", "*.whl"))
    options = ["--force-reinstall", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *options, *wheels], check=True)
