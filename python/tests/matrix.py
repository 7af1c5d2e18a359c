"""Tries the wheel with the oldest and the newest libraries on every Python there is.

`make test-matrix` runs it. An environment for each Python and end of the range; in each the tests
of frames, of the surface and of the hand-over shapes run. The last lines are a table.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# The floors of pyproject.toml. A Python that is younger than a floor has no wheel of it, so it
# starts at the first version that was built for it.
OLDEST = {
    "3.10": {"numpy": "1.26.0", "polars": "1.20.0", "pandas": "2.2.0", "pyarrow": "14.0.0"},
    "3.11": {"numpy": "1.26.0", "polars": "1.20.0", "pandas": "2.2.0", "pyarrow": "14.0.0"},
    "3.12": {"numpy": "1.26.0", "polars": "1.20.0", "pandas": "2.2.0", "pyarrow": "14.0.1"},
    "3.13": {"numpy": "2.1.0", "polars": "1.20.0", "pandas": "2.2.3", "pyarrow": "18.0.0"},
}
LIBRARIES = ("numpy", "polars", "pandas", "pyarrow")
FILES = ("test_smoke.py", "test_frames.py", "test_result.py", "test_handover.py")
OTHERS = ("pytest>=8", "hypothesis>=6.100", "duckdb>=1.0")


def python_of(version: str) -> str | None:
    """An interpreter of this version: on the path, or one that pyenv keeps."""
    name = f"python{version}"
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for found in [shutil.which(name), *sorted(kept.glob(f"{version}.*/bin/{name}"))]:
        # A shim of pyenv without a version behind it is found, but does not run.
        if found and run_quietly(found, "-c", ask).stdout.strip() == version:
            return str(found)
    return None


def run_quietly(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def attempt(version: str, age: str, wheel: Path, folder: Path) -> dict[str, str]:
    """Makes one environment and runs the tests in it: versions, and what came of it."""
    home = folder / f"{version}-{age}"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([python_of(version), "-m", "venv", home], check=True)
    pins = [f"{name}=={v}" for name, v in OLDEST[version].items()] if age == "oldest" else LIBRARIES
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    begun = time.monotonic()
    for arguments in ([*pins, *OTHERS], ["--force-reinstall", "--no-deps", wheel]):
        done = run_quietly(*pip, *arguments)
        if done.returncode:
            return {"outcome": "not installed: " + done.stderr.strip().splitlines()[-1][:90]}
    lines = "import importlib.metadata as m\nfor n in %r: print(n, m.version(n))" % (LIBRARIES,)
    versions = run_quietly(python, "-c", lines)
    tests = (TESTS / name for name in FILES)
    done = run_quietly(python, "-m", "pytest", "-p", "no:cacheprovider", *tests)
    (home / "tests.log").write_text(done.stdout + done.stderr)
    last = [line for line in done.stdout.splitlines() if line.strip()][-1:]
    counts = ", ".join(re.findall(r"\d+ (?:passed|failed|skipped|error)", "".join(last)))
    outcome = ("ok: " if done.returncode == 0 else "FAILED: ") + (counts or "".join(last))
    row = dict(line.split() for line in versions.stdout.splitlines())
    return row | {"outcome": f"{outcome}, {time.monotonic() - begun:.0f} s"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--find", nargs="+", metavar="VERSION", help="print the first there is")
    given = parser.parse_args()
    if given.find:
        print(next(filter(None, map(python_of, given.find)), sys.executable))
        return 0
    given.folder.mkdir(parents=True, exist_ok=True)
    (built,) = given.wheels.glob("*.whl")
    # The next build clears its folder; what is tried here stays the same to the end.
    wheel = Path(shutil.copy(built, given.folder)).resolve()
    print(f"{wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB", flush=True)
    table, n_tried = [], 0
    for version in PYTHONS:
        if python_of(version) is None:
            table.append([version, "-", *["-"] * len(LIBRARIES), "absent"])
            continue
        for age in ("oldest", "newest"):
            row = attempt(version, age, wheel, given.folder.resolve())
            n_tried += 1
            table.append([version, age, *(row.get(n, "-") for n in LIBRARIES), row["outcome"]])
            print("  ".join(table[-1]), flush=True)
    head = ["python", "ends", *LIBRARIES, "tests"]
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    print("\n".join("| " + " | ".join(row) + " |" for row in table))
    if n_tried == 0:
        print("no Python of 3.10 to 3.13 was found")
    return int(n_tried == 0 or any(row[-1].startswith(("FAILED", "not")) for row in table))


if __name__ == "__main__":
    sys.exit(main())
