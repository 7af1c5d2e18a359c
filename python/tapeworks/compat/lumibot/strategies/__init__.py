"""The base class of strategies."""

from tapeworks.compat.lumibot.strategies.strategy import Strategy

__all__ = ["Strategy"]
