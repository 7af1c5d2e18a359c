"""Whether what differs between two records is the rounding of their running balances.

Where cash is short an order is cut to what is left, and what is left of a million after 100,000
fills is known no better than the sum of what those fills rounded. A difference is rounding when

- both sides have the same fills: bar, symbol, direction, and all their prices to 1e-9;
- fills of less than a millionth of the currency unit are left out, which are what rounding leaves
  of cash that is spent, and one side refuses no more orders than the other but for those of a hair:
  these, and the units that rounding puts between a position and the target that it has reached;
- the fills differ in units alone, by no more currency than one unit in the last place of the value
  of each fill so far, and of the balance after it: both sides may be wrong by half of that.
"""

import collections
import math
from fractions import Fraction

import compare

LAST_PLACE = 2.0**-52
PRICE = 3
# Units, and currency. No order of the suite is for less.
HAIR, HAIR_VALUE = 1e-8, 1e-6


def value(fill):
    return Fraction(fill[2]) * Fraction(fill[PRICE])


def in_order(record):
    """The fills that count, and how many do not."""
    fills = [row for row in record["fills"] if abs(row[2] * row[PRICE]) >= HAIR_VALUE]
    ordered = compare.in_order(fills, lambda row: (row[0], row[1]))
    return ordered, len(record["fills"]) - len(fills)


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


def refuses_more(ours, theirs, n_hairs):
    """Whether a side has a refusal that the other has not, of more than a hair."""
    if any(row[0] is None for row in theirs["rejected"]):
        return abs(len(ours["rejected"]) - len(theirs["rejected"])) > n_hairs
    for one, other in ((ours, theirs), (theirs, ours)):
        more = collections.Counter((x[0], x[1]) for x in one["rejected"])
        more.subtract(collections.Counter((x[0], x[1]) for x in other["rejected"]))
        for bar, symbol, target, *_ in one["rejected"]:
            if more[bar, symbol] > 0:
                held = position_before(one["fills"], bar, symbol)
                if abs(target - held) > HAIR:
                    return True
    return False


def difference(job, ours, theirs):
    """What to say of a record that differs by rounding alone; None if it differs by more."""
    (mine, our_hairs), (peers, their_hairs) = in_order(ours), in_order(theirs)
    n_hairs = our_hairs + their_hairs
    if len(mine) != len(peers) or refuses_more(ours, theirs, n_hairs):
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
        f"rounding: {n_hairs} fills of a hair left out; {n_apart} of {len(mine):,} cut to the last "
        f"cash, at most {largest:.0e} "
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
