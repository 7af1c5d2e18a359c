"""Strategies that run under Lumibot run here with changed imports, and trade as they did there.

The golden is what Lumibot 4.6.30 did (`oracles/lumibot_strategies.py`); it shows strategies the
open at which they are filled, so runs that are compared with it ask for `last_price="next_open"`.
"""

import importlib
import pathlib
import sys

import pytest

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
ORACLES = pathlib.Path(__file__).parents[2] / "oracles"
sys.path.insert(0, str(ORACLES))
lumibot_ours = importlib.import_module("lumibot_ours")
lumibot_native = importlib.import_module("lumibot_native")
cases = importlib.import_module("cases")
market = importlib.import_module("market")
GOLDEN = lumibot_ours.golden()

# Lumibot reports a filled parent as cancelled when open orders are cancelled while its children
# wait: once in this run.
ALSO_CANCELED = {"intraday_bracket": {"n_canceled": 1}}

# It tells of this fill with the clock at the close already; its price is the open of 15:50.
TOLD_LATE = {"2024-01-08 16:00": "2024-01-08 15:50"}


def assert_same_fills(found, wanted):
    """Equal to the bit, but for fees, which Lumibot computes in decimals."""
    wanted = [[TOLD_LATE.get(fill[0], fill[0]), *fill[1:]] for fill in wanted]
    assert [fill[:4] for fill in found] == [fill[:4] for fill in wanted]
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine[4] == pytest.approx(theirs[4], abs=1e-9)


@pytest.mark.parametrize("name", [*cases.SHARES, *cases.FUTURES])
def test_fills_when_strategy_is_lumibots_then_equal_to_its_own(name):
    wanted = GOLDEN[name]
    found, _, _ = lumibot_ours.run(name, last_price="next_open")
    assert found["bars"] == wanted["bars"], "other bars than those of the golden"
    assert len(wanted["fills"]) >= 1
    assert found["n_iterations"] == wanted["n_iterations"]
    assert_same_fills(found["fills"], wanted["fills"])
    more = ALSO_CANCELED.get(name, {})
    assert {k: v + more.get(k, 0) for k, v in found["counts"].items()} == wanted["counts"]


@pytest.mark.parametrize("name", ["momentum_gapless", "sma_cross", "drift_rebalance"])
def test_fills_when_last_price_is_the_close_then_equal_where_prices_do_not_jump(name):
    """Without gaps the close is the next open; the others decide on bars and whole units."""
    found, _, _ = lumibot_ours.run(name)
    assert_same_fills(found["fills"], GOLDEN[name]["fills"])


def test_fills_when_last_price_is_the_close_then_decided_without_the_open_of_the_fill():
    """swing_high compares last prices: replayed by hand on closes, it sends what ours fills."""
    found, _, _ = lumibot_ours.run("swing_high")
    frame = market.shares()["SPY"]
    frame = frame.iloc[frame.index.get_loc(cases.START) - 1 :]
    closes, opens = frame["close"].tolist(), frame["open"].tolist()
    times = frame.index.tolist()
    prices, entry, held, wanted = [], None, 0, []
    # A decision at the start of row i knows row i - 1 and fills at the open of row i. The row of
    # the day before is known at 09:30; the last decision is at 15:59, with all sold.
    for i in range(1, len(times)):
        if times[i].hour == 16 or times[i] < cases.START:
            continue
        prices.append(closes[i - 1])
        sent = 0
        if not held:
            if len(prices) > 2 and prices[-1] > prices[-2] > prices[-3] and times[i].hour < 15:
                sent, entry = 50, opens[i]
        elif closes[i - 1] >= entry * 1.003 or closes[i - 1] <= entry * 0.998:
            sent, prices = -held, []
        if times[i].hour == 15 and times[i].minute == 59 and held and not sent:
            sent = -held
        if sent:
            held += sent
            wanted.append([times[i].strftime(cases.TIME), "SPY", float(sent), opens[i], 0.0])
    assert len(wanted) > 50
    assert found["fills"] == wanted


def test_buy_and_hold_when_sleeptime_is_a_day_then_once_a_session():
    """Lumibot takes "1D" for daily data, walks minutes one by one and begins two rows late."""
    wanted = GOLDEN["buy_and_hold_1D"]
    found, _, _ = lumibot_ours.run("buy_and_hold_1D", last_price="next_open")
    assert (wanted["n_iterations"], found["n_iterations"]) == (1949, 5)
    assert wanted["fills"][0][0] == "2024-01-03 09:32"
    first = market.shares()["QQQ"].loc[cases.START]
    units = float(100_000 // first["open"])
    fill = ["2024-01-03 09:30", "QQQ", units, first["open"], 0.0]
    assert found["fills"] == [fill]


def test_fill_when_lumibot_tells_late_then_its_price_is_that_of_the_earlier_row():
    opens = market.shares()["GLD"]["open"]
    ((told, real),) = TOLD_LATE.items()
    (fill,) = [fill for fill in GOLDEN["intraday_bracket"]["fills"] if fill[0] == told]
    assert fill[3] == opens[real] != opens[told]


def test_momentum_when_native_then_the_same_fills():
    result, _ = lumibot_native.run()
    assert_same_fills(lumibot_ours.fills_of(result), GOLDEN["momentum_gapless"]["fills"])


def test_equity_when_run_ends_then_that_of_lumibot():
    wanted = GOLDEN["momentum"]
    _, _, result = lumibot_ours.run("momentum", last_price="next_open")
    assert sum(fill[2] for fill in wanted["fills"]) == 0, "flat at the end"
    equity = result.portfolio.to_numpy("equity")[-1]
    assert equity == pytest.approx(wanted["portfolio_value"], abs=1e-6)


@pytest.mark.parametrize("name", ["swing_high", "sma_cross", "intraday_bracket"])
def test_fills_when_the_future_is_replaced_then_those_before_stay(name, monkeypatch):
    """Prices of the afternoon of the fourth day are turned upside down."""
    cut = cases.pd.Timestamp("2024-01-08 12:00", tz=market.ZONE)
    before, _, _ = lumibot_ours.run(name)

    def other():
        frames = {}
        for symbol, frame in whole().items():
            frame = frame.copy()
            later = frame.index >= cut
            middle = 2.0 * frame.loc[later, "open"].iloc[0]
            mirrored = middle - frame.loc[later, ["open", "low", "high", "close"]]
            frame.loc[later, ["open", "high", "low", "close"]] = mirrored.to_numpy().round(2)
            frames[symbol] = frame
        return frames

    whole = market.shares
    monkeypatch.setattr(market, "shares", other)
    after, _, _ = lumibot_ours.run(name)
    until = cut.strftime(cases.TIME)
    assert [f for f in before["fills"] if f[0] < until] == [
        f for f in after["fills"] if f[0] < until
    ]
    assert before["fills"] != after["fills"]
