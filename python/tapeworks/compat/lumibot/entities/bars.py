"""A window of past bars with the faces of pandas and polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tapeworks.compat.lumibot._tape import COLUMNS, NEW_YORK

if TYPE_CHECKING:
    from tapeworks.compat.lumibot._tape import Tape
    from tapeworks.compat.lumibot.entities.asset import Asset


class Bars:
    """Completed bars, oldest first; a frame is made when it is asked for, and kept.

    Frames have Lumibot's layout: index (polars: column) `datetime`, the start of each bar in New
    York time, then open, high, low, close, volume and `return`, the change of the close against
    the bar before. `bars["close"]` is a read-only numpy view without any copy.

    Missing: volume is NaN where unknown, `return` is NaN for the first bar there is.
    """

    __slots__ = ("_from", "_pandas", "_polars", "_tape", "_to", "quote")
    source = "PANDAS"

    def __init__(self, tape: Tape, first: int, after: int, quote: Asset | None = None) -> None:
        self._tape = tape
        self._from = first
        self._to = after
        self.quote = quote
        self._pandas: Any = None
        self._polars: Any = None

    @property
    def asset(self) -> Asset:
        """The asset of the bars."""
        return self._tape.asset

    @property
    def symbol(self) -> str:
        """The symbol of the bars."""
        return self._tape.asset.symbol

    def __len__(self) -> int:
        return self._to - self._from

    @property
    def empty(self) -> bool:
        """Whether there are no bars; never, such a window is `None`."""
        return self._to == self._from

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        """One column as a read-only view; `KeyError` when there is none of that name."""
        try:
            at = COLUMNS.index(column)
        except ValueError:
            raise KeyError(f"{column!r}; there are: {', '.join(COLUMNS)}") from None
        return self._tape.matrix[self._from : self._to, at]

    @property
    def pandas_df(self) -> Any:
        """A pandas frame of its own, which may be changed."""
        if self._pandas is None:
            tape = self._tape
            whole = tape.frame if tape.frame is not None else tape.whole_frame()
            # Rows of a frame are its own once it is written to; older pandas copies at once.
            rows = whole[self._from : self._to]
            self._pandas = rows if tape.copies_on_write else rows.copy()
        return self._pandas

    @property
    def df(self) -> Any:
        """The pandas frame, as in Lumibot."""
        return self.pandas_df

    @df.setter
    def df(self, frame: Any) -> None:
        self._pandas = frame

    @property
    def polars_df(self) -> Any:
        """A polars frame with a column `datetime`."""
        if self._polars is None:
            import polars as pl  # type: ignore[import-untyped, import-not-found, unused-ignore]

            rows = slice(self._from, self._to)
            stamps = pl.Series("datetime", self._tape.label[rows]).cast(pl.Datetime("ns", "UTC"))
            columns = {name: self._tape.matrix[rows, i] for i, name in enumerate(COLUMNS)}
            frame = pl.DataFrame({"datetime": stamps, **columns})
            zoned = pl.col("datetime").dt.convert_time_zone(NEW_YORK)
            self._polars = frame.with_columns(zoned)
        return self._polars

    def get_last_price(self) -> float:
        """The close of the last bar."""
        return float(self._tape.matrix[self._to - 1, 3])

    def get_momentum(self, num_periods: int = 1) -> float:
        """The change of the close over the last `num_periods` bars, as a fraction; NaN if fewer."""
        close = self["close"]
        if len(close) <= num_periods:
            return float("nan")
        return float(close[-1] / close[-1 - num_periods] - 1.0)

    def get_total_volume(self, start: Any = None, end: Any = None) -> float:
        """The volume of the bars from `start` to `end`, both included."""
        return float(self.filter(start, end)["volume"].sum())

    def filter(self, start: Any = None, end: Any = None) -> Any:
        """The rows of the pandas frame from `start` to `end`, both included."""
        return self.pandas_df.loc[start:end]

    def aggregate_bars(self, frequency: str, **grouper: Any) -> Any:
        """The bars put together by a pandas frequency such as "15min", as a pandas frame."""
        rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        return self.pandas_df.resample(frequency, **grouper).agg(rules).dropna()

    def __repr__(self) -> str:
        return repr(self.pandas_df)

    def _repr_html_(self) -> str:
        return str(self.pandas_df._repr_html_())
