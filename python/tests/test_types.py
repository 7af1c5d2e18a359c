"""Stubs, package, examples and a user's typed code pass the type checkers.

mypy and stubtest run here; pyright, which needs Node, is run by `make types`.
"""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import tapeworks as tw

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "python").glob("*.py"))
CASES = Path(__file__).with_name("typing_cases.py")
# What stubtest reports although it is meant: names that exist for type checkers only, and calls
# that compat refuses, which are made from a table.
ALLOWED = ("tapeworks._native.__all__", "tapeworks._handover.pd", r"tapeworks\.compat\..*")

needs_mypy = pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="skipped: mypy is not installed"
)


def check(*arguments: str | Path, cwd: Path) -> None:
    """One checker as a process of its own; what it says is the failure."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """What mypy remembers between runs, beside the build where there is one."""
    built = ROOT / "target"
    return built / "mypy" if built.is_dir() else tmp_path_factory.mktemp("mypy")


@needs_mypy
def test_package_examples_and_user_code_when_mypy_is_strict_then_no_error(cache, tmp_path):
    assert len(EXAMPLES) >= 4
    options = ("--strict", "--cache-dir", cache, "--python-version", "3.10")
    check("mypy", *options, "-p", "tapeworks", cwd=tmp_path)
    check("mypy", *options, *EXAMPLES, CASES, cwd=tmp_path)


@needs_mypy
def test_user_code_when_no_frame_library_is_installed_then_no_error(cache, tmp_path):
    """In an environment that has numpy and this package, and nothing else."""
    venv.create(tmp_path / "bare")
    (packages,) = (tmp_path / "bare").glob("[Ll]ib/**/site-packages")
    for package in ("numpy", "tapeworks"):
        spec = importlib.util.find_spec(package)
        (packages / package).symlink_to(Path(spec.origin).parent)
    (python,) = (tmp_path / "bare").glob("*/python")
    options = ("--strict", "--cache-dir", cache / "bare", "--python-executable", python)
    check("mypy", *options, CASES, cwd=tmp_path)


@needs_mypy
def test_stubs_when_stubtest_compares_them_then_they_are_the_objects(tmp_path):
    allowed = tmp_path / "allowed.txt"
    allowed.write_text("\n".join(ALLOWED))
    # Signatures are compared, so the stubs of other libraries need not be read.
    config = tmp_path / "mypy.ini"
    skipped = ("pandas", "polars", "pyarrow")
    config.write_text(
        "[mypy]\n" + "".join(f"[mypy-{name}.*]\nfollow_imports = skip\n" for name in skipped)
    )
    options = ("--concise", "--ignore-disjoint-bases", "--allowlist", allowed)
    check("mypy.stubtest", "tapeworks", *options, "--mypy-config-file", config, cwd=tmp_path)


# More than two positional arguments: the API names them so.
POSITIONAL = {
    "Order.buy": 6, "Order.sell": 6, "Strategy.buy": 6, "Strategy.sell": 6, "sma_cross": 3,
    "Strategy.calculate_position_size": 3, "Strategy.history": 3, "Bars.slice": 3,
    # Called by the engine.
    "Strategy.on_timestamp_batch": 3, "Strategy.on_rescale": 3,
}  # fmt: skip


def public_calls():
    for name, thing in vars(tw._native).items():
        if name.startswith("_") or not callable(thing):
            continue
        yield name, thing
        for member, value in vars(thing).items() if inspect.isclass(thing) else ():
            if not member.startswith("_") and callable(getattr(thing, member)):
                yield f"{name}.{member}", getattr(thing, member)


def test_calls_when_they_have_options_then_keyword_only_after_two():
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = {}
    for name, call in public_calls():
        try:
            parameters = inspect.signature(call).parameters.values()
        except ValueError:  # exceptions
            continue
        n = sum(p.kind in kinds and p.name != "self" for p in parameters)
        if n > 2:
            found[name] = n
    assert found == POSITIONAL
