"""Both modes of a strategy, the helpers, and what happens when user code fails."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import textwrap

import numpy as np
import polars as pl
import pytest

import tapeworks as tw


class Script(tw.Strategy):
    """Runs one function a day, in simple mode at symbol A."""

    def __init__(self, days):
        self.days, self.day, self.log = days, -1, []

    def on_market_data(self, event):
        if event.symbol == "A":
            self.day += 1
            if self.day in self.days:
                self.log.append(self.days[self.day](self, event))


def run(tiny, days, **options) -> tuple[Script, tw.Result]:
    strategy = Script(days)
    return strategy, tw.run(tw.DataFeed(tiny), strategy, **options)


def fills(result):
    """Day, symbol, signed units, price."""
    frame = result.fills.to_polars().with_columns(
        signed=pl.col("quantity") * pl.when(pl.col("side") == "sell").then(-1).otherwise(1)
    )
    return list(zip(frame["timestamp"].dt.day(), frame["symbol"], frame["signed"], frame["price"]))


# --- the two modes ---


def test_event_when_read_then_values_of_its_row(tiny):
    def look(self, event):
        assert event.timestamp == dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)
        assert event.timestamp_ns == int(event.timestamp.timestamp()) * 10**9
        assert (event.open, event.high, event.low, event.close) == (11.0, 12.0, 10.0, 11.5)
        assert event.volume == 100.0
        assert event.data == {
            "open": 11.0,
            "high": 12.0,
            "low": 10.0,
            "close": 11.5,
            "volume": 100.0,
        }
        assert event.signals == {"score": 1.0, "atr": 0.1}
        assert event.indicators == {} and event.context == {}
        assert event["close"] == 11.5 and event["atr"] == 0.1
        with pytest.raises(KeyError, match="did you mean 'close'"):
            event["closs"]
        with pytest.raises(AttributeError):
            event.close = 1.0
        return True

    assert run(tiny, {1: look})[0].log == [True]


def test_event_when_kept_then_it_never_changes(tiny):
    class Keep(tw.Strategy):
        def on_start(self):
            self.kept = []

        def on_market_data(self, event):
            self.kept.append(event)

    strategy = Keep()
    tw.run(tw.DataFeed(tiny), strategy)
    assert [e.symbol for e in strategy.kept] == ["A", "B", "A", "B", "A", "A", "B", "A", "B"]
    assert [e.close for e in strategy.kept] == tiny.sort("timestamp", "symbol")["close"].to_list()


def test_batch_when_read_then_views_of_its_rows(tiny):
    class Look(tw.Strategy):
        def on_start(self):
            self.seen = []

        def on_timestamp_batch(self, timestamp, batch, context):
            close = batch["close"]
            assert isinstance(close, np.ndarray) and close.dtype == np.float64
            assert not close.flags.writeable and close.base is not None
            assert np.shares_memory(close, batch["close"])
            with pytest.raises(ValueError):
                close[0] = 1.0
            assert timestamp == batch.timestamp and context == batch.context == {}
            assert len(batch) == len(batch.symbols) == len(close)
            assert [batch.symbols[i] for i in batch.ids] if len(batch) == 2 else True
            assert "close" in batch and "A" not in batch and batch.index("A") == 0
            assert list(batch.signals) == ["score", "atr"] and "score" in batch.signals
            assert batch.signals["score"][0] == batch["score"][0]
            if "B" not in batch.symbols:
                with pytest.raises(KeyError, match="B"):
                    batch.index("B")
            events = list(self.iter_events(batch, context))
            assert [e.close for e in events] == close.tolist()
            assert batch.to_polars()["symbol"].to_list() == batch.symbols
            self.seen.append((timestamp.day, batch.symbols, close.tolist()))

    strategy = Look()
    tw.run(tw.DataFeed(tiny), strategy)
    assert strategy.seen == [
        (1, ["A", "B"], [10.5, 19.5]),
        (2, ["A", "B"], [11.5, 18.5]),
        (3, ["A"], [12.5]),
        (4, ["A", "B"], [13.5, 16.5]),
        (5, ["A", "B"], [14.5, 15.5]),
    ]


def test_view_when_the_run_is_over_then_still_valid(bars):
    class Keep(tw.Strategy):
        def on_start(self):
            self.views = []

        def on_timestamp_batch(self, timestamp, batch, context):
            self.views.append(batch["close"])

    strategy = Keep()
    tw.run(tw.DataFeed(bars), strategy)
    assert np.concatenate(strategy.views).tolist() == bars["close"].to_list()


def test_strategy_when_both_or_no_mode_then_config_error(tiny):
    class Both(tw.Strategy):
        def on_market_data(self, event): ...
        def on_timestamp_batch(self, timestamp, batch, context): ...

    with pytest.raises(tw.ConfigError, match="both on_market_data and on_timestamp_batch"):
        tw.run(tw.DataFeed(tiny), Both())
    with pytest.raises(tw.ConfigError, match="neither"):
        tw.run(tw.DataFeed(tiny), tw.Strategy())
    with pytest.raises(tw.ConfigError, match="no strategy") as caught:
        tw.run(tw.DataFeed(tiny), Both)
    assert "not its class" in caught.value.hint


def test_params_when_given_then_kept():
    class Plain(tw.Strategy):
        def on_market_data(self, event): ...

    assert Plain(fast=10, slow=30).params == {"fast": 10, "slow": 30}


def test_hooks_when_overridden_then_called_in_order(tiny):
    class Hooks(tw.Strategy):
        def on_start(self):
            self.log = [("start", self.cash, self.symbols)]

        def on_market_data(self, event):
            if event.timestamp.day == 1 and event.symbol == "A":
                self.buy("A", 10)
                self.buy("A", 10**9)

        def on_fill(self, fill):
            self.log.append(
                ("fill", fill.symbol, fill.side, fill.quantity, fill.price, fill.order_id)
            )

        def on_reject(self, rejection):
            self.log.append(("reject", rejection.order_id, rejection.code, rejection.timestamp.day))

        def on_end(self):
            self.log.append(("end", self.quantity("A")))

    strategy = Hooks()
    tw.run(tw.DataFeed(tiny), strategy)
    assert strategy.log[0] == ("start", 100_000.0, ["A", "B"])
    assert ("fill", "A", "buy", 10.0, 11.0, 0) in strategy.log
    assert ("reject", 1, "insufficient_cash", 2) in strategy.log
    assert strategy.log[-1] == ("end", 10.0)
    assert len(strategy.log) == 4


# --- helpers ---


def test_orders_when_sent_then_filled_at_the_next_open(tiny):
    _, result = run(tiny, {0: lambda s, e: s.buy("A", 10), 2: lambda s, e: s.sell("A", quantity=4)})
    assert fills(result) == [(2, "A", 10.0, 11.0), (4, "A", -4.0, 13.0)]


def test_sizes_when_percent_or_value_then_whole_units_of_the_last_close(tiny):
    # 10 % of 100,000 at a close of 10.5 is 952.38 units; 1,000 at 10.5 is 95.2.
    _, by_percent = run(tiny, {0: lambda s, e: s.buy("A", percent=0.1)})
    assert fills(by_percent) == [(2, "A", 952.0, 11.0)]
    _, by_value = run(tiny, {0: lambda s, e: s.buy("A", value=1_000)})
    assert fills(by_value) == [(2, "A", 95.0, 11.0)]
    _, fractional = run(tiny, {0: lambda s, e: s.buy("A", value=1_000)}, lots="fractional")
    assert fractional.fills.to_numpy("quantity")[0] == pytest.approx(1_000 / 10.5, rel=1e-6)


def test_limit_and_stop_when_touched_then_filled(tiny):
    # On day 2 A opens at 11 and reaches 10 and 12: a limit of 10.2 and a stop of 11.5 fill.
    _, limit = run(tiny, {0: lambda s, e: s.buy("A", 1, limit=10.2)})
    assert fills(limit) == [(2, "A", 1.0, 10.2)]
    _, stop = run(tiny, {0: lambda s, e: s.buy("A", 1, stop=11.5)})
    assert fills(stop) == [(2, "A", 1.0, 11.5)]


def test_targets_when_set_then_only_the_difference_trades(tiny):
    def first(s, e):
        return s.order_target_quantity("A", 10)

    _, result = run(
        tiny,
        {
            0: first,
            1: lambda s, e: s.order_target_value("A", 15 * 11.5),
            2: lambda s, e: s.order_target_percent("A", 0.0),
            3: lambda s, e: s.order_target_quantity("A", 0),
        },
    )
    assert fills(result) == [(2, "A", 10.0, 11.0), (3, "A", 5.0, 12.0), (4, "A", -15.0, 13.0)]


def test_rebalance_when_symbols_are_left_out_then_they_go_to_zero(tiny):
    _, result = run(
        tiny,
        {
            0: lambda s, e: s.rebalance({"A": 0.5, "B": 0.25}),
            1: lambda s, e: s.rebalance({"A": 0.5}),
        },
    )
    by_day = fills(result)
    assert ("B" in [symbol for day, symbol, *_ in by_day if day == 2]) is True
    b = [(day, quantity) for day, symbol, quantity, _ in by_day if symbol == "B"]
    assert b[0][1] == -b[1][1] and b[1][0] == 4  # B has no row on day 3.


def test_positions_when_held_then_described(tiny):
    def look(s, e):
        position = s.get_position("A")
        assert (position.symbol, position.quantity, position.side) == ("A", 10.0, "long")
        assert (position.entry_price, position.mark) == (11.0, 12.5)
        assert position.value == 125.0 and position.unrealised == pytest.approx(15.0)
        assert position.entry_timestamp.day == 2 and position.bars_held == 1
        assert s.get_position("B") is None and s.quantity("B") == 0.0
        assert list(s.positions) == ["A"]
        frame = s.get_all_positions()
        assert frame["symbol"].to_list() == ["A"] and frame["quantity"].to_list() == [10.0]
        assert s.cash == 100_000 - 110.0 and s.equity == s.cash + 125.0
        assert s.timestamp.day == 3 and s.last_price("A") == 12.5
        assert s.calculate_position_size(12.5, 2.0, risk_pct=0.01) == int(s.equity * 0.01 / 2.0)
        assert s.calculate_position_size(12.5, 0.0) == 0
        return "looked"

    strategy, _ = run(tiny, {0: lambda s, e: s.buy("A", 10), 2: look})
    assert strategy.log[-1] == "looked"


def test_close_and_cancel_when_used_then_orders_end(tiny):
    def half(s, e):
        return s.close_position("A", fraction=0.5)

    strategy, result = run(
        tiny,
        {
            0: lambda s, e: (s.buy("A", 10), s.buy("A", 1, limit=1.0)),
            1: lambda s, e: (s.open_orders(), s.cancel(1), s.cancel(1), s.open_orders()),
            2: half,
            3: lambda s, e: s.close_all(),
        },
    )
    assert strategy.log[1] == ([1], True, False, [])
    assert fills(result) == [(2, "A", 10.0, 11.0), (4, "A", -5.0, 13.0), (5, "A", -5.0, 14.0)]


def test_position_rules_when_set_then_they_close(tiny):
    # B falls: bought at 19.0 on day 2, the stop 5 % below (18.05) is passed by day 4's open of 17.
    _, result = run(
        tiny,
        {0: lambda s, e: (s.set_position_rules([tw.StopLoss(0.05)], symbol="B"), s.buy("B", 10))},
    )
    assert fills(result)[0] == (2, "B", 10.0, 19.0)
    assert result.trades.to_polars()["exit_reason"].to_list()[0] == "stop_loss"
    _, same = run(tiny, {0: lambda s, e: s.buy("B", 10)}, rules=[tw.StopLoss(0.05)])
    assert fills(same) == fills(result)


def test_history_when_asked_then_completed_rows_only(bars):
    class Look(tw.Strategy):
        def on_start(self):
            self.n = 0

        def on_timestamp_batch(self, timestamp, batch, context):
            self.n += 1
            if self.n < 30:
                with pytest.raises(tw.OrderError, match="30 rows asked"):
                    self.history("S003", 30, "close")
                return
            close = self.history("S003", 30, "close")
            wanted = bars["close"].to_numpy().reshape(300, 20)[self.n - 30 : self.n, 3]
            assert close.tolist() == wanted.tolist()
            assert close[-1] == batch["close"][batch.index("S003")]
            if self.n == 40:
                table = self.history("S003", 5)
                assert table.columns[:2] == ["timestamp", "symbol"] and len(table) == 5
                assert table.to_polars()["close"].to_list() == close[-5:].tolist()
                assert table.to_polars()["timestamp"][-1] == timestamp

    strategy = Look()
    for chunk in ("1mo", 50, "1y"):
        tw.run(tw.DataFeed(bars, chunk=chunk), strategy)
        assert strategy.n == 300


def test_history_when_rows_were_let_go_then_resource_error(bars):
    class Short(tw.Strategy):
        history_rows = 100

        def on_start(self):
            self.caught = None

        def on_timestamp_batch(self, timestamp, batch, context):
            try:
                self.history("S000", 60, "close")
            except tw.ResourceError as error:
                self.caught = error
            except tw.OrderError:
                pass

    strategy = Short()
    tw.run(tw.DataFeed(bars, chunk=200), strategy)
    assert "history_rows" in strategy.caught.hint


def test_helpers_when_no_run_goes_on_then_order_error(tiny):
    strategy, _ = run(tiny, {})
    for use in (
        lambda: strategy.buy("A", 1),
        lambda: strategy.cash,
        lambda: strategy.get_position("A"),
    ):
        with pytest.raises(tw.OrderError, match="only while a run"):
            use()


@pytest.mark.parametrize(
    ("send", "words", "hint"),
    [
        (lambda s: s.buy("AA", 1), '"AA" is not among the 2 symbols', "feed.symbols"),
        (lambda s: s.buy("A"), "exactly one of quantity, percent, value", "percent"),
        (lambda s: s.buy("A", 1, percent=0.1), "exactly one of", "percent"),
        (lambda s: s.buy("A", -1), "negative", "other direction"),
        (lambda s: s.close_position("A", 1.5), "fraction=1.5", "0.5"),
    ],
)
def test_order_when_wrong_then_error_says_what_and_what_to_do(tiny, send, words, hint):
    caught = []

    def attempt(s, e):
        with pytest.raises(tw.OrderError) as error:
            send(s)
        caught.append(error.value)

    run(tiny, {1: attempt})
    assert words in str(caught[0])
    assert hint in caught[0].hint
    assert caught[0].code.startswith("TW-O")


def test_order_keyword_when_mistyped_then_did_you_mean(tiny):
    def attempt(s, e):
        with pytest.raises(TypeError, match="did you mean 'limit'"):
            s.buy("A", 1, limt=3.0)
        s.buy("A", 1, stop_loss=None)

    run(tiny, {1: attempt})


# --- what a batch may return ---


class Returns(tw.Strategy):
    def __init__(self, answers):
        self.answers, self.n = answers, -1

    def on_timestamp_batch(self, timestamp, batch, context):
        self.n += 1
        answer = self.answers.get(self.n)
        return answer(batch) if callable(answer) else answer


def test_orders_when_returned_then_sent_in_order(tiny):
    strategy = Returns(
        {0: tw.orders([1, 0], [5, 3]), 3: tw.orders(np.array([0]), -3, limit=14.2, tag="out")}
    )
    result = tw.run(tw.DataFeed(tiny), strategy)
    assert fills(result) == [(2, "B", 5.0, 19.0), (2, "A", 3.0, 11.0), (5, "A", -3.0, 14.2)]


def test_targets_when_returned_then_reductions_first(tiny):
    held = {}

    def second(batch):
        held["q"] = strategy.quantities(batch).tolist()
        return tw.targets(quantities=[10.0, 0.0])

    strategy = Returns({0: tw.targets(quantities=[np.nan, 20.0]), 1: second})
    result = tw.run(tw.DataFeed(tiny), strategy)
    orders = result.orders.to_polars().filter(event="submitted")
    assert held["q"] == [0.0, 20.0]
    assert orders["symbol"].to_list() == ["B", "B", "A"]
    assert fills(result) == [(2, "B", 20.0, 19.0), (3, "A", 10.0, 12.0), (4, "B", -20.0, 17.0)]


def test_targets_when_weights_or_values_then_floored_units(tiny):
    weights = tw.run(tw.DataFeed(tiny), Returns({0: tw.targets(weights=[0.1, 0.2])}))
    # 10,000 / 10.5 = 952.4 and 20,000 / 19.5 = 1,025.6.
    assert [f[2] for f in fills(weights)] == [952.0, 1025.0]
    values = tw.run(tw.DataFeed(tiny), Returns({0: tw.targets(values=[10_000, 20_000])}))
    assert fills(values) == fills(weights)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (tw.targets(weights=[0.1]), "1 numbers for 2 rows"),
        (tw.orders([7], 1), "names row 7"),
        (tw.orders([-1], 1), "names row -1"),
        (tw.orders([0, 1], [1, 2, 3]), "3 numbers in quantity for 2 rows"),
        (tw.orders([0], 1, limit=1, trail=1), "a trail and a price at once"),
        ([1, 2], "returned a list"),
    ],
)
def test_answer_when_it_does_not_fit_then_order_error(tiny, answer, words):
    with pytest.raises(tw.OrderError, match=words) as caught:
        tw.run(tw.DataFeed(tiny), Returns({0: answer}))
    assert "in on_timestamp_batch at 2024-01-01" in str(caught.value)


def test_targets_when_no_or_two_meanings_then_order_error():
    for wrong in ({}, {"weights": [1], "values": [1]}):
        with pytest.raises(tw.OrderError, match="exactly one"):
            tw.targets(**wrong)


# --- failures ---


def test_exception_when_raised_then_strategy_error_with_time_and_symbol(tiny):
    def fail(s, e):
        raise ZeroDivisionError("boom")

    with pytest.raises(tw.StrategyError) as caught:
        run(tiny, {2: fail})
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.__cause__.__traceback__ is not None
    assert "ZeroDivisionError in on_market_data at 2024-01-03 for A: boom" in str(caught.value)
    assert caught.value.code == "TW-S101"


def test_own_error_when_not_caught_then_its_class_and_place(tiny):
    with pytest.raises(tw.OrderError) as caught:
        run(tiny, {2: lambda s, e: s.buy("ZZZ", 1)})
    assert "in on_market_data at 2024-01-03 for A" in str(caught.value)
    assert caught.value.code.startswith("TW-O") and caught.value.hint


@pytest.mark.parametrize("hook", ["on_start", "on_fill", "on_reject", "on_end"])
def test_exception_when_raised_in_a_hook_then_named(tiny, hook):
    def fail(*args):
        raise RuntimeError("boom")

    def trade(self, event):
        if event.timestamp.day == 1:
            self.buy(event.symbol, 1)
            self.buy(event.symbol, 10**9)

    strategy = type("Fails", (tw.Strategy,), {"on_market_data": trade, hook: fail})()
    with pytest.raises(tw.StrategyError, match=f"RuntimeError in {hook}"):
        tw.run(tw.DataFeed(tiny), strategy)


def test_strategy_when_it_failed_then_can_run_again(tiny):
    strategy = Script({2: lambda s, e: 1 / 0})
    with pytest.raises(tw.StrategyError):
        tw.run(tw.DataFeed(tiny), strategy)
    strategy.days, strategy.day = {0: lambda s, e: s.buy("A", 10)}, -1
    assert fills(tw.run(tw.DataFeed(tiny), strategy)) == [(2, "A", 10.0, 11.0)]


def test_strategy_when_it_runs_itself_then_refused_and_the_outer_run_goes_on(tiny):
    def again(s, e):
        with pytest.raises(tw.StrategyError, match="another run"):
            tw.run(tw.DataFeed(tiny), s)
        return s.buy("A", 10)

    strategy, result = run(tiny, {0: again})
    assert strategy.log == [0]
    assert fills(result) == [(2, "A", 10.0, 11.0)]


def test_exit_and_interrupt_when_raised_then_pass_as_they_are(tiny):
    for exception in (KeyboardInterrupt, SystemExit):

        def leave(s, e, exception=exception):
            raise exception

        with pytest.raises(exception):
            run(tiny, {1: leave})


def test_on_reject_when_warn_or_raise_then_heard(tiny):
    days = {0: lambda s, e: s.buy("A", 10**9)}
    with pytest.warns(UserWarning, match="insufficient_cash"):
        run(tiny, days, on_reject="warn")
    with pytest.raises(tw.OrderError, match="insufficient_cash") as caught:
        run(tiny, days, on_reject="raise")
    assert caught.value.code == "TW-O320"
    _, result = run(tiny, days)
    assert result.rejections.to_polars()["code"].to_list() == ["insufficient_cash"]
    assert any("insufficient_cash" in cause for cause in result.reasons())


def test_ctrl_c_when_a_rule_runs_then_stops_soon(tmp_path):
    code = textwrap.dedent(
        """
        import os, signal, sys, threading, time
        import numpy as np, polars as pl, tapeworks as tw
        n, days = 400, 3_000
        close = np.full(n * days, 10.0)
        stamps = np.repeat(np.arange(days) * 86_400_000_000_000, n)
        bars = pl.DataFrame({"timestamp": pl.Series(stamps).cast(pl.Datetime("ns", "UTC")),
            "symbol": [f"S{i:03d}" for i in range(n)] * days, "open": close, "high": close,
            "low": close, "close": close, "volume": close})
        feed = tw.DataFeed(bars)
        tw.run(feed, tw.rules.noop())
        class Slow(tw.Strategy):
            def on_timestamp_batch(self, timestamp, batch, context): time.sleep(0.005)
        started = time.monotonic()
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            tw.run(feed, Slow())
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - started < 3.0)
        """
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert out.stdout.strip() == "interrupted True", out.stderr
