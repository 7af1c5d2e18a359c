"""Why a cell differs, where that is known: a line of the peer's behaviour that we do not repeat."""

# (peer, part of the cell's name): cause
DUST = "fills of 1e-13 units, which rounding leaves of its cash; refused in the cell without dust"
CAUSES = {
    ("ml4t", "S1 vectorbt"): DUST,
    ("ml4t", "S1c vectorbt_oss_strict"): DUST,
}


def of(row):
    for (peer, part), cause in CAUSES.items():
        if peer == row["peer"] and part in row["cell"]:
            return cause
    return "not traced"
