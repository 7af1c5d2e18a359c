"""Hold the shares with the best scores: a built-in rule, costs, and what became of it.

Every fifth session the two shares with the highest score get an equal part of the account, unless
the VIX is high. Decisions are made at a close and filled at the next open.
"""

import tapeworks as tw


def main() -> tw.Result:
    feed = tw.sample("daily")
    rule = tw.rules.top_n("score", 2, rebalance="5d", where="context.vix < 30")
    result = tw.run(
        feed,
        rule,
        cash=100_000,
        commission=tw.Commission.per_share(0.005, minimum=1.0),
        slippage=tw.Slippage.percent(bps=5),
        name="top_signals",
    )
    print(result)
    print("why orders ended:", result.reasons())
    return result


if __name__ == "__main__":
    main()
