"""The scenario matrix of docs/semantics.md: one small hand-readable run per scenario and peer.

Prices are our own, from fixed seeds, in whole cents, so that a peer that stores three decimals
reads what everybody else reads.
"""

import numpy as np

SHARES = 100
STOP, TARGET, TRAIL = "stop_loss", "take_profit", "trail"


def rows_of(open_, high, low, close, rng):
    """Rows in cents whose open and close lie inside their range."""
    open_, high, low, close = (np.round(x, 2) for x in (open_, high, low, close))
    high = np.maximum(high, np.maximum(open_, close))
    low = np.minimum(low, np.minimum(open_, close))
    volume = rng.integers(100_000, 1_000_000, len(close))
    columns = zip(open_, high, low, close, volume, strict=True)
    return [[float(x) for x in row] for row in columns]


def rows_around(close, rng, gap=0.004, reach=0.005):
    """Rows around given closes: the open near the close before, extremes a little outside."""
    close = np.asarray(close, float)
    before = np.concatenate([close[:1], close[:-1]])
    open_ = before * (1 + rng.normal(0, gap, len(close)))
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    high = top * (1 + np.abs(rng.normal(0, reach, len(close))))
    low = bottom * (1 - np.abs(rng.normal(0, reach, len(close))))
    return rows_of(open_, high, low, close, rng)


def walk(n_bars, seed, drift=0.0, spread=0.02):
    rng = np.random.Generator(np.random.PCG64(seed))
    close = 100 * np.exp(np.cumsum(rng.normal(drift, spread, n_bars)))
    return rows_around(close, rng)


def fixed(changes, seed):
    """Closes that follow the given percentages."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return rows_around(100 * np.cumprod(1 + np.asarray(changes) / 100), rng, 0.002, 0.003)


def regimes(n_bars, seed):
    """Nine regimes of drift and spread with a jump of ten percent between them."""
    rng = np.random.Generator(np.random.PCG64(seed))
    drift = [0.002, -0.002, 0.0, 0.003, -0.003, 0.0, 0.001, -0.001, 0.0]
    spread = [0.01, 0.015, 0.02, 0.01, 0.02, 0.03, 0.008, 0.012, 0.025]
    length = -(-n_bars // len(drift))
    steps = np.concatenate(
        [rng.normal(d, s, length) for d, s in zip(drift, spread, strict=True)]
    )[:n_bars]
    steps[length::length] += rng.choice([-0.1, 0.1], len(steps[length::length]))
    return rows_around(100 * np.exp(np.cumsum(steps)), rng)


def enters(bars, quantity=SHARES):
    return [{"bar": bar, "do": "enter", "quantity": quantity} for bar in bars]


def closes(bars):
    return [{"bar": bar, "do": "close"} for bar in bars]


def targets(bars, quantity):
    return [{"bar": bar, "do": "target", "quantity": quantity} for bar in bars]


def percent(rate):
    return {"kind": "percent", "rate": rate}


def rules(**fractions):
    return [{"rule": name, "fraction": x} for name, x in fractions.items()]


def scenarios():
    """Scenario -> what the job says besides the peer."""
    signals = enters(range(0, 100, 10)) + closes(range(5, 100, 10))
    flips = targets(range(0, 100, 10), SHARES) + targets(range(5, 100, 10), -SHARES)
    shorts = enters(range(5, 200, 20), -SHARES) + closes(range(15, 200, 20))
    fall = [0, -0.5, -1, -1, -1.5, -1, -2, -1, -0.5, 0.5, 1, 0.5, 0, -1, -2, -1, 0, 1, 1, 0.5]
    rise = [-x for x in fall]
    up_then_down = [0.8] * 12 + [0.5] * 8 + [-0.6] * 15 + [0.4] * 15
    slow_top = [0.4] * 10 + [-0.3] * 5 + [-0.9] * 20 + [0.2] * 15
    drop = [0.3, -3.3, -0.5] + [-0.8] * 10 + [0.5] * 37
    long_and_short = 1_000_000.0
    return {
        "01 long": {"bars": walk(100, 101), "actions": signals},
        "02 long, short": {"bars": walk(100, 101), "actions": flips},
        "03 stop": {
            "bars": fixed(fall, 103),
            "actions": enters([0]),
            "rules": rules(stop_loss=0.05),
        },
        "04 target": {
            "bars": fixed(rise, 104),
            "actions": enters([0]),
            "rules": rules(take_profit=0.05),
        },
        "05 fee 0.1 %": {
            "bars": walk(100, 101),
            "actions": signals,
            "commission": percent(0.001),
        },
        "06 fee per share": {
            "bars": walk(100, 101),
            "actions": signals,
            "commission": {"kind": "per_unit", "rate": 0.005},
        },
        "07 slippage 0.01": {
            "bars": walk(100, 101),
            "actions": signals,
            "slippage": {"kind": "fixed", "amount": 0.01},
        },
        "08 slippage 0.1 %": {
            "bars": walk(100, 101),
            "actions": signals,
            "slippage": percent(0.001),
        },
        "09 trail": {
            "bars": walk(100, 109, 0.002),
            "actions": enters([0, 40]),
            "rules": rules(trail=0.05),
        },
        "10 stop, target": {
            "bars": walk(100, 110),
            "actions": enters([0, 20, 55]),
            "rules": rules(stop_loss=0.05, take_profit=0.1),
        },
        "11 shorts": {"bars": walk(200, 111), "actions": shorts, "cash": long_and_short},
        "12 trail short": {
            "bars": walk(100, 112, -0.002),
            "actions": enters([0, 40], -SHARES),
            "rules": rules(trail=0.05),
            "cash": long_and_short,
        },
        "13 trail, target": {
            "bars": fixed(up_then_down, 113),
            "actions": enters([0]),
            "rules": rules(trail=0.05, take_profit=0.08),
        },
        "14 trail, stop": {
            "bars": fixed(slow_top, 114),
            "actions": enters([0]),
            "rules": rules(trail=0.05, stop_loss=0.08),
        },
        "15 trail, target, stop": {
            "bars": fixed(drop, 115),
            "actions": enters([0]),
            "rules": rules(trail=0.03, take_profit=0.1, stop_loss=0.05),
        },
        "16 regimes": {
            "bars": regimes(1500, 116),
            "actions": enters([0, 100, 200, 400, 500, 700, 800, 1000, 1200]),
            "rules": rules(trail=0.05),
        },
    }


# What a peer cannot be asked: vectorbt has no fee per share, zipline no two rules at once.
NOT_ASKED = {"vectorbt": ("06",), "zipline": ("10",)}


def jobs_of(peer, semantics, rules_as, options=None):
    """The peer's column of the matrix. `rules_as` says how its users write a position rule."""
    jobs = []
    for name, scenario in scenarios().items():
        if name[:2] in NOT_ASKED.get(peer, ()):
            continue
        has_rules = "rules" in scenario
        job = {
            "id": f"{peer} {name}",
            "semantics": semantics[has_rules],
            "cash": 100_000.0,
            "peer_options": dict(options or {}),
        }
        job |= scenario
        job["bars"] = {"A": scenario["bars"]}
        if has_rules:
            job["rules_as"] = rules_as
        jobs.append(job)
    return jobs
