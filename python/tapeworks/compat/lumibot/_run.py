"""From the arguments of a backtest to its result."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tapeworks import _native as native
from tapeworks._native import Account, DataFeed, Instrument, Result
from tapeworks.compat.lumibot._fees import commission_of
from tapeworks.compat.lumibot._frames import feed_of, tapes_of
from tapeworks.compat.lumibot._refuse import config_error, refuse_unknown
from tapeworks.compat.lumibot._schedule import (
    Hours,
    check_sleeptime,
    hang,
    instants,
    market_calendar,
    sleeptime_ns,
)
from tapeworks.compat.lumibot._tape import DAY_NS, NEW_YORK, Tape

if TYPE_CHECKING:
    from tapeworks.compat.lumibot.strategies.strategy import Strategy

# Lumibot's rules of matching, with those that flatter replaced; see docs/lumibot.md.
SEMANTICS: dict[str, str | bool | float] = {
    "base": "lumibot",
    "cash_check": "at_fill",
    "short_cash": "margin",
    "trail_percent": "best",
    "fee_on_trailing": True,
    "fee_base": "notional",
}
# The market of a strategy that names none, as in Lumibot.
MARKET = "NASDAQ"
# How far a row may lie before the first iteration for its symbol to count as listed.
_LISTED_NS = 10 * DAY_NS
_FUTURES_RATE = 0.1

_OF_STRATEGY = (
    "minutes_before_closing", "minutes_before_opening", "minutes_after_closing", "name", "budget",
    "parameters", "buy_trading_fees", "sell_trading_fees", "quote_asset",
)  # fmt: skip
_OF_ENGINE = (
    "account", "commission", "slippage", "impact", "participation", "stop_slippage", "semantics",
    "rules", "limits", "instruments", "flows", "funding", "rolls", "snapshot", "on_reject", "seed",
    "out", "progress",
)  # fmt: skip
_OURS = ("pandas_data", "last_price", "sleeptime")
# What Lumibot draws, saves and fetches besides; a result does it on request.
_LEFT_ALONE = (
    "stats_file", "risk_free_rate", "logfile", "config", "auto_adjust", "benchmark_asset",
    "analyze_backtest", "plot_file_html", "trades_file", "settings_file", "show_plot",
    "tearsheet_file", "tearsheet_metrics_file", "save_tearsheet", "show_tearsheet",
    "indicators_file", "show_indicators", "save_logfile", "use_quote_data", "show_progress_bar",
    "quiet_logs", "trader_class", "include_cash_positions", "save_stats_file", "polygon_api_key",
    "thetadata_username", "thetadata_password", "use_other_option_source", "logfile",
)  # fmt: skip
_REFUSED = ("starting_positions", "buy_trading_slippages", "sell_trading_slippages")


@dataclass
class Terms:
    """The arguments of a backtest, read once."""

    source: Any
    start: Any
    end: Any
    peer_price: bool
    of_strategy: dict[str, Any] = field(default_factory=dict)
    of_engine: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Any, start: Any, end: Any, given: dict[str, Any]) -> Terms:
        """Sorts the keywords; raises `TypeError` for an unknown one, `ConfigError` for a refused.

        `ConfigError` `TW-C498`.
        """
        known = (*_OF_STRATEGY, *_OF_ENGINE, *_OURS, *_LEFT_ALONE, *_REFUSED)
        refuse_unknown("backtest", known, given)
        for name in _REFUSED:
            if given.get(name):
                raise config_error(
                    "C498",
                    f"{name} is not taken",
                    "give slippage= as in tw.run; buy what is to be held at the start in the first "
                    "iteration",
                )
        of_strategy = {name: given[name] for name in _OF_STRATEGY if given.get(name) is not None}
        # Lumibot's own default of this argument is 1, a minute: not a wish of the caller.
        if given.get("sleeptime") not in (None, 1):
            of_strategy["sleeptime"] = given["sleeptime"]
        of_engine = {name: given[name] for name in _OF_ENGINE if given.get(name) is not None}
        last_price = given.get("last_price", "close")
        if last_price not in ("close", "next_open"):
            raise config_error(
                "C498", f"last_price={last_price!r} is not known", "one of: close, next_open"
            )
        data = _source(source, given.get("pandas_data"))
        return cls(data, start, end, last_price == "next_open", of_strategy, of_engine)


def run(strategy: Strategy, terms: Terms) -> Result:
    """Initializes a strategy, runs it, and calls its last hooks."""
    driver = strategy._driver
    strategy._peer_price = terms.peer_price
    start = None if terms.start is None else _instant(terms.start)
    end = None if terms.end is None else _instant(terms.end)
    driver.begin(strategy, {}, {}, start or 0)
    driver.load = lambda: tapes_of(terms.source, market_calendar(strategy._market or MARKET))
    try:
        strategy._initialize()
        market = market_calendar(strategy._market or MARKET)
        # Not those that initialize() may have looked at: it may have set the market afterwards.
        tapes = tapes_of(terms.source, market)
        hours = Hours(
            market,
            check_sleeptime(
                sleeptime_ns(strategy.sleeptime),
                min(tape.step_ns for tape in tapes.values()),
                strategy._sleeptime is not None,
            ),
            strategy.minutes_before_opening,
            strategy.minutes_before_closing,
            strategy.minutes_after_closing,
        )
        feed, plan = _planned(terms.source, tapes, hours, start, end)
        driver.begin(strategy, tapes, plan, driver.now)
        driver.session_end = _session_ends(hours, tapes)
        engine_terms = _engine_terms(strategy, terms, tapes)
        driver.target_first = _target_first(engine_terms["semantics"])
        result = native.run(feed, driver, **engine_terms)
    except KeyboardInterrupt:
        strategy.on_abrupt_closing()
        raise
    except Exception as error:
        strategy.on_bot_crash(error.__cause__ or error)
        raise
    return result


def _planned(
    source: Any, tapes: dict[str, Tape], hours: Hours, start: int | None, end: int | None
) -> tuple[DataFeed, dict[int, list[tuple[int, int]]]]:
    """The feed of the run, and what is called after which of its events."""
    ends = np.concatenate([np.asarray(tape.ends, dtype=np.int64) for tape in tapes.values()])
    starts = np.concatenate([tape.start for tape in tapes.values()])
    row_ends, event = np.unique(ends, return_inverse=True)
    row_starts = np.full(len(row_ends), np.iinfo(np.int64).max)
    np.minimum.at(row_starts, event, starts)
    first = int(row_ends[0]) if start is None else start
    last = int(row_ends[-1]) if end is None else end
    times, hooks = instants(hours, first, last)
    plan = hang(times, hooks, row_ends, row_starts)
    if not plan:
        raise config_error(
            "C499",
            f"no iteration between {_told(first)} and {_told(last)} on {hours.calendar.name}; "
            f"rows from {_told(int(starts.min()))} to {_told(int(row_ends[-1]))}",
            "give a start and an end inside the data, or set_market() of the data",
        )
    if isinstance(source, DataFeed):
        return source, plan
    begin = int(row_ends[min(plan)])
    for tape in tapes.values():
        n = bisect_right(tape.ends, begin)
        if n and begin - tape.ends[n - 1] <= _LISTED_NS:
            first = min(begin, tape.ends[n - 1])
            begin = first
    after = int(row_ends[np.searchsorted(row_starts, last, side="right") - 1]) + 1
    offset = int(np.searchsorted(row_ends, begin))
    feed = feed_of(tapes, begin, max(after, begin + 1), hours.calendar)
    return feed, {event - offset: steps for event, steps in plan.items()}


def _engine_terms(strategy: Strategy, terms: Terms, tapes: dict[str, Tape]) -> dict[str, Any]:
    found = dict(terms.of_engine)
    semantics = found.setdefault("semantics", SEMANTICS)
    if semantics == "lumibot":
        unasked = Account.margin(initial=0.5, maintenance=0.5, margin_call="ignore")
        found.setdefault("account", unasked)
    found.setdefault("account", Account.margin())
    fees = commission_of(strategy.buy_trading_fees, strategy.sell_trading_fees)
    if fees is not None:
        found.setdefault("commission", fees)
    instruments = {key: _instrument(tape) for key, tape in tapes.items() if _is_special(tape)}
    instruments |= found.get("instruments", {})
    if instruments:
        found["instruments"] = instruments
    return {"cash": strategy.budget, "name": strategy.name, **found}


def _target_first(semantics: Any) -> bool:
    """Whether a row meets the target of a bracket before its stop."""
    if isinstance(semantics, str):
        semantics = {"base": semantics}
    base = str(semantics.get("base", "realistic"))
    by_base = "profit_first" if base == "lumibot" or base.startswith("ml4t") else "stop_first"
    return bool(semantics.get("both_hit", by_base) == "profit_first")


def _is_special(tape: Tape) -> bool:
    return tape.asset.is_future or tape.asset.multiplier != 1.0


def _instrument(tape: Tape) -> Instrument:
    asset = tape.asset
    if asset.is_future:
        return Instrument(
            multiplier=asset.multiplier,
            future=True,
            margin_rate=_FUTURES_RATE,
            maintenance_rate=_FUTURES_RATE,
        )
    return Instrument(multiplier=asset.multiplier)


def _session_ends(hours: Hours, tapes: dict[str, Tape]) -> Any:
    """A function from the present to the end of its session, for orders of the day."""
    if hours.is_continuous:
        return lambda now: _next_midnight(now)
    market = hours.calendar

    def session_end(now: int) -> Any:
        session = market.session_of(np.datetime64(now, "ns"))
        closes = market.close(session) if market.is_session(session) else None
        if closes is None or int(closes.timestamp()) * 10**9 <= now:
            opens = market.next_open(np.datetime64(now, "ns"))
            closes = market.close(market.session_of(opens))
        return closes

    return session_end


def _next_midnight(now: int) -> Any:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    local = datetime.fromtimestamp(now // 10**9, ZoneInfo(NEW_YORK))
    return local.replace(hour=0, minute=0, second=0) + timedelta(days=1)


def _source(source: Any, pandas_data: Any) -> Any:
    """The data of a run, from a class, from `pandas_data`, or from the argument itself."""
    refusal = getattr(source, "refusal", None)
    if refusal is not None:
        raise config_error("C498", refusal, "give frames: backtest(PandasDataBacktesting, ...)")
    if pandas_data is not None:
        return pandas_data
    held = getattr(source, "pandas_data", None)
    if held is not None:
        return held
    if source is None or isinstance(source, type):
        raise config_error(
            "C498",
            "there is no data to run on",
            "give pandas_data={Asset('SPY'): frame}, or a tw.DataFeed in place of the data source",
        )
    return source


def _instant(given: Any) -> int:
    """Nanoseconds since 1970 UTC; times without a zone are those of New York."""
    from datetime import date, datetime, time
    from zoneinfo import ZoneInfo

    if isinstance(given, str):
        given = datetime.fromisoformat(given)
    if isinstance(given, date) and not isinstance(given, datetime):
        given = datetime.combine(given, time())
    if not hasattr(given, "timestamp"):
        raise config_error(
            "C498", f"{given!r} is no time", "give a datetime, or text such as 2024-01-02 09:30"
        )
    if given.tzinfo is None:
        given = given.replace(tzinfo=ZoneInfo(NEW_YORK))
    return int(given.timestamp()) * 10**9


def _told(instant: int) -> str:
    return f"{np.datetime64(instant // 10**9, 's')} UTC"
