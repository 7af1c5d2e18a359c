"""Limits on the whole portfolio, for `tw.run(..., limits=[...])`.

>>> import tapeworks as tw
>>> tw.limits.max_drawdown(0.2, action="liquidate")
limits.max_drawdown(0.2, action='liquidate')

Drawdown, losses and values at risk are looked at after every row and act at the next opens. Limits
on exposure, positions and orders also refuse the orders that would pass them.
"""

from tapeworks._native import (
    Limit,
    conditional_value_at_risk,
    daily_loss,
    gross_exposure,
    group_exposure,
    max_drawdown,
    max_orders,
    max_positions,
    net_exposure,
    symbol_exposure,
    value_at_risk,
)

__all__ = [
    "Limit",
    "conditional_value_at_risk",
    "daily_loss",
    "gross_exposure",
    "group_exposure",
    "max_drawdown",
    "max_orders",
    "max_positions",
    "net_exposure",
    "symbol_exposure",
    "value_at_risk",
]
