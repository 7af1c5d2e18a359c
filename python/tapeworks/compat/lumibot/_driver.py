"""The engine's strategy that calls a Lumibot strategy: hooks in, orders out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapeworks._native import Batch, Fill, Rejection, Strategy
from tapeworks.compat.lumibot._orders import engine_order, engine_pair
from tapeworks.compat.lumibot._refuse import order_error
from tapeworks.compat.lumibot._schedule import Hook
from tapeworks.compat.lumibot.entities.order import Order
from tapeworks.compat.lumibot.entities.position import Position

if TYPE_CHECKING:
    from tapeworks.compat.lumibot._tape import Tape

_STATUS = Order.OrderStatus


class Driver(Strategy):
    """One run of a strategy: the present, its orders by id, and the way to the engine.

    `plan` is {index of event: [(instant, hook)]}; events are the distinct ends of rows, in order.
    """

    # Tapes are the past of a strategy; the engine need not keep it as well.
    history_rows = 0

    user: Any
    tapes: dict[str, Tape]
    plan: dict[int, list[tuple[int, int]]]
    session_end: Any
    load: Any = None
    target_first = True

    def begin(
        self, user: Any, tapes: dict[str, Tape], plan: dict[int, list[tuple[int, int]]], now: int
    ) -> None:
        """Takes a run over; before it the present is `now`, in nanoseconds since 1970 UTC."""
        self.user = user
        self.tapes = tapes
        self.plan = plan
        self.now = now
        self.event = -1
        self.is_live = False
        self.n_iterations = 0
        self.by_id: dict[int, Order] = {}
        self.waiting: dict[int, Order] = {}
        self.pairs: dict[int, Order] = {}
        self.all_orders: list[Order] = []
        self.news: list[Order] = []
        self.last: tuple[float, float] | None = None
        self.calls = (
            user.before_market_opens,
            user.before_starting_trading,
            user._iterate,
            user.before_market_closes,
            user.after_market_closes,
        )

    # Calls of the engine

    def on_timestamp_batch(self, timestamp: Any, batch: Batch, context: Any) -> None:
        self.event += 1
        steps = self.plan.get(self.event)
        if steps is None and not self.waiting:
            return
        self.is_live = True
        if self.waiting:
            self.now = batch.timestamp_ns
            self.look_for_ended()
        if steps is not None:
            for when, hook in steps:
                self.now = when
                if hook == Hook.ON_TRADING_ITERATION:
                    self.n_iterations += 1
                self.calls[hook]()
                if self.news:
                    self.tell_news()
        self.is_live = False

    def on_fill(self, fill: Fill) -> None:
        order = self.by_id.get(fill.order_id)
        if order is None:
            return
        self.now = fill.timestamp_ns
        self.is_live = True
        quantity = fill.quantity
        left = abs(float(order.quantity)) - order.filled_quantity - quantity
        is_whole = left <= 1e-9 * abs(float(order.quantity))
        order.fill(quantity, fill.price, fill.commission, is_whole)
        if is_whole:
            self.waiting.pop(fill.order_id, None)
            if fill.order_id in self.pairs:
                self.pairs[fill.order_id].status = _STATUS.FILLED
        user = self.user
        asset = order.asset
        position = self.position(asset) or Position(user.name, asset, 0.0)
        told = user.on_filled_order if is_whole else user.on_partially_filled_order
        told(position, order, fill.price, quantity, asset.multiplier)
        if self.news:
            self.tell_news()
        self.is_live = False

    def on_reject(self, rejection: Rejection) -> None:
        order = self.by_id.get(rejection.order_id)
        if order is None:
            return
        self.now = rejection.timestamp_ns
        self.waiting.pop(rejection.order_id, None)
        order.status = _STATUS.ERROR
        order.error_message = rejection.code
        self.user.log_message(f"order {order.identifier} refused: {rejection.code}")

    def on_end(self) -> None:
        self.is_live = True
        self.last = (self.cash, self.equity)
        self.user.on_strategy_end()
        self.is_live = False

    # What the strategy's calls need

    def send(self, order: Order) -> Order:
        """Sends an order; one that was sent before is left alone."""
        self.check_live("submit_order")
        if order.engine_id is not None or order.status != _STATUS.UNPROCESSED:
            return order
        key = self.key(order)
        good_till = self.session_end(self.now) if order.time_in_force == "day" else None
        if order.order_class is Order.OrderClass.OCO:
            ids = self.oco(engine_pair(order, key, good_till))
            order.status = _STATUS.SUBMITTED
            self.all_orders.append(order)
            for child, engine_id in zip(order.child_orders, ids, strict=True):
                self.follow(child, engine_id)
                self.pairs[engine_id] = order
            return order
        engine_id = self.submit(engine_order(order, key, good_till))
        self.follow(order, engine_id)
        # Children have the ids after their parent's, in the order in which a row meets them.
        children = order.child_orders if self.target_first else order.child_orders[::-1]
        for offset, child in enumerate(children, 1):
            child.engine_id = engine_id + offset
            child.status = _STATUS.OPEN
            child.parent_identifier = order.identifier
            self.by_id[child.engine_id] = child
            self.waiting[child.engine_id] = child
        return order

    def look(self) -> dict[str, Tape]:
        """The tapes for initialize(), which may look at prices before they are planned."""
        if not self.tapes and self.load is not None:
            self.tapes = self.load()
        return self.tapes

    def key(self, order: Order) -> str:
        """The symbol of the feed that an order is for.

        Raises `OrderError` `TW-O341` for an asset without data, or with another multiplier.
        """
        tape = self.tapes.get(order.asset.key)
        if tape is None:
            raise order_error(
                "O341",
                f"an order for {order.asset}, of which there is no data",
                f"assets of the run: {', '.join(sorted(self.tapes))}",
            )
        if order.asset.multiplier != tape.asset.multiplier:
            raise order_error(
                "O341",
                f"an order for {order.asset} with multiplier {order.asset.multiplier:g}, its data "
                f"has {tape.asset.multiplier:g}",
                "give the asset of pandas_data the multiplier of the contract",
            )
        return order.asset.key

    def follow(self, order: Order, engine_id: int) -> None:
        order.engine_id = engine_id
        order.status = _STATUS.NEW
        self.by_id[engine_id] = order
        self.waiting[engine_id] = order
        self.all_orders.append(order)
        self.news.append(order)

    def tell_news(self) -> None:
        while self.news:
            self.user.on_new_order(self.news.pop(0))

    def look_for_ended(self) -> None:
        """Orders that the engine has ended by itself: siblings, children, expired ones."""
        live = set(self.open_orders())
        for engine_id in [engine_id for engine_id in self.waiting if engine_id not in live]:
            self.end(engine_id)

    def end(self, engine_id: int) -> None:
        order = self.waiting.pop(engine_id, None)
        if order is not None and order.status not in (_STATUS.FILLED, _STATUS.ERROR):
            order.status = _STATUS.CANCELED
            pair = self.pairs.get(engine_id)
            if pair is not None and all(child.is_canceled() for child in pair.child_orders):
                pair.status = _STATUS.CANCELED
            self.user.on_canceled_order(order)

    def withdraw(self, order: Order) -> None:
        """Cancels an order and what hangs on it."""
        self.check_live("cancel_order")
        members = [order, *order.child_orders]
        for one in members:
            if one.engine_id in self.waiting:
                self.cancel(one.engine_id)
        for one in members:
            if one.engine_id is not None:
                self.end(one.engine_id)

    def position(self, asset: Any) -> Position | None:
        """What is held of an asset, `None` when flat."""
        if asset.key not in self.tapes:
            return None
        held = self.get_position(asset.key)
        if held is None:
            return None
        return Position(self.user.name, asset, held.quantity, held.entry_price)

    def check_live(self, method: str) -> None:
        """Raises `OrderError` `TW-O342` outside the hooks of a run."""
        if not self.is_live:
            raise order_error(
                "O342",
                f"{method}() before the first row or after the last one",
                "send orders from before_market_opens() on; initialize() only prepares",
            )
