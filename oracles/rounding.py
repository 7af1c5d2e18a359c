"""Whether what differs between two records is the rounding of their running balances.

Where cash is short an order is cut to what is left, and what is left of a million after 100,000
fills is known no better than the sum of what those fills rounded. A difference is rounding when

- both sides have the same fills: bar, symbol, direction, and all their prices to 1e-9;
- one refuses no more orders than the other, but for those of a hair: the units that rounding puts
  between a position and the target that it has reached;
- the fills differ in units alone, by no more currency than one unit in the last place of the value
  of each fill so far, and of the balance after it: both sides may be wrong by half of that.
"""

import collections
import math
from fractions import Fraction

import compare

LAST_PLACE = 2.0**-52
PRICE = 3
# Units. No order of the suite is for less.
HAIR = 1e-8


def value(fill):
    return Fraction(fill[2]) * Fraction(fill[PRICE])


def in_order(record):
    return compare.in_order(record["fills"], lambda row: (row[0], row[1]))


def is_same_fill(a, b):
    same = a[0] == b[0] and a[1] == b[1] and (a[2] > 0) == (b[2] > 0)
    return same and compare.relative_difference(a[PRICE], b[PRICE]) <= compare.RELATIVE


def bounds(cash, fills):
    """Currency that rounding may have moved when each fill came."""
    balance, largest, traded = cash, cash, 0.0
    for row, (_, _, size, price, fee, *_) in enumerate(fills):
        traded += abs(size * price) + fee
        balance -= size * price + fee
        largest = max(largest, abs(balance))
        yield LAST_PLACE * traded + math.ulp(largest) * (row + 1)


def position_before(fills, bar, symbol):
    return math.fsum(row[2] for row in fills if row[1] == symbol and row[0] < bar)


def refuses_more(ours, theirs):
    """Whether a side has a refusal that the other has not, of more than a hair."""
    for one, other in ((ours, theirs), (theirs, ours)):
        more = collections.Counter((x[0], x[1]) for x in one["rejected"])
        more.subtract(collections.Counter((x[0], x[1]) for x in other["rejected"]))
        for bar, symbol, target, *_ in one["rejected"]:
            if more[bar, symbol] > 0:
                held = None if bar is None else position_before(one["fills"], bar, symbol)
                if held is None or abs(target - held) > HAIR:
                    return True
    return False


def difference(job, ours, theirs):
    """What to say of a record that differs by rounding alone; None if it differs by more."""
    mine, peers = in_order(ours), in_order(theirs)
    if len(mine) != len(peers) or len(ours["trades"]) != len(theirs["trades"]):
        return None
    if refuses_more(ours, theirs):
        return None
    n_apart, largest, allowed = 0, 0.0, 0.0
    for a, b, bound in zip(mine, peers, bounds(job["cash"], peers), strict=True):
        if not is_same_fill(a, b):
            return None
        if compare.rows_differ(a, b, compare.FILL_NUMBERS, 5) <= compare.RELATIVE:
            continue
        apart = float(abs(value(a) - value(b)))
        if apart > bound:
            return None
        n_apart += 1
        if apart > largest:
            largest, allowed = apart, bound
    final = [record["equity"][-1] for record in (ours, theirs)]
    return (
        f"rounding: {n_apart} of {len(mine):,} fills cut to the last cash, at most {largest:.0e} "
        f"currency apart of {allowed:.0e} that rounding allows; "
        f"the end {abs(final[0] - final[1]):.0e}"
    )


def of_cell(jobs, ours, theirs):
    """The same of a cell whose differing jobs all differ by rounding."""
    mine = {record["id"]: record for record in ours}
    peers = {record["id"]: record for record in theirs}
    said = []
    for job in jobs:
        pair = mine.get(job["id"]), peers.get(job["id"])
        if None in pair or any(record.get("error") for record in pair):
            return None
        if compare.job_difference(*pair)[0] is None:
            continue
        said.append(difference(job, *pair))
    return None if None in said else "; ".join(said)
