"""One number of a run, with the choices behind it."""

from __future__ import annotations

# `typing` would be most of the time that importing the package takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Metric(float):
    """A metric as a float that knows how it was made; NaN where it is undefined.

    `metric["value"]`, `metric["convention"]`, ... read the same facts by name.
    """

    key: str
    value: float | None
    reason: str | None
    unit: str
    convention: str
    n: int
    facts: dict[str, Any]

    def __new__(cls, key: str, facts: dict[str, Any]) -> Metric:
        value = facts.get("value")
        metric = super().__new__(cls, float("nan") if value is None else value)
        metric.key = key
        metric.value = value
        metric.reason = facts.get("reason")
        metric.unit = facts.get("unit", "")
        metric.convention = facts.get("convention", "")
        metric.n = facts.get("n", 0)
        metric.facts = facts
        return metric

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]

    def __reduce__(self) -> tuple[type[Metric], tuple[str, dict[str, Any]]]:
        return (Metric, (self.key, self.facts))

    def __repr__(self) -> str:
        if self.value is None:
            return f"nan ({self.reason})"
        how = f"{self.convention}, n={self.n}" if self.convention else f"n={self.n}"
        return f"{float(self)!r} ({how})"

    def _repr_html_(self) -> str:
        import html

        return f"<code>{html.escape(f'{self.key}: {self!r}')}</code>"


class Metrics(dict[str, Metric]):
    """Metrics by key; an unknown key is an error that names the nearest one."""

    def __missing__(self, key: object) -> Metric:
        from difflib import get_close_matches

        near = get_close_matches(str(key), list(self), n=1, cutoff=0.6)
        tail = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(self)}"
        raise KeyError(f"no metric {key!r}{tail}")
