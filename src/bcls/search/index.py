"""The one interface of all engines; what they have in common is checked here, so that they cannot differ in it."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from bcls.errors import InputError
from bcls.search.blocks import blocks
from bcls.search.errors import WriteFailedError
from bcls.search.filters import Filter
from bcls.search.records import (
    FieldType,
    FieldValue,
    Hit,
    IndexInfo,
    Record,
    Vectors,
    check_ids,
    check_records,
    check_vectors,
)

logger = logging.getLogger(__name__)
MAX_K = 10_000
BLOCK_RECORDS = 4096
"""Records that are committed together: a block is in the index whole or not at all."""


class Index(ABC):
    """Records by id, found by the cosine of their vectors.

    What `add` and `delete` have returned from survives the death of the process, where the engine keeps anything at
    all. Searches may run on several threads at once; writes wait for each other.
    """

    dim: int
    model: str
    fields: Mapping[str, FieldType]
    identity: str
    """Differs between any two indexes, also of one made in the place of another; the same in a copy."""

    def __init__(self) -> None:
        self._writing = threading.RLock()

    def add(self, records: Iterable[Record]) -> int:
        """Add records; one with a known id replaces the old one.

        Args:
            records: in any number, committed in blocks of `BLOCK_RECORDS`: a call cut short leaves whole blocks.

        Returns:
            How many records were given.

        Raises:
            InputError: a record that the index cannot keep; its block is not added, earlier blocks are.
            WriteFailedError: the disk is full, say; the block is not added, earlier blocks are.
            IndexMissingError: another index was made in the place of this one.
            EngineUnavailableError: the engine cannot be reached.
        """
        total = 0
        with self._writing:
            for block in blocks(records, BLOCK_RECORDS):
                total += len(block)
                latest = {record.id: record for record in block}  # of the same id the last one counts
                kept = list(latest.values())
                self._add(kept, check_records(kept, self.fields, self.dim))
        return total

    def delete(self, ids: Sequence[str]) -> int:
        """Delete records. Ids that `add` would refuse are possible: an index of an earlier release may hold them.

        Returns:
            How many of them were there.
        """
        check_ids(ids)
        with self._writing:
            return sum(self._delete(block) for block in blocks(dict.fromkeys(ids), BLOCK_RECORDS))

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> list[list[Hit]]:
        """The nearest records of each query.

        Args:
            vectors: shape (queries, dim), of any length but 0.
            k: how many, 1 to 10,000.
            where: only records that it lets through.

        Returns:
            For each query at most k hits, the best first; of equal scores the smaller id first.

        Raises:
            InputError: vectors of another shape, k out of range, or a filter that does not fit the fields.
            EngineUnavailableError: the engine cannot be reached.
        """
        if type(k) is not int or not 1 <= k <= MAX_K:
            raise InputError(f"k is {k!r}; it is a whole number from 1 to {MAX_K}")
        queries = check_vectors(vectors, self.dim, "queries")
        return self._search(queries, k, self._typed(where)) if len(queries) else []

    def get(self, ids: Sequence[str]) -> list[Record | None]:
        """The records of these ids, in that order; None where there is none."""
        check_ids(ids)
        found: dict[str, Record] = {}
        for block in blocks(dict.fromkeys(ids), BLOCK_RECORDS):
            found |= self._get(block)
        return [found.get(name) for name in ids]

    def scan(self, where: Filter | None = None) -> Iterator[tuple[str, Mapping[str, FieldValue]]]:
        """Ids and fields of all records that a filter lets through, in no particular order, without their vectors.

        Raises:
            InputError: a filter that does not fit the fields.
            EngineUnavailableError: the engine cannot be reached.
        """
        return self._scan(self._typed(where))

    def count(self, where: Filter | None = None) -> int:
        """How many records there are, or how many a filter lets through."""
        return self._count(self._typed(where))

    @abstractmethod
    def info(self) -> IndexInfo:
        """What this index is and holds."""

    @abstractmethod
    def refresh(self) -> None:
        """See what other processes have committed meanwhile.

        Raises:
            IndexMissingError: the index has gone, or another one was made in its place.
        """

    @abstractmethod
    def optimize(self) -> None:
        """Make searches quick after many writes; results stay right without it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def _add(self, records: list[Record], vectors: Vectors) -> None:
        """Commit one block of checked records with distinct ids; `vectors` are theirs, of length 1."""

    @abstractmethod
    def _delete(self, ids: list[str]) -> int:
        """Take distinct ids out, and say how many were there."""

    @abstractmethod
    def _search(self, queries: Vectors, k: int, where: Filter) -> list[list[Hit]]:
        """`search` with queries of length 1 and a typed filter."""

    @abstractmethod
    def _get(self, ids: list[str]) -> dict[str, Record]:
        """Those of these distinct ids that are there."""

    @abstractmethod
    def _scan(self, where: Filter) -> Iterator[tuple[str, Mapping[str, FieldValue]]]:
        """`scan` with a typed filter."""

    @abstractmethod
    def _count(self, where: Filter) -> int:
        """`count` with a typed filter."""

    def _typed(self, where: Filter | None) -> Filter:
        return Filter() if where is None else where.typed(self.fields)


@contextmanager
def merging_later() -> Iterator[None]:
    """Log a merge that the disk refuses: what was committed before it is there to stay, and a later write merges."""
    try:
        yield
    except WriteFailedError as error:
        logger.warning("files of an index are not merged yet, which slows it and harms nothing: %s", error)
