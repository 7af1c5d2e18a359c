"""Orders and the account of `tapeworks.compat.lumibot`; expected values by hand."""

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from tapeworks.compat.lumibot import (  # noqa: E402
    Asset,
    Order,
    TradingFee,
)

from lumibot_play import minutes, play, prices_of  # noqa: E402


def test_orders_when_several_kinds_then_filled_by_hand():
    """Row i covers minute i. A limit and a stop rest; the pair's target is touched first."""
    frame = minutes([100, 101, 102, 103, 104, 101, 99, 98], reach=0.25)

    def send(strategy):
        strategy.submit_order(strategy.create_order("A", 10, "buy"))
        strategy.submit_order(strategy.create_order("A", 5, "buy", limit_price=98.9))
        strategy.submit_order(strategy.create_order("A", 3, "buy", stop_price=102.5))

    kept = {}

    def pair(strategy):
        kept["pair"] = strategy.submit_order(
            strategy.create_order("A", 4, "sell", 103.5, 90.0, order_class=Order.OrderClass.OCO)
        )

    result, ran = play({0: send, 1: pair}, frame)
    fills = list(zip(prices_of(result), result.fills.to_numpy("quantity").tolist(), strict=True))
    # The stop jumps from 102.25 to an open of 103; the target opens at 104; the limit is in 99's
    # range of 98.75 to 99.25.
    assert fills == [(101.0, 10.0), (103.0, 3.0), (104.0, 4.0), (98.9, 5.0)]
    assert [event[0] for event in ran.events].count("canceled") == 1
    assert ran.get_orders(statuses=Order.ACTIVE_STATUSES) == []
    assert (kept["pair"].is_filled(), kept["pair"].is_active()) == (True, False)


def test_orders_when_cancelled_modified_and_closed_then_followed():
    kept = {}

    def send(strategy):
        kept["far"] = strategy.submit_order(strategy.create_order("A", 1, "buy", limit_price=50))
        kept["near"] = strategy.submit_order(strategy.create_order("A", 2, "buy", limit_price=60))

    def change(strategy):
        assert kept["far"].is_active()
        assert len(strategy.get_orders(statuses=Order.ACTIVE_STATUSES)) == 2
        strategy.cancel_order(kept["far"])
        strategy.modify_order(kept["near"], limit_price=100.5)

    def close(strategy):
        order = strategy.close_position("A", 0.5)
        assert order.quantity == 1.0
        assert strategy.submit_order(order) is order  # a second time: left alone

    result, ran = play({0: send, 1: change, 3: close}, minutes([100] * 6))
    assert prices_of(result) == [100.0, 100.0]
    assert result.fills.to_numpy("side").tolist() == ["buy", "sell"]
    assert kept["far"].is_canceled()
    assert kept["near"].is_filled()
    assert ran.events.count(("canceled", kept["far"].identifier)) == 1
    assert ran.events[0] == ("new", kept["far"].identifier)
    assert ran.get_order(kept["near"].identifier) is kept["near"]


def test_orders_when_of_the_day_then_gone_at_its_close():
    frame = pd.concat([minutes([10, 11], "2024-01-02 15:58"), minutes([5, 5], "2024-01-03 09:30")])
    kept = {}

    def send(strategy):
        for tif in ("day", "gtc"):
            order = strategy.create_order("A", 1, "buy", limit_price=6, time_in_force=tif)
            kept[tif] = strategy.submit_order(order)

    result, _ = play({0: send}, frame, market="NYSE")
    assert prices_of(result) == [5.0]
    assert (str(kept["day"].status), str(kept["gtc"].status)) == ("canceled", "fill")


def test_trail_percent_when_price_rises_then_it_ratchets():
    """10 % under the best price: up to 120 the stop is 108. Lumibot's follows down to 99 * 0.9."""
    closes = [100, 100, 110, 120, 119, 118, 107, 99]
    trail = {
        0: lambda s: s.submit_order(s.create_order("A", 1, "buy")),
        1: lambda s: s.submit_order(s.create_order("A", 1, "sell", trail_percent=0.1)),
    }
    fee = [TradingFee(flat_fee=2)]
    terms = {"buy_trading_fees": fee, "sell_trading_fees": fee}
    result, _ = play(trail, minutes(closes, reach=0.0), **terms)
    assert prices_of(result) == [100.0, 107.0]
    assert result.fills.to_numpy("commission").tolist() == [2.0, 2.0]
    exact, _ = play(trail, minutes(closes, reach=0.0), semantics="lumibot", **terms)
    assert prices_of(exact) != prices_of(result)


def test_cash_when_it_does_not_suffice_then_order_is_refused():
    """Lumibot buys whatever is asked for; here 100 x 100 need 5,000 of margin."""
    kept = {}
    big = {0: lambda s: kept.update(order=s.submit_order(s.create_order("A", 100, "buy")))}
    result, ran = play(big, minutes([100] * 4), budget=1_000)
    assert result.rejections.to_numpy("code").tolist() == ["insufficient_margin"]
    assert (str(kept["order"].status), kept["order"].error_message) == (
        "error",
        "insufficient_margin",
    )
    assert ran.cash == 1_000.0
    exact, ran = play(big, minutes([100] * 4), budget=1_000, semantics="lumibot")
    assert (prices_of(exact), ran.cash) == ([100.0], -9_000.0)


def test_fees_when_sides_differ_then_each_pays_its_own():
    script = {
        0: lambda s: s.submit_order(s.create_order("A", 10, "buy")),
        1: lambda s: s.submit_order(s.create_order("A", 10, "sell", limit_price=100.4)),
    }
    buy = [TradingFee(flat_fee=1), TradingFee(percent_fee=0.001)]
    sell = [TradingFee(per_contract_fee=0.5, taker=False), TradingFee(flat_fee=9, maker=False)]
    result, _ = play(script, minutes([100] * 4), buy_trading_fees=buy, sell_trading_fees=sell)
    assert prices_of(result) == [100.0, 100.4]
    assert result.fills.to_numpy("commission").tolist() == [2.0, 5.0]


def test_future_when_multiplier_is_given_then_gains_and_fees_have_it():
    """Two contracts from 100 to 103 at 5 a point: 30. A fee of 0.1 % counts the multiplier."""
    asset = Asset("F", "cont_future", multiplier=5)
    script = {
        0: lambda s: s.submit_order(s.create_order(asset, 2, "buy")),
        2: lambda s: s.sell_all(),
    }
    fee = [TradingFee(percent_fee=0.001)]
    result, ran = play(
        script,
        {asset: minutes([99, 100, 101, 103, 103])},
        buy_trading_fees=fee,
        sell_trading_fees=fee,
    )
    assert result.fills.to_numpy("commission").tolist() == pytest.approx([1.0, 1.03])
    assert ran.portfolio_value == pytest.approx(100_000 + 30 - 2.03)


def test_portfolio_when_held_then_value_positions_and_totals():
    kept = {}

    def look(strategy):
        position = strategy.get_position("A")
        kept.update(
            value=strategy.portfolio_value,
            cash=strategy.get_cash(),
            quantity=position.quantity,
            average=position.avg_fill_price,
            assets=strategy.get_tracked_assets(),
            total=strategy.get_asset_potential_total("A"),
            cashes=[p.symbol for p in strategy.get_positions(include_cash_positions=True)],
        )

    buy = {0: lambda s: s.submit_order(s.create_order("A", 10, "buy")), 2: look}
    play(buy, minutes([100, 101, 105, 105]))
    assert kept == {
        "value": 100_000 + 10 * (105 - 101),
        "cash": 100_000 - 1010,
        "quantity": 10.0,
        "average": 101.0,
        "assets": [Asset("A")],
        "total": 10.0,
        "cashes": ["A", "USD"],
    }
