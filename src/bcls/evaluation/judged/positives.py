"""Positives that somebody judged: any number for a query, and not the same in both directions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.judged.coco_ids import rows_of_numbers
from bcls.evaluation.truth import Rows


@dataclass(frozen=True, eq=False)
class JudgedPositives:
    """The positives of one direction, in positions of a gallery, ordered by query.

    Args:
        query: shape (P,), ascending.
        candidate: shape (P,); no pair stands there twice.
        queries: rows on the query side of the gallery; those without a positive are no queries.
        beyond: the query of each positive that is no candidate of the gallery; it counts, and is never found.
    """

    query: Rows
    candidate: Rows
    queries: int
    beyond: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of_pairs(cls, query: Rows, candidate: Rows, queries: int, candidates: int) -> JudgedPositives:
        """From pairs in any order; a pair that comes again is one pair.

        Example:
            >>> found = JudgedPositives.of_pairs(np.array([1, 0, 1]), np.array([2, 2, 2]), 2, 3)
            >>> found.query, found.candidate
            (array([0, 1]), array([2, 2]))
        """
        pairs = np.unique(query.astype(np.int64) * candidates + candidate)
        return cls(pairs // max(candidates, 1), pairs % max(candidates, 1), queries)

    @property
    def asked(self) -> Rows:
        """The queries that have a positive, ascending."""
        return np.unique(np.concatenate([self.query, self.beyond]))


def positives_from_ids(
    found: Mapping[int, Sequence[int]], queries: Rows, candidates: Rows, query_name: str
) -> JudgedPositives:
    """Positives given by ids.

    Args:
        found: for each query's id the ids of its positives.
        queries: ids of the gallery's query side, in its order.
        candidates: ids of its other side; a positive that is not there is `beyond`.
        query_name: what messages call the queries.

    Raises:
        InputError: a query is not in the gallery (the message names some), or an id is no whole number.

    Example:
        >>> found = positives_from_ids({7: [30, 10, 99]}, np.array([5, 7]), np.array([10, 20, 30]), "captions")
        >>> found.candidate, found.beyond
        (array([0, 2]), array([1]))
    """
    for strange in _strange(found):
        raise InputError(f"{query_name} must have whole-number ids, got {strange!r}")
    counts = np.fromiter(map(len, found.values()), dtype=np.int64, count=len(found))
    asked = rows_of_numbers(queries, np.fromiter(found, dtype=np.int64, count=len(found)), query_name)
    query = np.repeat(asked, counts)
    ids = list(chain.from_iterable(found.values()))
    for strange in _strange(ids):
        raise InputError(f"the positives of {query_name} must be whole-number ids, got {strange!r}")
    told = np.array(ids, dtype=np.int64)
    inside = np.isin(told, candidates)
    judged = JudgedPositives.of_pairs(
        query[inside], rows_of_numbers(candidates, told[inside], "candidates"), queries.size, candidates.size
    )
    return replace(judged, beyond=np.sort(query[~inside]))


def _strange(ids: Collection[object]) -> list[object]:
    """Those that are no whole numbers of 64 bits; plain numbers are looked at together, being many."""
    if {*map(type, ids)} <= {int} and max(map(abs, ids), default=0) < 1 << 63:  # type: ignore[arg-type]
        return []
    return [one for one in ids if not _is_id(one)]


def _is_id(one: object) -> bool:
    return isinstance(one, int | np.integer) and not isinstance(one, bool) and abs(int(one)) < 1 << 63
