"""From market data to a backtest report, with honest records.

>>> import tapeworks as tw
>>> feed = tw.sample("daily")
>>> result = tw.run(feed, tw.rules.sma_cross(20, 50, quantity=100), cash=100_000)
>>> len(result.portfolio)
3270

A strategy of your own is a subclass of `tw.Strategy` with `on_market_data` (once per symbol and
timestamp) or `on_timestamp_batch` (once per timestamp, columns as numpy views).
"""

from tapeworks import rules
from tapeworks._metric import Metric
from tapeworks._native import (
    Batch,
    CheckReport,
    Columns,
    Commission,
    ConfigError,
    DataError,
    DataFeed,
    Error,
    Fill,
    LookAheadError,
    MarketEvent,
    OrderError,
    Orders,
    OutputError,
    Position,
    Rejection,
    ResourceError,
    Result,
    Rule,
    Slippage,
    StopLoss,
    Strategy,
    StrategyError,
    Table,
    TakeProfit,
    Targets,
    TrailingStop,
    __version__,
    load,
    orders,
    run,
    run_config,
    sample,
    targets,
)

__all__ = [
    "Batch",
    "CheckReport",
    "Columns",
    "Commission",
    "ConfigError",
    "DataError",
    "DataFeed",
    "Error",
    "Fill",
    "LookAheadError",
    "MarketEvent",
    "Metric",
    "OrderError",
    "Orders",
    "OutputError",
    "Position",
    "Rejection",
    "ResourceError",
    "Result",
    "Rule",
    "Slippage",
    "StopLoss",
    "Strategy",
    "StrategyError",
    "Table",
    "TakeProfit",
    "Targets",
    "TrailingStop",
    "__version__",
    "load",
    "orders",
    "rules",
    "run",
    "run_config",
    "sample",
    "targets",
]
