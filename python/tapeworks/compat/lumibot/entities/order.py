"""An order, from its making to its end."""

from __future__ import annotations

import itertools
from collections import namedtuple
from datetime import datetime
from typing import Any, ClassVar

from tapeworks.compat.lumibot._refuse import order_error
from tapeworks.compat.lumibot._words import Word
from tapeworks.compat.lumibot.entities.asset import Asset, AssetLike, asset_of

_IDENTIFIERS = itertools.count(1)
_ENDED = frozenset(("fill", "canceled", "error", "expired"))


class Order:
    """What `create_order` makes: side, quantity, prices, and what has become of it.

    `secondary_limit_price` and `secondary_stop_price` are the target and the stop of a bracket
    (both) or of an order that triggers another (one). Prices are currency a unit, `trail_percent`
    is a fraction.
    """

    Transaction = namedtuple("Transaction", ["quantity", "price"])

    class OrderClass(Word):
        """How orders belong together."""

        SIMPLE = "simple"
        BRACKET = "bracket"
        OCO = "oco"
        OTO = "oto"
        MULTILEG = "multileg"

    class OrderType(Word):
        """What makes an order fill."""

        MARKET = "market"
        LIMIT = "limit"
        STOP = "stop"
        STOP_LIMIT = "stop_limit"
        TRAIL = "trailing_stop"
        SMART_LIMIT = "smart_limit"
        UNKNOWN = "unknown"

    class OrderSide(Word):
        """Directions."""

        BUY = "buy"
        SELL = "sell"
        BUY_TO_COVER = "buy_to_cover"
        SELL_SHORT = "sell_short"
        BUY_TO_OPEN = "buy_to_open"
        BUY_TO_CLOSE = "buy_to_close"
        SELL_TO_OPEN = "sell_to_open"
        SELL_TO_CLOSE = "sell_to_close"

    class OrderStatus(Word):
        """Stages of an order's life."""

        UNPROCESSED = "unprocessed"
        SUBMITTED = "submitted"
        OPEN = "open"
        NEW = "new"
        CANCELLING = "cancelling"
        CANCELED = "canceled"
        FILLED = "fill"
        PARTIALLY_FILLED = "partial_fill"
        ERROR = "error"
        EXPIRED = "expired"

    ACTIVE_STATUSES: ClassVar[frozenset[OrderStatus]] = frozenset(
        (
            OrderStatus.UNPROCESSED,
            OrderStatus.SUBMITTED,
            OrderStatus.OPEN,
            OrderStatus.NEW,
            OrderStatus.PARTIALLY_FILLED,
        )
    )

    def __init__(
        self,
        strategy: Any,
        asset: AssetLike,
        quantity: Any = None,
        side: str | None = None,
        limit_price: float | None = None,
        stop_price: float | None = None,
        stop_limit_price: float | None = None,
        trail_price: float | None = None,
        trail_percent: float | None = None,
        secondary_limit_price: float | None = None,
        secondary_stop_price: float | None = None,
        secondary_stop_limit_price: float | None = None,
        secondary_trail_price: float | None = None,
        secondary_trail_percent: float | None = None,
        take_profit_price: float | None = None,
        stop_loss_price: float | None = None,
        stop_loss_limit_price: float | None = None,
        time_in_force: str = "day",
        good_till_date: datetime | None = None,
        exchange: str | None = None,
        quote: Asset | None = None,
        date_created: datetime | None = None,
        type: str | None = None,
        order_type: str | None = None,
        order_class: str | None = None,
        custom_params: dict[str, Any] | None = None,
        identifier: str | None = None,
        tag: str | None = None,
    ) -> None:
        self.strategy = strategy
        self.asset = asset_of(asset)
        self.symbol = self.asset.symbol
        self.quantity = quantity
        self.side = _word(Order.OrderSide, "side", side)
        self.limit_price = limit_price
        self.stop_price = stop_price
        self.stop_limit_price = stop_limit_price
        self.trail_price = trail_price
        self.trail_percent = trail_percent
        self.secondary_limit_price = _first(secondary_limit_price, take_profit_price)
        self.secondary_stop_price = _first(secondary_stop_price, stop_loss_price)
        self.secondary_stop_limit_price = _first(secondary_stop_limit_price, stop_loss_limit_price)
        self.secondary_trail_price = secondary_trail_price
        self.secondary_trail_percent = secondary_trail_percent
        self.time_in_force = time_in_force
        self.good_till_date = good_till_date
        self.exchange = exchange
        self.quote = quote
        self.date_created = date_created
        self.custom_params = custom_params
        self.identifier = identifier or f"bt_{next(_IDENTIFIERS)}"
        self.tag = tag
        kind = _first(order_type, type)
        if isinstance(kind, str) and kind in tuple(Order.OrderClass):
            order_class, kind = kind, None
        self.order_class = _word(Order.OrderClass, "order_class", order_class or "simple")
        self.order_type = _word(Order.OrderType, "order_type", kind or self._told_by_prices())
        self.child_orders: list[Order] = []
        self.parent_identifier: str | None = None
        self.status: str = Order.OrderStatus.UNPROCESSED
        self.error_message: str | None = None
        self.trade_cost: float | None = None
        self.transactions: list[Any] = []
        self.filled_quantity = 0.0
        self.engine_id: int | None = None
        self._paid = 0.0
        self._is_done = False

    def _told_by_prices(self) -> Order.OrderType:
        kinds = Order.OrderType
        if self.trail_price is not None or self.trail_percent is not None:
            return kinds.TRAIL
        if self.order_class is Order.OrderClass.OCO:
            return kinds.LIMIT
        if self.stop_price is not None:
            has_limit = self.limit_price is not None or self.stop_limit_price is not None
            return kinds.STOP_LIMIT if has_limit else kinds.STOP
        return kinds.MARKET if self.limit_price is None else kinds.LIMIT

    def is_buy_order(self) -> bool:
        """Whether it adds units."""
        return str(self.side).startswith("buy")

    def is_sell_order(self) -> bool:
        """Whether it takes units away."""
        return str(self.side).startswith("sell")

    def is_stop_order(self) -> bool:
        """Whether a stop price triggers it."""
        return self.order_type in (Order.OrderType.STOP, Order.OrderType.STOP_LIMIT)

    def is_parent(self) -> bool:
        """Whether other orders hang on it."""
        return bool(self.child_orders)

    def is_active(self) -> bool:
        """Whether it, or one of its children, can still fill."""
        if self._is_done:
            return False
        if self.status not in _ENDED:
            return True
        for child in self.child_orders:
            if child.is_active():
                return True
        # Ended orders stay so; strategies ask all of them again and again.
        self._is_done = True
        return False

    def is_filled(self) -> bool:
        """Whether its whole quantity has filled."""
        return self.status == "fill"

    def is_canceled(self) -> bool:
        """Whether it has ended without its whole quantity."""
        return self.status in ("canceled", "error", "expired")

    def equivalent_status(self, status: Any) -> bool:
        """Whether a status, or that of another order, means the same as its own."""
        text = str(getattr(status, "status", status)).lower()
        text = {"cancelled": "canceled", "cancel": "canceled", "filled": "fill"}.get(text, text)
        waiting = {"open", "new", "submitted"}
        return text == self.status or {text, str(self.status)} <= waiting

    @property
    def avg_fill_price(self) -> float | None:
        """Average price of what has filled, `None` before the first fill."""
        return self._paid / self.filled_quantity if self.filled_quantity else None

    def get_fill_price(self) -> float | None:
        """Average price of what has filled, `None` before the first fill."""
        return self.avg_fill_price

    def fill(self, quantity: float, price: float, fee: float, is_whole: bool) -> None:
        """Books an execution that the engine reports."""
        self.transactions.append(Order.Transaction(quantity, price))
        self.filled_quantity += quantity
        self._paid += quantity * price
        self.trade_cost = (self.trade_cost or 0.0) + fee
        self.status = Order.OrderStatus.FILLED if is_whole else Order.OrderStatus.PARTIALLY_FILLED

    def __repr__(self) -> str:
        prices = (
            ("limit", self.limit_price),
            ("stop", self.stop_price),
            ("trail", _first(self.trail_price, self.trail_percent)),
        )
        told = "".join(f" {name} {price}" for name, price in prices if price is not None)
        return (
            f"{self.order_type} order {self.identifier} | {self.side} {self.quantity} "
            f"{self.asset}{told} | {self.status}"
        )


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one


def _word(words: Any, argument: str, given: Any) -> Any:
    try:
        return words(given)
    except ValueError:
        known = ", ".join(word.value for word in words)
        raise order_error(
            "O340", f"{argument}={given!r} of an order is not known", f"one of: {known}"
        ) from None
