"""Words that compare equal to their text, as Lumibot's enums do."""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """A member prints as its text and equals it."""

    def __str__(self) -> str:
        return str(self.value)

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)
