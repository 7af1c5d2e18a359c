"""The table of known defects in docs/semantics.md: absent by default, brought back by its knob.

Each row is a hand-made run: what `realistic` fills, and what the semantics fill that the table
names. Rows of prices are open, high, low, close.
"""

import datetime as dt
import math

import polars as pl
import pytest

import tapeworks as tw

FLAT = (100, 101, 99, 100)
MARGIN = {"account": tw.Account.margin(margin_call="ignore")}


class Script(tw.Strategy):
    """Calls `method` with its arguments at the close of a row."""

    def on_start(self):
        self.row = 0

    def on_market_data(self, event):
        for row, method, arguments in self.params["acts"]:
            if row == self.row:
                getattr(self, method)("A", **arguments)
        self.row += 1


def play(rows, acts, semantics, **terms):
    start = dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)
    bars = pl.DataFrame(
        {
            "timestamp": pl.Series([start + dt.timedelta(days=k) for k in range(len(rows))]).cast(pl.Datetime("ns", "UTC")),
            "symbol": ["A"] * len(rows),
            **{name: [float(row[k]) for row in rows] for k, name in enumerate(["open", "high", "low", "close"])},
            "volume": [1e6] * len(rows),
            "atr": [2.0] * len(rows),
        }
    )
    feed = tw.DataFeed(bars, indicator_columns=["atr"])
    terms = {"cash": 1_000_000.0, "progress": False, **terms}
    result = tw.run(feed, Script(acts=acts), semantics=semantics, **terms)
    fills = result.fills.to_polars().iter_rows(named=True)
    sign = {"buy": 1, "sell": -1}
    return result, [((f["timestamp"] - start).days, sign[f["side"]] * f["quantity"], f["price"]) for f in fills]


def buy(quantity=10, **terms):
    return (0, "buy", {"quantity": quantity, **terms})


OUT = (1, "close_position", {})
STOPPED = (100, 101, 94, 99)

# name, rows, acts, terms of both runs, fills of `realistic`, semantics, their fills
CASES = [
    (
        "D1 close rule at the earlier open",
        [FLAT, (101, 102, 100, 101), (102, 103, 101, 102), (103, 104, 97, 98), (98, 99, 97, 98)],
        [buy()],
        {"rules": [tw.TimeExit(2)]},
        [(1, 10, 101), (4, -10, 98)],
        "ml4t_default",
        [(1, 10, 101), (3, -10, 103)],
    ),
    (
        "D2 tested against the row of its decision",
        [(100, 101, 95, 100), FLAT],
        [buy(limit=96)],
        {},
        [],
        "ml4t_fast",
        [(0, 10, 96)],
    ),
    (
        "D3 children before their parent",
        [FLAT, (100, 102, 99, 101)],
        [buy(limit=90, stop_loss=85, take_profit=101)],
        MARGIN,
        [],
        "ml4t_default",
        [(1, -10, 101)],
    ),
    (
        "D4 exits survive their position",
        [FLAT, FLAT, (101, 102, 100, 101), (101, 102, 94, 95)],
        [buy(take_profit=105, stop_loss=95), OUT],
        MARGIN,
        [(1, 10, 100), (2, -10, 101)],
        "ml4t_default",
        [(1, 10, 100), (2, -10, 101), (3, -10, 95)],
    ),
    (
        "D5 two exits flip a position",
        [FLAT, FLAT, (100, 101, 94, 96), (96, 97, 95, 96)],
        [buy(), OUT],
        {"rules": [tw.StopLoss(0.05)], **MARGIN},
        [(1, 10, 100), (2, -10, 100)],
        "ml4t_default",
        [(1, 10, 100), (2, -10, 100), (2, -10, 95)],
    ),
    (
        "D6 slippage keeps a limit from filling",
        [FLAT, (100, 101, 97, 98)],
        [buy(limit=98)],
        {"slippage": tw.Slippage.percent(10)},
        [(1, 10, 98)],
        "ml4t_default",
        [],
    ),
    (
        "D7 no improvement at a gap",
        [FLAT, (96.5, 98.5, 96, 97.5)],
        [buy(limit=98)],
        {},
        [(1, 10, 96.5)],
        "ml4t_default",
        [(1, 10, 98)],
    ),
    (
        "D9 a high before a low",
        [FLAT, (100, 105, 99, 104), (104, 110, 103, 109), (109, 109.5, 106, 107), (107, 108, 103, 104)],
        [buy(), (1, "sell", {"quantity": 10, "trail": 5})],
        {},
        [(1, 10, 100), (4, -10, 105)],
        "ml4t_default",
        [(1, 10, 100), (2, -10, 104)],
    ),
    (
        "D10 a volatility stop above its open",
        [FLAT, FLAT, (94, 95, 92, 93)],
        [buy()],
        {"rules": [tw.VolatilityStop(2, "atr")]},
        [(1, 10, 100), (2, -10, 94)],
        "ml4t_default",
        [(1, 10, 100), (2, -10, 96)],
    ),
    (
        "D11 the target wins a tie",
        [FLAT, FLAT, (100, 112, 93, 101)],
        [buy(stop_loss=95, take_profit=110)],
        {},
        [(1, 10, 100), (2, -10, 95)],
        "lumibot",
        [(1, 10, 100), (2, -10, 110)],
    ),
    (
        "D12 a stop-limit at its limit",
        [FLAT, (101, 104.5, 100.5, 103.5)],
        [buy(stop=103, limit=104)],
        {},
        [(1, 10, 103)],
        "ml4t_default",
        [(1, 10, 104)],
    ),
    (
        "D13 a stop asleep in the entry row",
        [FLAT, STOPPED, (99, 100, 98, 99)],
        [buy()],
        {"rules": [tw.StopLoss(0.05)]},
        [(1, 10, 100), (1, -10, 95)],
        "ml4t_default",
        [(1, 10, 100)],
    ),
    (
        "D16 nobody calls the margin",
        [FLAT, FLAT, (60, 61, 47, 50), (45, 46, 44, 45)],
        [buy(190)],
        {"account": "margin", "cash": 10_000.0},
        [(1, 190, 100), (3, -150, 45)],
        ("realistic", MARGIN),
        [(1, 190, 100)],
    ),
    (
        "D18 tested at a close that has not come",
        [FLAT, (100, 151, 99, 150)],
        [buy(15)],
        {"cash": 1_000.0, **MARGIN},
        [(1, 15, 100)],
        "ml4t_lean",
        [],
    ),
    (
        "D20 filled at an open that is over",
        [(98, 101, 97, 100), FLAT],
        [buy()],
        {},
        [(1, 10, 100)],
        {"base": "lumibot", "fill_at": "this_open"},
        [(0, 10, 98)],
    ),
    (
        "D21 a stop-limit below its open",
        [FLAT, (104, 106, 103.5, 105)],
        [buy(stop=103, limit=105)],
        {},
        [(1, 10, 104)],
        "backtesting_py",
        [(1, 10, 103)],
    ),
    (
        "D22 a stop asleep after a limit entry",
        [FLAT, (100, 101, 95, 97), (95.5, 97, 95, 96)],
        [buy(limit=98, stop_loss=96)],
        {},
        [(1, 10, 98), (1, -10, 96)],
        "backtesting_py",
        [(1, 10, 98), (2, -10, 95.5)],
    ),
    (
        "D23 nobody asks for cash, closes alone",
        [FLAT, (100, 103, 99, 102)],
        [buy(1_000)],
        {"cash": 1_000.0, **MARGIN},
        [],
        "zipline",
        [(1, 1_000, 102)],
    ),
    (
        "D24 a trail from the extreme of its entry row",
        [(100, 110, 99, 100), (100, 101, 99, 100)],
        [buy()],
        {"rules": [tw.TrailingStop(0.05)]},
        [(1, 10, 100)],
        "vectorbt_ml4t",
        [(0, 10, 100), (1, -10, 100)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_defect_when_run_by_default_then_absent_and_with_its_semantics_then_there(case):
    _, rows, acts, terms, expected, semantics, theirs = case
    _, got = play(rows, acts, "realistic", **terms)
    assert got == expected
    name, more = semantics if isinstance(semantics, tuple) else (semantics, {})
    _, got = play(rows, acts, name, **{**terms, **more})
    assert got == theirs


def test_defect_d8_when_a_setting_is_unknown_then_refused():
    with pytest.raises(tw.ConfigError, match="execution_price"):
        play([FLAT], [], {"base": "realistic", "execution_price": "close"})


def test_defect_d14_when_a_contract_has_a_multiplier_then_the_fee_counts_it():
    terms = {"commission": tw.Commission.percent(10), "instrument": tw.Instrument(multiplier=50), **MARGIN}
    fees = [play([FLAT, FLAT], [buy()], name, **terms)[0].fills.to_polars()["commission"].to_list() for name in ("realistic", "backtrader")]
    assert fees == [[50.0], [1.0]]


def test_defect_d15_when_excursions_are_measured_then_extremes_count():
    rows = [FLAT, (101, 105, 98, 102), (102, 103, 100, 101), (101, 102, 100, 101)]
    acts = [buy(), (2, "close_position", {})]
    found = []
    for name in ("realistic", "ml4t_default"):
        trade = play(rows, acts, name)[0].trades.to_polars().row(0, named=True)
        found.append((trade["max_favorable_excursion"], trade["max_adverse_excursion"]))
    # bought 10 at 101, sold at 101: high 105 and low 98 against closes 102 and 101
    assert found == [(40.0, -30.0), (pytest.approx(10.0), pytest.approx(0.0, abs=1e-9))]


def test_defect_d17_when_an_order_is_refused_then_it_takes_no_cash():
    acts = [buy(20), buy(5)]
    result, got = play([FLAT, FLAT], acts, "realistic", cash=1_000.0)
    assert got == [(1, 5, 100)] and len(result.rejections) == 1
    result, got = play([FLAT, FLAT], acts, "backtrader", cash=1_000.0, **MARGIN)
    assert got == [] and len(result.rejections) == 2


def test_defect_d19_when_an_order_cannot_be_paid_then_its_row_says_why():
    rows, acts = [FLAT, FLAT], [buy(20)]
    result, _ = play(rows, acts, "realistic", cash=1_000.0)
    row = result.rejections.to_polars().row(0, named=True)
    assert row["code"] == "insufficient_cash" and math.isclose(row["need"], 2_000.0)
    result, got = play(rows, acts, "ml4t_fast", cash=1_000.0)
    assert got == [] and len(result.rejections) == 0
