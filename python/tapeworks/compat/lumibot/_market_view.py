"""What a strategy may ask about the market: the time, last prices, past bars."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tapeworks.compat.lumibot._driver import Driver
from tapeworks.compat.lumibot._refuse import config_error, look_ahead_error
from tapeworks.compat.lumibot._tape import DAY_NS, HOUR_NS, MINUTE_NS, NEW_YORK, Tape
from tapeworks.compat.lumibot.entities.asset import Asset, AssetLike, asset_of
from tapeworks.compat.lumibot.entities.bars import Bars

_ZONE = ZoneInfo(NEW_YORK)
_STEP = re.compile(r"^\s*(\d*)\s*([a-z]+)\s*$")
_UNITS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "t"), MINUTE_NS),
    **dict.fromkeys(("h", "hr", "hour", "hours"), HOUR_NS),
    **dict.fromkeys(("d", "day", "days"), DAY_NS),
}
# Timesteps that were read before; a strategy asks for the same ones again and again.
_STEPS: dict[str, int] = {"": 0}


class MarketView:
    """Times are those of New York, as in Lumibot; bars are those that have ended."""

    _driver: Driver
    _peer_price = False

    def get_datetime(self, adjust_for_delay: bool = False) -> datetime:
        """The present: the instant of the market's clock at which the hook is called."""
        return datetime.fromtimestamp(self._driver.now / 1e9, _ZONE)

    def get_timestamp(self) -> float:
        """The present in seconds since 1970 UTC."""
        return self._driver.now / 1e9

    @property
    def timezone(self) -> str:
        """The name of the zone of all times."""
        return NEW_YORK

    @property
    def pytz(self) -> ZoneInfo:
        """The zone of all times, for `astimezone`."""
        return _ZONE

    def localize_datetime(self, dt: datetime) -> datetime:
        """A time without a zone, taken for one of New York."""
        return dt.replace(tzinfo=_ZONE)

    def to_default_timezone(self, dt: datetime) -> datetime:
        """A time in the zone of New York."""
        return dt.astimezone(_ZONE)

    def get_round_minute(self, timeshift: int = 0) -> datetime:
        """The start of this minute, `timeshift` minutes ago."""
        now = self.get_datetime().replace(second=0, microsecond=0)
        return now - timedelta(minutes=timeshift)

    def get_last_minute(self) -> datetime:
        """The start of the minute before."""
        return self.get_round_minute(1)

    def get_round_day(self, timeshift: int = 0) -> datetime:
        """The start of this day, `timeshift` days ago."""
        now = self.get_datetime().replace(hour=0, minute=0, second=0, microsecond=0)
        return now - timedelta(days=timeshift)

    def get_last_day(self) -> datetime:
        """The start of the day before."""
        return self.get_round_day(1)

    def get_last_price(
        self, asset: AssetLike, quote: Asset | None = None, exchange: str | None = None
    ) -> float | None:
        """The last price that is known, `None` before the first row or without data.

        It is the close of the last row that has ended. Lumibot gives the open of the row that is
        about to begin, which is the price at which it then fills; so does
        `backtest(last_price="next_open")`, for comparing.
        """
        tape = self._tape(asset)
        if tape is None:
            return None
        now = self._driver.now
        return tape.price_at_open(now) if self._peer_price else tape.close(now)

    def get_last_prices(
        self, assets: Iterable[AssetLike], quote: Asset | None = None, exchange: str | None = None
    ) -> dict[Any, float | None]:
        """`get_last_price` of several assets, by asset as given."""
        return {asset: self.get_last_price(asset) for asset in assets}

    def get_historical_prices(
        self,
        asset: AssetLike,
        length: int,
        timestep: str = "",
        timeshift: int | timedelta | None = None,
        quote: Asset | None = None,
        exchange: str | None = None,
        include_after_hours: bool = True,
        return_polars: bool = False,
        minimum_bars: int | None = None,
    ) -> Bars | None:
        """The last `length` completed bars, fewer when there are fewer, `None` without any.

        `timestep` is the step of the data when left out, or "minute", "5 minutes", "1h", "day":
        coarser bars are put together from rows, from the first to the last of their window, and
        seen once the window has passed. `timeshift` leaves out the newest bars (a number of them,
        or a duration).

        Raises `LookAheadError` `TW-L140` for a negative `timeshift`, which asks for the future, and
        `ConfigError` `TW-C493` for bars that the rows cannot make.
        """
        tape = self._tape(asset)
        if tape is None:
            return None
        step_ns = _STEPS.get(timestep)
        if step_ns is None:
            step_ns = _STEPS[timestep] = _step_of(timestep)
        if step_ns and step_ns != tape.step_ns:
            tape = tape.in_steps_of(step_ns)
        n = tape.seen(self._driver.now)
        if timeshift:
            n -= _rows_of(timeshift, tape.step_ns)
        if n <= 0 or length < 1:
            return None
        return Bars(tape, n - length if n > length else 0, n, quote)

    def get_historical_prices_for_assets(
        self,
        assets: Iterable[AssetLike],
        length: int,
        timestep: str = "",
        timeshift: int | timedelta | None = None,
        **keywords: Any,
    ) -> dict[Any, Bars | None]:
        """`get_historical_prices` of several assets, by asset as given."""
        return {
            asset: self.get_historical_prices(asset, length, timestep, timeshift, **keywords)
            for asset in assets
        }

    def _tape(self, asset: AssetLike) -> Tape | None:
        tapes = self._driver.tapes or self._driver.look()
        if type(asset) is str:
            found = tapes.get(asset)
            if found is not None:
                return found
        return tapes.get(asset_of(asset).key)


def _step_of(timestep: str) -> int:
    """Nanoseconds of a timestep such as "5 minutes"; 0 for the step of the data."""
    if not timestep:
        return 0
    match = _STEP.match(timestep.lower())
    unit = _UNITS.get(match.group(2)) if match else None
    if match is None or unit is None:
        raise config_error(
            "C493",
            f"timestep={timestep!r} is not known",
            'a number of minutes or hours, or a day: "minute", "5 minutes", "1h", "day"',
        )
    return int(match.group(1) or 1) * unit


def _rows_of(timeshift: int | timedelta, step_ns: int) -> int:
    """How many of the newest bars a timeshift leaves out."""
    if isinstance(timeshift, timedelta):
        rows = int(timeshift.total_seconds() * 1e9 // step_ns)
    else:
        rows = int(timeshift)
    if rows < 0:
        raise look_ahead_error(
            "L140",
            f"timeshift={timeshift!r} asks for bars after the present",
            "shift by a positive number of bars, into the past",
        )
    return rows
