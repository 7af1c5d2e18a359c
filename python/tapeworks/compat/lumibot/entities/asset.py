"""What is traded."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Union

from tapeworks.compat.lumibot._refuse import config_error
from tapeworks.compat.lumibot._words import Word


class Asset:
    """A symbol with what tells it from others: type, expiration, strike, right.

    Two assets are equal when these are; the multiplier does not count, as in Lumibot.

    >>> Asset("SPY") == Asset("spy"), Asset("MES", "cont_future", multiplier=5).multiplier
    (True, 5.0)
    """

    class AssetType(Word):
        """Kinds of assets; options and multi-leg orders are known by name only."""

        STOCK = "stock"
        OPTION = "option"
        FUTURE = "future"
        CRYPTO_FUTURE = "crypto_future"
        CONT_FUTURE = "cont_future"
        FOREX = "forex"
        CRYPTO = "crypto"
        INDEX = "index"
        MULTILEG = "multileg"

    class OptionRight(Word):
        """Sides of an option."""

        CALL = "CALL"
        PUT = "PUT"

    def __init__(
        self,
        symbol: str,
        asset_type: str = "stock",
        expiration: date | None = None,
        strike: float = 0.0,
        right: str | None = None,
        multiplier: float | None = None,
        leverage: int = 1,
        precision: str | None = None,
        underlying_asset: Asset | None = None,
        auto_expiry: str | None = None,
    ) -> None:
        if not isinstance(symbol, str) or not symbol:
            raise config_error(
                "C491", f"Asset symbol {symbol!r} is not text", "give a symbol such as 'SPY'"
            )
        self.symbol = symbol.upper()
        try:
            self.asset_type = Asset.AssetType(asset_type)
        except ValueError:
            words = ", ".join(kind.value for kind in Asset.AssetType)
            raise config_error(
                "C491", f"asset_type={asset_type!r} of {symbol} is not known", f"one of: {words}"
            ) from None
        self.expiration = expiration.date() if isinstance(expiration, datetime) else expiration
        self.strike = strike
        self.right = right
        is_option = self.asset_type is Asset.AssetType.OPTION
        self.multiplier = float(multiplier) if multiplier else (100.0 if is_option else 1.0)
        self.leverage = leverage
        self.precision = precision
        self.underlying_asset = underlying_asset
        self.auto_expiry = auto_expiry
        self._identity = (self.symbol, self.asset_type.value, self.expiration, strike, right)
        self._hash = hash(self._identity)

    @property
    def key(self) -> str:
        """The symbol of the feed: with the expiration where there is one."""
        return self.symbol if self.expiration is None else f"{self.symbol} {self.expiration}"

    @property
    def is_future(self) -> bool:
        """Whether gains are settled instead of the value being paid."""
        return self.asset_type in (
            Asset.AssetType.FUTURE,
            Asset.AssetType.CONT_FUTURE,
            Asset.AssetType.CRYPTO_FUTURE,
        )

    def is_valid(self) -> bool:
        """Whether it can be traded here."""
        return self.asset_type not in (Asset.AssetType.OPTION, Asset.AssetType.MULTILEG)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and self._identity == other._identity

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self.key

    def __repr__(self) -> str:
        return f"Asset({self.key!r}, {self.asset_type.value!r})"


# How an asset may be written in calls: itself, its symbol, or (base, quote).
AssetLike = Union[Asset, str, "tuple[Asset, Asset]"]


def asset_of(given: Any) -> Asset:
    """The asset of a call's argument; of a pair its base.

    Raises `ConfigError` `TW-C491` for anything that is no asset.
    """
    if isinstance(given, Asset):
        return given
    if isinstance(given, str):
        return Asset(given)
    if isinstance(given, tuple) and given and isinstance(given[0], Asset):
        return given[0]
    raise config_error(
        "C491",
        f"{given!r} is no asset",
        "give an Asset, a symbol, or a pair (base, quote) of assets",
    )
