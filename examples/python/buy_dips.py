"""Buy a share that closes far below its mean, sell when it is back: once per symbol and row.

`on_market_data` is called for each row of each symbol. The mean is a running indicator of the
engine; before there are enough rows it is NaN, and no comparison with NaN is true.
"""

import tapeworks as tw


class BuyDips(tw.Strategy):
    """Keyword arguments of the constructor are found in `params`."""

    def on_start(self) -> None:
        self.mean = self.indicator("sma", "close", self.params["window"])

    def on_market_data(self, event: tw.MarketEvent) -> None:
        mean = self.mean.value
        held = self.quantity(event.symbol)
        if held == 0 and event.close < (1 - self.params["depth"]) * mean:
            self.buy(event.symbol, percent=0.15, tag="dip")
        elif held > 0 and event.close > mean:
            self.close_position(event.symbol)


def main() -> tw.Result:
    strategy = BuyDips(window=20, depth=0.08)
    result = tw.run(tw.sample("daily"), strategy, cash=100_000)
    print(result)
    return result


if __name__ == "__main__":
    main()
