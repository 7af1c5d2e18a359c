"""vectorbt runs the jobs: from_signals with its stops, from_orders with target amounts.

Jobs of one cell that share account, costs and rules are columns of one call, each with its own
cash; the stress is one group with shared cash.
"""

import json
import time

import jobs
import numpy as np
import records
import vectorbt as vbt
from vectorbt.portfolio.enums import OrderStatus


def matrix(columns_of, name):
    """(bar, column) matrix of one price column; a missing row is NaN."""
    return np.array([columns[name] for columns in columns_of], dtype=float).T


def prices(panels):
    return {name: matrix(panels, name) for name in ("open", "high", "low", "close")}


def signals(group, n_bars):
    """Entries and exits per direction, and the size, as matrices (bar, job)."""
    shape = (n_bars, len(group))
    long_in, long_out, short_in, short_out = (np.zeros(shape, bool) for _ in range(4))
    size = np.full(len(group), np.nan)
    for column, job in enumerate(group):
        for action in job["actions"]:
            bar, what = action["bar"], action["do"]
            if what in ("enter", "target"):
                (long_in if action["quantity"] > 0 else short_in)[bar, column] = True
                size[column] = abs(action["quantity"])
            elif what == "close":
                long_out[bar, column] = short_out[bar, column] = True
            else:
                raise ValueError(f"no signal says {what}")
    return {
        "entries": long_in,
        "exits": long_out,
        "short_entries": short_in,
        "short_exits": short_out,
        "size": np.broadcast_to(size, shape),
    }


def stops(job):
    """Keyword arguments of the rules. A trail is a stop that trails, so of both the nearer one."""
    fraction = {rule["rule"]: rule["fraction"] for rule in job.get("rules", ())}
    found = {}
    stop, trail = fraction.get("stop_loss"), fraction.get("trail")
    if trail is not None:
        if stop is not None and stop < trail:
            raise ValueError("one array holds the stop and the trail")
        found |= {"sl_stop": trail, "sl_trail": True}
    elif stop is not None:
        found["sl_stop"] = stop
    if "take_profit" in fraction:
        found["tp_stop"] = fraction["take_profit"]
    return found


def costs(job, close):
    """Fees and slippage; a fixed slippage is a fraction of the row's close."""
    commission, slippage = job.get("commission"), job.get("slippage")
    found = {}
    if commission:
        if commission["kind"] != "percent":
            raise ValueError(f"no fee {commission['kind']}")
        found["fees"] = commission["rate"]
    if slippage:
        is_percent = slippage["kind"] == "percent"
        found["slippage"] = slippage["rate"] if is_percent else slippage["amount"] / close
    return found


def result_of(job, portfolio, column, equity, symbols, seconds):
    """Records of one column, or of all columns of the one group when `column` is None."""
    orders, logs = portfolio.orders.values, portfolio.logs.values
    if column is not None:
        orders = orders[orders["col"] == column]
        logs = logs[logs["col"] == column]
    fills = []
    for order in orders:
        size = order["size"] if order["side"] == 0 else -order["size"]
        symbol = symbols[order["col"]] if column is None else symbols[0]
        values = (float(size), float(order["price"]), float(order["fees"]))
        fills.append([int(order["idx"]), symbol, *values, None])
    rejected = []
    for log in logs[logs["res_status"] == OrderStatus.Rejected]:
        symbol = symbols[log["col"]] if column is None else symbols[0]
        why = int(log["res_status_info"])
        rejected.append([int(log["idx"]), symbol, float(log["req_size"]), why])
    return records.result(job, fills, rejected, [float(x) for x in equity], seconds)


def run_signals(group, folder):
    """Results of jobs with equal settings, side by side."""
    panels = [next(iter(jobs.panel(job, folder).values())) for job in group]
    price = prices(panels)
    first = group[0]
    rules = [stops(job) for job in group]
    shared = {}
    for name in ("sl_stop", "tp_stop"):
        if name in rules[0]:
            row = np.array([rule[name] for rule in rules])
            shared[name] = np.broadcast_to(row, price["close"].shape)
    if "sl_trail" in rules[0]:
        shared["sl_trail"] = True
    began = time.process_time()
    portfolio = vbt.Portfolio.from_signals(
        price["close"],
        open=price["open"],
        high=price["high"],
        low=price["low"],
        init_cash=first["cash"],
        log=True,
        freq="1D",
        **signals(group, len(price["close"])),
        **shared,
        **costs(first, price["close"]),
    )
    seconds = (time.process_time() - began) / len(group)
    values = portfolio.value().to_numpy().reshape(len(price["close"]), -1)
    for column, job in enumerate(group):
        symbol = next(iter(job["bars"]))
        yield result_of(job, portfolio, column, values[:, column], [symbol], seconds)


def run_targets(job, folder):
    bars = jobs.panel(job, folder)
    symbols = list(bars)
    price = prices(list(bars.values()))
    wanted = np.full(price["close"].shape, np.nan)
    for bar in range(len(wanted)):
        for symbol, target in jobs.rank_targets(job["strategy"], jobs.scores_at(bars, bar)).items():
            wanted[bar, symbols.index(symbol)] = target
    began = time.process_time()
    portfolio = vbt.Portfolio.from_orders(
        price["close"],
        wanted,
        size_type="targetamount",
        init_cash=job["cash"],
        cash_sharing=True,
        group_by=True,
        call_seq=job["peer_options"].get("call_seq", "default"),
        log=True,
        freq="1D",
        **costs(job, price["close"]),
    )
    seconds = time.process_time() - began
    values = portfolio.value().to_numpy().ravel()
    return result_of(job, portfolio, None, values, symbols, seconds)


def settings(job):
    """What jobs must share to be columns of one call."""
    rules = sorted(rule["rule"] for rule in job.get("rules", ()))
    n_bars = len(next(iter(job["bars"].values())))
    return json.dumps([job["cash"], job.get("commission"), job.get("slippage"), rules, n_bars])


def run(cell_jobs, folder):
    groups = {}
    for job in cell_jobs:
        if "strategy" in job:
            yield run_targets(job, folder)
        else:
            groups.setdefault(settings(job), []).append(job)
    for group in groups.values():
        try:
            yield from run_signals(group, folder)
        except ValueError as error:
            yield from (records.failure(job, error) for job in group)


if __name__ == "__main__":
    jobs.main(run)
