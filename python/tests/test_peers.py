"""Our fills and trades equal the frozen records of the peers; `make parity` runs them live."""

import importlib
import pathlib
import sys

import pytest

pytest.importorskip("pyarrow")
ORACLES = pathlib.Path(__file__).parents[2] / "oracles"
sys.path.insert(0, str(ORACLES))
check_goldens = importlib.import_module("check_goldens")


@pytest.mark.parametrize("name", check_goldens.names())
def test_fills_and_trades_when_peer_is_frozen_then_equal(name):
    found = check_goldens.cell(name)
    assert found["differing"] == 0, found["first"]
    assert found["cases"] > 10
