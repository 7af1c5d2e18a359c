"""The base class of strategies, with Lumibot's hooks."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from tapeworks._native import Result
from tapeworks.compat.lumibot._driver import Driver
from tapeworks.compat.lumibot._refuse import REFUSED, config_error, refusal
from tapeworks.compat.lumibot._run import Terms, run
from tapeworks.compat.lumibot._trading import Trading
from tapeworks.compat.lumibot.entities.asset import Asset
from tapeworks.compat.lumibot.entities.order import Order
from tapeworks.compat.lumibot.entities.position import Position
from tapeworks.compat.lumibot.entities.trading_fee import TradingFee

_Own = TypeVar("_Own", bound="Strategy")


class Vars:
    """A strategy's own variables, as attributes."""

    def set(self, name: str, value: Any) -> None:
        """Sets one by name."""
        setattr(self, name, value)

    def get(self, name: str, default: Any = None) -> Any:
        """One by name, `default` when it is not set."""
        return getattr(self, name, default)

    def all(self) -> dict[str, Any]:
        """All by name."""
        return dict(vars(self))


class Strategy(Trading):
    """A Lumibot strategy: override `initialize` and `on_trading_iteration`.

    Set in `initialize`: `sleeptime` (minutes, or "10S", "5M", "1H", "1D"; the step of daily rows
    when left out), `minutes_before_closing`, `minutes_before_opening`, `set_market(name)`.
    """

    parameters: dict[str, Any] = {}
    is_backtesting = True
    include_cash_positions = False

    def __init__(
        self,
        broker: Any = None,
        data_source: Any = None,
        minutes_before_closing: float = 1,
        minutes_before_opening: float = 60,
        minutes_after_closing: float = 0,
        sleeptime: int | str | None = None,
        backtesting_start: datetime | None = None,
        backtesting_end: datetime | None = None,
        name: str | None = None,
        budget: float | None = None,
        parameters: dict[str, Any] | None = None,
        buy_trading_fees: Iterable[TradingFee] = (),
        sell_trading_fees: Iterable[TradingFee] = (),
        quote_asset: Asset | None = None,
        benchmark_asset: Any = None,
        risk_free_rate: float | None = None,
    ) -> None:
        self.name = name or type(self).__name__
        self.broker = broker
        self.budget = 100_000.0 if budget is None else float(budget)
        self.minutes_before_closing = minutes_before_closing
        self.minutes_before_opening = minutes_before_opening
        self.minutes_after_closing = minutes_after_closing
        self.buy_trading_fees = list(buy_trading_fees)
        self.sell_trading_fees = list(sell_trading_fees)
        self.backtesting_start = backtesting_start
        self.backtesting_end = backtesting_end
        self.quote_asset = quote_asset or Asset("USD", "forex")
        self.parameters = {**type(self).parameters, **(parameters or {})}
        self.vars = Vars()
        self.stats: list[dict[str, Any]] = []
        self.result: Result | None = None
        self._sleeptime: int | str | None = sleeptime
        self._market: str | None = None
        self._is_first = True
        self._markers, self._lines, self._candles = [], [], []
        self._driver = Driver()
        overridden = type(self).trace_stats is not Strategy.trace_stats
        self._iterate = self._traced_iteration if overridden else self._plain_iteration

    # Hooks

    def initialize(self, *args: Any, **parameters: Any) -> None:
        """Called once before the run, with the parameters whose names it takes."""

    def before_market_opens(self) -> None:
        """Called `minutes_before_opening` before each session."""

    def before_starting_trading(self) -> None:
        """Called at the open of each session."""

    def on_trading_iteration(self) -> None:
        """Called every `sleeptime` of a session."""

    def before_market_closes(self) -> None:
        """Called `minutes_before_closing` before the end of each session."""

    def after_market_closes(self) -> None:
        """Called at the close of each session."""

    def on_new_order(self, order: Order) -> None:
        """Called after the hook that sent an order."""

    def on_filled_order(
        self, position: Position, order: Order, price: float, quantity: float, multiplier: float
    ) -> None:
        """Called when an order has filled, before the hooks of that row."""

    def on_partially_filled_order(
        self, position: Position, order: Order, price: float, quantity: float, multiplier: float
    ) -> None:
        """Called when a part of an order has filled."""

    def on_canceled_order(self, order: Order) -> None:
        """Called when an order has ended without a fill."""

    def on_parameters_updated(self, parameters: dict[str, Any]) -> None:
        """Called after `update_parameters` and `set_parameters`."""

    def on_abrupt_closing(self) -> None:
        """Called when the run is interrupted."""

    def on_bot_crash(self, error: BaseException) -> None:
        """Called when a hook raises; the error then ends the run."""

    def on_strategy_end(self) -> None:
        """Called once after the last row."""

    def trace_stats(self, context: Any, snapshot_before: dict[str, Any]) -> dict[str, Any] | None:
        """Called after each iteration; what it gives is kept in `stats`.

        `context` is empty here: Lumibot passes the local variables of the iteration.
        """
        return None

    # Settings

    @property
    def sleeptime(self) -> int | str:
        """The time between iterations: minutes, or text such as "5M"."""
        return "1M" if self._sleeptime is None else self._sleeptime

    @sleeptime.setter
    def sleeptime(self, step: int | str) -> None:
        if self._driver.is_live and step != self._sleeptime:
            raise config_error(
                "C497",
                f"sleeptime={step!r} inside a run",
                "set it in initialize(); return early from iterations that are not wanted",
            )
        self._sleeptime = step

    def set_market(self, market: str) -> None:
        """The market whose sessions count: "NYSE", "24/7", "us_futures", ..., or a calendar."""
        self._market = market

    @property
    def first_iteration(self) -> bool:
        """Whether no iteration has ended yet."""
        return self._is_first

    @property
    def initial_budget(self) -> float:
        """Cash at the start."""
        return self.budget

    def get_parameters(self) -> dict[str, Any]:
        """The parameters by name."""
        return self.parameters

    def update_parameters(self, parameters: dict[str, Any]) -> None:
        """Changes some parameters."""
        self.parameters.update(parameters)
        self.on_parameters_updated(parameters)

    def set_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Changes some parameters and gives all of them."""
        self.update_parameters(parameters)
        return self.parameters

    def set_parameter_defaults(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Sets parameters that are not set yet."""
        self.parameters = {**parameters, **self.parameters}
        return self.parameters

    # Running

    @classmethod
    def backtest(
        cls,
        datasource_class: Any = None,
        backtesting_start: Any = None,
        backtesting_end: Any = None,
        **terms: Any,
    ) -> Result:
        """Runs the strategy and gives the result, as `run_backtest`.

        `minutes_before_closing` is 1 when left out, and 5 for `run_backtest`, as in Lumibot.
        """
        terms.setdefault("minutes_before_closing", 1)
        return cls.run_backtest(datasource_class, backtesting_start, backtesting_end, **terms)[0]

    @classmethod
    def run_backtest(
        cls: type[_Own],
        datasource_class: Any = None,
        backtesting_start: Any = None,
        backtesting_end: Any = None,
        **terms: Any,
    ) -> tuple[Result, _Own]:
        """Runs the strategy over `pandas_data` and gives the result and the strategy.

        `datasource_class` is `PandasDataBacktesting`, or the data itself: a dict of frames, a list
        of `Data`, a `tw.DataFeed`. Times of `backtesting_start` and `backtesting_end` without a
        zone are those of New York; rows before the start are there to look back on.

        Of Lumibot: `pandas_data`, `budget`, `parameters`, `buy_trading_fees`, `sell_trading_fees`,
        `name`, `minutes_before_closing`, `minutes_before_opening`, `sleeptime`. What it draws and
        saves is taken and left alone: `result.report()` and `result.save()` do that.

        Of tapeworks: `semantics`, `account`, `commission`, `slippage`, `rules`, `limits`,
        `instruments`, `flows`, `validation`, `out`, `seed`, `progress` as in `tw.run`, and
        `last_price="next_open"`, which shows strategies the open at which they will be filled, as
        Lumibot does: for comparing with it, not for deciding.

        Raises `ConfigError` and `OrderError` with their codes, `TypeError` for an unknown keyword.
        """
        terms.setdefault("minutes_before_closing", 5)
        read = Terms.read(datasource_class, backtesting_start, backtesting_end, terms)
        strategy = cls(**read.of_strategy)
        result = run(strategy, read)
        strategy.result = result
        return result, strategy

    def _initialize(self) -> None:
        wanted = inspect.signature(self.initialize).parameters.values()
        given = self.parameters
        if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in wanted):
            self.initialize(**given)
        else:
            self.initialize(**{one.name: given[one.name] for one in wanted if one.name in given})

    def _plain_iteration(self) -> None:
        self.on_trading_iteration()
        self._is_first = False

    def _traced_iteration(self) -> None:
        before = {"datetime": self.get_datetime(), "portfolio_value": self.portfolio_value}
        self._plain_iteration()
        row = self.trace_stats({}, before)
        if row is not None:
            self.stats.append({**before, **row})

    def __repr__(self) -> str:
        return f"{self.name}(sleeptime={self.sleeptime!r}, budget={self.budget:g})"


for _name in REFUSED:
    setattr(Strategy, _name, refusal(_name))
