"""What one rank a query tells: Recall@K, median and mean rank, mean reciprocal rank."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.arrays import to_array
from bcls.errors import InputError

RECALL_CUTOFFS = (1, 5, 10)


def recall_at(best_ranks: ArrayLike, cutoff: int) -> float:
    """Share of queries with a positive among the first `cutoff` candidates, in percent.

    This is the field's Recall@K: a hit is any positive in the top K, however many the query has (not the share of
    its positives).

    Args:
        best_ranks: the rank of each query's best positive, from 1, shape (Q,), at least one query.
        cutoff: K, at least 1.

    Returns:
        0..100.

    Raises:
        InputError: a cutoff below 1, no query, or a rank that is NaN or below 1.

    Example:
        >>> recall_at([1, 2, 7, 30], cutoff=5)
        50.0
    """
    if cutoff < 1:
        raise InputError(f"recall@{cutoff}: the cutoff must be at least 1")
    return float(100 * np.mean(_checked(best_ranks) <= cutoff))


def rank_summary(best_ranks: ArrayLike, cutoffs: Iterable[int] = RECALL_CUTOFFS) -> dict[str, float]:
    """Recalls in percent, median and mean rank, and the mean reciprocal rank (0..1).

    The median of an even number of ranks may end in .5; older evaluation scripts round it down.

    Args:
        best_ranks: the rank of each query's best positive, from 1, shape (Q,), at least one query.
        cutoffs: the K of each Recall@K.

    Example:
        >>> rank_summary([1, 2, 4, 20], cutoffs=[1, 5])
        {'recall@1': 25.0, 'recall@5': 75.0, 'median_rank': 3.0, 'mean_rank': 6.75, 'mrr': 0.45}
    """
    ranks = _checked(best_ranks)
    summary = {f"recall@{cutoff}": recall_at(ranks, cutoff) for cutoff in cutoffs}
    summary["median_rank"] = float(np.median(ranks))
    summary["mean_rank"] = float(np.mean(ranks))
    summary["mrr"] = float(np.mean(1 / ranks))
    return summary


def _checked(best_ranks: ArrayLike) -> NDArray[np.float64]:
    ranks = to_array(best_ranks, "best_ranks").astype(np.float64, copy=False)
    if ranks.ndim != 1 or not ranks.size or not (ranks >= 1).all():
        raise InputError("best_ranks must be a list of numbers from 1 on, one for each query, and not empty")
    return ranks
