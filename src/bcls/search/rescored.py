"""Exact scores and a settled order for engines that have their own of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bcls.search.errors import IndexDamagedError
from bcls.search.exact import best_first, exact_cosines, rough_bound
from bcls.search.records import FieldValue, Hit, Vectors

EXTRA = 16
MOST = 16_384
"""As many as Milvus gives out."""


class Nearest(NamedTuple):
    """What an engine found for one query: nearest first by its own arithmetic."""

    ids: list[str]
    vectors: Vectors
    fields: list[Mapping[str, FieldValue]]


def search_rescored(ask: Callable[[int], Nearest], query: Vectors, k: int) -> list[Hit]:
    """The k best hits by exact cosine, of equal scores the smaller id first.

    The engine is asked for a few more than k, and for twice as many while the last of them might tie with the k-th.

    Args:
        ask: the engine's nearest N records.
        query: shape (dim,), of length 1.
        k: how many.

    Raises:
        IndexDamagedError: a vector is not of length 1, as all were when they were written.
    """
    wanted = k + EXTRA
    while True:
        nearest = ask(wanted)
        scores = exact_cosines(query, _of_length_one(nearest)) if nearest.ids else np.zeros(0, np.float32)
        hits = best_first(map(Hit, nearest.ids, scores.tolist(), nearest.fields), k)
        settled = len(nearest.ids) < wanted or scores[-1] < hits[-1].score - 2 * rough_bound(len(query))
        if settled or wanted == MOST:
            return hits
        wanted = min(2 * wanted, MOST)


def _of_length_one(nearest: Nearest) -> Vectors:
    length = np.linalg.norm(nearest.vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(length - 1) < 1e-3))
    if wrong.size:
        raise IndexDamagedError(f"record {nearest.ids[wrong[0]]!r}: its vector is damaged; make the index again")
    return nearest.vectors
