"""The calendars that tapeworks has, as the package exchange_calendars gives them."""

import importlib.metadata
import sys
import warnings

import exchange_calendars
import pandas as pd

WANTED = "4.13.2"
if importlib.metadata.version("exchange_calendars") != WANTED:
    sys.exit(
        f"exchange_calendars {WANTED} is needed: pip install -r oracles/calendars/requirements.txt"
    )

# CBOE has no calendar of this name in the package; its exchange of futures and options has.
CODES = [
    "XNYS",
    "XLON",
    "XETR",
    "XPAR",
    "XTSE",
    "XHKG",
    "XTKS",
    "XSHG",
    "XASX",
    "CMES",
    "XCBF",
    "24/7",
    "24/5",
]
MORE_NAMES = {"XCBF": ["CBOE"]}
FIRST = pd.Timestamp("1990-01-01")
# Where the package sets no bound its rules go on for ever; they are taken this far.
LAST = pd.Timestamp("2030-12-31")


def span(code):
    """First and last date that the package answers for, cut to FIRST and LAST."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        any_span = exchange_calendars.get_calendar(code)
    low, high = any_span.bound_min(), any_span.bound_max()
    return max(FIRST, low) if low is not None else FIRST, high if high is not None else LAST


def calendar(code):
    first, last = span(code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return exchange_calendars.get_calendar(code, start=first, end=last)


def names(code):
    """The code and every alias of it."""
    known = exchange_calendars.get_calendar_names(include_aliases=True)
    resolve = exchange_calendars.calendar_utils.resolve_alias
    found = sorted(name for name in known if name != code and resolve(name) == code)
    return [code, *sorted(found + MORE_NAMES.get(code, []))]


def rows(code):
    """(session, open, close, break start, break end) in ns UTC; no break is None."""
    schedule = calendar(code).schedule
    columns = [
        schedule[name].dt.as_unit("ns") for name in ("open", "close", "break_start", "break_end")
    ]
    for session, *instants in zip(schedule.index, *columns):
        yield (session, *(None if pd.isna(instant) else instant.value for instant in instants))
