"""A commission of your own: a function that gives the fee of a fill.

It is called with the keywords that it names; `tw.Commission.custom` lists what there is. The table
of fills keeps what it gave.
"""

import tapeworks as tw


def fee(value: float, side: str, month_value: float) -> float:
    """10 basis points, 5 once a million was traded in the month; 5 more for what is sold."""
    bps = 10 if month_value < 1_000_000 else 5
    levy = 5 if side == "sell" else 0
    return value * (bps + levy) / 10_000


def main() -> tw.Result:
    feed = tw.sample("daily")
    rule = tw.rules.top_n("score", 1, rebalance="1w")
    own = tw.run(feed, rule, cash=1_000_000, commission=tw.Commission.custom(fee))
    free = tw.run(feed, rule, cash=1_000_000)
    paid, before = own.metrics["commissions"], free.metrics["total_return"]
    print(f"fees {paid:,.0f}; return {own.metrics['total_return']:.1%} instead of {before:.1%}")
    return own


if __name__ == "__main__":
    main()
