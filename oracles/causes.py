"""Why a cell differs, where that is known: a line of the peer's behaviour that we do not repeat."""

# (peer, part of the cell's name): cause
DUST = "fills of 1e-13 units: what rounding leaves of its cash; refused in the cell without dust"
DOUBLED = (
    "rounding, doubled by each order that is cut on margin: with 1e-8 more cash the peer differs "
    "from itself in 3,758 fills, by up to 646, at the end by 13.4; ours by up to 4.0 and 0.08"
)
# The first that fits counts.
CAUSES = {
    ("ml4t", "S1 vectorbt without dust"): DOUBLED,
    ("ml4t", "S1 vectorbt"): DUST,
    ("ml4t", "S1c vectorbt_strict"): DUST,
    ("ml4t", "S1c vectorbt_oss_strict"): DUST,
}


def of(row):
    for (peer, part), cause in CAUSES.items():
        if peer == row["peer"] and part in row["cell"]:
            return cause
    return "not traced"
