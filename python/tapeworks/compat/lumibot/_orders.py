"""Lumibot's orders in the words of the engine."""

from __future__ import annotations

from typing import Any

from tapeworks import _native as native
from tapeworks._native import TrailingStop
from tapeworks.compat.lumibot._refuse import order_error
from tapeworks.compat.lumibot.entities.order import Order

_TYPES = Order.OrderType
_CLASSES = Order.OrderClass


def engine_order(order: Order, symbol: str, good_till: Any) -> native.Order:
    """The order with its children, for `submit`; `good_till` ends orders of the day.

    Raises `OrderError` `TW-O343` for what is not simulated.
    """
    check(order)
    terms: dict[str, Any] = prices(order)
    terms |= lifetime(order, good_till)
    if order.order_class in (_CLASSES.BRACKET, _CLASSES.OTO):
        _add_children(order)
        if order.secondary_stop_price is not None:
            terms["stop_loss"] = float(order.secondary_stop_price)
        if order.secondary_trail_percent is not None:
            terms["stop_loss"] = TrailingStop(float(order.secondary_trail_percent))
        if order.secondary_trail_price is not None:
            terms["stop_loss"] = TrailingStop(amount=float(order.secondary_trail_price))
        if order.secondary_limit_price is not None:
            terms["take_profit"] = float(order.secondary_limit_price)
    return _made(order, symbol, terms)


def engine_pair(order: Order, symbol: str, good_till: Any) -> list[native.Order]:
    """The target and the stop of an OCO order, for `oco`; the target is looked at first."""
    check(order)
    if order.limit_price is None or order.stop_price is None:
        raise order_error(
            "O343",
            f"OCO order {order.identifier} has no pair of prices",
            "give limit_price and stop_price",
        )
    quantity, side, common = order.quantity, order.side, lifetime(order, good_till)
    target = Order(
        order.strategy, order.asset, quantity, side, order.limit_price, order_type=_TYPES.LIMIT
    )
    stop = Order(
        order.strategy,
        order.asset,
        quantity,
        side,
        stop_price=order.stop_price,
        stop_limit_price=order.stop_limit_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
    )
    order.child_orders = [target, stop]
    for child in order.child_orders:
        child.parent_identifier = order.identifier
    return [_made(child, symbol, prices(child) | common) for child in order.child_orders]


def check(order: Order) -> None:
    """Raises `OrderError` `TW-O343` for an order that is not simulated."""
    why = None
    if not order.asset.is_valid():
        why = ("options are not simulated", "trade the underlying")
    elif order.order_type is _TYPES.SMART_LIMIT:
        why = ("a smart limit walks between bid and ask, and bars have none", "use a limit order")
    elif order.order_class is _CLASSES.MULTILEG:
        why = ("orders of several legs are not simulated", "send the legs one by one")
    elif order.secondary_stop_limit_price is not None:
        why = ("the stop of a bracket cannot have a limit", "leave secondary_stop_limit_price out")
    elif order.quantity is None or not float(order.quantity) > 0.0:
        why = ("its quantity is no positive number", "give units above 0; the side says which way")
    elif order.order_class in (_CLASSES.BRACKET, _CLASSES.OTO) and _has_no_exit(order):
        why = ("it has no exit", "give secondary_limit_price or secondary_stop_price")
    if why is not None:
        told = f"{order.side} {order.quantity} {order.asset} ({order.order_type})"
        raise order_error("O343", f"{told} cannot be sent: {why[0]}", why[1])


def prices(order: Order) -> dict[str, Any]:
    """The prices of an order by the engine's names."""
    found: dict[str, Any] = {}
    if order.order_type is _TYPES.TRAIL:
        if order.trail_percent is not None:
            found["trail_percent"] = float(order.trail_percent)
        elif order.trail_price is not None:
            found["trail"] = float(order.trail_price)
        return found
    limit = order.limit_price if order.stop_limit_price is None else order.stop_limit_price
    if order.order_type in (_TYPES.LIMIT, _TYPES.STOP_LIMIT) and limit is not None:
        found["limit"] = float(limit)
    if order.order_type in (_TYPES.STOP, _TYPES.STOP_LIMIT) and order.stop_price is not None:
        found["stop"] = float(order.stop_price)
    return found


def lifetime(order: Order, good_till: Any) -> dict[str, Any]:
    """How long it rests. A day's market order fills at the next open, so it needs no end."""
    tif = str(order.time_in_force).lower()
    if tif in ("gtc", "good_till_canceled"):
        return {}
    if tif in ("day", "gfd"):
        if order.order_type is _TYPES.MARKET or good_till is None:
            return {}
        return {"tif": "gtd", "good_till": good_till}
    if tif in ("gtd", "good_till_date") and order.good_till_date is not None:
        return {"tif": "gtd", "good_till": order.good_till_date}
    if tif in ("ioc", "fok"):
        return {"tif": tif}
    raise order_error(
        "O343",
        f"time_in_force={order.time_in_force!r} of {order.identifier} is not known",
        "one of: gtc, day, gtd with good_till_date, ioc, fok",
    )


def _has_no_exit(order: Order) -> bool:
    exits = (
        order.secondary_limit_price,
        order.secondary_stop_price,
        order.secondary_trail_price,
        order.secondary_trail_percent,
    )
    return all(one is None for one in exits)


def _add_children(order: Order) -> None:
    """The children as orders of their own, the target first."""
    side = "sell_to_close" if order.is_buy_order() else "buy_to_close"
    common = {"quantity": order.quantity, "side": side}
    order.child_orders = []
    if order.secondary_limit_price is not None:
        limit = order.secondary_limit_price
        child = Order(order.strategy, order.asset, limit_price=limit, **common)
        order.child_orders.append(child)
    trail = (order.secondary_trail_price, order.secondary_trail_percent)
    if order.secondary_stop_price is not None or trail != (None, None):
        child = Order(
            order.strategy,
            order.asset,
            stop_price=order.secondary_stop_price,
            trail_price=trail[0],
            trail_percent=trail[1],
            **common,
        )
        order.child_orders.append(child)


def _made(order: Order, symbol: str, terms: dict[str, Any]) -> native.Order:
    make = native.Order.buy if order.is_buy_order() else native.Order.sell
    return make(symbol, float(order.quantity), tag=order.tag, **terms)
