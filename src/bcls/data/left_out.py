"""What a reader does not take: counted by kind, each with an example, so that nothing is passed over in silence."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger("bcls")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Things of one kind that a reader did not take.

    Attributes:
        what: the kind, e.g. `members of a type that is not read`.
        count: how many there are.
        example: the first of them: a file, a member, a column.
    """

    what: str
    count: int
    example: str

    def __str__(self) -> str:
        return f"left out: {self.count} {self.what}, e.g. {self.example}"


def warn_of(kinds: Iterable[LeftOut], path: str | Path) -> None:
    """Log what was left out of a data set, a line a kind."""
    for kind in kinds:
        shown = f"{path}: {kind}"
        logger.warning("%s", shown if shown.isprintable() else shown.encode("unicode_escape").decode())


class Tally:
    """Counts what is left out while a reader reads.

    Example:
        >>> tally = Tally()
        >>> tally.add("columns that are not read", "height")
        >>> tally.add("columns that are not read", "width")
        >>> [str(kind) for kind in tally.kinds()]
        ['left out: 2 columns that are not read, e.g. height']
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, str] = {}

    def add(self, what: str, example: str) -> None:
        """Count one thing of a kind."""
        self._counts[what] = self._counts.get(what, 0) + 1
        self._examples.setdefault(what, example)

    def kinds(self) -> tuple[LeftOut, ...]:
        """What was counted, in order of appearance."""
        return tuple(LeftOut(what, count, self._examples[what]) for what, count in self._counts.items())
