"""When the hooks of a strategy are called: instants of its market, hung on the rows before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tapeworks._native import Calendar, calendar
from tapeworks.compat.lumibot._refuse import config_error
from tapeworks.compat.lumibot._tape import DAY_NS, HOUR_NS, MINUTE_NS, NEW_YORK, told

# Lumibot's names of markets that tapeworks knows under another name.
MARKETS = {
    "STOCK": "XNYS",
    "BATS": "XNYS",
    "AMEX": "XNYS",
    "DJIA": "XNYS",
    "US_FUTURES": "CMES",
    "CME_EQUITY": "CMES",
    "CME_AGRICULTURE": "CMES",
    "CME_RATE": "CMES",
    "CME": "CMES",
    "LSE": "XLON",
    "EUREX": "XETR",
    "TSX": "XTSE",
    "JPX": "XTKS",
    "HKEX": "XHKG",
    "SSE": "XSHG",
    "ASX": "XASX",
    "FOREX": "24/5",
    "CRYPTO": "24/7",
    "24/7": "24/7",
    "24/5": "24/5",
}


class Hook(IntEnum):
    """What is called, in the order of calls at one instant."""

    BEFORE_MARKET_OPENS = 0
    BEFORE_STARTING_TRADING = 1
    ON_TRADING_ITERATION = 2
    BEFORE_MARKET_CLOSES = 3
    AFTER_MARKET_CLOSES = 4


@dataclass(frozen=True)
class Hours:
    """When a strategy wants to act; minutes, and the step between iterations in nanoseconds."""

    calendar: Calendar
    step_ns: int
    before_opening: float
    before_closing: float
    after_closing: float

    @property
    def is_continuous(self) -> bool:
        """Whether the market never closes, so that there are no hooks of sessions."""
        return self.calendar.name == "24/7"


def market_calendar(name: str) -> Calendar:
    """The calendar of a market by Lumibot's name or by that of tapeworks.

    Raises `ConfigError` `TW-C496` for a name that neither has.
    """
    try:
        return calendar(MARKETS.get(name.upper(), name))
    except Exception as error:
        known = sorted({*MARKETS, "NYSE", "NASDAQ"})
        raise config_error(
            "C496",
            f"set_market({name!r}): no such market",
            f"one of: {', '.join(known)}, or a calendar of tapeworks",
        ) from error


def sleeptime_ns(sleeptime: int | str) -> int:
    """`sleeptime` in nanoseconds: minutes, or text such as "10S", "5M", "1H", "1D".

    Raises `ConfigError` `TW-C497` for anything else.
    """
    units = {"S": 10**9, "M": MINUTE_NS, "T": MINUTE_NS, "H": HOUR_NS, "D": DAY_NS}
    if isinstance(sleeptime, int):
        sleeptime = f"{sleeptime}M"
    text = str(sleeptime).strip().upper()
    if text[:-1].isdigit() and int(text[:-1]) > 0 and text[-1] in units:
        return int(text[:-1]) * units[text[-1]]
    raise config_error(
        "C497", f"sleeptime={sleeptime!r} is not known", 'a number and S, M, H or D, such as "5M"'
    )


def check_sleeptime(step_ns: int, row_ns: int, is_said: bool) -> int:
    """The step of iterations over rows of `row_ns`: a day for daily rows unless said otherwise.

    Raises `ConfigError` `TW-C497` for a step that is finer than the rows.
    """
    if step_ns >= row_ns:
        return step_ns
    if not is_said:
        return row_ns
    raise config_error(
        "C497",
        f"sleeptime of {told(step_ns)} is finer than the rows ({told(row_ns)}): between two rows "
        "nothing new is known, and orders would fill at prices of before they were sent",
        f"set sleeptime to {told(row_ns)} or more, or give finer data",
    )


def instants(hours: Hours, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """All instants from `start` to `end`, both included, with their hooks, in time order."""
    if hours.is_continuous:
        times = np.arange(start, end + 1, hours.step_ns, dtype=np.int64)
        return times, np.full(len(times), Hook.ON_TRADING_ITERATION, dtype=np.int8)
    times_of, hooks_of = [], []
    resumes_at = start
    for opens, closes in _sessions(hours.calendar, start, end):
        before_close = closes - int(hours.before_closing * MINUTE_NS)
        at = [(opens - int(hours.before_opening * MINUTE_NS), Hook.BEFORE_MARKET_OPENS)]
        at.append((opens, Hook.BEFORE_STARTING_TRADING))
        at.append((before_close, Hook.BEFORE_MARKET_CLOSES))
        at.append((closes + int(hours.after_closing * MINUTE_NS), Hook.AFTER_MARKET_CLOSES))
        if hours.step_ns < DAY_NS:
            # The first iteration of a run that starts inside a session is at its start.
            begin = max(opens, start)
            last = before_close if hours.before_closing > 0 else closes - 1
            steps = np.arange(begin, last + 1, hours.step_ns, dtype=np.int64)
        else:
            due = closes > start and opens >= resumes_at - DAY_NS // 2
            steps = np.array([max(opens, start)] if due else [], dtype=np.int64)
            if due:
                resumes_at = opens + hours.step_ns
        times_of += [np.array([when for when, _ in at], dtype=np.int64), steps]
        hooks_of.append(np.array([hook for _, hook in at], dtype=np.int8))
        hooks_of.append(np.full(len(steps), Hook.ON_TRADING_ITERATION, dtype=np.int8))
    if not times_of:
        return np.array([], dtype=np.int64), np.array([], dtype=np.int8)
    times, hooks = np.concatenate(times_of), np.concatenate(hooks_of)
    inside = (times >= start) & (times <= end)
    times, hooks = times[inside], hooks[inside]
    order = np.lexsort((hooks, times))
    return times[order], hooks[order]


def hang(
    times: NDArray[np.int64],
    hooks: NDArray[np.int8],
    row_ends: NDArray[np.int64],
    row_starts: NDArray[np.int64],
) -> dict[int, list[tuple[int, int]]]:
    """Which hooks are called after which event: {index of event: [(instant, hook)]}.

    `row_ends` are the instants at which rows become known, `row_starts` the earliest start of the
    rows known at each. An instant belongs to the last event before it; one that lies inside the
    next rows is moved to their start, because an order may not fill at an open that was before it.
    Of several iterations between two events the first is kept: the others would know nothing more.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    events = np.searchsorted(row_ends, times, side="right") - 1
    iterated = -1
    for when, hook, event in zip(times.tolist(), hooks.tolist(), events.tolist(), strict=True):
        if event < 0:
            continue
        if hook == Hook.ON_TRADING_ITERATION:
            if event == iterated:
                continue
            iterated = event
        if event + 1 < len(row_starts):
            when = max(min(when, int(row_starts[event + 1])), int(row_ends[event]))
        found.setdefault(event, []).append((when, hook))
    return found


def _sessions(market: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    zone = ZoneInfo(NEW_YORK)
    first = datetime.fromtimestamp(start // 10**9, zone).date() - timedelta(days=1)
    after = datetime.fromtimestamp(end // 10**9, zone).date() + timedelta(days=2)
    for session in market.sessions(first, after):
        yield _ns(market.open(session)), _ns(market.close(session))


def _ns(instant: datetime) -> int:
    return int(instant.astimezone(timezone.utc).timestamp()) * 10**9
