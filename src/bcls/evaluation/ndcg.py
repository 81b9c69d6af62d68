"""NDCG with graded relevance: do the most relevant candidates come first?

Gain 2^r - 1, discount 1 / log2(1 + rank), and the ideal order of the same candidates as the unit (Järvelin and
Kekäläinen 2002, in the form of Burges et al. 2005).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.errors import InputError
from bcls.evaluation.ranking import Ranking, rank
from bcls.evaluation.ranks import Floats, Ties, check_ties
from bcls.evaluation.row_blocks import in_row_blocks


def ndcg(scores: ArrayLike, relevance: ArrayLike, length: int | None = None, ties: Ties = "worst") -> Floats:
    """Normalised discounted cumulative gain of each query.

    Candidates of unknown relevance are left out of the list. A query whose candidates are all worth nothing (or all
    unknown) has no better or worse order: its value is NaN, not 0 or 1. Ties: `worst` puts the least relevant of equal
    scores first; `expected` gives each the mean gain of those that it ties with, which is the mean over random orders
    (as scikit-learn does). The cost is O(N log N) for each query; threads share the
    queries.

    Args:
        scores: similarity, higher is nearer, shape (Q, N), finite.
        relevance: in [0, 1], NaN = unknown, shape (Q, N).
        length: K of NDCG@K; None for the whole list.
        ties: the rule for equal scores.

    Returns:
        0..1 or NaN, shape (Q,).

    Raises:
        InputError: shapes differ, a value is out of range, or an unknown rule.

    Example:
        >>> ndcg([[0.9, 0.5, 0.1]], [[0.0, 1.0, 0.5]]).round(4)
        array([0.6644])
        >>> ndcg([[0.9, 0.5, 0.1]], [[0.0, 1.0, 0.5]], length=1)
        array([0.])
    """
    check_ties(ties)

    def ndcg_of(part_scores: NDArray[Any], part_relevance: NDArray[Any], fast: bool) -> Floats:
        return ranked_ndcg(rank(part_scores, part_relevance, fast=fast), [length], ties)[0]

    return np.concatenate(in_row_blocks(ndcg_of, scores, relevance))


def ranked_ndcg(ranking: Ranking, lengths: list[int | None], ties: Ties = "worst") -> list[Floats]:
    """NDCG of a graded ranking at several lengths, for the price of one.

    Args:
        ranking: the graded ranking of Q queries.
        lengths: the K of each NDCG@K; None for the whole list.
        ties: the rule for equal scores.

    Returns:
        For each length an array of shape (Q,).
    """
    check_ties(ties)
    if any(length is not None and length < 1 for length in lengths):
        raise InputError(f"ndcg at {lengths}: each length must be at least 1")
    gains = np.exp2(ranking.relevance, dtype=np.float64) - 1
    best_first = np.sort(ranking.relevance, axis=1)[:, ::-1]  # sorts quicker than the gains do, which rise with it
    ideal = np.exp2(best_first, dtype=np.float64) - 1
    if ties == "expected":
        gains = _tied_means(gains, ranking.score_starts)
    discounts = 1 / np.log2(2 + np.arange(gains.shape[1]))
    values = []
    for length in lengths:
        # sums row by row: a matrix product may round differently for another number of rows
        best = (ideal[:, :length] * discounts[:length]).sum(axis=1)
        reached = (gains[:, :length] * discounts[:length]).sum(axis=1)
        values.append(np.divide(reached, best, out=np.full(best.shape, np.nan), where=best > 0))
    return values


def _tied_means(gains: Floats, starts: NDArray[np.bool_]) -> Floats:
    """Each gain replaced by the mean of its run."""
    run = np.cumsum(starts.ravel()) - 1
    means = np.bincount(run, weights=gains.ravel()) / np.bincount(run)
    return np.asarray(means[run].reshape(gains.shape))
