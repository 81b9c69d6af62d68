"""One thing that is wrong with a data set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: a few words that group it with its like, e.g. `broken picture`.
        place: the file or id.
        message: what is wrong there.
        fatal: training refuses it; else it is a warning.
    """

    kind: str
    place: str
    message: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}: {self.message}"
