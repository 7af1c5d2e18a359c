"""Every session of every calendar of the installed tapeworks against exchange_calendars.

    python oracles/calendars/compare.py

Compares each date of each calendar: whether it is a session, its open, close and break; and, for a
thousand instants a calendar, the session, the next open and the last close. Exits with 1 on any
difference.
"""

import sys

import numpy as np
import pandas as pd
import sessions

import tapeworks as tw


def instants(times):
    """ns UTC of datetimes, None where there is none."""
    return [None if t is None else int(pd.Timestamp(t).as_unit("ns").value) for t in times]


def compare_dates(code, ours):
    """Dates compared, sessions, differences."""
    first, last = sessions.span(code)
    known = {row[0]: list(row[1:]) for row in sessions.rows(code)}
    assert [str(day) for day in ours.span] == [f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"], code
    differences = 0
    for date in pd.date_range(first, last):
        want = known.get(date)
        if not ours.is_session(date):
            differences += want is not None
            continue
        lunch = ours.lunch(date) or (None, None)
        got = instants([ours.open(date), ours.close(date), *lunch])
        differences += got != want
    return (last - first).days + 1, len(known), differences


def compare_instants(code, ours, random):
    """Questions asked, differences."""
    schedule = sessions.calendar(code).schedule
    opens = schedule["open"].dt.as_unit("ns").astype("int64").to_numpy()
    closes = schedule["close"].dt.as_unit("ns").astype("int64").to_numpy()
    zone = sessions.calendar(code).tz
    near = random.choice(np.concatenate([opens, closes]), 400)
    probes = np.concatenate(
        [random.integers(opens[1], closes[-2], 600), near + random.integers(-1, 2, 400) * 1_000_000]
    )
    differences = 0
    for probe in probes[(probes > opens[1]) & (probes < closes[-2])] // 1000 * 1000:
        at = pd.Timestamp(probe, tz="UTC")
        inside = np.flatnonzero((opens <= probe) & (probe <= closes))
        date = schedule.index[inside[0]] if len(inside) else at.tz_convert(zone)
        want = [opens[opens > probe][0], closes[closes < probe][-1]]
        got = instants([ours.next_open(at), ours.prev_close(at)])
        differences += got != want or str(ours.session_of(at)) != f"{date:%Y-%m-%d}"
    return len(probes), differences


def main():
    random = np.random.default_rng(20261121)
    totals = np.zeros(5, dtype=np.int64)
    for code in sessions.CODES:
        ours = tw.calendar(code)
        assert all(tw.calendar(name) == ours for name in sessions.names(code))
        found = [*compare_dates(code, ours), *compare_instants(code, ours, random)]
        totals += found
        n_dates, n_sessions, wrong, n_probes, wrong_probes = found
        print(
            f"{code}: {n_sessions} sessions of {n_dates} dates, {wrong} differences; "
            f"{n_probes} instants, {wrong_probes} differences"
        )
    print(
        f"all: {totals[1]} sessions of {totals[0]} dates and {totals[3]} instants in "
        f"{len(sessions.CODES)} calendars, {totals[2] + totals[4]} differences"
    )
    sys.exit(int(totals[2] + totals[4] > 0))


if __name__ == "__main__":
    main()
