"""Runs strategies that were made with a broker."""

from __future__ import annotations

from typing import Any

from tapeworks._native import Result
from tapeworks.compat.lumibot._refuse import config_error
from tapeworks.compat.lumibot._run import Terms, run
from tapeworks.compat.lumibot.strategies.strategy import Strategy


class Trader:
    """Holds strategies and runs each on its own account."""

    def __init__(self, logfile: str = "", backtest: bool = True, **keywords: Any) -> None:
        self.strategies: list[Strategy] = []

    def add_strategy(self, strategy: Strategy) -> None:
        """Adds a strategy that was made with `broker=BacktestingBroker(data_source)`."""
        self.strategies.append(strategy)

    def run_all(self, **keywords: Any) -> dict[str, Result]:
        """Runs all strategies one after the other; results by name."""
        found = {}
        for strategy in self.strategies:
            source = getattr(strategy.broker, "data_source", None)
            if source is None:
                raise config_error(
                    "C498",
                    f"strategy {strategy.name} has no data",
                    "make it with broker=BacktestingBroker(PandasDataBacktesting(...)); live "
                    "brokers are not served",
                )
            start = strategy.backtesting_start or getattr(source, "datetime_start", None)
            end = strategy.backtesting_end or getattr(source, "datetime_end", None)
            strategy.result = run(strategy, Terms.read(source, start, end, {}))
            found[strategy.name] = strategy.result
        return found

    run_all_async = run_all
