"""The exact engine: all vectors in memory, every one compared; kept in a folder if one is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bcls.search.errors import IndexDamagedError
from bcls.search.exact import best_first, exact_cosines, rough_bound
from bcls.search.filters import Filter
from bcls.search.index import Index, merging_later
from bcls.search.manifest import Manifest
from bcls.search.memory_log import MemoryLog
from bcls.search.memory_rows import MemoryRows, View
from bcls.search.memory_segments import Change
from bcls.search.records import FieldType, FieldValue, Hit, IndexInfo, Record, Vectors, check_fields

BLOCK_SCORES = 4_000_000
FEW = 0.25
"""Below this share of the rows, their vectors are gathered; above it, all are compared."""


class MemoryIndex(Index):
    """Every query is compared with every record, so that results are exact. O(records * dim) a query.

    Args:
        folder: where it is kept, a new or empty one; None = nowhere.
        dim: of the vectors.
        model: hash of the model that makes them.
        fields: name -> type of what each record carries.
        about: free notes.

    Raises:
        InputError: the folder holds something, or a field that cannot be.
        WriteFailedError: the disk refused it.

    Example:
        >>> index = MemoryIndex(None, dim=2, model="m", fields={"kind": "str"})
        >>> image = Record("a", np.array([1, 0], np.float32), {"kind": "image"})
        >>> index.add([image, Record("b", np.array([0, 1], np.float32), {"kind": "caption"})])
        2
        >>> [[(hit.id, round(hit.score, 3)) for hit in hits] for hits in index.search(np.array([[3.0, 4.0]]), 2)]
        [[('b', 0.8), ('a', 0.6)]]
        >>> index.count(Filter.parse("kind=image"))
        1
    """

    _rows: MemoryRows
    _version: int
    _seen: str

    def __init__(
        self,
        folder: Path | None,
        *,
        dim: int,
        model: str,
        fields: Mapping[str, FieldType],
        about: Mapping[str, str] | None = None,
    ) -> None:
        self._set(Manifest("memory", dim, model, check_fields(fields), dict(about or {})))
        self._log = None if folder is None else MemoryLog.create(folder, self._manifest)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An index from its folder.

        Raises:
            IndexMissingError: there is none.
            IndexDamagedError: a file is missing or is not what was written.
        """
        log = MemoryLog.open(folder)
        index = cls.__new__(cls)
        index._set(log.about)
        index._log = log
        index._read(log)
        return index

    def info(self) -> IndexInfo:
        """What this index is and holds."""
        place = "memory:" if self._log is None else f"memory:{self._log.folder}"
        version, about = str(self._version), self._manifest.about
        return IndexInfo(
            "memory", place, self.dim, len(self._rows), self.model, version, self.fields, about, exact=True
        )

    def refresh(self) -> None:
        """Read the folder again if another process has written there."""
        with self._writing:
            if self._log is not None and self._log.state() != self._seen:
                self._read(self._log)

    def optimize(self) -> None:
        """Merge the files of many writes into one, and forget what was deleted."""
        with self._writing:
            if self._log is None:
                whole = self._rows.whole()
            else:
                with self._log.locked():
                    self.refresh()
                    whole = self._rows.whole()
                    self._version = self._log.replace(whole)
                    self._seen = self._log.state()
            rows = MemoryRows(self.dim)
            rows.apply(whole)
            self._rows = rows

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self, log: MemoryLog) -> None:
        seen = log.state()  # before: what comes between is read again
        version, changes = log.read()
        rows = MemoryRows(self.dim)
        try:
            for change in changes:
                rows.apply(change)
        except KeyError as error:
            raise IndexDamagedError(
                f"{log.folder}: takes out {error}, which was never added; make the index again"
            ) from None
        self._rows, self._version, self._seen = rows, version, seen

    def _set(self, manifest: Manifest) -> None:
        super().__init__()
        self._manifest = manifest
        self.dim, self.model, self.fields = manifest.dim, manifest.model, manifest.fields
        self.identity = manifest.identity
        self._rows = MemoryRows(self.dim)
        self._version = 0
        self._seen = ""

    def _add(self, records: list[Record], vectors: Vectors) -> None:
        self._commit(lambda: Change([(record.id, dict(record.fields)) for record in records], vectors, []))

    def _delete(self, ids: list[str]) -> int:
        def change() -> Change:
            there = [name for name in ids if name in self._rows]
            return Change([], np.zeros((0, self.dim), np.float32), there)

        return len(self._commit(change).deleted)

    def _search(self, queries: Vectors, k: int, where: Filter) -> list[list[Hit]]:
        view = self._rows.view
        rows = view.rows(where)
        step = max(1, BLOCK_SCORES // max(1, len(view.vectors)))
        found = []
        for start in range(0, len(queries), step):
            block = queries[start : start + step]
            scores = _rough_scores(block, view.vectors, rows)
            found += [_best(view, rows, query, of_query, k) for query, of_query in zip(block, scores, strict=True)]
        return found

    def _get(self, ids: list[str]) -> dict[str, Record]:
        found = (self._rows.get(name) for name in ids)
        return {record.id: record for record in found if record is not None}

    def _scan(self, where: Filter) -> Iterator[tuple[str, Mapping[str, FieldValue]]]:
        view = self._rows.view
        return ((view.ids[row], view.values[row]) for row in view.rows(where).tolist())

    def _count(self, where: Filter) -> int:
        return len(self._rows.view.rows(where))

    def _commit(self, make: Callable[[], Change]) -> Change:
        """Write a change down, then let searches see it."""
        if self._log is None:
            change = make()
            self._version += not change.is_empty
            self._rows.apply(change)
            return change
        with self._log.locked():
            self.refresh()
            change = make()
            if change.is_empty:
                return change
            self._version = self._log.append(change)
            self._seen = self._log.state()
            self._rows.apply(change)
        if self._log.wants_merging():
            with merging_later():
                self.optimize()
        return change


def _rough_scores(queries: Vectors, vectors: Vectors, rows: NDArray[np.int64]) -> Vectors:
    """Cosines in single precision, shape (queries, rows)."""
    if len(rows) < FEW * len(vectors):
        return np.asarray(queries @ vectors[rows].T)
    scores = queries @ vectors.T
    return np.asarray(scores if len(rows) == len(vectors) else scores[:, rows])


def _best(view: View, rows: NDArray[np.int64], query: Vectors, scores: Vectors, k: int) -> list[Hit]:
    """The k best of one query: those that single precision cannot tell from the k-th are compared exactly."""
    near = rows
    if len(rows) > k:
        least = np.partition(scores, len(rows) - k)[len(rows) - k]
        near = rows[scores >= least - 2 * rough_bound(len(query))]
    exact = exact_cosines(query, view.vectors[near]).tolist()
    hits = (Hit(view.ids[row], score, view.values[row]) for row, score in zip(near.tolist(), exact, strict=True))
    return best_first(hits, k)
