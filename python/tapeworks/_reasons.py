"""What became of the orders of a run, one line a cause."""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import Any

_WIDTH = 80


class Reasons(dict[str, int]):
    """Counts by cause; printed, each with what it means or what to do about it.

    `line` is the tally in one sentence, `remedies` the text beside each count.
    """

    line: str
    remedies: dict[str, str]

    def __init__(self, facts: dict[str, Any], line: str) -> None:
        causes = facts["causes"]
        super().__init__((one["cause"], one["n"]) for one in causes)
        self.line = line
        self.remedies = {one["cause"]: one["remedy"] for one in causes}
        self._facts = facts

    def __reduce__(self) -> tuple[type[Reasons], tuple[dict[str, Any], str]]:
        return (Reasons, (self._facts, self.line))

    def _head(self) -> str:
        silent, total = self._facts["n_silent"], self._facts["n_timestamps"]
        return f"{self.line}; no signal at {silent:,} of {total:,} timestamps"

    def __repr__(self) -> str:
        lines = wrap(self._head(), _WIDTH, subsequent_indent="  ")
        width = max((len(cause) for cause in self), default=0)
        for cause, n in self.items():
            lead = f"  {cause:<{width}} {n:>9,}  "
            remedy = wrap(self.remedies[cause], max(_WIDTH - len(lead), 24)) or [""]
            lines.append((lead + remedy[0]).rstrip())
            lines.extend(" " * len(lead) + more for more in remedy[1:])
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(cause)}</td><td style='text-align:right'>{n:,}</td>"
            f"<td>{escape(self.remedies[cause])}</td></tr>"
            for cause, n in self.items()
        )
        head = "<tr><th>cause</th><th>n</th><th></th></tr>"
        return f"<p>{escape(self._head())}</p><table>{head}{rows}</table>"
