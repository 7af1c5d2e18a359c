"""Writes crates/tapeworks/src/base/calendar/tables/*.txt and the golden of its test.

    python oracles/calendars/make_tables.py crates/tapeworks

A table holds rules and exceptions in local time: days of the week that trade, regular hours from
a date on, dates without a session, dates with other hours. Each table is read back here and
compared session by session before it is written.
"""

import datetime
import hashlib
import pathlib
import sys
from collections import Counter
from zoneinfo import ZoneInfo

import pandas as pd
import sessions

DAY = datetime.timedelta(days=1)


def wall(instant, session, zone):
    """Minutes from the local midnight of the session date on the wall clock."""
    if instant is None:
        return None
    local = pd.Timestamp(instant, tz="UTC").tz_convert(zone).tz_localize(None)
    minutes, rest = divmod((local - session).total_seconds(), 60)
    assert rest == 0, (session, local)
    return int(minutes)


def text_of(minutes):
    day, rest = divmod(minutes, 1440)
    return f"{rest // 60:02}:{rest % 60:02}" + (f"{day:+d}" if day else "")


def line_of(hours):
    return " ".join(text_of(minutes) for minutes in hours if minutes is not None)


def regimes(dates, hours):
    """[(first date, regular hours)]: the usual hours of each year, changed where it fits best."""
    years = sorted({date.year for date in dates})
    usual = {
        y: Counter(h for d, h in zip(dates, hours) if d.year == y).most_common(1)[0][0]
        for y in years
    }
    found = [(dates[0], usual[years[0]])]
    for before, after in zip(years, years[1:]):
        if usual[before] == usual[after]:
            continue
        near = [(d, h) for d, h in zip(dates, hours) if before <= d.year <= after]
        costs = []
        for cut in range(len(near) + 1):
            misses = sum(h != usual[before] for _, h in near[:cut]) + sum(
                h != usual[after] for _, h in near[cut:]
            )
            costs.append((misses, cut))
        found.append((near[min(costs)[1]][0], usual[after]))
    return found


def by_year(dates):
    years = {}
    for date in dates:
        years.setdefault(date.year, []).append(f"{date:%m%d}")
    return [f"{year} {' '.join(days)}" for year, days in sorted(years.items())]


def table(code):
    calendar = sessions.calendar(code)
    zone = ZoneInfo(str(calendar.tz))
    rows = list(sessions.rows(code))
    dates = [row[0] for row in rows]
    hours = [tuple(wall(instant, row[0], zone) for instant in row[1:]) for row in rows]
    first, last = sessions.span(code)
    week = calendar.weekmask
    known = set(dates)
    closed = [
        d for d in pd.date_range(first, last) if week[d.weekday()] == "1" and d not in known
    ]
    assert all(week[d.weekday()] == "1" for d in dates), f"{code}: a session on a day off"
    lines = [
        f"# exchange_calendars {sessions.WANTED}; "
        "made by oracles/calendars/make_tables.py, not by hand",
        "names " + " ".join(sessions.names(code)),
        f"zone {calendar.tz}",
        f"span {first:%Y-%m-%d} {last:%Y-%m-%d}",
        f"week {week}",
    ]
    regular = regimes(dates, hours)
    lines += [f"hours {start:%Y-%m-%d} {line_of(usual)}" for start, usual in regular]
    other = {}
    for date, these in zip(dates, hours):
        usual = [usual for start, usual in regular if start <= date][-1]
        if these != usual:
            other.setdefault(these, []).append(date)
    for these in sorted(other, key=line_of):
        lines.append(f"other {line_of(these)}")
        lines += by_year(other[these])
    lines += ["closed", *by_year(closed)] if closed else []
    return "\n".join(lines) + "\n"


def digest(rows):
    """sha256 of a line a session: date, then open, close and break in ns UTC, `-` for no break."""
    sha = hashlib.sha256()
    for session, *instants in rows:
        cells = " ".join("-" if instant is None else str(instant) for instant in instants)
        sha.update(f"{session:%Y-%m-%d} {cells}\n".encode())
    return sha.hexdigest()


def read_back(text):
    """The sessions of a table, as any reader has to see them."""
    head, other, closed, regular, target = {}, {}, set(), [], None
    minutes = lambda t: int(t[:2]) * 60 + int(t[3:5]) + 1440 * int(t[5:] or 0)
    for line in text.splitlines()[1:]:
        word, *rest = line.split()
        if word == "hours":
            regular.append((pd.Timestamp(rest[0]), [minutes(t) for t in rest[1:]]))
        elif word == "other":
            target = [minutes(t) for t in rest]
        elif word == "closed":
            target = None
        elif word.isdigit():
            for day in rest:
                date = pd.Timestamp(f"{word}{day}")
                closed.add(date) if target is None else other.__setitem__(date, target)
        else:
            head[word] = rest
    zone = ZoneInfo(head["zone"][0])
    for date in pd.date_range(*head["span"]):
        if head["week"][0][date.weekday()] == "0" or date in closed:
            continue
        hours = other.get(date) or [h for start, h in regular if start <= date][-1]
        at = [date + pd.Timedelta(minutes=m) for m in hours]
        at = [t.tz_localize(zone).tz_convert("UTC").as_unit("ns").value for t in at]
        yield (date, *at, *[None] * (4 - len(at)))


def main(crate):
    tables = crate / "src/base/calendar/tables"
    golden = [
        "# code, sessions, sha256 of all sessions; "
        "then some sessions: code, date, open, close, break (ns UTC)"
    ]
    spots = []
    total = 0
    for code in sessions.CODES:
        rows = list(sessions.rows(code))
        text = table(code)
        assert (
            list(read_back(text)) == rows
        ), f"{code}: the table does not say what the package says"
        (tables / f"{code.replace('/', '_')}.txt").write_text(text)
        golden.append(f"{code} {len(rows)} {digest(rows)}")
        for session, *instants in rows[:: max(1, len(rows) // 12)]:
            cells = " ".join("-" if instant is None else str(instant) for instant in instants)
            spots.append(f"{code} {session:%Y-%m-%d} {cells}")
        total += len(rows)
        print(code, len(rows), "sessions,", len(text), "bytes")
    path = crate / "tests/it/calendar/sessions.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(golden + spots) + "\n")
    print(f"{total} sessions in {len(sessions.CODES)} calendars; {path}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
