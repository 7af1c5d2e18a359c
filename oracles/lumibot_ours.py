"""Runs the strategies of lumibot_cases through tapeworks.compat.lumibot, imports changed.

`python oracles/lumibot_ours.py [NAME ...]` prints what differs from golden.json and CPU seconds.
"""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lumibot_cases"))

import cases  # noqa: E402
import market  # noqa: E402
from tapeworks.compat.lumibot import Asset, Data, PandasDataBacktesting  # noqa: E402

GOLDEN = os.path.join(HERE, "lumibot_cases", "golden.json")
STEP_NS = 60 * 10**9


def golden():
    with open(GOLDEN) as file:
        return json.load(file)


def run(name, **terms):
    """What a strategy did, in the form of the golden, and the CPU seconds of the run alone."""
    case = cases.Case(name, "tapeworks.compat.lumibot")
    kind = {"asset_type": "cont_future", "multiplier": 5} if case.is_future else {}
    data = {}
    for symbol, frame in case.frames.items():
        data[Asset(symbol, **kind)] = Data(Asset(symbol, **kind), frame, timestep="minute")
    began = time.process_time()
    result, ran = case.strategy.run_backtest(
        PandasDataBacktesting,
        case.start,
        case.end,
        pandas_data=data,
        minutes_before_closing=1,
        budget=case.budget,
        parameters=case.parameters,
        buy_trading_fees=case.fees,
        sell_trading_fees=case.fees,
        progress=False,
        **terms,
    )
    seconds = time.process_time() - began
    found = {
        "bars": market.digest(case.frames),
        "n_iterations": ran._driver.n_iterations,
        "counts": {k: v for k, v in ran.vars.all().items() if k.startswith("n_")},
        "fills": fills_of(result),
    }
    return found, seconds, result


def fills_of(result):
    """Rows of the golden: when the bar of the fill began, symbol, signed units, price, fee."""
    table = result.fills
    names = ("symbol", "side", "quantity", "price", "commission")
    columns = [table.to_numpy(name).tolist() for name in names]
    stamps = table.to_numpy("timestamp").astype("int64").tolist()
    rows = []
    for stamp, symbol, side, quantity, price, fee in zip(stamps, *columns, strict=True):
        when = cases.pd.Timestamp(stamp - STEP_NS, tz="UTC").tz_convert(market.ZONE)
        signed = quantity if side == "buy" else -quantity
        rows.append([when.strftime(cases.TIME), symbol, signed, price, fee])
    return rows


def main(arguments):
    frozen = golden()
    for name in arguments or cases.NAMES:
        for last_price in ("next_open", "close"):
            found, seconds, _ = run(name, last_price=last_price)
            wanted = frozen[name]
            same = sum(a == b for a, b in zip(found["fills"], wanted["fills"], strict=False))
            print(
                f"{name:18} {last_price:10} {found['n_iterations']:5} of "
                f"{wanted['n_iterations']:5} iterations, {same:4} of {len(wanted['fills']):4} "
                f"fills equal, {len(found['fills']):4} of ours {seconds:6.3f} CPU s"
            )
            if same < len(wanted["fills"]) and last_price == "next_open":
                pairs = zip(found["fills"], wanted["fills"], strict=False)
                print("   first:", next((pair for pair in pairs if pair[0] != pair[1]), None))
                print("   counts:", found["counts"], wanted["counts"])


if __name__ == "__main__":
    main(sys.argv[1:])
