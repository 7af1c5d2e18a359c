"""Whether fills that differ are orders cut to the last cash, and by no more than a sum's rounding.

usage: python oracles/rounding.py --dir DIR PEER CELL

Walks the fills of each side in its own order with rational numbers. An order that is cut takes all
the cash there is, so that exactly 0 would remain; what remains instead is the error of that side's
own running balance. A difference is rounding when it is no larger than both errors together, and
the errors no larger than half a unit in the last place of the balance for each addition so far.
Exit code 3 when a difference is anything else.
"""

import argparse
import json
import math
import os
import sys
from fractions import Fraction

import compare

# Additions to a balance for one fill: its value and its fee.
ADDITIONS = 2


def read(folder, side, peer, cell):
    with open(os.path.join(folder, side, peer, f"{cell}.json")) as file:
        return json.load(file)


def same_kind(a, b):
    """One fill of both sides but for its numbers: bar, symbol, direction."""
    return a[0] == b[0] and a[1] == b[1] and (a[2] > 0) == (b[2] > 0)


def remainders(cash, fills, wanted):
    """{index of a fill: exact cash after it} and the largest balance so far at each."""
    exact, largest, found = Fraction(cash), Fraction(cash), {}
    for index, (_, _, size, price, fee, *_) in enumerate(fills):
        exact -= Fraction(size) * Fraction(price) + Fraction(fee)
        largest = max(largest, abs(exact))
        if index in wanted:
            found[index] = exact, largest
    return found


def differing(ours, theirs):
    """Indices of the fills whose numbers are further apart than the comparison allows."""
    if len(ours) != len(theirs) or not all(map(same_kind, ours, theirs)):
        sys.exit("the fills are not the same ones: this is no rounding")
    numbers = compare.FILL_NUMBERS
    apart = (compare.rows_differ(a, b, numbers, 5) for a, b in zip(ours, theirs, strict=True))
    return [index for index, far in enumerate(apart) if far > compare.RELATIVE]


def value(fill):
    return Fraction(fill[2]) * Fraction(fill[3]) + Fraction(fill[4])


def judged(job, ours, theirs):
    """A row for each differing fill: currency apart, both errors, the bound, and the verdict."""
    indices = differing(ours, theirs)
    left = [remainders(job["cash"], side, set(indices)) for side in (ours, theirs)]
    rows = []
    for index in indices:
        apart = abs(value(ours[index]) - value(theirs[index]))
        errors = [abs(side[index][0]) for side in left]
        largest = float(max(side[index][1] for side in left))
        bound = Fraction(math.ulp(largest)) / 2 * ADDITIONS * (index + 1)
        holds = apart <= sum(errors) and max(errors) <= bound
        rows.append((index, apart, *errors, bound, holds))
    return rows


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", required=True, help="folder of a parity run")
    parser.add_argument("peer")
    parser.add_argument("cell")
    options = parser.parse_args(arguments)
    sides = [read(options.dir, x, options.peer, options.cell) for x in ("jobs", "ours", "results")]
    bad = 0
    for job, ours, theirs in zip(sides[0]["jobs"], *(x["results"] for x in sides[1:]), strict=True):
        rows = judged(job, ours["fills"], theirs["fills"])
        for index, *numbers, holds in rows:
            bad += not holds
            apart, our, their, bound = (f"{float(x):.1e}" for x in numbers)
            verdict = "rounding" if holds else "NOT rounding"
            print(
                f"fill {index}: {apart} apart, left of 0: ours {our}, theirs {their}, "
                f"bound {bound}: {verdict}"
            )
        print(f"{job['id']}: {len(rows)} of {len(ours['fills'])} fills differ")
    return 3 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
