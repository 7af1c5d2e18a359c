"""docs/semantics.md: its pictures show the engine's fills, its tables the words of the code."""

import importlib.util
import sys
from pathlib import Path

import polars as pl
import pytest

import tapeworks as tw

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "images" / "semantics" / "make.py"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


PICTURES = load(SCRIPT)
PANELS = [(f"{name} {idx}", panel) for name, idx, panel in PICTURES.panels()]
DAY = pl.datetime(2024, 1, 2, time_zone="UTC", time_unit="ns")


class Script(tw.Strategy):
    """What a panel says its strategy does, row by row."""

    def on_start(self):
        self.row = 0
        self.ids = []

    def on_market_data(self, event):
        for row, method, arguments in self.params["acts"]:
            if row != self.row:
                continue
            if method in ("oco", "after"):
                orders = [getattr(tw.Order, way)("A", **of) for way, of in arguments["orders"]]
                if method == "oco":
                    self.oco(orders)
                else:
                    self.after(self.ids[arguments["parent"]], orders)
            else:
                self.ids.append(getattr(self, method)("A", **arguments))
        self.row += 1


def bars(panel):
    rows = panel.rows
    volumes = panel.volumes or [1_000_000] * len(rows)
    prices = {name: [float(row[k]) for row in rows] for k, name in enumerate(["open", "high", "low", "close"])}
    frame = pl.DataFrame({"day": range(len(rows)), "symbol": ["A"] * len(rows), **prices, "volume": volumes})
    timestamp = (DAY + pl.duration(days=pl.col("day"))).alias("timestamp")
    return frame.select(timestamp, pl.exclude("day"))


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=[name for name, _ in PANELS])
def test_panel_when_run_then_its_fills(name, panel):
    terms = dict(panel.terms)
    participation = terms.pop("participation", None)
    result = tw.run(
        tw.DataFeed(bars(panel)),
        Script(acts=panel.acts),
        cash=1_000_000,
        participation=participation,
        rules=[getattr(tw, rule)(x) for rule, x in panel.rules] or None,
        semantics={"base": "realistic", **terms},
        progress=False,
    )
    fills = result.fills.to_polars()
    first = bars(panel)["timestamp"][0]
    got = [
        ((row["timestamp"] - first).days, row["quantity"] * (1 if row["side"] == "buy" else -1), row["price"])
        for row in fills.iter_rows(named=True)
    ]
    assert got == [(row, units, pytest.approx(price, rel=1e-12)) for row, units, price in panel.fills()]


def test_pictures_when_drawn_then_as_committed():
    for name, (title, build) in PICTURES.CHARTS.items():
        assert (SCRIPT.parent / f"{name}.svg").read_text() == PICTURES.chart(title, build())
    for name, build in PICTURES.DRAWINGS.items():
        assert (SCRIPT.parent / f"{name}.svg").read_text() == build()


def test_tables_when_made_from_the_code_then_as_committed():
    tables = load(DOCS / "semantics_tables.py")
    page = tables.PAGE.read_text()
    assert tables.filled(page) == page
