"""One object of each public class, for the tests of how they are shown."""

from __future__ import annotations

import polars as pl

import tapeworks as tw

MARKUP = "<script>alert('x')</script>"


class Grabs(tw.Strategy):
    """Keeps one of each object that a run hands over."""

    def on_start(self):
        self.kept = {"Indicator": self.indicator("sma", "close", 2)}

    def on_timestamp_batch(self, timestamp, batch, context):
        for position in self.positions.values():
            self.kept["Position"] = position
        if batch.timestamp.day == 1:
            self.buy(batch.symbols[0], 10, tag=MARKUP)
            self.buy(batch.symbols[0], 1e9)

    def on_fill(self, fill):
        self.kept["Fill"] = fill

    def on_reject(self, rejection):
        self.kept["Rejection"] = rejection


def hostile(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a symbol that is markup."""
    return frame.with_columns(pl.col("symbol").replace({"A": MARKUP}))


def objects(frame: pl.DataFrame, folder) -> dict[str, object]:
    """By class name; `frame` has the symbols, a score and an atr."""
    feed = tw.DataFeed(frame, signal_columns=["score"], indicator_columns=["atr"])
    strategy = Grabs(name=MARKUP, window=20)
    result = tw.run(feed, strategy, name=MARKUP)
    batch = next(feed.iter_batches())
    prep = tw.DataPreparer().add_prices(frame.drop("score", "atr")).add_indicators(["sma:2"])
    report = prep.validate_and_save(folder / "prepared.parquet", force=True)
    first = frame["symbol"][0]
    bars = tw.Bars.from_frame(frame.drop("score", "atr"))
    return strategy.kept | {
        "Account": tw.Account.margin(borrow_rate=0.02, credit_rate=0.01, debit_rate=0.03,
                                     settlement_days=2, cash_buffer=0.05),
        "AllOf": tw.AllOf(tw.TimeExit(5), tw.StopLoss(0.02)),
        "AnyOf": tw.AnyOf(tw.TimeExit(5), tw.StopLoss(0.02)),
        "Bars": bars,
        "BarsMetadata": bars.metadata,
        "Batch": batch,
        "Calendar": tw.calendar("XNYS"),
        "CheckReport": tw.DataFeed(frame.with_columns(high=pl.lit(0.5)), on_bad_row="drop").check(),
        "Columns": batch.signals,
        "Commission": tw.Commission.tiered([(1e6, 10), (None, 5)], by="month"),
        "DataFeed": feed,
        "DataPreparer": prep,
        "Impact": tw.Impact.sqrt(0.5),
        "Instrument": tw.Instrument(lot=0.1, tick=0.01, multiplier=50, future=True, margin=100),
        "Limit": tw.limits.group_exposure([first, "B"], 0.5, action="liquidate"),
        "MarketEvent": next(iter(feed)),
        "Metric": result.metrics["win_rate"],
        "Order": tw.Order.sell(first, 5, limit=101.25, stop_loss=tw.StopLoss(0.1), tag=MARKUP),
        "Orders": tw.orders([0, 1], [10.0, -5.0], limit=[9.0, 21.0]),
        "Participation": tw.Participation(0.1, basis="adv", window=20),
        "PrepareReport": report,
        "Result": result,
        "Rule": tw.rules.entries_exits("score > 1 and atr < 2", "score < 0", quantity=5),
        "ScaledExit": tw.ScaledExit([(0.05, 0.5), (0.1, 0.5)]),
        "SignalExit": tw.SignalExit("score", 0.5),
        "Slippage": tw.Slippage.quote(MARKUP, "ask", fallback=tw.Slippage.fixed(0.01)),
        "StopLoss": tw.StopLoss(0.05),
        "Strategy": strategy,
        "Table": result.orders,
        "TakeProfit": tw.TakeProfit(0.1),
        "Targets": tw.targets(weights=[0.5, 0.25]),
        "TighteningTrail": tw.TighteningTrail([(0.0, 0.1), (0.2, 0.05)]),
        "TimeExit": tw.TimeExit(10),
        "TrailingStop": tw.TrailingStop(amount=2.5),
        "VolatilityStop": tw.VolatilityStop(3, MARKUP),
        "VolatilityTrail": tw.VolatilityTrail(3, "atr"),
    }  # fmt: skip
