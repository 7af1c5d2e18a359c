"""What a broker charges, in Lumibot's words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


class TradingFee:
    """A fee of each fill: currency a fill, a fraction of its value, currency a unit.

    `maker` applies it to limit orders, `taker` to market and stop orders.
    """

    def __init__(
        self,
        flat_fee: Any = 0.0,
        percent_fee: Any = 0.0,
        per_contract_fee: Any = 0.0,
        maker: bool = True,
        taker: bool = True,
    ) -> None:
        self.flat_fee = Decimal(str(flat_fee))
        self.percent_fee = Decimal(str(percent_fee))
        self.per_contract_fee = Decimal(str(per_contract_fee))
        self.maker = maker
        self.taker = taker

    def __repr__(self) -> str:
        return (
            f"TradingFee(flat_fee={self.flat_fee}, percent_fee={self.percent_fee}, "
            f"per_contract_fee={self.per_contract_fee}, maker={self.maker}, taker={self.taker})"
        )
