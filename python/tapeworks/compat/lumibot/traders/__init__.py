"""What runs strategies."""

from tapeworks.compat.lumibot.traders.trader import Trader

__all__ = ["Trader"]
