"""Two records of one job compared trade by trade: counts exactly, numbers to 1e-9 relative."""

import math

RELATIVE, ABSOLUTE = 1e-9, 1e-12
# column -> may be compared as a number within the tolerance
FILL_NUMBERS = (2, 3, 4)
TRADE_NUMBERS = (4, 5, 6, 7)


def relative_difference(a, b):
    if a == b:
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    if abs(a - b) <= ABSOLUTE:
        return 0.0
    return abs(a - b) / max(abs(a), abs(b))


def rows_differ(a, b, numbers, width):
    """Largest relative difference of two rows; infinite if a name, a bar or a side differs."""
    largest = 0.0
    for column in range(width):
        if column in numbers:
            largest = max(largest, relative_difference(float(a[column]), float(b[column])))
        elif a[column] != b[column]:
            return math.inf
    return largest


def first_difference(ours, theirs, numbers, width):
    """(largest difference, index of the first differing row or None)."""
    largest, first = 0.0, None
    for index in range(max(len(ours), len(theirs))):
        if index >= len(ours) or index >= len(theirs):
            return math.inf, index if first is None else first
        difference = rows_differ(ours[index], theirs[index], numbers, width)
        largest = max(largest, difference)
        if difference > RELATIVE and first is None:
            first = index
    return largest, first


def in_order(rows, key):
    """Stable order, so that rows of one key keep the order in which they happened."""
    return sorted(rows, key=key)


def row_at(rows, index):
    return rows[index] if index is not None and index < len(rows) else None


def job_difference(ours, theirs):
    """None if both records agree, else {what, ours, theirs}; and the largest difference seen."""
    if theirs.get("error") or ours.get("error"):
        said = {"what": "error", "ours": ours.get("error"), "theirs": theirs.get("error")}
        return said, math.inf
    largest = 0.0
    for what, numbers, width, key in (
        ("fill", FILL_NUMBERS, 5, lambda row: (row[0], row[1])),
        ("trade", TRADE_NUMBERS, 9, lambda row: (row[2], row[0], row[3])),
    ):
        mine = in_order(ours[what + "s"], key)
        peers = in_order(theirs[what + "s"], key)
        difference, first = first_difference(mine, peers, numbers, width)
        if first is not None:
            found = {"what": f"{what} {first}", "ours": row_at(mine, first)}
            return found | {"theirs": row_at(peers, first)}, difference
        largest = max(largest, difference)
    if len(ours["rejected"]) != len(theirs["rejected"]):
        found = {"what": f"rejected orders, {len(ours['rejected'])} and {len(theirs['rejected'])}"}
        found |= {"ours": row_at(ours["rejected"], 0), "theirs": row_at(theirs["rejected"], 0)}
        return found, math.inf
    for bar, (a, b) in enumerate(zip(ours["equity"], theirs["equity"], strict=False)):
        if a is None or b is None:
            continue
        difference = relative_difference(a, b)
        largest = max(largest, difference)
        if difference > RELATIVE:
            return {"what": f"equity at bar {bar}", "ours": a, "theirs": b}, difference
    return None, largest


def by_symbol(job, record):
    """The record of a job with many paths, a record per path; others as they are."""
    if "bars" not in job or len(job["bars"]) == 1 or record.get("error"):
        return {job["id"]: record}
    parts = {}
    for symbol in job["bars"]:
        parts[f"{job['id']} {symbol}"] = {
            "fills": [x for x in record["fills"] if x[1] == symbol],
            "trades": [x for x in record["trades"] if x[0] == symbol],
            "rejected": [x for x in record["rejected"] if x[1] == symbol],
            "equity": [],
        }
    whole = {"fills": [], "trades": [], "rejected": [], "equity": record["equity"]}
    return parts | {f"{job['id']} equity": whole}


def cell_difference(jobs, ours, theirs):
    """Counts of a cell and its differing case with the fewest fills."""
    mine = {x["id"]: x for x in ours}
    peers = {x["id"]: x for x in theirs}
    cell = {"cases": 0, "differing": 0, "trades": 0, "fills": 0, "largest": 0.0, "first": None}
    for job in jobs:
        their_parts = by_symbol(job, peers.get(job["id"], {"error": "not run by the peer"}))
        our_parts = by_symbol(job, mine.get(job["id"], {"error": "not run by tapeworks"}))
        for name, their in their_parts.items():
            our = our_parts.get(name) or next(iter(our_parts.values()))
            found, largest = job_difference(our, their)
            cell["cases"] += 1
            cell["trades"] += len(their.get("trades", ()))
            cell["fills"] += len(their.get("fills", ()))
            if found is None:
                cell["largest"] = max(cell["largest"], largest)
                continue
            cell["differing"] += 1
            n_fills = len(their.get("fills", ()))
            if cell["first"] is None or n_fills < cell["first"]["n_fills"]:
                cell["first"] = found | {"id": name, "n_fills": n_fills}
    return cell
