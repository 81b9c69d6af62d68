"""How well a query's positives, all of them, fill its first places: mAP@R and R-Precision.

R is the number of the query's positives, so both ask for the whole of them and need no cutoff. They are the metrics of
ECCV Caption (Chun et al., ECCV 2022), after Musgrave et al., "A Metric Learning Reality Check" (ECCV 2020). With one
positive both are Recall@1.
"""

from __future__ import annotations

import numpy as np

from bcls.evaluation.ranks import Floats, PositiveRanks


def average_precision_at_r(ranks: PositiveRanks) -> Floats:
    """(1/R) times the sum, over the positives within the first R places, of the precision at their rank, in percent.

    Returns:
        0..100, shape (Q,); NaN for a query without a positive.

    Example:
        >>> ranks = PositiveRanks(query=np.array([0, 0, 0]), rank=np.array([1.0, 3.0, 9.0]), queries=1)
        >>> average_precision_at_r(ranks).round(2)  # (1/1 + 2/3) / 3
        array([55.56])
    """
    return _mean_over_positives(ranks, ranks.order / ranks.rank)


def r_precision(ranks: PositiveRanks) -> Floats:
    """Share of a query's R positives that are among its first R candidates, in percent.

    Returns:
        0..100, shape (Q,); NaN for a query without a positive.

    Example:
        >>> ranks = PositiveRanks(query=np.array([0, 0, 0]), rank=np.array([1.0, 3.0, 9.0]), queries=1)
        >>> r_precision(ranks).round(2)
        array([66.67])
    """
    return _mean_over_positives(ranks, np.ones(ranks.rank.size))


def _mean_over_positives(ranks: PositiveRanks, worth: Floats) -> Floats:
    counts = ranks.counts
    within = ranks.rank <= counts[ranks.query]
    total = np.bincount(ranks.query, weights=worth * within, minlength=ranks.queries)
    return np.where(counts > 0, 100 * total / np.maximum(counts, 1), np.nan)
