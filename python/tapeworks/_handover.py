"""Tables of a run laid out as other libraries take them; nothing is computed here but layout.

`Result.to_pyfolio` and its neighbours call these with tables whose numbers the engine has made.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

    from tapeworks._native import Table


class Pyfolio(NamedTuple):
    """What pyfolio takes; it unpacks to `returns, positions, transactions`."""

    returns: pd.Series
    positions: pd.DataFrame
    transactions: pd.DataFrame


class Alphalens(NamedTuple):
    """What alphalens takes; it unpacks to `factor, prices`."""

    factor: pd.Series
    prices: pd.DataFrame


class Ml4t(NamedTuple):
    """What ml4t-diagnostic takes; it unpacks to `trades, returns`."""

    trades: list[Any]
    returns: pd.Series


def quantstats(sessions: Table) -> pd.Series:
    """Returns by session, dates without a zone; NaN once the account is ruined."""
    pd = _pandas()
    index = pd.DatetimeIndex(sessions.to_numpy("session"), name="date")
    return pd.Series(sessions.to_numpy("daily_return").copy(), index=index, name="returns")


def pyfolio(sessions: Table, holdings: Table, fills: Table, trades: Table) -> Pyfolio:
    """Returns, values of positions and transactions; days are at midnight UTC."""
    pd = _pandas()
    returns = quantstats(sessions).tz_localize("UTC")
    held = pd.DataFrame(
        {name: holdings.to_numpy(name) for name in ("session", "symbol", "value")}, copy=True
    )
    _refuse_cash(held["symbol"])
    values = held.pivot(index="session", columns="symbol", values="value")
    values.index = pd.DatetimeIndex(values.index, tz="UTC")
    values = values.reindex(returns.index).astype("float64").fillna(0.0)
    values.columns.name = None
    values["cash"] = sessions.to_numpy("equity") - values.sum(axis=1)
    units = dict(zip(trades.to_numpy("symbol"), trades.to_numpy("multiplier"), strict=True))
    symbols = fills.to_numpy("symbol")
    bought = fills.to_numpy("side") == "buy"
    amounts = fills.to_numpy("quantity") * (2.0 * bought - 1.0)
    transactions = pd.DataFrame(
        {
            "amount": [amount * units[symbol] for amount, symbol in zip(amounts, symbols)],
            "price": fills.to_numpy("price").copy(),
            "symbol": symbols,
        },
        index=pd.DatetimeIndex(fills.to_numpy("timestamp"), tz="UTC", name="date"),
    )
    return Pyfolio(returns, values, transactions)


def alphalens(rows: Table, name: str) -> Alphalens:
    """The factor by date and asset, and the closes with a column an asset."""
    pd = _pandas()
    frame = pd.DataFrame({"asset": rows.to_numpy("symbol"), "date": rows.to_numpy("session")})
    if frame.duplicated().any():
        frame["date"] = rows.to_numpy("timestamp")
    frame["date"] = pd.DatetimeIndex(frame["date"], tz="UTC")
    index = pd.MultiIndex.from_frame(frame[["date", "asset"]])
    factor = pd.Series(rows.to_numpy("factor").copy(), index=index, name=name)
    close = pd.Series(rows.to_numpy("close").copy(), index=index)
    return Alphalens(factor.dropna(), close.unstack("asset"))


def ml4t(sessions: Table, trades: Table) -> Ml4t:
    """Completed trades as `TradeRecord`, and the returns by session."""
    pd = _pandas()
    try:
        contract = importlib.import_module("ml4t.diagnostic.integration.backtest_contract")
    except ImportError:
        raise ImportError(
            "ml4t-diagnostic is not installed\nhint: pip install ml4t-diagnostic (Python 3.12)"
        ) from None
    columns = {name: trades.to_numpy(name) for name in trades.columns}
    records = []
    for i in range(len(trades)):
        if columns["status"][i] == "open":
            continue
        entry = pd.Timestamp(columns["entry_timestamp"][i], tz="UTC")
        exit_ = pd.Timestamp(columns["exit_timestamp"][i], tz="UTC")
        pnl = float(columns["pnl_net"][i])
        records.append(
            contract.TradeRecord(
                timestamp=exit_,
                symbol=columns["symbol"][i],
                entry_price=float(columns["entry_price"][i]),
                exit_price=float(columns["exit_price"][i]),
                pnl=pnl,
                duration=exit_ - entry,
                direction=columns["side"][i],
                quantity=float(columns["exit_quantity"][i]),
                multiplier=float(columns["multiplier"][i]),
                entry_timestamp=entry,
                fees=float(columns["pnl_gross"][i]) - pnl,
                metadata={"exit_reason": columns["exit_reason"][i]},
            )
        )
    return Ml4t(records, quantstats(sessions))


def _refuse_cash(symbols: Any) -> None:
    """A symbol named cash would be taken for the money."""
    if (symbols == "cash").any():
        from tapeworks._native import ConfigError

        error = ConfigError(
            "pyfolio keeps the column 'cash' for money, and a symbol has that name\n"
            "hint: rename the symbol in the data"
        )
        error.code = "TW-C474"
        error.hint = "rename the symbol in the data"
        raise error


def _pandas() -> Any:
    try:
        import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise ImportError(
            "pandas is not installed\nhint: pip install 'tapeworks[pandas]'"
        ) from None
    return pandas
