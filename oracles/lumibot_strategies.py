"""Runs the strategies of lumibot_cases under Lumibot itself and freezes what they did.

`python oracles/lumibot_strategies.py [NAME ...]` in an environment with lumibot==4.6.30 writes
lumibot_cases/golden.json; `--time` writes nothing and prints CPU seconds of each run.
"""

import json
import os
import sys
import time

os.environ["BACKTESTING_QUIET_LOGS"] = "true"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lumibot_cases"))

import cases  # noqa: E402
import market  # noqa: E402
from lumibot.backtesting import PandasDataBacktesting  # noqa: E402
from lumibot.entities import Asset, Data  # noqa: E402

GOLDEN = os.path.join(HERE, "lumibot_cases", "golden.json")
SHORT = (",", ":")
QUIET = {
    "benchmark_asset": None,
    "risk_free_rate": 0.0,
    "analyze_backtest": False,
    "show_plot": False,
    "show_tearsheet": False,
    "save_tearsheet": False,
    "show_indicators": False,
    "save_logfile": False,
    "show_progress_bar": False,
    "quiet_logs": True,
}


def watched(strategy):
    """The strategy with its fills and iterations written down."""

    class Watched(strategy):
        def initialize(self, **parameters):
            self.seen = []
            self.n_iterations = 0
            wanted = strategy.initialize.__code__.co_varnames
            super().initialize(**{k: v for k, v in self.parameters.items() if k in wanted})

        def on_trading_iteration(self):
            self.n_iterations += 1
            super().on_trading_iteration()

        def on_filled_order(self, position, order, price, quantity, multiplier):
            size = float(quantity) if order.is_buy_order() else -float(quantity)
            when = self.get_datetime().strftime(cases.TIME)
            fee = float(order.trade_cost or 0.0)
            self.seen.append([when, order.asset.symbol, size, float(price), fee])
            super().on_filled_order(position, order, price, quantity, multiplier)

    return Watched


def asset_of(case, symbol):
    kind = {"asset_type": "cont_future", "multiplier": 5} if case.is_future else {}
    return Asset(symbol, **kind)


def run(name):
    case = cases.Case(name)
    data = {}
    for symbol, frame in case.frames.items():
        asset = asset_of(case, symbol)
        data[asset] = Data(asset, frame, timestep="minute")
    began = time.process_time()
    _, ran = watched(case.strategy).run_backtest(
        PandasDataBacktesting,
        case.start.to_pydatetime(),
        case.end.to_pydatetime(),
        minutes_before_closing=1,
        pandas_data=data,
        budget=case.budget,
        parameters=case.parameters,
        buy_trading_fees=case.fees,
        sell_trading_fees=case.fees,
        **QUIET,
    )
    seconds = time.process_time() - began
    found = {
        "bars": market.digest(case.frames),
        "n_iterations": ran.n_iterations,
        "cash": float(ran.cash),
        "portfolio_value": float(ran.portfolio_value),
        "counts": {k: v for k, v in ran.vars.all().items() if k.startswith("n_")},
        "fills": ran.seen,
    }
    return found, seconds


def main(arguments):
    names = [name for name in arguments if not name.startswith("--")] or cases.NAMES
    results = {}
    for name in names:
        results[name], seconds = run(name)
        fills = len(results[name]["fills"])
        print(f"{name:18} {results[name]['n_iterations']:5} {fills:5} fills {seconds:7.2f} CPU s")
    if "--time" in arguments:
        return
    with open(GOLDEN, "w") as file:
        texts = {name: json.dumps(found, separators=SHORT) for name, found in results.items()}
        lines = [f'"{name}": {text}' for name, text in texts.items()]
        file.write('{"version": "lumibot 4.6.30",\n' + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
