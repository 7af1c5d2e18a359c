"""Every example in a docstring runs: of objects, of stubs, of modules, of the pages."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import tapeworks as tw
from tapeworks import _native

PACKAGE = Path(tw.__file__).parent
MODULES = ["tapeworks", *(f"tapeworks.{path.stem}" for path in sorted(PACKAGE.glob("[!_]*.py")))]
# Objects whose use is not told by their name.
SHOWN = (
    "Account", "Batch", "Calendar", "CheckReport", "Columns", "Commission", "DataFeed",
    "DataPreparer", "Impact", "Instrument", "Limit", "MarketEvent", "Order", "Participation",
    "PositionRule", "Result", "Slippage", "Strategy", "Table", "entries_exits", "load", "orders",
    "run", "targets", "top_n",
)  # fmt: skip


def of_objects() -> dict[str, str]:
    """Docstrings of the engine's classes, methods and functions by dotted name."""
    docs = {}
    for name, thing in vars(_native).items():
        if name.startswith("_") or not callable(thing):
            continue
        docs[name] = thing.__doc__ or ""
        members = vars(thing).items() if inspect.isclass(thing) else ()
        plain = {m: v for m, v in members if not m.startswith("_") and not isinstance(v, int)}
        docs |= {f"{name}.{m}": v.__doc__ or "" for m, v in plain.items()}
    return docs


def of_stubs() -> dict[str, str]:
    """Docstrings of the stub file by dotted name."""
    docs = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for item in ast.iter_child_nodes(node):
            if isinstance(item, (ast.ClassDef, ast.FunctionDef)):
                docs[prefix + item.name] = ast.get_docstring(item) or docs.get(item.name, "")
                walk(item, f"{prefix}{item.name}.")

    walk(ast.parse((PACKAGE / "_native.pyi").read_text()), "")
    return docs


def examples(doc: str) -> list[tuple[str, str]]:
    return [(found.source, found.want) for found in doctest.DocTestParser().get_examples(doc)]


def run(doc: str, name: str) -> None:
    test = doctest.DocTestParser().get_doctest(doc, {}, name, name, 0)
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)


OBJECTS, STUBS = of_objects(), of_stubs()


@pytest.mark.parametrize("name", [name for name, doc in OBJECTS.items() if ">>>" in doc])
def test_example_when_it_is_the_object_s_then_it_runs(name):
    run(OBJECTS[name], name)


@pytest.mark.parametrize("name", MODULES)
def test_example_when_it_is_a_module_s_then_it_runs(name):
    for test in doctest.DocTestFinder().find(importlib.import_module(name), name):
        if test.examples and test.name not in OBJECTS:
            failures: list[str] = []
            doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
            assert not failures, "".join(failures)


def test_examples_when_stubs_and_objects_are_compared_then_equal():
    """So those of the stubs run as well; an editor and `help` show the same."""
    of_stub = {name: found for name, doc in STUBS.items() if (found := examples(doc))}
    of_object = {name: found for name, doc in OBJECTS.items() if (found := examples(doc))}
    assert of_stub == of_object


def test_examples_when_listed_then_the_main_objects_have_one():
    assert [name for name in SHOWN if ">>>" not in OBJECTS[name]] == []


@pytest.mark.parametrize("name", ["README.md", "docs/handover.md", "docs/preparing.md"])
def test_page_when_it_has_prompts_then_they_run(name):
    page = Path(__file__).parents[2] / name
    if not page.exists():
        pytest.skip("skipped: the pages are not beside the tests")
    run(page.read_text(), name)
