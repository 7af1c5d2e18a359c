"""Random single-asset runs: 40 bars in cents, one order or exit kind each, long and short.

A path has gaps, opens that repeat the close before and rows without a shadow; a level is now and
then exactly a later open, high or low, so that every comparison of a fill rule meets its tie.
"""

import numpy as np

N_BARS = 40
DECISION = 2
UNITS = 10


def path(rng):
    """Rows [open, high, low, close, volume]."""
    rows, before = [], float(np.round(rng.uniform(40, 160), 2))
    for _ in range(N_BARS):
        kind = rng.random()
        gap = 0.0 if kind < 0.15 else rng.normal(0, 0.03 if kind < 0.3 else 0.007)
        open_ = round(before * (1 + gap), 2)
        close = round(open_ * (1 + rng.normal(0, 0.015)), 2)
        top, bottom = max(open_, close), min(open_, close)
        high = top if rng.random() < 0.15 else round(top * (1 + abs(rng.normal(0, 0.008))), 2)
        low = bottom if rng.random() < 0.15 else round(bottom * (1 - abs(rng.normal(0, 0.008))), 2)
        rows.append([open_, max(high, top), min(low, bottom), close, float(rng.integers(1e5, 1e6))])
        before = close
    return rows


def level(rng, rows, side, away, spread):
    """A price around the decision's close, `away` in the direction of `side`, or a later price."""
    if rng.random() < 0.2:
        return rows[int(rng.integers(DECISION + 1, DECISION + 9))][int(rng.integers(0, 3))]
    return round(rows[DECISION][3] * (1 + side * (away + rng.normal(0, spread))), 2)


def order(kind, quantity, **more):
    return {"bar": DECISION, "do": "order", "kind": kind, "quantity": quantity} | more


def ending(rng, side, leftovers=True):
    """A plain exit late in the path; half of the time with a cancel of all that is still open."""
    bar = int(rng.integers(25, 36))
    actions = [{"bar": bar, "do": "close"}]
    if not leftovers or rng.random() < 0.5:
        actions.insert(0, {"bar": bar, "do": "cancel_all"})
    return actions


def market(rng, rows, side):
    bars = np.sort(rng.choice(np.arange(1, N_BARS - 2), 6, replace=False))
    actions = []
    for enter, leave in zip(bars[::2], bars[1::2], strict=True):
        actions.append({"bar": int(enter), "do": "enter", "quantity": side * UNITS})
        actions.append({"bar": int(leave), "do": "close"})
    return actions


def limit(rng, rows, side):
    price = level(rng, rows, -side, 0.012, 0.012)
    return [order("limit", side * UNITS, limit=price), *ending(rng, side, False)]


def stop(rng, rows, side):
    price = level(rng, rows, side, 0.012, 0.012)
    return [order("stop", side * UNITS, stop=price), *ending(rng, side, False)]


def stop_limit(rng, rows, side):
    price = level(rng, rows, side, 0.012, 0.012)
    bound = round(price * (1 + side * rng.normal(0.002, 0.006)), 2)
    if rng.random() < 0.1:
        bound = price
    return [order("stop_limit", side * UNITS, stop=price, limit=bound), *ending(rng, side, False)]


def trailing(rng, rows):
    if rng.random() < 0.5:
        return {"trail_percent": float(np.round(rng.uniform(0.01, 0.08), 3))}
    return {"trail_amount": float(np.round(rows[DECISION][3] * rng.uniform(0.01, 0.08), 2))}


def trail_with(rng, rows, side):
    """A trailing stop sent together with the entry."""
    exit_ = order("trail", -side * UNITS, **trailing(rng, rows))
    return [order("market", side * UNITS), exit_, *ending(rng, side)]


def trail_after(rng, rows, side):
    """A trailing stop sent when the entry has filled."""
    exit_ = order("trail", -side * UNITS, after="entry", **trailing(rng, rows))
    return [order("market", side * UNITS, name="entry"), exit_, *ending(rng, side)]


def levels(rng, rows, side):
    """Stop and target on the right sides of the decision's close."""
    close = rows[DECISION][3]
    stop_ = level(rng, rows, -side, 0.03, 0.01)
    target = level(rng, rows, side, 0.03, 0.01)
    if (close - stop_) * side <= 0:
        stop_ = round(close * (1 - side * 0.03), 2)
    if (target - close) * side <= 0:
        target = round(close * (1 + side * 0.03), 2)
    return stop_, target


def pair(rng, rows, side):
    """Stop and target, one cancels the other, sent together with the entry."""
    stop_, target = levels(rng, rows, side)
    first = order("stop", -side * UNITS, stop=stop_, name="exit")
    second = order("limit", -side * UNITS, limit=target, oco="exit")
    return [order("market", side * UNITS), first, second, *ending(rng, side)]


def bracket(rng, rows, side):
    stop_, target = levels(rng, rows, side)
    close = rows[DECISION][3]
    entry = {"kind": "market"}
    kind = rng.integers(0, 3)
    if kind == 1:
        price = round(close * (1 - side * abs(rng.normal(0, 0.008))), 2)
        entry = {"kind": "limit", "limit": price}
    if kind == 2:
        entry = {"kind": "stop", "stop": round(close * (1 + side * abs(rng.normal(0, 0.008))), 2)}
    price = entry.get("limit", entry.get("stop", close))
    if not (stop_ - price) * side < 0 < (target - price) * side:
        stop_ = round(price * (1 - side * 0.03), 2)
        target = round(price * (1 + side * 0.03), 2)
    action = {"bar": DECISION, "do": "bracket", "quantity": side * UNITS} | entry
    return [action | {"stop_loss": stop_, "take_profit": target}, *ending(rng, side)]


def rule_entries(rng, side):
    """Entries far enough apart that most positions have left by their rule."""
    bars = np.sort(rng.choice(np.arange(1, N_BARS - 5), 3, replace=False))
    return [{"bar": int(bar), "do": "enter", "quantity": side * UNITS} for bar in bars]


def fraction(rng):
    return float(np.round(rng.uniform(0.01, 0.06), 3))


def rules_of(*names):
    def build(rng, rows, side):
        rules = [{"rule": name, "fraction": fraction(rng)} for name in names]
        return {"actions": rule_entries(rng, side), "rules": rules}

    return build


KINDS = {
    "market": market,
    "limit": limit,
    "stop": stop,
    "stop-limit": stop_limit,
    "trail with the entry": trail_with,
    "trail after the fill": trail_after,
    "stop and target": pair,
    "bracket": bracket,
    "rule stop": rules_of("stop_loss"),
    "rule target": rules_of("take_profit"),
    "rule stop and target": rules_of("stop_loss", "take_profit"),
    "rule trail": rules_of("trail"),
    "rule trail and target": rules_of("trail", "take_profit"),
}
ORDERS = ("market", "limit", "stop", "stop-limit")
RULES = tuple(name for name in KINDS if name.startswith("rule"))
# peer -> kinds it has by itself
NATIVE = {
    "backtrader": (*ORDERS, "trail with the entry", "trail after the fill", "stop and target")
    + ("bracket",),
    "vectorbt": ("market", *RULES),
    "zipline": ORDERS,
    "backtesting": (*ORDERS, "bracket"),
    "lumibot": (*ORDERS, "trail with the entry", "trail after the fill", "stop and target")
    + ("bracket",),
    "ml4t": (*ORDERS, "trail with the entry", "trail after the fill", "bracket", *RULES),
}


def costs(rng):
    """Nothing half of the time, else a fee, a slippage or both."""
    if rng.random() < 0.5:
        return {}
    found = {}
    if rng.random() < 0.7:
        found["commission"] = {"kind": "percent", "rate": 0.001}
    if rng.random() < 0.7:
        found["slippage"] = {"kind": "percent", "rate": float(rng.choice([0.001, 0.01]))}
    return found


def as_asked(peer, rows, action):
    """The action in the words of a peer whose trails are amounts and whose brackets enter at the
    market or at a limit."""
    action = dict(action)
    if peer == "ml4t" and "trail_percent" in action:
        action["trail_amount"] = round(rows[DECISION][3] * action.pop("trail_percent"), 2)
    if peer == "ml4t" and action["do"] == "bracket" and action["kind"] == "stop":
        action["kind"] = "market"
        del action["stop"]
    return action


def jobs_of(peer, semantics, kind, side, n_paths, seed, with_costs=True, options=None):
    """`n_paths` jobs of one kind and side."""
    jobs = []
    for number in range(n_paths):
        entropy = [seed, list(KINDS).index(kind), side + 1, number]
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
        rows = path(rng)
        made = KINDS[kind](rng, rows, side)
        job = {
            "id": f"{peer} {kind} {'long' if side > 0 else 'short'} {number:03}",
            "semantics": semantics,
            "bars": {"A": rows},
            "cash": 100_000.0,
            "peer_options": dict(options or {}),
        }
        job |= made if isinstance(made, dict) else {"actions": made}
        job["actions"] = [as_asked(peer, rows, action) for action in job["actions"]]
        if "rules" in job:
            job["rules_as"] = "position"
        if with_costs:
            job |= costs(rng)
        jobs.append(job)
    return jobs


def merged(jobs, job_id, fees):
    """One job with a symbol per path, for engines that cost a second per run and check no cash."""
    bars, actions = {}, []
    for number, job in enumerate(jobs):
        symbol = f"P{number:03}"
        bars[symbol] = job["bars"]["A"]
        for action in job["actions"]:
            named = {
                key: f"{symbol} {action[key]}" for key in ("name", "oco", "after") if key in action
            }
            actions.append(action | named | {"symbol": symbol})
    actions.sort(key=lambda action: action["bar"])
    kept = {key: jobs[0][key] for key in ("semantics", "peer_options")}
    cash = sum(job["cash"] for job in jobs)
    return {"id": job_id, "bars": bars, "actions": actions, "cash": cash} | kept | fees
