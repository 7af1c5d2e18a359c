"""Lumibot's fees as one commission of the engine."""

from __future__ import annotations

from collections.abc import Sequence

from tapeworks._native import Commission
from tapeworks.compat.lumibot.entities.trading_fee import TradingFee

_Fees = Sequence[TradingFee]


def commission_of(buy: _Fees, sell: _Fees) -> Commission | None:
    """What both sides pay, `None` for nothing.

    Fees that are the same for all orders become a built-in commission; others a function that is
    called for each fill. A limit order that fills at a better open takes liquidity, so it pays a
    taker's fee here and a maker's in Lumibot.
    """
    if not buy and not sell:
        return None
    if [_numbers(fee) for fee in buy] == [_numbers(fee) for fee in sell] and all(
        fee.maker and fee.taker for fee in buy
    ):
        return _built_in(buy)

    def fee_of(quantity: float, price: float, side: str, maker: bool) -> float:
        total = 0.0
        for fee in buy if side == "buy" else sell:
            if fee.maker if maker else fee.taker:
                flat, share, unit = _numbers(fee)[:3]
                total += flat + price * quantity * share + quantity * unit
        return total

    return Commission.custom(fee_of)


def _numbers(fee: TradingFee) -> tuple[float, float, float, bool, bool]:
    return (
        float(fee.flat_fee),
        float(fee.percent_fee),
        float(fee.per_contract_fee),
        fee.maker,
        fee.taker,
    )


def _built_in(fees: _Fees) -> Commission:
    parts = []
    for fee in fees:
        flat, share, unit, _, _ = _numbers(fee)
        if flat:
            parts.append(Commission.per_fill(flat))
        if share:
            parts.append(Commission.percent(bps=share * 1e4))
        if unit:
            parts.append(Commission.per_share(unit, scope="fill"))
    return Commission.combined(*parts) if parts else Commission.none()
