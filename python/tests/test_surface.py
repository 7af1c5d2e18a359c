"""The names are the contract: what there is, what its stubs say, what importing it costs."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tapeworks as tw
from tapeworks import _native

STUB = Path(tw.__file__).with_name("_native.pyi")
# Keywords that swallow unknown arguments in order to name the nearest known one.
CATCH_ALL = {"unknown", "others"}


def stub_nodes():
    tree = ast.parse(STUB.read_text())
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_")
    }


def test_import_when_fresh_then_loads_no_frame_library():
    code = (
        "import sys, tapeworks;"
        "print([m for m in ('numpy', 'pandas', 'polars', 'pyarrow') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_simple_run_when_no_array_is_asked_then_numpy_stays_out():
    code = (
        "import sys, tapeworks as tw;"
        "r = tw.run(tw.sample('daily'), tw.rules.sma_cross(20, 50, quantity=10));"
        "repr(r), r.metrics, repr(r.trades);"
        "print('numpy' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_stubs_when_compared_then_every_public_name_is_there():
    names = {name for name in vars(_native) if not name.startswith("_")}
    assert names == set(stub_nodes())


def test_package_when_listed_then_all_names_exist():
    assert sorted(tw.__all__) == tw.__all__
    for name in tw.__all__:
        assert hasattr(tw, name), name
    public = {name for name in vars(_native) if not name.startswith("_")}
    inner = {"EventIterator", "BatchIterator", "command_line"} | set(tw.rules.__all__) | set(tw.limits.__all__)
    assert public - inner <= set(tw.__all__)


@pytest.mark.parametrize("name", sorted(stub_nodes()))
def test_stubs_when_a_name_is_compared_then_members_and_arguments_agree(name):
    node, thing = stub_nodes()[name], getattr(_native, name)
    if isinstance(node, ast.FunctionDef):
        assert_same_arguments(node, thing, has_self=False)
        return
    if issubclass(thing, Exception):
        return
    members = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    attributes = {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
    public = {member for member in vars(thing) if not member.startswith("_")}
    assert public == {m for m in members if not m.startswith("_")} | attributes
    for member, definition in members.items():
        assert hasattr(thing, member), member
        if member in ("__init__", "__new__"):
            assert_same_arguments(definition, thing, has_self=True)
        elif not member.startswith("__") and not is_property(definition):
            is_static = any(
                getattr(d, "id", "") == "staticmethod" for d in definition.decorator_list
            )
            assert_same_arguments(definition, getattr(thing, member), has_self=not is_static)


def is_property(definition: ast.FunctionDef) -> bool:
    return any(getattr(d, "id", "") == "property" for d in definition.decorator_list)


def assert_same_arguments(definition: ast.FunctionDef, thing, has_self: bool) -> None:
    arguments = definition.args
    wanted = [a.arg for a in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
    wanted = wanted[1:] if has_self else wanted
    signature = inspect.signature(thing)
    found = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.name != "self"
        and parameter.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    ]
    assert found == wanted, definition.name
    keyword_only = {a.arg for a in arguments.kwonlyargs}
    for parameter in signature.parameters.values():
        if parameter.name in wanted:
            is_keyword = parameter.kind is inspect.Parameter.KEYWORD_ONLY
            assert is_keyword == (parameter.name in keyword_only), parameter.name
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            assert parameter.name in CATCH_ALL | {"params", "numbers"}


def test_docs_when_public_then_every_object_has_one():
    for name in set(tw.__all__) - {"__version__"}:
        assert getattr(tw, name).__doc__, name
    for cls in (tw.Strategy, tw.DataFeed, tw.Result, tw.Table, tw.Batch, tw.MarketEvent):
        for member, value in vars(cls).items():
            if not member.startswith("_") and member != "history_rows":
                assert value.__doc__, f"{cls.__name__}.{member}"


def test_reprs_when_printed_then_one_screen_of_80_columns():
    feed = tw.sample("daily")
    result = tw.run(feed, tw.rules.top_n("score", 2, rebalance="5d"), cash=100_000)
    batch = next(iter(feed.iter_batches()))
    for thing in (feed, result, result.trades, result.portfolio, feed.check(), batch):
        text = repr(thing)
        assert max(map(len, text.splitlines())) <= 100 if thing is feed else True
        assert len(text.splitlines()) <= 40
    for thing in (feed, result, result.trades, result.orders):
        assert max(map(len, repr(thing).splitlines())) <= 80


def test_html_when_symbol_is_markup_then_escaped(tiny):
    import polars as pl

    hostile = tiny.with_columns(
        pl.when(pl.col("symbol") == "A")
        .then(pl.lit("<script>x</script>"))
        .otherwise("symbol")
        .alias("symbol")
    )
    result = tw.run(tw.DataFeed(hostile), tw.rules.buy_and_hold())
    html = result.fills._repr_html_() + result._repr_html_()
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html
    assert len(html) < 100_000
