"""What became of the orders of a run, one line a cause."""

from __future__ import annotations

from html import escape
from typing import Any


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

    def __repr__(self) -> str:
        lines = [self.line]
        width = max((len(cause) for cause in self), default=0)
        for cause, n in self.items():
            remedy = self.remedies[cause]
            lines.append(f"  {cause:<{width}}  {n:>9,}  {remedy}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(cause)}</td><td style='text-align:right'>{n:,}</td>"
            f"<td>{escape(self.remedies[cause])}</td></tr>"
            for cause, n in self.items()
        )
        head = "<tr><th>cause</th><th>n</th><th></th></tr>"
        return f"<p>{escape(self.line)}</p><table>{head}{rows}</table>"
