"""Sources of data: frames in memory. Those that ask a vendor are refused."""

from __future__ import annotations

from typing import Any


class PandasDataBacktesting:
    """Frames in memory, as `pandas_data` of a backtest or of this object."""

    def __init__(
        self,
        datetime_start: Any = None,
        datetime_end: Any = None,
        pandas_data: Any = None,
        **keywords: Any,
    ) -> None:
        self.datetime_start = datetime_start
        self.datetime_end = datetime_end
        self.pandas_data = pandas_data


class BacktestingBroker:
    """Holds a data source for a strategy; the engine is the broker."""

    IS_BACKTESTING_BROKER = True

    def __init__(self, data_source: PandasDataBacktesting, **keywords: Any) -> None:
        self.data_source = data_source


def _vendor(name: str) -> type:
    reason = f"{name} fetches data over a network, and a backtest has to be repeatable"
    return type(name, (), {"refusal": reason, "__doc__": f"Refused: {reason}."})


YahooDataBacktesting = _vendor("YahooDataBacktesting")
PolygonDataBacktesting = _vendor("PolygonDataBacktesting")
AlpacaBacktesting = _vendor("AlpacaBacktesting")
AlphaVantageBacktesting = _vendor("AlphaVantageBacktesting")
CcxtBacktesting = _vendor("CcxtBacktesting")
DataBentoDataBacktesting = _vendor("DataBentoDataBacktesting")
InteractiveBrokersRESTBacktesting = _vendor("InteractiveBrokersRESTBacktesting")
ThetaDataBacktesting = _vendor("ThetaDataBacktesting")

__all__ = [
    "AlpacaBacktesting",
    "AlphaVantageBacktesting",
    "BacktestingBroker",
    "CcxtBacktesting",
    "DataBentoDataBacktesting",
    "InteractiveBrokersRESTBacktesting",
    "PandasDataBacktesting",
    "PolygonDataBacktesting",
    "ThetaDataBacktesting",
    "YahooDataBacktesting",
]
