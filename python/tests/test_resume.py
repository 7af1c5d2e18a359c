"""A run goes on with new rows and equals one run over all; what comes next; two runs compared.

The expected values are those of one run over the whole table, or follow by hand from bars of whole
numbers.
"""

from __future__ import annotations

import datetime as dt
import importlib
import pickle
import re
import textwrap
from pathlib import Path

import polars as pl
import pytest

import tapeworks as tw

TABLES = ("trades", "fills", "orders", "rejections", "positions", "portfolio")


class Remembers(tw.Strategy):
    """Buys what rose more often than it fell, with a memory of its own."""

    def __init__(self, lot: int, *, patience: int = 3) -> None:
        self.lot, self.patience = lot, patience
        self.score: dict[str, int] = {}
        self.last: dict[str, float] = {}

    def on_market_data(self, event):
        symbol, close = event.symbol, event.close
        before = self.last.get(symbol, close)
        self.score[symbol] = self.score.get(symbol, 0) + (close > before) - (close < before)
        self.last[symbol] = close
        held = self.get_position(symbol)
        if self.score[symbol] >= self.patience and held is None:
            self.buy(symbol, self.lot, limit=close * 0.99, tag="dip")
        elif self.score[symbol] <= -self.patience and held is not None:
            self.close_position(symbol)


class Weights(tw.Strategy):
    def on_timestamp_batch(self, timestamp, batch, context):
        return tw.targets(weights=batch["signal"].clip(0) / 20)


def write(table: tw.Table, path) -> bytes:
    table.write_parquet(path)
    return path.read_bytes()


def assert_same(resumed: tw.Result, whole: tw.Result, folder) -> None:
    assert resumed.fingerprint == whole.fingerprint
    assert resumed.reasons() == whole.reasons()
    for name in TABLES:
        ours = write(getattr(resumed, name), folder / "a.parquet")
        assert ours == write(getattr(whole, name), folder / "b.parquet"), name
    ours = write(resumed.next_orders(), folder / "a.parquet")
    assert ours == write(whole.next_orders(), folder / "b.parquet")


def cut(frame: pl.DataFrame, n_days: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    at = frame["timestamp"].unique().sort()[n_days]
    return frame.filter(pl.col("timestamp") < at), frame.filter(pl.col("timestamp") >= at)


@pytest.mark.parametrize(
    "strategy",
    [
        lambda: tw.rules.sma_cross(5, 12, quantity=10),
        lambda: tw.rules.top_n("signal", 4, rebalance="5d"),
        lambda: tw.rules.buy_and_hold(),
        lambda: Remembers(7, patience=2),
        lambda: Weights(),
    ],
)
@pytest.mark.parametrize("n_days", [1, 57, 299])
def test_resume_when_rows_are_added_then_equal_to_one_run(bars, tmp_path, strategy, n_days):
    old, new = cut(bars, n_days)
    options = {
        "cash": 50_000,
        "commission": tw.Commission.percent(5),
        "rules": [tw.StopLoss(0.06), tw.TrailingStop(0.1)],
    }
    first = tw.run(tw.DataFeed(old), strategy(), **options)
    whole = tw.run(tw.DataFeed(bars), strategy(), **options)
    assert_same(tw.resume(first, new), whole, tmp_path)


def test_resume_when_repeated_then_each_step_goes_on(bars, tmp_path):
    first, rest = cut(bars, 100)
    second, third = cut(rest, 80)
    result = tw.run(tw.DataFeed(first), Remembers(3), name="daily job")
    result = tw.resume(tw.resume(result, second), third)
    whole = tw.run(tw.DataFeed(bars), Remembers(3), name="daily job")
    assert result.name == "daily job"
    assert_same(result, whole, tmp_path)


@pytest.mark.parametrize("kind", ["path", "frame", "pandas", "feed"])
def test_resume_when_tables_are_files_or_frames_then_equal(bars, tmp_path, kind):
    old, new = cut(bars, 200)
    old.write_parquet(tmp_path / "old.parquet")
    new.write_parquet(tmp_path / "new.parquet")
    rows = {
        "path": tmp_path / "new.parquet",
        "frame": new,
        "pandas": new.to_pandas(),
        "feed": tw.DataFeed(new),
    }[kind]
    rule = tw.rules.sma_cross(4, 9, quantity=5)
    first = tw.run(tw.DataFeed(tmp_path / "old.parquet"), rule)
    assert_same(tw.resume(first, rows), tw.run(tw.DataFeed(bars), rule), tmp_path)


def test_resume_when_signals_are_of_their_own_then_old_ones_are_still_seen(bars, tmp_path):
    prices = bars.drop("signal")
    # A signal a week: the first new rows see one of the old table.
    days = bars["timestamp"].unique().sort()
    signals = bars.filter(pl.col("timestamp").is_in(days.gather_every(7).to_list()))
    signals = signals.select("timestamp", "symbol", "signal")
    old, new = cut(prices, 200)
    old_signals, new_signals = (
        signals.filter(pl.col("timestamp") < days[200]),
        signals.filter(pl.col("timestamp") >= days[200]),
    )
    rule = tw.rules.top_n("signal", 3, rebalance="1d")
    first = tw.run(tw.DataFeed(old, signals=old_signals, staleness="30d"), rule)
    whole = tw.run(tw.DataFeed(prices, signals=signals, staleness="30d"), rule)
    assert_same(tw.resume(first, new, signals=new_signals), whole, tmp_path)
    feed = tw.DataFeed(new, signals=new_signals)
    assert tw.resume(first, feed).fingerprint == whole.fingerprint


def test_resume_when_a_symbol_is_new_then_equal(bars, tmp_path):
    old, new = cut(bars, 150)
    first = tw.run(tw.DataFeed(old.filter(pl.col("symbol") != "S003")), Weights())
    both = pl.concat([old.filter(pl.col("symbol") != "S003"), new])
    assert_same(tw.resume(first, new), tw.run(tw.DataFeed(both), Weights()), tmp_path)


def test_resume_when_positions_are_closed_at_the_end_then_that_end_is_not_compared(bars, tmp_path):
    old, new = cut(bars, 150)
    options = {"semantics": {"base": "realistic", "final_close": "trade"}}
    rule = tw.rules.buy_and_hold()
    first = tw.run(tw.DataFeed(old), rule, **options)
    assert "end_of_run" in first.trades.to_polars()["exit_reason"].cast(pl.String).to_list()
    whole = tw.run(tw.DataFeed(bars), rule, **options)
    assert_same(tw.resume(first, new), whole, tmp_path)


CONFIG = """
data: {asset_data: old.parquet}
strategy: {rule: top_n, signal: signal, n: 3, rebalance: 5d}
execution: {commission: {kind: percent, bps: 3}}
"""


def test_resume_when_a_config_run_is_loaded_then_files_are_found(bars, tmp_path):
    old, new = cut(bars, 120)
    old.write_parquet(tmp_path / "old.parquet")
    new.write_parquet(tmp_path / "new.parquet")
    bars.write_parquet(tmp_path / "all.parquet")
    config = tmp_path / "run.yaml"
    config.write_text(CONFIG)
    tw.run_config(config, out=tmp_path / "runs" / "first")
    whole = tw.run_config(config, {"data.asset_data": "all.parquet"})
    loaded = tw.load(tmp_path / "runs" / "first")
    again = tw.resume(loaded, tmp_path / "new.parquet", out=tmp_path / "runs" / "second")
    assert_same(again, whole, tmp_path)
    # The folder of the resumed run names both files, so it can be gone on with in its turn.
    second = tw.load(tmp_path / "runs" / "second")
    assert second.fingerprint == whole.fingerprint
    with pytest.raises(tw.DataError, match="new_rows begin at"):
        tw.resume(second, tmp_path / "new.parquet")
    (tmp_path / "old.parquet").rename(tmp_path / "away.parquet")
    with pytest.raises(tw.ConfigError, match=r"not found: old.parquet") as caught:
        tw.resume(loaded, new)
    assert caught.value.code == "TW-C473"


def test_resume_when_a_config_names_a_class_then_it_is_imported_again(bars, tmp_path, monkeypatch):
    old, new = cut(bars, 120)
    old.write_parquet(tmp_path / "old.parquet")
    module = """
        import tapeworks as tw

        class Dips(tw.Strategy):
            def __init__(self, lot):
                self.lot, self.n = lot, 0

            def on_market_data(self, event):
                self.n += 1
                if self.n % 37 == 0:
                    self.buy(event.symbol, self.lot)
    """
    (tmp_path / "resumed_dips.py").write_text(textwrap.dedent(module))
    config = tmp_path / "run.yaml"
    config.write_text(
        "data: {asset_data: old.parquet}\n"
        "strategy: {python: 'resumed_dips:Dips', params: {lot: 3}}\n"
    )
    first = tw.run_config(config, out=tmp_path / "first")
    assert len(first.fills) > 20
    resumed = [tw.resume(first, new), tw.resume(tw.load(tmp_path / "first"), new)]
    monkeypatch.syspath_prepend(tmp_path)
    dips = importlib.import_module("resumed_dips")
    whole = tw.run(tw.DataFeed(bars), dips.Dips(lot=3))
    for result in resumed:
        assert result.fills.to_polars().equals(whole.fills.to_polars())


def test_resume_when_a_loaded_run_needs_more_then_it_says_what(bars, tmp_path):
    old, new = cut(bars, 120)
    rule = tw.rules.sma_cross(3, 8, quantity=2)
    tw.run(tw.DataFeed(old), rule, cash=9_000, out=tmp_path / "run")
    loaded = tw.load(tmp_path / "run")
    feed = tw.DataFeed(old)
    for options, words in [
        ({}, "feed= and strategy="),
        ({"feed": feed}, "give strategy="),
        ({"strategy": rule}, "give feed="),
    ]:
        with pytest.raises(tw.ConfigError, match=words) as caught:
            tw.resume(loaded, new, **options)
        assert caught.value.code == "TW-C472"
        assert "cash=" in caught.value.hint
    with pytest.raises(tw.ConfigError, match=r"it had \[cash: 9000.0\], now \[cash: 8000.0\]"):
        tw.resume(loaded, new, feed=feed, strategy=rule, cash=8_000)
    whole = tw.run(tw.DataFeed(bars), rule, cash=9_000)
    resumed = tw.resume(loaded, new, feed=feed, strategy=rule, cash=9_000)
    assert_same(resumed, whole, tmp_path)


def test_resume_when_the_old_rows_have_changed_then_the_first_fill_is_named(tiny):
    old, new = cut(tiny, 3)
    first = tw.run(tw.DataFeed(old), tw.rules.buy_and_hold(), cash=1_000)
    # All of A's prices of the second day, where the first order fills at the open of 11.
    day = dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)
    is_there = (pl.col("timestamp") == day) & (pl.col("symbol") == "A")
    columns = ("open", "high", "low", "close")
    moved = old.with_columns(pl.when(is_there).then(pl.col(c) + 0.25).otherwise(c).alias(c) for c in columns)
    with pytest.raises(tw.DataError) as caught:
        tw.resume(first, new, feed=tw.DataFeed(moved))
    text = str(caught.value)
    assert caught.value.code == "TW-D320"
    assert "fill 0 was" in text and "price 11.0" in text and "price 11.25" in text


LOT = [5]


class Reads(tw.Strategy):
    """What it does hangs on something outside of it."""

    def on_market_data(self, event):
        self.buy(event.symbol, LOT[0])


@pytest.mark.parametrize(
    ("call", "error", "code", "words"),
    [
        (lambda r, old, new: tw.resume(r, old), tw.DataError, "TW-D321", "already walked up to 2024-01-03"),
        (lambda r, old, new: tw.resume(r, new.drop("score")), tw.DataError, "TW-D322", "no column score"),
        (
            lambda r, old, new: tw.resume(r, new.with_columns(more=1.0)),
            tw.DataError,
            "TW-D322",
            "more is not among those",
        ),
        (
            lambda r, old, new: tw.resume(r, new.with_columns(pl.col("timestamp").dt.replace_time_zone(None))),
            tw.DataError,
            "TW-D322",
            "column timestamp is",
        ),
        (
            lambda r, old, new: tw.resume(r, new, signals=new),
            tw.ConfigError,
            "TW-C473",
            "signals: the feed of the run has no such table",
        ),
        (
            lambda r, old, new: tw.resume(r, new, feed=tw.DataFeed(old, end="2024-01-04")),
            tw.ConfigError,
            "TW-C473",
            "ends at end=",
        ),
        (lambda r, old, new: tw.resume(r, new, cash=5), TypeError, None, "are known; leave out cash"),
        (lambda r, old, new: tw.resume(r, new, sgnals=new), TypeError, None, "did you mean 'signals'"),
        (lambda r, old, new: tw.resume("run", new), TypeError, None, "tw.load"),
        (lambda r, old, new: tw.resume(r, None), tw.DataError, "TW-D120", "new_rows is a NoneType"),
    ],
)
def test_resume_when_the_call_is_wrong_then_it_says_how(tiny, call, error, code, words):
    old, new = cut(tiny, 3)
    result = tw.run(tw.DataFeed(old), tw.rules.buy_and_hold(), cash=1_000)
    with pytest.raises(error, match=words) as caught:
        call(result, old, new)
    assert code is None or caught.value.code == code


def test_resume_when_a_strategy_hangs_on_the_outside_then_refused(tiny):
    old, new = cut(tiny, 3)
    first = tw.run(tw.DataFeed(old), Reads(), cash=10_000)
    LOT[0] = 6
    try:
        with pytest.raises(tw.DataError, match=r"fill 0 was .*quantity 5.0.* now .*quantity 6.0"):
            tw.resume(first, new)
    finally:
        LOT[0] = 5


# ------------------------------------------------------------------ what comes next


class Ends(tw.Strategy):
    """Five orders whose standing after the fifth of January follows by hand."""

    def on_market_data(self, event):
        if event.symbol != "A":
            return
        if event.timestamp.day == 1:
            self.buy("A", 10)  # fills at 11, the open of the second
            self.buy("B", 3, limit=5.0, tag="deep")  # B trades from 21 down to 15: rests
        if event.timestamp.day == 5:
            # A closes at 14.5.
            self.sell("A", 4)
            self.buy("A", 2, limit=12.0, stop_loss=10.0, take_profit=20.0)


def test_next_orders_when_the_run_ends_then_what_to_send_now(tiny):
    result = tw.run(tw.DataFeed(tiny), Ends(), cash=10_000)
    table = result.next_orders()
    assert isinstance(table, tw.Table)
    rows = table.to_polars()
    texts = [name for name, kind in rows.schema.items() if kind == pl.Categorical]
    rows = rows.with_columns(pl.col(texts).cast(pl.String))
    first, last = (dt.datetime(2024, 1, day, tzinfo=dt.timezone.utc) for day in (1, 5))
    found = rows.select(
        "decided_at", "symbol", "side", "kind", "quantity", "limit", "stop", "tif", "status", "tag"
    ).rows()
    assert found == [
        (first, "B", "buy", "limit", 3.0, 5.0, None, "gtc", "resting", "deep"),
        (last, "A", "sell", "market", 4.0, None, None, "gtc", "new", None),
        (last, "A", "buy", "limit", 2.0, 12.0, None, "gtc", "new", None),
        (last, "A", "sell", "stop", 2.0, None, 10.0, "gtc", "held", None),
        (last, "A", "sell", "limit", 2.0, 20.0, None, "gtc", "held", None),
    ]
    entry = rows["order_id"][2]
    assert rows["parent_id"].to_list() == [None, None, None, entry, entry]


def test_next_orders_when_loaded_then_the_same(tiny, tmp_path):
    result = tw.run(tw.DataFeed(tiny), Ends(), cash=10_000, out=tmp_path / "run")
    loaded = tw.load(tmp_path / "run").next_orders().to_polars()
    assert len(loaded) == 5
    text = pl.selectors.categorical()
    ours = result.next_orders().to_polars()
    assert loaded.with_columns(text.cast(pl.String)).equals(ours.with_columns(text.cast(pl.String)))


def test_next_orders_when_a_part_has_filled_then_the_rest(tiny):
    class Large(tw.Strategy):
        def on_market_data(self, event):
            if event.symbol == "A" and event.timestamp.day == 4:
                self.buy("A", 50)

    # A has 100 units a row: 20 % of them fill on the fifth, 30 are left.
    result = tw.run(tw.DataFeed(tiny), Large(), cash=10_000, participation=0.2)
    rows = result.next_orders().to_polars()
    assert rows["quantity"].to_list() == [30.0]
    assert rows["status"].cast(pl.String).to_list() == ["resting"]


def test_next_orders_when_there_are_none_then_an_empty_table(tiny):
    table = tw.run(tw.DataFeed(tiny), tw.rules.noop()).next_orders()
    assert len(table) == 0 and table.to_polars().columns == table.columns


def test_next_orders_when_the_page_is_read_then_it_names_every_column(tiny):
    page = Path(__file__).parents[2] / "docs" / "results.md"
    if not page.exists():
        pytest.skip("skipped: no docs beside the tests")
    table = page.read_text().split("## What to send next")[1].split("## Why")[0]
    named = [name for line in table.splitlines() if line.startswith("| `")
             for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(named) == sorted(tw.run(tw.DataFeed(tiny), tw.rules.noop()).next_orders().columns)


# ------------------------------------------------------------------ reasons, comparison


def test_reasons_when_printed_then_a_line_a_cause_with_its_remedy(tiny):
    class Halves(tw.Strategy):
        def on_market_data(self, event):
            if event.symbol == "A" and event.timestamp.day in (2, 3):
                self.buy("A", 0.5)  # below one share

    reasons = tw.run(tw.DataFeed(tiny), Halves()).reasons()
    assert reasons == {"submitted": 2, "rejected: quantity_zero": 2, "no signal": 3}
    assert reasons.line == "2 orders: 0 filled, 2 rejected (quantity_zero)"
    text = repr(reasons)
    assert "no signal at 3 of 5 timestamps" in text and "fractional lots" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "<table>" in reasons._repr_html_() and "quantity_zero" in reasons._repr_html_()
    assert pickle.loads(pickle.dumps(reasons)) == reasons


def test_reasons_when_counted_then_as_in_the_table_of_orders(bars):
    result = tw.run(tw.DataFeed(bars), Weights(), cash=20_000, lots="integer")
    orders = result.orders.to_polars().with_columns(pl.col("event", "reason").cast(pl.String))
    counted: dict[str, int] = {}
    for event, reason in orders.select("event", "reason").rows():
        cause = f"{event}: {reason}" if reason else event
        counted[cause] = counted.get(cause, 0) + 1
    sent = orders.filter(pl.col("event") == "submitted")["timestamp"].n_unique()
    silent = bars["timestamp"].n_unique() - sent
    found = dict(result.reasons())
    assert found.pop("no signal", 0) == silent
    assert found == counted


def test_compare_when_runs_differ_then_metrics_and_the_first_fill(tiny, tmp_path):
    ours = tw.run(tw.DataFeed(tiny), tw.rules.buy_and_hold(), cash=1_000)
    other = tw.run(
        tw.DataFeed(tiny), tw.rules.buy_and_hold(), cash=1_000, commission=tw.Commission.per_trade(1)
    )
    table = ours.compare(other).to_polars()
    assert table.columns == ["metric", "ours", "other", "difference"]
    rows = {row[0]: row[1:] for row in table.rows()}
    fees = ours.metrics["commissions"], other.metrics["commissions"]
    assert rows["commissions"] == (fees[0], fees[1], fees[0] - fees[1]) and fees[1] > 0
    assert set(ours.metrics) <= set(rows)
    assert rows["first_different_fill"] == (0.0, 0.0, None)
    same = ours.compare(tw.run(tw.DataFeed(tiny), tw.rules.buy_and_hold(), cash=1_000)).to_polars()
    assert same.rows()[-1] == ("first_different_fill", None, None, None)
    assert same["difference"].drop_nulls().abs().max() == 0
    idle = tw.run(tw.DataFeed(tiny), tw.rules.noop(), cash=1_000, out=tmp_path / "idle")
    # A side without the fill has no id.
    for run in (idle, tw.load(tmp_path / "idle")):
        assert ours.compare(run).to_polars().rows()[-1] == ("first_different_fill", 0.0, None, None)
    with pytest.raises(TypeError, match="tw.Result"):
        ours.compare("run")
