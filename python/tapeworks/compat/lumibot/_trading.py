"""What a strategy may do: orders, positions, the value of its account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tapeworks.compat.lumibot._market_view import MarketView
from tapeworks.compat.lumibot._notes import Notes
from tapeworks.compat.lumibot._refuse import order_error
from tapeworks.compat.lumibot.entities.asset import Asset, AssetLike, asset_of
from tapeworks.compat.lumibot.entities.order import Order
from tapeworks.compat.lumibot.entities.position import Position

_WAITING = {str(status) for status in Order.ACTIVE_STATUSES}


class Trading(MarketView, Notes):
    """Orders go to the engine at once and meet the first row that begins afterwards."""

    name: str
    budget: float

    # The account

    @property
    def cash(self) -> float:
        """Cash in account currency: the budget before the run, the last after it."""
        driver = self._driver
        if driver.is_live:
            return driver.cash
        return self.budget if driver.last is None else driver.last[0]

    def get_cash(self) -> float:
        """Cash in account currency."""
        return self.cash

    @property
    def portfolio_value(self) -> float:
        """Cash and the value of all positions, at their last closes."""
        driver = self._driver
        if not driver.is_live:
            return self.budget if driver.last is None else driver.last[1]
        value = driver.equity
        if self._peer_price:
            # Lumibot marks at the opens that are about to begin.
            for key, held in driver.positions.items():
                tape = driver.tapes[key]
                price = tape.price_at_open(driver.now)
                if price is not None:
                    value += held.quantity * (price - held.mark) * tape.asset.multiplier
        return value

    def get_portfolio_value(self) -> float:
        """Cash and the value of all positions."""
        return self.portfolio_value

    @property
    def unspent_money(self) -> float:
        """Cash in account currency."""
        return self.cash

    # Orders

    def create_asset(self, symbol: str, asset_type: str = "stock", **keywords: Any) -> Asset:
        """An asset, with the arguments of `Asset`."""
        return Asset(symbol, asset_type, **keywords)

    def create_order(
        self, asset: AssetLike, quantity: Any, side: str, *prices: Any, **keywords: Any
    ) -> Order:
        """An order that is not sent yet, with the arguments of `Order`; it rests until cancelled.

        Without a price it is a market order; `limit_price=`, `stop_price=`, `trail_price=` and
        `trail_percent=` (a fraction) make the others.
        """
        keywords.setdefault("time_in_force", "gtc")
        keywords.setdefault("date_created", self.get_datetime())
        if keywords.pop("smart_limit", None) is not None:
            keywords["order_type"] = Order.OrderType.SMART_LIMIT
        for unused in ("position_filled", "pair", "position_side", "position_id"):
            keywords.pop(unused, None)
        return Order(self.name, asset, quantity, side, *prices, **keywords)

    def submit_order(self, order: Any, **keywords: Any) -> Any:
        """Sends an order, or a list of them; gives them back with what becomes of them.

        An order of no units, or none at all, is logged and not sent, as in Lumibot.
        """
        if isinstance(order, (list, tuple)):
            return self.submit_orders(order)
        if order is None or not order.quantity:
            self.log_message(f"not sent: {order!r}")
            return None
        return self._driver.send(order)

    def submit_orders(self, orders: Iterable[Order], **keywords: Any) -> list[Order]:
        """Sends several orders, one after the other."""
        return [self.submit_order(order) for order in orders]

    def cancel_order(self, order: Order, **keywords: Any) -> None:
        """Cancels an order and the orders that hang on it; nothing when it has ended."""
        self._driver.withdraw(order)

    def cancel_orders(self, orders: Iterable[Order], **keywords: Any) -> None:
        """Cancels several orders."""
        for order in list(orders):
            self._driver.withdraw(order)

    def cancel_open_orders(self, orders: Iterable[Order] | None = None, **keywords: Any) -> None:
        """Cancels all orders that can still fill, or those of `orders` that can."""
        chosen = list(self._driver.waiting.values()) if orders is None else list(orders)
        for order in chosen:
            if order.is_active():
                self._driver.withdraw(order)

    def modify_order(
        self, order: Order, limit_price: float | None = None, stop_price: float | None = None
    ) -> None:
        """Gives a waiting order another limit or stop price, from the next row on."""
        if order.engine_id is None or order.engine_id not in self._driver.waiting:
            raise order_error(
                "O344", f"modify_order: {order!r} is not waiting", "modify it before it ends"
            )
        self._driver.replace(order.engine_id, limit=limit_price, stop=stop_price)
        order.limit_price = order.limit_price if limit_price is None else limit_price
        order.stop_price = order.stop_price if stop_price is None else stop_price

    def get_order(self, identifier: str, **keywords: Any) -> Order | None:
        """The order with an identifier, `None` when there is none."""
        for order in reversed(self._driver.all_orders):
            if order.identifier == identifier:
                return order
        return None

    def get_orders(
        self, identifiers: Iterable[str] | None = None, statuses: Any = None, **keywords: Any
    ) -> list[Order]:
        """The orders of the run, ended ones too: with these identifiers, with these statuses."""
        orders = self._driver.all_orders
        if identifiers is not None:
            wanted = set(identifiers)
            orders = [order for order in orders if order.identifier in wanted]
        if statuses is not None:
            known = {str(one) for one in ([statuses] if isinstance(statuses, str) else statuses)}
            if identifiers is None and known <= _WAITING:
                # All that wait are at hand; those that have ended grow without end.
                orders = list(self._driver.waiting.values())
            orders = [order for order in orders if str(order.status) in known]
        return list(orders)

    # Positions

    def get_position(self, asset: AssetLike, **keywords: Any) -> Position | None:
        """What is held of an asset, `None` when flat."""
        driver = self._driver
        return driver.position(asset_of(asset)) if driver.is_live else None

    def get_positions(
        self, include_cash_positions: bool = False, **keywords: Any
    ) -> list[Position]:
        """All positions; with cash, as a position in USD, when asked for."""
        driver = self._driver
        found = []
        if driver.is_live:
            for key, held in driver.positions.items():
                asset = driver.tapes[key].asset
                found.append(Position(self.name, asset, held.quantity, held.entry_price))
        if include_cash_positions:
            found.append(Position(self.name, Asset("USD", "forex"), self.cash))
        return found

    @property
    def positions(self) -> list[Position]:
        """All positions."""
        return self.get_positions()

    def get_tracked_assets(self) -> list[Asset]:
        """The assets that are held or ordered."""
        held = [position.asset for position in self.get_positions()]
        ordered = [order.asset for order in self._driver.waiting.values()]
        return list(dict.fromkeys(held + ordered))

    def get_asset_potential_total(self, asset: AssetLike) -> float:
        """Units held, and those of waiting orders."""
        wanted = asset_of(asset)
        position = self.get_position(wanted)
        total = position.quantity if position is not None else 0.0
        for order in self._driver.waiting.values():
            if order.asset == wanted and order.parent_identifier is None:
                left = float(order.quantity) - order.filled_quantity
                total += left if order.is_buy_order() else -left
        return total

    def get_selling_order(self, position: Position) -> Order | None:
        """The market order that closes a position, `None` when there is nothing to close."""
        return position.get_selling_order() if position.quantity else None

    def sell_all(self, cancel_open_orders: bool = True, is_multileg: bool = False) -> None:
        """Closes every position with a market order, after cancelling what is open."""
        if cancel_open_orders:
            self.cancel_open_orders()
        for position in self.get_positions():
            self._driver.send(position.get_selling_order())

    def close_position(
        self, asset: AssetLike, fraction: float = 1.0, **keywords: Any
    ) -> Order | None:
        """Sends the market order that closes a position or a fraction of it; `None` when flat."""
        if not 0.0 < fraction <= 1.0:
            raise order_error(
                "O344", f"fraction={fraction} is not in (0, 1]", "1.0 closes the whole position"
            )
        position = self.get_position(asset)
        if position is None or not position.quantity:
            return None
        order = position.get_selling_order()
        order.quantity = order.quantity * fraction
        return self._driver.send(order)

    def close_positions(self, assets: Iterable[AssetLike]) -> list[Order | None]:
        """`close_position` for several assets."""
        return [self.close_position(asset) for asset in assets]
