"""What a decision sees, against pandas and exchange_calendars: ten years, every mode.

    python oracles/calendars/availability.py [--golden PATH]

Runs tapeworks over bars of symbols that list and delist, with signals of every calendar day, and
compares each value of each row with a reference that knows only the package's schedule and
`pandas.merge_asof`. Exits with 1 on any difference. `--golden` writes a small frozen part.
"""

import argparse
import pathlib
import sys
import tempfile
import time

import numpy as np
import pandas as pd
import sessions

START, END = pd.Timestamp("2014-06-01"), pd.Timestamp("2024-06-01")
MODES = ["market_open", "market_close", "next_day"]
MARKETS = {"XNYS": "1min", "XLON": "10min", "XHKG": "10min", "CMES": "10min", "24/7": "30min"}
# First and last day of each symbol, as fractions of the ten years.
LIVES = {"AAA": (0, 1), "BBB": (0, 0.4), "CCC": (0.3, 1), "DDD": (0.45, 0.55), "EEE": (0.9, 1)}
STALE = pd.Timedelta("5D")


def life(name):
    low, high = LIVES[name]
    days = (END - START).days
    return START + pd.Timedelta(days=int(days * low)), START + pd.Timedelta(days=int(days * high))


def released(dates, schedule, zone, mode):
    """When a row of each date is known, by the definition of the mode."""
    labels = schedule.index
    opens, closes = schedule["open"].to_numpy(), schedule["close"].to_numpy()
    on_or_after = labels.searchsorted(dates, side="left")
    after = labels.searchsorted(dates, side="right")
    if mode == "market_open":
        return pd.DatetimeIndex(opens[on_or_after], tz="UTC")
    if mode == "next_day":
        return pd.DatetimeIndex(opens[after], tz="UTC")
    is_session = labels[on_or_after] == dates
    midnights = (dates + pd.Timedelta(days=1)).tz_localize(zone).tz_convert("UTC")
    known = np.where(is_session, closes[on_or_after], midnights.tz_localize(None).to_numpy())
    return pd.DatetimeIndex(known, tz="UTC")


def stamps_of(schedule, step):
    """Ends of intraday bars, the open itself included: a bar that ends there is known there."""
    length = pd.Timedelta(step)
    parts = [
        pd.date_range(row.open, row.close, freq=length) for row in schedule.itertuples(index=False)
    ]
    ends = np.concatenate([part.as_unit("ns").asi8 for part in parts])
    return pd.DatetimeIndex(np.unique(ends), tz="UTC")


def bars_of(stamps, dates=None):
    """Long form, by time and symbol; `dates` are the dates of daily stamps."""
    day = stamps.tz_localize(None) if dates is None else dates
    parts = []
    for name in LIVES:
        first, last = life(name)
        alive = (day >= first) & (day < last)
        parts.append(pd.DataFrame({"timestamp": stamps[alive], "symbol": name}))
    frame = pd.concat(parts).sort_values(["timestamp", "symbol"], kind="stable")
    for column in ("open", "high", "low", "close"):
        frame[column] = 10.0
    frame["volume"] = 1.0
    return frame.reset_index(drop=True)


def signals_of(random):
    """A value a symbol and calendar day, some days left out; each value is its own row's number."""
    days = pd.date_range(START - pd.Timedelta(days=20), END - pd.Timedelta(days=5))
    parts = []
    for name in LIVES:
        kept = days[random.random(len(days)) < 0.6]
        # Pauses longer than the limit of age.
        kept = kept[(kept.day_of_year % 50) > 8]
        parts.append(pd.DataFrame({"date": kept, "symbol": name}))
    frame = pd.concat(parts).reset_index(drop=True)
    frame["score"] = np.arange(len(frame), dtype=float)
    return frame


def expected(bars, signals, known):
    """The newest row known by each bar's time, none older than the limit."""
    table = signals.assign(known=known.as_unit("ns"), stamp=signals["date"])
    table = table.sort_values(["known", "stamp"], kind="stable")
    joined = pd.merge_asof(
        bars[["timestamp", "symbol"]],
        table[["known", "symbol", "score"]],
        left_on="timestamp",
        right_on="known",
        by="symbol",
        direction="backward",
    )
    stale = joined["timestamp"] - joined["known"] > STALE
    return joined["score"].mask(stale).to_numpy()


def seen(tw, bars, signals, **keywords):
    """What tapeworks shows, row by row."""
    feed = tw.DataFeed(bars, signals=signals, signal_columns=["score"], staleness="5d", **keywords)
    values = [batch.signals["score"].copy() for batch in feed.iter_batches()]
    return np.concatenate(values)


def compare(what, got, want):
    differs = ~((got == want) | (np.isnan(got) & np.isnan(want)))
    n = len(want)
    print(f"{what}: {n:,} rows, {np.isnan(want).mean():.1%} missing, {differs.sum()} differences")
    return n, int(differs.sum())


def run(tw):
    random = np.random.default_rng(20261121)
    total = np.zeros(2, dtype=np.int64)
    for code, step in MARKETS.items():
        calendar = sessions.calendar(code)
        # After the last bar the reference still has to know the next session.
        schedule = calendar.schedule
        inside = schedule[(schedule.index >= START) & (schedule.index < END)]
        zone = str(calendar.tz)
        signals = signals_of(random)
        dates = pd.DatetimeIndex(signals["date"])
        daily = pd.DatetimeIndex(inside["close"]).as_unit("ns")
        labels = inside.index
        minutes = bars_of(stamps_of(inside, step))
        days = bars_of(daily, labels)
        # The same daily rows under their dates: what a user has.
        by_close = dict(zip(daily, labels))
        dated = days.assign(timestamp=[by_close[at] for at in days["timestamp"]])
        dated["timestamp"] = dated["timestamp"].dt.date
        dated_signals = signals.assign(date=signals["date"].dt.date)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "bars.parquet"
            minutes.to_parquet(path)
            for mode in MODES:
                known = released(dates, schedule, zone, mode)
                rule = {"calendar": code, "signal_available_at": mode}
                want = expected(minutes, signals, known)
                got = seen(tw, str(path), dated_signals, **rule)
                total += compare(f"{code} {step} {mode}", got, want)
                want = expected(days, signals, known)
                got = seen(tw, dated, dated_signals, **rule)
                total += compare(f"{code} daily {mode}", got, want)
            # Instants, at their own time, and a column that says when.
            at = dates.tz_localize("UTC") + pd.to_timedelta(
                random.integers(1, 86_400, len(dates)), unit="s"
            )
            stamped = signals.assign(date=at)
            want = expected(minutes, signals.assign(date=at), at)
            got = seen(tw, str(path), stamped, calendar=code)
            total += compare(f"{code} {step} timestamp", got, want)
            late = at + pd.to_timedelta(random.integers(0, 9 * 86_400, len(dates)), unit="s")
            want = expected(minutes, signals.assign(date=at), late)
            got = seen(tw, str(path), stamped.assign(available_at=late), calendar=code)
            total += compare(f"{code} {step} available_at", got, want)
    return total


def write_golden(path):
    """Calendar, mode, date, instant (ns UTC): every 37th day, and days around changes."""
    rows = ["# calendar, mode, date, known at (ns UTC); made by oracles/calendars/availability.py"]
    special = ["2024-03-08", "2024-03-09", "2023-11-23", "2023-11-24", "2023-12-24", "2020-03-09"]
    for code in MARKETS:
        calendar = sessions.calendar(code)
        dates = pd.date_range(START, END, freq="37D").union(pd.DatetimeIndex(special))
        for mode in MODES:
            known = released(dates, calendar.schedule, str(calendar.tz), mode).as_unit("ns")
            rows += [
                f"{code} {mode} {date:%Y-%m-%d} {at}" for date, at in zip(dates, known.asi8)
            ]
    path.write_text("\n".join(rows) + "\n")
    print(f"{path}: {len(rows) - 1} rows")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--golden", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.golden:
        write_golden(arguments.golden)
        return
    import tapeworks as tw

    began = time.time()
    n_rows, n_differences = run(tw)
    print(f"{n_rows:,} rows compared in {time.time() - began:.0f} s: {n_differences} differences")
    sys.exit(int(n_differences > 0))


if __name__ == "__main__":
    main()
