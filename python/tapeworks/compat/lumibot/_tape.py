"""The rows of one asset, of which a strategy sees those that have ended."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tapeworks.compat.lumibot._refuse import config_error

if TYPE_CHECKING:
    from tapeworks.compat.lumibot.entities.asset import Asset

PRICES = ("open", "high", "low", "close", "volume")
COLUMNS = (*PRICES, "return")
NEW_YORK = "America/New_York"
MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS


class Tape:
    """Bars in time order; `matrix` is (n_rows, 6), columns as in `COLUMNS`.

    `start` and `end` are nanoseconds since 1970 UTC: a row covers [start, end) and is known at
    `end`. `label` is the time that frames show, the start or, for days, midnight in New York.
    """

    copies_on_write = False

    def __init__(
        self,
        asset: Asset,
        label: NDArray[np.int64],
        start: NDArray[np.int64],
        end: NDArray[np.int64],
        prices: NDArray[np.float64],
        step_ns: int,
        is_daily: bool,
    ) -> None:
        self.asset = asset
        self.label = label
        self.start = start
        self.starts: list[int] = start.tolist()
        self.ends: list[int] = end.tolist()
        self.step_ns = step_ns
        self.is_daily = is_daily
        close = prices[:, 3]
        change = np.full(len(close), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            change[1:] = (close[1:] - close[:-1]) / close[:-1]
        self.matrix: NDArray[np.float64] = np.column_stack((prices, change))
        self.matrix.flags.writeable = False
        self.n_seen = 0
        self.index: Any = None
        self.frame: Any = None
        self.coarser: dict[int, Tape] = {}

    def __len__(self) -> int:
        return len(self.ends)

    def seen(self, now: int) -> int:
        """How many rows have ended at `now`; `now` never goes back within a run."""
        ends, n = self.ends, self.n_seen
        if n < len(ends) and ends[n] <= now:
            # The next row is the usual case; a jump is searched for.
            n += 1
            if n < len(ends) and ends[n] <= now:
                n = bisect_right(ends, now, n)
            self.n_seen = n
        return n

    def rewind(self) -> None:
        """Back to the first row, for another run."""
        self.n_seen = 0
        for tape in self.coarser.values():
            tape.rewind()

    def close(self, now: int) -> float | None:
        """The last close that is known, `None` before the first row."""
        n = self.seen(now)
        return float(self.matrix[n - 1, 3]) if n else None

    def price_at_open(self, now: int) -> float | None:
        """What Lumibot calls the last price: the open of a row that starts now, else the close."""
        n = self.seen(now)
        if n < len(self.starts) and self.starts[n] <= now:
            return float(self.matrix[n, 0])
        return float(self.matrix[n - 1, 3]) if n else None

    def frame_index(self) -> Any:
        """The labels as a pandas index in New York time, made once."""
        if self.index is None:
            import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

            stamps = self.label.astype("datetime64[ns]")
            index = pd.DatetimeIndex(stamps, tz="UTC", name="datetime")
            self.index = index.tz_convert(NEW_YORK)
        return self.index

    def whole_frame(self) -> Any:
        """All rows as a pandas frame, made once; what is handed out are rows of it."""
        import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

        # Names as objects: pandas looks names up in its own strings far more slowly.
        names = pd.Index(COLUMNS, dtype=object)
        self.frame = pd.DataFrame(self.matrix, self.frame_index(), names, copy=False)
        self.copies_on_write = int(pd.__version__.split(".")[0]) >= 3
        return self.frame

    def in_steps_of(self, step_ns: int) -> Tape:
        """The same rows put together; a bar is known when its whole window has passed.

        Windows of the day begin at midnight in New York. Raises `ConfigError` `TW-C493` when the
        rows are coarser than `step_ns` or do not fill it evenly.
        """
        if step_ns == self.step_ns:
            return self
        found = self.coarser.get(step_ns)
        if found is None:
            if self.is_daily or step_ns % self.step_ns or DAY_NS % step_ns:
                raise config_error(
                    "C493",
                    f"{self.asset}: rows of {told(self.step_ns)} make no bars of {told(step_ns)}",
                    "ask for whole multiples of the rows that divide a day, or give finer data",
                )
            found = self.coarser[step_ns] = _put_together(self, step_ns)
        return found


def told(step_ns: int) -> str:
    """A duration in words, such as "5 minutes"."""
    for unit_ns, name in ((DAY_NS, "day"), (HOUR_NS, "hour"), (MINUTE_NS, "minute")):
        if step_ns % unit_ns == 0:
            n = step_ns // unit_ns
            return f"{n} {name}{'s' if n > 1 else ''}"
    return f"{step_ns / 10**9:g} seconds"


def _put_together(tape: Tape, step_ns: int) -> Tape:
    index = tape.frame_index().as_unit("ns")
    midnight = index.normalize()
    since = tape.start - midnight.asi8
    label = midnight.asi8 + since // step_ns * step_ns
    first = np.flatnonzero(np.r_[True, label[1:] != label[:-1]])
    last = np.r_[first[1:], len(label)] - 1
    if step_ns == DAY_NS:
        # The day ends with the date, whatever the clocks do in between.
        import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

        known = (midnight[first] + pd.DateOffset(days=1)).asi8
    else:
        # A row that reaches the end of the window, or lies behind it, says that it is complete.
        ends = np.asarray(tape.ends, dtype=np.int64)
        reached = np.searchsorted(ends, label[first] + step_ns)
        known = np.r_[ends, np.iinfo(np.int64).max][reached]
    rows = tape.matrix
    prices = np.column_stack(
        (
            rows[first, 0],
            np.maximum.reduceat(rows[:, 1], first),
            np.minimum.reduceat(rows[:, 2], first),
            rows[last, 3],
            np.add.reduceat(rows[:, 4], first),
        )
    )
    return Tape(tape.asset, label[first], tape.start[first], known, prices, step_ns, False)
