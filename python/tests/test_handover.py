"""Hand-over: the shapes that other libraries take, and what those libraries then compute.

The shapes need pandas only. The libraries themselves, pinned, are there in the environment of
`make test-handover`.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tapeworks as tw


def library(name: str):
    """A library of the hand-over, or the reason why its test does not run here."""
    return pytest.importorskip(name, reason=f"skipped: no {name}; `make test-handover` has it")


class Watched(tw.Strategy):
    """Trades at random and notes after every row what it holds."""

    def on_start(self):
        self.rng = np.random.default_rng(11)
        self.seen = {}

    def on_timestamp_batch(self, timestamp, batch, context):
        held = {symbol: position.value for symbol, position in self.positions.items()}
        self.seen[timestamp] = (self.equity, held)
        if self.rng.random() < 0.3:
            return tw.targets(weights=self.rng.normal(0, 0.1, len(batch)))
        return None


@pytest.fixture(scope="module")
def watched(bars):
    """A run long and short, and what its strategy saw."""
    feed, strategy = tw.DataFeed(bars), Watched()
    terms = {"account": "margin", "slippage": tw.Slippage.percent(5), "cash": 1e6}
    return tw.run(feed, strategy, commission=tw.Commission.percent(3), **terms), strategy.seen


@pytest.fixture(scope="module")
def crossed():
    """The bundled sample; positions are opened and closed whole."""
    rule = tw.rules.sma_cross(20, 50, quantity=100)
    commission = tw.Commission.per_share(0.005, 1.0)
    return tw.run(tw.sample("daily"), rule, cash=200_000, commission=commission)


def last_of_days(seen) -> dict[dt.date, tuple[float, dict[str, float]]]:
    return {stamp.date(): state for stamp, state in sorted(seen.items())}


def assert_positions(frame: pd.DataFrame, days) -> None:
    """The frame holds what the strategy saw at the end of each day."""
    assert [stamp.date() for stamp in frame.index] == list(days)
    for (_, row), (equity, held) in zip(frame.iterrows(), days.values(), strict=True):
        values = row.drop("cash")
        assert values[values != 0].to_dict() == pytest.approx(held)
        assert row.sum() == pytest.approx(equity)


def test_positions_when_compared_with_what_the_strategy_saw_then_equal(watched):
    result, seen = watched
    returns, positions, transactions = result.to_pyfolio()
    assert_positions(positions, last_of_days(seen))
    assert (positions.drop(columns="cash") < 0).any(axis=None)
    assert returns.index.equals(positions.index) and str(returns.index.tz) == "UTC"
    equity = np.array([state[0] for state in last_of_days(seen).values()])
    assert returns.to_numpy() == pytest.approx(np.diff(equity, prepend=1e6) / [1e6, *equity[:-1]])
    fills = result.fills.to_polars()
    assert transactions["amount"].abs().to_list() == fills["quantity"].to_list()
    is_buy = fills["side"].cast(pl.String) == "buy"
    assert (transactions["amount"] > 0).tolist() == is_buy.to_list()
    assert transactions["price"].to_list() == fills["price"].to_list()
    assert transactions["symbol"].to_list() == fills["symbol"].cast(pl.String).to_list()


def intraday(zone: str, opens: str, n_days: int) -> pl.DataFrame:
    """Three bars a session of two symbols, from half an hour after the open on."""
    rng = np.random.default_rng(3)
    first = dt.date(2024, 3, 4)
    days = pl.date_range(first, first + dt.timedelta(n_days), eager=True)
    days = days.filter(days.dt.weekday() < 6)
    hour, minute = map(int, opens.split(":"))
    rows = [
        (dt.datetime.combine(day, dt.time(hour, minute)) + dt.timedelta(minutes=30 * i), symbol)
        for day in days for i in (1, 2, 3) for symbol in ("A", "B")
    ]  # fmt: skip
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(rows)))), 2)
    frame = pl.DataFrame(rows, schema=["timestamp", "symbol"], orient="row")
    price = pl.Series(close)
    return frame.with_columns(
        pl.col("timestamp").dt.replace_time_zone(zone),
        open=price, high=price, low=price, close=price, volume=pl.lit(1e6),
    )  # fmt: skip


def test_days_when_a_session_is_on_two_utc_dates_then_dates_of_the_exchange():
    """The Sydney session that opens at 10:00 does so at 23:00 UTC of the day before."""
    bars = intraday("Australia/Sydney", "10:00", 20)
    dates = bars["timestamp"].dt.date().unique().sort().to_list()
    assert bars["timestamp"].dt.convert_time_zone("UTC").dt.date().n_unique() > len(dates)
    strategy = Watched()
    feed = tw.DataFeed(bars, calendar="XASX")
    result = tw.run(feed, strategy, account="margin")
    returns = result.to_quantstats()
    assert returns.index.tz is None and [stamp.date() for stamp in returns.index] == dates
    sydney = {stamp.astimezone(dt.timezone(dt.timedelta(hours=11))): state
              for stamp, state in strategy.seen.items()}  # fmt: skip
    assert_positions(result.to_pyfolio().positions, last_of_days(sydney))
    assert (1 + returns).prod() - 1 == pytest.approx(result.metrics["total_return"])


def test_positions_when_units_are_split_without_a_row_then_values_go_on():
    days = [dt.datetime(2024, 1, d, tzinfo=dt.timezone.utc) for d in (2, 3, 4, 5, 8)]
    prices = zip(days, (10.0, 10.0, 12.0, 6.5, 7.0), strict=True)
    rows = [(day, "A", price) for day, price in prices] + [(day, "B", 5.0) for day in days]
    rows.remove((days[3], "A", 6.5))  # the ex-date has no row of A
    price = pl.col("close")
    bars = pl.DataFrame(rows, schema=["timestamp", "symbol", "close"], orient="row").sort(
        "timestamp", "symbol"
    ).with_columns(open=price, high=price, low=price, volume=pl.lit(1e3))  # fmt: skip
    actions = pl.DataFrame(
        {"symbol": ["A"], "ex_date": [dt.date(2024, 1, 5)], "kind": ["split"], "ratio": [2.0]}
    )
    feed = tw.DataFeed(bars, actions=actions, adjustment="split")

    class BuyOnce(Watched):
        def on_timestamp_batch(self, timestamp, batch, context):
            super().on_timestamp_batch(timestamp, batch, context)
            return tw.orders([0], [100.0]) if timestamp == days[0] else None

    strategy = BuyOnce()
    positions = tw.run(feed, strategy).to_pyfolio().positions
    # 100 units at 12, then 200 at 6 for the day without a row, then 200 at 7.
    assert positions["A"].tolist() == [0.0, 1000.0, 1200.0, 1200.0, 1400.0]
    assert_positions(positions, last_of_days(strategy.seen))


def test_contracts_when_handed_over_then_in_units_of_currency(tiny):
    contract = tw.Instrument(multiplier=50.0, future=True, margin=100.0)
    strategy = Watched()
    result = tw.run(tw.DataFeed(tiny), strategy, account="futures", instrument=contract)
    _, positions, transactions = result.to_pyfolio()
    assert_positions(positions, last_of_days(strategy.seen))
    fills = result.fills.to_polars()
    assert len(fills) > 0
    assert transactions["amount"].abs().to_list() == [50.0 * q for q in fills["quantity"]]
    portfolio = result.portfolio.to_polars()
    notional = positions.drop(columns="cash").sum(axis=1)
    assert notional.tolist() == pytest.approx(portfolio["positions_value"].to_list())
    assert positions.sum(axis=1).tolist() == pytest.approx(portfolio["equity"].to_list())


def test_loaded_run_when_handed_over_then_its_feed_is_asked_for(watched, bars, tmp_path):
    result, _ = watched
    result.save(tmp_path / "run")
    loaded = tw.load(tmp_path / "run")
    pd.testing.assert_series_equal(loaded.to_quantstats(), result.to_quantstats())
    with pytest.raises(tw.ConfigError, match="need the prices") as caught:
        loaded.to_pyfolio()
    assert caught.value.code == "TW-C473" and "feed=feed" in caught.value.hint
    ours = result.to_pyfolio()
    for mine, again in zip(ours, loaded.to_pyfolio(feed=tw.DataFeed(bars)), strict=True):
        assert mine.equals(again)
    other = bars.filter(pl.col("symbol") != "S003")
    with pytest.raises(tw.ConfigError, match="S003") as caught:
        loaded.to_pyfolio(feed=tw.DataFeed(other))
    assert caught.value.code == "TW-C472"


def test_symbol_when_its_name_is_cash_then_refused(tiny):
    renamed = tiny.with_columns(pl.col("symbol").replace({"A": "cash"}))
    result = tw.run(tw.DataFeed(renamed), tw.rules.buy_and_hold())
    with pytest.raises(tw.ConfigError, match="rename the symbol") as caught:
        result.to_pyfolio()
    assert caught.value.code == "TW-C474"


def test_run_when_nothing_was_traded_then_cash_alone():
    returns, positions, transactions = tw.run(tw.sample("daily"), tw.rules.noop()).to_pyfolio()
    assert positions.columns.tolist() == ["cash"] and (positions["cash"] == 100_000).all()
    assert (returns == 0).all() and len(transactions) == 0


def test_factor_when_handed_over_then_by_date_and_asset(tiny):
    factor, prices = tw.DataFeed(tiny, signal_columns=["score"]).to_alphalens("score")
    assert factor.index.names == ["date", "asset"] and factor.name == "score"
    wide = tiny.pivot("symbol", index="timestamp", values="close")
    assert prices.columns.tolist() == ["A", "B"]
    assert prices["A"].tolist() == wide["A"].to_list()
    assert np.isnan(prices["B"].iloc[2]) and wide["B"][2] is None
    assert len(factor) == len(tiny)
    for row in tiny.iter_rows(named=True):
        assert factor[pd.Timestamp(row["timestamp"]), row["symbol"]] == row["score"]
    with pytest.raises(KeyError, match="did you mean 'score'|score"):
        tw.DataFeed(tiny).to_alphalens("scor")


def test_factor_when_sessions_have_several_rows_then_by_instant():
    bars = intraday("America/New_York", "09:30", 5).with_columns(alpha=pl.col("close").log())
    feed = tw.DataFeed(bars, calendar="XNYS", signal_columns=["alpha"])
    factor, prices = feed.to_alphalens("alpha")
    assert len(prices) == bars["timestamp"].n_unique() and len(factor) == len(bars)


# --- the libraries ---------------------------------------------------------------------------


def test_empyrical_when_given_our_returns_then_our_metrics(watched, crossed):
    empyrical = library("empyrical")
    for result in (watched[0], crossed):
        returns, metrics = result.to_pyfolio().returns, result.metrics
        assert empyrical.cum_returns_final(returns) == pytest.approx(metrics["total_return"])
        # Days of the random market are calendar days; ours counts 365 of them.
        periods = int(metrics["sharpe"].convention.split("/")[0])
        for theirs, ours in (
            (empyrical.sharpe_ratio(returns, annualization=periods), "sharpe"),
            (empyrical.sortino_ratio(returns, annualization=periods), "sortino"),
            (empyrical.annual_volatility(returns, annualization=periods), "volatility"),
            (empyrical.max_drawdown(returns), "max_drawdown"),
        ):
            assert theirs == pytest.approx(metrics[ours], rel=1e-9), ours


def test_pyfolio_when_round_trips_are_made_then_the_profit_of_our_trades(crossed):
    pyfolio = library("pyfolio")
    trips = pyfolio.round_trips.extract_round_trips(crossed.to_pyfolio().transactions)
    trades = crossed.trades.to_polars().filter(pl.col("status") != "open")
    assert len(trips) == len(trades) > 100
    assert trips["pnl"].sum() == pytest.approx(trades["pnl_gross"].sum())
    by_symbol = trips.groupby("symbol")["pnl"].sum()
    for symbol, pnl in trades.group_by("symbol").agg(pl.col("pnl_gross").sum()).iter_rows():
        assert by_symbol[symbol] == pytest.approx(pnl)


@pytest.mark.filterwarnings("ignore")
def test_pyfolio_when_tear_sheets_are_made_then_they_take_everything(watched):
    pyfolio = library("pyfolio")
    import matplotlib.pyplot as plt

    returns, positions, transactions = watched[0].to_pyfolio()
    pyfolio.create_full_tear_sheet(returns, positions, transactions, round_trips=True)
    assert plt.get_fignums()
    plt.close("all")
    leverage = pyfolio.timeseries.gross_lev(positions)
    ours = watched[0].portfolio.to_numpy("gross_leverage")
    # pyfolio leaves the money out of the exposure, so a row is what is held over what is owned.
    assert leverage.to_numpy() == pytest.approx(ours)


@pytest.mark.filterwarnings("ignore")
def test_quantstats_when_given_our_returns_then_our_metrics_and_its_page(crossed, tmp_path):
    stats = library("quantstats").stats
    import quantstats.reports

    returns, metrics = crossed.to_quantstats(), crossed.metrics
    assert stats.comp(returns) == pytest.approx(metrics["total_return"])
    assert stats.sharpe(returns) == pytest.approx(metrics["sharpe"])
    assert stats.max_drawdown(returns) == pytest.approx(metrics["max_drawdown"])
    page = tmp_path / "page.html"
    quantstats.reports.html(returns, output=str(page), title="handed over")
    assert "handed over" in page.read_text() and page.stat().st_size > 100_000


@pytest.mark.filterwarnings("ignore")
def test_alphalens_when_given_our_factor_then_the_ic_of_numpy(bars):
    library("alphalens")
    from alphalens.performance import factor_information_coefficient
    from alphalens.utils import get_clean_factor_and_forward_returns

    factor, prices = tw.DataFeed(bars, signal_columns=["signal"]).to_alphalens("signal")
    clean = get_clean_factor_and_forward_returns(factor, prices, periods=(1,), quantiles=5)
    theirs = factor_information_coefficient(clean)["1D"]
    close = bars.pivot("symbol", index="timestamp", values="close").drop("timestamp").to_numpy()
    signal = bars.pivot("symbol", index="timestamp", values="signal").drop("timestamp").to_numpy()
    later = close[1:] / close[:-1] - 1
    rows = zip(signal[:-1], later, strict=True)
    ours = [np.corrcoef(pl.Series(a).rank(), pl.Series(b).rank())[0, 1] for a, b in rows]
    assert theirs.to_numpy() == pytest.approx(ours)


def test_ml4t_diagnostic_when_given_our_trades_then_the_same_number_and_profit(watched):
    library("ml4t.diagnostic")
    from ml4t.diagnostic.evaluation import PortfolioAnalysis, TradeAnalysis

    result, _ = watched
    trades, returns = result.to_ml4t()
    found = TradeAnalysis(trades).compute_statistics()
    closed = result.trades.to_polars().filter(pl.col("status") != "open")
    assert found.n_trades == len(closed) > 100
    assert found.total_pnl == pytest.approx(closed["pnl_net"].sum())
    assert found.win_rate == pytest.approx(result.metrics["win_rate"])
    assert found.profit_factor == pytest.approx(result.metrics["profit_factor"])
    analysis = PortfolioAnalysis(returns, periods_per_year=365)
    summary = analysis.compute_summary_stats()
    assert summary.total_return == pytest.approx(result.metrics["total_return"])
    assert summary.max_drawdown == pytest.approx(result.metrics["max_drawdown"])


def test_ml4t_when_it_is_absent_then_the_error_says_what_to_install(crossed):
    import importlib.util

    if importlib.util.find_spec("ml4t") is not None:
        pytest.skip("skipped: ml4t-diagnostic is here")
    with pytest.raises(ImportError, match="pip install ml4t-diagnostic"):
        crossed.to_ml4t()
