"""A frame of bars with what Lumibot wants to know about it."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from tapeworks.compat.lumibot._refuse import config_error
from tapeworks.compat.lumibot.entities.asset import Asset, AssetLike, asset_of

TIMESTEPS = ("minute", "hour", "day")


class Data:
    """Bars of one asset, stamped at their start: a pandas or polars frame.

    Columns open, high, low, close and, where known, volume, in any case; times are the index or a
    column datetime, date, time or timestamp. Times without a zone are those of New York, as in
    Lumibot, or of `timezone`.
    """

    def __init__(
        self,
        asset: AssetLike,
        df: Any,
        date_start: datetime | None = None,
        date_end: datetime | None = None,
        trading_hours_start: time = time(0, 0),
        trading_hours_end: time = time(23, 59),
        timestep: str = "minute",
        quote: Asset | None = None,
        timezone: str | None = None,
    ) -> None:
        if timestep not in TIMESTEPS:
            raise config_error(
                "C492", f"timestep={timestep!r} of {asset} is not known", "minute, hour or day"
            )
        self.asset = asset_of(asset)
        self.symbol = self.asset.symbol
        self.df = df
        self.date_start = date_start
        self.date_end = date_end
        self.trading_hours_start = trading_hours_start
        self.trading_hours_end = trading_hours_end
        self.timestep = timestep
        self.quote = quote
        self.timezone = timezone
