"""What is held of an asset."""

from __future__ import annotations

from typing import Any

from tapeworks.compat.lumibot.entities.asset import Asset
from tapeworks.compat.lumibot.entities.order import Order


class Position:
    """Units of an asset as they stand now; negative when short."""

    __slots__ = ("asset", "avg_fill_price", "quantity", "strategy", "symbol")

    def __init__(
        self, strategy: Any, asset: Asset, quantity: float, avg_fill_price: float | None = None
    ) -> None:
        self.strategy = strategy
        self.asset = asset
        self.symbol = asset.symbol
        self.quantity = quantity
        self.avg_fill_price = avg_fill_price

    @property
    def available(self) -> float:
        """Units that may be sold; all of them."""
        return self.quantity

    @property
    def hold(self) -> float:
        """Units that are locked; none."""
        return 0.0

    def get_selling_order(self, quote_asset: Asset | None = None) -> Order:
        """The market order that closes it."""
        side = "sell" if self.quantity >= 0 else "buy"
        return Order(self.strategy, self.asset, abs(self.quantity), side, quote=quote_asset)

    def __repr__(self) -> str:
        return f"{self.strategy} Position: {self.quantity} shares of {self.asset}"
