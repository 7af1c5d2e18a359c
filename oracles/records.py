"""Records that every engine writes for a job, and trades derived from fills.

A fill is [bar, symbol, signed quantity, price, commission, reason]; a trade is [symbol, side,
entry bar, exit bar, quantity, entry price, exit price, commission, status]. One trade per
reducing fill at the average entry price, as docs/semantics.md defines it.
"""

import hashlib
import json
import os

FILL = ("bar", "symbol", "quantity", "price", "commission", "reason")
TRADE = (
    "symbol",
    "side",
    "entry_bar",
    "exit_bar",
    "quantity",
    "entry_price",
    "exit_price",
    "commission",
    "status",
)
# A position below this many units is flat: the dust of sums of fractions.
DUST_UNITS = 1e-9


def digest(path):
    """What identifies the jobs that results belong to."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read_jobs(path):
    with open(path) as file:
        return json.load(file)


def write_results(path, results):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w") as file:
        json.dump(results, file)
    os.replace(path + ".part", path)


def failure(job, error):
    """The result of a job that an engine could not run."""
    text = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return {"id": job["id"], "error": text[:300]}


def result(job, fills, rejected, equity, seconds=0.0):
    """The common shape; trades are derived here unless the engine brings its own."""
    return {
        "id": job["id"],
        "fills": fills,
        "trades": trades_of(fills),
        "rejected": rejected,
        "equity": equity,
        "cpu_s": round(seconds, 6),
    }


def trades_of(fills):
    """Trades of the fills in their order; positions left open at the end are not trades."""
    open_positions = {}
    trades = []
    for bar, symbol, quantity, price, commission, *_ in fills:
        held, average, fees, entry_bar = open_positions.get(symbol, (0.0, 0.0, 0.0, bar))
        size = abs(quantity)
        closed = min(size, abs(held)) if held * quantity < 0 else 0.0
        opened = size - closed
        if closed > 0:
            share = fees * (closed / abs(held))
            paid = share + commission * (closed / size)
            side = "long" if held > 0 else "short"
            held += closed if quantity > 0 else -closed
            fees -= share
            if abs(held) <= DUST_UNITS * max(1.0, closed):
                held, fees = 0.0, 0.0
            status = "partial" if held else "closed"
            trades.append([symbol, side, entry_bar, bar, closed, average, price, paid, status])
        if opened > DUST_UNITS * max(1.0, closed):
            if held:
                average = (abs(held) * average + opened * price) / (abs(held) + opened)
            else:
                average, entry_bar = price, bar
            held += opened if quantity > 0 else -opened
            fees += commission * (opened / size)
        open_positions[symbol] = (held, average, fees, entry_bar)
    return trades


def equity_of(fills, closes, cash):
    """Cash plus marked positions per bar; `closes` is {symbol: [close or None]}."""
    n_bars = max(len(x) for x in closes.values())
    by_bar = {}
    for fill in fills:
        by_bar.setdefault(fill[0], []).append(fill)
    held, mark, curve = {}, {}, []
    for bar in range(n_bars):
        for _, symbol, quantity, price, commission, *_ in by_bar.get(bar, ()):
            cash -= quantity * price + commission
            held[symbol] = held.get(symbol, 0.0) + quantity
        for symbol, column in closes.items():
            if bar < len(column) and column[bar] is not None:
                mark[symbol] = column[bar]
        curve.append(cash + sum(q * mark[s] for s, q in held.items() if q))
    return curve
