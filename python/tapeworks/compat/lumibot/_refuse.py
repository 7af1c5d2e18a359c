"""What cannot be had here, each with its reason and a way on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tapeworks._native import ConfigError, Error, LookAheadError, OrderError

_LIVE = "it waits on a wall clock or a live connection, and a backtest has neither"
_NETWORK = "it fetches data over a network, and a backtest has to be repeatable"
_OPTIONS = "options are not simulated: there are no chains, greeks or exercises"

# Methods of a Lumibot strategy that are refused when called: (reason, what to do).
REFUSED: dict[str, tuple[str, str]] = {
    "sleep": (_LIVE, "set self.sleeptime in initialize()"),
    "wait_for_order_registration": (_LIVE, "orders are registered when submit_order returns"),
    "wait_for_order_execution": (
        "inside one call no time passes, so no order can fill while it waits",
        "act in on_filled_order(), or look at order.is_filled() in the next iteration",
    ),
    "wait_for_orders_registration": (_LIVE, "orders are registered when submit_orders returns"),
    "wait_for_orders_execution": (
        "inside one call no time passes, so no order can fill while it waits",
        "act in on_filled_order(), or look at order.is_filled() in the next iteration",
    ),
    "await_market_to_open": (_LIVE, "use before_market_opens() or before_starting_trading()"),
    "await_market_to_close": (_LIVE, "use before_market_closes() or after_market_closes()"),
    "start_realtime_bars": (_LIVE, "use get_historical_prices()"),
    "get_realtime_bars": (_LIVE, "use get_historical_prices()"),
    "cancel_realtime_bars": (_LIVE, "use get_historical_prices()"),
    "register_cron_callback": (_LIVE, "look at self.get_datetime() in on_trading_iteration()"),
    "run_live": (_LIVE, "trade live with Lumibot itself; the strategy is the same"),
    "get_quote": ("bars carry no bid and ask", "use get_last_price()"),
    "get_quotes": ("bars carry no bid and ask", "use get_last_prices()"),
    "get_tick": ("bars carry no ticks", "use get_last_price()"),
    "load_pandas": ("data is fixed before a run", "give it as pandas_data="),
    "get_chains": (_OPTIONS, "run option strategies with Lumibot"),
    "get_chain": (_OPTIONS, "run option strategies with Lumibot"),
    "get_chain_full_info": (_OPTIONS, "run option strategies with Lumibot"),
    "get_greeks": (_OPTIONS, "run option strategies with Lumibot"),
    "get_strikes": (_OPTIONS, "run option strategies with Lumibot"),
    "get_expiration": (_OPTIONS, "run option strategies with Lumibot"),
    "get_multiplier": (_OPTIONS, "set Asset(..., multiplier=) of the data"),
    "get_option_expiration_after_date": (_OPTIONS, "run option strategies with Lumibot"),
    "get_yesterday_dividend": (
        "dividends are booked by the engine, not polled",
        "give a tw.DataFeed with actions=; the result has a column dividends",
    ),
    "get_yesterday_dividends": (
        "dividends are booked by the engine, not polled",
        "give a tw.DataFeed with actions=; the result has a column dividends",
    ),
    "adjust_cash": ("cash that a strategy invents is no return", "give flows= to backtest()"),
    "deposit_cash": ("cash that a strategy invents is no return", "give flows= to backtest()"),
    "withdraw_cash": ("cash that a strategy invents is no return", "give flows= to backtest()"),
    "configure_cash_financing": (
        "interest is a term of the account",
        "give account=tw.Account.margin(credit_rate=, debit_rate=)",
    ),
    "send_discord_message": (_NETWORK, "use log_message()"),
    "send_email": (_NETWORK, "use log_message()"),
    "send_slack_message": (_NETWORK, "use log_message()"),
    "notify": (_NETWORK, "use log_message()"),
    "get_bars": ("Lumibot has removed it", "use get_historical_prices_for_assets()"),
    "get_symbol_bars": ("Lumibot has removed it", "use get_historical_prices()"),
    "tearsheet": ("the report of a run takes its place", "use result.report('report.html')"),
}


def _made(error: Error, code: str, hint: str) -> Any:
    error.code = f"TW-{code}"
    error.hint = hint
    return error


def config_error(code: str, message: str, hint: str) -> ConfigError:
    """A `ConfigError` with its stable code and a way on."""
    made: ConfigError = _made(ConfigError(f"TW-{code}: {message}\nhint: {hint}"), code, hint)
    return made


def order_error(code: str, message: str, hint: str) -> OrderError:
    """An `OrderError` with its stable code and a way on."""
    made: OrderError = _made(OrderError(f"TW-{code}: {message}\nhint: {hint}"), code, hint)
    return made


def look_ahead_error(code: str, message: str, hint: str) -> LookAheadError:
    """A `LookAheadError` with its stable code and a way on."""
    error = LookAheadError(f"TW-{code}: {message}\nhint: {hint}")
    made: LookAheadError = _made(error, code, hint)
    return made


def refusal(name: str) -> Callable[..., NoReturn]:
    """A method that raises `ConfigError` `TW-C490` with the reason of `REFUSED[name]`."""
    reason, hint = REFUSED[name]

    def refused(*args: object, **keywords: object) -> NoReturn:
        raise config_error("C490", f"{name}() is not part of a backtest here: {reason}", hint)

    refused.__name__ = name
    refused.__doc__ = f"Refused: {reason}; {hint}."
    return refused


def refuse_unknown(function: str, known: Iterable[str], given: Iterable[str]) -> None:
    """Raises `TypeError` for the first keyword that a function does not have."""
    known = list(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            tail = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{function}() has no argument {name!r}{tail}")
