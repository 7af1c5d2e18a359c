"""zipline-reloaded runs the jobs: a bundle of daily bars, order() in handle_data.

Bar k is the k-th session of the exchange calendar that ends with 2019; zipline stores prices with
three decimals, so the jobs' prices have no more. It checks no cash, so one run holds many paths.
"""

import datetime
import os
import shutil
import tempfile
import time
import warnings

import jobs
import records

ROOT = tempfile.mkdtemp(prefix="zipline")
os.environ["ZIPLINE_ROOT"] = ROOT
warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402  (zipline reads ZIPLINE_ROOT when it is imported)
import zipline  # noqa: E402
from zipline import api  # noqa: E402
from zipline.data import bundles  # noqa: E402
from zipline.finance import commission, slippage  # noqa: E402
from zipline.utils.calendar_utils import get_calendar  # noqa: E402

LAST = pd.Timestamp("2019-12-31")


def sessions_of(n_bars):
    calendar = get_calendar("XNYS")
    return calendar.sessions_window(calendar.date_to_session(LAST, "previous"), -n_bars)


def ingest(name, bars, sessions):
    """A bundle of the bars; a missing row is a session without a row."""

    def write(env, assets, minute, daily, adjustments, *more):
        rows = []
        for sid, (symbol, columns) in enumerate(bars.items()):
            found = [i for i, close in enumerate(columns["close"]) if close is not None]
            first, last = sessions[found[0]], sessions[found[-1]]
            rows.append((sid, symbol, first, last, last + datetime.timedelta(days=1), "XNYS"))
        names = ["sid", "symbol", "start_date", "end_date", "auto_close_date", "exchange"]
        frame = pd.DataFrame(rows, columns=names).set_index("sid")
        exchanges = pd.DataFrame([["XNYS", "XNYS", "US"]])
        exchanges.columns = ["exchange", "canonical_name", "country_code"]
        assets.write(equities=frame, exchanges=exchanges)
        daily.write(((sid, prices_of(x, sessions)) for sid, x in enumerate(bars.values())))
        adjustments.write()

    bundles.register(
        name, write, calendar_name="XNYS", start_session=sessions[0], end_session=sessions[-1]
    )
    bundles.ingest(name)


def prices_of(columns, sessions):
    frame = pd.DataFrame({name: columns[name] for name in jobs.PRICES}, index=sessions)
    return frame[frame["close"].notna()]


def costs(job):
    said, lost = job.get("commission"), job.get("slippage")
    fee = commission.NoCommission()
    if said:
        per_unit = said["kind"] == "per_unit"
        kind = commission.PerShare if per_unit else commission.PerDollar
        fee = kind(cost=said["rate"])
    slip = slippage.NoSlippage()
    if lost and lost["kind"] == "percent":
        slip = slippage.FixedBasisPointsSlippage(lost["rate"] * 10_000, volume_limit=1.0)
    elif lost:
        slip = slippage.FixedSlippage(spread=2 * lost["amount"])
    if job["peer_options"].get("fill_at") == "next_open":
        lost = lost or {}
        slip = AtOpen(lost.get("rate", 0.0), lost.get("amount", 0.0))
    return fee, slip


class AtOpen(slippage.SlippageModel):
    """The user's own model that many comparisons run zipline with: fills at the row's open."""

    def __init__(self, rate, amount):
        super().__init__()
        self.rate, self.amount = rate, amount

    def process_order(self, data, order):
        price = data.current(order.asset, "open")
        price += order.direction * (price * self.rate + self.amount)
        return price, order.amount


class Script:
    def __init__(self, job, bars):
        self.job, self.bars, self.bar = job, bars, -1
        self.by_bar = jobs.actions_by_bar(job)
        self.watch = jobs.Watch(job.get("rules", ()))

    def initialize(self, context):
        fee, slip = costs(self.job)
        api.set_commission(fee)
        api.set_slippage(slip)
        self.assets = {symbol: api.symbol(symbol) for symbol in self.bars}

    def held(self, context, symbol):
        return context.portfolio.positions[self.assets[symbol]].amount

    def handle_data(self, context, data):
        self.bar += 1
        if self.job.get("rules"):
            self.leave(context)
        for action in self.by_bar.get(self.bar, ()):
            self.act(context, action)
        if "strategy" in self.job:
            self.rank(context)

    def act(self, context, action):
        symbol, what = action["symbol"], action["do"]
        asset, held = self.assets[symbol], self.held(context, symbol)
        if what == "order":
            prices = {f"{x}_price": action[x] for x in ("limit", "stop") if x in action}
            api.order(asset, action["quantity"], **prices)
        elif what == "enter" and not held:
            api.order(asset, action["quantity"])
        elif what == "target":
            api.order_target(asset, action["quantity"])
        elif what == "close" and held:
            api.order(asset, -held)
        elif what == "cancel_all":
            for order in api.get_open_orders(asset):
                api.cancel_order(order)

    def leave(self, context):
        """The position rules, as a strategy that looks at closes."""
        for symbol, columns in self.bars.items():
            position = context.portfolio.positions[self.assets[symbol]]
            close = columns["close"][self.bar]
            # The cost basis holds fees, so jobs with rules have none.
            if self.watch.leaves(symbol, position.amount, position.cost_basis, close):
                if not api.get_open_orders(self.assets[symbol]):
                    api.order(self.assets[symbol], -position.amount)

    def rank(self, context):
        wanted = jobs.rank_targets(self.job["strategy"], jobs.scores_at(self.bars, self.bar))
        for symbol, target in wanted.items():
            waiting = sum(x.amount - x.filled for x in api.get_open_orders(self.assets[symbol]))
            change = target - self.held(context, symbol) - waiting
            if change:
                api.order(self.assets[symbol], change)


def fills_of(frame):
    """Transactions in their order, with the fee of the order that they filled."""
    fills = []
    for bar, (_, day) in enumerate(frame.iterrows()):
        fees = {order["id"]: order["commission"] for order in day["orders"]}
        for deal in day["transactions"]:
            values = (float(deal["amount"]), float(deal["price"]))
            fee = float(fees.get(deal["order_id"]) or 0.0)
            fills.append([bar, deal["sid"].symbol, *values, fee, None])
    return fills


def run(job, folder):
    bars = jobs.panel(job, folder)
    sessions = sessions_of(jobs.n_bars_of(bars))
    ingest("job", bars, sessions)
    script = Script(job, bars)
    began = time.process_time()
    frame = zipline.run_algorithm(
        start=sessions[0],
        end=sessions[-1],
        initialize=script.initialize,
        handle_data=script.handle_data,
        capital_base=job["cash"],
        bundle="job",
        benchmark_returns=pd.Series(0.0, index=sessions),
    )
    seconds = time.process_time() - began
    bundles.clean("job", keep_last=0)
    bundles.unregister("job")
    equity = [float(x) for x in frame["portfolio_value"]]
    return records.result(job, fills_of(frame), [], equity, seconds)


if __name__ == "__main__":
    try:
        jobs.main(jobs.each(run))
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
