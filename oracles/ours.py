"""tapeworks runs the jobs through its public Python API, with the semantics that the job names."""

import datetime
import time

import jobs
import pyarrow as pa
import records

import tapeworks as tw

FIRST = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
DAY_NS = 86_400 * 10**9
FIRST_NS = int(FIRST.timestamp()) * 10**9
RULE = {"stop_loss": tw.StopLoss, "take_profit": tw.TakeProfit, "trail": tw.TrailingStop}
# No engine of these takes less; what rounding leaves of a fraction is not an order.
UNITS_MIN = 1e-8
# Presets of ml4t-backtest without short positions; a job that needs them opens them there too.
LONG_ONLY = ("default", "realistic", "ibkr_us_stocks_fixed")
# A fee per unit replaces that of a preset, but not its least fee.
MINIMUM = {"ibkr_us_stocks_fixed": 1.0, "lean": 1.0}
PER_SHARE_MIN = tw.Commission.per_share(0.005, minimum=1.0, scope="fill")
# What its presets charge, and which account they open.
PRESET_TERMS = {
    "realistic": {
        "commission": tw.Commission.percent(bps=20),
        "slippage": tw.Slippage.percent(bps=20),
        "stop_slippage": 0.001,
    },
    "ibkr_us_stocks_fixed": {"commission": PER_SHARE_MIN},
    "lean": {"commission": PER_SHARE_MIN},
}


def bar_of(stamp_ns):
    return int((stamp_ns - FIRST_NS) // DAY_NS)


def prices_of(action):
    """Keyword arguments of an order for its prices and exits."""
    names = {"trail_amount": "trail"}
    known = ("limit", "stop", "trail_amount", "trail_percent", "stop_loss", "take_profit")
    return {names.get(key, key): action[key] for key in known if key in action}


def made(symbol, quantity, **more):
    return (tw.Order.buy if quantity > 0 else tw.Order.sell)(symbol, abs(quantity), **more)


class Script(tw.Strategy):
    def __init__(self, job):
        self.job = job
        self.by_bar = jobs.actions_by_bar(job)
        self.named, self.waiting, self.sent = {}, {}, {}
        self.watch = jobs.Watch(job.get("rules", ()))
        self.decides_exits = job.get("rules_as") == "strategy"

    def on_timestamp_batch(self, timestamp, batch, context):
        self.bar = bar_of(batch.timestamp_ns)
        if self.decides_exits:
            self.leave(batch)
        actions = self.by_bar.get(self.bar, ())
        partner = {action["oco"]: action for action in actions if "oco" in action}
        for action in actions:
            if "after" in action:
                self.waiting.setdefault(action["after"], []).append(action)
            elif action.get("name") in partner:
                both = [action, partner[action["name"]]]
                if self.job["semantics"] == "lumibot":
                    both.reverse()  # its pair is one order whose target comes first
                self.oco([made(x["symbol"], x["quantity"], **prices_of(x)) for x in both])
            elif "oco" not in action:
                self.act(action)
        if "strategy" in self.job:
            self.rank(batch)

    def on_fill(self, fill):
        for name, order_id in list(self.named.items()):
            if order_id == fill.order_id:
                for action in self.waiting.pop(name, ()):
                    self.act(action)

    def send(self, symbol, quantity, **more):
        order_id = self.submit(made(symbol, quantity, **more))
        self.sent[order_id] = (symbol, quantity)
        return order_id

    def open_quantity(self):
        """Signed units on their way, by symbol."""
        found = {}
        for order_id in self.open_orders():
            symbol, quantity = self.sent[order_id]
            found[symbol] = found.get(symbol, 0.0) + quantity
        return found

    def act(self, action):
        symbol, what = action["symbol"], action["do"]
        held = self.quantity(symbol)
        if what in ("order", "bracket"):
            order_id = self.send(symbol, action["quantity"], **prices_of(action))
            if "name" in action:
                self.named[action["name"]] = order_id
        elif what == "enter" and not held:
            self.send(symbol, action["quantity"])
        elif what == "target" and action["quantity"] != held:
            self.send(symbol, action["quantity"] - held)
        elif what == "close" and held:
            self.send(symbol, -held)
        elif what == "cancel_all":
            self.cancel_all(symbol)

    def leave(self, batch):
        for row, symbol in enumerate(batch.symbols):
            position = self.get_position(symbol)
            held, average = (position.quantity, position.entry_price) if position else (0.0, 0.0)
            if self.watch.leaves(symbol, held, average, batch["close"][row]):
                if symbol not in self.open_quantity():
                    self.send(symbol, -held)

    def rank(self, batch):
        scores = dict(zip(batch.symbols, batch["score"], strict=True))
        wanted = jobs.rank_targets(self.job["strategy"], scores)
        waiting = self.open_quantity()
        for symbol, target in wanted.items():
            change = target - self.quantity(symbol) - waiting.get(symbol, 0.0)
            if abs(change) > UNITS_MIN:
                self.send(symbol, change)


def table_of(bars):
    columns = {name: [] for name in ("timestamp", "symbol", *jobs.PRICES, "score")}
    has_score = "score" in next(iter(bars.values()))
    for bar in range(jobs.n_bars_of(bars)):
        for symbol, found in bars.items():
            if found["close"][bar] is not None:
                columns["timestamp"].append(FIRST_NS + bar * DAY_NS)
                columns["symbol"].append(symbol)
                for name in jobs.PRICES:
                    columns[name].append(found[name][bar])
                columns["score"].append(found["score"][bar] if has_score else 0.0)
    stamps = pa.array(columns.pop("timestamp"), pa.timestamp("ns", "UTC"))
    return pa.table({"timestamp": stamps, **columns})


def semantics_of(job):
    """The constant, with the one option of a peer that is a knob of ours."""
    if job["peer_options"].get("call_seq") == "auto":
        return {"base": job["semantics"], "sequence": "value_ascending"}
    return job["semantics"]


def terms_of(job):
    """Keyword arguments of tw.run() for fees, slippage and the account.

    The job's own terms replace those of a preset, as they do in the peer.
    """
    preset = job["peer_options"].get("preset")
    found = dict(PRESET_TERMS.get(preset, {}))
    said, lost = job.get("commission"), job.get("slippage")
    if said and said["kind"] == "percent":
        found["commission"] = tw.Commission.percent(bps=said["rate"] * 1e4)
    elif said:
        minimum = MINIMUM.get(preset, 0.0)
        found["commission"] = tw.Commission.per_share(said["rate"], minimum, scope="fill")
    if lost and lost["kind"] == "percent":
        found["slippage"] = tw.Slippage.percent(bps=lost["rate"] * 1e4)
    elif lost:
        found["slippage"] = tw.Slippage.fixed(lost["amount"])
    return found | {"account": account_of(job)}


def account_of(job):
    """Shorts are allowed unless a preset forbids them and the job needs none; nobody is called."""
    preset = job["peer_options"].get("preset")
    buffer = 0.02 if preset == "realistic" else 0.0
    if preset in LONG_ONLY and not jobs.needs_shorts(job):
        return tw.Account.cash(cash_buffer=buffer)
    return tw.Account.margin(
        initial=0.5, maintenance=0.5, margin_call="ignore", cash_buffer=buffer
    )


def run(job, folder):
    bars = jobs.panel(job, folder)
    feed = tw.DataFeed(table_of(bars), signal_columns=["score"])
    rules = [RULE[x["rule"]](x["fraction"]) for x in job.get("rules", ())]
    if job.get("rules_as") == "strategy":
        rules = []
    began = time.process_time()
    result = tw.run(
        feed,
        Script(job),
        cash=job["cash"],
        semantics=semantics_of(job),
        rules=rules or None,
        progress=False,
        **terms_of(job),
    )
    seconds = time.process_time() - began
    return record(job, result, jobs.n_bars_of(bars), seconds)


def rows(table, *names):
    found = table.to_arrow()
    return zip(*(column(found[name]) for name in names), strict=True)


def column(values):
    if pa.types.is_timestamp(values.type):
        return [None if x is None else bar_of(x) for x in values.cast(pa.int64()).to_pylist()]
    return values.to_pylist()


def record(job, result, n_bars, seconds):
    fills = []
    names = ("timestamp", "symbol", "side", "quantity", "price", "commission", "reason")
    for bar, symbol, side, quantity, price, fee, reason in rows(result.fills, *names):
        signed = quantity if side == "buy" else -quantity
        fills.append([bar, symbol, signed, price, fee, reason])
    trades = []
    names = ("symbol", "side", "entry_timestamp", "exit_timestamp", "entry_quantity")
    names += ("entry_price", "exit_price", "entry_commission", "exit_commission", "status")
    for *facts, paid_in, paid_out, status in rows(result.trades, *names):
        if status in ("closed", "partial"):
            trades.append([*facts, paid_in + paid_out, status])
    rejected = refusals(job, result, n_bars)
    equity = [None] * n_bars
    for bar, value in rows(result.portfolio, "timestamp", "equity"):
        equity[bar] = value
    return records.result(job, fills, rejected, equity, seconds) | {"trades": trades}


def refusals(job, result, n_bars):
    """Refused orders, as far as the peer speaks of a refusal."""
    names = ("timestamp", "symbol", "quantity", "code", "order_id")
    found = [list(x) for x in rows(result.rejections, *names)]
    if job["semantics"] == "backtrader":
        # It judges an order when the next row begins, so never one that was sent on the last row.
        found = [row for row in found if row[0] < n_bars - 1]
    if job["semantics"] == "ml4t_backtrader_strict":
        # It cuts a reversal that it cannot pay to its closing leg, and refuses nothing.
        filled = {order_id for (order_id,) in rows(result.fills, "order_id")}
        found = [row for row in found if row[4] not in filled]
    return [row[:4] for row in found]


if __name__ == "__main__":
    jobs.main(jobs.each(run))
