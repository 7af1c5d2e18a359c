"""Why a cell differs, where that is known: a line of the peer's behaviour that we do not repeat."""

# (peer, part of the cell's name): cause
CAUSES = {}


def of(row):
    for (peer, part), cause in CAUSES.items():
        if peer == row["peer"] and part in row["cell"]:
            return cause
    return "not traced"
