"""R-Precision of queries that have hundreds of positives: told by a mask, found by one sort of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.evaluation.ranks import Floats
from bcls.threads import over_rows

ROWS = 16
"""Queries that a thread sorts at a time, so that their scores stay in the cache."""


def masked_r_precision(scores: NDArray[Any], masks: Sequence[NDArray[np.bool_]], beyond: ArrayLike = 0) -> Floats:
    """Share of each query's R positives that are among its first R candidates, for several judgements at once.

    Of equal scores the positives come last (worst case).

    Args:
        scores: similarity, higher is nearer, shape (Q, N), finite.
        masks: for each of S judgements which candidates are positives, shape (Q, N).
        beyond: how many positives of each query are no candidates: they count in R, shape (Q,) or one number.

    Returns:
        0..1, shape (S, Q); NaN for a query without a positive.

    Cost: one sort for each query, O(N log N), whatever R is; threads share the queries.

    Example:
        >>> scores = np.array([[0.9, 0.8, 0.7, 0.7]])
        >>> masked_r_precision(scores, [np.array([[True, False, True, False]])])
        array([[0.5]])
    """
    more = np.broadcast_to(np.asarray(beyond), scores.shape[:1])

    def work(start: int, stop: int) -> Floats:
        here = slice(start, stop)
        return _r_precision(scores[here], [mask[here] for mask in masks], more[here])

    return np.concatenate(over_rows(work, scores.shape[0], ROWS), axis=1)


def _r_precision(scores: NDArray[Any], masks: Sequence[NDArray[np.bool_]], beyond: NDArray[Any]) -> Floats:
    if not scores.shape[1]:  # nothing can be found
        return np.tile(np.where(beyond > 0, 0.0, np.nan), (len(masks), 1))
    ascending = np.sort(scores, axis=1)
    found = np.full((len(masks), scores.shape[0]), np.nan)
    for place, mask in enumerate(masks):
        wanted = np.count_nonzero(mask, axis=1) + beyond
        last = np.clip(scores.shape[1] - wanted, 0, scores.shape[1] - 1)
        border = np.take_along_axis(ascending, last[:, None], axis=1)
        above, tied = scores > border, scores == border
        room = wanted - np.count_nonzero(above, axis=1) - np.count_nonzero(tied & ~mask, axis=1)
        hits = np.count_nonzero(above & mask, axis=1) + np.maximum(room, 0)
        hits = np.minimum(hits, np.count_nonzero((above | tied) & mask, axis=1))
        asked = wanted > 0
        found[place, asked] = hits[asked] / wanted[asked]
    return found
