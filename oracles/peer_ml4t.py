"""ml4t-backtest runs the jobs under its named presets, with costs and overrides on top."""

import datetime
import time
import warnings

import jobs
import polars as pl
import records
from ml4t.backtest import BacktestConfig, DataFeed, Engine, OrderType, RuleChain, Strategy, risk
from ml4t.backtest.profiles import get_profile_config

warnings.filterwarnings("ignore")
FIRST = datetime.datetime(2001, 1, 1)
KIND = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "trail": OrderType.TRAILING_STOP,
}
RULE = {"stop_loss": risk.StopLoss, "take_profit": risk.TakeProfit, "trail": risk.TrailingStop}


def bar_of(stamp):
    return (stamp - FIRST).days


class Script(Strategy):
    def __init__(self, job, bars):
        self.job, self.bars, self.bar = job, bars, -1
        self.by_bar = jobs.actions_by_bar(job)
        self.named, self.waiting = {}, []

    def on_start(self, broker):
        made = [RULE[rule["rule"]](pct=rule["fraction"]) for rule in self.job.get("rules", ())]
        if made:
            broker.set_position_rules(made[0] if len(made) == 1 else RuleChain(made))

    def on_data(self, timestamp, data, context, broker):
        self.bar = bar_of(timestamp)
        for action in list(self.waiting):
            order = self.named.get(action["after"])
            if order is not None and order.status.value == "filled":
                self.waiting.remove(action)
                self.act(broker, action)
        for action in self.by_bar.get(self.bar, ()):
            if "after" in action:
                self.waiting.append(action)
            else:
                self.act(broker, action)
        if "strategy" in self.job:
            self.rank(broker)

    def held(self, broker, symbol):
        position = broker.get_position(symbol)
        return position.quantity if position is not None else 0

    def act(self, broker, action):
        symbol, what = action["symbol"], action["do"]
        if what == "order":
            if "trail_percent" in action:
                raise ValueError("its trailing order has an amount only")
            order = broker.submit_order(
                symbol,
                action["quantity"],
                order_type=KIND[action["kind"]],
                limit_price=action.get("limit"),
                stop_price=action.get("stop"),
                trail_amount=action.get("trail_amount"),
            )
            if "name" in action:
                self.named[action["name"]] = order
        elif what == "bracket":
            kind = action["kind"]
            if kind == "stop":
                raise ValueError("its bracket has no stop entry")
            broker.submit_bracket(
                symbol,
                action["quantity"],
                action["take_profit"],
                action["stop_loss"],
                KIND[kind],
                action.get("limit"),
                False,
            )
        elif what == "enter" and not self.held(broker, symbol):
            broker.submit_order(symbol, action["quantity"])
        elif what == "target":
            change = action["quantity"] - self.held(broker, symbol)
            if change:
                broker.submit_order(symbol, change)
        elif what == "close":
            broker.close_position(symbol)
        elif what == "cancel_all":
            for order in list(broker.pending_orders):
                if order.asset == symbol:
                    broker.cancel_order(order.order_id)

    def rank(self, broker):
        wanted = jobs.rank_targets(self.job["strategy"], jobs.scores_at(self.bars, self.bar))
        waiting = {}
        for order in broker.pending_orders:
            signed = order.quantity if order.side.value == "buy" else -order.quantity
            waiting[order.asset] = waiting.get(order.asset, 0) + signed
        for symbol, target in wanted.items():
            change = target - self.held(broker, symbol) - waiting.get(symbol, 0)
            if change:
                broker.submit_order(symbol, change)


def settings(job):
    """The preset with the job's costs and the account that its quantities need."""
    preset = job["peer_options"].get("preset")
    base = get_profile_config(preset) if preset and preset != "default" else {}
    base = {section: dict(values) for section, values in base.items() if isinstance(values, dict)}

    def put(section, **values):
        base.setdefault(section, {}).update(values)

    put("cash", initial=job["cash"])
    if jobs.needs_shorts(job):  # whatever the preset says: its other choices for an account stay
        put("account", allow_short_selling=True)
    said, lost = job.get("commission"), job.get("slippage")
    if said and said["kind"] == "percent":
        put("commission", model="percentage", rate=said["rate"])
    elif said:
        put("commission", model="per_share", per_share=said["rate"])
    if lost and lost["kind"] == "percent":
        put("slippage", model="percentage", rate=lost["rate"])
    elif lost:
        put("slippage", model="fixed", fixed=lost["amount"])
    for section, values in job["peer_options"].get("overrides", {}).items():
        put(section, **values)
    return BacktestConfig.from_dict(base, preset_name=preset)


def frame_of(bars):
    rows = []
    for symbol, columns in bars.items():
        for bar, close in enumerate(columns["close"]):
            if close is not None:
                stamp = FIRST + datetime.timedelta(days=bar)
                rows.append((stamp, symbol, *(columns[name][bar] for name in jobs.PRICES)))
    names = ["timestamp", "asset", *jobs.PRICES]
    return pl.DataFrame(rows, schema=names, orient="row").sort("timestamp", "asset")


def refuse_dust(engine, smallest):
    """Refuses a cut fill of fewer units than `smallest`, which the peer would fill."""
    fills = engine.broker._fill_engine  # it has no public way
    affordable = fills.get_max_affordable_quantity

    def without_dust(order, price):
        quantity = affordable(order, price)
        return quantity if quantity >= smallest else 0.0

    fills.get_max_affordable_quantity = without_dust


def run(job, folder):
    bars = jobs.panel(job, folder)
    script = Script(job, bars)
    feed = DataFeed(prices_df=frame_of(bars), calendar=None)
    engine = Engine(feed, script, settings(job))
    if "smallest_fill" in job["peer_options"]:
        refuse_dust(engine, job["peer_options"]["smallest_fill"])
    began = time.process_time()
    said = engine.run()
    seconds = time.process_time() - began
    fills = []
    for fill in said.fills:
        size = float(fill.quantity) if fill.side.value == "buy" else -float(fill.quantity)
        values = (size, float(fill.price), float(fill.commission))
        reason = fill.exit_reason or fill.order_type
        fills.append([bar_of(fill.timestamp), fill.asset, *values, reason])
    rejected = [
        [None, order.asset, float(order.quantity), order.rejection_code]
        for order in engine.broker.orders
        if order.status.value == "rejected"
    ]
    equity = [None] * jobs.n_bars_of(bars)
    for row in said.portfolio_state:
        equity[bar_of(row[0])] = float(row[1])
    return records.result(job, fills, rejected, equity, seconds)


if __name__ == "__main__":
    jobs.main(jobs.each(run))
