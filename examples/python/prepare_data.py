"""Join prices and signals point in time once, with indicators, and write them down.

The feed of later runs reads the two files in bounded memory. Here the prices and scores are those
of the sample; a table of your own is a path or a frame.
"""

import sys
import tempfile
from pathlib import Path

import polars as pl
import tapeworks as tw


def tables() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Prices, scores and context of the sample as three frames."""
    rows = pl.concat([batch.to_polars() for batch in tw.sample("daily").iter_batches()])
    vix = [(batch.timestamp, batch.context["vix"]) for batch in tw.sample("daily").iter_batches()]
    prices = rows.select("timestamp", "symbol", "open", "high", "low", "close", "volume")
    scores = rows.select("timestamp", "symbol", "score").drop_nulls()
    context = pl.DataFrame(vix, schema=["timestamp", "vix"], orient="row")
    return prices, scores, context


def main(folder: Path) -> tw.PrepareReport:
    prices, scores, context = tables()
    prep = tw.DataPreparer()
    prep.add_prices(prices, freq="1d")
    prep.add_signals(scores, staleness="10d")
    prep.add_indicators(["sma:50", "atr:14", "rsi:14"])
    prep.add_context(context, columns=["vix"])
    asset_data, context_data = folder / "asset_data.parquet", folder / "context_data.parquet"
    report = prep.validate_and_save(asset_data, context_data, force=True)
    print(report.verdict)

    feed = tw.DataFeed(asset_data, context=context_data, signal_columns=["score"])
    rule = tw.rules.entries_exits("close > sma_50 and rsi_14 < 60", "close < sma_50", percent=0.15)
    print(tw.run(feed, rule, rules=tw.VolatilityStop(3.0, "atr_14")))
    return report


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
