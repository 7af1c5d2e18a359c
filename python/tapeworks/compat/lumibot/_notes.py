"""What a strategy writes down: messages, markers, lines. Nothing of it reaches the trading."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

_LOGGER = logging.getLogger("tapeworks.compat.lumibot")


class Notes:
    """Messages go to the logger `tapeworks.compat.lumibot`; markers and lines are kept."""

    logger = _LOGGER
    _markers: list[dict[str, Any]]
    _lines: list[dict[str, Any]]
    _candles: list[dict[str, Any]]

    def get_datetime(self, adjust_for_delay: bool = False) -> datetime:
        """The present."""
        # Declared for the notes below; the strategy inherits the clock from its market view first.
        raise NotImplementedError

    def log_message(self, message: Any, color: str | None = None, broadcast: bool = False) -> Any:
        """Logs a message at level INFO and gives it back; colours are left to the logger."""
        if _LOGGER.isEnabledFor(logging.INFO):
            _LOGGER.info("%s | %s", self.get_datetime(), message)
        return message

    def add_marker(
        self, name: str, value: float | None = None, *args: Any, **keywords: Any
    ) -> None:
        """Keeps a marker with its time."""
        self._markers.append(self._note(name, value, ("color", "symbol", "size"), args, keywords))

    def add_line(self, name: str, value: float | None = None, *args: Any, **keywords: Any) -> None:
        """Keeps a point of a line with its time."""
        self._lines.append(self._note(name, value, ("color", "style", "width"), args, keywords))

    def add_ohlc(self, name: str, *args: Any, **keywords: Any) -> None:
        """Keeps a candle with its time."""
        self._candles.append(
            self._note(name, None, ("open", "high", "low", "close"), args, keywords)
        )

    def get_markers_df(self) -> Any:
        """The markers as a pandas frame."""
        return _frame(self._markers)

    def get_lines_df(self) -> Any:
        """The points of lines as a pandas frame."""
        return _frame(self._lines)

    def get_ohlc_df(self) -> Any:
        """The candles as a pandas frame."""
        return _frame(self._candles)

    def _note(
        self,
        name: str,
        value: float | None,
        order: tuple[str, ...],
        args: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> dict[str, Any]:
        when = keywords.pop("dt", None) or self.get_datetime()
        return {
            "datetime": when,
            "name": name,
            "value": value,
            **dict(zip(order, args, strict=False)),
            **keywords,
        }


def _frame(rows: list[dict[str, Any]]) -> Any:
    import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

    return pd.DataFrame(rows)
