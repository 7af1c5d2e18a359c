"""What type checkers have to see; read by them, never run.

A line that has to be refused carries an ignore, which the checker calls unused once it is not.
"""

from datetime import datetime
from typing import Any

import numpy as np
import tapeworks as tw
from numpy.typing import NDArray
from typing_extensions import assert_type


class Simple(tw.Strategy):
    def on_market_data(self, event: tw.MarketEvent) -> None:
        assert_type(event.close, float)
        assert_type(event["score"], float)
        assert_type(self.history(event.symbol, 20), tw.Bars)
        assert_type(self.history(event.symbol, 20, "close"), NDArray[np.float64])
        assert_type(self.get_position(event.symbol), tw.Position | None)
        assert_type(self.buy(event.symbol, 10, stop_loss=tw.StopLoss(0.05), tif="day"), int)
        assert_type(self.order_target_percent(event.symbol, 0.1), int | None)
        self.buy(event.symbol, 10, tif="dya")  # type: ignore[arg-type]
        self.buy(event.symbol, 10, stoploss=1.0)  # type: ignore[call-arg]


class InBatches(tw.Strategy):
    def __init__(self, window: int) -> None:
        self.window = window

    def on_timestamp_batch(
        self, timestamp: datetime, batch: tw.Batch, context: dict[str, float]
    ) -> tw.Targets | tw.Orders | None:
        assert_type(batch["close"], NDArray[np.float64])
        assert_type(batch.signals["score"], NDArray[np.float64])
        assert_type(batch.ids, NDArray[np.uint32])
        return tw.targets(weights=np.zeros(len(batch)))


def cases() -> None:
    feed = tw.DataFeed("prices.parquet", calendar="XNYS", label="start")
    result = tw.run(feed, InBatches(5), account=tw.Account.margin(), rules=tw.StopLoss(0.1))
    assert_type(result, tw.Result)
    assert_type(result.metrics["sharpe"], tw.Metric)
    assert_type(result.trades.to_numpy("pnl_net"), NDArray[Any])
    refused: dict[str, int] = result.reasons()
    assert_type(refused["no_signal"], int)
    assert_type(tw.calendar("XNYS"), tw.Calendar)
    assert_type(tw.rules.top_n("score", 5, weight="signal"), tw.Rule)
    returns, positions, transactions = result.to_pyfolio()
    factor, prices = feed.to_alphalens("score")
    print(returns, positions, transactions, factor, prices)
    tw.run(feed, Simple(), account="cahs")  # type: ignore[arg-type]
    tw.run(feed, Simple(), lots="whole")  # type: ignore[arg-type]
    tw.run(feed, Simple(), comission=None)  # type: ignore[call-arg]
    tw.run(feed, Simple, cash=1.0)  # type: ignore[arg-type]
    tw.run(feed, Simple(), 100_000.0)  # type: ignore[call-arg]
    tw.DataFeed("prices.parquet", validation="fats")  # type: ignore[arg-type]
    tw.targets([1.0])  # type: ignore[call-arg]
