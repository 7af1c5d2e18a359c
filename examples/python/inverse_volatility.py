"""Weights by inverse volatility, all symbols at once: a batch strategy that returns targets.

`on_timestamp_batch` is called once a timestamp. Its columns are views of the engine's memory and
the answer is one array of weights, so nothing is made for each order.
"""

from datetime import datetime

import numpy as np
import tapeworks as tw

WINDOW = 60


class InverseVolatility(tw.Strategy):
    def on_start(self) -> None:
        self.closes = np.full((WINDOW + 1, len(self.symbols)), np.nan)
        self.n_rows = 0

    def on_timestamp_batch(
        self, timestamp: datetime, batch: tw.Batch, context: dict[str, float]
    ) -> tw.Targets | None:
        self.closes = np.roll(self.closes, -1, axis=0)
        self.closes[-1, batch.ids] = batch["close"]
        self.n_rows += 1
        if self.n_rows % 20:
            return None
        deviation = np.diff(np.log(self.closes), axis=0).std(axis=0)[batch.ids]
        # A symbol without a full window has no deviation yet: NaN leaves it as it is.
        inverse = 1.0 / deviation
        return tw.targets(weights=0.98 * inverse / np.nansum(inverse))


def main() -> tw.Result:
    result = tw.run(
        tw.sample("daily"),
        InverseVolatility(),
        cash=100_000,
        commission=tw.Commission.percent(bps=2),
    )
    print(result)
    return result


if __name__ == "__main__":
    main()
