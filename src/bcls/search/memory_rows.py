"""Records in memory: a writer appends and marks, and every search sees the rows as they were when it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bcls.search.filters import Filter
from bcls.search.memory_segments import Change
from bcls.search.records import FieldValue, Record, Vectors

KEPT_FILTERS = 16


@dataclass(frozen=True)
class View:
    """What one search sees.

    Attributes:
        vectors: shape (rows, dim); rows of deleted records are among them.
        ids: of the rows, and perhaps of later ones.
        values: fields of the rows, and perhaps of later ones.
        alive: (rows,) which are not deleted.
        allowed: rows that the last few filters let through.
    """

    vectors: Vectors
    ids: list[str]
    values: list[Mapping[str, FieldValue]]
    alive: NDArray[np.bool_]
    allowed: dict[Filter, NDArray[np.int64]] = field(default_factory=dict)

    def rows(self, where: Filter) -> NDArray[np.int64]:
        """Ascending rows that a typed filter lets through."""
        found = self.allowed.get(where)
        if found is None:
            found = np.flatnonzero(self.alive)
            if where.conditions:
                kept = [row for row in found.tolist() if where.matches(self.ids[row], self.values[row])]
                found = np.array(kept, dtype=np.int64)
            if len(self.allowed) < KEPT_FILTERS:
                self.allowed[where] = found
        return found


class MemoryRows:
    """The records, for one writer at a time and any number of readers of `view`.

    Args:
        dim: of the vectors.
    """

    def __init__(self, dim: int) -> None:
        self._buffer = np.empty((64, dim), np.float32)
        self._ids: list[str] = []
        self._values: list[Mapping[str, FieldValue]] = []
        self._row_of: dict[str, int] = {}
        self.view = View(self._buffer[:0], self._ids, self._values, np.zeros(0, np.bool_))

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, name: str) -> bool:
        return name in self._row_of

    def get(self, name: str) -> Record | None:
        """The record of this id."""
        row = self._row_of.get(name)
        return None if row is None else Record(name, self._buffer[row].copy(), self._values[row])

    def apply(self, change: Change) -> None:
        """Delete, then add; a record with a known id takes the old one's place."""
        start, end = len(self._ids), len(self._ids) + len(change.records)
        alive = np.concatenate([self.view.alive, np.ones(end - start, np.bool_)])
        self._hold(end)
        self._buffer[start:end] = change.vectors
        for name in change.deleted:
            alive[self._row_of.pop(name)] = False
        for row, (name, values) in enumerate(change.records, start=start):
            if name in self._row_of:
                alive[self._row_of[name]] = False
            self._ids.append(name)
            self._values.append(values)
            self._row_of[name] = row
        self.view = View(self._buffer[:end], self._ids, self._values, alive)

    def whole(self) -> Change:
        """Everything that is there, as one change from nothing."""
        rows = self.view.rows(Filter())
        return Change([(self._ids[row], self._values[row]) for row in rows.tolist()], self.view.vectors[rows], [])

    def _hold(self, rows: int) -> None:
        """Room for so many rows; an outgrown buffer stays with the views that look at it."""
        if rows > len(self._buffer):
            grown = np.empty((max(rows, 2 * len(self._buffer)), self._buffer.shape[1]), np.float32)
            grown[: len(self._ids)] = self._buffer[: len(self._ids)]
            self._buffer = grown
