"""Exits that need no code: a stop and a target with the order, trailing stops for every position.

The bracket belongs to one order: what one side fills, the other loses. Position rules watch
whatever is held. In a row that reaches both levels the stop counts as first.
"""

import tapeworks as tw


class Breakout(tw.Strategy):
    """Buys a share above its highest high of 50 sessions."""

    def on_start(self) -> None:
        self.rows: dict[str, int] = {}

    def on_market_data(self, event: tw.MarketEvent) -> None:
        seen = self.rows.get(event.symbol, 0)
        self.rows[event.symbol] = seen + 1
        if seen < 50 or self.quantity(event.symbol):
            return
        highest = self.history(event.symbol, 51, "high")[:-1].max()
        if event.close > highest:
            self.buy(
                event.symbol,
                percent=0.2,
                stop_loss=tw.StopLoss(0.08),
                take_profit=tw.TakeProfit(0.20),
            )


def main() -> tw.Result:
    result = tw.run(
        tw.sample("daily"),
        Breakout(),
        cash=100_000,
        rules=[tw.TrailingStop(0.15), tw.TimeExit(120)],
    )
    exits = result.trades.to_numpy("exit_reason").tolist()
    for reason in sorted(set(exits)):
        print(f"{reason:<16}{exits.count(reason):>5}")
    return result


if __name__ == "__main__":
    main()
