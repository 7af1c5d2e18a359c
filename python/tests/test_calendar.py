"""Calendars and availability, through the package."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime, timezone

import numpy as np
import pandas as pd
import pytest

import tapeworks as tw

UTC = timezone.utc


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_calendar_when_asked_then_instants_by_hand():
    cal = tw.calendar("NASDAQ")
    assert (cal.name, cal.tz) == ("XNYS", "America/New_York")
    assert cal.open("2024-03-08") == utc("2024-03-08 14:30")
    assert cal.close(date(2024, 11, 29)) == utc("2024-11-29 18:00")
    assert cal.open(pd.Timestamp("2024-03-11")) == utc("2024-03-11 13:30")
    assert cal.sessions("2024-11-27", "2024-12-03") == [
        date(2024, 11, 27),
        date(2024, 11, 29),
        date(2024, 12, 2),
    ]
    assert cal.session_of("2024-03-08 20:00") == date(2024, 3, 8)
    assert cal.session_of(utc("2024-03-09 05:00")) == date(2024, 3, 9)
    assert cal.next_open(utc("2024-03-08 14:30")) == utc("2024-03-11 13:30")
    assert cal.prev_close(utc("2024-03-11 13:30")) == utc("2024-03-08 21:00")
    assert not cal.is_session("2024-11-28")
    assert tw.calendar("XHKG").lunch("2024-11-05") == (
        utc("2024-11-05 04:00"),
        utc("2024-11-05 05:00"),
    )
    assert cal.lunch("2024-11-29") is None
    assert cal == tw.calendar("xnys")
    assert "10322 sessions" in repr(cal) and len(cal) == 10_322


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda: tw.calendar("XNYX"), "TW-C308"),
        (lambda: tw.calendar("XNYS").open("2024-11-28"), "TW-D305"),
        (lambda: tw.calendar("XNYS").open("1980-01-02"), "TW-D311"),
        (lambda: tw.calendar("XNYS").open(utc("2024-03-08 14:30")), "TW-C301"),
    ],
)
def test_calendar_when_asked_wrongly_then_error(ask, code):
    with pytest.raises(tw.Error) as caught:
        ask()
    assert caught.value.code == code


def own_table():
    return pd.DataFrame(
        {
            "session": pd.to_datetime(["2024-01-02", "2024-01-03"]).date,
            "open": pd.to_datetime(["2024-01-02 08:00", "2024-01-03 08:00"], utc=True),
            "close": pd.to_datetime(["2024-01-02 16:00", "2024-01-03 12:00"], utc=True),
            "break_start": pd.to_datetime(["2024-01-02 12:00", None], utc=True),
            "break_end": pd.to_datetime(["2024-01-02 13:00", None], utc=True),
        }
    )


def test_calendar_when_own_then_from_a_table_or_a_schedule():
    cal = tw.calendar(own_table(), name="desk", tz="Europe/Paris")
    assert (cal.name, cal.tz, len(cal)) == ("desk", "Europe/Paris", 2)
    assert cal.close("2024-01-03") == utc("2024-01-03 12:00")
    assert cal.lunch("2024-01-02") == (utc("2024-01-02 12:00"), utc("2024-01-02 13:00"))
    assert cal.lunch("2024-01-03") is None

    class Exchange:
        name = "other"
        tz = "Europe/Paris"
        schedule = own_table().set_index("session")

    assert tw.calendar(Exchange()) == cal
    swapped = own_table().iloc[::-1]
    with pytest.raises(tw.ConfigError) as caught:
        tw.calendar(swapped)
    assert caught.value.code == "TW-C309"


def bars(stamps):
    frame = pd.DataFrame({"timestamp": stamps, "symbol": "AAA"})
    for column in ("open", "high", "low", "close"):
        frame[column] = 10.0
    frame["volume"] = 1.0
    return frame


def scores(dates):
    return pd.DataFrame({"date": dates, "symbol": "AAA", "score": np.arange(1.0, len(dates) + 1)})


def walked(feed):
    return [(event.timestamp, event.signals["score"]) for event in feed]


def test_feed_when_daily_on_a_calendar_then_known_at_the_close():
    days = [date(2024, 3, 7), date(2024, 3, 8), date(2024, 3, 11)]
    signals = scores([date(2024, 3, 8)])

    def feed(mode, **more):
        return tw.DataFeed(
            bars(days), signals=signals, calendar="XNYS", signal_available_at=mode, **more
        )

    seen = walked(feed("market_close"))
    assert [at for at, _ in seen] == [
        utc("2024-03-07 21:00"),
        utc("2024-03-08 21:00"),
        utc("2024-03-11 20:00"),
    ]
    assert np.isnan(seen[0][1]) and [value for _, value in seen[1:]] == [1.0, 1.0]
    late = [value for _, value in walked(feed("next_day"))]
    assert np.isnan(late[:2]).all() and late[2] == 1.0
    assert late == pytest.approx(
        [value for _, value in walked(feed("market_close", signal_delay="1session"))], nan_ok=True
    )
    with pytest.raises(tw.LookAheadError) as caught:
        list(feed("timestamp"))
    assert caught.value.code == "TW-L102"


def test_feed_when_context_has_vintages_then_the_newest_release():
    context = pd.DataFrame(
        {
            "date": [date(2024, 1, 31), date(2024, 1, 31)],
            "available_at": pd.to_datetime(["2024-02-13 13:30", "2024-03-12 12:30"], utc=True),
            "cpi": [3.1, 3.2],
        }
    )
    stamps = pd.to_datetime(["2024-02-13 13:29", "2024-02-13 13:30", "2024-03-12 12:30"], utc=True)
    feed = tw.DataFeed(bars(stamps), context=context)
    values = [event.context["cpi"] for event in feed]
    assert np.isnan(values[0]) and values[1:] == [3.1, 3.2]


def test_feed_when_clocks_are_naive_then_the_zone_must_be_known():
    stamps = pd.to_datetime(["2024-03-08 09:31", "2024-03-11 09:31"])
    with pytest.raises(tw.DataError) as caught:
        list(tw.DataFeed(bars(stamps), calendar="XNYS"))
    assert caught.value.code == "TW-D303"
    feed = tw.DataFeed(bars(stamps), calendar="XNYS", tz="America/New_York")
    assert [event.timestamp for event in feed] == [utc("2024-03-08 14:31"), utc("2024-03-11 13:31")]
    twice = bars(pd.to_datetime(["2024-11-03 01:30"]))
    with pytest.raises(tw.DataError):
        list(tw.DataFeed(twice, tz="America/New_York"))
    feed = tw.DataFeed(twice, tz="America/New_York", ambiguous="second")
    assert next(iter(feed)).timestamp == utc("2024-11-03 06:30")


def test_run_when_signal_and_fill_share_an_instant_then_warned():
    days = [date(2024, 3, 7), date(2024, 3, 8), date(2024, 3, 11)]
    feed = tw.DataFeed(
        bars(days),
        signals=scores(days[:1]),
        calendar="XNYS",
        signal_available_at="market_close",
    )
    rule = tw.rules.buy_and_hold()
    same = tw.run(feed, rule, semantics={"base": "realistic", "fill_at": "same_close"})
    assert any("L106" in line for line in same.warnings)
    assert not any("L106" in line for line in tw.run(feed, rule).warnings)


def test_zones_when_the_machine_has_another_then_nothing_changes():
    code = (
        "import tapeworks as tw;"
        "r = tw.run(tw.sample('daily'), tw.rules.sma_cross(20, 50, quantity=10));"
        "c = tw.calendar('XNYS');"
        "print(c.open('2024-03-11'), c.close('2024-11-29'), repr(r.metrics['total_return']),"
        " r.trades.to_arrow().to_pydict() if False else len(r.trades))"
    )

    def told(**environment):
        full = {**os.environ, **environment}
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=full
        )
        return out.stdout

    plain = told(TZ="UTC")
    assert told(TZ="Asia/Taipei") == told(TZ="America/New_York") == plain
    assert told(TZDIR="/nowhere") == plain


def test_config_when_it_names_a_calendar_then_equal_to_the_same_run_by_hand(tmp_path):
    sessions = tw.calendar("XNYS").sessions("2024-01-02", "2024-07-01")
    rng = np.random.default_rng(5)
    frames = []
    for symbol in ("AAA", "BBB", "CCC"):
        frame = bars(sessions).assign(symbol=symbol)
        close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, len(frame))))
        frame["open"] = frame["close"] = close
        frame["high"], frame["low"] = close * 1.01, close * 0.99
        frames.append(frame)
    prices = pd.concat(frames, ignore_index=True)
    signals = prices[["timestamp", "symbol"]].rename(columns={"timestamp": "date"})
    signals["score"] = rng.normal(size=len(signals))
    context = pd.DataFrame({"date": sessions[::10], "vix": 10.0 + 20.0 * rng.random(13)})
    for name, frame in (("bars", prices), ("signals", signals), ("context", context)):
        frame.to_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "run.yaml").write_text(
        "backtest: {calendar: NYSE, start_date: 2024-02-01}\n"
        "data:\n"
        "  asset_data: bars.parquet\n"
        "  signals: {path: signals.parquet, available_at: next_day, staleness: 3sessions}\n"
        "  context_data: {path: context.parquet, available_at: market_close, delay: 1session}\n"
        "strategy: {rule: top_n, signal: score, n: 1, rebalance: 5d, where: 'context.vix < 25'}\n"
    )
    from_file = tw.run_config(tmp_path / "run.yaml")
    feed = tw.DataFeed(
        str(tmp_path / "bars.parquet"),
        signals=str(tmp_path / "signals.parquet"),
        context=str(tmp_path / "context.parquet"),
        calendar="XNYS",
        signal_available_at="next_day",
        staleness="3sessions",
        context_available_at="market_close",
        context_delay="1session",
        start="2024-02-01",
    )
    rule = tw.rules.top_n("score", 1, rebalance="5d", where="context.vix < 25")
    by_hand = tw.run(feed, rule)
    assert len(by_hand.trades) > 5
    assert from_file.fills.to_pandas().equals(by_hand.fills.to_pandas())
    assert from_file.portfolio.to_pandas().equals(by_hand.portfolio.to_pandas())
